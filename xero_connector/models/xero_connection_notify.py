from odoo import fields, models

_PROBLEMS = "xero_connector.mail_activity_type_xero_problems"


class XeroConnection(models.Model):
    """Telling people: a word on the screen for those who follow, an activity for the one who is responsible."""

    _inherit = "xero.connection"

    notify = fields.Selection(
        [("errors", "Errors and what needs a person"), ("all", "Everything")],
        string="Tell followers about",
        required=True,
        default="errors",
        help="Followers of the connection see it on their screen while they work in Odoo.",
    )

    def _notify_followers(self, text, kind):
        """A word on the screens of the staff who follow this connection or are responsible for it.

        :param str text: plain text
        :param str kind: ``info``, ``success``, ``warning`` or ``danger``
        """
        self.ensure_one()
        followers = self.message_partner_ids.user_ids | self.user_id
        staff = followers.filtered(lambda user: self._is_to_tell(user))
        for user in staff:
            user._bus_send("simple_notification", {"type": kind, "title": self.name, "message": text})

    def _is_to_tell(self, user):
        """Whether this user is one of the staff who may read the connection."""
        is_staff = user.active and user.has_group("xero_connector.group_xero_user")
        return is_staff and self.company_id in user.company_ids

    def _tell_of_run(self, done, failed):
        """After a turn of the import.

        :param int done, failed: documents that became orders, and that need a person
        """
        self.ensure_one()
        if failed:
            text = self._for_reader().env._("Invoices that could not be imported: %s. See Problems.", failed)
            self._notify_followers(text, "warning")
        elif done and self.notify == "all":
            self._notify_followers(self._for_reader().env._("Invoices imported: %s.", done), "success")

    def _update_problem_call(self):
        """One activity as long as something of this connection fails; it goes when the last one is mended. What waits
        for a decision about an imported order has an activity there."""
        for connection in self:
            count = self.env["xero.record"].sudo().search_count(
                [
                    ("connection_id", "=", connection.id),
                    ("state", "=", "failed"),
                    "|",
                    "|",
                    ("res_id", "=", False),
                    ("resource", "!=", "invoice"),
                    ("direction", "=", "out"),
                ]
            )
            called = connection.activity_search([_PROBLEMS])
            if not count:
                called.unlink()
            elif called:
                called.summary = connection._problem_summary(count)
            else:
                connection.activity_schedule(
                    _PROBLEMS,
                    summary=connection._problem_summary(count),
                    user_id=(connection.user_id or self.env.ref("base.user_admin")).id,
                )

    def _problem_summary(self, count):
        return self._for_reader().env._("Documents that need somebody: %s, see Problems", count)
