"""Lists, filters, pages and wire formats of the fake keep to `xero-api.md` sections 2 and 3."""
import json
import time
from datetime import date, datetime, timedelta, timezone

from odoo.tests import tagged

from ..sandbox.fake_xero import FakeXero
from .fake_xero_case import FakeXeroCase

HARBOUR = {"AddressType": "STREET", "AddressLine1": "8 Davenport St", "City": "Napier", "PostalCode": "4110"}


@tagged("post_install", "-at_install")
class TestFakeXeroReading(FakeXeroCase):

    def setUp(self):
        super().setUp()
        self.contact = self.organisation.add_contact(Name="Little Creek Cafe", ContactNumber="C-7", Addresses=[HARBOUR])
        self.organisation.add_item(Code="BTL-750", Name="Drink bottle 750 ml",
                                   SalesDetails={"UnitPrice": 12.4567, "AccountCode": "200"})
        self.connect()

    def add(self, **fields):
        fields.setdefault("LineItems", [{"ItemCode": "BTL-750", "Quantity": 1}])
        return self.organisation.add_invoice(**{"Contact": self.contact, **fields})

    def numbers(self, **query):
        return [invoice["InvoiceNumber"] for invoice in self.get("Invoices", **query)["Invoices"]]

    # --- wire formats ------------------------------------------------------------------------------------------------
    def wire_invoice(self):
        return self.add(
            InvoiceNumber="INV-2041", Reference="PO 7781 - GC", LineAmountTypes="Inclusive", Date=date(2026, 9, 1),
            DueDate=date(2026, 9, 15), updated=datetime(2026, 9, 2, 21, 14, 7, 120_000, timezone.utc),
            LineItems=[{"ItemCode": "BTL-750", "Quantity": 12, "DiscountRate": 5.02,
                        "Description": "Drink bottle 750 ml\r\nstainless"},
                       {"Description": "Freight", "Quantity": 1, "UnitAmount": 12.8, "AccountCode": "260"},
                       {"Description": "Leave at the loading dock"}])

    def test_a_list_has_the_keys_of_real_traffic(self):
        self.wire_invoice()
        invoice = self.get("Invoices", page=1)["Invoices"][0]
        self.assertEqual(set(invoice), {
            "Type", "InvoiceID", "InvoiceNumber", "Reference", "Payments", "CreditNotes", "Prepayments", "Overpayments",
            "AmountDue", "AmountPaid", "AmountCredited", "SentToContact", "CurrencyRate", "IsDiscounted",
            "HasAttachments", "InvoiceAddresses", "HasErrors", "InvoicePaymentServices", "UpdatedDateUTCString",
            "Contact", "DateString", "Date", "DueDateString", "DueDate", "BrandingThemeID", "Status", "LineAmountTypes",
            "LineItems", "SubTotal", "TotalTax", "Total", "UpdatedDateUTC", "CurrencyCode"})

    def test_dates_are_midnight_utc_and_instants_have_milliseconds(self):
        self.wire_invoice()
        invoice = self.get("Invoices", page=1)["Invoices"][0]
        self.assertEqual(invoice["Date"], "/Date(1788220800000+0000)/")
        self.assertEqual(invoice["DateString"], "2026-09-01T00:00:00")
        self.assertEqual(invoice["DueDateString"], "2026-09-15T00:00:00")
        self.assertEqual(invoice["UpdatedDateUTC"], "/Date(1788383647120+0000)/")
        self.assertEqual(invoice["UpdatedDateUTCString"], "2026-09-02T21:14:07Z")

    def test_tax_is_rounded_per_line_and_summed(self):
        self.wire_invoice()
        invoice = self.get("Invoices/INV-2041", unitdp=4)["Invoices"][0]
        first, freight, text = invoice["LineItems"]
        self.assertEqual((first["UnitAmount"], first["LineAmount"], first["TaxAmount"]), (12.4567, 141.98, 18.52))
        self.assertEqual((freight["LineAmount"], freight["TaxAmount"]), (12.8, 1.67))
        self.assertEqual((invoice["SubTotal"], invoice["TotalTax"], invoice["Total"], invoice["AmountDue"]),
                         (134.59, 20.19, 154.78, 154.78))
        self.assertEqual(set(text), {"Description", "Tracking", "LineItemID"})
        self.assertNotIn("ItemCode", freight)
        self.assertEqual(first["Item"]["Code"], "BTL-750")

    def test_exclusive_prices_get_tax_on_top_and_no_tax_none(self):
        line = [{"Description": "x", "Quantity": 3, "UnitAmount": 0.35, "AccountCode": "200"}]
        exclusive = self.add(LineItems=line)
        self.assertEqual((exclusive["SubTotal"], exclusive["TotalTax"], exclusive["Total"]), (1.05, 0.16, 1.21))
        no_tax = self.add(LineItems=line, LineAmountTypes="NoTax")
        self.assertEqual((no_tax["SubTotal"], no_tax["TotalTax"], no_tax["Total"]), (1.05, 0.0, 1.05))

    def test_prices_have_two_decimals_unless_four_are_asked_for(self):
        self.wire_invoice()
        self.assertEqual(self.get("Invoices/INV-2041")["Invoices"][0]["LineItems"][0]["UnitAmount"], 12.46)
        self.assertEqual(self.get("Invoices", page=1, unitdp=4)["Invoices"][0]["LineItems"][0]["UnitAmount"], 12.4567)
        self.assertEqual(self.get("Items")["Items"][0]["SalesDetails"]["UnitPrice"], 12.46)
        self.assertEqual(self.get("Items", unitdp=4)["Items"][0]["SalesDetails"]["UnitPrice"], 12.4567)

    def test_a_contact_in_a_list_is_a_stub_and_whole_in_a_single_answer(self):
        self.wire_invoice()
        stub = self.get("Invoices", page=1)["Invoices"][0]["Contact"]
        self.assertEqual(stub, {"ContactID": self.contact["ContactID"], "Name": "Little Creek Cafe", "Addresses": [],
                                "Phones": [], "ContactGroups": [], "ContactPersons": [], "HasValidationErrors": False})
        whole = self.get("Invoices/INV-2041")["Invoices"][0]["Contact"]
        self.assertEqual([address["AddressType"] for address in whole["Addresses"]], ["POBOX", "STREET"])
        self.assertEqual(whole["Addresses"][1]["City"], "Napier")
        self.assertEqual(whole["Addresses"][0],
                         {"AddressType": "POBOX", "City": "", "Region": "", "PostalCode": "", "Country": ""})
        self.assertEqual([phone["PhoneNumber"] for phone in whole["Phones"]], [""] * 4)

    def test_a_renamed_contact_shows_in_lists_without_a_bump_of_the_invoice(self):
        before = self.wire_invoice()["UpdatedDateUTC"]
        self.get("Invoices", page=1)
        self.organisation.update("Contacts", self.contact["ContactID"], Name="Big Creek")
        invoice = self.get("Invoices", page=1)["Invoices"][0]
        self.assertEqual((invoice["Contact"]["Name"], invoice["UpdatedDateUTC"]), ("Big Creek", before))

    def test_the_single_answer_of_an_unpaid_invoice_has_no_payments_key(self):
        invoice = self.wire_invoice()
        self.assertNotIn("Payments", self.get("Invoices/INV-2041")["Invoices"][0])
        self.organisation.add_payment(invoice, 10)
        self.assertEqual(self.get("Invoices/INV-2041")["Invoices"][0]["Payments"][0]["Amount"], 10.0)

    def test_payments_and_credits_settle_an_invoice(self):
        paid, credited = self.wire_invoice(), self.add()
        self.organisation.add_payment(paid)
        self.assertEqual((paid["Status"], paid["AmountPaid"], paid["AmountDue"]), ("PAID", 154.78, 0.0))
        self.assertIn("FullyPaidOnDate", paid)
        note = self.organisation.add_credit_note(Contact=self.contact, LineItems=[{"ItemCode": "BTL-750"}])
        self.organisation.allocate(note, credited)
        self.assertEqual((credited["Status"], credited["AmountPaid"], credited["AmountCredited"]),
                         ("PAID", 0.0, credited["Total"]))
        self.assertEqual((note["Status"], note["RemainingCredit"]), ("PAID", 0.0))

    def test_a_voided_invoice_is_due_nothing_and_comes_with_a_new_stamp(self):
        invoice = self.wire_invoice()
        self.organisation.void(invoice["InvoiceID"])
        self.assertEqual((invoice["Status"], invoice["AmountDue"]), ("VOIDED", 0.0))
        self.assertNotEqual(invoice["UpdatedDateUTC"], "/Date(1788383647120+0000)/")

    def test_who_does_not_ask_for_json_gets_xml(self):
        answer = self.call("GET", "Organisation", headers={"Accept": "*/*"})
        self.assertEqual(answer.headers["Content-Type"], "text/xml; charset=utf-8")
        self.assertIn("<Name>Harbour Trading Co</Name>", answer.text)

    def test_what_is_missing_answers_404_in_html(self):
        for path in ("Invoices/00000000-0000-0000-0000-000000000001", "Contacts/nobody", "Nonsense"):
            answer = self.call("GET", path)
            self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (404, "text/html; charset=utf-8"))

    def test_every_answer_has_a_correlation_id_and_the_limits(self):
        answer = self.call("GET", "Invoices")
        for name in ("Xero-Correlation-Id", "X-DayLimit-Remaining", "X-MinLimit-Remaining", "X-AppMinLimit-Remaining"):
            self.assertIn(name, answer.headers)

    # --- paging ------------------------------------------------------------------------------------------------------
    def test_an_unpaged_list_has_everything_but_no_lines(self):
        for _ in range(101):
            self.add()
        answer = self.get("Invoices")
        self.assertNotIn("pagination", answer)
        self.assertEqual(len(answer["Invoices"]), 101)
        self.assertEqual(answer["Invoices"][0]["LineItems"], [])

    def test_statuses_switch_paging_on_and_give_the_first_hundred(self):
        for _ in range(101):
            self.add()
        answer = self.get("Invoices", Statuses="AUTHORISED,PAID")
        self.assertEqual(answer["pagination"], {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 101})
        self.assertEqual(len(answer["Invoices"]), 100)
        self.assertTrue(answer["Invoices"][0]["LineItems"])
        self.assertEqual(len(self.get("Invoices", Statuses="AUTHORISED", page=2)["Invoices"]), 1)

    def test_page_sizes_are_honoured_and_snapped(self):
        for _ in range(3):
            self.add()
        self.assertEqual(self.get("Invoices", page=1, pageSize=2)["pagination"]["pageCount"], 2)
        self.assertEqual(self.get("Invoices", page=1, pageSize=5000)["pagination"]["pageSize"], 1000)
        self.assertEqual(self.get("Invoices", page=9)["Invoices"], [])

    def test_summaries_lack_lines_payments_and_attachments(self):
        self.add()
        answer = self.get("Invoices", summaryOnly="true")
        self.assertIn("pagination", answer)
        self.assertFalse({"LineItems", "Payments", "HasAttachments"} & set(answer["Invoices"][0]))

    def test_the_stable_order_is_by_change_then_id(self):
        moment = datetime(2026, 9, 1, tzinfo=timezone.utc)
        for minutes in (3, 1, 2, 2):
            self.add(updated=moment + timedelta(minutes=minutes))
        rows = [(invoice["UpdatedDateUTC"], invoice["InvoiceID"]) for invoice in self.get("Invoices")["Invoices"]]
        self.assertEqual(rows, sorted(rows))

    def test_order_may_be_chosen(self):
        for number, day in (("B", 2), ("A", 3), ("C", 1)):
            self.add(InvoiceNumber=number, Date=date(2026, 9, day))
        self.assertEqual(self.numbers(order="Date DESC"), ["A", "B", "C"])
        self.assertEqual(self.numbers(order="InvoiceNumber"), ["A", "B", "C"])
        self.assertEqual(self.call("GET", "Invoices", params={"order": "Nonsense"}).status_code, 400)

    def test_an_invoice_changed_between_two_pages_moves_behind(self):
        moment = datetime(2026, 9, 1, tzinfo=timezone.utc)
        for index in range(4):
            self.add(InvoiceNumber=f"M{index}", updated=moment + timedelta(minutes=index))

        def change(request):
            if request.query.get("page") == "2":
                self.fake.on_request = None
                self.organisation.update("Invoices", "M0", Reference="changed")

        self.fake.on_request = change
        first, second = (self.numbers(page=page, pageSize=2) for page in (1, 2))
        self.assertEqual((first, second), (["M0", "M1"], ["M3", "M0"]))

    # --- filters -----------------------------------------------------------------------------------------------------
    def test_where_understands_what_the_documentation_names(self):
        other = self.organisation.add_contact(Name="Other")
        self.add(InvoiceNumber="A", Reference="PO 1", Date=date(2026, 9, 1))
        self.add(InvoiceNumber="B", Reference="po 2", Date=date(2026, 9, 2), Status="PAID", Contact=other)
        self.add(InvoiceNumber="C", Type="ACCPAY", Date=date(2026, 9, 3), Status="DRAFT")
        for where, expected in (
                ('Type=="ACCREC"', ["A", "B"]), ('Type=="ACCREC" AND Status=="AUTHORISED"', ["A"]),
                ('Reference=="Po 1"', ["A"]), ('Date>=DateTime(2026,09,02)', ["B", "C"]),
                ('Date >= DateTime(2026, 9, 1) && Date < DateTime(2026, 9, 2)', ["A"]),
                (f'Contact.ContactID==guid("{other["ContactID"].upper()}")', ["B"]), ('Contact.Name=="other"', ["B"]),
                ('InvoiceNumber=="A" OR InvoiceNumber=="C"', ["A", "C"]), ('AmountDue>0', ["A"]),
                ('AmountPaid>=14.3', ["B"]), ('(Type=="ACCREC" AND AmountDue==0) OR Status="DRAFT"', ["B", "C"]),
                ('Reference.Contains("po")', ["A", "B"]), ('Reference!=null AND Reference.StartsWith("PO 2")', ["B"]),
                ('Type!="ACCREC"', ["C"]), ('Contact.ContactNumber=="c-7" AND Type=="ACCREC"', ["A"]),
                ('Contact.Name.ToLower().Contains("OTH")', ["B"]), ('IsDiscounted==false AND Type=="ACCPAY"', ["C"])):
            self.assertEqual(self.numbers(where=where, order="InvoiceNumber"), expected, where)

    def test_where_that_cannot_be_read_is_refused(self):
        for where in ('Type=="ACCREC', 'Nonsense=="x"', 'Type==', 'Type=="A" Status=="B"', "Type=='ACCREC'"):
            answer = self.call("GET", "Invoices", params={"where": where})
            self.assertEqual((answer.status_code, answer.json()["Type"]), (400, "QueryParseException"), where)

    def test_comma_lists_filter(self):
        first, second = self.add(InvoiceNumber="A"), self.add(InvoiceNumber="B", Status="DRAFT")
        self.add(InvoiceNumber="C", Contact=self.organisation.add_contact(Name="Other"))
        self.assertEqual(set(self.numbers(IDs=f"{first['InvoiceID']},{second['InvoiceID']}")), {"A", "B"})
        self.assertEqual(set(self.numbers(InvoiceNumbers="A,c")), {"A", "C"})
        self.assertEqual(self.numbers(Statuses="DRAFT"), ["B"])
        self.assertEqual(set(self.numbers(ContactIDs=self.contact["ContactID"])), {"A", "B"})

    def test_search_looks_at_number_and_reference(self):
        self.add(InvoiceNumber="A-77", Reference="x")
        self.add(InvoiceNumber="B", Reference="for a-77")
        self.add(InvoiceNumber="C")
        self.assertEqual(set(self.numbers(searchTerm="A-77")), {"A-77", "B"})

    def test_modified_since_filters_in_every_spelling(self):
        self.add(InvoiceNumber="OLD", updated=datetime(2026, 9, 1, 12, 0, 0, tzinfo=timezone.utc))
        self.add(InvoiceNumber="NEW", updated=datetime(2026, 9, 1, 12, 0, 1, tzinfo=timezone.utc))
        for text in ("2026-09-01T12:00:00", "2026-09-01T12:00:00Z", "2026-09-01T14:00:00+02:00",
                     "Tue, 01 Sep 2026 12:00:00 GMT"):
            answer = self.get("Invoices", headers={"If-Modified-Since": text})
            self.assertEqual([row["InvoiceNumber"] for row in answer["Invoices"]], ["NEW"], text)
        answer = self.get("Invoices", headers={"If-Modified-Since": "2027-01-01T00:00:00"})
        self.assertEqual(answer["Invoices"], [])

    def test_voided_invoices_come_through_modified_since(self):
        invoice = self.add(InvoiceNumber="V", updated=datetime(2026, 9, 1, tzinfo=timezone.utc))
        self.organisation.void(invoice["InvoiceID"])
        answer = self.get("Invoices", headers={"If-Modified-Since": "2026-09-02T00:00:00"})
        self.assertEqual([row["Status"] for row in answer["Invoices"]], ["VOIDED"])

    def test_archived_contacts_are_hidden_unless_asked_for(self):
        self.organisation.add_contact(Name="Gone", ContactStatus="ARCHIVED")
        self.assertEqual(len(self.get("Contacts")["Contacts"]), 1)
        self.assertEqual(len(self.get("Contacts", includeArchived="true")["Contacts"]), 2)

    def test_contacts_are_found_by_number_and_search(self):
        self.assertEqual(self.get("Contacts/c-7")["Contacts"][0]["Name"], "Little Creek Cafe")
        self.assertEqual(len(self.get("Contacts", searchTerm="creek")["Contacts"]), 1)
        self.assertEqual(len(self.get("Contacts", IDs=self.contact["ContactID"])["Contacts"]), 1)
        self.assertEqual(self.get("Contacts", where='Name=="little creek cafe"')["Contacts"][0]["ContactNumber"], "C-7")

    def test_items_are_not_paged(self):
        for index in range(120):
            self.organisation.add_item(Code=f"X{index}")
        answer = self.get("Items", page=1)
        self.assertNotIn("pagination", answer)
        self.assertEqual(len(answer["Items"]), 121)
        self.assertEqual(len(self.get("Items", where='Code=="x7"')["Items"]), 1)

    # --- verbatim ----------------------------------------------------------------------------------------------------
    def test_given_data_is_served_exactly_as_given(self):
        invoice = {"InvoiceID": "5b2f6f0e-2f0c-4a55-9d5e-0f4f4b8f1a01", "InvoiceNumber": "N1",
                   "Status": "SOMETHING NEW", "Type": "ACCREC", "Contact": {"Name": "Zed"}, "Total": 1.10,
                   "Odd": {"x": None},
                   "UpdatedDateUTC": "/Date(1788383647120)/"}
        fake = self.fake = FakeXero(data={"Invoices": [invoice, {}], "Contacts": [{"ContactID": "c"}], "Items": [],
                                         "Accounts": [{"Code": "9"}]})
        self.addCleanup(fake.stop)
        fake.start()
        self.connect(organisation=fake.organisations[0])
        self.assertEqual(self.get("Invoices", page=1, where='Type=="ACCREC" AND Contact.Name=="zed"')["Invoices"],
                         [invoice])
        self.assertEqual(self.get("Invoices/N1")["Invoices"], [invoice])
        self.assertIn({}, self.get("Invoices", summaryOnly="true")["Invoices"])
        self.assertEqual(self.get("Contacts")["Contacts"], [{"ContactID": "c"}])
        self.assertEqual(self.get("Accounts")["Accounts"], [{"Code": "9"}])
        self.assertTrue(self.get("TaxRates")["TaxRates"])
        since = self.get("Invoices", headers={"If-Modified-Since": "2026-09-02T21:14:06"}, Statuses="Something new")
        self.assertEqual(since["Invoices"], [invoice])
        pdf = self.call("GET", "Invoices/N1", headers={"Accept": "application/pdf"})
        self.assertEqual(pdf.content[:5], b"%PDF-")

    # --- files -------------------------------------------------------------------------------------------------------
    def test_a_pdf_is_real_and_named(self):
        self.add(InvoiceNumber="INV 7/é", Reference="PO <1>")
        answer = self.call("GET", f"Invoices/{self.get('Invoices')['Invoices'][0]['InvoiceID']}",
                           headers={"Accept": "application/pdf"})
        self.assertEqual(answer.headers["Content-Type"], "application/pdf")
        self.assertEqual((answer.content[:5], answer.content.strip()[-5:]), (b"%PDF-", b"%%EOF"))
        self.assertEqual(answer.headers["Content-Disposition"], 'attachment; filename="INV 7/_.pdf"')

    def test_history_tells_notes_and_events_newest_first(self):
        invoice = self.add()
        self.organisation.add_history_note(invoice["InvoiceID"], "Ring twice", user="Anna Baker",
                                           when=datetime(2030, 1, 1, tzinfo=timezone.utc))
        answer = self.write("PUT", f"Invoices/{invoice['InvoiceID']}/History",
                            {"HistoryRecords": [{"Details": "Shipped with NZ Post"}]})
        self.assertEqual(answer.status_code, 200)
        records = self.get(f"Invoices/{invoice['InvoiceID']}/History")["HistoryRecords"]
        self.assertEqual([(record["User"], record["Details"]) for record in records[:2]],
                         [("System Generated", "Shipped with NZ Post"), ("Anna Baker", "Ring twice")])
        self.assertEqual(records[-1]["Changes"], "Approved")
        too_long = {"HistoryRecords": [{"Details": "x" * 2501}]}
        self.assertEqual(self.write("PUT", f"Invoices/{invoice['InvoiceID']}/History", too_long).status_code, 400)

    def test_attachments_are_stored_listed_and_read(self):
        invoice = self.add(InvoiceNumber="A1")
        path = f"Invoices/{invoice['InvoiceID']}/Attachments"
        answer = self.call("PUT", f"{path}/pick%20list.txt", data=b"two boxes", headers={"Content-Type": "text/plain"})
        self.assertEqual(answer.status_code, 200, answer.text)
        listed = self.get(path)["Attachments"]
        self.assertEqual([(entry["FileName"], entry["ContentLength"], entry["MimeType"]) for entry in listed],
                         [("pick list.txt", 9, "text/plain")])
        self.assertEqual(self.call("GET", f"{path}/pick list.txt").content, b"two boxes")
        self.assertTrue(self.get("Invoices/A1")["Invoices"][0]["HasAttachments"])
        for name in ("a*b.txt", "a%3Fb.txt", "a%2Bb.txt"):
            self.assertEqual(self.call("PUT", f"{path}/{name}", data=b"x").status_code, 400, name)

    def test_the_online_invoice_is_for_approved_sales_only(self):
        self.add(InvoiceNumber="A1")
        self.add(InvoiceNumber="D1", Status="DRAFT")
        self.assertIn("http", self.get("Invoices/A1/OnlineInvoice")["OnlineInvoices"][0]["OnlineInvoiceUrl"])
        self.assertEqual(self.call("GET", "Invoices/D1/OnlineInvoice").status_code, 400)

    def test_a_thousand_invoices_of_ten_thousand_come_in_well_under_a_second(self):
        for _ in range(10_000):
            self.add(LineItems=[{"Description": "x", "Quantity": 1, "UnitAmount": 5}])
        query = {"where": 'Type=="ACCREC"', "Statuses": "AUTHORISED,PAID", "page": 5, "pageSize": 1000}
        start = time.monotonic()
        answer = self.call("GET", "Invoices", params=query)
        self.assertLess(time.monotonic() - start, 1)
        self.assertEqual(len(json.loads(answer.content)["Invoices"]), 1000)
