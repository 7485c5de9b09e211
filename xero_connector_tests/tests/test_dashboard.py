"""The first screen: what each connection did, what it needs, and what a person does next."""

import json
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import RedirectWarning
from odoo.tests import new_test_user, tagged

from .export_case import ExportCase

CARD = "xero_connector.xero_connection_view_kanban"


@tagged("post_install", "-at_install")
class TestDashboard(ExportCase):
    def bars(self, connection):
        return json.loads(connection.dashboard_graph or "[]")

    def look(self, connections, user=None):
        """Read all a card shows, as the web client does.

        :return: the number of queries it took
        """
        view = self.env["xero.connection"].get_view(self.env.ref(CARD).id, "kanban")
        names = self.env["ir.ui.view"].browse(view["id"]).arch
        shown = [name for name in self.env["xero.connection"]._fields if f'name="{name}"' in names]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        cards = connections.with_user(user or self.env.user).read(shown)
        self.assertEqual(len(cards), len(connections))
        return self.env.cr.sql_log_count - before

    def test_a_card_counts_what_came_in_what_was_sent_and_what_failed(self):
        connection = self.exporting(import_orders=True)
        self.invoice()
        self.invoice(lines=[self.line("GLASS")])
        self.run_import(connection)
        self.send(self.sell(), self.sell())
        self.push()
        figures = ("imported_today", "done_count", "failed_today", "sent_today", "outgoing_done_count")
        self.assertEqual([connection[name] for name in figures], [1, 1, 1, 2, 2])
        [*before, today] = self.bars(connection)
        self.assertEqual(len(before), 29)
        self.assertFalse(any(day["imported"] or day["sent"] for day in before))
        self.assertAlmostEqual(today["sent"], 2 * today["imported"])
        self.assertIn("1 imported, 2 sent", today["text"])

    def test_what_changes_later_is_not_counted_again_on_that_day(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import(connection)
        self.row(invoice).first_done_at -= timedelta(days=3)
        self.org.update("Invoices", invoice["InvoiceID"], DueDate="2030-01-01")
        self.run_import(connection)
        row = self.row(invoice)
        self.assertGreater(row.done_at, row.first_done_at)
        self.assertEqual((connection.imported_today, connection.done_count), (0, 1))
        self.assertTrue(self.bars(connection)[-4]["imported"])

    def test_the_day_begins_at_the_users_midnight(self):
        connection = self.connect()
        invoice, failing = self.invoice(), self.invoice(lines=[self.line("GLASS")])
        self.run_import(connection)
        # 11 in the evening of the 9th in Auckland, the 10th begins there an hour later
        self.row(invoice).first_done_at = self.row(failing).failed_at = datetime(2026, 6, 9, 11, 0)
        with freeze_time("2026-06-09 13:00:00"):
            for zone, today in (("Pacific/Auckland", 0), ("UTC", 1)):
                there = connection.with_context(tz=zone)
                self.assertEqual((there.imported_today, there.failed_today), (today, today), zone)
            self.row(invoice).first_done_at = self.row(failing).failed_at = datetime(2026, 6, 9, 12, 30)
            self.env.invalidate_all()
            there = connection.with_context(tz="Pacific/Auckland")
            self.assertEqual((there.imported_today, there.failed_today), (1, 1))

    def test_each_state_offers_what_a_person_does_next(self):
        connection = self.env["xero.connection"].create(
            {"name": "Kiwi", "app_id": self.app.id, "setup_done": False, "attach_pdf": False}
        )
        self.assertEqual(connection.next_step, "setup")
        connection.setup_done = True
        self.assertEqual((connection.next_step, connection.status_text), ("connect", "Not connected"))
        self.consent(connection, self.org)
        self.assertEqual((connection.next_step, connection.status_text), ("import", "Connected"))
        connection.action_pause()
        self.assertEqual((connection.next_step, connection.status_text), ("resume", "Paused"))
        connection.action_next_step()
        self.assertEqual(connection.state, "connected")
        self.fake.identity.disconnect(self.org.tenant_id)
        self.run_cron("health")
        self.assertEqual((connection.next_step, connection.status_text), ("reconnect", "Needs attention"))
        self.assertIn("authorize", self.press(connection.action_next_step)["url"])

    def test_who_only_sends_is_offered_to_send(self):
        connection = self.exporting()
        self.assertEqual(connection.next_step, "send")
        self.assertIn("sent to Xero", connection.action_next_step()["params"]["message"])

    def test_a_row_that_failed_and_was_done_after_all_says_so(self):
        connection = self.connect()
        invoice = self.invoice(lines=[self.line("GLASS")])
        self.run_import(connection)
        row = self.row(invoice)
        since = row.failed_at
        self.assertTrue(since and not row.first_done_at)
        row.action_retry()
        self.run_cron("process")
        self.assertEqual(row.failed_at, since, "it is the same failure, tried again")
        self._make_product("GLASS", "Glass", 3)
        row.action_retry()
        self.run_cron("process")
        self.assertEqual((row.state, row.failed_at), ("done", False))
        self.assertTrue(row.mended_at and row.first_done_at)

    def test_twenty_cards_cost_as_many_queries_as_one(self):
        self.app.tier = "core"
        connections = self.exporting(import_orders=True)
        for number in range(19):
            connections |= self.connect(self.fake.add_organisation(f"Many {number}"), name=f"Many {number}")
        for connection in connections:
            self.env["xero.record"].create(
                [
                    {"connection_id": connection.id, "resource": "invoice", "external_id": str(number), "state": state}
                    for number, state in enumerate(("pending", "failed", "done"))
                ]
            )
        user = new_test_user(self.env, "home", groups="xero_connector.group_xero_user")
        self.look(connections, user)
        one, twenty = self.look(connections[0], user), self.look(connections, user)
        self.assertLessEqual(twenty, one + 2, "a query for each card would be 19 more")

    def test_a_user_of_another_company_sees_neither_card_nor_figures(self):
        connection = self.connect()
        company = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env, "other", groups="xero_connector.group_xero_user", company_id=company.id,
            company_ids=[fields.Command.set(company.ids)],
        )
        self.assertFalse(self.env["xero.connection"].with_user(user).search([("id", "=", connection.id)]))

    def help_of(self, user):
        action = self.env["ir.actions.act_window"].with_user(user)._for_xml_id("xero_connector.action_xero_dashboard")
        return str(action["help"])

    def test_an_empty_dashboard_leads_a_manager_to_the_app_and_then_to_a_connection(self):
        self.env["xero.connection"].search([]).active = False
        manager = new_test_user(self.env, "begins", groups="xero_connector.group_xero_manager")
        self.assertIn("Look at the app", self.help_of(manager))
        self.env["xero.connection"].with_context(active_test=False).search([]).unlink()
        self.env["xero.app"].search([]).unlink()
        self.assertIn("action_add_app", self.help_of(manager))
        self.assertIn("action_new_connection", self.help_of(manager))
        self.assertNotIn("Look at the app", self.help_of(manager))
        staff = new_test_user(self.env, "waits", groups="xero_connector.group_xero_user")
        self.assertNotIn("action_add_app", self.help_of(staff))
        with self.assertRaisesRegex(RedirectWarning, "First add the app"):
            self.env["xero.connection"].with_user(manager).action_setup_new()

    def test_the_doors_lead_to_this_connections_documents_only(self):
        connection = self.connect(order_confirm=True)
        other_org = self.fake.add_organisation("Other")
        other = self.connect(other_org, name="Other")
        invoice = self.invoice()
        self.run_import(connection)
        for action in (connection.action_view_orders(), connection.action_view_transfers()):
            model = self.env[action["res_model"]]
            self.assertEqual(model.search(action["domain"]).mapped("xero_invoice_id"), [invoice["InvoiceID"]])
        self.assertFalse(self.env["sale.order"].search(other.action_view_orders()["domain"]))
