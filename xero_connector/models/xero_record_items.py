import logging

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib import item
from .item_plan import ItemPair, ItemPlan, plan
from .product_terms import ProductTerms

_logger = logging.getLogger(__name__)

_LEFT_ALONE = ("ignored", "deleted", "deleted_here")


class XeroRecord(models.Model):
    """Items of Xero: each finds its product, and both are compared field by field."""

    _inherit = "xero.record"

    # === BATCH === #

    @api.model
    def _compare_items(self, connection):
        """Compare one batch: items that changed in Xero, and products that changed here.

        :return: whether there was anything to do
        """
        rows = self.search(
            [
                *connection._item_rows_domain(),
                ("state", "=", "pending"),
                "|",
                ("next_attempt", "=", False),
                ("next_attempt", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=const.BATCH_SIZE,
        )
        changes = self.env["xero.product.change"]
        products = changes._next(connection).with_env(connection.env)
        if not rows and not products:
            return False
        pairs = rows.with_env(connection.env)._pair_items(connection, products)
        self._compare_safely(connection, pairs)
        changes._forget(connection, products.union(*(pair.product for pair in pairs)))
        return True

    @api.model
    def _compare_safely(self, connection, pairs):
        """All at once; when that fails, each alone, so that one bad pair costs itself and nothing else."""
        try:
            with self.env.cr.savepoint():
                products = connection.env["product.product"].union(*(pair.product for pair in pairs))
                terms = ProductTerms(connection, products)
                eligible = products.filtered_domain(connection._item_domain())
                plans = [(pair, pair.row._compare_pair(connection, terms, pair, eligible)) for pair in pairs]
                to_send = [pair for pair, done in plans if done.pushes]
                self._put_out(connection, {pair.product: pair.binding.external_id for pair in to_send})
                told = {pair.product.id: Markup("<br/>").join(done.told) for pair, done in plans if done.told}
                products.browse(told)._xero_tell(told)
                self.env.flush_all()
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 it ends in the row, with its details
            if len(pairs) == 1:
                pairs[0].row._fail_with(connection, error)
                return
            _logger.info("connection %s: %s items failed together, going one by one", connection.id, len(pairs))
            for pair in pairs:
                self._compare_safely(connection, [pair])

    def _compare_pair(self, connection, terms, pair, eligible):
        """Bring one pair as far as it goes here: what Xero wins is written.

        :return: what was found, and is left to be done
        :rtype: ItemPlan
        """
        _ = connection.env._
        if not pair.product.active:
            reason = _("The product is archived in Odoo. Nothing is exchanged; the item stays in Xero as it is.")
            self._compared(pair.product, "archived_here", reason)
            return ItemPlan()
        if pair.product not in eligible:
            reason = _("The product is kept out: by its own switch, or by the connection's filter.")
            self._compared(pair.product, "kept_out", reason)
            return ItemPlan()
        if connection.item_sync == "none":
            self._compared(pair.product)
            return ItemPlan()
        # Taxes first: they say what a price includes.
        done = self._take_over(connection, terms, pair, item.TAXES)
        done += self._take_over(connection, terms, pair, [name for name in item.FIELDS if name not in item.TAXES])
        self._compared(pair.product, reason="\n".join(done.lines))
        return done

    @api.model
    def _take_over(self, connection, terms, pair, names):
        """Compare these fields, and write what Xero wins."""
        done, xero, odoo = plan(connection, terms, pair, names)
        if done.pulls:
            terms.put(pair.product, pair.binding.uom_id, done.pulls)
            odoo = terms.of(pair.product, pair.binding.uom_id)
        agreed = done.settled | set(done.pulls)
        pair.binding._settle({name: xero[name] for name in agreed}, {name: odoo[name] for name in agreed})
        return done

    def _compared(self, product, skip_code=False, reason=False):
        """The end of a comparison, where it is another than the last one."""
        outcome = {
            "state": "skipped" if skip_code else "done",
            "problem_code": skip_code,
            "reason": reason or False,
            "res_model": product._name,
            "res_id": product.id,
            "wants_suggestion": False,
        }
        if any(self[name] != value for name, value in outcome.items()):
            self.write(
                outcome
                | {
                    "attempts": self.attempts + 1,
                    "next_attempt": False,
                    "problem_subject": False,
                    "mending": False,
                    "traceback": False,
                    "done_at": fields.Datetime.now(),
                }
            )

    # === WHO IS WHO === #

    def _pair_items(self, connection, products):
        """Find the product of each of these items, and the item of each of these products. What has none is made where
        the connection says so, else it is left with the reason why.

        :rtype: list[ItemPair]
        """
        bindings = self.env["xero.binding"]._of_items(connection, self.mapped("external_id"), products)
        bound_rows = self._items_by_id(connection, bindings.mapped("external_id"))
        loose_rows = self.filtered(lambda row: row.external_id not in bound_rows)
        held = self.env["xero.binding"]._of_items(connection, [], products, with_shared=True)
        loose_products = products - products.browse(held.mapped("res_id"))
        loose_rows |= self._loose_items_by_code(connection, loose_products)
        bindings |= loose_rows._match_items(connection)
        bindings |= loose_rows._make_products(connection)
        loose_products -= products.browse(bindings.mapped("res_id"))
        loose_products._xero_put_out_new(connection)
        rows = bound_rows | {row.external_id: row for row in loose_rows}
        # Browsed together they are read together.
        bound_products = {product.id: product for product in products.browse(bindings.mapped("res_id"))}
        return [
            ItemPair(rows[binding.external_id], bound_products[binding.res_id], binding)
            for binding in bindings
            if binding.external_id in rows and rows[binding.external_id].problem_code != "ignored"
        ]

    @api.model
    def _items_by_id(self, connection, item_ids):
        rows = self.search([*connection._item_rows_domain(), ("external_id", "in", item_ids)])
        return {row.external_id: row for row in rows}

    @api.model
    def _items_by_code(self, connection, codes):
        """The rows of items with these codes, in any case; those that are deleted in Xero are none."""
        codes = [code.lower() for code in codes if code]
        if not codes:
            return self.browse()
        self.flush_model(["number", "resource", "direction", "connection_id", "problem_code"])
        self.env.cr.execute(
            """
            SELECT id FROM xero_record
             WHERE connection_id = %s AND resource = 'item' AND direction = 'in' AND lower(number) = ANY(%s)
               AND problem_code IS DISTINCT FROM 'deleted'
            """,
            (connection.id, codes),
        )
        return self.browse(row_id for (row_id,) in self.env.cr.fetchall())

    @api.model
    def _loose_items_by_code(self, connection, products):
        """Items that wait for a product, with the codes of these products."""
        rows = self._items_by_code(connection, products.mapped("default_code"))
        bound = self.env["xero.binding"]._of_items(connection, rows.mapped("external_id"), products.browse())
        bound_ids = set(bound.mapped("external_id"))
        return rows.filtered(lambda row: row.external_id not in bound_ids and row.problem_code not in _LEFT_ALONE)

    def _match_items(self, connection):
        """Bind each of these items to the one product of its code: what was sent under it, else the internal reference.

        :return: the bindings made
        """
        codes = set(self.mapped("number"))
        sent = self._sent_products(connection, codes)
        found = connection.env["product.product"]._xero_find_by_reference(connection, codes)
        products = {row: sent.get(row.number) or found.get(row.number) for row in self}
        candidates = connection.env["product.product"].union(*products.values())
        taken = self.env["xero.binding"]._of_items(connection, [], candidates, with_shared=True).grouped("res_id")
        eligible = candidates.filtered_domain(connection._item_domain())
        values = []
        for row, product in products.items():
            if row.number in sent and not product:
                row._leave_unmapped(connection, product, "deleted_here")
            elif not product:
                row._leave_without_product(connection, found)
            elif product.id in taken:
                row._leave_unmapped(connection, product, "code_taken")
            elif product in eligible:
                taken[product.id] = True
                values.append(
                    {
                        "connection_id": connection.id,
                        "resource": "item",
                        "external_id": row.external_id,
                        "res_model": product._name,
                        "res_id": product.id,
                        "base": row._base_of_sent(connection, product) if row.number in sent else None,
                    }
                )
            else:
                row._leave_unmapped(connection, product, "kept_out")
        return self.env["xero.binding"].create(values)

    def _leave_without_product(self, connection, found):
        """No single product has this item's code: several have, an archived one has, the code is another product's by
        the connection's table, or nobody knows it."""
        products = connection.env["product.product"]
        alias = connection.product_mapping_ids.filtered(
            lambda rule: rule.item_code.casefold() == self.number.casefold()
        )
        archived = products.with_context(active_test=False).search(
            [
                ("default_code", "=", self.number),
                ("active", "=", False),
                ("company_id", "in", (False, connection.company_id.id)),
            ],
            limit=1,
        )
        if self.number in found.codes:
            self._leave_unmapped(connection, found.all(self.number), "ambiguous_code")
        elif alias:
            self._leave_unmapped(connection, alias.product_id, "alias")
        elif archived:
            self._leave_unmapped(connection, archived, "archived_here")
        else:
            self._leave_unmapped(connection, products, "unmapped")

    def _leave_unmapped(self, connection, product, why):
        """This item has no product: say why, where it is another reason than before.

        :param product: what the reason is about, one or several
        :param str why: a problem's code, or ``alias``
        """
        _ = connection.env._
        names = ", ".join(product.mapped("display_name"))
        reason = {
            "ambiguous_code": _("Several products have this code: %s. Map the item to one of them.", names),
            "alias": _("“Other codes” says that this is %s. Invoices mean it, but nothing is exchanged.", names),
            "archived_here": _("%s has this code, and is archived in Odoo.", names),
            "code_taken": _("%s has this code, but is mapped to another item.", names),
            "kept_out": _("%s is kept out: by its own switch, or by the connection's filter.", names),
            "unmapped": _("No product has this code. Map the item to its product, or create one."),
            "deleted_here": _("Its product was deleted in Odoo. Map it to another one."),
        }[why]
        code = "kept_out" if why == "alias" else why
        if self.state == "pending" or self.problem_code != code:
            self._skip(code, reason, product[:1] if product else None)
            self.write({"res_model": False, "res_id": False, "wants_suggestion": code == "unmapped"})

    def _make_products(self, connection):
        """Create a product for each of these items that has none, where the connection says so.

        :return: the bindings made
        """
        if connection._pulls_items and connection.item_create_here:
            return self.filtered(lambda row: row.problem_code == "unmapped")._make_safely(connection)
        return self.env["xero.binding"]

    def _make_safely(self, connection):
        """All at once; when that fails, each alone, so that one bad item costs itself and nothing else.

        :return: the bindings made
        """
        try:
            with self.env.cr.savepoint():
                return self._make(connection)
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 it ends in the row, with its details
            if len(self) == 1:
                self._fail_with(connection, error)
                return self.env["xero.binding"]
            _logger.info("connection %s: %s products failed together, going one by one", connection.id, len(self))
            return self.env["xero.binding"].union(*(row._make_safely(connection) for row in self))

    def _make(self, connection):
        """A product with the values of each of these items.

        :return: their bindings
        """
        items = [item.XeroItem(row.payload) for row in self]
        products = connection.env["product.product"].create([_values_of_new(connection, each) for each in items])
        bindings = self.env["xero.binding"]._bind_items(connection, self, products)
        terms = ProductTerms(connection, products)
        taken = []
        for product, xero_item in zip(products, items, strict=True):
            known = terms.of(product, product.uom_id.browse())
            values = {
                name: value
                for name, value in xero_item.values().items()
                # the code it has
                if value and name != "code" and (name in known or name in item.TAXES) and terms.takes(name, value)
                and not terms.refusal(product, name, value)
            }
            terms.put(product, product.uom_id.browse(), values)
            taken.append(values | {"code": xero_item.code})
        for product, binding, values in zip(products, bindings, taken, strict=True):
            odoo = terms.of(product, binding.uom_id)
            binding._settle(values, {name: odoo[name] for name in values})
        return bindings

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

    # === BY HAND === #

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

    # === GONE === #

    def _note_gone_items(self, connection, listed):
        """After the whole list was read: those of these items that are not in it were deleted in Xero. An empty
        list where there was one is not believed."""
        gone = self.exists().filtered(lambda row: row.external_id not in listed and row.problem_code != "deleted")
        if not listed and gone:
            _logger.warning("connection %s: Xero listed no item, which is not believed", connection.id)
            return
        for row in gone:
            row._lose_item(connection)

    def _lose_item(self, connection):
        """The item was deleted in Xero: its product is bound to nothing any more, and not sent again by itself."""
        _ = connection.env._
        bindings = self.env["xero.binding"].search(
            [("connection_id", "=", connection.id), ("resource", "=", "item"), ("external_id", "=", self.external_id)]
        )
        reason = _("The item was deleted in Xero.")
        for binding in bindings:
            product = connection.env[binding.res_model].browse(binding.res_id).exists()
            if product and not binding.is_shared:
                reason = f"{reason} {self._part_with(connection, product)}"
        bindings.unlink()
        self._skip("deleted", reason)

    def _part_with(self, connection, product):
        """What becomes of the product of an item that was deleted: a sentence."""
        _ = connection.env._
        out = self._outbox_rows(connection, product)
        out._skip("deleted", _("The item was deleted in Xero. “Create in Xero” makes a new one."))
        out.write({"external_id": False, "request_key": False})
        if connection.item_gone_action == "keep" or not product.active:
            return _("%s is not exchanged any more.", product.display_name)
        if product.is_storable and product.qty_available:
            return _("%s is in stock and was left as it is.", product.display_name)
        product.action_archive()
        return _("%s was archived.", product.display_name)


def _values_of_new(connection, xero_item):
    kind = "storable" if xero_item.is_tracked else connection.item_new_type
    return {
        "name": xero_item.name or xero_item.code,
        "default_code": xero_item.code,
        "type": "service" if kind == "service" else "consu",
        "is_storable": kind == "storable",
        "list_price": 0,
        **({"categ_id": connection.item_category_id.id} if connection.item_category_id else {}),
    }
