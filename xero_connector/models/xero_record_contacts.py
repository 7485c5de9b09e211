from odoo import api, models

from .. import const
from ..lib import errors, formats
from ..lib.contact import XeroContact


class XeroRecord(models.Model):
    """The contacts of inbound invoices. Lists of invoices come without addresses (xero-api.md, section 3.1), so they
    are read in batches and kept as rows of the log."""

    _inherit = "xero.record"

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
        ids = [contact["ContactID"] for contact in contacts]
        rows = {row.external_id: row for row in self._contact_rows(connection, ids)}
        to_create = []
        for payload in contacts:
            contact = XeroContact(payload)
            values = {
                "number": contact.name,
                "contact_name": contact.name,
                "remote_updated": formats.stamp(payload.get("UpdatedDateUTC")),
                "payload": formats.plain(payload),
                "state": "done",
                "received_at": now,
                "done_at": now,
            }
            if row := rows.get(contact.id):
                row.write(values)
            else:
                to_create.append(
                    values | {"connection_id": connection.id, "resource": "contact", "external_id": contact.id}
                )
        self.create(to_create)

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
