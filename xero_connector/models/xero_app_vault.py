import logging

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..fields import Secret
from ..lib import errors, vault

_logger = logging.getLogger(__name__)

_SECRETS = ("stored_client_secret", "stored_webhook_key")


class XeroApp(models.Model):
    """Secrets at rest: how they are stored, told to those who can change it, and sealed anew when the key changes."""

    _inherit = "xero.app"

    secrets_note = fields.Char(compute="_compute_secrets_note", groups="xero_connector.group_xero_manager")
    secrets_problem = fields.Char(compute="_compute_secrets_note", groups="xero_connector.group_xero_manager")

    @api.depends(*_SECRETS)
    def _compute_secrets_note(self):
        if vault.is_on():
            note = self.env._("Secrets are encrypted in the database; those from before the key was set, within a day.")
        else:
            note = self.env._(
                "Secrets are stored unencrypted. To encrypt them, set %s in odoo.conf; see the documentation.",
                vault.OPTION,
            )
        for app in self:
            app.secrets_problem = app._secrets_problem()
            app.secrets_note = not app.secrets_problem and note

    def _secrets_problem(self, names=_SECRETS):
        """Why secrets cannot be sealed, or these of the app not be opened; False when they can."""
        # sudo: whether they can be opened is no secret
        app_sudo = self.sudo()
        try:
            vault.check()
            for name in names:
                app_sudo.mapped(name)
        except errors.XeroDenied as error:
            return str(error)
        return False

    def _has_secret(self, name):
        """Whether there is one, even if it cannot be opened now: only typing another one replaces it."""
        try:
            return bool(self[name])
        except errors.XeroDenied:
            return True

    def _check_key(self):
        """Refuse, in words, to take a secret that could not be sealed."""
        try:
            vault.check()
        except errors.XeroDenied as error:
            raise UserError(str(error)) from None

    @api.model
    def _seal_anew(self):
        """Seal with today's key what was stored without one, or with an older one. What cannot be opened stays."""
        for model in ("xero.app", "xero.grant"):
            for field in self.env[model]._fields.values():
                if isinstance(field, Secret):
                    self._seal_column_anew(self.env[model], field.name)

    def _seal_column_anew(self, model, name):
        # Past the cache: the ORM would skip a value that stays the same.
        model.flush_model([name])
        table, column = SQL.identifier(model._table), SQL.identifier(name)
        stored = self.env.execute_query(SQL("SELECT id, %s FROM %s WHERE %s IS NOT NULL", column, table, column))
        unopened = None
        for record_id, text in stored:
            try:
                anew = vault.seal_anew(text)
            except errors.XeroDenied as error:
                unopened = error
                continue
            if anew == text:
                continue
            update = SQL("UPDATE %s SET %s = %s WHERE id = %s", table, column, anew, record_id)
            try:
                with self.env.cr.savepoint():
                    self.env.cr.execute(update, log_exceptions=False)
            except psycopg2.errors.SerializationFailure:
                # A token refreshed since our transaction began: it is newer, and sealed with today's key already.
                _logger.debug("%s of %s %s was written meanwhile", name, model._name, record_id)
        model.invalidate_model([name], flush=False)
        if unopened:
            _logger.warning("%s of %s: %s", name, model._name, unopened)
