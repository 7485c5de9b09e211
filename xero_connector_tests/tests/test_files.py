"""The invoice's PDF: on the order, on its transfers, fetched once per version, never in the order's way."""

from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import XeroCase


@tagged("post_install", "-at_install")
class TestPdf(XeroCase):
    def _attachments(self, document):
        return self.env["ir.attachment"].search([("res_model", "=", document._name), ("res_id", "=", document.id)])

    def test_the_pdf_is_attached_to_the_order_and_to_its_transfer(self):
        self.connect(attach_pdf=True, order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        order = self.order(invoice)
        for document in (order, order.picking_ids):
            self.assertTrue(document.xero_pdf_id.raw.startswith(b"%PDF-"))
            self.assertEqual(self._attachments(document), document.xero_pdf_id)
            self.assertEqual(document.xero_pdf_id.name, f"{invoice['InvoiceNumber']}.pdf")
        self.assertEqual(len(self.fake.calls("GET", f"/Invoices/{invoice['InvoiceID']}")), 1)
        self.assertEqual(self.row(invoice).pdf_size, len(order.xero_pdf_id.raw))

    def test_a_picker_without_sales_rights_opens_the_pdf_from_the_transfer(self):
        self.connect(attach_pdf=True, order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        picker = new_test_user(self.env, "picker-1", groups="stock.group_stock_user")
        picking = self.order(invoice).picking_ids.with_user(picker)
        self.assertTrue(picking.xero_pdf_id.raw)
        self.assertIn(str(picking.xero_pdf_id.id), picking.action_xero_pdf()["url"])

    def test_an_order_confirmed_after_the_pdf_came_passes_it_on(self):
        self.connect(attach_pdf=True)
        invoice = self.invoice()
        self.run_import()
        order = self.order(invoice)
        order.action_confirm()
        pdf = order.picking_ids.xero_pdf_id
        self.assertEqual(pdf.raw, order.xero_pdf_id.raw)
        self.assertEqual((pdf.res_model, pdf.res_id), ("stock.picking", order.picking_ids.id))

    def test_a_backorder_has_the_pdf_too(self):
        self.connect(attach_pdf=True, order_target="picking", order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        picking = self.picking(invoice)
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        backorder = self.picking(invoice) - picking
        self.assertEqual(backorder.backorder_id, picking)
        self.assertTrue(backorder.xero_pdf_id.raw)
        self.assertEqual(backorder.xero_pdf_id.res_id, backorder.id)

    def test_a_limit_met_while_fetching_pdfs_holds_all_calls_and_polls_nothing_by_itself(self):
        connection = self.connect(attach_pdf=True, sync_interval="manual")
        self.invoice()
        limit = {"X-Rate-Limit-Problem": "minute", "Retry-After": "40"}
        self.fake.faults.add("GET", "/Invoices/", status=429, headers=limit)
        self.run_import(connection)
        self.assertGreater(connection.blocked_until, fields.Datetime.now() + timedelta(seconds=20))
        self.assertFalse(connection.next_poll)
        self.fake.reset_log()
        self.run_cron("poll", "process", "files")
        self.assertFalse(self.fake.requests)

    def test_a_note_that_fails_does_not_cost_the_pdf_a_second_call(self):
        self.connect(attach_pdf=True, note_target="packing")
        invoice = self.invoice()
        self.fake.faults.add("GET", "History", status=500)
        self.run_import()
        row = self.row(invoice)
        self.assertEqual((row.files_state, bool(row.pdf_size)), ("waiting", True))
        row.files_next_attempt = False
        self.run_cron("files")
        self.assertEqual(self.row(invoice).files_state, "done")
        self.assertEqual(len(self.fake.calls("GET", "/Invoices/[^/]+$")), 1)

    def test_a_pdf_that_failed_for_good_or_was_not_wanted_comes_on_retry(self):
        connection = self.connect(attach_pdf=True)
        invoice = self.invoice()
        self.fake.faults.add("GET", "/Invoices/", status=404)
        self.run_import()
        self.assertEqual(self.row(invoice).files_state, "failed")
        self.row(invoice).action_retry()
        self.run_cron("files")
        self.assertTrue(self.order(invoice).xero_pdf_id)
        connection.attach_pdf = False
        second = self.invoice()
        self.run_import()
        connection.attach_pdf = True
        self.row(second).action_retry()
        self.run_cron("files")
        self.assertTrue(self.order(second).xero_pdf_id)

    def test_the_pdf_is_fetched_again_only_when_the_invoice_changed(self):
        self.connect(attach_pdf=True)
        invoice = self.invoice()
        self.run_import()
        first = self.order(invoice).xero_pdf_id
        self.fake.reset_log()
        self.run_import()
        self.assertFalse(self.fake.calls("GET", "/Invoices/"))
        self.fake.clock.advance(60)
        self.org.update("Invoices", invoice["InvoiceID"], Reference="changed")
        self.run_import()
        self.assertEqual(len(self.fake.calls("GET", "/Invoices/")), 1)
        self.assertEqual(self._attachments(self.order(invoice)), first, "the newer version replaces the older one")

    def test_no_pdf_is_fetched_for_invoices_that_made_no_order_or_when_nobody_wants_it(self):
        self.connect(unmatched_action="ignore", attach_pdf=True)
        self.invoice()
        self.connect(self.fake.add_organisation("No PDF"), attach_pdf=False)
        self.run_import()
        self.assertFalse(self.fake.calls("GET", "/Invoices/"))

    def test_a_pdf_that_fails_leaves_the_order_alone_and_comes_later(self):
        self.connect(attach_pdf=True)
        invoice = self.invoice()
        for fault in ({"status": 500}, {"kind": "cut"}, {"kind": "html"}):
            self.fake.faults.add("GET", "/Invoices/", **fault)
            self.run_import()
            row = self.row(invoice)
            self.assertTrue(self.order(invoice))
            self.assertEqual(row.files_state, "waiting", fault)
            self.assertFalse(self.order(invoice).xero_pdf_id)
            self.assertGreater(row.files_next_attempt, fields.Datetime.now())
            row.files_next_attempt = False
        self.run_cron("files")
        self.assertTrue(self.order(invoice).xero_pdf_id)

    def test_a_file_name_from_outside_is_never_a_path(self):
        self.connect(attach_pdf=True)
        invoice = self.invoice(InvoiceNumber="../../etc/<b>passwd")
        self.run_import()
        self.assertEqual(self.order(invoice).xero_pdf_id.name, "etc-b-passwd.pdf")


@tagged("post_install", "-at_install")
class TestAttachedFiles(XeroCase):
    def _files(self, document):
        domain = [("res_model", "=", document._name), ("res_id", "=", document.id)]
        return self.env["ir.attachment"].search(domain, order="name")

    def test_files_attached_in_xero_come_along_when_wanted(self):
        self.connect(attach_files=True, order_confirm=True)
        invoice = self.invoice()
        self.org.add_attachment(invoice["InvoiceID"], "label.png", b"\x89PNG...", "image/png")
        self.run_import()
        order = self.order(invoice)
        for document in (order, order.picking_ids):
            self.assertEqual(self._files(document).mapped("name"), ["label.png"])
            self.assertEqual(self._files(document).raw, b"\x89PNG...")

    def test_a_file_is_fetched_once_and_a_script_is_never_run_by_the_browser(self):
        self.connect(attach_files=True)
        invoice = self.invoice()
        self.org.add_attachment(invoice["InvoiceID"], "evil.html", b"<script>alert(1)</script>", "text/html")
        self.run_import()
        self.assertEqual(self._files(self.order(invoice)).mimetype, "text/plain")
        self.fake.clock.advance(60)
        self.org.update("Invoices", invoice["InvoiceID"], Reference="changed")
        self.run_import()
        self.assertEqual(len(self._files(self.order(invoice))), 1)

    def test_no_call_is_made_for_files_when_there_are_none_or_nobody_wants_them(self):
        connection = self.connect(attach_files=True)
        self.invoice()
        self.run_import()
        connection.attach_files = False
        second = self.invoice()
        self.org.add_attachment(second["InvoiceID"], "label.png", b"png", "image/png")
        self.run_import()
        self.assertFalse(self.fake.calls(path="Attachments"))


@tagged("post_install", "-at_install")
class TestPrintedInstructions(XeroCase):
    def test_picking_list_and_delivery_slip_print_the_instructions(self):
        self.connect(note_target="delivery", order_confirm=True)
        invoice = self.invoice(lines=[self.line(), {"Description": "Ring <b>twice</b>"}])
        self.run_import()
        picking = self.order(invoice).picking_ids
        for report in ("stock.report_picking", "stock.report_deliveryslip"):
            html = self.env["ir.actions.report"]._render_qweb_html(report, picking.ids)[0].decode()
            self.assertIn("Delivery instructions", html, report)
            self.assertIn("Ring &lt;b&gt;twice&lt;/b&gt;", html, report)
