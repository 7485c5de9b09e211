from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .. import const
from ..lib import formats

# What decides which values travel: when it changes, everything is compared again.
_DECIDING = (
    "item_sync",
    "item_create_here",
    "item_create_there",
    "item_product_domain",
    "item_pricelist_id",
    "item_cost_source",
    "item_price_tax",
    "price_source",
    "description_source",
)


class XeroConnection(models.Model):
    """Items and products: which are exchanged, which way, and when."""

    _inherit = "xero.connection"

    item_sync = fields.Selection(
        [("none", "No"), ("pull", "From Xero to Odoo"), ("push", "From Odoo to Xero"), ("both", "Both ways")],
        string="Exchange products",
        required=True,
        default="none",
        help="Code, name, descriptions, prices, accounts and tax types of items and the products they are mapped to. "
        "Where both sides changed, the sources of prices and descriptions decide.",
    )
    item_interval = fields.Selection(
        [("manual", "By hand"), ("hourly", "Every hour"), ("daily", "Daily")],
        string="How often",
        required=True,
        default="hourly",
    )
    item_create_here = fields.Boolean(
        string="Create missing products in Odoo", help="For items of Xero no product is mapped to."
    )
    item_create_there = fields.Boolean(
        string="Create missing items in Xero", help="For products that are exchanged and mapped to no item."
    )
    item_product_domain = fields.Char(
        string="Products that are exchanged",
        required=True,
        default="[('sale_ok', '=', True)]",
        help="Of these, a single product is kept out by its own switch.",
    )
    item_new_type = fields.Selection(
        [("storable", "Goods in stock"), ("consu", "Goods without stock"), ("service", "Services")],
        string="New products are",
        required=True,
        default="storable",
        help="Items whose stock Xero keeps always become goods in stock.",
    )
    item_category_id = fields.Many2one("product.category", string="Category of new products")
    item_pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Sales prices",
        check_company=True,
        help="Xero's sales price is the fixed price of this pricelist. Empty: the product's sales price.",
    )
    item_cost_source = fields.Selection(
        [("none", "Are not exchanged"), ("cost", "Are the product's cost"), ("vendor", "Are the main vendor's price")],
        string="Purchase prices",
        required=True,
        default="cost",
    )
    item_price_tax = fields.Selection(
        [("exclusive", "Without tax"), ("inclusive", "With tax")],
        string="Sales prices in Xero are",
        required=True,
        default="exclusive",
        help="Odoo's are converted where its taxes are included in the price and Xero's are not, or the other way.",
    )
    item_gone_action = fields.Selection(
        [("keep", "Leave the product as it is"), ("archive", "Archive the product unless it is in stock")],
        string="When an item is deleted in Xero",
        required=True,
        default="keep",
    )
    allow_shared_item = fields.Boolean(
        string="Allow mapping several products to one item",
        help="The first one exchanges its prices and is what an imported line means; the others are only sold as it.",
    )
    account_mapping_ids = fields.One2many("xero.account.mapping", "connection_id")
    tax_mapping_ids = fields.One2many("xero.tax.mapping", "connection_id")

    next_items = fields.Datetime(string="Next exchange", readonly=True, copy=False)
    last_items = fields.Datetime(string="Last exchange", readonly=True, copy=False)
    item_watermark = fields.Datetime(readonly=True, copy=False, help="Items are known up to this moment (UTC).")
    items_whole_at = fields.Datetime(readonly=True, copy=False, help="When the whole list was read last.")
    item_message = fields.Text(readonly=True, copy=False, help="What keeps products from being exchanged.")
    item_failed_turns = fields.Integer(readonly=True, copy=False)
    catalogue_of = fields.Char(readonly=True, copy=False, help="The organisation whose items are in the log.")
    item_count = fields.Integer(string="Items", compute="_compute_item_counts")
    waiting_item_count = fields.Integer(
        string="Waiting to be exchanged", compute="_compute_item_counts", help="Items to compare, products to send."
    )
    unmapped_item_count = fields.Integer(string="Unmapped items", compute="_compute_item_counts")
    item_price_problem = fields.Char(compute="_compute_item_price_problem")

    _items_due = models.Index("(next_items) WHERE state = 'connected'")

    # === COMPUTES, CHECKS === #

    def _compute_item_counts(self):
        domain = [
            ("connection_id", "in", self.ids),
            ("direction", "=", "in"),
            ("resource", "=", "item"),
            ("problem_code", "!=", "deleted"),
        ]
        counts = dict(self.env["xero.record"]._read_group(domain, ["connection_id"], ["__count"]))
        unmapped = dict(
            self.env["xero.item.match"]._read_group(
                [("connection_id", "in", self.ids), ("status", "=", "item_only")], ["connection_id"], ["__count"]
            )
        )
        waiting = dict(
            self.env["xero.record"]._read_group(
                [("connection_id", "in", self.ids), ("resource", "=", "item"), ("state", "=", "pending")],
                ["connection_id"],
                ["__count"],
            )
        )
        for connection in self:
            connection.waiting_item_count = waiting.get(connection, 0)
            connection.item_count = counts.get(connection, 0)
            connection.unmapped_item_count = unmapped.get(connection, 0)

    @api.depends("item_pricelist_id", "item_cost_source", "tenant_currency", "company_id", "item_sync", "last_items")
    def _compute_item_price_problem(self):
        for connection in self:
            looks = connection.item_sync != "none" or connection.last_items
            connection.item_price_problem = bool(looks) and connection._price_problem()

    def _price_problem(self):
        """Which prices are in another currency than the organisation's, in words; False where none is."""
        base, own = self.tenant_currency, self.company_id.currency_id.name
        # The sales price of a product all companies share is in the main company's currency.
        main = self.env["res.company"].sudo()._get_main_company()
        sales = (self.item_pricelist_id or main).currency_id.name
        said = []
        if base and sales != base:
            said.append(
                self.env._(
                    "Sales prices are not exchanged: they are in %(here)s here, and items have theirs in %(there)s, "
                    "the organisation's base currency. A pricelist in %(there)s would do.",
                    here=sales,
                    there=base,
                )
            )
        if base and own != base and self.item_cost_source == "cost":
            said.append(
                self.env._("Costs are not exchanged: they are in %(here)s, items in %(there)s.", here=own, there=base)
            )
        return " ".join(said) or False

    @api.constrains("item_product_domain")
    def _check_item_product_domain(self):
        for connection in self:
            try:
                self.env["product.product"].search(connection._item_domain(), limit=1)
            except (ValueError, SyntaxError, TypeError, KeyError):
                raise ValidationError(
                    self.env._("The filter of exchanged products cannot be read: %s", connection.item_product_domain)
                ) from None

    def _item_domain(self):
        """The products this connection may exchange."""
        return (
            Domain(literal_eval(self.item_product_domain or "[]"))
            & Domain("xero_exchange", "=", True)
            & Domain("company_id", "in", (False, self.company_id.id))
        )

    @property
    def _pulls_items(self):
        return self.item_sync in ("pull", "both")

    @property
    def _pushes_items(self):
        return self.item_sync in ("push", "both")

    def _required_scopes(self):
        scopes = super()._required_scopes()
        if not self._pushes_items:
            return scopes
        # The scope for writing includes reading.
        needs = [scopes.pop(f"{self.app_id.item_scope}.read", ""), self.env._(const.ITEM_SCOPE_NEED)]
        return scopes | {self.app_id.item_scope: "; ".join(filter(None, needs))}

    @api.depends("item_sync", "app_id.item_scope")
    def _compute_missing_scopes(self):
        return super()._compute_missing_scopes()

    def _can_write_items(self):
        """Whether the consent covers writing items; if not, importing goes on, and the form asks to reconnect."""
        return self.app_id.item_scope not in self._missing_scopes(self.sudo().grant_id)

    def write(self, vals):
        before = {connection: [connection[name] for name in _DECIDING] for connection in self}
        result = super().write(vals)
        decided = self.filtered(lambda c: before[c] != [c[name] for name in _DECIDING])
        if "item_sync" in vals:
            # Accounts and taxes come with the whole list.
            super(XeroConnection, decided.sudo()).write({"items_whole_at": False})
        if decided:
            decided._compare_all_items()
            decided.filtered(lambda c: not c._pushes_items)._empty_outbox()
        if "item_interval" in vals:
            exchanging = self.filtered(lambda c: c.item_sync != "none")
            exchanging.sudo().next_items = False if vals["item_interval"] == "manual" else fields.Datetime.now()
        return result

    def _compare_all_items(self):
        """Compare every pair at the next turn: something changed that decides about all."""
        self.env.flush_all()
        for connection in self.filtered(lambda c: c.item_sync != "none"):
            connection_sudo = connection.sudo()
            rows_sudo = self.env["xero.record"].sudo().search(connection._item_rows_domain())
            rows_sudo.filtered(lambda row: row.problem_code not in ("ignored", "deleted", "deleted_here")).write(
                self.env["xero.record"]._armed_values()
            )
            if connection._pushes_items:
                products = self.env["product.product"].sudo().search(connection._item_domain())
                self.env["xero.product.change"]._note(products.ids, connection)
            if connection.item_interval != "manual":
                connection_sudo._ring_items()

    def _empty_outbox(self):
        """Nothing is sent any more: what waits to be is told so."""
        for connection in self:
            waiting_sudo = self.env["xero.record"].sudo().search(
                [
                    ("connection_id", "=", connection.id),
                    ("direction", "=", "out"),
                    ("resource", "=", "item"),
                    ("state", "=", "pending"),
                ]
            )
            waiting_sudo._skip("kept_out", self.env._("This connection sends nothing to Xero."))

    def _item_rows_domain(self):
        return [("connection_id", "=", self.id), ("direction", "=", "in"), ("resource", "=", "item")]

    # === ACTIONS === #

    def action_exchange_items(self):
        """Read the whole catalogue, and exchange what changed, as soon as a worker is free."""
        self.check_access("read")
        self._say_when_neutralized()
        self._refuse_when_idle()
        for connection in self:
            connection.sudo().items_whole_at = False
            waiting_sudo = self.env["xero.record"].sudo().search(
                [*connection._item_rows_domain(), ("problem_code", "in", const.UNMAPPED_CODES)]
            )
            waiting_sudo.write(self.env["xero.record"]._armed_values())
        self._ring_items()
        text = self.env._("Xero's items are being read. What becomes of them appears under Products within a minute.")
        if all(connection._can_write_items() for connection in self.sudo() if connection._pushes_items):
            return self._notification(text, "success")
        more = self.env._("Nothing is sent to Xero before you reconnect: the consent does not cover it.")
        return self._notification(f"{text} {more}", "warning")

    def action_view_items(self):
        """Both catalogues side by side."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_item_match")
        return action | {
            "domain": [("connection_id", "=", self.id)],
            "context": {"default_connection_id": self.id, **self.env.context.get("xero_search", {})},
            "name": self.env._("Products of %s", self.name),
        }

    def _refuse_to_create_there(self):
        """Creating items by hand needs what creating them by itself needs, but for the switch."""
        if not self._pushes_items:
            raise UserError(
                self.env._("%s sends no products to Xero: choose another way to exchange them on it.", self.name)
            )
        if not self.sudo()._can_write_items():
            raise UserError(self.env._("The consent of %s does not cover writing items: reconnect it.", self.name))

    def _ring_items(self):
        """Have items exchanged as soon as a worker is free. Rings only."""
        # To the microsecond: a turn tells by it whether somebody rang since it began.
        self.sudo().write({"next_items": formats.utc_now()})
        self._schedule("items")

    def _note_items_written(self):
        """Xero lets this connection write items (again)."""
        if self.item_message:
            self.item_message = False

    def _bind(self, client, tenant):
        result = super()._bind(client, tenant)
        if self.catalogue_of != self.tenant_id:
            self._forget_catalogue()
            self.catalogue_of = self.tenant_id
        if self.item_sync != "none":
            self.item_message = False
            # What changed while nothing could be exchanged has left no mark.
            self._compare_all_items()
        return result

    def _forget_catalogue(self):
        """Another organisation is connected: items, accounts and taxes of the last one are nothing to this one."""
        of_items = [("connection_id", "=", self.id), ("resource", "=", "item")]
        self.env["xero.binding"].search(of_items).unlink()
        self.env["xero.record"].search(of_items).unlink()
        self.account_mapping_ids.unlink()
        self.tax_mapping_ids.unlink()

    def action_resume(self):
        """What changed during the pause has left no mark."""
        result = super().action_resume()
        self._compare_all_items()
        return result
