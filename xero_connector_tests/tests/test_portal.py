"""Customers connect themselves: the whole journey in the portal, without JavaScript, and what it refuses."""

from datetime import timedelta
from unittest.mock import patch

import requests

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.xero_connector import const
from odoo.addons.xero_connector.lib import errors

from .portal_case import PortalCase


@tagged("post_install", "-at_install")
class TestJourney(PortalCase):
    def recent(self, *args, **values):
        return self.invoice(*args, Date=str(fields.Date.today()), **values)

    def test_three_steps_and_a_test_order_lead_to_the_import(self):
        self.fake.auto_tenants = [self.org.tenant_id]
        self.log_in("kauri")
        page = self.visit("/my/xero")
        self.assertIn("Connect your Xero", page.text)
        page = page.follow("New integration").press("Next", name="Our shop")
        self.assertIn("Not connected yet", page.text)
        connection = self.connections_of(self.kauri)
        self.assertEqual((connection.name, connection.state, connection.setup_done), ("Our shop", "draft", False))
        page = page.press("Connect to Xero")
        self.assertIn(f"Connected to {self.org.name}", page.text)
        page = page.follow("Next").press("Add a rule", default=str(self.warehouse.id))
        page = page.press("Save and next", text_n1="GC", target_n1=str(self.second_warehouse.id))
        self.assertEqual(connection.mapping_ids.warehouse_id, self.second_warehouse)
        invoice = self.recent("order GC 7", InvoiceNumber="INV-7")
        page = page.follow("Test order") if "Test order" in page.links() else self.visit(page.url)
        self.assertIn("INV-7", page.text)
        page = page.press("Show")
        self.assertIn("would become this order", page.text)
        self.assertIn("Gold Coast", page.text)
        self.assertFalse(self.row(invoice), "nothing was created")
        page = page.press("Finish")
        self.assertIn("Connected", page.text)
        self.assertTrue(connection.setup_done)
        self.run_import(connection)
        order = self.order(invoice)
        self.assertEqual((order.warehouse_id, order.partner_id), (self.second_warehouse, self.kauri))
        self.assertIn(order.name, self.visit(page.url).text)

    def test_a_new_integration_begins_as_the_companys_settings_say(self):
        responsible = self.env.ref("base.user_admin")
        self.company.write(
            {
                "xero_portal_order_target": "picking",
                "xero_portal_order_confirm": True,
                "xero_portal_user_id": responsible.id,
            }
        )
        connection = self.set_up()
        self.assertEqual(
            (connection.order_target, connection.order_confirm, connection.user_id, connection.partner_id),
            ("picking", True, responsible, self.kauri),
        )
        self.assertEqual(connection.import_from, fields.Date.context_today(connection))
        self.assertNotIn(self.kauri_user.partner_id, connection.message_partner_ids, "staff's notes are not for them")

    def test_rules_are_moved_added_and_removed_and_only_save_writes_them(self):
        connection = self.set_up()
        connection.mapping_ids = self.rules(("A", self.warehouse), ("B", self.second_warehouse), ("C", None))
        a, b, c = connection.mapping_ids.sorted("sequence")
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration")
        page = page.press(f"up:{c.id}").press(f"up:{c.id}").press(f"down:{a.id}").press(f"remove:{b.id}")
        self.assertIn("not saved yet", page.text)
        self.assertEqual(connection.mapping_ids.sorted("sequence").mapped("reference_contains"), ["A", "B", "C"])
        page = page.press("Add a rule")
        page = page.press("Save", text_n1="D", target_n1=str(self.second_warehouse.id))
        self.assertIn("Saved.", page.text)
        rules = connection.mapping_ids.sorted("sequence")
        self.assertEqual(rules.mapped("reference_contains"), ["C", "A", "D"])
        self.assertEqual(rules[:2], c | a, "rules that stay are the same records")

    def test_what_somebody_changed_while_the_page_was_open_is_not_overwritten(self):
        connection = self.set_up()
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration").press("Add a rule")
        connection.mapping_ids = self.rules(("staff", None))
        answer = page.press("Save", text_n1="ours", target_n1="ignore")
        self.assertIn("were changed elsewhere", answer.text)
        self.assertIn("ours", answer.source, "what was typed is still there")
        self.assertEqual(connection.mapping_ids.mapped("reference_contains"), ["staff"])

    def test_bad_input_says_what_is_wrong_and_writes_nothing(self):
        connection = self.set_up()
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration").press("Add a rule")
        for text, values in {
            "A rule has no text": {"text_n1": "  ", "target_n1": "ignore"},
            "Choose a warehouse for the rule “x”": {"text_n1": "x", "target_n1": "999999"},
            "Choose where invoices go": {"text_n1": "x", "target_n1": "ignore", "default": ""},
            "Say from which date": {"text_n1": "x", "target_n1": "ignore", "import_from": "soon"},
            "at the earliest": {"text_n1": "x", "target_n1": "ignore", "import_from": "2020-01-01"},
            "more than a year away": {"text_n1": "x", "target_n1": "ignore", "import_from": "2099-01-01"},
            "Choose: Look for invoices": {"text_n1": "x", "target_n1": "ignore", "sync_interval": "always"},
        }.items():
            with self.subTest(text):
                answer = page.press("Save", **values, note_target="delivery")
                self.assertIn(text, answer.text)
                self.assertIn(values["text_n1"].strip(), answer.source, "what was typed is still there")
                self.assertFalse(connection.mapping_ids)
                self.assertEqual(connection.note_target, "none")

    def test_invoices_older_than_a_month_cannot_be_asked_for_but_stay_where_staff_allowed_them(self):
        connection = self.set_up()
        connection.import_from = "2020-01-01"
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration").press("Save", import_from="2020-06-01")
        self.assertIn("Saved.", page.text)
        self.assertEqual(str(connection.import_from), "2020-06-01")

    def test_pausing_stops_the_import_and_resuming_goes_on(self):
        connection = self.set_up()
        overview = f"/my/xero/{connection.id}"
        page = self.visit(overview).press("Pause")
        self.assertIn("Paused", page.text)
        self.assertEqual(connection.state, "paused")
        page = page.press("Resume")
        self.assertEqual(connection.state, "connected")
        connection.next_poll = False
        page.press("Import now")
        self.assertTrue(connection.next_poll)

    def test_deleting_asks_first_ends_the_connection_at_xero_and_keeps_the_orders(self):
        connection = self.set_up()
        invoice = self.recent()
        self.run_import(connection)
        page = self.visit(f"/my/xero/{connection.id}").follow("Delete")
        self.assertTrue(connection.active, "asked first")
        page = page.press("Delete")
        self.assertEqual(page.path, "/my/xero")
        self.assertNotIn("Our shop", page.text)
        self.assertEqual((connection.active, connection.state), (False, "draft"))
        self.assertFalse(connection.sudo().grant_id)
        self.assertTrue(self.order(invoice))
        self.assertEqual(self.visit(f"/my/xero/{connection.id}").status, 404)

    def test_the_log_says_why_in_the_customers_words_and_what_was_mended_is_tried_again(self):
        connection = self.set_up()
        self.org.add_item(Code="GLASS", Name="Glass")
        invoice = self.recent("x", [self.line("GLASS")], InvoiceNumber="INV-9")
        self.run_import(connection)
        self.assertEqual(self.row(invoice).state, "failed")
        page = self.visit(f"/my/xero/{connection.id}").follow("The whole log").follow("Failed")
        self.assertIn("The warehouse knows no item “GLASS”", page.text)
        self.assertIn("Connected, some invoices failed", self.visit("/my/xero").text)
        self.assertEqual(connection._portal_values()["dot"], "warning")
        self._make_product("GLASS", "Glass", 5)
        page = page.press("Retry")
        self.assertIn("INV-9 is tried again", page.text)
        self.run_cron("process")
        self.assertEqual(self.order(invoice).partner_id, self.kauri)
        self.assertNotIn("Retry", self.visit(page.url).buttons())

    def test_of_several_granted_organisations_the_customer_picks(self):
        other = self.fake.add_organisation("Second shop", country="NZ", currency=self.org.currency)
        self.log_in("kauri")
        self.fake.auto_tenants = [self.org.tenant_id, other.tenant_id]
        page = self.visit("/my/xero/new").press("Next", name="Which").press("Connect to Xero")
        self.assertIn("Which one is this integration for?", page.text)
        page = page.press("Second shop")
        self.assertIn("Connected to Second shop", page.text)
        self.assertEqual(self.connections_of(self.kauri).tenant_id, other.tenant_id)

    def test_who_refuses_at_xero_reads_why_and_may_try_again(self):
        self.log_in("kauri")
        page = self.visit("/my/xero/new").press("Next", name="Refused")
        self.fake.auto_approve = False
        self.addCleanup(setattr, self.fake, "auto_approve", True)
        connection = self.connections_of(self.kauri)
        answer = self.url_open(
            self._here(f"/my/xero/{connection.id}/connect"),
            data={"csrf_token": page.document.xpath("//input[@name='csrf_token']/@value")[0]},
            allow_redirects=False,
        )
        state = answer.headers["Location"].partition("state=")[2].partition("&")[0]
        page = self.visit(f"/xero/oauth/callback?error=access_denied&state={state}")
        self.assertEqual(page.path, f"/my/xero/{connection.id}/setup/authentication")
        self.assertIn("Connect to Xero", page.buttons())
        self.assertEqual(page.text.count("Access was not granted"), 1)
        self.assertEqual(connection.state, "draft")

    def test_what_only_the_warehouse_mends_is_told_to_its_staff_and_not_to_the_customer(self):
        self.log_in("kauri")
        self.fake.auto_tenants = [self.org.tenant_id]
        page = self.visit("/my/xero/new").press("Next", name="Not yet")
        connection = self.connections_of(self.kauri)
        data = {"csrf_token": page.document.xpath("//input[@name='csrf_token']/@value")[0]}
        answer = self.url_open(self._here(f"/my/xero/{connection.id}/connect"), data=data, allow_redirects=False)
        back = requests.get(answer.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
        self.app.client_secret = "not the one Xero knows"
        page = self.visit(back)
        self.assertIn("This is not possible at the moment", page.text)
        for path in (f"/my/xero/{connection.id}", page.path):
            self.assertNotIn("secret", self.visit(path).text)
            self.assertIn("has been told", self.visit(path).text)
        self.assertIn("secret", connection.activity_ids.note)

    def test_reconfigure_leads_through_the_steps_again_and_keeps_the_import_running(self):
        connection = self.set_up()
        page = self.visit(f"/my/xero/{connection.id}").follow("Reconfigure").press("Next", name="New name")
        page = page.follow("Next").press("Save and next").press("Finish")
        self.assertEqual(page.path, f"/my/xero/{connection.id}")
        self.assertEqual((connection.name, connection.state, connection.setup_done), ("New name", "connected", True))

    def test_more_rules_than_a_customer_may_add_survive_the_customers_saving(self):
        connection = self.set_up()
        connection.mapping_ids = self.rules(*[(f"staff {number}", None) for number in range(205)])
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration").press("Save", note_target="packing")
        self.assertIn("Saved.", page.text)
        self.assertEqual((len(connection.mapping_ids), connection.note_target), (205, "packing"))

    def test_pressing_twice_begins_one_integration(self):
        self.log_in("kauri")
        page = self.visit("/my/xero/new")
        first, second = page.press("Next", name="Our shop"), page.press("Next", name="Our shop")
        self.assertEqual(first.path, second.path)
        self.assertEqual(len(self.connections_of(self.kauri)), 1)

    def test_text_no_line_can_hold_is_taken_out(self):
        self.log_in("kauri")
        self.visit("/my/xero/new").press("Next", name="Our\0 shop\r\n" + 300 * "x")
        name = self.connections_of(self.kauri).name
        self.assertTrue(name.startswith("Our shopxxx"))
        self.assertEqual(len(name), 100)

    def test_an_ended_consent_is_told_in_the_portal_and_by_one_mail(self):
        connection = self.set_up()
        mails = self.env["mail.mail"].sudo().search([])
        connection.sudo().grant_id.write({"refresh_token": "dead", "access_expires_at": "2020-01-01"})
        self.run_import(connection)
        self.run_import(connection)
        self.assertEqual(connection.state, "error")
        new = self.env["mail.mail"].sudo().search([]) - mails
        to_customer = new.filtered(lambda mail: self.kauri_user.partner_id in mail.recipient_ids)
        self.assertEqual(len(to_customer), 1)
        self.assertIn(f"/my/xero/{connection.id}", to_customer.body_html)
        page = self.visit("/my/xero")
        self.assertIn("Needs attention", page.text)
        page = self.visit(f"/my/xero/{connection.id}")
        self.assertIn(f"The access to {self.org.name} has ended", page.text)
        page = page.follow("Connect again").press("Reconnect to Xero")
        self.assertEqual(connection.state, "connected", connection.message)

    def test_the_portal_home_shows_the_integrations_and_what_needs_attention(self):
        connection = self.set_up()
        self.assertIn("/my/xero", self.visit("/my").links())
        page = self.visit("/my")
        self.assertIn("Xero integrations (1)", page.text)
        asked = page.document.xpath("//@data-placeholder_count")
        self.assertEqual(self.counters(asked)["xero_attention_count"], 0)
        # The page's script falls over one it has no place for.
        self.assertLessEqual(set(self.counters(asked)), set(asked))
        connection.sudo().write({"state": "error", "message": "x"})
        self.assertEqual(self.counters(asked)["xero_attention_count"], 1)

    def counters(self, names):
        return self.url_open("/my/counters", json={"params": {"counters": names}}).json()["result"]

    def test_hostile_text_is_shown_as_text(self):
        evil = "<script>alert(1)</script>{{7*7}}"
        connection = self.set_up(name=evil)
        self.recent(evil, InvoiceNumber="INV-E")
        self.run_import(connection)
        for path in ("", f"/{connection.id}", f"/{connection.id}/log", f"/{connection.id}/setup/test"):
            self.assertNotIn("<script>alert(1)", self.visit(f"/my/xero{path}").source)
        self.assertIn("{{7*7}}", self.visit(f"/my/xero/{connection.id}").document.xpath("//h3")[0].text_content())


@tagged("post_install", "-at_install")
class TestWhoReads(PortalCase):
    """Mails and pages reach the customer they are about, and nobody else."""

    def setUp(self):
        super().setUp()
        self.shop = self.connect(name="Our shop", partner_id=self.kauri.id, in_portal=True)
        self.env.cr.execute("UPDATE xero_connection SET create_uid = %s", (self.kauri_user.id,))
        self.env.invalidate_all()

    def mails_after(self, act):
        before = self.env["mail.mail"].sudo().search([])
        act()
        return (self.env["mail.mail"].sudo().search([]) - before).filtered(lambda m: "needs attention" in m.subject)

    def stop(self):
        self.shop._note_error(errors.XeroDenied("The consent has expired."))

    def test_the_customer_is_written_to_when_the_consent_ends_although_staff_was_warned_before(self):
        self.shop._call_for_help("The consent ends in 3 days.")
        self.assertEqual(len(self.mails_after(self.stop)), 1)
        self.assertFalse(self.mails_after(self.stop), "once")

    def test_who_left_the_customer_gets_no_more_mails_about_it(self):
        self.kauri_user.active = False
        mail = self.mails_after(self.stop)
        self.assertEqual(mail.recipient_ids, self.kauri)

    def test_a_connection_is_not_handed_to_another_customer_with_its_log_and_consent(self):
        with self.assertRaisesRegex(UserError, "holds the consent and the log of Kauri"):
            self.shop.partner_id = self.rimu
        self.shop.partner_id = self.kauri_user.partner_id  # a person of the same customer

    def test_a_subsidiary_that_is_a_customer_of_its_own_looks_after_its_own(self):
        subsidiary, _user = self._make_customer("Sub Ltd", "sub")
        subsidiary.parent_id = self.kauri
        theirs = self.env["xero.connection"].create(
            {"name": "Sub's", "app_id": self.app.id, "partner_id": subsidiary.id, "in_portal": True}
        )
        self.log_in("kauri")
        self.assertEqual(self.visit(f"/my/xero/{theirs.id}").status, 404)
        self.log_in("sub")
        self.assertEqual(self.visit(f"/my/xero/{theirs.id}").status, 200)

    def test_only_what_came_from_xero_as_an_invoice_is_counted_and_shown(self):
        row = {"connection_id": self.shop.id, "state": "failed", "problem_code": "unmapped", "number": "STAFF-ONLY"}
        self.env["xero.record"].create([
            row | {"resource": "item", "external_id": "i"},
            row | {"resource": "invoice", "direction": "out", "res_model": "sale.order", "res_id": 1},
        ])
        self.log_in("kauri")
        self.assertNotIn("failed", self.visit("/my/xero").text)
        self.assertNotIn("STAFF-ONLY", self.visit(f"/my/xero/{self.shop.id}/log").source)

    def test_what_the_warehouse_decided_or_decides_is_not_tried_again_by_the_customer(self):
        rows = self.env["xero.record"]
        for code in ("ignored", "already_imported", "exported", "change_held", "void_held", "credit_held"):
            rows |= rows.create(
                {"connection_id": self.shop.id, "resource": "invoice", "external_id": code, "state": "failed",
                 "problem_code": code, "number": code}
            )
        self.log_in("kauri")
        page = self.visit(f"/my/xero/{self.shop.id}/log")
        self.assertNotIn("Retry", page.buttons())
        token = self.visit(f"/my/xero/{self.shop.id}/delete").document.xpath("//input[@name='csrf_token']/@value")[0]
        for row in rows:
            answer = self.send(f"/my/xero/{self.shop.id}/log/{row.id}/retry", {"csrf_token": token})
            self.assertEqual((answer.status, row.state), (404, "failed"), row.number)

    def test_a_member_of_staff_looks_after_nothing_here_whatever_company_its_contact_is_of(self):
        insider = new_test_user(
            self.env, "insider", groups="base.group_user", password="insider-password",
            partner_id=self.env["res.partner"].create({"name": "Insider", "parent_id": self.kauri.id}).id,
        )
        self.assertEqual(insider.partner_id.commercial_partner_id, self.kauri)
        self.log_in("insider")
        self.assertEqual(self.visit(f"/my/xero/{self.shop.id}").status, 404)

    def test_an_order_is_linked_once_the_portal_shows_it(self):
        invoice = self.invoice("1")
        self.run_import(self.shop)
        self.log_in("kauri")
        log, order = f"/my/xero/{self.shop.id}/log", self.order(invoice)
        self.assertNotIn(f"/my/orders/{order.id}", self.visit(log).links())
        order.action_confirm()
        self.assertIn(f"/my/orders/{order.id}", self.visit(log).links())

    def test_another_companys_app_is_never_used(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.company.xero_portal_app_id = self.app.copy({"name": "Theirs", "company_id": other.id})
        self.log_in("kauri")
        self.visit("/my/xero/new").press("Next", name="Second")
        self.assertEqual(self.connections_of(self.kauri).filtered(lambda c: c.name == "Second").app_id, self.app)

    def test_what_staff_wrote_about_a_decision_stays_among_them(self):
        invoice = self.invoice("GC 1")
        self.shop.mapping_ids = self.rules(("GC", self.second_warehouse))
        self.run_import(self.shop)
        self.row(invoice).write({"reason": "Kept by Mitchell: they never pay."})
        self.log_in("kauri")
        page = self.visit(f"/my/xero/{self.shop.id}/log")
        self.assertIn("contains “GC”", page.text)
        self.assertNotIn("Mitchell", page.source)

    def test_no_other_site_shows_these_pages_in_a_frame(self):
        self.log_in("kauri")
        answer = self.url_open(f"/my/xero/{self.shop.id}/delete")
        self.assertEqual(answer.headers["X-Frame-Options"], "SAMEORIGIN")
        self.assertIn("frame-ancestors 'self'", answer.headers["Content-Security-Policy"])


@tagged("post_install", "-at_install")
class TestAllowed(PortalCase):
    def test_without_permission_there_is_neither_card_nor_page(self):
        self.company.xero_portal = False
        self.log_in("kauri")
        self.assertNotIn("/my/xero", self.visit("/my").links())
        for path in ("/my/xero", "/my/xero/new"):
            self.assertEqual(self.visit(path).status, 404)

    def test_a_customer_may_be_an_exception_either_way(self):
        for company, customer, allowed in (
            (True, "inherit", True), (True, "deny", False), (False, "inherit", False), (False, "allow", True),
        ):
            self.company.xero_portal = company
            self.kauri.xero_portal = customer
            self.log_in("kauri")
            self.assertEqual(self.visit("/my/xero/new").status == 200, allowed, (company, customer))

    def test_staff_and_visitors_have_no_integrations_of_their_own(self):
        self.authenticate("admin", "admin")
        self.assertEqual(self.visit("/my/xero").status, 404)
        self.authenticate(None, None)
        self.assertEqual(self.visit("/my/xero").path, "/web/login")

    def test_withdrawn_permission_leaves_looking_pausing_and_deleting(self):
        connection = self.set_up()
        self.kauri.xero_portal = "deny"
        overview = f"/my/xero/{connection.id}"
        page = self.visit(overview)
        token = self._token(page)
        self.assertIn("not possible at the moment", page.text)
        self.assertEqual(connection.state, "connected", "what runs goes on")
        for step in ("initial", "authentication", "configuration", "test"):
            self.assertEqual(self.visit(f"{overview}/setup/{step}").status, 404, step)
        page = page.press("Pause")
        self.assertEqual(connection.state, "paused")
        self.assertNotIn("Resume", page.buttons())
        for action in ("resume", "look", "connect", "finish", "organisation", "setup/configuration"):
            self.assertEqual(self.send(f"{overview}/{action}", {"csrf_token": token}).status, 404, action)
        self.assertEqual(connection.state, "paused")
        page.follow("Delete").press("Delete")
        self.assertFalse(connection.active)

    def _token(self, page):
        return page.document.xpath("//input[@name='csrf_token']/@value")[0]

    def test_permission_withdrawn_while_the_customer_is_at_xero_ends_the_journey(self):
        self.log_in("kauri")
        page = self.visit("/my/xero/new").press("Next", name="Late")
        connection = self.connections_of(self.kauri)
        data = {"csrf_token": self._token(page)}
        answer = self.url_open(self._here(f"/my/xero/{connection.id}/connect"), data=data, allow_redirects=False)
        state = answer.headers["Location"].partition("state=")[2].partition("&")[0]
        self.kauri.xero_portal = "deny"
        page = self.visit(f"/xero/oauth/callback?code=whatever&state={state}")
        self.assertEqual(page.status, 400)
        self.assertEqual(connection.state, "draft")

    def test_only_allowed_warehouses_can_be_chosen_and_one_alone_is_chosen_already(self):
        self.kauri.xero_warehouse_ids = self.second_warehouse
        self.log_in("kauri")
        self.fake.auto_tenants = [self.org.tenant_id]
        page = self.visit("/my/xero/new").press("Next", name="Narrow").press("Connect to Xero").follow("Next")
        self.assertNotIn(self.warehouse.name, page.document.xpath("//select[@name='default']")[0].text_content())
        refused = page.press("Save", default=str(self.warehouse.id))
        self.assertIn("Choose where invoices go", refused.text)
        page.press("Save")
        self.assertEqual(self.connections_of(self.kauri).warehouse_id, self.second_warehouse)

    def test_where_only_another_companys_warehouses_are_allowed_none_can_be_chosen(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.kauri.xero_warehouse_ids = self.env["stock.warehouse"].search([("company_id", "=", company.id)])
        self.assertFalse(self.kauri._xero_portal_warehouses(self.company))

    def test_a_rule_to_a_warehouse_that_is_not_allowed_any_more_has_to_be_changed(self):
        connection = self.set_up()
        connection.mapping_ids = self.rules(("GC", self.second_warehouse))
        self.kauri.xero_warehouse_ids = self.warehouse
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration").press("Save")
        self.assertIn("Choose a warehouse for the rule “GC”", page.text)

    def test_above_the_tiers_limit_the_warehouse_is_called_and_the_customer_reads_no_internals(self):
        self.log_in("kauri")
        page = self.visit("/my/xero/new").press("Next", name="Sixth")
        with patch.dict(const.CONNECTION_CAPS, {"starter": 0}):
            page = page.press("Connect to Xero")
        self.assertIn("This is not possible at the moment", page.text)
        self.assertNotIn(self.app.name, page.text)
        connection = self.connections_of(self.kauri)
        self.assertIn(self.app.name, connection.activity_ids.note)

    def test_an_app_that_would_connect_the_warehouses_own_books_is_never_offered_to_customers(self):
        self.app.grant_type = "client_credentials"
        self.log_in("kauri")
        page = self.visit("/my/xero/new").press("Next", name="Too early")
        self.assertIn("Nothing can be connected yet", page.text)
        self.app.grant_type = "authorization_code"
        page = self.visit("/my/xero/new").press("Next", name="Changed")
        self.app.grant_type = "client_credentials"
        page = page.press("Connect to Xero")
        self.assertIn("not possible at the moment", page.text)
        self.assertFalse(self.connections_of(self.kauri).tenant_id)

    def test_a_customer_has_at_most_so_many_integrations(self):
        self.log_in("kauri")
        with patch.object(const, "PORTAL_CONNECTIONS", 1):
            self.visit("/my/xero/new").press("Next", name="One")
            page = self.visit("/my/xero/new").press("Next", name="Two")
        self.assertIn("You have 1 integrations", page.text)
        self.assertEqual(len(self.connections_of(self.kauri)), 1)

    def test_an_organisation_another_customer_connected_is_refused_without_naming_them(self):
        self.set_up("rimu", name="Rimu secret name")
        self.log_in("kauri")
        page = self.visit("/my/xero/new").press("Next", name="Mine").press("Connect to Xero")
        self.assertIn("is connected already", page.text)
        self.assertNotIn("Rimu", page.source)
        self.assertEqual(self.connections_of(self.kauri).state, "draft")

    def test_the_fee_is_shown_and_agreed_to_before_anything_is_imported(self):
        company = type(self.company)
        with patch.object(company, "_xero_fee_text", lambda _self, _partner: "5.00 a week"):
            self.fake.auto_tenants = [self.org.tenant_id]
            self.log_in("kauri")
            page = self.visit("/my/xero")
            self.assertIn("5.00 a week", page.text)
            page = page.follow("New integration")
            self.assertIn("5.00 a week", page.text)
            page = page.press("Next", name="Paid").press("Connect to Xero").follow("Next")
            page = page.press("Save and next", default=str(self.warehouse.id))
            page = page.press("Finish")
            self.assertIn("Tick that you agree", page.text)
            self.assertFalse(self.connections_of(self.kauri).setup_done)
            page.press("Finish", agreed="1")
            self.assertTrue(self.connections_of(self.kauri).setup_done)
            [agreed] = self.connections_of(self.kauri).message_ids.filtered(lambda m: "5.00 a week" in m.body)
            self.assertEqual(agreed.author_id, self.kauri_user.partner_id, "who agreed, to what, is kept")


@tagged("post_install", "-at_install")
class TestInvitation(PortalCase):
    def invitations(self):
        return self.env["mail.mail"].sudo().search([("subject", "ilike", "connect your Xero")])

    def test_who_has_no_access_to_the_portal_gets_it_with_the_invitation(self):
        partner = self.env["res.partner"].create({"name": "Totara Ltd", "email": "totara@example.com"})
        partner.action_xero_invite()
        user = partner.user_ids
        self.assertTrue(user._is_portal())
        mail = self.invitations()
        self.assertEqual(len(mail), 1, "one mail, not Odoo's own besides")
        self.assertIn("redirect=%2Fmy%2Fxero", mail.body_html)
        self.assertIn("Invited", partner.message_ids[0].body)
        self.assertNotIn("token", partner.message_ids[0].body)

    def test_who_has_logged_in_before_gets_the_pages_address_alone(self):
        self.log_in("kauri")
        self.env["res.users.log"].with_user(self.kauri_user).sudo().create({})
        self.kauri_user.partner_id.action_xero_invite()
        mail = self.invitations()
        self.assertIn("/my/xero", mail.body_html)
        self.assertNotIn("token=", mail.body_html)

    def test_the_link_of_the_invitation_leads_to_the_integrations(self):
        partner = self.env["res.partner"].create({"name": "Totara Ltd", "email": "totara@example.com"})
        partner.action_xero_invite()
        link = partner._xero_portal_link()
        self.authenticate(None, None)
        page = self.visit(link)
        chosen = {"password": "T0tara-pw-1", "confirm_password": "T0tara-pw-1"}
        page = self.send(page.url, dict(page.document.forms[0].form_values()) | chosen)
        self.assertEqual(page.path, "/my/xero")

    def test_it_is_refused_with_a_clear_sentence_where_it_cannot_work(self):
        internal = self.env.ref("base.user_admin").partner_id
        nobody = self.env["res.partner"].create({"name": "No mail"})
        self.kauri.xero_portal = "deny"
        for partner, text in ((self.kauri, "may not create"), (internal, "staff"), (nobody, "email")):
            with self.assertRaisesRegex(Exception, text):
                partner.action_xero_invite()


@tagged("post_install", "-at_install")
class TestOldAge(PortalCase):
    def test_a_date_before_the_limit_is_measured_from_today(self):
        connection = self.set_up()
        early = str(fields.Date.today() - timedelta(days=const.PORTAL_DAYS_BACK - 1))
        page = self.visit(f"/my/xero/{connection.id}/setup/configuration").press("Save", import_from=early)
        self.assertIn("Saved.", page.text)
        self.assertEqual(str(connection.import_from), early)


@tagged("post_install", "-at_install")
class TestStaffSettings(PortalCase):
    def test_the_settings_page_keeps_what_is_chosen_for_the_company(self):
        with Form(self.env["res.config.settings"]) as settings:
            settings.xero_portal = True
            settings.xero_portal_app_id = self.app
            settings.xero_portal_order_target = "picking"
            settings.xero_portal_order_confirm = True
        settings.record.execute()
        company = self.env.company
        self.assertEqual((company.xero_portal, company.xero_portal_app_id), (True, self.app))
        self.assertEqual((company.xero_portal_order_target, company.xero_portal_order_confirm), ("picking", True))

    def test_the_customers_form_has_the_exception_and_the_invitation(self):
        with Form(self.kauri) as customer:
            customer.xero_portal = "deny"
        self.assertFalse(self.kauri._xero_portal_allowed(self.company))
        arch = self.env["res.partner"].get_view(view_type="form")["arch"]
        self.assertIn('name="action_xero_invite"', arch)
