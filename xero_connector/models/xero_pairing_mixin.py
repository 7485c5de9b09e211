from odoo import api, fields, models


class XeroPairingMixin(models.AbstractModel):
    """Lines that come from the organisation, each paired with a record of Odoo by a person or by likeness."""

    _name = "xero.pairing.mixin"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Pairing"
    _check_company_auto = True

    # The field that is Xero's key, which names the line, and the one that is paired with it.
    _key = None
    _paired = None

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    name = fields.Char(string="Called in Xero", readonly=True)
    is_active = fields.Boolean(string="In use", readonly=True, help="Off where it is archived in Xero.")

    def write(self, vals):
        before = [line[self._paired] for line in self]
        result = super().write(vals)
        if [line[self._paired] for line in self] != before:
            self.connection_id._compare_all_items()
        return result

    @api.model
    def _bring_up_to_date(self, connection, wanted, twin_of):
        """Make and change lines as the organisation has them.

        :param list wanted: values of lines, the key among them; of two with one key the one in use counts
        :param twin_of: function of a key that gives the record a new line is paired with, or an empty one
        """
        # Those in use come last, and so replace what is archived under the same key.
        by_key = {values[self._key]: values for values in sorted(wanted, key=lambda values: values["is_active"])}
        known = {line[self._key]: line for line in self.search([("connection_id", "=", connection.id)])}
        self.create(
            [
                values | {"connection_id": connection.id, self._paired: twin_of(key).id}
                for key, values in by_key.items()
                if key not in known
            ]
        )
        for key in by_key.keys() & known.keys():
            line, values = known[key], by_key[key]
            if any(line[name] != value for name, value in values.items()):
                line.write(values)
