"""Secrets at rest: sealed with the server's key, readable again only with it, and never lost over it."""

from unittest.mock import patch

from cryptography.fernet import Fernet

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import config

from odoo.addons.xero_connector.lib import errors, vault

from . import test_single_flight
from .common import XeroCase

KEY, OTHER_KEY = (Fernet.generate_key().decode() for _number in range(2))
WEBHOOK_KEY = "a webhook's signing key: ünïcode"


def use_keys(test, *keys):
    """Let odoo.conf hold these keys from now on."""
    patcher = patch.dict(config.options.maps[0], {vault.OPTION: ", ".join(keys)})
    patcher.start()
    test.addCleanup(patcher.stop)


@tagged("post_install", "-at_install")
class TestVault(XeroCase):
    # === HELPERS === #

    def _connect_anew(self):
        """A connection by an app of its own: both store their secrets with the key of now."""
        app = self.app.copy({"client_secret": self.fake.client_secret, "webhook_key": WEBHOOK_KEY})
        return self.connect(app_id=app.id, name="Sealed")

    def _columns(self, connection):
        """What the database holds: dict ``column -> text``."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT access_token, refresh_token, stored_client_secret, stored_webhook_key FROM xero_grant g"
            " JOIN xero_app a ON a.id = g.app_id WHERE g.id = %s",
            [connection.sudo().grant_id.id],
        )
        return self.env.cr.dictfetchone()

    def _secrets(self, connection):
        """What the columns mean, read as a new worker would: dict ``column -> secret``."""
        self.env.flush_all()
        self.env.invalidate_all()
        grant, app = connection.sudo().grant_id, connection.app_id.sudo()
        return {name: (grant if name in grant._fields else app)[name] for name in self._columns(connection)}

    def _assert_sealed(self, connection):
        columns, secrets = self._columns(connection), self._secrets(connection)
        for name, text in columns.items():
            self.assertTrue(text.startswith(vault.SEALED), name)
            self.assertFalse([secret for secret in secrets.values() if secret in text], name)

    def _expire(self, connection):
        connection.sudo().grant_id.access_expires_at = fields.Datetime.now()

    def _assert_imports(self, connection):
        """Refreshing and importing work, and the first success takes back what was told before."""
        self._expire(connection)
        connection.blocked_until = False
        invoice = self.invoice()
        self.fake.reset_log()
        self.run_import(connection)
        self.assertTrue(self.order(invoice), connection.message)
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1)
        self.assertEqual((connection.state, connection.message), ("connected", False))
        self.assertFalse(connection.needs_attention or connection.activity_ids)

    # === A KEY, OR NONE === #

    def test_with_a_key_no_column_holds_a_secret_and_connecting_refreshing_importing_work(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        self._assert_sealed(connection)
        before = self._secrets(connection)
        self.assertEqual(before["stored_client_secret"], self.fake.client_secret)
        self.assertEqual(before["stored_webhook_key"], WEBHOOK_KEY)
        self._assert_imports(connection)
        self._assert_sealed(connection)
        after = self._secrets(connection)
        self.assertNotEqual(after["refresh_token"], before["refresh_token"])

    def test_a_secret_just_written_reads_the_same_before_and_after_it_is_stored(self):
        use_keys(self, KEY)
        app_sudo = self.app.sudo()
        for value in ("first", "second", False, "first"):
            app_sudo.stored_client_secret = value
            self.assertEqual(app_sudo.stored_client_secret, value)
            app_sudo.flush_recordset()
            self.assertEqual(app_sudo.stored_client_secret, value)
            app_sudo.invalidate_recordset()
            self.assertEqual((app_sudo.stored_client_secret, app_sudo.has_client_secret), (value, bool(value)))

    def test_without_a_key_secrets_are_stored_as_before_and_the_app_says_so(self):
        connection = self._connect_anew()
        self.assertEqual(self._columns(connection), self._secrets(connection))
        self.assertIn("unencrypted", connection.app_id.secrets_note)
        self.assertIn(vault.OPTION, connection.app_id.secrets_note)
        self._assert_imports(connection)

    def test_the_app_says_that_secrets_are_encrypted(self):
        use_keys(self, KEY)
        self.assertIn("are encrypted", self.app.secrets_note)
        self.assertFalse(self.app.secrets_problem)

    # === ANOTHER KEY === #

    def test_secrets_from_before_the_key_was_set_stay_good_and_are_sealed_within_a_day(self):
        connection = self._connect_anew()
        before = self._secrets(connection)
        use_keys(self, KEY)
        self.assertEqual(self._secrets(connection), before)
        self.fake.reset_log()
        self.run_cron("health")
        self._assert_sealed(connection)
        self.assertEqual(self._secrets(connection), before)
        self.assertFalse(self.fake.calls("POST", "/connect/token"))
        self._assert_imports(connection)

    def test_whatever_is_written_after_the_key_was_set_is_sealed_at_once(self):
        connection = self._connect_anew()
        use_keys(self, KEY)
        self._assert_imports(connection)
        connection.app_id.write({"client_secret": "another one", "webhook_key": "another key"})
        self._assert_sealed(connection)

    def test_a_key_is_replaced_without_losing_anything(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        before = self._secrets(connection)
        use_keys(self, OTHER_KEY, KEY)
        self.assertEqual(self._secrets(connection), before)
        self.run_cron("health")
        use_keys(self, OTHER_KEY)
        self.assertEqual(self._secrets(connection), before)
        self._assert_imports(connection)

    def test_the_daily_look_leaves_alone_what_is_sealed_with_todays_key(self):
        use_keys(self, KEY, OTHER_KEY)
        connection = self._connect_anew()
        before = self._columns(connection)
        self.run_cron("health")
        self.assertEqual(self._columns(connection), before)

    # === THE KEY IS GONE === #

    def test_a_lost_key_says_what_to_do_forgets_nothing_and_heals_when_it_is_back(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        columns = self._columns(connection)
        for keys in ((OTHER_KEY,), (), ("no key at all",)):
            with self.subTest(keys=keys):
                use_keys(self, *keys)
                self.env.invalidate_all()
                self.invoice()
                connection.blocked_until = False
                self.fake.reset_log()
                self.run_import(connection)
                self.run_cron("health")
                self.assertFalse(self.fake.requests)
                self.assertIn(vault.OPTION, connection.message)
                self.assertEqual((connection.state, connection.needs_attention), ("connected", True))
                self.assertEqual(len(connection.activity_ids), 1)
                for button in (connection.action_test, connection.action_connect):
                    with self.assertRaisesRegex(UserError, vault.OPTION):
                        self.press(button)
                self.assertEqual(self._columns(connection), columns)
                use_keys(self, KEY)
                self.env.invalidate_all()
                self._assert_imports(connection)
                columns = self._columns(connection)

    def test_rows_that_wait_for_the_key_are_not_tried_over_and_over(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        invoice = self.invoice()
        self.run_cron("poll")
        use_keys(self)
        self.run_cron("process")
        turns = connection.failed_turns
        self.assertTrue(turns)
        self.run_cron("process", "process")
        row = self.row(invoice)
        self.assertEqual((connection.failed_turns, row.state, row.attempts), (turns, "pending", 0))
        use_keys(self, KEY)
        connection.blocked_until = False
        self.run_cron("process")
        self.assertTrue(self.order(invoice))

    def test_a_paused_connection_stays_paused_over_a_lost_key_and_the_daily_look_tells(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        connection.action_pause()
        connection.sudo().grant_id.refreshed_at = "2026-10-01"
        use_keys(self, OTHER_KEY)
        self.env.flush_all()
        self.env.invalidate_all()
        self.run_cron("health")
        self.assertEqual(connection.state, "paused")
        self.assertIn(vault.OPTION, connection.message)

    def test_the_apps_form_opens_without_the_key_says_so_and_takes_the_secret_anew(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        manager = new_test_user(self.env, "sealed-manager", groups="xero_connector.group_xero_manager")
        use_keys(self, OTHER_KEY)
        self.env.flush_all()
        self.env.invalidate_all()
        with Form(connection.app_id.with_user(manager)) as form:
            self.assertTrue(form.has_client_secret)
            self.assertIn(vault.OPTION, form.secrets_problem)
            self.assertFalse(form.secrets_note)
            form.client_secret = self.fake.client_secret
        connection.app_id.webhook_key = WEBHOOK_KEY
        self.assertFalse(connection.app_id.secrets_problem)
        self.consent(connection, self.org)
        self._assert_imports(connection)
        self._assert_sealed(connection)

    def test_one_secret_that_cannot_be_opened_spoils_no_other(self):
        use_keys(self, OTHER_KEY)
        lost = self.app.copy({"client_secret": "lost"})
        self.env.flush_all()
        use_keys(self, KEY)
        good = self.app.copy({"client_secret": "good"})
        self.env.flush_all()
        self.env.invalidate_all()
        apps = (lost | good).sudo()
        self.assertEqual(apps.mapped("has_client_secret"), [True, True])
        self.assertEqual(apps[1].stored_client_secret, "good")
        with self.assertRaises(errors.XeroDenied):
            apps[0].mapped("stored_client_secret")

    def test_without_a_good_key_no_token_is_asked_for_that_could_not_be_kept(self):
        connection = self._connect_anew()
        columns = self._columns(connection)
        use_keys(self, KEY, "no key at all")
        self._expire(connection)
        self.fake.reset_log()
        self.run_import(connection)
        self.assertIn("not a key", connection.message)
        self.assertFalse(self.fake.requests)
        with self.assertRaisesRegex(UserError, "not a key"):
            connection.app_id.client_secret = "typed"
        self.assertEqual(self._columns(connection), columns)

    # === WHO SEES WHAT === #

    def test_neither_log_nor_message_holds_a_key_or_a_secret_not_even_the_log_of_sql(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        private = [KEY, OTHER_KEY, "nonsense", *self._secrets(connection).values()]
        told = []
        with self.assertLogs("odoo", level="DEBUG") as logs, self.assertLogs("urllib3", level="DEBUG") as http_logs:
            for keys in ((OTHER_KEY,), (), ("nonsense",), (OTHER_KEY, KEY)):
                use_keys(self, *keys)
                self.env.invalidate_all()
                connection.blocked_until = False
                self._expire(connection)
                self.run_cron("health")
                self.run_import(connection)
                told += [connection.message, connection.app_id.secrets_problem, connection.app_id.secrets_note]
                told += connection.activity_ids.mapped("note")
        private += self._secrets(connection).values()
        written = "\n".join([*logs.output, *http_logs.output, *map(str, told)])
        for proof in (vault.OPTION, "/connect/token", 'UPDATE "xero_grant"'):
            self.assertIn(proof, written)
        self.assertFalse([text for text in private if text in written])

    def test_nobody_searches_sorts_groups_exports_or_copies_a_secret(self):
        use_keys(self, KEY)
        self.app.webhook_key = WEBHOOK_KEY
        apps = self.env["xero.app"].with_user(self.env.ref("base.user_admin"))
        for name in ("stored_client_secret", "stored_webhook_key"):
            for attempt in (
                lambda name=name: apps.search([(name, "like", vault.SEALED)]),
                lambda name=name: apps.search([], order=name),
                lambda name=name: apps.formatted_read_group([], [name], ["__count"]),
                lambda name=name: self.app.with_env(apps.env).export_data([name]),
                lambda name=name: self.app.with_env(apps.env).write({name: "mine"}),
            ):
                with self.assertRaises(AccessError):
                    attempt()
            self.assertNotIn(name, apps.fields_get())
            self.assertFalse(self.app.sudo().copy()[name])

    def test_a_neutralised_copy_has_neither_secrets_nor_trouble_with_the_key(self):
        use_keys(self, KEY)
        connection = self._connect_anew()
        self.env.flush_all()
        for sql in get_neutralization_queries(["xero_connector"]):
            self.env.cr.execute(sql)
        self.env.invalidate_all()
        use_keys(self)
        self.assertEqual(set(self._secrets(connection).values()), {False})
        self.assertFalse(connection.app_id.secrets_problem)


@tagged("post_install", "-at_install")
class TestSealedWorkers(test_single_flight.TestSingleFlight):
    """What workers promise each other holds for sealed tokens too."""

    def setUp(self):
        use_keys(self, KEY)
        super().setUp()

    def test_sealing_anew_never_puts_an_older_token_over_a_newer_one(self):
        use_keys(self, OTHER_KEY, KEY)
        with self.registry.cursor() as cr, self.registry.cursor() as other_cr:
            cr.execute("SELECT 1")  # from now on it sees the token of before the refresh
            token = self._grant(other_cr)._token()
            self.env(cr)["xero.app"]._seal_anew()
        self.assertEqual(self._stored_token(), token)
