from odoo import api, fields, models

from ..lib import outgoing
from .export_source import NOTHING, SourceHead, SourceLine

_TOLD = {"product_uom_qty", "product_uom_id", "price_unit", "discount", "tax_ids", "product_id"}


class SaleOrder(models.Model):
    """Confirmed orders on their way to Xero."""

    _name = "sale.order"
    _inherit = ["sale.order", "xero.export.mixin"]

    def _action_confirm(self):
        result = super()._action_confirm()
        self._xero_ring_export()
        # One that was sent, cancelled and confirmed again.
        self._xero_note_change()
        return result

    def _action_cancel(self):
        result = super()._action_cancel()
        self._xero_note_change()
        return result

    # === IN ODOO'S TERMS === #

    def _xero_is_to_export(self):
        """Whether this order may be sent: confirmed, not one that came from Xero, nor one whose invoice was sent."""
        if self.state != "sale" or self.xero_invoice_id:
            return False
        # sudo: whoever sees the order need not see its invoices
        return not any(row.external_id or row.request_key for row in self.sudo().invoice_ids._xero_out_rows())

    def _xero_out_resource(self):
        return "invoice"

    def _xero_recompute(self):
        self.env.add_to_compute(self._fields["invoice_status"], self)

    def _xero_bill_to(self):
        return self.partner_invoice_id.commercial_partner_id

    def _xero_head(self):
        """:rtype: SourceHead"""
        date = fields.Datetime.context_timestamp(
            self.with_context(tz=self.company_id.partner_id.tz or self.env.user.tz), self.date_order
        ).date()
        due_dates = [line._get_due_date(date) for line in self.payment_term_id.line_ids]
        return SourceHead(
            partner=self._xero_bill_to(),
            currency=self.currency_id,
            date=date,
            due_date=max(due_dates, default=None),
            number=self.name,
            reference=" ".join(filter(None, [self.name, self.client_order_ref])),
        )

    def _xero_bill_lines(self):
        """The lines as they are to be billed: what was ordered less what came back. Of a cancelled order nothing.

        :rtype: list of SourceLine
        """
        if self._xero_was_cancelled():
            return []
        return [line._xero_line() for line in self.order_line if not line.is_downpayment]


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.order_id.filtered(lambda order: order.state == "sale")._xero_note_change()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if _TOLD & set(vals):
            self.order_id.filtered(lambda order: order.state == "sale")._xero_note_change()
        return result

    def _xero_line(self):
        """:rtype: SourceLine"""
        if self.display_type or self.product_id.type == "combo":
            return SourceLine(self, self.product_id, self.name)
        accounts = self.product_id.product_tmpl_id.with_company(self.company_id).get_product_accounts(
            self.order_id.fiscal_position_id
        )
        line = SourceLine(
            record=self,
            product=self.product_id,
            name=self.name,
            quantity=outgoing.number(self.product_uom_qty),
            uom=self.product_uom_id,
            price_unit=outgoing.number(self.price_unit),
            discount=outgoing.number(self.discount),
            taxes=self.tax_ids,
            account=accounts["income"] or accounts.get("expense").browse(),
            net=outgoing.number(self.price_subtotal),
            total=outgoing.number(self.price_total),
        )
        returned = self._xero_returned()
        return line.of(line.quantity - returned) if returned else line

    def _xero_returned(self):
        """How much came back to be refunded, less what was sent again, in this line's unit."""
        returned = NOTHING
        moves = self.move_ids.filtered(lambda move: move.state == "done" and move.to_refund)
        # Parts of a kit are no quantity of this line.
        for move in moves.filtered(lambda move: move.product_id == self.product_id):
            quantity = outgoing.number(move.product_uom._compute_quantity(move.quantity, self.product_uom_id))
            if move.location_dest_id._is_outgoing():
                returned -= quantity if move.origin_returned_move_id else NOTHING
            elif move.location_id._is_outgoing():
                returned += quantity
        return max(returned, NOTHING)


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        """What comes back is credited, what is sent again billed."""
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        moves.filtered("to_refund").sale_line_id.order_id._xero_note_change()
        return moves
