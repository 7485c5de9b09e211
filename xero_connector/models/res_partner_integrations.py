from odoo import fields, models

_DOTS = {"none": "○", "active": "●", "idle": "●", "error": "●"}


class ResPartner(models.Model):
    """For staff: which of this customer's Xero organisations are connected, and how they are."""

    _inherit = "res.partner"

    xero_integration_ids = fields.One2many(
        "xero.connection", "partner_id", string="Xero integrations", groups="xero_connector.group_xero_user"
    )
    xero_integration_count = fields.Integer(
        string="Active Xero integrations",
        compute="_compute_xero_integrations",
        groups="xero_connector.group_xero_user",
        help="Connected and set up, of this customer and all that belongs to it.",
    )
    xero_integration_state = fields.Selection(
        [("none", "None"), ("active", "Active"), ("idle", "Not active"), ("error", "Needs attention")],
        compute="_compute_xero_integrations",
        groups="xero_connector.group_xero_user",
    )
    xero_integration_dot = fields.Char(
        compute="_compute_xero_integrations", groups="xero_connector.group_xero_user"
    )

    def _compute_xero_integrations(self):
        families = self._origin.commercial_partner_id
        connections = self.env["xero.connection"].search(
            [("partner_id.commercial_partner_id", "in", families.ids)]
        )
        by_family = connections.grouped(lambda connection: connection.partner_id.commercial_partner_id)
        for partner in self:
            own = by_family.get(partner._origin.commercial_partner_id, connections.browse())
            active = own.filtered(lambda c: c.state == "connected" and c.setup_done)
            state = "active" if active else "idle" if own else "none"
            partner.xero_integration_state = "error" if any(own.mapped("needs_attention")) else state
            partner.xero_integration_count = len(active)
            partner.xero_integration_dot = _DOTS[partner.xero_integration_state]

    def action_view_xero_integrations(self):
        """The connections of this customer and all that belongs to it."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_dashboard")
        families = self.commercial_partner_id
        return action | {
            "domain": [("partner_id.commercial_partner_id", "in", families.ids)],
            "name": self.env._("Xero integrations"),
        }
