"""Prices, variants, accounts, taxes: what a product is in Xero's terms, and back."""

from odoo.fields import Command
from odoo.tests import tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestSalesPrice(ItemsCase):
    def sales_tax(self, percent, included):
        return self.env["account.tax"].create(
            {
                "name": f"{percent} % {included}",
                "amount": percent,
                "type_tax_use": "sale",
                "price_include_override": "tax_included" if included else "tax_excluded",
            }
        )

    def price_of(self, item):
        return self.stored(item)["SalesDetails"].get("UnitPrice")

    def test_four_decimals_survive_both_ways(self):
        item = self.item("SCREW", price=0.1234)
        screw = self.product("SCREW", "SCREW", 0)
        self.exchange(connection := self.exchanging("both"))
        self.assertEqual(screw.list_price, 0.1234)
        screw.list_price = 0.4321
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 0.4321)

    def test_a_price_with_tax_here_is_one_without_tax_in_xero(self):
        item = self.item("LAMP", price=8.6957)
        lamp = self.product("LAMP", "LAMP", 0, taxes_id=[Command.set(self.sales_tax(15, included=True).ids)])
        self.exchange(connection := self.exchanging("both"))
        self.assertEqual(lamp.list_price, 10)
        lamp.list_price = 23
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 20)
        self.exchange(connection)
        self.assertEqual((lamp.list_price, self.price_of(item)), (23, 20))

    def test_a_tax_that_changes_its_rate_changes_the_price_without_it(self):
        tax = self.sales_tax(15, included=True)
        item = self.item("LAMP", price=20)
        self.product("LAMP", "LAMP", 23, taxes_id=[Command.set(tax.ids)])
        self.exchange(connection := self.exchanging("push"))
        tax.amount = 25
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 18.4)

    def test_a_price_without_tax_here_is_one_with_tax_in_an_organisation_that_keeps_them_so(self):
        item = self.item("LAMP", price=11.5)
        lamp = self.product("LAMP", "LAMP", 0, taxes_id=[Command.set(self.sales_tax(15, included=False).ids)])
        self.exchange(connection := self.exchanging("both", item_price_tax="inclusive"))
        self.assertEqual(lamp.list_price, 10)
        lamp.list_price = 20
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 23)

    def test_a_pricelist_takes_the_place_of_the_sales_price(self):
        pricelist = self.env["product.pricelist"].create({"name": "Xero", "currency_id": self.company.currency_id.id})
        item = self.item("LAMP", price=42)
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("both", item_pricelist_id=pricelist.id))
        self.assertEqual(lamp.list_price, 5)
        [rule] = pricelist.item_ids
        self.assertEqual((rule.product_id, rule.fixed_price), (lamp, 42))
        rule.fixed_price = 43
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 43)
        rule.unlink()
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 43, "no rule says nothing about a price")
        self.assertFalse(pricelist.item_ids)

    def test_a_pricelist_in_another_currency_is_not_exchanged_and_the_form_says_why(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        pricelist = self.env["product.pricelist"].create({"name": "Euro", "currency_id": euro.id})
        item = self.item("LAMP", price=42)
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("both", item_pricelist_id=pricelist.id))
        self.assertFalse(pricelist.item_ids)
        self.assertEqual((lamp.list_price, self.price_of(item)), (5, 42))
        self.assertIn("EUR", connection.item_price_problem)

    def test_a_price_by_the_dozen_is_converted(self):
        item = self.item("EGG", price=6)
        egg = self.product("EGG", "EGG", 0)
        connection = self.exchanging("both")
        self.exchange(connection)
        binding = self.env["xero.binding"].search([("res_id", "=", egg.id), ("resource", "=", "item")])
        binding._count_in(self.env.ref("uom.product_uom_dozen"))
        self.exchange(connection)
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.exchange(connection)
        self.assertEqual(egg.list_price, 1)
        egg.list_price = 2
        self.exchange(connection)
        self.assertEqual(self.price_of(item), 24)


@tagged("post_install", "-at_install")
class TestPurchasePrice(ItemsCase):
    def cost_of(self, item):
        return self.stored(item)["PurchaseDetails"].get("UnitPrice")

    def test_the_cost_travels_both_ways(self):
        item = self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("both"))
        self.assertEqual(lamp.standard_price, 3)
        lamp.standard_price = 4.5
        self.exchange(connection)
        self.assertEqual(self.cost_of(item), 4.5)

    def test_a_cost_odoo_computes_is_told_but_never_overwritten(self):
        category = self.env["product.category"].create({"name": "Averaged", "property_cost_method": "average"})
        item = self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5, categ_id=category.id)
        self.exchange(connection := self.exchanging("both"))
        self.assertEqual(lamp.standard_price, 0)
        lamp.standard_price = 4.5
        self.exchange(connection)
        self.assertEqual(self.cost_of(item), 4.5)
        self.org.update("Items", item["ItemID"], PurchaseDetails={"UnitPrice": 9})
        self.exchange(connection)
        self.assertEqual(lamp.standard_price, 4.5)
        self.assertIn("computes the cost", self.row(item).reason)

    def test_the_main_vendors_price_takes_the_place_of_the_cost(self):
        vendors = self.env["res.partner"].create([{"name": "First"}, {"name": "Second"}])
        item = self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5, standard_price=1)
        main, other = self.env["product.supplierinfo"].create(
            [
                {"partner_id": vendor.id, "product_tmpl_id": lamp.product_tmpl_id.id, "price": 8, "sequence": number}
                for number, vendor in enumerate(vendors)
            ]
        )
        self.exchange(connection := self.exchanging("both", item_cost_source="vendor"))
        self.assertEqual((main.price, other.price, lamp.standard_price), (3, 8, 1))
        main.price = 7
        self.exchange(connection)
        self.assertEqual(self.cost_of(item), 7)

    def test_without_a_vendor_the_purchase_price_is_left_alone(self):
        item = self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5, standard_price=1)
        self.exchange(self.exchanging("both", item_cost_source="vendor"))
        self.assertEqual((self.cost_of(item), lamp.standard_price), (3, 1))

    def test_purchase_prices_can_be_left_out(self):
        item = self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5, standard_price=1)
        self.exchange(self.exchanging("both", item_cost_source="none"))
        self.assertEqual((self.cost_of(item), lamp.standard_price), (3, 1))


@tagged("post_install", "-at_install")
class TestKinds(ItemsCase):
    def variants(self):
        attribute = self.env["product.attribute"].create(
            {"name": "Colour", "value_ids": [Command.create({"name": "Red"}), Command.create({"name": "Blue"})]}
        )
        template = self.env["product.template"].create(
            {
                "name": "Shirt",
                "list_price": 20,
                "taxes_id": False,
                "supplier_taxes_id": False,
                "attribute_line_ids": [
                    Command.create(
                        {"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]}
                    )
                ],
            }
        )
        red, blue = template.product_variant_ids
        red.default_code, blue.default_code = "RED", "BLUE"
        return red, blue

    def test_each_variant_is_an_item_named_with_its_attributes(self):
        red, blue = self.variants()
        domain = f"[('id', 'in', {(red | blue).ids})]"
        self.exchange(self.exchanging("push", item_create_there=True, item_product_domain=domain))
        self.assertEqual(self.by_code("RED")["Name"], "Shirt (Red)")
        self.assertEqual(self.by_code("BLUE")["Name"], "Shirt (Blue)")

    def test_what_variants_share_is_not_changed_by_one_of_them(self):
        red, blue = self.variants()
        item = self.item("RED", price=25, purchase_price=7, name="Red shirt", description="Only the red one")
        self.exchange(self.exchanging("pull"))
        self.assertEqual((blue.list_price, blue.name, blue.description_sale), (20, "Shirt", False))
        self.assertEqual(red.standard_price, 7)
        self.assertFalse(blue.standard_price)
        self.assertIn("all 2 variants", self.row(item).reason)

    def test_with_a_pricelist_each_variant_has_its_own_price(self):
        pricelist = self.env["product.pricelist"].create({"name": "Xero", "currency_id": self.company.currency_id.id})
        red, blue = self.variants()
        self.item("RED", price=25)
        self.item("BLUE", price=26)
        self.exchange(self.exchanging("pull", item_pricelist_id=pricelist.id))
        prices = {rule.product_id: rule.fixed_price for rule in pricelist.item_ids}
        self.assertEqual(prices, {red: 25, blue: 26})

    def test_extra_prices_of_attributes_are_told(self):
        red, _blue = self.variants()
        item = self.item("RED", price=20, name="Shirt (Red)")
        self.exchange(connection := self.exchanging("push"))
        red.product_template_attribute_value_ids.price_extra = 2
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["UnitPrice"], 22)

    def test_an_attribute_that_is_renamed_renames_the_items(self):
        red, _blue = self.variants()
        item = self.item("RED", name="Shirt (Red)", price=20)
        self.exchange(connection := self.exchanging("push"))
        red.product_template_attribute_value_ids.product_attribute_value_id.name = "Scarlet"
        self.exchange(connection)
        self.assertEqual(self.stored(item)["Name"], "Shirt (Scarlet)")

    def test_a_service_is_exchanged_like_goods(self):
        item = self.item("HOUR", price=80)
        hour = self.product("HOUR", "HOUR", 70, type="service", is_storable=False)
        self.exchange(self.exchanging("pull"))
        self.assertEqual(hour.list_price, 80)
        self.assertEqual(self.row(item).res_id, hour.id)

    def test_new_products_are_of_the_kind_the_connection_says_and_tracked_ones_are_kept_in_stock(self):
        self.item("HOUR", price=80)
        self.item("LAMP", price=5, InventoryAssetAccountCode="630", IsTrackedAsInventory=True)
        self.exchange(self.exchanging("pull", item_create_here=True, item_new_type="service"))
        self.assertEqual(self.find("HOUR").type, "service")
        self.assertTrue(self.find("LAMP").is_storable)

    def test_what_is_not_sold_in_xero_gets_no_sales_price_from_here(self):
        item = self.item("LAMP", IsSold=False)
        lamp = self.product("LAMP", "LAMP", 5, standard_price=3)
        self.exchange(connection := self.exchanging("both"))
        lamp.write({"list_price": 6, "standard_price": 4})
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"], {})
        self.assertEqual(self.stored(item)["PurchaseDetails"]["UnitPrice"], 4)
        self.assertIs(self.stored(item)["IsSold"], False)


@tagged("post_install", "-at_install")
class TestAccountsAndTaxes(ItemsCase):
    def account(self, code):
        return self.env["account.account"].create({"name": f"Account {code}", "code": code, "account_type": "income"})

    def test_accounts_of_the_same_code_belong_together_and_travel(self):
        income, other = self.account("200"), self.account("260")
        item = self.item("LAMP", price=5, SalesDetails={"AccountCode": "200"})
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("both"))
        self.assertEqual(lamp.property_account_income_id, income)
        lamp.property_account_income_id = other
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["AccountCode"], "260")

    def test_of_two_accounts_of_one_code_the_one_in_use_counts(self):
        income = self.account("265")
        for status in ("ACTIVE", "ARCHIVED"):
            self.org.add_account(Code="265", Name=f"Sales {status}", Status=status)
        item = self.item("LAMP", price=5, SalesDetails={"AccountCode": "265"})
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("pull"))
        line = connection.account_mapping_ids.filtered(lambda line: line.code == "265")
        self.assertEqual((line.name, line.is_active, line.account_id), ("Sales ACTIVE", True, income))
        self.assertEqual(lamp.property_account_income_id, income)
        self.assertEqual(self.row(item).state, "done")

    def test_an_account_nobody_mapped_stays_as_it_is_on_both_sides(self):
        item = self.item("LAMP", price=5, SalesDetails={"AccountCode": "200"})
        lamp = self.product("LAMP", "LAMP", 5)
        lamp.property_account_income_id = self.account("987654")
        self.exchange(self.exchanging("both"))
        self.assertEqual(lamp.property_account_income_id.code, "987654")
        self.assertEqual(self.stored(item)["SalesDetails"]["AccountCode"], "200")

    def test_a_person_may_map_accounts_of_other_codes(self):
        item = self.item("LAMP", price=5, SalesDetails={"AccountCode": "200"})
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("both"))
        self.assertFalse(lamp.property_account_income_id)
        line = connection.account_mapping_ids.filtered(lambda line: line.code == "200")
        line.account_id = self.account("987654")
        self.exchange(connection)
        self.assertEqual(lamp.property_account_income_id.code, "987654")
        self.assertEqual(self.stored(item)["SalesDetails"]["AccountCode"], "200")

    def test_a_tax_of_the_same_rate_belongs_to_the_tax_type_and_travels(self):
        rates = {rate.data["TaxType"]: rate.data for rate in self.org.tables["TaxRates"]}
        output = rates["OUTPUT2"]
        self.env["account.tax"].search([("type_tax_use", "=", "sale"), ("amount", "=", 15)]).active = False
        tax = self.env["account.tax"].create({"name": "GST", "amount": 15, "type_tax_use": "sale"})
        self.assertEqual(output["EffectiveRate"], 15)
        item = self.item("LAMP", price=5, SalesDetails={"TaxType": "OUTPUT2"})
        lamp = self.product("LAMP", "LAMP", 5)
        self.exchange(connection := self.exchanging("both"))
        self.assertEqual(lamp.taxes_id, tax)
        line = connection.tax_mapping_ids.filtered(lambda line: line.tax_type == "NONE")
        line.tax_id = free = self.env["account.tax"].create({"name": "Free", "amount": 0, "type_tax_use": "sale"})
        lamp.taxes_id = free
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["TaxType"], "NONE")
