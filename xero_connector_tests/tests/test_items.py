"""Items and products: what is read, who is who, which values travel."""

from odoo.tests import tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestPull(ItemsCase):
    def test_an_item_finds_the_product_of_its_code_and_brings_its_price(self):
        item = self.item("LAMP", price=49.5, purchase_price=20.25, name="Desk lamp", description="A lamp")
        lamp = self.product("LAMP", "Lamp", 40, description_sale="old")
        connection = self.exchanging("pull")
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 49.5)
        self.assertEqual(lamp.standard_price, 20.25)
        self.assertEqual(lamp.name, "Desk lamp")
        self.assertEqual(lamp.description_sale, "A lamp")
        self.assertEqual(self.row(item).state, "done")
        self.assertEqual(self.row(item).res_id, lamp.id)
        self.assertEqual(self.written(), [], "pulling writes nothing to Xero")

    def test_an_item_without_product_waits_unless_products_are_to_be_created(self):
        item = self.item("NEW", price=7, name="New thing", description="Words")
        connection = self.exchanging("pull")
        self.exchange(connection)
        self.assertEqual(self.row(item).problem_code, "unmapped")
        self.assertFalse(self.find("NEW"))
        connection.item_create_here = True
        self.exchange(connection)
        product = self.find("NEW")
        self.assertEqual((product.name, product.list_price, product.description_sale), ("New thing", 7, "Words"))
        self.assertTrue(product.is_storable)
        self.assertEqual(self.row(item).state, "done")
        self.exchange(connection)
        self.assertEqual(len(self.find("NEW")), 1)

    def test_an_item_that_cannot_become_a_product_costs_none_but_itself(self):
        self.env.cr.execute("ALTER TABLE product_template ADD CHECK (list_price < 1000)")
        good, bad, other = (self.item(code, price=price) for code, price in (("A-1", 7), ("A-2", 5000), ("A-3", 9)))
        with self.assertLogs("odoo", "ERROR"):
            self.exchange(self.exchanging("pull", item_create_here=True))
        self.assertEqual([self.row(item).state for item in (good, bad, other)], ["done", "failed", "done"])
        self.assertEqual((self.find("A-1").list_price, self.find("A-3").list_price), (7, 9))
        self.assertFalse(self.find("A-2"))

    def test_a_product_that_was_created_for_an_item_needs_no_suggestion(self):
        item = self.item("NEW", price=7)
        self.exchange(self.exchanging("pull", item_create_here=True))
        self.assertFalse(self.row(item).wants_suggestion)
        self.assertFalse(self.row(item).suggestion_id)

    def test_a_product_written_often_is_compared_once(self):
        lamp = self.product("LAMP", "Lamp", 1)
        connection = self.exchanging("both")
        self.exchange(connection)
        for price in (2, 3, 4):
            lamp.list_price = price
        self.env.cr.flush()
        marks = self.env["xero.product.change"].search([("connection_id", "=", connection.id)])
        self.assertEqual(marks.product_id, lamp)
        self.assertEqual(len(marks), 1)

    def test_only_changes_are_asked_for_and_an_idle_turn_costs_one_call(self):
        self.item("LAMP", price=1)
        self.product("LAMP", "Lamp", 1)
        connection = self.exchanging("pull")
        self.exchange(connection)
        self.fake.reset_log()
        self.exchange(connection)
        [call] = self.fake.requests
        self.assertIn("if-modified-since", call.headers)

    def test_what_xero_changed_alone_comes_and_what_odoo_changed_alone_goes(self):
        item = self.item("LAMP", price=10, description="as it was")
        lamp = self.product("LAMP", "LAMP", 10, description_sale="as it was")
        connection = self.exchanging("both")
        self.exchange(connection)
        self.assertEqual(self.written(), [])
        self.org.update("Items", item["ItemID"], Description="new words")
        lamp.list_price = 11
        self.exchange(connection)
        self.assertEqual(lamp.description_sale, "new words")
        self.assertEqual(self.stored(item)["SalesDetails"]["UnitPrice"], 11)
        self.assertEqual(lamp.list_price, 11)
        self.assertEqual(self.stored(item)["Description"], "new words")

    def test_our_own_push_brings_no_echo(self):
        self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        connection = self.exchanging("both")
        self.exchange(connection)
        lamp.list_price = 11
        self.exchange(connection)
        self.fake.reset_log()
        for _turn in range(2):
            self.exchange(connection)
        self.assertEqual([call.method for call in self.fake.requests], ["GET", "GET"])
        self.assertFalse(self.env["xero.product.change"].search([("connection_id", "=", connection.id)]))

    def both_changed(self, source):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("both", price_source=source))
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        lamp.list_price = 11
        self.exchange(connection)
        self.assertIn("both sides differ", self.row(item).reason)
        self.assertTrue(self.chatter(lamp).filtered(lambda message: "both sides differ" in message.body))
        return lamp.list_price, self.stored(item)["SalesDetails"]["UnitPrice"]

    def test_where_both_changed_a_price_xero_wins_if_it_is_the_price_source_and_the_log_says_so(self):
        self.assertEqual(self.both_changed("xero"), (12, 12))

    def test_where_both_changed_a_price_odoo_wins_if_it_is_the_price_source_and_the_log_says_so(self):
        self.assertEqual(self.both_changed("odoo"), (11, 11))

    def test_a_turn_that_finds_nothing_new_writes_nothing(self):
        self.item("LAMP", price=10)
        self.product("LAMP", "LAMP", 10)
        connection = self.exchanging("both")
        self.exchange(connection)
        stamps = self.stamps()
        connection.items_whole_at = False
        self.exchange(connection)
        self.assertEqual(self.stamps(), stamps)


@tagged("post_install", "-at_install")
class TestPush(ItemsCase):
    def test_a_chosen_product_becomes_an_item(self):
        product = self.product("CHAIR", "Chair", 99.9, standard_price=45.1234, description_sale="To sit on")
        connection = self.exchanging("push", item_create_there=True, item_product_domain=f"[('id', '=', {product.id})]")
        self.exchange(connection)
        [item] = [item for item in self.items() if item["Code"] == "CHAIR"]
        self.assertEqual(item["Name"], "Chair")
        self.assertEqual(item["Description"], "To sit on")
        self.assertEqual(item["SalesDetails"]["UnitPrice"], 99.9)
        self.assertEqual(item["PurchaseDetails"]["UnitPrice"], 45.1234)
        self.assertTrue(item["IsSold"] and item["IsPurchased"])
        self.exchange(connection)
        self.assertEqual(len([item for item in self.items() if item["Code"] == "CHAIR"]), 1)
        self.assertEqual(self.out(product).state, "done")

    def test_a_long_name_is_cut_and_told_whole_in_the_description(self):
        name = "A chair with a name that goes on and on and on, and then some more"
        product = self.product("CHAIR", name, 1, description_sale="To sit on")
        connection = self.exchanging("both", item_create_there=True, item_product_domain=f"[('id', '=', {product.id})]")
        self.exchange(connection)
        item = self.by_code("CHAIR")
        self.assertEqual(item["Name"], name[:50].strip())
        self.assertEqual(item["Description"], f"{name}\nTo sit on")
        self.exchange(connection)
        self.assertEqual(product.name, name)
        self.org.update("Items", item["ItemID"], Description=f"{name}\nTo sleep on")
        self.exchange(connection)
        self.assertEqual((product.name, product.description_sale), (name, "To sleep on"))

    def test_a_code_of_more_than_thirty_characters_fails_with_its_reason(self):
        product = self.product("C" * 31, "Chair", 1)
        connection = self.exchanging("push", item_create_there=True, item_product_domain=f"[('id', '=', {product.id})]")
        self.exchange(connection)
        self.assertEqual(self.out(product).problem_code, "code_long")
        self.assertIn("31 characters", self.out(product).reason)
        product.default_code = "CHAIR"
        self.exchange(connection)
        self.assertEqual(self.out(product).state, "done")
        self.assertTrue(self.by_code("CHAIR"))

    def test_somebody_elses_item_is_not_overwritten(self):
        lamp = self.product("LAMP", "Lamp", 1)
        item = self.item("LAMP", price=5, name="Lamp")
        connection = self.exchanging("push", price_source="odoo")
        self.exchange(connection)
        chair = self.product("CHAIR", "Chair", 3)
        self.exchange(connection)
        # another person's item takes the code the lamp is to get
        other = self.item("TABLE", price=77, name="Table")
        lamp.default_code = "TABLE"
        self.exchange(connection)
        self.assertEqual(self.stored(other)["SalesDetails"]["UnitPrice"], 77)
        self.assertEqual(self.stored(other)["Name"], "Table")
        self.assertEqual(self.out(lamp).problem_code, "code_taken")
        self.assertEqual(self.stored(item)["Code"], "LAMP")
        self.assertFalse(self.out(chair))

    def test_a_tracked_item_is_never_written(self):
        item = self.item("LAMP", price=5, InventoryAssetAccountCode="630", IsTrackedAsInventory=True)
        lamp = self.product("LAMP", "LAMP", 5)
        connection = self.exchanging("both")
        self.exchange(connection)
        lamp.list_price = 6
        self.exchange(connection)
        self.assertEqual(self.written(), [])
        self.assertEqual(self.stored(item)["SalesDetails"]["UnitPrice"], 5)
        self.assertIn("never written", self.row(item).reason)

    def test_an_update_sends_nothing_but_the_change(self):
        item = self.item("LAMP", price=5, description="Words", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5, description_sale="Words", standard_price=3)
        connection = self.exchanging("both")
        self.exchange(connection)
        lamp.list_price = 6
        self.exchange(connection)
        [call] = self.written()
        [element] = call.json["Items"]
        self.assertEqual(set(element), {"ItemID", "Code", "SalesDetails"})
        self.assertEqual(element["SalesDetails"]["UnitPrice"], 6)
        self.assertEqual(call.query["unitdp"], "4")
        self.assertEqual(self.stored(item)["PurchaseDetails"]["UnitPrice"], 3)
