import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib import formats
from ..lib.contact import XeroContact
from ..lib.invoice import XeroInvoice
from .import_draft import ImportDraft, Route


class XeroRecord(models.Model):
    """What becomes of an order when its invoice changes in Xero after the import.

    Nobody has begun to pick: the order follows by itself, line by line, and where somebody changed the very same thing
    in Odoo, a person decides. Picking has begun: a person decides, and what was voided does not leave the house before
    that. All is shipped: a person is told.
    """

    _inherit = "xero.record"

    base_payload = fields.Json(
        readonly=True,
        prefetch=False,
        groups="xero_connector.group_xero_manager",
        help="The version of the invoice the document stands for, where the payload is a newer one.",
    )
    undo_payload = fields.Json(
        readonly=True,
        prefetch=False,
        groups="xero_connector.group_xero_manager",
        help="The version the document stood for before the last decision.",
    )
    change_state = fields.Selection(
        [
            ("held", "Waits for a decision"),
            ("applied", "Applied"),
            ("kept", "Document kept as it was"),
            ("cancelled", "Document cancelled"),
            ("reported", "Reported"),
        ],
        string="Change in Xero",
        readonly=True,
    )
    is_adopted = fields.Boolean(
        readonly=True, help="The document is older than this row: which version it stands for is not known."
    )
    stops_transfers = fields.Boolean(
        readonly=True, help="Nothing goes out for this invoice before a person has decided."
    )
    was_confirmed = fields.Boolean(readonly=True, help="Whether the document we cancelled had been confirmed.")
    can_undo = fields.Boolean(compute="_compute_can_undo")
    change_text = fields.Text(string="Last change from Xero", readonly=True)

    _changed = models.Index("(document_date, id) WHERE change_state IS NOT NULL")

    def _is_held(self):
        """Whether this row waits for a person's decision about its document."""
        is_imported = self.resource == "invoice" and self.direction == "in"
        return is_imported and self.state == "failed" and bool(self.res_id)

    def _forbids_shipping(self):
        """Why nothing may go out for this invoice now, '' when it may: it was withdrawn, and nobody has decided."""
        if self.stops_transfers or (self.state in ("pending", "failed") and XeroInvoice(self.payload).is_withdrawn):
            reason = self.reason or self.env._("Its invoice was taken back in Xero.")
            return self.env._("%s It is stopped until somebody decides, here or on its order.", reason)
        return ""

    @api.depends("state", "change_state", "undo_payload")
    def _compute_can_undo(self):
        for row in self:
            # sudo: the payload is for managers; whether there is one is not
            has_version = row.change_state in ("applied", "kept") and row.sudo().undo_payload
            document = row.change_state == "cancelled" and row.sudo()._document()
            is_cancelled = bool(document) and document._xero_progress() == "cancelled"
            row.can_undo = row.state == "done" and (is_cancelled or bool(has_version))

    # === ACTIONS === #

    def action_apply_change(self):
        """Do with the document what changed in Xero."""
        self._to_decide()._apply_change()

    def action_keep_document(self):
        """Leave the document as it is, whatever Xero says."""
        self._to_decide()._keep_document()

    def action_cancel_document(self):
        """Cancel the document: its invoice asks for something else or for nothing any more."""
        self._to_decide()._cancel_document()

    def action_undo_change(self):
        """Take the last decision back."""
        self._to_decide()._undo_change()

    def _to_decide(self):
        self.ensure_one()
        self.check_access("read")
        if document := self._document():
            document.check_access("write")
        # sudo: nobody writes rows by hand, but whoever may change the document decides about it
        return self.sudo()

    # === FOLLOW === #

    def _keep_base(self):
        """Before a newer version replaces the payload: remember which one the document stands for."""
        rows = self.filtered("res_id")
        if rows:
            rows.flush_recordset(["payload", "base_payload"])
            self.env.cr.execute(
                "UPDATE xero_record SET base_payload = payload WHERE id = ANY(%s) AND base_payload IS NULL", (rows.ids,)
            )
            rows.invalidate_recordset(["base_payload"], flush=False)

    def _wants_contact(self, invoice):
        """Whether this document's new version is for another contact."""
        if not self.base_payload or invoice.is_withdrawn:
            return False
        return XeroInvoice(self.base_payload).contact_id != invoice.contact_id

    def _follow_safely(self, connection, draft):
        """Bring a newer version of an imported invoice to its end; what goes wrong ends in the row."""
        try:
            with self.env.cr.savepoint():
                self._follow(connection, draft)
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 it ends in the row, with its details
            self._fail_with(connection, error)

    def _follow(self, connection, draft):
        document = self._document()
        if not document:
            # Whoever deleted the order did not ask for another one.
            reason = connection.env._("The order made of this invoice was deleted in Odoo. Retry to import it again.")
            self._skip("deleted_here", reason)
            return
        document = document.with_company(connection.company_id)
        if not self.base_payload and not self.is_adopted:
            # The document stands for this very version, or a person decided so.
            self._settle(document, draft)
            return
        old = self._old_draft(draft)
        progress = document._xero_progress()
        withdrawn = self._withdrawn(connection, old, draft)
        doubt = self._doubt(connection, old.invoice, draft)
        if progress == "cancelled":
            if withdrawn:
                document._xero_tell(withdrawn)
            elif not draft.route.skip_code:
                self._call_back(connection, document)
            self._settle(document, draft)
        elif withdrawn and progress == "untouched":
            self.was_confirmed = document._xero_cancel()
            self._decided(document, "cancelled", withdrawn)
        elif withdrawn:
            self._ask(document, "void_held", withdrawn, progress)
        elif not draft.invoice.is_withdrawn and old.invoice.digest != draft.invoice.digest:
            self._follow_lines(connection, document, old, draft, progress, doubt)
        elif doubt:
            self._ask(document, "credit_held", doubt, progress)
        else:
            self._settle(document, draft)

    def _call_back(self, connection, document):
        """Tell a person, once, that the invoice of a document we cancelled is to be shipped (again). What people
        cancelled themselves is none of our business; a transfer is also cancelled by an edit that left no goods."""
        ours = ("cancelled", "applied") if document._name == "stock.picking" else ("cancelled",)
        if self.change_state in ours and not document.activity_search(["xero_connector.mail_activity_type_xero"]):
            text = connection.env._("To be shipped again, says Xero: take the cancellation back if that is right.")
            document._xero_tell(text)
            self._call(document, text)

    def _follow_lines(self, connection, document, old, draft, progress, doubt):
        _ = connection.env._
        draft.route = self._route_of(connection, document, old, draft)
        plan = document.with_context(lang=connection.env.lang)._xero_plan(connection, old, draft)
        if draft.problems:
            self._fail(draft.problems)
            self.change_state = "held"
            self._call(document, self.reason)
        elif doubt:
            self._hold(document, "change_held", doubt, [*plan.differences, *plan.conflicts])
        elif plan.conflicts:
            text = _("Changed in Xero, and here as well:")
            self._hold(document, "change_held", text, [*plan.differences, *plan.conflicts])
        elif plan.moves_goods and progress != "untouched":
            text = _("Changed in Xero after picking had started:")
            self._hold(document, "change_held", text, plan.differences)
        else:
            document = document._xero_apply(connection, plan)
            if plan.differences:
                self._decided(document, "applied", _("Changed in Xero, and followed here:"), plan.differences)
            else:
                self._settle(document, draft)

    def _withdrawn(self, connection, old, draft):
        """Why the invoice ships nothing any more, '' when it still does or when that is decided already."""
        if draft.invoice.is_withdrawn:
            return draft.route.reason if self.is_adopted or not old.invoice.is_withdrawn else ""
        if old.invoice.reference != draft.invoice.reference:
            route = self._choose_again(connection, draft)
            return route.reason if route.skip_code else ""
        return ""

    @api.model
    def _choose_again(self, connection, draft):
        return connection._choose(draft.invoice, connection.mapping_ids._matcher())

    def _doubt(self, connection, old, draft):
        """What a person has to judge, '' for nothing: only a person knows which goods a part credit is about."""
        _ = connection.env._
        credited = draft.invoice.credited_by_notes
        if credited != old.credited_by_notes:
            return _(
                "Credit notes took %(amount)s %(currency)s off the invoice in Xero.",
                amount=formats.cents(credited),
                currency=connection._currency_code(draft.invoice),
            )
        if draft.route.skip_code == "unpaid" and old.status == "PAID":
            return _("The payment of the invoice was taken back in Xero.")
        return ""

    def _old_draft(self, draft):
        base = XeroInvoice(self.base_payload) if self.base_payload else draft.invoice
        return ImportDraft(row=self, invoice=base, route=draft.route)

    def _route_of(self, connection, document, old, draft):
        """With the same reference, an order stays in its warehouse, whatever the rules say today."""
        if old.invoice.reference != draft.invoice.reference:
            return self._choose_again(connection, draft)
        return Route(
            warehouse=document._xero_warehouse(), rule=document.xero_mapping_id, reason=document.xero_route_reason
        )

    # === OUTCOME === #

    def _settle(self, document, draft):
        """Nothing (more) to decide."""
        document._xero_follow_number(draft.invoice)
        values = self._settled_values(document) | {"reason": document.xero_route_reason}
        if document.state == "cancel":
            # Who brings it back wants it as it is then.
            del values["base_payload"]
            reason = draft.route.reason if draft.route.skip_code else ""
            cancelled = self.connection_id._for_reader().env._("%s is cancelled here.", document.display_name)
            values["reason"] = f"{cancelled} {reason}".strip()
        else:
            self._queue_files(self.connection_id)
        if self.change_state == "held":
            document.activity_unlink(["xero_connector.mail_activity_type_xero"])
            values["change_state"] = False
        self.write(values)

    def _settled_values(self, document):
        return {
            "state": "done",
            "res_model": document._name,
            "res_id": document.id,
            "base_payload": False,
            "stops_transfers": False,
            "is_adopted": False,
            "problem_code": False,
            "problem_subject": False,
            "mending": False,
            "next_attempt": False,
            "done_at": fields.Datetime.now(),
        }

    def _decided(self, document, change_state, text, details=()):
        """Something was decided about the document: by us, or by the user who asked for it."""
        if self.change_state == "held":
            for known in {document, self._document()}:
                known.activity_unlink(["xero_connector.mail_activity_type_xero"])
        document._xero_tell(text, details)
        lines = "\n".join([text, *(f"– {detail}" for detail in details)])
        undo_payload = self.base_payload or False
        values = self._settled_values(document)
        if change_state == "cancelled":
            # Who brings it back wants it as it is then.
            del values["base_payload"]
        self.write(
            values | {"undo_payload": undo_payload, "change_state": change_state, "change_text": lines, "reason": lines}
        )
        if document.state != "cancel":
            self._queue_files(self.connection_id)

    def _ask(self, document, code, text, progress):
        """A question of all or nothing: hold what is on its way, report what is shipped."""
        if progress == "done":
            text = self.connection_id._for_reader().env._("%s The goods are shipped already.", text)
            self._call(document, text)
            self._decided_after_shipping(document, text)
        else:
            self._hold(document, code, text)

    def _decided_after_shipping(self, document, text):
        document._xero_tell(text)
        self.write(
            self._settled_values(document) | {"change_state": "reported", "change_text": text, "reason": text}
        )

    def _hold(self, document, code, text, details=()):
        """Leave the document as it is until a person decides."""
        document._xero_tell(text, details)
        reason = "\n".join([text, *(f"– {detail}" for detail in details)])
        self._call(document, reason)
        self.write(
            {
                "state": "failed",
                "problem_code": code,
                "problem_subject": self.number,
                "mending": f"{document._name},{document.id}",
                "change_state": "held",
                "stops_transfers": code == "void_held",
                "reason": reason,
                "next_attempt": False,
                "attempts": self.attempts + 1,
                "done_at": fields.Datetime.now(),
            }
        )

    def _call(self, document, text):
        """One open activity per document, with the newest text."""
        connection = self.connection_id._for_reader()
        document.activity_unlink(["xero_connector.mail_activity_type_xero"])
        document._xero_call_for_help(connection, connection.env._("The invoice changed in Xero: decide"), text)

    # === DECISIONS === #

    def _plan_between(self, connection, document, old_payload, new_payload):
        """The plan that leads from one version to another; addresses come from the log, no call is made."""
        old = ImportDraft(row=self, invoice=XeroInvoice(old_payload), route=Route())
        new = ImportDraft(row=self, invoice=XeroInvoice(new_payload), route=Route())
        new.route = self._route_of(connection, document, old, new)
        if contact := self._contact_rows(connection, [new.invoice.contact_id]):
            new.contact = XeroContact(contact.payload)
        elif old.invoice.contact_id != new.invoice.contact_id:
            raise UserError(self.env._("The contact's address is not known here: read the invoice again from Xero."))
        return document._xero_plan(connection, old, new)

    def _apply_change(self):
        self._require(self._is_held() and self.problem_code == "change_held" and self.base_payload)
        connection, document = self._parties()
        plan = self._plan_between(connection, document, self.base_payload, self.payload)
        if plan.new.problems:
            raise UserError("\n".join(problem.reason for problem in plan.new.problems))
        document = document._xero_apply(connection, plan)
        self._decided(document, "applied", self.env._("The change from Xero was applied:"), plan.differences)

    def _keep_document(self, reason=None):
        self._require(self._is_held())
        _connection, document = self._parties()
        text = self.env._("Left as it is, though the invoice changed in Xero. %s", self.reason)
        self._decided(document, "kept", text, [reason] if reason else [])

    def _cancel_document(self):
        self._require(self._is_held())
        _connection, document = self._parties()
        self.was_confirmed = document._xero_cancel()
        self._decided(document, "cancelled", self.env._("Cancelled, as the invoice changed in Xero. %s", self.reason))

    def _undo_change(self):
        self._require(self.can_undo)
        connection, document = self._parties()
        if self.change_state == "kept" and self.undo_payload:
            # Ask again.
            self.write(self._armed_values() | {"base_payload": self.undo_payload, "change_state": False})
            self.connection_id._schedule("process")
            document._xero_tell(self.env._("The decision to keep this as it is was taken back."))
            return
        if self.change_state == "cancelled":
            document = self._restore(document)
            text = self.env._("The cancellation was taken back, though the invoice changed in Xero.")
            if XeroInvoice(self.payload).is_withdrawn:
                # Whether it is to be shipped all the same is another question.
                self.write({"res_id": document.id})
                self._hold(document, "void_held", f"{text} {self.change_text}")
                return
        else:
            document = self._apply_backwards(connection, document)
            text = self.env._("The change from Xero was taken back.")
        self._decided(document, "kept", text)
        self.undo_payload = False

    def _restore(self, document):
        """Bring a cancelled document back, as the invoice is now or, where that ships nothing, as it was.

        :return: the document that stands for the invoice then
        """
        connection = self.connection_id.with_company(self.connection_id.company_id)
        confirm = self.was_confirmed or connection.order_confirm
        invoice = XeroInvoice(self.payload)
        draft = ImportDraft(row=self, invoice=invoice, route=Route())
        draft.route = Route(
            warehouse=document._xero_warehouse(), rule=document.xero_mapping_id, reason=document.xero_route_reason
        )
        return document._xero_restore(connection, draft, confirm)

    def _apply_backwards(self, connection, document):
        self._require(bool(self.undo_payload))
        plan = self._plan_between(connection, document, self.payload, self.undo_payload)
        if trouble := [problem.reason for problem in plan.new.problems] + plan.conflicts:
            raise UserError("\n".join(trouble))
        return document._xero_apply(connection, plan)

    def _parties(self):
        """The connection and the document, in the company they belong to."""
        connection = self.connection_id.with_company(self.connection_id.company_id)
        document = self._document()
        if not document:
            raise UserError(self.env._("The document was deleted. Retry imports the invoice again."))
        return connection, document.with_company(connection.company_id)

    def _require(self, is_possible):
        if not is_possible:
            raise UserError(self.env._("There is nothing to decide any more: reload the page."))
