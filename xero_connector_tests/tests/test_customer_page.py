"""What staff see of Xero where they work: on customers, orders, transfers, products and invoices."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .export_case import ExportCase


@tagged("post_install", "-at_install")
class TestIntegrationsOfACustomer(ExportCase):
    def setUp(self):
        super().setUp()
        self.app.tier = "core"
        self.owner = self.env["res.partner"].create({"name": "Kauri Ltd", "is_company": True})
        self.branch = self.env["res.partner"].create({"name": "Kauri north", "parent_id": self.owner.id})

    def organisation(self, name, partner):
        return self.connect(self.fake.add_organisation(name), name=name, partner_id=partner.id)

    def seen(self, partner):
        partner.invalidate_recordset()
        return partner.xero_integration_count, partner.xero_integration_state

    def test_the_whole_familys_active_integrations_are_counted_with_a_dot(self):
        self.assertEqual(self.seen(self.owner), (0, "none"))
        one, two = self.organisation("One", self.owner), self.organisation("Two", self.branch)
        self.organisation("Other", self.env["res.partner"].create({"name": "Other Ltd"}))
        for partner in self.owner | self.branch:
            self.assertEqual(self.seen(partner), (2, "active"), partner.name)
        one.action_pause()
        self.assertEqual(self.seen(self.owner), (1, "active"))
        two.action_pause()
        self.assertEqual(self.seen(self.owner), (0, "idle"))
        two.sudo().state = "error"
        self.assertEqual(self.seen(self.owner), (0, "error"))
        domain = self.branch.action_view_xero_integrations()["domain"]
        self.assertEqual(self.env["xero.connection"].search(domain), one | two)

    def test_only_xero_users_see_them_and_only_their_companies(self):
        self.organisation("One", self.owner)
        plain = new_test_user(self.env, "plain", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.owner.with_user(plain).read(["xero_integration_count"])
        company = self.env["res.company"].create({"name": "Elsewhere"})
        other = new_test_user(
            self.env, "other", groups="xero_connector.group_xero_user,base.group_partner_manager",
            company_id=company.id, company_ids=[Command.set(company.ids)],
        )
        self.assertEqual(self.owner.with_user(other).xero_integration_count, 0)

    def test_a_list_of_customers_costs_no_query_for_each(self):
        partners = self.env["res.partner"].create([{"name": f"Customer {number}"} for number in range(30)])
        self.organisation("One", partners[0])

        def queries(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.read(["xero_integration_count", "xero_integration_state"])
            return self.env.cr.sql_log_count - before

        queries(partners)
        self.assertLessEqual(queries(partners), queries(partners[0]) + 1)


@tagged("post_install", "-at_install")
class TestFilters(ExportCase):
    def found(self, model, name, user=None, value=True):
        records = self.env[model].with_user(user or self.env.user)
        return records.search([(name, "=", value)])

    def test_orders_and_transfers_that_wait_for_a_decision_are_found(self):
        self.env["stock.quant"]._update_available_quantity(self.bottle, self.warehouse.lot_stock_id, 9)
        connection = self.connect(order_confirm=True)
        invoice, calm = self.invoice(), self.invoice()
        self.run_import(connection)
        self.assertFalse(self.found("sale.order", "xero_trouble"))
        self.picking(invoice).do_print_picking()
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[self.line(quantity=7)])
        self.run_import(connection)
        picker = new_test_user(self.env, "picker", groups="stock.group_stock_user")
        self.assertEqual(self.found("sale.order", "xero_trouble"), self.order(invoice))
        self.assertEqual(self.found("stock.picking", "xero_trouble", picker), self.picking(invoice))
        self.assertIn(self.picking(calm), self.found("stock.picking", "xero_trouble", picker, value=False))
        self.assertTrue(self.order(invoice).xero_trouble)
        self.assertFalse(self.order(calm).xero_trouble)

    def test_orders_that_could_not_be_sent_and_what_is_in_xero_are_found(self):
        self.exporting(contact_create_there=False)
        stranger = self.env["res.partner"].create({"name": "Nobody Xero knows"})
        sent, failed = self.sell(), self.sell(partner_id=stranger.id)
        self.send(sent, failed)
        self.push()
        self.assertEqual(self.found("sale.order", "xero_trouble"), failed)
        self.assertIn(self.customer, self.found("res.partner", "xero_known"))
        self.assertNotIn(stranger, self.found("res.partner", "xero_known"))
        self.assertNotIn(self.customer, self.found("res.partner", "xero_trouble"))

    def test_products_that_xero_has_and_that_it_refuses_are_found(self):
        connection = self.connect(item_sync="both", item_create_there=True)
        self.consent(connection, self.org)
        row = self.env["xero.record"]._put_out(connection, {self.mug: False})
        row = self.env["xero.record"]._outbox_rows(connection, self.mug)
        row.write({"state": "failed"})
        self.assertEqual(self.found("product.template", "xero_trouble"), self.mug.product_tmpl_id)
        self.env["xero.binding"].create(
            {"connection_id": connection.id, "resource": "item", "external_id": "b", "res_model": "product.product",
             "res_id": self.bottle.id}
        )
        self.assertIn(self.bottle.product_tmpl_id, self.found("product.template", "xero_known"))
        self.assertNotIn(self.freight.product_tmpl_id, self.found("product.template", "xero_known"))

    def test_whoever_has_nothing_to_do_with_orders_finds_nothing_out_by_these_filters(self):
        customer = new_test_user(self.env, "customer", groups="base.group_portal")
        for model in ("sale.order", "res.partner"):
            with self.assertRaises(AccessError):
                self.found(model, "xero_trouble", customer)
