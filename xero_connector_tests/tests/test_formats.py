"""Xero's wire formats, read without Odoo."""

from datetime import date, datetime
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from odoo.addons.xero_connector.lib import formats
from odoo.addons.xero_connector.lib.contact import XeroContact
from odoo.addons.xero_connector.lib.invoice import XeroInvoice


@tagged("post_install", "-at_install")
class TestFormats(BaseCase):
    def test_instants_are_utc_however_they_are_written(self):
        expected = datetime(2026, 11, 22, 3, 4, 5, 120000)
        for text in (
            "/Date(1795316645120+0000)/",
            "/Date(1795316645120)/",
            "/Date(1795316645120+1300)/",
            "2026-11-22T03:04:05.120",
            "2026-11-22T03:04:05.1200000",
            "2026-11-22T03:04:05.120Z",
            "2026-11-22T16:04:05.120+13:00",
        ):
            self.assertEqual(formats.instant(text), expected, text)

    def test_stamps_sort_as_the_instants_do(self):
        early, late = formats.stamp("/Date(1795316645009+0000)/"), formats.stamp("/Date(1795316645120+0000)/")
        self.assertLess(early, late)
        self.assertEqual(formats.stamp("no date"), "")
        self.assertEqual(formats.stamp(None), "")

    def test_a_document_date_is_the_day_that_midnight_utc_stands_for(self):
        self.assertEqual(formats.calendar_date("/Date(1795305600000+0000)/"), date(2026, 11, 22))
        self.assertEqual(formats.calendar_date("2026-11-22T00:00:00"), date(2026, 11, 22))

    def test_text_keeps_its_lines_and_loses_what_cannot_be_stored(self):
        self.assertEqual(formats.text(" a\r\nb\rc\x00\x07 \ud800"), "a\nb\nc")
        self.assertEqual(formats.text(None), "")

    def test_a_payload_is_storable_and_its_numbers_stay_exact(self):
        payload = {"Price": Decimal("33.3333"), "Text": "x\x00\ud800 😀", "Lines": [{"Note": "\x00"}]}
        self.assertEqual(formats.plain(payload), {"Price": 33.3333, "Text": "x 😀", "Lines": [{"Note": ""}]})
        self.assertEqual(formats.decimal(formats.plain(payload)["Price"]), Decimal("33.3333"))

    def test_file_names_are_never_paths_and_never_empty(self):
        self.assertEqual(formats.file_name("../../etc/passwd", "pdf"), "etc-passwd.pdf")
        self.assertEqual(formats.file_name("INV 1/2 <b>", "pdf"), "INV 1-2 -b.pdf")
        self.assertEqual(formats.file_name("..", "pdf"), "document.pdf")
        self.assertEqual(formats.file_extension("p/../df"), "pdf")
        self.assertEqual(formats.file_extension(""), "bin")


@tagged("post_install", "-at_install")
class TestInvoiceView(BaseCase):
    def test_an_empty_payload_has_empty_values_and_no_errors(self):
        invoice = XeroInvoice({})
        self.assertEqual((invoice.id, invoice.number, invoice.lines), ("", "", []))
        self.assertEqual((invoice.date, invoice.total), (None, 0))
        self.assertFalse(invoice.is_settled_by_credit)

    def test_a_prepayment_is_money_and_a_credit_note_is_not(self):
        paid = {"Status": "PAID", "Total": 100, "AmountPaid": 0, "AmountCredited": 100}
        self.assertTrue(XeroInvoice(paid).is_settled_by_credit)
        self.assertTrue(XeroInvoice(paid | {"CreditNotes": [{"AppliedAmount": 100}]}).is_settled_by_credit)
        self.assertFalse(XeroInvoice(paid | {"Prepayments": [{"AppliedAmount": 100}]}).is_settled_by_credit)
        self.assertTrue(XeroInvoice(paid | {"CreditNotes": [{"CreditNoteID": "1"}]}).is_settled_by_credit)
        half = {"CreditNotes": [{"AppliedAmount": 40}], "Overpayments": [{"AppliedAmount": 60}]}
        self.assertFalse(XeroInvoice(paid | half).is_settled_by_credit)

    def test_a_free_invoice_is_paid_and_not_credited(self):
        self.assertFalse(XeroInvoice({"Status": "PAID", "Total": 0}).is_settled_by_credit)

    def test_the_digest_changes_with_the_goods_and_not_with_the_payment_or_number_formats(self):
        lines = [{"ItemCode": "A", "Quantity": 1, "UnitAmount": 2.0, "LineAmount": 2}]
        invoice = {"Reference": "r", "LineItems": lines, "Status": "AUTHORISED"}
        same = invoice | {"Status": "PAID", "LineItems": [lines[0] | {"UnitAmount": Decimal("2.0000")}]}
        other = invoice | {"LineItems": [lines[0] | {"Quantity": 2}]}
        self.assertEqual(XeroInvoice(invoice).digest, XeroInvoice(same).digest)
        self.assertNotEqual(XeroInvoice(invoice).digest, XeroInvoice(other).digest)


@tagged("post_install", "-at_install")
class TestContactView(BaseCase):
    def test_empty_slots_are_no_address_and_no_phone(self):
        contact = XeroContact(
            {
                "Addresses": [{"AddressType": "STREET", "City": ""}, {"AddressType": "POBOX", "City": "Ghent"}],
                "Phones": [
                    {"PhoneType": "DEFAULT", "PhoneNumber": ""},
                    {"PhoneType": "MOBILE", "PhoneNumber": "555", "PhoneCountryCode": "64"},
                ],
            }
        )
        self.assertEqual(contact.address("STREET", "POBOX").city, "Ghent")
        self.assertEqual(contact.phone, "64 555")
        self.assertFalse(XeroContact({}).address("STREET"))
