"""A webhook that comes while a worker is at it: real transactions beside each other, what is committed counts."""

from unittest.mock import patch

import psycopg2

import odoo
from odoo import api, fields
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

from ..sandbox.fake_xero import FakeXero, query
from .common import COMPLETE_ADDRESS

KEY = "the app's signing key"
PATIENCE = 4  # seconds an answer may take; Xero's own limit is 5


@tagged("post_install", "-at_install")
class TestWebhooksWhileBusy(BaseCase):
    """Outside the test transaction: other tests see nothing of it, as everything is removed again."""

    def setUp(self):
        super().setUp()
        self.fake = FakeXero().start()
        self.addCleanup(self.fake.stop)
        self.fake.webhooks.patience = PATIENCE
        self.registry = Registry(get_db_name())
        self.org = self.fake.add_organisation("Busy")
        self.fake.custom_tenant = self.org.tenant_id
        self.contact = self.org.add_contact(Name="Aroha Ltd", Addresses=[COMPLETE_ADDRESS])
        self.addCleanup(self._remove)
        with self.registry.cursor() as cr:
            env = self._env(cr)
            for name in ("api_url", "identity_url"):
                env["ir.config_parameter"].set_param(f"xero_connector.{name}", getattr(self.fake, name))
            values = {"name": "Busy", "client_id": self.fake.client_id, "client_secret": self.fake.client_secret}
            app = env["xero.app"].create(values | {"grant_type": "client_credentials", "webhook_key": KEY})
            grant = env["xero.grant"].create({"app_id": app.id, "scopes": "accounting.invoices.read"})
            self.connection_id = self._connection(app, grant).id
            self.app_id = app.id
            token = app.webhook_token
        # The handshake and the consent of a custom connection are other tests' concern.
        self._run("poll")
        port = odoo.service.server.server.httpd.server_port
        subscription = self.fake.webhooks.subscribe(f"http://localhost:{port}/xero/webhook/{token}", KEY)
        self.assertEqual(subscription.status, "ok", subscription.reason)
        self._hear_again()

    def _connection(self, app, grant):
        return app.env["xero.connection"].create(
            {
                "name": "Busy",
                "app_id": app.id,
                "grant_id": grant.id,
                "tenant_id": self.org.tenant_id,
                "state": "connected",
                "setup_done": True,
                "next_poll": fields.Datetime.now(),
            }
        )

    def _remove(self):
        with self.registry.cursor() as cr:
            env = self._env(cr)
            connections = env["xero.connection"].search([("name", "=", "Busy")])
            env["xero.record"].search([("connection_id", "in", connections.ids)]).unlink()
            connections.state = "draft"
            connections.unlink()
            env["xero.app"].search([("name", "=", "Busy")]).unlink()
            env["ir.cron.trigger"].search([("cron_id", "=", env.ref("xero_connector.ir_cron_poll").id)]).unlink()
            for name in ("api_url", "identity_url"):
                env["ir.config_parameter"].set_param(f"xero_connector.{name}", False)

    def _env(self, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    # === STEPS === #

    def _run(self, name):
        with self.registry.cursor() as cr:
            self._env(cr).ref(f"xero_connector.ir_cron_{name}").method_direct_trigger()

    def _hear_again(self):
        """Let the seconds pass that collect a burst."""
        with self.registry.cursor() as cr:
            self._env(cr)["xero.connection"].browse(self.connection_id).listen_from = False

    def _invoice(self):
        return self.org.add_invoice(
            Contact={"ContactID": self.contact["ContactID"]},
            LineItems=[{"Description": "Bottles", "Quantity": 1, "UnitAmount": 10}],
        )

    def _deliver(self):
        outcome = self.fake.webhooks.deliver()
        self.assertEqual((outcome.status, outcome.reason), ("ok", ""))

    # === WHAT CAME OF IT === #

    def _rings(self):
        with self.registry.cursor() as cr:
            return self._env(cr)["xero.bell"].search_count([("connection_id", "=", self.connection_id)])

    def _is_known(self, invoice):
        with self.registry.cursor() as cr:
            return bool(self._env(cr)["xero.record"].search([("external_id", "=", invoice["InvoiceID"])]))

    def _turns(self):
        """When the scheduled action is woken for webhooks."""
        with self.registry.cursor() as cr:
            env = self._env(cr)
            cron = env.ref("xero_connector.ir_cron_poll")
            return env["ir.cron.trigger"].search([("cron_id", "=", cron.id)], order="call_at").mapped("call_at")

    def test_a_webhook_waits_for_no_worker_and_is_answered_when_the_worker_is_done(self):
        invoice = self._invoice()
        with self.registry.cursor() as cr:
            connection = self._env(cr)["xero.connection"].browse(self.connection_id)
            self.assertTrue(connection.try_lock_for_update(allow_referencing=True))
            connection.write({"last_import": fields.Datetime.now()})
            connection.flush_recordset()
            self._deliver()
            self.assertEqual(self._rings(), 1)
            self._run("poll")
            self.assertEqual((self._rings(), self._is_known(invoice)), (1, False))
            self.assertTrue(self._turns(), "the scheduled action comes back for it")
        self._run("poll")
        self.assertEqual((self._rings(), self._is_known(invoice)), (0, True))

    def test_a_ring_while_xero_is_being_asked_is_answered_by_another_question(self):
        first, later = self._invoice(), []

        def ring_meanwhile(request):
            # The question is on its way; what changes now may be missing from its answer.
            if request.path.endswith("/Invoices") and not later:
                self.fake.on_request = None
                self.fake.faults.add("GET", "/Invoices$", kind="replace_json", body={"Invoices": []})
                later.append(self._invoice())
                self._deliver()

        self._deliver()
        self.fake.on_request = ring_meanwhile
        self._run("poll")
        self.assertTrue(later)
        self.assertEqual(self._rings(), 1, "the ring of before is answered, the one that came meanwhile is not")
        with self.registry.cursor() as cr:
            listen_from = self._env(cr)["xero.connection"].browse(self.connection_id).listen_from
        self.assertGreaterEqual(self._turns()[-1], listen_from, "woken when rings are heard again")
        self._hear_again()
        self._run("poll")
        self.assertEqual((self._rings(), self._is_known(first), self._is_known(later[0])), (0, True, True))

    def test_a_ring_between_two_pages_outlives_the_poll_that_reads_them(self):
        self.enterContext(patch.object(query, "LARGEST_PAGE", 1))
        self._invoice()
        self._invoice()
        self._deliver()
        rung = []

        def ring_meanwhile(request):
            # The first page is stored and committed by the time the last one is.
            if request.path.endswith("/Invoices") and not rung:
                rung.append(self.fake.webhooks.replay())

        self.fake.on_request = ring_meanwhile
        self._run("poll")
        self.assertEqual([outcome.status for outcome in rung], ["ok"])
        self.assertGreater(len(self.fake.calls("GET", "/Invoices$")), 2)
        self.assertEqual(self._rings(), 1)

    def test_a_ring_rolled_back_with_the_poll_that_read_it_is_still_there(self):
        invoice = self._invoice()
        self._deliver()
        self.fake.faults.add("GET", "/Invoices$", kind="drop_after")
        self._run("poll")
        self.assertEqual((self._rings(), self._is_known(invoice)), (1, False))
        with self.registry.cursor() as cr:
            connection = self._env(cr)["xero.connection"].browse(self.connection_id)
            until = connection.blocked_until
            self.assertTrue(connection.listen_from, "webhooks ask no more often than where all is well")
            connection.write({"blocked_until": False, "listen_from": False})
        self.assertIn(until, self._turns())
        self._run("poll")
        self.assertEqual((self._rings(), self._is_known(invoice)), (0, True))

    def test_a_turn_the_scheduler_is_using_up_does_not_count_for_a_ring(self):
        self._invoice()
        self._deliver()
        [used] = self._turns()
        self._invoice()
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM ir_cron_trigger WHERE call_at = %s", [used])
            self._deliver()
        self.assertEqual(len(self._turns()), 1, "the second ring made a turn of its own")

    def test_the_scheduler_uses_no_turn_up_before_the_rings_that_count_on_it_are_committed(self):
        self._invoice()
        self._deliver()
        event = {"eventCategory": "CREDITNOTE", "tenantId": self.org.tenant_id}
        with self.registry.cursor() as cr, self.registry.cursor() as scheduler:
            env = self._env(cr)
            env["xero.connection"]._ring_bells(env["xero.app"].browse(self.app_id), [event])
            self.assertEqual(len(self._turns()), 1)
            scheduler.execute("SET LOCAL lock_timeout = '100ms'")
            with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.LockNotAvailable):
                scheduler.execute("DELETE FROM ir_cron_trigger")
            scheduler.rollback()
