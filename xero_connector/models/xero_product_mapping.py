from odoo import api, fields, models
from odoo.exceptions import ValidationError


class XeroProductMapping(models.Model):
    """Which product a Xero item code means, where it is no product's internal reference."""

    _name = "xero.product.mapping"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Product Mapping"
    _order = "item_code"
    _rec_name = "item_code"
    _check_company_auto = True

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    item_code = fields.Char(string="Xero Item Code", required=True)
    product_id = fields.Many2one("product.product", required=True, check_company=True, index=True)

    allowed_uom_ids = fields.Many2many("uom.uom", compute="_compute_allowed_uom_ids")
    uom_id = fields.Many2one(
        "uom.uom",
        string="Counted in",
        domain="[('id', 'in', allowed_uom_ids)]",
        help="The unit Xero's quantity counts, e.g. Dozen. Empty: the product's own.",
    )

    _one_product_per_code = models.UniqueIndex(
        "(connection_id, lower(item_code))", "This item code is mapped already."
    )

    @api.depends("product_id")
    def _compute_allowed_uom_ids(self):
        """The units the product's own can be converted into."""
        for rule in self:
            rule.allowed_uom_ids = self._units_of(rule.product_id)

    @api.model
    def _units_of(self, product):
        """The units of measure this product can be counted in."""
        root = (product.uom_id.parent_path or "").split("/")[0]
        units = self.env["uom.uom"]
        return units.search([("parent_path", "=like", f"{root}/%")]) if root else units

    @api.constrains("product_id", "uom_id")
    def _check_uom_id(self):
        for rule in self:
            if rule.uom_id and not rule.uom_id._has_common_reference(rule.product_id.uom_id):
                raise ValidationError(
                    self.env._(
                        "%(product)s cannot be counted in %(unit)s.",
                        product=rule.product_id.display_name,
                        unit=rule.uom_id.name,
                    )
                )
