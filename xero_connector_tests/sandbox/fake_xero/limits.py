"""Call limits per organisation and per app (`xero-api.md` 2): fixed windows, headers, 429."""
import threading

from .http import HttpError, Response

MINUTE, DAY = 60, 86_400
PLENTY = 1_000_000  # what "off" looks like: the headers are always sent


class Limits:
    """How many calls one organisation may get; the attributes may be set at any time.

    `minute` and `day` are calls per window and organisation, `app_minute` calls per minute over all organisations,
    `concurrent` calls at the same moment and organisation. Windows are fixed and start at another second for each
    organisation.
    """

    def __init__(self, clock):
        self._clock = clock
        self._lock = threading.Lock()
        self._own = {}
        self.reset()

    def reset(self):
        """No limits, nothing counted."""
        self.minute = self.day = self.app_minute = self.concurrent = PLENTY
        self._own.clear()
        self._counts = {}
        self._running = {}

    def for_tenant(self, tenant_id, **limits):
        """Give one organisation limits of its own: `minute`, `day`, `concurrent`."""
        self._own.setdefault(tenant_id, {}).update(limits)

    def _limit(self, tenant_id, name):
        return self._own.get(tenant_id, {}).get(name, getattr(self, name))

    def _window(self, key, length):
        """(calls so far, seconds until the window ends) of the window `key` is in now."""
        offset = sum(key.encode()) % length
        index, elapsed = divmod(self._clock.timestamp() + offset, length)
        count_index, count = self._counts.get((key, length), (index, 0))
        return (count if count_index == index else 0), max(1, int(length - elapsed + 0.999)), index

    def enter(self, tenant_id):
        """Count one call; returns the headers of its answer. Raises the 429 when a limit is reached."""
        with self._lock:
            if self._running.get(tenant_id, 0) >= self._limit(tenant_id, "concurrent"):
                raise self._refused(tenant_id, "concurrent", None)
            for name, key, length, limit in self._windows(tenant_id):
                used, left, _index = self._window(key, length)
                if used >= limit:
                    raise self._refused(tenant_id, name, left)
            for _name, key, length, _limit in self._windows(tenant_id):
                used, _left, index = self._window(key, length)
                self._counts[key, length] = (index, used + 1)
            self._running[tenant_id] = self._running.get(tenant_id, 0) + 1
            return self._headers(tenant_id)

    def leave(self, tenant_id):
        """One call of this organisation is answered."""
        with self._lock:
            self._running[tenant_id] -= 1

    def running(self, tenant_id):
        """How many calls of this organisation are being answered right now."""
        return self._running.get(tenant_id, 0)

    def _windows(self, tenant_id):
        return (("day", tenant_id, DAY, self._limit(tenant_id, "day")),
                ("minute", tenant_id, MINUTE, self._limit(tenant_id, "minute")),
                ("appminute", "app", MINUTE, self.app_minute))

    def _headers(self, tenant_id):
        left = {name: max(0, limit - self._window(key, length)[0])
                for name, key, length, limit in self._windows(tenant_id)}
        return {"X-DayLimit-Remaining": left["day"], "X-MinLimit-Remaining": left["minute"],
                "X-AppMinLimit-Remaining": left["appminute"]}

    def _refused(self, tenant_id, name, retry_after):
        """429 without body or content type; the concurrent one has no Retry-After."""
        headers = {"X-Rate-Limit-Problem": name, **self._headers(tenant_id)}
        if retry_after is not None:
            headers["Retry-After"] = retry_after
        return HttpError(Response(429, b"", None, headers))
