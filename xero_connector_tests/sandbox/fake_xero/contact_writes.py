"""Creating and updating contacts (`xero-api.md` 4.6)."""
MAX_PERSONS = 5
LENGTHS = {"Name": 255, "ContactNumber": 50, "AccountNumber": 50, "FirstName": 255, "LastName": 255,
           "EmailAddress": 255}


def _existing(batch, element):
    table = batch.organisation.tables["Contacts"]
    if batch.target or batch.create_only:
        return batch.target
    return table.get(element["ContactID"]) if element.get("ContactID") else table.by_number(
        element.get("ContactNumber"))


def _check_name(batch, element, existing, problems):
    name = element.get("Name")
    if not name:
        if not existing:
            problems.append("The Contact Name must be specified.")
        return
    if "<" in name or ">" in name or "  " in name or name != name.strip():
        problems.append("The Contact Name contains characters that are not allowed.")
    same = name.casefold()
    clash = any(row is not existing and row.data.get("ContactStatus", "ACTIVE") == "ACTIVE"
                and str(row.data.get("Name")).casefold() == same for row in batch.organisation.tables["Contacts"])
    if clash or same in batch.taken:
        problems.append(f"The contact name {name} is already assigned to another contact. The contact name must be "
                        "unique across all active contacts.")
    batch.taken.add(same)


def plan(batch, element):
    """(problems, function that saves, record that changes or None) for one contact."""
    problems = []
    existing = _existing(batch, element)
    _check_name(batch, element, existing, problems)
    for key, longest in LENGTHS.items():
        if len(str(element.get(key) or "")) > longest:
            problems.append(f"The length of {key} must not exceed {longest} characters")
    if len(element.get("ContactPersons") or []) > MAX_PERSONS:
        problems.append(f"A contact may have at most {MAX_PERSONS} contact persons")
    if existing and existing.data.get("ContactStatus") == "ARCHIVED":
        problems.append("The contact is archived and cannot be edited.")
    if not existing and element.get("ContactID") and not batch.create_only:
        problems.append("The Contact with the specified ContactID could not be found")

    def save():
        fields = {key: value for key, value in element.items() if key not in ("ContactID", "IsCustomer", "IsSupplier")}
        organisation = batch.organisation
        if not existing:
            return organisation.tables["Contacts"].get(organisation.add_contact(**fields)["ContactID"])
        if "Addresses" in fields:  # an address type that was not sent stays
            kept = {address["AddressType"]: address for address in existing.data["Addresses"]}
            kept.update({address.get("AddressType"): address for address in fields["Addresses"]})
            fields["Addresses"] = list(kept.values())
        organisation.update("Contacts", existing.id, **fields)
        return existing
    return problems, save, existing
