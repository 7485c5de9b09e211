from odoo import fields, models


class XeroProductMapping(models.Model):
    """Which product a Xero item code means, where it is no product's internal reference."""

    _name = "xero.product.mapping"
    _description = "Xero Product Mapping"
    _order = "item_code"
    _rec_name = "item_code"
    _check_company_auto = True

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    item_code = fields.Char(string="Xero Item Code", required=True)
    product_id = fields.Many2one("product.product", required=True, check_company=True, index=True)

    _one_product_per_code = models.UniqueIndex(
        "(connection_id, lower(item_code))", "This item code is mapped already."
    )
