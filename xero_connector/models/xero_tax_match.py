from odoo import api, fields, models
from odoo.tools import SQL


class XeroTaxMatch(models.Model):
    """Odoo's sales taxes, each with the tax type of Xero's it is sent as.

    An id is made of the tax and the connection, so that it goes on meaning the same.
    """

    _name = "xero.tax.match"
    _inherit = "xero.match.mixin"
    _description = "Tax and What It Is in Xero"
    _auto = False
    _order = "tax_id, id"
    _depends = {
        "account.tax": ["active", "type_tax_use", "company_id"],
        "xero.connection": ["active", "company_id"],
        "xero.tax.mapping": ["connection_id", "is_active", "tax_id", "tax_ids", "tax_type"],
    }

    _about = "tax_id"

    tax_id = fields.Many2one("account.tax", readonly=True)
    line_id = fields.Many2one(
        "xero.tax.mapping",
        string="Tax type in Xero",
        domain="[('connection_id', '=', connection_id), ('is_active', '=', True)]",
    )
    suggestion_id = fields.Many2one("xero.tax.mapping", compute="_compute_suggestion_id")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT t.id::bigint * 1048576 + c.id AS id, c.id AS connection_id, c.company_id, t.id AS tax_id,
                   l.id AS line_id
              FROM xero_connection c
              JOIN res_company own ON own.id = c.company_id
              JOIN account_tax t ON t.active AND t.type_tax_use = 'sale'
              JOIN res_company owner ON owner.id = t.company_id AND own.parent_path LIKE owner.parent_path || '%%'
         LEFT JOIN LATERAL (
                   SELECT m.id
                     FROM xero_tax_mapping m
                    WHERE m.connection_id = c.id AND m.is_active
                      AND (m.tax_id = t.id
                           OR EXISTS (SELECT FROM account_tax_xero_tax_mapping_rel also
                                       WHERE also.xero_tax_mapping_id = m.id AND also.account_tax_id = t.id))
                 ORDER BY m.tax_type LIMIT 1) l ON TRUE
             WHERE c.active AND EXISTS (SELECT FROM xero_tax_mapping m WHERE m.connection_id = c.id)
            """
        )

    @api.depends("line_id")
    def _compute_suggestion_id(self):
        return super()._compute_suggestion_id()
