"""Trying out rules without importing anything."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from ..sandbox.fake_xero import query
from .common import XeroCase


@tagged("post_install", "-at_install")
class TestTry(XeroCase):
    def _trial(self, connection, **values):
        return self.env["xero.try"].create({"connection_id": connection.id} | values)

    def test_a_typed_reference_shows_rule_and_warehouse_at_once(self):
        connection = self.connect(mapping_ids=self.rules(("GC", self.second_warehouse), ("pick-up", None)))
        with Form(self.env["xero.try"].with_context(default_connection_id=connection.id)) as form:
            form.reference = "order gc 7"
            self.assertEqual((form.warehouse_id, form.rule_id), (self.second_warehouse, connection.mapping_ids[0]))
            form.reference = "PICK-UP"
            self.assertFalse(form.warehouse_id)
            self.assertIn("do not import", form.explanation)
            form.reference = "else"
            self.assertEqual((form.warehouse_id, bool(form.rule_id)), (self.warehouse, False))

    def test_the_tester_answers_for_connections_that_wait_for_payment_too(self):
        connection = self.connect(trigger_status="paid")
        self.assertEqual(self._trial(connection, reference="any").warehouse_id, self.warehouse)

    def test_the_tester_warns_of_a_warehouse_the_customer_may_not_use(self):
        customer = self.env["res.partner"].create({"name": "Kiwi", "xero_warehouse_ids": self.warehouse.ids})
        connection = self.connect(partner_id=customer.id, mapping_ids=self.rules(("GC", self.second_warehouse)))
        self.assertIn("may not use", self._trial(connection, reference="gc").explanation)

    def test_a_dry_run_tells_every_outcome_and_creates_nothing(self):
        connection = self.connect(
            import_from=fields.Date.today(), mapping_ids=self.rules(("GC", self.second_warehouse), ("pick-up", None))
        )
        self.org.add_item(Code="GLASS", Name="Glass")
        day = {"Date": str(fields.Date.today() - timedelta(days=20))}
        by_rule, ignored = self.invoice("gc", **day), self.invoice("pick-up", **day)
        failing = self.invoice("x", [self.line("GLASS")], **day)
        too_old = self.invoice("gc", Date=str(fields.Date.today() - timedelta(days=40)))
        models = ("xero.record", "sale.order", "stock.picking", "res.partner", "xero.binding", "product.pricelist")
        before = [self.env[model].search_count([]) for model in models]
        trial = self._trial(connection)
        self.press(trial.action_dry_run)
        outcomes = {line.number: (line.outcome, line.warehouse_id) for line in trial.line_ids}
        nowhere = self.env["stock.warehouse"]
        self.assertEqual(
            outcomes,
            {
                by_rule["InvoiceNumber"]: ("order", self.second_warehouse),
                ignored["InvoiceNumber"]: ("skipped", nowhere),
                failing["InvoiceNumber"]: ("failed", nowhere),
            },
        )
        self.assertNotIn(too_old["InvoiceNumber"], outcomes)
        self.assertIn("1 would become orders, 1 would be skipped, 1 would fail", trial.summary)
        self.assertEqual([self.env[model].search_count([]) for model in models], before)
        self.assertFalse(connection.watermark)

    def test_a_dry_run_of_too_many_says_that_some_are_missing(self):
        self.enterContext(patch.object(query, "LARGEST_PAGE", 1))
        connection = self.connect()
        for number in range(7):
            self.invoice(f"r{number}")
        trial = self.env["xero.try"].create({"connection_id": connection.id})
        self.press(trial.action_dry_run)
        self.assertEqual(len(trial.line_ids), 5)
        self.assertIn("There are more", trial.summary)

    def test_a_dry_run_knows_what_is_imported_already(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import()
        trial = self._trial(connection)
        self.press(trial.action_dry_run)
        self.assertEqual(trial.line_ids.outcome, "skipped")
        self.assertIn(self.order(invoice).name, trial.line_ids.reason)

    def test_a_xero_manager_without_other_rights_may_try_everything_out(self):
        connection = self.connect()
        self.invoice()
        self.run_import()
        self.invoice("another one")
        manager = new_test_user(self.env, "only-xero", groups="xero_connector.group_xero_manager")
        trial = self.env["xero.try"].with_user(manager).create({"connection_id": connection.id})
        self.press(trial.action_dry_run)
        self.assertEqual(set(trial.line_ids.mapped("outcome")), {"order", "skipped"})

    def test_a_dry_run_that_cannot_ask_xero_says_why(self):
        trial = self._trial(self.connect())
        self.fake.faults.add("GET", "/Invoices", status=503)
        with self.assertRaisesRegex(UserError, "being maintained"):
            self.press(trial.action_dry_run)
        trial.days = 0
        with self.assertRaisesRegex(UserError, "365"):
            self.press(trial.action_dry_run)
