"""A Xero item as read from its JSON, and the part of it that a product shares (xero-api.md, section 5)."""

from . import formats

LONGEST = {"code": 30, "name": 50, "description": 4000, "purchase_description": 4000}
PRICES = ("sales_price", "purchase_price")
# What people describe a product with, and what its prices are booked with.
TEXTS = ("code", "name", "description", "purchase_description")
MONEY = ("sales_price", "purchase_price", "sales_account", "purchase_account", "sales_tax", "purchase_tax")
TAXES = ("sales_tax", "purchase_tax")
FIELDS = TEXTS + MONEY
# Where they are not sent, Xero takes them from the account.
FILLED_BY_XERO = ("sales_tax", "purchase_tax")

_TOP_KEYS = {
    "code": "Code",
    "name": "Name",
    "description": "Description",
    "purchase_description": "PurchaseDescription",
}
_DETAIL_KEYS = {
    "sales_price": ("SalesDetails", "UnitPrice"),
    "sales_account": ("SalesDetails", "AccountCode"),
    "sales_tax": ("SalesDetails", "TaxType"),
    "purchase_price": ("PurchaseDetails", "UnitPrice"),
    "purchase_account": ("PurchaseDetails", "AccountCode"),
    "purchase_tax": ("PurchaseDetails", "TaxType"),
}
_SALES_ONLY = ("description", "sales_price", "sales_account", "sales_tax")
_PURCHASE_ONLY = ("purchase_description", "purchase_price", "purchase_account", "purchase_tax")


class XeroItem:
    """Read-only view of an item's payload; every key may be missing."""

    def __init__(self, payload):
        self.payload = payload or {}

    @property
    def id(self):
        return formats.text(self.payload.get("ItemID"))

    @property
    def code(self):
        return formats.text(self.payload.get("Code"))

    @property
    def name(self):
        return formats.text(self.payload.get("Name"))

    @property
    def updated(self):
        return formats.stamp(self.payload.get("UpdatedDateUTC"))

    @property
    def is_tracked(self):
        """Whether Xero keeps stock of it: then its prices and accounts are bound to Xero's own ledger."""
        return bool(self.payload.get("IsTrackedAsInventory"))

    def values(self):
        """What a product shares with this item.

        :return: dict over :data:`FIELDS`. Texts are '' and prices (float, four decimals), codes of accounts and tax
            types None where Xero says nothing; so are code and name. A side that is not sold (not purchased) is left
            out.
        """
        values = {field: formats.text(self.payload.get(key)) for field, key in _TOP_KEYS.items()}
        values |= {field: values[field] or None for field in ("code", "name")}
        for field, (side, key) in _DETAIL_KEYS.items():
            said = self._side(side).get(key)
            if field in PRICES:
                values[field] = price(said)
            else:
                values[field] = formats.text(said) or None
        return {field: value for field, value in values.items() if field not in self._closed()}

    def _side(self, side):
        """The details of sale or purchase, empty where there are none that can be read."""
        details = self.payload.get(side)
        return details if isinstance(details, dict) else {}

    def _closed(self):
        """Fields Xero keeps empty: of what is not sold, or not purchased."""
        closed = ()
        if self.payload.get("IsSold") is False:
            closed += _SALES_ONLY
        if self.payload.get("IsPurchased") is False:
            closed += _PURCHASE_ONLY
        return closed

    def changed(self, values):
        """The element that brings these values to this item, and leaves everything else alone.

        Details are sent whole, as Xero has them, but for what changes. The flags (sold, purchased, tracked) are never
        sent: switching one off would null what belongs to it.
        """
        element = {"ItemID": self.id, "Code": self.code, **_element(values)}
        for side in {"SalesDetails", "PurchaseDetails"} & set(element):
            held = {key: value for key, value in self._side(side).items() if value not in (None, "")}
            element[side] = held | element[side]
        return element


def new_element(values):
    """The element that makes an item with these values; what is empty is left out."""
    return _element({field: value for field, value in values.items() if value not in (None, "")})


def _element(values):
    element = {_TOP_KEYS[field]: value for field, value in values.items() if field in _TOP_KEYS}
    for field, value in values.items():
        if field in _DETAIL_KEYS:
            side, key = _DETAIL_KEYS[field]
            element.setdefault(side, {})[key] = value
    return element


def price(value):
    """A unit price with Xero's four decimals as float, None where there is none that can be read."""
    if value in (None, ""):
        return None
    try:
        return float(formats.decimal(value).quantize(formats.FOUR_PLACES, formats.HALF_UP))
    except ArithmeticError:
        return None
