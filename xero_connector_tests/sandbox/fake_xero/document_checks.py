"""What Xero refuses about the head of an invoice or credit note (`xero-api.md` 3.1, 4.1, 4.2)."""
from .formats import parse_date

LONGEST = 255
STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED")
NEW = ("DRAFT", "SUBMITTED", "AUTHORISED")
TRANSITIONS = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"), "PAID": ("PAID",), "VOIDED": (), "DELETED": (),
}
TYPES = {"Invoices": ("ACCREC", "ACCPAY"), "CreditNotes": ("ACCRECCREDIT", "ACCPAYCREDIT")}
NOT_MODIFIABLE = "Invoice not of valid status for modification"
PAID_OR_CREDITED = "This document cannot be edited as it has a payment or credit note allocated to it."


def check_texts(element, number_field, problems):
    """Lengths, alphabet, forbidden words."""
    for key in (number_field, "Reference"):
        text = element.get(key)
        if text is not None and len(str(text)) > LONGEST:
            problems.append(f"The length of {key} must not exceed {LONGEST} characters")
    text = str(element.get(number_field) or "")
    if any(not 32 <= ord(letter) < 127 for letter in text):
        problems.append(f"{number_field} may contain printable ASCII characters only")
    if "xero" in str(element.get("Url") or "").lower():
        problems.append("Url must not contain 'xero'")


def check_dates(batch, element, data, problems):
    """Readable dates outside the locked period; `data` is the stored document, empty for a new one."""
    days = {}
    for key in ("Date", "DueDate", "ExpectedPaymentDate", "PlannedPaymentDate"):
        try:
            days[key] = parse_date(element.get(key))
        except ValueError:
            problems.append(f"The value '{element[key]}' of {key} is not a date")
    books = next(iter(batch.organisation.tables["Organisations"])).data
    dates = [day for day in (parse_date(data.get("Date")), days.get("Date") or batch.organisation.today()
                             if not data else days.get("Date")) if day]
    for key, name in (("EndOfYearLockDate", "end of year lock date"), ("PeriodLockDate", "period lock date")):
        lock = parse_date(books.get(key))
        if lock and any(day <= lock for day in dates):
            problems.append(f"The document date cannot be before the {name}, currently set at {lock:%d %B %Y}")


def check_head(batch, element, problems):
    """Type, amounts' tax mode, currency: what may only take listed values."""
    kinds = TYPES[batch.resource]
    if element.get("Type") and element["Type"] not in kinds:
        problems.append(f"'{element['Type']}' is not a valid Type; use one of {', '.join(kinds)}")
    if element.get("LineAmountTypes") not in (None, "Exclusive", "Inclusive", "NoTax"):
        problems.append(f"'{element['LineAmountTypes']}' is not a valid LineAmountTypes")
    if element.get("Status") and element["Status"] not in STATUSES:
        problems.append(f"'{element['Status']}' is not a valid Status")
    currency = element.get("CurrencyCode")
    if currency and not batch.organisation.tables["Currencies"].get(currency):
        problems.append(f"Organisation is not subscribed to currency {currency}")


def check_contact(batch, element, problems, required):
    """The contact must be there and active."""
    contact = element.get("Contact")
    if not contact:
        if required:
            problems.append("A Contact must be specified for this type of transaction")
        return
    if not isinstance(contact, dict) or not any(contact.get(key) for key in ("ContactID", "Name", "ContactNumber")):
        problems.append("The Contact must have a ContactID, a ContactNumber or a Name")
        return
    found = find_contact(batch.organisation, contact)
    if contact.get("ContactID") and not found:
        problems.append("The Contact with the specified ContactID could not be found")
    elif found and found.data.get("ContactStatus") == "ARCHIVED":
        problems.append("The contact with the specified contact details has been archived. The contact must be "
                        "un-archived before creating new invoices or credit notes.")


def find_contact(organisation, contact):
    """The record a contact inside a document means, or None."""
    table = organisation.tables["Contacts"]
    if contact.get("ContactID"):
        return table.get(contact["ContactID"])
    return table.by_number(contact.get("ContactNumber")) or table.by_number(contact.get("Name"), "Name")


def check_number(batch, element, existing, problems):
    """Sales numbers are unique; a number may be used again once its invoice is deleted or voided."""
    number_field = "CreditNoteNumber" if batch.resource == "CreditNotes" else "InvoiceNumber"
    wanted = str(element.get(number_field) or "").casefold()
    kind = element.get("Type") or (existing.data["Type"] if existing else "")
    if not wanted or kind.startswith("ACCPAY"):
        return
    clash = any(
        other is not existing and other.data["Type"].startswith("ACCREC")
        and str(other.data.get(number_field) or "").casefold() == wanted
        and other.data.get("Status") not in ("DELETED", "VOIDED")
        for other in batch.organisation.tables[batch.resource])
    if clash or wanted in batch.taken:
        problems.append("Invoice # must be unique." if batch.resource == "Invoices" else
                        "Credit Note # must be unique.")
    batch.taken.add(wanted)
