from odoo import api, fields, models
from odoo.tools import SQL


class XeroAccountMatch(models.Model):
    """Odoo's income accounts, each with the account of Xero's it is sent as.

    An id is made of the account and the connection, so that it goes on meaning the same.
    """

    _name = "xero.account.match"
    _inherit = "xero.match.mixin"
    _description = "Account and What It Is in Xero"
    _auto = False
    _order = "account_id, id"
    _depends = {
        "account.account": ["active", "account_type", "company_ids"],
        "xero.connection": ["active", "company_id"],
        "xero.account.mapping": ["connection_id", "is_active", "account_id", "account_ids", "code"],
    }

    _about = "account_id"

    account_id = fields.Many2one("account.account", readonly=True)
    account_code = fields.Char(related="account_id.code", string="Code")
    line_id = fields.Many2one(
        "xero.account.mapping",
        string="Account in Xero",
        domain="[('connection_id', '=', connection_id), ('is_active', '=', True)]",
    )
    suggestion_id = fields.Many2one("xero.account.mapping", compute="_compute_suggestion_id")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT a.id::bigint * 1048576 + c.id AS id, c.id AS connection_id, c.company_id, a.id AS account_id,
                   l.id AS line_id
              FROM xero_connection c
              JOIN res_company own ON own.id = c.company_id
              JOIN account_account a ON a.active AND a.account_type IN ('income', 'income_other')
         LEFT JOIN LATERAL (
                   SELECT m.id
                     FROM xero_account_mapping m
                    WHERE m.connection_id = c.id AND m.is_active
                      AND (m.account_id = a.id
                           OR EXISTS (SELECT FROM account_account_xero_account_mapping_rel also
                                       WHERE also.xero_account_mapping_id = m.id AND also.account_account_id = a.id))
                 ORDER BY m.code LIMIT 1) l ON TRUE
             WHERE c.active AND EXISTS (SELECT FROM xero_account_mapping m WHERE m.connection_id = c.id)
               AND EXISTS (SELECT FROM account_account_res_company_rel rel
                             JOIN res_company owner ON owner.id = rel.res_company_id
                            WHERE rel.account_account_id = a.id
                              AND own.parent_path LIKE owner.parent_path || '%%')
            """
        )

    @api.depends("line_id")
    def _compute_suggestion_id(self):
        return super()._compute_suggestion_id()
