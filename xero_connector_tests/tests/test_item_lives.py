"""Archived, deleted, kept out, renamed: what becomes of a pair when one of both goes its own way."""

from odoo.tests import tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestGone(ItemsCase):
    def pair(self, way="both", **settings):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging(way, **settings))
        return item, lamp, connection

    def delete_there(self, item):
        table = self.org.tables["Items"]
        table.remove(self.org.record("Items", item["ItemID"]))

    def tomorrow(self, connection):
        """The next turn that reads the whole list."""
        connection.items_whole_at = False
        self.exchange(connection)

    def test_an_item_deleted_in_xero_leaves_its_product_and_says_so(self):
        domain = "[('default_code', '=', 'LAMP')]"
        item, lamp, connection = self.pair(item_create_there=True, item_product_domain=domain)
        self.item("OTHER")
        self.delete_there(item)
        self.tomorrow(connection)
        self.assertTrue(lamp.active)
        self.assertEqual(self.row(item).problem_code, "deleted")
        self.assertIn("deleted in Xero", self.row(item).reason)
        lamp.list_price = 99
        self.exchange(connection)
        self.assertEqual(self.written(), [], "what somebody deleted is not made again")

    def test_an_item_deleted_in_xero_archives_its_product_where_that_is_wanted(self):
        item, lamp, connection = self.pair(item_gone_action="archive")
        self.item("OTHER")
        self.delete_there(item)
        self.tomorrow(connection)
        self.assertFalse(lamp.active)

    def test_a_product_in_stock_is_not_archived(self):
        item, lamp, connection = self.pair(item_gone_action="archive")
        self.env["stock.quant"]._update_available_quantity(lamp, self.warehouse.lot_stock_id, 3)
        self.item("OTHER")
        self.delete_there(item)
        self.tomorrow(connection)
        self.assertTrue(lamp.active)
        self.assertIn("in stock", self.row(item).reason)

    def test_a_list_without_any_item_is_not_believed(self):
        item, lamp, connection = self.pair(item_gone_action="archive")
        self.delete_there(item)
        self.tomorrow(connection)
        self.assertTrue(lamp.active)
        self.assertEqual(self.row(item).state, "done")

    def test_an_item_made_anew_under_the_code_is_found_again(self):
        item, lamp, connection = self.pair()
        self.item("OTHER")
        self.delete_there(item)
        self.tomorrow(connection)
        again = self.item("LAMP", price=12)
        self.exchange(connection)
        self.assertEqual(self.row(again).res_id, lamp.id)

    def test_an_archived_product_is_left_alone_and_goes_on_when_it_is_restored(self):
        item, lamp, connection = self.pair()
        lamp.action_archive()
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 10)
        self.assertEqual(self.row(item).problem_code, "archived_here")
        self.assertEqual(self.written(), [])
        lamp.action_unarchive()
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 12)
        self.assertEqual(self.row(item).state, "done")

    def test_a_deleted_product_does_not_come_back_by_itself_and_its_item_stays(self):
        item, lamp, connection = self.pair(item_create_here=True)
        lamp.unlink()
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.tomorrow(connection)
        self.assertFalse(self.find("LAMP"))
        self.assertEqual(self.row(item).problem_code, "deleted_here")
        self.assertTrue(self.stored(item))
        self.assertEqual(self.written(), [])

    def test_a_product_kept_out_by_its_switch_is_left_alone_in_both_directions(self):
        item, lamp, connection = self.pair()
        lamp.xero_exchange = False
        lamp.list_price = 20
        self.exchange(connection)
        self.assertEqual(self.written(), [])
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 20)
        self.assertEqual(self.row(item).problem_code, "kept_out")

    def test_the_connections_filter_keeps_products_out(self):
        kept = self.product("IN", "IN", 1)
        out = self.product("OUT", "OUT", 1)
        self.exchange(
            self.exchanging("push", item_create_there=True, item_product_domain=f"[('id', '=', {kept.id})]")
        )
        self.assertEqual([item["Code"] for item in self.items()], ["IN"])
        self.assertFalse(self.out(out))

    def test_a_renamed_code_follows_in_either_direction(self):
        item, lamp, connection = self.pair()
        lamp.default_code = "LAMP-2"
        self.exchange(connection)
        self.assertEqual(self.stored(item)["Code"], "LAMP-2")
        self.org.update("Items", item["ItemID"], Code="LAMP-3")
        self.exchange(connection)
        self.assertEqual(lamp.default_code, "LAMP-3")

    def test_a_code_another_product_has_is_not_taken_from_xero(self):
        item, lamp, connection = self.pair()
        other = self.product("TAKEN", "Other", 1)
        self.org.update("Items", item["ItemID"], Code="TAKEN")
        self.exchange(connection)
        self.assertEqual((lamp.default_code, other.default_code), ("LAMP", "TAKEN"))
        self.assertIn("has this internal reference", self.row(item).reason)

    def test_a_change_of_the_settings_compares_everything_anew(self):
        item, lamp, connection = self.pair("pull")
        lamp.list_price = 20
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["UnitPrice"], 10)
        connection.item_sync = "both"
        self.consent(connection, self.org)
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["UnitPrice"], 20)


    def test_text_of_strangers_is_told_as_text(self):
        hostile = '<img src="x" onerror="alert(1)">'
        item = self.item("LAMP", name=f"{hostile} there", description="before")
        lamp = self.product("LAMP", f"{hostile} there", 10, description_sale="before")
        self.exchange(connection := self.exchanging("both"))
        self.org.update("Items", item["ItemID"], Description=hostile)
        lamp.description_sale = f"{hostile} here"
        self.exchange(connection)
        self.assertEqual(lamp.description_sale, hostile)
        told = self.chatter(lamp).filtered(lambda message: "both sides differ" in message.body)
        self.assertTrue(told)
        self.assertNotIn("<img", told.body)

    def test_what_waits_to_be_sent_is_told_when_the_connection_stops_sending(self):
        product = self.product("CHAIR", "Chair", 1)
        connection = self.exchanging("pull", item_create_there=True, item_product_domain=f"[('id', '=', {product.id})]")
        connection.item_sync = "push"
        self.exchange(connection)
        self.assertEqual(self.out(product).state, "pending")
        connection.item_sync = "pull"
        self.assertEqual(self.out(product).problem_code, "kept_out")


@tagged("post_install", "-at_install")
class TestOneWay(ItemsCase):
    def test_a_connection_that_only_takes_never_writes_to_xero(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("pull"))
        lamp.list_price = 20
        self.product("NEW", "NEW", 1)
        self.exchange(connection)
        self.assertEqual(self.written(), [])
        self.assertEqual((lamp.list_price, self.stored(item)["SalesDetails"]["UnitPrice"]), (20, 10))
        self.assertIn("sends nothing to Xero", self.row(item).reason)

    def test_a_connection_that_only_sends_changes_no_product(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("push"))
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.item("NEW", price=1)
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 10)
        self.assertFalse(self.find("NEW"))

    def test_a_connection_that_exchanges_nothing_reads_the_catalogue_when_asked_and_writes_no_value(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "Lamp", 5)
        self.exchange(connection := self.exchanging("none"))
        self.assertEqual((lamp.list_price, lamp.name), (5, "Lamp"))
        self.assertEqual(self.row(item).res_id, lamp.id)
        self.assertEqual(self.written(), [])
        self.assertFalse(connection.next_items)

    def test_the_scope_for_writing_is_asked_for_only_where_products_are_sent(self):
        scopes = {}
        for way in ("none", "pull", "push", "both"):
            connection = self.env["xero.connection"].new({"app_id": self.app.id, "item_sync": way})
            scopes[way] = {scope for scope in connection._required_scopes() if "settings" in scope}
        self.assertEqual(scopes["none"], {"accounting.settings.read"})
        self.assertEqual(scopes["pull"], {"accounting.settings.read"})
        self.assertEqual(scopes["push"], {"accounting.settings"})
        self.assertEqual(scopes["both"], {"accounting.settings"})

    def test_the_scope_for_writing_may_be_the_other_one(self):
        self.app.item_scope = "accounting.invoices"
        connection = self.env["xero.connection"].new({"app_id": self.app.id, "item_sync": "push"})
        self.assertIn("accounting.invoices", connection._required_scopes())
        self.assertIn("accounting.settings.read", connection._required_scopes())
        self.assertNotIn("accounting.invoices.read", connection._required_scopes())

    def test_a_consent_that_does_not_cover_writing_says_so_and_writing_waits_for_a_new_one(self):
        product = self.product("CHAIR", "Chair", 1)
        connection = self.exchanging("pull", item_create_there=True, item_product_domain=f"[('id', '=', {product.id})]")
        connection.item_sync = "push"
        self.assertIn("accounting.settings", connection.missing_scopes)
        self.exchange(connection)
        self.assertEqual(self.written(), [])
        self.assertEqual(self.out(product).state, "pending")
        self.consent(connection, self.org)
        self.exchange(connection)
        self.assertTrue(self.by_code("CHAIR"))
