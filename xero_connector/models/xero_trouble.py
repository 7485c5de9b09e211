from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class XeroTroubleMixin(models.AbstractModel):
    """What the filter *Xero problem* of Odoo's own lists looks for: something of a record, on its way from or to Xero,
    waits for a person. The sync log is the truth."""

    _name = "xero.trouble.mixin"
    _description = "Record with a Xero Problem"

    xero_trouble = fields.Boolean(
        string="Xero problem",
        compute="_compute_xero_trouble",
        search="_search_xero_trouble",
        groups="base.group_user",
        help="Something of it, on its way from or to Xero, waits for a person.",
    )

    def _compute_xero_trouble(self):
        records = self.with_context(active_test=False)
        troubled = records.search(Domain("id", "in", self.ids) & self._xero_trouble_domain())
        for record in self:
            record.xero_trouble = record._origin in troubled

    def _search_xero_trouble(self, operator, value):
        # Odoo asks who may see a field only where the field itself is searched.
        self._check_field_access(self._fields["xero_trouble"], "read")
        if operator != "in":
            return NotImplemented
        domain = self._xero_trouble_domain()
        return domain if True in value else ~domain

    @api.model
    def _xero_trouble_domain(self):
        return self._xero_having(self._name, "id")

    @api.model
    def _xero_having(self, res_model, name, column="res_id"):
        """Records whose field ``name`` is among this column of the failed rows of documents of ``res_model``."""
        # sudo: whoever sees a document may see that something is wrong with it
        rows_sudo = self.env["xero.record"].sudo()
        query = rows_sudo._search([("state", "=", "failed"), ("res_model", "=", res_model)])
        return Domain(name, "in", query.subselect(column))


class XeroKnownMixin(models.AbstractModel):
    """Whether Xero has a record, too: the bindings are the truth."""

    _name = "xero.known.mixin"
    _description = "Record that may be in Xero"

    xero_known = fields.Boolean(
        string="Known in Xero", compute="_compute_xero_known", search="_search_xero_known", groups="base.group_user"
    )

    def _compute_xero_known(self):
        known = self.with_context(active_test=False).search(Domain("id", "in", self.ids) & self._xero_known_domain())
        for record in self:
            record.xero_known = record._origin in known

    def _search_xero_known(self, operator, value):
        # Odoo asks who may see a field only where the field itself is searched.
        self._check_field_access(self._fields["xero_known"], "read")
        if operator != "in":
            return NotImplemented
        domain = self._xero_known_domain()
        return domain if True in value else ~domain

    @api.model
    def _xero_known_domain(self):
        return self._xero_bound(self._name, "id")

    @api.model
    def _xero_bound(self, res_model, name):
        # sudo: that a record is in Xero is no secret to whoever sees it; only their own companies' count
        bindings_sudo = self.env["xero.binding"].sudo()
        companies = ("connection_id.company_id", "in", self.env.companies.ids)
        query = bindings_sudo._search([("res_model", "=", res_model), companies])
        return Domain(name, "in", query.subselect("res_id"))


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "xero.trouble.mixin"]


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["stock.picking", "xero.trouble.mixin"]

    @api.model
    def _xero_trouble_domain(self):
        """A transfer waits, too, when its order does. One list of ids: PostgreSQL would look through all transfers for
        an alternative of two."""
        # sudo: which of them somebody may see is for whoever asks
        transfers_sudo = self.sudo().with_context(active_test=False)
        own = super()._xero_trouble_domain()
        of_orders = self._xero_having("sale.order", "xero_invoice_id", "external_id")
        queries = [transfers_sudo._search(domain).select() for domain in (own, of_orders)]
        return Domain("id", "in", SQL(" UNION ").join(queries))


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "xero.trouble.mixin"]


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "xero.trouble.mixin", "xero.known.mixin"]


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "xero.trouble.mixin", "xero.known.mixin"]

    @api.model
    def _xero_trouble_domain(self):
        return Domain("product_variant_ids", "any!", self._xero_having("product.product", "id"))

    @api.model
    def _xero_known_domain(self):
        return Domain("product_variant_ids", "any!", self._xero_bound("product.product", "id"))
