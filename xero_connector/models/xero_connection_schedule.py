from odoo import models


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
