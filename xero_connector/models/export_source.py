"""What the documents that can be sent to Xero have in common: orders, invoices, credit notes."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from odoo.tools import float_compare

from ..lib import outgoing

NOTHING = Decimal(0)


@dataclass(frozen=True)
class SourceLine:
    """A line of a document in Odoo's terms. ``quantity`` None: words only.

    :param record: the order line or invoice line
    :param uom: the unit ``quantity`` and ``price_unit`` are in
    :param account: ``account.account`` the line is booked on
    :param net, total: Odoo's amounts of the line, without and with tax
    """

    record: Any
    product: Any
    name: str
    quantity: Decimal | None = None
    uom: Any = None
    price_unit: Decimal = NOTHING
    discount: Decimal = NOTHING
    taxes: Any = None
    account: Any = None
    net: Decimal = NOTHING
    total: Decimal = NOTHING

    @property
    def is_text(self):
        return self.quantity is None

    @property
    def price(self):
        """The unit price less discount, as the line has it."""
        return self.price_unit * (1 - self.discount / 100)

    def of(self, quantity, price=None, name=None):
        """This line for another quantity, or another price without discount, with the amounts Odoo computes for it."""
        line = replace(self, quantity=quantity, name=name or self.name)
        if price is not None:
            line = replace(line, price_unit=price, discount=NOTHING)
        amounts = self.taxes.compute_all(
            float(line.price), currency=self.record.currency_id, quantity=float(quantity), product=self.product
        )
        return replace(
            line,
            net=outgoing.number(amounts["total_excluded"]),
            total=outgoing.number(amounts["total_included"]),
        )

    def is_same_quantity(self, other):
        return not float_compare(float(self.quantity), float(other), precision_rounding=self.uom.rounding or 0.01)


@dataclass
class SourceHead:
    """The head of a document in Odoo's terms.

    :param partner: the commercial partner it is billed to
    :param reference: what Xero shows as its reference, and we find it by
    """

    partner: Any
    currency: Any
    date: Any
    due_date: Any
    number: str
    reference: str


def is_included(taxes):
    """Whether these taxes are part of the price; None where there are none to tell by.

    :raise ValueError: where some are and some are not
    """
    kinds = set(taxes.flatten_taxes_hierarchy().mapped("price_include"))
    if len(kinds) > 1:
        raise ValueError("taxes that are included in the price beside taxes that are not")
    return kinds.pop() if kinds else None
