"""Others are at work beside the exchange: in Xero, in other companies, on other mappings."""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestStrangers(ItemsCase):
    def price_of(self, item):
        return self.stored(item)["SalesDetails"].get("UnitPrice")

    def test_a_deleted_template_ends_its_mapping_and_a_successor_takes_the_item_over(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("pull", item_create_here=True))
        lamp.product_tmpl_id.unlink()
        self.assertEqual(self.row(item).problem_code, "deleted_here")
        self.assertFalse(self.env["xero.binding"].search([("connection_id", "=", connection.id)]))
        successor = self.product("LAMP-2", "LAMP", 10)
        self.row(item)._map(successor)
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.exchange(connection)
        self.assertEqual(successor.list_price, 12)

    def test_a_product_that_shares_an_item_is_never_sent_as_one_of_its_own(self):
        item = self.item("LAMP", price=10)
        lamp, red = self.product("LAMP", "LAMP", 10), self.product("RED", "Red lamp", 13)
        domain = f"[('id', 'in', {(lamp | red).ids})]"
        connection = self.exchanging("both", allow_shared_item=True, item_product_domain=domain)
        self.exchange(connection)
        self.row(item)._map(red)
        connection.item_create_there = True
        red.list_price = 14
        self.exchange(connection)
        self.assertEqual([each["Code"] for each in self.items()], ["LAMP"])
        other = self.item("RED", price=1)
        self.exchange(connection)
        self.assertEqual(self.row(other).problem_code, "code_taken")
        self.assertEqual(red.list_price, 14)

    def test_the_price_of_a_shared_product_is_in_the_main_companys_currency(self):
        dollar = self.env.ref("base.NZD")
        other = self.env["res.company"].create({"name": "Kiwi", "currency_id": dollar.id})
        self.assertNotEqual(self.company.currency_id, dollar)
        lamp = self.product("LAMP", "LAMP", 100)
        self.org = self.fake.add_organisation("Kiwi", country="NZ", currency="NZD")
        item = self.item("LAMP", price=180)
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other.id)], limit=1)
        connection = self.exchanging("both", company_id=other.id, warehouse_id=warehouse.id, user_id=False)
        self.exchange(connection)
        self.assertEqual((lamp.list_price, self.price_of(item)), (100, 180))
        self.assertIn("Sales prices are not exchanged", connection.item_price_problem)

    def test_what_somebody_changed_in_xero_between_reading_and_writing_still_arrives(self):
        item = self.item("LAMP", price=10, description="before")
        lamp = self.product("LAMP", "LAMP", 10, description_sale="before")
        self.exchange(connection := self.exchanging("both"))
        lamp.list_price = 11

        def change(request):
            if request.method == "POST" and request.path.endswith("/Items"):
                self.fake.on_request = None
                self.org.update("Items", item["ItemID"], Description="somebody's")

        self.fake.on_request = change
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 11)
        self.exchange(connection)
        self.assertEqual(lamp.description_sale, "somebody's")

    def test_one_way_connections_carry_every_later_change_and_overwrite_nothing_at_first(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("push"))
        self.assertEqual((lamp.list_price, self.price_of(item)), (5, 10))
        lamp.list_price = 6
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 6)

    def test_a_batch_that_is_refused_as_a_whole_is_sent_one_by_one(self):
        products = self.env["product.product"].union(*(self.product(f"P{n}", f"P{n}", n) for n in range(4)))
        self.fake.faults.add("PUT", "/Items$", status=400, body={"Type": "ValidationException", "Message": "No"})
        self.exchange(
            self.exchanging("push", item_create_there=True, item_product_domain=f"[('id', 'in', {products.ids})]")
        )
        self.assertEqual(sorted(item["Code"] for item in self.items()), ["P0", "P1", "P2", "P3"])
        self.assertEqual({self.out(product).state for product in products}, {"done"})

    def test_what_was_mapped_by_hand_and_unmapped_is_not_sent_as_a_new_item(self):
        item = self.item("X-1", price=10)
        lamp = self.product("LAMP", "Lamp", 5)
        domain = f"[('id', '=', {lamp.id})]"
        connection = self.exchanging("push", item_product_domain=domain)
        self.exchange(connection)
        self.row(item)._map(lamp)
        self.env["xero.binding"].search([("res_id", "=", lamp.id), ("resource", "=", "item")])._unmap()
        connection.item_create_there = True
        lamp.list_price = 6
        self.exchange(connection)
        self.assertEqual([each["Code"] for each in self.items()], ["X-1"])

    def test_of_two_accounts_in_xero_that_are_one_here_each_item_keeps_its_own(self):
        account = self.env["account.account"].create({"name": "Sales", "code": "200", "account_type": "income"})
        item = self.item("LAMP", price=5, SalesDetails={"AccountCode": "260"})
        lamp = self.product("LAMP", "LAMP", 5)
        lamp.property_account_income_id = account
        self.exchange(connection := self.exchanging("none"))
        connection.item_sync = "both"
        connection.price_source = "odoo"
        self.consent(connection, self.org)
        self.exchange(connection)
        connection.account_mapping_ids.filtered(lambda line: line.code == "260").account_id = account
        lamp.list_price = 6
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["AccountCode"], "260")
        self.assertEqual(self.price_of(item), 6)

    def test_prices_with_taxes_both_ways_in_them_are_left_alone(self):
        taxes = self.env["account.tax"].create(
            [
                {"name": "in", "amount": 10, "type_tax_use": "sale", "price_include_override": "tax_included"},
                {"name": "on", "amount": 5, "type_tax_use": "sale", "price_include_override": "tax_excluded"},
            ]
        )
        item = self.item("LAMP", price=50)
        lamp = self.product("LAMP", "LAMP", 110, taxes_id=[Command.set(taxes.ids)])
        self.exchange(connection := self.exchanging("both", price_source="odoo"))
        lamp.list_price = 120
        self.exchange(connection)
        self.assertEqual((lamp.list_price, self.price_of(item)), (120, 50))

    def test_a_code_that_is_taken_keeps_no_price_from_xero(self):
        item, _other = self.item("LAMP", price=10), self.item("TAKEN", price=1)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("both"))
        lamp.write({"default_code": "TAKEN", "list_price": 11})
        self.exchange(connection)
        self.assertEqual((self.stored(item)["Code"], self.price_of(item)), ("LAMP", 11))
        self.assertEqual(self.out(lamp).problem_code, "code_taken")

    def test_a_new_item_under_a_code_that_moved_on_finds_its_product(self):
        old = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("pull", item_create_here=True))
        self.org.update("Items", old["ItemID"], Code="LAMP-OLD")
        new = self.item("LAMP", price=20, name="New lamp")
        for _turn in range(2):
            connection.items_whole_at = False
            self.exchange(connection)
        self.assertEqual(lamp.default_code, "LAMP-OLD")
        self.assertEqual(self.row(new).state, "done")
        self.assertEqual(self.find("LAMP").list_price, 20)

    def test_the_mapping_dialog_takes_items_only_and_units_that_fit(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        spare = self.product("SPARE", "Spare", 1)
        self.exchange(self.exchanging("none"))
        self.invoice()
        self.run_import()
        invoice_row = self.env["xero.record"].search([("resource", "=", "invoice")], limit=1)
        with self.assertRaisesRegex(UserError, "Choose an item"):
            invoice_row._map(spare)
        binding = self.env["xero.binding"].search([("res_id", "=", lamp.id), ("resource", "=", "item")])
        with self.assertRaisesRegex(ValidationError, "cannot be counted"):
            binding.uom_id = self.env.ref("uom.product_uom_kgm")
        self.assertTrue(item)
