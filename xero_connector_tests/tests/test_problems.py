from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import XeroCase


def _refuse(*_args):
    raise UserError("Another addon forbids it.")


@tagged("post_install", "-at_install")
class TestProblems(XeroCase):
    """One cause, one row, one fix, N orders released."""

    def problems(self, connection=None):
        domain = [("connection_id", "=", connection.id)] if connection else []
        self.env.flush_all()
        return self.env["xero.problem"].search([*domain, ("state", "=", "failed")])

    def unknown(self, *codes):
        """Invoices with these codes, which no product has."""
        for code in set(codes):
            if not any(row.data["Code"] == code for row in self.org.tables["Items"]):
                self.org.add_item(Code=code, Name=code)
        return [self.invoice(f"r{number}", [self.line(code)]) for number, code in enumerate(codes)]

    def test_failures_are_grouped_by_cause_with_a_count(self):
        connection = self.connect()
        self.unknown("GLASS", "GLASS", "GLASS", "PLATE")
        self.run_import(connection)
        problems = self.problems(connection)
        self.assertEqual(
            problems.mapped(lambda p: (p.display_name, p.record_count)),
            [("Unknown item code: GLASS", 3), ("Unknown item code: PLATE", 1)],
        )
        self.assertIn("“GLASS”", problems[0].reason)
        self.assertEqual(len(problems[0].record_ids), 3)

    def test_mending_a_code_once_releases_all_its_orders_and_no_other(self):
        connection = self.connect()
        invoices = self.unknown("GLASS", "GLASS", "PLATE")
        self.run_import(connection)
        action = self.problems(connection)[0].action_mend()
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({"product_id": self.mug.id})
        self.assertEqual((wizard.item_code, wizard.waiting_count), ("GLASS", 2))
        wizard.action_confirm()
        self.run_cron("process")
        self.assertEqual([bool(self.order(invoice)) for invoice in invoices], [True, True, False])
        self.assertEqual(self.order(invoices[0]).order_line.product_id, self.mug)
        self.assertEqual(self.problems(connection).problem_subject, "PLATE")

    def test_where_no_product_exists_yet_mending_makes_products_of_xeros_items(self):
        connection = self.connect()
        [invoice] = self.unknown("GLASS")
        self.run_import(connection)
        self.assertEqual(connection.next_step, "mend", "until something came, that is what matters")
        action = connection.action_next_step()
        [problem] = self.env[action["res_model"]].search(action["domain"])
        action = problem.action_mend()
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        self.assertFalse(wizard.record_id, "Xero's catalogue was never read")
        catalogue = wizard.action_read_items()["params"]["next"]
        self.assertEqual(catalogue["res_model"], "xero.item.match")
        self.run_cron("items")
        item = self.env["xero.item.match"].search([*catalogue["domain"], ("item_code", "=", "GLASS")])
        item.action_create_here()
        problem.action_release()
        self.run_cron("process")
        self.assertEqual(self.order(invoice).order_line.product_id.default_code, "GLASS")
        self.assertEqual(connection.next_step, "import")

    def test_a_code_made_an_internal_reference_mends_all_connections_of_the_company(self):
        plain = self.env["product.product"].create({"name": "Glass", "type": "consu"})
        first = self.connect()
        invoices = self.unknown("GLASS")
        self.org = self.fake.add_organisation("Second", currency=self.org.currency)
        self.contact = self.org.add_contact(Name="Second Ltd", Addresses=self.contact["Addresses"])
        self.connect()
        invoices += self.unknown("GLASS")
        self.run_import()
        wizard = self.env["xero.mend.code"].create(
            {"connection_id": first.id, "item_code": "GLASS", "how": "reference", "product_id": plain.id}
        )
        self.assertEqual(wizard.waiting_count, 2)
        wizard.action_confirm()
        self.run_cron("process")
        self.assertEqual(plain.default_code, "GLASS")
        self.assertTrue(all(self.order(invoice) for invoice in invoices))

    def test_a_product_that_has_a_reference_already_keeps_it(self):
        connection = self.connect()
        self.unknown("GLASS")
        self.run_import(connection)
        wizard = self.env["xero.mend.code"].create(
            {"connection_id": connection.id, "item_code": "GLASS", "how": "reference", "product_id": self.mug.id}
        )
        with self.assertRaisesRegex(UserError, "has the internal reference MUG already"):
            wizard.action_confirm()
        self.assertEqual(self.mug.default_code, "MUG")

    def test_the_product_of_the_same_name_is_proposed(self):
        connection = self.connect()
        glass = self.env["product.product"].create({"name": "glass 20 cl", "type": "consu"})
        self.org.add_item(Code="GLASS", Name="Glass 20 cl")
        self.invoice("r", [self.line("GLASS", Description="Glass 20 cl")])
        self.run_import(connection)
        action = self.problems(connection).action_mend()
        wizard = self.env["xero.mend.code"].with_context(**action["context"]).new({})
        self.assertEqual((wizard.description, wizard.product_id._origin), ("Glass 20 cl", glass))

    def test_each_cause_leads_to_the_record_that_mends_it(self):
        customer = self.env["res.partner"].create(
            {"name": "Kiwi Ltd", "xero_warehouse_ids": [Command.set(self.second_warehouse.ids)]}
        )
        connection = self.connect(partner_id=customer.id)
        self.invoice()
        self.run_import(connection)
        problem = self.problems(connection)
        self.assertEqual((problem.problem_code, problem.mending), ("warehouse_denied", customer))
        action = problem.action_mend()
        self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", customer.id))
        customer.xero_warehouse_ids += self.warehouse
        problem.action_release()
        self.run_cron("process")
        self.assertFalse(self.problems(connection))

    def test_a_held_change_leads_to_its_order(self):
        connection = self.connect(order_confirm=True)
        invoice = self.invoice()
        self.run_import(connection)
        order = self.order(invoice)
        order.picking_ids.move_ids.picked = True
        self.org.void(invoice["InvoiceID"])
        self.run_import(connection)
        self.assertEqual(self.problems(connection).mending, order)

    def test_who_may_not_mend_it_reads_so_and_the_warehouse_decides_at_the_transfer(self):
        picker = new_test_user(
            self.env, "picker", groups="stock.group_stock_user,xero_connector.group_xero_user", tz="UTC"
        )
        connection = self.connect(order_confirm=True)
        held = self.invoice("1")
        self.run_import(connection)
        row = self.row(held)
        row.write({"state": "failed", "problem_code": "void_held", "mending": f"sale.order,{row.res_id}"})
        self.env.flush_all()
        [problem] = self.env["xero.problem"].search([("problem_code", "=", "void_held")])
        action = problem.with_user(picker).action_mend()
        self.assertEqual((action["res_model"], action["res_id"]), ("stock.picking", self.order(held).picking_ids.id))
        self.assertEqual(problem.action_mend()["res_model"], "sale.order", "whoever sells")
        row.write({"problem_code": "unknown_code", "problem_subject": "GLASS", "mending": False})
        self.env.flush_all()
        [problem] = self.env["xero.problem"].search([("problem_code", "=", "unknown_code")])
        with self.assertRaisesRegex(UserError, "a manager of Xero says here"):
            problem.with_user(picker).action_mend()

    def test_what_nothing_in_odoo_mends_says_so(self):
        connection = self.connect()
        self.invoice()
        with patch.object(type(self.env["sale.order"]), "create", _refuse):
            self.run_import(connection)
        with self.assertRaisesRegex(UserError, "Nothing in Odoo mends this"):
            self.problems(connection).action_mend()

    def test_a_quantity_finer_than_odoo_keeps_is_refused_and_leads_to_the_precision(self):
        connection = self.connect()
        self.invoice("r", [self.line(quantity=2.345)])
        self.run_import(connection)
        problem = self.problems(connection)
        self.assertIn("BOTTLE: Odoo keeps 2 decimals of a quantity, this one is 2.345.", problem.reason)
        problem.mending.digits = 3
        problem.action_release()
        self.run_cron("process")
        self.assertEqual(self.env["sale.order"].search([], limit=1).order_line.product_uom_qty, 2.345)

    def test_skipped_invoices_are_released_after_a_rule_was_added(self):
        connection = self.connect(unmatched_action="ignore")
        invoices = [self.invoice("order GC 1"), self.invoice("order GC 2")]
        self.run_import(connection)
        connection.mapping_ids = self.rules(("GC", self.second_warehouse))
        skipped = self.env["xero.problem"].search([("connection_id", "=", connection.id), ("state", "=", "skipped")])
        self.assertEqual(skipped.mapped(lambda p: (p.problem_code, p.record_count)), [("no_match", 2)])
        self.assertEqual(skipped.mending, connection)
        skipped.action_release()
        self.run_cron("process")
        self.assertTrue(all(self.order(invoice) for invoice in invoices))

    def test_releasing_one_connections_problem_leaves_anothers_alone(self):
        first = self.connect()
        [one] = self.unknown("GLASS")
        self.org = self.fake.add_organisation("Second", currency=self.org.currency)
        self.contact = self.org.add_contact(Name="Second Ltd", Addresses=self.contact["Addresses"])
        self.connect()
        [other] = self.unknown("GLASS")
        self.run_import()
        self.problems(first).action_release()
        self.assertEqual((self.row(one).state, self.row(other).state), ("pending", "failed"))

    def test_a_problem_that_is_gone_meanwhile_means_no_other(self):
        connection = self.connect()
        self.unknown("GLASS", "PLATE")
        self.run_import(connection)
        glass = self.problems(connection).filtered(lambda problem: problem.problem_subject == "GLASS")
        glass._rows().sudo().write({"problem_subject": "OTHER"})
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(UserError):
            glass.action_release()
        self.assertEqual(set(connection.record_ids.mapped("state")), {"failed", "done"})

    def test_retry_all_tries_everything_that_failed(self):
        connection = self.connect()
        invoices = self.unknown("GLASS", "PLATE")
        self.run_import(connection)
        for code in ("GLASS", "PLATE"):
            self._make_product(code, code, 1)
        connection.action_retry_all()
        self.run_cron("process")
        self.assertTrue(all(self.order(invoice) for invoice in invoices))
        with self.assertRaisesRegex(UserError, "Nothing has failed"):
            connection.action_retry_all()

    def test_what_cannot_pass_by_itself_is_not_tried_again_by_itself(self):
        connection = self.connect()
        [invoice] = self.unknown("GLASS")
        self.run_import(connection)
        attempts = self.row(invoice).attempts
        self.run_import(connection)
        self.run_cron("process")
        self.assertEqual((self.row(invoice).attempts, self.row(invoice).next_attempt), (attempts, False))

    def test_ignoring_asks_for_a_reason_and_can_be_taken_back(self):
        connection = self.connect()
        [invoice] = self.unknown("GLASS")
        self.run_import(connection)
        action = self.problems(connection).action_ask_ignore()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        wizard.create({"reason": "Sold at the counter"}).action_confirm()
        row = self.row(invoice)
        self.assertEqual((row.state, row.problem_code), ("skipped", "ignored"))
        self.assertIn("Sold at the counter", row.reason)
        self._make_product("GLASS", "Glass", 1)
        row.action_unignore()
        self.run_cron("process")
        self.assertTrue(self.order(invoice))
        with self.assertRaisesRegex(UserError, "None of these is ignored"):
            row.action_unignore()

    def test_a_plain_xero_user_may_release_but_not_map(self):
        connection = self.connect()
        self.unknown("GLASS")
        self.run_import(connection)
        user = new_test_user(self.env, "log-reader", groups="xero_connector.group_xero_user")
        self.problems(connection).with_user(user).action_release()
        with self.assertRaises(AccessError):
            self.env["xero.mend.code"].with_user(user).create(
                {"connection_id": connection.id, "item_code": "GLASS", "product_id": self.mug.id}
            )

    def test_another_companys_problems_are_not_shown(self):
        connection = self.connect()
        self.unknown("GLASS")
        self.run_import(connection)
        other = self.env["res.company"].create({"name": "Other"})
        companies = {"company_id": other.id, "company_ids": other.ids}
        user = new_test_user(self.env, "other-reader", groups="xero_connector.group_xero_user", **companies)
        self.env.flush_all()
        self.assertFalse(self.env["xero.problem"].with_user(user).search([]))


@tagged("post_install", "-at_install")
class TestRetention(XeroCase):
    def age(self, rows, days):
        rows.sudo().done_at = fields.Datetime.now() - timedelta(days=days)

    def collect(self):
        self.env.flush_all()
        self.env["xero.record"]._gc_finished()

    def test_finished_rows_go_when_their_time_is_over_and_failed_ones_stay(self):
        connection = self.connect(unmatched_action="ignore", mapping_ids=self.rules(("GC", self.warehouse)))
        self.org.add_item(Code="GLASS", Name="Glass")
        skipped, failed = self.invoice("other"), self.invoice("GC", [self.line("GLASS")])
        self.run_import(connection)
        self.age(connection.record_ids, 89)
        self.collect()
        self.assertTrue(self.row(skipped))
        self.age(connection.record_ids, 91)
        self.collect()
        self.assertEqual((len(self.row(skipped)), len(self.row(failed))), (0, 1))

    def test_an_order_that_is_not_delivered_keeps_its_row_and_still_follows(self):
        connection = self.connect(order_confirm=True)
        invoice = self.invoice()
        self.run_import(connection)
        self.age(connection.record_ids, 400)
        self.collect()
        self.assertTrue(self.row(invoice))
        order = self.order(invoice)
        order.picking_ids.move_ids.write({"quantity": 2, "picked": True})
        order.picking_ids.button_validate()
        self.collect()
        self.assertFalse(self.row(invoice))

    def test_a_row_that_went_never_ships_its_order_again(self):
        connection = self.connect(order_target="picking", order_confirm=True)
        invoice = self.invoice()
        self.run_import(connection)
        picking = self.picking(invoice)
        picking.move_ids.write({"quantity": 2, "picked": True})
        picking.button_validate()
        self.age(connection.record_ids, 91)
        self.collect()
        self.assertFalse(self.row(invoice))
        self.org.add_payment(invoice["InvoiceID"])
        self.run_import(connection)
        self.assertEqual(self.picking(invoice), picking)

    def test_ignored_and_deleted_orders_do_not_come_back_after_the_time_is_over(self):
        connection = self.connect()
        ignored, deleted = self.invoice(), self.invoice()
        self.run_import(connection)
        self.order(deleted).unlink()
        self.order(ignored).unlink()
        self.row(ignored).sudo().write({"res_id": False, "res_model": False, "state": "skipped"})
        self.row(ignored).action_ignore("no")
        self.age(connection.record_ids, 91)
        self.collect()
        self.assertEqual((len(self.row(ignored)), len(self.row(deleted))), (1, 1))

    def test_what_waits_or_lacks_its_pdf_stays(self):
        connection = self.connect(order_confirm=True)
        pending, waiting = self.invoice(), self.invoice()
        self.run_import(connection)
        self.row(pending).sudo().state = "pending"
        self.row(waiting).sudo().files_state = "waiting"
        for invoice in (pending, waiting):
            picking = self.picking(invoice)
            picking.move_ids.write({"quantity": 2, "picked": True})
            picking.button_validate()
        self.age(connection.record_ids, 400)
        self.collect()
        self.assertEqual((len(self.row(pending)), len(self.row(waiting))), (1, 1))

    def test_a_draft_keeps_its_row_so_that_a_void_still_finds_it(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import(connection)
        self.age(connection.record_ids, 400)
        self.collect()
        self.assertTrue(self.row(invoice))

    def test_an_order_deleted_here_and_edited_in_xero_stays_away_for_ever(self):
        connection = self.connect()
        invoice = self.invoice()
        self.run_import(connection)
        self.order(invoice).unlink()
        self.org.update("Invoices", invoice["InvoiceID"], Reference="touched")
        self.run_import(connection)
        self.assertEqual(self.row(invoice).problem_code, "deleted_here")
        self.age(connection.record_ids, 400)
        self.collect()
        self.org.update("Invoices", invoice["InvoiceID"], Reference="touched again")
        self.run_import(connection)
        self.assertFalse(self.order(invoice))

    def test_a_cancelled_order_keeps_no_row(self):
        connection = self.connect(order_confirm=True)
        invoice = self.invoice()
        self.run_import(connection)
        self.order(invoice)._action_cancel()
        self.age(connection.record_ids, 91)
        self.collect()
        self.assertFalse(self.row(invoice))

    def test_a_transfer_keeps_its_row_until_its_backorder_is_delivered_whatever_comes_back(self):
        connection = self.connect(order_target="picking", order_confirm=True)
        invoice = self.invoice()
        self.run_import(connection)
        picking = self.picking(invoice)
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        wizard = self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking")
        wizard = wizard.create({})
        wizard.product_return_moves.quantity = 1
        wizard.action_create_returns()
        self.age(connection.record_ids, 91)
        self.collect()
        self.assertTrue(self.row(invoice))
        picking.backorder_ids.move_ids.write({"quantity": 1, "picked": True})
        picking.backorder_ids._action_done()
        self.assertEqual(picking.return_ids.state, "assigned")
        self.collect()
        self.assertFalse(self.row(invoice))

    def test_a_delivered_transfer_with_the_number_of_an_open_order_takes_no_row_along(self):
        connection = self.connect()
        self.env.cr.execute(
            """SELECT setval('sale_order_id_seq', last), setval('stock_picking_id_seq', last)
                 FROM greatest(nextval('sale_order_id_seq'), nextval('stock_picking_id_seq')) AS last"""
        )
        invoice = self.invoice()
        self.run_import(connection)
        picking = self.env["stock.picking"].create({"picking_type_id": self.warehouse.out_type_id.id})
        self.assertEqual(picking.id, self.order(invoice).id)
        picking.action_cancel()
        self.age(connection.record_ids, 400)
        self.collect()
        self.assertTrue(self.row(invoice))

    def test_each_connection_has_its_own_days_an_archived_one_too(self):
        rows = []
        for days in (90, 200, 0):
            self.org = self.fake.add_organisation(f"Keeps {days}", currency=self.company.currency_id.name)
            self.contact = self.org.add_contact(Name="Aroha Ltd", Addresses=self.contact["Addresses"])
            self.org.add_item(Code="BOTTLE", Name="BOTTLE")
            connection = self.connect(log_days=days, unmatched_action="ignore")
            rows.append(self.invoice())
            self.run_import(connection)
            self.age(connection.record_ids, 100)
            if days == 90:
                self.press(connection.action_remove)
                self.assertFalse(connection.active)
        self.collect()
        self.assertEqual([len(self.row(invoice)) for invoice in rows], [0, 1, 1])

    def test_zero_days_keep_the_log_for_ever(self):
        connection = self.connect(log_days=0, unmatched_action="ignore")
        invoice = self.invoice()
        self.run_import(connection)
        self.age(connection.record_ids, 4000)
        self.collect()
        self.assertTrue(self.row(invoice))
