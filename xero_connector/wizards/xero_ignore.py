from odoo import fields, models


class XeroIgnore(models.TransientModel):
    """Why these documents are not to be imported."""

    _name = "xero.ignore"
    _description = "Ignore Xero Documents"

    record_ids = fields.Many2many("xero.record", required=True, readonly=True)
    reason = fields.Char(required=True)

    def action_confirm(self):
        """Ignore them, and keep the reason."""
        self.record_ids.action_ignore(reason=self.reason)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
