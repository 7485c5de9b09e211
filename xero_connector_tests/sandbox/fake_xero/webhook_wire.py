"""Webhooks on the wire: payloads, signatures, and what Xero makes of the receiver's answer (`xero-api.md` 6)."""
import base64
import hashlib
import hmac
import secrets
import string
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from .formats import dumps

PATIENCE = 5.0  # seconds a receiver may take


@dataclass
class Answer:
    """What a receiver said: its status, or None with the `problem` in words when the answer does not count."""

    status: int | None
    problem: str = ""
    has_body: bool = False


@dataclass
class Delivery:
    """One payload that was sent: its bytes, the status it got, and why that is not enough (empty when it is)."""

    body: bytes
    status: int | None
    reason: str


def sign(key, body):
    """The `x-xero-signature` of raw bytes: base64 of HMAC-SHA256 with the key taken as plain text."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def payload(events, first, last):
    """The bytes of a payload. Its blanks are Xero's, so who signs it anew after parsing gets another signature."""
    entropy = "".join(secrets.choice(string.ascii_uppercase) for _letter in range(20))
    return (f'{{"events":{dumps(events)},"firstEventSequence": {first},"lastEventSequence": {last}, '
            f'"entropy": "{entropy}"}}').encode()


def check_url(url):
    """ValueError unless events may go there: Xero wants https on port 443, the fake never leaves the machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in ("localhost", "127.0.0.1") or parts.port == 0:
        raise ValueError(f"the fake sends webhooks to http://localhost or http://127.0.0.1 only, not to {url}")


def _post(url, body, signature, patience):
    """The `Answer` to signed bytes."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=patience)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    start = time.monotonic()
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json", "x-xero-signature": signature})
        response = connection.getresponse()
        has_body = bool(response.read(1))
    except TimeoutError:
        return Answer(None, f"no answer within {patience:g} s")
    except (OSError, HTTPException) as error:
        return Answer(None, f"no answer: {type(error).__name__}: {error}")
    finally:
        connection.close()
    if time.monotonic() - start > patience:  # it trickled: no single wait was too long
        return Answer(None, f"no answer within {patience:g} s")
    if response.headers.get("Set-Cookie"):
        return Answer(None, f"the answer {response.status} sets a cookie")
    return Answer(response.status, has_body=has_body)


def send(url, key, body, patience=PATIENCE):
    """Send bytes, rightly signed; returns the `Delivery`."""
    answer = _post(url, body, sign(key, body), patience)
    reason = answer.problem
    if not reason and not 200 <= answer.status < 300:
        reason = f"answered {answer.status} instead of 2xx"
    elif not reason and answer.has_body:
        reason = f"the answer {answer.status} has a body"
    return Delivery(body, answer.status, reason)


def intent_to_receive(url, key, patience=PATIENCE):
    """Xero's handshake: empty payloads, some of them wrongly signed; returns what is wrong, in words, or ""."""
    for _round in range(2):
        body, other = payload([], 0, 0), payload([], 0, 0)
        reason = send(url, key, other, patience).reason
        if reason:
            return f"a rightly signed payload: {reason}"
        for wrong in (sign(f"{key}x", body), sign(key, other)):  # another key, and a signature seen before
            answer = _post(url, body, wrong, patience)
            if answer.problem or answer.status != 401:
                return f"a wrongly signed payload: {answer.problem or f'answered {answer.status} instead of 401'}"
    return ""
