"""Connecting: consent, the right organisation, tokens that live on, copies that stay silent."""

import logging
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import mute_logger, new_test_user, tagged

from odoo.addons.xero_connector import const
from odoo.addons.xero_connector.lib import errors

from .common import COMPLETE_ADDRESS, XeroCase, XeroHttpCase


@tagged("post_install", "-at_install")
class TestConsent(XeroCase):
    def _draft(self, **values):
        return self.env["xero.connection"].create({"name": "New", "app_id": self.app.id} | values)

    def _scopes_asked_for(self, connection):
        query = parse_qs(urlsplit(connection.action_connect()["url"]).query)
        return query["scope"][0].split()

    def test_after_consent_the_connection_knows_its_organisation(self):
        connection = self.connect()
        self.assertEqual((connection.tenant_id, connection.tenant_name), (self.org.tenant_id, self.org.name))
        self.assertEqual((connection.tenant_country, connection.tenant_currency), ("NZ", self.org.currency))

    def test_only_granular_scopes_and_the_smallest_set_are_asked_for(self):
        scopes = self._scopes_asked_for(self._draft())
        self.assertEqual(set(scopes), set(const.SCOPE_NEEDS))
        self.assertFalse([scope for scope in scopes if "transactions" in scope or scope.endswith("contacts")])

    def test_a_state_works_once(self):
        connection = self._draft()
        query = self.consent(connection, self.org)
        with self.enter_registry_test_mode():
            self.assertFalse(self.env["xero.connection"]._connection_from_state(query["state"]))

    def test_a_state_of_another_user_a_forged_one_and_an_old_one_are_refused(self):
        connection = self._draft()
        self.fake.auto_tenants = [self.org.tenant_id]
        state = self.redirect_of(connection)["state"]
        self.env.flush_all()
        other = new_test_user(self.env, "other", groups="xero_connector.group_xero_manager")
        with self.enter_registry_test_mode():
            for env, text in (
                (self.env(user=other), state),
                (self.env, state[:-3] + "AAA"),
                (self.env, ""),
                (self.env, "no base64 at all é"),
            ):
                self.assertFalse(env["xero.connection"]._connection_from_state(text), text)
            self.assertEqual(self.env["xero.connection"]._connection_from_state(state), connection)

    def test_an_old_state_is_refused(self):
        connection = self._draft()
        self.fake.auto_tenants = [self.org.tenant_id]
        self.patch(const, "STATE_MINUTES", -1)
        state = self.redirect_of(connection)["state"]
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.assertFalse(self.env["xero.connection"]._connection_from_state(state))

    def test_an_organisation_is_connected_once_per_company_and_the_second_try_says_where(self):
        self.connect(name="The first one")
        second = self._draft()
        self.consent(second, self.org)
        self.assertEqual(second.state, "draft")
        self.assertIn("The first one", second.message)

    @mute_logger("odoo.sql_db")
    def test_the_database_itself_refuses_a_second_connection_of_an_organisation(self):
        connection = self.connect()
        second = self._draft()
        with self.assertRaises(psycopg2.errors.UniqueViolation), self.env.cr.savepoint():
            second.tenant_id = connection.tenant_id
            second.flush_recordset()

    def test_another_company_may_connect_the_same_organisation(self):
        self.connect()
        company = self.env["res.company"].create({"name": "Second company"})
        second = self._draft(company_id=company.id, warehouse_id=False)
        self.consent(second, self.org)
        self.assertEqual(second.state, "connected", second.message)

    def test_reconnecting_with_another_organisation_is_refused_and_names_both(self):
        connection = self.connect()
        kept = connection.sudo().grant_id
        other = self.fake.add_organisation("Quite another")
        told = []
        users = self.env.registry["res.users"]
        self.patch(users, "_bus_send", lambda _user, _kind, message, **_options: told.append(message))
        self.consent(connection, other)
        self.assertIn("Quite another", told[0]["message"])
        self.assertIn("Nothing was changed", told[0]["message"])
        self.assertEqual(connection.tenant_id, self.org.tenant_id)
        self.run_import()
        self.assertEqual(connection.state, "connected", "the consent it had still works")
        self.assertEqual(connection.sudo().grant_id, kept)

    def test_of_several_granted_organisations_the_connections_own_is_taken(self):
        connection = self.connect()
        other = self.fake.add_organisation("Also granted")
        self.consent(connection, other, self.org)
        self.assertEqual((connection.state, connection.tenant_id), ("connected", self.org.tenant_id))

    def test_reconnecting_a_paused_connection_keeps_the_pause(self):
        connection = self.connect()
        connection.action_pause()
        self.consent(connection, self.org)
        self.assertEqual(connection.state, "paused")
        connection.sudo().grant_id.write({"refresh_token": "dead", "refreshed_at": "2026-10-01"})
        self.run_cron("health")
        self.assertEqual((connection.state, bool(connection.message)), ("paused", True))

    def test_several_granted_organisations_are_no_guess_for_a_new_connection(self):
        other = self.fake.add_organisation("Also granted")
        connection = self._draft()
        self.consent(connection, self.org, other)
        self.assertEqual(connection.state, "draft")
        self.assertIn("Also granted", connection.message)

    def test_a_wrong_secret_is_said_in_words(self):
        app = self.app.copy({"client_secret": "wrong"})
        connection = self._draft(app_id=app.id)
        with self.assertRaisesRegex(UserError, "client id and secret"):
            self.press(connection.action_connect)
        app.is_proven = True
        self.assertIn("client id and secret", self.press(app.action_check)["params"]["message"])
        self.assertFalse(app.is_proven, "what was accepted once is not accepted any more")
        app.client_secret = self.fake.client_secret
        self.assertIn("accepts", self.press(app.action_check)["params"]["message"])
        self.fake.reset_log()
        self.consent(connection, self.org)
        self.assertEqual(connection.state, "connected")
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1, "it is checked once, until it changes")

    def test_a_secret_that_became_wrong_at_xero_is_said_on_the_connection(self):
        connection = self._draft()
        query = self.redirect_of(connection) if self.press(self.app.action_check) else {}
        self.app.client_secret = "made anew at Xero meanwhile"
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env["xero.connection"]._connection_from_state(query["state"])._complete_consent(query["code"])
        connection.invalidate_recordset()
        self.assertEqual(connection.state, "draft")
        self.assertIn("client id and secret", connection.message)

    def test_a_consent_that_lacks_a_scope_names_it_and_what_it_is_for(self):
        connection = self._draft()
        original = self.env["xero.connection"]._required_scopes

        def fewer(_self):
            return {scope: need for scope, need in original().items() if scope != "accounting.contacts.read"}

        with self.enter_registry_test_mode():
            self.fake.auto_tenants = [self.org.tenant_id]
            with self.subTest("asked for less than needed, as an older version did"):
                self.patch(type(connection), "_required_scopes", fewer)
                query = self.redirect_of(connection)
                self.patch(type(connection), "_required_scopes", lambda _self: const.SCOPE_NEEDS)
                self.env.flush_all()
                self.env["xero.connection"]._connection_from_state(query["state"])._complete_consent(query["code"])
        connection.invalidate_recordset()
        self.assertEqual(connection.state, "draft")
        self.assertIn("accounting.contacts.read", connection.message)
        self.assertIn("delivery addresses", connection.message)

    def test_switching_on_what_the_consent_does_not_cover_asks_to_reconnect(self):
        connection = self.connect()
        self.assertFalse(connection.missing_scopes)
        connection.attach_files = True
        self.assertIn("accounting.attachments.read", connection.missing_scopes)
        self.assertIn("accounting.attachments.read", self._scopes_asked_for(connection))
        self.consent(connection, self.org)
        self.assertFalse(connection.missing_scopes)

    def test_an_address_without_https_is_refused_before_the_user_is_sent_away(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "http://odoo.example.com")
        with self.assertRaisesRegex(UserError, "web.base.url"):
            self._draft().action_connect()
        self.env["ir.config_parameter"].set_param("web.base.url", "http://127.0.0.1:8069")
        with self.assertRaisesRegex(UserError, "localhost"):
            self._draft().action_connect()
        self.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example.com")
        self.assertIn("https%3A%2F%2Fodoo.example.com", self._draft().action_connect()["url"])

    def test_no_secret_is_ever_sent_to_an_address_without_https(self):
        connection = self.connect()
        set_param = self.env["ir.config_parameter"].set_param
        for url in ("http://xero.example.com", "ftp://localhost", "javascript:alert(1)", "https://"):
            for name in ("api_url", "identity_url", "login_url"):
                set_param(f"xero_connector.{name}", url)
                with self.assertRaises(errors.XeroDenied, msg=url):
                    connection._xero_url(name)
        set_param("xero_connector.api_url", "")
        self.assertEqual(connection._xero_url("api_url"), const.API_URL)

    def test_a_custom_connection_needs_no_consent_page_and_no_tenant_header(self):
        app = self.app.copy({"grant_type": "client_credentials", "client_secret": self.fake.client_secret})
        self.fake.custom_tenant = self.org.tenant_id
        connection = self._draft(app_id=app.id, attach_pdf=False)
        self.press(connection.action_connect)
        self.assertEqual((connection.state, connection.tenant_id), ("connected", self.org.tenant_id))
        invoice = self.invoice()
        self.fake.reset_log()
        self.run_import()
        self.assertTrue(self.order(invoice))
        self.assertFalse([r for r in self.fake.requests if "xero-tenant-id" in {key.lower() for key in r.headers}])

    def test_another_organisation_after_a_disconnection_is_read_from_its_beginning(self):
        connection = self.connect()
        self.invoice(updated=datetime(2026, 11, 1))
        self.run_import()
        self.press(connection.action_disconnect)
        self.assertFalse(connection.tenant_name)
        other = self.fake.add_organisation("Quite another", currency=self.org.currency)
        contact = other.add_contact(Name="Aroha Ltd", Addresses=[COMPLETE_ADDRESS])
        other.add_item(Code="BOTTLE", Name="BOTTLE")
        older = other.add_invoice(
            Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()], updated=datetime(2026, 9, 1)
        )
        self.consent(connection, other)
        self.run_import()
        self.assertTrue(self.order(older))

    def test_a_custom_connection_that_fails_says_why_and_leaves_no_tokens_behind(self):
        self.connect()
        app = self.app.copy({"grant_type": "client_credentials", "client_secret": self.fake.client_secret})
        self.fake.custom_tenant = self.org.tenant_id
        grants = self.env["xero.grant"].search_count([])
        with self.assertRaisesRegex(UserError, "connected already"):
            self.press(self._draft(app_id=app.id).action_connect)
        self.assertEqual(self.env["xero.grant"].search_count([]), grants)

    def test_disconnecting_ends_this_one_connection_at_xero_and_keeps_the_settings(self):
        connection = self.connect(order_confirm=True)
        neighbour = self.connect(self.fake.add_organisation("Neighbour"), name="Neighbour")
        self.press(connection.action_disconnect)
        self.assertEqual(len(self.fake.calls("DELETE", "(?i)/connections/")), 1)
        self.assertEqual((connection.state, connection.order_confirm), ("draft", True))
        self.assertFalse(connection.sudo().grant_id)
        self.assertIn("Neighbour", self.press(neighbour.action_test)["params"]["message"])


@tagged("post_install", "-at_install")
class TestTokens(XeroCase):
    def _grant(self, connection):
        return connection.sudo().grant_id

    def _token(self, connection, **kwargs):
        return self.press(self._grant(connection)._token, **kwargs)

    def _expire(self, connection):
        self._grant(connection).access_expires_at = fields.Datetime.now()

    def test_a_token_is_refreshed_ahead_of_its_end_and_only_then(self):
        connection = self.connect()
        self.fake.reset_log()
        first = self._token(connection)
        self.assertFalse(self.fake.requests)
        self._grant(connection).access_expires_at = fields.Datetime.now() + timedelta(seconds=60)
        second = self._token(connection)
        self.assertNotEqual(first, second)
        self.assertEqual(self._token(connection), second)
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1)

    def test_whoever_comes_second_with_the_same_refused_token_gets_the_new_one_without_a_call(self):
        connection = self.connect()
        refused = self._token(connection)
        self.fake.reset_log()
        first, second = self._token(connection, refused=refused), self._token(connection, refused=refused)
        self.assertEqual(first, second)
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1)

    def test_a_401_is_mended_by_one_refresh_and_the_import_goes_on(self):
        connection = self.connect()
        self.fake.clock.advance(31 * 60)  # Xero's clock, not ours: our token looks good still
        self.fake.reset_log()
        invoice = self.invoice()
        self.run_import(connection)
        self.assertTrue(self.order(invoice))
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1)

    def test_the_last_good_token_is_kept_on_every_error(self):
        connection = self.connect()
        kept = self._grant(connection).refresh_token
        for fault in ({"status": 500}, {"status": 429}, {"kind": "html"}, {"kind": "cut"}, {"kind": "drop_before"}):
            self._expire(connection)
            self.fake.faults.add("POST", "/connect/token", **fault)
            with self.assertRaises(errors.XeroRetryLater, msg=fault):
                self._token(connection)
            self.assertEqual(self._grant(connection).refresh_token, kept)
        self._expire(connection)
        self.assertTrue(self._token(connection))

    def test_an_answer_lost_on_the_way_is_healed_by_the_grace_period(self):
        connection = self.connect()
        self._expire(connection)
        self.fake.faults.add("POST", "/connect/token", kind="drop_after")
        with self.assertRaises(errors.XeroRetryLater):
            self._token(connection)
        self.assertTrue(self._token(connection))

    def test_a_dead_consent_stops_the_connection_with_reconnect_and_is_not_tried_for_ever(self):
        connection = self.connect()
        self._grant(connection).refresh_token = "withdrawn"
        self._expire(connection)
        self.run_import()
        self.assertEqual(connection.state, "error")
        self.assertIn("Reconnect", connection.message)
        self.fake.reset_log()
        self.run_cron("poll", "process", "files")
        self.assertFalse(self.fake.requests)

    def test_a_refreshed_token_survives_the_rollback_of_the_work_it_was_for(self):
        connection = self.connect()
        self._expire(connection)
        with self.enter_registry_test_mode():
            self.env.flush_all()
            with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint(flush=False):
                self.env.cr.execute("SELECT 1")
                raise ZeroDivisionError
            token = self._grant(connection)._token()
        self.env.invalidate_all()
        self.assertEqual(self._grant(connection).access_token, token)


@tagged("post_install", "-at_install")
class TestConsentsEnd(XeroCase):
    def _paused_for(self, connection, days):
        connection.action_pause()
        connection.sudo().grant_id.refreshed_at = fields.Datetime.now() - timedelta(days=days)

    def test_an_unused_consent_is_renewed_before_it_ends(self):
        connection = self.connect()
        self._paused_for(connection, 20)
        old = connection.sudo().grant_id.refresh_token
        self.run_cron("health")
        self.assertNotEqual(connection.sudo().grant_id.refresh_token, old)
        self.assertGreater(connection.consent_ends, fields.Datetime.now() + timedelta(days=59))

    def test_a_consent_used_lately_is_left_alone(self):
        self.connect()
        self.fake.reset_log()
        self.run_cron("health")
        self.assertFalse(self.fake.calls("POST", "/connect/token"))

    def test_ten_days_before_the_end_somebody_is_told_once(self):
        connection = self.connect()
        self.fake.faults.add("POST", "/connect/token", status=500, times=9)
        self._paused_for(connection, 49)
        self.run_cron("health")
        self.assertFalse(connection.activity_ids, "eleven days are left")
        self._paused_for(connection, 51)
        self.run_cron("health")
        self.run_cron("health")
        self.assertEqual(len(connection.activity_ids), 1)
        self.assertIn("Reconnect", connection.activity_ids.note)


@tagged("post_install", "-at_install")
class TestNeutralized(XeroCase):
    def test_a_copied_database_calls_nobody_and_shows_it(self):
        connection = self.connect()
        self.invoice()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "True")
        self.fake.reset_log()
        self.run_import()
        with self.assertRaisesRegex(UserError, "neutralised"):
            connection.action_connect()
        with self.assertRaisesRegex(UserError, "neutralised"):
            self.press(connection.action_test)
        for button in (connection.action_resume, connection.action_import_now):
            with self.assertRaisesRegex(UserError, "neutralised"):
                button()
        grant = connection.sudo().grant_id
        grant.access_expires_at = fields.Datetime.now()
        with self.assertRaisesRegex(errors.XeroDenied, "neutralised"):
            self.press(grant._token)
        self.assertFalse(self.fake.requests)
        connection.invalidate_recordset()
        self.assertTrue(connection.is_neutralized)

    def test_the_neutralisation_script_forgets_every_secret_and_pauses(self):
        connection = self.connect()
        from odoo.modules.neutralize import get_neutralization_queries

        self.env.flush_all()
        for sql in get_neutralization_queries(["xero_connector"]):
            self.env.cr.execute(sql)
        self.env.invalidate_all()
        grant = connection.sudo().grant_id
        self.assertFalse(grant.access_token or grant.refresh_token)
        self.assertFalse(self.app.sudo().stored_client_secret)
        self.assertEqual(connection.state, "paused")


@tagged("post_install", "-at_install")
class TestSecrets(XeroCase):
    def test_nobody_reads_a_secret_not_even_an_administrator(self):
        connection = self.connect()
        admin = self.env.ref("base.user_admin")
        app = self.app.with_user(admin)
        self.assertFalse(app.client_secret)
        self.assertTrue(app.has_client_secret)
        for name in ("stored_client_secret", "stored_webhook_key"):
            with self.assertRaises(AccessError):
                app.read([name])
            with self.assertRaises(AccessError):
                app.search([(name, "like", "f")])
        with self.assertRaises(AccessError):
            connection.with_user(admin).grant_id  # noqa: B018
        grant = connection.sudo().grant_id.with_user(admin)
        with self.assertRaises(AccessError):
            grant.read(["scopes"])
        with self.assertRaises(AccessError):
            grant.search([])

    def test_a_secret_typed_replaces_the_stored_one_and_an_empty_field_keeps_it(self):
        admin_app = self.app.with_user(self.env.ref("base.user_admin"))
        admin_app.write({"name": "Renamed", "client_secret": ""})
        self.assertEqual(self.app.sudo().stored_client_secret, self.fake.client_secret)
        admin_app.client_secret = " new secret "
        self.assertEqual(self.app.sudo().stored_client_secret, "new secret")

    def test_neither_log_nor_error_holds_a_secret(self):
        connection = self.connect()
        grant = connection.sudo().grant_id
        secrets = [grant.access_token, grant.refresh_token, self.fake.client_secret]
        self.fake.faults.add("GET", "/Invoices", kind="drop_before")
        self.fake.faults.add("POST", "/connect/token", kind="html", status=400)
        with self.assertLogs(level="DEBUG") as logs:
            self.run_import()
            self.assertTrue(connection.message)
            grant.access_expires_at = fields.Datetime.now()
            connection.blocked_until = False
            self.run_import()
        written = "\n".join([*logs.output, connection.message or ""])
        self.assertIn("/connect/token", written, "the calls are logged")
        self.assertFalse([secret for secret in secrets if secret in written])

    def test_roles_see_the_log_or_change_settings_but_not_both_by_default(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import()
        user = new_test_user(self.env, "xero-user", groups="xero_connector.group_xero_user,stock.group_stock_user")
        stranger = new_test_user(self.env, "stranger", groups="stock.group_stock_user")
        row = self.row(invoice).with_user(user)
        self.assertEqual(row.state, "done")
        with self.assertRaises(AccessError):
            row.read(["payload"])
        manager = new_test_user(self.env, "xero-manager", groups="xero_connector.group_xero_manager")
        for reader in (user, manager):
            with self.assertRaises(AccessError):
                row.with_user(reader).write({"res_model": "res.users", "res_id": 1})
            with self.assertRaises(AccessError):
                row.with_user(reader).unlink()
        with self.assertRaises(AccessError):
            connection.with_user(user).name = "Mine"
        with self.assertRaises(AccessError):
            self.env["xero.record"].with_user(stranger).search([])
        with self.assertRaises(AccessError):
            connection.with_user(stranger).read(["name"])

    def test_another_companys_connections_and_log_are_not_to_be_seen(self):
        mapping = {"item_code": "X", "product_id": self.bottle.id}
        self.connect(mapping_ids=self.rules(("GC", self.second_warehouse)), product_mapping_ids=[(0, 0, mapping)])
        self.app.company_id = self.company
        self.invoice()
        self.run_import()
        company = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env, "other-manager", groups="xero_connector.group_xero_manager", company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        for model in (
            "xero.app",
            "xero.connection",
            "xero.record",
            "xero.binding",
            "xero.warehouse.mapping",
            "xero.product.mapping",
        ):
            self.assertTrue(self.env[model].search([]), f"{model}: there is something to hide")
            self.assertFalse(self.env[model].with_user(user).search([]), model)

    def test_a_plain_xero_user_changes_no_settings(self):
        mapping = {"item_code": "X", "product_id": self.bottle.id}
        connection = self.connect(
            mapping_ids=self.rules(("GC", self.second_warehouse)), product_mapping_ids=[(0, 0, mapping)]
        )
        user = new_test_user(self.env, "plain", groups="xero_connector.group_xero_user")
        for record in (self.app, connection, connection.mapping_ids, connection.product_mapping_ids):
            for right in ("write", "create", "unlink"):
                with self.assertRaises(AccessError, msg=(record._name, right)):
                    record.with_user(user).check_access(right)
        for button in (connection.with_user(user).action_connect, connection.with_user(user).action_disconnect):
            with self.assertRaises(AccessError):
                button()
        with self.assertRaises(AccessError):
            self.env["xero.try"].with_user(user).create({"connection_id": connection.id})


@tagged("post_install", "-at_install")
class TestCallback(XeroHttpCase):
    """The redirect back, as a browser makes it."""

    def _connection(self):
        base_url = self.base_url().replace("127.0.0.1", "localhost")
        self.env["ir.config_parameter"].set_param("web.base.url", base_url)
        admin = self.env.ref("base.user_admin")
        connection = self.env["xero.connection"].with_user(admin).create({"name": "Web", "app_id": self.app.id})
        self.fake.auto_tenants = [self.org.tenant_id]
        return connection

    def _callback(self, query):
        return self.url_open("/xero/oauth/callback?" + query, allow_redirects=False)

    def test_the_callback_connects_and_shows_the_connection(self):
        self.authenticate("admin", "admin")
        connection = self._connection()
        query = self.redirect_of(connection)
        self.env.flush_all()
        answer = self._callback(f"code={query['code']}&state={query['state']}")
        connection.invalidate_recordset()
        self.assertEqual(connection.state, "connected", connection.message)
        self.assertEqual(answer.status_code, 303)
        self.assertTrue(answer.headers["Location"].endswith(f"/odoo/xero-connections/{connection.id}"))

    def test_the_access_log_does_not_show_the_code(self):
        line = '127.0.0.1 - - [22/Nov/2026] "GET /xero/oauth/callback?code=C0DE&state=5TATE HTTP/1.1" 303 -'
        with self.assertLogs("werkzeug", logging.INFO) as logs:
            logging.getLogger("werkzeug").info("%s", line)
            logging.getLogger("werkzeug").info('"GET /web?code=1 HTTP/1.1" 200')
        self.assertIn("/xero/oauth/callback?… HTTP/1.1", logs.output[0])
        self.assertNotIn("C0DE", logs.output[0])
        self.assertNotIn("5TATE", logs.output[0])
        self.assertIn("/web?code=1", logs.output[1], "other lines are Odoo's")

    def test_cancelling_at_xero_is_said_on_the_connection(self):
        self.authenticate("admin", "admin")
        connection = self._connection()
        query = self.redirect_of(connection)
        self.env.flush_all()
        self._callback(f"error=access_denied&state={query['state']}")
        connection.invalidate_recordset()
        self.assertEqual(connection.state, "draft")
        self.assertIn("cancelled", connection.message)

    def test_a_callback_with_a_bad_state_changes_nothing_and_says_what_to_do(self):
        self.authenticate("admin", "admin")
        connection = self._connection()
        query = self.redirect_of(connection)
        self.env.flush_all()
        answer = self._callback(f"code={query['code']}&state=forged")
        self.assertEqual(answer.status_code, 400)
        self.assertIn("not valid any more", answer.text)
        connection.invalidate_recordset()
        self.assertEqual(connection.state, "draft")

    def test_who_may_not_change_the_connection_any_more_cannot_finish_connecting_it(self):
        self.authenticate("admin", "admin")
        connection = self._connection()
        query = self.redirect_of(connection)
        manager = self.env.ref("xero_connector.group_xero_manager")
        self.env.ref("base.user_admin").group_ids -= manager
        connection = self.env["xero.connection"].browse(connection.id)
        self.env.flush_all()
        self._callback(f"code={query['code']}&state={query['state']}")
        connection.invalidate_recordset()
        self.assertEqual(connection.state, "draft")

    def test_cancelling_a_reconnection_leaves_what_works_alone(self):
        self.authenticate("admin", "admin")
        connection = self._connection().sudo()
        query = self.redirect_of(connection)
        self.env.flush_all()
        self._callback(f"code={query['code']}&state={query['state']}")
        query = self.redirect_of(connection)
        self.env.flush_all()
        self._callback(f"error=access_denied&state={query['state']}")
        connection.invalidate_recordset()
        self.assertEqual((connection.state, connection.message), ("connected", False))
        connection.write({"state": "error", "message": "It was disconnected in Xero."})
        for _time in range(2):
            query = self.redirect_of(connection)
            self.env.flush_all()
            self._callback(f"error=access_denied&state={query['state']}")
        connection.invalidate_recordset()
        self.assertIn("cancelled", connection.message)
        self.assertEqual(connection.message.count("It was disconnected in Xero."), 1, "the reason stays")

    def test_the_callback_is_no_way_in_for_strangers(self):
        answer = self._callback("code=x&state=y")
        self.assertIn("/web/login", answer.headers.get("Location", ""))
