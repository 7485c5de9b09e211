"""What the break-ins found once, each in a few lines."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import mute_logger, new_test_user, tagged

from .common import XeroCase
from .export_case import ExportCase


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


@tagged("post_install", "-at_install")
class TestExportGuards(ExportCase):
    def setUp(self):
        super().setUp()
        self.connection = self.exporting()
        self.user = self._make_user("guard-accountant", "xero_user")
        other_company = self.env["res.company"].create({"name": "Other"})
        self.theirs = self.env["xero.connection"].create(
            {
                "name": "Theirs",
                "app_id": self.app.copy({"company_id": other_company.id}).id,
                "company_id": other_company.id,
                "warehouse_id": False,
            }
        )
        self.their_row = self.env["xero.record"].create(
            {"connection_id": self.theirs.id, "resource": "item", "external_id": "x", "reference": "their secret"}
        )
        self.their_account = self.env["xero.account.mapping"].create(
            {"connection_id": self.theirs.id, "code": "999", "name": "their account"}
        )
        self.their_order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": other_company.id,
                "order_line": [Command.create({"product_id": self.bottle.id, "name": "their goods"})],
            }
        )

    def _make_user(self, login, group):
        groups = f"xero_connector.group_{group},sales_team.group_sale_salesman_all_leads"
        return new_test_user(self.env, login, groups=groups)

    def _preview(self, order):
        documents = order.with_user(self.user)
        return self.press(documents.env["xero.preview"]._prepare, documents=documents)

    def test_nobody_says_by_hand_what_a_preview_is_of_or_that_it_was_sent(self):
        preview = self._preview(self.sell())
        self.assertEqual(preview.create_uid, self.user)
        for record, values in (
            (preview, {"res_id": self.their_order.id}),
            (preview, {"connection_id": self.theirs.id}),
            (preview, {"row_id": self.their_row.id}),
            (preview, {"is_sent": False}),
            (preview.line_ids, {"source_id": self.their_order.order_line.id}),
            (preview.line_ids, {"source_model": "res.users"}),
        ):
            with self.assertRaises(AccessError, msg=values):
                record.write(values)
        with self.assertRaises(AccessError):
            preview.line_ids.create({"preview_id": preview.id, "description": "one more"})

    def test_a_preview_filled_in_with_documents_of_others_tells_nothing_about_them(self):
        preview = self._preview(self.sell())
        line = preview.line_ids
        spec = {"problems": {}, "warnings": {}, "explanation": {}, "xero_total": {}, "line_ids": {"fields": {}}}
        for values in (
            {"res_id": self.their_order.id},
            {"connection_id": self.theirs.id},
            {"line_ids": [Command.update(line.id, {"source_id": self.their_order.order_line.id})]},
            {"line_ids": [Command.update(line.id, {"account_line_id": self.their_account.id})]},
        ):
            # What it says is computed anew where something it depends on changes.
            values["reference"] = "changed"
            with self.assertRaises(AccessError, msg=values):
                preview.onchange(values, list(values), spec)

    def test_a_line_is_booked_on_no_account_of_another_organisation(self):
        line = self._preview(self.sell()).line_ids
        with self.assertRaises(UserError):
            line.account_line_id = self.their_account
        with self.assertRaises(UserError), self.env.cr.savepoint():
            line.sudo().account_line_id = self.their_account

    def test_an_account_of_odoo_is_sent_as_no_line_of_another_organisation(self):
        manager = self._make_user("guard-bookkeeper", "xero_manager")
        match = self.env["xero.account.match"].with_user(manager).search([("account_id", "=", self.income.id)])
        self.assertEqual(match.line_id.code, "200")
        for line in (self.their_account, self.connection.tax_mapping_ids[:1]):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                match.write({"line_id": line.id})
        with self.assertRaises(AccessError):
            match.write({"account_id": False})

    def test_no_dialog_tells_about_rows_of_another_company(self):
        manager = self._make_user("guard-merger", "xero_manager")
        period = {"date_from": "2026-05-01", "date_to": "2026-05-31", "connection_id": self.theirs.id}
        difference = self.env["xero.drift.line"].create(
            {
                "drift_id": self.env["xero.drift"].create(period).id,
                "connection_id": self.theirs.id,
                "kind": "only_there",
                "about": "x",
                "contact_name": "their secret",
            }
        )
        for model, values, name in (
            ("xero.map.product", {"record_id": self.their_row.id}, "item_name"),
            ("xero.drift.adopt", {"line_id": difference.id}, "contact_name"),
        ):
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(manager).onchange(values, list(values), {name: {}})
        match = self.env["xero.item.match"].with_user(manager).search([], limit=1)
        with self.assertRaises(AccessError):
            match.onchange({"record_id": self.their_row.id}, ["record_id"], {"reason": {}})

    def test_only_those_of_xero_say_whose_orders_go_there_by_themselves(self):
        seller = new_test_user(
            self.env, "guard-seller", groups="base.group_partner_manager,sales_team.group_sale_manager"
        )
        with self.assertRaises(AccessError):
            self.customer.with_user(seller).xero_auto_export = True
        self.customer.xero_auto_export = True
        order = self.env["sale.order"].with_user(seller).create(
            {"partner_id": self.customer.id, "order_line": [Command.create({"product_id": self.bottle.id})]}
        )
        order.action_confirm()
        self.assertTrue(self.out(order.sudo()), "a salesperson's orders go by themselves all the same")

    def test_a_customer_reads_nothing_of_what_became_of_an_order_in_xero(self):
        order = self.sell()
        self.send(order)
        groups = "base.group_portal"
        customer = new_test_user(self.env, "guard-customer", groups, partner_id=self.customer.id)
        self.assertTrue(order.with_user(customer).read(["name"]))
        for name in order._fields:
            if name.startswith("xero_export_"):
                with self.assertRaises(AccessError, msg=name):
                    order.with_user(customer).read([name])
        with self.assertRaises(AccessError):
            order.with_user(customer).search([("xero_export_state", "=", "sent")])
        for button in ("action_xero_preview", "action_xero_export_open"):
            with self.assertRaises(UserError, msg=button):
                getattr(order.with_user(customer), button)()
