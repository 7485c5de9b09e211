from odoo import api, fields, models

from ..lib import formats, likeness


class XeroTaxMapping(models.Model):
    """Which tax of Odoo a tax type of Xero's is."""

    _name = "xero.tax.mapping"
    _inherit = "xero.pairing.mixin"
    _description = "Xero Tax Mapping"
    _order = "tax_type"
    _rec_name = "tax_type"
    _rec_names_search = ["tax_type", "name"]

    _key = "tax_type"
    _paired = "tax_id"
    _also = "tax_ids"

    tax_type = fields.Char(string="Xero Tax Type", required=True, readonly=True)
    rate = fields.Float(string="Rate (%)", digits=(16, 4), readonly=True, aggregator=False)
    for_revenue = fields.Boolean(string="For sales", readonly=True, help="Whether Xero takes it on sales accounts.")
    for_expenses = fields.Boolean(
        string="For purchases", readonly=True, help="Whether Xero takes it on accounts of expenses."
    )
    tax_id = fields.Many2one("account.tax", string="Odoo's tax", check_company=True, index=True)
    tax_ids = fields.Many2many(
        "account.tax",
        string="Others sent as it",
        check_company=True,
        help="Invoices send them as this tax type, too: 15 % included in the price and 15 % excluded are one in Xero. "
        "Items do not: there one stands for one.",
    )
    suggestion_id = fields.Many2one("account.tax", compute="_compute_suggestion_id")

    _one_line_per_tax = models.UniqueIndex("(connection_id, tax_type)", "This tax type of Xero's has a line already.")

    @api.depends("tax_type", "name")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.name} ({line.tax_type})" if line.name else line.tax_type

    @api.constrains("tax_id", "tax_ids")
    def _check_on_one_line(self):
        return super()._check_on_one_line()

    @api.depends("tax_id", "tax_ids", "is_active")
    def _compute_suggestion_id(self):
        return super()._compute_suggestion_id()

    def _suggester(self, connection, taken):
        taxes = self.env["account.tax"]
        domain = [("type_tax_use", "in", ("sale", "purchase")), ("amount_type", "=", "percent")]
        found = taxes.search([*taxes._check_company_domain(connection.company_id), *domain]) - taken

        def best(line):
            uses = {"sale": line.for_revenue, "purchase": line.for_expenses}
            fitting = found.filtered(lambda tax: uses[tax.type_tax_use] and line._has_rate_of(tax))
            return likeness.most_alike(line.name, {tax.id: self._words_of(tax) for tax in fitting})

        return best

    def _line_suggester(self, _connection):
        """What finds which of these lines a sales tax of Odoo's is most like; see :meth:`_suggester`."""
        for_sales = self.filtered("for_revenue")

        def best(tax):
            fitting = for_sales.filtered(lambda line: line._has_rate_of(tax))
            return likeness.most_alike(self._words_of(tax), {line.id: line.name for line in fitting})

        return best

    def _has_rate_of(self, tax):
        return tax.amount_type == "percent" and round(tax.amount - self.rate, 4) == 0

    @api.model
    def _words_of(self, tax):
        """What a tax is called, in every place where it may say so."""
        return " ".join(filter(None, (tax.name, tax.invoice_label)))

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
                "for_revenue": rate.get("CanApplyToRevenue", True) is not False,
                "for_expenses": rate.get("CanApplyToExpenses", True) is not False,
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
