from odoo import api, models

from ..lib import formats

_ONE_CENT = formats.decimal("0.01")


class AccountTax(models.Model):
    _inherit = "account.tax"

    @api.model
    def _xero_sale_taxes(self, company):
        """The company's percentage sales taxes, to be asked for the one that gives Xero's tax amount.

        :rtype: SaleTaxes
        """
        taxes = self.search(
            [
                *self._check_company_domain(company),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
            ],
            order="sequence, id",
        )
        return SaleTaxes(company, taxes)


class SaleTaxes:
    """Chooses taxes for imported lines. Xero's tax types are not mapped for imports: the line's own tax amount tells
    the rate, so an order's total is the invoice's whatever the tax is called."""

    def __init__(self, company, taxes):
        self._company = company
        self._taxes = taxes

    def matching(self, product, net, gross):
        """The product's own taxes where they give Xero's tax amount, else one of the company's that does.

        :param net, gross: the line's amounts in Xero
        :return: taxes; empty for an untaxed line, the product's own when no tax of the company fits
        """
        own = product.taxes_id._filter_taxes_by_company(self._company)
        if _agrees(own, net, gross):
            return own
        if net == gross:
            return self._taxes.browse()
        included = any(own.mapped("price_include"))
        fitting = [tax for tax in self._taxes if _agrees(tax, net, gross)]
        return next((tax for tax in fitting if tax.price_include == included), fitting[0] if fitting else own)


def _agrees(taxes, net, gross):
    if any(tax.amount_type != "percent" for tax in taxes):
        return False
    rate = sum(formats.decimal(tax.amount) for tax in taxes)
    return abs(formats.cents(net * rate / 100) - (gross - net)) <= _ONE_CENT * bool(gross - net)
