from odoo import api, models
from odoo.fields import Domain
from odoo.tools import escape_psql

from ..lib.errors import Problem


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.model
    def _xero_find_by_code(self, connection, codes):
        """The products that Xero's item codes mean: what a person mapped the item to, else by internal reference
        (exact, then any case), then what the item was matched with before, then by the connection's mapping of codes.
        A code that fits several products fits none.

        :rtype: FoundProducts
        """
        found = FoundProducts(self, connection)
        codes = {code for code in codes if code}
        if not codes:
            return found
        bindings = self._xero_bindings_by_code(connection, codes)
        chosen = {code: binding for code, binding in bindings.items() if binding.is_chosen}
        found.take_counted(codes, self._xero_counted(chosen))
        self._xero_take_by_reference(connection, codes, found)
        found.take_counted(codes - found.codes, self._xero_counted(bindings))
        if missing := codes - found.codes:
            rules = {
                rule.item_code.casefold(): (rule.product_id, rule.uom_id) for rule in connection.product_mapping_ids
            }
            found.take_counted(missing, lambda code: rules.get(code.casefold()))
        return found

    @api.model
    def _xero_find_by_reference(self, connection, codes):
        """The products whose internal reference these codes are: exact, then in any case.

        :rtype: FoundProducts
        """
        found = FoundProducts(self, connection)
        self._xero_take_by_reference(connection, {code for code in codes if code}, found)
        return found

    @api.model
    def _xero_take_by_reference(self, connection, codes, found):
        company = Domain("company_id", "in", (False, connection.company_id.id))
        if missing := codes - found.codes:
            exact = self.search(company & Domain("default_code", "in", list(missing))).grouped("default_code")
            found.take(missing, lambda code: exact.get(code, self))
        if missing := codes - found.codes:
            patterns = [Domain("default_code", "=ilike", escape_psql(code)) for code in missing]
            any_case = self.search(company & Domain.OR(patterns))
            by_code = any_case.grouped(lambda product: product.default_code.casefold())
            found.take(missing, lambda code: by_code.get(code.casefold(), self))

    @api.model
    def _xero_bindings_by_code(self, connection, codes):
        """What items of these codes are mapped to: dict ``code in small letters -> binding``; archived products are
        sold no more."""
        # sudo: the log's own look-up, for whoever asks what a code means
        rows_sudo = self.env["xero.record"].sudo()._items_by_code(connection, codes)
        if not rows_sudo:
            return {}
        codes_by_item = {row.external_id: row.number.casefold() for row in rows_sudo}
        bindings = self.env["xero.binding"]._of_items(connection, list(codes_by_item), self.browse())
        active_ids = set(self.browse(bindings.mapped("res_id")).filtered("active").ids)
        return {codes_by_item[each.external_id]: each for each in bindings if each.res_id in active_ids}

    def _xero_counted(self, bindings):
        """A function of a code that gives its product and the unit Xero counts it in, None for no binding."""

        def find(code):
            binding = bindings.get(code.casefold())
            return binding and (self.browse(binding.res_id), binding.uom_id)

        return find

    def _xero_tell(self, bodies):
        """Note these texts in the chatter people see: the template's, where it has one variant only.

        :param dict bodies: text by product id
        """
        single = self.filtered(lambda product: product.product_tmpl_id.product_variant_count == 1)
        on_templates = {product.product_tmpl_id.id: bodies[product.id] for product in single}
        single.product_tmpl_id._message_log_batch(bodies=on_templates)
        (self - single)._message_log_batch(bodies=bodies)

    def _xero_put_out_new(self, connection):
        """Have these products, which are mapped to no item, made in Xero, where the connection says so. What a person
        unmapped, or somebody deleted in Xero, is not made again."""
        if not (connection._pushes_items and connection.item_create_there):
            return
        eligible = self.filtered("active").filtered_domain(connection._item_domain())
        rows = self.env["xero.record"]
        known = rows.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "out"),
                ("resource", "=", "item"),
                ("res_model", "=", self._name),
                ("res_id", "in", eligible.ids),
                ("problem_code", "in", ("deleted", "ignored")),
            ]
        )
        rows._put_out(connection, dict.fromkeys(eligible - self.browse(known.mapped("res_id")), False))


class FoundProducts:
    """Products by item code, and a problem for each code that has none or several."""

    def __init__(self, products, connection):
        self._none = products
        self._connection = connection
        self._found = {}
        self._uoms = {}

    @property
    def codes(self):
        return set(self._found)

    def take(self, codes, find):
        """Keep what ``find(code)`` returns wherever it finds something."""
        for code in codes:
            if products := find(code):
                self._found[code] = products

    def take_counted(self, codes, find):
        """Keep the product and the unit Xero counts it in that ``find(code)`` returns; None for nothing."""
        for code in codes:
            if counted := find(code):
                self._found[code], self._uoms[code] = counted

    def uom(self, code):
        """The unit of measure Xero counts this code in, None or empty where it is the product's own."""
        return self._uoms.get(code)

    def all(self, code):
        """All products this code fits."""
        return self._found.get(code, self._none)

    def get(self, code):
        """The one product of this code, or an empty recordset."""
        products = self.all(code)
        return products if len(products) == 1 else self._none

    def problems_of(self, invoice):
        """A problem for each code of this invoice that is not exactly one product, in the order of its lines."""
        codes = dict.fromkeys(line.item_code for line in invoice.lines if line.item_code)
        return [self._problem(code) for code in codes if not self.get(code)]

    def _problem(self, code):
        _ = self._connection.env._
        if code not in self._found:
            reason = _(
                "No product has the internal reference “%s” (Xero's item code). Set it on the product, or map the code "
                "on the connection.",
                code,
            )
            return Problem("unknown_code", reason, code)
        names = ", ".join(self._found[code].mapped("display_name"))
        reason = _(
            "Several products have the internal reference “%(code)s”: %(names)s. Keep it on one of them.",
            code=code,
            names=names,
        )
        return Problem("ambiguous_code", reason, code, self._found[code][0])
