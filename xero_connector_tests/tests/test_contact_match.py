"""The mapping screen of contacts: both sides, mapped by a person."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .contacts_case import ContactsCase


@tagged("post_install", "-at_install")
class TestContactMatch(ContactsCase):
    def setUp(self):
        super().setUp()
        self.manager = new_test_user(
            self.env, "contact_manager", "xero_connector.group_xero_manager,base.group_partner_manager"
        )
        self.clerk = new_test_user(self.env, "contact_clerk", "xero_connector.group_xero_user")

    def reading(self, **settings):
        """A connection that has read Xero's contacts."""
        connection = self.sending(**settings)
        connection.contact_create_there = False
        self.turn(connection)
        return connection

    def match(self, connection, contact=None, partner=None, user=None):
        domain = [("connection_id", "=", connection.id)]
        domain += [("record_id", "=", self.row(contact).id)] if contact else []
        domain += [("partner_id", "=", partner.id)] if partner else []
        return self.env["xero.contact.match"].with_user(user or self.manager).search(domain)

    def waiting(self, connection, partner, code="contact_unmapped"):
        """An order that waits for its customer's contact."""
        return self.env["xero.record"].create(
            {
                "connection_id": connection.id,
                "direction": "out",
                "resource": "invoice",
                "res_model": "sale.order",
                "res_id": self.env["sale.order"].create({"partner_id": partner.id}).id,
                "state": "failed",
                "problem_code": code,
                "problem_subject": partner.name,
            }
        )

    # === SIDE BY SIDE === #

    def test_it_shows_who_is_mapped_who_is_only_there_and_who_is_only_here(self):
        mapped_there = self.org.add_contact(Name="Mapped", EmailAddress="m@there.example")
        there = self.org.add_contact(Name="There")
        mapped, here = self.customer("Mapped", email="m@here.example"), self.customer("Here")
        connection = self.reading()
        self.turn(connection, mapped)
        line = self.match(connection, mapped_there)
        self.assertEqual((line.status, line.partner_id, line.contact_name), ("mapped", mapped, "Mapped"))
        self.assertEqual((line.contact_email, line.partner_email), ("m@there.example", "m@here.example"))
        self.assertEqual(self.match(connection, there).status, "contact_only")
        self.assertEqual(self.match(connection, partner=here).status, "partner_only")
        self.assertEqual((connection.contact_count, connection.unmapped_contact_count > 0), (3, True))
        unmapped = self.env["xero.contact.match"].with_user(self.manager).search([("status", "!=", "mapped")])
        self.assertNotIn(line, unmapped)

    def test_only_customers_are_offered_and_whoever_ordered_is_one(self):
        connection = self.reading()
        vendor, buyer = self.customer("Vendor", customer_rank=0), self.customer("Buyer", customer_rank=0)
        person = self.customer("Somebody", customer_rank=0, is_company=False, parent_id=buyer.id)
        archived = self.customer("Archived", active=False)
        foreign = self.customer("Foreign", company_id=self.env["res.company"].create({"name": "Other"}).id)
        self.env["sale.order"].create({"partner_id": person.id})
        self.env.flush_all()
        for partner in (vendor, person, archived, foreign):
            self.assertFalse(self.match(connection, partner=partner), partner.name)
        self.assertEqual(self.match(connection, partner=buyer).status, "partner_only")

    def test_archived_contacts_are_shown_where_somebody_is_mapped_to_them_only(self):
        kiwi_there, gone = self.org.add_contact(Name="Kiwi"), self.org.add_contact(Name="Gone")
        kiwi, connection = self.customer("Kiwi"), self.reading()
        self.turn(connection, kiwi)
        for contact in (kiwi_there, gone):
            self.org.update("Contacts", contact["ContactID"], ContactStatus="ARCHIVED")
        self.turn(connection)
        self.assertFalse(self.match(connection, gone))
        line = self.match(connection, kiwi_there)
        self.assertEqual((line.status, line.problem_code), ("mapped", "archived_there"))

    def test_a_merged_contact_is_one_line_with_what_it_was_merged_into(self):
        kiwi_there, into = self.org.add_contact(Name="Kiwi"), self.org.add_contact(Name="Group")
        kiwi, connection = self.customer("Kiwi"), self.reading()
        self.turn(connection, kiwi)
        self.org.merge_contact(kiwi_there, into)
        connection._read_all_contacts()
        self.turn(connection)
        self.assertFalse(self.match(connection, kiwi_there))
        self.assertEqual(self.match(connection, partner=kiwi), self.match(connection, into))
        self.match(connection, into).action_unmap()
        self.assertEqual(self.match(connection, partner=kiwi).status, "partner_only")

    def test_lines_of_other_companies_are_nobodys_to_see(self):
        connection = self.reading()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "contact_stranger",
            "xero_connector.group_xero_manager",
            company_id=other.id,
            company_ids=[fields.Command.set(other.ids)],
        )
        self.assertTrue(self.match(connection))
        self.assertFalse(self.match(connection, user=stranger))

    def test_a_clerk_looks_and_changes_nothing(self):
        contact, kiwi = self.org.add_contact(Name="There"), self.customer("Kiwi")
        connection = self.reading()
        line = self.match(connection, contact, user=self.clerk)
        self.assertTrue(line.read(["name", "suggestion", "status"]))
        with self.assertRaises(AccessError):
            line.read(["contact_email"])
        for deed in (
            lambda: line.write({"partner_id": kiwi.id}),
            line.action_accept,
            line.action_unmap,
            line.action_create_here,
            self.match(connection, partner=kiwi, user=self.clerk).action_create_there,
        ):
            with self.assertRaises(AccessError):
                deed()

    def test_nothing_but_the_customer_of_a_line_can_be_written(self):
        contact = self.org.add_contact(Name="There")
        line = self.match(self.reading(), contact)
        for values in ({"name": "x"}, {"status": "mapped"}, {"partner_id": False, "company_id": 1}, {"nonsense": 1}):
            with self.assertRaises(AccessError, msg=values):
                line.write(values)

    # === SUGGESTIONS === #

    def test_each_side_is_suggested_what_is_most_like_it_on_the_other(self):
        contact = self.org.add_contact(Name="Kiwi Outdoor Ltd", TaxNumber="49-091-850")
        kiwi, same_tax = self.customer("KIWI outdoor, Ltd."), self.customer("Nothing alike", vat="49091850")
        connection = self.reading()
        line, other = self.match(connection, partner=kiwi), self.match(connection, partner=same_tax)
        self.assertEqual(line.suggested_record_id, self.row(contact))
        self.assertEqual((line.suggestion, line.suggestion_score), ("Kiwi Outdoor Ltd", 95))
        self.assertEqual((other.suggestion, other.suggestion_score), ("Kiwi Outdoor Ltd", 100))
        self.assertEqual(self.match(connection, contact).suggested_partner_id, same_tax)
        self.assertFalse(self.match(connection, self.contact).suggestion)

    def test_suggestions_are_accepted_from_either_side_and_each_once(self):
        contact, second = self.org.add_contact(Name="Kiwi Outdoor Ltd"), self.org.add_contact(Name="Tui Tools Ltd")
        kiwi, twin = self.customer("Kiwi Outdoor, Ltd"), self.customer("Ltd Kiwi Outdoor")
        tui, connection = self.customer("Tui Tools, Ltd"), self.reading()
        lines = self.match(connection, second)
        lines |= self.match(connection, partner=kiwi) | self.match(connection, partner=twin)
        said = lines.action_accept()["params"]
        self.assertEqual(said["type"], "warning")
        self.assertEqual(self.bindings(connection)[second["ContactID"]], tui)
        self.assertIn(self.bindings(connection)[contact["ContactID"]], kiwi | twin)
        self.assertEqual(len(self.bindings(connection)), 2)

    # === MAP, UNMAP === #

    def test_choosing_the_customer_in_the_line_maps_it_and_the_line_stays(self):
        contact, kiwi = self.org.add_contact(Name="There"), self.customer("Kiwi")
        connection = self.reading()
        line = self.match(connection, contact)
        line.write({"partner_id": kiwi.id})
        self.assertEqual((line.status, line.partner_id), ("mapped", kiwi))
        self.assertEqual(self.match(connection, partner=kiwi), line)
        self.assert_is(connection, kiwi, contact)
        other = self.customer("Other")
        line.write({"partner_id": other.id})
        self.assert_is(connection, other, contact)
        self.assertEqual(self.match(connection, partner=kiwi).status, "partner_only")

    def test_a_customer_chooses_its_contact(self):
        contact, kiwi = self.org.add_contact(Name="There"), self.customer("Kiwi")
        connection = self.reading()
        action = self.match(connection, partner=kiwi).action_map()
        form = Form(self.env["xero.map.contact"].with_user(self.manager).with_context(**action["context"]))
        form.record_id = self.row(contact)
        form.save().action_confirm()
        self.assert_is(connection, kiwi, contact)

    def test_neither_is_mapped_twice(self):
        contact, second = self.org.add_contact(Name="Kiwi"), self.org.add_contact(Name="Second")
        kiwi, other = self.customer("Kiwi"), self.customer("Other")
        connection = self.reading()
        self.turn(connection, kiwi)
        with self.assertRaisesRegex(UserError, "mapped to the contact Kiwi already"):
            self.match(connection, second).write({"partner_id": kiwi.id})
        with self.assertRaisesRegex(UserError, "is Kiwi already"):
            self.row(contact).with_user(self.manager)._map_contact(other)
        self.assert_is(connection, kiwi, contact)

    def test_another_contact_replaces_one_that_is_archived(self):
        contact, second = self.org.add_contact(Name="Kiwi"), self.org.add_contact(Name="Second")
        kiwi, connection = self.customer("Kiwi"), self.reading()
        self.turn(connection, kiwi)
        self.org.update("Contacts", contact["ContactID"], ContactStatus="ARCHIVED")
        self.turn(connection)
        self.match(connection, second).write({"partner_id": kiwi.id})
        self.assert_is(connection, kiwi, second)
        self.assertEqual(self.bindings(connection), {second["ContactID"]: kiwi})

    def test_only_a_contact_in_use_can_be_mapped(self):
        gone, kiwi = self.org.add_contact(Name="Gone", ContactStatus="ARCHIVED"), self.customer("Kiwi")
        connection = self.reading()
        with self.assertRaisesRegex(UserError, "archived"):
            self.row(gone).with_user(self.manager)._map_contact(kiwi)
        foreign = self.customer("Foreign", company_id=self.env["res.company"].create({"name": "Other"}).id)
        with self.assertRaisesRegex(UserError, "belongs to"):
            self.match(connection, self.contact).sudo().write({"partner_id": foreign.id})

    def test_what_was_unmapped_stays_so_for_exports_and_imports_until_somebody_maps_it(self):
        contact = self.org.add_contact(Name="Kiwi", Addresses=self.contact["Addresses"])
        kiwi, connection = self.customer("Kiwi"), self.reading()
        self.turn(connection, kiwi)
        line = self.match(connection, contact)
        line.action_unmap()
        connection.contact_create_there = True
        self.turn(connection, kiwi)
        code, reason = self.problem(connection, kiwi)
        self.assertEqual(code, "contact_unmapped")
        self.assertIn("contact_manager", reason.replace(" ", "_"))
        self.assertFalse(self.sent() or self.bindings(connection))
        self.contact = contact
        invoice = self.invoice()
        self.run_import()
        self.assertNotEqual(self.order(invoice).partner_id, kiwi)
        self.match(connection, contact).write({"partner_id": kiwi.id})
        self.assert_is(connection, kiwi, contact)

    # === CREATE === #

    def test_by_hand_a_contact_is_made_even_where_nothing_is_made_by_itself(self):
        self.org.add_contact(Name="Kiwi Ltd.")
        kiwi, connection = self.customer("Kiwi - Ltd"), self.reading()
        line = self.match(connection, partner=kiwi)
        line.action_create_there()
        self.assertEqual(line.push_state, "pending")
        self.assertTrue(self.answer(connection, kiwi).is_new, "somebody saw that the other one is not it")
        self.turn(connection)
        [contact] = self.contacts(Name="Kiwi - Ltd")
        self.assert_is(connection, kiwi, contact)
        self.assertEqual(self.match(connection, contact).push_state, "done")

    def test_one_that_was_unmapped_is_made_anew_under_another_number(self):
        kiwi, connection = self.customer("Kiwi"), self.reading(export_source="invoice")
        self.match(connection, partner=kiwi).action_create_there()
        self.turn(connection)
        [first] = self.contacts(Name="Kiwi")
        self.match(connection, first).action_unmap()
        self.match(connection, partner=kiwi).action_create_there()
        self.turn(connection)
        self.assertEqual(self.problem(connection, kiwi)[0], "contact_taken", "names are unique in Xero")
        self.assertIn("called Kiwi already", self.problem(connection, kiwi)[1])
        self.org.update("Contacts", first["ContactID"], Name="Not Kiwi")
        self.match(connection, partner=kiwi).action_create_there()
        self.turn(connection)
        [second] = self.contacts(Name="Kiwi")
        self.assert_is(connection, kiwi, second)
        self.assertEqual(second["ContactNumber"], f"{first['ContactNumber']}-2")

    def test_creating_there_needs_a_connection_that_sends_and_a_consent_that_covers_it(self):
        kiwi, connection = self.customer("Kiwi"), self.reading()
        grant = connection.sudo().grant_id
        grant.scopes = grant.scopes.replace("accounting.contacts ", "").removesuffix(" accounting.contacts")
        with self.assertRaisesRegex(UserError, "reconnect"):
            self.match(connection, partner=kiwi).action_create_there()
        connection.export_source = "none"
        with self.assertRaisesRegex(UserError, "sends nothing"):
            self.match(connection, partner=kiwi).action_create_there()

    def test_customers_are_made_of_contacts_with_what_they_have(self):
        contact = self.org.add_contact(
            Name="There", EmailAddress="a@there.example", Addresses=[{**self.contact["Addresses"][1]}]
        )
        connection = self.reading()
        self.match(connection, contact).action_create_here()
        partner = self.bindings(connection)[contact["ContactID"]]
        self.assertEqual((partner.name, partner.email, partner.city), ("There", "a@there.example", "Auckland"))
        self.assert_is(connection, partner, contact)

    def test_no_second_customer_of_one_name_is_made(self):
        contact = self.org.add_contact(Name="There")
        self.customer("There", customer_rank=0)
        connection = self.reading()
        with self.assertRaisesRegex(UserError, "map the contact to it"):
            self.match(connection, contact).action_create_here()

    def test_who_may_not_create_customers_creates_none(self):
        contact = self.org.add_contact(Name="There")
        manager = new_test_user(self.env, "no_partner_manager", "xero_connector.group_xero_manager")
        with self.assertRaises(AccessError):
            self.match(self.reading(), contact, user=manager).action_create_here()

    # === RELEASE === #

    def test_what_waits_for_a_customer_is_counted_and_released(self):
        contact, kiwi = self.org.add_contact(Name="There"), self.customer("Kiwi")
        connection = self.reading()
        rows = self.waiting(connection, kiwi) | self.waiting(connection, kiwi, "contact_alike")
        other = self.waiting(connection, self.customer("Other"))
        self.assertEqual(self.match(connection, partner=kiwi).waiting_count, 2)
        line = self.match(connection, contact)
        with self.assertRaisesRegex(UserError, "Nothing waits"):
            line.action_release()
        line.write({"partner_id": kiwi.id})
        self.assertEqual(line.waiting_count, 2)
        line.action_release()
        self.assertEqual(set(rows.mapped("state")), {"pending"})
        self.assertEqual(other.state, "failed")
        self.assertEqual(line.waiting_count, 0)

    def test_releasing_tries_again_what_xero_refused(self):
        kiwi, connection = self.customer("Kiwi"), self.reading()
        connection.contact_create_there = True
        self.fake.faults.add("PUT", "/Contacts", status=400)
        self.turn(connection, kiwi)
        self.waiting(connection, kiwi, self.out(kiwi).problem_code)
        self.match(connection, partner=kiwi).action_release()
        self.turn(connection)
        self.assert_is(connection, kiwi, self.contacts(Name="Kiwi")[0])

    def test_the_button_on_the_connection_shows_its_own_lines_and_another_reads_anew(self):
        connection = self.reading()
        self.assertEqual(connection.action_view_contacts()["domain"], [("connection_id", "=", connection.id)])
        connection.with_user(self.manager).action_read_contacts()
        self.assertFalse(connection.contacts_whole_at or connection.contact_watermark)
