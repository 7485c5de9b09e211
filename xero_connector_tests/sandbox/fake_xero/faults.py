"""Faults on demand: what the network and Xero do on bad days (`xero-api.md` 7, requirement R2)."""
import re
import threading
from dataclasses import asdict, dataclass, field

from .formats import dumps
from .http import HTML, JSON, Response
from .server import Cut, Drop

KINDS = ("status", "timeout", "cut", "drop_before", "drop_after", "html", "slow", "replace_json")
LONGEST = 30.0  # seconds a request is held at most


@dataclass
class Fault:
    """One fault: strikes `times` matching requests (None: all) after letting `after` of them pass."""

    method: str | None
    path: str
    kind: str
    status: int
    headers: dict = field(default_factory=dict)
    body: object = None
    times: int | None = 1
    after: int = 0
    delay: float | None = None
    work: bool = False
    struck: int = 0

    def strikes(self, request):
        """Whether the fault hits this request; counts it."""
        if self.method and self.method.upper() != request.method:
            return False
        if not re.search(self.path, request.path, re.IGNORECASE):
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.struck += 1
        return True

    def response(self):
        """The answer a `status`, `html` or `replace_json` fault gives."""
        if self.kind == "html":
            body, kind = self.body or "<html><body><h1>Service Unavailable</h1></body></html>", HTML
        elif self.kind == "replace_json" or isinstance(self.body, (dict, list)):
            body, kind = self.body if isinstance(self.body, (str, bytes)) else dumps(self.body), JSON
        else:
            body, kind = self.body or b"", "text/plain; charset=utf-8" if self.body else None
        headers = dict(self.headers)
        kind = headers.pop("Content-Type", kind)
        return Response(self.status, body if isinstance(body, bytes) else body.encode(), kind, headers)

    def run(self, handler, work):
        """Answer in place of `work()`, the callable that would have answered properly."""
        if self.kind == "slow":
            handler.wait(1.0 if self.delay is None else self.delay)
            return work()
        if self.kind == "timeout":
            if self.work:
                work()
            handler.wait(min(LONGEST, self.delay or LONGEST))
            raise Drop
        if self.kind == "drop_before":
            raise Drop
        if self.kind == "drop_after":
            work()
            raise Drop
        if self.kind == "cut":
            raise Cut(work())
        if self.work:
            work()
        return self.response()


class Faults:
    """The faults that wait for a request; the first that strikes wins."""

    def __init__(self):
        self._lock = threading.Lock()
        self._faults = []

    def add(self, method=None, path="", kind="status", status=None, headers=None, body=None, times=1, after=0,
            delay=None, work=False):
        """Plan a fault.

        :param path: regular expression searched in the request's path, any case.
        :param kind: `status` answers `status` (500 unless told) without doing the work; `html` an HTML page (503);
            `replace_json` answers `body` (200); `timeout` holds the answer until the client gives up; `slow` waits
            `delay` seconds and then works; `drop_before` and `drop_after` close the connection before or after the
            work is done; `cut` sends half of the right answer.
        :param int times: how many requests it hits, None for all.
        :param int after: how many matching requests pass unharmed first.
        :param float delay: seconds, for `slow` and `timeout`.
        :param bool work: for `status`, `html`, `replace_json` and `timeout`: do the work all the same.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault {kind!r}, choose one of {', '.join(KINDS)}")
        if status is None:
            status = {"html": 503, "replace_json": 200}.get(kind, 500)
        re.compile(path)
        fault = Fault(method, path, kind, status, dict(headers or {}), body, times, after, delay, work)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self):
        """Drop all faults."""
        with self._lock:
            self._faults.clear()

    def as_list(self):
        """All faults as JSON-ready dictionaries."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def find(self, request):
        """The fault that hits this request, or None."""
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(request)), None)
