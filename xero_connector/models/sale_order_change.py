from odoo import api, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    """How an imported order follows its invoice. Odoo itself lets the transfers follow the order's quantities."""

    _inherit = "sale.order"

    # === STATE === #

    def _xero_transfers(self):
        return self.picking_ids.filtered(lambda picking: not picking.return_id)

    @api.model
    def _xero_delivered_domain(self):
        """Orders of which nothing is left to deliver."""
        without_goods = Domain("state", "=", "sale") & Domain("picking_ids", "=", False)
        return Domain("state", "=", "cancel") | Domain("delivery_status", "=", "full") | without_goods

    def _xero_warehouse(self):
        return self.warehouse_id

    def _xero_lines(self):
        return self.order_line

    def _xero_no_lines(self):
        return self.env["sale.order.line"]

    def _xero_is_line(self, line, values):
        if values.get("display_type"):
            return line.display_type == values["display_type"] and line.name == values["name"]
        return super()._xero_is_line(line, values)

    # === FOLLOW === #

    def _xero_plan_header(self, plan):
        result = super()._xero_plan_header(plan)
        old, new = plan.old.invoice, plan.new.invoice
        if old.currency != new.currency:
            # Odoo changes no confirmed order's pricelist.
            plan.differences.append(self.env._("Currency: %(old)s → %(new)s", old=old.currency, new=new.currency))
            plan.needs_rebuild = plan.moves_goods = True
        return result

    def _xero_apply(self, connection, plan):
        """Follow the plan.

        :return: the document that stands for the invoice now
        :raise UserError: when the goods are too far for it
        """
        self.ensure_one()
        was_locked = self.locked
        self.action_unlock()
        rebuild = plan.needs_rebuild and self.state == "sale"
        if rebuild:
            self._xero_refuse_when_shipped(self._xero_transfers())
            self._action_cancel()
            self.action_draft()
        self._xero_follow_number(plan.new.invoice)
        self.write(self._xero_header_values(connection, plan))
        for change in plan.lines:
            self._xero_apply_line(change)
        self._xero_follow_text(connection, plan)
        self._xero_untick()
        if rebuild:
            self.action_confirm()
        if was_locked:
            self.action_lock()
        return self

    def _xero_header_values(self, connection, plan):
        old, new, route = plan.old.invoice, plan.new.invoice, plan.new.route
        values = {}
        if plan.reference_changed:
            values |= {"xero_mapping_id": route.rule.id if route.rule else False, "xero_route_reason": route.reason}
            if (self.client_order_ref or "") == old.reference:
                values["client_order_ref"] = new.reference
            if self.state != "sale":
                values["warehouse_id"] = route.warehouse.id
        if plan.contact_changed:
            partners = self.env["res.partner"]._xero_import(connection, [plan.new])
            customer = connection.partner_id or partners.contacts[new.contact_id]
            values |= {"partner_id": customer.id, "partner_shipping_id": partners.ship_to[plan.new.row.id].id}
        if plan.contact_changed or old.currency != new.currency:
            pricelists = self.env["product.pricelist"]._xero_for_invoices(connection, [plan.new])
            values |= pricelists.get(connection._currency_code(new), {})
        return values

    def _xero_apply_line(self, change):
        line = change.records
        if line and change.after and self._xero_is_editable(line, change):
            line.write(change.values)
            return
        if line and self.state == "sale" and not line.display_type:
            # A confirmed order's line cannot go; what was ordered then is nothing now.
            line.write({"product_uom_qty": 0, "xero_line_id": False})
        else:
            line.unlink()
        if change.after:
            self.env["sale.order.line"].create({**change.after, "order_id": self.id})

    def _xero_is_editable(self, line, change):
        """Whether the line can become the new one: texts stay texts, a confirmed line keeps product and unit."""
        after = change.after
        if (line.display_type or False) != after.get("display_type", False):
            return False
        return self.state != "sale" or not change.before or not {"product_id", "product_uom_id"} & set(change.values)

    def _xero_cancel(self):
        """Cancel the order and its transfers that are not done.

        :return: whether it had been confirmed
        """
        was_confirmed = self.state == "sale"
        self.action_unlock()
        self._action_cancel()
        return was_confirmed

    def _xero_restore(self, connection, draft, confirm):
        """Take a cancellation back.

        :return: the document that stands for the invoice now
        """
        self.action_draft()
        if confirm:
            self.action_confirm()
        return self
