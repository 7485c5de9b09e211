import logging
import re

from odoo import http
from odoo.http import request

from ..const import CALLBACK_PATH
from ..lib import oauth

_QUERY = re.compile(rf"({re.escape(CALLBACK_PATH)})\?\S*")


class HideCode(logging.Filter):
    """Keeps the authorisation code out of the server's access log: it is part of the redirect's address."""

    def filter(self, record):
        text = record.getMessage()
        if CALLBACK_PATH in text:
            record.msg, record.args = _QUERY.sub(r"\1?…", text), ()
        return True


logging.getLogger("werkzeug").addFilter(HideCode())


class XeroOAuth(http.Controller):
    """Where Xero sends the user's browser back to."""

    @http.route(CALLBACK_PATH, type="http", auth="user", methods=["GET"])
    def callback(self, state=None, code=None, error=None, error_description="", **_kwargs):
        """Finish connecting, then show the connection: connected, or with the reason why not."""
        connection = request.env["xero.connection"]._connection_from_state(state)
        is_customer = request.env.user._is_portal()
        if is_customer:
            # Permission may have been withdrawn while its user was at Xero.
            own_sudo = connection._portal_own(connection.id)
            connection = own_sudo if own_sudo and own_sudo._portal_may_change() else connection.browse()
        if not connection:
            back = "/my/xero" if is_customer else "/odoo/xero-connections"
            return request.render("xero_connector.oauth_state_invalid", {"back": back}, status=400)
        connection.check_access("write")
        if code and not error:
            refusal = connection._complete_consent(code)
        else:
            problem = oauth.refusal(error or "", error_description)
            # sudo: messages are the machine's to write
            connection.sudo()._note_refusal(problem)
            refusal = connection._refusal_text(problem)
        if is_customer:
            # What stands on a connection that was never connected is on the page anyway.
            is_told = not refusal or connection.state == "draft"
            request.session["xero_notice"] = None if is_told else [refusal, "warning"]
            return request.redirect(f"/my/xero/{connection.id}/setup/authentication")
        return request.redirect(connection._path())
