import time
from datetime import timedelta

from odoo import SUPERUSER_ID, fields, models
from odoo.fields import Domain

# What a job may take, in seconds. The jobs of other connections wait for it, and Odoo ends a worker after
# `limit_time_cpu` (60) and `limit_time_real` (120).
SECONDS = 20
# After so many seconds another job looks at what somebody else is busy with now.
PAUSE = 60
# Moments are rounded up to so many seconds: what is due at about the same time is one job.
ROUNDING = 10
# Orders first: somebody waits for them in the warehouse. Smaller is earlier.
PRIORITIES = {"process": 5, "push": 8, "items": 10, "files": 12}


class XeroConnection(models.Model):
    """Work is handed to OCA's job queue: a job for each connection and queue.

    A job knows nothing of its own. What is to be done stands in the sync log, as it does without the job queue, and the
    same locks decide who does it. So a job that is lost, killed or run twice costs nothing, and the scheduled actions
    go on as sweepers: at their next turn they work off what no job took.
    """

    _inherit = "xero.connection"

    def _schedule(self, queue, at=None):
        """Overridden: a job for each connection, unless one for the same time waits already."""
        channel = f"root.xero.{queue}"
        eta = _rounded_up(at) if at and at > fields.Datetime.now() else None
        # The work is nobody's: it needs neither the rights nor the language of who rang.
        env = self.env(user=SUPERUSER_ID, su=True, context={})
        for connection in self.with_env(env):
            connection.with_delay(
                channel=channel,
                eta=eta,
                priority=PRIORITIES[queue],
                description=f"Xero: {queue}, {connection.name}",
                identity_key=f"{channel}.{connection.id}.{eta or 'now'}",
            )._work_off(queue)

    def _work_off(self, queue):
        """Do what is due for this connection, as the scheduled action of the queue does it, until the time is up; what
        is due still gets another job. A failure ends in the rows and on the connection, never in the job.

        :param str queue: as for :meth:`_schedule`
        """
        ends = time.monotonic() + SECONDS
        worker = self.with_context(xero_job_ends=ends)
        model = worker if queue in ("push", "items") else worker.env["xero.record"]
        getattr(model, f"_cron_{queue}")(worker)
        if self._is_due(queue):
            is_late = time.monotonic() >= ends
            self._schedule(queue, at=None if is_late else fields.Datetime.now() + timedelta(seconds=PAUSE))

    def _is_due(self, queue):
        """Whether something could be done for this connection now."""
        records = self.env["xero.record"]
        if queue == "push":
            return self in self._push_due()
        if queue == "items":
            return bool(self.search_count(Domain(self._items_due_domain()) & Domain("id", "=", self.id), limit=1))
        domain = records._due_domain() if queue == "process" else records._files_due_domain()
        return bool(records.search_count(records._of_connections(domain, self), limit=1))


def _rounded_up(moment):
    over = timedelta(seconds=moment.second % ROUNDING, microseconds=moment.microsecond)
    return moment - over + timedelta(seconds=ROUNDING) if over else moment
