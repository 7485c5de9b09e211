"""What cannot be sent is told by cause, mended once, and tried again; nothing that arrived is ever sent again."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .export_case import ExportCase

CALL = "xero_connector.mail_activity_type_xero_problems"


@tagged("post_install", "-at_install")
class TestExportProblems(ExportCase):
    def setUp(self):
        super().setUp()
        self.customer.xero_auto_export = True

    def problems(self, state="failed"):
        self.env.flush_all()
        return self.env["xero.problem"].search([("state", "=", state)])

    def unmapped(self, connection):
        """Nothing of Odoo's is mapped to an account of Xero's any more."""
        connection.account_mapping_ids.account_ids = False

    def map_again(self, connection):
        connection.account_mapping_ids.filtered(lambda line: line.code == "200").account_ids = self.income

    def cent_apart(self, connection):
        """An order whose total Xero has a cent more of, which is not tolerated."""
        connection.total_tolerance = 0
        self.company.tax_calculation_rounding_method = "round_globally"
        order = self.sell(*[(self.bottle, 1, 0.37)] * 3)
        self.push()
        row = self.out(order)
        self.assertEqual((row.state, row.problem_code, row.total_difference), ("failed", "total_differs", 0.01))
        return order, row

    # === BY CAUSE === #

    def test_orders_that_fail_for_one_cause_are_one_problem_and_are_released_together(self):
        connection = self.exporting()
        self.unmapped(connection)
        orders = self.sell() | self.sell() | self.sell()
        self.push()
        [problem] = self.problems()
        self.assertEqual(
            (problem.resource, problem.problem_code, problem.record_count), ("document", "account_unmapped", 3)
        )
        self.assertEqual(problem.problem_subject, self.income.display_name)
        self.assertEqual(problem.record_ids, orders._xero_out_rows())
        self.map_again(connection)
        problem.action_release()
        self.push()
        self.assertEqual(orders._xero_out_rows().mapped("state"), ["done"] * 3)
        self.assertEqual(len(self.invoices()), 3)
        self.assertFalse(self.problems())

    def test_the_connection_counts_what_could_not_be_sent_and_calls_its_responsible_until_it_is_mended(self):
        connection = self.exporting()
        self.unmapped(connection)
        order = self.sell()
        self.push()
        self.assertEqual(connection.failed_count, 1)
        self.assertTrue(connection.activity_search([CALL]))
        self.map_again(connection)
        connection.action_retry_all()
        self.push()
        self.assertEqual(self.out(order).state, "done")
        self.assertEqual(connection.failed_count, 0)
        self.assertFalse(connection.activity_search([CALL]))

    def test_imported_orders_and_sent_ones_are_problems_of_their_own(self):
        connection = self.exporting(import_orders=True)
        self.unmapped(connection)
        self.customer.xero_warehouse_ids = self.second_warehouse
        connection.partner_id = self.customer
        imported = self.invoice()
        self.run_import(connection)
        self.sell()
        self.push()
        codes = {problem.resource: problem.problem_code for problem in self.problems()}
        self.assertEqual(codes, {"invoice": "warehouse_denied", "document": "account_unmapped"})
        [problem] = self.problems().filtered(lambda one: one.resource == "invoice")
        self.assertEqual(problem.record_ids, self.row(imported))

    def test_the_problems_of_another_company_stay_its_own(self):
        connection = self.exporting()
        self.unmapped(connection)
        self.sell()
        self.push()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="xero_connector.group_xero_user",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.assertTrue(self.problems())
        self.assertFalse(self.env["xero.problem"].with_user(stranger).search([]))

    # === MENDED WHERE === #

    def test_an_account_or_a_tax_that_is_not_mapped_leads_to_the_table(self):
        connection = self.exporting()
        self.unmapped(connection)
        connection.tax_mapping_ids.tax_ids = False
        order = self.sell()
        self.push()
        for code, model in (("account_unmapped", "xero.account.match"), ("tax_unmapped", "xero.tax.match")):
            [problem] = self.problems()
            self.assertEqual(problem.problem_code, code)
            action = self.out(order).action_mend()
            self.assertEqual((action["res_model"], action["domain"]), (model, [("connection_id", "=", connection.id)]))
            self.map_again(connection)
            problem.action_release()
            self.push()

    def test_a_line_without_tax_leads_to_the_connections_own_setting(self):
        connection = self.exporting()
        connection.export_untaxed_id = False
        self.env["xero.tax.match"].search([("line_id", "=", False)]).line_id = connection.tax_mapping_ids[:1]
        self.sell({"product_id": self.bottle.id, "product_uom_qty": 1, "tax_ids": [Command.clear()]})
        self.push()
        [problem] = self.problems()
        self.assertEqual(problem.problem_code, "tax_unmapped")
        action = problem.action_mend()
        self.assertEqual((action["res_model"], action["res_id"]), (connection._name, connection.id))

    def test_a_product_that_is_no_item_leads_to_where_products_are_mapped(self):
        self.exporting(description_source="xero")
        self.sell()
        self.push()
        [problem] = self.problems()
        self.assertEqual(problem.problem_code, "item_unmapped")
        action = problem.action_mend()
        self.assertEqual(action["res_model"], "xero.item.match")
        self.assertEqual(action["context"]["search_default_product_id"], self.bottle.id)

    def test_what_each_document_is_mended_at_itself_leads_to_the_document_or_to_all_of_them(self):
        self.exporting("invoice")
        self.fake.faults.add(path="/Invoices", method="PUT", kind="status", status=400, times=None)
        move = self.bill()
        self.push()
        [problem] = self.problems()
        self.assertEqual(problem.mending, move)
        action = problem.action_mend()
        self.assertEqual((action["res_model"], action["res_id"]), ("account.move", move.id))
        moves = move | self.bill()
        self.push()
        action = self.problems().action_mend()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), moves._xero_out_rows())

    # === TRY AGAIN === #

    def test_trying_again_sends_what_odoo_has_now(self):
        connection = self.exporting()
        self.unmapped(connection)
        order = self.sell((self.bottle, 2, 20))
        self.push()
        self.map_again(connection)
        order.order_line.price_unit = 30
        self.out(order).action_retry()
        self.push()
        [invoice] = self.invoices()
        self.assertEqual(invoice["Total"], order.amount_total)

    def test_trying_again_rings_for_sending_and_not_for_the_import(self):
        connection = self.exporting()
        self.unmapped(connection)
        order = self.sell()
        self.push()
        crons = {name: self.env.ref(f"xero_connector.ir_cron_{name}") for name in ("push", "process", "items")}
        self.env["ir.cron.trigger"].search([]).unlink()
        self.out(order).action_retry()
        rung = self.env["ir.cron.trigger"].search([]).cron_id
        self.assertEqual(rung & (crons["push"] | crons["process"] | crons["items"]), crons["push"])

    def test_what_waits_for_its_day_goes_at_once_when_somebody_asks(self):
        self.exporting(export_interval="daily").next_daily_push = fields.Datetime.now() + timedelta(hours=5)
        order = self.sell()
        self.push()
        self.assertFalse(self.invoices())
        self.out(order).action_retry()
        self.push()
        self.assertEqual(len(self.invoices()), 1)

    def test_what_may_have_arrived_is_looked_for_before_it_goes_again(self):
        self.exporting()
        order = self.sell()
        self.fake.faults.add(path="/Invoices", method="PUT", kind="drop_after")
        self.push()
        row = self.out(order)
        self.assertEqual((row.state, len(self.invoices())), ("pending", 1))
        self.later(60)
        row.action_retry()
        self.push()
        self.assertEqual((row.state, row.external_id), ("done", self.invoices()[0]["InvoiceID"]))
        self.assertEqual(len(self.invoices()), 1, "found, not sent again")

    def credit_not_allocated(self):
        """A credit note that Xero took, and did not allocate to its invoice."""
        self.exporting("invoice")
        move = self.bill()
        self.push()
        self.fake.faults.add(path="/Allocations", kind="status", status=400)
        note = move._reverse_moves([{"invoice_date": fields.Date.today()}])
        note.action_post()
        self.push()
        return note

    def test_a_credit_note_that_was_not_allocated_is_allocated_and_not_made_again(self):
        note = self.credit_not_allocated()
        row = self.out(note)
        self.assertEqual((row.state, row.problem_code), ("failed", "not_allocated"), row.reason)
        row.action_retry()
        self.push()
        self.assertEqual((row.state, len(self.credit_notes())), ("done", 1), row.reason)
        self.assertEqual(row.allocated, note.amount_total)

    def test_a_credit_note_that_somebody_allocates_in_xero_can_be_left_as_it_is(self):
        note = self.credit_not_allocated()
        row = self.out(note)
        row.action_ignore(reason="paid back")
        self.assertEqual((row.state, row.problem_code), ("done", False))
        self.assertIn("paid back", row.reason)
        self.push()
        self.assertFalse(self.credit_notes()[0]["Allocations"])

    # === TOTALS === #

    def test_a_total_that_was_corrected_in_xero_is_proven_anew_and_nothing_sent_again(self):
        connection = self.exporting()
        _order, row = self.cent_apart(connection)
        writes = len(self.written())
        row.action_retry()
        self.push()
        self.assertEqual((row.state, row.problem_code), ("failed", "total_differs"), "nothing was corrected yet")
        [invoice] = self.invoices()
        lines = [dict(line) for line in invoice["LineItems"]]
        lines[0]["TaxAmount"] = 0.05
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=lines)
        self.assertEqual(self.invoices()[0]["Total"], 1.28)
        row.action_retry()
        self.push()
        self.assertEqual((row.state, row.total_difference, row.xero_total), ("done", 0, 1.28), row.reason)
        self.assertEqual(len(self.written()), writes)

    def test_a_total_that_was_corrected_in_odoo_is_proven_anew(self):
        connection = self.exporting()
        order, row = self.cent_apart(connection)
        self.company.tax_calculation_rounding_method = "round_per_line"
        self.env.add_to_compute(order._fields["amount_total"], order)
        order._compute_amounts()
        self.assertEqual(order.amount_total, 1.29)
        row.action_retry()
        self.push()
        self.assertEqual((row.state, row.amount_total, row.total_difference), ("done", 1.29, 0), row.reason)
        self.assertEqual(len(self.invoices()), 1)

    def test_a_difference_somebody_accepts_is_accepted_for_good(self):
        connection = self.exporting()
        order, row = self.cent_apart(connection)
        row.action_ignore(reason="a cent is a cent")
        self.assertEqual((row.state, row.problem_code), ("done", False))
        self.assertIn(self.env.user.name, row.reason)
        self.assertIn("a cent is a cent", row.reason)
        self.assertEqual((order.xero_export_state, connection.failed_count), ("sent", 0))
        with self.assertRaises(UserError):
            row.action_retry()
        self.push()
        self.assertEqual((row.state, len(self.invoices())), ("done", 1))

    def test_a_document_with_a_difference_that_was_voided_in_xero_is_settled(self):
        connection = self.exporting()
        _order, row = self.cent_apart(connection)
        self.org.void(row.external_id)
        row.action_retry()
        self.push()
        self.assertEqual((row.state, row.xero_status), ("done", "VOIDED"))

    def test_an_outage_while_looking_again_loses_nothing(self):
        connection = self.exporting()
        _order, row = self.cent_apart(connection)
        row.action_retry()
        self.fake.faults.add(path="/Invoices", method="GET", kind="status", status=503, times=None)
        self.push()
        self.assertEqual((row.state, row.total_difference), ("pending", 0.01))
        self.fake.faults.clear()
        self.later(10)
        self.push()
        self.assertEqual((row.state, row.problem_code), ("failed", "total_differs"))

    # === IGNORE === #

    def test_an_order_that_is_ignored_is_never_sent_until_somebody_takes_that_back(self):
        connection = self.exporting()
        self.unmapped(connection)
        order = self.sell()
        self.push()
        row = self.out(order)
        row.action_ignore(reason="billed by hand")
        self.assertEqual((row.state, row.problem_code), ("skipped", "ignored"))
        self.assertFalse(connection.activity_search([CALL]))
        self.map_again(connection)
        self.env["xero.record"]._put_document_out(connection, order)
        order.order_line.product_uom_qty = 9
        self.push()
        self.assertFalse(self.invoices())
        self.assertEqual(self.out(order), row)
        row.action_unignore()
        self.push()
        self.assertEqual(self.invoices()[0]["LineItems"][0]["Quantity"], 9)

    # === PAYMENTS === #

    def refused_payment(self):
        """An invoice that is paid in Xero, and an Odoo that did not take the payment."""
        journal = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1
        )
        self.exporting("invoice", payment_journal_id=journal.id)
        move = self.bill()
        self.push()
        self.org.add_payment(self.out(move).external_id)
        self.later(20)
        register = self.env.registry["account.payment.register"]
        with patch.object(register, "_create_payments", side_effect=UserError("Another addon forbids it.")):
            self.push()
        row = self.env["xero.record"].search([("resource", "=", "payment")])
        self.assertEqual((row.state, row.problem_code), ("failed", "odoo_refused"), row.reason)
        return move, row

    def test_a_payment_odoo_refused_is_a_problem_and_registered_once_when_tried_again(self):
        move, row = self.refused_payment()
        [problem] = self.problems()
        self.assertEqual((problem.resource, problem.mending), ("payment", move))
        problem.action_release()
        self.assertEqual(row.state, "done", row.reason)
        self.assertEqual(row._document().amount, move.amount_total)
        self.assertIn(move.payment_state, ("paid", "in_payment"))
        self.assertFalse(row.connection_id.activity_search([CALL]))
        with self.assertRaises(UserError):
            row.action_retry()

    def test_a_payment_that_is_ignored_is_not_registered(self):
        move, row = self.refused_payment()
        row.action_ignore(reason="booked from the bank statement")
        self.later(20)
        self.push()
        self.assertEqual((row.state, move.payment_state), ("skipped", "not_paid"))

    # === MEMORY === #

    def test_the_log_never_forgets_what_was_sent(self):
        connection = self.exporting()
        connection.log_days = 1
        order = self.sell()
        self.push()
        row = self.out(order)
        row.done_at -= timedelta(days=400)
        self.env["xero.record"]._gc_finished()
        self.assertTrue(row.exists() and row.line_ids)
