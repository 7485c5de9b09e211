from odoo import fields, models
from odoo.exceptions import RedirectWarning, UserError

STEPS = [
    ("initial", "Initial configuration"),
    ("authentication", "Authentication"),
    ("configuration", "Configuration"),
    ("test", "Test order"),
]


class XeroConnection(models.Model):
    """The set-up in steps. Until it is finished for the first time, nothing is imported: the rules that choose the
    warehouse are not there yet."""

    _inherit = "xero.connection"

    setup_step = fields.Selection(STEPS, default="initial", required=True, readonly=True, copy=False)
    setup_done = fields.Boolean(
        string="Set-up finished", default=True, copy=False, help="Until then nothing is imported."
    )
    redirect_uri = fields.Char(related="app_id.redirect_uri")
    redirect_problem = fields.Char(related="app_id.redirect_problem")
    app_grant_type = fields.Selection(related="app_id.grant_type")

    def _path(self):
        """Where this connection is worked on in the browser: its set-up while one is in it, else its form."""
        form = f"/odoo/xero-connections/{self.id}"
        return form if self.setup_done and self.setup_step != "authentication" else f"{form}/xero-setup/{self.id}"

    def action_setup_new(self):
        """Begin a new connection with its set-up, whatever is selected in the list."""
        self.check_access("create")
        if not self._default_app_id():
            raise RedirectWarning(
                self.env._("First add the app you registered on Xero's developer page: it is Odoo's key to Xero."),
                self.env.ref("xero_connector.action_add_app").id,
                self.env._("Add the app"),
            )
        return self.browse()._setup_action()

    def action_setup(self):
        """Go on with the set-up, or through it again (*Reconfigure*); a running import goes on meanwhile."""
        self.ensure_one()
        self.check_access("write")
        if self.setup_done:
            self.sudo().setup_step = "initial"
        return self._setup_action()

    def _setup_action(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_setup")
        return action | {"res_id": self.id}

    def action_setup_next(self):
        """The next step, if this one is complete."""
        self.ensure_one()
        self.check_access("write")
        if self.setup_step == "authentication" and self.state == "draft":
            raise UserError(self.env._("Connect to Xero first: the dot turns green when that is done."))
        self._go_to_step(1)

    def action_setup_back(self):
        """The step before; nothing is lost."""
        self.ensure_one()
        self.check_access("write")
        self._go_to_step(-1)

    def _go_to_step(self, distance):
        keys = [key for key, _label in STEPS]
        place = keys.index(self.setup_step) + distance
        # sudo: which step one may go to is not for forms to say
        self.sudo().setup_step = keys[min(max(place, 0), len(keys) - 1)]
        if self.setup_step == "configuration" and not self.setup_done and not self.warehouse_id:
            warehouses = self.env["stock.warehouse"].search([("company_id", "=", self.company_id.id)], limit=2)
            # Of several, a person chooses.
            self.warehouse_id = warehouses if len(warehouses) == 1 else False

    def action_setup_finish(self):
        """Leave the set-up; the first time the import begins."""
        self.ensure_one()
        self.check_access("write")
        if self.state == "draft":
            raise UserError(self.env._("Connect to Xero first: the dot turns green when that is done."))
        self.sudo().setup_step = "initial"
        if not self.setup_done:
            self.sudo().setup_done = True
            self._ring()
        action = self.env["ir.actions.act_window"]._for_xml_id("xero_connector.action_xero_connection")
        return action | {"views": [(False, "form")], "res_id": self.id, "target": "main"}

    def action_test_order(self):
        """Pick a recent invoice and see the order it would make."""
        self.ensure_one()
        self.check_access("write")
        return self.env["xero.test.order"]._open_for(self)
