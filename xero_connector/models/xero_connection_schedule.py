import logging
from datetime import timedelta

from odoo import fields, models

from .. import const

_logger = logging.getLogger(__name__)


class XeroConnection(models.Model):
    """Where a doorbell meets the engine that does the work.

    The engine is Odoo's scheduler here: a scheduled action for each queue, for all connections.
    ``xero_connector_queue_job`` hands the work over to OCA's job queue, by replacing this one method.
    """

    _inherit = "xero.connection"

    def _schedule(self, queue, at=None):
        """Have what waits for these connections in a queue worked on as soon as a worker is free. Rings only.

        :param str queue: "process", "files", "push" or "items": its scheduled action is ``ir_cron_<queue>``
        :param datetime at: not before this moment (UTC)
        """
        if self:
            self.env.ref(f"xero_connector.ir_cron_{queue}").sudo()._trigger(at=at)

    def _give_way(self, queue):
        """Another transaction was first, and ours was rolled back: what waits stays due, and is tried again soon."""
        _logger.info("connections %s, queue %s: gave way to another transaction", self.ids, queue)
        self._schedule(queue, at=fields.Datetime.now() + timedelta(seconds=const.GIVE_WAY_PAUSE))
