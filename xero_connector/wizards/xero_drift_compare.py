from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class XeroDriftCompare(models.TransientModel):
    """Which period is compared with Xero."""

    _name = "xero.drift.compare"
    _description = "Compare with Xero"

    connection_id = fields.Many2one(
        "xero.connection",
        required=True,
        ondelete="cascade",
        domain=[("state", "=", "connected")],
        default=lambda self: self._default_connection_id(),
    )
    date_from = fields.Date(
        string="Dated from", required=True, default=lambda self: self._month() - relativedelta(months=2)
    )
    date_to = fields.Date(
        string="To", required=True, default=lambda self: self._month() + relativedelta(months=1, days=-1)
    )
    last_id = fields.Many2one("xero.drift", compute="_compute_last_id")
    last_summary = fields.Text(related="last_id.summary", related_sudo=False)

    def _default_connection_id(self):
        """The one there is; of several a person chooses."""
        found = self.env["xero.connection"].search([("state", "=", "connected")], limit=2)
        return found if len(found) == 1 else found.browse()

    def _month(self):
        return fields.Date.start_of(fields.Date.context_today(self), "month")

    @api.depends("connection_id", "date_from", "date_to")
    def _compute_last_id(self):
        for wizard in self:
            wizard.last_id = self.env["xero.drift"].search(
                [
                    ("connection_id", "=", wizard.connection_id.id),
                    ("date_from", "=", wizard.date_from),
                    ("date_to", "=", wizard.date_to),
                ]
            )

    def action_compare(self):
        """Ask Xero, and show what differs."""
        self.ensure_one()
        if self.date_from > self.date_to:
            raise UserError(self.env._("The period ends before it begins."))
        return self._show(self.connection_id._compare(self.date_from, self.date_to))

    def action_show(self):
        """What the last comparison of this period found."""
        self.ensure_one()
        return self._show(self.last_id.id)

    def _show(self, drift_id):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Compared with Xero"),
            "res_model": "xero.drift",
            "res_id": drift_id,
            "view_mode": "form",
            "views": [(False, "form")],
        }
