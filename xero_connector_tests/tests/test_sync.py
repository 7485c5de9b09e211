"""Nothing lost, nothing twice: polling, changes, outages, and what the sync log says about them."""

from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import BaseCase, mute_logger, tagged

from odoo.addons.xero_connector.lib.paging import PageWalk

from ..sandbox.fake_xero import query
from .common import COMPLETE_ADDRESS, XeroCase


@tagged("post_install", "-at_install")
class TestPoll(XeroCase):
    def _small_pages(self):
        """Let the fake give three at a time, however many are asked for: Xero snaps sizes without a word, too."""
        self.enterContext(patch.object(query, "LARGEST_PAGE", 3))

    def _orders(self):
        return self.env["sale.order"].search([("xero_invoice_id", "!=", False)])

    def test_a_second_run_imports_nothing_new(self):
        self.connect()
        for _number in range(5):
            self.invoice()
        self.run_import()
        orders, rows = self._orders(), self.env["xero.record"].search([])
        self.run_import()
        self.assertEqual(len(orders), 5)
        self.assertEqual(self._orders(), orders)
        self.assertEqual(self.env["xero.record"].search([]), rows)
        self.assertEqual(set(rows.mapped("state")), {"done"})

    def test_an_idle_poll_costs_one_call(self):
        self.connect()
        self.invoice()
        self.run_import()
        self.fake.reset_log()
        self.run_import()
        self.assertEqual(len(self.fake.requests), 1, [request.path for request in self.fake.requests])

    def test_an_invoice_changed_between_two_pages_is_neither_lost_nor_doubled(self):
        self._small_pages()
        self.connect()
        start = datetime(2026, 11, 1)
        invoices = [self.invoice(f"PO {n}", updated=start + timedelta(hours=n)) for n in range(10)]
        pages = []

        def edit_the_first_after_its_page(request):
            if request.method == "GET" and request.path.endswith("/Invoices"):
                pages.append(request)
                if len(pages) == 2:
                    self.org.update("Invoices", invoices[0]["InvoiceID"], DueDate="2026-12-31")

        self.fake.on_request = edit_the_first_after_its_page
        self.run_import()
        self.assertGreater(len(pages), 2)
        self.assertEqual([len(self.order(invoice)) for invoice in invoices], [1] * 10)
        self.assertEqual(len(self.env["xero.record"].search([("resource", "=", "invoice")])), 10)

    def test_more_invoices_of_one_second_than_a_page_holds_are_all_read(self):
        self._small_pages()
        self.connect()
        stamp = datetime(2010, 1, 1, 12)
        invoices = [self.invoice(updated=stamp) for _number in range(8)]
        later = self.invoice(updated=stamp + timedelta(days=1))
        self.run_import()
        self.assertEqual([len(self.order(invoice)) for invoice in [*invoices, later]], [1] * 9)

    def test_a_demo_companys_stamps_of_2010_do_not_hide_its_invoices(self):
        self.connect(import_from=fields.Date.today() - timedelta(days=30))
        invoice = self.invoice(updated=datetime(2010, 5, 5))
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_the_watermark_and_the_rows_are_one_transaction(self):
        self._small_pages()
        connection = self.connect()
        start = datetime(2026, 11, 1)
        invoices = [self.invoice(updated=start + timedelta(hours=n)) for n in range(7)]
        self.fake.faults.add("GET", "/Invoices$", status=500, after=1)
        self.run_cron("poll")
        self.assertEqual(connection.watermark, start + timedelta(hours=2))
        self.assertEqual(len(self.env["xero.record"].search([])), 3)
        self.assertIn("problem of its own", connection.message)
        connection.write({"blocked_until": False})
        self.run_import()
        self.assertEqual([len(self.order(invoice)) for invoice in invoices], [1] * 7)
        self.assertFalse(connection.message)

    def test_a_paused_connection_makes_no_call_and_goes_on_where_it_was(self):
        connection = self.connect()
        connection.action_pause()
        invoice = self.invoice()
        self.fake.reset_log()
        self.run_cron("poll", "process")
        self.assertFalse(self.fake.requests)
        connection.action_resume()
        self.run_cron("poll", "process")
        self.assertTrue(self.order(invoice))

    def test_import_now_rings_the_bell_and_makes_no_call_itself(self):
        connection = self.connect(sync_interval="manual")
        self.run_cron("poll")
        self.assertFalse(connection.next_poll)
        self.fake.reset_log()
        connection.action_import_now()
        self.assertFalse(self.fake.requests)
        invoice = self.invoice()
        self.run_cron("poll", "process")
        self.assertTrue(self.order(invoice))

    def test_import_now_says_when_xeros_limit_lets_it_begin(self):
        connection = self.connect()
        connection.sudo().blocked_until = fields.Datetime.now() + timedelta(minutes=7)
        message = connection.action_import_now()["params"]["message"]
        self.assertIn("begins in 7 minutes", message)

    def test_a_connection_by_hand_that_is_set_to_five_minutes_begins_to_poll(self):
        connection = self.connect(sync_interval="manual")
        self.run_cron("poll")
        self.assertFalse(connection.next_poll)
        connection.sync_interval = "five_minutes"
        invoice = self.invoice()
        self.run_cron("poll", "process")
        self.assertTrue(self.order(invoice))
        connection.sync_interval = "manual"
        self.assertFalse(connection.next_poll)

    def test_an_archived_connection_imports_nothing_that_waits(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_cron("poll")
        self.env.flush_all()
        # No button does this to a connected one; older databases may have such.
        self.env.cr.execute("UPDATE xero_connection SET active = false WHERE id = %s", (connection.id,))
        self.env.invalidate_all()
        self.run_cron("process")
        self.assertFalse(self.order(invoice))

    def test_an_unconnected_connection_says_so_when_asked_to_import(self):
        connection = self.env["xero.connection"].create({"name": "New", "app_id": self.app.id})
        with self.assertRaisesRegex(UserError, "not connected"):
            connection.action_import_now()


    def test_an_invoice_that_turns_up_late_with_an_earlier_stamp_is_not_missed(self):
        self.connect()
        first = self.invoice(updated=datetime(2026, 11, 1, 12, 0, 0))
        self.run_import()
        late = self.invoice(updated=datetime(2026, 11, 1, 11, 59, 0))
        self.run_import()
        self.assertTrue(self.order(first) and self.order(late))

    def test_four_decimals_are_asked_for(self):
        self.connect()
        self.invoice()
        self.run_import()
        self.assertEqual(self.fake.calls("GET", "/Invoices$")[0].query.get("unitdp"), "4")


@tagged("post_install", "-at_install")
class TestOutages(XeroCase):
    def test_what_xero_refuses_again_and_again_calls_a_person_and_success_takes_it_back(self):
        connection = self.connect()
        self.fake.faults.add("GET", "/Invoices", status=400, body='{"Message": "No such thing"}', times=4)
        for turn in range(4):
            self.assertEqual(connection.needs_attention, turn >= 3)
            self.run_import(connection)
        self.assertEqual((connection.state, len(connection.activity_ids)), ("connected", 1))
        self.assertIn("No such thing", connection.message)
        self.run_import(connection)
        self.assertEqual((connection.needs_attention, len(connection.activity_ids)), (False, 0))

    def test_a_scope_xero_misses_is_named(self):
        connection = self.connect()
        challenge = 'Bearer error="insufficent_scope", error_description="accounting.invoices.read is needed"'
        self.fake.faults.add("GET", "/Invoices", status=401, headers={"WWW-Authenticate": challenge}, times=2)
        self.fake.reset_log()
        self.run_cron("poll")
        self.assertIn("accounting.invoices.read", connection.message)
        self.assertFalse(self.fake.calls("POST", "/connect/token"), "a wider consent is needed, not a new token")

    def test_a_days_limit_postpones_the_connection_as_long_as_xero_says(self):
        connection = self.connect()
        invoice = self.invoice()
        self.fake.faults.add(
            "GET", "/Invoices", status=429, headers={"X-Rate-Limit-Problem": "day", "Retry-After": "7200"}
        )
        self.run_cron("poll")
        self.assertGreater(connection.blocked_until, fields.Datetime.now() + timedelta(minutes=115))
        self.fake.reset_log()
        self.run_cron("poll")
        self.assertFalse(self.fake.requests, "no call before the limit's time is up")
        connection.blocked_until = False
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_answers_that_are_no_answers_lose_nothing(self):
        connection = self.connect()
        invoice = self.invoice()
        for fault in ({"kind": "html"}, {"kind": "cut"}, {"kind": "drop_before"}, {"kind": "status", "status": 500}):
            self.fake.faults.add("GET", "/Invoices", **fault)
            connection.write({"blocked_until": False, "next_poll": fields.Datetime.now()})
            self.run_cron("poll")
            self.assertTrue(connection.message, fault)
            self.assertEqual(connection.state, "connected", fault)
            self.assertFalse(self.row(invoice), fault)
        connection.blocked_until = False
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_what_may_pass_is_tried_again_by_itself_after_a_growing_time(self):
        connection = self.connect()
        invoice = self.invoice()
        self.fake.faults.add("GET", "/Contacts", status=500, times=3)
        self.run_import(connection)
        waits = []
        for _turn in range(3):
            row = self.row(invoice)
            waits.append(row.next_attempt - fields.Datetime.now())
            row.next_attempt = fields.Datetime.now() - timedelta(seconds=1)
            self.run_cron("process")
        self.assertEqual(waits, sorted(waits))
        self.assertGreater(waits[2], 3 * waits[0])
        self.assertTrue(self.order(invoice))

    def test_a_daily_connection_looks_once_a_day(self):
        connection = self.connect(sync_interval="daily")
        self.run_import(connection)
        wait = connection.next_poll - fields.Datetime.now()
        self.assertTrue(timedelta(hours=23) < wait <= timedelta(days=1), wait)

    def test_contacts_that_cannot_be_read_now_are_read_later(self):
        self.connect()
        invoice = self.invoice()
        self.fake.faults.add("GET", "/Contacts", status=503)
        self.run_import()
        row = self.row(invoice)
        self.assertEqual((row.state, row.attempts), ("pending", 1))
        self.assertGreater(row.next_attempt, fields.Datetime.now())
        row.action_retry()
        self.run_cron("process")
        self.assertTrue(self.order(invoice))

    def test_a_contact_xero_refuses_fails_its_own_invoice_and_not_the_batch(self):
        self.connect()
        contact = self.org.add_contact(Name="Refused", Addresses=[COMPLETE_ADDRESS])
        bad = self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        good = [self.invoice() for _number in range(3)]

        def refuse(request):
            if request.path.endswith("/Contacts") and contact["ContactID"] in str(request.query):
                self.fake.faults.add("GET", "/Contacts", status=404)

        self.fake.on_request = refuse
        self.run_import()
        self.assertEqual([len(self.order(invoice)) for invoice in good], [1, 1, 1])
        self.assertEqual(self.row(bad).problem_code, "contact_missing")

    def test_unknown_values_and_missing_keys_do_not_stop_a_page(self):
        self.connect()
        good = self.invoice("good")
        odd = self.invoice("odd", Status="AUTHORISED")
        record = self.org.record("Invoices", odd["InvoiceID"])
        for key in ("CurrencyCode", "LineAmountTypes", "SubTotal", "TotalTax", "DateString"):
            record.data.pop(key, None)
        record.data["NewKeyOf2027"] = {"Enum": "ULTRA"}
        self.run_import()
        self.assertTrue(self.order(good))
        self.assertTrue(self.order(odd), self.row(odd).reason)

    def test_access_taken_away_in_xero_stops_the_connection_and_calls_for_help_once(self):
        connection = self.connect(user_id=self.env.user.id)
        self.fake.faults.add("GET", "/Invoices", status=403, body="{}", times=5)
        for _try in range(2):
            connection.next_poll = fields.Datetime.now()
            self.run_cron("poll")
        self.assertEqual(connection.state, "error")
        self.assertEqual(len(connection.activity_ids), 1)
        self.assertIn("Reconnect", connection.message)
        self.consent(connection, self.org)
        self.assertEqual((connection.state, len(connection.activity_ids)), ("connected", 0))

    @mute_logger("odoo.addons.xero_connector.models.xero_record_import")
    def test_a_bug_in_one_connections_batch_does_not_stop_another_connection(self):
        broken = self.connect()
        self.invoice()
        other = self.fake.add_organisation("Another", currency=self.org.currency)
        contact = other.add_contact(Name="Aroha Ltd", Addresses=[COMPLETE_ADDRESS])
        other.add_item(Code="BOTTLE", Name="BOTTLE")
        good = other.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        self.connect(other, name="Another")
        model = type(self.env["xero.record"])
        original = model._add_contacts

        def add_contacts(rows, connection, *drafts):
            if connection == broken:
                raise ZeroDivisionError("a bug")
            return original(rows, connection, *drafts)

        with patch.object(model, "_add_contacts", add_contacts):
            self.run_import()
        self.assertTrue(self.order(good))
        self.assertIn("unexpected", broken.message)

    @mute_logger("odoo.addons.xero_connector.models.xero_record_import")
    def test_an_unexpected_error_fails_its_own_row_and_keeps_the_details_for_developers(self):
        self.connect()
        good, bad = self.invoice("good"), self.invoice("bad")
        original = type(self.env["sale.order"]).create

        def create(model, vals_list):
            if any(vals.get("client_order_ref") == "bad" for vals in vals_list):
                raise ZeroDivisionError("a bug")
            return original(model, vals_list)

        with patch.object(type(self.env["sale.order"]), "create", create):
            self.run_import()
        self.assertTrue(self.order(good))
        self.assertEqual(self.row(bad).problem_code, "unexpected")
        self.assertIn("ZeroDivisionError", self.row(bad).traceback)
        self.assertNotIn("ZeroDivisionError", self.row(bad).reason)


    def test_payloads_like_no_other_fail_their_own_rows_and_stop_nothing(self):
        self.connect()
        good = self.invoice("good")
        oddities = {
            "Total": "much",
            "LineItems": [None],
            "DateString": "yesterday",
            "UpdatedDateUTC": "never",
            "Reference": "a NUL: \x00",
            "Contact": None,
        }
        odd = []
        for key, value in oddities.items():
            invoice = self.invoice(key)
            record = self.org.record("Invoices", invoice["InvoiceID"])
            record.verbatim = True
            record.data[key] = value
            odd.append(invoice)
        with mute_logger("odoo.addons.xero_connector.models.xero_record_import"):
            self.run_import()
        self.assertTrue(self.order(good), self.env["xero.connection"].search([]).mapped("message"))
        states = {key: self.row(invoice).state for key, invoice in zip(oddities, odd, strict=True)}
        self.assertEqual(
            states,
            {
                "Total": "failed",
                "LineItems": "skipped",
                "DateString": "failed",
                "UpdatedDateUTC": "done",
                "Reference": "done",
                "Contact": "failed",
            },
        )


@tagged("post_install", "-at_install")
class TestAfterImport(XeroCase):
    def test_an_order_deleted_in_odoo_comes_back_only_when_somebody_asks(self):
        self.connect()
        invoice = self.invoice()
        self.run_import()
        self.order(invoice).unlink()
        self.fake.clock.advance(60)
        self.org.add_payment(invoice["InvoiceID"])
        self.run_import()
        self.assertFalse(self.order(invoice))
        self.assertEqual(self.row(invoice).problem_code, "deleted_here")
        self.row(invoice).action_retry()
        self.run_cron("process")
        self.assertTrue(self.order(invoice))

    def test_an_invoice_paid_after_the_import_says_nothing(self):
        self.connect()
        invoice = self.invoice()
        self.run_import()
        messages = len(self.order(invoice).message_ids)
        self.fake.clock.advance(60)
        self.org.add_payment(invoice["InvoiceID"])
        self.run_import()
        self.assertEqual(len(self.order(invoice).message_ids), messages)
        self.assertEqual(self.row(invoice).state, "done")

    def test_an_invoice_is_known_by_its_transfer_even_when_its_row_is_gone(self):
        self.connect(order_target="picking")
        invoice = self.invoice()
        self.run_import()
        self.row(invoice).unlink()
        self.fake.clock.advance(60)
        self.org.add_payment(invoice["InvoiceID"])
        self.run_import()
        self.assertEqual(len(self.picking(invoice)), 1)
        self.assertEqual(self.row(invoice).problem_code, "already_imported")

    def test_a_new_connection_of_the_same_organisation_never_ships_what_an_older_one_did(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import()
        self.press(connection.action_disconnect)
        second = self.connect()
        self.run_import()
        self.assertEqual(len(self.order(invoice)), 1)
        row = self.row(invoice).filtered(lambda r: r.connection_id == second)
        self.assertEqual((row.state, row.problem_code), ("skipped", "already_imported"))


@tagged("post_install", "-at_install")
class TestLog(XeroCase):
    def test_ignored_stays_ignored_when_the_invoice_changes_until_somebody_retries(self):
        self.connect()
        self.org.add_item(Code="GLASS", Name="Glass")
        invoice = self.invoice(lines=[self.line("GLASS")])
        self.run_import()
        self.row(invoice).action_ignore()
        self.fake.clock.advance(60)
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[self.line()])
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "ignored")
        self.row(invoice).action_retry()
        self.run_cron("process")
        self.assertTrue(self.order(invoice))

    def test_what_is_imported_can_be_neither_ignored_nor_retried(self):
        self.connect()
        invoice = self.invoice()
        self.run_import()
        with self.assertRaises(UserError):
            self.row(invoice).action_ignore()
        with self.assertRaises(UserError):
            self.row(invoice).action_retry()

    def test_a_row_links_to_its_order_and_to_the_invoice_in_xero(self):
        self.connect()
        invoice = self.invoice()
        self.run_import()
        row = self.row(invoice)
        self.assertEqual(row.document_name, self.order(invoice).display_name)
        self.assertEqual(row.action_open_document()["res_id"], self.order(invoice).id)
        self.assertIn(invoice["InvoiceID"], row.xero_url)

    def test_the_connection_counts_what_waits_failed_and_came_in(self):
        connection = self.connect()
        self.org.add_item(Code="GLASS", Name="Glass")
        self.invoice()
        self.invoice(lines=[self.line("GLASS")])
        self.run_cron("poll")
        self.assertEqual((connection.waiting_count, connection.failed_count, connection.done_count), (2, 0, 0))
        self.run_cron("process")
        connection.invalidate_recordset()
        self.assertEqual((connection.waiting_count, connection.failed_count, connection.done_count), (0, 1, 1))


@tagged("post_install", "-at_install")
class TestPageWalk(BaseCase):
    def test_the_bound_follows_the_newest_entry_a_second_behind(self):
        walk = PageWalk()
        self.assertTrue(walk.advance(datetime(2026, 1, 1, 12, 0, 5, 900), 3))
        self.assertEqual((walk.since, walk.page), (datetime(2026, 1, 1, 12, 0, 4), 1))
        self.assertFalse(walk.advance(datetime(2026, 1, 1, 12, 0, 9), 1))
        self.assertEqual(walk.mark, datetime(2026, 1, 1, 12, 0, 9))

    def test_a_page_of_one_second_is_followed_by_the_others_from_the_last(self):
        moment = datetime(2026, 1, 1)
        walk = PageWalk(moment)
        pages = []
        more = True
        while more:
            pages.append(walk.page)
            more = walk.advance(moment + timedelta(days=walk.page), 4) if walk.page > 1 else walk.advance(moment, 4)
            self.assertIs(walk.mark is None, more, "nothing counts as read before all is")
        self.assertEqual(pages, [1, 4, 3, 2])
        self.assertEqual(walk.mark, moment + timedelta(days=4))

    def test_an_empty_answer_ends_the_walk_and_moves_nothing(self):
        walk = PageWalk(datetime(2026, 1, 1))
        self.assertFalse(walk.advance(None, 1))
        self.assertIsNone(walk.mark)
