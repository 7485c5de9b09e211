"""Confirmed orders become invoices in Xero: once, whole, and proven."""

from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.xero_connector import const

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

    def test_a_customer_who_comes_behind_many_others_is_made_a_contact_before_its_order_goes(self):
        self.exporting()
        names = ["Hana Ltd", "Mere Ltd", "Tama Ltd"]
        for name in names:
            self.customer = self.env["res.partner"].create({"name": name, "xero_auto_export": True})
            self.sell()
        # So many customers are seen to at once as a turn begins; the same goes for who confirms an order during one.
        with patch.object(const, "BATCH_SIZE", 1):
            self.push()
        rows = self.env["xero.record"].search([("res_model", "=", "sale.order"), ("direction", "=", "out")])
        self.assertEqual(rows.mapped("state"), ["done"] * 3, rows.mapped("reason"))
        contacts = {record.id: record.data["Name"] for record in self.org.tables["Contacts"]}
        self.assertEqual(sorted(contacts[invoice["Contact"]["ContactID"]] for invoice in self.invoices()), names)
