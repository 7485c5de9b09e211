"""A period of Odoo's laid beside Xero's: every difference is told, and each can be mended from where it stands."""

from datetime import date, datetime
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG
from odoo.addons.xero_connector import const

from .export_case import ExportCase

FROM, TO = date(2026, 5, 1), date(2026, 5, 31)
DAY = date(2026, 5, 12)


@tagged("post_install", "-at_install")
class TestDrift(ExportCase):
    def setUp(self):
        super().setUp()
        self.company.partner_id.tz = "Pacific/Auckland"
        self.reader = new_test_user(
            self.env, "drift-reader", groups="xero_connector.group_xero_user,sales_team.group_sale_salesman"
        )

    # === SHORT WORDS === #

    def compare(self, connection, date_from=FROM, date_to=TO):
        """Press *Compare* in the dialog; :return: the comparison"""
        self.env.flush_all()
        wizard = self.env["xero.drift.compare"].create(
            {"connection_id": connection.id, "date_from": date_from, "date_to": date_to}
        )
        action = self.press(wizard.action_compare)
        return self.env[action["res_model"]].browse(action["res_id"])

    def line(self, *args, **fields):
        return super().line(*args, **{"TaxType": "OUTPUT2", **fields})

    def sold(self, *lines, day=DAY, send=True, **values):
        """An order of this day; noon in Auckland."""
        order = self.sell(*lines, **values)
        order.date_order = datetime(day.year, day.month, day.day, 0, 30)
        self.env.flush_all()
        if send:
            self.send(order)
            self.assertEqual(self.out(order).state, "done", self.out(order).reason)
        return order

    def billed(self, *lines, day=DAY, send=True, **values):
        move = self.bill(*lines, invoice_date=day, **values)
        if send:
            self.send(move)
        return move

    def in_xero(self, document):
        return self.out(document)[0].external_id

    def by_hand(self, price=46.0, day=DAY, **fields):
        """An invoice that somebody made in Xero."""
        return self.invoice("by hand", [self.line(quantity=1, price=price, code="")], Date=day.isoformat(), **fields)

    def kinds(self, drift):
        return sorted(drift.line_ids.mapped("kind"))

    # === EQUAL === #

    def test_what_is_alike_is_said_plainly_with_how_much_was_compared_when_and_by_whom(self):
        connection = self.exporting()
        self.sold()
        self.sold((self.mug, 3, 7.77))
        drift = self.compare(connection)
        self.assertFalse(drift.line_ids, drift.line_ids.mapped("reason"))
        self.assertEqual((drift.here_count, drift.there_count, drift.user_id), (2, 2, self.env.user))
        self.assertIn("2 documents in Odoo and 2 in Xero", drift.summary)
        self.assertIn("All equal.", drift.summary)
        self.assertIn(self.env.user.name, drift.summary)

    def test_comparing_writes_nothing_in_xero_and_asks_a_page_each_of_invoices_and_credit_notes(self):
        connection = self.exporting()
        self.sold()
        self.fake.reset_log()
        self.compare(connection)
        self.assertEqual([call.method for call in self.fake.calls()], ["GET", "GET"])
        self.assertEqual([call.path.rsplit("/", 1)[1] for call in self.fake.calls()], ["Invoices", "CreditNotes"])

    def test_the_dialog_proposes_this_month_and_the_two_before_and_tells_of_the_last_comparison(self):
        connection = self.exporting()
        wizard = Form(self.env["xero.drift.compare"].with_context(**connection.action_compare()["context"]))
        self.assertEqual(wizard.connection_id, connection)
        month = fields.Date.start_of(fields.Date.today(), "month")
        self.assertEqual(wizard.date_from, fields.Date.subtract(month, months=2))
        self.assertEqual(wizard.date_to, fields.Date.end_of(month, "month"))
        self.assertFalse(wizard.last_summary)
        self.press(wizard.save().action_compare)
        again = Form(self.env["xero.drift.compare"].with_context(default_connection_id=connection.id))
        self.assertIn("All equal.", again.last_summary)

    def test_a_difference_within_the_tolerance_or_intended_is_none(self):
        connection = self.exporting()
        self.company.tax_calculation_rounding_method = "round_globally"
        self.sold(*[(self.bottle, 1, 0.37)] * 3)
        self.assertFalse(self.compare(connection).line_ids)
        connection.total_tolerance = 0
        self.assertEqual(self.kinds(self.compare(connection)), ["total_differs"])
        self.env["xero.record"].search([("direction", "=", "out"), ("res_model", "=", "sale.order")]).write(
            {"intended_difference": 0.01}
        )
        self.assertFalse(self.compare(connection).line_ids)

    # === ONLY IN ODOO === #

    def test_what_nobody_sent_is_only_in_odoo_and_can_be_sent(self):
        connection = self.exporting()
        order = self.sold(send=False)
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.document_name), ("only_here", order.name))
        self.assertEqual(line.odoo_total, order.amount_total)
        self.assertEqual(line.reason, "Nobody has sent it.")
        action = line.action_send()
        preview = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((preview.res_model, preview.res_id), ("sale.order", order.id))
        preview.action_send()
        self.assertEqual(self.compare(connection).line_ids.reason, "It waits to be sent.")
        self.push()
        self.assertFalse(self.compare(connection).line_ids)

    def test_what_failed_tells_why_and_is_tried_again_from_there(self):
        connection = self.exporting()
        connection.account_mapping_ids.account_ids = False
        order = self.sold(send=False)
        self.send(order)
        line = self.compare(connection).line_ids
        self.assertEqual(line.kind, "only_here")
        self.assertIn("mapped to no account", line.reason)
        self.assertTrue(line.can_retry)
        connection.account_mapping_ids.filtered(lambda one: one.code == "200").account_ids = self.income
        line.action_retry()
        self.push()
        self.assertFalse(self.compare(connection).line_ids)

    def test_drafts_imported_orders_and_what_costs_nothing_are_not_missed_in_xero(self):
        connection = self.exporting()
        self.sold((self.bottle, 1, 0), send=False)
        draft = self.sold(send=False).copy()
        draft.date_order = datetime(2026, 5, 12)
        imported = self.sold(send=False)
        imported.write({"xero_connection_id": connection.id, "xero_invoice_id": "6e1c7a2e-0000-4000-8000-000000000001"})
        self.assertEqual(len(self.compare(connection).line_ids), 1)

    def test_what_is_ignored_is_not_missed(self):
        connection = self.exporting()
        connection.account_mapping_ids.account_ids = False
        order = self.sold(send=False)
        self.send(order)
        self.out(order).action_ignore(reason="billed by hand")
        self.assertFalse(self.compare(connection).line_ids)

    def test_a_change_that_did_not_arrive_is_told(self):
        connection = self.exporting("invoice")
        move = self.billed()
        self.fake.faults.add(path="/CreditNotes", method="PUT", kind="status", status=400, times=None)
        note = self.billed(move_type="out_refund", send=False)
        self.send(note)
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.resource, line.res_id), ("only_here", "credit_note", note.id))
        self.assertTrue(self.in_xero(move))

    # === ONLY IN XERO === #

    def test_what_somebody_made_in_xero_is_only_there_and_can_be_brought_in(self):
        connection = self.exporting(warehouse_id=self.warehouse.id)
        invoice = self.invoice("hand", [self.line(TaxType="NONE")], Date=DAY.isoformat())
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.number, line.xero_total), ("only_there", invoice["InvoiceNumber"], 20))
        self.assertIn(invoice["InvoiceID"], line.xero_url)
        self.press(line.action_bring_in)
        self.assertTrue(self.order(invoice))
        self.assertFalse(line.exists())
        self.assertFalse(self.compare(connection).line_ids, "what was imported is in both")

    def test_what_was_imported_is_not_only_there_even_when_the_log_has_forgotten_it(self):
        connection = self.exporting(import_orders=True, import_from=False)
        invoice = self.invoice("i", [self.line(TaxType="NONE")], Date=DAY.isoformat())
        self.run_import(connection)
        self.assertTrue(self.order(invoice))
        self.assertFalse(self.compare(connection).line_ids)
        self.row(invoice).unlink()
        self.assertFalse(self.compare(connection).line_ids)

    def test_an_invoice_whose_import_failed_is_only_there_with_the_reason_and_tried_again_from_there(self):
        connection = self.exporting(import_orders=True, import_from=False)
        invoice = self.invoice("i", [self.line("NOWHERE", TaxType="NONE")], Date=DAY.isoformat())
        self.run_import(connection)
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.record_ids), ("only_there", self.row(invoice)))
        self.assertIn("NOWHERE", line.reason)
        self._make_product("NOWHERE", "Somewhere", 1)
        line.action_retry()
        self.run_cron("process")
        self.assertFalse(self.compare(connection).line_ids)

    def test_a_draft_somebody_made_in_xero_is_told_and_cannot_be_imported(self):
        connection = self.exporting()
        self.by_hand(Status="DRAFT")
        line = self.compare(connection).line_ids
        self.assertEqual((line.reason, line.can_bring_in), ("A draft somebody made in Xero.", False))
        with self.assertRaises(UserError):
            line.action_bring_in()

    def test_voided_deleted_and_purchase_documents_of_xero_are_nobodys(self):
        connection = self.exporting()
        self.by_hand(Status="VOIDED")
        self.by_hand(Status="DELETED")
        self.by_hand(Type="ACCPAY")
        self.assertFalse(self.compare(connection).line_ids)

    def test_a_connection_that_only_imports_misses_what_it_could_have_imported(self):
        connection = self.connect(import_from=False)
        self.by_hand(Status="DRAFT")
        self.org.add_credit_note(
            Contact={"ContactID": self.contact["ContactID"]}, LineItems=[self.line(code="")], Date=DAY.isoformat()
        )
        invoice = self.by_hand()
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.number), ("only_there", invoice["InvoiceNumber"]))
        self.assertFalse(line.can_adopt)

    # === BELONGS TO === #

    def adopting(self, connection, source="sale_order"):
        """An invoice made by hand in Xero for an order, or invoice, nobody sent."""
        document = self.sold(send=False) if source == "sale_order" else self.billed(send=False)
        self.by_hand(price=document.amount_untaxed)
        drift = self.compare(connection)
        self.assertEqual(self.kinds(drift), ["only_here", "only_there"])
        line = drift.line_ids.filtered(lambda one: one.kind == "only_there")
        action = line.action_adopt()
        return document, line, Form(self.env[action["res_model"]].browse(action["res_id"]))

    def test_an_invoice_made_by_hand_belongs_to_an_order_which_is_then_never_sent(self):
        connection = self.exporting()
        order, line, dialog = self.adopting(connection)
        self.assertEqual(dialog.order_id, order, "the only one of this amount is proposed")
        external_id = line.external_id
        self.press(dialog.save().action_confirm)
        row = self.out(order)
        self.assertEqual((row.state, row.external_id, row.total_difference), ("done", external_id, 0))
        self.assertIn(self.env.user.name, row.reason)
        self.assertEqual(order.xero_export_state, "sent")
        self.assertFalse(self.compare(connection).line_ids)
        self.env["xero.record"]._put_document_out(connection, order)
        self.push()
        self.assertEqual(len(self.invoices()), 1)

    def test_what_changes_about_an_adopted_order_is_told_and_nothing_billed_twice(self):
        connection = self.exporting()
        order, _line, dialog = self.adopting(connection)
        self.press(dialog.save().action_confirm)
        order.order_line.product_uom_qty += 1
        self.push()
        self.assertEqual(self.out(order).mapped("state"), ["done", "done"], self.out(order).mapped("reason"))
        self.assertEqual([invoice["Total"] for invoice in self.invoices()], [46, 23])

    def test_an_invoice_of_odoo_adopts_one_of_xero(self):
        connection = self.exporting("invoice")
        move, _line, dialog = self.adopting(connection, "invoice")
        self.assertEqual(dialog.move_id, move)
        self.press(dialog.save().action_confirm)
        self.assertEqual(self.out(move).state, "done")
        self.assertFalse(self.compare(connection).line_ids)

    def test_what_comes_to_something_else_is_told_after_it_was_adopted(self):
        connection = self.exporting()
        order = self.sold(send=False)
        self.by_hand(price=50)
        line = self.compare(connection).line_ids.filtered(lambda one: one.kind == "only_there")
        wizard = self.env["xero.drift.adopt"].create({"line_id": line.id, "order_id": order.id})
        self.press(wizard.action_confirm)
        line = self.compare(connection).line_ids
        self.assertEqual(line.kind, "total_differs")
        self.assertEqual((line.odoo_total, line.xero_total, line.difference), (46, 57.5, 11.5))

    def test_nothing_adopts_what_it_cannot_be(self):
        connection = self.exporting()
        sent = self.sold()
        self.by_hand()
        line = self.compare(connection).line_ids
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.env["sale.order"].create({"partner_id": self.customer.id, "company_id": elsewhere.id})
        for order, why in ((sent, "is in Xero already"), (foreign, "is no document that could be this one")):
            wizard = self.env["xero.drift.adopt"].create({"line_id": line.id, "order_id": order.id})
            with self.assertRaisesRegex(UserError, why):
                self.press(wizard.action_confirm)
        euros = self.sold(send=False)
        euros.currency_id = self.env.ref("base.EUR")
        self.env["res.currency"].browse(euros.currency_id.id).active = True
        wizard = self.env["xero.drift.adopt"].create({"line_id": line.id, "order_id": euros.id})
        with self.assertRaisesRegex(UserError, "another currency"):
            self.press(wizard.action_confirm)

    # === TOTALS === #

    def test_an_invoice_changed_in_xero_shows_both_totals_and_the_difference(self):
        connection = self.exporting()
        order = self.sold()
        self.org.update("Invoices", self.in_xero(order), LineItems=[self.line(quantity=1, price=100)])
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.odoo_total, line.xero_total, line.difference), ("total_differs", 46, 115, 69))
        action = line.action_open_document()
        self.assertEqual((action["res_model"], action["res_id"]), ("sale.order", order.id))
        self.assertIn(self.in_xero(order), line.action_open_xero()["url"])

    def test_a_change_in_odoo_that_xero_never_heard_of_is_found(self):
        connection = self.exporting()
        order = self.sold()
        self.env.cr.execute("UPDATE sale_order_line SET price_unit = 30 WHERE order_id = %s", (order.id,))
        order.invalidate_recordset()
        self.env.add_to_compute(order.order_line._fields["price_total"], order.order_line)
        self.env.add_to_compute(order._fields["amount_total"], order)
        self.assertEqual(order.amount_total, 69)
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.odoo_total, line.xero_total), ("total_differs", 69, 46))

    def test_two_orders_on_one_invoice_are_compared_together(self):
        connection = self.exporting(invoice_mode="existing")
        orders = self.sold() | self.sold((self.mug, 1, 10))
        [invoice] = self.invoices()
        self.assertFalse(self.compare(connection).line_ids)
        line = dict(invoice["LineItems"][1], UnitAmount=30, LineAmount=None, TaxAmount=None)
        lines = [dict(one) for one in invoice["LineItems"]]
        lines[1] = {key: value for key, value in line.items() if value is not None}
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=lines)
        drift = self.compare(connection)
        self.assertEqual(self.kinds(drift), ["total_differs"])
        line = drift.line_ids
        self.assertEqual(line.odoo_total, sum(orders.mapped("amount_total")))
        self.assertEqual(line.xero_total, self.invoices()[0]["Total"])
        self.assertEqual(line.document_name, ", ".join(orders.mapped("name")))
        self.assertEqual(self.env["sale.order"].search(line.action_open_document()["domain"]), orders)

    def test_lines_somebody_else_has_on_a_shared_draft_are_not_ours(self):
        connection = self.exporting(invoice_mode="existing")
        self.by_hand(price=500, Status="DRAFT", CurrencyCode=self.company.currency_id.name)
        self.sold()
        self.assertEqual(len(self.invoices()), 1)
        self.assertFalse(self.compare(connection).line_ids)

    def test_an_invoice_that_was_made_smaller_from_here_is_alike(self):
        connection = self.exporting(refund_mode="quantity")
        order = self.sold((self.bottle, 5, 20))
        order.order_line.product_uom_qty = 2
        self.push()
        self.assertEqual(self.invoices()[0]["Total"], 46)
        self.assertFalse(self.compare(connection).line_ids)

    def test_an_order_that_was_credited_in_part_is_alike_on_invoice_and_credit_note(self):
        connection = self.exporting()
        order = self.sold((self.bottle, 5, 20))
        order.order_line.product_uom_qty = 2
        self.push()
        self.assertEqual(len(self.credit_notes()), 1)
        today = fields.Date.today()
        self.assertFalse(self.compare(connection).line_ids)
        self.assertFalse(self.compare(connection, today, today).line_ids)

    def test_a_credit_note_that_differs_is_told_as_one(self):
        connection = self.exporting("invoice")
        note = self.billed(move_type="out_refund")
        self.org.update("CreditNotes", self.in_xero(note), LineItems=[self.line(quantity=1, price=100)])
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.resource), ("total_differs", "credit_note"))
        self.assertEqual((line.odoo_total, line.xero_total), (46, 115))

    def test_other_currencies_are_compared_in_their_own(self):
        currency = self.env["res.currency"].search([("name", "=", "NZD")])
        self.assertNotEqual(currency, self.company.currency_id)
        self.org.subscribe("NZD")
        connection = self.exporting("invoice")
        move = self.billed(currency_id=currency.id)
        self.assertFalse(self.compare(connection).line_ids, self.out(move).reason)
        self.org.update("Invoices", self.in_xero(move), CurrencyCode="EUR")
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.currency_code), ("total_differs", "NZD"))
        self.assertEqual(line.reason, "NZD in Odoo, EUR in Xero.")

    # === STATUS === #

    def test_what_was_cancelled_here_and_is_billed_there_is_told_and_taken_back_from_there(self):
        connection = self.exporting()
        order = self.sold()
        with patch.object(type(order), "_xero_note_change"):
            order._action_cancel()
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.reason), ("status_differs", "Cancelled in Odoo, billed in Xero."))
        line.action_retry()
        self.push()
        self.assertFalse(self.compare(connection).line_ids, self.out(order).mapped("reason"))
        self.assertEqual(self.credit_notes()[0]["Total"], 46)

    def test_what_was_deleted_here_and_is_billed_there_is_told(self):
        connection = self.exporting()
        order = self.sold()
        with patch.object(type(order), "_xero_note_change"):
            order._action_cancel()
        order.picking_ids.unlink()
        # As an addon does that is uninstalled; nobody else may.
        order.with_context(**{MODULE_UNINSTALL_FLAG: True}).unlink()
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.reason), ("status_differs", "Deleted in Odoo, billed in Xero."))
        with self.assertRaisesRegex(UserError, "deleted in Odoo"):
            line.action_retry()

    def test_a_cancelled_order_that_was_credited_or_never_sent_is_no_difference(self):
        connection = self.exporting()
        sent, unsent = self.sold(), self.sold(send=False)
        (sent | unsent)._action_cancel()
        self.push()
        self.assertEqual(len(self.credit_notes()), 1)
        self.assertFalse(self.compare(connection).line_ids)

    def test_what_was_voided_there_and_stands_here_is_told(self):
        connection = self.exporting()
        order = self.sold()
        self.org.void(self.in_xero(order))
        line = self.compare(connection).line_ids
        self.assertEqual((line.kind, line.xero_status, line.res_id), ("status_differs", "VOIDED", order.id))
        self.assertEqual(line.reason, "Voided or deleted in Xero. In Odoo it stands.")

    def test_paid_on_one_side_only_is_told_either_way(self):
        connection = self.exporting("invoice")
        here, there, both = self.billed(), self.billed(), self.billed()
        for move in here | both:
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=move.ids
            ).create({})._create_payments()
        for move in there | both:
            self.org.add_payment(self.in_xero(move))
        reasons = {line.res_id: line.reason for line in self.compare(connection).line_ids}
        self.assertEqual(
            reasons, {here.id: "Paid in Odoo, open in Xero.", there.id: "Paid in Xero, open in Odoo."}
        )

    # === PERIOD === #

    def test_both_first_and_last_day_belong_to_the_period_in_the_companys_own_time(self):
        connection = self.exporting()
        # Auckland is twelve hours ahead in May.
        moments = {
            datetime(2026, 4, 30, 11, 59): False,
            datetime(2026, 4, 30, 12, 0): True,
            datetime(2026, 5, 31, 11, 59): True,
            datetime(2026, 5, 31, 12, 0): False,
        }
        orders = {}
        for moment in moments:
            orders[moment] = self.sell()
            orders[moment].date_order = moment
        found = self.compare(connection).line_ids.mapped("res_id")
        self.assertEqual({moment: order.id in found for moment, order in orders.items()}, moments)

    def test_invoices_of_both_edges_are_asked_for_and_none_beyond(self):
        connection = self.exporting()
        days = {date(2026, 4, 30): 0, FROM: 1, TO: 1, date(2026, 6, 1): 0}
        numbers = {day: self.by_hand(day=day)["InvoiceNumber"] for day in days}
        found = self.compare(connection).line_ids.mapped("number")
        self.assertEqual({day: found.count(number) for day, number in numbers.items()}, days)

    def test_what_has_another_date_in_xero_is_found_all_the_same(self):
        connection = self.exporting()
        order = self.sold()
        self.org.update("Invoices", self.in_xero(order), Date="2026-07-01")
        self.assertFalse(self.compare(connection).line_ids, "seen from Odoo's date")
        july = self.compare(connection, date(2026, 7, 1), date(2026, 7, 31))
        self.assertFalse(july.line_ids, "seen from Xero's")

    def test_page_after_page_is_read(self):
        connection = self.exporting()
        for _number in range(5):
            self.by_hand()
        with patch.object(const, "PAGE_SIZE", 2):
            drift = self.compare(connection)
        self.assertEqual((drift.there_count, len(drift.line_ids)), (5, 5))

    def test_a_period_with_too_much_in_it_is_refused_at_the_first_page(self):
        connection = self.exporting()
        for _number in range(5):
            self.by_hand()
        self.fake.reset_log()
        with (
            patch.object(const, "PAGE_SIZE", 2),
            patch.object(const, "DRIFT_PAGES", 2),
            self.assertRaisesRegex(UserError, "Choose a shorter one"),
        ):
            self.press(connection._compare, date_from=FROM, date_to=TO)
        self.assertEqual(len(self.fake.calls()), 1)

    def test_a_period_that_ends_before_it_begins_is_refused(self):
        connection = self.exporting()
        with self.assertRaises(UserError):
            self.compare(connection, TO, FROM)

    # === AGAIN === #

    def test_comparing_again_replaces_the_periods_lines_and_no_others(self):
        connection = self.exporting()
        order = self.sold(send=False)
        self.sold(send=False, day=date(2026, 6, 3))
        june = self.compare(connection, date(2026, 6, 1), date(2026, 6, 30))
        may = self.compare(connection)
        self.send(order)
        self.assertEqual(self.compare(connection), may)
        self.assertFalse(may.line_ids)
        self.assertEqual(len(june.line_ids), 1)
        self.press(june.action_again)
        self.assertEqual(len(june.line_ids), 1)

    def test_a_longer_period_takes_over_what_a_shorter_one_found(self):
        connection = self.exporting()
        self.sold(send=False)
        self.compare(connection)
        longer = self.compare(connection, date(2026, 4, 1), TO)
        self.assertEqual(self.env["xero.drift.line"].search([]).drift_id, longer, "each difference stands there once")

    def test_an_outage_in_the_middle_keeps_the_last_report(self):
        connection = self.exporting()
        self.by_hand()
        drift = self.compare(connection)
        line, compared_at = drift.line_ids, drift.compared_at
        self.by_hand(price=7)
        self.fake.faults.add(path="/CreditNotes", kind="status", status=503, times=None)
        with self.assertRaisesRegex(UserError, "Xero"):
            self.press(connection._compare, date_from=FROM, date_to=TO)
        self.assertEqual((drift.line_ids, drift.compared_at), (line, compared_at))

    def test_an_outage_when_something_is_asked_by_its_id_keeps_the_last_report(self):
        connection = self.exporting()
        order = self.sold()
        drift = self.compare(connection)
        self.org.update("Invoices", self.in_xero(order), Date="2026-07-01")
        self.fake.faults.add(path="/Invoices", kind="html", after=1, times=None)
        compared_at = drift.compared_at
        with self.assertRaisesRegex(UserError, "Xero"):
            self.press(connection._compare, date_from=FROM, date_to=TO)
        self.assertEqual(drift.compared_at, compared_at)

    # === ACCEPT === #

    def accept(self, lines, reason="before our time"):
        action = lines.action_ask_accept()
        wizard = Form(self.env[action["res_model"]].browse(action["res_id"]))
        wizard.reason = reason
        wizard.save().action_confirm()

    def test_what_is_accepted_stays_so_with_who_and_why_until_something_about_it_changes(self):
        connection = self.exporting()
        invoice = self.by_hand()
        drift = self.compare(connection)
        self.accept(drift.line_ids)
        self.assertEqual((drift.open_count, drift.accepted_count), (0, 1))
        line = self.compare(connection).line_ids
        self.assertEqual(
            (line.is_accepted, line.accepted_by_id, line.accept_reason), (True, self.env.user, "before our time")
        )
        self.assertIn("All else is equal. 1 accepted.", drift.summary)
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[self.line(quantity=1, price=9, code="")])
        line = self.compare(connection).line_ids
        self.assertFalse(line.is_accepted or line.accept_reason)

    def test_what_is_accepted_no_longer_counts_again(self):
        connection = self.exporting()
        self.by_hand()
        drift = self.compare(connection)
        self.accept(drift.line_ids)
        drift.line_ids.action_unaccept()
        self.assertEqual(drift.open_count, 1)

    # === WHO MAY === #

    def test_a_user_compares_and_opens_and_a_manager_decides(self):
        connection = self.exporting()
        self.sold(send=False)
        self.by_hand()
        self.env.flush_all()
        drift_id = self.press(connection.with_user(self.reader)._compare, date_from=FROM, date_to=TO)
        drift = self.env["xero.drift"].browse(drift_id).with_user(self.reader)
        self.assertEqual(drift.user_id, self.reader)
        here, there = drift.line_ids.sorted("kind")
        self.assertEqual(there.kind, "only_there")
        self.assertTrue(here.action_open_document())
        self.assertTrue(there.action_open_xero())
        for refused in (
            there.action_adopt,
            there.action_ask_accept,
            there.action_unaccept,
            lambda: there._accept("x"),
            lambda: there.write({"is_accepted": True}),
            there.unlink,
            lambda: drift.write({"here_count": 1}),
        ):
            with self.assertRaises(AccessError):
                refused()

    def test_each_company_sees_its_own_comparisons(self):
        connection = self.exporting()
        self.by_hand()
        drift = self.compare(connection)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env, "drift-stranger", groups="xero_connector.group_xero_manager",
            company_id=other.id, company_ids=[Command.set(other.ids)],
        )  # fmt: skip
        self.assertFalse(drift.with_user(stranger).search([]))
        self.assertFalse(drift.line_ids.with_user(stranger).search([]))
        for refused in (
            lambda: connection.with_user(stranger)._compare(FROM, TO),
            drift.with_user(stranger).action_again,
            drift.line_ids.with_user(stranger).action_bring_in,
        ):
            with self.assertRaises(AccessError):
                refused()

    def test_orders_of_another_company_are_not_compared(self):
        connection = self.exporting()
        other = self.env["res.company"].create({"name": "Other"})
        order = self.sold(send=False)
        self.env.cr.execute("UPDATE sale_order SET company_id = %s WHERE id = %s", (other.id, order.id))
        self.env.invalidate_all()
        self.assertFalse(self.compare(connection).line_ids)

    def test_a_copied_database_and_a_paused_connection_compare_nothing(self):
        connection = self.exporting()
        connection.action_pause()
        with self.assertRaisesRegex(UserError, "not connected"):
            connection._compare(FROM, TO)
        connection.action_resume()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        with self.assertRaisesRegex(UserError, "neutralised"):
            connection._compare(FROM, TO)
