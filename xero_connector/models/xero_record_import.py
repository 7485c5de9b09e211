import logging
import traceback
from collections import Counter, deque

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE

from .. import const
from ..lib import errors
from ..lib.errors import Problem
from ..lib.invoice import XeroInvoice
from .import_draft import DOCUMENT_MODELS, ImportDraft

_logger = logging.getLogger(__name__)


class XeroRecord(models.Model):
    """Working off inbound invoices: many at once, each alone when that fails."""

    _inherit = "xero.record"

    # === SCHEDULE === #

    @api.model
    def _due_domain(self):
        return [
            ("state", "=", "pending"),
            ("direction", "=", "in"),
            ("resource", "=", "invoice"),
            *self._ready_domain("next_attempt"),
        ]

    @api.model
    def _ready_domain(self, next_attempt):
        """Rows whose connection may work now and whose own time has come.

        :param str next_attempt: the field that says when
        """
        now = fields.Datetime.now()
        return [
            ("connection_id.active", "=", True),
            ("connection_id.state", "=", "connected"),
            ("connection_id.setup_done", "=", True),
            "|",
            ("connection_id.blocked_until", "=", False),
            ("connection_id.blocked_until", "<=", now),
            "|",
            (next_attempt, "=", False),
            (next_attempt, "<=", now),
        ]

    @api.model
    def _of_connections(self, domain, connections):
        return domain if connections is None else [*domain, ("connection_id", "in", connections.ids)]

    @api.model
    def _cron_process(self, connections=None):
        """Work off due rows, one batch of each connection in turn so that a large one does not hold up the rest.

        :param connections: of these alone, instead of all
        """
        due = self._of_connections(self._due_domain(), connections)
        waiting = self._read_group(due, ["connection_id"], ["__count"])
        handled_ids = []
        seconds_left = self.env["ir.cron"]._commit_progress(remaining=sum(count for _connection, count in waiting))
        turns = deque(connection for connection, _count in waiting)
        gave_way = Counter()
        while turns and seconds_left:
            connection = turns.popleft()
            try:
                handled = self._process_batch(connection)
                seconds_left = self.env["ir.cron"]._commit_progress(len(handled))
            except psycopg2.OperationalError:
                self.env.cr.rollback()
                gave_way[connection] += 1
                if gave_way[connection] < MAX_TRIES_ON_CONCURRENCY_FAILURE:
                    # Whoever was first sold the same goods, and has them by now.
                    turns.append(connection)
                else:
                    connection._give_way("process")
                seconds_left = self.env["ir.cron"]._commit_progress()
                continue
            if handled:
                gave_way[connection] = 0
                turns.append(connection)
                handled_ids += handled.ids
        if handled_ids:
            self.browse(handled_ids)._tell_of_run()
        if not seconds_left:
            self._ring_again("process", due)

    @api.model
    def _ring_again(self, queue, due):
        """The time of this turn is up: have the next one begin at once. By itself Odoo would wait for up to a minute.

        :param due: the domain of what the turn was for
        """
        groups = self._read_group(due, ["connection_id"])
        self.env["xero.connection"].union(*(connection for (connection,) in groups))._schedule(queue)

    def _tell_of_run(self):
        """Tell the connections' people what became of these rows."""
        groups = self._read_group([("id", "in", self.ids)], ["connection_id", "state"], ["__count"])
        counts = {}
        for connection, state, count in groups:
            counts.setdefault(connection, {})[state] = count
        try:
            for connection, count in counts.items():
                connection._tell_of_run(count.get("done", 0), count.get("failed", 0))
            self.env["ir.cron"]._commit_progress()
        except psycopg2.OperationalError:
            # The orders are committed; the next turn tells again what still needs somebody.
            self.env.cr.rollback()
            _logger.info("what became of the import could not be told")

    @api.model
    def _process_batch(self, connection):
        """One batch of one connection; nobody else works on it meanwhile.

        :return: the rows handled; none when there is nothing (more) to do or somebody else is doing it
        :raise psycopg2.OperationalError: when somebody changed what we read, or the database went away
        """
        try:
            if not connection.try_lock_for_update(allow_referencing=True):
                return self.browse()
            domain = [*self._due_domain(), ("connection_id", "=", connection.id)]
            rows = self.search(domain, order="id", limit=const.BATCH_SIZE)
            handled = rows if rows._process_safely() else self.browse()
            if handled:
                # With the rows: whoever is killed after the commit has called for help.
                connection._update_problem_call()
            return handled
        except psycopg2.OperationalError:
            raise
        except Exception:
            # A bug of ours must neither stop the other connections nor hide.
            self.env.cr.rollback()
            _logger.exception("connection %s: a batch failed", connection.id)
            connection._note_error(errors.XeroError(connection._unexpected()))
            return self.browse()

    # === IMPORT === #

    def _process_safely(self):
        """Bring these rows of one connection to their end. Only a lost database connection or a conflict with another
        transaction leaves this method as exception; everything else ends in the rows.

        :return: False when the connection cannot go on for now, so that asking for its next rows is of no use
        """
        if not self:
            return False
        connection = self.connection_id.with_company(self.connection_id.company_id)
        connection = connection.with_context(lang=connection.user_id.lang or self.env.lang)
        fresh, changed = self._split(connection, self._route(connection))
        moved = []
        for draft in changed:
            if draft.row._wants_contact(draft.invoice):
                moved.append(draft)
            else:
                # What needs no call waits for none: a void must not.
                draft.row._follow_safely(connection, draft)
        try:
            fresh = self._add_contacts(connection, fresh, moved)
        except errors.XeroDenied as error:
            connection._note_error(error)
            return False
        except errors.XeroRetryLater as error:
            connection._note_error(error)
            if error.limit:
                connection._postpone(error)
            self.browse(draft.row.id for draft in fresh + moved)._postpone(error)
            return True
        except errors.XeroError as error:
            for draft in fresh + moved:
                draft.row._fail([Problem("xero_rejected", str(error))])
                draft.row.correlation_id = error.correlation_id
            return True
        for draft in moved:
            if draft.row.state == "pending":
                draft.row._follow_safely(connection, draft)
        if fresh:
            document_model = self.env[DOCUMENT_MODELS[connection.order_target]].with_company(connection.company_id)
            self._import_safely(document_model, connection, fresh)
        return True

    def _route(self, connection):
        """A draft for each row whose invoice can be read, with its warehouse or the reason why it has none."""
        first_match = connection.mapping_ids._matcher()
        drafts = []
        for row in self:
            try:
                invoice = XeroInvoice(row.payload)
                drafts.append(ImportDraft(row=row, invoice=invoice, route=connection._decide(invoice, first_match)))
            except Exception as error:  # noqa: BLE001 a payload like no other fails its own row only
                row._fail_with(connection, error)
        return drafts

    def _split(self, connection, drafts):
        """Skip the rows whose invoice is not to be imported, and tell new ones from those that are documents already,
        made by this connection or an earlier one of the company. What was sent from here is left alone.

        :return: ``(fresh, changed)``
        """
        known = self._known_documents(connection, [draft.invoice.id for draft in drafts if not draft.row.res_id])
        strange = [draft for draft in drafts if not draft.row.res_id and draft.invoice.id not in known]
        waiting = self._hold_echoes(connection, strange)
        fresh, changed = [], []
        for draft in drafts:
            row, document = draft.row, known.get(draft.invoice.id)
            if row in waiting:
                continue
            if document:
                row.write({"res_model": document._name, "res_id": document.id, "is_adopted": True})
            if document and not draft.route.skip_code:
                reason = connection.env._("This invoice is %s already.", document.display_name)
                row._skip("already_imported", reason)
            elif row.res_id:
                changed.append(draft)
            elif draft.route.skip_code:
                by_settings = draft.route.skip_code in const.SKIPPED_BY_SETTINGS
                row._skip(draft.route.skip_code, draft.route.reason, connection if by_settings else None)
            else:
                fresh.append(draft)
        return fresh, changed

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
            if document := row._document():
                known[row.external_id] = document
        # The documents themselves say so, too, when their rows are gone.
        for model in DOCUMENT_MODELS.values():
            domain = [("company_id", "=", connection.company_id.id), ("xero_invoice_id", "in", invoice_ids)]
            documents = self.env[model].search(domain)._xero_living_first()
            for document in documents:
                known.setdefault(document.xero_invoice_id, document)
        return known

    @api.model
    def _import_safely(self, document_model, connection, drafts):
        """All at once; when that fails, each alone, so that one bad invoice costs itself and nothing else."""
        try:
            with self.env.cr.savepoint():
                self._import(document_model, connection, drafts)
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 it ends in the row, with its details
            if len(drafts) == 1:
                drafts[0].row._fail_with(connection, error)
                return
            _logger.info("connection %s: a batch of %s failed, going one by one", connection.id, len(drafts))
            for draft in drafts:
                self._import_safely(document_model, connection, [draft.fresh()])

    @api.model
    def _import(self, document_model, connection, drafts):
        document_model._xero_prepare(connection, drafts)
        for draft in drafts:
            if draft.problems:
                draft.row._fail(draft.problems)
            elif not draft.values:
                reason = connection.env._("None of the invoice's lines is a product to ship.")
                draft.row._skip("nothing_to_ship", reason)
        ready = [draft for draft in drafts if draft.values and not draft.problems]
        if ready:
            rows = self.browse(draft.row.id for draft in ready)
            rows._succeed(document_model._xero_create(connection, ready))
            rows._queue_files(connection)

    def _fail_with(self, connection, error):
        """Fail (or skip) this row for an exception: Odoo's words where it has any, details for developers elsewhere."""
        if isinstance(error, UserError):
            self._fail([Problem("odoo_refused", str(error))])
        elif isinstance(error, psycopg2.errors.UniqueViolation) and "per_xero_invoice" in str(error):
            self._skip("already_imported", connection.env._("This invoice is an order already."))
        else:
            _logger.error("connection %s: row %s failed", connection.id, self.id, exc_info=error)
            reason = connection.env._("Something unexpected happened. The administrator finds details in this row.")
            details = "".join(traceback.format_exception(error))
            self._fail([Problem("unexpected", reason)], details)
