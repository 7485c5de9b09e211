import uuid
from dataclasses import replace
from datetime import timedelta

import psycopg2

from odoo import api, fields, models

from .. import const
from ..lib import errors, formats, outgoing
from ..lib.errors import Problem
from ..lib.invoice import XeroInvoice
from .export_source import NOTHING

_LOCKED = "document date cannot be before"
_TAKEN = "must be unique"
_OTHER_REQUEST = "different request"
_NOT_OPEN = ("not of valid status", "cannot be edited", "could not find line item")


class XeroRecord(models.Model):
    """Sending documents, one at a time: planned, written down, sent, proven."""

    _inherit = "xero.record"

    @api.model
    def _push_domain(self, connection=None):
        """Rows that wait to be sent and whose time has come: of this connection, or of all."""
        return [
            ("direction", "=", "out"),
            ("resource", "in", ("invoice", "credit_note", "contact")),
            ("state", "=", "pending"),
            ("connection_id.active", "=", True),
            *([("connection_id", "=", connection.id)] if connection else []),
            "|",
            ("next_attempt", "=", False),
            ("next_attempt", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _documents_domain(self, connection):
        """Of these, documents; the others are notes and contacts."""
        return [*self._push_domain(connection), ("res_model", "in", ("sale.order", "account.move"))]

    @api.model
    def _has_to_push(self, connection):
        """Whether documents or contacts of this connection wait."""
        contacts = [*self._push_domain(connection), ("resource", "=", "contact")]
        return any(self.search_count(domain, limit=1) for domain in (self._documents_domain(connection), contacts))

    @api.model
    def _prepare_contacts(self, connection):
        """The customers of what waits: known in Xero, or made there."""
        rows = self.search([*self._documents_domain(connection), ("external_id", "=", False)], limit=const.BATCH_SIZE)
        partners = connection.env["res.partner"]
        for model, held in rows.grouped("res_model").items():
            for document in connection.env[model].browse(held.mapped("res_id")).exists():
                partners |= document._xero_bill_to()
        asked_for = self._waiting_customers(connection)
        if connection._contacts_are_old() and not self._read_contacts_list(connection):
            return
        if (partners or asked_for) and (worker := connection._push_worker()):
            self._push_contacts(worker, partners.with_env(worker.env))

    @api.model
    def _push_next(self, connection, last):
        """Bring the next row to its end, or to its next moment.

        :param last: the row before it
        :return: the row; none when there is nothing (more) to do, or somebody else is doing it
        """
        worker = connection._push_worker()
        if not worker:
            return self.browse()
        domain = [*self._documents_domain(worker), ("id", ">", last.id or 0)]
        row = self.search(domain, order="id", limit=1)
        if row:
            try:
                row._push_row(worker)
            except errors.XeroError as error:
                self.env.cr.rollback()
                row._hold_back(worker, error)
            except psycopg2.OperationalError:
                # Somebody worked on the same: what is known of the call is committed, and it goes on from there.
                raise
            except Exception as error:  # noqa: BLE001 it ends in the row, with its details
                self.env.cr.rollback()
                row._fail_with(worker, error)
        return row

    def _hold_back(self, connection, error):
        """Xero could not be asked about this row. Its turn comes again, behind those that wait beside it; a question
        Xero does not take costs this row alone."""
        if isinstance(error, errors.XeroRejected):
            document = connection.env[self.res_model].browse(self.res_id)
            self._fail([Problem("xero_rejected", str(error), None, document)])
            self.correlation_id = error.correlation_id
            return
        is_general = isinstance(error, errors.XeroDenied) or getattr(error, "limit", None)
        if not is_general and not (self.next_attempt and self.next_attempt > fields.Datetime.now()):
            self._postpone(_later(error))
            self.env["ir.cron"]._commit_progress()
        raise error

    def _push_row(self, connection):
        if (self.external_id or self.request_key) and self.sent_to != connection.tenant_id:
            reason = connection.env._(
                "It was sent, or may have been, to the organisation this connection had before: look there."
            )
            self._skip("kept_out", reason)
        elif self.external_id:
            self._go_on(connection, self._prove_again(connection))
        elif self.request_key:
            self._resume(connection)
        elif self.part and not self.line_ids:
            self._plan_change(connection)
        else:
            self._plan_and_send(connection)

    # === PLAN === #

    def _plan_and_send(self, connection):
        """Decide what is sent, write it down, send it. What cannot be sent ends here."""
        source = connection.env[self.res_model].browse(self.res_id).exists()
        if not source or not (source._xero_is_to_export() or self.part):
            self._skip("nothing_to_send", connection.env._("It was cancelled, set back or deleted before it was sent."))
            return
        if self.res_model != connection._export_model and not self.part:
            self._skip("kept_out", connection.env._("This connection does not send these any more."))
            return
        draft = self._draft(connection)
        if draft.problems:
            self._fail(draft.problems)
            return
        if not draft.document.contact_id:
            self._make_contact_first(connection, source)
            return
        self._keep_draft(draft)
        if self.resource == "credit_note":
            if self._has_nothing_to_credit(connection, source) or self._reduce(connection):
                return
            self._intend(draft.document.credit_note())
        elif connection.invoice_mode == "existing" and (open_draft := self._open_draft(connection, draft.document)):
            if self._is_contested(XeroInvoice(open_draft).id):
                self._wait(connection.env._("Another order is on its way to the same draft."), timedelta(minutes=1))
                return
            self._intend(_appended(open_draft, draft.document), XeroInvoice(open_draft))
        else:
            self._intend(draft.document.invoice())
        self._commit_and_send(connection)

    def _make_contact_first(self, connection, source):
        """Its customer is no contact yet: it came after this turn saw to those, or behind many others. Ends the
        transaction, and with it the worker's lock."""
        self._push_contacts(connection, source._xero_bill_to())
        worker = connection._push_worker()
        row = self.exists()
        if not worker or not row or row.state != "pending" or row.request_key:
            return
        source = source.with_env(worker.env).exists()
        contact = source and source._xero_bill_to()._xero_contacts(worker, source._xero_bill_to())
        if contact and any(answer.is_new for answer in contact.values()):
            row._wait(worker.env._("Its customer is not in Xero yet; it is sent after that."), timedelta(minutes=1))
        else:
            row._plan_and_send(worker)

    def _intend(self, element, target=None):
        """What is about to be sent.

        :param XeroInvoice target: the invoice it changes, as it was read
        """
        self.write(
            {
                "payload": formats.plain(element),
                # A key is known to the whole app, not to one organisation (xero-api.md, section 4.4).
                "request_key": f"{self.connection_id.tenant_id}:{uuid.uuid4()}",
                "appended_to": target and target.id,
                "remote_updated": target and target.updated,
                "sent_to": self.connection_id.tenant_id,
                "sent_at": fields.Datetime.now(),
            }
        )

    def _commit_and_send(self, connection):
        """The intent first: whatever happens from here on, this is known to have been sent."""
        key = self.request_key
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()
        worker = connection._push_worker()
        row = self.exists()
        if not worker or not row or row.state != "pending" or row.request_key != key or row.external_id:
            return
        if row.sent_to != worker.tenant_id:
            # Another organisation was connected in this very moment.
            row._forget_intent()
            return
        if row._is_overtaken():
            row._forget_intent()
            row._plan_and_send(worker)
        else:
            row._send(worker)

    def _is_overtaken(self):
        """Whether another worker wrote to the same invoice since we read it: between the commit and now nobody held
        it. What we would send does not know of its lines, and so would delete them."""
        newer = [
            ("connection_id", "=", self.connection_id.id),
            ("direction", "=", "out"),
            ("resource", "=", "invoice"),
            ("external_id", "=", self.appended_to),
            ("remote_updated", ">", self.remote_updated),
        ]
        return bool(self.appended_to and self.search_count(newer, limit=1))

    def _send(self, connection, repeated=False):
        """:param bool repeated: an earlier call may still be on its way: whatever becomes of this one, Xero is asked
        before the next"""
        try:
            with connection._client(purpose="orders") as client:
                answer = self._call_xero(client)
        except errors.XeroRejected as error:
            self._take_refusal(connection, error, repeated)
        except errors.XeroMissing as error:
            # The draft it was to be added to is gone.
            if not repeated:
                self._forget_intent()
            self._postpone(_later(error))
        except errors.XeroError as error:
            self._wait_for_outcome(error, repeated)
        else:
            self._conclude(connection, answer)

    def _call_xero(self, client):
        if self.appended_to:
            return client.update_invoice(self.appended_to, self.payload, self.request_key)
        if self.resource == "credit_note":
            return client.create_credit_note(self.payload, self.request_key)
        return client.create_invoice(self.payload, self.request_key)

    def _forget_intent(self):
        """Nothing of it arrived in Xero, for sure."""
        self.write({"request_key": False, "sent_at": False, "appended_to": False, "is_reduction": False})

    def _wait_for_outcome(self, error, repeated):
        """It may have arrived, or not: the row waits, and so does the turn. A limit or a refused access let nothing
        through."""
        if not repeated and (getattr(error, "limit", None) or isinstance(error, errors.XeroDenied)):
            self._forget_intent()
        self._postpone(_later(error))
        self.env["ir.cron"]._commit_progress()
        raise error

    def _take_refusal(self, connection, error, repeated):
        """Xero said no: nothing was made. An invoice that is no draft any more is left alone, and a new one made."""
        said = " ".join(error.messages)
        lowered = said.lower()
        if repeated or _OTHER_REQUEST in lowered:
            # An earlier call may have arrived: what it made is to be looked for before anything else.
            self.sent_at = fields.Datetime.subtract(fields.Datetime.now(), seconds=const.KEY_SECONDS)
            self._postpone(_later(error))
            return
        if self.appended_to and any(words in lowered for words in _NOT_OPEN):
            self._forget_intent()
            document = self._draft(connection).document
            self._intend(document.credit_note() if self.resource == "credit_note" else document.invoice())
            self._commit_and_send(connection)
            return
        if _TAKEN in lowered and (twin := self._find_in_xero(connection)):
            self._conclude(connection, twin)
            return
        self._forget_intent()
        code, subject, reason = "xero_rejected", None, str(error)
        if _LOCKED in lowered:
            code = "period_locked"
        elif _TAKEN in lowered:
            code, subject = "number_taken", self.wanted_number
            taken = connection.env._("The number %s is another document's in Xero already.", subject)
            reason = f"{taken} {reason}"
        # What we knew of the books may be old.
        connection.books_read_at = False
        if "archived" in lowered:
            connection._read_all_contacts()
        source = connection.env[self.res_model].browse(self.res_id)
        self._fail([Problem(code, reason, subject, source)])
        self.correlation_id = error.correlation_id

    # === REPEAT === #

    def _resume(self, connection):
        """It was, or may have been, sent without our knowing the outcome. Xero is asked first, and what is found there
        is ours. Else the very same goes again: under its very key as long as Xero knows that, so that a call that is
        still on its way makes no second one."""
        if twin := self._find_in_xero(connection):
            self._conclude(connection, twin)
            return
        if self._key_is_old():
            self._forget_intent()
            self._plan_and_send(connection)
        elif self.appended_to:
            # Sent again it might delete what came meanwhile; once its key is old, nothing of it is on its way.
            self._wait(connection.env._("It is not known yet whether it arrived."), timedelta(minutes=1))
        else:
            self._send(connection, repeated=True)

    def _key_is_old(self):
        return not self.sent_at or self.sent_at <= fields.Datetime.now() - timedelta(seconds=const.KEY_SECONDS)

    def _find_in_xero(self, connection):
        """What Xero has of this row: by the draft it was added to, or by its reference. None where there is nothing.

        A reference may have been used by hand, too: it is ours where its way back leads here, or, without one, where
        contact or total are the same.
        """
        with connection._client(purpose="orders") as client:
            if self.appended_to:
                try:
                    invoice = client.invoice(self.appended_to)
                except errors.XeroMissing:
                    return None
                arrived = self._is_reduced(XeroInvoice(invoice)) if self.is_reduction else self._lines_in(invoice)
                return invoice if arrived else None
            found = client.documents_by_reference(self.resource, self.payload["Reference"])
        way = self.payload.get("Url", "")
        # What leads back here comes before what somebody made by hand.
        for element in sorted(found, key=lambda element: formats.text(element.get("Url")) != way):
            document = XeroInvoice(element)
            leads_here = way and formats.text(element.get("Url")) == way
            # A contact that was merged has another id by now.
            same_contact = document.contact_id == self.payload["Contact"]["ContactID"]
            is_alike = same_contact or document.total == self._expected_total()
            is_ours = leads_here or (is_alike and not element.get("Url"))
            if is_ours and not document.is_gone and not self._is_taken(element):
                return element
        return None

    def _expected_total(self):
        return sum((line.total(self.amount_types) for line in self._sent_lines()), NOTHING)

    def _is_taken(self, element):
        """Whether this is another row's already."""
        domain = [
            ("connection_id", "=", self.connection_id.id),
            ("direction", "=", "out"),
            ("resource", "=", self.resource),
            ("external_id", "=", _id_of(element)),
            ("res_model", "in", ("sale.order", "account.move")),
            ("appended_to", "=", False),
        ]
        return bool(self.search_count(domain, limit=1))

    # === ADDED TO A DRAFT === #

    def _open_draft(self, connection, document):
        """The contact's latest draft this may be added to: same currency, kind of amounts and month, and not one that
        Xero makes again and again."""
        with connection._client(purpose="orders") as client:
            return self._fitting(client.draft_invoices(document.contact_id), document)

    def _is_contested(self, invoice_id):
        """Whether a call that adds others' lines to this invoice may still be on its way: arriving late, it would
        delete ours."""
        others = [
            ("id", "!=", self.id),
            ("connection_id", "=", self.connection_id.id),
            ("direction", "=", "out"),
            ("state", "=", "pending"),
            ("external_id", "=", False),
            ("request_key", "!=", False),
            ("appended_to", "=", invoice_id),
        ]
        return bool(self.search_count(others, limit=1))

    @api.model
    def _fitting(self, drafts, document):
        """The first of these drafts the document may be added to, None where there is none."""
        for element in drafts:
            draft = XeroInvoice(element)
            if (
                draft.status == "DRAFT"
                and draft.contact_id == document.contact_id
                and draft.currency == document.currency
                and formats.text(element.get("LineAmountTypes")) == document.amount_types
                and draft.date
                and (draft.date.year, draft.date.month) == (document.date.year, document.date.month)
                and not element.get("RepeatingInvoiceID")
            ):
                return element
        return None

    def _lines_in(self, invoice):
        """Our lines in an invoice they were added to, in their order; none where one of them is missing."""
        known = {line.get("LineItemID") for line in self.payload["LineItems"]} - {None}
        theirs = [line for line in XeroInvoice(invoice).lines if line.id not in known]
        others = self.env["xero.record.line"].search(
            [
                ("record_id.connection_id", "=", self.connection_id.id),
                ("record_id", "!=", self.id),
                ("line_id", "in", [line.id for line in theirs]),
            ]
        )
        taken = set(others.mapped("line_id"))
        theirs = [line for line in theirs if line.id not in taken]
        ours = [line for line in self.payload["LineItems"] if "LineItemID" not in line]
        return _matched(ours, theirs)

    # === OUTCOME === #

    def _conclude(self, connection, element):
        """Xero has it: number, status, its lines, and the proof of its total."""
        if self.is_reduction:
            self._conclude_reduction(connection, element)
            return
        self._take_arrival(element)
        document = connection.env[self.res_model].browse(self.res_id)
        self._tell_document(document)
        self._go_on(connection, element)

    def _take_arrival(self, element):
        """This is the document of Xero's that is ours."""
        if self.appended_to:
            found = self._lines_in(element)
        else:
            found = _matched([line.element() for line in self._sent_lines()], XeroInvoice(element).lines)
        # Where somebody changed it meanwhile, its lines are nobody's; the total tells.
        for line, theirs in zip(self.line_ids, found or [], strict=False):
            line.write(
                {
                    "line_id": theirs.id,
                    "xero_amount": float(theirs.line_amount),
                    "xero_tax": float(theirs.tax_amount),
                    "unit_amount": float(theirs.unit_amount),
                    "description": line.description or theirs.description,
                }
            )
        self.write({"external_id": _id_of(element), "request_key": False, "reason": False})
        self._prove(element)
        self._take_state(element)

    def _sent_lines(self):
        """The lines as they were sent."""
        lines = [line._as_sent() for line in self.line_ids]
        return [line.without_discount() for line in lines] if self.resource == "credit_note" else lines

    def _prove(self, element):
        """Compare what Xero made of it with what Odoo has (both kept, and their difference)."""
        amount_types = self.amount_types
        priced = self.line_ids.filtered(lambda line: not line.is_text)
        if self._shares_document() and all(priced.mapped("line_id")):
            xero_total = sum((line._xero_total(amount_types) for line in priced), NOTHING)
        else:
            xero_total = XeroInvoice(element).total
        odoo_total = outgoing.number(self.amount_total)
        self.write(
            {
                "xero_total": float(xero_total),
                "total_difference": float(xero_total - odoo_total),
                "intended_difference": float(self._intended_difference(odoo_total)),
            }
        )

    def _intended_difference(self, odoo_total):
        """How far apart these lines are from Odoo's because somebody changed them, or their prices are those of items
        in Xero; what takes such lines back is as far apart."""
        priced = self.line_ids.filtered(lambda line: not line.is_text)
        known = priced | priced.sent_id
        if not any(known.mapped("takes_price")) and not any(known.record_id.mapped("is_edited")):
            return NOTHING
        return sum((line.total(self.amount_types) for line in self._priced_lines(priced)), NOTHING) - odoo_total

    def _shares_document(self):
        """Whether others' lines are on the same invoice: then its total is not ours alone."""
        others = [
            ("id", "!=", self.id),
            ("connection_id", "=", self.connection_id.id),
            ("direction", "=", "out"),
            ("external_id", "=", self.external_id),
            ("res_model", "in", ("sale.order", "account.move")),
        ]
        return bool(self.appended_to or self.search_count(others, limit=1))

    def _priced_lines(self, lines):
        """These lines with the prices Xero put in where it was left to."""
        for line in lines:
            sent = line._as_sent()
            unit = outgoing.number(line.unit_amount)
            sent = sent.without_discount() if self.resource == "credit_note" else sent
            yield replace(sent, unit_amount=unit)

    def _differs_too_much(self):
        unexplained = outgoing.number(self.total_difference) - outgoing.number(self.intended_difference)
        return abs(unexplained) > outgoing.number(self.connection_id.total_tolerance)

    def _finish(self, connection, document):
        """Nothing is left to send; a total that is not what it should be needs a person."""
        if not self._differs_too_much():
            self._succeed(document)
            return
        reason = connection.env._(
            "Xero has %(there)s, Odoo %(here)s: %(difference)s apart, more than is tolerated. Correct one of them and "
            "try again, or ignore it: nothing is sent twice.",
            there=formats.cents(outgoing.number(self.xero_total)),
            here=formats.cents(outgoing.number(self.amount_total)),
            difference=formats.cents(outgoing.number(self.total_difference)),
        )
        self._fail([Problem("total_differs", reason, None, document)])

    def _tell_document(self, document):
        """A line in the chatter: what it is called in Xero."""
        kinds = {"invoice": self.env._("invoice"), "credit_note": self.env._("credit note")}
        text = self.env._("Sent to Xero: %(kind)s %(number)s.", kind=kinds[self.resource], number=self.xero_number)
        if self.appended_to:
            text = self.env._("Sent to Xero: added to invoice %s.", self.xero_number)
        document._message_log(body=text)


def _later(error):
    """Whatever kept Xero from answering, as something that may pass by itself."""
    return errors.XeroRetryLater(
        str(error),
        limit=getattr(error, "limit", None),
        retry_after=getattr(error, "retry_after", None),
        correlation_id=error.correlation_id,
    )


def _id_of(element):
    return formats.text(element.get("CreditNoteID") or element.get("InvoiceID"))


# What a line is made of; the rest of what Xero has of it follows.
_KEPT = (
    "LineItemID",
    "Description",
    "Quantity",
    "UnitAmount",
    "DiscountRate",
    "DiscountAmount",
    "ItemCode",
    "AccountCode",
    "TaxType",
    "TaxAmount",
    "Tracking",
)


def resent(lines):
    """Lines of an invoice as they are sent back, unchanged: a line that is not mentioned is deleted (xero-api.md,
    section 4.2)."""
    return [{key: line[key] for key in _KEPT if line.get(key) not in (None, "", [])} for line in lines]


def _appended(draft, document):
    """A draft with our lines behind its own. Its status makes Xero refuse this if somebody approves it meanwhile."""
    ours = [line.element() for line in document.lines]
    return {"Status": "DRAFT", "LineItems": resent(draft.get("LineItems") or []) + ours}


def _matched(ours, theirs):
    """The line of theirs that each of ours became, in the order of ours; None where one is not there."""
    left, found = list(theirs), []
    for line in ours:
        twin = next((other for other in left if _is_twin(line, other)), None)
        if twin is None:
            return None
        left.remove(twin)
        found.append(twin)
    return found


def _is_twin(line, other):
    words = " ".join(formats.text(line.get("Description")).split())
    return (
        (not words or words == " ".join(other.description.split()))
        and formats.decimal(line.get("Quantity")) == other.quantity
        and ("UnitAmount" not in line or formats.decimal(line["UnitAmount"]) == other.unit_amount)
        and (line.get("ItemCode") or "").casefold() == other.item_code.casefold()
    )
