from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    xero_fee_ids = fields.One2many(
        "xero.fee", "move_id", readonly=True, groups="xero_connector.group_xero_manager"
    )

    def action_xero_integrations(self):
        """The integrations this invoice bills, removed ones as well."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_connection")
        return action | {
            "domain": [("id", "in", self.xero_fee_ids.connection_ids.ids)],
            "context": {"active_test": False},
        }
