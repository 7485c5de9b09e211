from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import const
from ..lib import errors

# What the customer mends in the portal, by connecting again; the rest is for the warehouse's staff.
_CUSTOMER_MENDS = ("reconnect", "scope", "not_connected")
_STAFF_MENDS = ("credentials", "configuration", "copy", "neutralized")
_ATTENTION = "xero_connector.mail_template_attention"


class XeroConnection(models.Model):
    """Connections their customer sets up and looks after in the portal.

    No portal user has a right on any model of this addon. The controller gets a connection from :meth:`_portal_own`
    alone, with superuser rights, and shows nothing but what :meth:`_portal_values` and its like make of it.
    """

    _inherit = "xero.connection"

    in_portal = fields.Boolean(
        string="The customer looks after it in the portal",
        copy=False,
        help="The customer sees it under My account, Xero integrations, with its log, and may pause, reconfigure and "
        "delete it.",
    )

    @api.constrains("in_portal", "partner_id")
    def _check_in_portal(self):
        for connection in self:
            if connection.in_portal and not connection.partner_id:
                raise ValidationError(self.env._("%s needs a customer to be looked after in the portal.",
                                                 connection.name))

    def write(self, vals):
        if "partner_id" in vals:
            customer = self.env["res.partner"].browse(vals["partner_id"]).commercial_partner_id
            for connection in self:
                if connection.in_portal and connection._is_in_use_by_another(customer):
                    raise UserError(
                        self.env._(
                            "%(connection)s holds the consent and the log of %(customer)s, who looks after it in the "
                            "portal: another customer would see both. Remove it and make a new one.",
                            connection=connection.name,
                            customer=connection.partner_id.name,
                        )
                    )
        stopping = self.browse()
        if vals.get("state") == "error":
            stopping = self.filtered(lambda connection: connection.in_portal and connection.state != "error")
        result = super().write(vals)
        if stopping:
            stopping._write_to_customer()
        return result

    def _is_in_use_by_another(self, customer):
        # sudo: whether there is a consent or a log is no secret
        self_sudo = self.sudo()
        is_used = self_sudo.grant_id or self_sudo._has_log()
        return bool(is_used) and self_sudo.partner_id.commercial_partner_id != customer

    # === WHOSE, AND WHAT MAY THEY === #

    @api.model
    def _portal_domain(self):
        customer = self.env.user.partner_id.commercial_partner_id
        # Of the very same customer: a subsidiary that is a customer of its own looks after its own.
        return [("in_portal", "=", True), ("partner_id.commercial_partner_id", "=", customer.id)]

    @api.model
    def _portal_all(self):
        """All connections this user looks after, with superuser rights; none for who is no customer."""
        if not self.env.user._is_portal():
            return self.sudo().browse()
        return self.sudo().search(self._portal_domain())

    @api.model
    def _portal_own(self, connection_id):
        """This connection if its customer is the user's, with superuser rights; empty otherwise."""
        return self._portal_all().filtered(lambda connection: connection.id == connection_id)

    @api.model
    def _portal_allowed(self):
        """Whether this user may create integrations with the current company."""
        user = self.env.user
        return user._is_portal() and user.partner_id._xero_portal_allowed(self.env.company)

    def _portal_may_change(self):
        """Whether the customer may connect, resume and change this one: permission may have been withdrawn since."""
        self.ensure_one()
        return self.partner_id._xero_portal_allowed(self.company_id)

    def _portal_refuse_change(self):
        """:raise UserError: when permission was withdrawn"""
        if not self._portal_may_change():
            raise UserError(
                self.env._("Changes are not possible at the moment: ask %s. Pausing and deleting are.",
                           self.company_id.name)
            )

    # === MADE THERE === #

    @api.model
    def _portal_create(self, name):
        """A new integration of this user's customer, at its second step.

        :raise UserError: when that is not allowed, or there are too many of them
        """
        company = self.env.company
        if not self._portal_allowed():
            raise UserError(self.env._("New integrations are not possible at the moment: ask %s.", company.name))
        customer_sudo = self.env.user.partner_id.commercial_partner_id.sudo()
        # Written, not only locked: of two requests at once the second begins anew, and sees what the first made.
        self.env.cr.execute("UPDATE res_partner SET write_date = write_date WHERE id = %s", (customer_sudo.id,))
        own_sudo = self._portal_all()
        if begun := own_sudo.filtered(lambda c: c.name == name and c.state == "draft" and not c.setup_done):
            return begun[0]
        if len(own_sudo) >= const.PORTAL_CONNECTIONS:
            raise UserError(self.env._("You have %s integrations. Delete one you do not need.", len(own_sudo)))
        company_sudo = company.sudo()
        apps_sudo = self.env["xero.app"].sudo()
        usable = [("company_id", "in", (False, company.id)), ("grant_type", "=", "authorization_code")]
        chosen_sudo = company_sudo.xero_portal_app_id.filtered_domain(usable)
        app_sudo = chosen_sudo or apps_sudo.search(usable, limit=1)
        if not app_sudo:
            raise UserError(self.env._("Nothing can be connected yet: ask %s.", company.name))
        warehouses = customer_sudo._xero_portal_warehouses(company)
        responsible_sudo = company_sudo._xero_portal_responsible() or customer_sudo.user_id
        # Followers get what staff writes to each other about it.
        quiet_sudo = self.sudo().with_company(company).with_context(mail_create_nosubscribe=True)
        return quiet_sudo.create(
            {
                "name": name,
                "app_id": app_sudo.id,
                "company_id": company.id,
                "partner_id": customer_sudo.id,
                "user_id": responsible_sudo.id,
                "in_portal": True,
                "setup_done": False,
                "setup_step": "authentication",
                "import_from": fields.Date.context_today(self),
                "warehouse_id": warehouses.id if len(warehouses) == 1 else False,
                "order_target": company_sudo.xero_portal_order_target,
                "order_confirm": company_sudo.xero_portal_order_confirm,
            }
        )

    def _portal_connect(self):
        """Where the customer's browser goes to give consent.

        :return: Xero's address, or False where the warehouse has to act first: it has been called
        :raise UserError: what the customer can act on
        """
        self._portal_refuse_change()
        try:
            if self.app_id.grant_type != "authorization_code":
                # It would connect the warehouse's own organisation.
                raise UserError(self.env._("Customers need an app of the kind “Web app”, not %s.", self.app_id.name))
            return self.action_connect()["url"]
        except UserError as error:
            # It names apps, settings and limits that are the staff's.
            self._call_for_help(str(error))
            return False

    def _note_refusal(self, error):
        result = super()._note_refusal(error)
        if self.in_portal and getattr(error, "code", None) in _STAFF_MENDS:
            self._call_for_help(str(error))
            if self.state == "draft":
                self.error_code = error.code
        return result

    def _refusal_text(self, error):
        is_for_customer = self.env.user._is_portal() or self.env.context.get("xero_for_customer")
        if is_for_customer and getattr(error, "code", None) in _STAFF_MENDS:
            return self._portal_staff_text()
        return super()._refusal_text(error)

    def _portal_staff_text(self):
        return self.env._("This is not possible at the moment. %s has been told and will come back to you.",
                          self.company_id.name)

    def _portal_resume(self):
        """Go on after a pause.

        :raise UserError: without permission, or without a consent
        """
        self._portal_refuse_change()
        self.action_resume()

    def _portal_finish(self):
        """Leave the set-up; the first time the import begins, and what was agreed to is kept in the chatter.

        :raise UserError: while it is not connected, or without a warehouse
        """
        self._portal_refuse_change()
        if not self.setup_done and (fee := self._portal_fee()):
            self._message_log(body=self.env._("Agreed in the portal: %s", fee), author_id=self.env.user.partner_id.id)
        if self.unmatched_action == "default" and not self.warehouse_id:
            raise UserError(self.env._("Choose where invoices go that no rule matches, under Configuration."))
        self.action_setup_finish()

    def _portal_fee(self):
        """What an active integration costs this user's customer, as a sentence; empty where it costs nothing."""
        company_sudo = (self.company_id or self.env.company).sudo()
        customer_sudo = (self.partner_id or self.env.user.partner_id).sudo().commercial_partner_id
        return company_sudo._xero_fee_text(customer_sudo)

    def _portal_test_order(self, invoice_id):
        """What :meth:`_test_order` says, its reason in words for the customer. The scheduler's user makes the order, as
        it would make the real one."""
        real = self.with_user(SUPERUSER_ID).with_company(self.company_id).with_context(xero_for_customer=True)
        outcome = real._test_order(invoice_id)
        if ship_to := outcome.get("ship_to"):
            outcome["ship_to"] = "\n".join(line for line in ship_to.splitlines() if line.strip())
        if outcome["outcome"] != "done":
            record = self.env["xero.record"]
            subject = outcome["problem_subject"]
            outcome["reason"] = record._portal_sentence(outcome["problem_code"], subject, outcome["reason"])
        return outcome

    # === WHAT THEY SEE === #

    def _portal_values(self):
        """What a page of the portal shows of this connection: text, numbers and dates, never a record."""
        self.ensure_one()
        failed_count = self._portal_failed_count()
        return {
            "id": self.id,
            "name": self.name,
            "company": self.company_id.name,
            "organisation": self.tenant_name or "",
            "state": self.state,
            "status": self._portal_status(failed_count),
            "dot": self._portal_dot(failed_count),
            "message": self._portal_message(),
            "is_connected": bool(self.tenant_id) and self.state != "draft",
            "needs_choice": self.needs_choice,
            "setup_done": self.setup_done,
            "step": self.setup_step,
            "may_change": self._portal_may_change(),
            "waiting": self.waiting_count,
            "failed": failed_count,
            "done": self.done_count,
            "last_import": self.last_import,
        }

    def _portal_status(self, failed_count):
        _ = self.env._
        if not self.setup_done:
            return _("Set-up not finished")
        if self.needs_attention:
            return _("Needs attention")
        if self.state == "connected" and failed_count:
            return _("Connected, some invoices failed")
        return {"draft": _("Not connected"), "connected": _("Connected"), "paused": _("Paused")}[self.state]

    def _portal_is_waiting_for_somebody(self):
        """Whether the customer should look: nothing is imported, or some invoices were not."""
        return self.needs_attention or bool(self._portal_failed_count())

    def _portal_failed_count(self):
        """Of what the customer can see in the log."""
        rows = self.env["xero.record"]
        return rows.search_count([*rows._portal_domain(self), ("state", "=", "failed")])

    def _portal_dot(self, failed_count):
        """The dot's colour, as Bootstrap calls it."""
        if self.needs_attention:
            return "danger"
        if self.state in ("draft", "paused"):
            return "secondary"
        return "success" if self.setup_done and not failed_count else "warning"

    def _portal_message(self):
        """What needs attention, in words for the customer; empty when nothing does."""
        if not self.message:
            return ""
        if self.state == "draft":
            return self._portal_staff_text() if self.error_code in _STAFF_MENDS else self.message
        if self.state == "error" and (not self.error_code or self.error_code in _CUSTOMER_MENDS):
            return self.env._("The access to %s has ended. Connect again: all settings are kept.", self.tenant_name)
        if self.needs_attention:
            return self.env._("Nothing can be imported at the moment. %s has been told.", self.company_id.name)
        return ""

    def _portal_organisations(self):
        """The organisations the consent reaches and this connection may take: a list of dicts with ``id``, ``name``.

        :raise UserError: when Xero cannot be asked
        """
        try:
            with self._client() as client:
                tenants = self._granted_tenants(client)
        except errors.XeroError as error:
            raise UserError(self._refusal_text(error)) from None
        names = {tenant["tenantId"]: tenant.get("tenantName") or tenant["tenantId"] for tenant in tenants}
        return [{"id": tenant_id, "name": name} for tenant_id, name in names.items()]

    # === TOLD === #

    def _write_to_customer(self):
        """One mail each when these integrations stop until somebody acts: to who made it, while that is a user of the
        customer, else to the customer."""
        # sudo: whoever notices it need not be allowed to write mails
        template_sudo = self.env.ref(_ATTENTION).sudo()
        for connection_sudo in self.sudo():
            maker_sudo, reader_sudo = connection_sudo.create_uid, connection_sudo.partner_id
            is_theirs = maker_sudo.partner_id.commercial_partner_id == reader_sudo.commercial_partner_id
            if maker_sudo.active and maker_sudo._is_portal() and is_theirs:
                reader_sudo = maker_sudo.partner_id
            if reader_sudo.email:
                template_sudo.with_context(lang=reader_sudo.lang).send_mail(
                    connection_sudo.id, email_values={"recipient_ids": [fields.Command.set(reader_sudo.ids)]}
                )
