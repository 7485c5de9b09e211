import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models

from .. import const
from ..lib import errors

_logger = logging.getLogger(__name__)


class XeroConnection(models.Model):
    """Keeping consents alive: a refresh token dies after 60 days without use."""

    _inherit = "xero.connection"

    consent_ends = fields.Datetime(
        string="Consent ends",
        compute="_compute_consent_ends", help="Without a sign of life before then, a new consent is needed."
    )

    @api.depends("grant_id.refreshed_at", "app_id.grant_type")
    def _compute_consent_ends(self):
        for connection in self:
            # sudo: the time alone, not the tokens
            refreshed = connection.sudo().grant_id.refreshed_at
            lasts = refreshed and connection.app_id.grant_type != "client_credentials"
            connection.consent_ends = lasts and refreshed + timedelta(days=const.REFRESH_TOKEN_DAYS)

    @api.model
    def _cron_health(self):
        """Renew the consents that were not used lately (paused, by hand), and warn where that does not succeed."""
        self.env["xero.app"]._seal_anew()
        connections = self.search([("grant_id", "!=", False), ("state", "!=", "draft")])
        self.env["ir.cron"]._commit_progress(remaining=len(connections))
        for connection in connections:
            try:
                connection._renew_consent_safely()
                seconds_left = self.env["ir.cron"]._commit_progress(1)
            except psycopg2.OperationalError:
                self.env.cr.rollback()
                _logger.info("connection %s is busy elsewhere, its consent is renewed tomorrow", connection.id)
                continue
            if not seconds_left:
                break

    def _renew_consent_safely(self):
        grant_sudo = self.sudo().grant_id
        renew_before = fields.Datetime.now() - timedelta(days=const.RENEW_AFTER_DAYS)
        if not self.consent_ends or grant_sudo.refreshed_at > renew_before:
            return
        try:
            # Asking for another token than the one we hold is what makes a refresh.
            grant_sudo._token(refused=grant_sudo.access_token)
        except errors.XeroDenied as error:
            self._note_error(error)
        except errors.XeroError as error:
            _logger.info("connection %s: the consent could not be renewed today: %s", self.id, error)
            self._warn_of_end()

    def _warn_of_end(self):
        left = self.consent_ends - fields.Datetime.now()
        if left < timedelta(days=const.WARN_DAYS) and not self._has_open_call():
            self._call_for_help(self.env._("The consent ends in %s days. Reconnect it.", max(left.days, 0)))
