"""Consents and organisations: choosing, sharing, disconnecting, what Xero would only tell on its own page."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.xero_connector.lib import oauth

from .common import XeroCase


class OrganisationCase(XeroCase):
    def draft(self, **values):
        return self.env["xero.connection"].create({"name": "New", "app_id": self.app.id} | values)

    def second_company_connection(self, **values):
        company = self.env["res.company"].create({"name": "Second company"})
        second = self.draft(name="Second", company_id=company.id, warehouse_id=False, **values)
        self.consent(second, self.org)
        self.assertEqual(second.state, "connected", second.message)
        return second

    def deletions(self):
        return len(self.fake.calls("DELETE", "(?i)/connections/"))

    def wizard(self, connection):
        action = self.press(connection.action_choose_organisation)
        return self.env[action["res_model"]].browse(action["res_id"])


@tagged("post_install", "-at_install")
class TestChoosing(OrganisationCase):
    def test_of_several_granted_organisations_a_person_chooses_one(self):
        other = self.fake.add_organisation("Also granted")
        connection = self.draft(attach_pdf=False)
        self.consent(connection, self.org, other)
        self.assertEqual((connection.state, connection.needs_choice), ("draft", True))
        self.assertIn("Also granted", connection.message)
        lines = self.wizard(connection).line_ids
        self.assertEqual(set(lines.mapped("name")), {self.org.name, "Also granted"})
        self.press(lines.filtered(lambda line: line.tenant_id == self.org.tenant_id).action_choose)
        self.assertEqual((connection.state, connection.tenant_id), ("connected", self.org.tenant_id))
        self.assertFalse(connection.message or connection.needs_choice)
        invoice = self.invoice()
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_one_that_is_connected_already_is_no_choice(self):
        self.connect()
        other = self.fake.add_organisation("Free one")
        connection = self.draft()
        self.consent(connection, self.org, other)
        self.assertEqual((connection.state, connection.tenant_name), ("connected", "Free one"))

    def test_an_organisation_that_was_not_granted_cannot_be_chosen(self):
        others = [self.fake.add_organisation(f"Granted {number}") for number in range(2)]
        connection = self.draft()
        self.consent(connection, *others)
        with self.assertRaisesRegex(UserError, "not granted"):
            self.press(lambda: connection._choose_organisation(self.org.tenant_id))
        line = self.wizard(connection).line_ids[0]
        line.sudo().tenant_id = self.org.tenant_id
        with self.assertRaisesRegex(UserError, "not granted"):
            self.press(line.action_choose)
        self.assertFalse(connection.tenant_id)

    def test_connecting_again_instead_of_choosing_begins_anew(self):
        other = self.fake.add_organisation("Also granted")
        connection = self.draft()
        self.consent(connection, self.org, other)
        grants = self.env["xero.grant"].search_count([])
        self.consent(connection, other)
        self.assertEqual((connection.state, connection.tenant_id), ("connected", other.tenant_id))
        self.assertEqual(self.env["xero.grant"].search_count([]), grants, "the consent left open is forgotten")


@tagged("post_install", "-at_install")
class TestDisconnecting(OrganisationCase):
    def test_two_companies_share_xeros_connection_and_the_first_to_leave_does_not_end_it(self):
        first, second = self.connect(), self.second_company_connection()
        self.assertIn("Another company", self.press(first.action_disconnect)["params"]["message"])
        self.assertEqual(self.deletions(), 0)
        self.assertEqual(first.state, "draft")
        self.assertIn(self.org.name, self.press(second.action_test)["params"]["message"])
        self.press(second.action_disconnect)
        self.assertEqual(self.deletions(), 1, "the last one ends it")

    def test_what_held_the_old_organisation_up_does_not_hold_the_next_one(self):
        connection = self.connect()
        later = fields.Datetime.add(fields.Datetime.now(), hours=9)
        connection.write({"blocked_until": later, "files_blocked_until": later})
        self.env["xero.bell"].create({"connection_id": connection.id})
        self.press(connection.action_disconnect)
        held = (connection.blocked_until, connection.files_blocked_until, connection.bell_ids)
        self.assertFalse(any(held))

    def test_a_connection_ended_in_xero_before_can_be_disconnected_here(self):
        connection = self.connect()
        self.fake.identity.disconnect(self.org.tenant_id)
        self.press(connection.action_disconnect)
        self.assertEqual(connection.state, "draft")

    def test_when_xero_cannot_be_asked_nothing_is_disconnected_and_it_can_be_done_again(self):
        connection = self.connect()
        self.fake.faults.add("DELETE", "(?i)/connections/", status=500)
        with self.assertRaisesRegex(UserError, "again in a few minutes"):
            self.press(connection.action_disconnect)
        self.assertEqual((connection.state, bool(connection.sudo().grant_id)), ("connected", True))
        self.press(connection.action_disconnect)
        self.assertEqual((connection.state, self.deletions()), ("draft", 2))

    def test_reconnecting_keeps_settings_log_and_orders_and_imports_nothing_twice(self):
        connection = self.connect(order_confirm=True, mapping_ids=self.rules(("GC", self.second_warehouse)))
        invoice = self.invoice("GC")
        self.run_import()
        order, watermark = self.order(invoice), connection.watermark
        self.consent(connection, self.org)
        self.assertEqual((connection.state, connection.watermark), ("connected", watermark))
        self.press(connection.action_disconnect)
        self.consent(connection, self.org)
        self.run_import()
        self.assertEqual(self.order(invoice), order)
        self.assertEqual(self.row(invoice).state, "done")
        self.assertEqual((connection.order_confirm, len(connection.mapping_ids)), (True, 1))

    def test_removing_disconnects_and_keeps_log_and_orders(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import()
        self.press(connection.action_remove)
        self.assertFalse(connection.active)
        self.assertEqual(self.deletions(), 1)
        self.assertTrue(self.order(invoice))
        self.assertTrue(self.row(invoice))

    def test_a_connected_one_cannot_be_archived_past_disconnecting(self):
        connection = self.connect()
        with self.assertRaisesRegex(UserError, "Press Remove"):
            connection.action_archive()
        self.press(connection.action_disconnect)
        connection.action_archive()

    def test_a_copy_that_disconnects_leaves_the_originals_connection_at_xero_alone(self):
        connection = self.connect()
        self.env["ir.config_parameter"].set_param("database.uuid", "as Odoo gives it to a copy")
        said = self.press(connection.action_disconnect)["params"]["message"]
        self.assertIn("left alone", said)
        self.assertNotIn("disconnect it there", said)
        self.assertIn(self.org.tenant_id, self.fake.identity.connections)

    def test_an_app_in_use_is_neither_deleted_nor_turned_into_another(self):
        connection = self.connect()
        other = self.app.copy({"client_secret": "x"})
        for change in (
            self.app.unlink,
            lambda: self.app.write({"client_id": "another"}),
            lambda: self.app.write({"grant_type": "client_credentials"}),
            lambda: connection.write({"app_id": other.id}),
        ):
            with self.assertRaises(UserError):
                change()
        self.app.write({"client_id": self.app.client_id, "client_secret": "made anew", "tier": "core"})
        other.unlink()

    def test_a_connection_with_a_log_or_a_consent_cannot_be_deleted(self):
        connection = self.connect()
        with self.assertRaisesRegex(UserError, "Remove"):
            connection.unlink()
        self.invoice()
        self.run_import()
        self.press(connection.action_disconnect)
        with self.assertRaisesRegex(UserError, "log is kept"):
            connection.unlink()
        self.draft().unlink()


@tagged("post_install", "-at_install")
class TestBeforeXero(OrganisationCase):
    """What would go wrong at Xero is said before anybody is sent there."""

    def test_one_connection_more_than_the_tier_allows_is_refused_with_the_way_out(self):
        self.app.tier = "starter"
        for number in range(5):
            self.connect(self.fake.add_organisation(f"Customer {number}"), name=f"Customer {number}")
        self.assertEqual((self.app.connection_count, self.app.connection_cap), (5, 5))
        sixth = self.draft()
        with self.assertRaisesRegex(UserError, "All 5 connections.*Disconnect one.*larger tier"):
            self.press(sixth.action_connect)
        self.press(self.env["xero.connection"].search([("name", "=", "Customer 0")]).action_disconnect)
        self.consent(sixth, self.org)
        self.assertEqual(sixth.state, "connected")
        self.assertTrue(self.press(sixth.action_connect)["url"], "reconnecting takes no place")

    def test_an_archived_connection_takes_its_place_as_long_as_xero_holds_it(self):
        connection = self.connect()
        self.env.cr.execute("UPDATE xero_connection SET active = false WHERE id = %s", (connection.id,))
        self.env.invalidate_all()
        self.assertEqual(self.app.connection_count, 1)

    def test_the_scope_to_write_covers_the_scope_to_read(self):
        connection = self.connect()
        grant = connection.sudo().grant_id
        grant.scopes = grant.scopes.replace("accounting.invoices.read", "accounting.invoices")
        self.assertFalse(connection._missing_scopes(grant))
        grant.scopes = grant.scopes.replace("accounting.invoices", "accounting.payments")
        self.assertEqual(list(connection._missing_scopes(grant)), ["accounting.invoices.read"])

    def test_two_companies_connections_of_one_organisation_take_one_place(self):
        self.connect()
        self.second_company_connection()
        self.assertEqual(self.app.connection_count, 1)

    def test_the_app_says_that_its_address_will_not_do(self):
        self.assertFalse(self.app.redirect_problem)
        self.env["ir.config_parameter"].set_param("web.base.url", "http://odoo.example.com")
        self.app.invalidate_recordset()
        self.assertIn("https", self.app.redirect_problem)

    def test_every_refusal_of_the_consent_page_says_what_to_do(self):
        for code, words in {
            "access_denied": "cancelled at Xero",
            "unauthorized_client": "Web app",
            "invalid_scope": "granular",
            "server_error": "Connect again",
        }.items():
            self.assertIn(words, str(oauth.explain(code)), code)
        said = str(oauth.explain("something_new", "The <b>plan</b> has ended"))
        self.assertIn("The <b>plan</b> has ended", said, "Xero's own words; the page shows them as text")

    def test_a_copy_of_the_database_never_uses_the_originals_tokens(self):
        connection = self.connect()
        self.env["ir.config_parameter"].set_param("database.uuid", "as Odoo gives it to a copy")
        self.fake.reset_log()
        self.run_import()
        self.assertFalse(self.fake.requests)
        self.assertEqual(connection.state, "error")
        self.assertIn("copy", connection.message)
        connection.sudo().grant_id.access_expires_at = fields.Datetime.now()
        self.run_cron("health")
        self.assertFalse(self.fake.requests)
        self.consent(connection, self.org)
        self.assertEqual(connection.state, "connected", "who reconnects says that this is the one to work")
