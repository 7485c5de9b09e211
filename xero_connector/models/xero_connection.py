import math
from datetime import timedelta
from urllib.parse import urlencode

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import const
from ..lib import errors
from ..lib.client import XeroClient, unmetered


class XeroConnection(models.Model):
    """One Xero organisation joined with one Odoo company, and its settings."""

    _name = "xero.connection"
    _description = "Xero Connection"
    _inherit = ["mail.thread", "mail.activity.mixin", "xero.guarded.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    app_id = fields.Many2one(
        "xero.app", required=True, check_company=True, index=True, default=lambda self: self._default_app_id()
    )
    grant_id = fields.Many2one("xero.grant", groups=fields.NO_ACCESS, copy=False, index=True, ondelete="set null")
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        check_company=True,
        index="btree_not_null",
        help="Whose goods these are. Orders are made for this customer, with the Xero contact as delivery address, "
        "and the customer becomes the owner of the goods moved. Empty: the Xero contact is the customer.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        check_company=True,
        help="Gets an activity when something needs a person.",
    )
    state = fields.Selection(
        [("draft", "Not connected"), ("connected", "Connected"), ("paused", "Paused"), ("error", "Needs attention")],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )
    status_dot = fields.Char(string=" ", compute="_compute_status_dot")
    message = fields.Text(readonly=True, copy=False, help="What needs attention, and what to do.")
    error_code = fields.Char(readonly=True, copy=False)
    correlation_id = fields.Char(
        string="Reference for Xero's support", readonly=True, copy=False, help="Xero's support asks for it."
    )
    failed_turns = fields.Integer(readonly=True, copy=False, help="How often in a row Xero could not be asked.")
    needs_attention = fields.Boolean(compute="_compute_status_dot")
    is_neutralized = fields.Boolean(compute="_compute_is_neutralized")

    # Organisation
    tenant_id = fields.Char(string="Organisation ID", readonly=True, copy=False)
    tenant_name = fields.Char(string="Organisation", readonly=True, copy=False)
    tenant_country = fields.Char(readonly=True, copy=False)
    tenant_currency = fields.Char(readonly=True, copy=False)
    tenant_shortcode = fields.Char(readonly=True, copy=False)
    remote_connection_id = fields.Char(readonly=True, copy=False, groups="base.group_system")

    # When
    sync_interval = fields.Selection(
        [("manual", "By hand"), ("five_minutes", "Every five minutes"), ("daily", "Daily")],
        string="Look for invoices",
        required=True,
        default="five_minutes",
    )
    trigger_status = fields.Selection(
        [("authorised", "Awaiting payment (or paid already)"), ("paid", "Paid")],
        string="Import invoices that are",
        required=True,
        default="authorised",
    )
    import_from = fields.Date(
        string="Import invoices dated from", help="Invoices with an older date are never imported. Empty: all."
    )

    # What
    order_target = fields.Selection(
        [("sale_order", "Sale order"), ("picking", "Delivery order without sale order")],
        string="Create",
        required=True,
        default="sale_order",
    )
    order_confirm = fields.Boolean(string="Confirm at once", help="Otherwise the order waits as a draft.")
    note_target = fields.Selection(
        [("none", "None"), ("delivery", "Delivery instructions"), ("packing", "Packing instructions")],
        string="Invoice notes become",
        required=True,
        default="none",
        help="Xero invoices have no note field. Taken are the lines with text only and the newest note a person wrote "
        "in the invoice's history.",
    )
    attach_pdf = fields.Boolean(string="Attach the invoice's PDF", default=True)
    attach_files = fields.Boolean(
        string="Attach files from Xero too", help="Costs one call for the list and one for each file."
    )
    price_source = fields.Selection(
        [("xero", "Xero's line"), ("odoo", "Odoo's pricelist")], string="Prices from", required=True, default="xero"
    )
    description_source = fields.Selection(
        [("xero", "Xero's line"), ("odoo", "Odoo's product")],
        string="Descriptions from",
        required=True,
        default="xero",
    )
    trim_description = fields.Boolean(string="Product name only")
    service_product_id = fields.Many2one(
        "product.product",
        string="Product for lines without item code",
        check_company=True,
        domain=[("type", "=", "service")],
        help="Freight and the like. Empty: such lines become notes on the order.",
    )
    ship_to_source = fields.Selection(
        [("street_first", "Street address, else postal"), ("postal_first", "Postal address, else street")],
        string="Delivery address is the contact's",
        required=True,
        default="street_first",
    )
    accept_incomplete_address = fields.Boolean(
        string="Accept incomplete addresses",
        help="Otherwise an invoice fails whose delivery address lacks street, city, or postcode and state where the "
        "country uses them.",
    )

    # Where
    unmatched_action = fields.Selection(
        [("default", "Go to the default warehouse"), ("ignore", "Are not imported")],
        string="Invoices no rule matches",
        required=True,
        default="default",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        string="Default warehouse",
        check_company=True,
        default=lambda self: self.env["stock.warehouse"].search([("company_id", "=", self.env.company.id)], limit=1),
    )
    mapping_ids = fields.One2many("xero.warehouse.mapping", "connection_id", copy=True)
    product_mapping_ids = fields.One2many("xero.product.mapping", "connection_id", copy=True)
    allowed_warehouse_ids = fields.Many2many(related="partner_id.xero_warehouse_ids", string="Allowed warehouses")

    log_days = fields.Integer(
        string="Keep finished log rows",
        default=90,
        help="0 keeps them for ever. What failed or is ignored stays, and so does what was sent to Xero, and the row "
        "of an order that is not delivered yet.",
    )

    # Figures
    record_ids = fields.One2many("xero.record", "connection_id")
    waiting_count = fields.Integer(string="Waiting", compute="_compute_counts")
    failed_count = fields.Integer(string="Failed", compute="_compute_counts")
    done_count = fields.Integer(string="Imported", compute="_compute_counts")
    last_import = fields.Datetime(string="Last import", readonly=True, copy=False)

    _one_per_organisation = models.UniqueIndex(
        "(company_id, tenant_id) WHERE tenant_id IS NOT NULL AND active IS TRUE",
        "This organisation is connected already in this company; two connections would ship everything twice.",
    )

    _log_days_not_negative = models.Constraint("CHECK(log_days >= 0)", "The number of days cannot be negative.")

    @api.constrains("log_days")
    def _check_log_days(self):
        """Before the database does, whose complaint names the whole row."""
        if any(connection.log_days < 0 for connection in self):
            raise ValidationError(self.env._("The number of days cannot be negative."))

    # === DEFAULTS, COMPUTES === #

    def _default_app_id(self):
        return self.env["xero.app"].search([("company_id", "in", (False, self.env.company.id))], limit=1)

    @api.depends("state", "failed_turns")
    def _compute_status_dot(self):
        for connection in self:
            connection.status_dot = "○" if connection.state == "draft" else "●"
            stuck = connection.state == "connected" and connection.failed_turns >= const.TURNS_BEFORE_HELP
            connection.needs_attention = connection.state == "error" or stuck

    def _compute_is_neutralized(self):
        self.is_neutralized = self._is_database_neutralized()

    def _compute_counts(self):
        counts = {
            (connection, state): count
            for connection, state, count in self.env["xero.record"]._read_group(
                [("connection_id", "in", self.ids), ("direction", "=", "in"), ("resource", "=", "invoice")],
                ["connection_id", "state"],
                ["__count"],
            )
        }
        failed = dict(
            self.env["xero.record"]._read_group(
                [("connection_id", "in", self.ids), ("state", "=", "failed")], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.waiting_count = counts.get((connection, "pending"), 0)
            connection.failed_count = failed.get(connection, 0)
            connection.done_count = counts.get((connection, "done"), 0)

    def _has_log(self):
        return bool(self.env["xero.record"].search_count([("connection_id", "in", self.ids)], limit=1))

    # === ACTIONS === #

    def action_pause(self):
        """Stop importing; every setting and the consent stay."""
        self.check_access("write")
        self.filtered(lambda c: c.state in ("connected", "error")).sudo().write({"state": "paused"})

    def action_resume(self):
        """Go on where the pause began; no new consent is needed."""
        self.check_access("write")
        self._say_when_neutralized()
        for connection in self.filtered(lambda c: c.state in ("paused", "error")):
            if not connection.tenant_id or not connection.sudo().grant_id:
                raise UserError(self.env._("%s has no consent any more. Connect it to Xero first.", connection.name))
            connection.sudo().write(
                {
                    "state": "connected",
                    "message": False,
                    "error_code": False,
                    "correlation_id": False,
                    "blocked_until": False,
                }
            )
            connection._ring()

    def action_import_now(self):
        """Look for new invoices now instead of at the next turn."""
        self._say_when_neutralized()
        self._refuse_when_idle()
        self._ring()
        if blocked := max(self.filtered("blocked_until").mapped("blocked_until"), default=None):
            wait = blocked - fields.Datetime.now()
            if wait > timedelta(0):
                minutes = math.ceil(wait.total_seconds() / 60)
                text = self.env._(
                    "%(reason)s The import begins in %(minutes)s minutes, by itself.",
                    reason=self.filtered("blocked_until")[:1].message or "",
                    minutes=minutes,
                )
                return self._notification(text.strip(), "warning")
        return self._notification(
            self.env._("The import has been started. New orders appear within a minute."), "success"
        )

    def _refuse_when_idle(self):
        """Nothing is imported by a connection that is not connected, or not set up."""
        if idle := self.filtered(lambda c: c.state != "connected"):
            raise UserError(
                self.env._("%s is not connected: connect or resume it first.", ", ".join(idle.mapped("name")))
            )
        if unfinished := self.filtered(lambda c: not c.setup_done):
            raise UserError(self.env._("Finish the set-up of %s first.", ", ".join(unfinished.mapped("name"))))

    def action_test(self):
        """Ask Xero who we are, and say what it answered."""
        self.ensure_one()
        self.check_access("write")
        self._say_when_neutralized()
        try:
            with self._client() as client:
                organisation = client.organisation()
        except errors.XeroDenied as error:
            if error.code in ("configuration", "not_connected", "copy"):
                raise UserError(error.for_person()) from None
            # Told, not raised: what was found out is to be kept.
            self.sudo()._note_error(error)
            return self._notification(error.for_person(), "danger")
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        return self._notification(self.env._("Xero answered: connected to %s.", organisation.get("Name")), "success")

    def action_view_records(self):
        """The connection's sync log; ``state`` in the context narrows it."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_record")
        action["domain"] = [("connection_id", "in", self.ids)]
        if state := self.env.context.get("xero_state"):
            action["context"] = {f"search_default_{state}": 1}
        return action

    def action_view_problems(self):
        """What holds this connection's invoices up, by cause."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_problem")
        return action | {"domain": [("connection_id", "in", self.ids)]}

    def _notification(self, text, kind):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": text,
                "type": kind,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === XERO === #

    def _client(self, purpose="orders"):
        """A client for this organisation's books; use it in a ``with``.

        :param str purpose: who uses the calls: ``orders``, ``files`` or ``history``; None for a consent, whose few
            calls Xero alone may refuse
        :raise XeroDenied: no consent, a copied database, or an address that is not https
        """
        self.ensure_one()
        self._refuse_when_neutralized()
        grant_sudo = self.sudo().grant_id
        if not grant_sudo:
            text = self.env._("This connection has no consent. Connect it to Xero.")
            raise errors.XeroDenied(text, code="not_connected")
        grant_sudo._refuse_in_a_copy()
        # A custom connection's token knows its organisation; Xero wants no tenant header with it.
        custom = grant_sudo.app_id.grant_type == "client_credentials"
        meter = self._meter(purpose) if self.tenant_id and purpose else unmetered
        tenant_id = "" if custom else self.tenant_id
        lang = self._for_reader().env.lang
        return XeroClient(grant_sudo._token, tenant_id, self._xero_url("api_url"), meter, lang)

    def _for_reader(self):
        """This connection in the language of whoever reads what it says: the user; a scheduled action has none, and
        speaks to whoever is responsible."""
        return self.with_context(
            lang=self.env.lang or self.user_id.lang or self.company_id.partner_id.lang or "en_US"
        )

    @api.model
    def _xero_url(self, name):
        """One of Xero's addresses, which system parameters may replace (``xero_connector.api_url`` …).

        :raise XeroDenied: when it is not https and not this machine: tokens would travel readable
        """
        default = {"api_url": const.API_URL, "identity_url": const.IDENTITY_URL, "login_url": const.LOGIN_URL}[name]
        parameter = f"xero_connector.{name}"
        url = (self.env["ir.config_parameter"].sudo().get_param(parameter) or default).rstrip("/")
        if not const.is_safe_url(url):
            text = self.env._(
                "The system parameter %s is not an https address, so no secret is sent there.", parameter
            )
            raise errors.XeroDenied(text, code="configuration")
        return url

    @api.model
    def _is_database_neutralized(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.is_neutralized") in ("True", "true", "1")

    @api.model
    def _refuse_when_neutralized(self):
        """Keep a copied database from calling Xero: it would import twice and kill the original's tokens."""
        if self._is_database_neutralized():
            text = self.env._("This is a neutralised copy of a database: it never talks to Xero.")
            raise errors.XeroDenied(text, code="neutralized")

    def _say_when_neutralized(self):
        if self._is_database_neutralized():
            raise UserError(self.env._("This is a neutralised copy of a database: it never talks to Xero."))

    @api.model
    def _xero_link(self, resource, external_id):
        """The page of a document in Xero's web application, False where there is none."""
        pages = {
            "invoice": f"/AccountsReceivable/View.aspx?InvoiceID={external_id}",
            "credit_note": f"/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={external_id}",
            "contact": f"/Contacts/View/{external_id}",
        }
        if not external_id or resource not in pages:
            return False
        if self.tenant_shortcode:
            query = urlencode({"shortcode": self.tenant_shortcode, "redirecturl": pages[resource]})
            return f"{const.WEB_URL}/organisationlogin/default.aspx?{query}"
        return const.WEB_URL + pages[resource]
