"""Odd histories of what is sent: nothing is billed, credited or paid twice, and nobody is left in the dark."""

import json

from odoo.exceptions import UserError
from odoo.tests import tagged

from .export_case import ExportCase

REFUSED = {
    "ErrorNumber": 10,
    "Type": "ValidationException",
    "Message": "A validation exception occurred",
    "Elements": [{"ValidationErrors": [{"Message": "Something is wrong"}]}],
}


@tagged("post_install", "-at_install")
class TestOdd(ExportCase):
    def billed(self):
        """What the living invoices of Xero come to, less what credit notes take back."""
        living = [invoice for invoice in self.invoices() if invoice["Status"] not in ("VOIDED", "DELETED")]
        return round(sum(each["Total"] for each in living) - sum(each["Total"] for each in self.credit_notes()), 2)

    def change(self, order, quantity):
        order.order_line.product_uom_qty = quantity
        self.push()

    # === NOT TWICE === #

    def test_what_changed_while_the_first_part_is_unsent_is_billed_with_it(self):
        self.exporting()
        order = self.sell((self.bottle, 2, 20))
        self.fake.faults.add("PUT", "/Invoices", kind="drop_before")
        self.send(order)
        self.change(order, 3)
        self.fake.faults.add("PUT", "/Invoices", status=400, body=REFUSED)
        self.later(10)
        self.push()
        self.assertEqual(self.invoices(), [])
        for _turn in range(2):
            failed = self.out(order).filtered(lambda row: row.state == "failed")
            if failed:
                self.press(failed.action_retry)
            self.later(10)
            self.push()
        self.assertEqual(self.billed(), order.amount_total)

    def test_a_connection_that_replaces_another_goes_on_where_that_was(self):
        first = self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.press(first.action_remove)
        second = self.exporting()
        self.assertEqual(self.out(order).connection_id, second)
        self.customer.xero_auto_export = True
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.push()
        self.assertEqual(self.billed(), 115)
        self.change(order, 3)
        self.assertEqual(self.billed(), 69)

    def test_an_order_whose_invoice_was_sent_is_not_sent_too_when_orders_are_chosen_later(self):
        connection = self.exporting("invoice")
        order = self.sell((self.freight, 1, 9))
        invoice = order._create_invoices()
        invoice.invoice_line_ids.account_id = self.income
        invoice.action_post()
        self.send(invoice)
        connection.export_source = "sale_order"
        with self.assertRaises(UserError):
            order.action_xero_preview()
        self.assertEqual(len(self.invoices()), 1)

    def test_an_answer_that_names_no_document_is_looked_for_before_anything_is_repeated(self):
        self.exporting()
        order = self.sell()
        nameless = {"Invoices": [{"Status": "DRAFT"}]}
        self.fake.faults.add("PUT", "/Invoices", kind="replace_json", body=nameless, work=True)
        self.send(order)
        self.later(10)
        self.push()
        self.assertEqual((self.out(order).state, len(self.invoices())), ("done", 1))

    def test_an_invoice_whose_contact_was_merged_meanwhile_is_found_by_its_way_back(self):
        self.exporting()
        order = self.sell()
        self.fake.faults.add("PUT", "/Invoices", kind="drop_after")
        self.send(order)
        other = self.org.add_contact(Name="Merged into")
        self.org.update("Invoices", self.invoices()[0]["InvoiceID"], Contact={"ContactID": other["ContactID"]})
        self.later(10)
        self.push()
        self.assertEqual((self.out(order).state, len(self.invoices())), ("done", 1))

    def test_what_may_have_arrived_is_not_ignored(self):
        self.exporting()
        order = self.sell()
        self.fake.faults.add("PUT", "/Invoices", kind="drop_after")
        self.send(order)
        with self.assertRaisesRegex(UserError, "may have arrived"):
            self.out(order).action_ignore()

    def test_lines_that_came_to_a_draft_since_it_was_read_stay(self):
        self.exporting(invoice_mode="existing")
        self.send(self.sell((self.bottle, 1, 20)))
        first, second = self.sell((self.mug, 1, 12)), self.sell((self.freight, 1, 9))
        row = self.env["xero.record"]._put_document_out(first._xero_exporter(), first)
        draft = self.invoices()[0]
        self.send(second)
        # As a worker leaves it that was stopped between its commit and its call, before the other one worked.
        self.assertEqual((row.state, len(self.invoices())), ("done", 1))
        newer = self.out(second)
        newer.remote_updated = "2999-01-01T00:00:00.000"
        third = self.sell((self.bottle, 3, 20))
        row = self.env["xero.record"]._put_document_out(third._xero_exporter(), third)
        row.write({"appended_to": draft["InvoiceID"], "remote_updated": "2026-01-01T00:00:00.000"})
        self.assertTrue(row._is_overtaken())

    # === CREDIT === #

    def test_nothing_is_credited_of_an_invoice_that_was_voided_in_xero(self):
        for told in (False, True):
            with self.subTest(told=told):
                if not told:
                    self.exporting()
                order = self.sell((self.bottle, 5, 20))
                self.send(order)
                self.org.void(self.invoices()[-1]["InvoiceID"])
                if told:
                    self.later(16)
                    self.push()
                order._action_cancel()
                self.push()
                self.assertEqual(self.credit_notes(), [])

    def test_quantities_and_prices_that_change_in_turn_end_at_what_the_order_says(self):
        self.exporting(refund_mode="quantity")
        order = self.sell({"product_id": self.bottle.id, "product_uom_qty": 3, "price_unit": 20, "discount": 10})
        self.send(order)
        for price, quantity in ((15, 3), (15, 2), (18, 2), (18, 1), (18, 4), (12, 0)):
            order.order_line.price_unit = price
            self.change(order, quantity)
            self.later(2)
            self.push()
            # Xero rounds the tax of each document: a cent for each that was made.
            self.assertAlmostEqual(self.billed(), order.amount_total, delta=0.02, msg=f"{quantity} at {price}")
            self.assertNotIn("failed", self.out(order).mapped("state"), self.out(order).mapped("reason"))

    def test_a_quantity_less_than_nothing_is_taken_back_too(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20), (self.freight, -1, 9))
        self.send(order)
        order._action_cancel()
        self.push()
        self.assertEqual(self.billed(), 0)

    def test_both_invoices_of_a_cancelled_order_are_credited_after_a_retry(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.change(order, 7)
        self.fake.faults.add("PUT", "/CreditNotes", status=400, body=REFUSED, times=2)
        order._action_cancel()
        self.push()
        for _turn in range(3):
            failed = self.out(order).filtered(lambda row: row.state == "failed")
            if failed:
                self.press(failed.action_retry)
            self.later(2)
            self.push()
        self.assertEqual(self.billed(), 0)
        self.assertNotIn("failed", self.out(order).mapped("state"))

    def test_a_credit_note_that_was_first_is_allocated_once_its_invoice_follows(self):
        self.exporting("invoice")
        invoice = self.bill((self.bottle, 5, 20))
        reversal = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"journal_id": invoice.journal_id.id})
        note = self.env["account.move"].browse(reversal.refund_moves()["res_id"])
        note.action_post()
        self.send(note)
        self.assertEqual(self.credit_notes()[0]["RemainingCredit"], 115)
        self.send(invoice)
        self.push()
        self.assertEqual(self.credit_notes()[0]["RemainingCredit"], 0)

    def test_what_a_person_allocated_is_not_allocated_again(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.fake.faults.add("PUT", "/Allocations", status=400, body=REFUSED)
        self.change(order, 3)
        self.org.allocate(self.credit_notes()[0], self.invoices()[0], 20)
        self.press(self.out(order)[1].action_retry)
        self.push()
        self.assertEqual(len(self.credit_notes()[0]["Allocations"]), 1)

    # === TOLD === #

    def test_changed_taxes_of_what_was_sent_call_for_a_person(self):
        self.exporting()
        order = self.sell()
        self.send(order)
        order.order_line.tax_ids = False
        self.push()
        self.assertEqual(self.out(order).problem_code, "changed_here")

    def test_a_credit_note_cancelled_after_it_was_sent_calls_for_a_person(self):
        self.exporting("invoice")
        note = self.bill((self.bottle, 1, 20), move_type="out_refund")
        self.send(note)
        note.button_draft()
        note.button_cancel()
        self.push()
        self.assertEqual(self.out(note).problem_code, "changed_here")

    def test_a_line_somebody_added_in_xero_shows_in_the_total(self):
        self.exporting()
        order = self.sell((self.bottle, 2, 20))
        self.fake.faults.add("PUT", "/Invoices", kind="drop_after")
        self.send(order)
        invoice = self.invoices()[0]
        extra = {"Description": "Extra", "Quantity": 1, "UnitAmount": 100, "TaxType": "NONE", "AccountCode": "200"}
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[*invoice["LineItems"], extra])
        self.later(10)
        self.push()
        row = self.out(order)
        self.assertEqual((row.problem_code, row.xero_total, row.total_difference), ("total_differs", 146, 100))

    def test_an_answer_without_payments_takes_none_back(self):
        journal = self.env["account.journal"].create({"name": "Xero bank", "code": "XBNK", "type": "bank"})
        connection = self.exporting("invoice", payment_journal_id=journal.id)
        invoice = self.bill((self.bottle, 5, 20))
        self.send(invoice)
        self.org.add_payment(self.invoices()[0], 40)
        self.later(16)
        self.push()
        element = {key: value for key, value in self.invoices()[0].items() if key != "Payments"}
        self.env["xero.record"]._take_back(connection._item_env(), "invoice", [element])
        self.assertEqual(self.env["xero.record"].search([("resource", "=", "payment")]).state, "done")

    def test_a_payment_registered_by_hand_is_not_registered_again(self):
        journal = self.env["account.journal"].create({"name": "Xero bank", "code": "XBNK", "type": "bank"})
        self.exporting("invoice", payment_journal_id=journal.id)
        invoice = self.bill((self.bottle, 5, 20))
        self.send(invoice)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"journal_id": journal.id, "amount": 40})._create_payments()
        self.org.add_payment(self.invoices()[0], 40)
        self.later(16)
        self.push()
        self.assertEqual(len(invoice.matched_payment_ids), 1)

    # === WHAT TRAVELS === #

    def test_of_the_contact_nothing_but_its_id_is_sent(self):
        self.exporting()
        self.send(self.sell())
        self.assertEqual(
            self.written()[0].json["Invoices"][0]["Contact"], {"ContactID": self.contact["ContactID"]}
        )

    def test_numbers_are_plain_and_ways_back_have_no_xero_in_them(self):
        self.exporting(number_source="odoo")
        self.env["ir.config_parameter"].set_param("web.base.url", "https://xero.example.com")
        order = self.sell(name="Nº 7–é")
        self.send(order)
        [invoice] = self.written()[0].json["Invoices"]
        self.assertEqual(invoice["InvoiceNumber"], "N 7")
        self.assertNotIn("Url", invoice)

    def test_four_decimals_are_asked_for_whatever_is_written_or_read(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.change(order, 3)
        calls = [call for call in self.fake.calls() if "/Invoices" in call.path or "/CreditNotes" in call.path]
        asked = [call.query.get("unitdp") for call in calls if "Allocations" not in call.path]
        self.assertEqual(set(asked), {"4"})

    def test_a_draft_goes_back_with_the_taxes_it_had(self):
        self.exporting(invoice_mode="existing")
        line = {"Description": "By hand", "Quantity": 3, "UnitAmount": 1.3333, "AccountCode": "200",
                "TaxType": "OUTPUT2", "TaxAmount": 0.5}
        self.org.add_invoice(Status="DRAFT", Contact={"ContactID": self.contact["ContactID"]}, LineItems=[line])
        self.send(self.sell())
        [body] = [json.loads(call.body)["Invoices"][0] for call in self.written() if call.method == "POST"]
        self.assertEqual(body["LineItems"][0]["TaxAmount"], 0.5)
        self.assertEqual(body["Status"], "DRAFT")

    def test_what_is_sent_is_committed_before_it_is_sent(self):
        self.exporting()
        order = self.sell()
        seen = []
        progress = type(self.env["ir.cron"])._commit_progress

        def committed(cron, *args, **kwargs):
            intended = [("res_id", "=", order.id), ("request_key", "!=", False)]
            seen.append(("commit", bool(cron.env["xero.record"].search_count(intended))))
            return progress(cron, *args, **kwargs)

        self.patch(type(self.env["ir.cron"]), "_commit_progress", committed)
        self.fake.on_request = lambda request: seen.append((request.method, request.path.rsplit("/", 1)[-1]))
        self.send(order)
        sent = seen.index(("PUT", "Invoices"))
        self.assertIn(("commit", True), seen[:sent])
