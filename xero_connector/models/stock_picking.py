from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command

from ..lib.errors import Problem
from .import_draft import DOCUMENT_MODELS
from .xero_document_mixin import ORIGIN_FIELDS


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["stock.picking", "xero.document.mixin"]

    # A backorder is a copy of its transfer, and belongs to the same invoice.
    xero_connection_id = fields.Many2one(copy=True)
    xero_invoice_id = fields.Char(copy=True)
    xero_invoice_number = fields.Char(copy=True)
    xero_invoice_date = fields.Date(copy=True)
    xero_mapping_id = fields.Many2one(copy=True)
    xero_route_reason = fields.Char(copy=True)
    xero_pdf_id = fields.Many2one(copy=True)

    @api.model_create_multi
    def create(self, vals_list):
        pickings = super().create(vals_list)
        pickings._xero_own_pdf()
        return pickings

    def write(self, vals):
        if not self.env.su and ORIGIN_FIELDS & vals.keys():
            raise AccessError(self.env._("Which Xero invoice a transfer belongs to is not for users to change."))
        return super().write(vals)

    def _xero_own_pdf(self):
        """Give transfers that were made with another document's PDF (an order's, a backorder's original) a copy of it:
        who may open a transfer may then open its PDF."""
        # sudo: warehouse staff need not have access to the order the PDF lies on
        for picking_sudo in self.sudo():
            pdf_sudo = picking_sudo.xero_pdf_id
            if pdf_sudo and (pdf_sudo.res_model, pdf_sudo.res_id) != (self._name, picking_sudo.id):
                own = {"res_model": self._name, "res_id": picking_sudo.id}
                picking_sudo.xero_pdf_id = picking_sudo._xero_is_own_pdf(pdf_sudo) and pdf_sudo.copy(own)

    def _xero_is_own_pdf(self, pdf_sudo):
        """Whether this file is the PDF of this transfer's invoice: whoever makes a transfer names any file there is."""
        if pdf_sudo.res_model not in DOCUMENT_MODELS.values():
            return False
        document_sudo = self.env[pdf_sudo.res_model].sudo().browse(pdf_sudo.res_id).exists()
        same_invoice = (document_sudo.company_id, document_sudo.xero_invoice_id) == (
            self.company_id,
            self.xero_invoice_id,
        )
        return same_invoice and document_sudo.xero_pdf_id == pdf_sudo

    # === FROM XERO: MAPPER === #

    def _xero_prepare(self, connection, drafts):
        """Fill each draft's ``values`` or ``problems``; neither when no line is goods. Looks things up once for all
        drafts, writes nothing."""
        products = self._xero_check(connection, drafts)
        for draft in drafts:
            draft.problems += [
                self._xero_negative(connection, product)
                for line in draft.invoice.lines
                if line.quantity < 0 and (product := products.get(line.item_code)) and product.type == "consu"
            ]
            goods = [
                values
                for line in draft.invoice.lines
                if (values := self._xero_line_values(connection, draft.invoice, line, products, None))
            ]
            if goods and not draft.problems:
                draft.values = self._xero_values(connection, draft, goods)

    def _xero_negative(self, connection, product):
        reason = connection.env._(
            "%s has a negative quantity: a delivery order takes no goods back. Import it as sale order, or ignore it.",
            product.display_name,
        )
        return Problem("negative_quantity", reason, product.default_code, connection)

    def _xero_line_values(self, connection, invoice, line, products, taxes):
        product = products.get(line.item_code)
        if not product or product.type != "consu" or not line.quantity:
            return None
        uom = products.uom(line.item_code) or product.uom_id
        return {
            "xero_line_id": line.id,
            "product_id": product.id,
            "product_uom_qty": float(line.quantity),
            "product_uom": uom.id,
        }

    def _xero_values(self, connection, draft, goods):
        warehouse = draft.route.warehouse
        picking_type = warehouse.out_type_id if warehouse.delivery_steps == "ship_only" else warehouse.pick_type_id
        return {
            **self._xero_origin_values(connection, draft),
            "company_id": connection.company_id.id,
            "picking_type_id": picking_type.id,
            "location_id": picking_type.default_location_src_id.id,
            "location_dest_id": (picking_type.default_location_dest_id or self._xero_customers()).id,
            "origin": " · ".join(filter(None, [draft.invoice.number, draft.invoice.reference])),
            "owner_id": connection.partner_id.id,
            "user_id": False,
            "move_ids": [
                Command.create(values | self._xero_move_values(picking_type, draft.invoice.number)) for values in goods
            ],
        }

    def _xero_move_values(self, picking_type, number):
        return {
            "location_id": picking_type.default_location_src_id.id,
            "location_dest_id": (picking_type.default_location_dest_id or self._xero_customers()).id,
            "location_final_id": self._xero_customers().id,
            "company_id": picking_type.company_id.id,
            "origin": number,
        }

    @api.model
    def _xero_customers(self):
        return self.env.ref("stock.stock_location_customers")

    # === FROM XERO: CREATE === #

    def _xero_create(self, connection, drafts):
        """Create the transfers of prepared drafts, all in one go, and confirm them if the connection says so.

        :return: transfers in the order of the drafts
        """
        partners = self.env["res.partner"]._xero_import(connection, drafts)
        return self._xero_create_for(connection, drafts, partners.ship_to)

    def _xero_create_for(self, connection, drafts, ship_to):
        """As :meth:`_xero_create`, to these delivery addresses (partner by row id)."""
        # One reference each, as an order gives: the next steps of two invoices must not become one transfer.
        references = self.env["stock.reference"].create([{"name": draft.invoice.number} for draft in drafts])
        for draft, reference in zip(drafts, references, strict=True):
            for _command, _id, move in draft.values["move_ids"]:
                move["reference_ids"] = [Command.link(reference.id)]
        pickings = self.create(
            [{**draft.values, "partner_id": ship_to[draft.row.id].id} for draft in drafts]
        )
        pickings._xero_log_origin(connection, drafts)
        if to_confirm := pickings._xero_to_confirm(connection, drafts):
            to_confirm.action_confirm()
        return pickings
