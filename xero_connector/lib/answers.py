"""Read an HTTP answer of Xero: the right error for what is no success. Source: xero-api.md, section 7."""

import re

from odoo.tools.translate import LazyTranslate

from .. import const
from . import errors

_lt = LazyTranslate("xero_connector", default_lang="en_US")

_SCOPE_PROBLEM = re.compile(r"insuff?icient?_scope|insufficent_scope", re.IGNORECASE)
_LIMITS = {"day": "day", "dai": "day", "min": "minute", "conc": "concurrent", "app": "appminute"}
LIMIT_USED_UP = {
    "day": _lt("Xero's limit of today's calls is used up."),
    "minute": _lt("Xero's limit of this minute's calls is used up."),
    "appminute": _lt("Xero's limit of this minute's calls of the whole app is used up."),
    "concurrent": _lt("Xero's limit of calls at the same time is used up."),
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
            _lt(
                "Something between here and Xero redirects the call elsewhere (%s). Check the server's network.", status
            ),
            **details,
        )
    if status == 429:
        raise _limit(response, details)
    if status in (401, 403):
        raise _denied(response, details)
    if status == 404:
        raise errors.XeroMissing(_lt("Xero does not know this document (any more)."), **details)
    if status == 400:
        raise errors.XeroRejected(_messages(response), **details)
    if status == 503:
        raise _outage(response, details)
    if status == 501:
        raise errors.XeroRejected([], _lt("Xero does not know this call (501); the addon made a mistake."), **details)
    if status >= 500:
        raise errors.XeroRetryLater(_lt("Xero has a problem of its own at the moment (%s).", status), **details)
    raise errors.XeroRejected([], _lt("Xero refused the call (%s).", status), **details)


def is_expired_token(error):
    """Whether a refusal may be mended by one refresh: a 401 that is not about scopes."""
    return isinstance(error, errors.XeroDenied) and error.status == 401 and error.code != "scope"


def _limit(response, details):
    said = response.headers.get("X-Rate-Limit-Problem", "").lower()
    # By prefix: Xero has written "Daily" and "Minute", too (section 2).
    limit = next((name for prefix, name in _LIMITS.items() if said.startswith(prefix)), "minute")
    wait = response.headers.get("Retry-After", "")
    return errors.XeroRetryLater(
        LIMIT_USED_UP[limit],
        retry_after=float(wait) if wait.isdigit() else const.LIMIT_PAUSES.get(limit),
        limit=limit,
        **details,
    )


def _outage(response, details):
    text = response.text[:2000].lower()
    if "rate limit" in text:
        return _limit(response, details)
    if "organisation is offline" in text:
        what = _lt("The organisation is offline at Xero at the moment. It is asked again in a few minutes.")
    else:
        what = _lt("Xero is being maintained at the moment. It is asked again in a few minutes.")
    return errors.XeroRetryLater(what, retry_after=const.OUTAGE_PAUSE, **details)


def _denied(response, details):
    if details["status"] == 403 and "html" in response.headers.get("Content-Type", "").lower():
        return errors.XeroRetryLater(
            _lt(
                "Xero's network refused this server (Access Denied). Check that it speaks TLS 1.2 or newer and that no "
                "proxy changes its calls."
            ),
            **details,
        )
    challenge = response.headers.get("WWW-Authenticate", "")
    if _SCOPE_PROBLEM.search(challenge) or _SCOPE_PROBLEM.search(response.text[:2000]):
        named = _SCOPE_NAME.search(challenge)
        if named:
            text = _lt("The consent does not cover this call (scope %s). Reconnect to widen it.", named[0])
        else:
            text = _lt("The consent does not cover this call. Reconnect to widen it.")
        return errors.XeroDenied(text, code="scope", **details)
    if details["status"] == 401:
        text = _lt("Xero does not accept the access any more. Reconnect.")
    else:
        text = _lt(
            "Xero refuses access to this organisation: it was disconnected in Xero, its subscription ended, or the "
            "user who connected it lost the right. Reconnect."
        )
    return errors.XeroDenied(errors.with_words_of_xero(text, _detail(response)), **details)


def _detail(response):
    """Xero's own words on a refusal, '' where they are none for people."""
    try:
        body = {str(key).lower(): value for key, value in response.json().items()}
    except (ValueError, AttributeError):
        return ""
    said = str(body.get("detail") or "")[:200]
    return said if " " in said and not said.startswith("TokenExpired") else ""


def _messages(response):
    """All validation messages of a 400 body, nested ones too, each once, in order."""
    try:
        body = response.json()
    except ValueError:
        return [response.text[:500].strip() or errors.NO_REASON]
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
    return list(dict.fromkeys(filter(None, found))) or [errors.NO_REASON]
