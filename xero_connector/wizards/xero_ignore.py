from odoo import fields, models


class XeroIgnore(models.TransientModel):
    """Why these documents are not to be imported."""

    _name = "xero.ignore"
    _description = "Ignore Xero Documents"

    record_ids = fields.Many2many("xero.record", required=True, readonly=True)
    reason = fields.Char(required=True)
    from_problems = fields.Boolean()

    def action_confirm(self):
        """Ignore them, and keep the reason."""
        self.record_ids.action_ignore(reason=self.reason)
        if self.from_problems:
            # The problem is gone with its rows: there is no page to come back to.
            action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_problem")
            return action | {"target": "main"}
        return {"type": "ir.actions.client", "tag": "soft_reload"}
