from odoo import models
from odoo.exceptions import UserError

from ..lib.contact import XeroContact, same_name


class XeroRecord(models.Model):
    """Contacts that a person maps, or makes customers of."""

    _inherit = "xero.record"

    def _map_contact(self, partner):
        """Say that this contact is that customer.

        :raise UserError: where one of both is taken, or the contact is not in use
        """
        self.ensure_one()
        partner = partner.commercial_partner_id
        if not self._is_known_contact():
            raise UserError(self.env._("Choose a contact of Xero."))
        if self.state != "done":
            raise UserError(self.env._("%s is archived in Xero: restore it there first.", self.number))
        if partner.company_id and partner.company_id != self.company_id:
            raise UserError(
                self.env._(
                    "%(customer)s belongs to %(company)s.",
                    customer=partner.display_name,
                    company=partner.company_id.display_name,
                )
            )
        # sudo: rows and bindings are written by the machine; who may write lines of the screen may map
        row_sudo, bindings_sudo = self.sudo(), self.env["xero.binding"].sudo()
        connection_sudo = row_sudo.connection_id
        for held_sudo, held_row_sudo in row_sudo._contacts_of(partner).items():
            if held_row_sudo.state != "done":
                # Nothing can be sent to that one: it makes room.
                held_sudo.unlink()
            elif held_row_sudo != row_sudo:
                raise UserError(
                    self.env._(
                        "%(customer)s is mapped to the contact %(contact)s already. Unmap it there first.",
                        customer=partner.display_name,
                        contact=held_row_sudo.number,
                    )
                )
        owner = bindings_sudo._lookup(connection_sudo, "contact", [self.external_id]).get(self.external_id)
        if owner and owner != partner:
            raise UserError(
                self.env._(
                    "The contact %(contact)s is %(customer)s already. Unmap it first.",
                    contact=self.number,
                    customer=owner.display_name,
                )
            )
        bindings_sudo._bind(connection_sudo, "contact", {self.external_id: partner.sudo()})
        # Whatever became of making it a contact of its own is past, unless nobody knows what did.
        out_sudo = row_sudo._contact_outbox(connection_sudo, partner)
        out_sudo.filtered(lambda row: row.state != "done" and not row.request_key).unlink()

    def _map_contact_if_free(self, partner):
        """:meth:`_map_contact` where both are free, else nothing.

        :return: whether it was mapped
        """
        row_sudo = self.sudo()
        owners = self.env["xero.binding"].sudo()._lookup(row_sudo.connection_id, "contact", [self.external_id])
        if owners or row_sudo._contacts_of(partner):
            return False
        self._map_contact(partner)
        return True

    def _contacts_of(self, partner):
        """What a customer is mapped to: dict ``binding -> row of the contact it is by now``."""
        bindings = self.env["xero.binding"].search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("resource", "=", "contact"),
                ("res_model", "=", partner._name),
                ("res_id", "=", partner.id),
            ]
        )
        today = self._contacts_today(self.connection_id, bindings.mapped("external_id"))
        return {one: today[one.external_id][1] for one in bindings if one.external_id in today}

    def _unmap_contact(self):
        """End the mapping of this contact because a person says so: nothing maps the two again by itself."""
        self.ensure_one()
        # sudo: who may write lines of the screen may unmap
        row_sudo = self.sudo()
        connection_sudo = row_sudo.connection_id
        partner_sudo = self.env["xero.binding"].sudo()._lookup(
            connection_sudo, "contact", [self.external_id]
        ).get(self.external_id)
        if not partner_sudo:
            return
        [(_last, own_row_sudo)] = row_sudo._contacts_today(connection_sudo, [self.external_id]).values()
        # With what was merged into it: the same contact by now.
        for binding_sudo, held_row_sudo in row_sudo._contacts_of(partner_sudo).items():
            if held_row_sudo == own_row_sudo:
                binding_sudo.unlink()
        out_sudo = row_sudo._contact_outbox_rows(connection_sudo, partner_sudo)
        said = self.env._("Unmapped by %s. Map it again, or create it in Xero, to go on.", self.env.user.name)
        out_sudo._skip("ignored", said)
        out_sudo.write(
            {
                # The contact that it is not.
                "external_id": own_row_sudo.external_id or self.external_id,
                "reference": row_sudo._free_contact_number(connection_sudo, partner_sudo),
                "request_key": False,
            }
        )

    def _free_contact_number(self, connection, partner):
        """Our first number of this partner that no contact has."""
        nth = 1
        while self.search_count(
            [*connection._contact_rows_domain(), ("reference", "=", self._contact_number(partner, nth))], limit=1
        ):
            nth += 1
        return self._contact_number(partner, nth)

    def _make_customers(self, connection):
        """Create the customers of these contacts now, for somebody who asks."""
        partners = connection.env["res.partner"]
        contacts = [XeroContact(row.payload) for row in self]
        names = [contact.name for contact in contacts]
        company = ("company_id", "in", (False, connection.company_id.id))
        known = {same_name(one.name): one for one in partners.search([("name", "in", names), company])}
        for contact in contacts:
            if there := known.get(same_name(contact.name)):
                raise UserError(self.env._("%s is there already: map the contact to it.", there.display_name))
        made = partners.create([partners._xero_partner_values(connection, contact) for contact in contacts])
        pairs = dict(zip((contact.id for contact in contacts), made, strict=True))
        self.env["xero.binding"]._bind(connection, "contact", pairs)
