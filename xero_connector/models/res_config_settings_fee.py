from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    xero_fee = fields.Boolean(related="company_id.xero_fee", readonly=False)
    xero_fee_product_id = fields.Many2one(related="company_id.xero_fee_product_id", readonly=False)
    xero_fee_price = fields.Monetary(related="company_id.xero_fee_price", readonly=False)
    xero_fee_journal_id = fields.Many2one(related="company_id.xero_fee_journal_id", readonly=False)
    xero_fee_paused = fields.Boolean(related="company_id.xero_fee_paused", readonly=False)
    xero_fee_from = fields.Date(related="company_id.xero_fee_from")
    xero_fee_problem = fields.Char(related="company_id.xero_fee_problem")
    xero_fee_tz = fields.Selection(
        related="company_id.partner_id.tz", readonly=False, string="Time zone", help="Where the company's days begin."
    )

    @api.constrains("xero_fee", "xero_fee_product_id", "xero_fee_journal_id")
    def _check_xero_fee(self):
        """Here and not on the company, whose fields arrive one after the other."""
        for settings in self:
            if settings.xero_fee and (problem := settings.company_id._xero_fee_problem()):
                raise ValidationError(problem)
