import logging
from datetime import timedelta

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models

from .. import const
from ..lib import errors

_logger = logging.getLogger(__name__)

# What may be mended elsewhere: in Xero, on the app, in the server's settings.
_MENDS_BY_ITSELF = ("reconnect", "credentials", "copy", "configuration")
_CALL_FOR_HELP = "xero_connector.mail_activity_type_xero"


class XeroConnection(models.Model):
    """A connection never dies silently: what stopped it is kept and told, once a day it is looked after, and what is
    mended takes its call for help back."""

    _inherit = "xero.connection"

    consent_ends = fields.Datetime(
        string="Consent ends",
        compute="_compute_consent_ends", help="Without a sign of life before then, a new consent is needed."
    )
    checked_at = fields.Datetime(
        string="Last check", readonly=True, copy=False, help="When Xero last said that this connection stands."
    )

    @api.depends("grant_id.refreshed_at", "app_id.grant_type")
    def _compute_consent_ends(self):
        for connection in self:
            # sudo: the time alone, not the tokens
            refreshed = connection.sudo().grant_id.refreshed_at
            lasts = refreshed and connection.app_id.grant_type != "client_credentials"
            connection.consent_ends = lasts and refreshed + timedelta(days=const.REFRESH_TOKEN_DAYS)

    # === WHAT WENT WRONG === #

    def _note_error(self, error):
        """Keep what stopped this connection where its users see it. What only a person can mend makes it red; what may
        pass by itself calls a person when it has not after some turns."""
        self.ensure_one()
        if error.status == 403:
            error = self._look_closer(error)
        values = {
            "message": str(error),
            "error_code": getattr(error, "code", False),
            "correlation_id": error.correlation_id,
            "failed_turns": self.failed_turns + 1,
        }
        if isinstance(error, errors.XeroDenied) and error.code != "neutralized":
            if error.code == "configuration":
                # The server's administrator mends it for all connections at once: they go on trying, unhurried.
                values["blocked_until"] = fields.Datetime.now() + timedelta(seconds=const.DEFAULT_RETRY_AFTER)
            elif self.state != "paused":
                # A pause stays a pause: its user finds the message when resuming.
                values["state"] = "error"
            values["failed_turns"] = max(const.TURNS_BEFORE_HELP, values["failed_turns"])
        # A limit is no failure: it was announced, and passes when Xero says.
        elif getattr(error, "limit", None):
            values["failed_turns"] = self.failed_turns
        self.write(values)
        if self.failed_turns >= const.TURNS_BEFORE_HELP:
            self._call_for_help(str(error))

    def _look_closer(self, error):
        """Xero gives one answer for an organisation that was disconnected and for a right that was lost; its list of
        connections tells them apart."""
        try:
            gone = not self._is_listed()
        except errors.XeroError:
            return error
        if not gone:
            return error
        return errors.XeroDenied(self._gone_text(), status=error.status, call=error.call,
                                 correlation_id=error.correlation_id)

    def _gone_text(self):
        return self._for_reader().env._(
            "%s was disconnected in Xero. Reconnect it; all settings and the log are kept.", self.tenant_name
        )

    def _note_success(self):
        """Forget what went wrong, and take the call for help back."""
        if self.failed_turns:
            self._take_call_back()
        if self.failed_turns or self.message:
            self.write({"failed_turns": 0, "message": False, "error_code": False, "correlation_id": False})

    def _take_call_back(self):
        self.activity_unlink([_CALL_FOR_HELP])

    def _call_for_help(self, text):
        """One activity for the responsible person, and a word to those who follow; none while the last one is open."""
        if self.activity_search([_CALL_FOR_HELP]):
            return
        self.activity_schedule(
            _CALL_FOR_HELP,
            summary=self._for_reader().env._("Xero connection needs attention"),
            note=Markup("<p>%s</p>") % text,
            user_id=(self.user_id or self.env.ref("base.user_admin")).id,
        )
        self._notify_followers(text, "danger")

    # === ONCE A DAY === #

    @api.model
    def _cron_health(self):
        """Ask Xero once a day which connections stand, renew the consents that were not used lately (paused, by hand),
        and warn where that does not succeed."""
        self.env["xero.app"]._seal_anew()
        # archived ones keep their consent, too
        domain = [("grant_id", "!=", False), ("state", "!=", "draft")]
        connections = self.with_context(active_test=False).search(domain)
        self.env["ir.cron"]._commit_progress(remaining=len(connections))
        for connection in connections:
            try:
                # A poll that is at work tells the same: the check waits for its next day.
                if connection.try_lock_for_update(allow_referencing=True):
                    connection._check_safely()
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            except Exception as error:
                self.env.cr.rollback()
                if isinstance(error, psycopg2.OperationalError):
                    _logger.info("connection %s is busy elsewhere, it is looked after tomorrow", connection.id)
                else:
                    # A bug of ours must not keep the other consents from being renewed, nor hide.
                    _logger.exception("connection %s: the daily check failed", connection.id)
                # Counted as done, or the scheduler asks Xero about all of them again, at once and over and over.
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            if not seconds_left:
                break

    def _check_safely(self):
        """Renew the consent if it is time, ask whether the organisation is connected still, and mend the state."""
        try:
            self._renew_consent()
            if not self._is_listed():
                raise errors.XeroDenied(self._gone_text())
            self._mend()
        except errors.XeroDenied as error:
            self._note_error(error)
        except errors.XeroError as error:
            _logger.info("connection %s could not be checked today: %s", self.id, error)
            self._warn_of_end()

    def _renew_consent(self):
        grant_sudo = self.sudo().grant_id
        renew_before = fields.Datetime.now() - timedelta(days=const.RENEW_AFTER_DAYS)
        if self.consent_ends and grant_sudo.refreshed_at <= renew_before:
            # Asking for another token than the one we hold is what makes a refresh.
            grant_sudo._token(refused=grant_sudo.access_token)
            self.invalidate_recordset(["consent_ends"])

    def _is_listed(self):
        """Whether Xero still lists our organisation; its name there is kept."""
        with self._client() as client:
            tenants = {tenant["tenantId"]: tenant for tenant in client.connections()}
        tenant = tenants.get(self.tenant_id)
        if tenant:
            name = tenant.get("tenantName") or self.tenant_name
            values = {"tenant_name": name, "remote_connection_id": tenant.get("id") or self.remote_connection_id}
            self.sudo().write(values)
        return bool(tenant)

    def _mend(self):
        """The connection stands. One that had lost its access goes on if it really has it again."""
        if self.error_code in _MENDS_BY_ITSELF and not self.missing_scopes:
            with self._client() as client:
                client.organisation()
            if self.state == "error":
                self.state = "connected"
                self._ring()
            self._note_success()
        elif not self.failed_turns:
            # the warning that the consent ends
            self._take_call_back()
        self.checked_at = fields.Datetime.now()

    def _warn_of_end(self):
        if not self.consent_ends:
            return
        left = self.consent_ends - fields.Datetime.now()
        if left < timedelta(days=const.WARN_DAYS):
            text = self._for_reader().env._("Days until the consent ends: %s. Reconnect it.", max(left.days, 0))
            self._call_for_help(text)
