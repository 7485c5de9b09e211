from datetime import timedelta

from odoo import fields, models

from .. import const
from ..lib import formats
from ..lib.paging import PageWalk

_OPEN = ("DRAFT", "SUBMITTED", "AUTHORISED", False)


class XeroConnection(models.Model):
    """Asking Xero what became of what was sent: by change, and once a day about everything that is open, as not every
    payment need show as a change (xero-api.md, section 3.2)."""

    _inherit = "xero.connection"

    payment_journal_id = fields.Many2one(
        "account.journal",
        string="Register payments in",
        check_company=True,
        domain=[("type", "in", ("bank", "cash"))],
        help="What an invoice is paid in Xero is registered on Odoo's invoice, too. Empty: the invoice only tells.",
    )
    export_pdf = fields.Boolean(
        string="Attach Xero's PDF", help="To what was sent, once it is approved in Xero. Costs one call for each."
    )
    next_back = fields.Datetime(readonly=True, copy=False)
    back_whole_at = fields.Datetime(readonly=True, copy=False)
    invoice_watermark = fields.Datetime(readonly=True, copy=False)
    credit_note_watermark = fields.Datetime(readonly=True, copy=False)

    def _read_back(self):
        """Bring status, amounts and payments of sent documents up to date, if it is time."""
        worker = self._push_worker()
        now = fields.Datetime.now()
        if not worker or (worker.next_back and worker.next_back > now):
            return
        whole = worker._is_outdated(worker.back_whole_at, timedelta(days=1))
        for resource in ("invoice", "credit_note"):
            domain = worker._sent_domain(resource)
            [(first,)] = self.env["xero.record"]._read_group(domain, aggregates=["create_date:min"])
            if not first:
                continue
            if whole:
                open_rows = self.env["xero.record"].search([*domain, ("xero_status", "in", _OPEN)])
                worker = self._read_open(resource, open_rows)
            if worker:
                worker = self._read_changes(resource, worker[f"{resource}_watermark"] or first)
            if not worker:
                return
        values = {"next_back": now + timedelta(minutes=const.BACK_MINUTES)}
        if whole:
            values["back_whole_at"] = now
        worker.write(values)
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()

    def _sent_domain(self, resource):
        """Documents that are in the organisation's books."""
        return [
            *self._outgoing_domain(),
            ("resource", "=", resource),
            ("external_id", "!=", False),
            ("sent_to", "=", self.tenant_id),
        ]

    def _read_open(self, resource, rows):
        """What is open in our log, whether it changed or not.

        :return: the connection, held again; empty when somebody else took it
        """
        worker = self._push_worker()
        ids = sorted(set(rows.mapped("external_id")))
        for start in range(0, len(ids), const.CONTACTS_PER_CALL):
            if not worker:
                break
            with worker._client(purpose="files") as client:
                elements = client.documents(resource, ids[start : start + const.CONTACTS_PER_CALL])
            self.env["xero.record"]._take_back(worker, resource, elements)
            worker = self._kept_going()
        return worker

    def _read_changes(self, resource, since):
        """Page by page what changed, each with its watermark; see :meth:`_read_open`."""
        worker = self._push_worker()
        walk = PageWalk(since - timedelta(seconds=const.WATERMARK_OVERLAP))
        more = True
        while more and worker:
            with worker._client(purpose="files") as client:
                elements, page_count = client.changed_documents(resource, walk.since, walk.page)
            self.env["xero.record"]._take_back(worker, resource, elements)
            newest = max((formats.stamp(element.get("UpdatedDateUTC")) for element in elements), default="")
            more = walk.advance(formats.instant(newest), page_count)
            mark = walk.mark and walk.mark.replace(microsecond=0)
            if mark and mark > (worker[f"{resource}_watermark"] or mark - timedelta(1)):
                worker[f"{resource}_watermark"] = mark
            worker = self._kept_going()
        return worker

    def _kept_going(self):
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()
        return self._push_worker()
