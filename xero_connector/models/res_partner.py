from dataclasses import dataclass, field

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import escape_psql

from .. import const
from ..lib.errors import Problem

_ADDRESS_KINDS = {"street_first": ("STREET", "POBOX"), "postal_first": ("POBOX", "STREET")}
_ADDRESS_FIELDS = ("street", "street2", "city", "zip", "state_id", "country_id")


@dataclass
class ImportedPartners:
    """``contacts``: partner by contact id; ``ship_to``: delivery address by sync log row id."""

    contacts: dict = field(default_factory=dict)
    ship_to: dict = field(default_factory=dict)


class ResPartner(models.Model):
    _inherit = "res.partner"

    xero_warehouse_ids = fields.Many2many(
        "stock.warehouse",
        string="Warehouses for Xero orders",
        help="The only warehouses this customer's Xero invoices may go to. Empty: all.",
    )

    xero_auto_export = fields.Boolean(
        string="Send to Xero by itself",
        company_dependent=True,
        groups="xero_connector.group_xero_user",
        help="Orders or invoices of this customer go to Xero without anybody pressing a button.",
    )

    def _xero_switch_auto_export(self):
        """Send what these customers get by itself, or, where all of them have it, not any more."""
        customers = self.commercial_partner_id
        wanted = not all(customer.xero_auto_export for customer in customers)
        customers.xero_auto_export = wanted
        text = self.env._("Sent to Xero by itself: %s customers.", len(customers))
        if not wanted:
            text = self.env._("Not sent to Xero by itself any more: %s customers.", len(customers))
        return self.env["xero.connection"]._notification(text, "success")

    # === FROM XERO: ADDRESS === #

    @api.model
    def _xero_prepare_ship_to(self, connection, drafts):
        """Give each draft its delivery address's values, or the problem with it. Writes nothing."""
        kinds = _ADDRESS_KINDS[connection.ship_to_source]
        addresses = {draft.row.id: draft.contact.address(*kinds) for draft in drafts}
        countries = self._xero_countries(connection, addresses.values())
        for draft in drafts:
            address = addresses[draft.row.id]
            draft.ship_to, missing = self._xero_address_values(connection, address, countries)
            if missing and not connection.accept_incomplete_address:
                reason = connection.env._(
                    "The delivery address of %(contact)s lacks: %(missing)s. Complete it in Xero and retry, or accept "
                    "incomplete addresses on the connection.",
                    contact=draft.contact.name,
                    missing=", ".join(missing),
                )
                draft.problems.append(Problem("address_incomplete", reason, draft.contact.name, connection))

    @api.model
    def _xero_countries(self, connection, addresses):
        """Countries by what Xero's free text calls them: name, ISO code or a usual other name, any case; '' is the
        organisation's own.

        :return: dict ``case-folded text -> res.country``
        """
        own = (connection.tenant_country or "").casefold()
        texts = {address.country.casefold() for address in addresses} | {own}
        codes = {text: const.COUNTRY_ALIASES.get(text, text.upper()) for text in texts}
        names = [Domain("name", "=ilike", escape_psql(text)) for text in texts if len(text) > 2]
        domain = Domain("code", "in", list(codes.values())) | Domain.OR(names)
        countries = self.env["res.country"].with_context(lang="en_US").search(domain)
        by_code = {country.code: country for country in countries}
        by_name = {country.name.casefold(): country for country in countries}
        found = {text: by_code.get(codes[text]) or by_name.get(text) for text in texts}
        return {text: country for text, country in found.items() if country} | {"": found[own]}

    @api.model
    def _xero_address_values(self, connection, address, countries):
        """Values of a delivery address, and what a carrier would miss in it.

        :return: ``(values, missing)``, missing a list of words in the connection's language
        """
        _ = connection.env._
        country = countries.get(address.country.casefold()) or self.env["res.country"]
        region = address.region.casefold()
        state = country.state_ids.filtered(lambda s: region and region in (s.code.casefold(), s.name.casefold()))[:1]
        lines = address.lines if state or not address.region else [*address.lines, address.region]
        values = {
            "name": address.attention or False,
            "street": lines[0] if lines else False,
            "street2": ", ".join(lines[1:]) or False,
            "city": address.city or False,
            "zip": address.postal_code or False,
            "state_id": state.id,
            "country_id": country.id,
        }
        missing = [
            word
            for word, is_missing in (
                (_("street"), not address.lines),
                (_("city"), not address.city),
                (_("postcode"), country.zip_required and not address.postal_code),
                (_("state"), country.state_required and not address.region),
                (_("country (Odoo knows no “%s”)", address.country), address.country and not country),
                (_("country"), not address.country and not country),
            )
            if is_missing
        ]
        return values, missing

    # === FROM XERO: PARTNERS === #

    @api.model
    def _xero_import(self, connection, drafts):
        """The partners and delivery addresses of these drafts, made where they do not exist yet.

        :rtype: ImportedPartners
        """
        contacts = {draft.contact.id: draft.contact for draft in drafts}
        partners = {draft.contact.id: draft.partner for draft in drafts if draft.partner}
        missing = [contact for key, contact in contacts.items() if key not in partners]
        created = self.create([self._xero_partner_values(connection, contact) for contact in missing])
        partners |= dict(zip((contact.id for contact in missing), created, strict=True))
        self.env["xero.binding"]._bind(connection, "contact", partners)
        return ImportedPartners(partners, self._xero_ship_to(drafts, partners))

    @api.model
    def _xero_known(self, connection, contacts):
        """The partners of these contacts as far as there are any: bound already, or them beyond doubt. Writes nothing.

        :return: dict ``contact id -> partner``
        """
        contacts = {contact.id: contact for contact in contacts}
        partners = self.env["xero.binding"]._lookup(connection, "contact", list(contacts))
        if connection.partner_id:
            # One warehouse customer's contacts are never another's, whatever they are called.
            return partners
        unbound = [contact for key, contact in contacts.items() if key not in partners]
        return partners | (self._xero_match(connection, unbound) if unbound else {})

    @api.model
    def _xero_match(self, connection, contacts):
        """Partners that are these contacts beyond doubt: one with the same e-mail and name, else one with that very
        name; never one that is another contact's already, or that somebody unmapped.

        :return: dict ``contact id -> partner``
        """
        same_names = self.search(
            [
                ("name", "in", [contact.name for contact in contacts]),
                ("parent_id", "=", False),
                ("company_id", "in", (False, connection.company_id.id)),
            ]
        )
        taken = self.env["xero.binding"].search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", "contact"),
                ("res_model", "=", self._name),
                ("res_id", "in", same_names.ids),
            ]
        )
        apart = self.env["xero.record"]._contact_outbox(connection, same_names)
        apart = apart.filtered(lambda row: row.problem_code == "ignored")
        unavailable = self.browse(taken.mapped("res_id") + apart.mapped("res_id"))
        candidates = (same_names - unavailable).grouped("name")
        matched = {}
        for contact in contacts:
            same_name = candidates.get(contact.name, self)
            same_mail = same_name.filtered(
                lambda p, contact=contact: contact.email and (p.email or "").casefold() == contact.email.casefold()
            )
            partner = same_mail if len(same_mail) == 1 else same_name
            if len(partner) == 1 and partner not in matched.values():
                matched[contact.id] = partner
        return matched

    @api.model
    def _xero_partner_values(self, connection, contact):
        address = contact.address("POBOX", "STREET")
        countries = self._xero_countries(connection, [address])
        values, _missing = self._xero_address_values(connection, address, countries)
        return {
            **values,
            "name": contact.name,
            "email": contact.email or False,
            "phone": contact.phone or False,
            "is_company": True,
            "company_id": connection.company_id.id,
        }

    @api.model
    def _xero_ship_to(self, drafts, partners):
        """A delivery address for each draft: an equal one of its contact, else a new one. None is ever changed, so an
        older order keeps the address it was sent to.

        :return: dict ``row id -> partner``
        """
        parents = self.browse({partners[draft.contact.id].id for draft in drafts})
        known = {}
        for child in self.search([("parent_id", "in", parents.ids), ("type", "=", "delivery")], order="id"):
            known.setdefault(child._xero_address_key(), child)
        wanted = {}
        for draft in drafts:
            parent = partners[draft.contact.id]
            key = (parent.id, draft.ship_to["name"], *(draft.ship_to[name] for name in _ADDRESS_FIELDS))
            wanted[draft.row.id] = key
            if key not in known:
                # An address without company would show its customer to all companies.
                company = {"company_id": parent.company_id.id}
                known[key] = {**draft.ship_to, **company, "parent_id": parent.id, "type": "delivery"}
        to_create = {key: values for key, values in known.items() if isinstance(values, dict)}
        known |= dict(zip(to_create, self.create(list(to_create.values())), strict=True))
        return {row_id: known[key] for row_id, key in wanted.items()}

    def _xero_address_key(self):
        self.ensure_one()
        values = (self[name].id if name.endswith("_id") else self[name] for name in _ADDRESS_FIELDS)
        return (self.parent_id.id, self.name, *values)
