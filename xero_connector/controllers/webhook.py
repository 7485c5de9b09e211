import base64
import hashlib
import hmac
import json
import logging

from odoo import http
from odoo.http import request

from .. import const
from ..lib import errors

_logger = logging.getLogger(__name__)


class XeroWebhook(http.Controller):
    """Where Xero rings (xero-api.md, section 6). Anybody may knock: nothing is parsed or done for whoever does not know
    the signing key, and every stranger gets the same answer."""

    @http.route(
        f"{const.WEBHOOK_PATH}/<string:token>",
        type="http",
        auth="none",
        csrf=False,
        save_session=False,
        max_content_length=const.LARGEST_WEBHOOK,
    )
    def receive(self, token, **_kwargs):
        """Answer 200 to what Xero signed and 401 to all else; the work is done later, by the scheduled action."""
        if request.httprequest.method != "POST":
            # Refused here and not by Odoo, whose own page for it sets a cookie.
            return _answer(405)
        body = request.httprequest.get_data()
        # sudo: nobody is logged in; the signature is the right
        app_sudo = request.env["xero.app"].sudo()._of_webhook(token)
        try:
            key = app_sudo.stored_webhook_key or ""
        except errors.XeroDenied:
            # The server's own key is missing: Xero rings again later, so nothing is lost.
            return _answer(503)
        expected = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest())
        given = request.httprequest.headers.get("x-xero-signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(expected, given) or not key:
            return _answer(401)
        app_sudo._note_webhook()
        if events := _events(body):
            request.env["xero.connection"].sudo()._ring_bells(app_sudo, events)
        return _answer(200)


def _events(body):
    """The events of a signed body; [] for one of another shape, which to refuse would have Xero send it for a day."""
    try:
        events = json.loads(body).get("events")
    except (ValueError, AttributeError, RecursionError):
        _logger.warning("a webhook's body has another shape than expected")
        return []
    return events if isinstance(events, list) else []


def _answer(status):
    return request.make_response("", status=status)
