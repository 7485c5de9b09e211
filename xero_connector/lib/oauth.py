"""OAuth 2 with Xero: authorise URL, code exchange, refresh, client credentials (xero-api.md, section 1).

There is no revocation here: it would withdraw all organisations its user ever granted. One connection is ended by
``XeroClient.delete_connection``.

Network only; where tokens are kept and who may refresh is ``xero.grant``'s business.
"""

import base64
import json
import logging
from urllib.parse import urlencode

import requests

from odoo.tools.translate import LazyTranslate

from .. import const
from . import errors
from .client import parse_json, readable_network_errors

_logger = logging.getLogger(__name__)
_lt = LazyTranslate("xero_connector", default_lang="en_US")

# The codes that a person must act on: what happened and what to do. Others may pass by themselves.
_WORDS = {
    "invalid_grant": _lt("The consent has expired or was withdrawn. Reconnect."),
    "invalid_client": _lt(
        "Xero does not accept the app's client id and secret. Compare them with Xero's developer page; a secret is "
        "shown there only once, so make a new one if in doubt."
    ),
    "unauthorized_client": _lt(
        "Xero does not allow this app to connect this way. At Xero the app must be of the type “Web app”, or “Custom "
        "connection” if that is what is chosen here."
    ),
    "invalid_scope": _lt(
        "Xero does not grant one of the scopes asked for to this app. Apps made since March 2026 know the granular "
        "scopes only, and a custom connection only those ticked on its page at Xero. It takes %s.",
        ", ".join(const.SCOPE_NEEDS),
    ),
    "access_denied": _lt("Access was not granted: the connection was cancelled at Xero."),
}
_APP_PROBLEMS = ("invalid_client", "unauthorized_client", "invalid_scope")


def authorize_url(login_url, *, client_id, redirect_uri, scopes, state):
    """Where the user's browser goes to consent."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
        }
    )
    return f"{login_url}/identity/connect/authorize?{query}"


def refusal(code, description=""):
    """What a redirect's error is: the user's own decision, or what only the app's owner mends.

    :return: XeroError, of the kind ``credentials`` where the app at Xero has to be changed
    """
    text = explain(code, description)
    return errors.XeroDenied(text, code="credentials") if code in _APP_PROBLEMS else errors.XeroError(text)


def explain(code, description=""):
    """A sentence for an OAuth error code, with Xero's own words where it gives any.

    :param str code, description: ``error`` and ``error_description`` of the redirect or the answer
    :return: text marked for translation
    """
    text = _WORDS.get(code) or _lt("Xero refused the connection. Connect again.")
    return errors.with_words_of_xero(text, description[:300])


class TokenEndpoint:
    """Xero's token endpoint for one app. Every method returns the answer's dict:
    ``access_token``, ``expires_in`` (s), ``scope`` (text), and ``refresh_token`` where there is one.

    :raise XeroDenied: the grant or the app's credentials are refused: never retry
    :raise XeroRetryLater: no answer, or not a readable one: the tokens held are still good
    """

    def __init__(self, identity_url, client_id, client_secret):
        self._url = identity_url
        self._auth = (client_id, client_secret)

    def exchange(self, code, redirect_uri):
        """Swap the code of the redirect for tokens; a code works once, for 5 minutes."""
        return self._post("/connect/token", grant_type="authorization_code", code=code, redirect_uri=redirect_uri)

    def refresh(self, refresh_token):
        """New access and refresh token; the old refresh token works 30 more minutes."""
        return self._post("/connect/token", grant_type="refresh_token", refresh_token=refresh_token)

    def client_credentials(self, scopes):
        """A custom connection's token: one organisation, no refresh token."""
        return self._post("/connect/token", grant_type="client_credentials", scope=" ".join(scopes))

    def check_client(self):
        """Whether Xero knows the app's id and secret: asked with a token nobody has, which is what it must refuse.

        :raise XeroDenied: when it refuses the app itself
        """
        try:
            self.refresh("none")
        except errors.XeroDenied as error:
            if error.code == "credentials":
                raise

    def _post(self, path, **form):
        call = f"POST {path}"
        with readable_network_errors(call):
            response = requests.post(
                self._url + path, data=form, auth=self._auth, timeout=const.TIMEOUT, allow_redirects=False
            )
        details = {
            "status": response.status_code,
            "call": call,
            "correlation_id": response.headers.get("Xero-Correlation-Id"),
        }
        _logger.info("%s %s", call, response.status_code)
        if response.status_code >= 500 or response.status_code == 429:
            raise errors.XeroRetryLater(_lt("Xero's login service has a problem of its own at the moment."), **details)
        answer = parse_json(response)
        if not isinstance(answer, dict):
            answer = {}
        if response.ok and answer.get("access_token"):
            return answer
        code = answer.get("error")
        if not isinstance(code, str) or code not in _WORDS:
            # Nothing that says the tokens we hold are dead: keep them and ask again.
            raise errors.XeroRetryLater(_lt("Xero's login service gave an answer that makes no sense."), **details)
        mends = "credentials" if code in _APP_PROBLEMS else "reconnect"
        raise errors.XeroDenied(explain(code, str(answer.get("error_description") or "")), code=mends, **details)


def claims(access_token):
    """The readable part of an access token. It came from Xero itself over TLS, so its signature is not checked.

    :return: dict with ``authentication_event_id``, ``xero_userid`` …; empty when the token is no JWT
    """
    try:
        body = access_token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
