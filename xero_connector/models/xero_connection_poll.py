import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib import errors, formats
from ..lib.invoice import XeroInvoice
from ..lib.paging import PageWalk

_logger = logging.getLogger(__name__)

_INTERVALS = {"five_minutes": timedelta(minutes=5), "daily": timedelta(days=1)}


class XeroConnection(models.Model):
    """Looking for news: pages of invoices become rows of the sync log, together with the watermark."""

    _inherit = "xero.connection"

    next_poll = fields.Datetime(
        string="Next import", readonly=True, copy=False, help="Empty: only when somebody asks for it."
    )
    blocked_until = fields.Datetime(readonly=True, copy=False, help="Xero's limit is used up; no call before then.")
    files_blocked_until = fields.Datetime(
        readonly=True, copy=False, help="The calls that are left are kept for orders; PDFs and notes wait till then."
    )
    watermark = fields.Datetime(
        readonly=True, copy=False, help="Every change in Xero up to this moment (UTC) is in the sync log."
    )

    _due = models.Index("(next_poll) WHERE state = 'connected'")

    def write(self, vals):
        if "app_id" in vals and (held := self.sudo().filtered(lambda c: c.grant_id and c.app_id.id != vals["app_id"])):
            # Its consent belongs to the app it was given to, and so do its calls and webhooks.
            raise UserError(self.env._("Disconnect %s from Xero before you give it another app.", held[0].name))
        if vals.get("active") is False and (held := self.sudo().filtered("grant_id")):
            raise UserError(self.env._("%s is connected. Press Remove: it disconnects it first.", held[0].name))
        earlier = self.browse()
        if "import_from" in vals:
            wanted = fields.Date.to_date(vals["import_from"])
            earlier = self.filtered(lambda c: c.import_from and (not wanted or wanted < c.import_from))
        result = super().write(vals)
        if earlier:
            # Older documents count now that were never asked for: begin again; what is known stays untouched.
            super(XeroConnection, earlier.sudo()).write({"watermark": False})
        if "sync_interval" in vals:
            by_hand = vals["sync_interval"] == "manual"
            connected = self.filtered(lambda c: c.state == "connected")
            next_poll = False if by_hand else fields.Datetime.now()
            super(XeroConnection, connected.sudo()).write({"next_poll": next_poll})
        return result

    # === SCHEDULE === #

    def _ring(self):
        """Ask for a look at Xero as soon as a worker is free. Rings only: no call is made here."""
        self.sudo().write({"next_poll": fields.Datetime.now()})
        self.env.ref("xero_connector.ir_cron_poll").sudo()._trigger()

    @api.model
    def _due_domain(self):
        now = fields.Datetime.now()
        return [
            ("state", "=", "connected"),
            ("setup_done", "=", True),
            ("import_orders", "=", True),
            "|",
            ("next_poll", "<=", now + timedelta(seconds=30)),
            "&",
            ("bell_ids", "!=", False),
            "|",
            ("listen_from", "=", False),
            ("listen_from", "<=", now),
            "|",
            ("blocked_until", "=", False),
            ("blocked_until", "<=", now),
        ]

    @api.model
    def _cron_poll(self):
        """Look for news of every connection whose turn it is. An outage of Xero is noted, never raised: five failures
        over a week would switch the scheduled action off."""
        due = self.search(self._due_domain(), order="next_poll, id")
        self.env["ir.cron"]._commit_progress(remaining=len(due))
        for connection in due:
            try:
                connection._poll_safely()
            except psycopg2.OperationalError:
                self.env.cr.rollback()
                _logger.info("connection %s is busy elsewhere, its poll waits for the next turn", connection.id)
            if not self.env["ir.cron"]._commit_progress(1):
                # What is left begins at once. By itself Odoo would wait for up to a minute.
                self.env.ref("xero_connector.ir_cron_poll").sudo()._trigger()
                break
        self._await_bells()

    # === POLL === #

    def _poll_safely(self):
        """Read all pages, or as many as the scheduled action has time for, each stored and committed by itself; keep
        what stopped us on the connection."""
        walk = None
        rings = self.env["xero.bell"]
        more = True
        while more:
            try:
                # Anew for each page: the commit in between has let go of it.
                if not self.try_lock_for_update(allow_referencing=True).filtered_domain(self._due_domain()):
                    return
                # Read before Xero is asked: what rings from now on asks again.
                rings = rings if walk else rings.search([("connection_id", "=", self.id)])
                walk = walk or PageWalk(self._poll_since())
                with self._client() as client:
                    more = self._poll_page(client, walk)
                if not more:
                    rings.unlink()
            except errors.XeroError as error:
                self.env.cr.rollback()
                self._stop_polling(error)
                more = False
            except psycopg2.OperationalError:
                raise
            except Exception:
                # A bug of ours must neither stop the other connections nor hide.
                self.env.cr.rollback()
                _logger.exception("connection %s: polling failed", self.id)
                self._stop_polling(errors.XeroError(self._unexpected()))
                more = False
            # What the watermark says is committed; the rest of the pages may wait for the next run.
            if not self.env["ir.cron"]._commit_progress():
                break

    def _unexpected(self):
        return self._for_reader().env._("Something unexpected happened. The server's log has the details.")

    def _poll_since(self):
        return self.watermark - timedelta(seconds=const.WATERMARK_OVERLAP) if self.watermark else None

    def _poll_page(self, client, walk):
        """Read one page and store its invoices as rows, and the watermark with them.

        :return: whether there is another page
        """
        # By date only where everything is read: later, an older invoice that is an order here may have changed.
        start_date = None if walk.began else self._read_from()
        invoices, page_count = client.invoices_page(since=walk.since, start_date=start_date, page=walk.page)
        stamps = [formats.stamp(invoice.get("UpdatedDateUTC")) for invoice in invoices]
        self.env["xero.record"]._receive(self, "invoice", self._without_older(invoices))
        more = walk.advance(formats.instant(max(stamps, default="")), page_count)
        values = {}
        if walk.mark:
            mark = walk.mark.replace(microsecond=0)
            values["watermark"] = max(mark, self.watermark or mark)
        if not more:
            now = fields.Datetime.now()
            values |= {
                "last_import": now,
                "next_poll": self._next_turn(now),
                "listen_from": self._next_listening(now),
                "blocked_until": False,
            }
            if self.backfill_started and not self.backfill_read:
                values["backfill_read"] = True
            self._note_success()
        self.write(values)
        return more

    def _read_from(self):
        """The day everything is read from: the connection's, or that of an older invoice brought in by hand."""
        domain = [("connection_id", "=", self.id), ("direction", "=", "in"), ("resource", "=", "invoice")]
        [(oldest,)] = self.env["xero.record"]._read_group(domain, aggregates=["document_date:min"])
        return self.import_from and min(self.import_from, oldest or self.import_from)

    def _without_older(self, invoices):
        """These payloads without the invoices that are older than this connection's start and not known either."""
        older = [invoice["InvoiceID"] for invoice in invoices if self._is_older(invoice)]
        if not older:
            return invoices
        known = self.env["xero.record"].search(
            [
                ("connection_id", "=", self.id),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("external_id", "in", older),
            ]
        )
        unwanted = set(older) - set(known.mapped("external_id"))
        return [invoice for invoice in invoices if invoice.get("InvoiceID") not in unwanted]

    def _is_older(self, payload):
        try:
            date = XeroInvoice(payload).date
        except ValueError:
            return False
        return bool(self.import_from and date and date < self.import_from and payload.get("InvoiceID"))

    def _next_turn(self, now):
        interval = _INTERVALS.get(self.sync_interval)
        return interval and now + interval

    def _stop_polling(self, error):
        """Note what went wrong, and when to try again if it may pass by itself."""
        self._note_error(error)
        # Webhooks must not ask more often than where all is well.
        self.listen_from = self._next_listening(fields.Datetime.now())
        if isinstance(error, errors.XeroRetryLater):
            self._postpone(error)
        elif self.error_code == "configuration":
            # The server's own settings: mended for all at once, so each goes on trying.
            self.next_poll = self.blocked_until
            self.env.ref("xero_connector.ir_cron_poll").sudo()._trigger(at=self.blocked_until)
        else:
            self.next_poll = self._next_turn(fields.Datetime.now())

    def _postpone(self, error):
        """No call of this connection before Xero's time is up."""
        longest = const.LONGEST_LIMIT if error.limit else const.LONGEST_RETRY
        until = fields.Datetime.now() + timedelta(
            seconds=min(error.retry_after or const.DEFAULT_RETRY_AFTER, longest)
        )
        values = {"blocked_until": until}
        # One that is asked by hand only stays so: it may have met the limit while fetching PDFs.
        if self.next_poll and self.next_poll < until:
            values["next_poll"] = until
        self.write(values)
        self.env.ref("xero_connector.ir_cron_poll").sudo()._trigger(at=until)
