from odoo import api, fields, models

from ..lib import formats


class XeroTaxMapping(models.Model):
    """Which tax of Odoo a tax type of Xero's is."""

    _name = "xero.tax.mapping"
    _inherit = "xero.pairing.mixin"
    _description = "Xero Tax Mapping"
    _order = "tax_type"
    _rec_name = "tax_type"

    _key = "tax_type"
    _paired = "tax_id"

    tax_type = fields.Char(string="Xero Tax Type", required=True, readonly=True)
    rate = fields.Float(string="Rate (%)", digits=(16, 4), readonly=True, aggregator=False)
    tax_id = fields.Many2one("account.tax", check_company=True, index=True)

    _one_line_per_tax = models.UniqueIndex("(connection_id, tax_type)", "This tax type of Xero's has a line already.")

    @api.model
    def _take(self, connection, rates):
        """Bring the lines up to date with the organisation's tax rates. A new one gets Odoo's tax of the same rate, if
        there is exactly one, for sales or for purchases as Xero uses it.

        :param list rates: Xero's dicts
        """
        by_type = {formats.text(rate["TaxType"]): rate for rate in rates}
        wanted = [
            {
                "tax_type": tax_type,
                "name": formats.text(rate.get("Name")),
                "rate": _percent(rate),
                "is_active": rate.get("Status") in (None, "ACTIVE"),
            }
            for tax_type, rate in by_type.items()
        ]
        self._bring_up_to_date(
            connection, wanted, lambda tax_type: self._twin(connection.company_id, by_type[tax_type])
        )

    @api.model
    def _twin(self, company, rate):
        taxes = self.env["account.tax"]
        uses = [
            use
            for key, use in (("CanApplyToRevenue", "sale"), ("CanApplyToExpenses", "purchase"))
            if rate.get(key)
        ]
        percent = _percent(rate)
        if len(uses) != 1 or not percent:
            return taxes
        found = taxes.search(
            [
                *taxes._check_company_domain(company),
                ("type_tax_use", "=", uses[0]),
                ("amount_type", "=", "percent"),
                ("amount", "=", percent),
            ],
            limit=2,
        )
        return found if len(found) == 1 else taxes


def _percent(rate):
    return float(formats.decimal(rate.get("EffectiveRate")))
