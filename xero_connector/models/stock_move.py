from odoo import api, fields, models

from .xero_document_mixin import ORIGIN_FIELDS

_INHERITED = (*ORIGIN_FIELDS, "delivery_instructions", "packing_instructions")


class StockMove(models.Model):
    _inherit = "stock.move"

    # The rest of a split move is of the same line of the invoice.
    xero_line_id = fields.Char(string="Xero line ID", readonly=True, copy=True)

    def _xero_is_part(self):
        """Whether this is a component of a kit (mrp, where it is installed)."""
        return "bom_line_id" in self._fields and bool(self.bom_line_id)

    @api.model
    def _prepare_merge_moves_distinct_fields(self):
        """Each line of the invoice stays a line of the picking list, so that a later change finds its own."""
        return [*super()._prepare_merge_moves_distinct_fields(), "xero_line_id"]

    def _update_reserved_quantity_vals(
        self, need, location_id, lot_id=None, package_id=None, owner_id=None, strict=True
    ):
        """Goods shipped for a customer are taken from that customer's stock: Odoo itself looks at a transfer's owner
        only when it is done, and would have reserved somebody else's."""
        if not owner_id and self.picking_id.xero_invoice_id:
            owner_id = self.picking_id.owner_id
        return super()._update_reserved_quantity_vals(
            need, location_id, lot_id=lot_id, package_id=package_id, owner_id=owner_id, strict=strict
        )

    def _get_new_picking_values(self):
        """A transfer made for an imported order, or as next step of an imported transfer, knows its invoice."""
        values = super()._get_new_picking_values()
        order = self.sale_line_id.order_id or self.reference_ids.sale_ids
        source = order if order else self.move_orig_ids.picking_id
        if len(source) == 1 and source.xero_invoice_id:
            values |= {name: source._fields[name].convert_to_write(source[name], source) for name in _INHERITED}
            # sudo: the warehouse's staff need not have access to the connection's settings
            values["owner_id"] = source.sudo().xero_connection_id.partner_id.id
        return values
