from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    xero_portal = fields.Boolean(related="company_id.xero_portal", readonly=False)
    xero_portal_app_id = fields.Many2one(related="company_id.xero_portal_app_id", readonly=False)
    xero_portal_user_id = fields.Many2one(related="company_id.xero_portal_user_id", readonly=False)
    xero_portal_order_target = fields.Selection(related="company_id.xero_portal_order_target", readonly=False)
    xero_portal_order_confirm = fields.Boolean(related="company_id.xero_portal_order_confirm", readonly=False)
