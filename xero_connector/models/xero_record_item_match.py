import logging

import psycopg2

from odoo import api, models

from ..lib import item
from .item_plan import ItemPair
from .product_terms import ProductTerms

_logger = logging.getLogger(__name__)

_LEFT_ALONE = ("ignored", "deleted", "deleted_here")


class XeroRecord(models.Model):
    """Who is who: the product of each item by its code, a new one where the connection says so."""

    _inherit = "xero.record"

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
        elsewhere = self._products_elsewhere(connection, codes - found.codes)
        values = []
        for row, product in products.items():
            if row.number in sent and not product:
                row._leave_unmapped(connection, product, "deleted_here")
            elif not product:
                row._leave_without_product(connection, found, elsewhere)
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

    @api.model
    def _products_elsewhere(self, connection, codes):
        """Products that have these codes without being found by them.

        :return: dict ``code -> (why, product)``: archived ones, and those of the connection's table of codes
        """
        archived = connection.env["product.product"].with_context(active_test=False).search(
            [
                ("default_code", "in", list(codes)),
                ("active", "=", False),
                ("company_id", "in", (False, connection.company_id.id)),
            ]
        )
        found = {product.default_code: ("archived_here", product) for product in archived}
        aliases = {rule.item_code.casefold(): rule.product_id for rule in connection.product_mapping_ids}
        return found | {
            code: ("alias", aliases[code.casefold()]) for code in codes if code.casefold() in aliases
        }

    def _leave_without_product(self, connection, found, elsewhere):
        """No single product has this item's code: say whose it is instead."""
        if self.number in found.codes:
            self._leave_unmapped(connection, found.all(self.number), "ambiguous_code")
        else:
            why, product = elsewhere.get(self.number, ("unmapped", connection.env["product.product"]))
            self._leave_unmapped(connection, product, why)

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
        own_unit = products.uom_id.browse()
        for product, xero_item in zip(products, items, strict=True):
            said = {
                name: value
                for name, value in xero_item.values().items()
                # the code it has
                if value and name != "code" and terms.takes(name, value) and not terms.refusal(product, name, value)
            }
            taxes = {name: value for name, value in said.items() if name in item.TAXES}
            # Taxes first: they say what a price includes, and whether that can be told.
            terms.put(product, own_unit, taxes)
            known = terms.of(product, own_unit)
            values = {name: value for name, value in said.items() if name in known}
            terms.put(product, own_unit, {name: value for name, value in values.items() if name not in taxes})
            taken.append(values | {"code": xero_item.code})
        for product, binding, values in zip(products, bindings, taken, strict=True):
            odoo = terms.of(product, binding.uom_id)
            binding._settle(values, {name: odoo[name] for name in values})
        return bindings


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
