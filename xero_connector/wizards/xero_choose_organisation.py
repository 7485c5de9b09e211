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

    def default_get(self, fields_list):
        """Ask Xero what the consent reaches."""
        values = super().default_get(fields_list)
        connection = self.env["xero.connection"].browse(values.get("connection_id"))
        if connection and "line_ids" in fields_list:
            values["line_ids"] = [
                Command.create({"tenant_id": tenant["tenantId"], "name": tenant.get("tenantName")})
                for tenant in self._granted(connection)
            ]
        return values

    def _granted(self, connection):
        connection.check_access("write")
        try:
            with connection._client() as client:
                # sudo: the consent is nobody's to read; what it reaches is its owner's to choose from
                return connection.sudo()._granted_tenants(client)
        except errors.XeroError as error:
            raise UserError(str(error)) from None


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
