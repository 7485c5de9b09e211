from datetime import date

from odoo import fields, models
from odoo.tools import SQL


class XeroActivePeriod(models.Model):
    """From when to when a connection was there for a customer, working or paused: what fees and their report count.

    Written by the machine alone, see :meth:`XeroConnection.write`.
    """

    _name = "xero.active.period"
    _description = "Active Period of a Xero Connection"
    _inherit = ["xero.guarded.mixin"]
    _order = "began_at desc, id desc"
    _rec_name = "connection_id"

    # A removed connection is archived: its last week is billed all the same.
    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    # Whoever was billed has an invoice, which keeps them; of nobody else anything is lost.
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, index=True, ondelete="cascade"
    )
    began_at = fields.Datetime(string="From", required=True, readonly=True)
    ended_at = fields.Datetime(string="To", readonly=True, help="Empty: it goes on.")
    is_paused = fields.Boolean(string="Paused", readonly=True)

    _of_connection = models.Index("(connection_id, began_at)")
    _one_open = models.UniqueIndex(
        "(connection_id) WHERE ended_at IS NULL", "This connection has an open period already."
    )

    def _turn(self, connections):
        """End what is open of these connections, and begin what they are in now."""
        now = fields.Datetime.now()
        self.search([("connection_id", "in", connections.ids), ("ended_at", "=", False)]).ended_at = now
        self.flush_model(["ended_at"])  # before the next one begins: no two are open
        self.create(
            [
                {
                    "connection_id": connection.id,
                    "company_id": company_id,
                    "partner_id": partner_id,
                    "is_paused": is_paused,
                    "began_at": now,
                }
                for connection in connections
                for partner_id, company_id, is_paused in connection._activity()
            ]
        )

    def _days_query(self, date_from=date.min, date_to=date.max):
        """Every day of every connection, as the calendar of its company has it.

        A day counts when there was any time of it; as paused if there was nothing else that day, and for the customer
        who had the connection last.

        :param date date_from, date_to: first and last day wanted
        :return: SQL with a row for each connection and day: ``connection_id``, ``company_id``, ``partner_id``,
            ``day``, ``is_paused``
        """
        zone = SQL("COALESCE(place.tz, 'UTC')")
        # What ends at midnight has nothing of the day that begins then.
        last_moment = SQL(
            "GREATEST(period.began_at, COALESCE(period.ended_at - interval '1 microsecond', %s::timestamp))",
            fields.Datetime.now(),
        )
        first = SQL("GREATEST((period.began_at AT TIME ZONE 'UTC' AT TIME ZONE %s)::date, %s::date)", zone, date_from)
        last = SQL("LEAST((%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date, %s::date)", last_moment, zone, date_to)
        return SQL(
            """
            SELECT DISTINCT ON (connection_id, day) connection_id, company_id, partner_id, day, is_paused
              FROM (SELECT period.*, %(first)s + generate_series(0, %(last)s - %(first)s) AS day
                      FROM xero_active_period period
                      JOIN res_company company ON company.id = period.company_id
                      JOIN res_partner place ON place.id = company.partner_id) AS each_day
          ORDER BY connection_id, day, is_paused, began_at DESC, id DESC
            """,
            first=first,
            last=last,
        )
