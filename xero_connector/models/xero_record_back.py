from odoo import api, models

from ..lib import formats
from ..lib.invoice import XeroInvoice
from .xero_record_export import STATUSES

_KNOWN = dict(STATUSES)
_NUMBERS = {"invoice": "InvoiceNumber", "credit_note": "CreditNoteNumber"}


class XeroRecord(models.Model):
    """What became of documents in Xero: number, status, what is due, when it was paid."""

    _inherit = "xero.record"

    @api.model
    def _take_back(self, connection, resource, elements):
        """Bring what we know about sent documents up to date.

        :param list elements: Xero's dicts; those that are none of ours are left out
        """
        by_id = {element.get("CreditNoteID") or element.get("InvoiceID"): element for element in elements}
        rows = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "out"),
                ("resource", "=", resource),
                ("res_model", "in", ("sale.order", "account.move")),
                ("external_id", "in", list(by_id)),
            ]
        )
        for external_id, held in rows.grouped("external_id").items():
            element = by_id[external_id]
            before = held[0].xero_status
            held._take_state(element)
            if before != held[0].xero_status:
                held._tell_status()
                held._wake_credit_notes()
            if resource == "invoice":
                held._register_payments(connection, element)

    def _take_state(self, element):
        """Keep number, status and what is due of these rows' document."""
        resource = "credit_note" if element.get("CreditNoteID") else "invoice"
        document = XeroInvoice(element)
        due = element.get("RemainingCredit") if resource == "credit_note" else element.get("AmountDue")
        paid_on = formats.calendar_date(element.get("FullyPaidOnDate")) if document.status == "PAID" else None
        values = {
            "xero_number": formats.text(element.get(_NUMBERS[resource])),
            # A status nobody knew when this was written is told as none.
            "xero_status": document.status if document.status in _KNOWN else False,
            "amount_due": float(formats.decimal(due)),
            "paid_on": paid_on or False,
            "remote_updated": document.updated,
        }
        for row in self:
            changed = {name: value for name, value in values.items() if (row[name] or False) != (value or False)}
            if changed:
                row.write(changed)

    def _is_gone(self):
        """Whether somebody voided or deleted it in Xero."""
        return self.xero_status in ("VOIDED", "DELETED")

    def _all_of(self, external_id):
        """All rows of this connection that are the same document in Xero."""
        return self | self.search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("direction", "=", "out"),
                ("resource", "=", "invoice"),
                ("external_id", "=", external_id),
            ]
        )

    def _tell_status(self):
        """A line in the chatter of each document: what happened to it in Xero."""
        for row in self.filtered(lambda row: not row.is_reduction):
            document = row._document()
            if document and row.xero_status in ("PAID", "VOIDED", "DELETED"):
                document._message_log(
                    body=self.env._(
                        "%(number)s in Xero: %(status)s.", number=row.xero_number, status=row.xero_status_text
                    )
                )

    def _wake_credit_notes(self):
        """Credit notes that wait for these documents' approval are looked at again."""
        waiting = self.search(
            [
                ("direction", "=", "out"),
                ("resource", "=", "credit_note"),
                ("state", "=", "pending"),
                ("external_id", "!=", False),
                "|",
                ("id", "in", self.ids),
                ("invoice_row_id", "in", self.ids),
            ]
        )
        if waiting:
            waiting.next_attempt = False
            waiting.connection_id._ring_push()
