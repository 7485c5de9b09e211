"""PUT and POST: bodies, batches, and the two ways of telling errors (`xero-api.md` 4.1, 4.3).

A writer gets a `Batch` and an element and answers a `Plan`: what is wrong with it, or how to save it. Nothing is saved
before every element of a summarised batch is known to be right.
"""
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from . import contact_writes, invoice_writes, item_writes, payment_writes
from .http import bad_request, json_response, not_found
from .organisation import Organisation
from .reading import places
from .store import ID_FIELDS, ZERO_ID, Record
from .wire import answer, render

MAX_ELEMENTS = 500
WRITERS = {"Invoices": invoice_writes.plan, "CreditNotes": invoice_writes.plan, "Contacts": contact_writes.plan,
           "Items": item_writes.plan, "Payments": payment_writes.plan}


@dataclass
class Batch:
    """One write request: `create_only` for PUT, `target` the record named in the path, `places` decimals of prices.

    `taken` collects numbers and names of elements that come earlier in the same request.
    """

    organisation: Organisation
    resource: str
    create_only: bool
    target: Record | None
    places: int
    allow_backorders: bool = False
    taken: set = field(default_factory=set)


@dataclass
class Plan:
    """The outcome of looking at one element; `existing` is the record it would change."""

    element: dict
    problems: list
    save: Callable[[], Record] | None = None
    existing: Record | None = None


def elements_of(body, resource):
    """The elements of a body: one object, or the plural array. 400 when it is neither."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        value = next((value[name] for name in value if name.lower() == resource.lower()), [value])
    if not isinstance(value, list) or not value or not all(isinstance(element, dict) for element in value):
        raise bad_request(f"Posted data is not a JSON object or array of {resource}", 14, "PostDataInvalidException")
    return value


def _plan(batch, element):
    problems, save, existing = WRITERS[batch.resource](batch, element)
    return Plan(element, problems, save, existing)


def _failed(resource, plan):
    """The echo of a refused element; a failed creation carries the zero GUID."""
    id_field = ID_FIELDS[resource]
    return {**plan.element, id_field: plan.existing.id if plan.existing else ZERO_ID, "HasErrors": True,
            "HasValidationErrors": True, "StatusAttributeString": "ERROR",
            "ValidationErrors": [{"Message": message} for message in plan.problems]}


def save(call, resource, key=None):
    """Create or update elements; `key` is the id in the path.

    Errors are summarised unless `summarizeErrors=false`: then the answer is 200 and each element tells for itself.
    """
    query = {name.lower(): value for name, value in call.request.query.items()}
    target = call.organisation.tables[resource].find(key) if key else None
    if key and not target:
        raise not_found()
    elements = elements_of(call.request.body, resource)
    if len(elements) > MAX_ELEMENTS:
        raise bad_request(f"At most {MAX_ELEMENTS} elements are accepted in one request")
    batch = Batch(call.organisation, resource, call.request.method == "PUT", target, places(call.request),
                  query.get("allowbackorders", "").lower() == "true")
    if query.get("summarizeerrors", "true").lower() != "false":
        plans = [_plan(batch, element) for element in elements]
        refused = [_failed(resource, plan) for plan in plans if plan.problems]
        if refused:
            for element in refused:
                del element["StatusAttributeString"]
            raise bad_request("A validation exception occurred", Elements=refused)
        return answer(call.clock, resource, [_saved(call, batch, plan) for plan in plans])
    results = []
    for element in elements:  # one after the other: a good one counts even when its neighbour does not
        plan = _plan(batch, element)
        results.append(_failed(resource, plan) if plan.problems else
                       {**_saved(call, batch, plan), "HasErrors": False, "StatusAttributeString": "OK"})
    return answer(call.clock, resource, results)


def _saved(call, batch, plan):
    record = plan.save()
    if not plan.existing:
        record.created_by_app = True
    return render(call.organisation, record, "single", batch.places)


def delete_item(call, key):
    """Items are deleted for good."""
    record = call.organisation.tables["Items"].find(key)
    if not record:
        raise not_found()
    call.organisation.tables["Items"].remove(record)
    return json_response({}, 204)


def email_invoice(call, key):
    """Send the invoice to its contact: approved sales invoices only."""
    record = call.organisation.tables["Invoices"].find(key)
    if not record:
        raise not_found()
    if record.data["Status"] not in ("AUTHORISED", "PAID", "SUBMITTED"):
        raise bad_request("Invoice not of valid status for emailing")
    call.organisation.update("Invoices", record.id, SentToContact=True)
    return json_response({}, 204)
