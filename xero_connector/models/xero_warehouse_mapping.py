import itertools

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class XeroWarehouseMapping(models.Model):
    """One rule: an invoice whose reference contains this text goes to that warehouse, or is not imported.

    The first rule by sequence whose text is contained, in any case, wins.
    """

    _name = "xero.warehouse.mapping"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Warehouse Mapping"
    _order = "sequence, id"
    _rec_name = "reference_contains"
    _check_company_auto = True

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=lambda self: self._default_sequence())
    reference_contains = fields.Char(
        string="Reference contains", required=True, help="Upper and lower case make no difference."
    )
    action = fields.Selection(
        [("import", "Send to warehouse"), ("ignore", "Do not import")], required=True, default="import"
    )
    warehouse_id = fields.Many2one("stock.warehouse", check_company=True, index=True)
    shadowed_by_id = fields.Many2one("xero.warehouse.mapping", compute="_compute_shadowed_by_id")

    _warehouse_when_importing = models.Constraint(
        "CHECK(action = 'ignore' OR warehouse_id IS NOT NULL)", "A rule that imports needs a warehouse."
    )

    def _default_sequence(self):
        """Behind the connection's other rules."""
        last = self.search(
            [("connection_id", "=", self.env.context.get("default_connection_id"))], order="sequence desc", limit=1
        )
        return last.sequence + 10 if last else 10

    @api.constrains("reference_contains")
    def _check_reference_contains(self):
        for rule in self:
            if not rule.reference_contains.strip():
                raise ValidationError(self.env._("A rule needs a text to look for; spaces alone match anything."))

    @api.depends(
        "reference_contains",
        "sequence",
        "connection_id.mapping_ids.reference_contains",
        "connection_id.mapping_ids.sequence",
    )
    def _compute_shadowed_by_id(self):
        """A rule never gets a turn when an earlier rule's text is contained in its own."""
        for connection, rules in self.grouped("connection_id").items():
            places = sorted((rule._place(), rule._needle(), rule.id) for rule in connection.mapping_ids)
            for rule in rules:
                place, own = rule._place(), rule._needle()
                earlier = itertools.takewhile(lambda entry, place=place: entry[0] < place, places)
                rule.shadowed_by_id = next((id_ for _place, needle, id_ in earlier if needle and needle in own), False)

    def _place(self):
        return (self.sequence, self._origin.id or 0)

    def _needle(self):
        return (self.reference_contains or "").strip().casefold()

    def _matcher(self):
        """A function ``reference -> first of these rules whose text it contains``, empty recordset when none.

        Made once per batch of invoices, so that a thousand rules cost nothing noticeable.
        """
        self.fetch(["reference_contains", "action", "warehouse_id"])
        rules = [(rule._needle(), rule) for rule in self]
        none = self.browse()

        def first_match(reference):
            haystack = reference.casefold()
            for needle, rule in rules:
                if needle in haystack:
                    return rule
            return none

        return first_match

    def action_move_up(self):
        """Swap places with the rule before this one."""
        self._move(-1)

    def action_move_down(self):
        """Swap places with the rule after this one."""
        self._move(1)

    def _move(self, step):
        self.ensure_one()
        rules = list(self.connection_id.mapping_ids.sorted(lambda r: (r.sequence, r.id)))
        here = rules.index(self)
        there = here + step
        if 0 <= there < len(rules):
            rules[here], rules[there] = rules[there], rules[here]
            for number, rule in enumerate(rules, start=1):
                if rule.sequence != number * 10:
                    rule.sequence = number * 10
