from odoo import api, models
from odoo.exceptions import UserError

from .. import const
from ..lib import errors, outgoing
from ..lib.invoice import XeroInvoice
from .export_mapper import ExportMapper
from .export_source import NOTHING

_DOCUMENTS = ("invoice", "credit_note")
_DOCUMENT_MODELS = ("sale.order", "account.move")
_CANCELLED_PAYMENT = ("canceled", "rejected")


class XeroRecord(models.Model):
    """What a person may do about what could not be sent: try again, or leave it as it is."""

    _inherit = "xero.record"

    def _is_outgoing(self):
        """Whether this goes to Xero with the documents: they, their notes, and their customers."""
        return self.direction == "out" and self.resource != "item"

    def _is_outgoing_document(self):
        """Whether this is an order, invoice or credit note on its way to Xero, and no note on one."""
        return self.direction == "out" and self.resource in _DOCUMENTS and self.res_model in _DOCUMENT_MODELS

    @property
    def _problem_kind(self):
        """What ``xero.problem`` counts this row under."""
        return "document" if self.direction == "out" and self.resource in _DOCUMENTS else self.resource

    # === TRY AGAIN === #

    def _retry_outgoing(self):
        """Have these sent, allocated or compared again; nothing that is in Xero is sent a second time.

        :return: those of them there was something to try about
        """
        again = self.filtered(lambda row: row.state in ("failed", "skipped") or row.next_attempt)
        for row in again:
            document = row._is_outgoing_document() and row._document()
            if document and row.problem_code in const.CONTACT_CODES:
                # Making the contact may have been refused, too.
                self._retry_contacts(row.connection_id, document._xero_bill_to())
            was_never_sent = not row.external_id and not row.request_key
            # What somebody changed by hand is not lost over it.
            if was_never_sent and row._is_outgoing_document() and not row.is_edited:
                row._plan_anew()
            else:
                row.write(self._armed_values())
        if again:
            again.connection_id._ring_push()
        return again

    def _retry_payments(self):
        """Register these payments of Xero in Odoo now; that needs no call.

        :return: those of them there was something to try about
        """
        again = self.filtered(lambda row: row.state in ("failed", "skipped"))
        for row in again:
            connection = row.connection_id._item_env()
            payment = row._document()
            if payment is None:
                invoice = row.invoice_row_id._document()
                if invoice:
                    row.with_env(connection.env)._register_payment(connection, invoice)
                else:
                    row._skip("deleted_here", connection.env._("Its invoice was deleted in Odoo."))
            elif not payment or payment.state in _CANCELLED_PAYMENT:
                row._skip("deleted", connection.env._("The payment was taken back in Xero and in Odoo."))
        return again

    def _prove_again(self, connection):
        """Where the totals differed, look again at what both sides have now.

        :return: the document as Xero has it, None where there was nothing to look at
        """
        if not self._differs_too_much():
            return None
        try:
            with connection._client(purpose="orders") as client:
                read = client.credit_note if self.resource == "credit_note" else client.invoice
                element = read(self.external_id)
        except errors.XeroMissing:
            return None
        self._take_state(element)
        others = self._all_of(self.external_id) - self
        source = connection.env[self.res_model].browse(self.res_id).exists()
        if self.part == 0 and not self.is_edited and source._xero_is_to_export() and source._xero_out_rows() == self:
            self.amount_total = float(ExportMapper(connection, source).draft(source, self.resource).odoo_total)
        if XeroInvoice(element).is_gone:
            # It bills nothing any more: there is nothing to compare.
            self.intended_difference = self.total_difference
        elif self.is_reduction or any(others.mapped("is_reduction")):
            # Lines were made smaller since: what the document comes to is all that can be told.
            rest = sum((outgoing.number(row.xero_total) for row in others), NOTHING)
            total = XeroInvoice(element).total - rest
            difference = total - outgoing.number(self.amount_total)
            self.write({"xero_total": float(total), "total_difference": float(difference)})
        else:
            self._take_amounts(element)
            self._prove(element)
        return element

    def _take_amounts(self, element):
        """What Xero makes of each of our lines by now; nothing of one that was deleted there."""
        theirs = {line.id: line for line in XeroInvoice(element).lines}
        for line in self.line_ids.filtered("line_id"):
            now = theirs.get(line.line_id)
            values = {
                "xero_amount": float(now.line_amount) if now else 0,
                "xero_tax": float(now.tax_amount) if now else 0,
            }
            if now and line.takes_price:
                values["unit_amount"] = float(now.unit_amount)
            line.write(values)

    # === LEAVE AS IT IS === #

    def _ignore_outgoing(self, said):
        """What is not in Xero is not sent; what is there stays as it is, with its difference or without its allocation.

        :param str said: by whom, and why
        """
        if uncertain := self.filtered(lambda row: row._is_outgoing_document() and row._are_uncertain()):
            raise UserError(
                self.env._("%s may have arrived in Xero. Press Retry: then that is known.", uncertain[0].number)
            )
        arrived = self.filtered(lambda row: row.external_id and row._is_outgoing_document())
        for row in arrived:
            row.write({"intended_difference": row.total_difference, "request_key": False})
            row._succeed(self.env[row.res_model].browse(row.res_id))
            row.reason = said
        (self - arrived)._skip("ignored", said)

    # === BELONGS TO === #

    @api.model
    def _adopt(self, connection, document, element):
        """What somebody made in Xero is this document: it is never sent, and its changes are told as of any other.

        :param connection: of ``_push_worker()``, so that nobody sends it at this moment
        :param dict element: Xero's document with its lines
        :return: its row
        """
        _ = connection.env._
        rows = document._xero_out_rows()
        if any(row.external_id or row.request_key for row in rows):
            raise UserError(_("%s is in Xero already, or on its way there.", document.display_name))
        row = rows.filtered(lambda row: row.connection_id == connection and not row.part)
        row = row or self.create(self._outgoing_values(connection, document))
        row._plan_anew()
        row._keep_draft(ExportMapper(connection, document).draft(document))
        row._take_arrival(element)
        row._succeed(document)
        row.reason = _("%(who)s said that it is %(number)s in Xero.", who=self.env.user.name, number=row.xero_number)
        document._message_log(body=row.reason)
        return row
