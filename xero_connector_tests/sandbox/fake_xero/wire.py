"""How records become answers: list and single forms, envelope, JSON or XML (`xero-api.md` 3.1, wire_*.json)."""
from xml.sax.saxutils import escape

from .contacts import contact_stub
from .formats import dumps, milliseconds, number
from .http import JSON, Response
from .store import new_id

PROVIDER = "Warehouse link"


def _two_places(line):
    return {**line, "UnitAmount": number(line["UnitAmount"], 2)} if "UnitAmount" in line else line


def _document(organisation, record, form, places):
    """An invoice or credit note. Forms: `single`, `list` (a page), `bare` (unpaged list), `summary`."""
    data = dict(record.data)
    contact = organisation.tables["Contacts"].get(data["Contact"]["ContactID"])
    if contact:
        data["Contact"] = contact.data if form == "single" else contact_stub(contact.data)
    if form == "summary":
        for key in ("LineItems", "Payments", "HasAttachments"):
            data.pop(key, None)
        return data
    if form == "bare":
        data["LineItems"] = []
    elif places == 2:
        data["LineItems"] = [_two_places(line) for line in data["LineItems"]]
    if form == "single" and not data["Payments"]:
        data.pop("Payments")  # recorded so: the list has [], the single answer nothing
    return data


def _item(record, places):
    if places != 2:
        return record.data
    data = dict(record.data)
    for side in ("SalesDetails", "PurchaseDetails"):
        if "UnitPrice" in data.get(side, {}):
            data[side] = {**data[side], "UnitPrice": number(data[side]["UnitPrice"], 2)}
    return data


def render(organisation, record, form, places):
    """The dictionary of one record as it is sent."""
    if record.verbatim:
        return record.data
    if record.resource in ("Invoices", "CreditNotes"):
        return _document(organisation, record, form, places)
    if record.resource == "Items":
        return _item(record, places)
    if record.resource == "Contacts" and form == "bare":  # who was merged is told by pages and single answers only
        return {key: value for key, value in record.data.items() if key != "MergedToContactID"}
    return record.data


def render_text(organisation, record, form, places):
    """The JSON text of one record, kept until the record or its contact changes."""
    if record.verbatim:
        return dumps(record.data)  # whoever gave it may have changed it
    contact_id = (record.data.get("Contact") or {}).get("ContactID")
    contact = contact_id and organisation.tables["Contacts"].get(contact_id)
    key = (form, places)
    version = contact.version if contact else 0
    kept = record.cache.get(key)
    if not kept or kept[0] != version:
        kept = record.cache[key] = (version, dumps(render(organisation, record, form, places)))
    return kept[1]


def _head(clock):
    return {"Id": new_id(), "Status": "OK", "ProviderName": PROVIDER,
            "DateTimeUTC": f"/Date({milliseconds(clock.now())})/"}


def envelope(clock, resource, texts, pagination=None):
    """An answer whose array holds JSON texts made before."""
    head = _head(clock)
    if pagination:
        head["pagination"] = pagination
    body = f'{dumps(head)[:-1]},"{resource}":[{",".join(texts)}]}}'
    return Response(200, body.encode(), JSON)


def answer(clock, resource, elements):
    """An answer whose array holds dictionaries."""
    return envelope(clock, resource, [dumps(element) for element in elements])


def to_xml(name, value):
    """A minimal XML of any JSON value: what a client gets that did not ask for JSON."""
    if isinstance(value, dict):
        inside = "".join(to_xml(key, element) for key, element in value.items())
    elif isinstance(value, list):
        inside = "".join(to_xml(name[:-1] if name.endswith("s") else "Element", element) for element in value)
    elif isinstance(value, bool):
        inside = str(value).lower()
    else:
        inside = "" if value is None else escape(str(value))
    return f"<{name}>{inside}</{name}>"
