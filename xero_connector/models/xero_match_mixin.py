from odoo import fields, models
from odoo.exceptions import AccessError, UserError, ValidationError


class XeroMatchMixin(models.AbstractModel):
    """Odoo's side of a table of accounts or taxes: what an invoice is booked with here, and which line of Xero's it is
    sent as. Read from both tables, stored nowhere."""

    _name = "xero.match.mixin"
    _description = "Odoo's Side of a Xero Table"
    _auto = False

    # The field that holds Odoo's record.
    _about = None

    connection_id = fields.Many2one("xero.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    suggestion_score = fields.Float(string="Score", digits=(16, 0), compute="_compute_suggestion_id")

    def _compute_suggestion_id(self):
        self.suggestion_id = False
        self.suggestion_score = 0
        for connection, matches in self.filtered(lambda match: not match.line_id).grouped("connection_id").items():
            lines = self.line_id.search([("connection_id", "=", connection.id), ("is_active", "=", True)])
            best = lines._line_suggester(connection)
            for match in matches:
                match.suggestion_id, match.suggestion_score = best(match[self._about])

    # === EDIT === #

    def write(self, vals):
        """A line is edited in place: what it is sent as."""
        self.check_access("write")
        if set(vals) - {"line_id"}:
            raise AccessError(self.env._("Of these lines only what they are sent as can be changed."))
        for match in self:
            match._send_as(self.line_id.browse(vals.get("line_id")))
        self.invalidate_recordset()
        # Nothing is left for the query itself.
        return super().write({})

    def _send_as(self, line):
        """From now on this record is sent as this line, and stands for no other."""
        record = self[self._about]
        if line and line.connection_id != self.connection_id:
            raise ValidationError(self.env._("%s is another organisation's.", line.display_name))
        for other in line.search([("connection_id", "=", self.connection_id.id), ("id", "!=", line.id)]):
            if record in other[other._also]:
                other[other._also] -= record
            if record == other[other._paired]:
                other[other._paired] = False
        if line and record not in line._records():
            line[line._also] |= record

    def action_accept(self):
        """Add these to the lines that are suggested for them."""
        wanted = self.filtered("suggestion_id")
        if not wanted:
            raise UserError(self.env._("None of these lines has a suggestion."))
        for match in wanted:
            match.line_id = match.suggestion_id
        self.invalidate_model()
        return {"type": "ir.actions.client", "tag": "soft_reload"}
