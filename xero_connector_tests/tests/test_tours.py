"""Journeys of people in a real browser: what they press, and what they see."""

import re
from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tests.common import HOST, ChromeBrowser

from .common import XeroHttpCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.tour

# A tour cannot work on a page that is not Odoo's, so this script does what a person does on Xero's: tick and allow.
_CONSENT = """
if (location.pathname.endsWith("/connect/authorize")) {
    addEventListener("DOMContentLoaded", () => {
        const box = document.querySelector("input[value='%s']");
        box.checked || box.click();
        document.querySelector("#allow").click();
    });
}
"""


class Browser(ChromeBrowser):
    """Odoo's browser for tests, at home at localhost: the only host without https that Xero sends people back to."""

    def __init__(self, test_case, *args, **kwargs):
        super().__init__(test_case, *args, **kwargs)
        script = _CONSENT % test_case.org.tenant_id
        self._websocket_request("Page.addScriptToEvaluateOnNewDocument", params={"source": script})

    def set_cookie(self, name, value, path, domain):
        super().set_cookie(name, value, path, "localhost")

    def _handle_request_paused(self, request, **params):
        # What goes to 127.0.0.1 passes, all else is answered with 404.
        url = re.sub("^http://localhost:", f"http://{HOST}:", request["url"])
        super()._handle_request_paused(request={"url": url}, **params)


class TourCase(XeroHttpCase):
    """A browser at home at localhost, and a person in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("web.base.url", cls.base_url())
        cls.startClassPatcher(patch("odoo.tests.common.ChromeBrowser", Browser))

    @classmethod
    def base_url(cls):
        return f"http://localhost:{cls.http_port()}"

    def tour(self, name, login="admin", url="/odoo"):
        self.start_tour(url, name, login=login)
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestTours(TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.brisbane = cls.env["stock.warehouse"].create({"name": "Brisbane", "code": "BNE"})

    def invoice(self, reference, number, lines=None):
        """An invoice dated so that no time zone makes it older than a connection of today."""
        date = str(fields.Date.today() + timedelta(days=1))
        return super().invoice(reference, lines, InvoiceNumber=number, Date=date)

    def imported_order(self):
        """An order from Xero, confirmed, in stock, with instructions and its PDF."""
        for warehouse in self.second_warehouse, self.brisbane:
            self.env["stock.quant"]._update_available_quantity(self.bottle, warehouse.lot_stock_id, 9)
        connection = self.connect(
            name="Kiwi Outdoor",
            attach_pdf=True,
            order_confirm=True,
            note_target="delivery",
            mapping_ids=self.rules(("GC", self.second_warehouse)),
        )
        text = {"Description": "Leave with the neighbour"}
        invoice = self.invoice("order GC 7", "INV-GC", [self.line(), text])
        self.run_import(connection)
        order = self.order(invoice)
        self.assertTrue(order.picking_ids.xero_pdf_id)
        return order

    def test_an_administrator_connects_imports_and_mends_what_failed(self):
        self.env["product.product"].create({"name": "Tumbler", "type": "consu", "is_storable": True})
        self.org.add_item(Code="GLASS", Name="Glass")
        self.invoice("order GC 0", "INV-TESTED", [self.line(quantity=1)])
        with patch.object(self.fake, "auto_approve", False):
            self.tour("xero_connect")
        self.assertFalse(self.env["sale.order"].search([("xero_invoice_number", "=", "INV-TESTED")]))
        connection = self.env["xero.connection"].search([("tenant_id", "=", self.org.tenant_id)])
        self.assertEqual((connection.state, connection.name), ("connected", "Kiwi Outdoor"))
        self.assertEqual(len(self.fake.calls("POST", "/connect/authorize")), 1, "Allow was pressed on Xero's page")

        self.invoice("order GC 1", "INV-COMES-1")
        self.invoice("order 2", "INV-COMES-2")
        failing = self.invoice("GC 3", "INV-FAILS", [self.line("GLASS")])
        self.run_import(connection)
        self.tour("xero_mend")
        self.run_cron("process")
        self.tour("xero_mended")
        self.assertEqual(self.order(failing).warehouse_id, self.second_warehouse)

    def test_an_administrator_pauses_resumes_disconnects_reconnects_and_reconfigures(self):
        connection = self.connect(name="Kiwi Outdoor", mapping_ids=self.rules(("GC", self.second_warehouse)))
        self.tour("xero_lifecycle")
        self.assertEqual((connection.state, connection.tenant_id), ("connected", self.org.tenant_id))
        self.assertEqual(len(self.fake.calls("DELETE", "(?i)/connections/")), 1)

    def test_an_administrator_chooses_among_several_granted_organisations(self):
        other = self.fake.add_organisation("Also granted")
        connection = self.env["xero.connection"].create({"name": "Kiwi Outdoor", "app_id": self.app.id})
        self.consent(connection, self.org, other)
        self.tour("xero_choose")
        self.assertEqual(connection.tenant_id, other.tenant_id)

    def test_an_administrator_mends_a_rule_that_never_matches_and_tries_the_rules(self):
        connection = self.connect(
            name="Kiwi Outdoor", mapping_ids=self.rules(("GC", self.second_warehouse), ("pick-up", None))
        )
        self.org.add_item(Code="GLASS", Name="Glass")
        self.invoice("gc-express", "INV-EXPRESS")
        self.invoice("gc-express", "INV-FAILS", [self.line("GLASS")])
        self.invoice("pick-up", "INV-PICKUP")
        self.tour("xero_rules")
        self.assertEqual(connection.mapping_ids.mapped("reference_contains"), ["GC-EXPRESS", "GC", "pick-up"])
        self.assertFalse(self.env["sale.order"].search([("xero_connection_id", "=", connection.id)]))

    def test_a_picker_without_other_rights_reads_instructions_reason_and_pdf(self):
        self.imported_order()
        other = self.env["res.partner"].create({"name": "Other delivery"})
        picking_type = self.second_warehouse.out_type_id
        self.env["stock.picking"].create({"partner_id": other.id, "picking_type_id": picking_type.id})
        new_test_user(self.env, "xero-picker", groups="stock.group_stock_user")
        self.tour("xero_picker", login="xero-picker")

    def test_a_salesperson_finds_the_orders_from_xero_and_sees_why_this_warehouse(self):
        self.imported_order()
        other = self.env["res.partner"].create({"name": "Order by hand"})
        self.env["sale.order"].create({"partner_id": other.id}).action_confirm()
        new_test_user(self.env, "xero-seller", groups="sales_team.group_sale_salesman_all_leads")
        self.tour("xero_order", login="xero-seller", url="/odoo/orders")

    def test_an_accountant_mends_a_code_once_and_a_picker_sees_what_was_released(self):
        self.env["product.product"].create({"name": "Tumbler", "type": "consu", "is_storable": True})
        self.org.add_item(Code="GLASS", Name="Glass")
        connection = self.connect(
            name="Kiwi Outdoor", attach_pdf=True, order_confirm=True, note_target="delivery", import_from=False
        )
        text = {"Description": "Leave with the neighbour"}
        failed = [self.invoice("web", f"INV-FAILED-{number}", [self.line("GLASS"), text]) for number in range(3)]
        self.run_import(connection)
        new_test_user(self.env, "xero-accountant", groups="xero_connector.group_xero_manager")
        self.tour("xero_accountant", login="xero-accountant")
        self.run_cron("process", "files")
        self.assertTrue(all(self.order(invoice) for invoice in failed))
        new_test_user(self.env, "xero-picker", groups="stock.group_stock_user")
        self.tour("xero_picker_released", login="xero-picker")

    def test_an_accountant_decides_about_a_change_and_takes_it_back(self):
        order = self.imported_order()
        order.picking_ids.do_print_picking()
        lines = [self.line(quantity=5), {"Description": "Leave with the neighbour"}]
        self.org.update("Invoices", order.xero_invoice_id, LineItems=lines)
        self.run_import()
        groups = "xero_connector.group_xero_manager,sales_team.group_sale_salesman_all_leads"
        new_test_user(self.env, "xero-accountant", groups=groups)
        self.tour("xero_decide", login="xero-accountant")
        self.assertEqual(order.order_line[0].product_uom_qty, 2)

    def test_a_picker_is_stopped_by_a_void_and_cancels_the_transfer(self):
        order = self.imported_order()
        order.picking_ids.move_ids.picked = True
        self.org.void(order.xero_invoice_id)
        self.run_import()
        new_test_user(self.env, "xero-picker", groups="stock.group_stock_user")
        self.tour("xero_picker_stopped", login="xero-picker")
        self.assertEqual(order.state, "cancel")

    def test_a_xero_manager_imports_by_hand(self):
        self.connect(name="Kiwi Outdoor", import_from=fields.Date.today())
        one, other = self.invoice("web", "INV-ONE"), self.invoice("web", "INV-TWO")
        self.tour("xero_by_hand")
        self.assertEqual((bool(self.order(one)), bool(self.order(other))), (True, False))

    def test_an_administrator_maps_products_side_by_side_and_releases_the_orders_that_waited(self):
        for name, code in (("Reading lamp", "LAMP"), ("Tumbler", "TUMBLER-01")):
            self._make_product(code, name, 5)
        for code, name in (("X-1", "Lamp"), ("TUMBLER 01", "Something"), ("CHAIR", "Chair")):
            self.org.add_item(Code=code, Name=name)
        connection = self.connect(name="Kiwi Outdoor", import_from=False)
        waiting = [self.invoice("web", f"INV-WAITS-{number}", [self.line("X-1")]) for number in range(2)]
        self.run_import(connection)
        groups = "xero_connector.group_xero_manager,product.group_product_manager"
        user = new_test_user(self.env, "xero-products", groups)
        self.tour("xero_products", login=user.login)
        self.run_cron("items")
        self.tour("xero_products_map", login=user.login)
        self.run_cron("process")
        self.assertTrue(all(self.order(invoice).order_line.product_id.name == "Reading lamp" for invoice in waiting))

    def test_an_accountant_sends_an_order_credits_it_and_compares(self):
        income = self.env["account.account"].create(
            {"name": "Sales of goods", "code": "XS4000", "account_type": "income"}
        )
        tax = self.env["account.tax"].create({"name": "GST 15%", "amount": 15, "type_tax_use": "sale"})
        self.bottle.write({"taxes_id": [Command.set(tax.ids)], "property_account_income_id": income.id})
        connection = self.connect(name="Kiwi Outdoor", import_orders=False, export_status="authorised")
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Aroha Ltd"}).id,
                "order_line": [Command.create({"product_id": self.bottle.id, "product_uom_qty": 5, "price_unit": 20})],
            }
        )
        order.action_confirm()
        groups = "xero_connector.group_xero_manager,account.group_account_invoice,sales_team.group_sale_manager"
        user = new_test_user(self.env, "xero-accountant", groups)
        self.tour("xero_accounts_sources", login=user.login)
        self.consent(connection, self.org)
        self.tour("xero_accounts_send", login=user.login, url="/odoo/orders")
        self.run_cron("push")
        self.tour("xero_accounts_reduce", login=user.login)
        self.run_cron("push")
        # a quarter of an hour later Xero is asked what is due
        connection.next_back = fields.Datetime.now()
        self.run_cron("push")
        [invoice] = [record.data for record in self.org.tables["Invoices"]]
        self.assertEqual((invoice["Total"], invoice["AmountCredited"]), (126.5, 50.6))
        self.org.add_invoice(Contact=self.contact["ContactID"], InvoiceNumber="BY-HAND", LineItems=[self.line()])
        self.tour("xero_accounts_credited", login=user.login)

    def test_an_administrator_maps_a_product_from_its_own_line(self):
        bench = self._make_product("B-1", "Garden bench", 90)
        self.org.add_item(Code="BENCH", Name="Bench")
        connection = self.connect(name="Kiwi Outdoor")
        connection._ring_items()
        self.run_cron("items")
        self.tour("xero_product_form")
        self.assertTrue(self.env["xero.binding"].search([("resource", "=", "item"), ("res_id", "=", bench.id)]))


class PortalJourney:
    """A customer's journey, on a screen as wide as the class says."""

    def test_a_customer_connects_reads_the_log_and_deletes(self):
        self.company.xero_portal = True
        customer = self.env["res.partner"].create({"name": "Kauri Ltd", "is_company": True})
        customer.xero_warehouse_ids = self.second_warehouse
        new_test_user(
            self.env, "customer", groups="base.group_portal", partner_id=customer.id, password="customer",
            tour_enabled=False,
        )
        self.org.add_item(Code="GLASS", Name="Glass")
        today = str(fields.Date.today())
        tested = self.invoice("GC 1", InvoiceNumber="INV-TESTED", Date=today)
        express = self.invoice("gc EXPRESS 2", InvoiceNumber="INV-EXPRESS", Date=today)
        failing = self.invoice("GC 3", [self.line("GLASS")], InvoiceNumber="INV-FAILS", Date=today)
        with patch.object(self.fake, "auto_approve", False):
            self.tour("xero_portal", login="customer", url="/my")
        self.run_import()
        self.assertEqual(self.order(tested).warehouse_id, self.second_warehouse)
        self.assertEqual(self.row(express).problem_code, "rule_ignore", "the rule that was moved up comes first")
        self._make_product("GLASS", "Glass", 5)
        self.tour("xero_portal_log", login="customer", url="/my/xero")
        connection = self.env["xero.connection"].with_context(active_test=False).search([("name", "=", "Web shop")])
        self.assertFalse(connection.active)
        self.assertEqual(self.row(failing).state, "pending", "tried again")


@tagged("post_install", "-at_install")
class TestPortalTourDesktop(PortalJourney, TourCase):
    pass


@tagged("post_install", "-at_install")
class TestPortalTourPhone(PortalJourney, TourCase):
    browser_size = "390x844"
    touch_enabled = True


class HomeJourney:
    """The back office as home, from the first day on: for who sets it up, and for who works with it."""

    def test_an_administrator_gets_from_an_empty_database_to_the_first_order(self):
        self.env["xero.app"].search([]).unlink()
        self.env["stock.warehouse"].create({"name": "Brisbane", "code": "BNE"})
        invoice = self.invoice("web", InvoiceNumber="INV-FIRST")
        self.tour("xero_first_time", url="/odoo/xero")
        self.tour("xero_first_order", url="/odoo/xero")
        self.assertEqual(self.order(invoice).warehouse_id.name, "Brisbane")

    def test_staff_see_what_failed_today_and_release_it_once_it_is_mended(self):
        connection = self.connect(name="Kiwi Outdoor")
        self.invoice("web")
        failing = [self.invoice("web", [self.line("GLASS")]) for _number in range(2)]
        self.run_import(connection)
        self._make_product("GLASS", "Glass", 3)
        user = new_test_user(self.env, "xero-staff", groups="xero_connector.group_xero_user")
        self.tour("xero_staff_day", login=user.login, url="/odoo/xero")
        self.run_cron("process")
        self.assertTrue(all(self.order(invoice) for invoice in failing))


@tagged("post_install", "-at_install")
class TestHomeTour(HomeJourney, TourCase):
    browser_size = "1366x768"


@tagged("post_install", "-at_install")
class TestHomeTourPhone(HomeJourney, TourCase):
    browser_size = "390x844"
    touch_enabled = True
