from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..lib import errors


class XeroChooseOrganisation(models.TransientModel):
    """One consent reached several organisations: which one is this connection's?"""

    _name = "xero.choose.organisation"
    _description = "Choose a Xero Organisation"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    line_ids = fields.One2many("xero.choose.organisation.line", "wizard_id", readonly=True)

    def _open_for(self, connection):
        """Ask Xero what the consent reaches, and show it.

        :raise UserError: when Xero cannot be asked
        """
        try:
            with connection._client() as client:
                # sudo: the consent is nobody's to read; what it reaches is its owner's to choose from
                tenants = connection.sudo()._granted_tenants(client)
        except errors.XeroError as error:
            raise UserError(error.for_person()) from None
        lines = [{"tenant_id": tenant["tenantId"], "name": tenant.get("tenantName")} for tenant in tenants]
        wizard = self.create({"connection_id": connection.id, "line_ids": [Command.create(line) for line in lines]})
        return connection._open_wizard(wizard, self.env._("Choose the organisation"))


class XeroChooseOrganisationLine(models.TransientModel):
    _name = "xero.choose.organisation.line"
    _description = "Granted Xero Organisation"

    wizard_id = fields.Many2one("xero.choose.organisation", required=True, ondelete="cascade", index=True)
    tenant_id = fields.Char(readonly=True)
    name = fields.Char(string="Organisation", readonly=True)

    def action_choose(self):
        """Connect this organisation. What the line says is looked up at Xero again."""
        self.ensure_one()
        connection = self.wizard_id.connection_id
        connection._choose_organisation(self.tenant_id)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
