from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib import errors


class XeroDriftAdopt(models.TransientModel):
    """Which document of Odoo one of Xero's is, so that it is never sent."""

    _name = "xero.drift.adopt"
    _description = "Document of Odoo for One of Xero's"

    line_id = fields.Many2one("xero.drift.line", required=True, readonly=True, ondelete="cascade")
    connection_id = fields.Many2one(related="line_id.connection_id", related_sudo=False)
    company_id = fields.Many2one(related="connection_id.company_id", related_sudo=False)
    export_source = fields.Selection(related="connection_id.export_source", related_sudo=False)
    contact_name = fields.Char(related="line_id.contact_name", related_sudo=False)
    reference = fields.Char(related="line_id.reference", related_sudo=False)
    xero_total = fields.Float(related="line_id.xero_total", related_sudo=False)
    currency_code = fields.Char(related="line_id.currency_code", related_sudo=False)
    move_type = fields.Char(compute="_compute_move_type")
    order_id = fields.Many2one(
        "sale.order",
        compute="_compute_document",
        compute_sudo=False,
        store=True,
        readonly=False,
        ondelete="cascade",
        domain="[('company_id', '=', company_id), ('state', '=', 'sale'), ('xero_invoice_id', '=', False),"
        " ('xero_export_state', 'in', ('none', 'waiting', 'failed'))]",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        compute="_compute_document",
        compute_sudo=False,
        store=True,
        readonly=False,
        ondelete="cascade",
        domain="[('company_id', '=', company_id), ('state', '=', 'posted'), ('move_type', '=', move_type),"
        " ('xero_export_state', 'in', ('none', 'waiting', 'failed'))]",
    )

    @api.depends("line_id")
    def _compute_move_type(self):
        for wizard in self:
            wizard.move_type = "out_refund" if wizard.line_id.resource == "credit_note" else "out_invoice"

    @api.depends("line_id")
    def _compute_document(self):
        """The only document of the same amount that is missing in Xero, or the one its reference names."""
        for wizard in self:
            line = wizard.line_id
            missing = line.search(
                [
                    ("connection_id", "=", line.connection_id.id),
                    ("kind", "=", "only_here"),
                    ("resource", "=", line.resource),
                    ("currency_code", "=", line.currency_code),
                ]
            )
            named = missing.filtered(lambda one, line=line: one.reference and one.reference == line.reference)
            alike = named or missing.filtered(lambda one, line=line: one.odoo_total == line.xero_total)
            res_id = alike.res_id if len(alike) == 1 else False
            wizard.order_id = res_id if alike.res_model == "sale.order" and res_id else False
            wizard.move_id = res_id if alike.res_model == "account.move" and res_id else False

    def action_confirm(self):
        """From now on they are one."""
        self.ensure_one()
        line = self.line_id
        line._check_manager()
        document = self.order_id if self.export_source == "sale_order" else self.move_id
        if not document:
            raise UserError(self.env._("Choose the document in Odoo."))
        document.check_access("read")
        self._refuse_unfit(document)
        connection_sudo = self.connection_id.sudo()
        connection_sudo._say_when_neutralized()
        worker = connection_sudo._push_worker()
        if not worker:
            raise UserError(self.env._("Something is being sent just now, or the connection rests: try again later."))
        try:
            with connection_sudo._client() as client:
                read = client.credit_note if line.resource == "credit_note" else client.invoice
                element = read(line.external_id)
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        # sudo: the manager of the connection has decided; rows are nobody's to write
        worker.env["xero.record"]._adopt(worker, document.with_env(worker.env), element)
        lines_sudo = line.sudo()
        lines_sudo |= lines_sudo.search(
            [
                ("connection_id", "=", line.connection_id.id),
                ("kind", "=", "only_here"),
                ("res_model", "=", document._name),
                ("res_id", "=", document.id),
            ]
        )
        lines_sudo.unlink()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _refuse_unfit(self, document):
        _ = self.env._
        fits = document._xero_exporter() == self.connection_id and document._xero_is_to_export()
        if not fits or document._xero_out_resource() != self.line_id.resource:
            raise UserError(_("%s is no document that could be this one in Xero.", document.display_name))
        if self.line_id.currency_code and document.currency_id.name != self.line_id.currency_code:
            raise UserError(_("%s is in another currency.", document.display_name))
        taken = [*self.connection_id._outgoing_domain(), ("external_id", "=", self.line_id.external_id)]
        if self.line_id.kind != "only_there" or self.env["xero.record"].sudo().search_count(taken, limit=1):
            raise UserError(_("%s belongs to a document of Odoo already.", self.line_id.number))
