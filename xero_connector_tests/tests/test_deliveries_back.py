"""Deliveries told back to Xero: a note in the invoice's history, once and for ever."""

from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.fields import Command
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.xero_connector import const

from .common import XeroCase


class DeliveriesCase(XeroCase):
    def connected(self, **settings):
        return self.connect(**{"export_deliveries": True, "order_confirm": True} | settings)

    def shipped(self, invoice, quantity=None):
        """Ship what the invoice asks for, or this quantity of each line."""
        picking = self.picking(invoice).filtered(lambda picking: picking.state not in ("done", "cancel"))
        return self.ship(picking, quantity)

    def ship(self, picking, quantity=None):
        for move in picking.move_ids:
            move.write({"quantity": move.product_uom_qty if quantity is None else quantity, "picked": True})
        picking._action_done()
        return picking

    def notes(self, invoice):
        """The texts of the notes that were written through the API."""
        return [entry["Details"] for entry in self.history(invoice)]

    def history(self, invoice):
        history = self.org.record("Invoices", invoice["InvoiceID"]).history
        return [entry for entry in history if (entry["Changes"], entry["User"]) == ("Note", const.API_AUTHOR)]

    def out(self, picking):
        return self.env["xero.record"].search(
            [("direction", "=", "out"), ("res_model", "=", "stock.picking"), ("res_id", "=", picking.id)]
        )

    def row(self, invoice):
        return super().row(invoice).filtered(lambda row: row.direction == "in")

    def turn(self):
        """One turn of sending; limits have ended, and what waits is due."""
        self.env["xero.budget"].search([]).blocked_until = False
        self.env["xero.connection"].search([]).blocked_until = False
        self.env["xero.record"].search([("next_attempt", "!=", False)]).next_attempt = False
        self.run_cron("push")

    def imported(self, **settings):
        """A transfer of an imported invoice, ready to ship."""
        connection = self.connected(**settings)
        invoice = self.invoice()
        self.run_import()
        return connection, invoice


@tagged("post_install", "-at_install")
class TestNotes(DeliveriesCase):
    def test_a_delivery_is_noted_on_its_invoice(self):
        _connection, invoice = self.imported()
        picking = self.shipped(invoice)
        row = self.out(picking)
        self.assertEqual((row.state, row.external_id), ("pending", invoice["InvoiceID"]))
        self.assertFalse(self.notes(invoice), "no call is made while goods are shipped")
        self.turn()
        [note] = self.notes(invoice)
        self.assertIn(picking.name, note)
        self.assertIn("Delivered", note)
        self.assertIn("2 Units [BOTTLE] Drink bottle", note)
        self.assertEqual((row.state, row.attempts), ("done", 1))
        self.assertIn("history", picking.message_ids[0].body)
        self.turn()
        self.assertEqual(len(self.notes(invoice)), 1)

    def test_a_delivery_without_sale_order_is_noted_too(self):
        _connection, invoice = self.imported(order_target="picking")
        self.shipped(invoice)
        self.turn()
        self.assertEqual(len(self.notes(invoice)), 1)

    def test_nothing_is_noted_unless_the_connection_says_so(self):
        connection, invoice = self.imported(export_deliveries=False)
        picking = self.shipped(invoice)
        self.assertFalse(self.out(picking))
        self.assertIn("accounting.invoices.read", connection._required_scopes())

    def test_what_waits_when_the_setting_is_switched_off_is_not_written(self):
        connection, invoice = self.imported()
        picking = self.shipped(invoice)
        connection.export_deliveries = False
        self.turn()
        self.assertEqual(self.out(picking).problem_code, "kept_out")
        self.assertFalse(self.notes(invoice))

    def test_each_backorder_writes_a_note_of_its_own(self):
        _connection, invoice = self.imported()
        first = self.shipped(invoice, quantity=1)
        second = self.shipped(invoice)
        self.assertEqual(second.backorder_id, first)
        self.turn()
        notes = self.notes(invoice)
        self.assertEqual(len(notes), 2)
        for picking, note in zip((first, second), notes, strict=True):
            self.assertIn(picking.name, note)
            self.assertIn("1 Units [BOTTLE]", note)

    def test_what_comes_back_is_noted_as_returned(self):
        _connection, invoice = self.imported()
        picking = self.shipped(invoice)
        wizard = self.env["stock.return.picking"].with_context(
            active_id=picking.id, active_ids=picking.ids, active_model="stock.picking"
        ).create({})
        wizard.product_return_moves.quantity = 1
        returned = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        self.ship(returned)
        self.turn()
        delivered, came_back = self.notes(invoice)
        self.assertIn("Delivered", delivered)
        self.assertIn("Returned", came_back)
        self.assertIn(returned.name, came_back)
        self.assertIn("1 Units", came_back)

    def test_only_the_step_that_reaches_the_customer_is_noted(self):
        self.warehouse.delivery_steps = "pick_ship"
        _connection, invoice = self.imported()
        picked = self.shipped(invoice)
        self.assertFalse(self.out(picked))
        delivered = self.ship(picked.move_ids.move_dest_ids.picking_id)
        self.assertTrue(self.out(delivered))
        self.turn()
        self.assertEqual(len(self.notes(invoice)), 1)

    def test_a_note_that_is_too_long_is_cut(self):
        connection = self.connected()
        products = [self._make_product(f"P-{number:03}", "Thing with a long name " * 3, 5) for number in range(60)]
        for product in products:
            self.org.add_item(Code=product.default_code, Name=product.default_code)
        invoice = self.invoice(lines=[self.line(product.default_code, quantity=1) for product in products])
        self.run_import(connection)
        self.shipped(invoice)
        self.turn()
        [note] = self.notes(invoice)
        self.assertEqual(len(note), const.NOTE_LENGTH)
        self.assertTrue(note.endswith("…"))

    def test_quantities_of_one_product_are_told_in_one_sum(self):
        self.connected()
        invoice = self.invoice(lines=[self.line(quantity=2), self.line(quantity=3), self.line("MUG", quantity=1.5)])
        self.run_import()
        self.shipped(invoice)
        self.turn()
        [note] = self.notes(invoice)
        self.assertIn("5 Units [BOTTLE]", note)
        self.assertIn("1.5 Units [MUG]", note)

    def test_a_transfer_of_nobody_in_xero_is_not_noted(self):
        self.connected()
        order = self.env["sale.order"].create(
            {"partner_id": self.env.user.partner_id.id, "order_line": [Command.create({"product_id": self.mug.id})]}
        )
        order.action_confirm()
        self.assertFalse(self.out(self.ship(order.picking_ids)))

    def test_the_next_connection_to_the_organisation_notes_what_a_removed_one_imported(self):
        connection, invoice = self.imported()
        self.press(connection.action_remove)
        heir = self.connected(name="Heir")
        self.run_import(heir)
        picking = self.shipped(invoice)
        self.assertEqual(self.out(picking).connection_id, heir)
        self.turn()
        self.assertEqual(len(self.notes(invoice)), 1)

    def test_who_ships_needs_no_rights_on_the_log(self):
        _connection, invoice = self.imported()
        picker = new_test_user(self.env, "delivery-picker", groups="stock.group_stock_user")
        picking = self.picking(invoice).with_user(picker)
        self.ship(picking)
        self.assertTrue(self.out(picking.with_env(self.env)))


@tagged("post_install", "-at_install")
class TestNotesOfSentOrders(DeliveriesCase):
    def setUp(self):
        super().setUp()
        self.connection = self.connected()
        self.order_here = self.env["sale.order"].create(
            {"partner_id": self.env.user.partner_id.id, "order_line": [Command.create({"product_id": self.mug.id})]}
        )
        self.order_here.action_confirm()
        self.sent = self.invoice(reference=self.order_here.name)

    def sent_row(self, **values):
        return self.env["xero.record"].create(
            {
                "connection_id": self.connection.id,
                "direction": "out",
                "resource": "invoice",
                "res_model": "sale.order",
                "res_id": self.order_here.id,
                "number": self.order_here.name,
            }
            | values
        )

    def test_an_order_that_was_sent_gets_its_deliveries_noted(self):
        self.sent_row(state="done", external_id=self.sent["InvoiceID"])
        picking = self.ship(self.order_here.picking_ids)
        self.turn()
        [note] = self.notes(self.sent)
        self.assertIn(picking.name, note)

    def test_a_delivery_before_its_order_was_sent_waits_for_it(self):
        row = self.sent_row()
        picking = self.ship(self.order_here.picking_ids)
        self.turn()
        self.assertEqual(self.out(picking).state, "pending")
        self.assertIn(self.order_here.name, self.out(picking).reason)
        self.assertGreater(self.out(picking).next_attempt, fields.Datetime.now())
        row.write({"state": "done", "external_id": self.sent["InvoiceID"]})
        self.turn()
        self.assertEqual(self.out(picking).state, "done")
        self.assertEqual(len(self.notes(self.sent)), 1)

    def test_an_order_that_somebody_ignores_gets_no_note(self):
        row = self.sent_row()
        picking = self.ship(self.order_here.picking_ids)
        self.env.cr.flush()  # what shipping asks for is done with
        row.write({"state": "skipped", "problem_code": "ignored"})
        self.turn()
        self.assertEqual(self.out(picking).problem_code, "nothing_to_send")


@tagged("post_install", "-at_install")
class TestNeverTwice(DeliveriesCase):
    def setUp(self):
        super().setUp()
        self.connection, self.sold = self.imported()
        self.transfer = self.shipped(self.sold)

    def test_a_note_whose_answer_was_lost_is_found_and_not_written_again(self):
        self.fake.faults.add("PUT", "/History$", kind="drop_after")
        self.turn()
        row = self.out(self.transfer)
        self.assertEqual((row.state, len(self.notes(self.sold))), ("pending", 1))
        self.assertTrue(row.request_key)
        self.fake.reset_log()
        self.turn()
        self.assertEqual((row.state, len(self.notes(self.sold))), ("done", 1))
        self.assertFalse(self.fake.calls("PUT", "/History"), "asked for, not written")
        self.assertFalse(row.request_key)

    def test_it_is_found_however_xero_keeps_spaces_and_ends_of_lines(self):
        self.fake.faults.add("PUT", "/History$", kind="drop_after")
        self.turn()
        [entry] = self.history(self.sold)
        entry["Details"] = entry["Details"].replace("\n", "\r\n") + " "
        self.turn()
        self.assertEqual(self.out(self.transfer).state, "done")
        self.assertEqual(len(self.notes(self.sold)), 1)

    def test_what_did_not_arrive_is_written_under_the_very_key_it_had(self):
        self.fake.faults.add("PUT", "/History$", kind="drop_before")
        self.turn()
        self.turn()
        keys = [call.headers["idempotency-key"] for call in self.fake.calls("PUT", "/History")]
        self.assertEqual(len(set(keys)), 1)
        self.assertEqual(len(self.notes(self.sold)), 1)
        self.assertEqual(self.out(self.transfer).state, "done")

    def test_a_worker_that_died_after_its_intent_leaves_a_note_that_is_looked_for_first(self):
        row = self.out(self.transfer)
        row.request_key = "ours"
        self.turn()
        methods = [call.method for call in self.fake.calls(path="/History")]
        self.assertEqual(methods, ["GET", "PUT"])
        self.assertEqual(len(self.notes(self.sold)), 1)

    def test_an_invoice_that_is_gone_ends_the_note_with_the_reason(self):
        table = self.org.tables["Invoices"]
        table.remove(table.get(self.sold["InvoiceID"]))
        self.turn()
        row = self.out(self.transfer)
        self.assertEqual((row.state, row.problem_code), ("skipped", "deleted"))
        self.assertTrue(row.reason)

    def test_a_note_that_xero_refuses_fails_with_its_words(self):
        body = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "No",
                "Elements": [{"ValidationErrors": [{"Message": "Not on this one."}]}]}
        self.fake.faults.add("PUT", "/History$", status=400, body=body)
        self.turn()
        row = self.out(self.transfer)
        self.assertEqual((row.state, row.problem_code), ("failed", "xero_rejected"))
        self.assertIn("Not on this one.", row.reason)
        self.press(row.action_retry)
        self.turn()
        self.assertEqual(row.state, "done")

    def test_a_limit_of_xeros_makes_it_wait_and_leaves_no_doubt(self):
        self.fake.faults.add(
            "PUT", "/History$", status=429, headers={"X-Rate-Limit-Problem": "minute", "Retry-After": "20"}
        )
        self.turn()
        row = self.out(self.transfer)
        self.assertEqual((row.state, row.request_key), ("pending", False))
        self.turn()
        self.assertEqual(row.state, "done")
        self.assertFalse(self.fake.calls("GET", "/History"))

    def test_calls_that_are_kept_for_orders_stop_only_the_notes(self):
        budget = self.env["xero.budget"].search([("tenant_id", "=", self.org.tenant_id)])
        budget.write({"minute_left": 1, "minute_ends": fields.Datetime.now() + timedelta(minutes=1)})
        self.run_cron("push")
        self.assertEqual(self.out(self.transfer).state, "pending")
        self.assertFalse(self.connection.blocked_until)
        self.assertFalse(self.notes(self.sold))

    def test_a_consent_for_reading_holds_the_notes_and_nothing_else(self):
        self.connection.sudo().grant_id.scopes = " ".join(const.SCOPE_NEEDS)
        self.connection.invalidate_recordset()
        self.assertIn("accounting.invoices", self.connection.missing_scopes)
        self.turn()
        self.assertEqual(self.out(self.transfer).state, "pending")
        self.assertFalse(self.fake.calls(path="/History"))
        other = self.invoice()
        self.run_import()
        self.assertTrue(self.order(other))

    def test_while_one_worker_sends_another_writes_nothing(self):
        with db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", (0x58A2, self.connection.id))
            self.turn()
            self.assertFalse(self.fake.calls(path="/History"))
        self.turn()
        self.assertEqual(len(self.notes(self.sold)), 1)

    def test_a_transfer_has_one_row_even_where_it_is_finished_again(self):
        self.transfer._action_done()
        self.assertEqual(len(self.out(self.transfer)), 1)
        values = self.out(self.transfer).copy_data()[0]
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.env["xero.record"].create({name: values[name] for name in values if name != "part"})


@tagged("post_install", "-at_install")
class TestOwnNotes(DeliveriesCase):
    def test_our_own_note_does_not_come_back_as_instructions(self):
        self.connected(note_target="delivery")
        invoice = self.invoice()
        self.run_import()
        self.shipped(invoice)
        self.turn()
        self.assertEqual(len(self.notes(invoice)), 1)
        self.org.update("Invoices", invoice["InvoiceID"], Reference="changed")
        self.run_import()
        self.assertFalse(self.order(invoice).delivery_instructions)
        self.assertFalse(self.row(invoice).last_note)

    def test_a_persons_note_before_ours_is_still_the_newest_of_a_person(self):
        self.connected(note_target="delivery")
        invoice = self.invoice()
        self.org.add_history_note(invoice["InvoiceID"], "Leave at the gate")
        self.run_import()
        self.shipped(invoice)
        self.turn()
        self.org.update("Invoices", invoice["InvoiceID"], DueDate="2027-01-01")
        self.run_import()
        self.assertEqual(self.order(invoice).delivery_instructions, "Leave at the gate")
