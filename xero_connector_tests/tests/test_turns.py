"""How a turn of a scheduled action ends: when its time is up, and when another transaction was first."""

import itertools
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .export_case import ExportCase


@tagged("post_install", "-at_install")
class TestTurns(ExportCase):
    def bells(self, name):
        """When a scheduled action was asked for. Odoo's own wish to go on is not among them: it waits for a minute."""
        action = self.env.ref(f"xero_connector.ir_cron_{name}")
        # Odoo notes its own without a user.
        return self.env["ir.cron.trigger"].search([("cron_id", "=", action.id), ("create_uid", "!=", False)])

    def cut_short(self, name):
        """One turn of a scheduled action, which has time for two steps."""
        self.env.cr.flush()  # some ring at the end of their transaction only
        self.bells(name).unlink()
        clock = SimpleNamespace(monotonic=itertools.count(0, 4).__next__)
        odoos = "odoo.addons.base.models.ir_cron"
        with patch(f"{odoos}.time", clock), patch(f"{odoos}.MIN_RUNS_PER_JOB", 1):
            self.run_cron(name)

    def assert_goes_on(self, name):
        """Another turn is asked for at once, and does what is left."""
        self.assertLessEqual(min(self.bells(name).mapped("call_at")), fields.Datetime.now())
        self.bells(name).unlink()
        self.run_cron(name)
        self.assertFalse(self.bells(name))

    def waiting(self, **values):
        return self.env["xero.record"].search_count([(name, "=", value) for name, value in values.items()])

    def disturb(self, table):
        """From now on, whoever adds to this table hears from PostgreSQL that another transaction was first."""
        self.env.cr.execute(
            f"""
            CREATE FUNCTION another_was_first() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'could not serialize access' USING ERRCODE = 'serialization_failure'; END $$;
            CREATE TRIGGER another_was_first BEFORE INSERT OR UPDATE ON {table}
                EXECUTE FUNCTION another_was_first()
            """  # pylint: disable=sql-injection
        )

    def disturb_no_more(self, table):
        self.env.cr.execute(
            f"DROP TRIGGER another_was_first ON {table}"  # pylint: disable=sql-injection
        )

    def assert_tries_again_soon(self, name):
        now = fields.Datetime.now()
        moments = self.bells(name).mapped("call_at")
        self.assertTrue([moment for moment in moments if now < moment <= now + timedelta(seconds=15)], moments)

    # === TIME IS UP === #

    def test_orders_that_are_left_are_made_at_once(self):
        self.connect()
        for _number in range(5):
            self.invoice()
        self.run_cron("poll")
        with patch("odoo.addons.xero_connector.const.BATCH_SIZE", 2):
            self.cut_short("process")
        self.assertEqual(self.waiting(state="pending"), 1)
        self.assert_goes_on("process")
        self.assertEqual(self.waiting(state="pending"), 0)

    def test_files_that_are_left_are_fetched_at_once(self):
        self.connect(attach_pdf=True)
        for _number in range(4):
            self.invoice()
        self.run_cron("poll", "process")
        self.cut_short("files")
        self.assertIn(self.waiting(files_state="waiting"), (1, 2, 3))
        self.assert_goes_on("files")
        self.assertEqual(self.waiting(files_state="waiting"), 0)

    def test_connections_that_are_left_are_asked_at_once(self):
        connections = self.env["xero.connection"]
        for number in range(3):
            connections |= self.connect(self.fake.add_organisation(f"Left {number}"))
        connections.next_poll = before = fields.Datetime.now() - timedelta(minutes=1)
        self.cut_short("poll")
        self.assertEqual(len(connections.filtered(lambda connection: connection.next_poll > before)), 1)
        self.assert_goes_on("poll")
        self.assertEqual(len(connections.filtered(lambda connection: connection.next_poll > before)), 3)

    def test_documents_that_are_left_are_sent_at_once(self):
        self.exporting()
        self.send(self.sell())  # what all documents rest on is asked for by now
        orders = self.sell() | self.sell() | self.sell()
        for order in orders:
            self.env["xero.record"]._put_document_out(order._xero_exporter(), order)
        self.cut_short("push")
        self.assertEqual(self.waiting(direction="out", state="pending"), 2)
        self.assert_goes_on("push")
        self.assertEqual(len(self.org.tables["Invoices"]), 4)

    def test_sending_rings_only_when_its_turn_has_ended(self):
        # Who came earlier would find the connection busy, and go away again.
        connection = self.exporting()
        self.send(self.sell())
        orders = self.sell() | self.sell() | self.sell()
        for order in orders:
            self.env["xero.record"]._put_document_out(order._xero_exporter(), order)
        action, rung = self.env.ref("xero_connector.ir_cron_push"), []
        end = type(connection)._end_push

        def ended(which, *args):
            end(which, *args)
            rung.append(which.env["ir.cron.trigger"].search_count([("cron_id", "=", action.id)]))

        self.patch(type(connection), "_end_push", ended)
        self.cut_short("push")
        self.assertEqual(rung, [0])
        self.assertTrue(self.bells("push"))

    # === ANOTHER WAS FIRST === #

    def test_orders_that_give_way_are_made_soon(self):
        self.connect()
        invoice = self.invoice()
        self.run_cron("poll")
        self.disturb("sale_order")
        self.run_cron("process")
        self.assertFalse(self.order(invoice))
        self.assert_tries_again_soon("process")
        self.disturb_no_more("sale_order")
        self.run_cron("process")
        self.assertTrue(self.order(invoice))

    def test_files_that_give_way_are_fetched_soon(self):
        self.connect(attach_pdf=True)
        invoice = self.invoice()
        self.run_cron("poll", "process")
        self.disturb("ir_attachment")
        self.run_cron("files")
        self.assertEqual(self.row(invoice).files_state, "waiting")
        self.assert_tries_again_soon("files")
        self.disturb_no_more("ir_attachment")
        self.run_cron("files")
        self.assertEqual(self.row(invoice).files_state, "done")

    def test_documents_that_give_way_are_sent_soon_and_once(self):
        self.exporting()
        order = self.sell()
        self.disturb("mail_message")
        self.send(order)
        self.assertEqual(self.out(order).state, "pending")
        self.assert_tries_again_soon("push")
        self.disturb_no_more("mail_message")
        self.later(1)
        self.push()
        self.assertEqual(self.out(order).state, "done")
        self.assertEqual(len(self.org.tables["Invoices"]), 1)

    def test_products_that_give_way_are_exchanged_soon(self):
        connection = self.connect(item_sync="pull", item_create_here=True, item_interval="manual")
        self.org.add_item(Code="GLASS", Name="Glass")
        connection._ring_items()
        self.disturb("product_template")
        self.run_cron("items")
        self.assert_tries_again_soon("items")
        self.disturb_no_more("product_template")
        self.run_cron("items")
        self.assertTrue(self.env["product.product"].search([("default_code", "=", "GLASS")]))
