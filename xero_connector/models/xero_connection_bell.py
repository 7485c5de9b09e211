import re
from datetime import timedelta

from odoo import api, fields, models

from .. import const
from ..lib import formats

# What may have changed an invoice. A credit note's own event comes when it is allocated.
_CATEGORIES = ("INVOICE", "CREDITNOTE")
_GUID = re.compile(r"[0-9a-f-]{36}")


class XeroConnection(models.Model):
    """Webhooks ring; the poll answers with one question for all that changed, however many events there were."""

    _inherit = "xero.connection"

    bell_ids = fields.One2many("xero.bell", "connection_id", groups="base.group_system")
    listen_from = fields.Datetime(readonly=True, copy=False, help="Webhooks are answered from this moment on.")

    @api.model
    def _ring_bells(self, app, events):
        """Have the organisations asked that these events are about. Events of organisations we do not know, of what we
        do not import, and of versions we have already, ring nothing.

        :param list events: Xero's dicts, of any shape and in any order (xero-api.md, section 6)
        """
        wanted = {}
        for event in events:
            if isinstance(event, dict) and str(event.get("eventCategory")).upper() in _CATEGORIES:
                wanted.setdefault(_guid(event.get("tenantId")), []).append(event)
        wanted.pop(None, None)
        if not wanted:
            return
        connections = self.search(
            [
                ("app_id", "=", app.id),
                ("tenant_id", "in", list(wanted)),
                ("state", "=", "connected"),
                ("setup_done", "=", True),
                ("sync_interval", "!=", "manual"),
            ]
        )
        ringing = connections.filtered(lambda c: c._is_news(wanted[c.tenant_id.lower()]))
        if ringing:
            self.env["xero.bell"].create([{"connection_id": connection.id} for connection in ringing])
            now = fields.Datetime.now()
            moments = {max(connection.listen_from or now, now) for connection in ringing}
            self.env.ref("xero_connector.ir_cron_poll")._trigger(at=moments)

    def _is_news(self, events):
        """Whether one of these events is about a version we do not have: a replay and the echo of our own writes are
        not. An event that cannot be read is news."""
        self.ensure_one()
        latest = {}
        for event in events:
            stamp = formats.stamp(event.get("eventDateUtc"))
            invoice_id = _guid(event.get("resourceId"))
            if not stamp or not invoice_id or str(event["eventCategory"]).upper() != "INVOICE":
                return True
            latest[invoice_id] = max(stamp, latest.get(invoice_id, stamp))
        rows = self.env["xero.record"].search_fetch(
            [
                ("connection_id", "=", self.id),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("external_id", "in", list(latest)),
            ],
            ["external_id", "remote_updated"],
        )
        held = {row.external_id.lower(): row.remote_updated or "" for row in rows}
        return any(held.get(invoice_id, "") < stamp for invoice_id, stamp in latest.items())

    @api.model
    def _await_bells(self):
        """Wake the scheduled action again for the rings it could not answer now: they came while it asked Xero, or
        another worker has the connection. Their own trigger is used up."""
        now = fields.Datetime.now()
        waiting = self.search([("state", "=", "connected"), ("setup_done", "=", True), ("bell_ids", "!=", False)])
        moments = set()
        for connection in waiting:
            known = [at for at in (connection.listen_from, connection.blocked_until) if at and at > now]
            moments.add(max(known, default=now + timedelta(seconds=const.BELL_PAUSE)))
        if moments:
            self.env.ref("xero_connector.ir_cron_poll").sudo()._trigger(at=moments)

    def _next_listening(self, now):
        """When webhooks are answered again: after some seconds, which collect a burst into one question, or later where
        the day's calls would not last."""
        pause = const.BELL_PAUSE
        budget = self._budget()
        left = budget._left_today()
        if left is not None and budget.day_ends and budget.day_ends > now:
            seconds = (budget.day_ends - now).total_seconds()
            spare = left - self._looks_per_hour() * seconds / 3600
            pause = min(max(pause, seconds / max(spare, 1)), const.LONGEST_BELL_PAUSE)
        return now + timedelta(seconds=pause)


def _guid(value):
    """An id of Xero's in small letters, None when it is none: nothing else may reach a query."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _GUID.fullmatch(text) else None
