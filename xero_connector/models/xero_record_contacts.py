from odoo import api, models

from .. import const
from ..lib import errors, formats
from ..lib.contact import XeroContact
from .raced import raced_is_busy


class XeroRecord(models.Model):
    """Contacts as Xero has them. Lists of invoices come without addresses (xero-api.md, section 3.1), so those of
    inbound invoices are read in batches and kept as rows of the log; who sends to Xero reads the whole list."""

    _inherit = "xero.record"

    _contact_numbers = models.Index("(connection_id, reference) WHERE resource = 'contact'")

    def _add_contacts(self, connection, fresh, moved):
        """Give every draft its contact with addresses; read in batches, once per version of an invoice. A draft whose
        contact Xero does not know fails.

        :param list fresh: drafts of new invoices
        :param list moved: drafts of documents that go to another contact now
        :return: the fresh ones that have their contact
        """
        contacts = self._contact_payloads(connection, fresh + moved)
        for draft in fresh + moved:
            if payload := contacts.get(draft.invoice.contact_id):
                draft.contact = XeroContact(payload)
            else:
                draft.row._fail([connection._contact_problem(draft.invoice)])
        return [draft for draft in fresh if draft.contact]

    def _contact_payloads(self, connection, drafts):
        """Contacts as Xero has them now; what was read after the invoice arrived is not read again.

        :return: dict ``contact id -> payload``
        """
        wanted = {}
        for draft in drafts:
            contact_id = draft.invoice.contact_id
            wanted[contact_id] = max(draft.row.received_at, wanted.get(contact_id) or draft.row.received_at)
        rows = self._contact_rows(connection, wanted)
        payloads = {
            row.external_id: row.payload for row in rows if row.payload and row.received_at >= wanted[row.external_id]
        }
        stale = [contact_id for contact_id in wanted if contact_id and contact_id not in payloads]
        if stale:
            stale += self._upcoming_contacts(connection, known=wanted, number=-len(stale) % const.CONTACTS_PER_CALL)
            with connection._client() as client:
                for start in range(0, len(stale), const.CONTACTS_PER_CALL):
                    contacts = self._read_contacts(client, stale[start : start + const.CONTACTS_PER_CALL])
                    self._receive_contacts(connection, contacts)
                    payloads |= {contact["ContactID"]: contact for contact in contacts}
        return payloads

    @api.model
    def _read_contacts(self, client, contact_ids):
        """These contacts; when Xero refuses the call, all but the one it refuses it for."""
        try:
            return client.contacts(contact_ids)
        except (errors.XeroRejected, errors.XeroMissing):
            if len(contact_ids) == 1:
                return []
            half = len(contact_ids) // 2
            return self._read_contacts(client, contact_ids[:half]) + self._read_contacts(client, contact_ids[half:])

    @api.model
    def _upcoming_contacts(self, connection, known, number):
        """Contacts the next batches will ask for, to fill up a call: at most ``number``."""
        if not number:
            return []
        self.flush_model()
        self.env.cr.execute(
            """
            SELECT DISTINCT invoice.payload -> 'Contact' ->> 'ContactID'
              FROM xero_record invoice
         LEFT JOIN xero_record contact
                ON contact.connection_id = invoice.connection_id AND contact.direction = 'in'
               AND contact.resource = 'contact' AND contact.received_at >= invoice.received_at
               AND contact.external_id = invoice.payload -> 'Contact' ->> 'ContactID'
             WHERE invoice.connection_id = %s AND invoice.direction = 'in' AND invoice.resource = 'invoice'
               AND invoice.state = 'pending' AND contact.id IS NULL
               AND invoice.payload -> 'Contact' ->> 'ContactID' != ALL(%s)
             LIMIT %s
            """,
            (connection.id, list(known), number),
        )
        return [contact_id for (contact_id,) in self.env.cr.fetchall()]

    @api.model
    def _receive_contacts(self, connection, contacts):
        """Keep contacts as rows of the log: the address an order was sent to can be looked up later."""
        now = formats.utc_now()
        fresh = {"received_at": now, "done_at": now}
        contacts = {contact["ContactID"]: contact for contact in contacts}
        rows = {row.external_id: row for row in self._contact_rows(connection, contacts)}
        unchanged, to_create = self.browse(), []
        for contact_id, payload in contacts.items():
            values = self._values_from_contact(connection, XeroContact(payload))
            row = rows.get(contact_id)
            if not row:
                of_contact = {"connection_id": connection.id, "resource": "contact", "external_id": contact_id}
                to_create.append(values | fresh | of_contact)
            elif all(row[name] == value for name, value in values.items()):
                unchanged |= row
            else:
                row.write(values | fresh)
        # All at once: the whole list comes again every day.
        unchanged.write(fresh)
        with raced_is_busy(self.env.cr):
            self.create(to_create)
        self._follow_merges(connection)

    @api.model
    def _values_from_contact(self, connection, contact):
        _ = connection.env._
        if contact.merged_into:
            outcome = ("skipped", "merged_there", _("The contact was merged into another one in Xero."))
        elif contact.is_archived:
            outcome = ("skipped", "archived_there", _("The contact is archived in Xero."))
        else:
            outcome = ("done", False, False)
        return {
            "number": contact.name,
            "contact_name": contact.name,
            "reference": contact.number or False,
            "remote_updated": formats.stamp(contact.payload.get("UpdatedDateUTC")),
            "payload": formats.plain(contact.payload),
            **dict(zip(("state", "problem_code", "reason"), outcome, strict=True)),
        }

    # === MERGED IN XERO === #

    @api.model
    def _contacts_today(self, connection, contact_ids):
        """What became of contacts: each is itself, or what it was merged into in the end.

        :return: dict ``contact id -> (id, row)`` of those that are in the log; the row is an empty one where the
            contact it was merged into is not
        """
        rows, asked, wanted = {}, set(), set(contact_ids)
        while wanted:
            asked |= wanted
            found = self._contact_rows(connection, wanted)
            rows |= {row.external_id: row for row in found}
            wanted = {row._merged_into() for row in found} - asked - {""}
        today = {}
        for contact_id in rows.keys() & set(contact_ids):
            last, seen = contact_id, set()
            while last in rows and last not in seen and rows[last]._merged_into():
                seen.add(last)
                last = rows[last]._merged_into()
            today[contact_id] = (last, rows.get(last, self.browse()))
        return today

    def _merged_into(self):
        # sudo: the id alone, for who may read the row
        return XeroContact(self.sudo().payload).merged_into if self.problem_code == "merged_there" else ""

    @api.model
    def _follow_merges(self, connection):
        """Who was a contact that was merged in Xero is the one it became, too, unless that is somebody else already.
        The old binding stays: older invoices may still name it."""
        merged = self.search([*connection._contact_rows_domain(), ("problem_code", "=", "merged_there")])
        bindings = self.env["xero.binding"]
        partners = bindings._lookup(connection, "contact", merged.mapped("external_id"))
        if not partners:
            return
        today = self._contacts_today(connection, list(partners))
        heirs = {}
        for contact_id in sorted(partners):
            target_id, row = today[contact_id]
            if row and target_id != contact_id:
                heirs.setdefault(target_id, partners[contact_id])
        bindings._bind(connection, "contact", heirs)

    @api.model
    def _contact_rows(self, connection, contact_ids):
        return self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "in"),
                ("resource", "=", "contact"),
                ("external_id", "in", list(contact_ids)),
            ]
        )
