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
        do not import, and of versions we have already (a replay, the echo of our own writes), ring nothing.

        :param list events: Xero's dicts, of any shape and in any order (xero-api.md, section 6)
        """
        news = {news for event in events if (news := _news(event))}
        if not news:
            return
        # In one statement: Xero waits for the answer, and may ring fifty times a second.
        self.env.cr.execute(
            """
            WITH news AS (SELECT *
                            FROM unnest(%(tenants)s::text[], %(invoices)s::text[], %(stamps)s::text[])
                              AS n (tenant_id, invoice_id, stamp)),
                 rung AS (INSERT INTO xero_bell (connection_id)
                          SELECT c.id
                            FROM xero_connection c
                           WHERE c.app_id = %(app_id)s AND c.active AND c.setup_done
                             AND c.state = 'connected' AND c.sync_interval != 'manual'
                             AND EXISTS (SELECT FROM news n
                                      LEFT JOIN xero_record r
                                             ON r.connection_id = c.id AND r.direction = 'in' AND r.resource = 'invoice'
                                                AND r.external_id = n.invoice_id
                                          WHERE n.tenant_id = c.tenant_id
                                            AND (n.stamp IS NULL OR r.remote_updated IS NULL
                                                 OR r.remote_updated COLLATE "C" < n.stamp))
                       RETURNING connection_id)
            SELECT DISTINCT c.listen_from FROM rung JOIN xero_connection c ON c.id = rung.connection_id
            """,
            dict(zip(("tenants", "invoices", "stamps"), map(list, zip(*news, strict=True)), strict=True))
            | {"app_id": app.id},
        )
        self._wake_poll({listen_from for (listen_from,) in self.env.cr.fetchall()})

    @api.model
    def _wake_poll(self, moments):
        """Have the scheduled action run at these moments, where it will not do so before anyway.

        A turn that waits is as good as one of our own: its row is locked, so the scheduler, which removes it before the
        action begins, does so after we have committed. The action then sees what we wrote, and answers it or comes
        back for it (:meth:`_await_bells`). A row that is being removed already is locked, and so does not count.
        At once, only a turn counts that was due when it was made: of no other was the scheduler told.

        :param moments: datetimes; past ones and None mean at once
        """
        now = fields.Datetime.now()
        cron_id = self.env["ir.model.data"]._xmlid_to_res_id("xero_connector.ir_cron_poll")
        for moment in {max(moment or now, now) for moment in moments}:
            self.env.cr.execute(
                """
                SELECT id FROM ir_cron_trigger
                 WHERE cron_id = %(cron_id)s AND call_at <= %(moment)s
                   AND (call_at <= create_date OR %(moment)s > %(now)s)
                 LIMIT 1 FOR KEY SHARE SKIP LOCKED
                """,
                {"cron_id": cron_id, "moment": moment, "now": now},
            )
            if not self.env.cr.fetchone():
                self.env["ir.cron"].browse(cron_id).sudo()._trigger(at=moment)

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
        budget = self._budgets()[self]
        left = budget._left_today()
        if left is not None and budget.day_ends and budget.day_ends > now:
            seconds = (budget.day_ends - now).total_seconds()
            spare = left - self._looks_per_hour()[self] * seconds / 3600
            pause = min(max(pause, seconds / max(spare, 1)), const.LONGEST_BELL_PAUSE)
        return now + timedelta(seconds=pause)


def _news(event):
    """What an event tells: tenant id, invoice id, and the stamp of that version; the latter two None where it cannot
    be told, which is news whatever we have. None for an event that is not about our documents."""
    category = str(event.get("eventCategory")).upper() if isinstance(event, dict) else ""
    tenant_id = category in _CATEGORIES and _guid(event.get("tenantId"))
    if not tenant_id:
        return None
    invoice_id, stamp = _guid(event.get("resourceId")), formats.stamp(event.get("eventDateUtc"))
    if category != "INVOICE" or not invoice_id or not stamp:
        return tenant_id, None, None
    return tenant_id, invoice_id, stamp


def _guid(value):
    """An id of Xero's in small letters, None when it is none: nothing else may reach a query."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _GUID.fullmatch(text) else None
