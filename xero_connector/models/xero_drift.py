from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import format_date, format_datetime

KINDS = [
    ("only_here", "Only in Odoo"),
    ("only_there", "Only in Xero"),
    ("total_differs", "Totals differ"),
    ("status_differs", "Status differs"),
]


class XeroDrift(models.Model):
    """A comparison of one period: when, by whom, how much was compared, and what it found."""

    _name = "xero.drift"
    _description = "Comparison with Xero"
    _order = "compared_at desc, id desc"

    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    connection_name = fields.Char(related="connection_id.name")
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(string="To", required=True, readonly=True)
    compared_at = fields.Datetime(string="Compared on", readonly=True)
    user_id = fields.Many2one("res.users", string="By", readonly=True, index=True, ondelete="set null")
    here_count = fields.Integer(string="In Odoo", readonly=True, aggregator=False)
    there_count = fields.Integer(string="In Xero", readonly=True, aggregator=False)
    line_ids = fields.One2many("xero.drift.line", "drift_id", readonly=True)
    open_count = fields.Integer(string="Differences", compute="_compute_open_count")
    accepted_count = fields.Integer(string="Accepted", compute="_compute_open_count")
    summary = fields.Text(compute="_compute_summary")
    period = fields.Char(compute="_compute_period")

    _one_per_period = models.UniqueIndex(
        "(connection_id, date_from, date_to)", "This period was compared already: compare it again."
    )

    @api.depends("line_ids.is_accepted")
    def _compute_open_count(self):
        for drift in self:
            drift.accepted_count = len(drift.line_ids.filtered("is_accepted"))
            drift.open_count = len(drift.line_ids) - drift.accepted_count

    @api.depends("open_count", "here_count", "there_count", "compared_at")
    def _compute_summary(self):
        _ = self.env._
        for drift in self:
            compared = _(
                "%(here)s documents in Odoo and %(there)s in Xero were compared on %(when)s by %(who)s.",
                here=drift.here_count,
                there=drift.there_count,
                when=format_datetime(self.env, drift.compared_at, dt_format="short"),
                who=drift.user_id.name,
            )
            if drift.open_count:
                found = _("%s differ.", drift.open_count)
            else:
                found = _("All else is equal.") if drift.accepted_count else _("All equal.")
            accepted = _("%s accepted.", drift.accepted_count) if drift.accepted_count else ""
            drift.summary = " ".join(filter(None, [compared, found, accepted]))

    @api.depends("date_from", "date_to")
    def _compute_period(self):
        for drift in self:
            drift.period = " – ".join(format_date(self.env, day) for day in (drift.date_from, drift.date_to))

    @api.depends("connection_id", "period")
    def _compute_display_name(self):
        for drift in self:
            drift.display_name = f"{drift.connection_id.name}: {drift.period}"

    @api.model
    def _keep(self, connection, comparison, date_from, date_to, began):
        """Replace what is known of this period. What was accepted stays so until something about it changes.

        :param comparison: :class:`DriftComparison`
        """
        found = comparison.findings()
        lines = self.env["xero.drift.line"]
        of_period = Domain("document_date", ">=", date_from) & Domain("document_date", "<=", date_to)
        same = Domain("about", "in", [values["about"] for values in found])
        old = lines.search(Domain("connection_id", "=", connection.id) & (of_period | same))
        accepted = {(line.about, line.fingerprint): line for line in old if line.is_accepted}
        for values in found:
            values["record_ids"] = [Command.set(values["record_ids"])]
            if line := accepted.get((values["about"], values["fingerprint"])):
                values |= line._acceptance()
        old.unlink()
        period = {"connection_id": connection.id, "date_from": date_from, "date_to": date_to}
        drift = self.search([(name, "=", value) for name, value in period.items()]) or self.create(period)
        drift.write(
            {
                "compared_at": began,
                "user_id": self.env.uid,
                "here_count": comparison.here_count,
                "there_count": comparison.there_count,
            }
        )
        lines.create([{**values, "drift_id": drift.id, "connection_id": connection.id} for values in found])
        return drift

    # === ACTIONS === #

    def action_again(self):
        """Compare this period anew."""
        self.ensure_one()
        self.connection_id._compare(self.date_from, self.date_to)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_view_lines(self):
        """The differences, by kind."""
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_drift_line")
        return action | {"domain": [("drift_id", "in", self.ids)], "display_name": self.display_name}


class XeroDriftLine(models.Model):
    """One document that Odoo and Xero do not have alike, and what can be done about it."""

    _name = "xero.drift.line"
    _description = "Difference from Xero"
    _order = "document_date desc, id"
    _rec_name = "document_name"

    drift_id = fields.Many2one("xero.drift", required=True, readonly=True, index=True, ondelete="cascade")
    connection_id = fields.Many2one("xero.connection", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    about = fields.Char(required=True, readonly=True, help="Kind and document, for telling it again.")
    fingerprint = fields.Char(readonly=True, help="The facts of it; when one changes it is no longer accepted.")
    resource = fields.Selection(
        [("invoice", "Invoice"), ("credit_note", "Credit note")], string="In Xero a", readonly=True
    )
    external_id = fields.Char(string="Xero ID", readonly=True)
    record_ids = fields.Many2many("xero.record", string="Sync log", readonly=True)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document ID", model_field="res_model", readonly=True)
    document_name = fields.Char(string="In Odoo", readonly=True)
    document_date = fields.Date(string="Date", readonly=True)
    number = fields.Char(string="In Xero", readonly=True)
    reference = fields.Char(readonly=True)
    contact_name = fields.Char(string="Customer", readonly=True)
    currency_code = fields.Char(string="Currency", readonly=True)
    odoo_total = fields.Float(
        string="Total in Odoo", digits=(16, 2), readonly=True, aggregator=False
    )
    xero_total = fields.Float(
        string="Total in Xero", digits=(16, 2), readonly=True, aggregator=False
    )
    difference = fields.Float(
        digits=(16, 2), readonly=True, aggregator=False, help="Xero's total less Odoo's."
    )
    xero_status = fields.Char(string="Status in Xero", readonly=True)
    reason = fields.Text(readonly=True)
    xero_url = fields.Char(string="Link", compute="_compute_xero_url")
    can_retry = fields.Boolean(compute="_compute_can")
    can_send = fields.Boolean(compute="_compute_can")
    can_bring_in = fields.Boolean(compute="_compute_can")
    can_adopt = fields.Boolean(compute="_compute_can")

    is_accepted = fields.Boolean(string="Accepted", readonly=True)
    accepted_by_id = fields.Many2one("res.users", string="Accepted by", readonly=True, index="btree_not_null")
    accepted_at = fields.Datetime(string="Accepted on", readonly=True)
    accept_reason = fields.Char(string="Why it is accepted", readonly=True)

    _one_per_document = models.UniqueIndex("(connection_id, about)", "This difference is listed already.")

    @api.depends("external_id", "resource")
    def _compute_xero_url(self):
        for line in self:
            line.xero_url = line.connection_id._xero_link(line.resource, line.external_id)

    @api.depends("kind", "record_ids.state", "xero_status")
    def _compute_can(self):
        for line in self:
            rows = line.record_ids
            waits = rows.filtered(lambda row: row.state in ("failed", "skipped") or row.next_attempt)
            line.can_retry = bool(waits) or (line.kind == "status_differs" and line._is_cancelled_here())
            line.can_send = line.kind == "only_here" and not any(rows.mapped("part"))
            is_importable = line.resource == "invoice" and line.xero_status in ("AUTHORISED", "PAID")
            line.can_bring_in = line.kind == "only_there" and is_importable and not rows
            line.can_adopt = line.kind == "only_there" and line.connection_id.export_source != "none"

    def _is_cancelled_here(self):
        return self.about.startswith("cancelled:")

    # === OPEN === #

    def action_open_document(self):
        """The document in Odoo; all of them where several share one of Xero's."""
        self.ensure_one()
        self.check_access("read")
        if not self.res_id:
            raise UserError(self.env._("There is no document of this in Odoo."))
        ids = [self.res_id, *self.record_ids.filtered(lambda row: row.res_model == self.res_model).mapped("res_id")]
        documents = self.env[self.res_model].browse(dict.fromkeys(ids)).exists()
        if not documents:
            raise UserError(self.env._("%s was deleted in Odoo.", self.document_name))
        action = {"type": "ir.actions.act_window", "res_model": documents._name, "name": self.document_name}
        if len(documents) == 1:
            return action | {"view_mode": "form", "res_id": documents.id}
        return action | {"view_mode": "list,form", "domain": [("id", "in", documents.ids)]}

    def action_open_xero(self):
        """The document in Xero."""
        self.ensure_one()
        self.check_access("read")
        if not self.xero_url:
            raise UserError(self.env._("There is no document of this in Xero."))
        return {"type": "ir.actions.act_url", "url": self.xero_url, "target": "new"}

    # === MEND === #

    def action_send(self):
        """Look at what Xero would get, and send it."""
        self.check_access("read")
        lines = self.filtered("can_send")
        if not lines:
            raise UserError(self.env._("None of these can be sent: they are in Xero, or on their way there."))
        [model] = set(lines.mapped("res_model"))
        return self.env[model].browse(lines.mapped("res_id")).action_xero_preview()

    def action_bring_in(self):
        """Import these invoices, as if somebody had asked for each by its number."""
        self.check_access("read")
        lines = self.filtered("can_bring_in")
        if not lines:
            raise UserError(self.env._("None of these can be brought in: only invoices that are in Xero alone."))
        said = []
        for line in lines:
            row = line.connection_id._import_one(line.external_id)
            states = dict(row._fields["state"]._description_selection(self.env))
            said.append(f"{line.number}: {row.reason or states[row.state]}")
            if row.state in ("done", "skipped"):
                # sudo: nobody changes the report by hand; it is mended
                line.sudo().unlink()
            else:
                line.sudo().write({"record_ids": [Command.set(row.ids)], "reason": row.reason or line.reason})
        return self.env["xero.connection"]._notification("\n".join(said), "info")

    def action_retry(self):
        """Try again what failed or waits. Of what was cancelled here, what is still billed is taken back."""
        self.check_access("read")
        lines = self.filtered("can_retry")
        if not lines:
            raise UserError(self.env._("There is nothing to try again about these."))
        for line in lines.filtered(lambda line: line._is_cancelled_here() and not line._held_up()):
            line._take_back()
        if held := lines._held_up():
            return held.action_retry()
        return self.env["xero.connection"]._notification(self.env._("Xero is told within a minute."), "success")

    def _held_up(self):
        return self.record_ids.filtered(lambda row: row.state in ("failed", "skipped") or row.next_attempt)

    def _take_back(self):
        # sudo: nobody writes rows by hand, but whoever sees the log may try again
        document_sudo = self.sudo().env[self.res_model].browse(self.res_id).exists()
        if not document_sudo:
            raise UserError(
                self.env._("%s was deleted in Odoo: void it or credit it in Xero.", self.document_name or self.number)
            )
        document_sudo._xero_out_rows()._put_changes_out(document_sudo)

    def action_adopt(self):
        """Say which document of Odoo this is."""
        self.ensure_one()
        self._check_manager()
        # Made here: a default for line_id in the context would be taken for one of the lines it writes.
        dialog = self.env["xero.drift.adopt"].create({"line_id": self.id})
        return self._open(dialog, self.env._("%s belongs to", self.number))

    # === ACCEPT === #

    def action_ask_accept(self):
        """Ask why these are as they should be."""
        self._check_manager()
        dialog = self.env["xero.drift.accept"].create({"line_ids": [Command.set(self.ids)]})
        return self._open(dialog, self.env._("Accept %s differences", len(self)))

    def action_unaccept(self):
        """These count again."""
        self._check_manager()
        # sudo: who may is asked above; nobody changes the report by hand
        self.sudo().write({"is_accepted": False, "accepted_by_id": False, "accepted_at": False, "accept_reason": False})

    def _accept(self, reason):
        self._check_manager()
        # sudo: as above
        self.sudo().write(
            {
                "is_accepted": True,
                "accepted_by_id": self.env.uid,
                "accepted_at": fields.Datetime.now(),
                "accept_reason": reason,
            }
        )

    def _acceptance(self):
        return {
            "is_accepted": True,
            "accepted_by_id": self.accepted_by_id.id,
            "accepted_at": self.accepted_at,
            "accept_reason": self.accept_reason,
        }

    def _check_manager(self):
        self.check_access("read")
        self.connection_id.check_access("write")

    def _open(self, dialog, name):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": dialog._name,
            "res_id": dialog.id,
            "view_mode": "form",
            "target": "new",
        }
