"""Which warehouse an invoice goes to: the five set-ups customers describe, and what decides before them."""

from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import XeroCase


@tagged("post_install", "-at_install")
class TestFiveSetups(XeroCase):
    def _routes(self, connection, *references):
        """Where invoices with these references end: a warehouse, or the code of the reason why not."""
        invoices = [self.invoice(reference) for reference in references]
        self.run_import(connection)
        return [self.order(invoice).warehouse_id or self.row(invoice).problem_code for invoice in invoices]

    def test_set_up_1_only_marked_orders_use_the_warehouse(self):
        connection = self.connect(unmatched_action="ignore", mapping_ids=self.rules(("warehouse", self.warehouse)))
        self.assertEqual(
            self._routes(connection, "PO 17 WAREHOUSE please", "we deliver", ""),
            [self.warehouse, "no_match", "no_match"],
        )

    def test_set_up_2_two_warehouses_the_more_specific_rule_first(self):
        connection = self.connect(
            unmatched_action="ignore",
            mapping_ids=self.rules(
                ("Drink Bottle Distribution - GC", self.second_warehouse),
                ("Drink Bottle Distribution", self.warehouse),
            ),
        )
        self.assertEqual(
            self._routes(
                connection, "drink bottle distribution - gc 8", "Drink Bottle Distribution 9", "Bottle Distribution"
            ),
            [self.second_warehouse, self.warehouse, "no_match"],
        )

    def test_set_up_3_two_sites_and_unmarked_orders_still_captured(self):
        connection = self.connect(mapping_ids=self.rules(("GC", self.second_warehouse)))
        self.assertEqual(self._routes(connection, "order GC-1", "order"), [self.second_warehouse, self.warehouse])

    def test_set_up_4_everything_to_one_warehouse(self):
        connection = self.connect()
        self.assertEqual(self._routes(connection, "anything", ""), [self.warehouse, self.warehouse])

    def test_set_up_5_one_warehouse_and_orders_it_must_not_touch(self):
        connection = self.connect(mapping_ids=self.rules(("pick-up", None)))
        self.assertEqual(self._routes(connection, "customer PICK-UP friday", "send"), ["rule_ignore", self.warehouse])

    def test_the_first_rule_by_sequence_wins_when_two_match(self):
        connection = self.connect(mapping_ids=self.rules(("north", self.warehouse), ("coast", self.second_warehouse)))
        self.assertEqual(self._routes(connection, "North Coast"), [self.warehouse])
        connection.mapping_ids[1].action_move_up()
        self.assertEqual(self._routes(connection, "north coast"), [self.second_warehouse])

    def test_every_order_says_which_rule_chose_its_warehouse(self):
        connection = self.connect(mapping_ids=self.rules(("GC", self.second_warehouse)))
        by_rule, by_default = self.invoice("for gc"), self.invoice("other")
        self.run_import(connection)
        self.assertEqual(self.order(by_rule).xero_mapping_id, connection.mapping_ids)
        self.assertIn("GC", self.order(by_rule).xero_route_reason)
        self.assertFalse(self.order(by_default).xero_mapping_id)
        self.assertIn("default", self.order(by_default).xero_route_reason)

    def test_a_reason_in_plain_words_stands_on_every_skipped_row(self):
        connection = self.connect(unmatched_action="ignore")
        invoice, without = self.invoice("PO 4711"), self.invoice("")
        self.run_import(connection)
        self.assertEqual(self.row(invoice).state, "skipped")
        self.assertIn("PO 4711", self.row(invoice).reason)
        self.assertIn("no reference", self.row(without).reason)

    def test_a_warehouse_the_customer_may_not_use_fails_with_that_reason(self):
        customer = self.env["res.partner"].create({"name": "Kiwi Outdoor", "xero_warehouse_ids": self.warehouse.ids})
        connection = self.connect(partner_id=customer.id, mapping_ids=self.rules(("GC", self.second_warehouse)))
        denied, allowed = self.invoice("GC"), self.invoice("")
        self.run_import(connection)
        self.assertEqual((self.row(denied).state, self.row(denied).problem_code), ("failed", "warehouse_denied"))
        self.assertIn("Gold Coast", self.row(denied).reason)
        self.assertFalse(self.order(denied))
        self.assertEqual(self.order(allowed).warehouse_id, self.warehouse)


@tagged("post_install", "-at_install")
class TestRules(XeroCase):
    def setUp(self):
        super().setUp()
        self.connection = self.env["xero.connection"].create(
            {
                "name": "Rules",
                "app_id": self.app.id,
                "mapping_ids": self.rules(
                    ("Drink Bottle Distribution", self.warehouse),
                    ("Drink bottle distribution - GC", self.second_warehouse),
                    ("Mugs", self.warehouse),
                ),
            }
        )

    def test_a_contacts_own_limit_holds_where_the_connection_has_no_customer(self):
        self.env["res.partner"].create({"name": "Aroha Ltd", "xero_warehouse_ids": self.second_warehouse.ids})
        connection = self.connect()
        invoice = self.invoice("web")
        self.run_import(connection)
        self.assertEqual(self.row(invoice).problem_code, "warehouse_denied")

    def test_a_rule_that_can_never_match_names_the_rule_that_shadows_it(self):
        general, specific, other = self.connection.mapping_ids
        self.assertEqual(specific.shadowed_by_id, general)
        self.assertFalse(general.shadowed_by_id | other.shadowed_by_id)
        specific.action_move_up()
        self.assertFalse(self.connection.mapping_ids.shadowed_by_id)

    def test_a_thousand_rules_are_compared_with_each_other_in_no_noticeable_time(self):
        connection = self.connect(
            mapping_ids=self.rules(*((f"rule {number:04}", self.warehouse) for number in range(1000)), ("7", None))
        )
        connection.mapping_ids.invalidate_recordset()
        sorts = 0

        def count(*_args):
            nonlocal sorts
            sorts += 1
            return place(*_args)

        place = type(connection.mapping_ids)._place
        with patch.object(type(connection.mapping_ids), "_place", count):
            shadowed = connection.mapping_ids.filtered("shadowed_by_id")
        self.assertFalse(shadowed)
        self.assertLess(sorts, 5000, "places are looked up once for each rule, not once for each pair")

    def test_arrows_swap_neighbours_and_stop_at_the_ends(self):
        first, second, third = self.connection.mapping_ids
        first.action_move_down()
        self.assertEqual(self.connection.mapping_ids.sorted("sequence"), second | first | third)
        second.action_move_up()
        third.action_move_down()
        self.assertEqual(self.connection.mapping_ids.sorted("sequence"), second | first | third)

    def test_a_rule_without_text_is_refused_as_it_would_match_everything(self):
        with self.assertRaises(ValidationError):
            self.connection.mapping_ids[0].reference_contains = "   "

    def test_the_shadow_is_shown_while_the_form_is_being_edited(self):
        with Form(self.connection) as form, form.mapping_ids.new() as rule:
            rule.reference_contains = "enamel MUGS"
            rule.warehouse_id = self.second_warehouse
        self.assertEqual(self.connection.mapping_ids[-1].shadowed_by_id.reference_contains, "Mugs")
