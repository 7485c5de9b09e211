"""A Xero invoice as read from its JSON: every key may be missing, unknown values pass (xero-api.md, section 3.1)."""

import hashlib
import json
from functools import cached_property

from . import formats


class XeroInvoice:
    """Read-only view of an invoice payload (a dict of Xero's keys)."""

    def __init__(self, payload):
        self.payload = payload or {}

    def _text(self, key):
        return formats.text(self.payload.get(key))

    def _money(self, key):
        return formats.decimal(self.payload.get(key))

    @property
    def id(self):
        return self._text("InvoiceID")

    @property
    def number(self):
        return self._text("InvoiceNumber")

    @property
    def reference(self):
        return self._text("Reference")

    @property
    def type(self):
        return self._text("Type")

    @property
    def status(self):
        return self._text("Status")

    @property
    def contact_id(self):
        return formats.text((self.payload.get("Contact") or {}).get("ContactID"))

    @property
    def contact_name(self):
        return formats.text((self.payload.get("Contact") or {}).get("Name"))

    @property
    def currency(self):
        """ISO code, '' when Xero leaves it out (then it is the organisation's own)."""
        return self._text("CurrencyCode")

    @property
    def tax_inclusive(self):
        return self._text("LineAmountTypes") == "Inclusive"

    @property
    def date(self):
        return formats.calendar_date(self.payload.get("DateString") or self.payload.get("Date"))

    @property
    def updated(self):
        return formats.stamp(self.payload.get("UpdatedDateUTC"))

    @property
    def total(self):
        return self._money("Total")

    @property
    def amount_due(self):
        return self._money("AmountDue")

    @property
    def is_gone(self):
        return self.status in ("VOIDED", "DELETED")

    @property
    def credited_by_notes(self):
        """Money settled by credit notes. ``AmountCredited`` also counts prepayments and overpayments: real money."""
        applied = [note.get("AppliedAmount") for note in self.payload.get("CreditNotes") or ()]
        if applied and None not in applied:
            return sum(map(formats.decimal, applied))
        real_money = sum(
            formats.decimal(entry.get("AppliedAmount"))
            for key in ("Prepayments", "Overpayments")
            for entry in self.payload.get(key) or ()
        )
        return self._money("AmountCredited") - real_money

    @property
    def is_settled_by_credit(self):
        """PAID without money for it: nothing is to be shipped."""
        return self.status == "PAID" and 0 < self.total <= self.credited_by_notes

    @property
    def is_withdrawn(self):
        """Whether it asks for nothing to be shipped any more."""
        return self.is_gone or self.is_settled_by_credit

    @property
    def is_partly_credited(self):
        """Credit notes took a part of the invoice; which goods that is about stands in the notes alone."""
        return 0 < self.credited_by_notes < self.total

    @cached_property
    def lines(self):
        return [XeroLine(line) for line in self.payload.get("LineItems") or ()]

    @property
    def text_lines(self):
        """The texts of the lines without quantity and price: what people type as notes."""
        return [line.description for line in self.lines if line.is_text and line.description]

    @property
    def digest(self):
        """A short text that differs when anything differs that an order is made of."""
        parts = [self.reference, self.contact_id, self.currency, self._text("LineAmountTypes")]
        for line in self.lines:
            numbers = (line.quantity, line.unit_amount, line.line_amount, line.tax_amount)
            parts += [line.item_code, line.description, *(format(number.normalize(), "f") for number in numbers)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class XeroLine:
    """Read-only view of one entry of ``LineItems``."""

    def __init__(self, payload):
        self.payload = payload or {}

    def _money(self, key):
        return formats.decimal(self.payload.get(key))

    @property
    def id(self):
        return formats.text(self.payload.get("LineItemID"))

    @property
    def item_code(self):
        nested = self.payload.get("Item") or {}
        return formats.text(self.payload.get("ItemCode") or nested.get("Code"))

    @property
    def description(self):
        return formats.text(self.payload.get("Description"))

    @property
    def is_text(self):
        """A line of words only: Xero sends it without the keys for quantity, price and item."""
        return not self.item_code and not self.quantity and not self.line_amount

    @property
    def quantity(self):
        return self._money("Quantity")

    @property
    def unit_amount(self):
        return self._money("UnitAmount")

    @property
    def line_amount(self):
        """After discount; with tax when the invoice is tax inclusive."""
        return self._money("LineAmount")

    @property
    def tax_amount(self):
        return self._money("TaxAmount")

    @property
    def discount_rate(self):
        """Percent, from the rate or from the amount Xero took off the line."""
        if rate := self._money("DiscountRate"):
            return rate
        full = self.quantity * self.unit_amount
        return 100 * self._money("DiscountAmount") / full if full else full

    def amounts(self, tax_inclusive):
        """``(net, gross)`` of the line, both rounded as Xero has them."""
        if tax_inclusive:
            return self.line_amount - self.tax_amount, self.line_amount
        return self.line_amount, self.line_amount + self.tax_amount
