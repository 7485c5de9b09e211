from typing import Any, NamedTuple

from odoo import api, fields, models
from odoo.tools import format_amount

_MANAGERS = "base.group_system,xero_connector.group_xero_manager"


class FeePrice(NamedTuple):
    """What a customer pays for one integration and week; ``taxes`` are those of its fiscal position."""

    amount: float
    currency: Any
    taxes: Any
    fiscal_position: Any


class ResCompany(models.Model):
    """The weekly fee for customers' integrations."""

    _inherit = "res.company"

    xero_fee = fields.Boolean(
        string="Weekly fee",
        groups=_MANAGERS,
        help="Customers pay for each active integration and week: one draft invoice a week, by active days.",
    )
    xero_fee_product_id = fields.Many2one(
        "product.product",
        string="Fee's product",
        domain="[('type', '=', 'service'), ('company_id', 'in', (False, id))]",
        ondelete="restrict",
        groups=_MANAGERS,
        help="Gives the invoice's line its name, account and taxes.",
    )
    xero_fee_price = fields.Monetary(
        string="Price per week",
        groups=_MANAGERS,
        help="For one integration that is active all week. Zero: by the customer's price list, else the product's "
        "sales price.",
    )
    xero_fee_journal_id = fields.Many2one(
        "account.journal",
        string="Fees' journal",
        domain="[('type', '=', 'sale'), ('company_id', '=', id)]",
        ondelete="restrict",
        groups=_MANAGERS,
        help="Empty: the first sales journal.",
    )
    xero_fee_paused = fields.Boolean(
        string="Bill pauses, too",
        groups=_MANAGERS,
        help="Integrations cost as much while they are paused. Otherwise a pause costs nothing.",
    )
    # Moved on by the scheduled action: what is before it is decided.
    xero_fee_from = fields.Date(
        string="Next day to bill",
        compute="_compute_xero_fee_from",
        store=True,
        readonly=True,
        groups=_MANAGERS,
        help="Nothing before the day the fee was switched on is ever billed.",
    )
    xero_fee_problem = fields.Char(compute="_compute_xero_fee_problem", groups=_MANAGERS)

    _xero_fee_price_not_negative = models.Constraint("CHECK(xero_fee_price >= 0)", "A fee cannot be negative.")

    @api.depends("xero_fee")
    def _compute_xero_fee_from(self):
        for company in self:
            company.xero_fee_from = company.xero_fee and (company.xero_fee_from or company._xero_fee_today())

    @api.depends(
        "xero_fee", "xero_fee_product_id.active", "xero_fee_journal_id.active", "xero_fee_journal_id.type"
    )
    def _compute_xero_fee_problem(self):
        for company in self:
            company.xero_fee_problem = company.xero_fee and company._xero_fee_problem()

    def _xero_fee_problem(self):
        """Why no fee can be billed to anybody, as a sentence; False where all is there."""
        self.ensure_one()
        product, journal = self.xero_fee_product_id, self.xero_fee_journal_id
        if not product:
            return self.env._("Fees cannot be billed: choose their product in Xero's settings.")
        if not product.active:
            return self.env._("Fees cannot be billed: their product %s is archived.", product.display_name)
        if journal and not (journal.active and journal.type == "sale"):
            return self.env._("Fees cannot be billed: their journal %s is no sales journal in use.", journal.name)
        if not journal and not self.env["account.journal"].search_count(
            [*self.env["account.journal"]._check_company_domain(self), ("type", "=", "sale")], limit=1
        ):
            return self.env._("Fees cannot be billed: %s has no sales journal.", self.name)
        return False

    def _xero_fee_today(self):
        """Today in this company."""
        return fields.Date.context_today(self.with_context(tz=self.partner_id.tz or "UTC"))

    def _xero_fee_price(self, partner):
        """What this customer pays today.

        :rtype: FeePrice
        """
        self.ensure_one()
        partner, product = partner.with_company(self), self.xero_fee_product_id.with_company(self)
        day = self._xero_fee_today()
        pricelist = partner.property_product_pricelist
        currency = pricelist.currency_id or self.currency_id
        if self.xero_fee_price:
            price = self.currency_id._convert(self.xero_fee_price, currency, self, day, round=False)
        else:
            price = pricelist._get_product_price(product, 1.0, currency=currency, date=day)
        addresses = partner.address_get(["invoice", "delivery"])
        fiscal_position = self.env["account.fiscal.position"].with_company(self)._get_fiscal_position(
            partner.browse(addresses["invoice"]), delivery=partner.browse(addresses["delivery"])
        )
        taxes = product.taxes_id._filter_taxes_by_company(self)
        # A price that includes a tax is another one where that tax is not due.
        price = product._get_tax_included_unit_price_from_price(price, taxes, fiscal_position=fiscal_position)
        return FeePrice(currency.round(price), currency, fiscal_position.map_tax(taxes), fiscal_position)

    def _xero_fee_text(self, partner):
        """What this customer pays, in a sentence or two, for whoever is about to activate an integration.

        :param partner: the customer, or one of its contacts
        :return: text in the language of the context; "" when nothing is billed
        """
        # sudo: the customer reads its own price, not what it is made of
        company_sudo = self.sudo()
        if not company_sudo.xero_fee or company_sudo._xero_fee_problem():
            return ""
        price = company_sudo._xero_fee_price(partner.sudo().commercial_partner_id)
        if price.amount <= 0:
            return ""
        amount = format_amount(self.env, price.amount, price.currency)
        if not price.taxes:
            text = self.env._("%s per week for each active integration, billed weekly by active days.", amount)
        elif all(tax.price_include for tax in price.taxes):
            text = self.env._(
                "%s including tax per week for each active integration, billed weekly by active days.", amount
            )
        else:
            text = self.env._(
                "%s plus tax per week for each active integration, billed weekly by active days.", amount
            )
        paused = self.env._("Pauses cost nothing.")
        if company_sudo.xero_fee_paused:
            paused = self.env._("Pauses are billed, too.")
        return f"{text} {paused}"
