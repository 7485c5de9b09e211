from odoo import models

from ..lib import outgoing
from .export_source import SourceHead, SourceLine

_SENT_TYPES = ("out_invoice", "out_refund")
_TEXT_TYPES = ("line_section", "line_subsection", "line_note")


class AccountMove(models.Model):
    """Posted customer invoices and credit notes on their way to Xero."""

    _name = "account.move"
    _inherit = ["account.move", "xero.export.mixin"]

    def _post(self, soft=True):
        posted = super()._post(soft=soft)
        posted._xero_ring_export()
        # One that was sent, set to draft and posted again.
        posted._xero_note_change()
        return posted

    def button_cancel(self):
        result = super().button_cancel()
        self._xero_note_change()
        return result

    # === IN ODOO'S TERMS === #

    def _xero_is_to_export(self):
        """Whether this document may be sent: posted, and a customer's."""
        return self.state == "posted" and self.move_type in _SENT_TYPES

    def _xero_out_resource(self):
        return "credit_note" if self.move_type == "out_refund" else "invoice"

    def _xero_bill_to(self):
        return self.commercial_partner_id

    def _xero_head(self):
        """:rtype: SourceHead"""
        return SourceHead(
            partner=self._xero_bill_to(),
            currency=self.currency_id,
            date=self.invoice_date,
            due_date=self.invoice_date_due,
            number=self.name,
            reference=" ".join(filter(None, [self.name, self.ref])),
        )

    def _xero_bill_lines(self):
        """The lines as they are billed. Of a cancelled document nothing.

        :rtype: list of SourceLine
        """
        if self._xero_was_cancelled():
            return []
        lines = self.invoice_line_ids.filtered(lambda line: line.display_type in ("product", *_TEXT_TYPES))
        return [line._xero_line() for line in lines.sorted(lambda line: (line.sequence, line.id))]


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _xero_line(self):
        """:rtype: SourceLine"""
        if self.display_type in _TEXT_TYPES:
            return SourceLine(self, self.product_id, self.name)
        return SourceLine(
            record=self,
            product=self.product_id,
            name=self.name or self.product_id.display_name or "",
            quantity=outgoing.number(self.quantity),
            uom=self.product_uom_id,
            price_unit=outgoing.number(self.price_unit),
            discount=outgoing.number(self.discount),
            taxes=self.tax_ids,
            account=self.account_id,
            net=outgoing.number(self.price_subtotal),
            total=outgoing.number(self.price_total),
        )
