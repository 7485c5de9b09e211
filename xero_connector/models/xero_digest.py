import logging
from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL, format_date

_logger = logging.getLogger(__name__)

# The mail is about whole days and is there when people begin theirs.
_READY_AT = timedelta(hours=6)
_MOST_PROBLEMS = 10


class XeroDigest(models.Model):
    """Up to when somebody was told about a connection. The mail and this row are written in one transaction, so each
    period is told once, however many workers try and however long none did."""

    _name = "xero.digest"
    _description = "Xero Digest"
    _rec_name = "connection_id"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, index=True, ondelete="cascade")
    user_id = fields.Many2one("res.users", required=True, readonly=True, index=True, ondelete="cascade")
    told_until = fields.Datetime(readonly=True)

    _one_per_reader = models.UniqueIndex("(user_id, connection_id)")

    # === WHEN === #

    @api.model
    def _period_end(self, user, interval):
        """The end of the last period that is over for this user: midnight, of Monday for a weekly mail.

        :return: an instant in UTC
        """
        zone = pytz.timezone(user.tz or "UTC")
        day = (pytz.utc.localize(fields.Datetime.now()).astimezone(zone) - _READY_AT).date()
        if interval == "weekly":
            day -= timedelta(days=day.weekday())
        return zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _cron_digest(self):
        """Write to everybody whose period is over."""
        by_user = self.env["xero.connection"].search([("digest", "!=", "none")])._digest_readers()
        self.env["ir.cron"]._commit_progress(remaining=len(by_user))
        for user, connections in by_user.items():
            try:
                with self.env.cr.savepoint():
                    self._write_to(user, connections)
            except Exception:
                # One mail that cannot be made must not keep the others'; it is tried again in an hour.
                _logger.exception("the Xero digest of user %s failed", user.id)
            if not self.env["ir.cron"]._commit_progress(1):
                break

    @api.model
    def _write_to(self, user, connections):
        """One mail about those of these connections whose period is over; none where there is nothing to tell."""
        ends = {connection.id: self._period_end(user, connection.digest) for connection in connections}
        mine = self._rows_of(user, connections)
        due = mine.filtered(lambda row: not row.told_until or row.told_until < ends[row.connection_id.id])
        # A row that another worker holds is being told.
        due = due.try_lock_for_update()
        periods = {}
        for row in due:
            until = ends[row.connection_id.id]
            since = row.told_until or until - timedelta(days=7 if row.connection_id.digest == "weekly" else 1)
            periods.setdefault((since, until), []).append(row.connection_id.id)
            row.told_until = until
        parts = {}
        for (since, until), ids in periods.items():
            parts |= self.env["xero.connection"].browse(ids)._digest_parts(user, since, until)
        if parts:
            self._mail(user, [parts[connection] for connection in due.connection_id if connection in parts])

    @api.model
    def _rows_of(self, user, connections):
        """This user's rows of these connections, made where there are none."""
        values = [(connection.id, user.id) for connection in connections]
        self.env.cr.execute(
            SQL(
                "INSERT INTO xero_digest (connection_id, user_id) VALUES %s ON CONFLICT DO NOTHING",
                SQL(", ").join(SQL("%s", value) for value in values),
            )
        )
        return self.search([("user_id", "=", user.id), ("connection_id", "in", connections.ids)])

    # === THE MAIL === #

    @api.model
    def _mail(self, user, parts):
        """:param list parts: of :meth:`xero.connection._digest_parts`"""
        env = self.env(user=user, context={"lang": user.lang, "tz": user.tz})
        company = user.company_id
        until = max(part["until"] for part in parts)
        last_day = self._last_day(env, until)
        values = {"parts": parts, "user": user, "company": company.sudo(), "base_url": user.get_base_url()}
        # sudo: who may read the mail's parts need not read its template
        body = env["ir.qweb"].sudo()._render("xero_connector.digest_mail", values, lang=user.lang)
        html = env["mail.render.mixin"].sudo()._render_encapsulate(
            "mail.mail_notification_light",
            body,
            add_context={
                "company": company.sudo(),
                "model_description": env._("Xero digest"),
                "record_name": format_date(env, last_day, date_format="long"),
                "lang": user.lang,
            },
        )
        sender = company.sudo().email_formatted or self.env.ref("base.user_root").sudo().email_formatted
        self.env["mail.mail"].sudo().create(
            {
                "subject": env._("Xero: %s", self._subject(env, parts)),
                "body_html": html,
                "email_to": user.email_formatted,
                "email_from": sender,
                "auto_delete": True,
            }
        )

    @api.model
    def _last_day(self, env, until):
        """A period ends at midnight: it is the day before that people know it by."""
        return fields.Datetime.context_timestamp(env["res.users"], until - timedelta(seconds=1)).date()

    @api.model
    def _subject(self, env, parts):
        """What the mail is about in few words: what needs somebody first."""
        failed = sum(part["failed"] for part in parts)
        broken = [part["name"] for part in parts if part["attention"]]
        said = []
        if broken:
            said.append(env._("%s needs attention", ", ".join(broken)))
        if failed:
            said.append(env._("failed: %s", failed))
        for label, name in ((env._("imported: %s"), "imported"), (env._("sent: %s"), "sent")):
            if count := sum(part[name] for part in parts):
                said.append(label % count)
        return ", ".join(said) or env._("what was mended")


class XeroConnection(models.Model):
    """What the digest tells of a connection, and to whom."""

    _inherit = "xero.connection"

    digest = fields.Selection(
        [("none", "Never"), ("daily", "Daily"), ("weekly", "Weekly")],
        string="Digest by mail",
        required=True,
        default="none",
        help="One mail for all their connections to the responsible and to followers of the staff: what was imported "
        "and sent, what waits, what needs somebody and what was mended. Nothing to tell: no mail.",
    )
    mended_at = fields.Datetime(
        readonly=True, copy=False, help="When a connection that needed attention was well again."
    )

    def write(self, vals):
        was_broken = self.filtered("needs_attention") if vals.keys() & {"state", "failed_turns"} else self.browse()
        result = super().write(vals)
        if mended := was_broken.filtered(lambda c: c.state == "connected" and not c.needs_attention):
            mended.sudo().mended_at = fields.Datetime.now()
        return result

    def _digest_readers(self):
        """Who is told of which of these connections, as far as they may read them.

        :return: dict ``user -> connections``
        """
        by_user = {}
        for connection in self:
            people = connection.message_partner_ids.user_ids | connection.user_id
            for user in people.filtered(lambda one, connection=connection: connection._is_to_tell(one) and one.email):
                by_user[user] = by_user.get(user, self.browse()) | connection
        found = {}
        for user, connections in by_user.items():
            mine = connections.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
            if readable := mine.search([("id", "in", connections.ids)]):
                found[user] = self.browse(readable.ids)
        return found

    def _digest_parts(self, user, since, until):
        """What to tell this user of the time between two instants, read with the user's rights and in the user's
        language.

        :return: dict ``connection -> dict of figures, plain texts and paths``, without those of which there is nothing
            to tell
        """
        connections = self.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids, lang=user.lang, tz=user.tz
        )
        records = connections.env["xero.record"]
        period = [("first_done_at", ">=", since), ("first_done_at", "<", until)]
        counts = {
            (connection.id, direction): count
            for connection, direction, count in records._read_group(
                [*connections._documents_domain(), *period], ["connection_id", "direction"], ["__count"]
            )
        }
        mended = dict(
            records._read_group(
                [("connection_id", "in", self.ids), ("mended_at", ">=", since), ("mended_at", "<", until)],
                ["connection_id"],
                ["__count"],
            )
        )
        problems = connections.env["xero.problem"].search_fetch(
            [("connection_id", "in", self.ids), ("state", "=", "failed")],
            ["connection_id", "problem_code", "problem_subject", "reason", "record_count"],
        )
        problems = problems.grouped("connection_id")
        days = self._digest_days(connections.env, since, until)
        parts = {}
        for connection in connections:
            figures = {
                "imported": counts.get((connection.id, "in"), 0),
                "sent": counts.get((connection.id, "out"), 0),
                "mended": mended.get(connection, 0),
                "was_mended": bool(connection.mended_at and since <= connection.mended_at < until),
                "attention": connection.needs_attention,
            }
            failing = problems.get(connection, connections.env["xero.problem"])
            if failing or any(figures.values()):
                parts[connection] = figures | connection._digest_texts(failing) | {
                    "until": until, "days": days
                }
        return parts

    def _digest_texts(self, problems):
        """What a part says of a connection as it is now.

        :param problems: what fails of it
        """
        return {
            "name": self.name,
            "path": f"/odoo/xero-connections/{self.id}",
            "message": self.message if self.needs_attention else "",
            "status": self.status_text,
            "waiting": self.waiting_count + self.outgoing_waiting_count,
            "failed": sum(problems.mapped("record_count")),
            "problems": [
                {
                    "name": problem.display_name,
                    "count": problem.record_count,
                    "reason": problem.reason or "",
                    "path": f"/odoo/xero-problems/{problem.id}",
                }
                for problem in problems[:_MOST_PROBLEMS]
            ],
            "more": max(len(problems) - _MOST_PROBLEMS, 0),
        }

    @api.model
    def _digest_days(self, env, since, until):
        """The days a part is about where that is more than one, else ''."""
        first = fields.Datetime.context_timestamp(env["res.users"], since).date()
        last = env["xero.digest"]._last_day(env, until)
        return f"{format_date(env, first)} – {format_date(env, last)}" if first < last else ""
