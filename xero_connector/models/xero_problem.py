from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .. import const
from .xero_record import MENDING_MODELS

_RESOURCES = [
    ("invoice", "Invoice from Xero"),
    ("item", "Item"),
    ("document", "Document for Xero"),
    ("contact", "Contact"),
    ("payment", "Payment"),
]
# What a line of the log is called here: documents on their way to Xero are one kind, whatever they become there.
_KIND = SQL("CASE WHEN direction = 'out' AND resource IN ('invoice', 'credit_note') THEN 'document' ELSE resource END")
# Tables of the connection where these causes are mended, and the model of their lines.
_TABLES = {
    "account_unmapped": ("action_view_accounts", "xero.account.match"),
    "tax_unmapped": ("action_view_taxes", "xero.tax.match"),
}
_CONTACTS = "xero_connector.action_xero_contact_match"


class XeroProblem(models.Model):
    """One cause, and all documents it holds up: mended once, released together. Read from the sync log, stored nowhere.

    The id is made of the cause, so that it means the same one however many rows come and go.
    """

    _name = "xero.problem"
    _description = "Xero Problem"
    _inherit = ["xero.query.mixin"]
    _auto = False
    _order = "record_count desc, id"
    _rec_name = "problem_subject"

    connection_id = fields.Many2one("xero.connection", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    resource = fields.Selection(_RESOURCES, string="Kind", readonly=True)
    state = fields.Selection([("failed", "Failed"), ("skipped", "Skipped")], readonly=True)
    problem_code = fields.Selection(const.PROBLEM_CODES, string="Cause", readonly=True)
    problem_subject = fields.Char(string="Culprit", readonly=True)
    reason = fields.Text(readonly=True)
    mending = fields.Reference(MENDING_MODELS, string="Mend it at", readonly=True)
    record_count = fields.Integer(string="Documents", readonly=True, aggregator="sum")
    oldest = fields.Date(string="Oldest document", readonly=True)
    record_ids = fields.Many2many("xero.record", string="Held up", compute="_compute_record_ids")
    display_name = fields.Char(compute="_compute_display_name")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT ('x' || substr(md5(concat_ws('|', connection_id, state, problem_code, problem_subject,
                                                NULLIF(kind, 'invoice'))), 1, 7)
                   )::bit(28)::int AS id, connection_id, company_id, kind AS resource, state, problem_code,
                   problem_subject, (SELECT reason FROM xero_record WHERE id = newest) AS reason, mending,
                   record_count, oldest
              FROM (SELECT connection_id, company_id, kind, state, problem_code, problem_subject, max(id) AS newest,
                           max(mending) AS mending, count(*) AS record_count, min(document_date) AS oldest
                      FROM (SELECT %s AS kind, * FROM xero_record WHERE state IN ('failed', 'skipped')) AS held
                  GROUP BY connection_id, company_id, kind, state, problem_code, problem_subject) AS causes
            """,
            _KIND,
        )

    def _compute_record_ids(self):
        for problem in self:
            problem.record_ids = problem._rows()

    def _compute_display_name(self):
        causes = dict(self._fields["problem_code"]._description_selection(self.env))
        for problem in self:
            parts = (causes.get(problem.problem_code), problem.problem_subject)
            problem.display_name = ": ".join(filter(None, parts))

    def _rows(self):
        """The documents these causes hold up."""
        rows = self.env["xero.record"]
        for problem in self:
            rows |= rows.search(
                [
                    ("connection_id", "=", problem.connection_id.id),
                    *problem._kind_domain(),
                    ("state", "=", problem.state),
                    ("problem_code", "=", problem.problem_code),
                    ("problem_subject", "=", problem.problem_subject),
                ]
            )
        return rows

    def _kind_domain(self):
        if self.resource == "document":
            return [("direction", "=", "out"), ("resource", "in", ("invoice", "credit_note"))]
        directions = ("in",) if self.resource == "invoice" else ("in", "out")
        return [("direction", "in", directions), ("resource", "=", self.resource)]

    # === ACTIONS === #

    def action_release(self):
        """Try again everything these causes hold up."""
        rows = self._rows()
        if not rows:
            raise UserError(self.env._("Nothing waits for this any more."))
        notification = rows.action_retry()
        # The cause is gone with its rows: there is no page to come back to.
        notification["params"]["next"] = self.env["ir.actions.act_window"]._for_xml_id(
            "xero_connector.action_xero_problem"
        )
        return notification

    def action_ask_ignore(self):
        """Ask for the reason, then ignore everything these causes hold up."""
        action = self._rows().action_ask_ignore()
        action["context"]["default_from_problems"] = True
        return action

    def action_mend(self):
        """Open what mends this cause."""
        self.ensure_one()
        if self.resource == "item" and not self.mending:
            # Which product it is stands between both catalogues.
            return self.connection_id.with_context(xero_search={"search_default_item_only": 1}).action_view_items()
        if self.problem_code == "unknown_code":
            if not self.env["xero.mend.code"].has_access("create"):
                raise UserError(self.env._("Which product “%s” is, a manager of Xero says here.", self.problem_subject))
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Which product is “%s”?", self.problem_subject),
                "res_model": "xero.mend.code",
                "view_mode": "form",
                "target": "new",
                "context": {
                    "default_connection_id": self.connection_id.id,
                    "default_item_code": self.problem_subject,
                },
            }
        if action := self._outgoing_mend():
            return action
        if not self.mending:
            raise UserError(self.env._("Nothing in Odoo mends this: %s", self.reason))
        mending = self.mending
        is_seller = self.env.user.has_group("sales_team.group_sale_salesman")
        if mending._name == "sale.order" and not is_seller and mending.sudo().picking_ids:
            # The warehouse decides at the transfer: an order's form shows what only sellers may read.
            mending = self.env["stock.picking"].browse(mending.sudo().picking_ids[-1:].id)
        if not mending.has_access("read"):
            raise UserError(self.env._("You may not open what mends this (%s): ask who may.", mending._description))
        return {
            "type": "ir.actions.act_window",
            "res_model": mending._name,
            "res_id": mending.id,
            "view_mode": "form",
        }

    def _outgoing_mend(self):
        """What mends a cause that holds up what goes to Xero, None where that is one record."""
        connection = self.connection_id
        if self.resource not in ("document", "contact"):
            return None
        if self.problem_code in _TABLES:
            name, model = _TABLES[self.problem_code]
            is_listed = [("connection_id", "=", connection.id), ("line_id", "=", False)]
            # What is in no list of Odoo's, as a line without tax, is a setting of the connection.
            return getattr(connection, name)() if self.env[model].search_count(is_listed, limit=1) else None
        if self.problem_code == "item_unmapped":
            search = {"search_default_product_id": self.mending.id} if self.mending else {}
            return connection.with_context(xero_search=search).action_view_items()
        if self.problem_code.startswith("contact_") and self.env.ref(_CONTACTS, raise_if_not_found=False):
            action = self.env["ir.actions.act_window"]._for_xml_id(_CONTACTS)
            return action | {"domain": [("connection_id", "=", connection.id)]}
        if self.record_count > 1 and self.mending and self.mending._name in ("sale.order", "account.move"):
            # Each is mended at itself.
            return self.action_view_records()
        return None

    def action_view_records(self):
        """The documents in the sync log."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_record")
        return action | {"domain": [("id", "in", self._rows().ids)], "context": {}}
