from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib import outgoing
from ..lib.errors import Problem
from . import export_preflight
from .export_mapper import ExportDraft, ExportMapper

STATUSES = [
    ("DRAFT", "Draft"),
    ("SUBMITTED", "Awaiting approval"),
    ("AUTHORISED", "Awaiting payment"),
    ("PAID", "Paid"),
    ("VOIDED", "Voided"),
    ("DELETED", "Deleted"),
]


class XeroRecord(models.Model):
    """Orders, invoices and credit notes on their way to Xero, one row each; a later change of one is a part of its own.

    A row is made in the transaction of its cause. What is sent, and its key, are committed before the call; until its
    outcome is known the row has its ``request_key``, and before anything is repeated Xero is asked what it has.
    """

    _inherit = "xero.record"

    line_ids = fields.One2many("xero.record.line", "record_id", readonly=True)
    is_edited = fields.Boolean(string="Changed by hand", readonly=True)
    due_date = fields.Date(readonly=True)
    wanted_number = fields.Char(readonly=True, help="The number it is to have in Xero; empty: Xero gives one.")
    amount_types = fields.Char(string="Amounts are", readonly=True)
    sent_to = fields.Char(readonly=True, help="The organisation this was sent to, or may have been sent to.")
    sent_at = fields.Datetime(readonly=True, help="When this was sent, or may have been sent.")
    appended_to = fields.Char(readonly=True, help="The draft it is added to.")
    is_reduction = fields.Boolean(string="Made smaller", readonly=True)
    invoice_row_id = fields.Many2one(
        "xero.record",
        string="Belongs to",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The invoice a credit note or payment is about.",
    )
    xero_number = fields.Char(string="Number in Xero", readonly=True)
    xero_status = fields.Selection(STATUSES, string="Status in Xero", readonly=True)
    xero_status_text = fields.Char(string="Called in Xero", compute="_compute_xero_status_text")
    xero_total = fields.Float(string="Total in Xero", digits=(16, 2), readonly=True, aggregator=False)
    total_difference = fields.Float(
        string="Difference", digits=(16, 2), readonly=True, help="Xero's total less Odoo's."
    )
    intended_difference = fields.Float(
        string="Of it intended",
        digits=(16, 2),
        readonly=True,
        help="Because prices come from Xero's items, or somebody changed lines before sending.",
    )
    amount_due = fields.Float(digits=(16, 2), readonly=True, aggregator=False)
    paid_on = fields.Date(readonly=True)
    allocated = fields.Float(digits=(16, 2), readonly=True, aggregator=False)

    @api.depends("xero_status", "resource", "amount_due")
    def _compute_xero_status_text(self):
        texts = dict(self._fields["xero_status"]._description_selection(self.env))
        for row in self:
            text = texts.get(row.xero_status)
            if row.resource == "credit_note" and row.xero_status == "AUTHORISED":
                text = self.env._("Approved")
            row.xero_status_text = text

    # === INTO THE OUTBOX === #

    @api.model
    def _put_document_out(self, connection, document, due=False):
        """Have this document sent, but not one that is on its way, was sent, or is ignored.

        :param datetime due: when; as soon as possible where there is none
        :return: its row
        """
        # Whoever confirms an order need not see the log.
        rows = document.with_env(self.env)._xero_out_rows()
        if any((row.external_id or row.request_key) and row.connection_id != connection for row in rows):
            # Sent by a connection that was replaced: Xero has it.
            return rows[:1]
        row = rows.filtered(lambda row: not row.part and row.connection_id == connection)
        if not row:
            row = self.create(self._outgoing_values(connection, document) | {"next_attempt": due})
        elif not row.external_id and not row.request_key and row.problem_code != "ignored":
            row._plan_anew(due)
        connection._ring_push()
        document._xero_recompute()
        return row

    def _skip(self, code, reason, record=None):
        result = super()._skip(code, reason, record)
        sent = self.filtered(lambda row: row.direction == "out" and row.res_model == "sale.order" and not row.part)
        # What is not sent may be invoiced here after all.
        self.env["sale.order"].browse(sent.mapped("res_id")).exists()._xero_recompute()
        return result

    @api.model
    def _outgoing_values(self, connection, document):
        head = document._xero_head()
        return {
            "connection_id": connection.id,
            "direction": "out",
            "resource": document._xero_out_resource(),
            "res_model": document._name,
            "res_id": document.id,
            "number": head.number,
            "contact_name": head.partner.display_name,
            "document_date": head.date,
            "currency_code": head.currency.name,
            "amount_total": float(document._xero_total()),
            "reference": head.reference,
            "received_at": fields.Datetime.now(),
        }

    def _plan_anew(self, due=False):
        """What is to be sent is thought about again, from what Odoo has now."""
        self.line_ids.unlink()
        self.write(self._armed_values() | {"next_attempt": due, "is_edited": False, "payload": False})

    def _put_changes_out(self, document):
        """A document of these rows changed: what Xero must know of it becomes a part of its own.

        :param document: one of those these rows are about
        """
        rows = self.filtered(lambda row: row.res_model == document._name and row.res_id == document.id)
        if all(row.problem_code == "ignored" for row in rows):
            # Who said that it is not to be sent means what it becomes, too.
            return
        if problem := rows._cannot_follow(document):
            rows.filtered(lambda row: row.external_id and row.state == "done")[:1]._fail([problem])
            return
        sent = rows.filtered(lambda row: row.external_id or row.request_key)
        last = max(sent.mapped("part"), default=-1)
        waiting = rows.filtered(lambda row: row.part > last and row.state in ("pending", "failed"))
        connection = rows.connection_id[:1]
        due = connection._next_export()
        if waiting:
            for row in waiting.filtered(lambda row: not row.is_edited or row._is_behind(document)):
                if row.is_edited:
                    document._message_log(
                        body=self.env._("What was changed by hand for Xero is dropped: the document changed since.")
                    )
                row._plan_anew(row.next_attempt or due)
        elif sent and (rows._are_uncertain() or rows._differs(document)):
            part = max(rows.mapped("part")) + 1
            self.create(self._outgoing_values(connection, document) | {"part": part, "next_attempt": due})
        else:
            return
        connection._ring_push()

    def _cannot_follow(self, document):
        """What changed about a sent document that no further document can tell Xero; None where there is nothing."""
        _, sent = self.env._, self.filtered("external_id")
        if not sent:
            return None
        if document._xero_was_cancelled() and document._xero_out_resource() == "credit_note" and not sent[0]._is_gone():
            reason = _("The credit note was cancelled here, and stands in Xero: void it there, then try again.")
            return Problem("changed_here", reason, None, document)
        now = {line.record.id: line.taxes for line in document._xero_bill_lines() if not line.is_text}
        for line in sent.line_ids.filtered(lambda line: line.source_id in now and line.tax_line_id and line._left()):
            rate = export_preflight.rate_of(now[line.source_id])
            if rate is not None and rate != outgoing.number(line.tax_line_id.rate) and not line.record_id.is_edited:
                reason = _("The tax of a line changed after it was sent: correct the invoice in Xero, then try again.")
                return Problem("changed_here", reason, None, document)
        return None

    def _is_behind(self, document):
        """Whether the document's lines changed since this row's were made."""
        lines = self.line_ids.filtered("source_id")
        ours = {line.source_id: (line.source_quantity, line.source_price) for line in lines if not line.is_text}
        theirs = {
            line.record.id: (float(line.quantity), float(line.price))
            for line in document._xero_bill_lines()
            if line.quantity
        }
        return ours != theirs

    def _are_uncertain(self):
        """Whether any of these may have been sent without our knowing the outcome. What a change of its document comes
        to is found out when that is known."""
        return any(row.request_key and not row.external_id for row in self)

    # === WHAT IS SENT === #

    def _draft(self, connection, mapper=None):
        """The document of this row as it is to be sent, checked.

        :param connection: in its company and language
        :rtype: ExportDraft
        """
        self.ensure_one()
        source = connection.env[self.res_model].browse(self.res_id)
        mapper = mapper or ExportMapper(connection, source)
        if not self.line_ids:
            return mapper.draft(source, self.resource, self.part).check(connection)
        # Somebody looked at it, or it takes back what was sent: its lines are what counts.
        head = mapper.draft(source, self.resource, self.part, lines=[])
        document = head.document
        document.date, document.due_date = self.document_date, self.due_date
        document.reference, document.number = self.reference or "", self.wanted_number or ""
        document.amount_types = self.amount_types
        draft = ExportDraft(source, self.resource, document, problems=head.problems, warnings=head.warnings)
        draft.lines = [line.with_env(connection.env)._draft_line(self.is_edited) for line in self.line_ids]
        draft.odoo_total = outgoing.number(self.amount_total)
        return draft.check(connection)

    def _keep_draft(self, draft):
        """Write down what is about to be sent."""
        document = draft.document
        if not self.line_ids:
            self.env["xero.record.line"].create(
                [
                    values | {"record_id": self.id, "sent_id": each.sent and each.sent.id}
                    for each, values in zip(
                        draft.lines, self.env["xero.record.line"]._line_values(draft), strict=True
                    )
                ]
            )
        self.write(
            {
                "resource": draft.resource,
                "document_date": document.date,
                "due_date": document.due_date,
                "reference": document.reference,
                "wanted_number": document.number,
                "amount_types": document.amount_types,
                "currency_code": document.currency,
                "amount_total": float(draft.odoo_total),
                "contact_name": draft.source._xero_bill_to().display_name,
            }
        )

    def get_formview_id(self, access_uid=None):
        """Whoever follows a link to a document that was sent sees what was sent."""
        if self._is_outgoing_document():
            return self.env.ref("xero_connector.xero_outgoing_view_form").id
        return super().get_formview_id(access_uid=access_uid)

    def action_preview(self):
        """Look at what is to be sent, and change it."""
        self.ensure_one()
        if self.part:
            raise UserError(self.env._("What changed later follows from the document: change it there."))
        return self.env["xero.preview"]._open(self.env[self.res_model].browse(self.res_id), self)
