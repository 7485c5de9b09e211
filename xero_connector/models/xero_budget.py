import logging
from contextlib import contextmanager
from datetime import timedelta

import psycopg2.errors

from odoo import fields, models
from odoo.tools.translate import LazyTranslate

from .. import const
from ..lib import errors
from ..lib.answers import LIMIT_USED_UP

_logger = logging.getLogger(__name__)
_lt = LazyTranslate("xero_connector", default_lang="en_US")

# First half of the advisory locks' key; the second names the organisation and one of its five places.
_LOCK_SPACE = 0x58A0

# A window whose end is further away than its length, or a note from the future, was written by a clock that ran ahead:
# it does not count.
_TAKE = """
    INSERT INTO xero_budget AS budget (app_id, tenant_id, noted_at, day_left, day_ends, minute_left, minute_ends)
         SELECT id, %(tenant)s, %(now)s, %(cap)s - 1, %(day_ends)s, %(minute_cap)s - 1, %(minute_ends)s
           FROM xero_app WHERE id = %(app)s
    ON CONFLICT (app_id, tenant_id) DO UPDATE
            SET noted_at = %(now)s,
                day_left = CASE WHEN budget.day_ends > %(now)s AND budget.day_ends <= %(day_ends)s
                                THEN budget.day_left ELSE %(cap)s END - 1,
                day_ends = CASE WHEN budget.day_ends > %(now)s AND budget.day_ends <= %(day_ends)s
                                THEN budget.day_ends ELSE %(day_ends)s END,
                minute_left = CASE WHEN budget.minute_ends > %(now)s AND budget.minute_ends <= %(minute_ends)s
                                   THEN budget.minute_left ELSE %(minute_cap)s END - 1,
                minute_ends = CASE WHEN budget.minute_ends > %(now)s AND budget.minute_ends <= %(minute_ends)s
                                   THEN budget.minute_ends ELSE %(minute_ends)s END
          WHERE (budget.blocked_until IS NULL OR budget.blocked_until <= %(now)s
                 OR budget.blocked_until > %(longest)s)
            AND (budget.minute_ends <= %(now)s OR budget.minute_ends > %(minute_ends)s
                 OR budget.minute_left > %(minute_reserve)s)
            AND (budget.day_ends <= %(now)s OR budget.day_ends > %(day_ends)s
                 OR budget.noted_at <= %(stale)s OR budget.noted_at > %(now)s
                 OR budget.day_left
                    > %(day_reserve)s + %(hourly)s * EXTRACT(EPOCH FROM budget.day_ends - %(now)s) / 3600)
      RETURNING id
"""


class XeroBudget(models.Model):
    """The calls one app may still make to one organisation: the truth all workers of all hosts share.

    Xero counts per organisation and app, in windows of a minute and a day that begin when it likes, and says with each
    answer what is left (xero-api.md, section 2). So a call is booked here before it is made, and what the answer says
    replaces our own count. Rows are written with short statements in cursors of their own: whoever works for minutes in
    one transaction must neither hold the others up nor undo what was counted.
    """

    _name = "xero.budget"
    _description = "Xero Call Budget"
    _rec_name = "tenant_id"

    app_id = fields.Many2one("xero.app", required=True, readonly=True, index=True, ondelete="cascade")
    tenant_id = fields.Char(string="Organisation ID", required=True, readonly=True)
    day_left = fields.Integer(string="Calls left today", readonly=True, aggregator=False)
    day_ends = fields.Datetime(readonly=True, help="The latest moment at which Xero's day begins anew.")
    minute_left = fields.Integer(string="Calls left this minute", readonly=True, aggregator=False)
    minute_ends = fields.Datetime(readonly=True)
    noted_at = fields.Datetime(string="Last call", readonly=True)
    blocked_until = fields.Datetime(readonly=True, help="Xero refused a call and said when to come back.")
    blocked_by = fields.Char(readonly=True, help="The limit it was refused for.")

    _one_per_organisation = models.UniqueIndex("(app_id, tenant_id)")

    def _cap(self):
        """Calls a day of the app's tier; what Xero said is left may be more."""
        return max(const.DAY_CAPS.get(self.app_id.tier, const.DAY_CAP), self.day_left)

    def _left_today(self):
        """:return: calls left today as far as we know, None where nobody has asked Xero yet"""
        if not self.noted_at:
            return None
        return self._cap() if self.day_ends and self.day_ends <= fields.Datetime.now() else self.day_left

    def _left_this_minute(self):
        over = not self.minute_ends or self.minute_ends <= fields.Datetime.now()
        return const.CALLS_PER_MINUTE if over else min(self.minute_left, const.CALLS_PER_MINUTE)


class Meter:
    """Books calls on an organisation's budget, for :class:`lib.client.Transport`.

    :param str purpose: ``orders``, ``files`` or ``history``: those that come later leave calls for those before them
    :param float hourly: calls an hour that are kept for orders until Xero's day ends
    """

    def __init__(self, app, tenant_id, purpose="orders", hourly=0):
        self._registry = app.env.registry
        self._app_id = app.id
        self._tenant_id = tenant_id
        self._cap = const.DAY_CAPS.get(app.tier, const.DAY_CAP)
        self._minute_reserve = const.MINUTE_RESERVES[purpose]
        self._hourly = 0 if purpose == "orders" else hourly
        self._day_reserve = self._cap * const.DAY_RESERVES[purpose]

    @contextmanager
    def __call__(self):
        """Around one call. Gives a callable for the headers of its answer.

        :raise XeroRetryLater: without a call, when it would be one too many
        """
        with self._registry.cursor() as cr, self._place(cr, self._book(cr)):
            try:
                yield lambda headers: self._note(cr, headers)
            except errors.XeroRetryLater as error:
                if error.limit and error.limit != "concurrent":
                    self._block(cr, error.limit, error.retry_after or const.DEFAULT_RETRY_AFTER)
                raise

    @contextmanager
    def _place(self, cr, budget_id):
        """One of the places Xero has for calls at the same time. A session's lock: it outlives the commits in between,
        and goes with the process that held it, however that ends."""
        first = budget_id * const.CALLS_AT_ONCE
        cr.execute(
            "SELECT place FROM generate_series(%s, %s) place WHERE pg_try_advisory_lock(%s, place) LIMIT 1",
            (first, first + const.CALLS_AT_ONCE - 1, _LOCK_SPACE),
        )
        if not cr.rowcount:
            raise _refused("concurrent", const.LIMIT_PAUSES["concurrent"])
        [place] = cr.fetchone()
        # A transaction left open during the call would keep the database from cleaning up.
        cr.commit()  # pylint: disable=invalid-commit
        try:
            yield
        finally:
            cr.rollback()
            cr.execute("SELECT pg_advisory_unlock(%s, %s)", (_LOCK_SPACE, place))

    def _book(self, cr):
        """Take one call from the budget before it is made.

        :return: the budget's id
        """
        for _attempt in range(5):
            now = fields.Datetime.now()
            if taken := self._execute(cr, _TAKE, self._values(now)):
                return taken[0][0]
            if refusal := self._why_refused(cr, now):
                raise refusal
            # Another worker's answer changed what is left between the two statements: once more.
        raise _refused("concurrent", const.LIMIT_PAUSES["concurrent"])

    def _values(self, now):
        return {
            "app": self._app_id, "tenant": self._tenant_id, "now": now, "cap": self._cap,
            "minute_cap": const.CALLS_PER_MINUTE, "minute_reserve": self._minute_reserve,
            "hourly": self._hourly, "day_reserve": self._day_reserve,
            "minute_ends": now + timedelta(minutes=1), "day_ends": now + timedelta(days=1),
            "longest": now + timedelta(seconds=const.LONGEST_LIMIT),
            # Xero's day may have begun anew without our knowing: now and then one call finds out.
            "stale": now - timedelta(hours=1),
        }

    def _why_refused(self, cr, now):
        """What keeps a call from being made, None when nothing does any more."""
        values = self._values(now)
        found = self._execute(
            cr,
            """
            SELECT blocked_until, blocked_by, minute_ends, minute_left, day_left, day_ends, noted_at,
                   %(day_reserve)s + %(hourly)s * EXTRACT(EPOCH FROM day_ends - %(now)s) / 3600
              FROM xero_budget WHERE app_id = %(app)s AND tenant_id = %(tenant)s
            """,
            values,
        )
        if not found:
            return errors.XeroDenied(_lt("The Xero app of this connection was deleted."), code="configuration")
        blocked_until, blocked_by, minute_ends, minute_left, day_left, day_ends, noted_at, day_reserve = found[0]
        if blocked_until and now < blocked_until <= values["longest"]:
            return _refused(blocked_by or "minute", (blocked_until - now).total_seconds())
        if now < minute_ends <= values["minute_ends"] and minute_left <= self._minute_reserve:
            limit = "minute" if minute_left <= 0 else "reserve"
            return _refused(limit, (minute_ends - now).total_seconds())
        if now < day_ends <= values["day_ends"] and values["stale"] < noted_at <= now and day_left <= day_reserve:
            # Nobody knows when Xero's day ends; polls go on telling what is left.
            return _refused("day" if day_left <= 0 else "reserve", const.ASK_AGAIN)
        return None

    def _note(self, cr, headers):
        """What the answer says is left replaces our count. More than we thought: a window has begun."""
        now = fields.Datetime.now()
        day, minute = (_number(headers.get(name)) for name in ("X-DayLimit-Remaining", "X-MinLimit-Remaining"))
        values = {
            "app": self._app_id, "tenant": self._tenant_id, "day": day, "minute": minute,
            "minute_ends": now + timedelta(minutes=1), "day_ends": now + timedelta(days=1),
            "slack": const.CALLS_AT_ONCE,
        }
        if day is not None or minute is not None:
            self._execute(
                cr,
                """
                UPDATE xero_budget
                   SET day_left = COALESCE(%(day)s, day_left),
                       day_ends = CASE WHEN %(day)s > day_left + %(slack)s THEN %(day_ends)s ELSE day_ends END,
                       minute_left = COALESCE(%(minute)s, minute_left),
                       minute_ends =
                           CASE WHEN %(minute)s > minute_left + %(slack)s THEN %(minute_ends)s ELSE minute_ends END
                 WHERE app_id = %(app)s AND tenant_id = %(tenant)s
                """,
                values,
            )
        if _number(headers.get("X-AppMinLimit-Remaining")) == 0:
            self._block(cr, "appminute", const.DEFAULT_RETRY_AFTER)

    def _block(self, cr, limit, seconds):
        """Let nobody call before this time is over."""
        until = fields.Datetime.now() + timedelta(seconds=min(seconds, const.LONGEST_LIMIT))
        self._execute(
            cr,
            """
            UPDATE xero_budget
               SET blocked_until = %(until)s, blocked_by = %(limit)s,
                   -- Xero has said when its window ends: the next call is not kept longer by what we had guessed.
                   minute_ends = CASE WHEN %(limit)s = 'minute' THEN LEAST(minute_ends, %(until)s) ELSE minute_ends END,
                   day_ends = CASE WHEN %(limit)s = 'day' THEN LEAST(day_ends, %(until)s) ELSE day_ends END
             WHERE app_id = %(app)s AND (tenant_id = %(tenant)s OR %(whole_app)s)
               AND (blocked_until IS NULL OR blocked_until < %(until)s)
            """,
            {
                "until": until, "limit": limit, "app": self._app_id, "tenant": self._tenant_id,
                "whole_app": limit == "appminute",
            },
        )

    def _execute(self, cr, query, values):
        """Run one statement and commit it, again when another worker was faster.

        :return: its rows, if it gives any
        """
        while True:
            try:
                cr.execute(query, values, log_exceptions=False)
                rows = cr.fetchall() if cr.description else []
                cr.commit()  # pylint: disable=invalid-commit
                return rows
            except psycopg2.errors.SerializationFailure:
                cr.rollback()


def _refused(limit, seconds):
    if limit == "reserve":
        text = _lt("The calls that are left are kept for orders; this follows later, by itself.")
    else:
        text = LIMIT_USED_UP.get(limit) or _lt("Xero's limit of calls is used up.")
    return errors.XeroRetryLater(text, retry_after=max(seconds, 1), limit=limit)


def _number(text):
    return int(text) if (text or "").isdigit() else None
