from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib import errors


class XeroBackfill(models.TransientModel):
    """Import everything dated since a day, after a look at what that costs."""

    _name = "xero.backfill"
    _description = "Import Xero Invoices from a Date"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    start_date = fields.Date(
        string="Invoices dated from",
        required=True,
        default=lambda self: fields.Date.start_of(fields.Date.context_today(self), "month"),
    )
    estimated_for = fields.Date(readonly=True)
    invoice_count = fields.Integer(readonly=True)
    new_count = fields.Integer(readonly=True)
    call_count = fields.Integer(readonly=True)
    is_estimated = fields.Boolean(compute="_compute_is_estimated")
    explanation = fields.Text(compute="_compute_is_estimated")

    @api.depends("start_date", "estimated_for")
    def _compute_is_estimated(self):
        for wizard in self:
            wizard.is_estimated = bool(wizard.estimated_for) and wizard.estimated_for == wizard.start_date
            wizard.explanation = wizard.is_estimated and wizard._explain()

    def _explain(self):
        left = self.connection_id.calls_left_today
        text = self.env._(
            "%(count)s invoices, %(new)s of them new here. At most %(calls)s calls of Xero, for pages, "
            "addresses%(files)s%(attachments)s; %(left)s are left today.",
            count=self.invoice_count,
            new=self.new_count,
            calls=self.call_count,
            files=self.env._(", PDFs and notes") if self.call_count > self.new_count else "",
            attachments=self.env._(", and one for each attached file") if self.connection_id.attach_files else "",
            left=left,
        )
        if self.call_count > left:
            later = self.env._("That is more than one day allows: orders come first, the rest follows by itself.")
            text = f"{text} {later}"
        return text

    def action_estimate(self):
        """Ask Xero how many invoices there are: one call."""
        self.ensure_one()
        self.connection_id.check_access("write")
        if self.start_date > fields.Date.context_today(self):
            raise UserError(self.env._("Choose a day that is not in the future."))
        try:
            count, new, calls = self.connection_id._estimate(self.start_date)
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        self.write(
            {"estimated_for": self.start_date, "invoice_count": count, "new_count": new, "call_count": calls}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import from a date"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_start(self):
        """Begin; the connection shows how far it is."""
        self.ensure_one()
        self.connection_id.check_access("write")
        if not self.is_estimated:
            raise UserError(self.env._("Look at the estimate first."))
        self.connection_id._start_backfill(self.start_date, self.new_count)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
