"""A catalogue of ten thousand items."""

from contextlib import suppress

from odoo.tests import tagged

from .items_case import ItemsCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

MANY = 10_000


@tagged("post_install", "-at_install")
class TestManyItems(ItemsCase):
    def exchange_to_the_end(self, connection):
        """As many runs of the scheduled action as it takes: each has some seconds."""
        self.exchange(connection)
        while connection.next_items:
            self.run_cron("items")

    def test_ten_thousand_items_pulled_twice_are_written_once(self):
        for number in range(MANY):
            self.item(f"CODE-{number}", price=number / 100, name=f"Item {number}")
        self.env["product.product"].create(
            [
                {"name": f"Item {number}", "default_code": f"CODE-{number}", "taxes_id": False}
                for number in range(0, MANY, 10)
            ]
        )
        connection = self.exchanging("pull", item_cost_source="none")
        self.exchange_to_the_end(connection)
        rows = self.env["xero.record"].search([("connection_id", "=", connection.id), ("resource", "=", "item")])
        self.assertEqual(len(rows), MANY)
        self.assertEqual(len(rows.filtered(lambda row: row.state == "done")), MANY // 10)
        self.assertEqual(self.find("CODE-9990").list_price, 99.9)
        stamps = self.stamps()
        connection.items_whole_at = False
        self.fake.reset_log()
        self.exchange_to_the_end(connection)
        self.assertEqual(len(self.fake.calls("GET", "/Items")), 1)
        self.assertTrue(self.stamps() == stamps, "nothing was written")
