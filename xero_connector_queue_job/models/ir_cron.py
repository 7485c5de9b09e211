import time

from odoo import api, models


class IrCron(models.Model):
    """The loops of the scheduled actions, run by a job: they end when the job's time is up."""

    _inherit = "ir.cron"

    @api.model
    def _commit_progress(self, processed=0, *, remaining=None, deactivate=False):
        seconds_left = super()._commit_progress(processed, remaining=remaining, deactivate=deactivate)
        ends = self.env.context.get("xero_job_ends")
        return seconds_left if ends is None else max(ends - time.monotonic(), 0)
