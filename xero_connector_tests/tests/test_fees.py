"""The weekly fee: who was active when, what that costs, and that nobody pays twice."""

import importlib.util
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time

from odoo import api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged

from .common import XeroCase

MONDAY = datetime(2026, 3, 2)  # of the first week
CALL = "xero_connector.mail_activity_type_xero_fee"


class FeesCase(XeroCase):
    """A company that bills, and two customers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        receivable, cls.income = cls.env["account.account"].create(
            [
                {"name": "Debtors", "code": "XF1000", "account_type": "asset_receivable", "reconcile": True},
                {"name": "Fees", "code": "XF4000", "account_type": "income"},
            ]
        )
        cls.journal = cls.env["account.journal"].create(
            {"name": "Fees", "code": "XF", "type": "sale", "default_account_id": cls.income.id}
        )
        cls.product = cls.env["product.product"].create(
            {
                "name": "Xero integration",
                "type": "service",
                "list_price": 9,
                "taxes_id": False,
                "property_account_income_id": cls.income.id,
            }
        )
        cls.kauri, cls.rimu = cls.env["res.partner"].create(
            [
                {"name": name, "is_company": True, "property_account_receivable_id": receivable.id}
                for name in ("Kauri Ltd", "Rimu Ltd")
            ]
        )
        cls.company.partner_id.tz = "UTC"

    def switch_on(self, price=12.5, **values):
        self.company.write(
            {
                "xero_fee": True,
                "xero_fee_product_id": self.product.id,
                "xero_fee_price": price,
                "xero_fee_journal_id": self.journal.id,
                **values,
            }
        )
        self.env.flush_all()  # as the end of the request would

    def activate(self, name, partner=None, **values):
        """A customer's integration that is set up and connected."""
        connection = self.env["xero.connection"].create(
            {"name": name, "app_id": self.app.id, "partner_id": (partner or self.kauri).id, **values}
        )
        connection.sudo().state = "connected"
        return connection

    def bill(self):
        """One turn of the scheduled action: the invoices it made, oldest first."""
        known = self.env["xero.fee"].search([]).move_id
        self.run_cron("fees")
        return (self.env["xero.fee"].search([]).move_id - known).sorted("id")

    def lines(self, moves):
        """What is billed: ``[(integration and days, price)]``."""
        return [(line.name.split("\n")[-1], line.price_unit) for line in moves.invoice_line_ids.sorted("id")]

    def amounts(self, moves):
        return moves.mapped("amount_untaxed")

    def periods(self, connection):
        return [
            (period.partner_id, period.began_at, period.ended_at, period.is_paused)
            for period in self.env["xero.active.period"].search([("connection_id", "=", connection.id)], order="id")
        ]


@tagged("post_install", "-at_install")
class TestFees(FeesCase):
    """With a clock that stands until it is moved."""

    def setUp(self):
        super().setUp()
        self.now = self.enterContext(freeze_time(MONDAY))

    def at(self, days, hours=0):
        """Go to this day of the story, the first is 0."""
        self.now.move_to(MONDAY + timedelta(days=days, hours=hours))

    def test_five_weeks_with_pauses_in_between_are_billed_to_the_cent(self):
        self.switch_on()
        north = self.activate("North")
        self.at(2, 9)
        south = self.activate("South")
        self.at(7)
        [first] = self.bill()
        self.assertEqual(
            self.lines(first),
            [
                ("North, 03/02/2026 – 03/08/2026: active 7 of 7 days", 12.5),
                ("South, 03/02/2026 – 03/08/2026: active 5 of 7 days", 8.93),
            ],
        )
        self.at(8, 12)
        south.action_pause()
        self.at(10, 12)
        south.action_pause()
        south.sudo().state = "connected"
        self.at(15, 8)
        north.action_pause()
        self.at(27, 20)
        north.sudo().state = "connected"
        self.at(33)
        south.active = False
        self.at(35)
        weeks = self.bill()
        self.assertEqual(
            [self.lines(week) for week in weeks],
            [
                [
                    ("North, 03/09/2026 – 03/15/2026: active 7 of 7 days", 12.5),
                    ("South, 03/09/2026 – 03/15/2026: active 6 of 7 days", 10.71),
                ],
                [
                    ("North, 03/16/2026 – 03/22/2026: active 2 of 7 days", 3.57),
                    ("South, 03/16/2026 – 03/22/2026: active 7 of 7 days", 12.5),
                ],
                [
                    ("North, 03/23/2026 – 03/29/2026: active 1 of 7 days", 1.79),
                    ("South, 03/23/2026 – 03/29/2026: active 7 of 7 days", 12.5),
                ],
                [
                    ("North, 03/30/2026 – 04/05/2026: active 7 of 7 days", 12.5),
                    ("South, 03/30/2026 – 04/05/2026: active 5 of 7 days", 8.93),
                ],
            ],
        )
        self.assertEqual(self.amounts(first | weeks), [21.43, 23.21, 16.07, 14.29, 21.43])
        self.assertFalse(self.bill())

    # === WHEN === #

    def test_nothing_is_billed_unless_the_fee_is_switched_on(self):
        connection = self.activate("North")
        self.at(14)
        self.assertFalse(self.bill())
        self.assertFalse(self.env["xero.fee"].search([]))
        self.assertTrue(self.periods(connection), "the report counts them all the same")
        self.assertFalse(self.env["res.company"].create({"name": "Another"}).xero_fee)

    def test_no_day_before_the_fee_was_switched_on_is_billed(self):
        self.activate("North")
        self.at(10, 15)
        self.switch_on(7)
        self.at(14)
        self.assertEqual(
            self.lines(self.bill()), [("North, 03/09/2026 – 03/15/2026: active 4 of 7 days", 4.0)]
        )
        self.company.xero_fee = False
        self.env.flush_all()
        self.at(24)
        self.company.xero_fee = True
        self.env.flush_all()
        self.at(35)
        self.assertEqual(self.amounts(self.bill()), [4.0, 7.0], "nothing of the time in between")

    def test_the_week_that_is_not_over_waits(self):
        self.switch_on()
        self.activate("North")
        self.at(6, 23)
        self.assertFalse(self.bill())
        self.at(7)
        self.assertEqual(self.amounts(self.bill()), [12.5])

    def test_days_and_weeks_begin_where_the_company_is(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        self.switch_on()
        self.activate("Sunday evening")
        self.at(6, 12)  # Monday, one o'clock in Auckland
        self.activate("Monday")
        [move] = self.bill()
        self.assertEqual(self.lines(move), [("Sunday evening, 03/02/2026 – 03/08/2026: active 7 of 7 days", 12.5)])
        self.at(12, 10)  # not yet midnight on Saturday
        self.env["xero.connection"].search([("name", "=", "Sunday evening")]).action_pause()
        self.at(13, 10)
        self.assertFalse(self.bill(), "it is Sunday still")
        self.at(13, 11)
        self.assertEqual(
            self.lines(self.bill()),
            [
                ("Monday, 03/09/2026 – 03/15/2026: active 7 of 7 days", 12.5),
                ("Sunday evening, 03/09/2026 – 03/15/2026: active 6 of 7 days", 10.71),
            ],
        )
        self.company.partner_id.tz = "America/Los_Angeles"
        self.at(21, 6)
        self.assertFalse(self.bill(), "it is Sunday there")
        self.at(21, 7)
        self.assertEqual(self.amounts(self.bill()), [12.5])

    def test_what_ends_at_midnight_has_nothing_of_the_next_day(self):
        self.switch_on(7)
        connection = self.activate("North")
        self.at(3)
        connection.action_pause()
        self.at(7)
        self.assertEqual(self.amounts(self.bill()), [3.0])

    def test_a_customer_who_takes_over_pays_from_that_day_on(self):
        self.switch_on(7)
        connection = self.activate("North")
        self.at(3, 12)
        connection.partner_id = self.rimu
        self.at(5, 12)
        connection.partner_id = False
        self.at(7)
        moves = self.bill()
        self.assertEqual([(m.partner_id, m.amount_untaxed) for m in moves], [(self.kauri, 3.0), (self.rimu, 3.0)])

    def test_who_becomes_part_of_another_company_is_billed_through_it_from_that_day_on(self):
        self.switch_on(7)
        self.activate("North")
        self.at(3, 12)
        self.kauri.write({"parent_id": self.rimu.id, "is_company": False})
        self.assertEqual(self.kauri.commercial_partner_id, self.rimu)
        self.at(7)
        moves = self.bill()
        self.assertEqual([(m.partner_id, m.amount_untaxed) for m in moves], [(self.kauri, 3.0), (self.rimu, 4.0)])

    def merge(self):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.kauri | self.rimu).ids, self.kauri, extra_checks=False)
        self.env.invalidate_all()

    def test_merged_customers_keep_their_invoices_and_no_week_is_billed_again(self):
        self.switch_on()
        self.activate("North")
        self.activate("South", self.rimu)
        self.at(7)
        moves = self.bill()
        self.assertEqual(len(moves), 2)
        self.merge()
        self.assertEqual(moves.exists().partner_id, self.kauri)
        self.assertFalse(self.bill())
        self.at(14)
        [move] = self.bill()
        self.assertEqual(len(move.invoice_line_ids), 2, "one customer by now")

    def test_a_failed_week_is_told_when_its_customer_is_merged_with_one_who_was_billed(self):
        self.switch_on()
        self.activate("North")
        self.activate("South", self.rimu)
        self.at(7)
        prepare = type(self.env["xero.fee"])._prepare_invoice

        def fails_for_kauri(fee, *arguments):
            if fee.partner_id == self.kauri:
                raise UserError("No.")
            return prepare(fee, *arguments)

        with patch.object(type(self.env["xero.fee"]), "_prepare_invoice", fails_for_kauri):
            [move] = self.bill()
        self.kauri.activity_ids.unlink()
        self.merge()
        self.assertFalse(self.bill(), "South's days are billed already")
        self.assertTrue(move.exists())
        self.assertIn("Bill it by hand", self.kauri.activity_ids.note)

    def test_a_week_that_costs_nothing_by_now_is_decided_by_hand_as_well(self):
        self.switch_on()
        self.activate("North")
        self.at(7)
        self.bill().unlink()
        self.company.xero_fee_price = 0
        self.product.list_price = 0
        fee = self.env["xero.fee"].search([])
        fee.action_bill()
        self.assertEqual(fee.outcome, "free")

    def test_who_is_called_works_there_and_each_company_has_a_call_of_its_own(self):
        fees, other = self.env["xero.fee"], self.env["res.company"].create({"name": "Other company"})
        admin = self.env.ref("base.user_admin")
        for values in ({"active": False}, {"group_ids": [Command.set([self.env.ref("base.group_portal").id])]}):
            left = new_test_user(self.env, f"left{len(values)}{next(iter(values))}", groups="base.group_user")
            left.write(values)
            self.company.xero_portal_user_id = left
            fees._call_for_help(self.company, self.kauri, "why")
            self.assertEqual(self.kauri.activity_ids.user_id, admin)
            self.kauri.activity_ids.unlink()
        fees._call_for_help(self.company, self.kauri, "why")
        fees._call_for_help(other, self.kauri, "why, too")
        fees._calls(other, self.kauri).unlink()
        self.assertIn("why", self.kauri.activity_ids.note)

    def test_a_contact_is_billed_as_its_company_and_two_contacts_are_one_customer(self):
        self.switch_on()
        people = self.env["res.partner"].create(
            [{"name": name, "parent_id": self.kauri.id, "type": "contact"} for name in ("Ana", "Ben")]
        )
        for person in people:
            self.activate(person.name, person)
        billing = self.env["res.partner"].create(
            {"name": "Accounts", "parent_id": self.kauri.id, "type": "invoice", "email": "accounts@kauri.example"}
        )
        self.at(7)
        [move] = self.bill()
        self.assertEqual((move.commercial_partner_id, move.partner_id), (self.kauri, billing))
        self.assertEqual(len(move.invoice_line_ids), 2)

    def test_pauses_are_billed_where_the_setting_says_so(self):
        self.switch_on(7, xero_fee_paused=True)
        connection = self.activate("North")
        self.at(2)
        connection.action_pause()
        self.at(7)
        self.assertEqual(self.amounts(self.bill()), [7.0])
        self.at(14)
        self.assertEqual(self.amounts(self.bill()), [7.0], "paused all week")
        self.company.xero_fee_paused = False
        self.at(21)
        self.assertFalse(self.bill())

    # === PERIODS === #

    def test_periods_follow_whatever_makes_a_connection_active(self):
        connection = self.activate("North", setup_done=False)
        self.assertFalse(self.periods(connection))
        connection.sudo().setup_done = True
        self.at(1)
        connection.sudo().state = "error"
        connection.name = "North and south"
        self.at(2)
        connection.action_pause()
        self.at(3)
        connection.sudo().state = "connected"
        connection.sudo().write({"state": "connected", "partner_id": self.kauri.id})
        self.at(4)
        connection.partner_id = self.rimu
        self.at(5)
        connection.active = False
        self.at(6)
        connection.active = True
        self.at(7)
        connection.sudo().state = "draft"
        days = [MONDAY + timedelta(days=number) for number in range(8)]
        self.assertEqual(
            self.periods(connection),
            [
                (self.kauri, days[0], days[2], False),
                (self.kauri, days[2], days[3], True),
                (self.kauri, days[3], days[4], False),
                (self.rimu, days[4], days[5], False),
                (self.rimu, days[6], days[7], False),
            ],
        )

    def test_a_write_that_changes_nothing_of_it_costs_no_query(self):
        connection = self.activate("North").sudo()
        connection.message_follower_ids.unlink()
        self.env.flush_all()
        connection.write({"state": "error"})
        self.env.flush_all()
        periods = self.periods(connection)
        with self.assertQueryCount(1):
            connection.with_context(tracking_disable=True).write({"state": "connected"})
            self.env.flush_all()
        self.assertEqual(self.periods(connection), periods)

    def test_a_connection_that_was_active_is_removed_not_deleted(self):
        connection = self.activate("North")
        connection.sudo().state = "draft"
        with self.assertRaisesRegex(UserError, "Use Remove on its form"):
            connection.unlink()

    def test_an_upgrade_begins_periods_that_day_and_bills_nothing_of_the_past(self):
        active, paused, archived = (self.activate(name) for name in ("Active", "Paused", "Archived"))
        paused.action_pause()
        archived.active = False
        bare = self.env["xero.connection"].create({"name": "No customer", "app_id": self.app.id})
        bare.sudo().state = "connected"
        self.env["xero.active.period"].search([]).unlink()
        self.at(40)
        self._migrate("19.0.1.5.0", "post-active_periods.py")
        today = MONDAY + timedelta(days=40)
        self.assertEqual(self.periods(active), [(self.kauri, today, False, False)])
        self.assertEqual(self.periods(paused), [(self.kauri, today, False, True)])
        self.assertEqual(self.periods(archived) + self.periods(bare), [])

    def _migrate(self, version, name):
        addon = Path(importlib.util.find_spec("odoo.addons.xero_connector").origin).parent
        spec = importlib.util.spec_from_file_location("migration", addon / "migrations" / version / name)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.4.0")

    # === HOW MUCH === #

    def _pricelist(self, partner, **rule):
        """Xero's fee in New Zealand dollars, two for each of ours."""
        self.env.user.group_ids += self.env.ref("product.group_product_pricelist")
        self.env.ref("base.group_user").implied_ids += self.env.ref("product.group_product_pricelist")
        currency = self.env.ref("base.NZD")
        currency.active = True
        self.env["res.currency.rate"].create({"currency_id": currency.id, "name": "2026-01-01", "rate": 2})
        rules = [Command.create({"applied_on": "3_global", **rule})] if rule else []
        pricelist = self.env["product.pricelist"].create(
            {"name": "Abroad", "currency_id": currency.id, "item_ids": rules}
        )
        partner.property_product_pricelist = pricelist
        return currency

    def test_a_price_of_the_settings_is_converted_into_the_price_lists_currency(self):
        currency = self._pricelist(self.kauri, compute_price="fixed", fixed_price=20)
        self.switch_on(12.33)
        self.activate("North")
        self.activate("East", self.rimu)
        self.at(2)
        self.activate("South")
        self.at(7)
        kauris, rimus = self.bill()
        self.assertEqual((kauris.currency_id, rimus.currency_id), (currency, self.company.currency_id))
        self.assertEqual([price for _text, price in self.lines(kauris)], [24.66, 17.61])
        self.assertEqual(self.amounts(rimus), [12.33])

    def test_without_a_price_the_price_list_counts_and_the_sales_price_where_there_is_none(self):
        self._pricelist(self.kauri, compute_price="percentage", percent_price=10)
        self.switch_on(0)
        self.activate("North")
        self.activate("East", self.rimu)
        self.at(7)
        self.assertEqual(self.amounts(self.bill()), [16.2, 9.0])

    def test_taxes_are_the_products_through_the_customers_fiscal_position(self):
        country = self.company.account_fiscal_country_id or self.env.ref("base.us")
        group = self.env["account.tax.group"].create({"name": "GST", "country_id": country.id})
        gst = self.env["account.tax"].create(
            {
                "name": "GST",
                "amount": 15,
                "type_tax_use": "sale",
                "price_include_override": "tax_included",
                "tax_group_id": group.id,
                "country_id": country.id,
            }
        )
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        none = self.env["account.tax"].create(
            {
                "name": "None",
                "amount": 0,
                "type_tax_use": "sale",
                "tax_group_id": group.id,
                "country_id": country.id,
                "fiscal_position_ids": [Command.set(position.ids)],
                "original_tax_ids": [Command.set(gst.ids)],
            }
        )
        self.product.taxes_id = gst
        self.rimu.property_account_position_id = position
        self.switch_on(11.5)
        self.activate("North")
        self.activate("East", self.rimu)
        self.at(7)
        kauris, rimus = self.bill()
        self.assertEqual((kauris.amount_untaxed, kauris.amount_total), (10.0, 11.5))
        self.assertEqual((rimus.amount_untaxed, rimus.amount_total), (10.0, 10.0))
        self.assertEqual((rimus.fiscal_position_id, rimus.invoice_line_ids.tax_ids), (position, none))
        text = self.company._xero_fee_text
        self.assertIn("11.50 including tax per week", text(self.kauri))
        self.assertIn("10.00 plus tax per week", text(self.rimu))

    def test_nothing_to_pay_makes_no_invoice_and_is_not_billed_later_either(self):
        self.product.list_price = 0
        self.switch_on(0)
        self.activate("North")
        self.at(7)
        self.assertFalse(self.bill())
        self.assertEqual(self.env["xero.fee"].search([]).outcome, "free")
        self.company.xero_fee_price = 7
        self.at(14)
        self.assertEqual(self.amounts(self.bill()), [7.0])

    def test_the_invoice_is_a_draft_as_accountants_want_it(self):
        seller = new_test_user(self.env, "fee-seller", groups="sales_team.group_sale_salesman")
        terms = self.env["account.payment.term"].create({"name": "Two weeks"})
        self.kauri.write({"user_id": seller.id, "property_payment_term_id": terms.id})
        self.switch_on()
        connection = self.activate("North")
        self.at(9)
        [move] = self.bill()
        self.assertEqual((move.state, move.move_type, move.journal_id), ("draft", "out_invoice", self.journal))
        self.assertEqual((move.invoice_date, move.invoice_payment_term_id), (date(2026, 3, 11), terms))
        self.assertEqual((move.invoice_user_id, move.invoice_line_ids.product_id), (seller, self.product))
        self.assertEqual(move.invoice_line_ids.account_id, self.income)
        self.assertIn("active days of Xero integrations", "".join(move.message_ids.mapped("body")))
        connection.active = False
        self.assertEqual(move.xero_fee_ids.connection_ids, connection, "removed ones as well")
        action = move.action_xero_integrations()
        found = self.env["xero.connection"].with_context(**action["context"]).search(action["domain"])
        self.assertEqual(found, connection)
        move.action_post()
        self.assertEqual((move.payment_state, move.amount_total), ("not_paid", 12.5))

    def test_the_customer_reads_what_it_costs(self):
        text = self.company._xero_fee_text
        self.assertEqual(text(self.kauri), "")
        self.switch_on()
        symbol = f"{self.company.currency_id.symbol}\N{NO-BREAK SPACE}"
        self.assertIn(symbol[0], text(self.kauri))
        self.assertIn("12.50 per week for each active integration, billed weekly by active days.", text(self.kauri))
        self.assertTrue(text(self.kauri).endswith("Pauses cost nothing."))
        self.company.xero_fee_paused = True
        self.assertTrue(text(self.kauri).endswith("Pauses are billed, too."))
        self._pricelist(self.rimu)
        customer = new_test_user(self.env, "fee-portal", groups="base.group_portal")
        contact = self.env["res.partner"].create({"name": "Ana", "parent_id": self.rimu.id})
        self.assertIn("25.00", self.company.with_user(customer)._xero_fee_text(contact.with_user(customer)))
        self.product.active = False
        self.assertEqual(text(self.kauri), "", "nothing is billed like that")

    # === NEVER TWICE, NEVER LOST === #

    def test_what_somebody_deleted_or_cancelled_is_not_made_again_unless_asked_for(self):
        self.switch_on()
        self.activate("North")
        self.activate("East", self.rimu)
        self.at(7)
        kauris, rimus = self.bill()
        kauris.unlink()
        rimus.button_cancel()
        self.assertFalse(self.bill())
        self.at(14)
        self.assertEqual(len(self.bill()), 2, "the new week's")
        fees = self.env["xero.fee"].search([("week_start", "=", MONDAY)], order="id")
        self.assertEqual(fees.mapped("outcome"), ["deleted", "cancel"])
        for fee in fees:
            fee.action_bill()
        self.assertEqual(fees.mapped("outcome"), ["draft", "draft"])
        self.assertEqual(fees.move_id.mapped("amount_untaxed"), [12.5, 12.5])
        with self.assertRaisesRegex(UserError, "is billed"):
            fees[0].action_bill()

    def test_one_customers_failure_is_told_and_holds_nobody_else_up(self):
        self.switch_on()
        self.activate("North")
        self.activate("East", self.rimu)
        self.kauri.company_id = self.env["res.company"].create({"name": "Another"})
        self.at(7)
        self.assertEqual(self.bill().partner_id, self.rimu)
        self.at(8)
        self.assertFalse(self.bill())
        failed = self.env["xero.fee"].search([("state", "=", "failed")])
        self.assertEqual(failed.partner_id, self.kauri)
        [call] = self.kauri.activity_search([CALL])
        self.assertIn("no company crossover is allowed", call.note)
        self.assertIn(failed.reason[:40], call.note)
        self.assertEqual(call.user_id, self.env.ref("base.user_admin"))
        self.kauri.company_id = False
        self.at(15)
        moves = self.bill()
        self.assertEqual(moves.partner_id, self.kauri | self.rimu)
        self.assertEqual(sorted(self.amounts(moves)), [12.5, 12.5, 12.5], "made up for, and the new week")
        self.assertFalse(self.kauri.activity_search([CALL]))
        self.assertFalse(self.bill())

    def test_settings_that_do_not_suffice_say_so_once_and_lose_nothing(self):
        settings = self.env["res.config.settings"]
        with self.assertRaisesRegex(ValidationError, "choose their product"):
            settings.create({"xero_fee": True}).execute()
        self.company.xero_fee = False
        settings.create(
            {"xero_fee": True, "xero_fee_product_id": self.product.id, "xero_fee_price": 7}
        ).execute()
        self.assertEqual((self.company.xero_fee_from, self.company.xero_fee_price), (MONDAY.date(), 7))
        self.activate("North")
        self.activate("East", self.rimu)
        self.product.active = False
        self.at(7)
        self.assertFalse(self.bill())
        self.assertFalse(self.bill())
        [call] = self.company.partner_id.activity_search([CALL])
        self.assertIn("Xero integration is archived", call.note)
        self.assertIn("archived", settings.create({}).xero_fee_problem)
        self.product.active = True
        self.at(14)
        self.assertEqual(self.amounts(self.bill()), [7.0] * 4)
        self.assertFalse(self.company.partner_id.activity_search([CALL]))

    def test_a_company_without_a_sales_journal_is_told(self):
        company = self.env["res.company"].create({"name": "Bare"})
        self.env["account.journal"].search([("company_id", "=", company.id)]).unlink()
        company.write({"xero_fee": True, "xero_fee_product_id": self.product.id})
        self.assertIn("has no sales journal", company.xero_fee_problem)

    def test_each_company_bills_its_own(self):
        other = self.env["res.company"].create({"name": "Another"})
        self.switch_on(7)
        connection = self.activate("North")
        self.env["xero.connection"].create(
            {
                "name": "Another's",
                "app_id": self.app.id,
                "partner_id": self.kauri.id,
                "company_id": other.id,
                "warehouse_id": False,
                "user_id": False,
            }
        ).sudo().state = "connected"
        self.at(7)
        [move] = self.bill()
        self.assertEqual((move.company_id, move.amount_untaxed), (self.company, 7.0))
        self.assertEqual(self.env["xero.fee"].search([]).connection_ids, connection)

    # === WHO SEES WHAT === #

    def test_the_report_counts_integrations_and_days_by_customer_and_month(self):
        self.at(-5)  # 25 February
        north = self.activate("North")
        self.at(0)
        south = self.activate("South")
        self.at(4, 12)
        north.action_pause()
        self.at(6, 12)
        north.sudo().state = "connected"
        self.at(7, 12)
        south.partner_id = self.rimu
        self.at(9, 12)
        report = self.env["xero.active.month"]
        rows = report.search([], order="month, connection_id, partner_id")
        self.assertEqual(
            [(r.month, r.partner_id, r.connection_id, r.active_days, r.paused_days) for r in rows],
            [
                (date(2026, 2, 1), self.kauri, north, 4, 0),
                (date(2026, 3, 1), self.kauri, north, 10, 1),
                (date(2026, 3, 1), self.kauri, south, 7, 0),
                (date(2026, 3, 1), self.rimu, south, 3, 0),
            ],
        )
        self.assertEqual(
            report._read_group([], ["partner_id"], ["connection_id:count_distinct", "active_days:sum"]),
            [(self.kauri, 2, 21), (self.rimu, 1, 3)],
        )

    def test_staff_read_periods_managers_read_fees_and_nobody_writes_either(self):
        self.switch_on()
        self.activate("North")
        self.at(7)
        self.bill()
        period, fee = self.env["xero.active.period"].search([]), self.env["xero.fee"].search([])
        row = self.env["xero.active.month"].search([])
        user = new_test_user(self.env, "fee-user", groups="xero_connector.group_xero_user")
        manager = new_test_user(self.env, "fee-manager", groups="xero_connector.group_xero_manager")
        for records, who in ((period, user), (row, user), (fee, manager)):
            own = records.with_user(who)
            self.assertTrue(own.search([]))
            self.assertEqual(own.partner_id, self.kauri)
            for attempt in (
                lambda own=own: own.write({"partner_id": self.rimu.id}),
                own.unlink,
                lambda own=own: own.create([{"partner_id": self.rimu.id}]),
            ):
                with self.assertRaises(AccessError):
                    attempt()
        with self.assertRaises(AccessError):
            fee.with_user(user).search([])
        with self.assertRaises(AccessError):
            fee.with_user(user).action_bill()
        fee.move_id.unlink()
        fee.with_user(manager).action_bill()
        self.assertEqual(fee.outcome, "draft")
        with self.assertRaises(AccessError):
            self.company.with_user(user).read(["xero_fee_price"])
        other = self.env["res.company"].create({"name": "Another"})
        stranger = new_test_user(
            self.env,
            "fee-stranger",
            groups="xero_connector.group_xero_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for records in (period, row, fee):
            self.assertFalse(records.with_user(stranger).search([]))


@tagged("post_install", "-at_install")
class TestFeesOfRealConnections(FeesCase):
    """By the clock that Xero's tokens live by."""

    def test_a_removed_integration_is_billed_up_to_its_last_day(self):
        self.switch_on(7)
        connection = self.connect(partner_id=self.kauri.id, setup_done=False)
        self.assertFalse(self.periods(connection), "not set up yet")
        connection.action_setup_finish()
        self.press(connection.action_remove)
        [(partner, began, ended, is_paused)] = self.periods(connection)
        self.assertEqual((partner, is_paused), (self.kauri, False))
        week_later = began + timedelta(days=7)
        with freeze_time(week_later):
            [move] = self.bill()
        self.assertEqual(move.amount_untaxed, 1.0 + (ended.date() - began.date()).days)
        self.assertFalse(connection.active)


@tagged("post_install", "-at_install")
class TestFeesOfTwoWorkers(BaseCase):
    """Real transactions, outside the test's own: everything is removed again."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = self.env(cr)
            today = fields.Date.today()
            self.last_week = today - timedelta(days=today.weekday() + 7)
            receivable, income = env["account.account"].create(
                [
                    {"name": "Debtors", "code": "XW1000", "account_type": "asset_receivable", "reconcile": True},
                    {"name": "Fees", "code": "XW4000", "account_type": "income"},
                ]
            )
            journal = env["account.journal"].create(
                {"name": "Fees", "code": "XW", "type": "sale", "default_account_id": income.id}
            )
            product = env["product.product"].create({"name": "Fee", "type": "service", "taxes_id": False})
            app = env["xero.app"].create({"name": "Fees", "client_id": "fees", "client_secret": "fees"})
            customer = env["res.partner"].create(
                {"name": "Kauri", "property_account_receivable_id": receivable.id}
            )
            connection = env["xero.connection"].create(
                {"name": "North", "app_id": app.id, "partner_id": customer.id, "state": "connected"}
            )
            period = env["xero.active.period"].search([("connection_id", "=", connection.id)])
            period.began_at = datetime.combine(self.last_week, datetime.min.time())
            settings = {
                "xero_fee": True,
                "xero_fee_product_id": product.id,
                "xero_fee_price": 7,
                "xero_fee_journal_id": journal.id,
            }
            self.before = env.company.read([*settings], load="")[0]
            env.company.write(settings)
            env.company.xero_fee_from = self.last_week
            self.made = [
                (record._name, record.id)
                for record in (period, connection, app, customer, product, journal, income, receivable)
            ]
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            env = self.env(cr)
            fees = env["xero.fee"].search([])
            fees.move_id.unlink()
            fees.unlink()
            env["xero.connection"].search([("name", "=", "North")]).state = "draft"
            env.company.write({name: value for name, value in self.before.items() if name != "id"})
            for model, record_id in self.made:
                env[model].browse(record_id).unlink()

    def env(self, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    def _bill(self):
        with self.registry.cursor() as cr:
            self.env(cr)["xero.fee"]._cron_fees()

    def _wait_until_blocked(self, pid):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with self.registry.cursor() as cr:
                cr.execute("SELECT cardinality(pg_blocking_pids(%s))", [pid])
                if cr.fetchone()[0]:
                    return
            time.sleep(0.02)  # PostgreSQL tells nobody that somebody began to wait
        self.fail("the second worker did not wait for the first")

    def test_two_workers_at_once_make_one_invoice(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            pid = second._cnx.info.backend_pid
            fees = self.env(first)["xero.fee"]
            [values] = fees._due(fees.env.company)
            self.assertTrue(fees._bill_safely(values))
            worker = threading.Thread(target=self.env(second)["xero.fee"]._cron_fees)
            worker.start()
            self._wait_until_blocked(pid)
            first.commit()
            worker.join(20)
            self.assertFalse(worker.is_alive())
        self._bill()
        self._bill()
        with self.registry.cursor() as cr:
            fee = self.env(cr)["xero.fee"].search([])
            self.assertEqual((len(fee), fee.state, fee.amount), (1, "billed", 7))
            moves = self.env(cr)["account.move"].search([("partner_id", "=", fee.partner_id.id)])
            self.assertEqual(moves, fee.move_id)
            self.assertGreater(fee.env.company.xero_fee_from, self.last_week)
