from dataclasses import replace

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..lib import errors, formats, outgoing
from ..lib.errors import Problem
from ..lib.invoice import XeroInvoice
from ..models.export_mapper import ExportDraft, ExportMapper

_AMOUNT_TYPES = [(outgoing.EXCLUSIVE, "Without tax"), (outgoing.INCLUSIVE, "With tax")]
# At most so many customers' drafts are asked for when many documents are looked at.
_DRAFTS_ASKED = 5
_LINES = {"sale.order": "order_line", "account.move": "invoice_line_ids"}


class XeroPreview(models.TransientModel):
    """A document as Xero would get it: everything can be changed, and everything that forbids it is told at once.

    Only the machine makes one, and says which document it is of: it looks into the books as nobody else may.
    """

    _name = "xero.preview"
    _inherit = "xero.guarded.mixin"
    _description = "Preview for Xero"
    _rec_name = "document_name"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    row_id = fields.Many2one("xero.record", readonly=True, ondelete="cascade", help="Its row of the sync log, if any.")
    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True, readonly=True)
    resource = fields.Selection([("invoice", "Invoice"), ("credit_note", "Credit note")], readonly=True)
    document_name = fields.Char(string="Document", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, ondelete="cascade")
    date = fields.Date(required=True)
    due_date = fields.Date()
    number = fields.Char(help="Empty: Xero gives one.")
    reference = fields.Char(required=True)
    currency_code = fields.Char(string="Currency", readonly=True)
    amount_types = fields.Selection(_AMOUNT_TYPES, string="Prices are", required=True, readonly=True)
    target = fields.Char(string="Becomes", readonly=True)
    number_taken = fields.Char(readonly=True, help="The number Xero has an invoice with already.")
    notice = fields.Char(readonly=True)
    odoo_total = fields.Float(string="Total in Odoo", digits=(16, 2), readonly=True)
    is_edited = fields.Boolean(string="Changed by hand", readonly=True)
    is_sent = fields.Boolean(string="On its way", readonly=True)
    line_ids = fields.One2many("xero.preview.line", "preview_id")

    xero_total = fields.Float(string="Total in Xero", digits=(16, 2), compute="_compute_findings")
    difference = fields.Float(digits=(16, 2), compute="_compute_findings")
    problem_count = fields.Integer(string="Findings", compute="_compute_findings")
    first_problem = fields.Char(string="What forbids it", compute="_compute_findings")
    problems = fields.Html(string="All that forbids it", compute="_compute_findings", sanitize=False)
    warnings = fields.Html(compute="_compute_findings", sanitize=False)
    explanation = fields.Html(string="Field by field", compute="_compute_explanation", sanitize=False)

    # === OPEN === #

    @api.model
    def _open(self, documents, row=None):
        """Make previews of these documents and show them.

        :param documents: orders, or invoices and credit notes
        :param row: the row of the log it is about, where it is about one
        """
        previews = self._prepare(documents, row)
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("What Xero would get"),
            "res_model": self._name,
            "context": {"create": False},
        }
        if len(previews) == 1:
            return action | {"view_mode": "form", "res_id": previews.id, "views": [(False, "form")]}
        return action | {"view_mode": "list,form", "domain": [("id", "in", previews.ids)]}

    @api.model
    def _prepare(self, documents, row=None):
        self.check_access("write")
        if row and row.part:
            raise UserError(self.env._("What changed later follows from the document: change it there."))
        exporters = {document: document._xero_exporter() for document in documents}
        ready = documents.filtered(lambda document: exporters[document] and document._xero_is_to_export())
        rows_sudo = ready.sudo()._xero_out_rows().filtered(lambda held: not held.part)
        on_its_way = rows_sudo.filtered(lambda held: held.external_id or held.request_key)
        if not row:
            ready = ready.filtered(lambda document: document.id not in on_its_way.mapped("res_id"))
        if not ready:
            raise UserError(self._why_none(documents, exporters))
        # sudo: nobody makes a preview by hand; what it is of was read as its user
        previews_sudo = self.sudo().browse()
        for connection_sudo in {exporters[document] for document in ready}:
            connection_sudo._say_when_neutralized()
            connection_sudo._refuse_to_export()
            of_connection = ready.filtered(lambda document, c=connection_sudo: exporters[document] == c)
            notice = self._ask_books(connection_sudo)
            worker = connection_sudo._item_env()
            mapper = ExportMapper(worker, of_connection.with_env(worker.env))
            for document in of_connection:
                held = row.sudo() if row else rows_sudo.filtered(lambda r, d=document: r.res_id == d.id)
                previews_sudo |= self._of_document(worker, mapper, document, held, notice)
            previews_sudo.filtered(lambda preview, c=connection_sudo: preview.connection_id == c)._ask_documents()
        return previews_sudo.sudo(False)

    @api.model
    def _why_none(self, documents, exporters):
        if not any(exporters.values()):
            return self.env._(
                "No connection sends these documents to Xero. Choose on the connection, under To Xero, what is sent."
            )
        if not any(document._xero_is_to_export() for document in documents):
            return self.env._(
                "None of these can be sent: only what is confirmed or posted, and did not come from Xero itself."
            )
        return self.env._("All of these are in Xero, or on their way there.")

    @api.model
    def _ask_books(self, connection_sudo):
        """Bring what we know of Xero's books up to date.

        :return: what could not be asked, in words; False where all is known
        """
        try:
            if not connection_sudo.account_mapping_ids:
                connection_sudo.action_read_tables()
            # Who works on the connection just now brings it up to date, too.
            if connection_sudo._books_are_old() and connection_sudo.try_lock_for_update(allow_referencing=True):
                connection_sudo._read_books()
        except (errors.XeroError, UserError) as error:
            return self.env._("Xero could not be asked: %s", error)
        return False

    @api.model
    def _of_document(self, worker, mapper, document, row_sudo, notice):
        draft = row_sudo._draft(worker, mapper) if row_sudo.line_ids else mapper.draft(document.with_env(worker.env))
        target = draft.document
        return self.sudo().create(
            {
                "connection_id": worker.id,
                "row_id": row_sudo.id,
                "res_model": document._name,
                "res_id": document.id,
                "resource": draft.resource,
                "document_name": document.display_name,
                "partner_id": document._xero_bill_to().id,
                "date": target.date,
                "due_date": target.due_date,
                "number": target.number,
                "reference": target.reference,
                "currency_code": target.currency,
                "amount_types": target.amount_types,
                "target": self.env._("A new credit note") if draft.resource == "credit_note" else "",
                "odoo_total": float(draft.odoo_total),
                "notice": notice,
                "is_edited": row_sudo.is_edited,
                "line_ids": [
                    fields.Command.create(values)
                    for values in self.env["xero.preview.line"]._line_values(draft)
                ],
            }
        )

    def _ask_documents(self):
        """Which draft an order would be added to, and which numbers are taken: Xero knows."""
        connection_sudo = self.connection_id.sudo()
        new = self.env._("A new invoice")
        adds = connection_sudo.invoice_mode == "existing"
        invoices = self.filtered(lambda preview: preview.resource == "invoice")
        invoices.target = self.env._("The customer's open draft, or a new one") if adds else new
        try:
            with connection_sudo._client(purpose="items") as client:
                if numbers := list(filter(None, invoices.mapped("number"))):
                    found = {
                        element.get("InvoiceNumber")
                        for element in client.invoices(numbers=numbers[:100])
                        if XeroInvoice(element).type == "ACCREC" and not XeroInvoice(element).is_gone
                    }
                    for preview in invoices.filtered(lambda preview: preview.number in found):
                        preview.number_taken = preview.number
                if adds and len(invoices.partner_id) <= _DRAFTS_ASKED:
                    for preview in invoices:
                        document = preview._draft().document
                        if document.contact_id:
                            drafts = client.draft_invoices(document.contact_id)
                            held = preview.row_id.sudo()._fitting(drafts, document)
                            number = held and XeroInvoice(held).number
                            text = self.env._("Added to the draft %s", number)
                            preview.target = text if held else self.env._("A new draft")
        except errors.XeroError as error:
            self.notice = self.env._("Xero could not be asked: %s", error)

    # === FINDINGS === #

    def _draft(self):
        """:rtype: ExportDraft, checked"""
        self.ensure_one()
        self._refuse_foreign()
        worker = self.connection_id.sudo()._item_env()
        source = worker.env[self.res_model].browse(self.res_id)
        head = ExportMapper(worker, source).draft(source, self.resource, self.row_id.sudo().part, lines=[])
        document = head.document
        document.date, document.due_date = self.date or document.date, self.due_date or None
        document.number = formats.text(self.number)
        document.reference = outgoing.reference(self.reference or "")
        document.amount_types = self.amount_types
        draft = ExportDraft(source, self.resource, document, problems=head.problems, warnings=head.warnings)
        lines = self.line_ids.sorted("sequence")
        draft.lines = [line.with_env(worker.env)._draft_line(self.is_edited) for line in lines]
        draft.odoo_total = outgoing.number(self.odoo_total)
        if self.number and self.number == self.number_taken:
            reason = self.env._(
                "Xero has an invoice with the number %s already. Give it another one, or none: then Xero numbers it.",
                self.number,
            )
            draft.problems.append(Problem("number_taken", reason, self.number, source))
        return draft.check(worker)

    def _refuse_foreign(self):
        """What is computed looks into all books, and it is a browser that says what stands on the form: is all of that
        for the eyes of who asks, and the lines those of the document?"""
        document = self.env[self.res_model].browse(self.res_id)
        lines = self.line_ids
        for records in (document, self.connection_id, self.row_id, lines.account_line_id, lines.tax_line_id):
            records.check_access("read")
        # sudo: lines of a document its user may read
        own_sudo = document.sudo()[_LINES[self.res_model]]
        for model, group in lines.filtered("source_model").grouped("source_model").items():
            found_sudo = self.env[model].sudo().browse(group.mapped("source_id")).exists()
            if model != own_sudo._name or found_sudo - own_sudo:
                raise AccessError(self.env._("These are lines of another document than %s.", document.display_name))

    @api.depends("date", "number", "reference", "line_ids", "is_edited", "number_taken")
    @api.depends("line_ids.quantity", "line_ids.unit_amount", "line_ids.takes_price", "line_ids.discount")
    @api.depends("line_ids.account_line_id", "line_ids.tax_line_id", "line_ids.description")
    def _compute_findings(self):
        for preview in self:
            draft = preview._draft()
            total = draft.expected_total()
            preview.xero_total = float(total)
            preview.difference = float(total - draft.odoo_total)
            preview.problem_count = len(draft.problems)
            preview.first_problem = draft.problems[0].reason if draft.problems else False
            preview.problems = _listed(problem.reason for problem in draft.problems)
            preview.warnings = _listed(draft.warnings)

    @api.depends("target", "date", "due_date", "number", "reference")
    def _compute_explanation(self):
        _ = self.env._
        for preview in self:
            connection_sudo = preview.connection_id.sudo()
            draft = preview._draft()
            statuses = dict(connection_sudo._fields["export_status"]._description_selection(self.env))
            adds = connection_sudo.invoice_mode == "existing" and preview.resource == "invoice"
            status = "draft" if adds else connection_sudo.export_status
            is_order = preview.res_model == "sale.order"
            rows = [
                (_("Becomes"), preview.target, _("Each order becomes")),
                (_("Contact"), preview.partner_id.display_name, _("the customer that is billed, under Contacts")),
                (_("Date"), preview.date, _("the order's date") if is_order else _("the invoice's date")),
                (_("Due"), preview.due_date or _("as the contact's terms in Xero say"), _("the payment terms")),
                (_("Number"), preview.number or _("Xero gives one"), _("Numbers from")),
                (_("Reference"), preview.reference, _("by it the document is found again; customers see it")),
                (_("Currency"), preview.currency_code, _("the document's")),
                (
                    _("Prices are"),
                    dict(_AMOUNT_TYPES)[preview.amount_types] if preview.amount_types else "",
                    _("with tax where the taxes of all lines are part of their prices"),
                ),
                (_("Arrives as"), statuses[status], _("Arrives in Xero as")),
                (_("Way back"), draft.document.url or _("none: its address has Xero's name in it"), _("to Odoo")),
            ]
            cells = (
                Markup("<tr><th class='text-nowrap'>%s</th><td>%s</td><td class='text-muted'>%s</td></tr>") % row
                for row in rows
            )
            titles = Markup("<tr><th></th><th>%s</th><th>%s</th></tr>") % (_("In Xero"), _("Setting or source"))
            table = Markup("<table class='table table-sm mb-0'>%s%s</table>")
            preview.explanation = table % (titles, Markup("").join(cells))

    # === EDIT === #

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"date", "due_date", "number", "reference", "line_ids"}:
            # sudo: nobody says so by hand
            self.sudo().is_edited = True
        return result

    # === ACTIONS === #

    def action_again(self):
        """Begin anew with what Odoo has now: something was mapped or mended meanwhile, or the changes are unwanted."""
        self.ensure_one()
        action = self._open(self.env[self.res_model].browse(self.res_id), self.row_id)
        # In the place of this one, and not on top of it.
        return action | {"target": "main"}

    def action_view_accounts(self):
        """Odoo's accounts, and what each is sent as."""
        return self.connection_id[:1].action_view_accounts()

    def action_view_taxes(self):
        """Odoo's taxes, and what each is sent as."""
        return self.connection_id[:1].action_view_taxes()

    def action_send(self):
        """Send these as they are shown; those with findings stay."""
        if self.filtered("is_sent"):
            raise UserError(self.env._("These are on their way already."))
        ready = self.filtered(lambda preview: not preview.problem_count)
        if not ready:
            raise UserError(
                self.env._("Nothing can be sent before this is mended:\n%s", "\n".join(self._problem_texts()))
            )
        rows = self.env["xero.record"]
        for preview in ready:
            rows |= preview._put_out()
        left = len(self) - len(ready)
        text = self.env._("Documents sent to Xero within a minute: %s.", len(ready))
        if left:
            text = " ".join([text, self.env._("To be mended first: %s.", left)])
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_outgoing")
        notification = self.connection_id[:1]._notification(text, "warning" if left else "success")
        notification["params"]["next"] = action | {"domain": [("id", "in", rows.ids)], "context": {}}
        return notification

    def _problem_texts(self):
        return [f"{preview.document_name}: {preview.first_problem}" for preview in self if preview.problem_count]

    def _put_out(self):
        """Into the outbox: as it is shown where somebody changed it, else as Odoo has it when it is sent."""
        document = self.env[self.res_model].browse(self.res_id)
        document.check_access("read")
        connection_sudo = self.connection_id.sudo()
        connection_sudo._refuse_to_export()
        is_its_own = not self.row_id or (self.row_id.res_model, self.row_id.res_id) == (self.res_model, self.res_id)
        if not document._xero_is_to_export() or document._xero_exporter() != connection_sudo or not is_its_own:
            raise UserError(self.env._("%s cannot be sent any more.", document.display_name))
        # sudo: nobody writes rows by hand, but whoever sees the preview may send
        row_sudo = self.row_id.sudo() or self.env["xero.record"].sudo()._put_document_out(connection_sudo, document)
        if row_sudo.external_id or row_sudo.request_key:
            raise UserError(self.env._("%s is on its way to Xero already.", document.display_name))
        row_sudo._plan_anew()
        if self.is_edited:
            row_sudo._keep_draft(self._draft())
            row_sudo.is_edited = True
        connection_sudo._ring_push()
        # sudo: as above
        self.sudo().is_sent = True
        return row_sudo.sudo(False)


class XeroPreviewLine(models.TransientModel):
    _name = "xero.preview.line"
    _inherit = ["xero.line.mixin", "xero.guarded.mixin"]
    _description = "Preview Line for Xero"

    preview_id = fields.Many2one("xero.preview", required=True, readonly=True, index=True, ondelete="cascade")
    connection_id = fields.Many2one(related="preview_id.connection_id")
    takes_price = fields.Boolean(readonly=False)
    total = fields.Float(digits=(16, 2), compute="_compute_total")

    @api.depends("quantity", "unit_amount", "discount", "tax_line_id", "preview_id.amount_types")
    def _compute_total(self):
        for line in self:
            sent = line._as_sent()
            if not sent.is_text and sent.unit_amount is None:
                sent = replace(sent, unit_amount=outgoing.number(line.unit_amount))
            line.total = float(sent.total(line.preview_id.amount_types))

    @api.constrains("account_line_id", "tax_line_id")
    def _check_tables(self):
        for line in self:
            for each in (line.account_line_id, line.tax_line_id):
                if each and each.connection_id != line.connection_id:
                    raise ValidationError(self.env._("%s is another organisation's.", each.display_name))


def _listed(sentences):
    items = Markup("").join(Markup("<li>%s</li>") % sentence for sentence in sentences)
    return items and Markup("<ul class='mb-0 ps-3'>%s</ul>") % items

