"""Confirmed orders become invoices in Xero: once, whole, and proven."""

from odoo.tests import tagged

from .export_case import ExportCase


@tagged("post_install", "-at_install")
class TestExport(ExportCase):
    def test_a_confirmed_order_of_a_chosen_customer_becomes_an_invoice(self):
        self.exporting()
        self.customer.xero_auto_export = True
        order = self.sell((self.bottle, 3, 20), (self.mug, 1, 12.5))
        self.assertEqual(self.out(order).state, "pending", "the row is made in the order's own transaction")
        self.assertFalse(self.invoices(), "nobody who confirms an order waits for Xero")
        self.push()
        [invoice] = self.invoices()
        row = self.out(order)
        self.assertEqual((row.state, row.external_id), ("done", invoice["InvoiceID"]), row.reason)
        self.assertEqual(invoice["Contact"]["ContactID"], self.contact["ContactID"])
        self.assertEqual(invoice["Reference"], order.name)
        told = ("Quantity", "UnitAmount", "AccountCode", "TaxType")
        self.assertEqual(
            [tuple(map(line.get, told)) for line in invoice["LineItems"]],
            [(3, 20, "200", "OUTPUT2"), (1, 12.5, "200", "OUTPUT2")],
        )
        self.assertEqual(invoice["Total"], order.amount_total)
        self.assertEqual((row.xero_total, row.amount_total, row.total_difference), (83.38, 83.38, 0))
        self.assertEqual(order.xero_export_number, invoice["InvoiceNumber"])
        self.assertEqual(order.xero_export_status, "Awaiting payment")

    def test_nothing_is_sent_by_itself_of_a_customer_nobody_chose(self):
        self.exporting()
        order = self.sell()
        self.push()
        self.assertFalse(self.out(order))
        self.assertFalse(self.invoices())
