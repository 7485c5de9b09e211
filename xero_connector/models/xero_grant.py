import logging
from datetime import timedelta

import psycopg2.errors

from odoo import fields, models

from .. import const
from ..fields import Secret
from ..lib import errors, oauth, vault

_logger = logging.getLogger(__name__)


class XeroGrant(models.Model):
    """One person's consent: its tokens, kept where nobody can read them.

    Tokens live here and not on the connection, because workers lock the connection's row while they work; this row is
    locked only for the instant of a refresh, in a cursor of its own that commits at once. A refresh token that Xero has
    replaced must never be lost to somebody's rollback.
    """

    _name = "xero.grant"
    _description = "Xero Grant"

    app_id = fields.Many2one("xero.app", required=True, index=True, ondelete="cascade")
    connection_ids = fields.One2many("xero.connection", "grant_id")
    access_token = Secret()
    refresh_token = Secret()
    access_expires_at = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    refreshed_at = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    scopes = fields.Char(groups=fields.NO_ACCESS, copy=False)
    auth_event_id = fields.Char(groups=fields.NO_ACCESS, copy=False)
    home = fields.Char(groups=fields.NO_ACCESS, copy=False, help="The database that was given this consent.")

    def _values_from_answer(self, answer):
        """The fields to write from a token answer. A missing refresh token leaves the one we hold alone."""
        now = fields.Datetime.now()
        values = {
            "access_token": answer["access_token"],
            "access_expires_at": now + timedelta(seconds=_seconds(answer.get("expires_in"))),
            "refreshed_at": now,
            "home": self._this_database(),
        }
        if answer.get("refresh_token"):
            values["refresh_token"] = answer["refresh_token"]
        if answer.get("scope"):
            scope = answer["scope"]
            values["scopes"] = scope if isinstance(scope, str) else " ".join(scope)
        if event := oauth.claims(answer["access_token"]).get("authentication_event_id"):
            values["auth_event_id"] = event
        return values

    def _this_database(self):
        """This database's own id: Odoo gives a copy another one, and a copy made by other means has another name."""
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return f"{uuid}/{self.env.cr.dbname}"

    def _refuse_in_a_copy(self):
        """Two databases with one set of tokens end each other's consent, and would both ship.

        :raise XeroDenied: when this consent was given to another database
        """
        if self.home and self.home != self._this_database():
            text = self.env._(
                "This database is a copy of the one that was connected, or was renamed. A copy must not talk to Xero: "
                "it would ship twice and end the original's access. If this is the one that shall work, reconnect."
            )
            raise errors.XeroDenied(text, code="copy")

    def _token(self, refused=None):
        """A valid access token; refreshed at most once, however many workers ask at the same moment.

        :param str refused: a token Xero has just answered 401 to, although its time was not up
        :raise XeroError: when there is none to be had; what was stored stays as it was
        """
        self.ensure_one()
        while True:
            try:
                return self._read_or_refresh(refused)
            except psycopg2.errors.SerializationFailure:
                # Another worker refreshed while we waited for the row: read again what it committed.
                _logger.debug("grant %s was refreshed meanwhile", self.id)

    def _read_or_refresh(self, refused):
        # The registry's cursor, not the caller's: its snapshot may be older than the last refresh.
        with self.env.registry.cursor() as cr:
            grant = self.with_env(self.env(cr=cr, su=True))
            if not grant._is_fresh(refused):
                # Waits for whoever refreshes now, then fails to serialise, and `_token` reads again: whoever gets the
                # lock has seen the newest tokens. No error worth a log line.
                lock = "SELECT id FROM xero_grant WHERE id = %s FOR NO KEY UPDATE"
                cr.execute(lock, (grant.id,), log_exceptions=False)
                if not cr.rowcount:
                    raise errors.XeroDenied(self.env._("The consent was removed. Reconnect."))
                # Committed as this cursor closes: a rotated token must not be lost to the caller's rollback.
                grant.write(grant._values_from_answer(grant._ask_for_tokens()))
            return grant.access_token

    def _is_fresh(self, refused):
        limit = fields.Datetime.now() + timedelta(seconds=const.ACCESS_TOKEN_MARGIN)
        return (
            self.exists()
            and self.access_token
            and self.access_token != refused
            and self.access_expires_at
            and self.access_expires_at > limit
        )

    def _ask_for_tokens(self):
        self.env["xero.connection"]._refuse_when_neutralized()
        self._refuse_in_a_copy()
        endpoint = self._endpoint()
        if self.app_id.grant_type == "client_credentials":
            return endpoint.client_credentials((self.scopes or "").split())
        if not self.refresh_token:
            raise errors.XeroDenied(self.env._("There is no valid consent. Connect to Xero."))
        return endpoint.refresh(self.refresh_token)

    def _endpoint(self):
        # What Xero answers exists only once: no asking for what could not be stored.
        vault.check()
        app_sudo = self.app_id.sudo()
        return oauth.TokenEndpoint(
            self.env["xero.connection"]._xero_url("identity_url"), app_sudo.client_id, app_sudo.stored_client_secret
        )


def _seconds(value):
    """How long a token lasts. Whatever Xero writes there, the tokens that came with it exist only once: keep them."""
    return int(value) if str(value or "").isdigit() else const.ACCESS_TOKEN_SECONDS
