"""What hangs on a document: history records and attachments (`xero-api.md` 3.3)."""
from .formats import wire_instant
from .store import new_id


def add_history(record, changes, details, when, user="System Generated"):
    """Add one history record; returns it."""
    entry = {"Changes": changes, "DateUTCString": when.strftime("%Y-%m-%dT%H:%M:%S"), "DateUTC": wire_instant(when),
             "User": user, "Details": details}
    record.history.append(entry)
    return entry


def attach(record, file_name, content, mime_type, when, include_online=False):
    """Attach a file; the same name overwrites. Returns Xero's description of it, without Url."""
    old = record.attachments.get(file_name)
    information = {"AttachmentID": old[0]["AttachmentID"] if old else new_id(), "FileName": file_name,
                   "MimeType": mime_type, "ContentLength": len(content), "IncludeOnline": include_online}
    record.attachments[file_name] = (information, content)
    if not record.verbatim:
        record.data["HasAttachments"] = True
    record.changed(when)
    add_history(record, "Attached a file", f"Attached the file {file_name}", when)
    return information
