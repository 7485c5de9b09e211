import uuid
from datetime import timedelta

from odoo import fields, models

from ..lib import errors, formats, outgoing
from ..lib.errors import Problem
from ..lib.invoice import XeroInvoice
from .export_changes import changes_of
from .export_mapper import ExportMapper
from .export_source import NOTHING
from .xero_record_push import resent

# An approval wakes it; this is for what no change tells.
_ASK_AGAIN = timedelta(days=1)


class XeroRecord(models.Model):
    """Less than was sent: a credit note and then its allocation, or a smaller quantity on an invoice that is open."""

    _inherit = "xero.record"

    def _differs(self, document):
        """Whether Xero must be told of a change of this document; not while it is being edited.

        :param self: its outbound rows
        """
        if not (document._xero_is_to_export() or document._xero_was_cancelled()):
            return False
        if document._xero_out_resource() == "credit_note":
            return False
        if any(row.sent_to and row.sent_to != row.connection_id.tenant_id for row in self):
            # Its invoice is in the books of another organisation, which this connection does not reach any more.
            return False
        return bool(changes_of(self, document))

    def _plan_change(self, connection):
        """Find out what changed, write it down, send it."""
        _ = connection.env._
        source = connection.env[self.res_model].browse(self.res_id).exists()
        rows = source._xero_out_rows() if source else self.browse()
        others = rows - self
        # What failed is sent as the document is then: with what this would bill.
        earlier = others.filtered(lambda row: row.state in ("pending", "failed") and row.part < self.part)
        planned = earlier | others.filtered(lambda row: row.state == "pending" and row.line_ids)
        if others._are_uncertain() or not all(planned.mapped("external_id")):
            self._wait(_("It waits for what was sent before it."), timedelta(minutes=1))
            return
        changes = source and changes_of(others, source)
        if not changes:
            self._skip("nothing_to_send", _("Xero has all of it already."))
            return
        mapper = ExportMapper(connection, source)
        part, row, free = self.part, self, max(rows.mapped("part")) + 1
        for sent, lines in changes.taken.items():
            draft = mapper.draft(source, "credit_note", part, lines=[])
            draft.lines, draft.document.amount_types = lines, sent.amount_types
            draft.odoo_total = sum((each.odoo_total for each in lines), NOTHING)
            row = row or self.create(self._outgoing_values(connection, source) | {"part": part})
            row.invoice_row_id = sent
            row._keep_draft(draft)
            part, row, free = free, self.browse(), free + 1
        if changes.added or changes.raised:
            row = row or self.create(self._outgoing_values(connection, source) | {"part": part})
            row._keep_draft(changes.draft_of_added(mapper, source, part))
        self._plan_and_send(connection)

    # === QUANTITY === #

    def _has_nothing_to_credit(self, connection, document):
        """Whether somebody voided the invoice in Xero: it bills nothing, and a credit note would be a gift. Xero is
        asked, as that may have been a minute ago."""
        row = self._credited_row(document)
        if not row.external_id:
            return False
        try:
            with connection._client(purpose="orders") as client:
                row._all_of(row.external_id)._take_state(client.invoice(row.external_id))
        except errors.XeroMissing as error:
            reason = connection.env._("Invoice %(number)s: %(said)s", number=row.xero_number, said=error)
            self._fail([Problem("not_allocated", reason, None, document)])
            return True
        if row._is_gone():
            self.line_ids.unlink()
            reason = connection.env._("Invoice %s was voided in Xero: there is nothing to credit.", row.xero_number)
            self._skip("nothing_to_send", reason)
        return row._is_gone()

    def _reduce(self, connection):
        """Make quantities on the open invoice smaller instead of crediting them.

        :return: whether that can be; else a credit note is to be made
        """
        lines = self._lines_to_reduce(connection)
        if not lines:
            return False
        try:
            with connection._client(purpose="orders") as client:
                element = client.invoice(self.invoice_row_id.external_id)
        except errors.XeroMissing:
            return False
        invoice = XeroInvoice(element)
        smaller = _smaller(element, lines) if _is_open(element) else None
        if smaller is None:
            return False
        if any(formats.decimal(line.get("Quantity")) for line in smaller):
            intent = {"Status": invoice.status, "LineItems": smaller}
        else:
            # Nothing is left on it to be billed.
            intent = {"Status": "VOIDED" if invoice.status == "AUTHORISED" else "DELETED"}
        self._intend(intent, invoice)
        self.write({"is_reduction": True, "xero_total": float(invoice.total)})
        self._commit_and_send(connection)
        return True

    def _lines_to_reduce(self, connection):
        """Our lines by the id of the line each takes from; none where that is not to be, or not known."""
        document = connection.env[self.res_model].browse(self.res_id)
        self.invoice_row_id = self._credited_row(document)
        if connection.refund_mode != "quantity" or not self.invoice_row_id.external_id:
            return {}
        priced = self.line_ids.filtered(lambda line: not line.is_text)
        for line in priced.filtered(lambda line: not line.sent_id):
            twins = self.invoice_row_id.line_ids.filtered(lambda sent, line=line: sent._may_be_reduced_by(line))
            line.write({"sent_id": twins.id if len(twins) == 1 else False, "source_quantity": 0})
        ids = priced.sent_id.filtered("line_id").mapped("line_id")
        # A price that changed since is on other lines, too.
        repriced = any(priced.mapped("price_change")) or any(priced.sent_id.taken_ids.mapped("price_change"))
        if repriced or len(set(ids)) != len(priced):
            return {}
        return {line.sent_id.line_id: line for line in priced}

    def _is_reduced(self, invoice):
        """Whether the invoice is as this row wanted it to be."""
        if self.payload["Status"] in ("VOIDED", "DELETED"):
            return invoice.status == self.payload["Status"]
        wanted = {line["LineItemID"]: line for line in self.payload["LineItems"]}
        return wanted.keys() == {line.id for line in invoice.lines} and all(
            formats.decimal(wanted[line.id].get("Quantity")) == line.quantity
            and formats.decimal(wanted[line.id].get("UnitAmount")) == line.unit_amount
            for line in invoice.lines
        )

    def _conclude_reduction(self, connection, element):
        """The invoice is smaller: what it lost is what this row stands for."""
        _ = connection.env._
        invoice = XeroInvoice(element)
        after = NOTHING if invoice.is_gone else invoice.total
        lost = after - outgoing.number(self.xero_total)
        intended = self._intended_difference(outgoing.number(self.amount_total))
        self.write(
            {
                "external_id": invoice.id,
                "resource": "invoice",
                "request_key": False,
                "amount_total": -self.amount_total,
                "xero_total": float(lost),
                "total_difference": float(lost + outgoing.number(self.amount_total)),
                "intended_difference": float(-intended),
                "reason": False,
            }
        )
        self._all_of(invoice.id)._take_state(element)
        document = connection.env[self.res_model].browse(self.res_id)
        document._message_log(body=_("Invoice %s was made smaller in Xero: less is billed.", self.xero_number))
        self._finish(connection, document)

    # === ALLOCATION === #

    def _go_on(self, connection, element=None):
        """What comes after the document itself is in Xero: a credit note is allocated to its invoice."""
        document = connection.env[self.res_model].browse(self.res_id)
        invoice_row = self._credited_row(document)
        if self.resource != "credit_note" or not invoice_row:
            self._finish(connection, document)
            self._wake_earlier_credit_notes(document)
            return
        self.invoice_row_id = invoice_row
        if not self.request_key:
            self.request_key = f"{connection.tenant_id}:{uuid.uuid4()}"
        # The note is known from here on, whatever becomes of its allocation.
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()
        if worker := connection._push_worker():
            self._allocate(worker, element)

    def _wake_earlier_credit_notes(self, document):
        """Credit notes of this invoice that were in Xero before it: now they can be allocated."""
        if document._name != "account.move" or self.resource != "invoice":
            return
        notes = document.reversal_move_ids._xero_out_rows().filtered(
            lambda row: row.resource == "credit_note" and row.external_id and not row.invoice_row_id
        )
        notes.write({"state": "pending", "next_attempt": False})

    def _credited_row(self, document):
        """The row of the invoice this credits, if that is known."""
        if self.invoice_row_id or self.resource != "credit_note":
            return self.invoice_row_id
        reversed_invoice = document._name == "account.move" and document.reversed_entry_id
        rows = reversed_invoice._xero_out_rows() if reversed_invoice else self.browse()
        return rows.filtered(lambda row: row.connection_id == self.connection_id and row.resource == "invoice")[:1]

    def _allocate(self, connection, note=None):
        """Allocate the credit note to its invoice, as far as that is open. Xero is asked what both are like; what is
        allocated already is not allocated again."""
        _ = connection.env._
        invoice_id = self.invoice_row_id.external_id
        if not invoice_id:
            self._wait(_("Its invoice is not in Xero yet; then it is allocated by itself."), _ASK_AGAIN)
            return
        try:
            with connection._client(purpose="orders") as client:
                note = client.credit_note(self.external_id) if note is None or self.attempts else note
                invoice = XeroInvoice(client.invoice(invoice_id))
                done = _allocated(note, invoice_id)
                amount = min(formats.decimal(note.get("RemainingCredit")), formats.decimal(invoice.amount_due))
                if not done:
                    waits_for = self._waits_for(connection, note, invoice)
                    if waits_for:
                        self._wait(waits_for, _ASK_AGAIN)
                        return
                    if amount > 0 and invoice.status == "AUTHORISED":
                        day = self.document_date
                        client.allocate(self.external_id, invoice_id, float(amount), day, self.request_key)
                        done = amount
        except (errors.XeroRejected, errors.XeroMissing) as error:
            # A key stands for one answer; the next try is another one.
            self.request_key = False
            reason = _(
                "Credit note %(note)s is in Xero, but was not allocated to invoice %(invoice)s: %(said)s Try again, or "
                "allocate it in Xero.",
                note=self.xero_number,
                invoice=self.invoice_row_id.xero_number,
                said=error,
            )
            document = connection.env[self.res_model].browse(self.res_id)
            self._fail([Problem("not_allocated", reason, None, document)])
            self.correlation_id = error.correlation_id
            return
        except errors.XeroError as error:
            self._postpone(errors.XeroRetryLater(str(error), limit=getattr(error, "limit", None)))
            self.env["ir.cron"]._commit_progress()
            raise
        self._conclude_allocation(connection, done)

    def _waits_for(self, connection, note, invoice):
        """What must happen in Xero before the note can be allocated, in words; None where nothing must."""
        _ = connection.env._
        if note.get("Status") in ("DRAFT", "SUBMITTED"):
            return _("Credit note %s is not approved in Xero yet; then it is allocated by itself.", self.xero_number)
        if invoice.status in ("DRAFT", "SUBMITTED"):
            return _("Invoice %s is not approved in Xero yet; then it is credited by itself.", invoice.number)
        return None

    def _conclude_allocation(self, connection, allocated):
        _ = connection.env._
        left = outgoing.number(self.xero_total) - allocated
        self.write({"allocated": float(allocated), "request_key": False})
        # What both are open for has changed: it is asked for at the end of this turn.
        connection.next_back = fields.Datetime.now()
        document = connection.env[self.res_model].browse(self.res_id)
        self._finish(connection, document)
        if self.state == "done":
            self.reason = _(
                "Allocated to invoice %(invoice)s: %(amount)s.",
                invoice=self.invoice_row_id.xero_number,
                amount=formats.cents(allocated),
            )
            if left > 0:
                more = _("The customer has %s left as credit: the invoice was settled otherwise.", formats.cents(left))
                self.reason = f"{self.reason} {more}" if allocated else more

    def _wait(self, reason, time):
        """Nothing went wrong: it is looked at again after this time."""
        self.write({"reason": reason, "next_attempt": fields.Datetime.now() + time})


def _is_open(invoice):
    """Whether lines of this invoice may be changed (xero-api.md, section 4.2)."""
    settled = any(formats.decimal(invoice.get(key)) for key in ("AmountPaid", "AmountCredited"))
    return invoice.get("Status") in ("DRAFT", "SUBMITTED", "AUTHORISED") and not settled


def _smaller(invoice, lines):
    """The invoice's lines with these smaller quantities; None where one of them is not there any more.

    :param dict lines: ``xero.record.line`` by the id of the line it takes from
    """
    theirs = invoice.get("LineItems") or []
    if not set(lines) <= {line.get("LineItemID") for line in theirs}:
        return None
    kept = []
    for line in resent(theirs):
        taking = lines.get(line["LineItemID"])
        if taking:
            line = {key: value for key, value in line.items() if key != "TaxAmount"}
            line["Quantity"] = formats.decimal(line["Quantity"]) - outgoing.number(taking.quantity)
            if line["Quantity"] < 0:
                return None
        if not taking or line["Quantity"]:
            kept.append(line)
    return kept


def _allocated(note, invoice_id):
    """What of a credit note is allocated to this invoice."""
    return sum(
        (
            formats.decimal(entry.get("Amount"))
            for entry in note.get("Allocations") or ()
            if (entry.get("Invoice") or {}).get("InvoiceID") == invoice_id and not entry.get("IsDeleted")
        ),
        NOTHING,
    )
