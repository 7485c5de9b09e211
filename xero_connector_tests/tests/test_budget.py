"""Xero's limits: one budget for all workers, orders first, nothing sleeps."""

import threading
from datetime import timedelta

from odoo import api, fields
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged

from odoo.addons.xero_connector import const
from odoo.addons.xero_connector.lib import errors
from odoo.addons.xero_connector.models.xero_budget import Meter

from ..sandbox.fake_xero import FakeXero
from .common import XeroCase


@tagged("post_install", "-at_install")
class TestBudget(XeroCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.fake.limits.reset)

    def budget(self, connection):
        return connection._budgets()[connection]

    def calls(self):
        return len(self.fake.calls(path="/api.xro/"))

    def test_what_xero_says_is_left_is_what_the_connection_shows(self):
        self.fake.limits.day, self.fake.limits.minute = 1000, 60
        connection = self.connect()
        self.run_import()
        self.assertEqual(connection.calls_left_today, 1000 - self.calls())
        self.assertIn(f"{1000 - self.calls()} of 1000 left today", connection.budget_text)
        self.assertIn(f"{60 - self.calls()} this minute", connection.budget_text)

    def test_who_only_sends_needs_calls_for_what_became_of_it_and_none_to_look_for_orders(self):
        importing = self.connect()
        org = self.fake.add_organisation("Only sends")
        sending = self.connect(org, import_orders=False, export_source="sale_order")
        looks = (importing | sending)._looks_per_hour()
        self.assertEqual((looks[importing], looks[sending]), (12, 8))

    def test_a_limit_is_told_but_is_no_error(self):
        connection = self.connect()
        self.fake.limits.day = self.calls()
        self.run_import()
        self.assertIn("today's calls", connection.message)
        self.assertEqual(connection.state, "connected")
        self.assertFalse(connection.activity_ids)

    def test_a_day_limit_is_rescheduled_for_when_xero_said(self):
        connection = self.connect()
        headers = {"X-Rate-Limit-Problem": "Day", "Retry-After": "66975"}
        self.fake.faults.add("GET", "/Invoices$", status=429, headers=headers)
        began = fields.Datetime.now()
        self.run_import()
        self.assertGreaterEqual(connection.next_poll, began + timedelta(seconds=66975))
        self.assertLess(connection.next_poll, began + timedelta(seconds=67100))
        trigger = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", self.env.ref("xero_connector.ir_cron_poll").id)], order="call_at desc", limit=1
        )
        self.assertGreaterEqual(trigger.call_at, began + timedelta(seconds=66975))
        self.assertFalse(connection.activity_ids, "it passes by itself")

    def test_a_limit_of_calls_at_once_passes_within_seconds(self):
        connection = self.connect()
        self.fake.faults.add("GET", "/Invoices$", status=429, headers={"X-Rate-Limit-Problem": "concurrent"})
        self.run_import()
        self.assertLess(connection.next_poll - fields.Datetime.now(), timedelta(seconds=30))

    def test_two_companies_connections_of_one_organisation_share_its_budget(self):
        self.fake.limits.day = 1000
        first = self.connect()
        company = self.env["res.company"].create({"name": "Second company"})
        second = self.env["xero.connection"].create(
            {"name": "Second", "app_id": self.app.id, "company_id": company.id, "warehouse_id": False}
        )
        self.consent(second, self.org)
        self.assertEqual(self.budget(first), self.budget(second))
        self.assertEqual(first.calls_left_today, second.calls_left_today)

    def test_pdfs_leave_the_calls_that_orders_need(self):
        connection = self.connect(attach_pdf=True, sync_interval="five_minutes")
        invoice = self.invoice()
        self.fake.limits.day = self.calls() + 40  # far less than looking every five minutes takes
        self.run_import(connection)
        self.assertTrue(self.order(invoice), "orders may use the last call")
        self.assertFalse(self.order(invoice).xero_pdf_id)
        self.assertIn("kept for orders", self.row(invoice).files_message)
        self.assertEqual((connection.state, connection.message), ("connected", False))
        later = self.invoice()
        self.run_import(connection)
        self.assertTrue(self.order(later), "what holds PDFs up holds no order up")

    def test_pdfs_follow_by_themselves_when_there_are_calls_again(self):
        connection = self.connect(attach_pdf=True)
        invoice = self.invoice()
        self.fake.limits.day = self.calls() + 40
        self.run_import(connection)
        self.fake.limits.day = 5000
        self.run_import(connection)  # a poll learns it
        past = fields.Datetime.now() - timedelta(seconds=1)
        self.assertGreater(connection.files_blocked_until, past, "there was a time to wait for")
        connection.files_blocked_until = past
        self.row(invoice).files_next_attempt = past
        self.run_cron("files")
        self.assertTrue(self.order(invoice).xero_pdf_id)

    def test_notes_give_way_to_pdfs(self):
        connection = self.connect(attach_pdf=True, note_target="delivery", sync_interval="daily")
        invoices = [self.invoice() for _number in range(3)]
        self.org.add_history_note(invoices[0]["InvoiceID"], "Ring twice")
        self.fake.limits.day = self.calls() + 60
        self.run_import(connection)
        self.assertTrue(all(self.order(invoice).xero_pdf_id for invoice in invoices))
        self.assertFalse(self.order(invoices[0]).delivery_instructions)
        self.assertIn("kept for orders", self.row(invoices[0]).files_message)

    def test_the_last_calls_of_a_minute_are_kept_for_orders(self):
        connection = self.connect(attach_pdf=True, sync_interval="daily")
        invoice = self.invoice()
        self.fake.limits.minute = self.calls() + 2 + const.MINUTE_RESERVES["files"]
        self.run_import(connection)
        self.assertTrue(self.order(invoice))
        self.assertFalse(self.order(invoice).xero_pdf_id)
        wait = self.row(invoice).files_next_attempt - fields.Datetime.now()
        self.assertLessEqual(wait, timedelta(seconds=61))

    def test_a_forecast_says_when_the_day_will_be_too_short(self):
        self.fake.limits.day = 1000
        connection = self.connect(attach_pdf=True, sync_interval="five_minutes")
        self.run_cron("poll")
        self.assertEqual(connection.budget_level, "ok")
        self.assertIn("288 to look for news", connection.budget_text)
        for number in range(9):
            self.invoice(f"order {number}")
        self.run_cron("poll")
        connection.next_poll = fields.Datetime.now()
        self.run_cron("poll")
        self.env.invalidate_all()
        self.assertIn("10 for what waits", connection.budget_text, "a PDF each, and one call for the addresses")
        self.budget(connection).day_left = 200
        self.env.invalidate_all()
        self.assertEqual(connection.budget_level, "short")
        self.assertIn("orders come first", connection.budget_text)


@tagged("post_install", "-at_install")
class TestSharedBudget(BaseCase):
    """With real cursors, as workers of several hosts have them."""

    def setUp(self):
        super().setUp()
        self.fake = FakeXero().start()
        self.addCleanup(self.fake.stop)
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            self.app_id = env["xero.app"].create({"name": "Shared budget", "client_id": "x", "client_secret": "x"}).id
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            api.Environment(cr, api.SUPERUSER_ID, {})["xero.app"].browse(self.app_id).unlink()

    def _meter(self, cr, tenant_id="organisation", **options):
        app = api.Environment(cr, api.SUPERUSER_ID, {})["xero.app"].browse(self.app_id)
        return Meter(app, tenant_id, **options)

    def _call(self, headers=None, error=None, **options):
        """One call with this answer; gives the limit it was refused for, or None."""
        with self.registry.cursor() as cr:
            try:
                with self._meter(cr, **options)() as note:
                    if headers:
                        note({key: str(value) for key, value in headers.items()})
                    if error:
                        raise error
            except errors.XeroRetryLater as refused:
                return refused.limit
        return None

    def _set(self, **values):
        with self.registry.cursor() as cr:
            budget = api.Environment(cr, api.SUPERUSER_ID, {})["xero.budget"].search([("app_id", "=", self.app_id)])
            budget.write(values)

    def _together(self, number, work):
        start, failures = threading.Barrier(number), []

        def run():
            try:
                with self.registry.cursor() as cr:
                    meter = self._meter(cr)
                    start.wait(20)
                    work(meter)
            except Exception as error:  # noqa: BLE001 told by the test
                failures.append(error)

        threads = [threading.Thread(target=run) for _number in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return failures

    def _day_left(self):
        with self.registry.cursor() as cr:
            cr.execute("SELECT day_left FROM xero_budget WHERE app_id = %s", (self.app_id,))
            return cr.fetchone()[0]

    def test_a_call_counts_even_if_no_answer_comes(self):
        self._call({"X-DayLimit-Remaining": 800})
        self._call(error=errors.XeroRetryLater("The connection to Xero failed."))
        self.assertEqual(self._day_left(), 799)
        self._call({"X-DayLimit-Remaining": 640})
        self.assertEqual(self._day_left(), 640, "Xero knows better: others may use the app, too")

    def test_a_limit_met_once_stops_everybody_without_another_call(self):
        for limit in ("minute", "day"):
            self._set(blocked_until=False)
            self._call(error=errors.XeroRetryLater("No", limit=limit, retry_after=40))
            self.assertEqual(self._call(), limit)
            self.assertIsNone(self._call(tenant_id="another organisation"))
        self._set(blocked_until=fields.Datetime.now() - timedelta(seconds=1))
        self.assertIsNone(self._call(), "over is over")

    def test_a_limit_of_the_whole_app_stops_all_its_organisations(self):
        self._call(tenant_id="another organisation")
        self._call(error=errors.XeroRetryLater("No", limit="appminute", retry_after=40))
        self.assertEqual(self._call(tenant_id="another organisation"), "appminute")

    def test_calls_at_once_are_no_reason_to_stop_everybody(self):
        self._call(error=errors.XeroRetryLater("No", limit="concurrent", retry_after=5))
        self.assertIsNone(self._call())

    def test_what_xero_says_is_used_up_is_not_asked_for(self):
        self._call({"X-DayLimit-Remaining": 0, "X-MinLimit-Remaining": 50})
        self.assertEqual(self._call(), "day")
        self._call({"X-DayLimit-Remaining": 900, "X-MinLimit-Remaining": 0}, tenant_id="another organisation")
        self.assertEqual(self._call(tenant_id="another organisation"), "minute")

    def test_xeros_own_word_on_when_to_come_back_counts_and_not_our_guess(self):
        for limit in ("day", "minute"):
            tenant = f"organisation {limit}"
            headers = {"X-DayLimit-Remaining": 0 if limit == "day" else 9, "X-MinLimit-Remaining": 0}
            error = errors.XeroRetryLater("No", limit=limit, retry_after=5)
            self._call(headers, error, tenant_id=tenant)
            past = fields.Datetime.now() - timedelta(seconds=1)
            with self.registry.cursor() as cr:
                cr.execute(
                    "UPDATE xero_budget SET blocked_until = %(past)s, minute_ends = %(past)s,"
                    " day_ends = LEAST(day_ends, %(past)s) WHERE tenant_id = %(tenant)s AND day_ends < now() + '1 h'"
                    if limit == "day"
                    else "UPDATE xero_budget SET blocked_until = %(past)s WHERE tenant_id = %(tenant)s"
                    " AND minute_ends <= %(soon)s",
                    {"past": past, "tenant": tenant, "soon": past + timedelta(seconds=8)},
                )
                self.assertEqual(cr.rowcount, 1, f"the {limit} ends when Xero said")

    def test_a_clock_that_ran_ahead_and_was_set_right_stops_nobody(self):
        self._call()
        ahead = fields.Datetime.now() + timedelta(days=400)
        ends = {"minute_left": 0, "minute_ends": ahead, "day_left": 0, "day_ends": ahead}
        self._set(**ends, noted_at=ahead, blocked_until=ahead)
        self.assertIsNone(self._call())

    def test_the_whole_apps_minute_used_up_stops_its_organisations_before_xero_must(self):
        self._call(tenant_id="another organisation")
        self._call({"X-AppMinLimit-Remaining": 0})
        self.assertEqual(self._call(tenant_id="another organisation"), "appminute")

    def test_no_transaction_is_left_open_while_xero_is_asked(self):
        with self.registry.cursor() as cr, self._meter(cr)():
            cr.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'idle in transaction' AND query ILIKE '%%pg_try_advisory_lock%%'"
            )
            self.assertEqual(cr.fetchone()[0], 0)

    def test_a_new_day_at_xero_is_noticed_without_a_clock_of_ours(self):
        self._call({"X-DayLimit-Remaining": 0})
        self._set(noted_at=fields.Datetime.now() - timedelta(hours=2), day_ends=fields.Datetime.now())
        self._set(day_ends=fields.Datetime.now() + timedelta(hours=9))
        self.assertIsNone(self._call({"X-DayLimit-Remaining": 999}), "now and then one call finds out")
        self.assertIsNone(self._call())
        self.assertEqual(self._day_left(), 998)

    def test_orders_may_use_the_last_call_and_files_and_notes_may_not(self):
        self._call({"X-DayLimit-Remaining": 300, "X-MinLimit-Remaining": 15})
        self.assertEqual(self._call(purpose="history"), "reserve", "20 of a minute are kept")
        self.assertEqual(self._call(purpose="files", hourly=12), "reserve", "288 of the day are kept")
        self.assertIsNone(self._call(purpose="files"))
        self.assertIsNone(self._call())

    def test_no_booking_is_lost_when_many_book_at_once(self):
        def work(meter):
            for _call in range(5):
                with self.registry.cursor() as cr:
                    meter._book(cr)

        self.assertFalse(self._together(8, work))
        self.assertEqual(self._day_left(), 1000 - 40)

    def test_never_more_than_five_calls_at_once_and_the_sixth_is_told_to_come_back(self):
        gate = threading.Event()
        inside, most = [], []

        def work(meter):
            with meter():
                inside.append(1)
                most.append(len(inside))
                if len(inside) == const.CALLS_AT_ONCE:
                    self.addCleanup(gate.set)
                gate.wait(5)
                inside.pop()

        refused = []

        def sixth(meter):
            try:
                with meter():
                    pass
            except errors.XeroRetryLater as error:
                refused.append(error)

        holders = threading.Thread(target=self._together, args=(const.CALLS_AT_ONCE, work))
        holders.start()
        while len(inside) < const.CALLS_AT_ONCE and holders.is_alive():
            gate.wait(0.05)
        self._together(1, sixth)
        gate.set()
        holders.join(30)
        self.assertEqual([error.limit for error in refused], ["concurrent"])
        self.assertEqual(max(most), const.CALLS_AT_ONCE)
        self.assertFalse(self._together(1, lambda meter: meter().__enter__()), "the places are free again")
