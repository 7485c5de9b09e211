"""The table of the three-way comparison: each cell a test."""

from odoo.tests import BaseCase

from odoo.addons.xero_connector.lib.threeway import PULL, PUSH, Verdict, judge

NOTHING = Verdict()
CONFLICT_PULL = Verdict(PULL, is_conflict=True)
CONFLICT_PUSH = Verdict(PUSH, is_conflict=True)


class TestThreeWay(BaseCase):
    def check(self, base, xero, odoo, *, xero_wins, odoo_wins=None, field="sales_price"):
        self.assertEqual(judge(field, base, xero, odoo, "xero"), xero_wins)
        self.assertEqual(judge(field, base, xero, odoo, "odoo"), odoo_wins or xero_wins)

    def test_where_neither_side_changed_nothing_travels(self):
        self.check((10.0, 10.0), 10.0, 10.0, xero_wins=NOTHING)

    def test_a_difference_both_sides_had_before_is_left_alone(self):
        self.check((10.0, 8.6957), 10.0, 8.6957, xero_wins=NOTHING)

    def test_a_change_in_xero_alone_goes_to_odoo_whoever_wins(self):
        self.check((10.0, 10.0), 12.0, 10.0, xero_wins=Verdict(PULL))

    def test_a_change_in_odoo_alone_goes_to_xero_whoever_wins(self):
        self.check((10.0, 10.0), 10.0, 11.0, xero_wins=Verdict(PUSH))

    def test_where_both_changed_the_source_decides(self):
        self.check((10.0, 10.0), 12.0, 11.0, xero_wins=CONFLICT_PULL, odoo_wins=CONFLICT_PUSH)

    def test_where_both_changed_to_the_same_nothing_travels(self):
        self.check((10.0, 10.0), 12.0, 12.0, xero_wins=NOTHING)

    def test_at_the_first_comparison_the_source_decides(self):
        self.check(None, 12.0, 11.0, xero_wins=CONFLICT_PULL, odoo_wins=CONFLICT_PUSH)

    def test_at_the_first_comparison_equal_values_do_not_travel(self):
        self.check(None, 12.0, 12.0, xero_wins=NOTHING)

    def test_at_the_first_comparison_an_empty_side_is_filled_whoever_wins(self):
        for empty in (None, "", 0.0):
            self.check(None, 12.0, empty, xero_wins=Verdict(PULL))
            self.check(None, empty, 12.0, xero_wins=Verdict(PUSH))

    def test_at_the_first_comparison_two_empty_sides_are_left_alone(self):
        self.check(None, None, 0.0, xero_wins=NOTHING)
        self.check(None, "", None, xero_wins=NOTHING)

    def test_a_missing_value_overwrites_nothing(self):
        self.check((10.0, 10.0), None, 10.0, xero_wins=NOTHING)
        self.check((10.0, 10.0), 10.0, None, xero_wins=NOTHING)

    def test_a_missing_value_loses_against_a_changed_one_whoever_wins(self):
        self.check((10.0, 10.0), None, 11.0, xero_wins=Verdict(PUSH))
        self.check((10.0, 10.0), 12.0, None, xero_wins=Verdict(PULL))

    def test_a_price_of_zero_is_a_change_like_any_other(self):
        self.check((10.0, 10.0), 0.0, 10.0, xero_wins=Verdict(PULL))
        self.check((10.0, 10.0), 10.0, 0.0, xero_wins=Verdict(PUSH))

    def test_a_description_that_was_emptied_travels(self):
        self.check(("long", "long"), "", "long", xero_wins=Verdict(PULL), field="description")
        self.check(("long", "long"), "long", "", xero_wins=Verdict(PUSH), field="description")

    def test_codes_that_were_equal_follow_each_other(self):
        self.check(("A", "A"), "B", "A", xero_wins=Verdict(PULL), field="code")
        self.check(("A", "A"), "A", "B", xero_wins=Verdict(PUSH), field="code")
        self.check(("A", "A"), "B", "C", xero_wins=CONFLICT_PULL, odoo_wins=CONFLICT_PUSH, field="code")

    def test_codes_that_were_mapped_apart_stay_apart(self):
        self.check(None, "A", "Z", xero_wins=NOTHING, field="code")
        self.check(("A", "Z"), "B", "Z", xero_wins=NOTHING, field="code")
        self.check(("A", "Z"), "A", "Y", xero_wins=NOTHING, field="code")
