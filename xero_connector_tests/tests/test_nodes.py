"""Several Odoo servers on one database, one of them killed: what is imported and sent is what one would have done.

Everything is real here: servers behind a load balancer, OCA's job queue, commits, HTTP, SIGKILL.
"""

import random
import time
from collections import Counter
from contextlib import contextmanager, suppress

from odoo.fields import Command
from odoo.tests import tagged

from ..sandbox.nodes import Nodes
from ..sandbox.processes import free_port
from .import_case import ImportWorkersCase
from .sending_case import SendingWorkersCase
from .workers_case import PATIENCE

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

COUNT = 3
WAITING = """
    SELECT EXISTS (SELECT FROM xero_connection WHERE state = 'connected' AND next_poll <= now() AT TIME ZONE 'UTC')
        OR EXISTS (SELECT FROM xero_record WHERE state = 'pending' OR files_state = 'waiting')
    """
TO_SEND = "SELECT EXISTS (SELECT FROM xero_record WHERE direction = 'out' AND state = 'pending')"
BUSY = "SELECT DISTINCT worker_pid FROM queue_job WHERE state = 'started'"
UNDER_WAY = "SELECT EXISTS (SELECT FROM queue_job WHERE state IN ('enqueued', 'started'))"


class NodesMixin:
    @contextmanager
    def _nodes(self, database, jobs):
        with Nodes(self.databases.odoo, database, COUNT, free_port(), self.logs, jobs=jobs) as nodes:
            yield nodes

    def _ask(self, statement, database):
        [(answer,)] = self.server.execute(statement, (), database)
        return answer

    def _wait(self, is_over, what):
        """Return once `is_over`; the servers have no signal for it."""
        deadline = time.monotonic() + PATIENCE
        while not is_over():
            if time.monotonic() > deadline:
                self.fail(f"after {PATIENCE} s {what}")
            time.sleep(0.1)  # between two looks

    def _kill_who_works(self, nodes, by_pid, database):
        """Kill a server that works on a job this very moment.

        :param dict by_pid: the servers' numbers by their process ids; the killed one leaves it
        """
        busy = []

        def somebody_works():
            busy[:] = [pid for (pid,) in self.server.execute(BUSY, (), database) if pid in by_pid]
            return busy

        self._wait(somebody_works, "no server works on a job")
        nodes.kill(by_pid.pop(random.choice(busy)))


@tagged("post_install", "-at_install")
class TestNodes(NodesMixin, ImportWorkersCase):
    organisations = {
        "North": (210, 40, {}),
        "South": (190, 40, {}),
        "Confirmed": (80, 30, {"order_confirm": True}),
        "Files": (20, 8, {"order_confirm": True, "attach_pdf": True, "attach_files": True, "note_target": "delivery"}),
    }

    def test_of_servers_that_share_jobs_two_are_killed_and_nothing_is_lost_or_made_twice(self):
        with self._database("jobs") as database:
            self.databases.install_jobs(database)
            with self._nodes(database, jobs=True) as nodes:
                by_pid = {nodes.pid(number): number for number in range(COUNT)}
                for _kill in range(2):
                    self._kill_who_works(nodes, by_pid, database)
                self._wait(
                    lambda: not self._ask(WAITING, database) and not self._ask(UNDER_WAY, database),
                    "something waits still",
                )
                states = dict(self.server.execute("SELECT state, count(*) FROM queue_job GROUP BY 1", (), database))
            self._assert_as_undisturbed(database)
        self.assertLessEqual(set(states), {"done", "pending"}, "a job failed")

    def test_servers_with_scheduled_actions_alone_lose_nothing_and_make_nothing_twice(self):
        with self._database("crons") as database:
            # No bell rang where they run: they would look only in some minutes.
            self.server.execute(
                "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' WHERE id IN (SELECT res_id FROM ir_model_data"
                " WHERE module = 'xero_connector' AND name ~ '^ir_cron_(poll|process|files)$')",
                (),
                database,
            )
            with self._nodes(database, jobs=False) as nodes:
                self._wait(lambda: self._ask("SELECT EXISTS (SELECT FROM sale_order)", database), "there is no order")
                nodes.kill(random.randrange(COUNT))
                self._wait(lambda: not self._ask(WAITING, database), "something waits still")
            self._assert_as_undisturbed(database)


@tagged("post_install", "-at_install")
class TestNodesSend(NodesMixin, SendingWorkersCase):
    with_jobs = True

    def _sell(self, env, number):
        line = {"product_id": self.product_id, "name": f"Order {number}", "product_uom_qty": 1, "tax_ids": False}
        order = env["sale.order"].create({"partner_id": self.partner_id, "order_line": [Command.create(line)]})
        order.action_confirm()

    def test_of_servers_that_send_one_is_killed_and_each_order_is_billed_once(self):
        with self._env() as env:
            for number in range(40):
                self._sell(env, number)
        with self._nodes(self.database, jobs=True) as nodes:
            by_pid = {nodes.pid(number): number for number in range(COUNT)}
            self._wait(lambda: len(self.org.tables["Invoices"]) > 3, "nothing is sent")
            self._kill_who_works(nodes, by_pid, self.database)
            self._wait(lambda: not self._ask(TO_SEND, self.database), "something waits still")
        wanted = Counter(f"Order {number}" for number in range(40))
        lines = [row.data["LineItems"][0]["Description"] for row in self.org.tables["Invoices"]]
        self.assertEqual(Counter(line for line in lines if line in wanted), wanted)

    def test_an_outage_is_tried_again_by_one_job_however_many_bells_ring(self):
        self.server.execute("DELETE FROM queue_job", (), self.database)
        self.addCleanup(self.fake.faults.clear)
        self.fake.faults.add(path="api.xro", status=503, times=None)
        with self._env() as env:
            self._sell(env, "of the outage")
        for _bell in range(4):
            with self._env() as env:
                connection = env["xero.connection"].search([])
                connection.push_failed_turns = 0
                connection._ring_push()
                connection._work_off("push")
                self.assertEqual(connection.push_failed_turns, 1)
        with self._env() as env:
            later = env["queue.job"].search([("state", "=", "pending"), ("eta", "!=", False)])
            self.assertTrue(1 <= len(later) <= 2, "on both sides of a full five minutes")
