import math
from datetime import timedelta

from odoo import api, fields, models

from .. import const
from .xero_budget import Meter

_LOOKS_PER_HOUR = {"five_minutes": 12, "hourly": 1, "daily": 1 / 24}
# What became of invoices and of credit notes is asked for apart.
_ASKS_PER_HOUR = 2 * 60 / const.BACK_MINUTES
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
        waiting, budgets, hourly = self._calls_waiting(), self._budgets(), self._looks_per_hour()
        for connection in self:
            budget = budgets[connection]
            left = budget._left_today()
            connection.calls_left_today = left or 0
            ends = budget.day_ends if budget.day_ends and budget.day_ends > now else now + _DAY
            looks = math.ceil(hourly[connection] * (ends - now).total_seconds() / 3600)
            needed = looks + waiting.get(connection.id, 0)
            connection.calls_needed_today = needed
            connection.budget_level = "ok" if left is None or needed <= left else "short"
            connection.budget_text = left is not None and connection._budget_sentence(budget, looks)

    def _budget_sentence(self, budget, looks):
        _ = self.env._
        text = _(
            "%(left)s of %(cap)s left today, %(minute)s this minute. Still needed today: %(looks)s to look for "
            "news, %(rest)s for what waits.",
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
        """Calls for what is in the log already: addresses, PDFs, notes, products to send.

        :return: dict ``connection id -> calls``
        """
        records = self.env["xero.record"].sudo()  # counts only
        here = [("connection_id", "in", self.ids), ("direction", "=", "in"), ("resource", "=", "invoice")]
        pending = records._read_group([*here, ("state", "=", "pending")], ["connection_id"], ["__count"])
        files = records._read_group([*here, ("files_state", "=", "waiting")], ["connection_id"], ["__count"])
        sending = [("connection_id", "in", self.ids), ("direction", "=", "out"), ("state", "=", "pending")]
        items = records._read_group([*sending, ("resource", "=", "item")], ["connection_id"], ["__count"])
        calls = {connection.id: math.ceil(count / const.ITEMS_PER_CALL) for connection, count in items}
        for connection, count in pending:
            addresses = math.ceil(count / const.CONTACTS_PER_CALL)
            imports = addresses + count * connection._calls_per_import()
            calls[connection.id] = calls.get(connection.id, 0) + imports
        for connection, count in files:
            calls[connection.id] = calls.get(connection.id, 0) + count * connection._calls_per_import()
        return calls

    def _calls_per_import(self):
        """Calls each imported invoice costs by itself."""
        return self.attach_pdf + self.attach_files + (self.note_target != "none")

    def _looks_per_hour(self):
        """How often these organisations are asked for news by the clock, by all of the app's connections to each.

        :return: dict ``connection -> times an hour``
        """
        groups = (
            # sudo: other companies' connections share the calls
            self.env["xero.connection"]
            .sudo()
            ._read_group(
                [
                    ("app_id", "in", self.app_id.ids),
                    ("tenant_id", "in", self.mapped("tenant_id")),
                    ("state", "=", "connected"),
                ],
                [
                    "app_id",
                    "tenant_id",
                    "import_orders",
                    "sync_interval",
                    "item_sync",
                    "item_interval",
                    "export_source",
                ],
                ["__count"],
            )
        )
        times = {}
        for app, tenant_id, imports, interval, item_sync, item_interval, export_source, count in groups:
            key = (app.id, tenant_id)
            looks = _LOOKS_PER_HOUR.get(interval, 0) if imports else 0
            looks += _ASKS_PER_HOUR if export_source != "none" else 0
            if item_sync != "none":
                looks += _LOOKS_PER_HOUR.get(item_interval, 0)
            times[key] = times.get(key, 0) + count * looks
        return {connection: times.get((connection.app_id.id, connection.tenant_id), 0) for connection in self}

    def _budgets(self):
        """The rows of the budget of these organisations.

        :return: dict ``connection -> budget``, an empty one where nobody has asked Xero yet
        """
        # sudo: a budget is shared by connections of all companies
        budgets_sudo = self.env["xero.budget"].sudo()
        domain = [("app_id", "in", self.app_id.ids), ("tenant_id", "in", self.mapped("tenant_id"))]
        found = {(budget.app_id.id, budget.tenant_id): budget for budget in budgets_sudo.search(domain)}
        # What is stored counts, not what somebody types into a form: other organisations' calls are not theirs to see.
        keys = {connection: connection._origin for connection in self}
        return {one: found.get((stored.app_id.id, stored.tenant_id), budgets_sudo) for one, stored in keys.items()}

    def _meter(self, purpose):
        """:param str purpose: ``orders``, ``files`` or ``history``, see :class:`Meter`"""
        hourly = 0 if purpose == "orders" else self._looks_per_hour()[self]
        return Meter(self.app_id, self.tenant_id, purpose, hourly)
