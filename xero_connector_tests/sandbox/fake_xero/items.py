"""Items as Xero stores them (`xero-api.md` 5)."""
from .formats import number
from .store import new_id


def _details(organisation, details, places):
    """One side's price, account and tax; a missing tax type is filled from the account."""
    details = {key: value for key, value in (details or {}).items() if value is not None}
    if "UnitPrice" in details:
        details["UnitPrice"] = number(details["UnitPrice"], places)
    account = organisation.tables["Accounts"].by_number(details.get("AccountCode") or details.get("COGSAccountCode"))
    if account:
        details.setdefault("TaxType", account.data.get("TaxType", "NONE"))
    return details


def complete_item(organisation, fields, places=4):
    """An item as Xero stores it; not sold or not purchased nulls the matching description and details."""
    item = {"ItemID": fields.get("ItemID") or new_id(), "Code": fields["Code"]}
    sold, purchased = fields.get("IsSold", True), fields.get("IsPurchased", True)
    if sold and fields.get("Description"):
        item["Description"] = fields["Description"]
    if purchased and fields.get("PurchaseDescription"):
        item["PurchaseDescription"] = fields["PurchaseDescription"]
    item["UpdatedDateUTC"] = ""
    item["PurchaseDetails"] = _details(organisation, fields.get("PurchaseDetails"), places) if purchased else {}
    item["SalesDetails"] = _details(organisation, fields.get("SalesDetails"), places) if sold else {}
    if fields.get("Name"):
        item["Name"] = fields["Name"]
    tracked = bool(fields.get("InventoryAssetAccountCode"))
    item["IsTrackedAsInventory"] = tracked
    item["IsSold"], item["IsPurchased"] = bool(sold), bool(purchased)
    if tracked:
        item["InventoryAssetAccountCode"] = fields["InventoryAssetAccountCode"]
        item["TotalCostPool"] = number(fields.get("TotalCostPool", 0))
        item["QuantityOnHand"] = number(fields.get("QuantityOnHand", 0))
    return item
