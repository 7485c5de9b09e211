import math
from datetime import timedelta

from odoo import api, fields, models

from .. import const
from .xero_budget import Meter

_LOOKS_PER_HOUR = {"five_minutes": 12, "daily": 1 / 24}
_DAY = timedelta(days=1)


class XeroConnection(models.Model):
    """The calls Xero still allows: who may use them, what is left, and whether it will do."""

    _inherit = "xero.connection"

    calls_left_today = fields.Integer(compute="_compute_budget", help="As Xero said with its last answer.")
    calls_needed_today = fields.Integer(compute="_compute_budget", help="Until Xero's day begins anew.")
    budget_level = fields.Selection([("ok", "Enough"), ("short", "Short")], compute="_compute_budget")
    budget_text = fields.Char(string="Calls", compute="_compute_budget")

    @api.depends("app_id.tier", "tenant_id", "sync_interval", "state")
    def _compute_budget(self):
        now = fields.Datetime.now()
        waiting = self._calls_waiting()
        for connection in self:
            budget = connection._budget()
            left = budget._left_today()
            connection.calls_left_today = left or 0
            ends = budget.day_ends if budget.day_ends and budget.day_ends > now else now + _DAY
            looks = math.ceil(connection._looks_per_hour() * (ends - now).total_seconds() / 3600)
            needed = looks + waiting.get(connection, 0)
            connection.calls_needed_today = needed
            connection.budget_level = "ok" if left is None or needed <= left else "short"
            connection.budget_text = left is not None and connection._budget_sentence(budget, looks)

    def _budget_sentence(self, budget, looks):
        _ = self.env._
        text = _(
            "%(left)s of %(cap)s left today, %(minute)s this minute. Still needed today: %(looks)s to look for "
            "invoices, %(rest)s for what waits.",
            left=budget._left_today(),
            cap=budget._cap(),
            minute=budget._left_this_minute(),
            looks=looks,
            rest=self.calls_needed_today - looks,
        )
        if self.budget_level == "short":
            more = _("That is more than is left: orders come first, PDFs and notes follow when Xero's day begins anew.")
            text = f"{text} {more}"
        return text

    def _calls_waiting(self):
        """Calls for what is in the log already: addresses, PDFs, notes.

        :return: dict ``connection -> calls``
        """
        records = self.env["xero.record"].sudo()  # counts only
        here = [("connection_id", "in", self.ids), ("direction", "=", "in"), ("resource", "=", "invoice")]
        pending = records._read_group([*here, ("state", "=", "pending")], ["connection_id"], ["__count"])
        files = records._read_group([*here, ("files_state", "=", "waiting")], ["connection_id"], ["__count"])
        calls = {}
        for connection, count in pending:
            calls[connection] = math.ceil(count / const.CONTACTS_PER_CALL) + count * connection._calls_per_import()
        for connection, count in files:
            calls[connection] = calls.get(connection, 0) + count * connection._calls_per_import()
        return {connection.sudo(False): count for connection, count in calls.items()}

    def _calls_per_import(self):
        """Calls each imported invoice costs by itself."""
        return self.attach_pdf + self.attach_files + (self.note_target != "none")

    def _looks_per_hour(self):
        """How often this organisation is asked for news by the clock, by all of the app's connections to it."""
        # sudo: other companies' connections share the calls
        sharing = self.sudo().search(
            [("app_id", "=", self.app_id.id), ("tenant_id", "=", self.tenant_id), ("state", "=", "connected")]
        )
        return sum(_LOOKS_PER_HOUR.get(connection.sync_interval, 0) for connection in sharing)

    def _budget(self):
        """The organisation's row of the budget; empty where nobody has asked it yet."""
        self.ensure_one()
        # sudo: a budget is shared by connections of all companies
        return self.env["xero.budget"].sudo().search(
            [("app_id", "=", self.app_id.id), ("tenant_id", "=", self.tenant_id)], limit=1
        )

    def _meter(self, purpose):
        """:param str purpose: ``orders``, ``files`` or ``history``, see :class:`Meter`"""
        hourly = 0 if purpose == "orders" else self._looks_per_hour()
        return Meter(self.app_id, self.tenant_id, purpose, hourly)
