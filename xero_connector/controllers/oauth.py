import logging
import re

from odoo import http
from odoo.http import request

from ..const import CALLBACK_PATH
from ..lib import errors, oauth

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
        if not connection:
            return request.render("xero_connector.oauth_state_invalid", status=400)
        connection.check_access("write")
        if code and not error:
            connection._complete_consent(code)
        else:
            # sudo: messages are the machine's to write
            connection.sudo()._note_refusal(errors.XeroError(oauth.explain(error or "", error_description)))
        return request.redirect(connection._path())
