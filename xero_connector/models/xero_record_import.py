import logging
import traceback

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib import errors, formats
from ..lib.contact import XeroContact
from ..lib.errors import Problem
from ..lib.invoice import XeroInvoice
from .import_draft import DOCUMENT_MODELS, ImportDraft

_logger = logging.getLogger(__name__)


class XeroRecord(models.Model):
    """Working off inbound invoices: many at once, each alone when that fails."""

    _inherit = "xero.record"

    # === SCHEDULE === #

    @api.model
    def _schedule(self):
        """Have waiting rows worked on as soon as a worker is free (``xero_connector_queue_job`` replaces this)."""
        self.env.ref("xero_connector.ir_cron_process").sudo()._trigger()

    @api.model
    def _due_domain(self):
        now = fields.Datetime.now()
        return [
            ("state", "=", "pending"),
            ("direction", "=", "in"),
            ("resource", "=", "invoice"),
            ("connection_id.state", "=", "connected"),
            "|",
            ("connection_id.blocked_until", "=", False),
            ("connection_id.blocked_until", "<=", now),
            "|",
            ("next_attempt", "=", False),
            ("next_attempt", "<=", now),
        ]

    @api.model
    def _cron_process(self):
        """Work off all due rows, one batch of each connection in turn so that a large one does not hold up the rest."""
        waiting = self._read_group(self._due_domain(), ["connection_id"], ["__count"])
        seconds_left = self.env["ir.cron"]._commit_progress(remaining=sum(count for _connection, count in waiting))
        connections = [connection for connection, _count in waiting]
        while connections and seconds_left:
            busy = []
            for connection in connections:
                handled = self._process_batch(connection)
                seconds_left = self.env["ir.cron"]._commit_progress(handled)
                if handled:
                    busy.append(connection)
                if not seconds_left:
                    break
            connections = busy

    @api.model
    def _process_batch(self, connection):
        """One batch of one connection; nobody else works on it meanwhile.

        :return: number of rows handled, 0 when there is nothing (more) to do or somebody else is doing it
        """
        try:
            if not connection.try_lock_for_update(allow_referencing=True):
                return 0
            domain = [*self._due_domain(), ("connection_id", "=", connection.id)]
            rows = self.search(domain, order="id", limit=const.BATCH_SIZE)
            rows._process_safely()
            return len(rows)
        except psycopg2.OperationalError:
            # Somebody changed what we read, or the database went away: nothing is committed, the rows stay due.
            self.env.cr.rollback()
            _logger.info("connection %s: a batch gave way to another transaction", connection.id)
            return 0

    # === IMPORT === #

    def _process_safely(self):
        """Bring these rows of one connection to their end. Only a lost database connection or a conflict with another
        transaction leaves this method as exception; everything else ends in the rows."""
        if not self:
            return
        connection = self.connection_id.with_company(self.connection_id.company_id)
        connection = connection.with_context(lang=connection.user_id.lang or self.env.lang)
        drafts = self._drop_known(connection, self._route(connection))
        try:
            drafts = self._add_contacts(connection, drafts)
        except errors.XeroDenied as error:
            connection._note_error(error)
            return
        except errors.XeroRetryLater as error:
            connection._note_error(error)
            if error.limit:
                connection._postpone(error)
            self.browse(draft.row.id for draft in drafts)._postpone(error)
            return
        document_model = self.env[DOCUMENT_MODELS[connection.order_target]].with_company(connection.company_id)
        document_model._xero_prepare(connection, drafts)
        for draft in drafts:
            if draft.problems:
                draft.row._fail(draft.problems)
            elif not draft.values:
                draft.row._skip("nothing_to_ship", connection.env._("None of the invoice's lines is goods."))
        self._create_documents(document_model, connection, [d for d in drafts if d.values and not d.problems])

    def _route(self, connection):
        """Skip the rows whose invoice is not to be imported; a draft for each of the others."""
        first_match = connection.mapping_ids._matcher()
        drafts = []
        for row in self:
            invoice = XeroInvoice(row.payload)
            route = connection._decide(invoice, first_match)
            if route.skip_code:
                row._after_import_check(connection, invoice)
                if row.state == "pending":
                    row._skip(route.skip_code, route.reason)
            else:
                drafts.append(ImportDraft(row=row, invoice=invoice, route=route))
        return drafts

    def _drop_known(self, connection, drafts):
        """Leave out the invoices that are orders already, made by this connection or an earlier one of the company."""
        known = self._known_documents(connection, [draft.invoice.id for draft in drafts])
        fresh = []
        for draft in drafts:
            document = known.get(draft.invoice.id)
            if not document:
                fresh.append(draft)
            elif draft.row.res_id:
                draft.row._after_import_check(connection, draft.invoice)
            else:
                draft.row._skip(
                    "already_imported",
                    connection.env._("This invoice is %s already.", document.display_name),
                )
        return fresh

    @api.model
    def _known_documents(self, connection, invoice_ids):
        """The documents made of these invoices in this company: dict ``invoice id -> record``."""
        known = {}
        rows = self.search(
            [
                ("company_id", "=", connection.company_id.id),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("external_id", "in", invoice_ids),
                ("res_id", "!=", False),
            ]
        )
        for row in rows:
            if document := self.env[row.res_model].browse(row.res_id).exists():
                known[row.external_id] = document
        return known

    def _after_import_check(self, connection, invoice):
        """A newer version of an invoice that is an order already: the order stays as it is, its readers are told."""
        self.ensure_one()
        if not self.res_id:
            return
        document = self.env[self.res_model].browse(self.res_id).exists()
        cancelled = invoice.status in ("VOIDED", "DELETED") or invoice.is_settled_by_credit
        if document and (cancelled or invoice.digest != self.digest):
            document._xero_tell_change(connection, invoice)
        self.write({"state": "done", "digest": invoice.digest, "next_attempt": False})
        if not cancelled:
            self._queue_files(connection)

    def _add_contacts(self, connection, drafts):
        """Give every draft its contact with addresses; read in batches, once per version of an invoice.

        :return: the drafts whose contact Xero knows
        """
        contacts = self._contact_payloads(connection, drafts)
        found = []
        for draft in drafts:
            payload = contacts.get(draft.invoice.contact_id)
            if payload:
                draft.contact = XeroContact(payload)
                found.append(draft)
            else:
                name = draft.invoice.contact_name or draft.invoice.contact_id
                draft.row._fail(
                    [Problem("contact_missing", connection.env._("Xero has no contact %s any more.", name), name)]
                )
        return found

    def _contact_payloads(self, connection, drafts):
        """Contacts as Xero has them now; what was read after the invoice arrived is not read again.

        :return: dict ``contact id -> payload``
        """
        wanted = {}
        for draft in drafts:
            contact_id = draft.invoice.contact_id
            wanted[contact_id] = max(draft.row.received_at, wanted.get(contact_id) or draft.row.received_at)
        rows = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "in"),
                ("resource", "=", "contact"),
                ("external_id", "in", list(wanted)),
            ]
        )
        payloads = {
            row.external_id: row.payload for row in rows if row.payload and row.received_at >= wanted[row.external_id]
        }
        stale = [contact_id for contact_id in wanted if contact_id and contact_id not in payloads]
        if stale:
            stale += self._upcoming_contacts(connection, known=wanted, number=-len(stale) % const.CONTACTS_PER_CALL)
            with connection._client() as client:
                for start in range(0, len(stale), const.CONTACTS_PER_CALL):
                    contacts = client.contacts(stale[start : start + const.CONTACTS_PER_CALL])
                    self._receive_contacts(connection, contacts)
                    payloads |= {contact["ContactID"]: contact for contact in contacts}
        return payloads

    @api.model
    def _upcoming_contacts(self, connection, known, number):
        """Contacts the next batches will ask for, to fill up a call: at most ``number``."""
        if not number:
            return []
        self.flush_model()
        self.env.cr.execute(
            """
            SELECT DISTINCT invoice.payload -> 'Contact' ->> 'ContactID'
              FROM xero_record invoice
         LEFT JOIN xero_record contact
                ON contact.connection_id = invoice.connection_id AND contact.direction = 'in'
               AND contact.resource = 'contact' AND contact.received_at >= invoice.received_at
               AND contact.external_id = invoice.payload -> 'Contact' ->> 'ContactID'
             WHERE invoice.connection_id = %s AND invoice.direction = 'in' AND invoice.resource = 'invoice'
               AND invoice.state = 'pending' AND contact.id IS NULL
               AND invoice.payload -> 'Contact' ->> 'ContactID' != ALL(%s)
             LIMIT %s
            """,
            (connection.id, list(known), number),
        )
        return [contact_id for (contact_id,) in self.env.cr.fetchall()]

    @api.model
    def _receive_contacts(self, connection, contacts):
        """Keep contacts as rows of the log: the address an order was sent to can be looked up later."""
        now = formats.utc_now()
        rows = {
            row.external_id: row
            for row in self.search(
                [
                    ("connection_id", "=", connection.id),
                    ("direction", "=", "in"),
                    ("resource", "=", "contact"),
                    ("external_id", "in", [contact["ContactID"] for contact in contacts]),
                ]
            )
        }
        to_create = []
        for payload in contacts:
            contact = XeroContact(payload)
            values = {
                "number": contact.name,
                "contact_name": contact.name,
                "remote_updated": formats.stamp(payload.get("UpdatedDateUTC")),
                "payload": formats.plain(payload),
                "state": "done",
                "received_at": now,
                "done_at": now,
            }
            if row := rows.get(contact.id):
                row.write(values)
            else:
                to_create.append(
                    values | {"connection_id": connection.id, "resource": "contact", "external_id": contact.id}
                )
        self.create(to_create)

    @api.model
    def _create_documents(self, document_model, connection, drafts):
        """All at once; when that fails, each alone, so that one bad invoice costs itself and nothing else."""
        if len(drafts) > 1:
            try:
                self._create_batch(document_model, connection, drafts)
                return
            except psycopg2.OperationalError:
                raise
            except Exception:  # noqa: BLE001 one by one below says which and why
                _logger.info("connection %s: a batch of %s failed, going one by one", connection.id, len(drafts))
        for draft in drafts:
            try:
                self._create_batch(document_model, connection, [draft])
            except psycopg2.OperationalError:
                raise
            except UserError as error:
                draft.row._fail([Problem("odoo_refused", str(error))])
            except psycopg2.errors.UniqueViolation:
                draft.row._skip("already_imported", connection.env._("This invoice is an order already."))
            except Exception:
                _logger.exception("connection %s: invoice %s failed", connection.id, draft.invoice.number)
                reason = connection.env._("Something unexpected happened. The administrator finds details in this row.")
                draft.row._fail([Problem("unexpected", reason)], traceback.format_exc())

    @api.model
    def _create_batch(self, document_model, connection, drafts):
        with self.env.cr.savepoint():
            documents = document_model._xero_create(connection, drafts)
            rows = self.browse(draft.row.id for draft in drafts)
            rows._succeed(documents)
            for draft in drafts:
                draft.row.digest = draft.invoice.digest
            rows._queue_files(connection)
