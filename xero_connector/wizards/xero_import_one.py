from odoo import fields, models


class XeroImportOne(models.TransientModel):
    """Import one invoice by its number or a pasted link, and say why not if not."""

    _name = "xero.import.one"
    _description = "Import One Xero Invoice"

    connection_id = fields.Many2one("xero.connection", required=True, ondelete="cascade")
    text = fields.Char(string="Invoice number or link", required=True)
    record_id = fields.Many2one("xero.record", readonly=True, ondelete="set null")
    state = fields.Selection(related="record_id.state", related_sudo=False)
    reason = fields.Text(related="record_id.reason", related_sudo=False, string="Result")
    document_name = fields.Char(related="record_id.document_name", related_sudo=False)

    def action_import(self):
        """Ask Xero for the invoice, work it off and show what came of it."""
        self.ensure_one()
        self.connection_id.check_access("read")
        self.record_id = self.connection_id._import_one(self.text)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import one invoice"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_open(self):
        """Open what the invoice became, or its row of the log."""
        self.ensure_one()
        if self.document_name:
            return self.record_id.action_open_document()
        return {
            "type": "ir.actions.act_window",
            "res_model": "xero.record",
            "res_id": self.record_id.id,
            "view_mode": "form",
        }
