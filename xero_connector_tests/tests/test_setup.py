"""The set-up in three steps with a test order: nothing is imported before it is finished."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import XeroCase


@tagged("post_install", "-at_install")
class TestSetUp(XeroCase):
    def begin(self, **values):
        action = self.env["xero.connection"].action_setup_new()
        self.assertIn("default_setup_done", action["context"])
        return self.env["xero.connection"].create(
            {"name": "Kiwi", "app_id": self.app.id, "attach_pdf": False, "setup_done": False} | values
        )

    def test_three_steps_and_a_test_order_lead_to_the_import(self):
        connection = self.begin()
        self.assertEqual(connection.setup_step, "initial")
        connection.action_setup_next()
        self.assertEqual(connection.setup_step, "authentication")
        with self.assertRaisesRegex(UserError, "Connect to Xero first"):
            connection.action_setup_next()
        self.consent(connection, self.org)
        invoice = self.invoice()
        connection.action_setup_next()
        self.assertEqual(connection.setup_step, "configuration")
        self.run_cron("poll", "process", "files")
        self.assertFalse(self.order(invoice), "the rules are not there yet")
        for button in (connection.action_import_now, lambda: connection._import_one("INV")):
            with self.assertRaisesRegex(UserError, "Finish the set-up"):
                button()
        connection.write({"mapping_ids": self.rules(("GC", self.second_warehouse))})
        connection.action_setup_next()
        self.assertEqual(connection.setup_step, "test")
        connection.action_setup_finish()
        self.run_cron("poll", "process")
        self.assertTrue(self.order(invoice))

    def test_one_can_go_back_and_forth_and_loses_nothing(self):
        connection = self.begin()
        connection.action_setup_back()
        self.assertEqual(connection.setup_step, "initial")
        connection.action_setup_next()
        connection.action_setup_back()
        self.assertEqual((connection.setup_step, connection.name), ("initial", "Kiwi"))

    def test_whoever_comes_back_from_xero_is_in_the_set_up_again(self):
        connection = self.begin()
        self.assertEqual(connection._path(), f"/odoo/xero-connections/{connection.id}/xero-setup/{connection.id}")
        connection.setup_done = True
        self.assertEqual(connection._path(), f"/odoo/xero-connections/{connection.id}")

    def test_rows_that_wait_are_not_worked_off_before_it_is_finished_either(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_cron("poll")
        connection.setup_done = False
        self.run_cron("process", "files")
        self.assertFalse(self.order(invoice))

    def test_it_cannot_be_finished_without_a_consent(self):
        with self.assertRaisesRegex(UserError, "Connect to Xero first"):
            self.begin().action_setup_finish()

    def test_reconfiguring_goes_through_the_steps_again_while_the_import_goes_on(self):
        connection = self.connect()
        self.assertEqual(connection.action_setup()["res_id"], connection.id)
        self.assertEqual(connection.setup_step, "initial")
        invoice = self.invoice()
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_webhooks_do_not_start_an_import_before_the_set_up_is_finished(self):
        connection = self.begin()
        self.consent(connection, self.org)
        event = {"eventCategory": "INVOICE", "tenantId": self.org.tenant_id, "resourceId": "x"}
        self.env["xero.connection"]._ring_bells(self.app, [event])
        self.assertFalse(connection.bell_ids)


@tagged("post_install", "-at_install")
class TestTestOrder(XeroCase):
    def wizard(self, connection):
        action = self.press(connection.action_test_order)
        return self.env[action["res_model"]].browse(action["res_id"])

    def recent(self, *args, **values):
        return self.invoice(*args, Date=str(fields.Date.today()), **values)

    def show(self, wizard, invoice):
        [choice] = wizard.choice_ids.filtered(lambda c: c.external_id == invoice["InvoiceID"])
        self.press(choice.action_show)

    def test_a_recent_invoice_shows_the_very_order_it_would_make_and_leaves_nothing_behind(self):
        connection = self.connect(
            mapping_ids=self.rules(("GC", self.second_warehouse)), order_confirm=True, note_target="delivery",
            setup_done=False,
        )
        invoice = self.recent("order GC 7", [self.line(quantity=3, price=12.5), {"Description": "Ring twice"}])
        wizard = self.wizard(connection)
        before = {model: self.env[model].search_count([]) for model in ("sale.order", "stock.picking", "xero.record")}
        partners = self.env["res.partner"].search_count([])
        self.show(wizard, invoice)
        self.assertEqual(wizard.outcome, "done", wizard.reason)
        self.assertEqual(wizard.warehouse, self.second_warehouse.display_name)
        self.assertIn("GC", wizard.reason)
        self.assertIn("12 Quay Street", wizard.ship_to)
        self.assertEqual((wizard.customer, wizard.instructions), ("Aroha Ltd", "Ring twice"))
        self.assertIn("3 Units", wizard.line_ids[0].quantity)
        self.assertIn("37.50", wizard.line_ids[0].subtotal)
        self.assertIn("37.50", wizard.total)
        after = {model: self.env[model].search_count([]) for model in before}
        self.assertEqual((after, self.env["res.partner"].search_count([])), (before, partners))

    def test_one_that_fails_or_is_not_imported_says_why(self):
        connection = self.connect(mapping_ids=self.rules(("pick-up", None)))
        self.org.add_item(Code="GLASS", Name="Glass")
        failing, skipped = self.recent("1", [self.line("GLASS")]), self.recent("pick-up")
        wizard = self.wizard(connection)
        self.show(wizard, failing)
        self.assertEqual(wizard.outcome, "failed")
        self.assertIn("GLASS", wizard.reason)
        wizard.action_back()
        self.show(wizard, skipped)
        self.assertEqual((wizard.outcome, len(wizard.line_ids)), ("skipped", 0))
        self.assertIn("pick-up", wizard.reason)

    def test_an_invoice_too_old_to_be_imported_says_so_in_both_previews(self):
        connection = self.connect(import_from=fields.Date.today())
        old = self.invoice("1", Date=str(fields.Date.today() - timedelta(days=3)))
        wizard = self.wizard(connection)
        self.show(wizard, old)
        self.assertIn("is dated before", wizard.reason)
        trial = self.env["xero.try"].create({"connection_id": connection.id})
        self.press(trial.action_dry_run)
        self.assertEqual(trial.line_ids.mapped("outcome"), ["order"], "what the rules say")
        self.assertIn("1 of these are dated before", trial.summary)

    def test_only_who_may_change_the_connection_sees_what_its_invoices_would_become(self):
        connection = self.connect()
        wizard = self.wizard(connection)
        user = new_test_user(self.env, "reader", groups="xero_connector.group_xero_user")
        manager = self.env.ref("xero_connector.group_xero_manager")
        self.env.ref("xero_connector.access_xero_test_order_manager").group_id = user.group_ids[:1]
        self.assertNotIn(manager, user.all_group_ids)
        with self.assertRaises(AccessError):
            connection.with_user(user).action_test_order()
        with self.assertRaises(AccessError):
            connection.with_user(user)._choose_organisation(self.org.tenant_id)
        with self.assertRaises(AccessError):
            wizard.with_user(user)._show("any")

    def test_a_delivery_order_is_shown_with_its_goods(self):
        connection = self.connect(order_target="picking")
        wizard = self.wizard(connection)
        self.assertFalse(wizard.choice_ids)
        invoice = self.recent("1", [self.line(quantity=2), self.line("", quantity=1)])
        wizard = self.wizard(connection)
        self.show(wizard, invoice)
        self.assertEqual((wizard.outcome, len(wizard.line_ids)), ("done", 1))
        self.assertEqual(wizard.warehouse, self.warehouse.display_name)

    def test_an_invoice_that_is_an_order_already_is_shown_as_it_would_be_now_and_the_order_stays(self):
        connection = self.connect()
        invoice = self.recent("GC 1")
        self.run_import()
        order = self.order(invoice)
        connection.write({"mapping_ids": self.rules(("GC", self.second_warehouse))})
        wizard = self.wizard(connection)
        self.show(wizard, invoice)
        self.assertEqual((wizard.outcome, wizard.warehouse), ("done", self.second_warehouse.display_name))
        self.assertEqual(self.order(invoice), order)
        self.assertEqual((self.row(invoice).state, order.warehouse_id), ("done", self.warehouse))

    def test_the_newest_invoices_come_first_and_drafts_and_bills_are_left_out(self):
        connection = self.connect()
        for number in range(3):
            self.fake.clock.advance(60)
            newest = self.recent(f"order {number}")
        self.org.add_invoice(Type="ACCPAY", Contact={"ContactID": self.contact["ContactID"]}, LineItems=[self.line()])
        self.recent("draft", Status="DRAFT")
        choices = self.wizard(connection).choice_ids
        self.assertEqual(len(choices), 3)
        self.assertEqual(choices[0].number, newest["InvoiceNumber"])
