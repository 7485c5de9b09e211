from odoo import models

# What a partner's commercial partner hangs on.
_FAMILY = frozenset({"parent_id", "is_company"})


class ResPartner(models.Model):
    """Whoever pays for an integration changes with the customer's family."""

    _inherit = "res.partner"

    def write(self, vals):
        result = super().write(vals)
        if not _FAMILY.isdisjoint(vals):
            self._xero_note_payer()
        return result

    def _xero_note_payer(self):
        # sudo: whoever moves a contact knows nothing of connections
        connections_sudo = self.env["xero.connection"].sudo().search([("partner_id", "child_of", self.ids)])
        periods_sudo = self.env["xero.active.period"].sudo()
        open_periods = periods_sudo.search([("connection_id", "in", connections_sudo.ids), ("ended_at", "=", False)])
        others = open_periods.filtered(
            lambda period: period.partner_id != period.connection_id.partner_id.commercial_partner_id
        )
        others.connection_id._note_activity()
