"""Worker processes for `workers_case.py`: they run scheduled actions until nothing waits any more.

Usage: import_worker.py CONFIG DATABASE [KIND]. KIND is what they work on: "import" (unless told), "items" or
"export". As Odoo's own server does, it loads once and forks: a worker for each line it reads, which holds the worker's
`Fate`. It says "ready", and for each worker: its process id, what the worker itself has to say (at its end, how often
each scheduled action committed, and inserted into which table), its exit status.
"""

import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

from odoo.addons.base.models.ir_cron import CompletionStatus

# by kind: the scheduled actions, and what asks whether they have work
JOBS = {"import": ("poll", "process", "files"), "items": ("items",), "export": ("push",)}
WAITING = {
    "import": """
        SELECT EXISTS (SELECT FROM xero_connection WHERE state = 'connected' AND next_poll <= now() AT TIME ZONE 'UTC')
            OR EXISTS (SELECT FROM xero_record WHERE state = 'pending' OR files_state = 'waiting')
        """,
    "items": """
        SELECT EXISTS (SELECT FROM xero_connection WHERE state = 'connected' AND next_items <= now() AT TIME ZONE 'UTC')
        """,
    "export": """
        SELECT EXISTS (SELECT FROM xero_record WHERE direction = 'out' AND resource != 'item' AND state = 'pending'
                                                 AND (next_attempt IS NULL OR next_attempt <= now() AT TIME ZONE 'UTC'))
        """,
}


def say(what, value):
    print(json.dumps([what, value]), flush=True)


class Fate:
    """When a worker kills itself: in the scheduled action `job`, once events (statements and commits) that match the
    expressions of `trail` have come one after the other, and `further` events after them.

    :param bool tell: only say that the moment has come; somebody else kills
    """

    def __init__(self, job=None, trail=(), further=0, tell=False):
        self.job, self.trail, self.further, self.tell = job, list(trail), further, tell
        self.current = ""
        self.seen = Counter()

    def see(self, event):
        if event.startswith(("INSERT", "DONE COMMIT")):
            self.seen[f"{self.current}: {event.partition('(')[0].strip()}"] += 1
        if self.job != self.current:
            return
        if not self.trail:
            self.further -= 1
        elif re.match(self.trail[0], event):
            del self.trail[0]
        if not self.trail and self.further <= 0:
            self.strike()

    def end_of_job(self):
        """The scheduled action had no more work than this: now, or the moment would never come."""
        if self.job == self.current:
            self.strike()

    def strike(self):
        if self.tell:
            self.job = None
            say("now", None)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self):
        """See each statement after it was executed, and each commit before and after."""
        threading.current_thread().query_hooks = [lambda _cr, query, *_rest: self.see(query.lstrip())]
        commit = sql_db.Cursor.commit

        def watched_commit(cr):
            cr.flush()
            self.see("COMMIT")
            commit(cr)
            self.see("DONE COMMIT")

        patch.object(sql_db.Cursor, "commit", watched_commit).start()


def read_jobs(registry, names):
    """What Odoo's scheduler reads of our scheduled actions before it runs them."""
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        ids = {name: env.ref(f"xero_connector.ir_cron_{name}").id for name in names}
        cr.execute("SELECT *, 0 AS timed_out_counter FROM ir_cron WHERE id = ANY(%s)", [list(ids.values())])
        jobs = {job["id"]: job for job in cr.dictfetchall()}
    return {name: jobs[ids[name]] for name in names}


def is_waiting(registry, kind):
    with registry.cursor() as cr:
        cr.execute(WAITING[kind])
        return cr.fetchone()[0]


def work(registry, kind, jobs, fate):
    fate.watch()
    while is_waiting(registry, kind):
        for fate.current, job in jobs.items():
            # Not by way of Odoo's lock, that lets one worker at a time run a scheduled action: ours must do without.
            if registry["ir.cron"]._run_job(job) == CompletionStatus.FAILED:
                sys.exit(f"the scheduled action {fate.current} failed")
            fate.end_of_job()
        fate.current = ""
        time.sleep(0.2)  # what still waits, another worker has locked: asking at once only burns time
    say("done", fate.seen)


def make_batches_small():
    """A few items are many batches then."""
    # found once the addons' path is known
    from odoo.addons.xero_connector import const
    from odoo.addons.xero_connector.models import xero_connection_items

    const.BATCH_SIZE, const.ITEMS_PER_CALL, xero_connection_items._ROWS_AT_ONCE = 12, 2, 3


def main(config_file, database, kind="import"):
    config.parse_config(
        ["--config", config_file, "--database", database, "--no-http", "--log-level", "warn"], setup_logging=True
    )
    registry = Registry(database)
    jobs = read_jobs(registry, JOBS[kind])
    sql_db.close_all()
    if kind == "items":
        make_batches_small()
    say("ready", None)
    for line in sys.stdin:
        worker = os.fork()
        if not worker:
            return work(registry, kind, jobs, Fate(**json.loads(line)))
        say("started", worker)
        say("ended", os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
