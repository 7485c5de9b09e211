from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain


class StockPicking(models.Model):
    """How a delivery order without sale order follows its invoice, and when a transfer must not go out."""

    _inherit = "stock.picking"

    def _action_done(self):
        """Nothing leaves for an invoice that asks for nothing any more, before a person has decided."""
        # sudo: whoever ships need not read the log
        rows_sudo = self.sudo()._xero_rows()
        for picking in self.filtered(lambda picking: not picking.return_id):
            row_sudo = rows_sudo.get(picking.id)
            if row_sudo and (reason := row_sudo._forbids_shipping()):
                raise UserError(self.env._("%(name)s must not go out: %(reason)s", name=picking.name, reason=reason))
        return super()._action_done()

    # === STATE === #

    def _xero_transfers(self):
        return self.search(
            [
                ("xero_connection_id", "=", self.xero_connection_id.id),
                ("xero_invoice_id", "=", self.xero_invoice_id),
                ("return_id", "=", False),
            ]
        )

    @api.model
    def _xero_delivered_domain(self):
        """Transfers of whose invoice nothing is left to deliver."""
        open_transfers = self._search(
            [
                ("xero_invoice_id", "!=", False),
                ("return_id", "=", False),
                ("state", "not in", ("done", "cancel")),
            ]
        )
        imported = Domain("xero_invoice_id", "!=", False)
        delivered = imported & Domain("xero_invoice_id", "not in", open_transfers.subselect("xero_invoice_id"))
        return delivered | (~imported & Domain("state", "in", ("done", "cancel")))

    def _xero_is_cancelled(self):
        return all(picking.state == "cancel" for picking in self | self._xero_transfers())

    def _xero_living_first(self):
        order = {"done": 1, "cancel": 2}
        return self.filtered(lambda p: not p.return_id).sorted(lambda picking: order.get(picking.state, 0))

    def _xero_is_in_hand(self):
        """Whether somebody has begun with this transfer."""
        self.ensure_one()
        if self.state == "done" or self.printed or any(move.picked for move in self.move_ids):
            return True
        # stock_picking_batch, where it is installed
        return "batch_id" in self._fields and self.batch_id.state == "in_progress"

    def _xero_warehouse(self):
        return self.picking_type_id.warehouse_id

    def _xero_lines(self):
        """The moves of the first step, in this transfer and its backorders; the next steps follow them."""
        pickings = self._xero_transfers().filtered(lambda picking: picking.picking_type_id == self.picking_type_id)
        return pickings.move_ids.filtered(lambda move: move.state != "cancel")

    def _xero_no_lines(self):
        return self.env["stock.move"]

    def _xero_current(self, records, key):
        if key == "product_uom_qty":
            return sum(move.quantity if move.state == "done" else move.product_uom_qty for move in records)
        return super()._xero_current(records[:1], key)

    # === FOLLOW === #

    def _xero_plan(self, connection, old, new):
        plan = super()._xero_plan(connection, old, new)
        if any(self._xero_is_exploded(change) for change in plan.lines):
            plan.needs_rebuild = True
        if plan.needs_rebuild:
            # What is made anew would forget what somebody changed here.
            plan.conflicts += [
                self.env._("%s was changed here.", line.item_code)
                for line, moves, values in plan.standing
                if not all(move._xero_is_part() for move in moves)
                and self._xero_current(moves, "product_uom_qty") != values["product_uom_qty"]
            ]
        return plan

    def _xero_is_exploded(self, change):
        """Whether a kit's components stand here instead of the product the invoice names."""
        return bool(change.before and change.records and all(move._xero_is_part() for move in change.records))

    def _xero_line_conflicts(self, change, keys, old_line):
        if self._xero_is_exploded(change):
            return []
        if change.before and change.records and change.records.product_id.ids != [change.before["product_id"]]:
            return [self.env._("%s was changed here.", old_line.item_code)]
        return super()._xero_line_conflicts(change, keys, old_line)

    def _xero_apply(self, connection, plan):
        """Follow the plan.

        :return: the document that stands for the invoice now
        :raise UserError: when the goods are too far for it
        """
        self.ensure_one()
        if plan.needs_rebuild:
            return self._xero_replace(connection, plan)
        self._xero_follow_number(plan.new.invoice)
        if plan.reference_changed:
            route = plan.new.route
            self.write(
                {"xero_mapping_id": route.rule.id if route.rule else False, "xero_route_reason": route.reason}
            )
        for change in plan.lines:
            self._xero_apply_line(change)
        self._xero_follow_text(connection, plan)
        self._xero_untick()
        return self

    def _xero_replace(self, connection, plan):
        """Another warehouse or customer: a transfer cannot move there, so it is cancelled and made anew."""
        transfers = self._xero_transfers().filtered(lambda picking: picking.state != "cancel")
        self._xero_refuse_when_shipped(transfers)
        was_confirmed = self.state != "draft"
        transfers.action_cancel()
        if plan.contact_changed:
            picking = self._xero_create(connection, [plan.new])
        else:
            picking = self._xero_create_for(connection, [plan.new], {plan.new.row.id: self.partner_id})
        if was_confirmed and picking.state == "draft":
            picking.action_confirm()
        return picking

    def _xero_apply_line(self, change):
        moves, after = change.records, change.after
        if moves and after and self._xero_is_editable(change):
            self._xero_set_quantity(moves, after["product_uom_qty"])
            moves.write({"xero_line_id": after["xero_line_id"]})
            return
        if after:
            # Before the old one goes: a transfer without any line would be cancelled.
            self._xero_add_move(after)
        if moves:
            self._xero_set_quantity(moves, 0)

    def _xero_is_editable(self, change):
        """Whether the moves can become the new ones: same product, same unit."""
        moves, after = change.records, change.after
        if change.before and not {"product_id", "product_uom"} & set(change.values):
            return True
        return (moves.product_id.ids, moves.product_uom.ids) == ([after["product_id"]], [after["product_uom"]])

    def _xero_set_quantity(self, moves, quantity):
        """Ship this many in all: what is done counts, the rest is asked of the open move."""
        done = sum(move.quantity for move in moves if move.state == "done")
        open_moves = moves.filtered(lambda move: move.state not in ("done", "cancel"))
        rest = moves[:1].product_uom.round(quantity - done)
        if rest < 0 or (rest and not open_moves):
            raise UserError(
                self.env._(
                    "%(product)s: %(done)s are done already. Settle the difference by hand (a return, another "
                    "transfer), then choose Keep as it is.",
                    product=moves.product_id.display_name,
                    done=done,
                )
            )
        for move in open_moves:
            wanted, rest = rest, 0
            if not wanted:
                move._action_cancel()
            elif wanted != move.product_uom_qty:
                move.product_uom_qty = wanted
                if move.state != "draft":
                    move._action_assign()

    def _xero_add_move(self, values):
        picking = next((p for p in self._xero_lines().picking_id if p.state not in ("done", "cancel")), None)
        if not picking:
            raise UserError(
                self.env._(
                    "This is shipped already. Make another transfer for what was added, then choose Keep as it is."
                )
            )
        was_confirmed = picking.state != "draft"
        values = values | self._xero_move_values(self.picking_type_id, self.xero_invoice_number)
        references = [Command.set(picking.move_ids.reference_ids.ids)]
        move = self.env["stock.move"].create({**values, "picking_id": picking.id, "reference_ids": references})
        if was_confirmed:
            move._action_confirm(merge=False)
            move._action_assign()

    def _xero_cancel(self):
        """Cancel all transfers of the invoice that are not done.

        :return: whether this one had been confirmed
        """
        was_confirmed = self.state != "draft"
        self._xero_open_transfers().action_cancel()
        return was_confirmed

    def _xero_restore(self, connection, draft, confirm):
        """Take a cancellation back: Odoo revives no transfer, so the invoice gets another one, as it is now.

        :return: the document that stands for the invoice now
        :raise UserError: when there is another one already, or a part is shipped
        """
        if living := self._xero_open_transfers():
            names = ", ".join(living.mapped("name"))
            raise UserError(self.env._("%s is there for this invoice already.", names))
        self._xero_refuse_when_shipped(self._xero_transfers())
        self._xero_prepare(connection, [draft])
        if draft.problems or not draft.values:
            raise UserError(
                "\n".join(problem.reason for problem in draft.problems) or self.env._("There is nothing to ship.")
            )
        picking = self._xero_create_for(connection, [draft], {draft.row.id: self.partner_id})
        if confirm and picking.state == "draft":
            picking.action_confirm()
        return picking
