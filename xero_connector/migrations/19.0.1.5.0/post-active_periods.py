from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Fees count active periods: those of connections that are active already begin today, nobody is billed for the
    past."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["xero.active.period"]._turn(env["xero.connection"].search([]))
    # Data that is not updated is not made on an upgrade either.
    env["ir.default"].set("res.partner", "xero_portal", "inherit")
