from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    xero_exchange = fields.Boolean(
        string="Exchange with Xero",
        default=True,
        help="Off: no connection changes this product, nor tells Xero about it. Orders are imported all the same.",
    )
    xero_match_ids = fields.Many2many(
        "xero.item.match",
        string="In Xero",
        compute="_compute_xero_match_ids",
        groups="xero_connector.group_xero_user",
    )

    def _compute_xero_match_ids(self):
        matches = self.env["xero.item.match"].search([("product_id", "in", self.product_variant_ids.ids)])
        by_template = matches.grouped(lambda match: match.product_id.product_tmpl_id)
        for template in self:
            template.xero_match_ids = by_template.get(template._origin, matches.browse())

    def action_view_xero_matches(self):
        """The product's lines among both catalogues."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_item_match")
        return action | {"domain": [("product_id", "in", self.product_variant_ids.ids)]}
