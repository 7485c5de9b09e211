"""What tests of contacts and customers stand on."""

import json

from odoo.addons.xero_connector.lib import errors

from .common import XeroCase


class ContactsCase(XeroCase):
    """Short words for contacts, customers and turns of the push."""

    # === XERO === #

    def contacts(self, **values):
        """The organisation's contacts with these values."""
        found = [record.data for record in self.org.tables["Contacts"]]
        return [one for one in found if all(one.get(name) == value for name, value in values.items())]

    def sent(self):
        """The calls that made contacts, and what they said."""
        calls = [call for call in self.fake.calls(path="/Contacts") if call.method != "GET"]
        for call in calls:
            [call.contact] = json.loads(call.body)["Contacts"]
        return calls

    def asked(self):
        """The calls that read the list of contacts."""
        return self.fake.calls("GET", "/Contacts$")

    # === ODOO === #

    def customer(self, name, **fields):
        return self.env["res.partner"].create({"name": name, "is_company": True, "customer_rank": 1} | fields)

    def sending(self, **settings):
        """A connection that sends orders, once it is asked to."""
        return self.connect(**{"export_source": "sale_order", "sync_interval": "manual"} | settings)

    def turn(self, connection, *partners, list_first=True):
        """What the push worker does about contacts in one turn for orders of these partners.

        :param bool list_first: whether it reads the list of contacts, as it does
        :return: the error that ended it
        """
        self.env["xero.budget"].search([]).blocked_until = False
        self.env["xero.record"].search([("resource", "=", "contact")]).filtered("next_attempt").next_attempt = False
        customers = self.env["res.partner"].union(*partners)

        def work():
            # A cursor of its own, as a scheduled action has one: the work commits.
            with self.registry.cursor() as cr:
                env = self.env(cr=cr)
                worker, records = connection.with_env(env), env["xero.record"]
                try:
                    if not list_first or records._read_contacts_list(worker):
                        records._push_contacts(worker, customers.with_env(env))
                except errors.XeroError as error:
                    return error
            return None

        return self.press(work)

    def answer(self, connection, partner):
        """Which contact a customer is."""
        worker = connection._item_env()
        return self.env["res.partner"]._xero_contacts(worker, partner)[partner.commercial_partner_id]

    def problem(self, connection, partner):
        """The code and the sentence of why it is none."""
        answer = self.answer(connection, partner)
        self.assertTrue(answer.problem, answer)
        self.assertFalse(answer.id or answer.is_new)
        self.assertEqual(answer.problem.subject, partner.name)
        return answer.problem.code, answer.problem.reason

    def assert_is(self, connection, partner, contact):
        answer = self.answer(connection, partner)
        self.assertEqual(answer.id, contact["ContactID"], answer.problem)

    def out(self, partner):
        """The outbound row of a customer."""
        return self.env["xero.record"].search(
            [("direction", "=", "out"), ("resource", "=", "contact"), ("res_id", "=", partner.id)]
        )

    def row(self, contact):
        return self.env["xero.record"].search(
            [("external_id", "=", contact["ContactID"]), ("direction", "=", "in"), ("resource", "=", "contact")]
        )

    def bindings(self, connection):
        """Who is whom: partner by contact id."""
        bindings = self.env["xero.binding"].search(
            [("connection_id", "=", connection.id), ("resource", "=", "contact")]
        )
        return {one.external_id: self.env["res.partner"].browse(one.res_id) for one in bindings}
