"""Processes for `test_refresh_processes.py` that need an access token at the very same moment.

Usage: refresh_worker.py CONFIG DATABASE. As Odoo's own server does, it loads once and forks: for each line it reads, as
many processes as the line says. Each has a transaction of its own, waits for the others, and asks. It says "ready", and
for each line: the process ids, what each process got, and their exit statuses.
"""

import json
import multiprocessing
import os
import signal
import sys
import traceback
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

PATIENCE = 60  # seconds until all stand at the barrier


def say(what, value):
    # One write each, shorter than a pipe takes at once: the lines of many processes do not mix.
    os.write(sys.stdout.fileno(), (json.dumps([what, value]) + "\n").encode())


def die_before_storing(lot):
    """Have the one process that draws the lot kill itself when it has the new tokens, just before it commits them."""
    commit = sql_db.Cursor.commit

    def deadly_commit(cr):
        cr.flush()
        cr.execute("SELECT EXISTS (SELECT FROM xero_grant WHERE xmin = pg_current_xact_id_if_assigned()::xid)")
        if cr.fetchone()[0] and lot.acquire(block=False):
            os.kill(os.getpid(), signal.SIGKILL)
        commit(cr)

    patch.object(sql_db.Cursor, "commit", deadly_commit).start()


def ask(registry, grant_id, barrier):
    """Ask for a token, as somebody whose transaction began before the others refreshed."""
    with registry.cursor() as cr:
        grant = api.Environment(cr, SUPERUSER_ID, {})["xero.grant"].browse(grant_id)
        cr.execute("SELECT 1")
        barrier.wait(PATIENCE)
        say("token", grant._token())


def run(registry, grant_id, count, deadly):
    """Fork; each process leaves without cleaning up what it has from us.

    :return: in the parent the process ids
    """
    context = multiprocessing.get_context("fork")
    barrier, lot = context.Barrier(count), context.Semaphore(1)
    pids = []
    for _number in range(count):
        pid = os.fork()
        if pid:
            pids.append(pid)
            continue
        status = 1
        try:
            if deadly:
                die_before_storing(lot)
            ask(registry, grant_id, barrier)
            status = 0
        except Exception:  # noqa: BLE001 - the exit status tells, the words are for whoever wonders
            traceback.print_exc()
        finally:
            os._exit(status)
    return pids


def main(config_file, database):
    config.parse_config(
        ["--config", config_file, "--database", database, "--no-http", "--log-level", "warn"], setup_logging=True
    )
    registry = Registry(database)
    sql_db.close_all()
    say("ready", None)
    for line in sys.stdin:
        pids = run(registry, **json.loads(line))
        say("started", pids)
        say("ended", [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids])


if __name__ == "__main__":
    main(*sys.argv[1:])
