"""Customers become contacts of Xero: the ones they are already, else new ones, each once."""

from contextlib import closing
from datetime import datetime, timedelta, timezone

import psycopg2

from odoo import fields
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tests import mute_logger, tagged

from odoo.addons.xero_connector import const
from odoo.addons.xero_connector.models.raced import raced_is_busy

from .contacts_case import ContactsCase


@tagged("post_install", "-at_install")
class TestCreating(ContactsCase):
    def test_a_customer_that_is_no_contact_is_made_one_with_what_it_has(self):
        state = self.env["res.country.state"].search([("country_id.code", "=", "NZ")], limit=1)
        country = self.env.ref("base.nz")
        kiwi = self.customer(
            "Kiwi Outdoor", email='"Accounts" <accounts@kiwi.example>; other@kiwi.example', phone="+64 9 555 0100",
            vat="NZ 49-091-850", street="1 Box Lane", street2="Level 2", city="Napier", zip="4110",
            state_id=state.id, country_id=country.id,
        )
        kiwi.create(
            {"parent_id": kiwi.id, "type": "delivery", "name": "Dock 3", "street": "9 Dock Road", "city": "Hastings"}
        )
        connection = self.sending()
        self.turn(connection, kiwi)
        [contact] = self.contacts(Name="Kiwi Outdoor")
        self.assert_is(connection, kiwi, contact)
        postal, street = contact["Addresses"]
        self.assertEqual(
            (postal["AddressLine1"], postal["AddressLine2"], postal["City"], postal["PostalCode"], postal["Country"]),
            ("1 Box Lane", "Level 2", "Napier", "4110", "New Zealand"),
        )
        self.assertEqual(postal["Region"], state.name or "")
        self.assertEqual(
            (street["AddressLine1"], street["City"], street["AttentionTo"]), ("9 Dock Road", "Hastings", "Dock 3")
        )
        self.assertEqual(contact["EmailAddress"], "accounts@kiwi.example")
        self.assertEqual((contact["TaxNumber"], contact["FirstName"]), ("NZ 49-091-850", ""))
        self.assertEqual(contact["Phones"][0]["PhoneNumber"], "+64 9 555 0100")
        row = self.out(kiwi)
        self.assertEqual((row.state, row.external_id, row.request_key), ("done", contact["ContactID"], False))
        self.assertIn("Created as a contact in Xero", kiwi.message_ids[0].body)

    def test_a_person_has_a_first_and_a_last_name(self):
        connection = self.sending()
        person, short = self.customer("Mary Ann Tui", is_company=False), self.customer("Kea", is_company=False)
        self.turn(connection, person, short)
        [contact], [other] = self.contacts(Name="Mary Ann Tui"), self.contacts(Name="Kea")
        self.assertEqual((contact["FirstName"], contact["LastName"]), ("Mary Ann", "Tui"))
        self.assertEqual((other["FirstName"], other["LastName"]), ("Kea", ""))

    def test_an_order_of_somebody_at_a_company_is_the_companys(self):
        kiwi = self.customer("Kiwi Outdoor")
        buyer = kiwi.create({"name": "Hemi", "parent_id": kiwi.id})
        connection = self.sending()
        self.turn(connection, buyer)
        [contact] = self.contacts(Name="Kiwi Outdoor")
        self.assert_is(connection, buyer, contact)
        self.assertFalse(self.contacts(Name="Hemi"))

    def test_each_is_made_once_however_often_it_is_asked_for(self):
        connection = self.sending()
        partners = [self.customer(f"Customer {number}") for number in range(3)]
        for _turn in range(3):
            self.turn(connection, *partners)
        self.assertEqual(len(self.sent()), 3)
        self.assertEqual(len({call.headers["idempotency-key"] for call in self.sent()}), 3)
        self.assertEqual(len({call.contact["ContactNumber"] for call in self.sent()}), 3)
        self.assertEqual(len(self.bindings(connection)), 3)

    def test_a_name_xero_would_refuse_is_cleaned(self):
        connection = self.sending()
        names = {
            "  Big   Creek \t Ltd ": "Big Creek Ltd",
            "<script>alert(1)</script>": "(script)alert(1)(/script)",
            "L" * 254 + " nger": "L" * 254,
            "Tāne “Mahuta” & \u0007Söhne": "Tāne “Mahuta” & Söhne",
            'Quote" \\ Ltd': 'Quote" \\ Ltd',
        }
        partners = {name: self.customer(name) for name in names}
        self.turn(connection, *partners.values())
        for name, cleaned in names.items():
            with self.subTest(name=name):
                [contact] = self.contacts(Name=cleaned)
                self.assert_is(connection, partners[name], contact)
        self.turn(connection, *partners.values())
        self.assertEqual(len(self.sent()), len(names))

    def test_a_name_nothing_is_left_of_is_told(self):
        connection = self.sending()
        nobody = self.customer(" \u0007 ")
        self.turn(connection, nobody)
        code, reason = self.problem(connection, nobody)
        self.assertEqual(code, "contact_unmapped")
        self.assertIn("without a name", reason)
        self.assertFalse(self.sent())

    def test_what_is_too_long_for_xero_does_not_hold_a_customer_up(self):
        connection = self.sending()
        long = self.customer(
            "Long", phone="1" * 80, vat="V" * 80, email=f"{'x' * 300}@kiwi.example", street="s" * 600, zip="9" * 60
        )
        self.turn(connection, long)
        [contact] = self.contacts(Name="Long")
        self.assertEqual((len(contact["TaxNumber"]), contact["EmailAddress"]), (50, ""))

    def test_where_creating_is_switched_off_the_customer_waits_for_a_person(self):
        connection = self.sending(contact_create_there=False)
        kiwi = self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi)
        code, reason = self.problem(connection, kiwi)
        self.assertEqual(code, "contact_unmapped")
        self.assertIn("Xero → Contacts", reason)
        self.assertFalse(self.sent())
        connection.contact_create_there = True
        self.consent(connection, self.org)
        self.turn(connection, kiwi)
        self.assertEqual(len(self.sent()), 1)

    def test_the_consent_is_asked_for_what_is_needed_and_no_more(self):
        self.assertNotIn("accounting.contacts", self.sending(export_source="none")._required_scopes())
        connection = self.env["xero.connection"].create(
            {"name": "x", "app_id": self.app.id, "export_source": "invoice"}
        )
        scopes = connection._required_scopes()
        self.assertIn("accounting.contacts", scopes)
        self.assertNotIn("accounting.contacts.read", scopes)
        connection.contact_create_there = False
        self.assertIn("accounting.contacts.read", connection._required_scopes())
        self.assertNotIn("accounting.contacts", connection._required_scopes())

    def test_a_consent_that_is_too_narrow_is_told_before_xero_is_asked(self):
        connection = self.sending(export_source="none")
        connection.export_source = "sale_order"
        self.assertIn("accounting.contacts", connection.missing_scopes)
        kiwi = self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi)
        code, reason = self.problem(connection, kiwi)
        self.assertEqual(code, "contact_unmapped")
        self.assertIn("Reconnect", reason)
        self.assertFalse(self.sent())


@tagged("post_install", "-at_install")
class TestMatching(ContactsCase):
    def test_a_customer_is_the_one_contact_of_its_name_in_any_case(self):
        contact = self.org.add_contact(Name="KIWI Ōutdoor")
        connection, kiwi = self.sending(), self.customer("Kiwi ōutdoor")
        self.turn(connection, kiwi)
        self.assert_is(connection, kiwi, contact)
        self.assertEqual(self.bindings(connection), {contact["ContactID"]: kiwi})
        self.assertFalse(self.sent())

    def test_a_mapped_customer_stays_its_contact_whatever_either_is_called(self):
        contact = self.org.add_contact(Name="Kiwi Outdoor")
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi)
        kiwi.name = "Kiwi Indoor"
        self.org.update("Contacts", contact["ContactID"], Name="Kiwi International")
        self.org.add_contact(Name="Kiwi Indoor")
        self.turn(connection, kiwi)
        self.assert_is(connection, kiwi, contact)
        self.assertFalse(self.sent())
        self.assertEqual(self.row(contact).number, "Kiwi International")

    def test_answering_writes_nothing_and_calls_nobody(self):
        self.org.add_contact(Name="Kiwi Outdoor")
        connection = self.sending()
        self.turn(connection)
        kiwi, other = self.customer("Kiwi Outdoor"), self.customer("Other")
        self.env.flush_all()
        self.fake.reset_log()
        writes = []
        self.patch(type(self.env.cr), "execute", _spy(type(self.env.cr).execute, writes))
        self.assertTrue(self.answer(connection, kiwi).id)
        self.assertTrue(self.answer(connection, other).is_new)
        self.env.flush_all()
        self.assertEqual([query for query in writes if not query.lstrip().upper().startswith("SELECT")], [])
        self.assertEqual(self.fake.requests, [])

    def test_of_several_of_one_name_the_one_with_the_same_e_mail_is_it(self):
        # As an import from elsewhere may leave them, or a name that differs in nothing but its spaces.
        self.org.add_contact(Name="Kiwi  Outdoor", EmailAddress="north@kiwi.example")
        south = self.org.add_contact(Name="Kiwi Outdoor", EmailAddress="South@kiwi.example")
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor", email="south@Kiwi.example")
        self.turn(connection, kiwi)
        self.assert_is(connection, kiwi, south)

    def test_several_contacts_alike_are_a_persons_to_tell_apart(self):
        self.org.add_contact(Name="Kiwi  Outdoor")
        self.org.add_contact(Name="Kiwi Outdoor")
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi)
        code, reason = self.problem(connection, kiwi)
        self.assertEqual(code, "contact_ambiguous")
        self.assertIn("Several contacts", reason)
        self.assertFalse(self.sent() or self.bindings(connection))

    def test_several_customers_of_one_name_are_a_persons_to_tell_apart(self):
        contact = self.org.add_contact(Name="Mary Tui", EmailAddress="mary@tui.example")
        connection = self.sending()
        one, other = self.customer("Mary Tui"), self.customer("mary tui", email="other@tui.example")
        self.turn(connection, one)
        self.assertEqual(self.problem(connection, one)[0], "contact_ambiguous")
        self.assertIn("Several customers", self.problem(connection, one)[1])
        self.assertFalse(self.bindings(connection))
        other.email = "mary@tui.example"
        self.turn(connection, one, other)
        self.assert_is(connection, other, contact)
        code, reason = self.problem(connection, one)
        self.assertEqual(code, "contact_taken")
        self.assertIn("mary tui", reason)
        self.assertFalse(self.sent(), "Xero would refuse a second one of this name")

    def test_a_contact_that_is_likely_to_be_it_is_named_instead_of_making_a_double(self):
        self.org.add_contact(Name="Kiwi Outdoor Ltd.", TaxNumber="111", EmailAddress="kiwi@kiwi.example")
        connection = self.sending()
        for values in ({"name": "KIWI Outdoor - Ltd"}, {"vat": "1-1-1"}, {"email": "Kiwi@kiwi.example"}):
            with self.subTest(**values):
                kiwi = self.customer(**{"name": "Something else"} | values)
                self.turn(connection, kiwi)
                code, reason = self.problem(connection, kiwi)
                self.assertEqual(code, "contact_alike")
                self.assertIn("Kiwi Outdoor Ltd.", reason)
        self.assertFalse(self.sent())

    def test_another_contact_does_not_stand_in_the_way_of_a_new_one(self):
        self.org.add_contact(Name="Kiwi Outdoor Ltd", EmailAddress="kiwi@kiwi.example")
        connection, tui = self.sending(), self.customer("Tui Indoor Ltd")
        self.turn(connection, tui)
        self.assertEqual(len(self.contacts(Name="Tui Indoor Ltd")), 1)

    def test_the_customers_of_imported_invoices_are_the_contacts_they_came_from(self):
        invoice = self.invoice()
        connection = self.sending()
        self.run_import()
        customer = self.order(invoice).partner_id
        self.turn(connection, customer)
        self.assert_is(connection, customer, self.contact)
        self.assertFalse(self.sent())

    def test_an_import_after_the_push_finds_the_customer(self):
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor", company_id=self.company.id)
        self.turn(connection, kiwi)
        [contact] = self.contacts(Name="Kiwi Outdoor")
        self.org.update("Contacts", contact["ContactID"], Name="Renamed", Addresses=self.contact["Addresses"])
        self.contact = contact
        invoice = self.invoice()
        self.run_import()
        self.assertEqual(self.order(invoice).partner_id, kiwi, self.env["xero.record"].search([]).mapped("reason"))

    def test_partners_merged_in_odoo_are_both_contacts_and_one_is_sent(self):
        first, second = self.org.add_contact(Name="First"), self.org.add_contact(Name="Second")
        connection = self.sending()
        one, two = self.customer("First"), self.customer("Second")
        self.turn(connection, one, two)
        self.env["base.partner.merge.automatic.wizard"]._merge((one | two).ids, two)
        self.assertEqual(self.bindings(connection), {first["ContactID"]: two, second["ContactID"]: two})
        self.assert_is(connection, two, first)
        self.org.update("Contacts", first["ContactID"], ContactStatus="ARCHIVED")
        self.turn(connection, two)
        self.assert_is(connection, two, second)

    def test_a_customer_deleted_here_leaves_its_contact_to_others(self):
        contact = self.org.add_contact(Name="Kiwi Outdoor")
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi)
        kiwi.unlink()
        again = self.customer("Kiwi Outdoor")
        self.turn(connection, again)
        self.assert_is(connection, again, contact)


@tagged("post_install", "-at_install")
class TestArchivedAndMerged(ContactsCase):
    def setUp(self):
        super().setUp()
        self.kiwi_there = self.org.add_contact(Name="Kiwi Outdoor")
        self.connection, self.kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(self.connection, self.kiwi)

    def later(self):
        """The next day: the whole list is read again."""
        self.connection.contacts_whole_at = fields.Datetime.now() - timedelta(days=2)

    def test_an_archived_contact_is_told_until_it_is_restored(self):
        self.org.update("Contacts", self.kiwi_there["ContactID"], ContactStatus="ARCHIVED")
        self.turn(self.connection, self.kiwi)
        code, reason = self.problem(self.connection, self.kiwi)
        self.assertEqual(code, "contact_archived")
        self.assertIn("Restore it", reason)
        self.assertEqual((self.row(self.kiwi_there).state, self.row(self.kiwi_there).problem_code),
                         ("skipped", "archived_there"))
        self.org.update("Contacts", self.kiwi_there["ContactID"], ContactStatus="ACTIVE")
        self.turn(self.connection, self.kiwi)
        self.assert_is(self.connection, self.kiwi, self.kiwi_there)
        self.assertEqual(self.row(self.kiwi_there).state, "done")
        self.assertFalse(self.sent())

    def test_no_customer_becomes_an_archived_contact(self):
        gone = self.org.add_contact(Name="Gone", ContactStatus="ARCHIVED")
        partner = self.customer("Gone")
        self.turn(self.connection, partner)
        [contact] = self.contacts(Name="Gone", ContactStatus="ACTIVE")
        self.assertNotEqual(contact, gone)
        self.assert_is(self.connection, partner, contact)

    def test_a_merged_contacts_customer_is_what_it_was_merged_into(self):
        into = self.org.add_contact(Name="Kiwi Group")
        self.org.merge_contact(self.kiwi_there, into)
        self.later()
        self.turn(self.connection, self.kiwi)
        self.assert_is(self.connection, self.kiwi, into)
        self.assertEqual(self.bindings(self.connection)[into["ContactID"]], self.kiwi)
        self.assertEqual(self.row(self.kiwi_there).problem_code, "merged_there")

    def test_chains_of_merges_are_followed_to_their_end(self):
        middle, last = self.org.add_contact(Name="Kiwi Group"), self.org.add_contact(Name="Kiwi World")
        self.org.merge_contact(self.kiwi_there, middle)
        self.org.merge_contact(middle, last)
        self.later()
        self.turn(self.connection, self.kiwi)
        self.assert_is(self.connection, self.kiwi, last)

    def test_merged_into_another_customers_contact_both_are_sent_there_and_none_is_lost(self):
        into, group = self.org.add_contact(Name="Kiwi Group"), self.customer("Kiwi Group")
        self.turn(self.connection, group)
        self.org.merge_contact(self.kiwi_there, into)
        self.later()
        self.turn(self.connection, self.kiwi, group)
        self.assert_is(self.connection, self.kiwi, into)
        self.assert_is(self.connection, group, into)
        self.assertEqual(self.bindings(self.connection),
                         {self.kiwi_there["ContactID"]: self.kiwi, into["ContactID"]: group})

    def test_merged_into_one_that_is_archived_since_is_told(self):
        into = self.org.add_contact(Name="Kiwi Group")
        self.org.merge_contact(self.kiwi_there, into)
        self.org.update("Contacts", into["ContactID"], ContactStatus="ARCHIVED")
        self.later()
        self.turn(self.connection, self.kiwi)
        code, reason = self.problem(self.connection, self.kiwi)
        self.assertEqual(code, "contact_archived")
        self.assertIn("Kiwi Group", reason)

    def test_merges_that_go_round_in_a_circle_are_no_trap(self):
        into = self.org.add_contact(Name="Kiwi Group")
        self.org.merge_contact(self.kiwi_there, into)
        self.org.merge_contact(into, self.kiwi_there)
        self.later()
        self.turn(self.connection, self.kiwi)
        self.assertEqual(self.problem(self.connection, self.kiwi)[0], "contact_archived")

    def test_merged_into_one_that_is_not_known_yet_it_is_that_one(self):
        other = self.fake.add_organisation("Other").add_contact(Name="Elsewhere")
        self.org.update("Contacts", self.kiwi_there["ContactID"], MergedToContactID=other["ContactID"],
                        ContactStatus="ARCHIVED")
        self.turn(self.connection, self.kiwi)
        self.assert_is(self.connection, self.kiwi, other)

    def test_an_invoice_of_a_merged_contact_is_its_customers(self):
        into = self.org.add_contact(Name="Kiwi Group", Addresses=self.contact["Addresses"])
        self.contact = self.kiwi_there
        invoice = self.invoice()
        self.org.merge_contact(self.kiwi_there, into)
        self.later()
        self.turn(self.connection, self.kiwi)
        self.run_import()
        self.assertEqual(self.order(invoice).partner_id, self.kiwi)

    def test_what_the_mapping_knows_outlives_the_log(self):
        self.org.update("Contacts", self.kiwi_there["ContactID"], ContactStatus="ARCHIVED")
        self.turn(self.connection, self.kiwi)
        rows = self.env["xero.record"].search([("resource", "=", "contact")])
        rows.done_at = fields.Datetime.now() - timedelta(days=900)
        self.env["xero.record"]._gc_finished()
        self.assertEqual(rows.exists(), rows)

    def test_a_contact_as_it_was_read_is_neither_retried_nor_ignored(self):
        self.org.update("Contacts", self.kiwi_there["ContactID"], ContactStatus="ARCHIVED")
        self.turn(self.connection, self.kiwi)
        row = self.row(self.kiwi_there)
        for action in (row.action_retry, row.action_ignore):
            with self.assertRaises(UserError):
                action()
        self.assertEqual((row.state, row.problem_code), ("skipped", "archived_there"))


@tagged("post_install", "-at_install")
class TestReading(ContactsCase):
    def test_the_list_is_read_page_by_page_and_then_only_what_changed(self):
        self.patch(const, "PAGE_SIZE", 10)
        moment = datetime(2026, 3, 1, tzinfo=timezone.utc)
        for number in range(25):
            self.org.add_contact(Name=f"Contact {number}", updated=moment + timedelta(minutes=number))
        connection = self.sending()
        self.turn(connection)
        rows = self.env["xero.record"].search([*connection._contact_rows_domain()])
        self.assertEqual(len(rows), len(self.contacts()))
        self.assertTrue(connection.last_contacts and connection.contacts_whole_at)
        self.fake.reset_log()
        self.turn(connection)
        [call] = self.asked()
        self.assertIn("if-modified-since", call.headers)
        self.assertEqual(self.env["xero.record"].search([*connection._contact_rows_domain()]), rows)

    def test_a_reading_that_broke_off_goes_on_where_it_was(self):
        self.patch(const, "PAGE_SIZE", 10)
        moment = datetime(2026, 3, 1, tzinfo=timezone.utc)
        for number in range(25):
            self.org.add_contact(Name=f"Contact {number}", updated=moment + timedelta(minutes=number))
        connection = self.sending()
        self.fake.faults.add("GET", "/Contacts$", status=503, after=1)
        self.assertTrue(self.turn(connection))
        self.assertEqual(self.env["xero.record"].search_count(connection._contact_rows_domain()), 10)
        self.assertFalse(connection.last_contacts)
        self.fake.reset_log()
        self.turn(connection)
        self.assertIn("if-modified-since", self.asked()[0].headers)
        self.assertEqual(
            self.env["xero.record"].search_count(connection._contact_rows_domain()), len(self.contacts())
        )

    def test_nothing_is_made_before_the_list_was_read(self):
        contact = self.org.add_contact(Name="Kiwi Outdoor")
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi, list_first=False)
        self.assert_is(connection, kiwi, contact)
        self.assertFalse(self.sent())

    def test_the_daily_reading_changes_nothing_where_nothing_changed(self):
        connection = self.sending()
        self.turn(connection)
        row = self.row(self.contact)
        before = (row.state, row.payload, row.number)
        connection.contacts_whole_at = fields.Datetime.now() - timedelta(days=2)
        self.fake.reset_log()
        self.turn(connection)
        self.assertNotIn("if-modified-since", self.asked()[0].headers)
        self.assertEqual((row.state, row.payload, row.number), before)
        self.assertGreater(connection.contacts_whole_at, fields.Datetime.now() - timedelta(hours=1))

    def test_what_the_list_told_the_import_does_not_ask_for_again(self):
        connection = self.sending()
        invoice = self.invoice()
        connection.next_poll = fields.Datetime.now()
        self.run_cron("poll")
        self.turn(connection)
        self.fake.reset_log()
        self.run_cron("process")
        self.assertTrue(self.order(invoice))
        self.assertFalse(self.fake.calls("GET", "/Contacts"))

    def test_contacts_of_the_organisation_connected_before_are_nothing_to_the_next_one(self):
        connection, kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(connection, kiwi)
        [there] = self.contacts(Name="Kiwi Outdoor")
        first, self.org = self.org, self.fake.add_organisation("Another one", currency=self.company.currency_id.name)
        self.press(connection.action_disconnect)
        self.consent(connection, self.org)
        self.assertFalse(self.row(there))
        self.turn(connection, kiwi)
        [contact] = self.contacts(Name="Kiwi Outdoor")
        self.assert_is(connection, kiwi, contact)
        self.press(connection.action_disconnect)
        self.consent(connection, first)
        self.turn(connection, kiwi)
        self.assert_is(connection, kiwi, there)
        self.assertEqual(len(self.sent()), 2, "one in each organisation")


def _spy(execute, queries):
    def spied(cursor, query, *args, **kwargs):
        queries.append(str(getattr(query, "code", query)))
        return execute(cursor, query, *args, **kwargs)

    return spied


@tagged("post_install", "-at_install")
class TestBadDays(ContactsCase):
    """Whatever breaks between Odoo and Xero, there is one contact in the end."""

    def setUp(self):
        super().setUp()
        self.connection, self.kiwi = self.sending(), self.customer("Kiwi Outdoor")
        self.turn(self.connection)

    def assert_one(self):
        [contact] = self.contacts(Name="Kiwi Outdoor")
        self.assert_is(self.connection, self.kiwi, contact)
        self.assertEqual((self.out(self.kiwi).state, self.out(self.kiwi).request_key), ("done", False))

    def test_an_answer_that_never_came_makes_no_second_contact(self):
        for kind in ("drop_after", "drop_before", "cut", "html", "status"):
            with self.subTest(kind=kind):
                self.kiwi = self.customer(f"Kiwi {kind}")
                self.fake.faults.add("PUT", "/Contacts", kind=kind)
                self.assertTrue(self.turn(self.connection, self.kiwi))
                row = self.out(self.kiwi)
                self.assertEqual((row.state, bool(row.request_key)), ("pending", True))
                self.assertGreater(row.next_attempt, fields.Datetime.now())
                self.assertTrue(self.answer(self.connection, self.kiwi).is_new or kind in ("drop_after", "cut"))
                self.assertFalse(self.turn(self.connection, self.kiwi))
                [contact] = self.contacts(Name=self.kiwi.name)
                self.assert_is(self.connection, self.kiwi, contact)

    def test_killed_after_xero_accepted_and_before_anything_was_written_the_contact_is_found_again(self):
        row = self.env["xero.record"]._contact_outbox_rows(self.connection, self.kiwi)
        row._note_contact_intent(self.connection)
        self.env.flush_all()
        self.press(lambda: self._accepted(row))
        # Here the worker is killed: what is committed is the intent.
        self.assertEqual((row.state, row.external_id), ("pending", False))
        for with_list in (False, True):
            with self.subTest(with_list=with_list):
                if not with_list:
                    self.fake.faults.add("GET", "/Contacts$", kind="replace_json", body='{"Contacts": []}')
                self.fake.reset_log()
                self.assertFalse(self.turn(self.connection, self.kiwi))
                self.assertEqual(self.sent(), [])
                self.assert_one()

    def _accepted(self, row):
        with self.connection._client() as client:
            client.create_contact(row.payload, key=row.request_key)

    def test_before_it_is_sent_again_xero_is_asked_for_our_number(self):
        self.fake.faults.add("PUT", "/Contacts", kind="drop_after")
        self.turn(self.connection, self.kiwi)
        # The list lags behind: nothing of the contact is in it.
        self.fake.faults.add("GET", "/Contacts$", kind="replace_json", body='{"Contacts": []}', times=1)
        self.fake.reset_log()
        self.turn(self.connection, self.kiwi)
        self.assertEqual(self.sent(), [])
        self.assertEqual(len(self.fake.calls("GET", f"/Contacts/{self.out(self.kiwi).reference}")), 1)
        self.assert_one()

    def test_what_arrived_late_is_adopted_by_its_number(self):
        self.fake.faults.add("PUT", "/Contacts", kind="drop_before")
        self.turn(self.connection, self.kiwi)
        number = self.out(self.kiwi).reference

        def arrive(request):
            if request.method == "PUT":
                self.fake.on_request = None
                self.org.add_contact(Name="Kiwi Outdoor", ContactNumber=number)

        self.fake.on_request = arrive
        self.assertFalse(self.turn(self.connection, self.kiwi))
        self.assert_one()

    def test_a_contact_somebody_makes_meanwhile_is_named_and_never_adopted_by_its_name(self):
        def meddle(request):
            if request.method == "PUT":
                self.fake.on_request = None
                self.org.add_contact(Name="KIWI outdoor")

        self.fake.on_request = meddle
        self.fake.faults.add("GET", "/Contacts$", kind="replace_json", body='{"Contacts": []}', times=1)
        self.turn(self.connection, self.kiwi)
        row = self.out(self.kiwi)
        self.assertEqual((row.state, row.problem_code), ("failed", "contact_taken"))
        self.assertEqual(row.problem_subject, "Kiwi Outdoor")
        self.assertIn("Kiwi Outdoor", row.reason)
        self.assertFalse(self.bindings(self.connection))
        self.assertEqual(self.problem(self.connection, self.kiwi)[0], "contact_taken")

    def test_what_xero_refuses_is_told_and_not_sent_again_before_something_changed(self):
        body = {"Elements": [{"ValidationErrors": [{"Message": "TaxNumber is nonsense"}]}]}
        self.fake.faults.add("PUT", "/Contacts", status=400, body=body, times=None)
        self.turn(self.connection, self.kiwi)
        self.assertEqual(self.problem(self.connection, self.kiwi), ("contact_refused", "TaxNumber is nonsense"))
        self.assertEqual(self.out(self.kiwi).state, "failed")
        self.turn(self.connection, self.kiwi)
        self.assertEqual(len(self.sent()), 1)
        self.fake.faults.clear()
        self.kiwi.vat = "49091850"
        self.assertTrue(self.answer(self.connection, self.kiwi).is_new)
        self.turn(self.connection, self.kiwi)
        self.assert_one()

    def test_a_refused_one_is_tried_again_when_somebody_asks_for_it(self):
        self.fake.faults.add("PUT", "/Contacts", status=400)
        self.turn(self.connection, self.kiwi)
        self.assertTrue(self.answer(self.connection, self.kiwi).problem)
        self.env["xero.record"]._retry_contacts(self.connection, self.kiwi)
        self.turn(self.connection, self.kiwi)
        self.assert_one()

    def test_one_bad_customer_costs_itself_only(self):
        partners = [self.customer(f"Customer {number}") for number in range(3)]
        self.fake.faults.add("PUT", "/Contacts", status=400, after=1)
        self.turn(self.connection, *partners)
        states = sorted(self.out(partner).state for partner in partners)
        self.assertEqual(states, ["done", "done", "failed"])

    def test_a_limit_keeps_what_was_done_and_the_rest_waits(self):
        partners = [self.customer(f"Customer {number}") for number in range(3)]
        self.fake.faults.add("PUT", "/Contacts", status=429, headers={"Retry-After": "30"}, after=1)
        error = self.turn(self.connection, *partners)
        self.assertEqual((error.limit, error.retry_after), ("minute", 30))
        self.assertEqual(sorted(self.out(partner).state for partner in partners), ["done", "pending", "pending"])
        self.turn(self.connection, *partners)
        self.assertEqual(sorted(self.out(partner).state for partner in partners), ["done"] * 3)
        self.assertEqual(len(self.contacts()), 4)

    def test_a_scope_that_is_missing_after_all_stops_only_the_new_contacts(self):
        self.fake.faults.add("PUT", "/Contacts", status=401, headers={"WWW-Authenticate": "insufficient_scope"})
        self.assertFalse(self.turn(self.connection, self.kiwi))
        row = self.out(self.kiwi)
        self.assertEqual(row.state, "pending")
        self.assertIn("Reconnect", row.reason)
        self.assertEqual(self.connection.state, "connected")

    def test_a_key_is_never_used_for_another_body(self):
        self.fake.faults.add("PUT", "/Contacts", kind="status", status=500, work=False)
        self.turn(self.connection, self.kiwi)
        self.kiwi.phone = "12345"
        self.assertFalse(self.turn(self.connection, self.kiwi))
        keys = [call.headers["idempotency-key"] for call in self.sent()]
        self.assertEqual(len(set(keys)), 2)
        self.assert_one()

    def test_a_customer_deleted_while_it_waits_ends(self):
        self.fake.faults.add("PUT", "/Contacts", kind="drop_before")
        self.turn(self.connection, self.kiwi)
        row = self.out(self.kiwi)
        self.kiwi.unlink()
        self.turn(self.connection)
        self.assertEqual((row.state, row.problem_code), ("skipped", "deleted_here"))

    @mute_logger("odoo.addons.xero_connector.lib.client")
    def test_an_answer_that_names_no_contact_is_asked_about_again(self):
        for body in ("{}", '{"Contacts": []}', '{"Contacts": [{}]}', "[]"):
            with self.subTest(body=body):
                kiwi = self.customer(f"Kiwi {body}".replace('"', ""))
                self.fake.faults.add("PUT", "/Contacts", kind="replace_json", body=body, work=True)
                self.assertTrue(self.turn(self.connection, kiwi))
                self.turn(self.connection, kiwi)
                self.assertEqual(self.out(kiwi).state, "done", self.out(kiwi).reason)
        self.assertEqual(len(self.sent()), 4)

    @mute_logger("odoo.sql_db")
    def test_a_row_another_worker_made_meanwhile_is_a_collision_like_any_other(self):
        self.turn(self.connection, self.kiwi)
        [values] = self.env["xero.binding"].search([("res_id", "=", self.kiwi.id)]).copy_data()
        with self.assertRaises(ConcurrencyError) as caught, raced_is_busy(self.env.cr):
            self.env["xero.binding"].create(values)
        self.assertIsInstance(caught.exception, psycopg2.OperationalError, "every worker of ours waits and repeats")

    def test_who_finds_another_worker_at_it_leaves_it_alone(self):
        # Of an organisation of its own: this test's transaction holds the lock of the other one until its end.
        self.org = self.fake.add_organisation("Another one", currency=self.company.currency_id.name)
        self.connection.export_source = "none"
        self.env.flush_all()
        self.connection = self.sending()
        with closing(self.registry.cursor()) as elsewhere:
            elsewhere.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (0x58A2, self.connection.id))
            self.assertEqual(elsewhere.fetchall(), [(True,)])
            self.fake.reset_log()
            self.turn(self.connection, self.kiwi)
            self.assertEqual(self.fake.requests, [])
            self.assertFalse(self.out(self.kiwi))
        self.turn(self.connection, self.kiwi)
        self.assert_one()
