from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    xero_line_id = fields.Char(string="Xero line ID", readonly=True, copy=False)
