from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common import XeroCase


@tagged("post_install", "-at_install")
class TestImportOne(XeroCase):
    def ask(self, connection, text):
        """Import by hand, as the wizard does."""
        wizard = self.env["xero.import.one"].create({"connection_id": connection.id, "text": text})
        self.press(wizard.action_import)
        return wizard

    def test_one_invoice_by_its_number_becomes_an_order_at_once(self):
        connection = self.connect()
        wanted, other = self.invoice(InvoiceNumber="INV-77"), self.invoice()
        wizard = self.ask(connection, " INV-77 ")
        self.assertEqual((wizard.state, wizard.document_name), ("done", self.order(wanted).name))
        self.assertFalse(self.order(other))

    def test_a_pasted_link_of_any_of_xeros_pages_will_do(self):
        connection = self.connect()
        links = (
            "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=%s",
            "https://go.xero.com/app/invoicing/view/%s",
            "https://go.xero.com/organisationlogin/default.aspx?redirecturl=%%2FView.aspx%%3FInvoiceID%%3D%s",
        )
        for link in links:
            invoice = self.invoice()
            self.ask(connection, link % invoice["InvoiceID"])
            self.assertTrue(self.order(invoice), link)

    def test_a_link_of_another_organisation_is_refused_by_name(self):
        connection = self.connect()
        connection.tenant_shortcode = "!mine1"
        with self.assertRaisesRegex(UserError, "belongs to another organisation"):
            self.ask(connection, f"https://go.xero.com/app/!other/invoicing/view/{self.invoice()['InvoiceID']}")
        invoice = self.invoice()
        self.ask(connection, f"https://go.xero.com/app/!mine1/invoicing/view/{invoice['InvoiceID']}")
        self.assertTrue(self.order(invoice))

    def test_an_invoice_that_is_not_imported_says_why_not(self):
        connection = self.connect(trigger_status="paid", unmatched_action="ignore")
        bill = self.org.add_invoice(
            Type="ACCPAY", InvoiceNumber="B-1", Contact={"ContactID": self.contact["ContactID"]},
            LineItems=[self.line()],
        )
        draft = self.invoice(Status="DRAFT")
        unpaid = self.invoice()
        paid = self.invoice("nothing matches")
        self.org.add_payment(paid["InvoiceID"])
        for text, reason in (
            (bill["InvoiceNumber"], "Only sales invoices"),
            (draft["InvoiceNumber"], "not approved"),
            (unpaid["InvoiceNumber"], "Waiting for payment"),
            (paid["InvoiceNumber"], "No rule matches"),
        ):
            self.assertIn(reason, self.ask(connection, text).reason)

    def test_of_a_bill_and_an_invoice_of_one_number_the_invoice_is_meant(self):
        connection = self.connect()
        self.org.add_invoice(
            Type="ACCPAY", InvoiceNumber="N-1", Contact={"ContactID": self.contact["ContactID"]},
            LineItems=[self.line()],
        )
        invoice = self.invoice(InvoiceNumber="N-1")
        self.ask(connection, "n-1")
        self.assertTrue(self.order(invoice))

    def test_what_xero_does_not_have_and_links_to_nothing_are_told(self):
        connection = self.connect()
        for text, message in (
            ("INV-NONE", "has no invoice INV-NONE"),
            ("https://go.xero.com/Dashboard", "names no invoice"),
            ("00000000-1111-2222-3333-444444444444", "has no invoice"),
        ):
            with self.assertRaisesRegex(UserError, message):
                self.ask(connection, text)

    def test_an_invoice_older_than_the_start_date_comes_when_asked_for(self):
        connection = self.connect(import_from=fields.Date.today())
        old = self.invoice(Date="2025-01-31")
        self.run_import(connection)
        self.assertFalse(self.order(old))
        self.ask(connection, old["InvoiceNumber"])
        self.assertTrue(self.order(old))

    def test_an_invoice_older_than_the_start_date_is_followed_once_it_is_here(self):
        connection = self.connect(import_from=fields.Date.today())
        old, other = self.invoice(Date="2025-01-31"), self.invoice(Date="2025-01-31")
        self.run_import(connection)
        self.ask(connection, old["InvoiceNumber"])
        self.org.void(old["InvoiceID"])
        self.org.update("Invoices", other["InvoiceID"], Reference="touched")
        self.run_import(connection)
        self.assertEqual(self.order(old).state, "cancel")
        self.assertFalse(self.row(other), "what is older and unknown is still left alone")

    def test_two_numbers_at_once_are_none(self):
        connection = self.connect()
        self.invoice(InvoiceNumber="A-1")
        self.invoice(InvoiceNumber="B-1")
        with self.assertRaisesRegex(UserError, "has no invoice B-1, A-1"):
            self.ask(connection, "B-1, A-1")

    def test_an_imported_invoice_is_not_imported_twice(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import(connection)
        order = self.order(invoice)
        wizard = self.ask(connection, invoice["InvoiceNumber"])
        self.assertEqual((self.order(invoice), wizard.document_name), (order, order.name))

    def test_a_plain_xero_user_without_sales_rights_may_ask(self):
        connection = self.connect()
        invoice = self.invoice()
        user = new_test_user(self.env, "asks", groups="xero_connector.group_xero_user")
        wizard = self.env["xero.import.one"].with_user(user).create(
            {"connection_id": connection.id, "text": invoice["InvoiceNumber"]}
        )
        self.press(wizard.action_import)
        self.assertTrue(self.order(invoice))

    def test_a_paused_connection_says_so(self):
        connection = self.connect()
        connection.action_pause()
        with self.assertRaisesRegex(UserError, "connect or resume it first"):
            self.ask(connection, "INV-1")

    def test_an_outage_is_told_in_plain_words(self):
        connection = self.connect()
        self.fake.faults.add(path="/Invoices", status=503, times=1)
        with self.assertRaises(UserError):
            self.ask(connection, "INV-1")

    def test_reading_again_brings_back_what_was_deleted_or_cancelled_here(self):
        connection = self.connect(order_confirm=True)
        deleted, cancelled = self.invoice(), self.invoice()
        self.run_import(connection)
        self.order(deleted)._action_cancel()
        self.order(deleted).unlink()
        self.order(cancelled)._action_cancel()
        for invoice in (deleted, cancelled):
            self.press(self.row(invoice).action_reimport)
            self.assertEqual(self.order(invoice).state, "sale")
        self.assertEqual(len(self.order(cancelled)), 1)

    def test_reading_again_brings_a_cancelled_transfer_back_as_a_new_one(self):
        connection = self.connect(order_target="picking", order_confirm=True)
        invoice = self.invoice()
        self.run_import(connection)
        first = self.picking(invoice)
        first.action_cancel()
        self.press(self.row(invoice).action_reimport)
        second = self.picking(invoice) - first
        self.assertEqual(self.row(invoice)._document(), second)
        self.assertNotEqual(second.state, "cancel")


@tagged("post_install", "-at_install")
class TestBackfill(XeroCase):
    def wizard(self, connection, start_date):
        return self.env["xero.backfill"].create({"connection_id": connection.id, "start_date": start_date})

    def test_the_estimate_tells_invoices_and_calls_and_costs_one_call(self):
        connection = self.connect(attach_pdf=True, import_from=fields.Date.today())
        for day in range(1, 6):
            self.invoice(Date=f"2026-01-{day:02}")
        wizard = self.wizard(connection, "2026-01-02")
        self.fake.reset_log()
        self.press(wizard.action_estimate)
        self.assertEqual(len(self.fake.calls("GET", "/Invoices")), 1)
        # one page, one call for addresses, four PDFs
        self.assertEqual((wizard.invoice_count, wizard.new_count, wizard.call_count), (4, 4, 6))
        self.assertIn("4 invoices, 4 of them new here. At most 6 calls", wizard.explanation)

    def test_an_estimate_beyond_todays_calls_says_so(self):
        connection = self.connect(attach_pdf=True)
        self.fake.limits.for_tenant(self.org.tenant_id, day=5)
        self.addCleanup(self.fake.limits.reset)
        for _number in range(4):
            self.invoice()
        wizard = self.wizard(connection, fields.Date.today() - timedelta(days=3))
        self.press(wizard.action_estimate)
        self.assertIn("more than one day allows", wizard.explanation)

    def test_nothing_to_import_is_estimated_as_nothing(self):
        wizard = self.wizard(self.connect(), fields.Date.today())
        self.press(wizard.action_estimate)
        self.assertEqual((wizard.invoice_count, wizard.call_count), (0, 0))

    def test_starting_imports_from_that_date_and_shows_progress(self):
        connection = self.connect(import_from=fields.Date.today())
        old, older = self.invoice(Date="2026-01-02"), self.invoice(Date="2026-01-01")
        self.run_import(connection)
        wizard = self.wizard(connection, "2026-01-02")
        with self.assertRaisesRegex(UserError, "Look at the estimate first"):
            wizard.action_start()
        self.press(wizard.action_estimate)
        wizard.action_start()
        self.assertEqual((connection.backfill_running, connection.backfill_progress), (True, 0))
        self.run_cron("poll")
        self.assertEqual((connection.backfill_running, connection.backfill_text), (True, "0 of 1 invoices worked off"))
        self.run_cron("process")
        self.assertEqual((connection.backfill_running, connection.backfill_progress), (False, 100))
        self.assertEqual((bool(self.order(old)), bool(self.order(older))), (True, False))

    def test_a_later_date_does_not_stop_the_following_of_older_orders(self):
        connection = self.connect(import_from="2026-01-01")
        sold = self.invoice(Date="2026-02-02")
        self.run_import(connection)
        wizard = self.wizard(connection, fields.Date.today())
        self.press(wizard.action_estimate)
        wizard.action_start()
        self.run_import(connection)
        self.org.void(sold["InvoiceID"])
        self.run_import(connection)
        self.assertEqual((str(connection.import_from), self.order(sold).state), ("2026-01-01", "cancel"))

    def test_another_date_needs_another_estimate(self):
        wizard = self.wizard(self.connect(), "2026-01-02")
        self.press(wizard.action_estimate)
        wizard.start_date = "2025-01-02"
        self.assertFalse(wizard.is_estimated)

    def test_a_day_in_the_future_is_refused(self):
        wizard = self.wizard(self.connect(), fields.Date.today() + timedelta(days=2))
        with self.assertRaisesRegex(UserError, "not in the future"):
            wizard.action_estimate()
