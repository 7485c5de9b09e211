from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const

_WHOLE_EVERY = timedelta(days=1)


class XeroConnection(models.Model):
    """Contacts and customers: who is whom, for what is sent to Xero."""

    _inherit = "xero.connection"

    contact_create_there = fields.Boolean(
        string="Create missing contacts in Xero",
        default=True,
        help="For customers that are no contact in Xero yet, when something of theirs is sent.",
    )
    contact_watermark = fields.Datetime(
        readonly=True, copy=False, help="Contacts are known up to this moment (UTC)."
    )
    contacts_whole_at = fields.Datetime(
        readonly=True, copy=False, help="When the whole list was read last: a merge is no change to Xero."
    )
    last_contacts = fields.Datetime(string="Contacts read", readonly=True, copy=False)
    contact_count = fields.Integer(string="Contacts", compute="_compute_contact_counts")
    unmapped_contact_count = fields.Integer(string="Unmapped customers", compute="_compute_contact_counts")

    # === COMPUTES === #

    def _compute_contact_counts(self):
        records, matches = self.env["xero.record"], self.env["xero.contact.match"]
        contacts = [
            ("connection_id", "in", self.ids),
            ("direction", "=", "in"),
            ("resource", "=", "contact"),
            ("state", "=", "done"),
        ]
        counts = dict(records._read_group(contacts, ["connection_id"], ["__count"]))
        loose = [("connection_id", "in", self.ids), ("status", "=", "partner_only")]
        unmapped = dict(matches._read_group(loose, ["connection_id"], ["__count"]))
        for connection in self:
            connection.contact_count = connection.last_contacts and counts.get(connection, 0)
            connection.unmapped_contact_count = unmapped.get(connection, 0)

    def _required_scopes(self):
        scopes = super()._required_scopes()
        if self.export_source == "none" or not self.contact_create_there:
            return scopes
        # The scope for writing includes reading.
        read = scopes.pop(f"{const.CONTACT_SCOPE}.read", "")
        return scopes | {const.CONTACT_SCOPE: "; ".join(filter(None, [read, self.env._(const.CONTACT_SCOPE_NEED)]))}

    @api.depends("export_source", "contact_create_there")
    def _compute_missing_scopes(self):
        return super()._compute_missing_scopes()

    def _can_write_contacts(self):
        """Whether the consent covers creating contacts."""
        # sudo: the names of scopes are no secret
        return const.CONTACT_SCOPE in (self.sudo().grant_id.scopes or "").split()

    # === WORK === #

    def _contact_rows_domain(self):
        """The contacts of Xero, in the log."""
        return [("connection_id", "=", self.id), ("direction", "=", "in"), ("resource", "=", "contact")]

    def _contacts_since(self):
        """From when on contacts are to be read; None for all. Once a day all are, as only that shows what was merged.
        A whole reading that was cut off goes on where it was."""
        if self.contacts_whole_at and self.contacts_whole_at <= fields.Datetime.now() - _WHOLE_EVERY:
            self.write({"contact_watermark": False, "contacts_whole_at": False})
        mark = self.contact_watermark
        return mark - timedelta(seconds=const.WATERMARK_OVERLAP) if mark else None

    def _read_all_contacts(self):
        """Have the whole list read at the next turn."""
        self.write({"contact_watermark": False, "contacts_whole_at": False})

    def _forget_catalogue(self):
        """Another organisation is connected: the last one's contacts are nothing to this one. Who is whom stays, as ids
        are nobody else's; it counts again where that organisation's contacts are read again."""
        result = super()._forget_catalogue()
        self.env["xero.record"].search([("connection_id", "=", self.id), ("resource", "=", "contact")]).unlink()
        self.write({"contact_watermark": False, "contacts_whole_at": False, "last_contacts": False})
        return result

    # === ACTIONS === #

    def action_read_contacts(self):
        """Read the whole list of contacts as soon as a worker is free."""
        self.check_access("read")
        self._say_when_neutralized()
        self._refuse_when_idle()
        for connection in self:
            connection.sudo()._read_all_contacts()
            connection._ring_push()
        return self._notification(
            self.env._("Xero's contacts are being read. They appear under Contacts within a minute."), "success"
        )

    def action_view_contacts(self):
        """Contacts and customers side by side."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_contact_match")
        return action | {
            "domain": [("connection_id", "=", self.id)],
            "context": {"default_connection_id": self.id, **self.env.context.get("xero_search", {})},
            "name": self.env._("Contacts of %s", self.name),
        }

    def _refuse_to_create_contacts(self):
        """Creating contacts by hand needs what creating them by itself needs, but for the switch."""
        if self.export_source == "none":
            raise UserError(self.env._("%s sends nothing to Xero: choose what is sent on it.", self.name))
        if not self._can_write_contacts():
            raise UserError(self.env._("The consent of %s does not cover creating contacts: reconnect it.", self.name))
