"""The digest: one mail per person and period about all their connections, or none; nothing told twice, nothing lost."""

from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import XeroCase

# a Wednesday, 9 in the morning where the readers are
NOW = datetime(2026, 6, 10, 9, 0)
STAFF = "xero_connector.group_xero_user"


@tagged("post_install", "-at_install")
class TestDigest(XeroCase):
    def setUp(self):
        super().setUp()
        self.reader = self.make_reader("reader")
        self.connection = self.watched(self.connect(name="Kiwi", user_id=self.reader.id, digest="daily"))
        self.env["mail.mail"].sudo().search([]).unlink()

    def make_reader(self, login, **values):
        return new_test_user(self.env, login, groups=STAFF, email=f"{login}@example.com", tz="UTC", **values)

    def watched(self, connection, *users):
        """Only these follow it."""
        connection.message_unsubscribe(connection.message_partner_ids.ids)
        for user in users:
            connection.message_subscribe(user.partner_id.ids)
        return connection

    def happened(self, days=1, connection=None, lines=None):
        """An invoice that was imported, or failed to be, that many days before."""
        invoice = self.invoice(lines=lines)
        self.run_import(connection or self.connection)
        row = self.row(invoice)
        if row.first_done_at:
            row.first_done_at = NOW - timedelta(days=days)
        return row

    def write_at(self, moment=NOW):
        """The scheduled action at this moment.

        :return: the mails it made
        """
        known = self.env["mail.mail"].sudo().search([])
        with freeze_time(moment):
            self.run_cron("digest")
        return self.env["mail.mail"].sudo().search([], order="id") - known

    def test_one_mail_tells_what_came_what_fails_and_how_to_mend_it(self):
        self.happened()
        self.happened(lines=[self.line("GLASS")])
        [mail] = self.write_at()
        self.assertEqual(mail.email_to, self.reader.email_formatted)
        self.assertIn("failed: 1, imported: 1", mail.subject)
        problem = self.env["xero.problem"].search([("connection_id", "=", self.connection.id)])
        for text in ("Kiwi", "Imported", "GLASS", f"/odoo/xero-problems/{problem.id}", "internal reference"):
            self.assertIn(text, mail.body_html)

    def test_one_mail_covers_all_connections_of_its_reader(self):
        other = self.watched(self.connect(self.fake.add_organisation("Other"), name="Rimu", digest="daily"))
        other.user_id = False
        other.message_subscribe(self.reader.partner_id.ids)
        self.happened()
        self.env["xero.record"].create(
            {"connection_id": other.id, "resource": "invoice", "external_id": "x", "state": "done",
             "first_done_at": NOW - timedelta(days=1)}
        )
        [mail] = self.write_at()
        self.assertIn("Kiwi", mail.body_html)
        self.assertIn("Rimu", mail.body_html)
        self.assertIn("imported: 2", mail.subject)

    def test_nothing_to_tell_is_no_mail_and_its_period_is_over_all_the_same(self):
        self.happened(days=3)
        self.assertFalse(self.write_at())
        [row] = self.env["xero.digest"].search([("user_id", "=", self.reader.id)])
        self.assertEqual(row.told_until, datetime(2026, 6, 10))

    def test_each_period_is_told_once_however_often_the_action_runs(self):
        self.happened()
        self.assertEqual(len(self.write_at()), 1)
        self.assertFalse(self.write_at(NOW + timedelta(hours=1)))
        self.assertFalse(self.write_at(NOW + timedelta(hours=14, minutes=59)), "the day is not over")
        self.assertFalse(self.write_at(NOW + timedelta(days=1)), "nothing has happened since")

    def test_a_server_that_was_off_for_days_tells_them_in_one_mail(self):
        self.happened(days=5)
        self.assertEqual(len(self.write_at(NOW - timedelta(days=4))), 1)
        for days in (4, 3, 2, 1):
            self.happened(days=days)
        [mail] = self.write_at()
        self.assertIn("imported: 4", mail.subject)

    def test_it_comes_in_the_morning_where_its_reader_is(self):
        self.reader.tz = "Pacific/Auckland"
        self.happened()
        # the 10th begins in Auckland at noon of the 9th, and people read mails from six on
        self.assertFalse(self.write_at(datetime(2026, 6, 8, 17, 0)))
        self.assertFalse(self.write_at(datetime(2026, 6, 9, 17, 59)), "their 10th has begun, but they sleep")
        self.assertEqual(len(self.write_at(datetime(2026, 6, 9, 18, 1))), 1)

    def test_a_weekly_mail_comes_on_monday_about_the_week_before(self):
        self.connection.digest = "weekly"
        self.happened(days=3)  # Sunday
        self.happened(days=9)  # Monday of the week before
        self.happened(days=10)  # the Sunday before that
        [mail] = self.write_at(datetime(2026, 6, 8, 9, 0))
        self.assertIn("imported: 2", mail.subject)
        self.assertFalse(self.write_at(), "Wednesday")

    def test_only_staff_who_may_read_the_connection_are_written_to(self):
        customer = new_test_user(self.env, "customer", groups="base.group_portal", email="customer@example.com")
        plain = new_test_user(self.env, "plain", groups="base.group_user", email="plain@example.com")
        company = self.env["res.company"].create({"name": "Elsewhere"})
        former = self.make_reader("former", company_id=company.id, company_ids=[fields.Command.set(company.ids)])
        mute = self.make_reader("mute")
        mute.partner_id.email = False
        follower = self.make_reader("follower")
        self.watched(self.connection, customer, plain, former, mute, follower)
        self.happened()
        self.assertEqual(
            sorted(self.write_at().mapped("email_to")),
            sorted((self.reader | follower).mapped("email_formatted")),
        )

    def test_a_connection_without_digest_is_told_to_nobody(self):
        self.connection.digest = "none"
        self.happened()
        self.assertFalse(self.write_at())

    def test_what_a_stranger_wrote_in_xero_is_text_in_the_mail(self):
        self.happened(lines=[self.line("<img src=x onerror=boom()>")])
        self.connection.name = "<script>boom()</script>"
        [mail] = self.write_at()
        self.assertNotIn("<img src=x", mail.body_html)
        self.assertNotIn("<script>", mail.body_html)
        self.assertIn("&lt;img src=x onerror=boom()&gt;", mail.body_html)

    def test_no_secret_is_in_the_mail(self):
        self.happened()
        [mail] = self.write_at()
        token = self.press(self.connection.sudo().grant_id._token)
        for secret in (self.fake.client_secret, token, self.connection.tenant_id):
            self.assertNotIn(secret, mail.body_html)

    def test_what_needs_attention_and_what_was_mended_are_told(self):
        row = self.happened(lines=[self.line("GLASS")])
        self._make_product("GLASS", "Glass", 3)
        row.action_retry()
        self.run_cron("process")
        row.write({"mended_at": NOW - timedelta(days=1), "first_done_at": NOW - timedelta(days=1)})
        self.fake.identity.disconnect(self.org.tenant_id)
        self.run_cron("health")
        [mail] = self.write_at()
        self.assertIn("Kiwi needs attention", mail.subject)
        self.assertIn("was disconnected in Xero", mail.body_html)
        self.assertIn("Had failed and was done after all", mail.body_html)

        self.consent(self.connection, self.org)
        self.assertTrue(self.connection.mended_at)
        self.connection.mended_at = NOW + timedelta(hours=3)
        [mail] = self.write_at(NOW + timedelta(days=1))
        self.assertIn("is well again", mail.body_html)
        self.assertNotIn("needs attention", mail.subject)

    def test_one_mail_that_cannot_be_made_keeps_nobody_elses(self):
        broken = self.make_reader("broken")
        self.watched(self.connection, broken)
        self.happened()
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET tz = 'No/Where' WHERE id = %s", (broken.partner_id.id,))
        self.env.invalidate_all()
        with self.assertLogs("odoo.addons.xero_connector.models.xero_digest", "ERROR"):
            mails = self.write_at()
        self.assertEqual(mails.mapped("email_to"), [self.reader.email_formatted])

    def test_the_mail_speaks_its_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.reader.lang = "fr_FR"
        view = self.env.ref("xero_connector.digest_mail")
        view.update_field_translations("arch_db", {"fr_FR": {"Waiting now": "Attend", "Imported": "Importé"}})
        self.happened()
        [mail] = self.write_at()
        self.assertIn("Importé", mail.body_html)
