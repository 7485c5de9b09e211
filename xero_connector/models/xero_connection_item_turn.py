import logging
from datetime import timedelta
from itertools import islice

import psycopg2

from odoo import api, fields, models

from .. import const
from ..lib import errors, formats, item

_logger = logging.getLogger(__name__)

_INTERVALS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1)}
_WHOLE_EVERY = timedelta(days=1)
_ROWS_AT_ONCE = 500
# First half of the key of the lock a turn holds; the second is the connection.
_LOCK_SPACE = 0x58A1


class XeroConnection(models.Model):
    """One turn of exchanging products: reading Xero's catalogue, comparing, sending."""

    _inherit = "xero.connection"

    # === TURN === #

    @api.model
    def _items_due_domain(self):
        now = fields.Datetime.now()
        return [
            ("state", "=", "connected"),
            ("setup_done", "=", True),
            ("next_items", "<=", now + timedelta(seconds=30)),
            "|",
            ("blocked_until", "=", False),
            ("blocked_until", "<=", now),
        ]

    @api.model
    def _cron_items(self, connections=None):
        """Exchange items of every connection whose turn it is. An outage of Xero is noted, never raised.

        :param connections: of these alone, instead of all
        """
        due = self.search(self._items_due_domain(), order="next_items, id")
        if connections is not None:
            due &= connections
        self.env["ir.cron"]._commit_progress(remaining=len(due))
        for position, connection in enumerate(due):
            try:
                connection._exchange_items_safely()
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            except psycopg2.OperationalError:
                self.env.cr.rollback()
                connection._give_way("items")
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            if not seconds_left:
                # The last one, too: its turn may have been cut short.
                due[position:]._schedule("items")
                break

    def _exchange_items_safely(self):
        """One turn: read what changed in Xero, compare, write what Odoo changed. Each step commits; whoever is killed
        leaves rows that wait, and the turn stays due until its end."""
        try:
            rung = self.next_items
            if self._read_items() and self._work_off_items():
                self._end_item_turn(rung)
        except errors.XeroError as error:
            self.env.cr.rollback()
            self._stop_items(error)
        except psycopg2.OperationalError:
            raise
        except Exception:
            # A bug of ours must neither stop the other connections nor hide.
            self.env.cr.rollback()
            _logger.exception("connection %s: exchanging items failed", self.id)
            self._stop_items(errors.XeroError(self._unexpected()))

    def _item_worker(self):
        """This connection as its items are worked on. Empty when somebody else works on them, or it stopped meanwhile;
        locked until the next commit. Not the connection's own row is locked: that would hold up its orders."""
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (_LOCK_SPACE, self.id))
        [is_ours] = self.env.cr.fetchone()
        self.invalidate_recordset()
        return self.filtered_domain(self._items_due_domain())._item_env() if is_ours else self.browse()

    def _item_env(self):
        """This connection in its company, and in that company's language: names must not change with the reader."""
        language = self.company_id.partner_id.lang or self.env.lang
        return self.with_company(self.company_id).with_context(lang=language)

    def _stop_items(self, error):
        """Note what went wrong; again when Xero says, or at a growing distance."""
        connection = self.try_lock_for_update(allow_referencing=True)
        if not connection:
            return
        now = fields.Datetime.now()
        if isinstance(error, errors.XeroDenied):
            connection._note_error(error)
        # A limit is no failure: it was announced, and passes when Xero says.
        elif not getattr(error, "limit", None):
            connection.write({"item_message": str(error), "item_failed_turns": connection.item_failed_turns + 1})
            if connection.item_failed_turns >= const.TURNS_BEFORE_HELP:
                connection._call_for_help(connection._for_reader().env._("Products are not exchanged: %s", error))
        if isinstance(error, errors.XeroRetryLater):
            wait = min(error.retry_after or const.OUTAGE_PAUSE, const.LONGEST_LIMIT)
            connection.next_items = now + timedelta(seconds=wait)
            connection._schedule("items", at=connection.next_items)
        else:
            connection.next_items = connection._next_item_turn(now)

    def _next_item_turn(self, now):
        interval = self.item_sync != "none" and _INTERVALS.get(self.item_interval)
        return interval and now + interval

    def _end_item_turn(self, rung):
        """Nothing is left to do until the next turn, unless somebody asked for one since this one began.

        :param datetime rung: when this turn was due
        """
        connection = self._item_worker()
        if not connection or connection.next_items != rung:
            return
        now = fields.Datetime.now()
        waiting = self.env["xero.record"].search(
            connection._waiting_items_domain(), order="next_attempt nulls first", limit=1
        )
        turns = [connection._next_item_turn(now), waiting and (waiting.next_attempt or now)]
        if not connection.items_whole_at:
            # Somebody asked for the whole list while this turn was on its way.
            turns.append(now)
        if connection.item_failed_turns >= const.TURNS_BEFORE_HELP:
            connection._take_call_back()
        connection.write(
            {"last_items": now, "next_items": min(filter(None, turns), default=False), "item_failed_turns": 0}
        )
        connection._update_problem_call()
        self.env["ir.cron"]._commit_progress()

    def _waiting_items_domain(self):
        """What the next turn has to do beside looking for news."""
        directions = ["in", "out"] if self._pushes_items and self._can_write_items() else ["in"]
        return [
            ("connection_id", "=", self.id),
            ("resource", "=", "item"),
            ("direction", "in", directions),
            ("state", "=", "pending"),
        ]

    def _work_off_items(self):
        """Compare and write, batch by batch.

        :return: whether everything is done that could be done now
        """
        records = self.env["xero.record"]
        connection, handled = None, True
        while handled:
            handled = False
            for step in (
                records._compare_items,
                records._create_items,
                records._update_items,
                records._suggest_products,
            ):
                connection = connection or self._item_worker()
                if not connection:
                    return False
                if step(connection):
                    connection, handled = None, True
                    if not self.env["ir.cron"]._commit_progress():
                        return False
                    self.env.invalidate_all()
        # Who rang meanwhile is seen by the next transaction only.
        self.env["ir.cron"]._commit_progress()
        return True

    # === READ === #

    def _read_items(self):
        """Store what changed in Xero as rows of the sync log. The list has no pages: it goes through a file, and row
        by row into the database. Once a day it is read whole, as only that shows what was deleted.

        :return: False when somebody else is at it
        """
        connection = self._item_worker()
        if not connection:
            return False
        now = fields.Datetime.now()
        whole = not connection.item_watermark or (connection.items_whole_at or now) <= now - _WHOLE_EVERY
        whole = whole or not connection.items_whole_at
        since = None if whole else connection.item_watermark - timedelta(seconds=const.WATERMARK_OVERLAP)
        # What another worker makes while this list is read is not in it.
        known = self.env["xero.record"].search(connection._item_rows_domain()) if whole else None
        with connection._client(purpose="items") as client:
            if whole and connection.item_sync != "none":
                self.env["xero.account.mapping"]._take(connection, client.accounts())
                self.env["xero.tax.mapping"]._take(connection, client.tax_rates())
            listed = client.items(since)
        newest, seen = "", set()
        while elements := list(islice(listed, _ROWS_AT_ONCE)):
            connection = connection or self._item_worker()
            if not connection:
                return False
            self.env["xero.record"]._receive(connection, "item", elements)
            newest = max([newest, *(formats.stamp(element.get("UpdatedDateUTC")) for element in elements)])
            seen.update(filter(None, (item.XeroItem(element).id for element in elements)))
            self.env["ir.cron"]._commit_progress()
            self.env.invalidate_all()
            connection = None
        connection = connection or self._item_worker()
        if not connection:
            return False
        if whole:
            known._note_gone_items(connection, seen)
            # Whose code was taken may have it now.
            blocked = known.exists().filtered(lambda row: row.problem_code in ("code_taken", "ambiguous_code"))
            blocked.write(self.env["xero.record"]._armed_values())
        mark = formats.instant(newest)
        mark = mark and mark.replace(microsecond=0)
        # Its own word for everything read: an empty list says nothing about time.
        marks = [moment for moment in (mark, connection.item_watermark) if moment]
        connection.write(
            {
                "item_watermark": max(marks, default=False),
                "items_whole_at": now if whole else connection.items_whole_at,
                # What Xero refuses to be written is told until it is written.
                "item_message": not connection.item_failed_turns and connection.item_message,
            }
        )
        self.env["ir.cron"]._commit_progress()
        return True
