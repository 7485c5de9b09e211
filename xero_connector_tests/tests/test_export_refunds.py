"""Less than was sent: credit notes and their allocation, or smaller quantities on an open invoice."""

from urllib.parse import unquote

from odoo.fields import Command
from odoo.tests import tagged

from .export_case import ExportCase

REFUSED = {
    "ErrorNumber": 10,
    "Type": "ValidationException",
    "Message": "A validation exception occurred",
    "Elements": [{"ValidationErrors": [{"Message": "The amount exceeds the amount due of the invoice"}]}],
}


@tagged("post_install", "-at_install")
class TestExportRefunds(ExportCase):
    def reduce(self, order, quantity, line=0):
        order.order_line[line].product_uom_qty = quantity
        self.push()

    # === CREDIT NOTES === #

    def test_a_smaller_order_gets_a_credit_note_that_is_allocated_to_its_invoice(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.reduce(order, 3)
        [note], [invoice] = self.credit_notes(), self.invoices()
        self.assertEqual((note["Total"], note["RemainingCredit"]), (46, 0))
        self.assertEqual([line["Quantity"] for line in note["LineItems"]], [2])
        self.assertEqual((invoice["AmountCredited"], invoice["AmountDue"]), (46, 69))
        row = self.out(order)[1]
        self.assertEqual((row.state, row.resource, row.allocated), ("done", "credit_note", 46), row.reason)
        self.assertEqual((row.xero_total, row.total_difference), (46, 0))
        form = self.env.ref("xero_connector.xero_outgoing_view_form")
        self.assertEqual(row.invoice_row_id.get_formview_id(), form.id)
        self.assertIn(f"ViewCreditNote.aspx?creditNoteID={note['CreditNoteID']}", unquote(row.xero_url))

    def test_what_was_taken_back_is_taken_back_once(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.reduce(order, 3)
        self.reduce(order, 3)
        order.order_line.discount = 0
        self.push()
        self.assertEqual(len(self.credit_notes()), 1)
        self.reduce(order, 2)
        self.assertEqual([note["Total"] for note in self.credit_notes()], [46, 23])

    def test_a_cancelled_order_is_credited_whole(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20), (self.mug, 2, 12))
        self.send(order)
        order._action_cancel()
        self.push()
        [note], [invoice] = self.credit_notes(), self.invoices()
        self.assertEqual(note["Total"], invoice["Total"])
        self.assertEqual((invoice["Status"], invoice["AmountDue"]), ("PAID", 0))

    def test_a_discount_is_folded_into_the_unit_price_of_the_credit_note(self):
        self.exporting()
        order = self.sell({"product_id": self.bottle.id, "product_uom_qty": 4, "price_unit": 20, "discount": 12.5})
        self.send(order)
        self.reduce(order, 1)
        [note] = self.credit_notes()
        [line] = note["LineItems"]
        self.assertEqual((line["UnitAmount"], line["Quantity"], line.get("DiscountRate")), (17.5, 3, None))
        self.assertEqual(note["Total"], 60.38)
        self.assertEqual(self.out(order)[1].total_difference, 0)

    def test_a_lower_price_is_credited_and_a_higher_one_billed(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        order.order_line.price_unit = 18
        self.push()
        self.assertEqual([note["Total"] for note in self.credit_notes()], [11.5])
        order.order_line.price_unit = 21
        self.push()
        self.assertEqual([invoice["Total"] for invoice in self.invoices()], [115, 17.25])
        self.reduce(order, 0)
        totals = sum(note["Total"] for note in self.credit_notes())
        self.assertEqual(totals, 115 + 17.25)

    def test_more_of_a_line_becomes_an_invoice_of_its_own(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.reduce(order, 7)
        self.assertEqual([invoice["Total"] for invoice in self.invoices()], [115, 46])
        self.assertEqual(self.invoices()[1]["Reference"], f"{order.name} (2)")
        order.order_line = [Command.create({"product_id": self.mug.id, "product_uom_qty": 1, "price_unit": 10})]
        self.push()
        self.assertEqual([invoice["Total"] for invoice in self.invoices()], [115, 46, 11.5])

    def test_what_came_back_is_credited(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        picking = order.picking_ids
        picking.move_ids.quantity = 5
        picking.move_ids.picked = True
        picking.button_validate()
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = 2
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.move_ids.quantity = 2
        back.move_ids.picked = True
        back.button_validate()
        self.push()
        self.assertEqual([note["Total"] for note in self.credit_notes()], [46])

    def test_a_refused_allocation_is_resumed_and_the_credit_note_not_made_again(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.fake.faults.add(path="/Allocations", method="PUT", status=400, body=REFUSED)
        self.reduce(order, 3)
        row = self.out(order)[1]
        self.assertEqual((row.state, row.problem_code), ("failed", "not_allocated"))
        self.assertIn(row.xero_number, row.reason)
        self.press(row.action_retry)
        self.push()
        self.assertEqual(row.state, "done", row.reason)
        [note] = self.credit_notes()
        self.assertEqual(note["RemainingCredit"], 0)

    def test_the_credit_note_of_a_draft_waits_until_the_invoice_is_approved(self):
        self.exporting(export_status="draft")
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.reduce(order, 3)
        row = self.out(order)[1]
        self.assertEqual(row.state, "pending")
        self.assertIn("approved", row.reason)
        self.org.update("Invoices", self.invoices()[0]["InvoiceID"], Status="AUTHORISED")
        self.org.update("CreditNotes", self.credit_notes()[0]["CreditNoteID"], Status="AUTHORISED")
        self.later(60)
        self.push()
        self.assertEqual((row.state, row.allocated), ("done", 46), row.reason)

    def test_what_a_paid_invoice_cannot_take_stays_as_credit_and_is_said(self):
        self.exporting()
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.org.add_payment(self.invoices()[0], 100)
        self.reduce(order, 3)
        row = self.out(order)[1]
        self.assertEqual((row.state, row.allocated), ("done", 15))
        self.assertIn("31.00", row.reason)
        self.assertEqual(self.credit_notes()[0]["RemainingCredit"], 31)

    # === QUANTITIES === #

    def test_an_open_invoice_is_made_smaller_instead(self):
        self.exporting(refund_mode="quantity")
        order = self.sell((self.bottle, 5, 20), (self.mug, 2, 12))
        self.send(order)
        self.reduce(order, 3)
        [invoice] = self.invoices()
        self.assertEqual([line["Quantity"] for line in invoice["LineItems"]], [3, 2])
        self.assertFalse(self.credit_notes())
        row = self.out(order)[1]
        self.assertEqual((row.state, row.amount_total, row.xero_total), ("done", -46, -46), row.reason)
        self.assertEqual(invoice["Total"], order.amount_total)

    def test_nothing_left_voids_the_invoice(self):
        self.exporting(refund_mode="quantity")
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        order._action_cancel()
        self.push()
        self.assertEqual(self.invoices()[0]["Status"], "VOIDED")
        self.assertEqual(self.out(order)[1].state, "done")

    def test_an_invoice_that_is_not_open_is_credited_although_quantities_are_wanted(self):
        self.exporting(refund_mode="quantity")
        order = self.sell((self.bottle, 5, 20))
        self.send(order)
        self.org.add_payment(self.invoices()[0], 10)
        self.reduce(order, 3)
        self.assertEqual([line["Quantity"] for line in self.invoices()[0]["LineItems"]], [5])
        self.assertEqual([note["Total"] for note in self.credit_notes()], [46])

    # === ODOO'S OWN CREDIT NOTES === #

    def refund(self, invoice, quantity=None):
        """Odoo's credit note of a posted invoice, for less where a quantity is given."""
        reversal = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"journal_id": invoice.journal_id.id})
        note = self.env["account.move"].browse(reversal.refund_moves()["res_id"])
        if quantity:
            note.invoice_line_ids.quantity = quantity
        note.action_post()
        return note

    def test_a_credit_note_of_odoo_is_one_in_xero_and_allocated_to_the_same_invoice(self):
        self.exporting("invoice")
        invoice = self.bill((self.bottle, 5, 20))
        self.send(invoice)
        note = self.refund(invoice, 2)
        self.send(note)
        self.assertEqual([sent["Total"] for sent in self.credit_notes()], [46])
        self.assertEqual(self.invoices()[0]["AmountDue"], 69)
        self.assertEqual(self.out(note).state, "done", self.out(note).reason)

    def test_a_credit_note_of_odoo_makes_the_open_invoice_smaller_where_that_is_wanted(self):
        self.exporting("invoice", refund_mode="quantity")
        invoice = self.bill((self.bottle, 5, 20))
        self.send(invoice)
        note = self.refund(invoice, 2)
        self.send(note)
        self.assertFalse(self.credit_notes())
        self.assertEqual([line["Quantity"] for line in self.invoices()[0]["LineItems"]], [3])
        self.assertEqual(self.out(note).state, "done", self.out(note).reason)
