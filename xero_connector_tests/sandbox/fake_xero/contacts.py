"""Contacts as Xero stores them: two address and four phone slots (`xero-api.md` 3.3, 4.6)."""
from .store import new_id

ADDRESS_TYPES = ("POBOX", "STREET")  # DELIVERY exists for organisations only and is dropped without a word
PHONE_TYPES = ("DEFAULT", "DDI", "FAX", "MOBILE")
PASSED_ON = ("ContactNumber", "AccountNumber", "CompanyNumber", "TaxNumber", "DefaultCurrency", "Website",
             "AccountsReceivableTaxType", "AccountsPayableTaxType", "MergedToContactID", "PaymentTerms", "Discount")


def address_slots(addresses):
    """Always two addresses; a slot nobody filled has empty strings."""
    given = {address.get("AddressType"): address for address in addresses or []}
    empty = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
    return [{"AddressType": kind, **{key: value for key, value in {**empty, **given.get(kind, {})}.items()
                                     if value is not None and key != "AddressType"}} for kind in ADDRESS_TYPES]


def phone_slots(phones):
    """Always four phones; a slot nobody filled has empty strings."""
    given = {phone.get("PhoneType"): phone for phone in phones or []}
    empty = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
    return [{"PhoneType": kind, **empty, **given.get(kind, {})} for kind in PHONE_TYPES]


def complete_contact(fields):
    """A contact as Xero stores it, in the order of keys Xero writes."""
    contact = {
        "ContactID": fields.get("ContactID") or new_id(),
        "Name": fields.get("Name", ""),
        "Addresses": address_slots(fields.get("Addresses")),
        "Phones": phone_slots(fields.get("Phones")),
        "ContactGroups": fields.get("ContactGroups") or [],
        "ContactPersons": fields.get("ContactPersons") or [],
        "HasValidationErrors": False,
        "ContactStatus": fields.get("ContactStatus") or "ACTIVE",
        "FirstName": fields.get("FirstName") or "",
        "LastName": fields.get("LastName") or "",
        "EmailAddress": fields.get("EmailAddress") or "",
        "BankAccountDetails": fields.get("BankAccountDetails") or "",
        "UpdatedDateUTC": "",
        "IsSupplier": bool(fields.get("IsSupplier")),
        "IsCustomer": bool(fields.get("IsCustomer")),
    }
    contact.update({key: fields[key] for key in PASSED_ON if fields.get(key)})
    return contact


def contact_stub(contact):
    """A contact inside a list: id and name, empty slots."""
    stub = {key: contact[key] for key in ("ContactID", "Name") if key in contact}
    return {**stub, "Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": [],
            "HasValidationErrors": False}
