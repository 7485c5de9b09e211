from odoo import fields, models


class XeroBell(models.Model):
    """One ring: Xero said by webhook that something changed in this organisation.

    Rows are only added, and removed by the poll that answers them. Whoever rings waits for nobody: the connection's own
    row may be locked by a worker for as long as a call lasts, and Xero wants its answer at once.
    """

    _name = "xero.bell"
    _description = "Xero Webhook Ring"
    _log_access = False

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
