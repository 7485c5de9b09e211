"""Payments and allocations over the API (`xero-api.md` 4.5)."""
import json

from .formats import decimal, parse_date
from .http import Response, bad_request, not_found
from .settlement import allocate, cancel_payment, pay, remove_allocation
from .store import ZERO_ID
from .wire import answer


def _document(organisation, element):
    """The invoice or credit note a payment is for, or None."""
    invoice, note = element.get("Invoice") or {}, element.get("CreditNote") or {}
    return (organisation.tables["Invoices"].find(invoice.get("InvoiceID") or invoice.get("InvoiceNumber"))
            or organisation.tables["CreditNotes"].find(note.get("CreditNoteID") or note.get("CreditNoteNumber")))


def _amount(element, problems):
    try:
        amount = decimal(element.get("Amount"))
    except ValueError:
        amount = decimal(0)
    if amount <= 0:
        problems.append("Payment amount must be greater than zero")
    return amount


def plan(batch, element):
    """(problems, function that saves, record that changes or None) for one payment."""
    organisation, problems = batch.organisation, []
    if batch.target or element.get("PaymentID"):
        return _delete(batch, element)
    record, amount = _document(organisation, element), _amount(element, problems)
    account = element.get("Account") or {}
    bank = organisation.tables["Accounts"].find(account.get("Code") or account.get("AccountID"))
    if not bank or (bank.data.get("Type") != "BANK" and not bank.data.get("EnablePaymentsToAccount")):
        problems.append("Account code does not exist or payments to it are not enabled")
    if not record:
        problems.append("A payment must be for an invoice or credit note that exists")
    elif record.data["Status"] != "AUTHORISED":
        problems.append("Payments can only be made against Authorised documents")
    elif amount > decimal(record.data.get("AmountDue", record.data.get("RemainingCredit"))):
        problems.append("Payment amount exceeds the amount outstanding on this document")
    try:
        day = parse_date(element.get("Date")) or organisation.today()
    except ValueError:
        problems.append(f"The value '{element['Date']}' of Date is not a date")

    def save():
        return pay(organisation, record, amount, day, organisation.clock.now(), Account={"Code": bank.data["Code"]},
                   Reference=element.get("Reference"))
    return problems, save, None


def _delete(batch, element):
    """The one change a payment knows: its deletion."""
    record = batch.target or batch.organisation.tables["Payments"].get(element["PaymentID"])
    if not record:
        return ["The payment could not be found"], None, None
    problems = []
    if element.get("Status") != "DELETED" or record.data.get("Status") == "DELETED":
        problems.append("A payment can only be deleted, once")

    def save():
        cancel_payment(batch.organisation, record, batch.organisation.clock.now())
        return record
    return problems, save, record


def put_allocations(call, key):
    """Allocate an approved credit note to invoices; all of them or none."""
    organisation = call.organisation
    note = organisation.tables["CreditNotes"].find(key)
    if not note:
        raise not_found()
    try:
        body = json.loads(call.request.body)
        wanted = [(organisation.tables["Invoices"].find(entry["Invoice"].get("InvoiceID")), decimal(entry["Amount"]),
                   parse_date(entry.get("Date")) or organisation.today(), entry)
                  for entry in body.get("Allocations", [body])]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise bad_request("Allocations with Amount and Invoice expected", 14, "PostDataInvalidException") from None
    problems = _allocation_problems(note, wanted)
    if problems:
        raise bad_request("A validation exception occurred", Elements=[
            {"AllocationID": ZERO_ID, **entry, "ValidationErrors": [{"Message": text} for text in problems]}
            for _invoice, _amount_wanted, _day, entry in wanted])
    made = [allocate(organisation, note, invoice, amount, day, organisation.clock.now())
            for invoice, amount, day, _entry in wanted]
    return answer(call.clock, "Allocations", [{**entry, "ValidationErrors": []} for entry in made])


def _allocation_problems(note, wanted):
    problems = []
    if note.data["Status"] != "AUTHORISED":
        problems.append("Credit notes must be authorised before they can be allocated")
    if sum(amount for _invoice, amount, _day, _entry in wanted) > decimal(note.data["RemainingCredit"]):
        problems.append("The amount exceeds the remaining credit of this credit note")
    for invoice, amount, _day, _entry in wanted:
        if not invoice or invoice.data["Contact"]["ContactID"] != note.data["Contact"]["ContactID"]:
            problems.append("Invoice could not be found for the contact of this credit note")
        elif invoice.data["Status"] != "AUTHORISED":
            problems.append("Credit can only be allocated to authorised invoices")
        elif amount > decimal(invoice.data["AmountDue"]):
            problems.append("The amount exceeds the amount due of the invoice")
        if amount <= 0:
            problems.append("The amount must be greater than zero")
    return problems


def delete_allocation(call, key, allocation_id):
    """Undo an allocation."""
    if not call.organisation.tables["CreditNotes"].find(key) or not remove_allocation(
            call.organisation, allocation_id, call.clock.now()):
        raise not_found()
    body = json.dumps({"AllocationID": allocation_id, "IsDeleted": True}).encode()
    return Response(200, body)
