import logging
import time
from datetime import datetime, timedelta, timezone

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

# What a job may take, in seconds. The jobs of other connections wait for it, and Odoo ends a worker after
# `limit_time_cpu` (60) and `limit_time_real` (120).
SECONDS = 20
# After so many seconds another job looks at what somebody else is busy with now: its time is up by then.
PAUSE = 30
# Moments are rounded up to a multiple of the largest of these seconds that is not above the time until then: the later
# it is, the more is one job. Else the jobs that try again after an outage would be as many as the bells during it.
STEPS = (300, 60, 10)
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
        """Overridden: a job for each connection, unless one for the same time waits already.

        Made after the commit: a job that waits then will see what was committed. Within the transaction one might seem
        to wait that has run meanwhile, and saw nothing.
        """
        postcommit = self.env.cr.postcommit
        if "xero_jobs" not in postcommit.data:
            postcommit.data["xero_jobs"] = {}
            postcommit.add(self.browse()._make_jobs_safely)
        rings = postcommit.data["xero_jobs"]
        eta = at and _rounded_up(at)
        rings.update(dict.fromkeys((connection_id, queue, eta) for connection_id in self.ids))

    def _make_jobs_safely(self):
        rings = self.env.cr.postcommit.data.pop("xero_jobs")
        try:
            self._make_jobs(rings)
        except psycopg2.Error:
            # What rang is committed: it is no failure of whoever rang, and the sweepers see it.
            _logger.exception("no jobs could be made")

    def _make_jobs(self, rings):
        """:param rings: of ``(connection id, queue, moment or None)``"""
        with self.env.registry.cursor() as cr:
            # The work is nobody's: it needs neither the rights nor the language of who rang.
            connections = api.Environment(cr, SUPERUSER_ID, {})["xero.connection"]
            for connection_id, queue, eta in rings:
                if connection := connections.browse(connection_id).exists():
                    channel = f"root.xero.{queue}"
                    # The job queue reads the company from there, and leaves it out of the job's own context.
                    connection.with_context(company_id=connection.company_id.id).with_delay(
                        channel=channel,
                        eta=eta,
                        priority=PRIORITIES[queue],
                        description=f"Xero: {queue}, {connection.name}",
                        identity_key=f"{channel}.{connection_id}.{eta or 'now'}",
                    )._work_off(queue)

    def _work_off(self, queue):
        """Do what is due for this connection, as the scheduled action of the queue does it. When the time is up it
        rings, so that another job goes on; one looks again where somebody else was busy with it. A failure ends in the
        rows and on the connection, never in the job, and says there when it is tried again.

        :param str queue: as for :meth:`_schedule`
        """
        ends = time.monotonic() + SECONDS
        worker = self.with_context(xero_job_ends=ends)
        model = worker if queue in ("push", "items") else worker.env["xero.record"]
        getattr(model, f"_cron_{queue}")(worker)
        if self._is_due(queue) and self._is_busy(queue):
            self._schedule(queue, at=fields.Datetime.now() + timedelta(seconds=PAUSE))

    def _is_due(self, queue):
        """Whether something could be done for this connection now."""
        records = self.env["xero.record"]
        if queue == "push":
            return self in self._push_due()
        if queue == "items":
            return bool(self.search_count(Domain(self._items_due_domain()) & Domain("id", "=", self.id), limit=1))
        domain = records._due_domain() if queue == "process" else records._files_due_domain()
        return bool(records.search_count(records._of_connections(domain, self), limit=1))

    def _is_busy(self, queue):
        """Whether somebody else holds what this work needs; files are taken one by one, and need nothing."""
        if queue == "process":
            return not self.try_lock_for_update(allow_referencing=True)
        if queue == "push":
            return not self._push_worker()
        return queue == "items" and not self._item_worker()


def _rounded_up(moment):
    """None for what is due already."""
    seconds = (moment - fields.Datetime.now()).total_seconds()
    if seconds <= 0:
        return None
    step = next((step for step in STEPS if step <= seconds), STEPS[-1])
    stamp = moment.replace(tzinfo=timezone.utc).timestamp()
    return datetime.fromtimestamp(-(-stamp // step) * step, timezone.utc).replace(tzinfo=None)
