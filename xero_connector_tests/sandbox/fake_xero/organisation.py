"""One organisation: its books, and the helpers that fill them as a person working in Xero would."""
from datetime import timedelta

from . import countries, setup_books
from .contacts import complete_contact
from .documents import complete_line, set_date, settle, total_up
from .formats import decimal, number, parse_date, parse_instant, wire_date, wire_instant
from .history import add_history, attach
from .items import complete_item
from .settlement import allocate, pay
from .store import ID_FIELDS, Record, Table, new_id

DOCUMENT_FIELDS = ("Reference", "Url", "BrandingThemeID", "SentToContact", "RepeatingInvoiceID", "CurrencyRate",
                   "ExpectedPaymentDate", "PlannedPaymentDate", "FullyPaidOnDate")
DATES = ("Date", "DueDate")


class Organisation:
    """A set of books. The `add_*` methods take Xero's field names and return the stored dictionary.

    They compute what Xero computes and refuse nothing: a test may well want what Xero would not accept. Treat the
    returned dictionaries as read-only and change them with `update`. Each takes `updated=`, an aware datetime, for
    UpdatedDateUTC.
    """

    def __init__(self, clock, name, country="NZ", currency="NZD", tax=None, **extra):
        """`tax` is the tax type of sales when it is not the country's; `extra` goes into /Organisation."""
        self.clock, self.name, self.country, self.currency, self.tax = clock, name, country, currency, tax
        self.tenant_id = extra.pop("OrganisationID", None) or new_id()
        self.tables = {resource: Table(resource) for resource in ID_FIELDS}
        self.allocations = {}
        self._numbers = {"INV": 0, "CN": 0}
        setup_books.open_books(self, extra)

    # --- look-ups ------------------------------------------------------------------------------------------------
    def default_tax(self, sales=True):
        """The tax type put on sales, or on purchases."""
        return (sales and self.tax) or countries.default_tax(self.country, sales)

    def tax_rate(self, tax_type):
        """Percent as Decimal, or None when the organisation has no such tax type."""
        row = self.tables["TaxRates"].get(tax_type)
        return decimal(row.data.get("EffectiveRate") or 0) if row else None

    def next_number(self, prefix):
        """The next free automatic number, such as `INV-0007`."""
        table = self.tables["Invoices" if prefix == "INV" else "CreditNotes"]
        while True:
            self._numbers[prefix] += 1
            candidate = f"{prefix}-{self._numbers[prefix]:04d}"
            if not table.by_number(candidate):
                return candidate

    def record(self, resource, record_id):
        """The stored record of an id or number; KeyError when there is none."""
        found = self.tables[resource].find(record_id)
        if not found:
            raise KeyError(f"{self.name} has no {resource} {record_id}")
        return found

    def today(self):
        """The calendar date of the fake's clock."""
        return self.clock.now().date()

    # --- filling -------------------------------------------------------------------------------------------------
    def store(self, resource, data, updated=None):
        """Keep a completed dictionary; returns its record."""
        record = Record(resource, data, updated)
        record.changed(parse_instant(updated) or self.clock.now())
        return self.tables[resource].add(record)

    def add_contact(self, updated=None, **fields):
        """A contact; needs nothing but a Name, and makes even that up."""
        fields.setdefault("Name", f"Contact {len(self.tables['Contacts']) + 1}")
        return self.store("Contacts", complete_contact(fields), updated).data

    def add_item(self, updated=None, **fields):
        """An item; Code is needed."""
        return self.store("Items", complete_item(self, fields), updated).data

    def add_account(self, **fields):
        """An account of the chart: Code, Name, Type and whatever else."""
        account = {"AccountID": new_id(), "Status": "ACTIVE", "Type": "REVENUE", "Class": "REVENUE", "TaxType": "NONE",
                   "EnablePaymentsToAccount": False, **fields, "UpdatedDateUTC": ""}
        return self.store("Accounts", account).data

    def add_invoice(self, updated=None, **fields):
        """An invoice. Defaults: ACCREC, AUTHORISED, dated today, due in 14 days, prices exclusive, a new contact.

        `Contact` is a dictionary with ContactID, an id, or nothing. `Status="PAID"` pays it in full.
        """
        return self.document("Invoices", fields, updated).data

    def add_credit_note(self, updated=None, **fields):
        """A credit note, with the defaults of an invoice; type ACCRECCREDIT."""
        return self.document("CreditNotes", fields, updated).data

    def document(self, resource, fields, updated=None, places=4):
        """Build, number and store an invoice or credit note; returns its record."""
        is_note = resource == "CreditNotes"
        kind = fields.get("Type") or ("ACCRECCREDIT" if is_note else "ACCREC")
        status = fields.get("Status") or "AUTHORISED"
        day = parse_date(fields.get("Date")) or self.today()
        number_field = "CreditNoteNumber" if is_note else "InvoiceNumber"
        given = fields.get(number_field)
        if not given and (given is None or kind.startswith("ACCREC")):
            given = self.next_number("CN" if is_note else "INV") if kind.startswith("ACCREC") else ""
        if fields.get("CurrencyCode") and not self.tables["Currencies"].get(fields["CurrencyCode"]):
            self.subscribe(fields["CurrencyCode"])
        data = {"Type": kind, ID_FIELDS[resource]: fields.get(ID_FIELDS[resource]) or new_id(), number_field: given,
                "Reference": fields.get("Reference") or "", "Payments": []}
        if is_note:
            data.update(ID=data["CreditNoteID"], CurrencyRate=1.0, RemainingCredit=0.0, Allocations=[],
                        HasAttachments=False)
        else:
            data.update(CreditNotes=[], Prepayments=[], Overpayments=[], AmountDue=0.0, AmountPaid=0.0,
                        AmountCredited=0.0, SentToContact=False, CurrencyRate=1.0, IsDiscounted=False,
                        HasAttachments=False, InvoiceAddresses=[], HasErrors=False, InvoicePaymentServices=[])
        data["Contact"] = {"ContactID": self._contact_id(fields.get("Contact"))}
        set_date(data, "Date", day)
        if not is_note:
            set_date(data, "DueDate", fields.get("DueDate") or day + timedelta(days=14))
        theme = next(iter(self.tables["BrandingThemes"]), None)
        if theme:
            data["BrandingThemeID"] = theme.id
        data.update(Status="AUTHORISED" if status == "PAID" else status,
                    LineAmountTypes=fields.get("LineAmountTypes") or "Exclusive",
                    CurrencyCode=fields.get("CurrencyCode") or self.currency)
        self.apply(data, {"LineItems": [], **{key: fields[key] for key in ("LineItems", *DOCUMENT_FIELDS)
                                              if key in fields}}, places)
        record = self.store(resource, data, updated)
        changes = "Approved" if status in ("AUTHORISED", "PAID") else "Created"
        add_history(record, changes, given or kind, record.updated)
        if status == "PAID":
            pay(self, record, data["Total"], record.updated.date(), record.updated)
        self._mark_contact(record)
        return record

    def _contact_id(self, contact):
        if isinstance(contact, str):
            return contact
        contact = contact or {}
        if not contact.get("ContactID"):
            named = self.tables["Contacts"].by_number(contact.get("Name"), "Name")
            return named.id if named else self.add_contact(**contact)["ContactID"]
        return contact["ContactID"]

    def _mark_contact(self, record):
        """IsCustomer/IsSupplier follow the first document, without a bump of the contact (`xero-api.md` 3.2)."""
        contact = self.tables["Contacts"].get(record.data["Contact"]["ContactID"])
        if contact and not contact.verbatim:
            contact.data["IsCustomer" if record.data["Type"].startswith("ACCREC") else "IsSupplier"] = True
            contact.changed()

    def apply(self, data, changes, places=4):
        """Put changed fields into an invoice or credit note and compute it anew; lines are replaced as a whole."""
        for key, value in changes.items():
            if key in DATES:
                set_date(data, key, value)
            elif key == "Contact":
                data["Contact"] = {"ContactID": self._contact_id(value)}
            elif key.endswith("Date"):
                data[key] = wire_date(parse_date(value))
            elif key == "CurrencyRate" and value is None:
                data.pop(key, None)  # Xero leaves it out now and then, even in base currency
            elif key == "CurrencyRate":
                data[key] = number(value, 10)
            elif key != "LineItems":
                data[key] = value
        sales = data["Type"].startswith("ACCREC")
        if "LineItems" in changes:
            data["LineItems"] = [complete_line(self, line, data["LineAmountTypes"], places, sales)
                                 for line in changes["LineItems"] or []]
        elif "LineAmountTypes" in changes:
            data["LineItems"] = [complete_line(self, {**line, "TaxAmount": None}, data["LineAmountTypes"], 4, sales)
                                 for line in data["LineItems"]]
        total_up(data)
        settle(data, self.today())

    # --- changing ------------------------------------------------------------------------------------------------
    def subscribe(self, *currencies):
        """Let the organisation use these currencies; its own is there from the start."""
        setup_books.subscribe(self, *currencies)

    def rename(self, name):
        """Give the organisation another name, in /Organisation and in /connections."""
        for record in self.tables["Organisations"]:
            self.update("Organisations", record.id, Name=name)

    def lock(self, period=None, end_of_year=None):
        """Set the lock dates (dates; None leaves one alone)."""
        setup_books.lock_books(self, period, end_of_year)

    def update(self, resource, record_id, updated=None, **changes):
        """Change a record as a person in Xero would, and bump UpdatedDateUTC; returns the dictionary."""
        record = self.record(resource, record_id)
        if record.verbatim:
            record.data.update(changes)
            if "UpdatedDateUTC" in record.data and "UpdatedDateUTC" not in changes:
                record.data["UpdatedDateUTC"] = wire_instant(parse_instant(updated) or self.clock.now())
        elif resource in ("Invoices", "CreditNotes"):
            self.apply(record.data, changes)
            add_history(record, "Edited", ", ".join(changes), self.clock.now())
        elif resource == "Contacts":
            record.data.update(complete_contact({**record.data, **changes}))
        elif resource == "Items":
            record.data = complete_item(self, {**record.data, **changes})
        else:
            record.data.update(changes)
        if resource == "Organisations":
            self.name = changes.get("Name", self.name)
        record.changed(parse_instant(updated) or self.clock.now())
        return record.data

    def merge_contact(self, contact, into):
        """Merge a contact (dictionary or id) into another one: it is archived, its documents are the other's. To
        If-Modified-Since a merge is no change (`xero-api.md` 3.2)."""
        source, target = (self.record("Contacts", one["ContactID"] if isinstance(one, dict) else one)
                          for one in (contact, into))
        source.data = complete_contact(
            {**source.data, "ContactStatus": "ARCHIVED", "MergedToContactID": target.id}
        ) | {"UpdatedDateUTC": source.data["UpdatedDateUTC"]}
        source.changed()
        for resource in ("Invoices", "CreditNotes"):
            for record in self.tables[resource]:
                if record.data.get("Contact", {}).get("ContactID") == source.id:
                    record.data["Contact"] = {"ContactID": target.id}
                    record.changed()
        return source.data

    def delete_item(self, item_id):
        """Delete an item (id or code) for good: no list tells of it any more."""
        self.tables["Items"].remove(self.record("Items", item_id))

    def void(self, invoice_id, updated=None):
        """Void an approved invoice or credit note."""
        resource = "Invoices" if self.tables["Invoices"].find(invoice_id) else "CreditNotes"
        return self.update(resource, invoice_id, updated=updated, Status="VOIDED")

    def add_payment(self, invoice_id, amount=None, date=None, updated=None, **fields):
        """Pay an invoice or credit note, wholly when no amount is given; returns the payment."""
        invoice_id = invoice_id["InvoiceID"] if isinstance(invoice_id, dict) else invoice_id
        record = self.tables["Invoices"].find(invoice_id) or self.record("CreditNotes", invoice_id)
        left = record.data.get("AmountDue", record.data.get("RemainingCredit"))
        return pay(self, record, amount if amount is not None else left, parse_date(date) or self.today(),
                   parse_instant(updated) or self.clock.now(), **fields).data

    def allocate(self, credit_note, invoice, amount=None, date=None, updated=None):
        """Allocate a credit note (dictionary or id) to an invoice; returns the allocation."""
        note = self.record("CreditNotes", credit_note["CreditNoteID"] if isinstance(credit_note, dict) else credit_note)
        target = self.record("Invoices", invoice["InvoiceID"] if isinstance(invoice, dict) else invoice)
        if amount is None:
            amount = min(note.data["RemainingCredit"], target.data["AmountDue"])
        return allocate(self, note, target, amount, parse_date(date) or self.today(),
                        parse_instant(updated) or self.clock.now())

    def add_history_note(self, invoice_id, details, user="Sam Porter", changes="Note", when=None):
        """A note a person wrote in Xero on an invoice or credit note."""
        record = self.tables["Invoices"].find(invoice_id) or self.record("CreditNotes", invoice_id)
        return add_history(record, changes, details, parse_instant(when) or self.clock.now(), user)

    def add_attachment(self, invoice_id, file_name, content, mime_type="application/octet-stream"):
        """Attach a file (bytes) to an invoice or credit note; returns its description."""
        record = self.tables["Invoices"].find(invoice_id) or self.record("CreditNotes", invoice_id)
        return attach(record, file_name, content, mime_type, self.clock.now())
