from odoo import fields, models
from odoo.exceptions import UserError

_INVITATION = "xero_connector.mail_template_invitation"


class ResPartner(models.Model):
    """Which customers may connect their own Xero, and how they hear of it."""

    _inherit = "res.partner"

    xero_portal = fields.Selection(
        [("inherit", "As in the settings"), ("allow", "Allowed"), ("deny", "Not allowed")],
        string="Own Xero integrations",
        company_dependent=True,
        groups="xero_connector.group_xero_manager",
        help="Whether this customer may create Xero integrations in the portal. Withdrawn, what runs goes on: the "
        "customer may still look, pause and delete, but neither create, connect, resume, retry nor change.",
    )

    def _xero_portal_allowed(self, company):
        """Whether this customer may create and change integrations of its own with this company.

        :rtype: bool
        """
        # sudo: the setting is nobody's to read in the portal
        choice = self.sudo().commercial_partner_id.with_company(company).xero_portal
        return choice == "allow" or (choice != "deny" and company.sudo().xero_portal)

    def _xero_portal_warehouses(self, company):
        """The warehouses this customer's rules may name: all of the company's where the customer has no limit."""
        warehouses_sudo = self.env["stock.warehouse"].sudo()
        allowed_sudo = self.sudo().commercial_partner_id.xero_warehouse_ids
        own_sudo = warehouses_sudo.search([("company_id", "=", company.id)])
        return own_sudo & allowed_sudo if allowed_sudo else own_sudo

    def action_xero_invite(self):
        """Write to this customer where in the portal its Xero is connected; who has no access to the portal gets it
        with the same mail."""
        self.ensure_one()
        self.check_access("write")
        user_sudo = self.with_context(active_test=False).user_ids[:1].sudo()
        # Where the page will look: what a customer's user sees is of that user's company.
        if not self._xero_portal_allowed(user_sudo.company_id or self.company_id or self.env.company):
            raise UserError(
                self.env._(
                    "%s may not create Xero integrations. Allow it in the field above, or for all customers under "
                    "Xero, Configuration, Settings.",
                    self.name,
                )
            )
        if user_sudo and user_sudo._is_internal():
            raise UserError(self.env._("%s belongs to the staff: only customers use the portal.", self.name))
        if not user_sudo or not user_sudo._is_portal() or not user_sudo.active:
            user_sudo = self._xero_give_portal_access()
        if not user_sudo.login_date:
            # What the link in the mail needs to let somebody in who has no password yet.
            user_sudo.partner_id.signup_prepare()
        template = self.env.ref(_INVITATION).sudo()
        template.with_context(lang=user_sudo.lang).send_mail(user_sudo.id)
        self.message_post(body=self.env._("Invited to connect Xero in the portal (%s).", user_sudo.email))
        text = self.env._("The invitation is on its way to %s.", user_sudo.email)
        return self.env["xero.connection"]._notification(text, "success")

    def _xero_give_portal_access(self):
        """As Odoo's own dialog does, without its mail.

        :return: the user, with superuser rights
        """
        wizard = self.env["portal.wizard"].create({"partner_ids": [fields.Command.set(self.ids)]})
        candidate = wizard.user_ids
        candidate._assert_user_email_uniqueness()
        portal, public = self.env.ref("base.group_portal"), self.env.ref("base.group_public")
        # sudo: as Odoo's dialog, whose access rights have just been needed
        user_sudo = candidate.user_id.sudo()
        if not user_sudo:
            company = self.company_id or self.env.company
            user_sudo = candidate.sudo().with_company(company)._create_user()
        groups = [fields.Command.link(portal.id), fields.Command.unlink(public.id)]
        user_sudo.write({"active": True, "group_ids": groups})
        return user_sudo

    def _xero_portal_link(self):
        """Where the invitation leads: to the integrations, for somebody without password by way of choosing one."""
        self.ensure_one()
        partner_sudo = self.sudo()
        if partner_sudo.user_ids.filtered("login_date"):
            return f"{partner_sudo.get_base_url()}/my/xero"
        return partner_sudo._get_signup_url_for_action(url="/my/xero")[partner_sudo.id]
