from odoo import api, fields, models


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
    stored_client_secret = fields.Char(groups=fields.NO_ACCESS, prefetch=False, copy=False)
    stored_webhook_key = fields.Char(groups=fields.NO_ACCESS, prefetch=False, copy=False)
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
    company_id = fields.Many2one(
        "res.company", index=True, help="Leave empty to let all companies use this app."
    )
    redirect_uri = fields.Char(
        string="Redirect URI",
        compute="_compute_redirect_uri",
        help="Register this address on Xero's developer page, character by character.",
    )
    connection_ids = fields.One2many("xero.connection", "app_id")

    def _compute_write_only(self):
        self.client_secret = False
        self.webhook_key = False

    def _inverse_client_secret(self):
        for app_sudo in self.sudo():
            if app_sudo.client_secret:
                app_sudo.stored_client_secret = app_sudo.client_secret.strip()

    def _inverse_webhook_key(self):
        for app_sudo in self.sudo():
            if app_sudo.webhook_key:
                app_sudo.stored_webhook_key = app_sudo.webhook_key.strip()

    @api.depends("stored_client_secret", "stored_webhook_key")
    def _compute_has_secrets(self):
        # sudo: whether a secret is there is no secret
        for app, app_sudo in zip(self, self.sudo(), strict=True):
            app.has_client_secret = bool(app_sudo.stored_client_secret)
            app.has_webhook_key = bool(app_sudo.stored_webhook_key)

    def _compute_redirect_uri(self):
        self.redirect_uri = self.env["xero.connection"]._redirect_uri()
