from odoo import api, fields, models

from ..lib import formats


class XeroAccountMapping(models.Model):
    """Which account of Odoo's chart an account of Xero's is. The lines come from the organisation."""

    _name = "xero.account.mapping"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Account Mapping"
    _order = "code"
    _rec_name = "code"
    _check_company_auto = True

    connection_id = fields.Many2one(
        "xero.connection", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    code = fields.Char(string="Xero Account", required=True, readonly=True)
    name = fields.Char(string="Called in Xero", readonly=True)
    account_class = fields.Char(string="Kind", readonly=True)
    is_active = fields.Boolean(string="In use", readonly=True, help="Archived in Xero where this is off.")
    account_id = fields.Many2one("account.account", check_company=True, index=True)

    _one_line_per_account = models.UniqueIndex("(connection_id, code)", "This account of Xero's has a line already.")

    def write(self, vals):
        before = self.mapped("account_id")
        result = super().write(vals)
        if "account_id" in vals and self.mapped("account_id") != before:
            self.connection_id._compare_all_items()
        return result

    @api.model
    def _take(self, connection, accounts):
        """Bring the lines up to date with the organisation's chart; a new one gets Odoo's account of the same code.

        :param list accounts: Xero's dicts
        """
        known = {line.code: line for line in connection.account_mapping_ids}
        codes = [formats.text(account["Code"]) for account in accounts]
        company = connection.company_id
        twins = self.env["account.account"].with_company(company).search(
            [*self.env["account.account"]._check_company_domain(company), ("code", "in", codes)]
        )
        twin_ids = {account.code: account.id for account in twins}
        new = []
        for account, code in zip(accounts, codes, strict=True):
            values = {
                "name": formats.text(account.get("Name")),
                "account_class": formats.text(account.get("Class")).capitalize(),
                "is_active": account.get("Status") != "ARCHIVED",
            }
            if code not in known:
                new.append(values | {"connection_id": connection.id, "code": code, "account_id": twin_ids.get(code)})
            elif any(known[code][name] != value for name, value in values.items()):
                known[code].write(values)
        self.create(new)
