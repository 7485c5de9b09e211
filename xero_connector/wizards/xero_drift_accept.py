from odoo import fields, models
from odoo.exceptions import UserError


class XeroDriftAccept(models.TransientModel):
    """Why differences are as they should be."""

    _name = "xero.drift.accept"
    _description = "Accept Differences from Xero"

    line_ids = fields.Many2many("xero.drift.line", required=True, readonly=True)
    reason = fields.Char()

    def action_confirm(self):
        """Accept them, and keep the reason."""
        if not (self.reason or "").strip():
            raise UserError(self.env._("Say why: whoever looks at this later wants to know."))
        self.line_ids._accept(self.reason.strip())
        return {"type": "ir.actions.client", "tag": "soft_reload"}
