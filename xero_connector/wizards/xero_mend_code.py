from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib.invoice import XeroInvoice


class XeroMendCode(models.TransientModel):
    """Say once which product an unknown item code of Xero means, and release all orders that wait for it."""

    _name = "xero.mend.code"
    _description = "Mend a Xero Item Code"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id")
    item_code = fields.Char(string="Xero item code", required=True, readonly=True)
    description = fields.Char(string="Called in Xero", compute="_compute_description")
    product_id = fields.Many2one(
        "product.product",
        domain="[('company_id', 'in', (False, company_id))]",
        compute="_compute_product_id",
        store=True,
        readonly=False,
    )
    allowed_uom_ids = fields.Many2many("uom.uom", compute="_compute_allowed_uom_ids")
    uom_id = fields.Many2one(
        "uom.uom",
        string="Counted in",
        domain="[('id', 'in', allowed_uom_ids)]",
        help="The unit Xero's quantity counts, e.g. Dozen. Empty: the product's own.",
    )
    suggestion_id = fields.Many2one("product.product", compute="_compute_suggestion")
    score = fields.Integer(string="Likeness", compute="_compute_suggestion")
    product_code = fields.Char(related="product_id.default_code", string="Its internal reference")
    how = fields.Selection(
        [
            ("map", "Map the code on this connection"),
            ("reference", "Make the code the product's internal reference"),
        ],
        required=True,
        default="map",
    )
    waiting_count = fields.Integer(string="Orders waiting", compute="_compute_waiting_count")

    @api.depends("connection_id", "item_code")
    def _compute_description(self):
        for wizard in self:
            # sudo: the payload is for managers; what an item is called may be read by all who see the log
            payload = wizard._waiting()[:1].sudo().payload
            lines = [line for line in XeroInvoice(payload).lines if line.item_code == wizard.item_code]
            wizard.description = lines[0].description if lines else False

    record_id = fields.Many2one("xero.record", string="Item in Xero", compute="_compute_record_id")

    @api.depends("connection_id", "item_code")
    def _compute_record_id(self):
        """The item of this code, where Xero's catalogue was read."""
        for wizard in self:
            # sudo: the log's own look-up
            rows_sudo = self.env["xero.record"].sudo()._items_by_code(wizard.connection_id, [wizard.item_code])
            wizard.record_id = rows_sudo[:1].sudo(False)

    @api.depends("description", "record_id")
    def _compute_suggestion(self):
        """The product that is most likely meant."""
        for wizard in self:
            name = wizard.record_id.reference or wizard.description
            products, candidates = self.env["xero.record"]._candidates(wizard.connection_id)
            product_id, wizard.score = candidates.best(wizard.item_code, name)
            wizard.suggestion_id = products.browse(product_id)

    @api.depends("suggestion_id")
    def _compute_product_id(self):
        for wizard in self:
            wizard.product_id = wizard.suggestion_id if wizard.score >= const.SURE_SCORE else False

    @api.depends("product_id")
    def _compute_allowed_uom_ids(self):
        for wizard in self:
            wizard.allowed_uom_ids = self.env["xero.product.mapping"]._units_of(wizard.product_id)

    @api.depends("connection_id", "item_code", "how")
    def _compute_waiting_count(self):
        for wizard in self:
            wizard.waiting_count = len(wizard._waiting())

    def _waiting(self):
        """The rows this will mend: an internal reference serves all connections of the company."""
        scope = ("connection_id", "=", self.connection_id.id)
        if self.how == "reference":
            scope = ("company_id", "=", self.company_id.id)
        return self.env["xero.record"].search(
            [
                scope,
                ("state", "=", "failed"),
                ("problem_code", "=", "unknown_code"),
                ("problem_subject", "=", self.item_code),
            ]
        )

    def action_confirm(self):
        """Keep the answer and release the orders."""
        self.ensure_one()
        if not self.product_id:
            raise UserError(self.env._("Choose the product that “%s” is.", self.item_code))
        rows = self._waiting()
        if self.how == "reference":
            if self.product_id.default_code:
                raise UserError(
                    self.env._(
                        "%(product)s has the internal reference %(code)s already. Map the code on the connection "
                        "instead.",
                        product=self.product_id.name,
                        code=self.product_id.default_code,
                    )
                )
            self.product_id.default_code = self.item_code
        elif self.record_id and self.record_id._map_if_free(self.product_id):
            self.record_id._bindings_of(self.product_id)._count_in(self.uom_id)
        else:
            self.env["xero.product.mapping"].create(
                {
                    "connection_id": self.connection_id.id,
                    "item_code": self.item_code,
                    "product_id": self.product_id.id,
                    "uom_id": self.uom_id.id,
                }
            )
        if not rows:
            return {"type": "ir.actions.client", "tag": "soft_reload"}
        notification = rows.action_retry()
        notification["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return notification

    def action_read_items(self):
        """Where Xero's catalogue was never read, nothing here is like it: have it read, and show what it holds."""
        self.ensure_one()
        notification = self.connection_id.action_exchange_items()
        only_in_xero = self.connection_id.with_context(xero_search={"search_default_item_only": 1})
        notification["params"]["next"] = only_in_xero.action_view_items()
        return notification

    def action_view_matches(self):
        """The item among both catalogues."""
        self.ensure_one()
        action = self.connection_id.action_view_items()
        return action | {"context": action["context"] | {"search_default_item_code": self.item_code}}
