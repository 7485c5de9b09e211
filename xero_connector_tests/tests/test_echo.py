"""What was sent from here is in Xero's list, too: it never becomes an order of its own."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .export_case import ExportCase


class EchoCase(ExportCase):
    def both_ways(self, **settings):
        """A connection that sends orders and imports the others."""
        return self.exporting(import_orders=True, order_confirm=True, **settings)

    def poll(self, *connections):
        """One look at Xero; what waits is due."""
        self.env["xero.record"].search([("next_attempt", "!=", False), ("direction", "=", "in")]).next_attempt = False
        for connection in connections:
            connection.next_poll = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("poll", "process")

    def inbound(self, invoice, connection=None):
        rows = self.row(invoice).filtered(lambda row: row.direction == "in")
        return rows.filtered(lambda row: not connection or row.connection_id == connection)

    def orders(self):
        return self.env["sale.order"].search_count([])

    def outbound(self, connection, order, **values):
        """An outbound row of this order in a state a worker may have left it in."""
        records = self.env["xero.record"]
        return records.create(records._outgoing_values(connection, order) | values)

    def other_company(self):
        """A second company that is connected with the same organisation."""
        company = self.env["res.company"].create({"name": "Sister"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        return self.connect(name="Sister", company_id=company.id, warehouse_id=warehouse.id, user_id=False)


@tagged("post_install", "-at_install")
class TestEcho(EchoCase):
    def test_an_order_that_was_sent_does_not_come_back_as_another(self):
        connection = self.both_ways()
        order = self.sell()
        self.send(order)
        [invoice] = self.invoices()
        before = self.orders()
        self.poll(connection)
        row = self.inbound(invoice)
        self.assertEqual((row.state, row.problem_code), ("skipped", "exported"))
        self.assertIn(order.name, row.reason)
        self.assertEqual(self.orders(), before)

    def test_nor_does_a_posted_invoice(self):
        connection = self.both_ways(source="invoice")
        move = self.bill()
        self.send(move)
        [invoice] = self.invoices()
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).problem_code, "exported")
        self.assertIn(move.name, self.inbound(invoice).reason)

    def test_other_invoices_are_imported_all_the_same(self):
        connection = self.both_ways()
        self.send(self.sell())
        other = self.invoice(reference="from a web shop")
        self.poll(connection)
        self.assertEqual(self.inbound(other).state, "done")
        self.assertTrue(self.order(other))

    def test_it_is_left_alone_when_it_is_paid_or_voided_later_too(self):
        connection = self.both_ways()
        order = self.sell()
        self.send(order)
        [invoice] = self.invoices()
        before = self.orders()
        for status in ("PAID", "VOIDED"):
            self.org.update("Invoices", invoice["InvoiceID"], Status=status)
            self.poll(connection)
            self.assertEqual(self.inbound(invoice).problem_code, "exported", status)
        self.assertEqual((self.orders(), order.state), (before, "sale"))

    def test_an_order_that_arrived_with_another_total_is_ours_too(self):
        connection = self.both_ways()
        order = self.sell()
        invoice = self.invoice(reference="changed by hand")
        self.outbound(connection, order, state="failed", problem_code="total_differs", external_id=invoice["InvoiceID"])
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).problem_code, "exported")

    def test_the_log_forgets_imported_invoices_but_not_what_was_sent(self):
        connection = self.both_ways(log_days=1)
        order = self.sell()
        self.send(order)
        [invoice] = self.invoices()
        self.poll(connection)
        order.picking_ids.move_ids.write({"quantity": 2, "picked": True})
        order.picking_ids._action_done()
        self.env["xero.record"].search([]).done_at = fields.Datetime.now() - timedelta(days=2)
        self.env["xero.record"]._gc_finished()
        self.assertFalse(self.inbound(invoice))
        self.org.update("Invoices", invoice["InvoiceID"], Status="PAID")
        before = self.orders()
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).problem_code, "exported")
        self.assertEqual(self.orders(), before)

    def test_the_log_forgets_a_note_on_a_delivery_once_it_is_written(self):
        self.both_ways(export_deliveries=True, log_days=1)
        order = self.sell()
        self.send(order)
        order.picking_ids.move_ids.write({"quantity": 2, "picked": True})
        order.picking_ids._action_done()
        self.push()
        notes = self.env["xero.record"].search([("direction", "=", "out"), ("res_model", "=", "stock.picking")])
        self.assertEqual(notes.mapped("state"), ["done"])
        self.env["xero.record"]._gc_finished()
        self.assertTrue(notes.exists())
        notes.done_at -= timedelta(days=2)
        self.env["xero.record"]._gc_finished()
        self.assertFalse(notes.exists())

    def test_by_hand_it_is_refused_with_the_same_words(self):
        connection = self.both_ways()
        order = self.sell()
        self.send(order)
        [invoice] = self.invoices()
        row = self.press(connection._import_one, text=invoice["InvoiceNumber"])
        self.assertEqual((row.state, row.problem_code), ("skipped", "exported"))
        self.assertIn(order.name, row.reason)

    def test_a_dry_run_says_so_too(self):
        connection = self.both_ways()
        self.send(self.sell())
        with self.enter_registry_test_mode():
            drafts, _is_cut = connection._dry_run(fields.Date.today() - timedelta(days=30))
        self.assertEqual([draft.route.skip_code for draft in drafts], ["exported"])

    def test_a_delivery_note_of_ours_makes_no_imported_invoice_an_echo(self):
        connection = self.both_ways(export_deliveries=True)
        invoice = self.invoice()
        self.poll(connection)
        order = self.order(invoice)
        order.picking_ids.move_ids.write({"quantity": 2, "picked": True})
        order.picking_ids._action_done()
        self.push()
        self.org.update("Invoices", invoice["InvoiceID"], Status="PAID")
        self.poll(connection)
        self.assertEqual((self.inbound(invoice).state, self.inbound(invoice).res_id), ("done", order.id))


@tagged("post_install", "-at_install")
class TestDoubt(EchoCase):
    def test_while_an_answer_is_missing_what_may_be_ours_waits_and_is_ours_in_the_end(self):
        connection = self.both_ways()
        order = self.sell()
        self.fake.faults.add("PUT", "/Invoices$", kind="drop_after")
        self.send(order)
        [invoice] = self.invoices()
        self.assertEqual(self.out(order).state, "pending")
        before = self.orders()
        self.poll(connection)
        row = self.inbound(invoice)
        self.assertEqual((row.state, row.problem_code), ("pending", False))
        self.assertGreater(row.next_attempt, fields.Datetime.now())
        self.assertIn(order.name, row.reason)
        self.later(10)
        self.push()
        self.assertEqual(self.out(order).external_id, invoice["InvoiceID"])
        self.poll(connection)
        self.assertEqual((row.state, row.problem_code), ("skipped", "exported"))
        self.assertEqual(self.orders(), before)

    def test_a_strangers_invoice_with_that_reference_is_imported_once_the_outcome_is_known(self):
        connection = self.both_ways()
        order = self.sell()
        out = self.outbound(connection, order, request_key=f"{self.org.tenant_id}:key")
        invoice = self.invoice(reference=f" {order.name.lower()} ")
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).state, "pending")
        self.assertFalse(self.order(invoice))
        out.write({"state": "done", "request_key": False, "external_id": "another"})
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).state, "done")
        self.assertTrue(self.order(invoice))

    def test_what_failed_in_a_strange_way_after_it_was_sent_is_still_in_doubt(self):
        connection = self.both_ways()
        order = self.sell()
        key = f"{self.org.tenant_id}:key"
        self.outbound(connection, order, state="failed", problem_code="unexpected", request_key=key)
        invoice = self.invoice(reference=order.name)
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).state, "pending")

    def test_only_what_may_have_been_sent_makes_others_wait(self):
        connection = self.both_ways()
        order = self.sell()
        self.outbound(connection, order, next_attempt=fields.Datetime.now() + timedelta(days=1))
        invoice, other = self.invoice(reference=order.name), self.invoice()
        self.poll(connection)
        self.assertTrue(self.order(invoice), "nothing of the order was sent yet")
        self.assertTrue(self.order(other), "an invoice without reference is nobody's")

    def test_an_invoice_our_order_is_being_added_to_waits(self):
        connection = self.both_ways()
        invoice = self.invoice(reference="theirs")
        key = f"{self.org.tenant_id}:key"
        self.outbound(connection, self.sell(), request_key=key, appended_to=invoice["InvoiceID"])
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).state, "pending")
        self.assertFalse(self.order(invoice))

    def test_what_would_not_be_imported_anyway_does_not_wait(self):
        connection = self.both_ways(unmatched_action="ignore")
        order = self.sell()
        self.outbound(connection, order, request_key=f"{self.org.tenant_id}:key")
        invoice = self.invoice(reference=order.name)
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).problem_code, "no_match")


@tagged("post_install", "-at_install")
class TestEchoOfAnotherCompany(EchoCase):
    def test_what_one_company_sent_another_does_not_ship(self):
        self.exporting()
        sister = self.other_company()
        order = self.sell()
        self.send(order)
        [invoice] = self.invoices()
        self.poll(sister)
        row = self.inbound(invoice, sister)
        self.assertEqual(row.problem_code, "exported")
        self.assertIn(self.company.name, row.reason)
        self.assertNotIn(order.name, row.reason)

    def test_what_one_company_may_have_sent_another_waits_with(self):
        connection = self.exporting()
        sister = self.other_company()
        order = self.sell()
        self.outbound(connection, order, request_key=f"{self.org.tenant_id}:key")
        invoice = self.invoice(reference=order.name)
        self.poll(sister)
        self.assertEqual(self.inbound(invoice, sister).state, "pending")

    def test_a_connection_that_was_removed_has_sent_it_all_the_same(self):
        connection = self.exporting()
        self.send(self.sell())
        [invoice] = self.invoices()
        sister = self.other_company()
        self.press(connection.action_remove)
        self.assertFalse(connection.active or connection.tenant_id)
        self.poll(sister)
        self.assertEqual(self.inbound(invoice, sister).problem_code, "exported")

    def test_a_reference_that_is_on_its_way_to_another_organisation_is_nothing_to_us(self):
        connection = self.both_ways()
        order = self.sell()
        self.outbound(connection, order, request_key="another-organisation:key")
        invoice = self.invoice(reference=order.name)
        self.poll(connection)
        self.assertEqual(self.inbound(invoice).state, "done")


@tagged("post_install", "-at_install")
class TestCost(EchoCase):
    def test_the_guard_costs_the_same_for_many_invoices_as_for_one(self):
        connection = self.both_ways()
        self.send(self.sell())
        counts = []
        for number in (1, 20):
            for _each in range(number):
                self.invoice(reference="nobody's")
            self.poll(connection)
            drafts = self.env["xero.record"].search([("direction", "=", "in")])._route(connection)
            before = self.env.cr.sql_log_count
            self.env["xero.record"]._hold_echoes(connection, drafts)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])
