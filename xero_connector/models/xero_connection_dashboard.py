import json
from collections import Counter
from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

GRAPH_DAYS = 30


class XeroConnection(models.Model):
    """The first screen: what each connection did today and in the last 30 days, and what it needs. All figures come
    from few grouped queries, however many connections are shown."""

    _inherit = "xero.connection"

    status_text = fields.Char(string="Status", compute="_compute_status_text")
    next_step = fields.Selection(
        [
            ("setup", "Go on with the set-up"),
            ("choose", "Choose the organisation"),
            ("connect", "Connect to Xero"),
            ("reconnect", "Reconnect to Xero"),
            ("resume", "Resume"),
            ("mend", "Mend what failed"),
            ("import", "Import now"),
            ("send", "Send now"),
            ("exchange", "Exchange products"),
        ],
        compute="_compute_next_step",
        help="What a person would do next.",
    )
    imported_today = fields.Integer(compute="_compute_today")
    sent_today = fields.Integer(compute="_compute_today")
    failed_today = fields.Integer(compute="_compute_today", help="What began to fail today and still does.")
    dashboard_graph = fields.Text(compute="_compute_today", help="What was done in the last 30 days, as JSON.")
    calls_cap_today = fields.Integer(compute="_compute_calls_used", help="What Xero allows a day.")
    calls_used_percent = fields.Integer(compute="_compute_calls_used")

    # === COMPUTES === #

    @api.depends("state", "failed_turns", "setup_done")
    @api.depends_context("lang")
    def _compute_status_text(self):
        states = dict(self._fields["state"]._description_selection(self.env))
        for connection in self:
            text = states[connection.state]
            if connection.needs_attention:
                text = states["error"]
            elif connection.state == "connected" and not connection.setup_done:
                text = self.env._("Set-up not finished")
            connection.status_text = text

    @api.depends("state", "setup_done", "error_code", "import_orders", "export_source", "active")
    def _compute_next_step(self):
        for connection in self:
            connection.next_step = connection.active and connection._next_step()

    def _next_step(self):
        if self.needs_choice:
            return "choose"
        if not self.setup_done:
            return "setup"
        if self.state == "draft":
            return "connect"
        if self.state == "error" or self.missing_scopes or self.error_code == "reconnect":
            return "reconnect"
        if self.state == "paused":
            return "resume"
        if self.import_orders:
            # Until something came, what keeps it from coming is what matters.
            return "mend" if self.failed_count and not self.done_count else "import"
        return "send" if self.export_source != "none" else "exchange"

    @api.depends_context("tz", "lang")
    def _compute_today(self):
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=ago) for ago in reversed(range(GRAPH_DAYS))]
        records = self.env["xero.record"]
        imported, sent = Counter(), Counter()
        for connection, direction, moment, count in records._read_group(
            [*self._documents_domain(), ("state", "=", "done"), ("first_done_at", ">=", self._begin_of(days[0]))],
            ["connection_id", "direction", "first_done_at:day"],
            ["__count"],
        ):
            counter = imported if direction == "in" else sent
            counter[connection.id, moment.date()] += count
        failed = dict(
            records._read_group(
                [
                    ("connection_id", "in", self.ids),
                    ("state", "=", "failed"),
                    ("failed_at", ">=", self._begin_of(today)),
                ],
                ["connection_id"],
                ["__count"],
            )
        )
        for connection in self:
            counts = {day: (imported[connection.id, day], sent[connection.id, day]) for day in days}
            connection.imported_today, connection.sent_today = counts[today]
            connection.failed_today = failed.get(connection, 0)
            connection.dashboard_graph = connection._graph(counts)

    def _documents_domain(self):
        """The rows of what people call a document: invoices from Xero, and what is sent there."""
        incoming = [("direction", "=", "in"), ("resource", "=", "invoice")]
        return Domain("connection_id", "in", self.ids) & (Domain(incoming) | Domain(self._outgoing_domain()))

    @api.model
    def _begin_of(self, day):
        """:return: the instant in UTC at which this day begins for the user"""
        zone = pytz.timezone(self.env.context.get("tz") or self.env.user.tz or "UTC")
        return zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)

    def _graph(self, counts):
        """:param dict counts: ``day -> (imported, sent)``
        :return: JSON for the bars on the card, heights in percent of the busiest day; False where nothing happened
        """
        most = max(imported + sent for imported, sent in counts.values())
        if not most:
            return False
        bars = [
            {
                "text": self._graph_text(day, imported, sent),
                "imported": 100 * imported / most,
                "sent": 100 * sent / most,
            }
            for day, (imported, sent) in counts.items()
        ]
        return json.dumps(bars)

    def _graph_text(self, day, imported, sent):
        parts = []
        if imported or self.import_orders:
            parts.append(self.env._("%s imported", imported))
        if sent or self.export_source != "none":
            parts.append(self.env._("%s sent", sent))
        return f"{format_date(self.env, day, date_format='d MMM')}: {', '.join(parts)}"

    @api.depends("app_id.tier", "tenant_id")
    def _compute_calls_used(self):
        budgets = self._budgets()
        for connection in self:
            budget = budgets[connection]
            left = budget._left_today()
            cap = budget._cap() if budget else 0
            connection.calls_cap_today = cap
            connection.calls_used_percent = 0 if left is None or not cap else round(100 * (cap - max(left, 0)) / cap)

    # === DOORS === #

    def action_next_step(self):
        """Do what a person would do next with this connection."""
        self.ensure_one()
        steps = {
            "setup": self.action_setup,
            "choose": self.action_choose_organisation,
            "connect": self.action_connect,
            "reconnect": self.action_connect,
            "resume": self.action_resume,
            "mend": self.action_view_problems,
            "import": self.action_import_now,
            "send": self.action_push_now,
            "exchange": self.action_exchange_items,
        }
        return steps[self.next_step]()

    def action_view_orders(self):
        """The orders this connection made."""
        return self._documents_action("xero_connector.action_sale_order")

    def action_view_transfers(self):
        """The transfers of this connection's orders, and those made without an order."""
        return self._documents_action("xero_connector.action_stock_picking")

    def _documents_action(self, name):
        action = self.env["ir.actions.act_window"]._for_xml_id(name)
        return action | {"domain": [("xero_connection_id", "in", self.ids)], "context": {}}

    # === NOTHING HERE YET === #

    @api.model
    def get_empty_list_help(self, help_message):
        """Who begins is led: the app first, then the connection."""
        # Odoo asks as superuser.
        mine = self.sudo(False)
        if not mine.has_access("create") or mine.search_count([], limit=1):
            return super().get_empty_list_help(help_message)
        values = {"has_app": bool(mine.env["xero.app"].search_count([], limit=1))}
        return self.env["ir.qweb"]._render("xero_connector.first_steps", values)
