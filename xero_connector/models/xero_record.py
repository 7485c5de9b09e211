import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib import formats
from ..lib.invoice import XeroInvoice
from ..lib.item import XeroItem

_READERS = {"invoice": XeroInvoice, "item": XeroItem}

# What may mend a problem.
MENDING_MODELS = [
    ("xero.connection", "Connection"),
    ("res.partner", "Customer"),
    ("product.product", "Product"),
    ("res.currency", "Currency"),
    ("decimal.precision", "Decimal accuracy"),
    ("sale.order", "Order"),
    ("stock.picking", "Transfer"),
    ("account.move", "Invoice"),
    ("account.payment", "Payment"),
]


class XeroRecord(models.Model):
    """One document on its way between Xero and Odoo: queue and log in one row.

    The row is the truth about state, attempts, reason, payload and the document it became. A doorbell (poll, button)
    only makes or re-arms rows; the scheduled action works them off. Inbound payloads are kept as Xero sent them, so a
    mapping mistake is mended and tried again without a call.
    """

    _name = "xero.record"
    _description = "Xero Sync Log"
    _order = "document_date desc, id desc"
    _rec_name = "number"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    direction = fields.Selection(
        [("in", "From Xero"), ("out", "To Xero")], required=True, readonly=True, default="in"
    )
    resource = fields.Selection(
        [
            ("invoice", "Invoice"),
            ("credit_note", "Credit note"),
            ("item", "Item"),
            ("contact", "Contact"),
            ("payment", "Payment"),
        ],
        required=True,
        readonly=True,
    )
    external_id = fields.Char(string="Xero ID", readonly=True)
    number = fields.Char(readonly=True)
    reference = fields.Char(readonly=True)
    contact_name = fields.Char(string="Contact", readonly=True)
    document_date = fields.Date(string="Date", readonly=True)
    amount_total = fields.Float(string="Total", digits=(16, 2), readonly=True)
    unit_price = fields.Float(
        string="Price", min_display_digits="Product Price", readonly=True, aggregator=False, help="Of an item."
    )
    currency_code = fields.Char(string="Currency", readonly=True)
    remote_updated = fields.Char(string="Changed in Xero (UTC)", readonly=True)
    received_at = fields.Datetime(string="Asked for", readonly=True, help="When it arrived or was last retried.")
    payload = fields.Json(readonly=True, prefetch=False, groups="xero_connector.group_xero_manager")
    payload_text = fields.Text(
        string="As Xero sent it", compute="_compute_payload_text", groups="xero_connector.group_xero_manager"
    )

    state = fields.Selection(
        [("pending", "Waiting"), ("done", "Done"), ("failed", "Failed"), ("skipped", "Skipped")],
        required=True,
        readonly=True,
        default="pending",
    )
    problem_code = fields.Selection(const.PROBLEM_CODES, string="Cause", readonly=True)
    problem_subject = fields.Char(string="Culprit", readonly=True)
    reason = fields.Text(readonly=True)
    mending = fields.Reference(
        MENDING_MODELS, string="Mend it at", readonly=True, help="The record to change so that this is imported."
    )
    traceback = fields.Text(readonly=True, prefetch=False, groups="base.group_system")
    correlation_id = fields.Char(
        string="Reference for Xero's support", readonly=True, help="Xero's support asks for it."
    )
    attempts = fields.Integer(readonly=True, aggregator=False)
    next_attempt = fields.Datetime(readonly=True)
    done_at = fields.Datetime(string="Finished", readonly=True)

    request_key = fields.Char(
        readonly=True, groups="base.group_system", help="The Idempotency-Key of what was sent, or is about to be sent."
    )
    suggestion_id = fields.Many2one(
        "product.product", readonly=True, index="btree_not_null", ondelete="set null"
    )
    suggestion_score = fields.Float(string="Score", digits=(16, 0), readonly=True, aggregator=False)
    wants_suggestion = fields.Boolean(readonly=True)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", readonly=True)
    part = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        aggregator=False,
        help="0 for the document as it was first sent; counts what was sent later because it changed.",
    )
    document_name = fields.Char(string="Document", compute="_compute_document_name")
    xero_url = fields.Char(string="In Xero", compute="_compute_xero_url")

    _one_row_per_document = models.UniqueIndex(
        "(connection_id, direction, resource, external_id) WHERE direction = 'in' OR resource = 'item'",
        "This Xero document has a row already.",
    )
    _pending = models.Index("(connection_id, id) WHERE state = 'pending'")
    _state_by_connection = models.Index("(connection_id, resource, state, direction, company_id)")
    _documents = models.Index("(res_model, res_id) WHERE res_id IS NOT NULL")
    _external = models.Index("(external_id)")
    _newest = models.Index("(document_date, id)")
    _suggest = models.Index("(connection_id) WHERE wants_suggestion IS TRUE")
    _item_codes = models.Index("(connection_id, lower(number)) WHERE resource = 'item'")
    _one_push_per_record = models.UniqueIndex(
        "(connection_id, resource, res_model, res_id, part) WHERE direction = 'out'",
        "This record is on its way to Xero already.",
    )
    _problems = models.Index(
        "(state, connection_id, problem_code, problem_subject) WHERE state IN ('failed', 'skipped')"
    )

    # === COMPUTES === #

    @api.depends("res_model", "res_id")
    def _compute_document_name(self):
        self.document_name = False
        for res_model, rows in self.filtered("res_id").grouped("res_model").items():
            # sudo: the name alone, for log readers who may not open the document
            documents = self.env[res_model].sudo().browse(rows.mapped("res_id")).exists()
            names = {document.id: document.display_name for document in documents}
            for row in rows:
                row.document_name = names.get(row.res_id)

    @api.depends("external_id", "resource")
    def _compute_xero_url(self):
        for row in self:
            row.xero_url = row.connection_id._xero_link(row.resource, row.external_id)

    @api.depends("payload")
    def _compute_payload_text(self):
        for row in self:
            row.payload_text = json.dumps(row.payload, indent=2, ensure_ascii=False) if row.payload else False

    # === IN: FROM THE DOORBELL === #

    @api.model
    def _receive(self, connection, resource, elements):
        """Make or re-arm a row for each of Xero's documents that is new or newer than what we hold.

        :param list elements: Xero's dicts, e.g. one page of invoices; the same id twice counts once, the newest
        :return: the rows made or re-armed
        """
        newest = {}
        for element in elements:
            document = _READERS[resource](element)
            if document.id and (document.id not in newest or newest[document.id].updated <= document.updated):
                newest[document.id] = document
        known = {
            row.external_id: row
            for row in self.search_fetch(
                [
                    ("connection_id", "=", connection.id),
                    ("direction", "=", "in"),
                    ("resource", "=", resource),
                    ("external_id", "in", list(newest)),
                ],
                ["external_id", "remote_updated", "state", "problem_code", "res_id"],
            )
        }
        to_create = []
        rearmed = self.browse(
            row.id for row in known.values() if (row.remote_updated or "") < newest[row.external_id].updated
        )
        if resource == "invoice":
            rearmed._keep_base()
        for external_id, document in newest.items():
            row = known.get(external_id)
            if not row:
                values = {"connection_id": connection.id, "resource": resource, "external_id": external_id}
                to_create.append(self._armed_values() | values | self._values_from(resource, document))
            elif row in rearmed:
                row.write(self._values_from(resource, document) | row._rearmed_values())
        changed = self.create(to_create) | rearmed
        if changed and resource == "invoice":
            connection._schedule("process")
        return changed

    @api.model
    def _values_from(self, resource, document):
        return getattr(self, f"_values_from_{resource}")(document)

    @api.model
    def _values_from_item(self, item):
        values = {
            "number": item.code or item.id,
            "reference": item.name,
            "remote_updated": item.updated,
            "payload": formats.plain(item.payload),
        }
        try:
            return values | {"unit_price": item.values().get("sales_price") or 0}
        except ArithmeticError:
            # The comparison will fail this row and say why; the list must not be lost with it.
            return values

    @api.model
    def _values_from_invoice(self, document):
        values = {
            "number": document.number or document.id,
            "reference": document.reference,
            "contact_name": document.contact_name,
            "currency_code": document.currency,
            "remote_updated": document.updated,
            "payload": formats.plain(document.payload),
        }
        try:
            return values | {"document_date": document.date, "amount_total": float(document.total)}
        except (ValueError, ArithmeticError):
            # The mapper will fail this row and say why; the page must not be lost with it.
            return values

    @api.model
    def _armed_values(self):
        return {
            "state": "pending",
            "attempts": 0,
            "next_attempt": False,
            "problem_code": False,
            "problem_subject": False,
            "mending": False,
            "reason": False,
            "traceback": False,
            "correlation_id": False,
            "received_at": formats.utc_now(),
            "done_at": False,
        }

    def _rearmed_values(self):
        """A newer version asks for work again, unless a user said to ignore this document, or deleted its product."""
        left_alone = self.problem_code == "ignored" or (
            self.resource == "item" and self.problem_code == "deleted_here"
        )
        return {} if left_alone else self._armed_values()

    # === OUTCOME === #

    def _succeed(self, documents):
        """These rows became these documents, in the same order."""
        now = fields.Datetime.now()
        for row, document in zip(self, documents, strict=True):
            row.write(
                {
                    "state": "done",
                    "res_model": document._name,
                    "res_id": document.id,
                    "attempts": row.attempts + 1,
                    "next_attempt": False,
                    "done_at": now,
                    "problem_code": False,
                    "problem_subject": False,
                    "mending": False,
                    "traceback": False,
                }
            )

    def _skip(self, code, reason, record=None):
        """There is nothing to import here.

        :param record: what to change if there should be
        """
        self.write(
            {
                "state": "skipped",
                "problem_code": code,
                "problem_subject": False,
                "mending": _reference(record),
                "reason": reason,
                "next_attempt": False,
                "done_at": fields.Datetime.now(),
            }
        )

    def _fail(self, problems, traceback=None):
        """What a person must mend. All problems are told, the first one gives the cause."""
        self.ensure_one()
        self.write(
            {
                "state": "failed",
                "problem_code": problems[0].code,
                "problem_subject": problems[0].subject,
                "mending": _reference(problems[0].record),
                "reason": "\n".join(problem.reason for problem in problems),
                "traceback": traceback,
                "attempts": self.attempts + 1,
                "next_attempt": False,
                "done_at": fields.Datetime.now(),
            }
        )

    def _postpone(self, error):
        """What may pass by itself: again after Xero's time, or after a growing one."""
        for row in self:
            # A limit says when it ends; whatever else passes by itself is asked about at a growing distance.
            wait = 0 if error.limit else min(60 * 2 ** min(row.attempts, 12), const.LONGEST_RETRY)
            wait = min(max(wait, error.retry_after or 0), const.LONGEST_LIMIT)
            row.write(
                {
                    "attempts": row.attempts + 1,
                    "next_attempt": fields.Datetime.now() + timedelta(seconds=wait),
                    "problem_code": "xero_unavailable",
                    "reason": str(error),
                    "correlation_id": error.correlation_id,
                }
            )

    def _document(self):
        """The order or transfer this row became, empty when it was deleted; None when it never became one."""
        self.ensure_one()
        return self.env[self.res_model].browse(self.res_id).exists() if self.res_id else None

    # === ACTIONS === #

    def action_retry(self):
        """Try again what failed, was skipped, waits for its next turn, became an order that was deleted since, or lacks
        files it should have."""
        self.check_access("read")
        # sudo: nobody writes rows by hand, but whoever sees the log may try again
        rows_sudo = self.sudo()
        outgoing_sudo = rows_sudo.filtered(lambda row: row._is_outgoing())
        payments_sudo = rows_sudo.filtered(lambda row: row.resource == "payment")
        rows_sudo -= outgoing_sudo | payments_sudo
        invoices_sudo = rows_sudo.filtered(lambda row: row.resource == "invoice")
        deleted_sudo = invoices_sudo.filtered(lambda row: row.res_id and not row._document())
        again_sudo = deleted_sudo | rows_sudo.filtered(
            lambda row: (row.state in ("failed", "skipped") or row.next_attempt) and not row._is_gone_item()
        )
        files_sudo = (invoices_sudo - again_sudo).filtered(lambda row: row._lacks_files())
        sent_sudo = outgoing_sudo._retry_outgoing() | payments_sudo._retry_payments()
        if not again_sudo and not files_sudo and not sent_sudo:
            raise UserError(self.env._("There is nothing to try again: these rows are done or being worked on."))
        deleted_sudo._forget_document()
        again_sudo.write(self._armed_values())
        for connection_sudo, rows_sudo in files_sudo.grouped("connection_id").items():
            rows_sudo._queue_files(connection_sudo)
        if retried_sudo := again_sudo & invoices_sudo:
            retried_sudo.connection_id._schedule("process")
        if items_sudo := again_sudo - invoices_sudo:
            items_sudo.connection_id._ring_items()
        (payments_sudo & sent_sudo).connection_id._update_problem_call()
        count = len(again_sudo | files_sudo | sent_sudo)
        return self.connection_id[:1]._notification(
            self.env._("Documents tried again within a minute: %s.", count), "success"
        )

    def _is_gone_item(self):
        """Whether this is an item that was deleted in Xero: there is nothing to try."""
        return self.resource == "item" and self.direction == "in" and self.problem_code == "deleted"

    def action_ignore(self, reason=None):
        """Neither import nor send these documents, not even when they change; what is there already stays as it is.

        :param str reason: what the log says about it
        """
        self.check_access("read")
        rows = self.filtered(lambda row: row.state in ("failed", "pending", "skipped"))
        if not rows:
            raise UserError(self.env._("What is done already cannot be ignored."))
        said = self.env._("Ignored by %s.", self.env.user.name)
        said = f"{said} {reason}" if reason else said
        outgoing = rows.filtered(lambda row: row._is_outgoing())
        # sudo: see action_retry
        outgoing.sudo()._ignore_outgoing(said)
        rows -= outgoing
        invoices = rows.filtered(lambda row: row.resource == "invoice")
        imported = invoices.filtered(lambda row: row.state == "failed" and row._document())
        for row in imported:
            row._to_decide()._keep_document(said)
        others = rows - invoices | (invoices - imported).filtered(lambda row: not row._document())
        others.sudo()._skip("ignored", said)
        self.connection_id.sudo()._update_problem_call()

    def action_mend(self):
        """Open what mends the cause that holds this document up, with all others it holds up."""
        self.ensure_one()
        problem = self.env["xero.problem"].search(
            [
                ("connection_id", "=", self.connection_id.id),
                ("resource", "=", self._problem_kind),
                ("state", "=", self.state),
                ("problem_code", "=", self.problem_code),
                ("problem_subject", "=", self.problem_subject),
            ]
        )
        if not problem:
            raise UserError(self.env._("Nothing holds this document up any more."))
        return problem.action_mend()

    def action_ask_ignore(self):
        """Ask for the reason, then ignore."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ignore documents: %s", len(self)),
            "res_model": "xero.ignore",
            "view_mode": "form",
            "target": "new",
            "context": {"default_record_ids": self.ids},
        }

    def action_unignore(self):
        """Try again what a user had said to ignore."""
        ignored = self.filtered(lambda row: row.problem_code == "ignored")
        if not ignored:
            raise UserError(self.env._("None of these is ignored."))
        return ignored.action_retry()

    def action_reimport(self):
        """Ask Xero for this invoice again and work it off: what changed follows, and an order that was cancelled or
        deleted here comes back."""
        self.ensure_one()
        self.check_access("read")
        self.connection_id._import_one(self.external_id)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _bring_back(self):
        """Before an import by hand: work this row off again. A document that somebody cancelled or deleted here comes
        back, if its invoice is still to be shipped."""
        connection = self.connection_id
        document = self._document()
        if document is not None and not document:
            self._forget_document()
        elif document and document._xero_progress() == "cancelled":
            invoice = XeroInvoice(self.payload)
            if not connection._decide(invoice, connection.mapping_ids._matcher()).skip_code:
                # sudo(False): the rest may be done for anybody who asks, this is for those who may write the document
                document.sudo(False).check_access("write")
                document = self._restore(document)
                values = {"res_id": document.id, "change_state": False}
                if document._name == "stock.picking":
                    # made as the invoice is now
                    values["base_payload"] = False
                self.write(values)
        self.write(self._armed_values())

    def _forget_document(self):
        """Have these rows, whose documents were deleted, imported anew: cancelled transfers of the deleted orders no
        longer stand for the invoices."""
        left = self.env["stock.picking"].search(
            [
                ("xero_connection_id", "in", self.connection_id.ids),
                ("xero_invoice_id", "in", self.mapped("external_id")),
                ("state", "=", "cancel"),
            ]
        )
        left.xero_invoice_id = False
        self.write({"res_model": False, "res_id": False, "base_payload": False})

    def action_open_document(self):
        """Open the order or transfer this row became."""
        self.ensure_one()
        if not self.res_id:
            raise UserError(self.env._("No document came of this row."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }


def _reference(record):
    return f"{record._name},{record.id}" if record else False
