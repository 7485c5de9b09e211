from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

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

        :return: rows deleted, and whether there may be more: in bites, each of which Odoo commits before the next
        """
        connections = self.env["xero.connection"].with_context(active_test=False).search([("log_days", ">", 0)])
        for held in connections.grouped("log_days").values():
            for nothing_to_do in self._nothing_to_do_domains():
                if rows := self.search(self._finished_domain(held) & nothing_to_do, order="id", limit=_ROWS_AT_ONCE):
                    rows.unlink()
                    return len(rows), 1
        return 0, 0

    @api.model
    def _finished_domain(self, connections):
        """:param connections: that keep their rows equally long"""
        return Domain(
            [
                ("connection_id", "in", connections.ids),
                ("resource", "=", "invoice"),
                # Of what goes to Xero only notes on deliveries are over once they are written.
                "|",
                ("direction", "=", "in"),
                ("res_model", "=", "stock.picking"),
                ("state", "in", ("done", "skipped")),
                "|",
                ("problem_code", "=", False),
                ("problem_code", "not in", ("ignored", "deleted_here")),
                ("done_at", "<", fields.Datetime.now() - timedelta(days=connections[0].log_days)),
                ("files_state", "!=", "waiting"),
            ]
        )

    @api.model
    def _nothing_to_do_domains(self):
        """Rows that became nothing, and those whose document is there and delivered; one that is gone without a word is
        not. Each by itself: PostgreSQL would look through all orders for an alternative of them."""
        yield Domain("res_id", "=", False)
        for name in DOCUMENT_MODELS.values():
            model = self.env[name]
            delivered = model._search(model._xero_delivered_domain())
            yield Domain("res_model", "=", name) & Domain("res_id", "in", delivered.subselect())
