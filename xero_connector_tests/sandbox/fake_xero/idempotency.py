"""Idempotency-Key: answers kept six minutes, per app and not per organisation (`xero-api.md` 4.4)."""
import hashlib

from .http import bad_request

KEPT = 6 * 60  # seconds from the first call
LONGEST_KEY = 128


class IdempotencyCache:
    """Answers by key; internal errors (500) are kept and replayed like any other answer."""

    def __init__(self, clock):
        self._clock = clock
        self._answers = {}

    @staticmethod
    def _fingerprint(request):
        content = f"{request.method} {request.url}\n".encode() + request.body
        return hashlib.sha256(content).hexdigest()

    def replay(self, request):
        """The kept answer of this very request, or None. 400 when the key belongs to another request."""
        key = request.headers.get("idempotency-key")
        if not key or request.method not in ("POST", "PUT", "PATCH"):
            return None
        if len(key) > LONGEST_KEY:
            raise bad_request(f"Idempotency Key must not exceed {LONGEST_KEY} characters.")
        fingerprint, since, response = self._answers.get(key, (None, 0, None))
        if response is None or self._clock.timestamp() - since >= KEPT:
            return None
        if fingerprint != self._fingerprint(request):
            raise bad_request(f"Idempotency Key {key} is used with a different request.")
        return response

    def keep(self, request, response):
        """Remember the answer of a request with a key; a 429 or a refused login is not an answer to it."""
        key = request.headers.get("idempotency-key")
        if key and request.method in ("POST", "PUT", "PATCH") and response.status not in (401, 403, 429, 503):
            self._answers[key] = (self._fingerprint(request), self._clock.timestamp(), response)
