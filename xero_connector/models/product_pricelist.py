from odoo import api, models


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    @api.model
    def _xero_for_invoices(self, connection, drafts):
        """What an order needs so that its currency is the invoice's.

        Odoo derives an order's currency from its pricelist: none means the company's own currency, any other needs a
        pricelist; one without rules serves, as the prices are Xero's.

        :return: dict ``currency code -> {"pricelist_id": id or False}``; empty when prices come from Odoo
        """
        if connection.price_source != "xero":
            return {}
        company = connection.company_id
        values = {}
        for code in {connection._currency_code(draft.invoice) for draft in drafts}:
            if code == company.currency_id.name:
                values[code] = {"pricelist_id": False}
            else:
                values[code] = {"pricelist_id": self._xero_plain(company, code).id}
        return values

    @api.model
    def _xero_plain(self, company, currency_code):
        """The pricelist without rules of this company and currency, made if there is none."""
        domain = [
            ("currency_id.name", "=", currency_code),
            ("company_id", "in", (False, company.id)),
            ("item_ids", "=", False),
        ]
        pricelist = self.search(domain, limit=1)
        if not pricelist:
            currency = self.env["res.currency"].search([("name", "=", currency_code)])
            pricelist = self.create(
                {"name": f"Xero {currency_code}", "currency_id": currency.id, "company_id": company.id}
            )
        return pricelist
