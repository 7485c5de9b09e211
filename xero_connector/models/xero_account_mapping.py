from odoo import api, fields, models

from ..lib import formats


class XeroAccountMapping(models.Model):
    """Which account of Odoo's chart an account of Xero's is."""

    _name = "xero.account.mapping"
    _inherit = "xero.pairing.mixin"
    _description = "Xero Account Mapping"
    _order = "code"
    _rec_name = "code"

    _key = "code"
    _paired = "account_id"

    code = fields.Char(string="Xero Account", required=True, readonly=True)
    account_class = fields.Char(string="Kind", readonly=True)
    account_id = fields.Many2one("account.account", check_company=True, index=True)

    _one_line_per_account = models.UniqueIndex("(connection_id, code)", "This account of Xero's has a line already.")

    @api.model
    def _take(self, connection, accounts):
        """Bring the lines up to date with the organisation's chart; a new one gets Odoo's account of the same code.

        :param list accounts: Xero's dicts
        """
        wanted = [
            {
                "code": formats.text(account["Code"]),
                "name": formats.text(account.get("Name")),
                "account_class": formats.text(account.get("Class")).capitalize(),
                "is_active": account.get("Status") != "ARCHIVED",
            }
            for account in accounts
        ]
        ours = self.env["account.account"].with_company(connection.company_id)
        codes = [values["code"] for values in wanted]
        found = ours.search([*ours._check_company_domain(connection.company_id), ("code", "in", codes)])
        by_code = {account.code: account for account in found}
        self._bring_up_to_date(connection, wanted, lambda code: by_code.get(code, ours))
