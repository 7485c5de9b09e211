"""A Xero contact and its addresses as read from JSON (xero-api.md, sections 3.3 and 4.6)."""

from . import formats

# What Xero takes at most (xero-api.md, section 4.6).
LONGEST_NAME = 255
_LONGEST = {"Country": 50, "PostalCode": 50}
_LONGEST_TEXT = 255
_LONGEST_LINE = 500
_LONGEST_NUMBER = 50
_BRACKETS = str.maketrans("<>", "()")


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
    def number(self):
        """The ``ContactNumber``: whoever made the contact through the API knows it by this."""
        return self._text("ContactNumber")

    @property
    def merged_into(self):
        """The id of the contact this one was merged into; '' where it was not."""
        return self._text("MergedToContactID")

    @property
    def is_archived(self):
        return self._text("ContactStatus").upper() not in ("", "ACTIVE")

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


# === TO XERO === #


def clean_name(value):
    """A contact's name as Xero takes it: no angle brackets, no spaces doubled or at the ends, no more than it stores.

    >>> clean_name("  Aroha   <Wholesale> ")
    'Aroha (Wholesale)'
    """
    return " ".join(formats.text(value).translate(_BRACKETS).split())[:LONGEST_NAME].strip()


def same_name(value):
    """A name as Xero compares it: two contacts in use never have the same one."""
    return clean_name(value).casefold()


def new_element(number, name, *, email="", phone="", tax_number="", is_person=False, addresses=()):
    """What is sent to make a contact; what is empty is left out.

    :param str number: the ``ContactNumber``
    :param addresses: elements of :func:`address_element`
    """
    name = clean_name(name)
    first, _space, last = name.rpartition(" ")
    element = {
        "Name": name,
        "ContactNumber": number,
        "EmailAddress": email if len(email) <= _LONGEST_TEXT else "",
        "FirstName": (first or last) if is_person else "",
        "LastName": last if is_person and first else "",
        "TaxNumber": formats.text(tax_number)[:_LONGEST_NUMBER],
        "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": formats.text(phone)[:_LONGEST_NUMBER]}] if phone else [],
        "Addresses": [address for address in addresses if address],
    }
    return {key: value for key, value in element.items() if value}


def address_element(kind, lines, *, city="", region="", postal_code="", country="", attention=""):
    """One of a contact's addresses; None where there is nothing to say.

    :param str kind: ``STREET`` (delivery) or ``POBOX`` (billing)
    """
    lines = [formats.text(line)[:_LONGEST_LINE] for line in lines if formats.text(line)]
    texts = {"City": city, "Region": region, "PostalCode": postal_code, "Country": country, "AttentionTo": attention}
    told = {key: formats.text(value)[: _LONGEST.get(key, _LONGEST_TEXT)] for key, value in texts.items()}
    told = {key: value for key, value in told.items() if value}
    if not lines and not told.keys() - {"Country", "AttentionTo"}:
        return None
    return {"AddressType": kind} | {f"AddressLine{row}": line for row, line in enumerate(lines, 1)} | told
