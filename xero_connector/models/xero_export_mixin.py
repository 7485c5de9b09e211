from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..lib import outgoing

_STATES = [
    ("none", "Not sent"),
    ("waiting", "Waiting to be sent"),
    ("failed", "Needs a person"),
    ("sent", "Sent"),
]


class XeroExportMixin(models.AbstractModel):
    """What an order and an invoice share that may be sent to Xero. The outbound rows of the sync log are the truth; the
    fields here show it."""

    _name = "xero.export.mixin"
    _description = "Document for Xero"

    xero_export_state = fields.Selection(
        _STATES,
        string="Sent to Xero",
        compute="_compute_xero_export",
        search="_search_xero_export_state",
        groups="base.group_user",
    )
    xero_export_reason = fields.Text(string="What Xero needs", compute="_compute_xero_export", groups="base.group_user")
    xero_export_number = fields.Char(string="Number in Xero", compute="_compute_xero_export", groups="base.group_user")
    xero_export_status = fields.Char(string="Status in Xero", compute="_compute_xero_export", groups="base.group_user")
    xero_export_due = fields.Float(
        string="Due in Xero", digits=(16, 2), compute="_compute_xero_export", groups="base.group_user"
    )
    xero_export_paid_on = fields.Date(string="Paid on", compute="_compute_xero_export", groups="base.group_user")
    xero_export_url = fields.Char(string="Document in Xero", compute="_compute_xero_export", groups="base.group_user")
    xero_export_count = fields.Integer(compute="_compute_xero_export", groups="base.group_user")
    xero_can_export = fields.Boolean(compute="_compute_xero_can_export", groups="base.group_user")

    # === COMPUTES === #

    def _compute_xero_export(self):
        # sudo: whoever sees the document sees what became of it in Xero
        rows_sudo = self.sudo()._xero_out_rows()
        for document in self:
            held = rows_sudo.filtered(lambda row, document=document: row.res_id == document.id)
            sent = held.filtered("external_id")
            shown = sent[:1]
            broken = held.filtered(lambda row: row.state == "failed")
            waiting = held.filtered(lambda row: row.state == "pending")
            document.xero_export_count = len(held)
            document.xero_export_state = (
                "failed" if broken else "waiting" if waiting else "sent" if sent else "none"
            )
            document.xero_export_reason = (broken or waiting)[:1].reason
            document.xero_export_number = ", ".join(filter(None, sent.mapped("xero_number")))
            document.xero_export_status = shown.xero_status_text
            document.xero_export_due = sum(
                {row.external_id: row.amount_due for row in sent if row.resource == "invoice"}.values()
            )
            document.xero_export_paid_on = shown.paid_on
            document.xero_export_url = shown.xero_url

    def _search_xero_export_state(self, operator, value):
        # Odoo asks who may see a field only where the field itself is searched.
        self._check_field_access(self._fields["xero_export_state"], "read")
        if operator != "in":
            return NotImplemented
        wanted = [self._xero_domain_of(name) for name in value if name in dict(_STATES)]
        return Domain.OR(wanted)

    @api.model
    def _xero_domain_of(self, name):
        """The documents that show this state."""

        def having(*domain):
            # sudo: as where it is computed; the documents found are those the user may see
            rows_sudo = self.env["xero.record"].sudo()
            query = rows_sudo._search([("direction", "=", "out"), ("res_model", "=", self._name), *domain])
            return Domain("id", "in", query.subselect("res_id"))

        failed, waiting = having(("state", "=", "failed")), having(("state", "=", "pending"))
        sent = having(("external_id", "!=", False))
        return {
            "failed": failed,
            "waiting": waiting & ~failed,
            "sent": sent & ~waiting & ~failed,
            "none": ~sent & ~waiting & ~failed,
        }[name]

    @api.depends_context("uid")
    def _compute_xero_can_export(self):
        for document in self:
            document.xero_can_export = bool(document._xero_exporter()) and document._xero_is_to_export()

    def _xero_out_rows(self):
        """The outbound rows of these documents, as they were made."""
        return self.env["xero.record"].search(
            [("direction", "=", "out"), ("res_model", "=", self._name), ("res_id", "in", self.ids)], order="part, id"
        )

    def _xero_was_cancelled(self):
        return self.state == "cancel"

    def _xero_total(self):
        """What Odoo says it comes to, with tax."""
        return outgoing.number(self.amount_total)

    def _xero_recompute(self):
        """What Odoo says about these documents follows what is sent."""

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        """Who deletes what Xero has leaves an invoice there that nobody here knows of."""
        # sudo: whoever deletes a document need not see the log
        sent_sudo = self.sudo()._xero_out_rows().filtered(lambda row: row.external_id or row.request_key)
        if sent_sudo:
            names = ", ".join(sorted(set(sent_sudo.mapped("number"))))
            raise UserError(self.env._("These are in Xero, or on their way there. Cancel them instead: %s", names))

    # === DOORBELL === #

    def _xero_exporter(self):
        """The connection that sends this document; empty where none does."""
        self.ensure_one()
        # sudo: whoever confirms an order knows nothing of connections
        connection_sudo = self.env["xero.connection"].sudo()._exporter_of(self.company_id)
        return connection_sudo if connection_sudo._export_model == self._name else connection_sudo.browse()

    def _xero_ring_export(self):
        """Put those of these documents into the outbox whose customers are synchronised by themselves; in the very
        transaction that makes them ready."""
        for document in self.filtered(lambda document: document._xero_is_to_export()):
            connection_sudo = document._xero_exporter()
            partner = document._xero_bill_to().with_company(document.company_id)
            # sudo: as above
            if connection_sudo and partner.sudo().xero_auto_export:
                document.env["xero.record"].sudo()._put_document_out(
                    connection_sudo, document, connection_sudo._next_export()
                )

    def _xero_note_change(self):
        """Something about these documents changed. Those that were sent are compared with what Xero has at the end of
        the transaction: one document is written many times in it."""
        if not self:
            return
        precommit = self.env.cr.precommit
        noted = precommit.data.setdefault(f"xero.export.{self._name}", set())
        if not noted:
            precommit.add(self.browse()._xero_ring_changes)
        noted.update(self.ids)

    @api.model
    def _xero_ring_changes(self):
        noted = self.env.cr.precommit.data.pop(f"xero.export.{self._name}", set())
        # sudo: whoever changes an order knows nothing of the log
        documents_sudo = self.sudo().browse(sorted(noted)).exists()
        rows_sudo = documents_sudo._xero_out_rows().filtered(lambda row: row.resource in ("invoice", "credit_note"))
        for document_sudo in documents_sudo.browse(set(rows_sudo.mapped("res_id"))):
            rows_sudo._put_changes_out(document_sudo)

    # === ACTIONS === #

    def action_xero_preview(self):
        """Look at what would be sent to Xero, change it, send it."""
        self.check_access("read")
        return self.env["xero.preview"]._open(self)

    def action_xero_out_rows(self):
        """What became of this document in the sync log."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_outgoing")
        return action | {"domain": [("res_model", "=", self._name), ("res_id", "=", self.id)], "context": {}}

    def action_xero_export_open(self):
        """The document in Xero."""
        self.ensure_one()
        self.check_access("read")
        if not self.xero_export_url:
            raise UserError(self.env._("%s has not arrived in Xero yet.", self.display_name))
        return {"type": "ir.actions.act_url", "url": self.xero_export_url, "target": "new"}
