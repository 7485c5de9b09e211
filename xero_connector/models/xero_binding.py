from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .raced import raced_is_busy


class XeroBinding(models.Model):
    """Who is who: an Odoo record and its Xero twin, per connection.

    A Xero id is one record, but for items: further products may share one. A record is one Xero id, but for contacts:
    who merges two customers in Odoo says that both contacts are the same.
    """

    _name = "xero.binding"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Binding"
    _rec_name = "external_id"

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    resource = fields.Selection([("contact", "Contact"), ("item", "Item")], required=True)
    external_id = fields.Char(string="Xero ID", required=True)
    res_model = fields.Char(string="Model", required=True)
    res_id = fields.Many2oneReference(string="Record", model_field="res_model", required=True)
    is_shared = fields.Boolean(
        string="Shares the item",
        readonly=True,
        help="Sold as this item, which another product is: no value is exchanged, and no imported line means it.",
    )
    is_chosen = fields.Boolean(
        string="Chosen by a person", readonly=True, help="Then imported lines mean it, whoever has the item's code."
    )
    uom_id = fields.Many2one("uom.uom", string="Counted in", ondelete="restrict", help="The unit Xero counts.")
    base = fields.Json(
        readonly=True,
        prefetch=False,
        groups="base.group_system",
        help="What both sides were when they were compared last: {'xero': {field: value}, 'odoo': {…}}; and what was "
        "sent since without an answer, as 'sent'.",
    )

    _one_record_per_xero_id = models.UniqueIndex(
        "(connection_id, resource, external_id) WHERE is_shared IS NOT TRUE",
        "This Xero document is already bound to another record.",
    )
    _one_xero_id_per_record = models.UniqueIndex(
        "(connection_id, resource, res_model, res_id) WHERE resource != 'contact'",
        "This record is already bound to another Xero document.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        bindings = super().create(vals_list)
        items = bindings.filtered(lambda binding: binding.resource == "item")
        # sudo: a suggestion is nobody's to write by hand
        self.env["xero.record"].sudo()._withdraw_suggestions(items)
        return bindings

    @api.constrains("uom_id")
    def _check_uom_id(self):
        for binding in self.filtered("uom_id"):
            product = self.env["product.product"].browse(binding.res_id)
            if not binding.uom_id._has_common_reference(product.uom_id):
                raise ValidationError(
                    self.env._(
                        "%(product)s cannot be counted in %(unit)s.",
                        product=product.display_name,
                        unit=binding.uom_id.name,
                    )
                )

    @api.model
    def _lookup(self, connection, resource, external_ids):
        """Bound records that still exist.

        :return: dict ``external id -> record``; bindings whose record was deleted are dropped
        """
        bindings = self.search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", resource),
                ("external_id", "in", list(external_ids)),
                ("is_shared", "=", False),
            ]
        )
        found = {}
        for res_model, group in bindings.grouped("res_model").items():
            existing = self.env[res_model].browse(group.mapped("res_id")).exists()
            for binding in group:
                record = self.env[res_model].browse(binding.res_id)
                if record in existing:
                    found[binding.external_id] = record
                else:
                    binding.unlink()
        return found

    @api.model
    def _bind(self, connection, resource, records):
        """Bind records that are not bound yet.

        :param dict records: record by external id
        """
        bound = self._lookup(connection, resource, list(records))
        pairs = [(external_id, record) for external_id, record in records.items() if external_id not in bound]
        values_list = [
            {
                "connection_id": connection.id,
                "resource": resource,
                "external_id": external_id,
                "res_model": record._name,
                "res_id": record.id,
            }
            for external_id, record in pairs
        ]
        with raced_is_busy(self.env.cr):
            self.create(values_list)

    # === ITEMS === #

    @api.model
    def _of_items(self, connection, item_ids, products, with_shared=False):
        """The bindings of these items, and of these products, whose product exists.

        :param bool with_shared: also those that exchange no values
        """
        bindings = self.search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", "item"),
                ("is_shared", "in", (False, with_shared)),
                "|",
                ("external_id", "in", list(item_ids)),
                "&",
                ("res_model", "=", "product.product"),
                ("res_id", "in", products.ids),
            ]
        )
        living = set(self.env["product.product"].browse(bindings.mapped("res_id")).exists().ids)
        return bindings.filtered(lambda binding: binding.res_id in living)

    @api.model
    def _bind_items(self, connection, rows, products, **values):
        """Bind each of these products to the item of its row of the log; they were never compared.

        :param values: further values of the bindings
        """
        return self.create(
            [
                {
                    "connection_id": connection.id,
                    "resource": "item",
                    "external_id": row.external_id,
                    "res_model": product._name,
                    "res_id": product.id,
                    **values,
                }
                for row, product in zip(rows, products, strict=True)
            ]
        )

    def _settle(self, xero, odoo):
        """Remember what both sides are in these fields: the next comparison begins there."""
        # sudo: see the field's groups
        binding_sudo = self.sudo()
        before = binding_sudo.base or {"xero": {}, "odoo": {}}
        after = before | {"xero": before["xero"] | xero, "odoo": before["odoo"] | odoo}
        sent = {name: value for name, value in after.pop("sent", {}).items() if name not in xero}
        if sent:
            after["sent"] = sent
        if after != binding_sudo.base:
            binding_sudo.base = after

    def _note_sent(self, values):
        """Remember what Xero is about to be told: its answer may never come, and finding it there is then no news."""
        # sudo: see the field's groups
        binding_sudo = self.sudo()
        before = binding_sudo.base or {"xero": {}, "odoo": {}}
        binding_sudo.base = before | {"sent": before.get("sent", {}) | values}

    @api.model
    def _end_of_products(self, products):
        """These products are about to be deleted: their items belong to nobody, and bring no product back."""
        domain = [("resource", "=", "item"), ("res_model", "=", products._name), ("res_id", "in", products.ids)]
        bindings = self.search(domain)
        records = self.env["xero.record"]
        for connection, held in bindings.grouped("connection_id").items():
            item_ids = held.filtered(lambda binding: not binding.is_shared).mapped("external_id")
            items = records.search([*connection._item_rows_domain(), ("external_id", "in", item_ids)])
            items._skip("deleted_here", self.env._("Its product was deleted in Odoo. Map it to another one."))
            items.write({"res_model": False, "res_id": False})
        bindings.unlink()
        outbound = records.search([("direction", "=", "out"), *domain])
        outbound._skip("deleted_here", self.env._("The product was deleted in Odoo."))
        # The item may become another product's.
        outbound.external_id = False

    def _unmap(self):
        """End these mappings of items because a person says so: nothing maps them again by itself."""
        said = self.env._("Unmapped by %s. Map it again to go on.", self.env.user.name)
        # sudo: who may write lines of the screen may unmap
        for binding_sudo in self.sudo():
            connection_sudo = binding_sudo.connection_id
            if not binding_sudo.is_shared:
                rows_sudo = self.env["xero.record"].sudo().search(
                    [
                        ("connection_id", "=", connection_sudo.id),
                        ("resource", "=", "item"),
                        "|",
                        ("external_id", "=", binding_sudo.external_id),
                        "&",
                        "&",
                        ("direction", "=", "out"),
                        ("res_model", "=", binding_sudo.res_model),
                        ("res_id", "=", binding_sudo.res_id),
                    ]
                )
                product = self.env[binding_sudo.res_model].browse(binding_sudo.res_id).exists()
                # Made where there is none: it keeps the product from being sent as a new item.
                rows_sudo |= rows_sudo._outbox_rows(connection_sudo, product) if product else rows_sudo
                rows_sudo._skip("ignored", said)
                rows_sudo.filtered(lambda row: row.direction == "in").write({"res_model": False, "res_id": False})
                rows_sudo.filtered(lambda row: row.direction == "out").write({"external_id": False})
        item_ids = {(each.connection_id, each.external_id) for each in self.sudo() if not each.is_shared}
        self.sudo().unlink()
        for connection_sudo, item_id in item_ids:
            self._promote(connection_sudo, item_id)

    @api.model
    def _promote(self, connection_sudo, item_id):
        """The first of the products that shared this item takes the place of the one that was unmapped."""
        heirs_sudo = self.sudo().search(
            [
                ("connection_id", "=", connection_sudo.id),
                ("resource", "=", "item"),
                ("external_id", "=", item_id),
            ],
            order="id",
            limit=1,
        )
        if heirs_sudo:
            heirs_sudo.is_shared = False
            self.env["xero.record"].sudo()._items_by_id(connection_sudo, [item_id])[item_id]._settle_mapping()

    def _count_in(self, uom):
        """Xero counts this product in another unit than before: its prices are compared anew."""
        self.sudo().write({"uom_id": uom.id, "is_chosen": True})
        self.env["xero.product.change"].sudo()._note([self.res_id], self.connection_id)
