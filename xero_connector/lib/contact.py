"""A Xero contact and its addresses as read from JSON (xero-api.md, sections 3.3 and 4.6)."""

from . import formats


class XeroContact:
    """Read-only view of a contact payload."""

    def __init__(self, payload):
        self.payload = payload or {}

    def _text(self, key):
        return formats.text(self.payload.get(key))

    @property
    def id(self):
        return self._text("ContactID")

    @property
    def name(self):
        return self._text("Name")

    @property
    def email(self):
        return self._text("EmailAddress")

    @property
    def tax_number(self):
        return self._text("TaxNumber")

    @property
    def phone(self):
        """The first number given, the default one before direct line and mobile."""
        numbers = {
            entry.get("PhoneType"): " ".join(
                filter(None, map(formats.text, map(entry.get, ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber"))))
            )
            for entry in self.payload.get("Phones") or ()
            if formats.text(entry.get("PhoneNumber"))
        }
        return next((numbers[kind] for kind in ("DEFAULT", "DDI", "MOBILE") if numbers.get(kind)), "")

    def address(self, *kinds):
        """The first address of these kinds that holds anything; an empty one when none does.

        :param kinds: ``STREET`` (delivery), ``POBOX`` (billing), in order of preference
        """
        by_kind = {entry.get("AddressType"): XeroAddress(entry) for entry in self.payload.get("Addresses") or ()}
        return next((by_kind[kind] for kind in kinds if by_kind.get(kind)), XeroAddress({}))


class XeroAddress:
    """One of a contact's address slots. False when all its fields are empty, as in every unused slot."""

    def __init__(self, payload):
        lines = [formats.text(payload.get(f"AddressLine{number}")) for number in range(1, 5)]
        self.lines = [line for line in lines if line]
        self.city = formats.text(payload.get("City"))
        self.region = formats.text(payload.get("Region"))
        self.postal_code = formats.text(payload.get("PostalCode"))
        self.country = formats.text(payload.get("Country"))
        self.attention = formats.text(payload.get("AttentionTo"))

    def __bool__(self):
        return bool(self.lines or self.city or self.region or self.postal_code)
