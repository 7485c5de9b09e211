"""A door of the fake's own under `/_fake/`: for those who run it in another process. No part of Xero.

    GET    /_fake/                                      where everything is
    GET    /_fake/log?method=&path=      DELETE         logged requests
    GET    /_fake/faults   POST {...}    DELETE         as `Faults.add`
    POST   /_fake/limits {minute, day, concurrent, app_minute, tenant_id}    DELETE
    GET    /_fake/clock    POST {"advance": seconds}
    POST   /_fake/settings {auto_approve, auto_tenants, custom_tenant, connection_cap}
    POST   /_fake/expire                                all access tokens are expired
    GET    /_fake/webhooks  POST {url, key}  DELETE     status; subscribe as in Xero's developer portal; unsubscribe
    POST   /_fake/webhooks/deliver {size, shuffle_events, shuffle_deliveries}, /webhooks/replay {shuffle},
           /webhooks/settings {automatic, payments_fire_events, patience}
    GET    /_fake/organisations  POST {name, country, currency}
    POST   /_fake/organisations/T/disconnect            as a user would in Xero
    GET    /_fake/organisations/T/Invoices              everything, as stored
    POST   /_fake/organisations/T/Invoices {...}        add: also Contacts, Items, CreditNotes
    POST   /_fake/organisations/T/Invoices/ID {...}     change
    DELETE /_fake/organisations/T/Items/ID              delete for good: items only
    POST   /_fake/organisations/T/void {id}, /pay {id, amount}, /note {id, details, user},
           /attach {id, file_name, text}, /allocate {credit_note, invoice, amount}

T is a tenant id; answers are JSON; 400 says what was wrong.
"""
import json
from dataclasses import asdict

from .http import json_response

_ADD = {"Invoices": "add_invoice", "Contacts": "add_contact", "Items": "add_item", "CreditNotes": "add_credit_note",
        "Accounts": "add_account"}
_SETTINGS = ("auto_approve", "auto_tenants", "custom_tenant", "connection_cap")
_WEBHOOK_SETTINGS = ("automatic", "payments_fire_events", "patience")


def _log(fake, request, _body):
    if request.method == "DELETE":
        fake.reset_log()
    return [entry.as_dict() for entry in fake.calls(request.query.get("method"), request.query.get("path"))]


def _faults(fake, request, body):
    if request.method == "DELETE":
        fake.faults.clear()
    elif request.method == "POST":
        return asdict(fake.faults.add(**body))
    return fake.faults.as_list()


def _limits(fake, request, body):
    tenant = body.pop("tenant_id", None)
    if request.method == "DELETE":
        fake.limits.reset()
    elif tenant:
        fake.limits.for_tenant(tenant, **body)
    else:
        for name in body.keys() & {"minute", "day", "concurrent", "app_minute"}:
            setattr(fake.limits, name, body[name])
    return {name: getattr(fake.limits, name) for name in ("minute", "day", "concurrent", "app_minute")}


def _clock(fake, _request, body):
    fake.clock.advance(float(body.get("advance", 0)))
    return {"now": fake.clock.now().isoformat()}


def _settings(fake, _request, body):
    for name in body.keys() & set(_SETTINGS):
        setattr(fake, name, body[name])
    return {name: getattr(fake, name) for name in _SETTINGS}


def _expire(fake, _request, _body):
    fake.identity.expire_access_tokens()
    return {}


def _organisations(fake, request, body):
    if request.method == "POST":
        return {"tenant_id": fake.add_organisation(**body).tenant_id}
    return [{"tenant_id": organisation.tenant_id, "name": organisation.name,
             "connected": organisation.tenant_id in fake.identity.connections} for organisation in fake.organisations]


def _deed(fake, organisation, what, body):
    """A deed on an organisation that is more than adding or changing one record."""
    if what == "disconnect":
        fake.identity.disconnect(organisation.tenant_id)
        return {}
    if what == "void":
        return organisation.void(body["id"])
    if what == "pay":
        return organisation.add_payment(body["id"], body.get("amount"))
    if what == "note":
        return organisation.add_history_note(body["id"], body["details"], body.get("user", "Sam Porter"))
    if what == "attach":
        return organisation.add_attachment(body["id"], body["file_name"], body["text"].encode(), "text/plain")
    if what == "allocate":
        return organisation.allocate(body["credit_note"], body["invoice"], body.get("amount"))
    raise KeyError(f"nothing is called {what}")


def _delete(organisation, what, record_id):
    if what != "Items" or not record_id:
        raise KeyError("only an item is deleted: organisations/T/Items/ID")
    organisation.delete_item(record_id)
    return {}


def _books(fake, request, body, tenant, what, record_id=None):
    organisation = fake.organisation(tenant)
    if not organisation:
        raise KeyError(f"no organisation {tenant}")
    if what not in organisation.tables:
        return _deed(fake, organisation, what, body)
    if request.method == "DELETE":
        return _delete(organisation, what, record_id)
    if request.method == "POST" and record_id:
        return organisation.update(what, record_id, **body)
    if request.method == "POST":
        return getattr(organisation, _ADD[what])(**body)
    return [row.data for row in organisation.tables[what] if record_id in (None, row.id)]


def _webhooks(fake, request, body, deed=None):
    hooks = fake.webhooks
    if request.method == "DELETE":
        hooks.unsubscribe()
    elif request.method == "POST" and deed in ("deliver", "replay"):
        return getattr(hooks, deed)(**body).as_dict()
    elif request.method == "POST" and deed == "settings":
        for name in body.keys() & set(_WEBHOOK_SETTINGS):
            setattr(hooks, name, body[name])
    elif request.method == "POST" and deed is None:
        hooks.subscribe(**body)
    elif deed is not None:
        raise KeyError(f"nothing is called webhooks/{deed}")
    return hooks.as_dict()


_DOORS = {"log": _log, "faults": _faults, "limits": _limits, "clock": _clock, "settings": _settings, "expire": _expire,
          "organisations": _organisations}


def answer(fake, request):
    """Answer a request to the control door."""
    parts = [part for part in request.path.split("/") if part][1:]
    try:
        body = json.loads(request.body) if request.body else {}
        if parts and parts[0] == "webhooks":  # not under the lock: the receiver may well call the fake
            return json_response(_webhooks(fake, request, body, *parts[1:2]))
        with fake.lock:
            if not parts:
                return json_response({**fake.describe(), "doors": sorted([*_DOORS, "webhooks"])})
            if parts[0] == "organisations" and len(parts) > 2:
                return json_response(_books(fake, request, body, *parts[1:4]))
            return json_response(_DOORS[parts[0]](fake, request, body))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return json_response({"error": f"{type(error).__name__}: {error}"}, 400)
