import uuid

from odoo import api, fields, models

from .. import const
from ..lib import errors, formats
from ..lib.errors import Problem
from ..lib.paging import PageWalk


class XeroRecord(models.Model):
    """Customers on their way to Xero, one row each.

    What is to be sent, its key and our number of the contact are committed before the call. Whoever is killed in
    between leaves a row of which nobody knows whether it arrived: before it is sent again, Xero is asked for our
    number, and what is found is adopted. Names are unique in Xero, too, so none is made twice.
    """

    _inherit = "xero.record"

    # === READ === #

    @api.model
    def _read_contacts_list(self, connection):
        """Store the contacts that changed in Xero as rows of the log, each page and how far it goes in one commit. Ends
        the transaction, and with it the worker's lock.

        :return: whether all is read; False when somebody else is at it, or the scheduled action's time is up
        """
        walk, more = None, True
        while more:
            connection = connection._push_worker()
            if not connection:
                return False
            walk = walk or PageWalk(connection._contacts_since())
            with connection._client() as client:
                contacts, page_count = client.contacts_page(since=walk.since, page=walk.page)
            self._receive_contacts(connection, contacts)
            newest = max((formats.stamp(contact.get("UpdatedDateUTC")) for contact in contacts), default="")
            more = walk.advance(formats.instant(newest), page_count)
            values = {}
            if walk.mark:
                mark = walk.mark.replace(microsecond=0)
                values["contact_watermark"] = max(mark, connection.contact_watermark or mark)
            if not more:
                now = fields.Datetime.now()
                values |= {"last_contacts": now, "contacts_whole_at": connection.contacts_whole_at or now}
            connection.write(values)
            time_left = self.env["ir.cron"]._commit_progress()
            self.env.invalidate_all()
            if more and not time_left:
                return False
        return True

    # === OUTBOX === #

    @api.model
    def _contact_outbox(self, connection, partners):
        """The outbound rows of these partners, of those that have one."""
        return self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "out"),
                ("resource", "=", "contact"),
                ("res_model", "=", partners._name),
                ("res_id", "in", partners.ids),
            ]
        )

    @api.model
    def _contact_outbox_rows(self, connection, partners):
        """The outbound row of each of these partners; made where there is none."""
        known = self._contact_outbox(connection, partners)
        known_ids = set(known.mapped("res_id"))
        return known | self.create(
            [
                {
                    "connection_id": connection.id,
                    "direction": "out",
                    "resource": "contact",
                    "res_model": partner._name,
                    "res_id": partner.id,
                    "number": partner.name,
                    "contact_name": partner.name,
                    "reference": self._contact_number(partner),
                }
                for partner in partners
                if partner.id not in known_ids
            ]
        )

    @api.model
    def _put_out_contacts(self, connection, partners):
        """Have these partners made contacts in Xero because a person asks for it."""
        self._contact_outbox_rows(connection, partners).write(self._armed_values())

    @api.model
    def _retry_contacts(self, connection, partners):
        """Try again to make those of these partners contacts that Xero refused."""
        rows = self._contact_outbox(connection, partners.commercial_partner_id)
        rows.filtered(lambda row: row.state == "failed").write(self._armed_values())

    @api.model
    def _contact_number(self, partner, nth=1):
        """Our number of this partner in Xero, the same for ever and no other database's.

        :param int nth: counts the contacts a person said it is not
        """
        # sudo: which database this is, is no secret
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid") or ""
        return f"{database[:8]}-{partner.id}" + (f"-{nth}" if nth > 1 else "")

    @api.model
    def _waiting_customers(self, connection):
        """Partners that wait to be made contacts, whether anything of theirs is sent or not."""
        rows = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "out"),
                ("resource", "=", "contact"),
                ("state", "=", "pending"),
                "|",
                ("next_attempt", "=", False),
                ("next_attempt", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=const.BATCH_SIZE,
        )
        partners = connection.env["res.partner"].browse(rows.mapped("res_id")).exists()
        for row in rows.filtered(lambda row: row.res_id not in partners._ids):
            row._skip("deleted_here", connection.env._("The customer was deleted in Odoo."))
            row.request_key = False
        return partners

    # === PUSH === #

    @api.model
    def _push_contacts(self, connection, partners):
        """Map these customers, and those somebody asked for, to the contacts they are; make those that are none. The
        list of contacts was read before. Ends the transaction, and with it the worker's lock.

        :raise XeroError: where Xero does not answer; what was done, and what has to wait, is kept
        """
        if not connection.last_contacts and not self._read_contacts_list(connection):
            return
        connection = connection._push_worker()
        if not connection:
            return
        partners = partners.with_env(connection.env).commercial_partner_id | self._waiting_customers(connection)
        answers = self.env["res.partner"]._xero_contacts(connection, partners)
        self._settle_contacts(connection, answers)
        customers = partners.filtered(lambda partner: answers[partner].is_new)
        now = fields.Datetime.now()
        rows = self._contact_outbox_rows(connection, customers)
        rows = rows.filtered(lambda row: not row.next_attempt or row.next_attempt <= now)
        # Of these nobody knows whether they arrived.
        open_ids = set(rows.filtered("request_key").ids)
        for row in rows:
            row._note_contact_intent(connection)
        for row in rows:
            time_left = self.env["ir.cron"]._commit_progress()
            self.env.invalidate_all()
            connection = time_left and connection._push_worker()
            if not connection:
                return
            if row.exists() and row.state == "pending" and row.request_key:
                row.with_env(connection.env)._send_contact(connection, look_first=row.id in open_ids)
        self.env["ir.cron"]._commit_progress()
        self.env.invalidate_all()

    @api.model
    def _settle_contacts(self, connection, answers):
        """Map the customers whose contact is told for sure, and end what was asked for and cannot be done."""
        known = {answer.id: partner for partner, answer in answers.items() if answer.id}
        self.env["xero.binding"]._bind(connection, "contact", known)
        for row in self._contact_outbox(connection, connection.env["res.partner"].union(*answers)):
            answer = answers[connection.env["res.partner"].browse(row.res_id)]
            if answer.id and row.state != "done":
                row.write({"external_id": answer.id, "request_key": False, "reason": False})
                row._succeed(connection.env["res.partner"].browse(row.res_id))
            elif answer.problem and row.state == "pending":
                row._fail([answer.problem])

    def _note_contact_intent(self, connection):
        """What is about to be sent, and under which key: a new one each time, as Xero keeps its own failures under a
        key (xero-api.md, section 4.4)."""
        partner = connection.env["res.partner"].browse(self.res_id)
        self.write(
            {
                **({} if self.state == "pending" else self._armed_values()),
                **({"external_id": False} if self.state == "done" else {}),
                "payload": partner._xero_contact_element(self.reference),
                "request_key": str(uuid.uuid4()),
                "number": partner.name,
                "contact_name": partner.name,
            }
        )

    def _send_contact(self, connection, look_first):
        """Make this contact in Xero.

        :param bool look_first: whether it may be there already
        """
        try:
            with connection._client() as client:
                contact = look_first and client.contact_by_number(self.reference)
                try:
                    contact = contact or client.create_contact(self.payload, key=self.request_key)
                except errors.XeroRejected as error:
                    # A call that was given up a moment ago may have arrived after we looked.
                    contact = client.contact_by_number(self.reference)
                    if not contact:
                        self._refuse_contact(connection, error)
                        return
        except errors.XeroError as error:
            self._hold_up_contact(error)
            return
        self._conclude_contact(connection, contact)

    def _conclude_contact(self, connection, contact):
        partner = connection.env["res.partner"].browse(self.res_id).exists()
        self._receive_contacts(connection, [contact])
        self.write({"external_id": contact["ContactID"], "request_key": False, "reason": False})
        if not partner:
            self._skip("deleted_here", connection.env._("The customer was deleted in Odoo; the contact is in Xero."))
            return
        bindings = self.env["xero.binding"]
        owner = bindings._lookup(connection, "contact", [contact["ContactID"]]).get(contact["ContactID"])
        if owner and owner != partner:
            reason = connection.env._(
                "The contact that was made of %(customer)s was mapped to %(other)s meanwhile.",
                customer=partner.name,
                other=owner.display_name,
            )
            self._fail([Problem("contact_taken", reason, partner.name, partner)])
            return
        bindings._bind(connection, "contact", {contact["ContactID"]: partner})
        self._succeed(partner)
        partner._message_log(body=connection.env._("Created as a contact in Xero (%s).", connection.tenant_name))

    def _refuse_contact(self, connection, error):
        partner = connection.env["res.partner"].browse(self.res_id)
        self.request_key = False
        if any("already" in message or "unique" in message for message in error.messages):
            reason = connection.env._(
                "Xero has a contact called %(contact)s already, which was not made from here. Map %(customer)s to it "
                "under Xero → Contacts of %(connection)s.",
                contact=self.payload["Name"],
                customer=partner.name,
                connection=connection.name,
            )
            # It is younger than our list, or this would have been known before.
            problem = Problem("contact_taken", reason, partner.name, partner)
        else:
            problem = Problem("contact_refused", str(error), partner.name, partner)
        self._fail([problem])
        self.correlation_id = error.correlation_id

    def _hold_up_contact(self, error):
        """The call may have reached Xero, or not: the row waits. Creating contacts is not importing: a consent that
        does not cover it stops nothing else.

        :raise XeroError: for everything else
        """
        if isinstance(error, errors.XeroDenied) and error.code == "scope":
            tomorrow = fields.Datetime.add(fields.Datetime.now(), days=1)
            self.write({"next_attempt": tomorrow, "reason": str(error), "request_key": False})
            return
        self._postpone(
            errors.XeroRetryLater(
                str(error),
                limit=getattr(error, "limit", None),
                retry_after=getattr(error, "retry_after", None),
                correlation_id=error.correlation_id,
            )
        )
        # Kept with the row; then the turn ends as it does for every error.
        self.env["ir.cron"]._commit_progress()
        raise error

    # === BY HAND === #

    def _is_known_contact(self):
        """Whether this is a contact of Xero as it was read: there is nothing to try or to ignore about it."""
        return self.resource == "contact" and self.direction == "in"

    def _is_gone_item(self):
        return super()._is_gone_item() or self._is_known_contact()

    def action_retry(self):
        result = super().action_retry()
        self.filtered(lambda row: row.resource == "contact").connection_id._ring_push()
        return result

    def action_ignore(self, reason=None):
        return super(XeroRecord, self.filtered(lambda row: not row._is_known_contact())).action_ignore(reason)
