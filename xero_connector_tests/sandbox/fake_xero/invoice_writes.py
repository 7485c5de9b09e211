"""Creating and updating invoices and credit notes (`xero-api.md` 4.1, 4.2, 4.5)."""
from . import document_checks as checks
from .formats import parse_date
from .history import add_history
from .line_checks import check_lines, merge_lines

FREE_WHEN_PAID = {"Reference", "DueDate", "InvoiceNumber", "BrandingThemeID", "Url", "Contact", "LineItems",
                  "ExpectedPaymentDate", "PlannedPaymentDate", "SentToContact"}
FREE_IN_LINES_WHEN_PAID = {"Description", "AccountCode", "AccountID", "Tracking"}
COPIED = ("Reference", "InvoiceNumber", "CreditNoteNumber", "BrandingThemeID", "Url", "CurrencyCode", "CurrencyRate",
          "LineAmountTypes", "SentToContact", "ExpectedPaymentDate", "PlannedPaymentDate", "Date", "DueDate", "Status")


def _existing(batch, element):
    """The record an element means: by path, by id, and with POST by number too, so a reused number edits."""
    table = batch.organisation.tables[batch.resource]
    is_note = batch.resource == "CreditNotes"
    if batch.target:
        return batch.target
    if batch.create_only:
        return None
    if element.get("CreditNoteID" if is_note else "InvoiceID"):
        return table.get(element["CreditNoteID" if is_note else "InvoiceID"])
    found = table.by_number(element.get("CreditNoteNumber" if is_note else "InvoiceNumber"))
    return found if found and found.data["Type"].startswith("ACCREC") else None


def plan(batch, element):
    """(problems, function that saves, record that changes or None) for one element."""
    problems = []
    existing = _existing(batch, element)
    if existing and existing.verbatim:  # given data may lack what the checks look at
        return problems, lambda: _update_verbatim(batch, element, existing), existing
    number_field = "CreditNoteNumber" if batch.resource == "CreditNotes" else "InvoiceNumber"
    checks.check_texts(element, number_field, problems)
    checks.check_head(batch, element, problems)
    checks.check_number(batch, element, existing, problems)
    checks.check_contact(batch, element, problems, required=not existing)
    checks.check_dates(batch, element, existing.data if existing else {}, problems)
    if batch.resource == "CreditNotes" and any(line.get("DiscountRate") or line.get("DiscountAmount")
                                               for line in element.get("LineItems") or []):
        problems.append("Discounts are not supported on credit notes")
    save = _update(batch, element, existing, problems) if existing else _create(batch, element, problems)
    return list(dict.fromkeys(problems)), save, existing


def _create(batch, element, problems):
    status = element.get("Status") or "DRAFT"
    if not element.get("Type"):
        problems.append("Type must be specified")
    if status not in checks.NEW:
        problems.append(f"A new document cannot have status {status}")
    lines = element.get("LineItems") or []
    if not lines:
        problems.append("One or more line items must be specified")
    if element.get("SentToContact") and status == "DRAFT":
        problems.append("SentToContact can be set on approved documents only")
    data = {"Type": element.get("Type") or "ACCREC", "Status": status,
            "LineAmountTypes": element.get("LineAmountTypes") or "Exclusive"}
    lines = [{key: value for key, value in line.items() if key != "LineItemID"} for line in lines]
    check_lines(batch, data, lines, problems)

    def save():
        fields = {**element, **data, "LineItems": lines, "Contact": _contact(batch, element["Contact"])}
        for key in ("InvoiceID", "CreditNoteID", "FullyPaidOnDate", "RepeatingInvoiceID"):
            fields.pop(key, None)
        return batch.organisation.document(batch.resource, fields, places=batch.places)
    return save


def _update(batch, element, existing, problems):
    data = existing.data
    new_status = element.get("Status") or data["Status"]
    allowed = checks.TRANSITIONS[data["Status"]]
    if new_status not in allowed:
        settled = data.get("Payments") or data.get("CreditNotes") or data.get("Allocations")
        problems.append(checks.PAID_OR_CREDITED if settled else checks.NOT_MODIFIABLE)
    changes = _changes(data, element)
    if element.get("LineItems") is not None:
        changes["LineItems"] = merge_lines(data["LineItems"], element["LineItems"], batch.places, problems)
        after = {**data, **{key: changes[key] for key in ("LineAmountTypes", "Status") if key in changes}}
        sent = [line for line in changes["LineItems"] if not _is_stub(line, data["LineItems"])]
        check_lines(batch, after, sent, problems)
    _check_settled(data, changes, problems)
    if "Contact" in changes and data.get("CreditNotes"):
        problems.append(checks.PAID_OR_CREDITED)

    def save():
        if "Contact" in changes:
            changes["Contact"] = _contact(batch, element["Contact"])
        batch.organisation.apply(data, changes, 4)  # merge_lines has rounded what was sent
        now = batch.organisation.clock.now()
        existing.changed(now)
        add_history(existing, {"VOIDED": "Voided", "DELETED": "Deleted"}.get(new_status, "Edited"),
                    ", ".join(changes), now)
        return existing
    return save


def _update_verbatim(batch, element, existing):
    batch.organisation.update(batch.resource, existing.id, **element)
    return existing


def _changes(data, element):
    """Fields of the element that differ from the stored document."""
    changes = {}
    for key in COPIED:
        if element.get(key) is None:
            continue
        same = element[key] == data.get(key)
        if key.endswith("Date"):
            try:
                same = parse_date(element[key]) == parse_date(data.get(key))
            except ValueError:
                same = True  # refused by check_dates
        if not same:
            changes[key] = element[key]
    contact = element.get("Contact") or {}
    if isinstance(contact, dict) and (set(contact) - {"ContactID"} or contact.get("ContactID") not in (
            None, data["Contact"]["ContactID"])):
        changes["Contact"] = contact
    return changes


def _is_stub(line, stored):
    """A stored line that was sent unchanged need not be judged again."""
    return any(line == old for old in stored)


def _check_settled(data, changes, problems):
    """A document with a payment or credit on it: only a few fields may change."""
    if not (data.get("Payments") or data.get("CreditNotes") or data.get("Allocations")):
        return
    refused = set(changes) - FREE_WHEN_PAID
    old = {line["LineItemID"]: line for line in data["LineItems"]}
    lines = changes.get("LineItems", data["LineItems"])
    if {line.get("LineItemID") for line in lines} != set(old):
        refused.add("LineItems")
    for line in lines:
        before = old.get(line.get("LineItemID"), {})
        refused |= {key for key in {*line, *before} - FREE_IN_LINES_WHEN_PAID if line.get(key) != before.get(key)}
    if refused:
        problems.append(checks.PAID_OR_CREDITED)


def _contact(batch, contact):
    """The contact of a document by id; further fields sent with it change it, persons left out are deleted."""
    found = checks.find_contact(batch.organisation, contact)
    fields = {key: value for key, value in contact.items() if key != "ContactID"}
    if not found:
        return {"ContactID": batch.organisation.add_contact(**fields)["ContactID"]}
    if any(found.data.get(key) != value for key, value in fields.items()):
        batch.organisation.update("Contacts", found.id, **{"ContactPersons": [], **fields})
    return {"ContactID": found.id}
