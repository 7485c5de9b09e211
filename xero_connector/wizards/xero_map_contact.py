from odoo import fields, models


class XeroMapContact(models.TransientModel):
    """Say which contact of Xero a customer is."""

    _name = "xero.map.contact"
    _description = "Map a Customer to a Xero Contact"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True, ondelete="cascade")
    record_id = fields.Many2one(
        "xero.record",
        string="Xero contact",
        required=True,
        ondelete="cascade",
        domain="[('connection_id', '=', connection_id), ('resource', '=', 'contact'), ('direction', '=', 'in'), "
        "('state', '=', 'done')]",
    )

    def action_confirm(self):
        """Map, and go back to the list."""
        self.ensure_one()
        self.env["xero.contact.match"].check_access("write")
        self.record_id._map_contact(self.partner_id)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
