from odoo import fields, models
from odoo.fields import Command


class XeroTestOrder(models.TransientModel):
    """Pick a recent invoice and see the very order it would make. Nothing is kept."""

    _name = "xero.test.order"
    _description = "Xero Test Order"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, ondelete="cascade")
    choice_ids = fields.One2many("xero.test.order.choice", "wizard_id", readonly=True)
    number = fields.Char(string="Invoice", readonly=True)
    outcome = fields.Selection(
        [("done", "Order"), ("skipped", "Not imported"), ("failed", "Fails"), ("pending", "Waits")], readonly=True
    )
    reason = fields.Text(readonly=True)
    problem_code = fields.Char(readonly=True)
    customer = fields.Char(readonly=True)
    ship_to = fields.Text(readonly=True)
    warehouse = fields.Char(readonly=True)
    instructions = fields.Text(readonly=True)
    total = fields.Char(readonly=True)
    line_ids = fields.One2many("xero.test.order.line", "wizard_id", readonly=True)

    def _open_for(self, connection):
        """Read the newest invoices, one call, and show them.

        :raise UserError: when Xero cannot be asked
        """
        choices = connection._test_choices()
        wizard = self.create(
            {"connection_id": connection.id, "choice_ids": [Command.create(choice) for choice in choices]}
        )
        return wizard._open()

    def _show(self, invoice_id):
        """Fill in what this invoice would become."""
        self.ensure_one()
        self.connection_id.check_access("write")
        values = self.connection_id._test_order(invoice_id)
        lines = values.pop("lines")
        values = {name: value for name, value in values.items() if name in self._fields}
        self.write({**values, "line_ids": [Command.clear(), *(Command.create(line) for line in lines)]})
        return self._open()

    def action_back(self):
        """Choose another invoice."""
        self.ensure_one()
        self.outcome = False
        return self._open()

    def _open(self):
        return self.connection_id._open_wizard(self, self.env._("Test order"))


class XeroTestOrderChoice(models.TransientModel):
    _name = "xero.test.order.choice"
    _description = "Recent Xero Invoice"

    wizard_id = fields.Many2one("xero.test.order", required=True, ondelete="cascade", index=True)
    external_id = fields.Char(readonly=True)
    number = fields.Char(string="Invoice", readonly=True)
    reference = fields.Char(readonly=True)
    contact_name = fields.Char(string="Contact", readonly=True)
    date = fields.Date(readonly=True)

    def action_show(self):
        """Show the order this invoice would make."""
        self.ensure_one()
        return self.wizard_id._show(self.external_id)


class XeroTestOrderLine(models.TransientModel):
    _name = "xero.test.order.line"
    _description = "Line of a Xero Test Order"

    wizard_id = fields.Many2one("xero.test.order", required=True, ondelete="cascade", index=True)
    product = fields.Char(readonly=True)
    name = fields.Text(string="Description", readonly=True)
    quantity = fields.Char(readonly=True)
    price = fields.Char(readonly=True)
    subtotal = fields.Char(readonly=True)
