from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError

from ..lib import formats
from ..lib.errors import Problem

# Where a document came from: the import says so, and nobody else.
ORIGIN_FIELDS = frozenset(
    {
        "xero_connection_id",
        "xero_invoice_id",
        "xero_invoice_number",
        "xero_invoice_date",
        "xero_mapping_id",
        "xero_route_reason",
        "xero_pdf_id",
    }
)
_INSTRUCTIONS = {"delivery": "delivery_instructions", "packing": "packing_instructions"}


class XeroDocumentMixin(models.AbstractModel):
    """What an order and a transfer share that came from a Xero invoice."""

    _name = "xero.document.mixin"
    _description = "Document from Xero"

    # What tells of the settings is for the company's own people: customers read their orders, too.
    xero_connection_id = fields.Many2one(
        "xero.connection",
        string="Xero connection",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
    )
    xero_invoice_id = fields.Char(string="Xero invoice ID", readonly=True, copy=False, index="btree_not_null")
    xero_invoice_number = fields.Char(string="Xero invoice", readonly=True, copy=False, index="btree_not_null")
    xero_invoice_date = fields.Date(string="Invoice date", readonly=True, copy=False)
    xero_mapping_id = fields.Many2one(
        "xero.warehouse.mapping",
        string="Warehouse rule",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
    )
    xero_route_reason = fields.Char(
        string="Why this warehouse", readonly=True, copy=False, groups="base.group_user"
    )
    xero_pdf_id = fields.Many2one("ir.attachment", string="Invoice PDF", readonly=True, copy=False, index=False)
    xero_url = fields.Char(string="In Xero", compute="_compute_xero_url", groups="base.group_user")
    xero_hold = fields.Text(string="Decision needed", compute="_compute_xero_hold", groups="base.group_user")
    xero_hold_code = fields.Char(compute="_compute_xero_hold", groups="base.group_user")
    xero_change = fields.Text(
        string="Last change from Xero", compute="_compute_xero_hold", groups="base.group_user"
    )
    xero_can_undo = fields.Boolean(compute="_compute_xero_hold", groups="base.group_user")
    delivery_instructions = fields.Text(copy=True)
    packing_instructions = fields.Text(copy=True)

    def _compute_xero_url(self):
        for document in self:
            # sudo: warehouse staff follow the link without access to the connection's settings
            connection_sudo = document.sudo().xero_connection_id
            document.xero_url = connection_sudo and connection_sudo._xero_link("invoice", document.xero_invoice_id)

    def _compute_xero_hold(self):
        # sudo: whoever sees the document sees what it waits for
        rows_sudo = self.sudo()._xero_rows()
        for document in self:
            row_sudo = rows_sudo.get(document.id) or self.env["xero.record"]
            held = row_sudo._is_held() and document.state != "cancel"
            document.xero_hold = held and row_sudo.reason
            document.xero_hold_code = held and row_sudo.problem_code
            document.xero_change = row_sudo.change_text
            document.xero_can_undo = row_sudo.can_undo

    def _xero_rows(self):
        """The sync log's rows of these documents' invoices, the newest where connections followed each other.

        :return: dict ``document id -> row``
        """
        imported = self.filtered("xero_invoice_id")
        rows = self.env["xero.record"].search(
            [
                ("company_id", "in", imported.company_id.ids),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("external_id", "in", imported.mapped("xero_invoice_id")),
                ("res_id", "!=", False),
            ],
            order="id",
        )
        by_invoice = {(row.company_id, row.external_id): row for row in rows}
        found = {doc.id: by_invoice.get((doc.company_id, doc.xero_invoice_id)) for doc in imported}
        return {document_id: row for document_id, row in found.items() if row}

    # === GUARD === #

    def _has_field_access(self, field, operation):
        """A forged origin would reach other customers' goods, and files of other documents. What is copied with its
        document (a transfer's, see :meth:`stock.picking.write`) its user may hand on."""
        if operation == "write" and field.name in ORIGIN_FIELDS and not field.copy and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    # === ACTIONS === #

    def action_xero_open(self):
        """The invoice in Xero."""
        self.ensure_one()
        self.check_access("read")
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
        partners = self.env["res.partner"]._xero_known(connection, [draft.contact for draft in drafts if draft.contact])
        for draft in drafts:
            draft.partner = draft.contact and partners.get(draft.contact.id)
            if problem := connection._warehouse_problem(draft.route.warehouse, draft.partner):
                draft.problems.append(problem)
        # Without contact: a change of an order whose address stays.
        self.env["res.partner"]._xero_prepare_ship_to(connection, [draft for draft in drafts if draft.contact])
        codes = {line.item_code for draft in drafts for line in draft.invoice.lines if line.item_code}
        products = self.env["product.product"]._xero_find_by_code(connection, codes)
        for draft in drafts:
            draft.problems += products.problems_of(draft.invoice)
            draft.problems += self._xero_quantity_problems(connection, draft.invoice)
        return products

    def _xero_quantity_problems(self, connection, invoice):
        """A problem for each quantity finer than Odoo counts: rounding it would ship another one."""
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return [
            Problem(
                "quantity_precision",
                connection.env._(
                    "%(line)s: Odoo keeps %(digits)s decimals of a quantity, this one is %(quantity)s. Raise “Product "
                    "Unit” in Settings > Technical > Decimal Accuracy.",
                    line=line.item_code or line.description,
                    digits=digits,
                    quantity=formats.short(line.quantity),
                ),
                line.item_code,
                self.env.ref("uom.decimal_product_uom", raise_if_not_found=False),
            )
            for line in invoice.lines
            if line.quantity != round(line.quantity, digits)
        ]

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
        if instructions := self._xero_instructions_field(connection):
            values[instructions] = "\n".join(draft.invoice.text_lines)
        return values

    def _xero_instructions_field(self, connection):
        """The field the invoice's notes go to, None when nobody wants them."""
        return _INSTRUCTIONS.get(connection.note_target)

    def _xero_remark(self, connection, draft):
        """What the log and the chatter say about a new document."""
        return draft.route.reason

    def _xero_log_origin(self, connection, drafts):
        """A line in each document's chatter that says what made it, and in each row why."""
        bodies = {}
        for document, draft in zip(self, drafts, strict=True):
            remark = document._xero_remark(connection, draft)
            bodies[document.id] = connection.env._(
                "Created from Xero invoice %(number)s. %(remark)s", number=draft.invoice.number, remark=remark
            )
            draft.row.reason = remark
        self._message_log_batch(bodies=bodies)

    def _xero_to_confirm(self, connection, drafts):
        """Those of these new documents that are confirmed at once. What credit notes took a part of waits for a person,
        who knows what is left to ship."""
        if not connection.order_confirm:
            return self.browse()
        to_confirm = self
        for document, draft in zip(self, drafts, strict=True):
            if draft.invoice.is_partly_credited:
                to_confirm -= document
                summary = connection.env._("Partly credited in Xero: check what is to be shipped, then confirm")
                reason = connection.env._(
                    "Credit notes took %(amount)s %(currency)s off invoice %(number)s.",
                    amount=formats.cents(draft.invoice.credited_by_notes),
                    currency=connection._currency_code(draft.invoice),
                    number=draft.invoice.number,
                )
                document._xero_call_for_help(connection, summary, reason)
        return to_confirm

    def _xero_call_for_help(self, connection, summary, text):
        """An activity on this document for the connection's responsible person."""
        lines = Markup("<br/>").join(text.split("\n"))
        self.activity_schedule(
            "xero_connector.mail_activity_type_xero",
            summary=summary,
            note=Markup("<p>%s</p>") % lines,
            user_id=(connection.user_id or self.env.ref("base.user_admin")).id,
        )

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
