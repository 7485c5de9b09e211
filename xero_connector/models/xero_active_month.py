from odoo import fields, models
from odoo.tools import SQL


class XeroActiveMonth(models.Model):
    """Active integrations by customer and month. Read from their periods, stored nowhere."""

    _name = "xero.active.month"
    _description = "Active Xero Integrations"
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
            SELECT row_number() OVER (ORDER BY date_trunc('month', day), connection_id, partner_id) AS id,
                   date_trunc('month', day)::date AS month, company_id, partner_id, connection_id,
                   count(*) FILTER (WHERE NOT is_paused) AS active_days,
                   count(*) FILTER (WHERE is_paused) AS paused_days
              FROM (%s) AS days
          GROUP BY date_trunc('month', day), company_id, partner_id, connection_id
            """,
            self.env["xero.active.period"]._days_query(),
        )
