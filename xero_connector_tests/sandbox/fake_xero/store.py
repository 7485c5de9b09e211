"""Where an organisation keeps things: tables of records that hold Xero-shaped dictionaries."""
import uuid

from .formats import instant_string, parse_instant, wire_instant

ID_FIELDS = {
    "Invoices": "InvoiceID", "CreditNotes": "CreditNoteID", "Contacts": "ContactID", "Items": "ItemID",
    "Payments": "PaymentID", "Accounts": "AccountID", "TaxRates": "TaxType", "Currencies": "Code",
    "TrackingCategories": "TrackingCategoryID", "BrandingThemes": "BrandingThemeID", "Users": "UserID",
    "Organisations": "OrganisationID",
}
NUMBER_FIELDS = {"Invoices": "InvoiceNumber", "CreditNotes": "CreditNoteNumber", "Contacts": "ContactNumber",
                 "Items": "Code", "Accounts": "Code"}
ZERO_ID = "00000000-0000-0000-0000-000000000000"
# Items and contacts have no ISO twin of UpdatedDateUTC (xero-api.md 5, wire_invoice.json)
HAVE_ISO_TWIN = ("Invoices", "CreditNotes", "Payments")


def new_id():
    """A random GUID in Xero's spelling."""
    return str(uuid.uuid4())


class Record:
    """One resource: its dictionary, when it changed, and what hangs on it.

    `data` is the full dictionary in wire format, `updated` an aware datetime, `verbatim` says that it is served exactly
    as given, `history` holds HistoryRecords, oldest first, `attachments` maps file names to (information, bytes).
    """

    __slots__ = (
        "attachments",
        "cache",
        "created_by_app",
        "data",
        "history",
        "id",
        "resource",
        "table",
        "updated",
        "verbatim",
        "version",
    )

    def __init__(self, resource, data, updated, verbatim=False):
        self.resource, self.data, self.updated, self.verbatim = resource, data, updated, verbatim
        self.id = str(data.get(ID_FIELDS[resource]) or new_id())
        self.version, self.cache, self.history, self.attachments, self.created_by_app = 0, {}, [], {}, False
        self.table = None

    def changed(self, when=None, by_payment=False):
        """The data changed: forget cached answers and, with `when`, stamp the record and tell who listens."""
        self.version += 1
        self.cache.clear()
        if self.table is not None:
            self.table.index(self)
        if when is not None:
            self.updated = when
            if "UpdatedDateUTC" in self.data or self.resource in HAVE_ISO_TWIN:
                self.data["UpdatedDateUTC"] = wire_instant(when)
            if self.resource in HAVE_ISO_TWIN:
                self.data["UpdatedDateUTCString"] = instant_string(when)
            if self.table is not None and self.table.listener:
                self.table.listener(self, "UPDATE", by_payment)


class Table:
    """The records of one resource, found by id or by number, in any case.

    `listener(record, "CREATE" or "UPDATE", by_payment)`, when set, hears of every record that is added or stamped anew.
    """

    def __init__(self, resource):
        self.resource, self.listener = resource, None
        self._number_field = NUMBER_FIELDS.get(resource)
        self._rows = {}
        self._by_number = {}

    def __iter__(self):
        return iter(list(self._rows.values()))

    def __len__(self):
        return len(self._rows)

    def add(self, record):
        """Put a record in; an id that is there already is replaced."""
        event_type = "UPDATE" if record.id.lower() in self._rows else "CREATE"
        self._rows[record.id.lower()] = record
        record.table = self
        self.index(record)
        if self.listener:
            self.listener(record, event_type, False)
        return record

    def index(self, record):
        """Remember a record's number; the first record of a number keeps it."""
        number = self._number_of(record)
        if number and self._number_of(self._by_number.get(number)) != number:
            self._by_number[number] = record

    def _number_of(self, record):
        return str(record.data.get(self._number_field) or "").casefold() if record else ""

    def remove(self, record):
        """Drop a record for good."""
        self._rows.pop(record.id.lower(), None)
        self._by_number = {number: row for number, row in self._by_number.items() if row is not record}

    def clear(self):
        """Drop all records."""
        self._rows.clear()
        self._by_number.clear()

    def get(self, record_id):
        """The record of this id, or None."""
        return self._rows.get(str(record_id or "").lower())

    def find(self, id_or_number):
        """The record of this id or number, or None."""
        return self.get(id_or_number) or self.by_number(id_or_number)

    def by_number(self, number, field=None):
        """The first record whose number (or `field`) is this text, in any case."""
        wanted = str(number or "").casefold()
        if field is None:
            found = self._by_number.get(wanted)
            return found if wanted and self._number_of(found) == wanted else None
        return next((row for row in self._rows.values() if str(row.data.get(field) or "").casefold() == wanted), None)


def load_verbatim(organisation, resource, elements, now):
    """Add `elements` so that they are served exactly as given.

    What the lists need beyond that (id, time of change) is taken from the element where it is there.
    """
    for element in elements:
        try:
            updated = parse_instant(element.get("UpdatedDateUTC") or element.get("UpdatedDateUTCString"))
        except ValueError:
            updated = None  # whoever tests with a broken date wants it served
        organisation.tables[resource].add(Record(resource, element, updated or now, verbatim=True))
