from odoo import api, fields, models

from ..lib import formats


class XeroTaxMapping(models.Model):
    """Which tax of Odoo a tax type of Xero's is. The lines come from the organisation."""

    _name = "xero.tax.mapping"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Tax Mapping"
    _order = "tax_type"
    _rec_name = "tax_type"
    _check_company_auto = True

    connection_id = fields.Many2one(
        "xero.connection", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    tax_type = fields.Char(string="Xero Tax Type", required=True, readonly=True)
    name = fields.Char(string="Called in Xero", readonly=True)
    rate = fields.Float(string="Rate (%)", digits=(16, 4), readonly=True, aggregator=False)
    is_active = fields.Boolean(string="In use", readonly=True)
    tax_id = fields.Many2one("account.tax", check_company=True, index=True)

    _one_line_per_tax = models.UniqueIndex("(connection_id, tax_type)", "This tax type of Xero's has a line already.")

    def write(self, vals):
        before = self.mapped("tax_id")
        result = super().write(vals)
        if "tax_id" in vals and self.mapped("tax_id") != before:
            self.connection_id._compare_all_items()
        return result

    @api.model
    def _take(self, connection, rates):
        """Bring the lines up to date with the organisation's tax rates. A new one gets Odoo's tax of the same rate, if
        there is exactly one, for sales or for purchases as Xero uses it.

        :param list rates: Xero's dicts
        """
        known = {line.tax_type: line for line in connection.tax_mapping_ids}
        new = []
        for rate in rates:
            tax_type = formats.text(rate["TaxType"])
            values = {
                "name": formats.text(rate.get("Name")),
                "rate": float(formats.decimal(rate.get("EffectiveRate"))),
                "is_active": rate.get("Status") in (None, "ACTIVE"),
            }
            if tax_type not in known:
                tax = self._twin(connection.company_id, rate, values["rate"])
                new.append(values | {"connection_id": connection.id, "tax_type": tax_type, "tax_id": tax.id})
            elif any(known[tax_type][name] != value for name, value in values.items()):
                known[tax_type].write(values)
        self.create(new)

    @api.model
    def _twin(self, company, rate, percent):
        taxes = self.env["account.tax"]
        uses = [
            use
            for key, use in (("CanApplyToRevenue", "sale"), ("CanApplyToExpenses", "purchase"))
            if rate.get(key)
        ]
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
