"""Accountants choose where price, description and number come from, and what is sent by itself."""

from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .export_case import ExportCase


@tagged("post_install", "-at_install")
class TestSources(ExportCase):
    def catalogue(self, connection, *pairs):
        """Read Xero's items and map products to them."""
        connection._ring_items()
        self.run_cron("items")
        for product, code in pairs:
            rows = self.env["xero.record"].search([*connection._item_rows_domain(), ("number", "=", code)])
            if product not in self.env["product.product"].browse(
                self.env["xero.binding"]._of_items(connection, [rows.external_id], product).mapped("res_id")
            ):
                rows._map(product)

    def sent_line(self, number=0):
        return self.invoices()[-1]["LineItems"][number]

    # === PRICE, DESCRIPTION, NUMBER === #

    def test_the_price_of_xeros_item_is_taken_where_that_is_chosen(self):
        self.org.update("Items", self.org.record("Items", "BOTTLE").id, SalesDetails={"UnitPrice": 17.5})
        connection = self.exporting(price_source="xero")
        self.catalogue(connection)
        order = self.sell((self.bottle, 2, 20))
        self.send(order)
        self.assertEqual((self.sent_line()["UnitAmount"], self.sent_line()["ItemCode"]), (17.5, "BOTTLE"))
        row = self.out(order)
        self.assertEqual((row.state, row.xero_total, row.amount_total), ("done", 40.25, 46), row.reason)
        self.assertEqual((row.total_difference, row.intended_difference), (-5.75, -5.75))

    def test_what_was_billed_at_the_price_of_xeros_item_is_taken_back_at_it_as_intended(self):
        self.org.update("Items", self.org.record("Items", "BOTTLE").id, SalesDetails={"UnitPrice": 17.5})
        for mode, totals in (("refund", (20.13, 23, -2.87)), ("quantity", (-20.12, -23, 2.88))):
            with self.subTest(mode):
                connection = self.env["xero.connection"].search([]) or self.exporting(price_source="xero")
                connection.refund_mode = mode
                self.catalogue(connection)
                order = self.sell((self.bottle, 2, 20))
                self.send(order)
                order.order_line.product_uom_qty = 1
                self.push()
                row = self.out(order)[1]
                self.assertEqual(row.state, "done", row.reason)
                self.assertEqual((row.xero_total, row.amount_total, row.total_difference), totals)
                self.assertAlmostEqual(row.intended_difference, row.total_difference, delta=0.011)

    def test_what_was_changed_by_hand_is_taken_back_as_it_was_sent_as_intended(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.press(order.action_xero_preview)
        preview = self.env["xero.preview"].search([("res_id", "=", order.id)])
        preview.write({"line_ids": [Command.update(preview.line_ids.id, {"unit_amount": 22})]})
        preview.action_send()
        self.push()
        order.order_line.product_uom_qty = 3
        self.push()
        row = self.out(order)[1]
        self.assertEqual(row.state, "done", row.reason)
        self.assertEqual((row.xero_total, row.amount_total, row.intended_difference), (50.6, 46, 4.6))

    def test_an_item_without_price_is_not_billed_for_nothing(self):
        connection = self.exporting(price_source="xero")
        self.catalogue(connection)
        order = self.sell((self.bottle, 2, 20))
        self.send(order)
        self.assertEqual((self.out(order).problem_code, self.invoices()), ("item_unmapped", []))

    def test_a_price_of_xeros_item_is_never_taken_for_another_currency(self):
        self.org.update("Items", self.org.record("Items", "BOTTLE").id, SalesDetails={"UnitPrice": 17.5})
        connection = self.exporting(price_source="xero")
        self.catalogue(connection)
        self.org.subscribe("NZD")
        connection.books_read_at = False
        nzd = self.env["product.pricelist"].create(
            {"name": "NZ", "currency_id": self.env["res.currency"].search([("name", "=", "NZD")]).id}
        )
        order = self.sell((self.bottle, 2, 20), pricelist_id=nzd.id)
        self.send(order)
        self.assertEqual(self.out(order).problem_code, "price_foreign")
        self.assertFalse(self.invoices())

    def test_a_product_without_item_waits_where_xeros_price_is_wanted_and_is_sent_as_words_else(self):
        connection = self.exporting(price_source="xero")
        self.catalogue(connection)
        order = self.sell((self.freight, 1, 9))
        self.send(order)
        self.assertEqual((self.out(order).problem_code, self.out(order).problem_subject), ("item_unmapped", "Freight"))
        connection.price_source = "odoo"
        self.press(self.out(order).action_retry)
        self.push()
        self.assertNotIn("ItemCode", self.sent_line())
        self.assertEqual(self.sent_line()["UnitAmount"], 9)

    def test_the_description_comes_from_where_it_was_chosen(self):
        self.org.update("Items", self.org.record("Items", "BOTTLE").id, Description="As Xero calls it")
        connection = self.exporting()
        self.catalogue(connection)
        self.bottle.description_sale = "With a lid"
        for settings, expected in (
            ({}, "[BOTTLE] Drink bottle\nWith a lid"),
            ({"trim_description": True}, "Drink bottle"),
            ({"description_source": "xero"}, "As Xero calls it"),
        ):
            with self.subTest(settings):
                connection.write({"trim_description": False, "description_source": "odoo", **settings})
                self.send(self.sell())
                self.assertEqual(self.sent_line()["Description"].replace("\r\n", "\n"), expected)

    def test_the_number_comes_from_where_it_was_chosen(self):
        connection = self.exporting()
        order = self.sell()
        self.send(order)
        self.assertTrue(self.invoices()[0]["InvoiceNumber"].startswith("INV-"))
        connection.number_source = "odoo"
        order = self.sell()
        self.send(order)
        self.assertEqual(self.invoices()[1]["InvoiceNumber"], order.name)
        self.assertEqual(order.xero_export_number, order.name)

    def test_several_products_may_be_one_item(self):
        connection = self.exporting(allow_shared_item=True)
        big = self._make_product("BOTTLE-XL", "Big bottle", 25)
        big.write({"taxes_id": self.tax.ids, "property_account_income_id": self.income.id})
        self.catalogue(connection, (self.bottle, "BOTTLE"), (big, "BOTTLE"))
        self.send(self.sell((self.bottle, 1, 20), (big, 1, 25)))
        self.assertEqual([line["ItemCode"] for line in self.invoices()[0]["LineItems"]], ["BOTTLE", "BOTTLE"])

    def test_an_item_counted_in_another_unit_gets_its_own_quantity_and_price(self):
        connection = self.exporting()
        self.catalogue(connection)
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.sell(
            {"product_id": self.bottle.id, "product_uom_qty": 2, "product_uom_id": dozen.id, "price_unit": 120}
        )
        self.send(order)
        self.assertEqual((self.sent_line()["Quantity"], self.sent_line()["UnitAmount"]), (24, 10))
        self.assertEqual(self.out(order).total_difference, 0)

    # === AMOUNTS === #

    def test_prices_with_tax_are_sent_as_such(self):
        self.exporting()
        order = self.sell(
            {"product_id": self.bottle.id, "product_uom_qty": 2, "price_unit": 23, "tax_ids": self.tax_included.ids}
        )
        self.send(order)
        [invoice] = self.invoices()
        self.assertEqual((invoice["LineAmountTypes"], invoice["Total"], invoice["TotalTax"]), ("Inclusive", 46, 6))
        self.assertEqual(self.out(order).total_difference, 0)

    def test_prices_of_either_kind_on_one_order_are_sent_without_tax(self):
        self.exporting()
        order = self.sell(
            {"product_id": self.bottle.id, "product_uom_qty": 2, "price_unit": 23, "tax_ids": self.tax_included.ids},
            {"product_id": self.mug.id, "product_uom_qty": 1, "price_unit": 10, "tax_ids": self.tax.ids},
        )
        self.send(order)
        [invoice] = self.invoices()
        self.assertEqual((invoice["LineAmountTypes"], invoice["Total"]), ("Exclusive", order.amount_total))

    def test_another_currency_is_sent_in_that_currency_and_refused_where_the_organisation_has_none(self):
        connection = self.exporting()
        nzd = self.env["res.currency"].search([("name", "=", "NZD")])
        pricelist = self.env["product.pricelist"].create({"name": "NZ", "currency_id": nzd.id})
        order = self.sell((self.bottle, 2, 20), pricelist_id=pricelist.id)
        self.send(order)
        self.assertEqual(self.out(order).problem_code, "currency_unknown")
        self.org.subscribe("NZD")
        connection.books_read_at = False
        self.press(self.out(order).action_retry)
        self.push()
        self.assertEqual((self.invoices()[0]["CurrencyCode"], self.out(order).state), ("NZD", "done"))

    def test_notes_and_sections_are_sent_as_words(self):
        self.exporting()
        order = self.sell(
            {"display_type": "line_section", "name": "Kitchen"},
            {"product_id": self.bottle.id, "product_uom_qty": 1, "price_unit": 20},
            {"display_type": "line_note", "name": "Please ring twice"},
        )
        self.send(order)
        lines = self.invoices()[0]["LineItems"]
        told = [line["Description"] for line in lines]
        self.assertEqual(told, ["Kitchen", "[BOTTLE] Drink bottle", "Please ring twice"])
        self.assertNotIn("Quantity", lines[0])

    # === WHO AND WHEN === #

    def test_posted_invoices_are_sent_where_the_company_invoices_in_odoo(self):
        self.exporting("invoice")
        self.customer.xero_auto_export = True
        order = self.sell()
        invoice = self.bill((self.bottle, 3, 20))
        self.push()
        self.assertFalse(self.out(order))
        [sent] = self.invoices()
        self.assertEqual((sent["Reference"], sent["Total"]), (invoice.name, 69))
        self.assertEqual(self.out(invoice).state, "done")

    def test_daily_means_that_what_nobody_asks_for_waits_for_its_day(self):
        connection = self.exporting(export_interval="daily")
        connection.next_daily_push = fields.Datetime.now() + timedelta(hours=5)
        self.customer.xero_auto_export = True
        order, urgent = self.sell(), self.sell()
        self.push()
        self.assertFalse(self.invoices())
        self.press(urgent.action_xero_preview)
        previews = self.env["xero.preview"].search([("res_id", "=", urgent.id)])
        previews.action_send()
        self.push()
        self.assertEqual([invoice["Reference"] for invoice in self.invoices()], [urgent.name])
        self.later(6 * 60)
        self.push()
        self.assertEqual([invoice["Reference"] for invoice in self.invoices()], [urgent.name, order.name])

    def test_an_order_from_xero_is_never_sent_back(self):
        connection = self.exporting()
        self.customer.xero_auto_export = True
        order = self.env["sale.order"].create({"partner_id": self.customer.id})
        order.sudo().write({"xero_invoice_id": "11111111-1111-1111-1111-111111111111"})
        order.order_line = [(0, 0, {"product_id": self.bottle.id})]
        order.sudo().xero_connection_id = connection
        order.action_confirm()
        self.push()
        self.assertFalse(self.out(order))
        with self.assertRaises(UserError):
            order.action_xero_preview()

    def test_an_order_that_was_sent_is_not_invoiced_in_odoo_too(self):
        self.exporting()
        order = self.sell()
        self.send(order)
        self.assertEqual(order.invoice_status, "invoiced")
        with self.assertRaisesRegex(UserError, "invoiced in Xero"):
            order._create_invoices()

    def test_an_order_that_was_sent_is_not_deleted(self):
        self.exporting()
        sent, unsent = self.sell(), self.sell()
        self.send(sent)
        for order in (sent, unsent):
            order._action_cancel()
        with self.assertRaisesRegex(UserError, sent.name):
            sent.unlink()
        unsent.unlink()

    def test_what_was_sent_to_another_organisation_is_not_sent_to_this_one(self):
        connection = self.exporting()
        order = self.sell()
        self.fake.faults.add("PUT", "/Invoices", kind="drop_before")
        self.send(order)
        self.assertEqual(self.out(order).state, "pending")
        connection.tenant_id = self.fake.add_organisation("Another", currency=self.company.currency_id.name).tenant_id
        self.later(10)
        self.push()
        self.assertEqual((self.out(order).state, self.out(order).problem_code), ("skipped", "kept_out"))

    def test_an_order_that_is_ignored_may_be_invoiced_in_odoo(self):
        self.exporting()
        self.customer.xero_auto_export = True
        order = self.sell()
        self.assertEqual(order.invoice_status, "invoiced")
        self.out(order).action_ignore()
        self.assertEqual(order.invoice_status, "to invoice")
        order.order_line.product_uom_qty = 5
        self.push()
        self.assertEqual((len(self.out(order)), self.invoices()), (1, []), "not a part of it either")

    def test_one_connection_of_a_company_sends(self):
        self.exporting()
        other = self.connect(self.fake.add_organisation("Other", currency=self.company.currency_id.name))
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"):
            other.export_source = "sale_order"
            other.flush_recordset()

    def test_who_begins_to_send_gets_odoos_prices_proposed(self):
        connection = self.connect()
        with Form(connection) as form:
            form.export_source = "sale_order"
            self.assertEqual((form.price_source, form.description_source, form.import_orders), ("odoo", "odoo", False))

    def test_a_pause_keeps_what_waits(self):
        connection = self.exporting()
        self.customer.xero_auto_export = True
        self.press(connection.action_pause)
        order = self.sell()
        self.push()
        self.assertEqual((self.out(order).state, self.invoices()), ("pending", []))
        self.press(connection.action_resume)
        self.push()
        self.assertEqual(self.out(order).state, "done")

    def test_a_connection_that_only_sends_imports_nothing(self):
        connection = self.exporting()
        self.invoice()
        self.run_import(connection)
        self.assertFalse(self.env["xero.record"].search([("direction", "=", "in"), ("resource", "=", "invoice")]))

    def test_what_waits_is_not_sent_once_something_else_is_chosen(self):
        connection = self.exporting()
        self.customer.xero_auto_export = True
        order = self.sell()
        connection.export_source = "invoice"
        self.push()
        self.assertEqual((self.out(order).state, self.out(order).problem_code), ("skipped", "kept_out"))
        self.assertEqual(self.invoices(), [])

    def test_documents_are_found_by_what_became_of_them(self):
        self.exporting()
        orders = self.sell(), self.sell(), self.sell(), self.sell((self.freight, 0, 9))
        sent, waiting, unsent, broken = orders
        self.send(sent, broken)
        self.env["xero.record"]._put_document_out(waiting._xero_exporter(), waiting)
        for order, state in ((sent, "sent"), (waiting, "waiting"), (unsent, "none"), (broken, "failed")):
            with self.subTest(state):
                domain = [("xero_export_state", "=", state), ("id", "in", [each.id for each in orders])]
                self.assertEqual(self.env["sale.order"].search(domain), order)
                self.assertEqual(order.xero_export_state, state)
