from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import const

_SOURCES = {"sale_order": "sale.order", "invoice": "account.move"}


class XeroConnection(models.Model):
    """What is sent to Xero, whose say counts in it, and when."""

    _inherit = "xero.connection"

    import_orders = fields.Boolean(
        string="Import sales invoices as orders",
        default=True,
        help="Switch it off where Xero only keeps the books of what is sold here.",
    )
    export_source = fields.Selection(
        [
            ("none", "Nothing"),
            ("sale_order", "Confirmed sale orders"),
            ("invoice", "Posted customer invoices and credit notes"),
        ],
        string="Send to Xero",
        required=True,
        default="none",
        tracking=True,
        help="Orders that came from Xero are never sent back.",
    )
    export_interval = fields.Selection(
        [("five_minutes", "Every five minutes"), ("daily", "Daily")],
        string="Send by itself",
        required=True,
        default="five_minutes",
        help="For customers whose form says so, in their tab Xero. What a person sends goes at once.",
    )
    export_status = fields.Selection(
        [("draft", "Draft"), ("submitted", "Awaiting approval"), ("authorised", "Awaiting payment")],
        string="Arrives in Xero as",
        required=True,
        default="draft",
    )
    invoice_mode = fields.Selection(
        [("new", "An invoice of its own"), ("existing", "Added to the customer's open draft")],
        string="Each order becomes",
        required=True,
        default="new",
        help="Added to the customer's latest draft of the same currency, kind of amounts and month, or to a new one "
        "where there is none. Then invoices always arrive as drafts.",
    )
    refund_mode = fields.Selection(
        [
            ("refund", "A credit note for the difference"),
            ("quantity", "A smaller quantity on the invoice, while that is open"),
        ],
        string="Less than was sent becomes",
        required=True,
        default="refund",
        help="Orders that are reduced, cancelled or returned after they were sent, and Odoo's credit notes.",
    )
    number_source = fields.Selection(
        [("xero", "Xero"), ("odoo", "Odoo's order or invoice")], string="Numbers from", required=True, default="xero"
    )
    total_tolerance = fields.Float(
        string="Tolerated difference",
        digits=(16, 2),
        default=0.05,
        help="Xero rounds the tax of each line. A total that differs from Odoo's by more needs a person.",
    )

    _one_exporter = models.UniqueIndex(
        "(company_id) WHERE export_source != 'none' AND active IS TRUE",
        "Another connection of this company sends to Xero already; two would bill everything twice.",
    )

    # === CHECKS === #

    @api.constrains("total_tolerance")
    def _check_total_tolerance(self):
        if any(connection.total_tolerance < 0 for connection in self):
            raise ValidationError(self.env._("The tolerated difference cannot be negative."))

    @api.onchange("export_source")
    def _onchange_export_source(self):
        """Who bills from Odoo wants Odoo's prices, unless orders come from Xero here, too."""
        if self.export_source != "none" and not self._origin.done_count:
            self.price_source = self.description_source = "odoo"
            self.import_orders = False

    # === WHO SENDS WHAT === #

    @api.model
    def _exporter_of(self, company):
        """The connection that sends this company's documents; empty where none does."""
        return self.search([("company_id", "=", company.id), ("export_source", "!=", "none")])

    @property
    def _export_model(self):
        """The name of the model whose documents are sent, None where nothing is."""
        return _SOURCES.get(self.export_source)

    def _bind(self, client, tenant):
        """What an earlier connection to the same organisation sent is this one's to follow."""
        result = super()._bind(client, tenant)
        earlier = self.env["xero.record"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("connection_id", "!=", self.id),
                ("connection_id.active", "=", False),
                ("direction", "=", "out"),
                ("resource", "in", ("invoice", "credit_note")),
                ("sent_to", "=", self.tenant_id),
            ]
        )
        earlier.connection_id = self
        return result

    def _required_scopes(self):
        scopes = super()._required_scopes()
        if self.export_source == "none":
            return scopes
        # The scope for writing includes reading.
        needs = [scopes.pop("accounting.invoices.read", ""), scopes.get("accounting.invoices", "")]
        return scopes | {"accounting.invoices": "; ".join(filter(None, [*needs, self.env._(const.EXPORT_SCOPE_NEED)]))}

    @api.depends("export_source")
    def _compute_missing_scopes(self):
        return super()._compute_missing_scopes()

    def _can_export(self):
        """Whether the consent covers sending; if not, the rest goes on, and the form asks to reconnect."""
        return "accounting.invoices" not in self._missing_scopes(self.sudo().grant_id)

    def write(self, vals):
        sources = {connection: connection.export_source for connection in self}
        result = super().write(vals)
        self.filtered(lambda c: c.export_source != sources[c])._give_up_waiting()
        if vals.get("import_orders"):
            self.filtered(lambda c: c.state == "connected")._ring()
        return result

    def _give_up_waiting(self):
        """What waits, and is not what this connection sends any more, is told so; what may have arrived stays."""
        for connection in self:
            waiting_sudo = self.env["xero.record"].sudo().search(
                [
                    *connection._outgoing_domain(),
                    ("state", "in", ("pending", "failed")),
                    ("external_id", "=", False),
                    ("request_key", "=", False),
                    ("res_model", "!=", connection._export_model),
                ]
            )
            waiting_sudo._skip("kept_out", self.env._("This connection does not send these any more."))

    # === ACTIONS === #

    def action_push_now(self):
        """Send what waits, and look what became of what was sent, as soon as a worker is free."""
        self._say_when_neutralized()
        self._refuse_when_idle()
        self._refuse_to_export()
        waiting_sudo = self.env["xero.record"].sudo().search(
            [*self._outgoing_domain(), ("state", "=", "pending"), ("next_attempt", "!=", False)]
        )
        waiting_sudo.next_attempt = False
        self.sudo().next_back = fields.Datetime.now()
        self._ring_push()
        return self._notification(self.env._("What waits is sent to Xero within a minute."), "success")

    def _refuse_to_export(self):
        for connection in self:
            if connection.export_source == "none":
                raise UserError(
                    self.env._("%s sends nothing to Xero: choose what under To Xero first.", connection.name)
                )
            if not connection.sudo()._can_export():
                raise UserError(self.env._("The consent of %s does not cover sending: reconnect it.", connection.name))

    def action_view_outgoing(self):
        """What was sent to Xero, and what waits."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_outgoing")
        return action | {"domain": self._outgoing_domain(), "context": self.env.context.get("xero_search", {})}

    def _outgoing_domain(self):
        """The rows of documents that go to Xero."""
        return [
            ("connection_id", "in", self.ids),
            ("direction", "=", "out"),
            ("resource", "in", ("invoice", "credit_note")),
            ("res_model", "in", list(_SOURCES.values())),
        ]
