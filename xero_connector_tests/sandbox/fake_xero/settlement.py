"""Payments and credit note allocations: how documents get paid (`xero-api.md` 3.1, 4.5)."""
from .documents import settle
from .formats import date_string, number, wire_date
from .history import add_history
from .store import new_id


def document_stub(record, contact_id, contact_name):
    """The short form of a document inside payments and allocations."""
    data = record.data
    is_note = "CreditNoteID" in data
    return {"Type": data["Type"], "InvoiceID": record.id,
            "InvoiceNumber": data.get("CreditNoteNumber" if is_note else "InvoiceNumber", ""),
            "Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": [], "HasErrors": False,
            "IsDiscounted": False, "Contact": {"ContactID": contact_id, "Name": contact_name, "Addresses": [],
                                               "Phones": [], "ContactGroups": [], "ContactPersons": [],
                                               "HasValidationErrors": False},
            "LineItems": [], "CurrencyCode": data["CurrencyCode"]}


def pay(organisation, record, amount, day, when, **fields):
    """Book a payment on a document; returns the payment's record."""
    contact = organisation.tables["Contacts"].get(record.data["Contact"]["ContactID"])
    bank = organisation.tables["Accounts"].by_number((fields.get("Account") or {}).get("Code") or "090")
    is_note = "CreditNoteID" in record.data
    kind = {"ACCREC": "ACCRECPAYMENT", "ACCPAY": "ACCPAYPAYMENT", "ACCRECCREDIT": "ARCREDITPAYMENT",
            "ACCPAYCREDIT": "APCREDITPAYMENT"}[record.data["Type"]]
    payment = {
        "PaymentID": fields.get("PaymentID") or new_id(), "Date": wire_date(day), "BankAmount": number(amount, 2),
        "Amount": number(amount, 2), "Reference": fields.get("Reference") or "",
        "CurrencyRate": record.data.get("CurrencyRate", 1.0), "PaymentType": kind, "Status": "AUTHORISED",
        "HasAccount": True, "IsReconciled": False,
        "Account": {"AccountID": bank.id if bank else new_id(), "Code": bank.data["Code"] if bank else "090"},
        "Invoice": document_stub(record, record.data["Contact"]["ContactID"], contact.data["Name"] if contact else ""),
        "HasValidationErrors": False,
    }
    payment_record = organisation.store("Payments", payment, when)
    record.data["Payments"].append({
        "PaymentID": payment["PaymentID"], "Date": payment["Date"], "Amount": payment["Amount"],
        "Reference": payment["Reference"], "CurrencyRate": payment["CurrencyRate"], "HasAccount": False,
        "HasValidationErrors": False})
    settle(record.data, day)
    record.changed(when, by_payment=True)
    add_history(record, "Cash Refunded" if is_note else "Paid", f"Payment of {payment['Amount']:.2f}", when)
    return payment_record


def cancel_payment(organisation, payment_record, when):
    """Delete a payment: its document is open again."""
    payment_id = payment_record.id
    payment_record.data["Status"] = "DELETED"
    payment_record.changed(when)
    for table in ("Invoices", "CreditNotes"):
        record = organisation.tables[table].get(payment_record.data["Invoice"]["InvoiceID"])
        if record:
            record.data["Payments"] = [entry for entry in record.data["Payments"] if entry["PaymentID"] != payment_id]
            settle(record.data, when.date())
            record.changed(when, by_payment=True)
            add_history(record, "Payment deleted", f"Payment of {payment_record.data['Amount']:.2f}", when)


def allocate(organisation, note, invoice, amount, day, when):
    """Allocate `amount` of a credit note to an invoice; returns the allocation as Xero writes it."""
    allocation = {"AllocationID": new_id(), "Amount": number(amount, 2), "Date": wire_date(day),
                  "Invoice": {"InvoiceID": invoice.id, "InvoiceNumber": invoice.data["InvoiceNumber"]},
                  "IsDeleted": False}
    note.data["Allocations"].append(allocation)
    invoice.data["CreditNotes"].append({
        "CreditNoteID": note.id, "CreditNoteNumber": note.data["CreditNoteNumber"], "ID": note.id, "HasErrors": False,
        "AppliedAmount": allocation["Amount"], "DateString": date_string(day), "Date": wire_date(day), "LineItems": [],
        "Total": note.data["Total"]})
    organisation.allocations[allocation["AllocationID"]] = (note, invoice)
    _after_allocation(note, invoice, day, when, "Credit Applied", amount)
    return allocation


def remove_allocation(organisation, allocation_id, when):
    """Undo an allocation; False when there is none of this id."""
    pair = organisation.allocations.pop(allocation_id, None)
    if not pair:
        return False
    note, invoice = pair
    gone = next(entry for entry in note.data["Allocations"] if entry["AllocationID"] == allocation_id)
    note.data["Allocations"].remove(gone)
    applied = next(entry for entry in invoice.data["CreditNotes"]
                   if entry["CreditNoteID"] == note.id and entry["AppliedAmount"] == gone["Amount"])
    invoice.data["CreditNotes"].remove(applied)
    _after_allocation(note, invoice, when.date(), when, "Credit Removed", gone["Amount"])
    return True


def _after_allocation(note, invoice, day, when, changes, amount):
    for record in (note, invoice):
        settle(record.data, day)
        record.changed(when)
        add_history(record, changes, f"{note.data['CreditNoteNumber']}: {number(amount, 2):.2f}", when)
