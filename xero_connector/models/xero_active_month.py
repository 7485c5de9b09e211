from odoo import fields, models
from odoo.tools import SQL


class XeroActiveMonth(models.Model):
    """Active integrations by customer and month. Read from their periods, stored nowhere."""

    _name = "xero.active.month"
    _description = "Active Xero Integrations"
    _inherit = ["xero.query.mixin"]
    _auto = False
    _order = "month desc, partner_id, connection_id"
    _rec_name = "connection_id"
    _depends = {
        "xero.active.period": ["connection_id", "company_id", "partner_id", "began_at", "ended_at", "is_paused"],
        "res.company": ["partner_id"],
        "res.partner": ["tz"],
    }

    month = fields.Date(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    connection_id = fields.Many2one(
        "xero.connection", string="Integration", readonly=True, aggregator="count_distinct"
    )
    active_days = fields.Integer(readonly=True, help="Days on which it was active at any time.")
    paused_days = fields.Integer(readonly=True, help="Days on which it was paused and nothing else.")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT row_number() OVER (ORDER BY month, connection_id, partner_id, company_id) AS id, month, company_id,
                   partner_id, connection_id, active_days, paused_days
              FROM (%s) AS months
            """,
            self.env["xero.active.period"]._months_query(),
        )
