from odoo import api, fields, models

from ..lib import formats
from ..lib.likeness import CONTAINED, Candidates

# Which of Odoo's groups of account types a class of Xero's is.
GROUP_OF_CLASS = {
    "Asset": "asset",
    "Equity": "equity",
    "Expense": "expense",
    "Liability": "liability",
    "Revenue": "income",
}


class XeroAccountMapping(models.Model):
    """Which account of Odoo's chart an account of Xero's is."""

    _name = "xero.account.mapping"
    _inherit = "xero.pairing.mixin"
    _description = "Xero Account Mapping"
    _order = "code"
    _rec_name = "code"
    _rec_names_search = ["code", "name"]

    _key = "code"
    _paired = "account_id"
    _also = "account_ids"

    code = fields.Char(string="Xero Account", required=True, readonly=True)
    account_class = fields.Char(string="Kind", readonly=True)
    account_type = fields.Char(string="Type in Xero", readonly=True)
    system_account = fields.Char(readonly=True, help="What Xero itself uses it for, e.g. DEBTORS.")
    account_id = fields.Many2one("account.account", string="Odoo's account", check_company=True, index=True)
    account_ids = fields.Many2many(
        "account.account",
        string="Others sent as it",
        check_company=True,
        help="Invoices send them as this account of Xero's, too. Items do not: there one stands for one.",
    )
    suggestion_id = fields.Many2one("account.account", compute="_compute_suggestion_id")

    _one_line_per_account = models.UniqueIndex("(connection_id, code)", "This account of Xero's has a line already.")

    @api.depends("code", "name")
    def _compute_display_name(self):
        for line in self:
            line.display_name = " ".join(filter(None, (line.code, line.name)))

    @api.constrains("account_id", "account_ids")
    def _check_on_one_line(self):
        return super()._check_on_one_line()

    @api.depends("account_id", "account_ids", "is_active")
    def _compute_suggestion_id(self):
        return super()._compute_suggestion_id()

    def _suggester(self, connection, taken):
        accounts = self._accounts_of(connection) - taken
        groups = {
            group: Candidates([(account.id, [account.code], account.name) for account in members], CONTAINED)
            for group, members in accounts.grouped("internal_group").items()
        }
        none = Candidates([])
        return lambda line: groups.get(GROUP_OF_CLASS.get(line.account_class), none).best(line.code, line.name)

    def _line_suggester(self, connection):
        """What finds which of these lines an account of Odoo's is most like; see :meth:`_suggester`."""
        groups = {
            GROUP_OF_CLASS.get(kind): Candidates([(line.id, [line.code], line.name) for line in lines], CONTAINED)
            for kind, lines in self.grouped("account_class").items()
        }
        none = Candidates([])

        def best(account):
            account = account.with_company(connection.company_id)
            return groups.get(account.internal_group, none).best(account.code, account.name)

        return best

    @api.model
    def _accounts_of(self, connection, *domain):
        """The accounts of the connection's company, in whose terms their codes are."""
        accounts = self.env["account.account"].with_company(connection.company_id)
        return accounts.search([*accounts._check_company_domain(connection.company_id), *domain])

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
                "account_type": formats.text(account.get("Type")),
                "system_account": formats.text(account.get("SystemAccount")),
                "is_active": account.get("Status") != "ARCHIVED",
            }
            for account in accounts
        ]
        found = self._accounts_of(connection, ("code", "in", [values["code"] for values in wanted]))
        by_code = {account.code: account for account in found}
        self._bring_up_to_date(connection, wanted, lambda code: by_code.get(code, found.browse()))
