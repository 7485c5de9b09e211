from odoo import fields, models
from odoo.tools import SQL

# Of several periods that have a day, which one it counts for.
_PRECEDENCE = SQL("is_paused, began_at DESC, id DESC")


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

    def _days_query(self, date_from, date_to, partner=None):
        """Every day of every connection in a stretch of time, as the calendar of its company has it.

        A day counts when there was any time of it; as paused if there was nothing else that day, and for the customer
        who had the connection last.

        :param date date_from, date_to: first and last day wanted
        :param partner: only the connections this customer ever had
        :return: SQL with a row for each connection and day: ``connection_id``, ``company_id``, ``partner_id``,
            ``day``, ``is_paused``
        """
        # Clocks differ by up to 26 hours.
        near = SQL(
            "began_at < %s::date + 2 AND (ended_at IS NULL OR ended_at > %s::date - 2)", date_to, date_from
        )
        if partner:
            own = SQL("SELECT connection_id FROM xero_active_period WHERE partner_id = %s", partner.id)
            near = SQL("%s AND connection_id IN (%s)", near, own)
        return SQL(
            """
            SELECT DISTINCT ON (connection_id, day) connection_id, company_id, partner_id, day, is_paused
              FROM (SELECT span.*, day::date AS day
                      FROM (%(spans)s) AS span,
                           generate_series(GREATEST(first_day, %(date_from)s::date)::timestamp,
                                           LEAST(last_day, %(date_to)s::date), '1 day') AS day) AS each_day
          ORDER BY connection_id, day, %(precedence)s
            """,
            spans=self._spans_query(near),
            date_from=date_from,
            date_to=date_to,
            precedence=_PRECEDENCE,
        )

    def _months_query(self):
        """Days of all time by connection and month, counted as :meth:`_days_query` does.

        Days that only one period has are counted by the month: there are as many as years go by. Those that several
        have are few, where one period ends and the next begins, and looked at one by one.

        :return: SQL with a row for each connection, customer and month: ``connection_id``, ``company_id``,
            ``partner_id``, ``month``, ``active_days``, ``paused_days``
        """
        return SQL(
            """
            WITH span AS (%(spans)s),
            own AS (
                SELECT *, GREATEST(first_day, 1 + max(last_day) OVER (
                              PARTITION BY connection_id ORDER BY began_at, id
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS first_own,
                       LEAST(last_day, -1 + min(first_day) OVER (
                              PARTITION BY connection_id ORDER BY began_at DESC, id DESC
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS last_own
                  FROM span
            ),
            shared AS (
                SELECT DISTINCT ON (connection_id, day) connection_id, company_id, partner_id, day, is_paused
                  FROM (SELECT own.*, day::date AS day
                          FROM own, generate_series(
                              first_day::timestamp, LEAST(first_own - 1, last_day), '1 day') AS day
                     UNION ALL
                        SELECT own.*, day::date
                          FROM own, generate_series(
                              GREATEST(last_own + 1, first_own)::timestamp, last_day, '1 day') AS day) AS each_day
              ORDER BY connection_id, day, %(precedence)s
            ),
            part AS (
                SELECT connection_id, company_id, partner_id, is_paused, date_trunc('month', day)::date AS month,
                       1 AS days
                  FROM shared
             UNION ALL
                SELECT connection_id, company_id, partner_id, is_paused, month::date,
                       LEAST(last_own, (month + interval '1 month')::date - 1) - GREATEST(first_own, month::date) + 1
                  FROM own, generate_series(date_trunc('month', first_own::timestamp), last_own, '1 month') AS month
                 WHERE first_own <= last_own
            )
            SELECT connection_id, company_id, partner_id, month,
                   COALESCE(sum(days) FILTER (WHERE NOT is_paused), 0) AS active_days,
                   COALESCE(sum(days) FILTER (WHERE is_paused), 0) AS paused_days
              FROM part
          GROUP BY connection_id, company_id, partner_id, month
            """,
            spans=self._spans_query(SQL("TRUE")),
            precedence=_PRECEDENCE,
        )

    @staticmethod
    def _spans_query(wanted):
        """The periods with their first and last day.

        :param SQL wanted: which of them
        """
        zone = SQL("COALESCE(place.tz, 'UTC')")
        # What ends at midnight has nothing of the day that begins then.
        last_moment = SQL(
            "GREATEST(period.began_at, COALESCE(period.ended_at - interval '1 microsecond', %s::timestamp))",
            fields.Datetime.now(),
        )
        return SQL(
            """
            SELECT period.id, period.connection_id, period.company_id, period.partner_id, period.is_paused,
                   period.began_at, (period.began_at AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS first_day,
                   (%(last_moment)s AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS last_day
              FROM xero_active_period period
              JOIN res_company company ON company.id = period.company_id
              JOIN res_partner place ON place.id = company.partner_id
             WHERE %(wanted)s
            """,
            zone=zone,
            last_moment=last_moment,
            wanted=wanted,
        )
