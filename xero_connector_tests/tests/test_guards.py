"""What the break-ins found once, each in a few lines."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import mute_logger, new_test_user, tagged

from .common import XeroCase


@tagged("post_install", "-at_install")
class TestGuards(XeroCase):
    def setUp(self):
        super().setUp()
        self.connection = self.connect(
            mapping_ids=self.rules(("GC", self.second_warehouse)), attach_pdf=True, order_confirm=True
        )
        self.manager = new_test_user(self.env, "guard-manager", groups="xero_connector.group_xero_manager")
        self.other_company = self.env["res.company"].create({"name": "Other"})

    def _as_manager(self, record):
        return record.with_user(self.manager)

    def test_a_delivery_address_belongs_to_its_customers_company(self):
        invoice = self.invoice()
        self.run_import()
        self.assertEqual(self.order(invoice).partner_shipping_id.company_id, self.company)

    def test_a_dialog_is_its_users_own(self):
        dialog = self._as_manager(self.env["xero.backfill"]).create({"connection_id": self.connection.id})
        colleague = new_test_user(self.env, "guard-colleague", groups="xero_connector.group_xero_manager")
        self.assertTrue(dialog.search([("id", "=", dialog.id)]))
        self.assertFalse(dialog.with_user(colleague).search([("id", "=", dialog.id)]))
        with self.assertRaises(AccessError):
            dialog.with_user(colleague).read(["connection_id"])

    def test_what_forms_show_as_read_only_no_manager_writes(self):
        for values in (
            {"tenant_id": "another"},
            {"state": "connected"},
            {"watermark": False},
            {"grant_id": False},
            {"message": "x"},
        ):
            with self.assertRaises(AccessError, msg=values):
                self._as_manager(self.connection).write(values)

    def test_a_manager_pauses_resumes_and_changes_times_all_the_same(self):
        connection = self._as_manager(self.connection)
        connection.action_pause()
        self.assertEqual(connection.state, "paused")
        connection.action_resume()
        self.assertEqual(connection.state, "connected")
        connection.write({"sync_interval": "manual", "import_from": "2026-05-01"})
        connection.import_from = "2026-04-01"
        self.assertFalse(connection.next_poll or connection.watermark)
        connection._start_backfill(connection.import_from, 1)
        self.assertEqual(connection.backfill_total, 1)

    def test_nobody_moves_settings_into_a_company_that_is_not_theirs(self):
        self.app.company_id = self.company
        other = self.env["xero.connection"].create(
            {
                "name": "Theirs",
                "app_id": self.app.copy({"company_id": self.other_company.id}).id,
                "company_id": self.other_company.id,
                "warehouse_id": False,
            }
        )
        rule = self.connection.mapping_ids
        rule.write({"action": "ignore", "warehouse_id": False})
        for record, values in (
            (self.app, {"company_id": self.other_company.id}),
            (self.connection, {"company_id": self.other_company.id, "warehouse_id": False}),
            (rule, {"connection_id": other.id}),
        ):
            with self.assertRaises(UserError, msg=values), self.env.cr.savepoint():
                self._as_manager(record).write(values)

    @mute_logger("odoo.sql_db")
    def test_a_field_left_empty_is_refused_before_the_database_names_the_whole_row(self):
        for record in (self.app, self.connection):
            with self.assertRaises(ValidationError):
                record.name = False
        with self.assertRaises(ValidationError):
            self.connection.log_days = -1

    def test_a_transfer_takes_no_other_documents_file(self):
        invoice = self.invoice()
        self.run_import()
        picking = self.order(invoice).picking_ids
        payroll = self.env["ir.attachment"].create(
            {"name": "payroll", "raw": b"x", "res_model": "res.company", "res_id": self.company.id}
        )
        picker = new_test_user(self.env, "guard-picker", groups="stock.group_stock_user")
        with self.assertRaises(AccessError):
            picking.with_user(picker).write({"xero_pdf_id": payroll.id})
        self.assertFalse(picking.with_user(picker).copy({"xero_pdf_id": payroll.id}).xero_pdf_id)
        self.assertTrue(picking.with_user(picker).copy().xero_pdf_id, "its own it does")

    def test_no_salesperson_forges_where_an_order_came_from(self):
        invoice = self.invoice()
        self.run_import()
        seller = new_test_user(self.env, "guard-seller", groups="sales_team.group_sale_manager")
        order = self.order(invoice).with_user(seller)
        for values in ({"xero_invoice_id": "forged"}, {"xero_connection_id": False}, {"xero_pdf_id": False}):
            with self.assertRaises(AccessError, msg=values):
                order.write(values)
        with self.assertRaises(AccessError):
            order.create({"partner_id": order.partner_id.id, "xero_invoice_id": "forged"})
        self.assertFalse(order.copy().xero_invoice_id)

    def test_a_customer_reads_nothing_of_the_settings_on_an_order(self):
        invoice = self.invoice()
        self.run_import()
        order = self.order(invoice)
        customer = new_test_user(self.env, "guard-customer", "base.group_portal", partner_id=order.partner_id.id)
        self.assertTrue(order.with_user(customer).read(["xero_invoice_number"]))
        for name in ("xero_connection_id", "xero_mapping_id", "xero_route_reason", "xero_url"):
            with self.assertRaises(AccessError, msg=name):
                order.with_user(customer).read([name])

    def test_the_link_to_xero_is_for_those_who_may_read_the_document(self):
        invoice = self.invoice()
        self.run_import()
        stranger = new_test_user(self.env, "guard-stranger")
        for document in (self.order(invoice), self.order(invoice).picking_ids):
            self.assertIn(invoice["InvoiceID"], document.action_xero_open()["url"].lower())
            with self.assertRaises(AccessError):
                document.with_user(stranger).action_xero_open()
