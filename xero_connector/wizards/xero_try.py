from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..lib import errors


class XeroTry(models.TransientModel):
    """Try a connection's rules: on a reference typed in, or on the last days' invoices. Nothing is imported."""

    _name = "xero.try"
    _description = "Try Xero Rules"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    reference = fields.Char(string="Invoice reference")
    warehouse_id = fields.Many2one("stock.warehouse", compute="_compute_route")
    rule_id = fields.Many2one("xero.warehouse.mapping", compute="_compute_route")
    explanation = fields.Char(compute="_compute_route")
    days = fields.Integer(string="Days back", default=30, required=True)
    ran = fields.Boolean()
    is_cut = fields.Boolean(readonly=True)
    line_ids = fields.One2many("xero.try.line", "try_id", readonly=True)
    summary = fields.Char(compute="_compute_summary")

    @api.depends("reference", "connection_id")
    def _compute_route(self):
        for trial in self:
            route = trial.connection_id._try_reference(trial.reference)
            trial.warehouse_id = route.warehouse or False
            trial.rule_id = route.rule or False
            trial.explanation = route.reason

    @api.depends("line_ids.outcome", "is_cut")
    def _compute_summary(self):
        for trial in self:
            count = {key: len(lines) for key, lines in trial.line_ids.grouped("outcome").items()}
            text = self.env._(
                "%(order)s would become orders, %(skipped)s would be skipped, %(failed)s would fail. "
                "Nothing was created.",
                order=count.get("order", 0),
                skipped=count.get("skipped", 0),
                failed=count.get("failed", 0),
            )
            cut = self.env._("There are more: those changed last are missing. Choose fewer days.")
            start = trial.connection_id.import_from
            older = trial.line_ids.filtered(lambda line, start=start: start and (line.document_date or start) < start)
            too_old = self.env._(
                "%(count)s of these are dated before %(date)s and stay out, unless you import from an earlier date.",
                count=len(older),
                date=start,
            )
            trial.summary = " ".join(filter(None, [text, trial.is_cut and cut, older and too_old]))

    def action_check(self):
        """Show where the typed reference goes (leaving the field does so, too)."""
        self.ensure_one()
        return self._reopen()

    def action_dry_run(self):
        """List what the last days' invoices would become."""
        self.ensure_one()
        self.connection_id.check_access("write")
        if not 0 < self.days <= 365:
            raise UserError(self.env._("Choose between 1 and 365 days."))
        start = fields.Date.context_today(self) - timedelta(days=self.days)
        try:
            # sudo: who tries the rules need not have the rights of all the orders would be made of
            drafts, is_cut = self.connection_id.sudo()._dry_run(start)
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        self.write(
            {
                "ran": True,
                "is_cut": is_cut,
                "line_ids": [Command.clear(), *(Command.create(_line_values(draft)) for draft in drafts)],
            }
        )
        return self._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try rules"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


class XeroTryLine(models.TransientModel):
    """What one invoice would become."""

    _name = "xero.try.line"
    _description = "Outcome of Trying Xero Rules"

    try_id = fields.Many2one("xero.try", required=True, index=True, ondelete="cascade")
    number = fields.Char(string="Invoice")
    document_date = fields.Date(string="Date")
    contact_name = fields.Char(string="Contact")
    reference = fields.Char()
    outcome = fields.Selection([("order", "Order"), ("skipped", "Skipped"), ("failed", "Fails")])
    warehouse_id = fields.Many2one("stock.warehouse")
    reason = fields.Char()


def _line_values(draft):
    outcome = "failed" if draft.problems else "order" if draft.values else "skipped"
    reason = "\n".join(problem.reason for problem in draft.problems) or draft.route.reason
    return {
        "number": draft.invoice.number,
        "document_date": draft.invoice.date,
        "contact_name": draft.invoice.contact_name,
        "reference": draft.invoice.reference,
        "outcome": outcome,
        "warehouse_id": draft.route.warehouse.id if draft.route.warehouse and not draft.problems else False,
        "reason": reason,
    }
