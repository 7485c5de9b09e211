"""The mapping screen: both catalogues side by side, mapped by a person."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .items_case import ItemsCase


@tagged("post_install", "-at_install")
class TestMatch(ItemsCase):
    def setUp(self):
        super().setUp()
        self.manager = new_test_user(
            self.env, "item_manager", "xero_connector.group_xero_manager,product.group_product_manager"
        )
        self.clerk = new_test_user(self.env, "item_clerk", "xero_connector.group_xero_user")

    def reading(self, *items, way="none", **settings):
        """A connection that has read Xero's catalogue."""
        self.exchange(connection := self.exchanging(way, **settings))
        return connection

    def match(self, connection, item=None, product=None, user=None):
        domain = [("connection_id", "=", connection.id)]
        domain += [("item_code", "=", item["Code"])] if item else []
        domain += [("product_id", "=", product.id)] if product else []
        return self.env["xero.item.match"].with_user(user or self.manager).search(domain)

    # === SIDE BY SIDE === #

    def test_it_shows_what_is_mapped_what_is_only_there_and_what_is_only_here(self):
        self.item("LAMP", price=10, name="Lamp there")
        lamp = self.product("LAMP", "Lamp here", 12)
        there = self.item("THERE", price=3)
        here = self.product("HERE", "Here", 4)
        connection = self.reading()
        mapped = self.match(connection, product=lamp)
        self.assertEqual((mapped.status, mapped.item_name, mapped.item_price), ("mapped", "Lamp there", 10))
        self.assertEqual((mapped.product_price, mapped.is_price_apart), (12, True))
        self.assertEqual(self.match(connection, there).status, "item_only")
        matches = self.env["xero.item.match"].with_user(self.manager)
        own = [("connection_id", "=", connection.id)]
        self.assertEqual(matches.search([*own, ("is_price_apart", "=", True)]), mapped)
        self.assertNotIn(mapped, matches.search([*own, ("is_price_apart", "=", False)]))
        self.assertEqual(self.match(connection, product=here).status, "product_only")

    def test_a_product_kept_out_or_archived_is_not_offered(self):
        self.item("LAMP")
        kept_out = self.product("OUT", "Out", 1)
        kept_out.xero_exchange = False
        archived = self.product("OLD", "Old", 1, active=False)
        connection = self.reading()
        self.assertFalse(self.match(connection, product=kept_out))
        self.assertFalse(self.match(connection, product=archived))

    def test_lines_of_other_companies_are_nobodys_to_see(self):
        self.item("LAMP")
        connection = self.reading()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "item_stranger",
            "xero_connector.group_xero_manager",
            company_id=other.id,
            company_ids=[fields.Command.set(other.ids)],
        )
        self.assertFalse(self.match(connection, user=stranger))

    # === MAP === #

    def test_choosing_the_product_of_an_item_maps_it_and_the_line_stays(self):
        item = self.item("X-1", price=10)
        lamp = self.product("LAMP", "Lamp", 12)
        connection = self.reading(way="pull")
        line = self.match(connection, item)
        line.write({"product_id": lamp.id})
        self.assertEqual((line.status, line.product_id), ("mapped", lamp))
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 10)
        self.assertEqual(lamp.default_code, "LAMP", "codes that were mapped apart stay apart")
        self.assertFalse(self.match(connection, product=lamp) - line)

    def test_choosing_another_product_replaces_the_first(self):
        item = self.item("LAMP", price=10)
        lamp, other = self.product("LAMP", "Lamp", 12), self.product("OTHER", "Other", 5)
        connection = self.reading()
        line = self.match(connection, item)
        line.write({"product_id": other.id})
        self.assertEqual(line.product_id, other)
        self.assertEqual(self.match(connection, product=lamp).status, "product_only")

    def test_an_unmapped_pair_stays_unmapped_and_unchanged_until_somebody_maps_it(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        connection = self.reading(way="both", item_create_there=True, item_create_here=True,
                                  item_product_domain=f"[('id', '=', {lamp.id})]")
        self.match(connection, item).action_unmap()
        self.org.update("Items", item["ItemID"], SalesDetails={"UnitPrice": 12})
        lamp.list_price = 20
        self.exchange(connection)
        self.assertEqual((lamp.list_price, self.stored(item)["SalesDetails"]["UnitPrice"]), (10 * 2, 12))
        self.assertEqual(len(self.items()), 1)
        self.match(connection, item).write({"product_id": lamp.id})
        self.exchange(connection)
        self.assertEqual(lamp.list_price, 12)

    def test_a_product_can_be_mapped_from_its_own_line(self):
        item = self.item("X-1")
        lamp = self.product("LAMP", "Lamp", 12)
        connection = self.reading()
        action = self.match(connection, product=lamp).action_map()
        wizard = self.env["xero.map.product"].with_user(self.manager).with_context(**action["context"]).create(
            {"record_id": self.row(item).id}
        )
        wizard.action_confirm()
        self.assertEqual(self.match(connection, item).product_id, lamp)

    def test_an_item_takes_one_product_only_unless_the_connection_allows_more(self):
        item = self.item("LAMP", price=10)
        lamp, red = self.product("LAMP", "Lamp", 12), self.product("RED", "Red lamp", 13)
        connection = self.reading(way="pull")
        with self.assertRaisesRegex(UserError, "is .*LAMP already"):
            self.row(item).with_user(self.manager)._map(red)
        connection.allow_shared_item = True
        self.row(item).with_user(self.manager)._map(red)
        self.assertEqual(set(self.match(connection, item).product_id), {lamp, red})
        self.exchange(connection)
        self.assertEqual((lamp.list_price, red.list_price), (10, 13), "only the first exchanges its price")
        found = self.env["product.product"]._xero_find_by_code(connection, ["LAMP"])
        self.assertEqual(found.get("LAMP"), lamp)
        self.match(connection, product=lamp).action_unmap()
        line = self.match(connection, item)
        self.assertEqual((line.product_id, line.is_shared), (red, False), "the next one takes its place")
        self.exchange(connection)
        self.assertEqual(red.list_price, 10)

    def test_a_product_that_is_mapped_is_not_mapped_twice(self):
        self.item("LAMP")
        other = self.item("OTHER")
        lamp = self.product("LAMP", "Lamp", 12)
        connection = self.reading()
        with self.assertRaisesRegex(UserError, "mapped to the item LAMP already"):
            self.match(connection, other).write({"product_id": lamp.id})

    def test_a_product_of_another_company_is_not_mapped(self):
        item = self.item("LAMP")
        other = self.env["res.company"].create({"name": "Other"})
        lamp = self.product("THEIRS", "Lamp", 12, company_id=other.id)
        connection = self.reading()
        with self.assertRaisesRegex(UserError, "belongs to Other"):
            self.row(item)._map(lamp)
        self.assertFalse(self.match(connection, product=lamp))

    def test_a_line_counted_in_dozens_converts_what_is_imported(self):
        item = self.item("EGG")
        egg = self.product("EGG", "Egg", 1)
        connection = self.reading()
        dozen = self.env.ref("uom.product_uom_dozen")
        self.match(connection, item).write({"uom_id": dozen.id})
        invoice = self.invoice(lines=[self.line("EGG", quantity=2)])
        self.run_import()
        self.assertEqual(self.order(invoice).order_line.product_uom_id, dozen)
        self.assertEqual(self.order(invoice).order_line.product_id, egg)

    def test_what_a_person_mapped_is_what_an_invoice_means_even_where_another_product_has_the_code(self):
        item = self.item("BOX")
        ours, theirs = self.product("BOX", "Our box", 1), self.product("B-BOX", "Their box", 1)
        connection = self.reading()
        self.match(connection, item).write({"product_id": theirs.id})
        invoice = self.invoice(lines=[self.line("BOX")])
        self.run_import()
        self.assertEqual(self.order(invoice).order_line.product_id, theirs)
        self.assertNotEqual(ours, theirs)

    # === SUGGESTIONS === #

    def test_suggestions_have_a_score_and_are_accepted_in_bulk(self):
        first = self.item("MUG 01", name="Something")
        second = self.item("K-77", name="Enamel kettel red")
        third = self.item("Z-99", name="Unlike anything")
        mug = self.product("MUG-01", "Enamel cup", 1)
        kettle = self.product("KETTLE", "Enamel kettle, red", 1)
        connection = self.reading()
        lines = self.match(connection, first) | self.match(connection, second) | self.match(connection, third)
        self.assertEqual(lines.mapped("suggestion_id"), mug | kettle)
        self.assertEqual(lines[0].suggestion_score, 100)
        self.assertTrue(80 <= lines[1].suggestion_score < 100, lines[1].suggestion_score)
        self.assertFalse(lines[2].suggestion_id)
        lines.action_accept()
        self.assertEqual(self.match(connection, first).product_id, mug)
        self.assertEqual(self.match(connection, second).product_id, kettle)
        self.assertEqual(self.match(connection, third).status, "item_only")

    def test_of_two_items_with_the_same_suggestion_one_is_mapped_and_the_other_told(self):
        first, second = self.item("MUG 01"), self.item("MUG/01")
        mug = self.product("MUG-01", "Mug", 1)
        connection = self.reading()
        lines = self.match(connection, first) | self.match(connection, second)
        told = lines.action_accept()["params"]["message"]
        self.assertEqual(len(self.match(connection, product=mug)), 1)
        self.assertIn("Items mapped: 1", told)
        self.assertIn("MUG/01", told)

    def test_suggestions_can_be_looked_for_again_after_products_were_added(self):
        item = self.item("MUG 01")
        connection = self.reading()
        self.assertFalse(self.match(connection, item).suggestion_id)
        mug = self.product("MUG-01", "Mug", 1)
        self.match(connection, item).action_suggest()
        self.run_cron("items")
        self.assertEqual(self.match(connection, item).suggestion_id, mug)

    # === CREATE === #

    def test_a_product_is_created_from_an_item_with_its_values(self):
        item = self.item("CHAIR", price=45, name="Chair", description="To sit on", purchase_price=20)
        connection = self.reading()
        line = self.match(connection, item)
        line.action_create_here()
        chair = self.find("CHAIR")
        self.assertEqual((chair.name, chair.list_price, chair.standard_price), ("Chair", 45, 20))
        self.assertEqual(self.match(connection, item).product_id, chair)

    def test_an_item_is_created_from_a_product_where_the_connection_sends(self):
        chair = self.product("CHAIR", "Chair", 45)
        connection = self.reading()
        with self.assertRaisesRegex(UserError, "sends no products"):
            self.match(connection, product=chair).action_create_there()
        connection.item_sync = "push"
        with self.assertRaisesRegex(UserError, "reconnect"):
            self.match(connection, product=chair).action_create_there()
        self.consent(connection, self.org)
        self.match(connection, product=chair).action_create_there()
        self.run_cron("items")
        self.assertEqual(self.by_code("CHAIR")["SalesDetails"]["UnitPrice"], 45)
        self.assertEqual(self.match(connection, product=chair).status, "mapped")
        self.assertEqual(len(self.items()), 1, "only what was asked for")

    # === FROM A FAILED ORDER AND BACK === #

    def test_an_order_that_failed_is_mended_by_mapping_and_released(self):
        item = self.item("X-1")
        lamp = self.product("LAMP", "Lamp", 12)
        connection = self.reading()
        invoices = [self.invoice(lines=[self.line("X-1")]) for _number in range(3)]
        self.run_import()
        self.assertEqual(self.row_of(invoices[0]).problem_code, "unknown_code")
        line = self.match(connection, item)
        self.assertEqual(line.waiting_count, 3)
        line.write({"product_id": lamp.id})
        line.action_release()
        self.run_cron("process")
        self.assertEqual([self.order(invoice).order_line.product_id for invoice in invoices], [lamp] * 3)
        self.assertFalse(self.match(connection, item).waiting_count)

    def test_the_problem_opens_the_question_with_a_suggestion_and_answers_it_on_the_item(self):
        item = self.item("LAMP 1", name="Lamp")
        lamp = self.product("LAMP-1", "Lampe", 12)
        connection = self.reading()
        invoice = self.invoice(lines=[self.line("LAMP 1")])
        self.run_import()
        problem = self.env["xero.problem"].search(
            [("connection_id", "=", connection.id), ("problem_code", "=", "unknown_code")]
        )
        mend = self.row_of(invoice).action_mend()
        self.assertEqual(mend, problem.action_mend(), "from the order itself, too")
        wizard = Form(self.env["xero.mend.code"].with_context(**mend["context"])).save()
        self.assertEqual((wizard.product_id, wizard.score, wizard.waiting_count), (lamp, 100, 1))
        shown = wizard.action_view_matches()
        lines = self.env[shown["res_model"]].search(shown["domain"])
        self.assertEqual(lines.filtered("waiting_count").item_code, "LAMP 1")
        wizard.action_confirm()
        self.run_cron("process")
        self.assertEqual(self.order(invoice).order_line.product_id, lamp)
        self.assertEqual(self.match(connection, item).product_id, lamp)
        self.assertFalse(connection.product_mapping_ids, "one mapping, not two")

    def test_products_that_fail_are_grouped_by_cause_and_released_together(self):
        for number in range(3):
            self.product(False, f"No code {number}", 1)
        domain = "[('name', 'ilike', 'No code')]"
        connection = self.reading(way="push", item_create_there=True, item_product_domain=domain)
        [problem] = self.env["xero.problem"].search(
            [("connection_id", "=", connection.id), ("problem_code", "=", "code_missing")]
        )
        self.assertEqual((problem.resource, problem.record_count), ("item", 3))
        for number, product in enumerate(self.env["product.product"].search([("name", "ilike", "No code")])):
            product.default_code = f"CODE{number}"
        problem.action_release()
        self.run_cron("items")
        self.assertEqual(sorted(item["Code"] for item in self.items()), ["CODE0", "CODE1", "CODE2"])

    # === WHO MAY === #

    def test_whoever_only_reads_the_log_maps_nothing(self):
        item = self.item("X-1", price=1)
        lamp = self.product("LAMP", "Lamp", 12)
        connection = self.reading()
        line = self.match(connection, item, user=self.clerk)
        self.assertEqual(line.item_code, "X-1")
        for act in (
            lambda: line.write({"product_id": lamp.id}),
            line.action_accept,
            line.action_unmap,
            line.action_create_here,
            line.action_create_there,
        ):
            with self.assertRaises(AccessError):
                act()

    def row_of(self, invoice):
        return self.env["xero.record"].search([("external_id", "=", invoice["InvoiceID"])])
