from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..lib import item
from .product_terms import ProductTerms

# Invoices may write a code in another case than the item has it.
_FORMS = (str, str.lower, str.upper)


class XeroItemMatch(models.Model):
    """Both catalogues side by side: a line for each item of Xero with the products mapped to it, and one for each
    product that no item is mapped to. Read from log and bindings, stored nowhere.

    Ids are made of what a line is about (an item, a further product of one, or a connection's product), so that they go
    on meaning the same: mapping an item leaves its line where it is.
    """

    _name = "xero.item.match"
    _description = "Xero Item and Product"
    _inherit = ["xero.side.by.side.mixin"]
    _auto = False
    _order = "item_code, product_code, id"

    status = fields.Selection(
        [("mapped", "Mapped"), ("item_only", "Only in Xero"), ("product_only", "Only in Odoo")], readonly=True
    )
    record_id = fields.Many2one(string="Xero item")
    is_shared = fields.Boolean(string="Shares the item", readonly=True)
    item_code = fields.Char(string="Xero code", readonly=True)
    item_name = fields.Char(string="Name in Xero", readonly=True)
    item_price = fields.Float(
        string="Price in Xero", min_display_digits="Product Price", readonly=True, aggregator=False
    )
    item_state = fields.Selection(related="record_id.state", related_sudo=False, string="State")
    product_id = fields.Many2one(
        "product.product", domain="[('company_id', 'in', (False, company_id))]"
    )
    product_code = fields.Char(string="Internal reference", readonly=True)
    product_price = fields.Float(
        string="Price in Odoo",
        min_display_digits="Product Price",
        compute="_compute_product_price",
        help="As Xero would say it.",
    )
    has_product_price = fields.Boolean(compute="_compute_product_price")
    is_price_apart = fields.Boolean(
        string="Prices differ", compute="_compute_product_price", search="_search_is_price_apart"
    )
    uom_id = fields.Many2one(related="binding_id.uom_id", related_sudo=False, string="Counted in")
    suggestion_id = fields.Many2one("product.product", readonly=True)
    suggestion_score = fields.Float(string="Score", digits=(16, 0), readonly=True, aggregator=False)
    problem_code = fields.Selection(related="record_id.problem_code", related_sudo=False, string="Cause")
    reason = fields.Text(related="record_id.reason", related_sudo=False)
    push_state = fields.Selection(
        [("pending", "Waiting"), ("done", "Sent"), ("failed", "Failed"), ("skipped", "Not sent")],
        string="To Xero",
        readonly=True,
    )
    push_reason = fields.Text(string="About sending", readonly=True)
    waiting_count = fields.Integer(string="Orders waiting", compute="_compute_waiting_count")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT CASE WHEN b.is_shared THEN b.id::bigint * 4 + 1 ELSE r.id::bigint * 4 + 2 END AS id,
                   r.connection_id, r.company_id, 'mapped' AS status, r.id AS record_id, b.id AS binding_id,
                   COALESCE(b.is_shared, FALSE) AS is_shared, r.number AS item_code,
                   r.reference AS item_name, r.unit_price AS item_price, p.id AS product_id,
                   p.default_code AS product_code, NULL::int AS suggestion_id, 0 AS suggestion_score,
                   o.state AS push_state, o.reason AS push_reason
              FROM xero_record r
              JOIN xero_binding b ON b.connection_id = r.connection_id AND b.resource = 'item'
                                 AND b.external_id = r.external_id AND b.res_model = 'product.product'
              JOIN product_product p ON p.id = b.res_id
         LEFT JOIN xero_record o ON o.connection_id = r.connection_id AND o.direction = 'out' AND o.resource = 'item'
                                AND o.res_model = 'product.product' AND o.res_id = p.id
             WHERE r.resource = 'item' AND r.direction = 'in'
         UNION ALL
            SELECT r.id::bigint * 4 + 2, r.connection_id, r.company_id, 'item_only', r.id, NULL, FALSE, r.number,
                   r.reference, r.unit_price, NULL, NULL, r.suggestion_id, r.suggestion_score, NULL, NULL
              FROM xero_record r
             WHERE r.resource = 'item' AND r.direction = 'in' AND r.problem_code IS DISTINCT FROM 'deleted'
               AND NOT EXISTS (SELECT FROM xero_binding b JOIN product_product p ON p.id = b.res_id
                                WHERE b.connection_id = r.connection_id AND b.resource = 'item'
                                  AND b.external_id = r.external_id AND b.res_model = 'product.product'
                                  AND b.is_shared IS NOT TRUE)
         UNION ALL
            SELECT (p.id::bigint * 1048576 + c.id) * 4 + 3, c.id, c.company_id, 'product_only', NULL, NULL, FALSE, NULL,
                   NULL, NULL, p.id, p.default_code, NULL, 0, o.state, o.reason
              FROM product_product p
              JOIN xero_connection c ON c.active AND (%(exchanged)s)
         LEFT JOIN xero_record o ON o.connection_id = c.id AND o.direction = 'out' AND o.resource = 'item'
                                AND o.res_model = 'product.product' AND o.res_id = p.id
             WHERE NOT EXISTS (SELECT FROM xero_binding b
                                WHERE b.connection_id = c.id AND b.resource = 'item'
                                  AND b.res_model = 'product.product' AND b.res_id = p.id)
            """,
            exchanged=self._exchanged_products(),
        )

    def _exchanged_products(self):
        """The condition for a product ``p`` to be one of a connection ``c``'s, once that has read Xero's catalogue. The
        filters of the connections decide; most have the same."""
        # sudo: whose lines they are is for the record rules to say; which products a filter means is the machine's
        connections_sudo = self.env["xero.connection"].sudo().search([("last_items", "!=", False)])
        conditions = []
        for held in connections_sudo.grouped(lambda c: (c.item_product_domain, c.company_id)).values():
            worker = held[0]._item_env()
            products = worker.env["product.product"].with_context(active_test=True)._search(worker._item_domain())
            conditions.append(SQL("c.id IN %s AND p.id IN %s", tuple(held.ids), products.subselect()))
        return SQL(" OR ").join(conditions) if conditions else SQL("FALSE")

    # === COMPUTES === #

    @api.depends("product_id", "connection_id")
    def _compute_product_price(self):
        self.product_price = 0
        self.has_product_price = self.is_price_apart = False
        for connection, matches in self.filtered("product_id").grouped("connection_id").items():
            worker = connection._item_env()
            products = worker.env["product.product"].browse(matches.product_id.ids)
            # sudo: what it is in Xero's terms takes accounts, taxes and vendors to tell
            terms = ProductTerms(worker.sudo(), products.sudo())
            for match in matches:
                product_sudo = products.sudo().browse(match.product_id.id).with_prefetch(products.ids)
                price = terms.of(product_sudo, match.sudo().uom_id).get("sales_price")
                match.product_price = price or 0
                match.has_product_price = price is not None
                is_apart = price is not None and item.price(match.item_price) != price
                match.is_price_apart = match.status == "mapped" and not match.is_shared and is_apart

    def _search_is_price_apart(self, operator, value):
        if operator != "in":
            return NotImplemented
        apart = self.search([("status", "=", "mapped")]).filtered("is_price_apart")
        return Domain("id", "in" if True in value else "not in", apart.ids)

    @api.depends("item_code", "connection_id")
    def _compute_waiting_count(self):
        for match in self:
            match.waiting_count = 0
        held = self.filtered("item_code")
        groups = self.env["xero.record"]._read_group(
            held._waiting_domain(), ["connection_id", "problem_subject"], ["__count"]
        )
        counts = {}
        for connection, code, count in groups:
            key = connection, (code or "").casefold()
            counts[key] = counts.get(key, 0) + count
        for match in held:
            match.waiting_count = counts.get((match.connection_id, match.item_code.casefold()), 0)

    def _waiting_domain(self):
        """The orders that wait for the products of these items."""
        held = Domain.OR(
            Domain("connection_id", "=", connection.id)
            & Domain("problem_subject", "in", {form(code) for code in matches.mapped("item_code") for form in _FORMS})
            for connection, matches in self.filtered("item_code").grouped("connection_id").items()
        )
        return held & Domain(
            [
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("state", "=", "failed"),
                ("problem_code", "in", ("unknown_code", "ambiguous_code")),
            ]
        )

    # === EDIT === #

    def write(self, vals):
        """A line is edited in place: its product is mapped, another one instead, or none; or its unit is changed."""
        self.check_access("write")
        if set(vals) - {"product_id", "uom_id"}:
            raise AccessError(self.env._("Of these lines only the product and its unit can be changed."))
        for match in self:
            if "product_id" in vals:
                match._edit_product(self.env["product.product"].browse(vals["product_id"]))
            if "uom_id" in vals and match.binding_id:
                match.binding_id._count_in(self.env["uom.uom"].browse(vals["uom_id"]))
        self.invalidate_recordset()
        # Nothing is left for the query itself.
        return super().write({})

    def _edit_product(self, product):
        if self.status == "product_only":
            raise UserError(self.env._("Press Map to choose the item of %s.", self.product_id.display_name))
        item_row = self.record_id
        if self.product_id and self.product_id != product:
            self.binding_id._unmap()
        if product:
            item_row._map(product)
        self.invalidate_recordset()

    # === ACTIONS === #

    def action_accept(self):
        """Map these items to the products that are suggested, as far as they are free."""
        self.check_access("write")
        wanted = self.filtered(lambda match: match.status == "item_only" and match.suggestion_id)
        wanted._or_refuse(self.env._("None of these lines has a suggestion."))
        taken = [match.item_code for match in wanted if not match.record_id._map_if_free(match.suggestion_id)]
        self.invalidate_model()
        text = self.env._("Items mapped: %s.", len(wanted) - len(taken))
        return self._say_accepted(self.connection_id[:1], self._with_waiting(wanted, text), taken)

    def _with_waiting(self, matches, text):
        if waiting := sum(matches.filtered("product_id").mapped("waiting_count")):
            more = self.env._("Orders that wait for them: %s. Press Release.", waiting)
            return f"{text} {more}"
        return text

    def _unmap(self):
        self.binding_id._unmap()

    def action_map(self):
        """Choose the item of a product."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Which item is %s?", self.product_id.display_name),
            "res_model": "xero.map.product",
            "view_mode": "form",
            "target": "new",
            "context": {"default_connection_id": self.connection_id.id, "default_product_id": self.product_id.id},
        }

    def action_create_here(self):
        """Create a product for each of these items, with the values the item has."""
        self.check_access("write")
        wanted = self.filtered(lambda match: match.status == "item_only")
        wanted._or_refuse(self.env._("None of these lines is an item without a product."))
        self.env["product.product"].check_access("create")
        kept_out = 0
        for connection, matches in wanted.grouped("connection_id").items():
            worker = connection._item_env()
            # sudo: rows and bindings are nobody's to write by hand; who may create products may do this
            matches.record_id.sudo()._make_by_hand(worker.sudo())
            matches.invalidate_recordset()
            products_sudo = matches.product_id.with_env(worker.sudo().env)
            kept_out += len(products_sudo - products_sudo.filtered_domain(connection._item_domain()))
        self.invalidate_model()
        text = self.env._("Products created: %s.", len(wanted))
        if kept_out:
            more = self.env._("The filter of exchanged products keeps %s of them out: nothing is exchanged.", kept_out)
            text = f"{text} {more}"
        kind = "warning" if kept_out else "success"
        return self.connection_id[:1]._notification(self._with_waiting(wanted, text), kind)

    def action_create_there(self):
        """Have an item made in Xero for each of these products, as soon as a worker is free."""
        self.check_access("write")
        wanted = self.filtered(lambda match: match.status == "product_only")
        wanted._or_refuse(self.env._("None of these lines is a product without an item."))
        for connection, matches in wanted.grouped("connection_id").items():
            connection._refuse_to_create_there()
            records_sudo = self.env["xero.record"].sudo()
            records_sudo._put_out(connection.sudo(), dict.fromkeys(matches.product_id, False), by_hand=True)
            connection._ring_items()
        self.invalidate_model()
        return self.connection_id[:1]._notification(
            self.env._("Products sent to Xero within a minute: %s.", len(wanted)), "success"
        )

    def action_suggest(self):
        """Look for products that these items may be; for all unmapped ones where no line is chosen."""
        self.check_access("write")
        connections = self.connection_id or self.env["xero.connection"].browse(
            self.env.context.get("default_connection_id")
        )
        if not connections:
            raise UserError(self.env._("Choose some lines first."))
        connections.check_access("read")
        rows_sudo = self.record_id.sudo()
        if not self:
            rows_sudo = rows_sudo.search([*connections._item_rows_domain(), ("problem_code", "=", "unmapped")])
        rows_sudo.filtered(lambda row: row.problem_code == "unmapped").wants_suggestion = True
        for connection in connections:
            connection._ring_items()
        return connections[:1]._notification(
            self.env._("Suggestions are looked for; they appear within a minute."), "success"
        )

    def action_release(self):
        """Try again the orders that wait for these items."""
        rows = self.env["xero.record"].search(self._waiting_domain())
        if not rows:
            raise UserError(self.env._("No order waits for these items."))
        return rows.action_retry()
