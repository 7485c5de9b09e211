from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    xero_line_id = fields.Char(string="Xero line ID", readonly=True, copy=False)

    def _compute_discount(self):
        """A discount that came with Xero's price stays, whatever a pricelist says when the quantity changes."""
        from_xero = self.filtered(
            lambda line: line.xero_line_id and line.order_id.sudo().xero_connection_id.price_source == "xero"
        )
        return super(SaleOrderLine, self - from_xero)._compute_discount()
