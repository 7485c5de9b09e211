"""What goes wrong with items and products costs itself and nothing else, and is told."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestWhoIsWho(ItemsCase):
    def test_of_two_products_with_an_items_code_none_is_taken_and_none_is_made(self):
        item = self.item("LAMP", price=10)
        lamps = self.product("LAMP", "One lamp", 1) | self.product("LAMP", "Other lamp", 2)
        self.exchange(self.exchanging("pull", item_create_here=True))
        self.assertEqual(self.row(item).problem_code, "ambiguous_code")
        self.assertIn("One lamp", self.row(item).reason)
        self.assertEqual(self.find("LAMP"), lamps)
        self.assertEqual(lamps.mapped("list_price"), [1, 2])

    def test_an_archived_product_is_not_made_a_second_time(self):
        item = self.item("LAMP", price=10)
        self.product("LAMP", "Lamp", 1, active=False)
        self.exchange(self.exchanging("pull", item_create_here=True))
        self.assertFalse(self.find("LAMP"))
        self.assertEqual(self.row(item).problem_code, "archived_here")

    def test_a_code_of_the_other_codes_takes_no_product_from_its_own_item(self):
        alias = self.item("A-12", price=12, name="Box of twelve")
        flask = self.item("FLASK", price=1, name="Flask")
        product = self.product("FLASK", "Flask", 5)
        self.exchange(
            self.exchanging(
                "pull",
                item_create_here=True,
                product_mapping_ids=[Command.create({"item_code": "A-12", "product_id": product.id})],
            )
        )
        self.assertEqual((product.name, product.list_price, product.default_code), ("Flask", 1, "FLASK"))
        self.assertEqual(self.row(flask).res_id, product.id)
        self.assertIn("Other codes", self.row(alias).reason)
        self.assertFalse(self.find("A-12"))

    def test_a_product_with_the_code_is_not_doubled_by_hand(self):
        item = self.item("LAMP", price=10)
        kept_out = self.product("LAMP", "Lamp", 1)
        kept_out.xero_exchange = False
        self.exchange(connection := self.exchanging("pull"))
        line = self.env["xero.item.match"].search(
            [("connection_id", "=", connection.id), ("item_code", "=", item["Code"])]
        )
        with self.assertRaisesRegex(UserError, "has the internal reference LAMP already"):
            line.action_create_here()

    def test_a_reference_given_to_another_product_counts_unless_a_person_chose(self):
        self.item("LAMP")
        old = self.product("LAMP", "Old lamp", 1)
        self.exchange(connection := self.exchanging("none"))
        old.default_code = "LAMP-OLD"
        new = self.product("LAMP", "New lamp", 1)
        found = self.env["product.product"]._xero_find_by_code(connection, ["LAMP"])
        self.assertEqual(found.get("LAMP"), new, "the internal reference")
        self.env["xero.binding"].search([("res_id", "=", old.id), ("resource", "=", "item")]).is_chosen = True
        found = self.env["product.product"]._xero_find_by_code(connection, ["LAMP"])
        self.assertEqual(found.get("LAMP"), old, "what a person mapped")

    def test_another_organisation_begins_with_an_empty_catalogue_and_harms_no_product(self):
        self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("pull", item_gone_action="archive"))
        self.press(connection.action_disconnect)
        other = self.fake.add_organisation("Other", country="NZ", currency=self.company.currency_id.name)
        other.add_item(Code="THING", Name="Thing")
        self.consent(connection, other)
        self.exchange(connection)
        self.assertTrue(lamp.active)
        rows = self.env["xero.record"].search([("connection_id", "=", connection.id), ("resource", "=", "item")])
        self.assertEqual(rows.mapped("number"), ["THING"])

    def test_the_same_organisation_connected_again_keeps_its_mappings(self):
        item = self.item("X-1", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        self.exchange(connection := self.exchanging("none"))
        self.row(item)._map(lamp)
        self.press(connection.action_disconnect)
        self.consent(connection, self.org)
        self.exchange(connection)
        self.assertEqual(self.row(item).res_id, lamp.id)

    def test_an_item_deleted_in_xero_is_not_revived_by_a_retry(self):
        item = self.item("GONE", price=10)
        self.item("OTHER")
        self.exchange(connection := self.exchanging("pull"))
        self.org.delete_item(item["ItemID"])
        connection.item_create_here = True
        connection.items_whole_at = False
        self.exchange(connection)
        with self.assertRaises(UserError):
            self.row(item).action_retry()
        self.assertFalse(self.find("GONE"))


@tagged("post_install", "-at_install")
class TestPushMishaps(ItemsCase):
    def sending(self, products, **settings):
        return self.exchanging(
            "push", item_create_there=True, item_product_domain=f"[('id', 'in', {products.ids})]", **settings
        )

    def test_two_products_of_one_code_are_told_of_each_other_and_neither_is_sent(self):
        twins = self.product("DUP", "One", 1) | self.product("DUP", "Two", 2)
        self.exchange(self.sending(twins))
        self.assertEqual(self.written(), [])
        self.assertEqual([self.out(twin).problem_code for twin in twins], ["code_taken"] * 2)
        self.assertIn("Two", self.out(twins[0]).reason)

    def test_a_code_of_exactly_thirty_characters_is_sent(self):
        product = self.product("C" * 30, "Chair", 1)
        self.exchange(self.sending(product))
        self.assertTrue(self.by_code("C" * 30))

    def test_a_description_is_cut_where_xero_ends(self):
        product = self.product("LONG", "Long", 1, description_sale="x" * 5000)
        self.exchange(connection := self.sending(product))
        self.assertEqual(len(self.by_code("LONG")["Description"]), 4000)
        self.fake.reset_log()
        self.exchange(connection)
        self.assertEqual(self.written(), [])

    def test_the_item_of_a_deleted_product_may_become_another_ones(self):
        first = self.product("LAMP", "Lamp", 1)
        self.exchange(connection := self.sending(first, price_source="odoo"))
        item = self.by_code("LAMP")
        first.unlink()
        second = self.product("LAMP-2", "Lamp", 5)
        connection.item_product_domain = f"[('id', '=', {second.id})]"
        self.row(item)._map(second)
        self.exchange(connection)
        self.assertEqual(self.stored(item)["SalesDetails"]["UnitPrice"], 5)
        self.assertEqual(self.out(second).state, "done")

    def test_a_product_somebody_ignores_is_not_sent_when_it_changes(self):
        product = self.product("C" * 31, "Chair", 1)
        self.exchange(connection := self.sending(product))
        self.out(product).action_ignore("not ours")
        product.default_code = "CHAIR"
        self.exchange(connection)
        self.assertEqual(self.written(), [])
        self.out(product).action_unignore()
        self.exchange(connection)
        self.assertTrue(self.by_code("CHAIR"))


@tagged("post_install", "-at_install")
class TestValuesMishaps(ItemsCase):
    def test_a_price_follows_the_tax_that_comes_with_it(self):
        self.env["account.tax"].search([("amount", "=", 15)]).active = False
        self.env["account.tax"].create(
            {"name": "GST", "amount": 15, "type_tax_use": "sale", "price_include_override": "tax_included"}
        )
        self.item("LAMP", price=8.6957, SalesDetails={"TaxType": "OUTPUT2"})
        self.item("NEW", price=8.6957, SalesDetails={"TaxType": "OUTPUT2"})
        lamp = self.product("LAMP", "LAMP", 3)
        self.exchange(self.exchanging("pull", item_create_here=True))
        self.assertEqual((lamp.list_price, self.find("NEW").list_price), (10, 10))

    def test_what_nobody_can_read_is_taken_for_nothing(self):
        broken = self.item("BROKEN", price=1)
        self.stored(broken)["SalesDetails"] = {"UnitPrice": "a lot"}
        odd = self.item("ODD", price=1)
        self.stored(odd)["PurchaseDetails"] = "none"
        self.item("LAMP", price=10)
        products = [self.product(code, code, 1) for code in ("BROKEN", "ODD", "LAMP")]
        self.exchange(self.exchanging("pull"))
        self.assertEqual([product.list_price for product in products], [1, 1, 10])
        self.assertEqual((self.row(broken).state, self.row(odd).state), ("done", "done"))

    def test_the_screen_shows_four_decimals(self):
        item = self.item("SCREW", price=0.1234)
        self.product("SCREW", "SCREW", 0.1234)
        self.exchange(connection := self.exchanging("none"))
        line = self.env["xero.item.match"].search(
            [("connection_id", "=", connection.id), ("record_id", "=", self.row(item).id)]
        )
        self.assertEqual((line.item_price, line.product_price, line.is_price_apart), (0.1234, 0.1234, False))

    def test_costs_in_another_currency_are_left_alone_and_the_form_says_so(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.org = self.fake.add_organisation("Euro", country="NZ", currency="EUR")
        item = self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5)
        pricelist = self.env["product.pricelist"].create({"name": "Euro", "currency_id": euro.id})
        self.exchange(connection := self.exchanging("both", item_pricelist_id=pricelist.id))
        self.assertIn("Costs are not exchanged", connection.item_price_problem)
        self.assertEqual((lamp.standard_price, self.stored(item)["PurchaseDetails"]["UnitPrice"]), (0, 3))

    def test_a_vendors_price_that_has_ended_is_none(self):
        vendor = self.env["res.partner"].create({"name": "Vendor"})
        self.item("LAMP", purchase_price=3)
        lamp = self.product("LAMP", "LAMP", 5)
        values = {"partner_id": vendor.id, "product_tmpl_id": lamp.product_tmpl_id.id}
        ended, now = self.env["product.supplierinfo"].create(
            [
                values | {"price": 8, "sequence": 1, "date_end": fields.Date.today() - timedelta(days=1)},
                values | {"price": 7, "sequence": 2},
            ]
        )
        self.exchange(self.exchanging("pull", item_cost_source="vendor"))
        self.assertEqual((ended.price, now.price), (8, 3))

    def test_what_came_from_xero_stays_in_the_products_chatter(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 7)
        self.exchange(connection := self.exchanging("pull"))
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        self.exchange(connection)
        told = " ".join(self.chatter(lamp).mapped("body"))
        self.assertIn("Xero's 10 replaced Odoo's 7", told)
        self.assertIn("10 became Xero's 12", told)


@tagged("post_install", "-at_install")
class TestTurns(ItemsCase):
    def test_turns_come_every_hour_or_once_a_day(self):
        connection = self.exchanging("pull")
        for interval, hours in (("hourly", 1), ("daily", 24)):
            connection.item_interval = interval
            self.exchange(connection)
            wait = connection.next_items - fields.Datetime.now()
            self.assertAlmostEqual(wait.total_seconds() / 3600, hours, delta=0.1)

    def test_a_list_that_cannot_be_read_for_three_turns_calls_somebody_until_it_can(self):
        connection = self.exchanging("pull")
        self.fake.faults.add("GET", "/Items$", status=500, times=None)
        for _turn in range(3):
            connection._ring_items()
            self.run_cron("items")
            self.run_import(connection)
        self.assertTrue(connection.item_message, "an import that goes well does not hide it")
        self.assertTrue(connection.activity_ids.filtered(lambda activity: "Products" in (activity.note or "")))
        self.fake.faults.clear()
        self.exchange(connection)
        self.assertFalse(connection.item_message)
        self.assertFalse(connection.activity_ids)

    def test_a_stranger_does_not_make_another_companys_connection_look_for_suggestions(self):
        self.item("X-1")
        self.exchange(connection := self.exchanging("none"))
        other = self.env["res.company"].create({"name": "Other"})
        company = {"company_id": other.id, "company_ids": [Command.set(other.ids)]}
        for group in ("user", "manager"):
            stranger = new_test_user(self.env, f"stranger-{group}", f"xero_connector.group_xero_{group}", **company)
            matches = self.env["xero.item.match"].with_user(stranger)
            with self.assertRaises(AccessError):
                matches.with_context(default_connection_id=connection.id).action_suggest()
        self.assertFalse(connection.next_items)


@tagged("post_install", "-at_install")
class TestMend(ItemsCase):
    def wizard(self, connection, code):
        context = {"default_connection_id": connection.id, "default_item_code": code}
        return Form(self.env["xero.mend.code"].with_context(**context))

    def test_a_product_that_is_an_item_already_gets_a_further_code(self):
        self.item("FLASK")
        flask = self.product("FLASK", "Flask", 1)
        self.item("FLASK-12")
        self.exchange(connection := self.exchanging("none"))
        invoice = self.invoice(lines=[self.line("FLASK-12")])
        self.run_import()
        form = self.wizard(connection, "FLASK-12")
        form.product_id = flask
        form.save().action_confirm()
        self.run_cron("process")
        self.assertEqual(self.order(invoice).order_line.product_id, flask)
        self.assertEqual(connection.product_mapping_ids.item_code, "FLASK-12")

    def test_a_doubtful_suggestion_is_shown_but_not_chosen(self):
        self.item("Z-1", name="Garden chair")
        bench = self.product("B-1", "Garden bench", 1)
        self.exchange(connection := self.exchanging("none"))
        self.invoice(lines=[self.line("Z-1")])
        self.run_import()
        form = self.wizard(connection, "Z-1")
        self.assertEqual(form.suggestion_id, bench)
        self.assertFalse(form.product_id)
