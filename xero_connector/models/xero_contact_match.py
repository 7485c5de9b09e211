from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .. import const
from ..lib.likeness import Candidates
from .contact_book import ContactBook

# Names of companies share words; less than this is no more than that.
_LEAST_SCORE = 70


class XeroContactMatch(models.Model):
    """Contacts and customers side by side: a line for each contact of Xero with the customer it is mapped to, and one
    for each customer that no contact is mapped to. Read from log and bindings, stored nowhere.

    Ids are made of what a line is about (a contact, or a connection's customer), so that they go on meaning the same:
    mapping a contact leaves its line where it is.
    """

    _name = "xero.contact.match"
    _description = "Xero Contact and Customer"
    _inherit = ["xero.side.by.side.mixin"]
    _auto = False
    _order = "name, id"
    _rec_name = "name"

    status = fields.Selection(
        [("mapped", "Mapped"), ("contact_only", "Only in Xero"), ("partner_only", "Only in Odoo")], readonly=True
    )
    name = fields.Char(readonly=True, help="Of the contact; where there is none, of the customer.")
    record_id = fields.Many2one(string="Xero contact")
    contact_name = fields.Char(string="Contact in Xero", readonly=True)
    contact_email = fields.Char(string="E-mail in Xero", readonly=True, groups="xero_connector.group_xero_manager")
    problem_code = fields.Selection(related="record_id.problem_code", related_sudo=False, string="In Xero")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        domain="[('company_id', 'in', (False, company_id)), '|', ('parent_id', '=', False), ('is_company', '=', True)]",
    )
    partner_email = fields.Char(related="partner_id.email", related_sudo=False, string="E-mail in Odoo")
    suggested_partner_id = fields.Many2one("res.partner", compute="_compute_suggestion")
    suggested_record_id = fields.Many2one("xero.record", compute="_compute_suggestion")
    suggestion = fields.Char(compute="_compute_suggestion", help="What is most like it on the other side.")
    suggestion_score = fields.Integer(string="Score", compute="_compute_suggestion", aggregator=False)
    push_state = fields.Selection(
        [("pending", "Waiting"), ("done", "Sent"), ("failed", "Failed"), ("skipped", "Not sent")],
        string="To Xero",
        readonly=True,
    )
    push_reason = fields.Text(string="About sending", readonly=True)
    waiting_count = fields.Integer(string="Waiting", compute="_compute_waiting_count", help="What waits to be sent.")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT r.id::bigint * 4 + 2 AS id, r.connection_id, r.company_id, 'mapped' AS status, r.number AS name,
                   r.id AS record_id, b.id AS binding_id, r.number AS contact_name,
                   r.payload ->> 'EmailAddress' AS contact_email, p.id AS partner_id,
                   o.state AS push_state, o.reason AS push_reason
              FROM xero_record r
              JOIN xero_binding b ON b.connection_id = r.connection_id AND b.resource = 'contact'
                                 AND b.external_id = r.external_id AND b.res_model = 'res.partner'
              JOIN res_partner p ON p.id = b.res_id
         LEFT JOIN xero_record o ON o.connection_id = r.connection_id AND o.direction = 'out' AND o.resource = 'contact'
                                AND o.res_model = 'res.partner' AND o.res_id = p.id
             WHERE r.resource = 'contact' AND r.direction = 'in'
               AND NOT EXISTS (SELECT FROM xero_binding t
                                WHERE t.connection_id = r.connection_id AND t.resource = 'contact'
                                  AND t.external_id = r.payload ->> 'MergedToContactID'
                                  AND t.res_model = 'res.partner' AND t.res_id = p.id)
         UNION ALL
            SELECT r.id::bigint * 4 + 2, r.connection_id, r.company_id, 'contact_only', r.number, r.id, NULL, r.number,
                   r.payload ->> 'EmailAddress', NULL, NULL, NULL
              FROM xero_record r
             WHERE r.resource = 'contact' AND r.direction = 'in' AND r.state = 'done'
               AND NOT EXISTS (SELECT FROM xero_binding b JOIN res_partner p ON p.id = b.res_id
                                WHERE b.connection_id = r.connection_id AND b.resource = 'contact'
                                  AND b.external_id = r.external_id AND b.res_model = 'res.partner')
         UNION ALL
            SELECT (p.id::bigint * 1048576 + c.id) * 4 + 3, c.id, c.company_id, 'partner_only', p.name, NULL, NULL,
                   NULL, NULL, p.id, o.state, o.reason
              FROM res_partner p
              JOIN xero_connection c ON c.active AND c.last_contacts IS NOT NULL
                                    AND (p.company_id IS NULL OR p.company_id = c.company_id)
         LEFT JOIN xero_record o ON o.connection_id = c.id AND o.direction = 'out' AND o.resource = 'contact'
                                AND o.res_model = 'res.partner' AND o.res_id = p.id
             WHERE p.active AND p.commercial_partner_id = p.id
               AND (p.customer_rank > 0
                    OR (p.id, c.company_id) IN (SELECT buyer.commercial_partner_id, s.company_id
                                                  FROM sale_order s JOIN res_partner buyer ON buyer.id = s.partner_id))
               AND NOT EXISTS (SELECT FROM xero_binding b
                                 JOIN xero_record r ON r.connection_id = b.connection_id AND r.resource = 'contact'
                                                   AND r.direction = 'in' AND r.external_id = b.external_id
                                WHERE b.connection_id = c.id AND b.resource = 'contact'
                                  AND b.res_model = 'res.partner' AND b.res_id = p.id)
            """
        )

    # === COMPUTES === #

    @api.depends("status", "partner_id", "record_id", "connection_id")
    def _compute_suggestion(self):
        self.suggested_partner_id = self.suggested_record_id = self.suggestion = False
        self.suggestion_score = 0
        for connection, matches in self.grouped("connection_id").items():
            # A browser may say that a line is another connection's.
            connection.check_access("read")
            # sudo: names on both sides
            connection_sudo = connection.sudo()
            matches.filtered(lambda match: match.status == "contact_only")._suggest_partners(connection_sudo)
            matches.filtered(lambda match: match.status == "partner_only")._suggest_contacts(connection_sudo)

    def _suggest_partners(self, connection_sudo):
        if not self:
            return
        loose_sudo = self.sudo().search([("connection_id", "=", connection_sudo.id), ("status", "=", "partner_only")])
        partners_sudo = loose_sudo.partner_id
        partners_sudo.fetch(["name", "vat", "email"])
        candidates = Candidates([(one.id, (one.vat, one.email), one.name) for one in partners_sudo])
        for match in self:
            payload = match.sudo().record_id.payload or {}
            codes = (payload.get("TaxNumber"), payload.get("EmailAddress"))
            guesses = [candidates.best(code, match.contact_name) for code in codes]
            partner_id, score = max(guesses, key=lambda guess: guess[1])
            if score >= _LEAST_SCORE:
                match.suggested_partner_id = partner_id
                match.suggestion = partners_sudo.browse(partner_id).name
                match.suggestion_score = score

    def _suggest_contacts(self, connection_sudo):
        if not self:
            return
        book = ContactBook(connection_sudo)
        guesses = {match: book.likeliest(match.sudo().partner_id) for match in self}
        found = [contact_id for contact_id, score in guesses.values() if score >= _LEAST_SCORE]
        rows = {row.external_id: row for row in self.env["xero.record"]._contact_rows(connection_sudo, found)}
        for match, (contact_id, score) in guesses.items():
            if score >= _LEAST_SCORE:
                match.suggested_record_id = rows[contact_id]
                match.suggestion = rows[contact_id].number
                match.suggestion_score = score

    @api.depends("partner_id", "connection_id")
    def _compute_waiting_count(self):
        self.waiting_count = 0
        held = self.filtered("partner_id")
        groups = self.env["xero.record"]._read_group(
            held._waiting_domain(), ["connection_id", "problem_subject"], ["__count"]
        )
        counts = {(connection, subject): count for connection, subject, count in groups}
        for match in held:
            match.waiting_count = counts.get((match.connection_id, match.sudo().partner_id.name), 0)

    def _waiting_domain(self):
        """What waits for the contacts of these customers."""
        return [
            ("connection_id", "in", self.connection_id.ids),
            ("direction", "=", "out"),
            ("resource", "!=", "contact"),
            ("state", "=", "failed"),
            ("problem_code", "in", const.CONTACT_CODES),
            ("problem_subject", "in", self.sudo().partner_id.mapped("name")),
        ]

    # === EDIT === #

    def write(self, vals):
        """A line is edited in place: its contact is mapped to a customer, to another one instead, or to none."""
        self.check_access("write")
        if set(vals) - {"partner_id"}:
            raise AccessError(self.env._("Of these lines only the customer can be changed."))
        if "partner_id" in vals:
            for match in self:
                match._edit_partner(self.env["res.partner"].browse(vals["partner_id"]))
        self.invalidate_recordset()
        # Nothing is left for the query itself.
        return super().write({})

    def _edit_partner(self, partner):
        if self.status == "partner_only":
            raise UserError(self.env._("Press Map to choose the contact of %s.", self.partner_id.display_name))
        contact = self.record_id
        if self.partner_id and self.partner_id != partner:
            contact._unmap_contact()
        if partner and self.partner_id != partner:
            contact._map_contact(partner)
        self.invalidate_recordset()

    # === ACTIONS === #

    def action_accept(self):
        """Map these contacts and customers to what is suggested, as far as it is free."""
        self.check_access("write")
        suggested = self.filtered(lambda match: match.suggested_record_id or match.suggested_partner_id)
        suggested._or_refuse(self.env._("None of these lines has a suggestion."))
        # All read before the first is mapped: a customer's line is gone then.
        connection = suggested.connection_id[:1]
        wanted = [
            (one.name, one.suggested_record_id or one.record_id, one.suggested_partner_id or one.partner_id)
            for one in suggested
        ]
        taken = [name for name, row, partner in wanted if not row._map_contact_if_free(partner)]
        self.invalidate_model()
        text = self.env._("Contacts mapped: %s.", len(wanted) - len(taken))
        return self._say_accepted(connection, text, taken)

    def _unmap(self):
        for match in self:
            match.record_id._unmap_contact()

    def action_map(self):
        """Choose the contact of a customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Which contact is %s?", self.partner_id.display_name),
            "res_model": "xero.map.contact",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_connection_id": self.connection_id.id,
                "default_partner_id": self.partner_id.id,
                "default_record_id": self.suggested_record_id.id,
            },
        }

    def action_create_here(self):
        """Create a customer for each of these contacts, with what it has."""
        self.check_access("write")
        wanted = self.filtered(lambda match: match.status == "contact_only")
        wanted._or_refuse(self.env._("None of these lines is a contact without a customer."))
        self.env["res.partner"].check_access("create")
        for connection, matches in wanted.grouped("connection_id").items():
            # sudo: rows and bindings are nobody's to write by hand; who may create customers may do this
            matches.record_id.sudo()._make_customers(connection.sudo()._item_env())
        self.invalidate_model()
        return self.connection_id[:1]._notification(self.env._("Customers created: %s.", len(wanted)), "success")

    def action_create_there(self):
        """Have a contact made in Xero of each of these customers, as soon as a worker is free."""
        self.check_access("write")
        wanted = self.filtered(lambda match: match.status == "partner_only")
        wanted._or_refuse(self.env._("None of these lines is a customer without a contact."))
        for connection, matches in wanted.grouped("connection_id").items():
            connection._refuse_to_create_contacts()
            self.env["xero.record"].sudo()._put_out_contacts(connection.sudo(), matches.sudo().partner_id)
            connection._ring_push()
        self.invalidate_model()
        return self.connection_id[:1]._notification(
            self.env._("Customers sent to Xero within a minute: %s.", len(wanted)), "success"
        )

    def action_release(self):
        """Try again what waits for the contacts of these customers."""
        rows = self.env["xero.record"].search(self.filtered("partner_id")._waiting_domain())
        if not rows:
            raise UserError(self.env._("Nothing waits for these customers."))
        for connection, matches in self.grouped("connection_id").items():
            # sudo: nobody writes rows by hand, but whoever sees the log may try again
            self.env["xero.record"].sudo()._retry_contacts(connection.sudo(), matches.sudo().partner_id)
        self.invalidate_model(["waiting_count", "push_state"])
        return rows.action_retry()

    def action_open_partner(self):
        """The customer's form."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "view_mode": "form",
        }
