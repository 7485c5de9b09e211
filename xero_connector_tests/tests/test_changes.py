from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import COMPLETE_ADDRESS, XeroCase


@tagged("post_install", "-at_install")
class ChangeCase(XeroCase):
    """An imported invoice with three lines, and what becomes of it."""

    settings = {"order_confirm": True}

    def setUp(self):
        super().setUp()
        for warehouse in self.warehouse, self.second_warehouse:
            for product in self.bottle, self.mug:
                self.env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 100)
        self.connection = self.connect(mapping_ids=self.rules(("GC", self.second_warehouse)), **self.settings)
        text = {"Description": "Ring twice"}
        self.sold = self.invoice("web 1", [self.line(), self.line("MUG", 1, 12.0), text])
        self.run_import(self.connection)

    def edit(self, **changes):
        """Edit the invoice in Xero and look at it again."""
        self.org.update("Invoices", self.sold["InvoiceID"], **changes)
        self.run_import(self.connection)

    def lines(self, *lines):
        """The invoice's lines as Xero has them now, with some of them changed: ``(index, changes)``; None removes."""
        stored = [dict(line) for line in self.org.record("Invoices", self.sold["InvoiceID"]).data["LineItems"]]
        for index, changes in lines:
            stored[index] = changes and {**_without_amounts(stored[index]), **changes}
        return [line for line in stored if line]

    @property
    def log(self):
        return self.row(self.sold)

    def start_picking(self, picking):
        picking.move_ids[:1].picked = True

    def ship(self, picking):
        """Ship all of a transfer."""
        picking.move_ids.picked = True
        picking.button_validate()

    def chatter(self, document):
        return " ".join(document.message_ids.mapped("body"))

    def alarms(self, document):
        return document.activity_ids.filtered(
            lambda a: a.activity_type_id == self.env.ref("xero_connector.mail_activity_type_xero")
        )


def _without_amounts(line):
    return {key: value for key, value in line.items() if key not in ("LineAmount", "TaxAmount")}


class OrderDemandMixin:
    def demand(self):
        """What the transfers not cancelled ship, by product code."""
        moves = self.order(self.sold).picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
        return {
            product.default_code: sum(group.mapped("product_uom_qty"))
            for product, group in moves.grouped("product_id").items()
        }


class TestOrderFollows(OrderDemandMixin, ChangeCase):
    def test_an_edited_quantity_price_and_text_are_applied_before_picking_starts(self):
        order = self.order(self.sold)
        changes = {"Quantity": 5, "UnitAmount": 9.5, "Description": "Blue ones"}
        self.edit(LineItems=self.lines((0, changes)))
        line = order.order_line[0]
        self.assertEqual((line.product_uom_qty, line.price_unit, line.name), (5, 9.5, "Blue ones"))
        self.assertEqual(self.demand(), {"BOTTLE": 5, "MUG": 1})
        self.assertEqual(order.amount_total, 59.5)
        self.assertIn("BOTTLE: quantity 2 → 5; price 10 → 9.5; text BOTTLE from Xero → Blue ones", self.chatter(order))
        self.assertEqual((self.log.state, self.log.change_state), ("done", "applied"))

    def test_a_smaller_quantity_takes_goods_off_the_transfer(self):
        self.edit(LineItems=self.lines((0, {"Quantity": 1})))
        self.assertEqual(self.demand(), {"BOTTLE": 1, "MUG": 1})
        self.assertEqual(len(self.order(self.sold).picking_ids), 1)

    def test_lines_added_and_removed_in_xero_come_and_go_here(self):
        self.edit(LineItems=[*self.lines((1, None)), self.line("MUG", 7, 11.0)])
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 7})
        self.assertEqual(self.order(self.sold).amount_total, 97)

    def test_lines_that_got_new_ids_alone_change_nothing(self):
        order = self.order(self.sold)
        before = order.message_ids
        lines = [{k: v for k, v in line.items() if k != "LineItemID"} for line in self.lines()]
        self.edit(LineItems=lines)
        self.assertEqual((self.demand(), order.message_ids), ({"BOTTLE": 2, "MUG": 1}, before))
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 1})

    def test_another_item_on_the_same_line_ships_the_other_item(self):
        self.edit(LineItems=self.lines((0, {"ItemCode": "MUG", "Item": None})))
        self.assertEqual(self.demand(), {"MUG": 3})

    def test_a_draft_follows_too_and_its_removed_lines_are_gone(self):
        draft_connection = self.connect(self.fake.add_organisation("Drafts", country="NZ", currency="USD"))
        self.org = self.fake.organisation(draft_connection.tenant_id)
        self.contact = self.org.add_contact(Name="Draft Ltd", Addresses=[COMPLETE_ADDRESS])
        for code in ("BOTTLE", "MUG"):
            self.org.add_item(Code=code, Name=code)
        self.connection, self.sold = draft_connection, self.invoice("web", [self.line(), self.line("MUG", 1)])
        self.run_import(self.connection)
        self.edit(LineItems=self.lines((0, {"Quantity": 4}), (1, None)), Reference="web 2")
        order = self.order(self.sold)
        self.assertEqual((order.state, order.client_order_ref), ("draft", "web 2"))
        self.assertEqual([(li.product_id, li.product_uom_qty) for li in order.order_line], [(self.bottle, 4)])

    def test_a_reference_that_belongs_to_another_warehouse_moves_the_order_there(self):
        order = self.order(self.sold)
        first = order.picking_ids
        self.edit(Reference="GC 1")
        self.assertEqual((order.state, order.warehouse_id), ("sale", self.second_warehouse))
        self.assertEqual(first.state, "cancel")
        moved = order.picking_ids - first
        self.assertEqual(moved.picking_type_id.warehouse_id, self.second_warehouse)
        self.assertEqual(moved.xero_mapping_id, self.connection.mapping_ids)
        self.assertEqual(moved.state, "assigned")

    def test_an_edit_follows_even_when_the_connection_now_waits_for_payment(self):
        self.connection.trigger_status = "paid"
        self.edit(Reference="GC 2", LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual((self.log.state, self.order(self.sold).warehouse_id), ("done", self.second_warehouse))
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 1})

    def test_a_rule_changed_later_does_not_move_an_edited_order(self):
        self.connection.mapping_ids.reference_contains = "web"
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.order(self.sold).warehouse_id, self.warehouse)
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 1})

    def test_another_contact_changes_customer_and_delivery_address(self):
        other = self.org.add_contact(Name="Beth Ltd", Addresses=[{**COMPLETE_ADDRESS, "AddressLine1": "9 Hill Road"}])
        self.edit(Contact={"ContactID": other["ContactID"], "Name": "Beth Ltd"})
        order = self.order(self.sold)
        self.assertEqual((order.state, order.partner_id.name), ("sale", "Beth Ltd"))
        transfer = order.picking_ids.filtered(lambda p: p.state != "cancel")
        self.assertEqual(transfer.partner_id.street, "9 Hill Road")

    def test_notes_follow_on_order_and_transfer(self):
        self.connection.note_target = "delivery"
        order = self.order(self.sold)
        order.delivery_instructions = "Ring twice\nMind the dog"
        self.edit(LineItems=self.lines((2, {"Description": "Ring once"})))
        self.assertEqual(order.delivery_instructions, "Ring once\nMind the dog")
        self.assertEqual(order.picking_ids.delivery_instructions, "Ring once\nMind the dog")

    def test_a_change_with_an_unknown_code_changes_nothing_until_it_is_mended(self):
        self.org.add_item(Code="GLASS", Name="Glass")
        self.edit(LineItems=[*self.lines((0, {"Quantity": 9})), self.line("GLASS", 1)])
        self.assertEqual((self.log.state, self.log.problem_code), ("failed", "unknown_code"))
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})
        self._make_product("GLASS", "Glass", 3)
        self.log.action_retry()
        self.run_cron("process")
        self.assertEqual(self.demand(), {"BOTTLE": 9, "MUG": 1, "GLASS": 1})

    def test_a_locked_order_follows_and_is_locked_again(self):
        order = self.order(self.sold)
        order.action_lock()
        self.edit(LineItems=self.lines((0, {"Quantity": 4})))
        self.assertEqual((order.order_line[0].product_uom_qty, order.locked), (4, True))

    def test_a_tax_that_changed_alone_follows(self):
        self.env["account.tax"].create(
            {"name": "15", "amount": 15, "type_tax_use": "sale", "price_include_override": "tax_excluded"}
        )
        self.edit(LineItems=self.lines((0, {"TaxType": "OUTPUT2"})))
        self.assertEqual(self.order(self.sold).amount_total, 35)
        self.assertIn("BOTTLE: tax 0 → 3", self.log.change_text)

    def test_a_discount_added_later_follows(self):
        self.edit(LineItems=self.lines((0, {"DiscountRate": 10})))
        self.assertEqual(self.order(self.sold).amount_total, 30)

    def test_a_new_number_and_date_follow_without_a_word(self):
        order = self.order(self.sold)
        messages = order.message_ids
        self.edit(InvoiceNumber="INV-NEW", Date="2026-10-01")
        for document in (order, order.picking_ids):
            self.assertEqual((document.xero_invoice_number, str(document.xero_invoice_date)), ("INV-NEW", "2026-10-01"))
        self.assertEqual(order.message_ids, messages)

    def test_another_currency_makes_the_order_anew(self):
        other = "NZD" if self.company.currency_id.name != "NZD" else "USD"
        self.org.subscribe(other, self.company.currency_id.name)
        order = self.order(self.sold)
        self.edit(CurrencyCode=other, CurrencyRate=1.5)
        self.assertEqual((order.state, order.currency_id.name, order.amount_total), ("sale", other, 32))
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})

    def test_a_held_change_of_contact_is_applied_long_after(self):
        order = self.order(self.sold)
        order.picking_ids.do_print_picking()
        other = self.org.add_contact(Name="Beth Ltd", Addresses=[COMPLETE_ADDRESS])
        self.edit(Contact={"ContactID": other["ContactID"], "Name": "Beth Ltd"})
        self.assertTrue(order.xero_hold)
        self.connection.record_ids.sudo().done_at = fields.Datetime.now() - timedelta(days=400)
        self.env.flush_all()
        self.env["xero.record"]._gc_finished()
        order.action_xero_apply()
        self.assertEqual(order.partner_id.name, "Beth Ltd")

    def test_a_service_added_after_shipping_is_applied(self):
        self.connection.service_product_id = self.freight
        order = self.order(self.sold)
        self.ship(order.picking_ids)
        self.edit(LineItems=[*self.lines(), self.line(None, 1, 15.0, Description="Courier")])
        self.assertEqual((self.log.state, order.amount_total), ("done", 47))

    # === CHANGED IN ODOO MEANWHILE === #

    def test_what_was_changed_here_stays_when_xero_changed_something_else(self):
        order = self.order(self.sold)
        order.order_line[1].product_uom_qty = 6
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 6})

    def test_the_same_line_changed_on_both_sides_waits_for_a_person(self):
        order = self.order(self.sold)
        order.order_line[0].product_uom_qty = 6
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.demand(), {"BOTTLE": 6, "MUG": 1})
        self.assertEqual((self.log.state, self.log.problem_code), ("failed", "change_held"))
        self.assertIn("BOTTLE was changed here.", order.xero_hold)
        order.action_xero_apply()
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 1})

    def test_the_same_change_on_both_sides_is_no_conflict(self):
        self.order(self.sold).order_line[0].product_uom_qty = 3
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual((self.demand(), self.log.state), ({"BOTTLE": 3, "MUG": 1}, "done"))

    def test_an_order_cancelled_in_odoo_stays_cancelled(self):
        order = self.order(self.sold)
        order._action_cancel()
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual((order.state, self.log.state), ("cancel", "done"))
        self.assertFalse(self.alarms(order))

    # === PICKING HAS STARTED === #

    def test_once_picking_has_started_a_change_is_held_with_the_difference(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})
        alarm = self.alarms(order)
        self.assertEqual(len(alarm), 1)
        self.assertIn("BOTTLE: quantity 2 → 3", alarm.note)
        self.assertIn("BOTTLE: quantity 2 → 3", order.picking_ids.xero_hold)
        self.assertEqual(self.connection.failed_count, 1)

    def test_a_printed_picking_list_is_a_start(self):
        order = self.order(self.sold)
        order.picking_ids.do_print_picking()
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertTrue(order.xero_hold)

    def test_a_mere_price_is_applied_whatever_the_warehouse_does(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"UnitAmount": 8.0})))
        self.assertEqual((order.order_line[0].price_unit, self.log.state), (8.0, "done"))

    def test_apply_does_the_held_change_and_closes_the_alarm(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        order.picking_ids.action_xero_apply()
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 1})
        self.assertEqual((self.log.state, order.xero_hold), ("done", False))
        self.assertFalse(self.alarms(order))

    def test_keep_leaves_the_order_and_asks_no_more(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        order.action_xero_keep()
        self.edit(Reference="web 1b")
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})
        self.assertEqual((self.log.state, order.client_order_ref), ("done", "web 1b"))

    def test_a_kept_decision_can_be_taken_back_and_is_asked_again(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        order.action_xero_keep()
        order.action_xero_undo()
        self.run_cron("process")
        self.assertIn("BOTTLE: quantity 2 → 3", order.xero_hold)

    def test_cancel_cancels_order_and_open_transfers(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        order.action_xero_cancel()
        self.assertEqual((order.state, order.picking_ids.state, self.log.state), ("cancel", "cancel", "done"))

    def test_a_held_change_that_xero_takes_back_is_closed_by_itself(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.edit(LineItems=self.lines((0, {"Quantity": 2})))
        self.assertEqual((self.log.state, order.xero_hold), ("done", False))
        self.assertFalse(self.alarms(order))

    def test_two_edits_in_a_row_are_one_difference_against_what_stands_here(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.edit(LineItems=self.lines((0, {"Quantity": 4})))
        self.assertIn("BOTTLE: quantity 2 → 4", order.xero_hold)
        self.assertEqual(len(self.alarms(order)), 1)

    def test_more_of_what_is_shipped_becomes_another_transfer_when_applied(self):
        order = self.order(self.sold)
        self.ship(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 5})))
        self.assertIn("BOTTLE: quantity 2 → 5", order.xero_hold)
        order.action_xero_apply()
        more = order.picking_ids.filtered(lambda p: p.state != "done")
        self.assertEqual((more.move_ids.product_uom_qty, more.xero_invoice_id), (3, self.sold["InvoiceID"]))

    # === UNDO === #

    def test_an_applied_change_can_be_taken_back(self):
        order = self.order(self.sold)
        self.edit(LineItems=self.lines((0, {"Quantity": 5}), (1, None)))
        self.assertEqual(self.demand(), {"BOTTLE": 5})
        order.action_xero_undo()
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})
        self.assertFalse(order.xero_can_undo)
        self.edit(Reference="web 1b")
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})

    def test_a_cancellation_can_be_taken_back(self):
        order = self.order(self.sold)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual(order.state, "cancel")
        order.action_xero_undo()
        self.assertEqual(order.state, "sale")
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})
        self.assertIn("voided in Xero", order.xero_hold)
        living = order.picking_ids.filtered(lambda picking: picking.state != "cancel")
        living.move_ids.picked = True
        with self.assertRaisesRegex(UserError, "must not go out"):
            living.button_validate()
        order.action_xero_keep()
        living.button_validate()
        self.assertEqual(living.state, "done")

    def test_nobody_decides_twice(self):
        order = self.order(self.sold)
        for decision in ("apply", "keep", "cancel", "undo"):
            with self.assertRaisesRegex(UserError, "nothing to decide"):
                getattr(order, f"action_xero_{decision}")()

    # === VOIDED, DELETED, CREDITED === #

    def test_a_void_cancels_what_nobody_has_begun(self):
        order = self.order(self.sold)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual((order.state, order.picking_ids.state), ("cancel", "cancel"))
        self.assertIn("The invoice was voided in Xero.", self.chatter(order))
        self.assertEqual((self.log.state, self.log.change_state), ("done", "cancelled"))

    def test_a_full_credit_cancels_what_nobody_has_begun(self):
        self.credit(32.0)
        self.assertEqual(self.order(self.sold).state, "cancel")

    def test_a_void_stops_a_transfer_in_progress_until_somebody_decides(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual((order.state, self.log.problem_code), ("sale", "void_held"))
        self.assertEqual(len(self.alarms(order)), 1)
        with self.assertRaisesRegex(UserError, "must not go out: The invoice was voided in Xero. It is stopped"):
            order.picking_ids.button_validate()
        order.action_xero_keep()
        order.picking_ids.button_validate()
        self.assertEqual(order.picking_ids.state, "done")

    def test_a_void_cannot_be_applied_only_kept_from_or_cancelled(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        with self.assertRaisesRegex(UserError, "nothing to decide"):
            order.action_xero_apply()
        order.action_xero_cancel()
        self.assertEqual((order.state, self.log.state), ("cancel", "done"))

    def test_a_void_that_a_person_decided_about_is_not_asked_again(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        order.action_xero_keep()
        order.picking_ids.move_ids.picked = False
        self.edit(Reference="a clerk's remark")
        self.assertEqual((order.state, self.log.state), ("sale", "done"))
        self.press(self.log.action_reimport)
        self.assertEqual((order.state, self.log.state), ("sale", "done"))

    def test_a_retry_opens_no_gap_for_a_voided_transfer(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.log.action_retry()
        self.assertEqual(self.log.state, "pending")
        with self.assertRaisesRegex(UserError, "must not go out"):
            order.picking_ids.button_validate()

    def test_a_newer_version_opens_no_gap_for_a_voided_transfer(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.org.update("Invoices", self.sold["InvoiceID"], Reference="remark")
        self.connection.next_poll = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("poll")
        with self.assertRaisesRegex(UserError, "must not go out"):
            order.picking_ids.button_validate()

    def test_goods_may_come_back_while_a_void_waits(self):
        order = self.order(self.sold)
        picking = order.picking_ids
        picking.move_ids[0].write({"quantity": 1, "picked": True})
        picking.move_ids[1].write({"quantity": 0, "picked": True})
        picking._action_done()
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual(self.log.problem_code, "void_held")
        context = {"active_id": picking.id, "active_ids": picking.ids, "active_model": "stock.picking"}
        wizard = self.env["stock.return.picking"].with_context(**context).create({})
        wizard.product_return_moves.filtered(lambda line: line.product_id == self.bottle).quantity = 1
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.move_ids.picked = True
        back.button_validate()
        self.assertEqual(back.state, "done")

    def test_a_return_is_no_beginning(self):
        order = self.order(self.sold)
        order.picking_ids.copy({"return_id": order.picking_ids.id, "printed": True}).printed = True
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.log.change_state, "applied")

    def test_reading_a_voided_invoice_again_brings_nothing_back(self):
        order = self.order(self.sold)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.press(self.log.action_reimport)
        self.assertEqual((order.state, self.log.state), ("cancel", "done"))
        self.assertEqual(self.log.reason, f"{order.name} is cancelled here. The invoice was voided in Xero.")

    def test_reading_an_invoice_again_that_a_rule_forbids_brings_nothing_back(self):
        self.connection.write({"mapping_ids": [Command.create({"reference_contains": "pick-up", "action": "ignore"})]})
        self.edit(Reference="pick-up")
        self.press(self.log.action_reimport)
        self.assertEqual(self.order(self.sold).state, "cancel")

    def test_a_plain_xero_user_does_not_decide_by_ignoring(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        user = new_test_user(self.env, "plain-xero", groups="xero_connector.group_xero_user")
        for decision in (self.log.with_user(user).action_keep_document, self.log.with_user(user).action_ignore):
            with self.assertRaises(AccessError):
                decision()
        self.log.action_ignore("Her aunt has collected it.")
        self.assertEqual((self.log.state, self.log.change_state), ("done", "kept"))
        self.assertIn("Her aunt has collected it.", self.chatter(order))

    def test_an_invoice_deleted_in_xero_cancels_its_order(self):
        self.org.record("Invoices", self.sold["InvoiceID"]).data["Status"] = "DELETED"
        self.edit(Reference="gone")
        self.assertEqual(self.order(self.sold).state, "cancel")

    def test_the_cancellation_of_services_alone_can_be_taken_back_too(self):
        self.connection.service_product_id = self.freight
        self.sold = self.invoice("service", [self.line(None, 1, 15.0)])
        self.run_import(self.connection)
        order = self.order(self.sold)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual(order.state, "cancel")
        order.action_xero_undo()
        self.assertEqual(order.state, "sale")

    def test_a_payment_taken_back_asks_a_person_where_only_paid_invoices_ship(self):
        self.connection.trigger_status = "paid"
        paid = self.org.add_payment(self.sold["InvoiceID"])
        self.assertTrue(paid)
        self.run_import(self.connection)
        record = self.org.record("Invoices", self.sold["InvoiceID"])
        record.verbatim = True
        self.edit(Status="AUTHORISED")
        self.assertEqual(self.log.problem_code, "credit_held")
        self.assertIn("payment of the invoice was taken back", self.order(self.sold).xero_hold)
        self.edit(Status="PAID")
        self.assertEqual(self.log.state, "done")

    def test_a_part_credit_and_an_edit_are_told_together(self):
        self.org.update("Invoices", self.sold["InvoiceID"], LineItems=self.lines((0, {"Quantity": 4})))
        self.credit(12.0)
        order = self.order(self.sold)
        self.assertIn("Credit notes took 12", order.xero_hold)
        self.assertIn("BOTTLE: quantity 2 → 4", order.xero_hold)
        order.action_xero_apply()
        self.assertEqual(self.demand(), {"BOTTLE": 4, "MUG": 1})

    def test_a_second_credit_that_settles_the_rest_cancels(self):
        self.credit(12.0)
        self.order(self.sold).action_xero_keep()
        self.credit(20.0)
        self.assertEqual(self.order(self.sold).state, "cancel")

    def test_a_void_after_shipping_is_reported(self):
        order = self.order(self.sold)
        self.ship(order.picking_ids)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual((order.state, self.log.change_state), ("sale", "reported"))
        self.assertIn("The goods are shipped already.", self.alarms(order).note)

    def test_a_part_credit_asks_what_is_left_to_ship(self):
        order = self.order(self.sold)
        self.credit(12.0)
        self.assertEqual((order.state, self.log.problem_code), ("sale", "credit_held"))
        self.assertIn("Credit notes took 12", order.xero_hold)
        order.action_xero_keep()
        self.assertEqual(self.log.state, "done")

    def test_an_invoice_credited_in_part_before_the_import_waits_unconfirmed(self):
        self.sold = self.invoice("web 2", [self.line(), self.line("MUG", 1, 12.0)])
        self.credit(12.0)
        order = self.order(self.sold)
        self.assertEqual(order.state, "draft")
        self.assertIn("Credit notes took 12", self.alarms(order).note)
        self.org.add_payment(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertTrue(self.alarms(order), "a payment is no decision")

    def test_a_reference_that_now_says_do_not_import_cancels_the_order(self):
        self.connection.write({"mapping_ids": [Command.create({"reference_contains": "pick-up", "action": "ignore"})]})
        self.edit(Reference="pick-up")
        self.assertEqual(self.order(self.sold).state, "cancel")

    def test_a_void_finds_the_order_of_an_earlier_connection(self):
        self.connection.record_ids.sudo().unlink()
        self.connection.watermark = False
        order = self.order(self.sold)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual(order.state, "cancel")

    def credit(self, amount):
        note = self.org.add_credit_note(
            Contact={"ContactID": self.contact["ContactID"]},
            LineItems=[{"Description": "Credit", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200",
                        "TaxType": "NONE"}],
        )
        self.org.allocate(note["CreditNoteID"], self.sold["InvoiceID"], amount)
        self.run_import(self.connection)


class TransferDemandMixin:
    def open_moves(self):
        moves = self.picking(self.sold).move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
        return {move.product_id.default_code: (move.product_uom_qty, move.state) for move in moves}


class TestDeliveryOrderFollows(TransferDemandMixin, ChangeCase):
    settings = {"order_target": "picking", "order_confirm": True}

    def test_quantities_lines_and_reservations_follow(self):
        lines = self.lines((0, {"Quantity": 5}), (1, None))
        self._make_product("GLASS", "Glass", 3)
        self.org.add_item(Code="GLASS", Name="Glass")
        self.edit(LineItems=[*lines, self.line("GLASS", 2)])
        self.assertEqual(self.open_moves(), {"BOTTLE": (5, "assigned"), "GLASS": (2, "confirmed")})
        self.assertEqual(len(self.picking(self.sold)), 1)
        self.assertIn("MUG: removed, quantity was 1", self.chatter(self.picking(self.sold)))

    def test_two_lines_of_one_product_stay_two_and_follow_each(self):
        self.sold = self.invoice("two", [self.line(quantity=2), self.line(quantity=3, price=9.0)])
        self.run_import(self.connection)
        self.edit(LineItems=self.lines((1, {"Quantity": 4})))
        moves = self.picking(self.sold).move_ids
        self.assertEqual(sorted(moves.mapped("product_uom_qty")), [2, 4])

    def test_a_draft_follows_and_is_cancelled_too(self):
        self.connection.order_confirm = False
        self.sold = self.invoice("draft")
        self.run_import(self.connection)
        self.edit(LineItems=self.lines((0, {"Quantity": 5})))
        self.assertEqual(self.open_moves(), {"BOTTLE": (5, "draft")})
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual(self.picking(self.sold).state, "cancel")

    def test_an_applied_change_can_be_taken_back(self):
        self.edit(LineItems=self.lines((0, {"Quantity": 5}), (1, None)))
        self.picking(self.sold).action_xero_undo()
        self.assertEqual(self.open_moves(), {"BOTTLE": (2, "assigned"), "MUG": (1, "assigned")})

    def test_another_warehouse_gets_a_transfer_of_its_own(self):
        first = self.picking(self.sold)
        self.edit(Reference="GC 9")
        second = self.picking(self.sold) - first
        self.assertEqual((first.state, second.state), ("cancel", "assigned"))
        self.assertEqual(second.picking_type_id.warehouse_id, self.second_warehouse)
        self.assertEqual(self.log._document(), second)

    def test_a_change_to_what_is_left_of_a_part_delivery_counts_what_is_done(self):
        self.sold = self.invoice("part", [self.line(quantity=10)])
        self.run_import(self.connection)
        picking = self.picking(self.sold)
        picking.move_ids.write({"quantity": 4, "picked": True})
        picking._action_done()
        self.edit(LineItems=self.lines((0, {"Quantity": 7})))
        self.assertTrue(picking.xero_hold)
        picking.action_xero_apply()
        self.assertEqual(self.open_moves(), {"BOTTLE": (3, "assigned")})

    def test_more_of_what_is_shipped_without_order_is_for_people(self):
        picking = self.picking(self.sold)
        self.ship(picking)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        with self.assertRaisesRegex(UserError, "Settle the difference by hand"):
            picking.action_xero_apply()
        self.assertTrue(picking.xero_hold)

    def test_a_transfer_confirmed_by_hand_moves_confirmed(self):
        self.connection.order_confirm = False
        self.sold = self.invoice("hand")
        self.run_import(self.connection)
        first = self.picking(self.sold)
        first.action_confirm()
        self.edit(Reference="GC 9")
        self.assertEqual((self.picking(self.sold) - first).state, "assigned")

    def test_less_than_what_is_done_is_refused_in_plain_words(self):
        picking = self.picking(self.sold)
        self.ship(picking)
        self.edit(LineItems=self.lines((0, {"Quantity": 1})))
        with self.assertRaisesRegex(UserError, "2.0 are done already"):
            picking.action_xero_apply()
        self.assertTrue(picking.xero_hold)

    def test_a_void_cancels_and_taking_it_back_makes_another(self):
        picking = self.picking(self.sold)
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        self.assertEqual(picking.state, "cancel")
        picking.action_xero_undo()
        copy = self.picking(self.sold) - picking
        self.assertEqual((copy.state, self.log._document()), ("assigned", copy))
        self.assertEqual(self.open_moves(), {"BOTTLE": (2, "assigned"), "MUG": (1, "assigned")})

    def test_a_void_in_progress_stops_the_transfer(self):
        picking = self.picking(self.sold)
        picking.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)
        with self.assertRaisesRegex(UserError, "must not go out"):
            picking.button_validate()
