from datetime import timedelta

from odoo import api, fields, models

from .import_draft import DOCUMENT_MODELS

_ROWS_AT_ONCE = 1000


class XeroRecord(models.Model):
    """How long the log remembers."""

    _inherit = "xero.record"

    @api.autovacuum
    def _gc_finished(self):
        """Delete finished rows of imported invoices when their connection's time is over. Contacts and items are few,
        tell where goods were sent, and what the catalogue is. What went to Xero may change or be refunded as long as
        its document stands, and a payment whose row is gone would be registered twice: they stay, too.

        What failed stays until somebody mends it, what is ignored or was deleted here stays so that it does not come
        back, and an order that is not delivered yet keeps its row, so that it can follow its invoice.
        """
        connections = self.env["xero.connection"].with_context(active_test=False).search([("log_days", ">", 0)])
        for connection in connections:
            last_id = 0
            while rows := self.search(
                [*self._finished_domain(connection), ("id", ">", last_id)], order="id", limit=_ROWS_AT_ONCE
            ):
                last_id = rows[-1].id
                rows._without_open_documents().unlink()

    @api.model
    def _finished_domain(self, connection):
        return [
            ("connection_id", "=", connection.id),
            ("resource", "=", "invoice"),
            # Of what goes to Xero only notes on deliveries are over once they are written.
            "|",
            ("direction", "=", "in"),
            ("res_model", "=", "stock.picking"),
            ("state", "in", ("done", "skipped")),
            "|",
            ("problem_code", "=", False),
            ("problem_code", "not in", ("ignored", "deleted_here")),
            ("done_at", "<", fields.Datetime.now() - timedelta(days=connection.log_days)),
        ]

    def _without_open_documents(self):
        """These rows without those whose document is still to be delivered, or is gone without a word."""
        kept = self.filtered(lambda row: row.files_state == "waiting")
        for model in DOCUMENT_MODELS.values():
            rows = (self - kept).filtered(lambda row, model=model: row.res_id and row.res_model == model)
            over = set(self.env[model].browse(rows.mapped("res_id")).exists()._xero_finished().ids)
            kept |= rows.filtered(lambda row, over=over: row.res_id not in over)
        return self - kept
