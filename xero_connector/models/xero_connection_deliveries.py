from odoo import api, fields, models

from .. import const


class XeroConnection(models.Model):
    """Deliveries told back to Xero: a note in the invoice's history."""

    _inherit = "xero.connection"

    export_deliveries = fields.Boolean(
        string="Note deliveries on the invoice",
        help="When goods leave, or come back, a note with transfer, carrier, tracking and quantities is written into "
        "the history of their invoice in Xero. It can neither be changed nor deleted there.",
    )

    def _required_scopes(self):
        scopes = super()._required_scopes()
        if not self.export_deliveries:
            return scopes
        # The scope for writing includes reading.
        needs = [scopes.pop("accounting.invoices.read", ""), scopes.get("accounting.invoices", "")]
        return scopes | {"accounting.invoices": "; ".join(filter(None, [*needs, self.env._(const.NOTE_SCOPE_NEED)]))}

    @api.depends("export_deliveries")
    def _compute_missing_scopes(self):
        return super()._compute_missing_scopes()

    def _can_write_notes(self):
        """Whether the consent covers notes; if not, they wait, and the form asks to reconnect."""
        return "accounting.invoices" not in self._missing_scopes(self.sudo().grant_id)
