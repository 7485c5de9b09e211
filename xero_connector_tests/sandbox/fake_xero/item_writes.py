"""Creating and updating items (`xero-api.md` 5)."""
from .items import complete_item

LENGTHS = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000}


def _existing(batch, element):
    """POST finds by ItemID or by Code: a code that is taken overwrites somebody's item."""
    table = batch.organisation.tables["Items"]
    if batch.target or batch.create_only:
        return batch.target
    return table.get(element["ItemID"]) if element.get("ItemID") else table.by_number(element.get("Code"))


def _check_details(batch, element, problems):
    accounts, taxes = batch.organisation.tables["Accounts"], batch.organisation.tables["TaxRates"]
    for side in ("SalesDetails", "PurchaseDetails"):
        details = element.get(side) or {}
        for key in ("AccountCode", "COGSAccountCode"):
            account = accounts.by_number(details.get(key))
            if details.get(key) and (not account or account.data.get("Status") == "ARCHIVED"):
                problems.append(f"The account code '{details[key]}' in {side} is not valid.")
        if details.get("TaxType") and not taxes.get(details["TaxType"]):
            problems.append(f"The TaxType code '{details['TaxType']}' in {side} does not exist.")


def _check_tracking(batch, element, problems):
    asset = element.get("InventoryAssetAccountCode")
    if not asset:
        return
    account = batch.organisation.tables["Accounts"].by_number(asset)
    if not account or account.data.get("Type") != "INVENTORY":
        problems.append("InventoryAssetAccountCode must be an account of type INVENTORY.")
    if not (element.get("PurchaseDetails") or {}).get("COGSAccountCode"):
        problems.append("A tracked item needs PurchaseDetails.COGSAccountCode.")


def plan(batch, element):
    """(problems, function that saves, record that changes or None) for one item."""
    problems = []
    existing = _existing(batch, element)
    table = batch.organisation.tables["Items"]
    code = element.get("Code")
    if not code and not existing:
        problems.append("Price List Item Code must be supplied.")
    if element.get("ItemID") and not existing and not batch.create_only:
        problems.append("The item with the specified ItemID could not be found.")
    for key, longest in LENGTHS.items():
        if len(str(element.get(key) or "")) > longest:
            problems.append(f"Price List Item {key} must not exceed {longest} characters.")
    clash = table.by_number(code)
    if code and ((clash and clash is not existing) or code.casefold() in batch.taken):
        problems.append(f"Price List Item with Code '{code}' already exists")
    batch.taken.add(str(code or "").casefold())
    _check_details(batch, element, problems)
    _check_tracking(batch, element, problems)

    def save():
        return _save(batch, element, existing)
    return problems, save, existing


def _save(batch, element, existing):
    organisation = batch.organisation
    fields = {key: value for key, value in element.items()
              if key not in ("ItemID", "QuantityOnHand", "TotalCostPool", "QuantityAvailable")}
    if not existing:
        return organisation.store("Items", complete_item(organisation, fields, batch.places))
    for side in ("SalesDetails", "PurchaseDetails"):
        if side in fields:
            fields[side] = {**existing.data.get(side, {}), **(fields[side] or {})}
            if "UnitPrice" in (element[side] or {}) and "TaxType" not in element[side] and (
                    "AccountCode" in element[side]):
                fields[side].pop("TaxType", None)  # filled from the new account
    existing.data = complete_item(organisation, {**existing.data, **fields}, batch.places)
    existing.changed(organisation.clock.now())
    return existing
