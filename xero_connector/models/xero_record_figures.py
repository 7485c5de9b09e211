from odoo import fields, models


class XeroRecord(models.Model):
    """When something happened to a row, for the dashboard and the digest: whatever brings a row to its end passes
    through ``write``. What finished once and is looked at again later, as an invoice that was paid, counts once."""

    _inherit = "xero.record"

    first_done_at = fields.Datetime(
        string="First finished",
        readonly=True,
        copy=False,
        help="When the document was made; later changes do not count.",
    )
    failed_at = fields.Datetime(
        string="Failing since", readonly=True, copy=False, help="Stays while it is tried again, until it is done."
    )
    mended_at = fields.Datetime(
        string="Mended", readonly=True, copy=False, help="When something that had failed was done after all."
    )

    _mended = models.Index("(mended_at) WHERE mended_at IS NOT NULL")
    _first_done = models.Index("(connection_id, first_done_at) WHERE first_done_at IS NOT NULL")

    def write(self, vals):
        result = super().write(vals)
        now = fields.Datetime.now()
        if vals.get("state") == "done":
            self.filtered(lambda row: not row.first_done_at).first_done_at = now
            self.filtered("failed_at").write({"mended_at": now, "failed_at": False})
        elif vals.get("state") == "failed":
            self.filtered(lambda row: not row.failed_at).failed_at = now
        return result
