from odoo import api, models
from odoo.exceptions import UserError

# What a connection's being active hangs on.
_COUNTS = frozenset({"state", "setup_done", "active", "partner_id", "company_id"})


class XeroConnection(models.Model):
    """Since when a connection is there for its customer is written down as it changes: fees are billed by it."""

    _inherit = "xero.connection"

    @api.model_create_multi
    def create(self, vals_list):
        connections = super().create(vals_list)
        connections.filtered(lambda c: c.sudo()._activity())._note_activity()
        return connections

    def write(self, vals):
        if _COUNTS.isdisjoint(vals):
            return super().write(vals)
        # sudo: what is noted has nothing to do with what the one who writes may see
        before = {connection.id: connection._activity() for connection in self.sudo()}
        result = super().write(vals)
        self.filtered(lambda c: c.sudo()._activity() != before[c.id])._note_activity()
        return result

    def _activity(self):
        """What a connection is active for: ``[(partner id, company id, is paused)]``, empty when it is not.

        One that needs attention is: it is there, and what was set up is kept.
        """
        self.ensure_one()
        if not (self.active and self.setup_done and self.partner_id and self.state != "draft"):
            return []
        return [(self.partner_id.commercial_partner_id.id, self.company_id.id, self.state == "paused")]

    def _note_activity(self):
        if self:
            # Before the period, whose index would refuse the second of two at once: the row's lock has it wait.
            self.flush_recordset()
            # sudo: nobody writes periods by hand
            self.env["xero.active.period"].sudo()._turn(self.sudo())

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_never_active(self):
        for connection in self:
            # sudo: as above
            if self.env["xero.active.period"].sudo().search_count([("connection_id", "=", connection.id)], limit=1):
                raise UserError(
                    self.env._(
                        "%s cannot be deleted: it was active, and its fees are counted. Use Remove on its form.",
                        connection.name,
                    )
                )
