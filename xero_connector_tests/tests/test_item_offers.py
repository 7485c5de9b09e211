"""What the mapping screen offers can be done, and what can be done is offered."""

from odoo.tests import tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestOffers(ItemsCase):
    def reading(self, way="none", **settings):
        """A connection that has read Xero's catalogue."""
        self.exchange(connection := self.exchanging(way, **settings))
        return connection

    def line(self, connection, item=None, product=None):
        wanted = ("item_code", "=", item["Code"]) if item else ("product_id", "=", product.id)
        return self.env["xero.item.match"].search([("connection_id", "=", connection.id), wanted])

    # === SUGGESTIONS === #

    def test_a_product_that_is_mapped_is_suggested_for_no_other_item_even_where_items_may_be_shared(self):
        self.item("KETTLE-1", name="Copper kettle")
        other = self.item("KETTLE 1", name="Copper kettle")
        self.product("KETTLE-1", "Copper kettle", 5)
        connection = self.reading(allow_shared_item=True)
        self.assertFalse(self.line(connection, other).suggestion_id)

    def test_a_suggestion_whose_product_is_taken_is_withdrawn_and_looked_for_anew(self):
        first, second = self.item("K-1", name="Copper kettle"), self.item("K-2", name="Copper kettles")
        kettle = self.product("KETTLE", "Copper kettle", 5)
        smaller = self.product("SMALL", "Copper kettle small", 4)
        connection = self.reading()
        line = self.line(connection, second)
        self.assertEqual(line.suggestion_id, kettle)
        self.line(connection, first).action_accept()
        line.invalidate_recordset()
        self.assertFalse(line.suggestion_id)
        self.exchange(connection)
        line.invalidate_recordset()
        self.assertEqual(line.suggestion_id, smaller)

    # === PRODUCTS ONLY HERE === #

    def test_products_only_here_stay_on_the_screen_while_the_catalogue_is_read_anew(self):
        lamp = self.product("LAMP", "Lamp", 5)
        connection = self.exchanging("none")
        self.assertFalse(self.line(connection, product=lamp), "nothing is known of Xero's catalogue yet")
        self.exchange(connection)
        connection.action_exchange_items()
        self.assertEqual(self.line(connection, product=lamp).status, "product_only")

    def test_only_products_the_connection_exchanges_are_offered(self):
        lamp, raw = self.product("LAMP", "Lamp", 5), self.product("BRASS", "Brass", 5, sale_ok=False)
        connection = self.reading(item_product_domain="[('sale_ok', '=', True)]")
        other = self.connect(self.fake.add_organisation("Workshop"), item_interval="manual",
                             item_product_domain="[('sale_ok', '=', False)]")
        self.exchange(other)
        self.assertTrue(self.line(connection, product=lamp))
        self.assertFalse(self.line(connection, product=raw))
        self.assertFalse(self.line(other, product=lamp))
        self.assertTrue(self.line(other, product=raw))

    def test_who_creates_a_product_that_the_filter_keeps_out_is_told(self):
        first, second = self.item("CHAIR"), self.item("TABLE")
        connection = self.reading(way="pull", item_product_domain="[('default_code', '!=', 'TABLE')]")
        told = self.line(connection, first).action_create_here()["params"]
        self.assertEqual((told["type"], told["message"]), ("success", "Products created: 1."))
        told = self.line(connection, second).action_create_here()["params"]
        self.assertEqual(told["type"], "warning")
        self.assertIn("keeps 1 of them out", told["message"])
