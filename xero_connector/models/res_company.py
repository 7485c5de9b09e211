from odoo import fields, models


class ResCompany(models.Model):
    """What a company decides for all its connections, and how its customers may set up theirs."""

    _inherit = "res.company"

    xero_portal = fields.Boolean(
        string="Customers connect themselves",
        help="Customers with portal access may create Xero integrations of their own. Each customer may be an "
        "exception.",
    )
    xero_portal_app_id = fields.Many2one(
        "xero.app",
        string="App for customers",
        domain="[('grant_type', '=', 'authorization_code'), ('company_id', 'in', (False, id))]",
        help="The app customers give their consent to. Empty: the first one this company may use.",
    )
    xero_portal_user_id = fields.Many2one(
        "res.users",
        string="Responsible for customers' connections",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Gets an activity when a connection that a customer made needs a person. Empty: the customer's "
        "salesperson.",
    )
    xero_portal_order_target = fields.Selection(
        [("sale_order", "Sale orders"), ("picking", "Delivery orders without sale orders")],
        string="Customers' invoices become",
        required=True,
        default="sale_order",
    )
    xero_portal_order_confirm = fields.Boolean(
        string="Confirm at once", help="Otherwise customers' orders wait as drafts."
    )

    def _xero_portal_responsible(self):
        """Who is called about customers' connections; empty where nobody is chosen who works here."""
        user = self.xero_portal_user_id
        return user if user.active and not user.share and self in user.company_ids else user.browse()
