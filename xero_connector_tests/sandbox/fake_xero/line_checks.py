"""What Xero refuses about the lines of a document, and how sent lines meet stored ones (`xero-api.md` 4.1, 4.2)."""
from .documents import expected_amount, is_text_only, with_item_defaults
from .formats import decimal, number, rounded

AMOUNTS = ("Quantity", "UnitAmount", "DiscountRate", "DiscountAmount", "LineAmount", "TaxAmount")
SHAPE = ("Quantity", "UnitAmount", "DiscountRate", "DiscountAmount", "TaxType", "ItemCode")
APPROVED = ("SUBMITTED", "AUTHORISED", "PAID")


def merge_lines(stored, sent, places, problems):
    """The lines after an update: an id updates, no id adds, a stored line not mentioned is gone.

    A line with an id and a few fields keeps its other fields; amounts that follow from what changed are dropped, to be
    computed anew.
    """
    by_id = {line["LineItemID"]: line for line in stored}
    unknown = [line["LineItemID"] for line in sent if line.get("LineItemID") and line["LineItemID"] not in by_id]
    if unknown:
        problems.append(f"Could not find line item(s) with the following id(s): {', '.join(unknown)}")
        return []
    merged = []
    for line in sent:
        line = dict(line)
        if line.get("UnitAmount") is not None:
            line["UnitAmount"] = _number_or_as_is(line["UnitAmount"], places)
        old = by_id.get(line.get("LineItemID"), {})
        new = {**old, **line}
        if any(old.get(key) != line[key] for key in SHAPE if key in line):
            for key in ("TaxAmount", "LineAmount"):
                if key not in line:
                    new.pop(key, None)
        merged.append(new)
    return merged


def _number_or_as_is(value, places):
    """What is no number is left for the check that names it."""
    try:
        return number(value, places)
    except ValueError:
        return value


def check_lines(batch, data, lines, problems):
    """Add what is wrong with `lines` of a document (`data` has Type, Status, LineAmountTypes) to `problems`."""
    for line in lines:
        if not _numbers(line, problems):
            continue
        full = with_item_defaults(batch.organisation, line, data["Type"].startswith("ACCREC"))
        if not full.get("Description") and not full.get("ItemCode"):
            problems.append("Description field is mandatory.")
        if is_text_only(full):
            continue
        _item(batch, data, full, problems)
        _account_and_tax(batch, data, full, problems)
        _amount(line, full, batch.places, problems)


def _numbers(line, problems):
    for key in AMOUNTS:
        if line.get(key) in (None, ""):
            continue
        try:
            decimal(line[key])
        except ValueError:
            problems.append(f"The value '{line[key]}' of {key} is not a number")
            return False
    return True


def _item(batch, data, line, problems):
    if not line.get("ItemCode"):
        return
    item = batch.organisation.tables["Items"].by_number(line["ItemCode"])
    if not item:
        problems.append(f"Item code '{line['ItemCode']}' is not valid")
    elif (data["Type"] == "ACCREC" and data["Status"] in APPROVED and item.data.get("IsTrackedAsInventory")
          and not batch.allow_backorders
          and decimal(line.get("Quantity", 1)) > decimal(item.data.get("QuantityOnHand", 0))):
        problems.append("Insufficient stock. Items are eligible for backorder.")


def _account_and_tax(batch, data, line, problems):
    code, tax_type = line.get("AccountCode"), line.get("TaxType")
    account = batch.organisation.tables["Accounts"].by_number(code)
    if code and (not account or account.data.get("Status") == "ARCHIVED"):
        problems.append(f"Account code '{code}' is not a valid code for this document.")
        account = None
    elif not code and data["Status"] in APPROVED:
        problems.append("Account code or ID must be specified")
    if not tax_type or data["LineAmountTypes"] == "NoTax":
        return
    tax = batch.organisation.tables["TaxRates"].get(tax_type)
    if not tax or tax.data.get("Status") != "ACTIVE":
        problems.append(f"The TaxType code '{tax_type}' does not exist or cannot be used for this type of transaction.")
    elif account:
        side = {"REVENUE": "CanApplyToRevenue", "EXPENSE": "CanApplyToExpenses"}.get(account.data.get("Class"))
        if side and not tax.data.get(side, True):
            problems.append(f"The TaxType code '{tax_type}' cannot be used with account code '{code}'.")


def _amount(sent, line, places, problems):
    """A line total that was sent must be the one Xero computes; a line may have one kind of discount."""
    if line.get("DiscountRate") and line.get("DiscountAmount"):
        problems.append("Only one of DiscountRate and DiscountAmount may be specified")
    if sent.get("LineAmount") in (None, "") or line.get("UnitAmount") is None:
        return
    expected = expected_amount({"Quantity": 1, **line}, places)
    if rounded(sent["LineAmount"]) != expected:
        problems.append(f"The line total {rounded(sent['LineAmount'])} does not match the expected line total "
                        f"{expected}")
