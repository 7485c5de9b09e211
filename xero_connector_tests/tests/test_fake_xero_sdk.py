"""An unmodified `xero-python` reads every resource of the fake: the oracle for the wire formats (`xero-api.md` 8)."""
import os
from datetime import date, datetime, timezone
from decimal import Decimal

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.identity import IdentityApi

from odoo.tests import tagged

from .fake_xero_case import SCOPES, FakeXeroCase


@tagged("post_install", "-at_install")
class TestFakeXeroSdk(FakeXeroCase):

    def setUp(self):
        super().setUp()
        self.tenant = self.organisation.tenant_id
        self.contact = self.organisation.add_contact(
            Name="Little Creek Cafe", EmailAddress="orders@littlecreek.example", Addresses=[
                {"AddressType": "STREET", "AddressLine1": "8 Davenport St", "City": "Napier", "PostalCode": "4110"}])
        self.organisation.add_item(Code="BTL", Name="Bottle", SalesDetails={"UnitPrice": 12.4567, "AccountCode": "200"})
        self.invoice = self.organisation.add_invoice(
            Contact=self.contact, Reference="PO 1", Date=date(2026, 9, 1), LineAmountTypes="Inclusive",
            LineItems=[{"ItemCode": "BTL", "Quantity": 12, "DiscountRate": 5.02}, {"Description": "Ring twice"}],
            updated=datetime(2026, 9, 2, 21, 14, 7, tzinfo=timezone.utc))
        self.note = self.organisation.add_credit_note(Contact=self.contact, LineItems=[
            {"Description": "Broken bottle", "Quantity": 1, "UnitAmount": 5}])
        self.organisation.allocate(self.note, self.invoice, 2)
        self.organisation.add_payment(self.invoice, 20)
        self.organisation.add_history_note(self.invoice["InvoiceID"], "Ring twice")
        self.organisation.add_attachment(self.invoice["InvoiceID"], "a.txt", b"hello", "text/plain")
        token = self.tokens(SCOPES, tenant=self.tenant)
        store = {**token, "scope": token["scope"].split()}
        # An attribute: the SDK ignores the arguments of every Configuration but the process's first.
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token(self.fake.client_id, self.fake.client_secret)
        client = ApiClient(configuration, oauth2_token_getter=lambda: store, oauth2_token_saver=store.update)
        self.api = AccountingApi(client)
        self.api.base_url = self.fake.api_url
        self.identity = IdentityApi(client)
        self.identity.base_url = self.fake.identity_url

    def test_connections(self):
        connection = self.identity.get_connections()[0]
        self.assertEqual((connection.tenant_id, connection.tenant_type), (self.tenant, "ORGANISATION"))

    def test_invoices_in_pages_and_one_by_one(self):
        listed = self.api.get_invoices(self.tenant, statuses=["AUTHORISED"], page=1, page_size=1000, unitdp=4,
                                       where='Type=="ACCREC"', if_modified_since=datetime(2026, 9, 1)).invoices[0]
        single = self.api.get_invoice(self.tenant, self.invoice["InvoiceID"], unitdp=4).invoices[0]
        for invoice in (listed, single):
            self.assertEqual((invoice.invoice_id, invoice.date, invoice.status),
                             (self.invoice["InvoiceID"], date(2026, 9, 1), "AUTHORISED"))
            self.assertEqual(invoice.line_items[0].unit_amount, Decimal("12.4567"))
            self.assertIsNone(invoice.line_items[1].quantity)
            self.assertEqual((invoice.amount_paid, invoice.amount_credited), (Decimal("20.0"), Decimal("2.0")))
        self.assertEqual(single.contact.addresses[1].city, "Napier")
        self.assertEqual(listed.contact.addresses, [])

    def test_an_unpaged_list_and_a_summary(self):
        self.assertEqual(self.api.get_invoices(self.tenant).invoices[0].line_items, [])
        self.assertEqual(len(self.api.get_invoices(self.tenant, summary_only=True).invoices), 1)

    def test_pdfs(self):
        for path in (self.api.get_invoice_as_pdf(self.tenant, self.invoice["InvoiceID"]),
                     self.api.get_credit_note_as_pdf(self.tenant, self.note["CreditNoteID"])):
            self.addCleanup(os.unlink, path)
            with open(path, "rb") as file:
                self.assertEqual(file.read(5), b"%PDF-")

    def test_history_and_attachments(self):
        records = self.api.get_invoice_history(self.tenant, self.invoice["InvoiceID"]).history_records
        self.assertIn("Ring twice", [record.details for record in records])
        attachment = self.api.get_invoice_attachments(self.tenant, self.invoice["InvoiceID"]).attachments[0]
        self.assertEqual((attachment.file_name, attachment.content_length), ("a.txt", 5))
        path = self.api.get_invoice_attachment_by_file_name(self.tenant, self.invoice["InvoiceID"], "a.txt",
                                                            "text/plain")
        self.addCleanup(os.unlink, path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"hello")

    def test_online_invoice(self):
        answer = self.api.get_online_invoice(self.tenant, self.invoice["InvoiceID"])
        self.assertTrue(answer.online_invoices[0].online_invoice_url)

    def test_contacts(self):
        listed = self.api.get_contacts(self.tenant, page=1, i_ds=[self.contact["ContactID"]]).contacts[0]
        single = self.api.get_contact(self.tenant, self.contact["ContactID"]).contacts[0]
        self.assertEqual((listed.name, single.email_address), ("Little Creek Cafe", "orders@littlecreek.example"))
        self.assertEqual(len(single.phones), 4)

    def test_a_merged_contact_tells_what_it_was_merged_into_on_pages_and_alone(self):
        twin = self.organisation.add_contact(Name="Little Creek", ContactNumber="C-8")
        self.organisation.merge_contact(twin, self.contact)
        paged = self.api.get_contacts(self.tenant, page=1, include_archived=True).contacts
        unpaged = self.api.get_contacts(self.tenant, include_archived=True).contacts
        [listed], [bare] = ([one for one in found if one.name == "Little Creek"] for found in (paged, unpaged))
        single = self.api.get_contact_by_contact_number(self.tenant, "C-8").contacts[0]
        for contact in (listed, single):
            self.assertEqual(contact.merged_to_contact_id, self.contact["ContactID"])
            self.assertEqual(contact.contact_status, "ARCHIVED")
        self.assertIsNone(bare.merged_to_contact_id)
        self.assertNotIn("Little Creek", [one.name for one in self.api.get_contacts(self.tenant).contacts])

    def test_items(self):
        item = self.api.get_items(self.tenant, unitdp=4).items[0]
        self.assertEqual((item.code, item.sales_details.unit_price), ("BTL", Decimal("12.4567")))
        self.assertEqual(self.api.get_item(self.tenant, item.item_id).items[0].name, "Bottle")

    def test_credit_notes(self):
        listed = self.api.get_credit_notes(self.tenant, page=1).credit_notes[0]
        single = self.api.get_credit_note(self.tenant, self.note["CreditNoteID"]).credit_notes[0]
        for note in (listed, single):
            self.assertEqual((note.credit_note_number, note.allocations[0].amount), ("CN-0001", Decimal("2.0")))

    def test_payments(self):
        payment = self.api.get_payments(self.tenant, page=1).payments[0]
        self.assertEqual((payment.amount, payment.invoice.invoice_id), (Decimal("20.0"), self.invoice["InvoiceID"]))
        self.assertEqual(self.api.get_payment(self.tenant, payment.payment_id).payments[0].status, "AUTHORISED")

    def test_settings(self):
        self.assertIn("200", [account.code for account in self.api.get_accounts(self.tenant).accounts])
        self.assertIn("OUTPUT2", [rate.tax_type for rate in self.api.get_tax_rates(self.tenant).tax_rates])
        organisation = self.api.get_organisations(self.tenant).organisations[0]
        self.assertEqual((organisation.name, organisation.base_currency.value), ("Harbour Trading Co", "NZD"))
        self.assertTrue(self.api.get_organisation_actions(self.tenant).actions)
        self.assertEqual(self.api.get_currencies(self.tenant).currencies[0].code.value, "NZD")
        self.assertTrue(self.api.get_tracking_categories(self.tenant).tracking_categories)
        self.assertTrue(self.api.get_branding_themes(self.tenant).branding_themes)
        self.assertEqual(self.api.get_users(self.tenant).users[0].last_name, "Porter")
        account = self.api.get_accounts(self.tenant).accounts[0]
        self.assertEqual(self.api.get_account(self.tenant, account.account_id).accounts[0].code, account.code)

    def test_every_organisation_of_every_country(self):
        for country, currency in (("AU", "AUD"), ("GB", "GBP"), ("US", "USD")):
            organisation = self.fake.add_organisation(country, country, currency)
            self.fake.identity.connect(organisation, "event")
            self.assertEqual(self.api.get_organisations(organisation.tenant_id).organisations[0].name, country)
            self.assertTrue(self.api.get_tax_rates(organisation.tenant_id).tax_rates)
            self.assertTrue(self.api.get_accounts(organisation.tenant_id).accounts)
