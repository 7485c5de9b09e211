import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain

from .. import const
from ..lib import errors, formats

_logger = logging.getLogger(__name__)

# First half of the key of the lock a turn holds; the second is the connection.
_LOCK_SPACE = 0x58A2


class XeroConnection(models.Model):
    """One turn of sending: what documents rest on, contacts, documents one by one, notes, and what became of them.

    One worker at a time sends for a connection. So two orders of one customer are never added to one draft at the same
    moment, and nothing is sent twice.
    """

    _inherit = "xero.connection"

    last_push = fields.Datetime(string="Last sent", readonly=True, copy=False)
    next_daily_push = fields.Datetime(readonly=True, copy=False)
    push_message = fields.Text(readonly=True, copy=False, help="What keeps documents from being sent.")
    push_failed_turns = fields.Integer(readonly=True, copy=False)
    lock_date = fields.Date(
        string="Locked in Xero up to", readonly=True, copy=False, help="The later of both lock dates of Xero's books."
    )
    tenant_currencies = fields.Char(readonly=True, copy=False)
    books_read_at = fields.Datetime(readonly=True, copy=False)
    tables_read_at = fields.Datetime(readonly=True, copy=False)
    outgoing_waiting_count = fields.Integer(string="To be sent", compute="_compute_outgoing_counts")
    outgoing_failed_count = fields.Integer(string="Not sent", compute="_compute_outgoing_counts")
    outgoing_done_count = fields.Integer(string="Sent", compute="_compute_outgoing_counts")

    def _compute_outgoing_counts(self):
        groups = self.env["xero.record"]._read_group(
            self._outgoing_domain(), ["connection_id", "state"], ["__count"]
        )
        counts = {(connection, state): count for connection, state, count in groups}
        for connection in self:
            connection.outgoing_waiting_count = counts.get((connection, "pending"), 0)
            connection.outgoing_failed_count = counts.get((connection, "failed"), 0)
            connection.outgoing_done_count = counts.get((connection, "done"), 0)

    # === SCHEDULE === #

    def _ring_push(self):
        """Have what waits sent as soon as a worker is free. Rings only, and writes nothing: who confirms an order waits
        for nobody who works on the connection."""
        self._schedule("push")

    def _next_export(self):
        """When a document is sent that nobody asks for: False for as soon as possible."""
        if self.export_interval != "daily":
            return False
        now = fields.Datetime.now()
        return max(self.next_daily_push or now, now)

    @api.model
    def _working_domain(self):
        """Connections that may call Xero now."""
        return [
            ("state", "=", "connected"),
            ("setup_done", "=", True),
            "|",
            ("blocked_until", "=", False),
            ("blocked_until", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _push_due(self):
        """The connections with something to send, or to ask about what was sent."""
        rows = self.env["xero.record"]._read_group(
            self.env["xero.record"]._push_domain(), groupby=["connection_id"]
        )
        waiting = [connection.id for (connection,) in rows]
        asking = Domain("export_source", "!=", "none") & (
            Domain("next_back", "<=", fields.Datetime.now()) | Domain("contacts_whole_at", "=", False)
        )
        return self.search(Domain(self._working_domain()) & (Domain("id", "in", waiting) | asking), order="id")

    @api.model
    def _cron_push(self, connections=None):
        """Send what waits. An outage of Xero is noted, never raised.

        :param connections: for these alone, instead of all
        """
        due = self._push_due()
        if connections is not None:
            due &= connections
        self.env["ir.cron"]._commit_progress(remaining=len(due))
        for position, connection in enumerate(due):
            is_cut = False
            try:
                is_cut = connection._push_safely()
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            except psycopg2.OperationalError:
                self.env.cr.rollback()
                connection._give_way("push")
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            if not seconds_left:
                # Not before this turn has ended: who comes at once would find the connection busy, and go away again.
                # What failed says by itself when it is tried again.
                due[position if is_cut else position + 1 :]._ring_push()
                break

    # === TURN === #

    def _push_worker(self):
        """This connection as documents are sent for it, in its company and language. Empty when somebody else sends for
        it, or it stopped meanwhile; locked until the next commit. Its own row is not: that would hold up its orders."""
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (_LOCK_SPACE, self.id))
        [is_ours] = self.env.cr.fetchone()
        self.invalidate_recordset()
        return self.filtered_domain(self._working_domain())._item_env() if is_ours else self.browse()

    def _push_safely(self):
        """One turn. Each step commits; whoever is killed leaves rows that wait.

        :return: whether documents are left because the time is up
        """
        try:
            return self._push()
        except errors.XeroError as error:
            self.env.cr.rollback()
            self._stop_push(error)
        except psycopg2.OperationalError:
            raise
        except Exception:
            # A bug of ours must neither stop the other connections nor hide.
            self.env.cr.rollback()
            _logger.exception("connection %s: sending failed", self.id)
            self._stop_push(errors.XeroError(self._unexpected()))
        return False

    def _push(self):
        records = self.env["xero.record"]
        sent = failed = 0
        is_cut = False
        if self._may_push() and (not self.contacts_whole_at or records._has_to_push(self)):
            self._prepare_push()
            row = records
            while row := records._push_next(self, row):
                sent += row.state == "done"
                failed += row.state == "failed"
                is_cut = not self.env["ir.cron"]._commit_progress()
                if is_cut:
                    break
                self.env.invalidate_all()
        if worker := self._push_worker():
            records._push_notes(worker)
        if self._may_push():
            self._read_back()
        self._end_push(sent, failed)
        return is_cut

    def _may_push(self):
        return self.export_source != "none" and self.sudo()._can_export()

    def _prepare_push(self):
        """What the documents that wait rest on: lock dates, currencies, accounts, taxes, contacts. Each only when what
        we know is old."""
        worker = self._push_worker()
        if not worker:
            return
        now = fields.Datetime.now()
        if worker._is_outdated(worker.tables_read_at, timedelta(hours=const.TABLES_HOURS)):
            with worker._client(purpose="orders") as client:
                self.env["xero.account.mapping"]._take(worker, client.accounts())
                self.env["xero.tax.mapping"]._take(worker, client.tax_rates())
            worker.tables_read_at = now
        if worker._books_are_old():
            worker._read_books()
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()
        if worker := self._push_worker():
            self.env["xero.record"]._prepare_contacts(worker)
            self.env["ir.cron"]._commit_progress()
            self.env.invalidate_all()

    def _books_are_old(self):
        return self._is_outdated(self.books_read_at, timedelta(minutes=const.BOOKS_MINUTES))

    def _contacts_are_old(self):
        read = self.contacts_whole_at and self.last_contacts
        return self._is_outdated(read, timedelta(minutes=const.BOOKS_MINUTES))

    def _read_books(self):
        """Lock dates and currencies: what an accountant may have changed a minute ago."""
        with self._client(purpose="orders") as client:
            organisation, currencies = client.organisation(), client.currencies()
        locks = [formats.calendar_date(organisation.get(key)) for key in ("PeriodLockDate", "EndOfYearLockDate")]
        self.write(
            {
                "lock_date": max(filter(None, locks), default=False),
                "tenant_currencies": ",".join(currencies),
                "books_read_at": fields.Datetime.now(),
            }
        )

    @staticmethod
    def _is_outdated(moment, age):
        return not moment or moment <= fields.Datetime.now() - age

    def _end_push(self, sent, failed):
        """Tell what was sent, and take back what was said about an outage."""
        connection = self.try_lock_for_update(allow_referencing=True)
        if not connection:
            return
        now = fields.Datetime.now()
        if connection.push_failed_turns >= const.TURNS_BEFORE_HELP:
            connection._take_call_back()
        if sent and not connection.import_orders:
            # Else who looks for invoices does.
            connection._note_success()
        values = {"push_failed_turns": 0, "push_message": False}
        if sent:
            values["last_push"] = now
        if not connection.next_daily_push or connection.next_daily_push <= now:
            values["next_daily_push"] = now + timedelta(days=1)
        connection.write({name: value for name, value in values.items() if connection[name] != value})
        connection._update_problem_call()
        connection._tell_of_push(sent, failed)
        self.env["ir.cron"]._commit_progress()

    def _tell_of_push(self, sent, failed):
        if failed:
            text = self._for_reader().env._("Documents that could not be sent to Xero: %s. See Problems.", failed)
            self._notify_followers(text, "warning")
        elif sent and self.notify == "all":
            self._notify_followers(self._for_reader().env._("Documents sent to Xero: %s.", sent), "success")

    def _stop_push(self, error):
        """Note what went wrong. What waits is tried again when Xero says, or at a growing distance."""
        connection = self.try_lock_for_update(allow_referencing=True)
        if not connection:
            return
        if isinstance(error, errors.XeroDenied) and error.code != "scope":
            connection._note_error(error)
        elif not getattr(error, "limit", None):
            # A limit is no failure: it was announced, and passes when Xero says.
            connection.write({"push_message": str(error), "push_failed_turns": connection.push_failed_turns + 1})
            if connection.push_failed_turns >= const.TURNS_BEFORE_HELP:
                connection._call_for_help(connection._for_reader().env._("Nothing is sent to Xero: %s", error))
        else:
            connection._postpone(error)
        if isinstance(error, errors.XeroRetryLater):
            wait = min(error.retry_after or const.OUTAGE_PAUSE, const.LONGEST_LIMIT)
            at = fields.Datetime.now() + timedelta(seconds=wait)
            connection._schedule("push", at=at)
