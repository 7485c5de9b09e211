"""One period's sales documents of Odoo and of Xero side by side: what only one of them has, and where they differ."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytz

from odoo.fields import Domain

from ..lib import formats, outgoing
from ..lib.invoice import XeroInvoice
from .export_mapper import ExportMapper
from .export_source import NOTHING

_GONE = ("VOIDED", "DELETED")
_UNAPPROVED = ("DRAFT", "SUBMITTED")
# An invoice of Odoo that nobody has to pay any more, and one that is not paid in full.
_SETTLED = ("paid", "in_payment", "reversed")
_OPEN = ("not_paid", "partial")


@dataclass(frozen=True)
class Theirs:
    """A sales document as Xero lists it."""

    resource: str
    id: str
    number: str
    reference: str
    contact: str
    date: Any
    currency: str
    status: str
    total: Decimal
    due: Decimal

    @classmethod
    def of(cls, resource, element):
        is_note = resource == "credit_note"
        head = XeroInvoice(element)
        return cls(
            resource=resource,
            id=formats.text(element.get("CreditNoteID" if is_note else "InvoiceID")),
            number=formats.text(element.get("CreditNoteNumber" if is_note else "InvoiceNumber")),
            reference=head.reference,
            contact=head.contact_name,
            date=head.date,
            currency=head.currency,
            status=head.status,
            total=head.total,
            due=formats.decimal(element.get("RemainingCredit" if is_note else "AmountDue")),
        )

    @property
    def key(self):
        return self.resource, self.id

    @property
    def is_gone(self):
        return self.status in _GONE


class DriftComparison:
    """Compares; writes nothing.

    :param connection: with sudo, in its company and language
    :param list theirs: :class:`Theirs`, all that Xero has of the period
    :param ask: function ``(resource, ids) -> elements`` that reads documents with their lines
    """

    def __init__(self, connection, theirs, date_from, date_to, ask):
        self._connection = connection
        self._env = connection.env
        self._from, self._to = date_from, date_to
        self._listed = {document.key: document for document in theirs}
        self._ask = ask
        self._documents = self._documents_here()
        self._own = {(self._documents._name, res_id) for res_id in self._documents.ids}
        self._rows = self._rows_of_all()
        self._by_document = self._rows.grouped(lambda row: (row.res_model, row.res_id))
        # By the copy in Xero; what shares an invoice is together.
        self._copies = self._rows.filtered("external_id").grouped(lambda row: (row.resource, row.external_id))
        self._theirs = self._listed | self._asked_by_id()
        self._living = self._find_living()
        self.here_count = len(self._documents.filtered(lambda document: document._xero_is_to_export()))
        self.there_count = sum(not document.is_gone for document in theirs)

    # === WHAT IS COMPARED === #

    def _documents_here(self):
        """The documents of the period that are to be in Xero, and those that were cancelled."""
        source = self._connection.export_source
        company = ("company_id", "=", self._connection.company_id.id)
        if source == "sale_order":
            zone = pytz.timezone(self._connection.company_id.partner_id.tz or self._env.user.tz or "UTC")
            starts, ends = (
                zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
                for day in (self._from, self._to + timedelta(days=1))
            )
            domain = [("date_order", ">=", starts), ("date_order", "<", ends), ("state", "in", ("sale", "cancel"))]
            return self._env["sale.order"].search([company, *domain, ("xero_invoice_id", "=", False)])
        moves = self._env["account.move"]
        if source == "invoice":
            domain = [("invoice_date", ">=", self._from), ("invoice_date", "<=", self._to)]
            types = [("move_type", "in", ("out_invoice", "out_refund")), ("state", "in", ("posted", "cancel"))]
            return moves.search([company, *domain, *types])
        return moves

    def _rows_of_all(self):
        """The outbound rows of these documents and of what Xero listed, with all that share an invoice with one."""
        outgoing_rows = Domain(self._connection._outgoing_domain())
        search = self._env["xero.record"].search
        ids = [external_id for _resource, external_id in self._listed]
        own = Domain("res_model", "=", self._documents._name) & Domain("res_id", "in", self._documents.ids)
        rows = search(outgoing_rows & (Domain("external_id", "in", ids) | own))
        parts = Domain.OR(
            Domain("res_model", "=", model) & Domain("res_id", "in", held.mapped("res_id"))
            for model, held in rows.grouped("res_model").items()
        )
        shared = Domain("external_id", "in", [row.external_id for row in rows if row.external_id])
        return search(outgoing_rows & (parts | shared), order="id")

    def _asked_by_id(self):
        """What was sent, but is dated otherwise in Xero."""
        found = {}
        for resource in ("invoice", "credit_note"):
            ids = sorted(
                external_id
                for (kind, external_id), rows in self._copies.items()
                if kind == resource and (kind, external_id) not in self._listed and self._is_dated(rows)
            )
            for element in self._ask(resource, ids):
                document = Theirs.of(resource, element)
                found[document.key] = document
        return found

    def _find_living(self):
        """The documents that stand in Odoo: dict ``(model, id) -> document``; of those that were deleted nothing."""
        living = {}
        for model, held in self._rows.grouped("res_model").items():
            for document in self._env[model].browse(held.mapped("res_id")).exists():
                living[model, document.id] = document
        return living | {(document._name, document.id): document for document in self._documents}

    # === FINDINGS === #

    def findings(self):
        """Values of ``xero.drift.line``, one for each difference."""
        found = [*self._unsent(), *self._cancelled()]
        for key, rows in self._copies.items():
            found += self._compare_copy(self._theirs.get(key), rows)
        found += self._only_there()
        return found

    def _unsent(self):
        """What stands in Odoo and is not in Xero, or not in all of its parts."""
        _ = self._env._
        for document in self._documents:
            if not document._xero_is_to_export():
                continue
            rows = self._by_document.get((document._name, document.id), self._env["xero.record"])
            if not rows:
                if document._xero_total():
                    yield self._line("only_here", document, reason=_("Nobody has sent it."))
                continue
            for row in rows.filtered(lambda row: not row.external_id and row.state != "done"):
                if row.problem_code == "ignored":
                    continue
                yield self._line("only_here", document, row, reason=self._why_unsent(row), code=row.problem_code)

    def _why_unsent(self, row):
        _ = self._env._
        if row.state == "pending" and row.request_key:
            return _("It may have arrived: Xero is asked before it is sent again.")
        if row.state == "pending":
            return row.reason or _("It waits to be sent.")
        reason = row.reason or ""
        return _("A change of it is not in Xero: %s", reason) if row.part else reason

    def _cancelled(self):
        """What was cancelled or deleted in Odoo, and is still billed in Xero."""
        _ = self._env._
        for (model, res_id), rows in self._by_document.items():
            document = self._living.get((model, res_id))
            if not self._is_of_period(rows) or (document and not document._xero_was_cancelled()):
                continue
            billed = NOTHING
            for row in rows.filtered("external_id"):
                theirs = self._theirs.get((row.resource, row.external_id))
                if theirs and not theirs.is_gone:
                    sign = -1 if row.resource == "credit_note" and self._is_refunding(row) else 1
                    billed += sign * outgoing.number(row.xero_total)
            if billed <= self._tolerance():
                continue
            sent = rows.filtered("external_id")[0]
            theirs = self._theirs.get((sent.resource, sent.external_id))
            reason = _("Cancelled in Odoo, billed in Xero.") if document else _("Deleted in Odoo, billed in Xero.")
            waiting = rows.filtered(lambda row: not row.external_id and row.state in ("pending", "failed"))[:1]
            if waiting.reason:
                reason = f"{reason} {waiting.reason}"
            yield self._line(
                "status_differs", document, waiting or sent, theirs, reason=reason, totals=(NOTHING, billed),
                about=f"cancelled:{model},{res_id}",
            )  # fmt: skip

    @staticmethod
    def _is_refunding(row):
        """Whether a credit note takes back what its very document was sent as; else it is a document of its own."""
        return row.part > 0

    def _compare_copy(self, theirs, rows):
        """One document of Xero's, and all of Odoo's that it stands for.

        :param theirs: None where Xero does not know it any more
        :param rows: the outbound rows that are this document
        """
        _ = self._env._
        if not (theirs and theirs.key in self._listed) and not self._is_of_period(rows):
            return
        here = sum((self._total_here(row) for row in rows), NOTHING)
        standing = rows.filtered(lambda row: self._stands(row))
        if theirs is None or theirs.is_gone:
            if standing and here > self._tolerance():
                status = _("Xero does not know it any more.") if theirs is None else _("Voided or deleted in Xero.")
                reason = _("%s In Odoo it stands.", status)
                yield self._of_copy("status_differs", rows, theirs, (here, NOTHING), reason)
            return
        if line := self._compare_total(theirs, rows, here):
            yield line
        if line := self._compare_payment(theirs, rows, here):
            yield line

    def _compare_total(self, theirs, rows, here):
        _ = self._env._
        currency = next(filter(None, rows.mapped("currency_code")), theirs.currency)
        if theirs.currency and currency != theirs.currency:
            reason = _("%(here)s in Odoo, %(there)s in Xero.", here=currency, there=theirs.currency)
            return self._of_copy("total_differs", rows, theirs, (here, theirs.total), reason, code="currency")
        intended = sum((outgoing.number(row.intended_difference) for row in rows), NOTHING)
        tolerance = self._tolerance() * len(rows)
        there = theirs.total
        if abs(there - here - intended) > tolerance and all(row.appended_to for row in rows):
            there = self._our_part(theirs, rows)
        if abs(there - here - intended) <= tolerance:
            return None
        reason = _("The documents in Odoo come to something else.") if len(rows) > 1 else ""
        if intended:
            reason = _("%s is intended: by Xero's prices, or by who changed or accepted it.", formats.cents(intended))
        return self._of_copy("total_differs", rows, theirs, (here, there), reason)

    def _our_part(self, theirs, rows):
        """What our lines come to on a draft of somebody else's we added to."""
        line_ids = set(rows.line_ids.filtered("line_id").mapped("line_id"))
        for element in self._ask(theirs.resource, [theirs.id]):
            invoice = XeroInvoice(element)
            ours = [line.amounts(invoice.tax_inclusive)[1] for line in invoice.lines if line.id in line_ids]
            return sum(ours, NOTHING)
        return theirs.total

    def _compare_payment(self, theirs, rows, here):
        """Paid on one side only; an order is not paid in Odoo."""
        _ = self._env._
        moves = {self._living.get((row.res_model, row.res_id)) for row in rows}
        move = moves.pop() if len(moves) == 1 else None
        if not move or move._name != "account.move" or move.state != "posted" or not here:
            return None
        if move.payment_state in _SETTLED and theirs.status != "PAID":
            reason = _("Paid in Odoo, open in Xero.")
        elif move.payment_state in _OPEN and theirs.status == "PAID":
            reason = _("Paid in Xero, open in Odoo.")
        else:
            return None
        totals = (here, theirs.total)
        return self._of_copy("status_differs", rows, theirs, totals, reason, code=f"{move.payment_state} {theirs.due}")

    def _only_there(self):
        """What was neither sent from here nor imported. Without anything to send only what could be imported counts."""
        _ = self._env._
        exports = self._connection.export_source != "none"
        unknown = [
            theirs
            for key, theirs in self._listed.items()
            if key not in self._copies
            and not theirs.is_gone
            and (exports or (theirs.resource == "invoice" and theirs.status not in _UNAPPROVED))
        ]
        imported, held = self._imported([theirs.id for theirs in unknown if theirs.resource == "invoice"])
        for theirs in unknown:
            if theirs.id in imported:
                continue
            row = held.get(theirs.id, self._env["xero.record"])
            made = _("A draft somebody made in Xero.") if theirs.status in _UNAPPROVED else _("Made in Xero.")
            reason = row.reason or (_("It waits to be imported.") if row else made)
            yield self._line(
                "only_there", None, row, theirs, reason=reason, code=row.problem_code, totals=(NOTHING, theirs.total)
            )

    def _imported(self, ids):
        """Of these invoices those the import has dealt with, and the rows of those it has not."""
        company = ("company_id", "=", self._connection.company_id.id)
        rows = self._env["xero.record"].search(
            [
                ("connection_id", "=", self._connection.id),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("external_id", "in", ids),
            ]
        )
        held = rows.filtered(lambda row: row.state in ("pending", "failed") and not row.res_id)
        known = set((rows - held).mapped("external_id"))
        for model in ("sale.order", "stock.picking"):
            # The log may have forgotten what was imported long ago.
            found = self._env[model].search([company, ("xero_invoice_id", "in", ids)])
            known |= set(found.mapped("xero_invoice_id"))
        return known, {row.external_id: row for row in held}

    # === HELPERS === #

    def _is_of_period(self, rows):
        """Whether one of these rows' documents is dated in the period, here or in Xero."""
        return self._is_dated(rows) or any((row.resource, row.external_id) in self._listed for row in rows)

    def _is_dated(self, rows):
        return any((row.res_model, row.res_id) in self._own for row in rows)

    def _stands(self, row):
        document = self._living.get((row.res_model, row.res_id))
        return bool(document) and document._xero_is_to_export()

    def _tolerance(self):
        return outgoing.number(self._connection.total_tolerance)

    def _total_here(self, row):
        """What Odoo has of what this row stands for: the document as it is now where it was sent in one piece."""
        sent = outgoing.number(row.amount_total)
        document = self._living.get((row.res_model, row.res_id))
        alone = len(self._by_document[row.res_model, row.res_id]) == 1
        if not alone or row.part or row.is_edited or not self._stands(row) or document._xero_total() == sent:
            return sent
        return ExportMapper(self._connection, document).draft(document, row.resource).odoo_total

    def _of_copy(self, kind, rows, theirs, totals, reason, code=""):
        documents = [self._living.get((row.res_model, row.res_id)) for row in rows]
        document = next(filter(None, documents), None)
        first = rows[0]
        about = f"{kind}:{first.resource}:{first.external_id}"
        return self._line(kind, document, rows, theirs, totals=totals, reason=reason, code=code, about=about)

    def _line(self, kind, document, rows=None, theirs=None, *, reason, code="", totals=None, about=None):
        """Values of a line; what is accepted about it is made of facts, not of the reason's words."""
        rows = self._env["xero.record"] if rows is None else rows
        row = rows[:1]
        head = document._xero_head() if document else None
        if totals is None:
            totals = (outgoing.number(row.amount_total) if row else document._xero_total(), NOTHING)
        here, there = totals
        if about is None and document:
            about = f"{kind}:{document._name},{document.id},{row.part}"
        date = theirs.date if theirs and theirs.key in self._listed else head.date if head else row.document_date
        resource = theirs.resource if theirs else row.resource or document._xero_out_resource()
        external_id = theirs.id if theirs else row.external_id
        status = theirs.status if theirs else ""
        facts = (kind, here, there, status, code, row.state if kind.startswith("only") else "")
        return {
            "kind": kind,
            "about": about or f"{kind}:{theirs.resource}:{theirs.id}",
            "fingerprint": hashlib.sha256("|".join(map(str, facts)).encode()).hexdigest(),
            "resource": resource,
            "external_id": external_id,
            "record_ids": rows.ids,
            "res_model": document._name if document else row.res_model if row.direction == "out" else False,
            "res_id": document.id if document else row.res_id if row.direction == "out" else False,
            "document_name": self._names(rows, document),
            "document_date": date,
            "number": theirs.number if theirs else row.xero_number,
            "reference": theirs.reference if theirs else row.reference,
            "contact_name": head.partner.display_name if head else theirs.contact if theirs else row.contact_name,
            "currency_code": (head.currency.name if head else "") or (theirs and theirs.currency) or row.currency_code,
            "odoo_total": float(here),
            "xero_total": float(there),
            "difference": float(there - here),
            "xero_status": status,
            "reason": reason,
        }

    def _names(self, rows, document):
        if not document:
            return ", ".join(dict.fromkeys(row.number for row in rows if row.direction == "out" and row.number))
        others = (self._living.get((row.res_model, row.res_id)) for row in rows)
        documents = dict.fromkeys([document, *filter(None, others)])
        return ", ".join(each.display_name for each in documents)
