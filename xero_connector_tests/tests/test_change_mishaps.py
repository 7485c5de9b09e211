"""What may go wrong between an imported order and its invoice: each of these once shipped, lost or hid something."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from ..sandbox.fake_xero import settlement
from .common import COMPLETE_ADDRESS
from .test_changes import ChangeCase, OrderDemandMixin, TransferDemandMixin


class MishapCase(ChangeCase):
    def void(self):
        self.org.void(self.sold["InvoiceID"])
        self.run_import(self.connection)

    def forget_the_log(self):
        self.connection.record_ids.sudo().unlink()
        self.connection.watermark = False

    def count_in_dozens(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.active = True
        self.org.add_item(Code="BOTTLE-12", Name="A dozen bottles")
        mapping = {"item_code": "BOTTLE-12", "product_id": self.bottle.id, "uom_id": dozen.id}
        self.connection.product_mapping_ids = [Command.create(mapping)]


class TestOrderMishaps(OrderDemandMixin, MishapCase):
    def assert_stopped(self):
        with self.assertRaisesRegex(UserError, "must not go out"):
            self.order(self.sold).picking_ids.button_validate()

    def test_a_void_that_is_known_but_not_worked_off_stops_the_transfer(self):
        self.order(self.sold).picking_ids.move_ids.picked = True
        self.org.void(self.sold["InvoiceID"])
        self.connection.next_poll = fields.Datetime.now()
        self.run_cron("poll")
        self.assertEqual(self.log.state, "pending")
        self.assert_stopped()

    def test_a_void_whose_cancellation_another_addon_refuses_stops_the_transfer(self):
        order = self.order(self.sold)

        def refuse(*_args):
            raise UserError("Another addon forbids it.")

        with patch.object(type(order), "_action_cancel", refuse):
            self.void()
        order.picking_ids.move_ids.picked = True
        self.assertEqual(self.log.state, "failed")
        with self.assertRaises(UserError):
            order.picking_ids.button_validate()

    def test_a_void_does_not_wait_for_another_invoices_call(self):
        self.org.void(self.sold["InvoiceID"])
        contact = self.org.add_contact(Name="New Ltd", Addresses=[COMPLETE_ADDRESS])
        self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        headers = {"Retry-After": "20000", "X-Rate-Limit-Problem": "day"}
        self.fake.faults.add(path="/Contacts", status=429, times=None, headers=headers)
        self.run_import(self.connection)
        self.assertEqual(self.order(self.sold).state, "cancel")

    def test_a_void_stops_the_order_of_an_earlier_connection_and_a_retry_forgets_it_not(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.connection.action_disconnect()
        self.connection.active = False
        self.connection = self.connect(order_confirm=True)
        self.void()
        row = self.log.filtered(lambda row: row.connection_id == self.connection)
        self.assertEqual(row.problem_code, "void_held")
        self.assertIn("voided in Xero", order.xero_hold)
        self.assert_stopped()
        row.action_retry()
        self.run_cron("process")
        self.assertEqual(row.problem_code, "void_held")
        order.action_xero_cancel()
        self.assertEqual(order.state, "cancel")

    def test_a_line_that_came_back_in_xero_after_it_was_kept_here_is_not_doubled(self):
        self.edit(LineItems=self.lines((1, None)))
        self.order(self.sold).action_xero_undo()
        self.edit(LineItems=[*self.lines(), self.line("MUG", 1, 12.0)])
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})

    def test_a_line_added_on_both_sides_with_other_quantities_waits_for_a_person(self):
        order = self.order(self.sold)
        glass = self._make_product("GLASS", "Glass", 3)
        self.org.add_item(Code="GLASS", Name="Glass")
        order.order_line = [Command.create({"product_id": glass.id, "product_uom_qty": 4})]
        self.edit(LineItems=[*self.lines(), self.line("GLASS", 1)])
        self.assertIn("GLASS was added here.", order.xero_hold)
        self.assertEqual(self.demand()["GLASS"], 4)

    def test_an_item_switched_on_a_line_can_be_edited_again_and_taken_back(self):
        self.edit(LineItems=self.lines((0, {"ItemCode": "MUG", "Item": None})))
        self.edit(LineItems=self.lines((0, {"Quantity": 5})))
        self.assertEqual((self.log.state, self.demand()), ("done", {"MUG": 6}))
        self.edit(LineItems=self.lines((0, {"ItemCode": "BOTTLE", "Item": None})))
        self.order(self.sold).action_xero_undo()
        self.assertEqual(self.demand(), {"MUG": 6})

    def test_a_line_whose_code_means_nothing_any_more_is_held_once_picking_started(self):
        self.start_picking(self.order(self.sold).picking_ids)
        self.bottle.default_code = "OTHER"
        self.edit(LineItems=self.lines((0, None)))
        self.assertEqual(self.log.problem_code, "change_held")

    def test_a_code_mapped_to_another_product_later_switches_no_ordered_product(self):
        self.org.add_item(Code="X-1", Name="x")
        glass = self._make_product("GLASS", "Glass", 1)
        self.connection.product_mapping_ids = [Command.create({"item_code": "X-1", "product_id": self.bottle.id})]
        self.sold = self.invoice("m", [self.line("X-1", quantity=2)])
        self.run_import(self.connection)
        self.connection.product_mapping_ids.product_id = glass
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertEqual(self.demand(), {"BOTTLE": 3})

    def test_a_line_that_is_counted_in_pieces_now_ships_pieces(self):
        self.count_in_dozens()
        self.sold = self.invoice("u", [self.line("BOTTLE-12", quantity=2, price=60.0)])
        self.run_import(self.connection)
        self.edit(LineItems=self.lines((0, {"ItemCode": "BOTTLE", "Item": None, "UnitAmount": 10.0})))
        moves = self.picking(self.sold).move_ids.filtered(lambda move: move.state != "cancel")
        self.assertEqual(sum(moves.mapped("product_qty")), 2)

    def test_what_was_ticked_beyond_the_new_quantity_does_not_leave(self):
        order = self.order(self.sold)
        order.picking_ids.move_ids.picked = True
        self.edit(LineItems=self.lines((0, {"Quantity": 1})))
        order.action_xero_apply()
        move = order.picking_ids.move_ids.filtered(lambda move: move.product_id == self.bottle)
        self.assertEqual((move.picked, move.quantity), (False, 1))

    def test_an_edit_of_a_cancelled_order_is_there_when_it_comes_back(self):
        order = self.order(self.sold)
        order._action_cancel()
        self.edit(LineItems=self.lines((0, {"Quantity": 5})))
        self.press(self.log.action_reimport)
        self.assertEqual((order.state, self.demand()), ("sale", {"BOTTLE": 5, "MUG": 1}))

    def test_a_credit_taken_back_calls_a_person_to_the_cancelled_order(self):
        note = self.org.add_credit_note(
            Contact={"ContactID": self.contact["ContactID"]},
            LineItems=[{"Description": "Credit", "Quantity": 1, "UnitAmount": 32.0, "AccountCode": "200",
                        "TaxType": "NONE"}],
        )
        allocation = self.org.allocate(note["CreditNoteID"], self.sold["InvoiceID"], 32.0)
        self.run_import(self.connection)
        order = self.order(self.sold)
        self.assertEqual(order.state, "cancel")
        settlement.remove_allocation(self.org, allocation["AllocationID"], self.fake.clock.now())
        self.run_import(self.connection)
        self.assertIn("shipped again", self.alarms(order).note)
        messages = order.message_ids
        self.edit(Reference="touched")
        self.assertEqual((len(self.alarms(order)), order.message_ids), (1, messages), "told once")
        order.action_xero_undo()
        self.assertEqual(order.state, "sale")

    def test_an_edit_that_fails_is_seen_on_the_order(self):
        order = self.order(self.sold)
        self.org.add_item(Code="GLASS", Name="Glass")
        self.edit(LineItems=[*self.lines((0, {"Quantity": 9})), self.line("GLASS", 1)])
        self.assertIn("“GLASS”", order.xero_hold)
        self.assertEqual(len(self.alarms(order)), 1)
        order.action_xero_keep()
        self.assertEqual((self.log.state, len(self.alarms(order))), ("done", 0))

    def test_a_held_row_of_a_deleted_order_can_be_ignored(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        order._action_cancel()
        order.unlink()
        self.log.action_ignore("gone")
        self.assertEqual(self.log.problem_code, "ignored")

    def test_retry_all_leaves_deleted_orders_alone(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        order._action_cancel()
        order.unlink()
        with self.assertRaisesRegex(UserError, "Nothing has failed"):
            self.connection.action_retry_all()

    def test_who_may_not_write_orders_brings_none_back(self):
        order = self.order(self.sold)
        order._action_cancel()
        user = new_test_user(self.env, "plain", groups="xero_connector.group_xero_user")
        with self.assertRaises(AccessError):
            self.press(self.log.with_user(user).action_reimport)
        self.assertEqual(order.state, "cancel")

    def test_nobody_without_rights_on_the_order_decides(self):
        order = self.order(self.sold)
        self.start_picking(order.picking_ids)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        plain = new_test_user(self.env, "plain", groups="xero_connector.group_xero_user")
        portal = new_test_user(self.env, "portal", groups="base.group_portal")
        for decision in ("apply", "keep", "cancel", "undo"):
            for user in (plain, portal):
                with self.assertRaises(AccessError):
                    getattr(order.with_user(user), f"action_xero_{decision}")()

    def test_a_portal_customer_reads_no_remarks_about_the_order(self):
        order = self.order(self.sold)
        portal = new_test_user(self.env, "portal", groups="base.group_portal")
        order.partner_id = portal.partner_id
        order.message_subscribe(portal.partner_id.ids)
        for name in ("xero_hold", "xero_change", "xero_can_undo"):
            with self.assertRaises(AccessError):
                order.with_user(portal).read([name])

    def test_the_import_window_tells_nothing_of_another_companys_rows(self):
        other = self.env["res.company"].create({"name": "Other"})
        companies = {"company_id": other.id, "company_ids": other.ids}
        user = new_test_user(self.env, "other", groups="xero_connector.group_xero_user", **companies)
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other.id)], limit=1)
        connection = self.env["xero.connection"].create(
            {"name": "Other", "app_id": self.app.id, "company_id": other.id, "warehouse_id": warehouse.id}
        )
        row = self.log
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            wizard = self.env["xero.import.one"].with_user(user).create(
                {"connection_id": connection.id, "text": "x", "record_id": row.id}
            )
            wizard.invalidate_recordset()
            wizard.read(["state", "reason", "document_name"])


class TestTransferMishaps(TransferDemandMixin, MishapCase):
    settings = {"order_target": "picking", "order_confirm": True}

    def demand(self):
        return {code: quantity for code, (quantity, _state) in self.open_moves().items()}

    def test_a_removed_line_does_not_come_back_with_the_transfer(self):
        self.edit(LineItems=self.lines((1, None)))
        self.void()
        self.picking(self.sold).action_xero_undo()
        self.assertEqual(self.demand(), {"BOTTLE": 2})

    def test_a_transfer_comes_back_once(self):
        picking = self.picking(self.sold)
        self.start_picking(picking)
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        picking.action_xero_cancel()
        self.press(self.log.action_reimport)
        living = self.picking(self.sold) - picking
        self.assertFalse(living.xero_can_undo)
        self.press(self.log.action_reimport)
        self.assertEqual(self.demand(), {"BOTTLE": 3, "MUG": 1})

    def test_a_transfer_duplicated_by_hand_is_not_joined_by_another(self):
        picking = self.picking(self.sold)
        picking.action_cancel()
        picking.copy().action_confirm()
        self.press(self.log.action_reimport)
        self.assertEqual(self.demand(), {"BOTTLE": 2, "MUG": 1})

    def test_a_part_delivery_is_never_brought_back_whole(self):
        picking = self.picking(self.sold)
        picking.move_ids[0].write({"quantity": 1, "picked": True})
        picking._action_done()
        self.void()
        picking.action_xero_cancel()
        with self.assertRaises(UserError):
            picking.action_xero_undo()
        self.assertEqual(self.demand(), {})

    def test_a_void_finds_the_living_transfer_not_the_one_it_replaced(self):
        first = self.picking(self.sold)
        self.edit(Reference="GC 9")
        second = self.picking(self.sold) - first
        self.forget_the_log()
        self.void()
        self.assertEqual(second.state, "cancel")

    def test_the_only_line_may_become_another_item(self):
        self.sold = self.invoice("one", [self.line()])
        self.run_import(self.connection)
        self.edit(LineItems=self.lines((0, {"ItemCode": "MUG", "Item": None})))
        self.assertEqual(self.demand(), {"MUG": 2})

    def test_a_transfer_emptied_by_an_edit_calls_a_person_when_goods_come_back(self):
        self.sold = self.invoice("one", [self.line()])
        self.run_import(self.connection)
        self.edit(LineItems=self.lines((0, {"Quantity": 0})))
        self.assertEqual(self.demand(), {})
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertIn("shipped again", self.alarms(self.picking(self.sold)).note)

    def test_a_line_whose_code_means_nothing_any_more_is_removed_all_the_same(self):
        self.bottle.default_code = "OTHER"
        self.edit(LineItems=self.lines((0, None)))
        self.assertEqual(self.demand(), {"MUG": 1})

    def test_a_move_to_another_warehouse_forgets_nothing_that_was_changed_here(self):
        self.picking(self.sold).move_ids[0].product_uom_qty = 1
        self.edit(Reference="GC 9")
        self.assertIn("BOTTLE was changed here.", self.picking(self.sold).xero_hold)

    def test_a_substitute_chosen_here_is_no_kit(self):
        glass = self._make_product("GLASS", "Glass", 3)
        picking = self.picking(self.sold)
        move = picking.move_ids[0]
        move.copy({"product_id": glass.id, "picking_id": picking.id})._action_confirm(merge=False)
        move._action_cancel()
        self.edit(LineItems=self.lines((0, {"Quantity": 3})))
        self.assertIn("BOTTLE was changed here.", picking.xero_hold)

    def test_another_unit_is_a_change_of_goods(self):
        self.count_in_dozens()
        self.start_picking(self.picking(self.sold))
        self.edit(LineItems=self.lines((0, {"ItemCode": "BOTTLE-12", "Item": None})))
        self.assertEqual(self.log.problem_code, "change_held")
