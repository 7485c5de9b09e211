from odoo import api, fields, models


class XeroMapProduct(models.TransientModel):
    """Say which item of Xero a product is."""

    _name = "xero.map.product"
    _description = "Map a Product to a Xero Item"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", required=True, readonly=True, ondelete="cascade")
    shares = fields.Boolean(related="connection_id.allow_shared_item", related_sudo=False)
    record_id = fields.Many2one(
        "xero.record",
        string="Xero item",
        required=True,
        ondelete="cascade",
        domain="[('connection_id', '=', connection_id), ('resource', '=', 'item'), ('direction', '=', 'in'), "
        "('problem_code', '!=', 'deleted')]",
    )
    item_name = fields.Char(string="Name in Xero", related="record_id.reference", related_sudo=False)
    taken_by = fields.Char(string="Is already", compute="_compute_taken_by")

    @api.depends("record_id")
    def _compute_taken_by(self):
        for wizard in self:
            products = self.env["product.product"]
            item_ids = wizard.record_id.mapped("external_id")
            held = self.env["xero.binding"]._of_items(wizard.connection_id, item_ids, products)
            wizard.taken_by = ", ".join(products.browse(held.mapped("res_id")).mapped("display_name"))

    def action_confirm(self):
        """Map, and go back to the list."""
        self.ensure_one()
        self.record_id._map(self.product_id)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
