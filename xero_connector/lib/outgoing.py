"""Invoices and credit notes on their way to Xero: its arithmetic, and the elements it is sent.

Xero rounds the unit price to four decimals, the line to the cent, the tax of each line to the cent, and then adds up
(xero-api.md, section 4.1). What Odoo rounds elsewhere differs by cents, which is told and never hidden in a line.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from . import formats

LONGEST = {"number": 255, "reference": 255, "description": 4000}
EXCLUSIVE, INCLUSIVE = "Exclusive", "Inclusive"
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Line:
    """One line as Xero is to have it. ``quantity`` None: words only.

    ``unit_amount`` None: Xero takes the price of its item; ``description`` '': it takes the item's, too. ``rate``: the
    tax type's, in percent. ``id``: of a line Xero has already.
    """

    description: str = ""
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    discount: Decimal = _NOTHING
    item_code: str = ""
    account_code: str = ""
    tax_type: str = ""
    rate: Decimal = _NOTHING
    id: str = ""

    @property
    def is_text(self):
        return self.quantity is None

    def net_unit(self):
        """The unit price less discount, to Xero's four decimals."""
        return four_places((self.unit_amount or _NOTHING) * (1 - self.discount / 100))

    def without_discount(self):
        """The same with the discount folded into its unit price, as credit notes need it (xero-api.md, section 4.5)."""
        return replace(self, unit_amount=self.net_unit(), discount=_NOTHING) if self.discount else self

    def amounts(self, amount_types):
        """``(line amount, tax)`` as Xero computes them; the line amount holds the tax where amounts are inclusive."""
        if self.is_text:
            return _NOTHING, _NOTHING
        full = four_places(self.quantity) * four_places(self.unit_amount or _NOTHING)
        amount = formats.cents(full - full * self.discount / 100)
        divisor = 100 + self.rate if amount_types == INCLUSIVE else 100
        return amount, formats.cents(amount * self.rate / divisor)

    def total(self, amount_types):
        """With tax."""
        amount, tax = self.amounts(amount_types)
        return amount if amount_types == INCLUSIVE else amount + tax

    def element(self):
        """The line as Xero takes it. What is left out, Xero fills from its item (xero-api.md, section 4.1)."""
        if self.is_text:
            return {"Description": self.description or "-"}
        values = {
            "LineItemID": self.id,
            "Description": self.description,
            "Quantity": four_places(self.quantity),
            "UnitAmount": None if self.unit_amount is None else four_places(self.unit_amount),
            "DiscountRate": self.discount or None,
            "ItemCode": self.item_code,
            "AccountCode": self.account_code,
            "TaxType": self.tax_type,
        }
        return {key: value for key, value in values.items() if value is not None and value != ""}


@dataclass
class Document:
    """An invoice or credit note as Xero is to have it; amounts of the same currency."""

    contact_id: str
    currency: str
    date: object
    reference: str
    amount_types: str = EXCLUSIVE
    status: str = "DRAFT"
    due_date: object = None
    number: str = ""
    url: str = ""
    lines: list = field(default_factory=list)

    def invoice(self):
        """The element of a new invoice."""
        values = self._head("ACCREC", "InvoiceNumber")
        values |= {"DueDate": self.due_date and self.due_date.isoformat(), "Url": self.url}
        return _filled(values) | {"LineItems": [line.element() for line in self.lines]}

    def credit_note(self):
        """The element of a new credit note: Xero knows no discount and no way back from there."""
        values = self._head("ACCRECCREDIT", "CreditNoteNumber")
        return _filled(values) | {"LineItems": [line.without_discount().element() for line in self.lines]}

    def _head(self, kind, number_key):
        return {
            "Type": kind,
            "Status": self.status,
            # Nothing else of the contact: what is sent with it would change it (xero-api.md, section 4.1).
            "Contact": {"ContactID": self.contact_id},
            "Date": self.date.isoformat(),
            "LineAmountTypes": self.amount_types,
            "CurrencyCode": self.currency,
            "Reference": self.reference,
            number_key: self.number,
        }


def four_places(value):
    """Rounded as Xero rounds a unit price or quantity."""
    return formats.decimal(value).quantize(formats.FOUR_PLACES, rounding=formats.HALF_UP)


def number(value):
    """A number from a form or the database as Decimal, without the float's noise."""
    return formats.decimal(round(value, 10)) if isinstance(value, float) else formats.decimal(value)


def printable(text, longest):
    """A document's number as Xero takes it: printable ASCII (xero-api.md, section 3.1)."""
    return "".join(letter for letter in text if 32 <= ord(letter) < 127)[:longest].strip()


def reference(text):
    """A document's reference as Xero keeps it, so that it is found by it again: one line, no space at its ends, as long
    as Xero counts letters (an emoji is two)."""
    line = " ".join(formats.text(text).split())
    encoded = line.encode("utf-16-le")[: 2 * LONGEST["reference"]]
    return encoded.decode("utf-16-le", "ignore").strip()


def _filled(values):
    return {key: value for key, value in values.items() if value not in (None, "", False)}
