from odoo import fields, models
from odoo.exceptions import UserError


class XeroSideBySideMixin(models.AbstractModel):
    """Both sides line by line: what of Xero and of Odoo is mapped to each other, and what only one of them has.

    Of the log's rows ``record_id`` is Xero's side, ``binding_id`` what holds both together.
    """

    _name = "xero.side.by.side.mixin"
    _description = "Xero and Odoo Side by Side"
    _inherit = ["xero.query.mixin"]

    connection_id = fields.Many2one("xero.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    record_id = fields.Many2one("xero.record", readonly=True)
    binding_id = fields.Many2one("xero.binding", readonly=True)

    def _or_refuse(self, refusal):
        """These lines.

        :raise UserError: when there is none
        """
        if not self:
            raise UserError(refusal)
        return self

    def _say_accepted(self, connection, text, taken):
        """The notification after suggestions were accepted, and which of them were not to be had any more.

        :param list taken: what the lines are called
        """
        if taken:
            more = self.env._("What is suggested was taken meanwhile for: %s.", ", ".join(taken))
            text = f"{text} {more}"
        return connection._notification(text, "warning" if taken else "success")

    def _unmap(self):
        """End the mappings of these lines, each of which has one."""
        raise NotImplementedError

    def action_unmap(self):
        """End these mappings. Both sides stay as they are, and are not mapped again by themselves."""
        self.check_access("write")
        self.filtered("binding_id")._or_refuse(self.env._("None of these lines is mapped."))._unmap()
        self.invalidate_model()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_open_record(self):
        """Xero's side in the sync log."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "xero.record",
            "res_id": self.record_id.id,
            "view_mode": "form",
        }
