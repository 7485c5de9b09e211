from odoo import api, fields, models
from odoo.exceptions import ValidationError


class XeroPairingMixin(models.AbstractModel):
    """Lines that come from the organisation, each paired with a record of Odoo by a person or by likeness. Further
    records of Odoo may stand for the same line: for invoices, not for items."""

    _name = "xero.pairing.mixin"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Pairing"
    _check_company_auto = True

    # The field that is Xero's key, which names the line, the one that is paired with it, and the one of further ones.
    _key = None
    _paired = None
    _also = None

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    name = fields.Char(string="Called in Xero", readonly=True)
    is_active = fields.Boolean(string="In use", readonly=True, help="Off where it is archived in Xero.")
    suggestion_score = fields.Float(string="Score", digits=(16, 0), compute="_compute_suggestion_id")

    def write(self, vals):
        before = [line[self._paired] for line in self]
        result = super().write(vals)
        if [line[self._paired] for line in self] != before:
            self.connection_id._compare_all_items()
        return result

    def _records(self):
        """All records of Odoo that stand for these lines."""
        return self[self._paired] | self[self._also]

    # === CHECKS === #

    def _check_on_one_line(self):
        """A further record of Odoo is on no other line: it would not be known what it is in Xero."""
        for connection in self.connection_id:
            lines = self.search([("connection_id", "=", connection.id)])
            owners = {}
            for line in lines:
                for record in line[self._also]:
                    self._refuse_second_line(record, owners.setdefault(record, line), line)
            for line in lines:
                record = line[self._paired]
                self._refuse_second_line(record, owners.get(record, line), line)

    def _refuse_second_line(self, record, owner, line):
        if owner != line:
            raise ValidationError(
                self.env._(
                    "%(record)s stands for %(owner)s already, and cannot stand for %(line)s, too. Take it off one of "
                    "the two.",
                    record=record.display_name,
                    owner=owner.display_name,
                    line=line.display_name,
                )
            )

    # === SUGGESTIONS === #

    def _compute_suggestion_id(self):
        self.suggestion_id = False
        self.suggestion_score = 0
        wanting = self.filtered(lambda line: line.is_active and not line[self._paired])
        for connection, lines in wanting.grouped("connection_id").items():
            best = lines._suggester(connection, self.search([("connection_id", "=", connection.id)])._records())
            for line in lines:
                line.suggestion_id, line.suggestion_score = best(line)

    def _suggester(self, connection, taken):
        """What finds the record of Odoo most like a line.

        :param taken: the records that are on a line already
        :return: function of a line that gives ``(id, score)``, ``(None, 0)`` where none is like it
        """
        raise NotImplementedError

    def action_accept(self):
        """Pair these lines with what is suggested."""
        for line in self.filtered("suggestion_id"):
            line[self._paired] = line.suggestion_id

    # === FROM XERO === #

    @api.model
    def _bring_up_to_date(self, connection, wanted, twin_of):
        """Make and change lines as the organisation has them.

        :param list wanted: values of lines, the key among them; of two with one key the one in use counts
        :param twin_of: function of a key that gives the record a new line is paired with, or an empty one
        """
        # Those in use come last, and so replace what is archived under the same key.
        by_key = {values[self._key]: values for values in sorted(wanted, key=lambda values: values["is_active"])}
        lines = self.search([("connection_id", "=", connection.id)])
        known = {line[self._key]: line for line in lines}
        # What a person put on another line stays there.
        taken = lines[self._also]
        self.create(
            [
                values | {"connection_id": connection.id, self._paired: (twin_of(key) - taken).id}
                for key, values in by_key.items()
                if key not in known
            ]
        )
        for key in by_key.keys() & known.keys():
            line, values = known[key], by_key[key]
            if any(line[name] != value for name, value in values.items()):
                line.write(values)
        if by_key:
            # Both lists come whole: what is not in them was deleted.
            lines.filtered(lambda line: line.is_active and line[self._key] not in by_key).is_active = False
