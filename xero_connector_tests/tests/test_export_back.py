"""What becomes of documents in Xero is told in Odoo: number, status, what is due, payments."""

from datetime import date

from odoo import fields
from odoo.tests import tagged

from ..sandbox.fake_xero.settlement import cancel_payment
from .export_case import ExportCase


@tagged("post_install", "-at_install")
class TestBack(ExportCase):
    def back(self):
        """Time passes, and Xero is asked."""
        self.later(16)
        self.push()

    def bank(self):
        journal = self.env["account.journal"].create({"name": "Xero bank", "code": "XBNK", "type": "bank"})
        journal.inbound_payment_method_line_ids.payment_account_id = self.env["account.account"].create(
            {"name": "Outstanding", "code": "XS1100", "account_type": "asset_current", "reconcile": True}
        )
        return journal

    def test_status_and_payment_of_an_invoice_are_told_on_the_order(self):
        self.exporting(export_status="draft")
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        [invoice] = self.invoices()
        self.assertEqual((order.xero_export_status, order.xero_export_due), ("Draft", 115))
        self.org.update("Invoices", invoice["InvoiceID"], Status="AUTHORISED")
        self.back()
        self.assertEqual(order.xero_export_status, "Awaiting payment")
        self.org.add_payment(invoice, 40)
        self.back()
        self.assertEqual((order.xero_export_status, order.xero_export_due), ("Awaiting payment", 75))
        self.org.add_payment(invoice, 75, date=date(2026, 11, 20))
        self.back()
        self.assertEqual((order.xero_export_status, order.xero_export_due), ("Paid", 0))
        self.assertTrue(order.xero_export_paid_on)
        self.assertIn("Paid", order.message_ids[0].body)

    def test_asking_costs_one_call_where_nothing_changed(self):
        connection = self.exporting()
        self.send(self.sell())
        self.back()
        self.fake.reset_log()
        connection.next_back = fields.Datetime.now()
        self.push()
        self.assertEqual(len(self.fake.calls()), 1)

    def test_once_a_day_everything_open_is_asked_for_as_payments_may_not_show_as_changes(self):
        connection = self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.later(10)
        self.org.add_invoice()
        self.back()
        record = self.org.tables["Invoices"].get(self.invoices()[0]["InvoiceID"])
        stamp = record.updated
        self.org.add_payment(record.data, 115)
        record.updated = stamp
        self.org.add_invoice()
        self.back()
        self.assertEqual(order.xero_export_status, "Awaiting payment", "no change, no news")
        connection.back_whole_at = "2026-01-01 00:00:00"
        self.back()
        self.assertEqual(order.xero_export_status, "Paid")

    def test_an_invoice_voided_in_xero_is_told(self):
        self.exporting()
        order = self.sell()
        self.send(order)
        self.org.void(self.invoices()[0]["InvoiceID"])
        self.back()
        self.assertEqual(order.xero_export_status, "Voided")
        self.assertIn("Voided", order.message_ids[0].body)

    def test_a_payment_in_xero_is_registered_once_on_odoos_invoice_where_that_is_wanted(self):
        journal = self.bank()
        self.exporting("invoice", payment_journal_id=journal.id)
        invoice = self.bill((self.bottle, 5, 20))
        self.send(invoice)
        self.org.add_payment(self.invoices()[0], 40)
        self.back()
        self.assertEqual(invoice.amount_residual, 75)
        self.back()
        self.org.add_payment(self.invoices()[0], 75)
        self.back()
        self.assertEqual(invoice.amount_residual, 0)
        payments = self.env["account.payment"].search([("journal_id", "=", journal.id)])
        self.assertEqual(sorted(payments.mapped("amount")), [40, 75])

    def test_without_a_journal_the_invoice_only_tells(self):
        self.exporting("invoice")
        invoice = self.bill()
        self.send(invoice)
        self.org.add_payment(self.invoices()[0])
        self.back()
        self.assertEqual(invoice.xero_export_status, "Paid")
        self.assertEqual(invoice.payment_state, "not_paid")

    def test_a_payment_deleted_in_xero_calls_for_a_person(self):
        journal = self.bank()
        self.exporting("invoice", payment_journal_id=journal.id)
        invoice = self.bill((self.bottle, 5, 20))
        self.send(invoice)
        payment = self.org.add_payment(self.invoices()[0], 40)
        self.back()
        cancel_payment(self.org, self.org.record("Payments", payment["PaymentID"]), self.fake.clock.now())
        self.back()
        row = self.env["xero.record"].search([("resource", "=", "payment")])
        self.assertEqual((row.state, row.problem_code), ("failed", "deleted"))
        self.assertIn("40.00", row.reason)

    def test_the_way_back_leads_to_the_order(self):
        self.exporting()
        order = self.sell()
        self.send(order)
        self.assertIn(f"model=sale.order&res_id={order.id}", self.invoices()[0]["Url"])
        self.assertIn(self.invoices()[0]["InvoiceID"], order.xero_export_url)

    def test_xeros_pdf_is_attached_once_it_is_approved_where_that_is_wanted(self):
        self.exporting(export_status="draft", export_pdf=True)
        order = self.sell()
        self.send(order)
        self.run_cron("files")
        attached = [("res_model", "=", "sale.order"), ("res_id", "=", order.id)]
        self.assertFalse(self.env["ir.attachment"].search(attached), "drafts change")
        self.org.update("Invoices", self.invoices()[0]["InvoiceID"], Status="AUTHORISED")
        self.back()
        self.run_cron("files")
        self.org.add_payment(self.invoices()[0])
        self.back()
        self.run_cron("files")
        [pdf] = self.env["ir.attachment"].search(attached)
        self.assertEqual(pdf.name, f"{self.invoices()[0]['InvoiceNumber']}.pdf")
        self.assertTrue(pdf.raw.startswith(b"%PDF-"))
