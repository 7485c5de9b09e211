"""The fake refuses and computes on writes what `xero-api.md` sections 4 and 5 say."""
from datetime import date

from odoo.tests import tagged

from .fake_xero_case import FakeXeroCase

ZERO = "00000000-0000-0000-0000-000000000000"
PAID_OR_CREDITED = "This document cannot be edited as it has a payment or credit note allocated to it."
NOT_MODIFIABLE = "Invoice not of valid status for modification"


@tagged("post_install", "-at_install")
class TestFakeXeroWriting(FakeXeroCase):

    def setUp(self):
        super().setUp()
        self.contact = self.organisation.add_contact(Name="Little Creek Cafe")
        self.organisation.add_item(Code="BTL", Name="Bottle", SalesDetails={"UnitPrice": 10, "AccountCode": "200"})
        self.connect()

    def body(self, **fields):
        return {"Type": "ACCREC", "Contact": {"ContactID": self.contact["ContactID"]}, "Date": "2026-09-01",
                "LineItems": [self.line()], **fields}

    @staticmethod
    def line(**fields):
        return {"Description": "Goods", "Quantity": 2, "UnitAmount": 5, "AccountCode": "200", "TaxType": "OUTPUT2",
                **fields}

    def create(self, **fields):
        query = fields.pop("query", {})
        answer = self.write("PUT", "Invoices", self.body(**fields), **query)
        self.assertEqual(answer.status_code, 200, answer.text[:800])
        return answer.json()["Invoices"][0]

    def change(self, invoice, **fields):
        query = fields.pop("query", {})
        answer = self.write("POST", f"Invoices/{invoice['InvoiceID']}", fields, **query)
        self.assertEqual(answer.status_code, 200, answer.text[:800])
        return answer.json()["Invoices"][0]

    # --- invoices ----------------------------------------------------------------------------------------------------
    def test_a_new_invoice_is_a_numbered_draft(self):
        invoice = self.create()
        self.assertEqual((invoice["Status"], invoice["InvoiceNumber"], invoice["Total"]), ("DRAFT", "INV-0001", 11.5))
        self.assertEqual(self.get("Invoices/INV-0001")["Invoices"][0]["InvoiceID"], invoice["InvoiceID"])

    def test_an_item_gives_what_the_line_does_not_say(self):
        line = self.create(LineItems=[{"ItemCode": "btl", "Quantity": 3}])["LineItems"][0]
        self.assertEqual((line["Description"], line["UnitAmount"], line["AccountCode"], line["TaxType"]),
                         ("Bottle", 10.0, "200", "OUTPUT2"))
        self.assertEqual(self.create(LineItems=[{"ItemCode": "BTL", "Quantity": 3, "UnitAmount": 7}])["SubTotal"], 21.0)

    def test_prices_are_rounded_before_the_line_is_computed(self):
        line = [self.line(Quantity=1000, UnitAmount=0.1249)]
        self.assertEqual(self.create(LineItems=line)["SubTotal"], 120.0)
        self.assertEqual(self.create(LineItems=line, query={"unitdp": 4})["SubTotal"], 124.9)

    def test_a_line_total_is_held_against_the_rounded_price(self):
        line = self.line(Quantity=12, UnitAmount=12.4567, LineAmount=149.48)
        self.assertEqual(self.refused("PUT", "Invoices", self.body(LineItems=[line])),
                         ["The line total 149.48 does not match the expected line total 149.52"])
        self.assertEqual(self.create(LineItems=[line], query={"unitdp": 4})["SubTotal"], 149.48)

    def test_a_tax_amount_that_is_sent_is_kept(self):
        self.assertEqual(self.create(LineItems=[self.line(TaxAmount=1.49)])["TotalTax"], 1.49)

    def test_a_number_must_be_unique(self):
        self.create(InvoiceNumber="SO7")
        self.assertEqual(self.refused("PUT", "Invoices", self.body(InvoiceNumber="so7")), ["Invoice # must be unique."])
        other = self.create(InvoiceNumber="SO8")
        self.assertEqual(self.refused("POST", f"Invoices/{other['InvoiceID']}", {"InvoiceNumber": "SO7"}),
                         ["Invoice # must be unique."])

    def test_posting_a_number_that_exists_edits_that_invoice(self):
        invoice = self.create(InvoiceNumber="SO7", Reference="old")
        answer = self.write("POST", "Invoices", self.body(InvoiceNumber="SO7", Reference="new")).json()["Invoices"][0]
        self.assertEqual((answer["InvoiceID"], answer["Reference"]), (invoice["InvoiceID"], "new"))

    def test_bills_may_share_a_number(self):
        bill = {"Type": "ACCPAY", "InvoiceNumber": "S1", "LineItems": [self.line(TaxType="INPUT2", AccountCode="310")]}
        self.create(**bill)
        self.assertNotEqual(self.create(**bill)["InvoiceID"], ZERO)

    def test_what_xero_refuses_is_refused_with_its_reason(self):
        self.organisation.add_contact(ContactID="a0000000-0000-4000-8000-00000000000a", Name="Gone",
                                      ContactStatus="ARCHIVED")
        gone = {"ContactID": "a0000000-0000-4000-8000-00000000000a"}
        for fields, message in (
                ({"Contact": None}, "A Contact must be specified"),
                ({"Contact": {"ContactID": ZERO}}, "could not be found"),
                ({"Contact": gone}, "has been archived"), ({"LineItems": []}, "One or more line items"),
                ({"LineItems": [self.line(Description="")]}, "Description field is mandatory"),
                ({"LineItems": [self.line(AccountCode="987")]}, "Account code '987' is not a valid code"),
                ({"LineItems": [self.line(AccountCode="299")]}, "Account code '299' is not a valid code"),
                ({"Status": "AUTHORISED", "LineItems": [self.line(AccountCode=None)]}, "must be specified"),
                ({"LineItems": [self.line(TaxType="OUTPUT9")]}, "TaxType code 'OUTPUT9' does not exist"),
                ({"LineItems": [self.line(TaxType="INPUT2")]}, "'INPUT2' cannot be used with account code '200'"),
                ({"LineItems": [self.line(ItemCode="NIX")]}, "Item code 'NIX' is not valid"),
                ({"LineItems": [self.line(LineAmount=9.99)]}, "9.99 does not match the expected line total 10.00"),
                ({"LineItems": [self.line(UnitAmount="many")]}, "is not a number"),
                ({"CurrencyCode": "EUR"}, "not subscribed to currency EUR"), ({"Type": "SALE"}, "not a valid Type"),
                ({"Status": "PAID"}, "cannot have status PAID"),
                ({"Reference": "x" * 256}, "Reference must not exceed"),
                ({"InvoiceNumber": "Nº1"}, "printable ASCII"), ({"Date": "yesterday"}, "is not a date"),
                ({"Url": "https://xero.example/1"}, "must not contain 'xero'"), ({"SentToContact": True}, "approved")):
            messages = self.refused("PUT", "Invoices", self.body(**fields))
            self.assertEqual(len([text for text in messages if message in text]), 1, (fields, messages))
        self.assertEqual(self.get("Invoices")["Invoices"], [])

    def test_locked_periods_are_refused(self):
        self.organisation.lock(period=date(2026, 8, 31), end_of_year=date(2026, 3, 31))
        self.create(Date="2026-09-01")
        self.assertEqual(self.refused("PUT", "Invoices", self.body(Date="2026-08-31")),
                         ["The document date cannot be before the period lock date, currently set at 31 August 2026"])
        self.assertEqual(len(self.refused("PUT", "Invoices", self.body(Date="2026-03-31"))), 2)

    def test_stock_of_tracked_items_runs_out_unless_backorders_are_allowed(self):
        self.organisation.add_item(Code="TRK", Name="Tracked", InventoryAssetAccountCode="630", QuantityOnHand=1)
        body = self.body(Status="AUTHORISED", LineItems=[self.line(ItemCode="TRK")])
        self.assertEqual(self.refused("PUT", "Invoices", body),
                         ["Insufficient stock. Items are eligible for backorder."])
        self.assertEqual(self.write("PUT", "Invoices", body, allowBackorders="true").status_code, 200)

    def test_statuses_go_only_where_they_may(self):
        draft, approved, voided = self.create(), self.create(Status="AUTHORISED"), self.create(Status="AUTHORISED")
        self.assertEqual(self.change(voided, Status="VOIDED")["AmountDue"], 0.0)
        for invoice, status in ((approved, "DRAFT"), (approved, "DELETED"), (draft, "VOIDED"), (voided, "AUTHORISED")):
            self.assertEqual(self.refused("POST", f"Invoices/{invoice['InvoiceID']}", {"Status": status}),
                             [NOT_MODIFIABLE], (invoice["Status"], status))
        self.assertEqual(self.change(draft, Status="SUBMITTED")["Status"], "SUBMITTED")
        self.assertEqual(self.change(draft, Status="AUTHORISED")["Status"], "AUTHORISED")
        self.assertEqual(self.change(self.create(), Status="DELETED")["Status"], "DELETED")

    def test_lines_are_updated_added_and_deleted_by_their_ids(self):
        invoice = self.create(LineItems=[self.line(Description="A"), self.line(Description="B"), self.line()])
        first, second, _third = (line["LineItemID"] for line in invoice["LineItems"])
        after = self.change(invoice, LineItems=[{"LineItemID": first}, {"LineItemID": second, "Quantity": 5},
                                                self.line(Description="New")])
        self.assertEqual([(line["Description"], line["Quantity"], line["LineAmount"]) for line in after["LineItems"]],
                         [("A", 2.0, 10.0), ("B", 5.0, 25.0), ("New", 2.0, 10.0)])
        self.assertEqual([line["LineItemID"] for line in after["LineItems"]][:2], [first, second])
        self.assertEqual(after["Total"], 51.75)

    def test_lines_left_out_altogether_stay(self):
        invoice = self.create()
        self.assertEqual(self.change(invoice, Reference="x")["LineItems"], invoice["LineItems"])

    def test_a_bare_line_id_keeps_four_decimals(self):
        invoice = self.create(LineItems=[self.line(UnitAmount=1.2345)], query={"unitdp": 4})
        stub = {"LineItemID": invoice["LineItems"][0]["LineItemID"]}
        self.change(invoice, LineItems=[stub, self.line()])
        lines = self.get(f"Invoices/{invoice['InvoiceID']}", unitdp=4)["Invoices"][0]["LineItems"]
        self.assertEqual(lines[0]["UnitAmount"], 1.2345)

    def test_an_unknown_line_id_is_refused(self):
        invoice = self.create()
        messages = self.refused("POST", f"Invoices/{invoice['InvoiceID']}", {"LineItems": [{"LineItemID": "abc"}]})
        self.assertEqual(messages, ["Could not find line item(s) with the following id(s): abc"])

    def test_an_approved_unpaid_invoice_can_be_edited_and_a_paid_one_hardly(self):
        invoice = self.create(Status="AUTHORISED")
        line = invoice["LineItems"][0]
        self.assertEqual(self.change(invoice, LineItems=[{**line, "LineAmount": None, "TaxAmount": None,
                                                          "Quantity": 4}])["Total"], 23.0)
        self.organisation.add_payment(invoice["InvoiceID"], 1)
        path = f"Invoices/{invoice['InvoiceID']}"
        for fields in ({"LineItems": [{"LineItemID": line["LineItemID"], "Quantity": 1}]}, {"LineItems": [self.line()]},
                       {"Date": "2026-09-05"}, {"Status": "VOIDED"}):
            self.assertEqual(set(self.refused("POST", path, fields)) - {NOT_MODIFIABLE}, {PAID_OR_CREDITED}, fields)
        after = self.change(invoice, Reference="R", DueDate="2026-12-01", Status="AUTHORISED",
                            LineItems=[{"LineItemID": line["LineItemID"], "Description": "Other words"}])
        self.assertEqual((after["Reference"], after["DueDateString"], after["LineItems"][0]["Description"]),
                         ("R", "2026-12-01T00:00:00", "Other words"))

    def test_contact_fields_sent_with_an_invoice_change_the_contact(self):
        self.organisation.update("Contacts", self.contact["ContactID"], ContactPersons=[{"FirstName": "A"}])
        self.create()
        self.assertTrue(self.get("Contacts")["Contacts"][0]["ContactPersons"])
        self.create(Contact={"ContactID": self.contact["ContactID"], "EmailAddress": "new@example.com"})
        contact = self.get("Contacts")["Contacts"][0]
        self.assertEqual((contact["EmailAddress"], contact["ContactPersons"]), ("new@example.com", []))

    # --- batches -----------------------------------------------------------------------------------------------------
    def test_summarised_errors_refuse_the_whole_call(self):
        answer = self.write("PUT", "Invoices", {"Invoices": [self.body(), self.body(LineItems=[])]})
        self.assertEqual(answer.status_code, 400)
        error = answer.json()
        self.assertEqual((error["ErrorNumber"], error["Type"]), (10, "ValidationException"))
        self.assertEqual(error["Elements"][0]["InvoiceID"], ZERO)
        self.assertEqual(self.get("Invoices")["Invoices"], [])

    def test_errors_per_element_save_the_good_ones(self):
        answer = self.write("PUT", "Invoices", {"Invoices": [self.body(), self.body(LineItems=[])]},
                            summarizeErrors="false")
        self.assertEqual(answer.status_code, 200)
        good, bad = answer.json()["Invoices"]
        self.assertEqual((good["StatusAttributeString"], good["HasErrors"]), ("OK", False))
        self.assertEqual((bad["StatusAttributeString"], bad["HasErrors"], bad["InvoiceID"]), ("ERROR", True, ZERO))
        self.assertEqual(bad["ValidationErrors"], [{"Message": "One or more line items must be specified"}])
        self.assertEqual(len(self.get("Invoices")["Invoices"]), 1)

    def test_two_of_one_number_in_a_call_are_refused(self):
        body = self.body(InvoiceNumber="T1")
        self.assertEqual(self.refused("PUT", "Invoices", {"Invoices": [body, body]}), ["Invoice # must be unique."])

    def test_a_body_that_is_no_json_is_refused(self):
        for data in (b"<Invoice/>", b"[]", b"7"):
            answer = self.call("PUT", "Invoices", data=data)
            self.assertEqual((answer.status_code, answer.json()["ErrorNumber"]), (400, 14), data)

    def test_a_verb_nobody_knows_is_not_implemented(self):
        answer = self.call("DELETE", "Invoices")
        self.assertEqual((answer.status_code, answer.json()["Type"]), (501, "ApiMethodNotImplementedException"))

    # --- idempotency -------------------------------------------------------------------------------------------------
    def keyed(self, body, key="k1", method="PUT", path="Invoices"):
        return self.call(method, path, json=body, headers={"Idempotency-Key": key})

    def test_a_repeated_key_gives_the_same_answer_and_one_invoice(self):
        first, second = self.keyed(self.body()), self.keyed(self.body())
        self.assertEqual(first.content, second.content)
        self.assertEqual(len(self.get("Invoices")["Invoices"]), 1)

    def test_a_key_with_another_request_is_refused(self):
        self.keyed(self.body())
        for answer in (self.keyed(self.body(Reference="other")), self.keyed(self.body(), method="POST"),
                       self.keyed(self.body(), path="Invoices?unitdp=4")):
            self.assertEqual(answer.status_code, 400)
            self.assertIn("is used with a different request", answer.json()["Message"])

    def test_a_key_is_forgotten_after_six_minutes(self):
        self.keyed(self.body())
        self.fake.clock.advance(361)
        self.keyed(self.body())
        self.assertEqual(len(self.get("Invoices")["Invoices"]), 2)

    def test_errors_are_replayed_under_their_key(self):
        self.assertEqual(self.keyed(self.body(LineItems=[])).status_code, 400)
        self.fake.faults.add(method="PUT", status=500)
        self.assertEqual([self.keyed(self.body(), "k2").status_code for _ in range(2)], [500, 500])
        self.assertEqual(self.keyed(self.body(), "k3").status_code, 200)

    def test_a_key_of_more_than_128_characters_is_refused(self):
        self.assertEqual(self.keyed(self.body(), "k" * 129).status_code, 400)

    # --- credit notes, allocations, payments -------------------------------------------------------------------------
    def note(self, **fields):
        body = {"Type": "ACCRECCREDIT", "Status": "AUTHORISED", "Contact": {"ContactID": self.contact["ContactID"]},
                "Date": "2026-09-02", "LineItems": [self.line()], **fields}
        return self.write("PUT", "CreditNotes", body)

    def test_discounts_on_credit_notes_are_refused(self):
        answer = self.note(LineItems=[self.line(DiscountRate=10)])
        self.assertIn("Discounts are not supported", answer.text)

    def test_an_allocation_credits_and_its_removal_reopens(self):
        invoice, note = self.create(Status="AUTHORISED"), self.note().json()["CreditNotes"][0]
        path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
        body = {"Allocations": [{"Amount": 11.5, "Date": "2026-09-02", "Invoice": {"InvoiceID": invoice["InvoiceID"]}}]}
        answer = self.write("PUT", path, body)
        self.assertEqual(answer.status_code, 200, answer.text)
        after = self.get(f"Invoices/{invoice['InvoiceID']}")["Invoices"][0]
        self.assertEqual((after["Status"], after["AmountCredited"], after["AmountPaid"]), ("PAID", 11.5, 0.0))
        self.assertEqual(after["CreditNotes"][0]["AppliedAmount"], 11.5)
        allocation = answer.json()["Allocations"][0]["AllocationID"]
        self.assertTrue(self.call("DELETE", f"{path}/{allocation}").json()["IsDeleted"])
        after = self.get(f"Invoices/{invoice['InvoiceID']}")["Invoices"][0]
        self.assertEqual((after["Status"], after["AmountDue"]), ("AUTHORISED", 11.5))

    def test_allocations_beyond_what_is_left_or_of_drafts_are_refused(self):
        invoice = self.create(Status="AUTHORISED", LineItems=[self.line(Quantity=1)])
        for status, amount in (("DRAFT", 1), ("AUTHORISED", 5.76), ("AUTHORISED", 99), ("AUTHORISED", 0)):
            note = self.note(Status=status).json()["CreditNotes"][0]
            body = {"Allocations": [{"Amount": amount, "Invoice": {"InvoiceID": invoice["InvoiceID"]}}]}
            path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
            self.assertTrue(self.refused("PUT", path, body), (status, amount))

    def test_payments_pay_and_their_deletion_reopens(self):
        invoice = self.create(Status="AUTHORISED")
        body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 11.5}
        payment = self.write("PUT", "Payments", body).json()["Payments"][0]
        self.assertEqual(self.get(f"Invoices/{invoice['InvoiceID']}")["Invoices"][0]["Status"], "PAID")
        self.assertTrue(self.refused("PUT", "Payments", body))
        self.write("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
        self.assertEqual(self.get(f"Invoices/{invoice['InvoiceID']}")["Invoices"][0]["AmountDue"], 11.5)

    # --- contacts and items ------------------------------------------------------------------------------------------
    def test_contact_names_are_unique_among_active_contacts(self):
        messages = self.refused("PUT", "Contacts", {"Name": "LITTLE CREEK CAFE"})
        self.assertEqual(messages, [(
            "The contact name LITTLE CREEK CAFE is already assigned to another contact. The contact name must be "
            "unique across all active contacts.")])
        self.organisation.update("Contacts", self.contact["ContactID"], ContactStatus="ARCHIVED")
        self.assertEqual(self.write("PUT", "Contacts", {"Name": "Little Creek Cafe"}).status_code, 200)

    def test_contact_names_and_lengths_are_checked(self):
        for fields in ({}, {"Name": "a <b>"}, {"Name": "a  b"}, {"Name": " a"}, {"Name": "x" * 256},
                       {"Name": "n", "ContactNumber": "x" * 51}, {"Name": "n", "ContactPersons": [{}] * 6}):
            self.assertEqual(len(self.refused("PUT", "Contacts", fields)), 1, fields)

    def test_archived_contacts_cannot_be_edited(self):
        self.organisation.update("Contacts", self.contact["ContactID"], ContactStatus="ARCHIVED")
        self.assertTrue(self.refused("POST", f"Contacts/{self.contact['ContactID']}", {"EmailAddress": "a@b.example"}))

    def test_posting_a_contact_number_updates_and_a_delivery_address_is_dropped(self):
        self.write("PUT", "Contacts", {"Name": "New", "ContactNumber": "ODOO-1"})
        answer = self.write("POST", "Contacts", {"ContactNumber": "ODOO-1", "Addresses": [
            {"AddressType": "DELIVERY", "City": "Nowhere"}, {"AddressType": "STREET", "City": "Bluff"}]})
        contact = answer.json()["Contacts"][0]
        self.assertEqual((contact["Name"], [address["City"] for address in contact["Addresses"]]),
                         ("New", ["", "Bluff"]))

    def test_items_are_created_by_put_and_upserted_by_post(self):
        self.assertEqual(self.refused("PUT", "Items", {"Code": "btl"}),
                         ["Price List Item with Code 'btl' already exists"])
        before = self.get("Items")["Items"][0]["ItemID"]
        answer = self.write("POST", "Items", {"Code": "btl", "SalesDetails": {"UnitPrice": 11.5555}}, unitdp=4)
        item = answer.json()["Items"][0]
        self.assertEqual((item["ItemID"], item["SalesDetails"]),
                         (before, {"UnitPrice": 11.5555, "AccountCode": "200", "TaxType": "OUTPUT2"}))

    def test_item_lengths_and_accounts_are_checked(self):
        for fields in ({"Name": "no code"}, {"Code": "x" * 31}, {"Code": "a", "Name": "x" * 51},
                       {"Code": "a", "Description": "x" * 4001},
                       {"Code": "a", "SalesDetails": {"AccountCode": "987"}},
                       {"Code": "a", "InventoryAssetAccountCode": "200",
                        "PurchaseDetails": {"COGSAccountCode": "310"}}):
            self.assertEqual(len(self.refused("PUT", "Items", fields)), 1, fields)

    def test_not_sold_nulls_the_sales_details(self):
        item = self.write("POST", "Items", {"Code": "BTL", "IsSold": False}).json()["Items"][0]
        self.assertEqual((item["SalesDetails"], item["IsSold"]), ({}, False))

    def test_a_deleted_item_is_gone(self):
        item = self.get("Items")["Items"][0]
        self.assertEqual(self.call("DELETE", f"Items/{item['ItemID']}").status_code, 204)
        self.assertEqual(self.get("Items")["Items"], [])

    def test_created_by_my_app_filters(self):
        self.organisation.add_invoice(Contact=self.contact)
        mine = self.create()
        listed = self.get("Invoices", createdByMyApp="true")["Invoices"]
        self.assertEqual([invoice["InvoiceID"] for invoice in listed], [mine["InvoiceID"]])
