"""The request log that tests assert on."""
import re
import threading
from dataclasses import asdict, dataclass

_SECRETS = re.compile(r"((?:client_secret|refresh_token|code|token)=)[^&]+")


@dataclass
class LoggedRequest:
    """One request and the status it was answered with (0: dropped, or not answered yet)."""

    method: str
    path: str
    query: dict
    headers: dict
    body: str
    status: int = 0
    tenant_id: str | None = None

    def as_dict(self):
        """The entry as JSON-ready values."""
        return asdict(self)


class RequestLog:
    """Requests in the order they came."""

    def __init__(self):
        self._lock = threading.Lock()
        self.requests = []

    def record(self, request):
        """Log `request`, secrets masked; returns the entry whose status is set when it is answered."""
        headers = dict(request.headers)
        if "authorization" in headers:
            headers["authorization"] = headers["authorization"].split(" ")[0] + " ***"
        body = request.text()
        if request.path.lower().startswith("/connect/"):
            body = _SECRETS.sub(r"\1***", body)
        entry = LoggedRequest(request.method, request.path, dict(request.query), headers, body,
                              tenant_id=headers.get("xero-tenant-id"))
        with self._lock:
            self.requests.append(entry)
        return entry

    def calls(self, method=None, path=None):
        """Entries with this method and a path that matches the regular expression `path` (any case)."""
        with self._lock:
            return [entry for entry in self.requests
                    if (method is None or entry.method == method.upper())
                    and (path is None or re.search(path, entry.path, re.IGNORECASE))]

    def reset(self):
        """Forget all entries, in place."""
        with self._lock:
            self.requests.clear()
