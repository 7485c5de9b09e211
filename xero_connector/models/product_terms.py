from odoo import fields
from odoo.tools import float_round

from ..lib import formats, item

# What a template holds for all its variants.
_SHARED_BY_VARIANTS = (
    "name",
    "description",
    "purchase_description",
    "sales_account",
    "purchase_account",
    "sales_tax",
    "purchase_tax",
)
_ACCOUNT_FIELDS = {"sales_account": "property_account_income_id", "purchase_account": "property_account_expense_id"}
_TAX_FIELDS = {"sales_tax": "taxes_id", "purchase_tax": "supplier_taxes_id"}


class ProductTerms:
    """Products in the terms of a Xero item (see :data:`item.FIELDS`), for one connection: read and written.

    A field that cannot be told in Xero's terms, or is not exchanged by the connection's settings, is left out: a price
    in another currency, an account or a tax that is not mapped.
    """

    def __init__(self, connection, products):
        """:param products: those that will be asked about, in the connection's company and language"""
        self._connection = connection
        self._env = products.env
        self._company = connection.company_id
        accounts = connection.account_mapping_ids.filtered(lambda rule: rule.account_id and rule.is_active)
        self._account_codes = {rule.account_id: rule.code for rule in reversed(accounts)}
        self._accounts = {rule.code: rule.account_id for rule in accounts}
        taxes = connection.tax_mapping_ids.filtered(lambda rule: rule.tax_id and rule.is_active)
        self._tax_types = {rule.tax_id: rule.tax_type for rule in reversed(taxes)}
        self._taxes = {rule.tax_type: rule.tax_id for rule in taxes}
        self._rules = self._pricelist_rules(products)

    def _pricelist_rules(self, products):
        """The fixed prices of the chosen pricelist: dict ``product or template -> rule``, the newest of each."""
        if not self._connection.item_pricelist_id:
            return {}
        rules = self._env["product.pricelist.item"].search(
            [
                ("pricelist_id", "=", self._connection.item_pricelist_id.id),
                ("compute_price", "=", "fixed"),
                ("min_quantity", "<=", 1),
                ("date_start", "=", False),
                ("date_end", "=", False),
                "|",
                ("product_id", "in", products.ids),
                "&",
                ("product_id", "=", False),
                ("product_tmpl_id", "in", products.product_tmpl_id.ids),
            ],
            order="id",
        )
        return {rule.product_id or rule.product_tmpl_id: rule for rule in rules}

    # === ODOO -> XERO'S TERMS === #

    def of(self, product, uom, xero=None):
        """What this product is in Xero's terms.

        :param uom: the unit Xero counts it in, empty for the product's own
        :param dict xero: the item's values: of several accounts (tax types) that are one here, its own is named
        :return: dict ``field -> value``
        """
        name = _full_name(product)
        values = {
            "code": formats.text(product.default_code),
            "name": name[: item.LONGEST["name"]].strip() or None,
            "description": _described(product, name)[: item.LONGEST["description"]],
            "purchase_description": formats.text(product.description_purchase)[: item.LONGEST["purchase_description"]],
        }
        for field, money in (("sales_price", self._sales_price), ("purchase_price", self._purchase_price)):
            amount = money(product)
            if amount is not False:
                values[field] = None if amount is None else item.price(self._per_unit(product, uom, amount))
        said = xero or {}
        for field, own_name in _ACCOUNT_FIELDS.items():
            account = product[own_name]
            if account and self._accounts.get(said.get(field)) == account:
                values[field] = said[field]
            elif not account or account in self._account_codes:
                values[field] = self._account_codes.get(account)
        for field, own_name in _TAX_FIELDS.items():
            taxes = product[own_name]._filter_taxes_by_company(self._company)
            if taxes and self._taxes.get(said.get(field)) == taxes:
                values[field] = said[field]
            elif not taxes or (len(taxes) == 1 and taxes in self._tax_types):
                values[field] = self._tax_types.get(taxes)
        return values

    def _sales_price(self, product):
        """The price as Xero means it, None where there is none, False where it cannot be told."""
        ratio = self._tax_ratio(product)
        if ratio is None or not self._is_base_currency(self._sales_currency(product)):
            return False
        if not self._connection.item_pricelist_id:
            return formats.decimal(product.lst_price) * ratio
        rule = self._rule(product)
        return formats.decimal(rule.fixed_price) * ratio if rule else None

    def _purchase_price(self, product):
        source = self._connection.item_cost_source
        if source == "cost" and self._is_base_currency(self._company.currency_id):
            return formats.decimal(product.standard_price)
        vendor = self._main_vendor(product) if source == "vendor" else None
        if not vendor or not self._is_base_currency(vendor.currency_id):
            return False
        return formats.decimal(vendor.product_uom_id._compute_price(vendor.price, product.uom_id))

    def _rule(self, product):
        return self._rules.get(product) or self._rules.get(product.product_tmpl_id)

    def _main_vendor(self, product):
        today = fields.Date.context_today(product)
        vendors = product.seller_ids.filtered(
            lambda vendor: vendor.company_id in (self._company, vendor.company_id.browse())
            and vendor.product_id in (product, product.browse())
            and (not vendor.date_start or vendor.date_start <= today)
            and (not vendor.date_end or vendor.date_end >= today)
            and vendor.min_qty <= 1
        )
        return vendors[:1]

    def _sales_currency(self, product):
        """That of a product all companies share is the main company's."""
        return self._connection.item_pricelist_id.currency_id or product.currency_id

    def _is_base_currency(self, currency):
        """Items have one price, in the organisation's base currency (xero-api.md, section 5)."""
        return currency.name == self._connection.tenant_currency

    def _tax_ratio(self, product):
        """What Odoo's sales price is multiplied by to become Xero's; None where that cannot be told."""
        taxes = product.taxes_id._filter_taxes_by_company(self._company)
        if len(set(taxes.mapped("price_include"))) > 1 or "group" in taxes.mapped("amount_type"):
            return None
        included = any(taxes.mapped("price_include"))
        wanted = self._connection.item_price_tax == "inclusive"
        if included == wanted:
            return 1
        if any(tax.amount_type != "percent" for tax in taxes):
            return None
        rate = 1 + sum(formats.decimal(tax.amount) for tax in taxes) / 100
        return rate if wanted else 1 / rate

    @staticmethod
    def _per_unit(product, uom, amount):
        """The price of one of Xero's units, from that of one of the product's."""
        return formats.decimal(product.uom_id._compute_price(float(amount), uom)) if uom else amount

    # === XERO'S TERMS -> ODOO === #

    def takes(self, field, value):
        """Whether this value of Xero's means anything here: an account or tax type that is not mapped does not."""
        if value is None:
            return True
        known = {**dict.fromkeys(_ACCOUNT_FIELDS, self._accounts), **dict.fromkeys(_TAX_FIELDS, self._taxes)}
        return field not in known or value in known[field]

    def refusal(self, product, field, value):
        """Why this value is not written to the product, a sentence; '' where it may be."""
        _ = self._env._
        on_template = field in _SHARED_BY_VARIANTS or (
            field == "sales_price" and (not self._connection.item_pricelist_id or self._is_template_rule(product))
        )
        if on_template and product.product_variant_count > 1:
            return _("It belongs to all %s variants of the product.", product.product_variant_count)
        is_cost = field == "purchase_price" and self._connection.item_cost_source == "cost"
        if is_cost and product.cost_method != "standard":
            return _("Odoo computes the cost of this product from its receipts.")
        if field == "code" and (owner := self._owner_of(product, value)):
            return _("%s has this internal reference.", owner.display_name)
        return ""

    def _is_template_rule(self, product):
        rule = self._rule(product)
        return bool(rule) and not rule.product_id

    def _owner_of(self, product, code):
        domain = [
            ("default_code", "=", code),
            ("id", "!=", product.id),
            ("company_id", "in", (False, self._company.id)),
        ]
        return product.search(domain, limit=1)

    def put(self, product, uom, values):
        """Give the product these values of Xero's; none that is refused or not taken may be among them."""
        taxes = {
            name: self._tax_commands(product[name], self._taxes[values[field]])
            for field, name in _TAX_FIELDS.items()
            if field in values
        }
        if taxes:
            # First: they say what a price includes.
            product.write(taxes)
        vals = {}
        for field, value in values.items():
            if field == "sales_price":
                self._write_sales_price(product, uom, value, vals)
            elif field == "purchase_price":
                self._write_purchase_price(product, uom, value, vals)
            elif field in _ACCOUNT_FIELDS:
                vals[_ACCOUNT_FIELDS[field]] = self._accounts[value].id
            elif field not in _TAX_FIELDS:
                vals |= _text_values(product, field, value)
        if vals:
            product.write(vals)

    def _write_sales_price(self, product, uom, value, vals):
        price = self._from_xero(product, uom, value, self._tax_ratio(product))
        if not self._connection.item_pricelist_id:
            vals["list_price"] = price - product.price_extra
        elif rule := self._rule(product):
            rule.fixed_price = price
        else:
            rule = self._env["product.pricelist.item"].create(
                {
                    "pricelist_id": self._connection.item_pricelist_id.id,
                    "applied_on": "0_product_variant",
                    "product_id": product.id,
                    "product_tmpl_id": product.product_tmpl_id.id,
                    "compute_price": "fixed",
                    "fixed_price": price,
                }
            )
            self._rules[product] = rule

    def _write_purchase_price(self, product, uom, value, vals):
        price = self._from_xero(product, uom, value, 1)
        if self._connection.item_cost_source == "cost":
            vals["standard_price"] = price
        else:
            vendor = self._main_vendor(product)
            vendor.price = product.uom_id._compute_price(price, vendor.product_uom_id)

    def _from_xero(self, product, uom, value, ratio):
        """A price of Xero's as Odoo's. A converted one is rounded to Odoo's precision where that loses nothing: 8.6957
        without 15 % tax is 10.00 with it, not 10.000055."""
        exact = formats.decimal(value) / ratio
        if uom:
            exact = formats.decimal(uom._compute_price(float(exact), product.uom_id))
        rounded = float_round(
            float(exact), precision_digits=self._env["decimal.precision"].precision_get("Product Price")
        )
        back = self._per_unit(product, uom, formats.decimal(rounded) * ratio)
        return rounded if item.price(back) == value else float(exact)

    def _tax_commands(self, taxes, wanted):
        """Replace this company's taxes; those of others stay."""
        others = taxes - taxes._filter_taxes_by_company(self._company)
        return [(6, 0, (others | wanted).ids)]


def _full_name(product):
    """The name with the attributes that tell a variant from its siblings."""
    if product.product_variant_count > 1:
        product = product.with_context(display_default_code=False)
        return formats.text(product.display_name)
    return formats.text(product.name)


def _described(product, name):
    """The description, after the full name where that is too long for Xero's field of its own."""
    own = formats.text(product.description_sale)
    return "\n".join(filter(None, [name, own])) if len(name) > item.LONGEST["name"] else own


def _text_values(product, field, value):
    if field == "description":
        # Ours began with the name that was too long.
        return {"description_sale": value.removeprefix(_full_name(product)).strip()}
    names = {"code": "default_code", "name": "name", "purchase_description": "description_purchase"}
    return {names[field]: value}
