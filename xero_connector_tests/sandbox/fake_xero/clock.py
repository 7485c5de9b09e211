"""The fake's own time, so that expiry can be tried without waiting."""
from datetime import datetime, timedelta, timezone


class Clock:
    """Real time plus whatever a test advanced it by."""

    def __init__(self):
        self._offset = timedelta()

    def now(self):
        """Aware datetime in UTC, cut to milliseconds as Xero's instants are."""
        now = datetime.now(timezone.utc) + self._offset
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def timestamp(self):
        """Seconds since 1970, as a float."""
        return self.now().timestamp()

    def advance(self, seconds):
        """Move the fake's time forward by `seconds`."""
        self._offset += timedelta(seconds=seconds)
