from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lib import errors


class XeroConnection(models.Model):
    """The tables of accounts and taxes: what Odoo's are in Xero."""

    _inherit = "xero.connection"

    export_account_id = fields.Many2one(
        "xero.account.mapping",
        string="Sales account where none is mapped",
        domain="[('connection_id', '=', id), ('is_active', '=', True)]",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="Empty: what is booked on an account that is not mapped cannot be sent.",
    )
    export_untaxed_id = fields.Many2one(
        "xero.tax.mapping",
        string="Lines without tax are",
        domain="[('connection_id', '=', id), ('is_active', '=', True)]",
        compute="_compute_export_untaxed_id",
        store=True,
        readonly=False,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )

    # === COMPUTES, CHECKS === #

    @api.depends("tax_mapping_ids.tax_type")
    def _compute_export_untaxed_id(self):
        """Xero's own type for no tax, until somebody chooses another one."""
        for connection in self.filtered(lambda c: not c.export_untaxed_id):
            connection.export_untaxed_id = connection.tax_mapping_ids.filtered(
                lambda line: line.tax_type == "NONE" and line.is_active
            )

    @api.constrains("export_account_id", "export_untaxed_id")
    def _check_export_lines(self):
        for connection in self:
            for line in (connection.export_account_id, connection.export_untaxed_id):
                if line and line.connection_id != connection:
                    raise ValidationError(self.env._("%s is another organisation's.", line.display_name))

    # === ACTIONS === #

    def action_read_tables(self):
        """Ask Xero for its accounts and tax rates now."""
        self.ensure_one()
        self.check_access("write")
        self._say_when_neutralized()
        # sudo: of what comes from Xero nobody writes anything by hand
        connection_sudo = self.sudo()
        try:
            with self._client(purpose="items") as client:
                accounts, rates = client.accounts(), client.tax_rates()
        except errors.XeroDenied as error:
            if error.code in ("configuration", "not_connected", "copy"):
                raise UserError(error.for_person()) from None
            # Told, not raised: what was found out is to be kept.
            connection_sudo._note_error(error)
            return self._notification(error.for_person(), "danger")
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        connection_sudo.account_mapping_ids._take(connection_sudo, accounts)
        connection_sudo.tax_mapping_ids._take(connection_sudo, rates)
        text = self.env._(
            "%(accounts)s accounts and %(taxes)s tax types were read.", accounts=len(accounts), taxes=len(rates)
        )
        return self._notification(text, "success")

    def action_view_accounts(self):
        """Odoo's income accounts, and what each is sent as."""
        return self._view_of_table("action_xero_account_match")

    def action_view_taxes(self):
        """Odoo's sales taxes, and what each is sent as."""
        return self._view_of_table("action_xero_tax_match")

    def _view_of_table(self, name):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(f"xero_connector.{name}")
        return action | {"domain": [("connection_id", "=", self.id)]}
