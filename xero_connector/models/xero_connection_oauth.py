import binascii
import logging
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import hash_sign, verify_hash_signed

from .. import const
from ..lib import errors, oauth

_logger = logging.getLogger(__name__)

_STATE_SCOPE = "xero_connector.oauth"


class XeroConnection(models.Model):
    """Connecting to Xero: consent, organisation, disconnecting."""

    _inherit = "xero.connection"

    oauth_nonce = fields.Char(groups=fields.NO_ACCESS, prefetch=False, copy=False)
    missing_scopes = fields.Char(compute="_compute_missing_scopes")
    needs_choice = fields.Boolean(compute="_compute_needs_choice")

    # === CONNECT === #

    def action_connect(self):
        """Send the user's browser to Xero's consent page; a custom connection needs none and connects at once.

        Everything that Xero would only complain about later is checked first.
        """
        self.ensure_one()
        self.check_access("write")
        app_sudo = self.app_id.sudo()
        self._say_when_neutralized()
        if problem := app_sudo._secrets_problem(["stored_client_secret"]):
            raise UserError(problem)
        if app_sudo.grant_type == "client_credentials":
            app_sudo._refuse_without_secret()
            return self._connect_custom()
        redirect_uri = self._checked_redirect_uri()
        self._refuse_above_the_tier()
        try:
            login_url = self._xero_url("login_url")
            app_sudo._check_credentials()
        except errors.XeroError as error:
            raise UserError(self._refusal_text(error)) from None
        nonce = secrets.token_urlsafe(24)
        self.sudo().oauth_nonce = nonce
        state = hash_sign(
            self.sudo().env,
            _STATE_SCOPE,
            [self.env.uid, self.id, nonce],
            expiration=timedelta(minutes=const.STATE_MINUTES),
        )
        return {
            "type": "ir.actions.act_url",
            "target": "self",
            "url": oauth.authorize_url(
                login_url,
                client_id=app_sudo.client_id,
                redirect_uri=redirect_uri,
                scopes=self._required_scopes(),
                state=state,
            ),
        }

    def _required_scopes(self):
        """The smallest set of scopes for what is switched on: dict ``scope -> what it is needed for``."""
        needs = const.SCOPE_NEEDS | (const.ATTACHMENT_SCOPE if self.attach_files else {})
        return {scope: self.env._(need) for scope, need in needs.items()}

    def _refuse_above_the_tier(self):
        """Xero counts the organisations of an app; one too many would only be told on its own page."""
        app = self.app_id
        if not self.tenant_id and app.connection_count >= app.connection_cap:
            raise UserError(
                self.env._(
                    "All %(cap)s connections of the app %(app)s are in use. Disconnect one that is not needed any "
                    "more, or take a larger tier at Xero and choose it on the app.",
                    cap=app.connection_cap,
                    app=app.name,
                )
            )

    @api.model
    def _redirect_uri(self):
        return self.get_base_url().rstrip("/") + const.CALLBACK_PATH

    @api.model
    def _redirect_problem(self):
        """Why Xero would not send its users back to this Odoo, False when it would."""
        parts = urlsplit(self._redirect_uri())
        if parts.scheme == "https" or parts.hostname == "localhost":
            return False
        return self.env._(
            "Xero sends its users back only to an https address (or to localhost), but this Odoo calls itself "
            "%s. Set the system parameter web.base.url to its https address, and web.base.url.freeze to True.",
            self.get_base_url(),
        )

    def _checked_redirect_uri(self):
        if problem := self._redirect_problem():
            raise UserError(problem)
        return self._redirect_uri()

    # === BACK FROM XERO === #

    @api.model
    def _connection_from_state(self, state):
        """The connection a redirect belongs to, its state checked and used up; empty when it is not valid.

        The state is bound to user, connection and time; it works once, even if two requests bring it at the same
        moment. That it is used up is committed at once, whatever becomes of the request.
        """
        try:
            uid, connection_id, nonce = verify_hash_signed(self.sudo().env, _STATE_SCOPE, state or "") or (0, 0, "")
        except (ValueError, TypeError, binascii.Error):
            return self.browse()
        if uid != self.env.uid:
            return self.browse()
        while True:
            try:
                with self.env.registry.cursor() as cr:
                    use_up = "UPDATE xero_connection SET oauth_nonce = NULL WHERE id = %s AND oauth_nonce = %s"
                    cr.execute(use_up, (connection_id, nonce), log_exceptions=False)
                    return self.browse([connection_id] if cr.rowcount else [])
            except psycopg2.errors.SerializationFailure:
                _logger.debug("connection %s was written meanwhile", connection_id)

    def _complete_consent(self, code):
        """Swap the code for tokens and find the organisation. Works in a cursor of its own and commits step by step:
        Odoo may run a request twice, a code works once, and tokens received must never be rolled back.

        :return: why it was refused, as a sentence; None when it was not
        """
        self.ensure_one()
        with self.env.registry.cursor() as cr:
            connection_sudo = self.with_env(self.env(cr=cr, su=True))
            try:
                connection_sudo._adopt(connection_sudo._token_endpoint().exchange(code, self._redirect_uri()))
                refusal = None
            except errors.XeroError as error:
                connection_sudo._note_refusal(error)
                refusal = connection_sudo._refusal_text(error)
        self.invalidate_recordset()
        return refusal

    def _note_refusal(self, error):
        """Say why connecting did not succeed. The connection stays as it was: one that works goes on working, so only
        whoever tried is told; why another one needs attention is not forgotten over it."""
        if self.state in ("connected", "paused") and not self.message:
            text = self.env._("%s Nothing was changed.", error.for_person())
            notice = {"type": "warning", "title": self.name, "message": text, "sticky": True}
            self.env.user._bus_send("simple_notification", notice)
            return
        before = (self.message or "").rpartition("\n")[2] if self.state != "draft" else ""
        message = "\n".join(filter(None, [str(error), before]))
        self.write({"message": message, "correlation_id": error.correlation_id or self.correlation_id})

    def _refusal_text(self, error):
        """What whoever tried to connect reads of this."""
        return error.for_person()

    def _token_endpoint(self):
        return self.env["xero.grant"].new({"app_id": self.app_id})._endpoint()

    def _adopt(self, answer):
        """Keep the tokens of a token answer and bind their organisation; to be called in a cursor of its own.

        :raise XeroError: when the organisation cannot be bound; the connection keeps the consent it had
        """
        grants = self.env["xero.grant"]
        grant = grants.create({"app_id": self.app_id.id, **grants._values_from_answer(answer)})
        # At once: the code that bought these tokens works no second time, and a refresh uses yet another cursor.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        for _attempt in range(5):
            try:
                with self.env.cr.savepoint():
                    # Waits for a worker that polls this connection; if it wrote the row meanwhile, once more.
                    lock = "SELECT id FROM xero_connection WHERE id = %s FOR NO KEY UPDATE"
                    self.env.cr.execute(lock, (self.id,), log_exceptions=False)
                    self._find_organisation(grant)
                return
            except errors.XeroError:
                grant.unlink()
                raise
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()
        grant.unlink()
        raise errors.XeroRetryLater(self.env._("The connection is being worked on. Connect again in a minute."))

    def _connect_custom(self):
        """Connect by client credentials: no consent page, no refresh token, one organisation."""
        failure = None
        with self.env.registry.cursor() as cr:
            connection_sudo = self.with_env(self.env(cr=cr, su=True))
            try:
                answer = connection_sudo._token_endpoint().client_credentials(self._required_scopes())
                connection_sudo._adopt({"scope": " ".join(self._required_scopes())} | answer)
            except errors.XeroError as error:
                failure = error.for_person()
            connected_to = connection_sudo.tenant_name
        if failure:
            raise UserError(failure)
        self.invalidate_recordset()
        return self._notification(self.env._("Connected to %s.", connected_to), "success")

    def _find_organisation(self, grant):
        """Bind the organisation of a new grant to this connection and start working.

        :raise XeroDenied: with a sentence for the user when scopes are missing or it is not the right organisation
        """
        previous = self.grant_id
        if missing := self._missing_scopes(grant):
            needs = "; ".join(f"{scope} ({need})" for scope, need in missing.items())
            text = self.env._("The consent lacks: %s. Connect again and allow them.", needs)
            raise errors.XeroDenied(text, code="scope")
        self.grant_id = grant
        with self._client(purpose=None) as client:
            tenants = self._granted_tenants(client)
            if len(tenants) > 1:
                self.message = self.env._(
                    "Several organisations were granted (%s): choose the one to connect.", _names(tenants)
                )
            else:
                self._bind(client, tenants[0])
        # The replaced consent is only forgotten: revoking it would disconnect everything its user ever granted.
        (previous - grant).filtered(lambda old: not old.connection_ids).unlink()

    def _bind(self, client, tenant):
        """Make this the connection's organisation, and start working.

        :param dict tenant: Xero's, one that was granted
        """
        if self.app_id.grant_type != "client_credentials":
            client.tenant_id = tenant["tenantId"]
        organisation = client.organisation()
        self.write(
            {
                "tenant_id": tenant["tenantId"],
                "tenant_name": organisation.get("Name") or tenant.get("tenantName"),
                "tenant_country": organisation.get("CountryCode"),
                "tenant_currency": organisation.get("BaseCurrency"),
                "tenant_shortcode": organisation.get("ShortCode"),
                "remote_connection_id": tenant.get("id"),
                "state": "paused" if self.state == "paused" else "connected",
                "blocked_until": False,
                "checked_at": fields.Datetime.now(),
            }
        )
        self._take_call_back()
        self._note_success()
        self._ring()

    @api.depends("attach_files", "grant_id.scopes", "app_id.grant_type")
    def _compute_missing_scopes(self):
        for connection in self:
            # sudo: the names of scopes are no secret
            grant_sudo = connection.sudo().grant_id
            missing = connection._missing_scopes(grant_sudo) if grant_sudo else {}
            connection.missing_scopes = "; ".join(f"{scope} ({need})" for scope, need in missing.items())

    def _missing_scopes(self, grant):
        granted = set((grant.scopes or "").split())
        return {
            scope: need
            for scope, need in self._required_scopes().items()
            # The scope for writing includes reading; a custom connection has no refresh token to stay offline with.
            if not {scope, scope.removesuffix(".read")} & granted
            and not (scope == "offline_access" and grant.app_id.grant_type == "client_credentials")
        }

    def _granted_tenants(self, client):
        """Which of the organisations this very consent reaches may be ours.

        :return: Xero's dicts; one where there is no choice
        :raise XeroDenied: where there is none
        """
        tenants = [
            tenant
            for tenant in client.connections(self.grant_id.auth_event_id)
            if tenant.get("tenantType", "ORGANISATION") == "ORGANISATION"
        ]
        if not tenants:
            raise errors.XeroDenied(self.env._("No organisation was granted. Connect again and choose one."))
        if self.tenant_id:
            ours = [tenant for tenant in tenants if tenant["tenantId"] == self.tenant_id]
            if not ours:
                raise errors.XeroDenied(
                    self.env._(
                        "Another organisation was granted (%(granted)s); this connection belongs to %(ours)s. Connect "
                        "again and choose that one, or make a new connection. At Xero the other one stays connected, "
                        "and takes a place of the app's tier, until it is disconnected there.",
                        granted=_names(tenants),
                        ours=self.tenant_name,
                    )
                )
            return ours
        taken = self._connections_of([tenant["tenantId"] for tenant in tenants])
        free = [tenant for tenant in tenants if tenant["tenantId"] not in taken]
        if not free:
            where = [self._taken_text(tenant, taken[tenant["tenantId"]]) for tenant in tenants]
            why = self.env._("Two connections of one organisation would ship everything twice.")
            raise errors.XeroDenied(" ".join([*where, why]))
        return free

    def _taken_text(self, tenant, other):
        """That another connection has this organisation; which one, if it is not another customer's."""
        name = _names([tenant])
        if self.in_portal and other.partner_id != self.partner_id:
            return self.env._("%s is connected already.", name)
        return self.env._(
            "%(organisation)s is connected already, by the connection “%(connection)s”.",
            organisation=name,
            connection=other.name,
        )

    @api.depends("state", "grant_id", "tenant_id")
    def _compute_needs_choice(self):
        for connection in self:
            # sudo: that there is a consent is no secret
            connection.needs_choice = not connection.tenant_id and bool(connection.sudo().grant_id)

    def _choose_organisation(self, tenant_id):
        """Bind one of the organisations the consent reaches.

        :raise UserError: when it does not reach it, or Xero cannot be asked
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: the consent is nobody's to read
        self_sudo = self.sudo()
        try:
            with self._client() as client:
                chosen = [t for t in self_sudo._granted_tenants(client) if t["tenantId"] == tenant_id]
                if not chosen:
                    raise UserError(self.env._("This organisation is not granted any more. Connect again."))
                self_sudo._bind(client, chosen[0])
        except errors.XeroError as error:
            raise UserError(self._refusal_text(error)) from None

    def action_choose_organisation(self):
        """Choose among the organisations of the consent that was given."""
        self.ensure_one()
        self.check_access("write")
        return self.env["xero.choose.organisation"]._open_for(self)

    def _connections_of(self, tenant_ids):
        """Other connections of this company to these organisations: dict ``tenant id -> connection``."""
        others = self.search(
            [("company_id", "=", self.company_id.id), ("tenant_id", "in", tenant_ids), ("id", "!=", self.id)]
        )
        return {connection.tenant_id: connection for connection in others}

    # === DISCONNECT === #

    def action_disconnect(self):
        """End this one connection at Xero, and forget tokens and organisation here. Settings, orders and log stay."""
        self.ensure_one()
        self.check_access("write")
        self_sudo = self.sudo()
        shared, left_open = self._is_shared(), False
        if self_sudo.grant_id and self_sudo.remote_connection_id and not shared:
            try:
                # Safe to be repeated if Odoo runs the request twice: the second answer is a 404.
                with self._client() as client:
                    client.delete_connection(self_sudo.remote_connection_id)
            except errors.XeroMissing:
                _logger.info("connection %s was disconnected in Xero before", self.id)
            except errors.XeroDenied as error:
                _logger.info("connection %s has no access left to end: %s", self.id, error)
                left_open = error.code
            except errors.XeroError as error:
                raise UserError(
                    self.env._("%s Nothing was changed; disconnect again in a few minutes.", error.for_person())
                ) from None
        grant_sudo = self_sudo.grant_id
        # Whichever organisation comes next is read from its beginning; what is in the log stays untouched.
        forgotten = (
            "grant_id", "tenant_id", "tenant_name", "remote_connection_id", "watermark", "message", "error_code",
            "correlation_id", "blocked_until", "files_blocked_until", "checked_at", "item_watermark", "items_whole_at",
            "next_items", "item_message",
        )
        self_sudo.write({"state": "draft", "failed_turns": 0, **dict.fromkeys(forgotten, False)})
        self_sudo._take_call_back()
        self_sudo.with_context(active_test=False).bell_ids.unlink()
        if not grant_sudo.connection_ids:
            grant_sudo.unlink()
        return self._say_disconnected(shared, left_open)

    def _say_disconnected(self, shared, left_open):
        """What is left at Xero, in words; False where nothing is."""
        if left_open in ("neutralized", "copy"):
            text = self.env._("Disconnected in this copy only. The original's connection at Xero was left alone.")
        elif left_open:
            text = self.env._(
                "Disconnected here. Xero gave no access to end it there: look under Connected apps in Xero, and "
                "disconnect it there if it is still listed."
            )
        elif shared:
            text = self.env._("Disconnected here. Another company goes on using this organisation, so Xero keeps it.")
        else:
            return False
        return self._notification(text, "warning")

    def _is_shared(self):
        """Whether another company's connection uses the same organisation through the same app: at Xero that is one
        connection, and ending it would end both."""
        return bool(
            self.sudo().with_context(active_test=False).search_count(
                [
                    ("app_id", "=", self.app_id.id),
                    ("tenant_id", "=", self.tenant_id),
                    ("id", "!=", self.id),
                    ("state", "!=", "draft"),
                ],
                limit=1,
            )
        )

    def action_remove(self):
        """Take this connection out of the lists: it is disconnected first; orders and log stay."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft" or self.sudo().grant_id:
            self.action_disconnect()
        self.active = False
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_connection")
        return action | {"target": "main"}

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_used(self):
        """A deleted connection would stay open at Xero, and take the log of what was imported along."""
        for connection in self:
            if connection.state != "draft" or connection.sudo()._has_log():
                raise UserError(
                    self.env._("%s cannot be deleted: its log is kept. Use Remove on its form.", connection.name)
                )


def _names(tenants):
    return ", ".join(tenant.get("tenantName") or tenant["tenantId"] for tenant in tenants)
