"""Which function answers which call of the Accounting API, and the scope it needs."""
import re
from functools import partial

from . import files, payment_writes, reading, scopes, writing
from .http import not_found, not_implemented

_DOCUMENTS = "(?P<resource>Invoices|CreditNotes)"
_LISTS = ("(?P<resource>Invoices|CreditNotes|Contacts|Items|Payments|Accounts|TaxRates|Currencies|TrackingCategories|"
          "BrandingThemes|Users)")
_WRITABLE = "(?P<resource>Invoices|CreditNotes|Contacts|Items|Payments)"
_NAMES = {name.lower(): name for name in re.findall(r"\w+", _LISTS) if name != "P"}

# method, path below /api.xro/2.0, function(call, ...), scope (a resource's name in scopes.NEEDED; None: the path's own)
_TABLE = [
    ("GET", "Organisation", reading.get_organisation, "Organisation"),
    ("GET", "Organisation/Actions", reading.get_actions, "Organisation"),
    ("GET", f"{_DOCUMENTS}/(?P<key>[^/]+)/History", files.get_history, None),
    ("PUT", f"{_DOCUMENTS}/(?P<key>[^/]+)/History", files.put_history, None),
    ("GET", f"{_DOCUMENTS}/(?P<key>[^/]+)/Attachments", files.get_attachments, "Attachments"),
    ("GET", f"{_DOCUMENTS}/(?P<key>[^/]+)/Attachments/(?P<name>.+)", files.get_attachment, "Attachments"),
    ("PUT", f"{_DOCUMENTS}/(?P<key>[^/]+)/Attachments/(?P<name>.+)", files.put_attachment, "Attachments"),
    ("POST", f"{_DOCUMENTS}/(?P<key>[^/]+)/Attachments/(?P<name>.+)", files.put_attachment, "Attachments"),
    ("GET", "Invoices/(?P<key>[^/]+)/OnlineInvoice", reading.get_online_invoice, "Invoices"),
    ("POST", "Invoices/(?P<key>[^/]+)/Email", writing.email_invoice, "Invoices"),
    ("PUT", "CreditNotes/(?P<key>[^/]+)/Allocations", payment_writes.put_allocations, "CreditNotes"),
    ("DELETE", "CreditNotes/(?P<key>[^/]+)/Allocations/(?P<allocation_id>[^/]+)", payment_writes.delete_allocation,
     "CreditNotes"),
    ("PUT", _WRITABLE, writing.save, None),
    ("POST", _WRITABLE, writing.save, None),
    ("POST", f"{_WRITABLE}/(?P<key>[^/]+)", writing.save, None),
    ("DELETE", "Items/(?P<key>[^/]+)", writing.delete_item, "Items"),
    ("GET", _LISTS, reading.get_list, None),
    ("GET", f"{_LISTS}/(?P<key>[^/]+)", reading.get_one, None),
]
ROUTES = [(method, re.compile(f"/api.xro/2.0/{path}/?$", re.IGNORECASE), function, needed)
          for method, path, function, needed in _TABLE]


def find(request):
    """(function of the call, scopes of which one is needed, whether it writes) for a request."""
    path_known = False
    for method, pattern, function, needed in ROUTES:
        found = pattern.match(request.path)
        if not found:
            continue
        path_known = True
        if method != request.method:
            continue
        arguments = found.groupdict()
        if "resource" in arguments:
            arguments["resource"] = _NAMES[arguments["resource"].lower()]
            needed = needed or arguments["resource"]
        return partial(function, **arguments), scopes.NEEDED.get(needed, scopes.SETTINGS), method != "GET"
    raise not_implemented(request.method) if path_known else not_found()
