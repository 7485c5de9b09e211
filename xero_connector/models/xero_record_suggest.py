from odoo import api, models

from .. import const
from ..lib.likeness import Candidates


class XeroRecord(models.Model):
    """Which product an item may be, where none has its code."""

    _inherit = "xero.record"

    @api.model
    def _suggest_products(self, connection):
        """Look for the likeliest product of one batch of items.

        :return: whether there was anything to do
        """
        rows = self.search(
            [("connection_id", "=", connection.id), ("wants_suggestion", "=", True)],
            order="id",
            limit=const.BATCH_SIZE,
        )
        if rows:
            products, candidates = self._candidates(connection)
            for row in rows:
                product_id, score = candidates.best(row.number, row.reference)
                row.write(
                    {
                        "suggestion_id": products.browse(product_id).id,
                        "suggestion_score": score,
                        "wants_suggestion": False,
                    }
                )
        return bool(rows)

    @api.model
    def _withdraw_suggestions(self, bindings):
        """The products of these bindings are taken: other items they were suggested for look for another one."""
        for connection, taken in bindings.grouped("connection_id").items():
            rows = self.search(
                [
                    *connection._item_rows_domain(),
                    ("suggestion_id", "in", taken.mapped("res_id")),
                    ("external_id", "not in", taken.mapped("external_id")),
                ]
            )
            rows.write({"suggestion_id": False, "suggestion_score": 0, "wants_suggestion": True})

    @api.model
    def _candidates(self, connection):
        """The products that are free for an item of this connection."""
        products = connection.env["product.product"].search_fetch(
            connection._item_domain(), ["default_code", "barcode", "name"]
        )
        # Several products may be one item, but no product is several.
        bound = self.env["xero.binding"].search_fetch(
            [("connection_id", "=", connection.id), ("resource", "=", "item")], ["res_id"]
        )
        products -= products.browse(bound.mapped("res_id"))
        return products, Candidates(
            [(product.id, (product.default_code, product.barcode), product.name) for product in products]
        )
