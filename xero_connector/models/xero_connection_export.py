from odoo import fields, models


class XeroConnection(models.Model):
    """What is sent to Xero."""

    _inherit = "xero.connection"

    export_source = fields.Selection(
        [("none", "Nothing"), ("sale_order", "Confirmed orders"), ("invoice", "Posted invoices")],
        string="Send to Xero",
        required=True,
        default="none",
    )

    def _ring_push(self):
        """Have what waits sent to Xero as soon as a worker is free. Rings only."""
