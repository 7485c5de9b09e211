import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..fields import Secret
from ..lib import errors


class XeroApp(models.Model):
    """The app an administrator registers once on Xero's developer page. One app serves many organisations."""

    _name = "xero.app"
    _inherit = "xero.guarded.mixin"
    _description = "Xero App"

    name = fields.Char(required=True)
    client_id = fields.Char(string="Client ID", required=True)
    client_secret = fields.Char(
        compute="_compute_write_only",
        inverse="_inverse_client_secret",
        help="Stored where nobody can read it again. Type a new one to replace it.",
    )
    webhook_key = fields.Char(
        string="Webhook Signing Key",
        compute="_compute_write_only",
        inverse="_inverse_webhook_key",
        help="Stored where nobody can read it again. Type a new one to replace it.",
    )
    stored_client_secret = Secret()
    stored_webhook_key = Secret()
    has_client_secret = fields.Boolean(compute="_compute_has_secrets")
    has_webhook_key = fields.Boolean(compute="_compute_has_secrets")
    grant_type = fields.Selection(
        [("authorization_code", "Web app (users consent)"), ("client_credentials", "Custom connection")],
        string="Kind of app",
        required=True,
        default="authorization_code",
        help="Web app: every organisation's user consents in the browser.\n"
        "Custom connection: a paid Xero option for one organisation of your own; no consent page.",
    )
    tier = fields.Selection(
        [
            ("starter", "Starter (5 connections, 1,000 calls a day)"),
            ("core", "Core (50 connections)"),
            ("plus", "Plus (1,000 connections)"),
            ("advanced", "Advanced (10,000 connections)"),
        ],
        required=True,
        default="starter",
    )
    item_scope = fields.Selection(
        const.ITEM_SCOPES,
        string="Scope for writing items",
        required=True,
        default="accounting.settings",
        help="Asked for when a connection sends products to Xero. Xero's pages name two scopes for items; change it "
        "only if Xero refuses to write with the first.",
    )
    company_id = fields.Many2one(
        "res.company", index=True, help="Leave empty to let all companies use this app."
    )
    redirect_uri = fields.Char(
        string="Redirect URI",
        compute="_compute_redirect_uri",
        help="Register this address on Xero's developer page, character by character.",
    )
    redirect_problem = fields.Char(compute="_compute_redirect_uri")
    webhook_token = fields.Char(
        groups="xero_connector.group_xero_manager",
        required=True,
        copy=False,
        readonly=True,
        default=lambda self: secrets.token_urlsafe(24),
    )
    webhook_url = fields.Char(
        string="Webhook URL",
        compute="_compute_webhook_url",
        groups="xero_connector.group_xero_manager",
        help="Enter this address on Xero's developer page under Webhooks, and tick Invoices and Credit notes there.",
    )
    webhook_seen = fields.Datetime(
        string="Last webhook", readonly=True, copy=False, help="When Xero last rang with the right signature."
    )
    is_proven = fields.Boolean(readonly=True, copy=False, help="Xero has accepted client id and secret.")
    connection_ids = fields.One2many("xero.connection", "app_id")
    connection_count = fields.Integer(
        compute="_compute_connection_count", help="Organisations connected through this app, in all companies."
    )
    connection_cap = fields.Integer(compute="_compute_connection_count")
    connection_usage = fields.Char(string="Connections", compute="_compute_connection_count")

    _webhook_tokens = models.UniqueIndex("(webhook_token)")

    def _init_column(self, column_name):
        """On upgrade: each app that is there already gets an address of its own."""
        if column_name != "webhook_token":
            return super()._init_column(column_name)
        self.env.cr.execute("SELECT id FROM xero_app WHERE webhook_token IS NULL")
        for (app_id,) in self.env.cr.fetchall():
            token = secrets.token_urlsafe(24)
            self.env.cr.execute("UPDATE xero_app SET webhook_token = %s WHERE id = %s", (token, app_id))
        return None

    def _compute_write_only(self):
        self.client_secret = False
        self.webhook_key = False

    def _inverse_client_secret(self):
        self._check_key()
        for app_sudo in self.sudo():
            if app_sudo.client_secret:
                app_sudo.stored_client_secret = app_sudo.client_secret.strip()

    def _inverse_webhook_key(self):
        self._check_key()
        for app_sudo in self.sudo():
            if app_sudo.webhook_key:
                app_sudo.stored_webhook_key = app_sudo.webhook_key.strip()

    @api.depends("stored_client_secret", "stored_webhook_key")
    def _compute_has_secrets(self):
        # sudo: whether a secret is there is no secret
        for app, app_sudo in zip(self, self.sudo(), strict=True):
            app.has_client_secret = app_sudo._has_secret("stored_client_secret")
            app.has_webhook_key = app_sudo._has_secret("stored_webhook_key")

    def _compute_redirect_uri(self):
        self.redirect_uri = self.env["xero.connection"]._redirect_uri()
        self.redirect_problem = self.env["xero.connection"]._redirect_problem()

    @api.depends("webhook_token")
    def _compute_webhook_url(self):
        for app in self:
            # An app that is not saved yet gets its address when it is.
            token = app._origin.webhook_token
            app.webhook_url = token and f"{app.get_base_url()}{const.WEBHOOK_PATH}/{token}"

    @api.depends("tier")
    def _compute_connection_count(self):
        # sudo: the tier counts what other companies connect, too
        connections = self.env["xero.connection"].sudo().with_context(active_test=False)
        groups = connections._read_group(
            [("app_id", "in", self.ids), ("state", "!=", "draft")], ["app_id"], ["tenant_id:count_distinct"]
        )
        counts = {app.id: count for app, count in groups}
        for app in self:
            app.connection_count = counts.get(app.id, 0)
            app.connection_cap = const.CONNECTION_CAPS[app.tier]
            app.connection_usage = self.env._(
                "%(count)s of %(cap)s in use", count=app.connection_count, cap=app.connection_cap
            )

    def write(self, vals):
        changed = self.filtered(
            lambda app: any(name in vals and vals[name] != app[name] for name in ("client_id", "grant_type"))
        )
        if used := changed.filtered("connection_count"):
            raise UserError(
                self.env._("%s is in use. Make another app, or disconnect its connections first.", used[0].name)
            )
        result = super().write(vals)
        if {"client_id", "client_secret", "grant_type"} & vals.keys():
            super(XeroApp, self.sudo()).write({"is_proven": False})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_used(self):
        for app in self.with_context(active_test=False):
            # sudo: other companies' connections hold it, too
            if used := app.sudo().connection_ids[:1]:
                text = self.env._("%(app)s cannot be deleted: the connection %(connection)s uses it.")
                raise UserError(text % {"app": app.name, "connection": used.name})

    # === CREDENTIALS === #

    def action_new_connection(self):
        """Begin a connection with this app, which the button hands on in its context."""
        return self.env["xero.connection"].action_setup_new()

    def action_check(self):
        """Ask Xero whether it knows client id and secret."""
        self.ensure_one()
        self.check_access("write")
        # sudo: whether Xero accepts them is Xero's to say
        app_sudo = self.sudo()
        app_sudo.is_proven = False
        try:
            app_sudo._check_credentials()
        except errors.XeroError as error:
            # Told, not raised: that they are not accepted any more is to be kept.
            return self.env["xero.connection"]._notification(error.for_person(), "danger")
        text = self.env._("Xero accepts client id and secret.")
        return self.env["xero.connection"]._notification(text, "success")

    def _refuse_without_secret(self):
        if not self.has_client_secret:
            raise UserError(self.env._("The Xero app %s has no client secret yet. Enter it first.", self.name))

    def _check_credentials(self):
        """Find out whether Xero accepts this app before its user is sent there; once, until they change.

        :raise XeroDenied: with what to do when it does not
        """
        self._refuse_without_secret()
        if self.is_proven:
            return
        self.env["xero.connection"]._refuse_when_neutralized()
        endpoint = self.env["xero.grant"].new({"app_id": self.id})._endpoint()
        if self.grant_type == "client_credentials":
            endpoint.client_credentials(const.SCOPE_NEEDS)
        else:
            endpoint.check_client()
        self.is_proven = True

    # === WEBHOOKS === #

    @api.model
    def _of_webhook(self, token):
        """The app whose webhooks come to this address, empty when there is none."""
        if "\0" in token:  # what PostgreSQL cannot even be asked for
            return self.browse()
        return self.search_fetch([("webhook_token", "=", token)], ["stored_webhook_key", "webhook_seen"], limit=1)

    def _note_webhook(self):
        """Keep when Xero last rang, to the minute; nobody waits for this, and nobody fails over it."""
        now = fields.Datetime.now()
        if self.webhook_seen and now - self.webhook_seen < timedelta(minutes=1):
            return
        self.env.cr.execute(
            """
            UPDATE xero_app SET webhook_seen = %(now)s
             WHERE id = (SELECT id FROM xero_app WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED)
            """,
            {"now": now, "id": self.id},
        )

    def action_new_webhook_url(self):
        """Another address for Xero's webhooks; the old one answers no more."""
        self.check_access("write")
        for app_sudo in self.sudo():
            app_sudo.webhook_token = secrets.token_urlsafe(24)
