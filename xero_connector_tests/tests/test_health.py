"""A connection never dies silently: what Xero ended is noticed, told once, and taken back when it is mended."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import mute_logger, new_test_user, tagged

from odoo.addons.xero_connector.lib import advice, errors

from .common import XeroCase

PROBLEMS = "xero_connector.mail_activity_type_xero_problems"


@tagged("post_install", "-at_install")
class TestHealth(XeroCase):
    def calls_for_help(self, connection):
        return connection.activity_search(["xero_connector.mail_activity_type_xero"])

    def test_a_disconnection_made_in_xero_is_noticed_within_a_day_and_told_once(self):
        person = new_test_user(self.env, "responsible", groups="xero_connector.group_xero_manager")
        connection = self.connect(user_id=person.id)
        connection.action_pause()
        connection.state = "connected"
        self.fake.identity.disconnect(self.org.tenant_id)
        self.run_cron("health")
        self.assertEqual(connection.state, "error")
        self.assertIn("disconnected in Xero", connection.message)
        self.run_cron("health")
        self.assertEqual(self.calls_for_help(connection).mapped("user_id"), person)
        self.assertEqual(len(self.calls_for_help(connection)), 1)

    def test_an_import_that_is_refused_says_whether_it_was_disconnected_or_a_right_was_lost(self):
        connection = self.connect()
        self.fake.identity.disconnect(self.org.tenant_id)
        self.run_import()
        self.assertIn("Reconnect it; all settings", connection.message)
        other = self.connect(self.fake.add_organisation("Trial ended"), name="Trial ended")
        self.fake.faults.add("GET", "/Invoices$", status=403, body={"Title": "Forbidden", "Status": 403})
        self.run_import(other)
        self.assertEqual(other.state, "error")
        self.assertIn("its subscription ended", other.message)

    def test_the_test_button_turns_a_lost_connection_red(self):
        connection = self.connect()
        self.fake.identity.disconnect(self.org.tenant_id)
        self.assertEqual(self.press(connection.action_test)["params"]["type"], "danger")
        self.assertEqual((connection.state, len(self.calls_for_help(connection))), ("error", 1))

    def test_reconnecting_takes_the_call_for_help_back(self):
        connection = self.connect()
        self.fake.identity.disconnect(self.org.tenant_id)
        self.run_cron("health")
        self.assertTrue(self.calls_for_help(connection))
        self.consent(connection, self.org)
        self.assertEqual((connection.state, connection.message), ("connected", False))
        self.assertFalse(self.calls_for_help(connection))

    def test_what_is_mended_in_xero_mends_the_connection_by_itself(self):
        connection = self.connect()
        self.fake.faults.add("GET", "/Invoices$", status=403, body={"Title": "Forbidden", "Status": 403})
        self.run_import()
        self.assertEqual(connection.state, "error")
        self.fake.faults.add("GET", "/Organisation", status=403, body={"Title": "Forbidden", "Status": 403})
        self.run_cron("health")
        self.assertEqual((connection.state, len(self.calls_for_help(connection))), ("error", 1))
        self.run_cron("health")
        self.assertEqual((connection.state, connection.message), ("connected", False))
        self.assertFalse(self.calls_for_help(connection))
        invoice = self.invoice()
        self.run_cron("poll", "process")
        self.assertTrue(self.order(invoice), "it goes on without anybody")

    def test_a_scope_that_is_missing_is_not_taken_for_mended(self):
        connection = self.connect()
        headers = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
        self.fake.faults.add("GET", "/Invoices$", status=401, headers=headers)
        self.run_import()
        self.run_cron("health")
        self.assertEqual(connection.state, "error")
        self.assertTrue(self.calls_for_help(connection))

    def test_the_warning_that_a_consent_ends_goes_when_it_is_renewed(self):
        connection = self.connect()
        connection.sudo().grant_id.refreshed_at = fields.Datetime.now() - timedelta(days=52)
        self.fake.faults.add("POST", "/connect/token", status=500)
        self.run_cron("health")
        self.assertIn("consent ends", self.calls_for_help(connection).note)
        self.run_cron("health")
        self.assertFalse(self.calls_for_help(connection))

    def test_a_healthy_connection_is_checked_and_knows_its_organisations_new_name(self):
        connection = self.connect()
        connection.checked_at = False
        self.org.rename("Renamed Ltd")
        self.run_cron("health")
        self.assertEqual(connection.tenant_name, "Renamed Ltd")
        self.assertTrue(connection.checked_at)

    def test_a_secret_put_right_mends_the_connection_by_itself(self):
        connection = self.connect()
        self.app.client_secret = "made anew at Xero meanwhile"
        connection.sudo().grant_id.access_expires_at = fields.Datetime.now()
        self.run_import()
        self.assertEqual((connection.state, connection.error_code), ("error", "credentials"))
        self.run_cron("health")
        self.assertEqual(connection.state, "error")
        self.app.client_secret = self.fake.client_secret
        self.run_cron("health")
        self.assertEqual((connection.state, connection.message), ("connected", False))

    def test_a_setting_of_the_server_that_was_wrong_is_tried_again_soon_and_not_at_the_next_days_turn(self):
        connection = self.connect(sync_interval="daily")
        invoice = self.invoice()
        self.env["ir.config_parameter"].set_param("xero_connector.api_url", "http://xero.example.com")
        self.run_import()
        self.assertIn("https", connection.message)
        self.assertLess(connection.next_poll - fields.Datetime.now(), timedelta(minutes=2))
        self.env["ir.config_parameter"].set_param("xero_connector.api_url", self.fake.api_url)
        past = fields.Datetime.now() - timedelta(seconds=1)
        connection.write({"blocked_until": past, "next_poll": past})
        self.run_cron("poll", "process")
        self.assertTrue(self.order(invoice))

    @mute_logger("odoo.addons.xero_connector.models.xero_connection_health")
    def test_one_connection_that_cannot_be_checked_keeps_no_other_from_being_checked(self):
        first = self.connect(name="A first one")
        second = self.connect(self.fake.add_organisation("Second"), name="Second")
        (first | second).write({"checked_at": False})
        original = type(first)._is_listed

        def broken(connection):
            if connection == first:
                raise ZeroDivisionError
            return original(connection)

        self.patch(type(first), "_is_listed", broken)
        self.fake.reset_log()
        self.run_cron("health")
        self.assertTrue(second.checked_at)
        self.assertEqual(len(self.fake.calls("GET", "(?i)/connections$")), 1, "the scheduler does not begin anew")

    def test_an_answer_of_a_gateway_in_between_is_no_end_of_a_consent(self):
        connection = self.connect()
        grant = connection.sudo().grant_id
        for body in ({"error": {"code": 502}}, ["x"], {"error": None}, "text"):
            grant.access_expires_at = fields.Datetime.now()
            self.fake.faults.add("POST", "/connect/token", status=400, body=body)
            with self.assertRaises(errors.XeroRetryLater, msg=body):
                self.press(grant._token)

    def test_tokens_are_kept_whatever_xero_writes_about_how_long_they_last(self):
        grant = self.connect().sudo().grant_id
        for text in ("soon", None, "", "1800.5", []):
            values = grant._values_from_answer({"access_token": "a", "refresh_token": "r", "expires_in": text})
            self.assertGreater(values["access_expires_at"], fields.Datetime.now() + timedelta(minutes=29))

    def test_an_outage_of_xero_on_the_day_of_the_check_makes_nothing_red(self):
        connection = self.connect()
        self.fake.faults.add("GET", "(?i)/connections", status=500)
        self.run_cron("health")
        self.assertEqual((connection.state, connection.message), ("connected", False))

    def test_the_reference_for_xeros_support_is_kept_with_connection_and_row(self):
        connection = self.connect()
        headers = {"Xero-Correlation-Id": "11111111-2222-4333-8444-555555555555"}
        self.fake.faults.add("GET", "/Invoices$", status=500, headers=headers)
        self.run_import()
        self.assertEqual(connection.correlation_id, headers["Xero-Correlation-Id"])
        invoice = self.invoice()
        self.fake.faults.add("GET", "/Contacts$", status=500, headers=headers)
        connection.blocked_until = False
        self.run_import()
        self.assertEqual(self.row(invoice).correlation_id, headers["Xero-Correlation-Id"])
        self.row(invoice).next_attempt = False
        self.run_import()
        self.assertEqual((self.row(invoice).state, connection.correlation_id), ("done", False))

    def test_a_refusal_while_connecting_keeps_its_own_reference_and_no_older_one(self):
        connection = self.connect()
        connection.write({"state": "error", "message": "Old", "correlation_id": "old"})
        fault = {"status": 500, "headers": {"Xero-Correlation-Id": "new"}}
        self.fake.faults.add("GET", "(?i)/connections", **fault)
        self.consent(connection, self.org)
        self.assertEqual(connection.correlation_id, "new")
        self.fake.faults.add("GET", "/Organisation", **fault)
        with self.assertRaisesRegex(UserError, "Xero's reference: new"):
            self.press(connection.action_test)

    def test_xeros_own_words_on_a_refusal_are_shown(self):
        connection = self.connect()
        body = {"Title": "Forbidden", "Status": 403, "Detail": "Your plan does not include this."}
        self.fake.faults.add("GET", "/Invoices$", status=403, body=body)
        self.run_import()
        self.assertIn("Xero says: Your plan does not include this.", connection.message)

    def test_refusals_that_are_known_say_what_to_do_next(self):
        for message, words in {
            "The contact name Aroha Ltd is already assigned to another contact.": "map it",
            "The document date cannot be before the period lock date": "locked",
            "Organisation is not subscribed to currency EUR": "Settings, Currencies",
            "Account code '999' is not a valid code for this document.": "active account",
            "The TaxType code 'X' does not exist or cannot be used for this account": "tax rate",
        }.items():
            self.assertIn(words, " ".join(map(str, advice.for_messages([message]))), message)
        self.assertEqual(advice.for_messages(["Something else"]), [])


@tagged("post_install", "-at_install")
class TestNotify(XeroCase):
    def setUp(self):
        super().setUp()
        self.told = []
        users = self.env.registry["res.users"]

        def remember(user, kind, message, **_options):
            if kind == "simple_notification":
                self.told.append((user.login, message))

        self.patch(users, "_bus_send", remember)  # the bus itself is Odoo's, and sends after the commit

    def failing(self, number=2):
        self.org.add_item(Code="GLASS", Name="Glass")
        return [self.invoice(f"order {n}", [self.line("GLASS")]) for n in range(number)]

    def problems(self, connection):
        return connection.activity_search([PROBLEMS])

    def test_imports_that_fail_call_the_responsible_person_once_and_the_last_one_mended_takes_it_back(self):
        connection = self.connect()
        self.failing(2)
        self.run_import()
        self.run_import()
        self.assertEqual(len(self.problems(connection)), 1)
        self.assertIn("somebody: 2", self.problems(connection).summary)
        self.failing(1)
        self.run_import()
        self.assertIn("somebody: 3", self.problems(connection).summary)
        self._make_product("GLASS", "Glass", 3)
        connection.action_retry_all()
        self.run_cron("process")
        self.assertFalse(self.problems(connection))

    def test_importing_the_last_failed_one_by_hand_takes_the_call_back(self):
        connection = self.connect()
        [invoice] = self.failing(1)
        self.run_import()
        self.assertTrue(self.problems(connection))
        self._make_product("GLASS", "Glass", 3)
        self.press(lambda: connection._import_one(invoice["InvoiceNumber"]))
        self.assertEqual(self.row(invoice).state, "done")
        self.assertFalse(self.problems(connection))

    def test_ignoring_the_last_failed_one_takes_the_call_back(self):
        connection = self.connect()
        [invoice] = self.failing(1)
        self.run_import()
        self.row(invoice).action_ignore("not ours")
        self.assertFalse(self.problems(connection))

    def test_staff_who_follow_are_told_of_errors_and_of_everything_only_if_wanted(self):
        follower = new_test_user(self.env, "follower", groups="xero_connector.group_xero_user")
        customer = new_test_user(self.env, "portal-follower", groups="base.group_portal")
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        former = new_test_user(
            self.env, "former", groups="xero_connector.group_xero_user", company_id=elsewhere.id,
            company_ids=[(6, 0, elsewhere.ids)],
        )
        connection = self.connect(user_id=False)
        connection.message_unsubscribe(connection.message_partner_ids.ids)
        connection.message_subscribe((follower | customer | former).partner_id.ids)
        self.invoice()
        self.run_import()
        self.assertFalse(self.told)
        self.failing(1)
        self.run_import()
        logins = [login for login, _message in self.told]
        self.assertIn("follower", logins)
        self.assertNotIn("portal-follower", logins, "customers are not told what goes wrong in the warehouse")
        self.assertNotIn("former", logins, "nor is who has left the company")
        self.assertIn("could not be imported: 1", self.told[0][1]["message"])
        self.told.clear()
        connection.notify = "all"
        self.invoice()
        self.run_import()
        self.assertIn("Invoices imported: 1", self.told[0][1]["message"])

    def test_a_connection_that_turns_red_is_told_at_once_and_once(self):
        follower = new_test_user(self.env, "follower", groups="xero_connector.group_xero_user")
        connection = self.connect(user_id=follower.id)
        self.fake.identity.disconnect(self.org.tenant_id)
        self.run_import()
        self.run_import()
        self.assertEqual([message["title"] for _login, message in self.told], [connection.name])
