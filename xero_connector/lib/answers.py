"""Read an HTTP answer of Xero: the right error for what is no success. Source: xero-api.md, section 7."""

import re

from .. import const
from . import errors

_SCOPE_PROBLEM = re.compile(r"insuff?icient?_scope|insufficent_scope", re.IGNORECASE)
_LIMITS = {"day": "day", "dai": "day", "min": "minute", "conc": "concurrent", "app": "appminute"}
LIMIT_WORDS = {
    "day": "today's calls",
    "minute": "this minute's calls",
    "appminute": "this minute's calls of the whole app",
    "concurrent": "calls at the same time",
}
_SCOPE_NAME = re.compile(r"\baccounting\.[a-z]+(?:\.read)?\b")


def raise_for_status(response, call):
    """Raise the typed error of a ``requests`` answer; return when it is a success.

    :param str call: method and path for the message
    """
    status = response.status_code
    if status < 300:
        return
    details = {"status": status, "call": call, "correlation_id": response.headers.get("Xero-Correlation-Id")}
    if status < 400:
        raise errors.XeroRetryLater(
            f"Something between here and Xero redirects the call elsewhere ({status}). Check the server's network.",
            **details,
        )
    if status == 429:
        raise _limit(response, details)
    if status in (401, 403):
        raise _denied(response, details)
    if status == 404:
        raise errors.XeroMissing("Xero does not know this document (any more).", **details)
    if status == 400:
        raise errors.XeroRejected(_messages(response), **details)
    if status == 503:
        raise _outage(response, details)
    if status == 501:
        raise errors.XeroRejected(["Xero does not know this call (501); the addon made a mistake."], **details)
    if status >= 500:
        raise errors.XeroRetryLater(f"Xero has a problem of its own at the moment ({status}).", **details)
    raise errors.XeroRejected([f"Xero refused the call ({status})."], **details)


def is_expired_token(error):
    """Whether a refusal may be mended by one refresh: a 401 that is not about scopes."""
    return isinstance(error, errors.XeroDenied) and error.status == 401 and error.code != "scope"


def _limit(response, details):
    said = response.headers.get("X-Rate-Limit-Problem", "").lower()
    # By prefix: Xero has written "Daily" and "Minute", too (section 2).
    limit = next((name for prefix, name in _LIMITS.items() if said.startswith(prefix)), "minute")
    wait = response.headers.get("Retry-After", "")
    return errors.XeroRetryLater(
        f"Xero's limit of {LIMIT_WORDS[limit]} is used up.",
        retry_after=float(wait) if wait.isdigit() else const.LIMIT_PAUSES.get(limit),
        limit=limit,
        **details,
    )


def _outage(response, details):
    text = response.text[:2000].lower()
    if "rate limit" in text:
        return _limit(response, details)
    what = "The organisation is offline at Xero" if "organisation is offline" in text else "Xero is being maintained"
    return errors.XeroRetryLater(
        f"{what} at the moment. It is asked again in a few minutes.", retry_after=const.OUTAGE_PAUSE, **details
    )


def _denied(response, details):
    if details["status"] == 403 and "html" in response.headers.get("Content-Type", "").lower():
        return errors.XeroRetryLater(
            "Xero's network refused this server (Access Denied). Check that it speaks TLS 1.2 or newer and that no "
            "proxy changes its calls.",
            **details,
        )
    challenge = response.headers.get("WWW-Authenticate", "")
    if _SCOPE_PROBLEM.search(challenge) or _SCOPE_PROBLEM.search(response.text[:2000]):
        named = _SCOPE_NAME.search(challenge)
        return errors.XeroDenied(
            f"The consent does not cover this call{f' (scope {named[0]})' if named else ''}. Reconnect to widen it.",
            code="scope",
            **details,
        )
    said = _detail(response)
    if details["status"] == 401:
        return errors.XeroDenied(f"Xero does not accept the access any more. Reconnect.{said}", **details)
    return errors.XeroDenied(
        "Xero refuses access to this organisation: it was disconnected in Xero, its subscription ended, "
        f"or the user who connected it lost the right. Reconnect.{said}",
        **details,
    )


def _detail(response):
    """Xero's own words on a refusal, '' where they are none for people."""
    try:
        body = {str(key).lower(): value for key, value in response.json().items()}
    except (ValueError, AttributeError):
        return ""
    said = str(body.get("detail") or "")[:200]
    return f" Xero says: {said}" if " " in said and not said.startswith("TokenExpired") else ""


def _messages(response):
    """All validation messages of a 400 body, nested ones too, each once, in order."""
    try:
        body = response.json()
    except ValueError:
        return [response.text[:500].strip() or "Xero refused the request without a reason."]
    found = []

    def walk(node):
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            found.extend(error.get("Message") for error in node.get("ValidationErrors") or ())
            for key, child in node.items():
                if key != "ValidationErrors" and isinstance(child, (dict, list)):
                    walk(child)

    walk(body)
    if not any(found) and isinstance(body, dict):
        found = [body.get("Message") or body.get("Detail") or body.get("error")]
    if isinstance(body, dict) and body.get("Type") == "HighVolumeException":
        found = [*found, "(HighVolumeException)"]
    return list(dict.fromkeys(filter(None, found))) or ["Xero refused the request without a reason."]
