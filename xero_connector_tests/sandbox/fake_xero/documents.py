"""The arithmetic of invoices and credit notes: lines, tax, totals (`xero-api.md` 3.1, 4.1)."""
from decimal import Decimal

from .formats import date_string, decimal, number, parse_date, rounded, wire_date
from .store import ZERO_ID, new_id

ZERO = Decimal(0)
LINE_FIELDS = ("ItemCode", "Description", "UnitAmount", "TaxType", "TaxAmount", "LineAmount", "AccountCode", "Item",
               "Tracking", "Quantity", "DiscountRate", "DiscountAmount", "LineItemID", "AccountID")
APPROVED = ("AUTHORISED", "PAID")


def is_text_only(line):
    """Whether a line carries nothing but its description."""
    return not any(line.get(key) not in (None, "") for key in
                   ("Quantity", "UnitAmount", "LineAmount", "ItemCode", "TaxAmount"))


def with_item_defaults(organisation, line, sales):
    """A copy of a line where what was not said comes from the item and the account; explicit values win."""
    line = {key: value for key, value in line.items() if value is not None and value != ""}
    if is_text_only(line):
        # Xero drops account and tax of a line that has no amount
        return {key: line[key] for key in ("Description", "LineItemID", "Tracking") if key in line}
    item = organisation.tables["Items"].by_number(line.get("ItemCode"))
    if item:
        side = item.data.get("SalesDetails" if sales else "PurchaseDetails") or {}
        text = item.data.get("Description" if sales else "PurchaseDescription") or item.data.get("Name")
        line.setdefault("Description", text or item.data["Code"])
        for key, source in (("UnitAmount", "UnitPrice"), ("AccountCode", "AccountCode"), ("TaxType", "TaxType")):
            if source in side:
                line.setdefault(key, side[source])
    if line.get("AccountCode"):
        account = organisation.tables["Accounts"].by_number(line["AccountCode"])
        if account:
            line.setdefault("TaxType", account.data.get("TaxType", "NONE"))
    return line


def line_discount(line, gross):
    """The discount of a line in money."""
    if line.get("DiscountRate"):
        return gross * decimal(line["DiscountRate"]) / 100
    return decimal(line.get("DiscountAmount") or 0)


def expected_amount(line, places):
    """Quantity times unit price less discount, where the unit price is rounded to `places` first."""
    gross = decimal(line.get("Quantity", 1)) * rounded(line.get("UnitAmount", 0), places)
    return rounded(gross - line_discount(line, gross))


def line_tax(amount, rate, amount_types):
    """Tax of one line, rounded to cents; `rate` in percent."""
    if amount_types == "Inclusive":
        return rounded(amount * rate / (100 + rate))
    return rounded(amount * rate / 100) if amount_types == "Exclusive" else ZERO


def complete_line(organisation, line, amount_types, places=4, sales=True):
    """A line as Xero stores it, in the order of keys Xero writes."""
    line = with_item_defaults(organisation, line, sales)
    if not is_text_only(line):
        if "UnitAmount" not in line and "LineAmount" in line:
            line["UnitAmount"] = decimal(line["LineAmount"]) / (decimal(line.get("Quantity", 1)) or 1)
        line["UnitAmount"] = number(line.get("UnitAmount", 0), places)
        line["Quantity"] = number(line.get("Quantity", 1))
        amount = expected_amount(line, places)
        line["LineAmount"] = number(amount, 2)
        line.setdefault("TaxType", organisation.default_tax(sales) if amount_types != "NoTax" else "NONE")
        if amount_types == "NoTax":
            line["TaxType"], line["TaxAmount"] = "NONE", 0.0
        elif line.get("TaxAmount") is None:
            line["TaxAmount"] = line_tax(amount, organisation.tax_rate(line["TaxType"]) or ZERO, amount_types)
        line["TaxAmount"] = number(line["TaxAmount"], 2)
        for key in ("DiscountRate", "DiscountAmount"):
            if key in line:
                line[key] = number(line[key])
        item = organisation.tables["Items"].by_number(line.get("ItemCode"))
        if item:
            line["ItemCode"] = item.data["Code"]
            line["Item"] = {"ItemID": item.id, "Name": item.data.get("Name", ""), "Code": item.data["Code"]}
        account = organisation.tables["Accounts"].by_number(line.get("AccountCode"))
        if account:
            line["AccountID"] = account.id
    line.setdefault("Tracking", [])
    if not line.get("LineItemID") or line["LineItemID"] == ZERO_ID:
        line["LineItemID"] = new_id()
    return {key: line[key] for key in LINE_FIELDS if key in line}


def total_up(document):
    """Set SubTotal, TotalTax, Total from the lines: tax is rounded per line, then summed."""
    lines = [line for line in document["LineItems"] if "LineAmount" in line]
    amount = sum((decimal(line["LineAmount"]) for line in lines), ZERO)
    tax = sum((decimal(line["TaxAmount"]) for line in lines), ZERO)
    inclusive = document["LineAmountTypes"] == "Inclusive"
    document["SubTotal"] = number(amount - tax if inclusive else amount, 2)
    document["TotalTax"] = number(tax, 2)
    document["Total"] = number(amount if inclusive else amount + tax, 2)
    if "CreditNoteID" not in document:
        document["IsDiscounted"] = any(line.get("DiscountRate") or line.get("DiscountAmount") for line in lines)


def set_date(document, key, value):
    """Set a calendar date and its naive twin (`Date` and `DateString`)."""
    day = parse_date(value)
    document[key] = wire_date(day)
    document[f"{key}String"] = date_string(day)


def settle(document, today):
    """Set what is due or left from payments and credits, and the status that follows from it."""
    is_note = "CreditNoteID" in document
    total = decimal(document["Total"])
    paid = sum((decimal(payment["Amount"]) for payment in document["Payments"]), ZERO)
    if is_note:
        used = paid + sum((decimal(entry["Amount"]) for entry in document["Allocations"]), ZERO)
        left = total - used
        document["RemainingCredit"] = number(left, 2)
    else:
        credited = sum((decimal(note["AppliedAmount"]) for note in document["CreditNotes"]), ZERO)
        used, left = paid + credited, total - paid - credited
        document["AmountPaid"], document["AmountCredited"] = number(paid, 2), number(credited, 2)
        document["AmountDue"] = 0.0 if document["Status"] in ("VOIDED", "DELETED") else number(left, 2)
    if document["Status"] not in APPROVED:
        return
    if left <= 0 and (used or not is_note):
        document["Status"] = "PAID"
        document.setdefault("FullyPaidOnDate", wire_date(today))
    elif document["Status"] == "PAID":
        document["Status"] = "AUTHORISED"
    if document["Status"] != "PAID":
        document.pop("FullyPaidOnDate", None)
