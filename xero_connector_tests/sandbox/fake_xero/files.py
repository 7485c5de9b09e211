"""History and attachments over the API (`xero-api.md` 3.3)."""
import json

from .history import add_history, attach
from .http import Response, bad_request, not_found
from .wire import answer

MAX_NOTE = 2500  # characters
MAX_FILES = 10
MAX_BYTES = 10 * 1024 * 1024
REFUSED = set('<>:"/\\|?*+')


def _record(call, resource, key):
    record = call.organisation.tables[resource].find(key)
    if not record:
        raise not_found()
    return record


def get_history(call, resource, key):
    """History records, newest first."""
    return answer(call.clock, "HistoryRecords", reversed(_record(call, resource, key).history))


def put_history(call, resource, key):
    """Add notes; their author is the app, so Xero shows "System Generated"."""
    record = _record(call, resource, key)
    try:
        notes = json.loads(call.request.body)["HistoryRecords"]
        details = [note["Details"] for note in notes]
    except (ValueError, KeyError, TypeError):
        raise bad_request("HistoryRecords with Details expected", 14, "PostDataInvalidException") from None
    if any(len(text) > MAX_NOTE for text in details):
        raise bad_request(f"Details must not exceed {MAX_NOTE} characters")
    entries = [add_history(record, "Note", text, call.clock.now()) for text in details]
    return answer(call.clock, "HistoryRecords", [
        {**{name: entry[name] for name in ("DateUTCString", "DateUTC", "Details")}, "ValidationErrors": []}
        for entry in entries])


def _described(call, resource, record, information):
    url = f"{call.api_url}/{resource}/{record.id}/Attachments/{information['FileName']}"
    return {**{key: value for key, value in information.items() if key != "IncludeOnline"}, "Url": url,
            "IncludeOnline": information["IncludeOnline"]}


def get_attachments(call, resource, key):
    """The list of attached files."""
    record = _record(call, resource, key)
    return answer(call.clock, "Attachments", [_described(call, resource, record, information)
                                              for information, _content in record.attachments.values()])


def get_attachment(call, resource, key, name):
    """The bytes of one file, by name or by id."""
    record = _record(call, resource, key)
    for information, content in record.attachments.values():
        if name in (information["FileName"], information["AttachmentID"]):
            return Response(200, content, information["MimeType"])
    raise not_found()


def put_attachment(call, resource, key, name):
    """Attach the raw body under this name."""
    record = _record(call, resource, key)
    if not name or set(name) & REFUSED:
        raise bad_request("Invalid file name. The file name contains characters that are not allowed")
    if len(call.request.body) > MAX_BYTES:
        raise bad_request("The file is too big")
    if name not in record.attachments and len(record.attachments) >= MAX_FILES:
        raise bad_request(f"A document may have at most {MAX_FILES} attachments")
    online = call.request.query.get("IncludeOnline", "").lower() == "true"
    mime = call.request.headers.get("content-type", "application/octet-stream")
    information = attach(record, name, call.request.body, mime, call.clock.now(), online)
    return answer(call.clock, "Attachments", [_described(call, resource, record, information)])
