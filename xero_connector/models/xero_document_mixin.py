from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError

_INSTRUCTIONS = {"delivery": "delivery_instructions", "packing": "packing_instructions"}


class XeroDocumentMixin(models.AbstractModel):
    """What an order and a transfer share that came from a Xero invoice."""

    _name = "xero.document.mixin"
    _description = "Document from Xero"

    xero_connection_id = fields.Many2one(
        "xero.connection", string="Xero connection", readonly=True, copy=False, index="btree_not_null"
    )
    xero_invoice_id = fields.Char(string="Xero invoice ID", readonly=True, copy=False, index="btree_not_null")
    xero_invoice_number = fields.Char(string="Xero invoice", readonly=True, copy=False, index="btree_not_null")
    xero_invoice_date = fields.Date(string="Invoice date", readonly=True, copy=False)
    xero_mapping_id = fields.Many2one(
        "xero.warehouse.mapping", string="Warehouse rule", readonly=True, copy=False, index="btree_not_null"
    )
    xero_route_reason = fields.Char(string="Why this warehouse", readonly=True, copy=False)
    xero_pdf_id = fields.Many2one("ir.attachment", string="Invoice PDF", readonly=True, copy=False, index=False)
    xero_url = fields.Char(string="In Xero", compute="_compute_xero_url")
    delivery_instructions = fields.Text(copy=True)
    packing_instructions = fields.Text(copy=True)

    def _compute_xero_url(self):
        for document in self:
            # sudo: warehouse staff follow the link without access to the connection's settings
            connection_sudo = document.sudo().xero_connection_id
            document.xero_url = connection_sudo and connection_sudo._xero_link("invoice", document.xero_invoice_id)

    # === ACTIONS === #

    def action_xero_open(self):
        """The invoice in Xero."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.xero_url, "target": "new"}

    def action_xero_pdf(self):
        """The invoice's PDF."""
        self.ensure_one()
        if not self.xero_pdf_id:
            raise UserError(self.env._("The PDF of invoice %s has not been fetched yet.", self.xero_invoice_number))
        return {"type": "ir.actions.act_url", "url": f"/web/content/{self.xero_pdf_id.id}", "target": "new"}

    # === FROM XERO === #

    def _xero_check(self, connection, drafts):
        """Add to each draft what forbids its import, and its delivery address. Writes nothing.

        :return: the products of all item codes, see ``product.product._xero_find_by_code``
        """
        for draft in drafts:
            if problem := connection._warehouse_problem(draft.route.warehouse):
                draft.problems.append(problem)
        self.env["res.partner"]._xero_prepare_ship_to(connection, drafts)
        codes = {line.item_code for draft in drafts for line in draft.invoice.lines if line.item_code}
        products = self.env["product.product"]._xero_find_by_code(connection, codes)
        for draft in drafts:
            draft.problems += products.problems_of(draft.invoice)
        return products

    def _xero_origin_values(self, connection, draft):
        """The fields that say where a new document comes from."""
        values = {
            "xero_connection_id": connection.id,
            "xero_invoice_id": draft.invoice.id,
            "xero_invoice_number": draft.invoice.number,
            "xero_invoice_date": draft.invoice.date,
            "xero_mapping_id": draft.route.rule.id if draft.route.rule else False,
            "xero_route_reason": draft.route.reason,
        }
        if instructions := _INSTRUCTIONS.get(connection.note_target):
            values[instructions] = "\n".join(draft.invoice.text_lines)
        return values

    def _xero_remark(self, connection, draft):
        """What the log and the chatter say about a new document."""
        return draft.route.reason

    def _xero_log_origin(self, connection, drafts):
        """A line in each document's chatter that says what made it, and in each row why."""
        bodies = {}
        for document, draft in zip(self, drafts, strict=True):
            remark = document._xero_remark(connection, draft)
            bodies[document.id] = self.env._(
                "Created from Xero invoice %(number)s. %(remark)s", number=draft.invoice.number, remark=remark
            )
            draft.row.reason = remark
        self._message_log_batch(bodies=bodies)

    def _xero_siblings(self):
        """All documents of this one's invoice: the order and its transfers, or a transfer and its backorders."""
        self.ensure_one()
        domain = [
            ("xero_connection_id", "=", self.xero_connection_id.id),
            ("xero_invoice_id", "=", self.xero_invoice_id),
        ]
        return [*self.env["sale.order"].search(domain), *self.env["stock.picking"].search(domain)]

    def _xero_attach_pdf(self, name, content):
        """Put the invoice's PDF on this document and its siblings; a newer version replaces the older one."""
        for document in self._xero_siblings():
            if document.xero_pdf_id:
                document.xero_pdf_id.write({"name": name, "raw": content})
            else:
                document.xero_pdf_id = self.env["ir.attachment"].create(
                    {
                        "name": name,
                        "raw": content,
                        "mimetype": "application/pdf",
                        "res_model": document._name,
                        "res_id": document.id,
                    }
                )

    def _xero_lacks_file(self, name, size):
        """Whether a file of this name and size is not attached yet."""
        self.ensure_one()
        domain = [("res_model", "=", self._name), ("res_id", "=", self.id), ("name", "=", name)]
        return size not in self.env["ir.attachment"].search(domain).mapped("file_size")

    def _xero_attach_file(self, name, content):
        """Put a file on this document and its siblings. Markup is kept as plain text: no browser runs it."""
        self.env["ir.attachment"].with_context(attachments_mime_plainxml=True).create(
            [
                {
                    "name": name,
                    "raw": content,
                    "res_model": document._name,
                    "res_id": document.id,
                }
                for document in self._xero_siblings()
            ]
        )

    def _xero_add_instructions(self, connection, note):
        """Add a note to the instructions the connection asks for; one that is there already is not added again."""
        field = _INSTRUCTIONS[connection.note_target]
        for document in self._xero_siblings() if note else ():
            if note not in (document[field] or ""):
                document[field] = "\n".join(filter(None, [document[field], note]))

    def _xero_tell_change(self, connection, invoice):
        """Tell the readers of this document that its invoice became another in Xero; nothing is changed by itself."""
        self.ensure_one()
        if invoice.status in ("VOIDED", "DELETED") or invoice.is_settled_by_credit:
            what = self.env._("Xero invoice %s was voided, deleted or fully credited after the import.", invoice.number)
            kind = "xero_connector.mail_activity_type_xero"
            for document in self._xero_siblings():
                if document.state not in ("done", "cancel") and not document.activity_search([kind]):
                    document.activity_schedule(
                        kind,
                        summary=self.env._("Do not ship: invoice cancelled in Xero"),
                        note=Markup("<p>%s</p>") % what,
                        user_id=(connection.user_id or self.env.ref("base.user_admin")).id,
                    )
        else:
            what = self.env._(
                "Xero invoice %s was changed after the import. This document was left as it is: compare the two.",
                invoice.number,
            )
        self._message_log(body=Markup("<p>%s</p>") % what)
