from odoo import models
from odoo.exceptions import UserError


class XeroRecord(models.Model):
    """Items that a person maps, or makes products of."""

    _inherit = "xero.record"

    def _make_by_hand(self, connection):
        """Create the products of these items now, for somebody who asks; what Odoo refuses is told."""
        codes = self.mapped("number")
        company = ("company_id", "in", (False, connection.company_id.id))
        products = connection.env["product.product"].with_context(active_test=False)
        if there := products.search([("default_code", "in", codes), company], limit=1):
            raise UserError(
                self.env._(
                    "%(product)s has the internal reference %(code)s already: map the item to it.",
                    product=there.display_name,
                    code=there.default_code,
                )
            )
        self._make(connection)
        for row in self:
            row._settle_mapping()

    def _map(self, product):
        """Say that this item is that product: what it shares with Xero is compared at the next turn.

        :raise UserError: where one of both is taken
        """
        self.ensure_one()
        if self.resource != "item" or self.direction != "in" or self._is_gone_item():
            raise UserError(self.env._("Choose an item of Xero."))
        if product.company_id and product.company_id != self.company_id:
            raise UserError(
                self.env._(
                    "%(product)s belongs to %(company)s.",
                    product=product.display_name,
                    company=product.company_id.display_name,
                )
            )
        if owner := self._bindings_of(product):
            other = self.search(
                [*self.connection_id._item_rows_domain(), ("external_id", "=", owner.external_id)], limit=1
            )
            raise UserError(
                self.env._(
                    "%(product)s is mapped to the item %(code)s already. Unmap it there first.",
                    product=product.display_name,
                    code=other.number,
                )
            )
        main = self.env["xero.binding"]._of_items(self.connection_id, [self.external_id], product.browse())
        if main and not self.connection_id.allow_shared_item:
            raise UserError(
                self.env._(
                    "The item %(code)s is %(product)s already. Unmap it first, or allow the connection to map several "
                    "products to one item.",
                    code=self.number,
                    product=self.env["product.product"].browse(main.res_id).display_name,
                )
            )
        # sudo: rows and bindings are written by the machine; who may write lines of the screen may map
        row_sudo = self.sudo()
        self.env["xero.binding"].sudo()._bind_items(
            row_sudo.connection_id, row_sudo, product, is_shared=bool(main), is_chosen=True
        )
        row_sudo._forget_sending(product)
        if not main:
            row_sudo._settle_mapping()

    def _map_if_free(self, product):
        """:meth:`_map` where both are free, else nothing.

        :return: whether it was mapped
        """
        taken = self.env["xero.binding"]._of_items(self.connection_id, [self.external_id], product)
        if taken or self._bindings_of(product):
            return False
        self._map(product)
        return True

    def _bindings_of(self, product):
        return self.env["xero.binding"].search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("resource", "=", "item"),
                ("res_model", "=", product._name),
                ("res_id", "=", product.id),
            ]
        )

    def _forget_sending(self, product):
        """Now that the product is mapped, whatever became of sending it as a new item is past."""
        self.search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("direction", "=", "out"),
                ("resource", "=", "item"),
                ("res_model", "=", product._name),
                ("res_id", "=", product.id),
                ("request_key", "=", False),
            ]
        ).unlink()

    def _settle_mapping(self):
        """A person chose the product: compare at the next turn, where values are exchanged at all."""
        binding = self.env["xero.binding"]._of_items(
            self.connection_id, [self.external_id], self.env["product.product"]
        )
        product = self.env["product.product"].browse(binding.res_id)
        self.write({"suggestion_id": False, "suggestion_score": 0, "wants_suggestion": False})
        if self.connection_id.item_sync == "none":
            self._compared(product)
            return
        self.write(self._armed_values() | {"res_model": product._name, "res_id": product.id})
        if self.connection_id.item_interval != "manual":
            self.connection_id._ring_items()
