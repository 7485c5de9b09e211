from dataclasses import dataclass

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import email_normalize_all, escape_psql

from .. import const
from ..lib import formats
from ..lib.contact import address_element, clean_name, new_element, same_name
from ..lib.errors import Problem
from .contact_book import ContactBook


@dataclass(frozen=True)
class ContactAnswer:
    """Which contact a customer is: exactly one of the three.

    ``id``: the contact's; ``problem``: why none can be told; ``is_new``: it is still to be made in Xero.
    """

    id: str | None = None
    problem: Problem | None = None
    is_new: bool = False


class ResPartner(models.Model):
    """Customers as contacts of Xero."""

    _inherit = "res.partner"

    # === WHO IS WHO === #

    @api.model
    def _xero_contacts(self, connection, partners):
        """Which contacts the companies of these partners are: the ones they are mapped to, else those they are beyond
        doubt. Writes nothing and calls nobody.

        :rtype: dict[res.partner, ContactAnswer]
        """
        partners = partners.with_env(connection.env).commercial_partner_id
        answers = partners._xero_mapped_contacts(connection)
        loose = partners.filtered(lambda partner: partner not in answers)
        return answers | (loose._xero_loose_contacts(connection) if loose else {})

    def _xero_mapped_contacts(self, connection):
        """The answers for those of these partners that are mapped to contacts of this organisation."""
        bindings = self.env["xero.binding"].search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", "contact"),
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
            ],
            order="id",
        )
        today = self.env["xero.record"]._contacts_today(connection, bindings.mapped("external_id"))
        answers = {}
        for partner_id, held in bindings.grouped("res_id").items():
            # Contacts of an organisation that was connected before are not in the log any more.
            found = [today[binding.external_id] for binding in held if binding.external_id in today]
            in_use = [contact_id for contact_id, row in found if not row or row.state == "done"]
            partner = self.browse(partner_id)
            if in_use:
                answers[partner] = ContactAnswer(id=in_use[0])
            elif found:
                answers[partner] = partner._xero_archived_contact(connection, found[0][1])
        return answers

    def _xero_loose_contacts(self, connection):
        """The answers for these partners, none of which is mapped."""
        out = {row.res_id: row for row in self.env["xero.record"]._contact_outbox(connection, self)}
        book = ContactBook(connection)
        answers = self._xero_contacts_by_number(connection, out, book)
        kept_apart = self.filtered(lambda partner: out.get(partner.id) and out[partner.id].problem_code == "ignored")
        answers |= {partner: partner._xero_kept_apart(connection, out[partner.id]) for partner in kept_apart}
        left = self.filtered(lambda partner: partner not in answers)
        answers |= left._xero_contacts_by_name(connection, out, book)
        left = left.filtered(lambda partner: partner not in answers)
        return answers | {partner: partner._xero_new_contact(connection, out.get(partner.id), book) for partner in left}

    def _xero_contacts_by_number(self, connection, out, book):
        """The answers for those of these partners that were made contacts from here, whatever became of our knowing."""
        records = self.env["xero.record"]
        numbers = {out[one.id].reference if one.id in out else records._contact_number(one): one for one in self}
        rows = records.search([*connection._contact_rows_domain(), ("reference", "in", [*filter(None, numbers)])])
        today = records._contacts_today(connection, rows.mapped("external_id"))
        answers = {}
        for row in rows:
            partner = numbers[row.reference]
            contact_id, last = today[row.external_id]
            if last.problem_code == "archived_there":
                answers[partner] = partner._xero_archived_contact(connection, last)
            elif contact_id not in book.owners:
                answers[partner] = ContactAnswer(id=contact_id)
                book.owners[contact_id] = partner
        return answers

    def _xero_contacts_by_name(self, connection, out, book):
        """The answers for those of these partners whose name contacts have, but for what a person said they are not."""
        _ = connection.env._
        namesakes = self.filtered(lambda partner: book.free(partner.name))._xero_namesakes(connection)
        answers = {}
        for partner in self:
            row = out.get(partner.id)
            unwanted = row.external_id if row and row.state != "done" else None
            free = [one for one in book.free(partner.name) if one != unwanted]
            taken = book.taken(partner.name)
            email = (partner.email or "").strip().lower()
            same_mail = [one for one in free if email and book.emails[one] == email]
            found = same_mail if len(same_mail) == 1 else free
            rivals = namesakes.get(same_name(partner.name), self.browse()) - partner
            if same_mail:
                rivals = rivals.filtered(lambda other, email=email: (other.email or "").strip().lower() == email)
            if len(found) == 1 and not rivals:
                answers[partner] = ContactAnswer(id=found[0])
            elif len(found) == 1:
                reason = _(
                    "Several customers are called %s, but only one contact in Xero is. Say which of them it is:",
                    partner.name,
                )
                answers[partner] = partner._xero_contact_problem(connection, "contact_ambiguous", reason)
            elif found:
                reason = _("Several contacts in Xero are called %s. Say which one it is:", partner.name)
                answers[partner] = partner._xero_contact_problem(connection, "contact_ambiguous", reason)
            elif taken:
                reason = _(
                    "Xero has a contact called %(customer)s already, which is another customer here (%(other)s), and "
                    "takes no second one of this name. Rename the customer, or merge both in Odoo. If the mapping is "
                    "wrong, change it:",
                    customer=partner.name,
                    other=book.owners[taken].sudo().display_name,
                )
                answers[partner] = partner._xero_contact_problem(connection, "contact_taken", reason)
        return answers

    def _xero_namesakes(self, connection):
        """Partners that are no contact yet and have the names of these: one contact cannot be all of them.

        :return: dict ``name -> partners``
        """
        if not self:
            return {}
        found = self.search(
            Domain.OR(Domain("name", "=ilike", escape_psql(partner.name.strip())) for partner in self)
            & Domain("company_id", "in", (False, connection.company_id.id))
        )
        found = found.filtered(lambda partner: partner.commercial_partner_id == partner)
        bound = self.env["xero.binding"].search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", "contact"),
                ("res_model", "=", self._name),
                ("res_id", "in", found.ids),
            ]
        )
        loose = found - self.browse(bound.mapped("res_id"))
        return loose.grouped(lambda partner: same_name(partner.name))

    def _xero_new_contact(self, connection, row, book):
        """The answer for a partner that no contact is beyond doubt.

        :param row: its outbound row, None where it has none
        """
        _ = connection.env._
        if not clean_name(self.name):
            reason = _("Xero takes no contact without a name. Name the customer, or choose its contact:")
            return self._xero_contact_problem(connection, "contact_unmapped", reason)
        if row and row.state == "failed" and row.sudo().payload == self._xero_contact_element(row.reference):
            return ContactAnswer(problem=Problem(row.problem_code, row.reason, self.name, self))
        is_wanted = row and row.state == "pending"
        contact_id, score = book.likeliest(self)
        if not is_wanted and score >= const.SURE_SCORE:
            reason = _(
                "%(customer)s seems to be the contact “%(contact)s” in Xero. Map it, or create another one:",
                customer=self.name,
                contact=book.names[contact_id],
            )
            return self._xero_contact_problem(connection, "contact_alike", reason)
        if not is_wanted and not connection.contact_create_there:
            reason = _("%s is no contact in Xero. Map it to one, or create it there:", self.name)
            return self._xero_contact_problem(connection, "contact_unmapped", reason)
        if not connection._can_write_contacts():
            reason = _(
                "%(customer)s is no contact in Xero, and the consent of %(connection)s does not cover creating it. "
                "Reconnect and allow it, or map the customer to a contact.",
                customer=self.name,
                connection=connection.name,
            )
            return ContactAnswer(problem=Problem("contact_unmapped", reason, self.name, connection))
        return ContactAnswer(is_new=True)

    def _xero_archived_contact(self, connection, row):
        reason = connection.env._(
            "The contact “%(contact)s” of %(customer)s is archived in Xero. Restore it there, or map the customer to "
            "another one:",
            contact=row.number,
            customer=self.name,
        )
        return self._xero_contact_problem(connection, "contact_archived", reason)

    def _xero_kept_apart(self, connection, row):
        reason = connection.env._("%(customer)s is no contact in Xero. %(said)s", customer=self.name, said=row.reason)
        return self._xero_contact_problem(connection, "contact_unmapped", reason)

    def _xero_contact_problem(self, connection, code, reason):
        """:param str reason: sentences; where to mend it follows"""
        where = connection.env._("Xero → Contacts, connection %s.", connection.name)
        return ContactAnswer(problem=Problem(code, f"{reason} {where}", self.name, self))

    # === TO XERO === #

    def _xero_contact_element(self, number):
        """What Xero is told to make this partner a contact.

        :param str number: the ``ContactNumber``
        """
        self.ensure_one()
        delivery = self.browse(self.address_get(["delivery"])["delivery"])
        return formats.plain(
            new_element(
                number,
                self.name,
                email=next(iter(email_normalize_all(self.email or "")), ""),
                phone=self.phone,
                # Odoo's word for one that is known to have none.
                tax_number=self.vat if self.vat != "/" else "",
                is_person=not self.is_company,
                addresses=[self._xero_address_element("POBOX"), delivery._xero_address_element("STREET")],
            )
        )

    def _xero_address_element(self, kind):
        self.ensure_one()
        return address_element(
            kind,
            [self.street, self.street2],
            city=self.city,
            region=self.state_id.name,
            postal_code=self.zip,
            country=self.country_id.with_context(lang="en_US").name,
            attention=self.parent_id and self.name,
        )
