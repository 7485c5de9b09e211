"""What would be sent is shown before it is sent: every line can be changed, and all that forbids it is told at once."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .export_case import ExportCase


@tagged("post_install", "-at_install")
class TestPreview(ExportCase):
    def preview(self, *documents):
        """The previews of these documents."""
        documents = documents[0].union(*documents)
        return self.press(self.env["xero.preview"]._prepare, documents=documents)

    def test_it_shows_what_xero_will_have(self):
        self.exporting()
        order = self.sell((self.bottle, 3, 20), client_order_ref="PO 7")
        preview = self.preview(order)
        self.assertEqual((preview.reference, preview.target), (f"{order.name} PO 7", "A new invoice"))
        self.assertEqual((preview.odoo_total, preview.xero_total, preview.difference), (69, 69, 0))
        self.assertFalse(preview.problem_count, preview.problems)
        self.assertIn("Arrives as", preview.explanation)
        self.assertIn("is sent as 200", preview.line_ids.explanation)
        self.assertFalse(self.invoices(), "looking sends nothing")
        preview.action_send()
        self.push()
        self.assertEqual(self.invoices()[0]["Total"], 69)
        self.assertFalse(self.out(order).is_edited)

    def test_a_line_that_was_changed_is_sent_as_it_was_changed_and_the_difference_is_known(self):
        self.exporting()
        order = self.sell((self.bottle, 3, 20))
        preview = self.preview(order)
        with Form(preview) as form, form.line_ids.edit(0) as line:
            line.quantity = 2
            line.description = "Two of three, the third follows"
        self.assertEqual((preview.xero_total, preview.difference), (46, -23))
        preview.action_send()
        self.push()
        [invoice] = self.invoices()
        self.assertEqual(invoice["LineItems"][0]["Description"], "Two of three, the third follows")
        row = self.out(order)
        self.assertEqual(
            (row.state, row.xero_total, row.total_difference, row.intended_difference), ("done", 46, -23, -23)
        )

    def test_all_that_forbids_it_is_told_at_once(self):
        connection = self.exporting()
        connection.account_mapping_ids.account_ids = False
        connection.tax_mapping_ids.tax_ids = False
        self.org.lock(period=fields.Date.today() + timedelta(days=1))
        connection.books_read_at = False
        preview = self.preview(self.sell())
        self.assertEqual(preview.problem_count, 3)
        for words in ("Sales of goods", "GST 15%", "locked"):
            self.assertIn(words, preview.problems)
        with self.assertRaises(UserError):
            preview.action_send()
        self.assertFalse(self.out(self.env["sale.order"].browse(preview.res_id)))

    def test_another_date_mends_a_locked_period(self):
        connection = self.exporting()
        self.org.lock(period=fields.Date.today())
        connection.books_read_at = False
        order = self.sell()
        preview = self.preview(order)
        self.assertEqual(preview.problem_count, 1)
        preview.date = fields.Date.today() + timedelta(days=1)
        self.assertFalse(preview.problem_count)
        preview.action_send()
        self.push()
        self.assertEqual(self.out(order).state, "done", self.out(order).reason)

    def test_a_number_that_is_taken_is_told_before_xero_refuses_it(self):
        self.exporting(number_source="odoo")
        order = self.sell()
        self.org.add_invoice(InvoiceNumber=order.name)
        preview = self.preview(order)
        self.assertIn("already", preview.problems)
        preview.number = f"{order.name}-B"
        self.assertFalse(preview.problem_count)
        preview.action_send()
        self.push()
        self.assertEqual(self.invoices()[1]["InvoiceNumber"], f"{order.name}-B")

    def test_it_says_which_draft_the_order_is_added_to(self):
        self.exporting(invoice_mode="existing")
        self.send(self.sell())
        preview = self.preview(self.sell((self.mug, 1, 12)))
        self.assertEqual(preview.target, f"Added to the draft {self.invoices()[0]['InvoiceNumber']}")

    def test_of_several_those_without_findings_go(self):
        self.exporting()
        untaxed = self._make_tax("Odd", 7)
        good, bad = self.sell(), self.sell()
        bad.order_line.tax_ids = untaxed
        previews = self.preview(good, bad)
        previews.action_send()
        self.push()
        self.assertEqual((self.out(good).state, len(self.out(bad))), ("done", 0))

    def test_what_is_on_its_way_is_not_offered_again(self):
        self.exporting()
        order = self.sell()
        self.send(order)
        with self.assertRaisesRegex(UserError, "in Xero"):
            self.preview(order)

    def test_two_people_who_send_the_same_order_send_it_once(self):
        self.exporting()
        order = self.sell()
        first, second = self.preview(order), self.preview(order)
        first.action_send()
        self.push()
        with self.assertRaisesRegex(UserError, "already"):
            second.action_send()
        self.push()
        self.assertEqual(len(self.invoices()), 1)

    def test_xero_out_of_reach_is_told_and_the_rest_shown(self):
        connection = self.exporting(number_source="odoo")
        connection.books_read_at = False
        self.fake.faults.add(status=503, times=None)
        preview = self.preview(self.sell())
        self.assertIn("could not be asked", preview.notice)
        self.assertEqual(preview.odoo_total, preview.xero_total)

    def test_a_forged_preview_sends_nothing_of_others(self):
        connection = self.exporting()
        imported = self.sell()
        imported.sudo().write({"xero_invoice_id": "11111111-1111-1111-1111-111111111111"})
        user = new_test_user(
            self.env, "previewer", "base.group_user,xero_connector.group_xero_user,sales_team.group_sale_salesman"
        )
        previews = self.env["xero.preview"].with_user(user)
        values = {
            "connection_id": connection.id,
            "res_model": "sale.order",
            "res_id": imported.id,
            "date": fields.Date.today(),
            "reference": "x",
            "amount_types": "Exclusive",
        }
        with self.assertRaises(AccessError):
            previews.create(values)
        with self.assertRaises(UserError):
            previews.sudo().create(values).sudo(False).action_send()
        self.assertFalse(self.out(imported))
