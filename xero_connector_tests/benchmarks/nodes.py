"""N_two_processes: how much faster two Odoo processes import than one, on the job queue and on scheduled actions alone.

Each run gets a copy of one database in which invoices of some organisations wait in the log, already read from Xero.
Each organisation sells goods of its own, as in a warehouse that keeps several customers' goods; a last run shows what
becomes of it where all sell the same, and reserve them one after the other.
"""

import contextlib
import itertools
import time

from ..sandbox.console import SandboxError, say
from ..sandbox.nodes import Nodes
from ..sandbox.paths import CONFIG, LOG
from ..sandbox.processes import free_port
from .figures import Figure

CONNECTIONS = 6
CONTACTS = 30
PROCESSES = (1, 2, 3)
PATIENCE = 300  # seconds for one run
OWN, SHARED = 'Own', 'Shared'  # whose goods they are; connections of the other kind are paused during a run
# A copy calls Xero only where it was connected itself; and a bell must ring there.
READY = """
for grant in env['xero.grant'].search([]):
    grant.home = grant._this_database()
env['xero.connection'].search([('name', 'not like', '{kind}')]).action_pause()
env['xero.connection'].search([('name', 'like', '{kind}')])._schedule('process')
env.cr.commit()
"""
PENDING = """
    SELECT count(*) FROM xero_record r JOIN xero_connection c ON c.id = r.connection_id
     WHERE r.state = 'pending' AND r.direction = 'in' AND c.state = 'connected'
    """
# The job queue waits some seconds when a server starts: time counts from the first order on.
BEGAN = "SELECT extract(epoch FROM min(create_date AT TIME ZONE 'UTC')) FROM sale_order"
DONE = "SELECT count(*), count(DISTINCT xero_invoice_id) FROM sale_order WHERE state = 'sale'"
MESSAGES = "SELECT string_agg(DISTINCT concat_ws(': ', state, message), '; ') FROM xero_connection"
DUE_NOW = """
    UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC', priority = 0
     WHERE cron_name LIKE 'Xero: turn invoices into orders%%'
    """


def measure(env, books, task: dict) -> None:
    """Inside Odoo's shell: fill the database all runs begin with."""
    # only a process of Odoo's has these
    from .site import Site

    site = Site(env, books)
    site.app.tier = 'core'  # Xero's free one allows five connections
    for kind, number in itertools.product((OWN, SHARED), range(CONNECTIONS)):
        codes = site.add_products(f'OWN-{number}') if kind == OWN else None
        connection, organisation = site.connect(f"{kind} {number}", CONTACTS, codes, order_confirm=True)
        organisation.add_invoices(task['invoices'])
        site.ring(connection)
        while connection.next_poll:
            site.run_cron('poll')
            connection.invalidate_recordset()
    # As README advises without the job queue: one scheduled action runs in one process at a time.
    action = env.ref('xero_connector.ir_cron_process')
    for number in PROCESSES[1:]:
        action.copy({'name': f"{action.name} ({number})", 'active': False})
    env.cr.commit()


def compare(odoo, databases, filled: str, copy) -> list[Figure]:
    """Outside of Odoo: run after run, each with its number of processes.

    :param str filled: the database that :func:`measure` filled
    :param copy: a context manager's maker, of a database and a purpose
    """
    speeds = {}
    for engine, jobs in (('job_queue', True), ('scheduled_actions', False)):
        with copy(databases, filled, 'bench-filled') as ready:
            if jobs:
                databases.install_jobs(ready)
            for kind, processes in (*((OWN, number) for number in PROCESSES), (SHARED, 2)):
                with copy(databases, ready, f'bench-{processes}') as database:
                    odoo.run(
                        "The copy could not be made ready", 'shell', '--config', CONFIG, '--database', database,
                        '--no-http', '--log-level=warn', script=READY.format(kind=kind))
                    if not jobs:
                        _wake(databases.server, database, processes)
                    name = f"{engine}_{processes}{'_same_goods' if kind == SHARED else ''}"
                    speeds[name] = _run(odoo, databases.server, database, processes, jobs)
                    say(f"  {name}: {speeds[name]:.1f} orders a second")
    figure = Figure('N_two_processes', speeds['job_queue_1'] / speeds['job_queue_2'], 0.75, 'of the time of one')
    for name, speed in speeds.items():
        figure.add(name, speed, 'orders/s')
    return [figure]


def _wake(server, database: str, processes: int) -> None:
    server.execute(
        "UPDATE ir_cron SET active = TRUE WHERE id IN (SELECT id FROM ir_cron WHERE NOT active AND cron_name LIKE"
        " 'Xero: turn invoices into orders (%%' ORDER BY id LIMIT %s)", (processes - 1,), database)
    server.execute(DUE_NOW, (), database)


def _run(odoo, server, database: str, processes: int, jobs: bool) -> float:
    """:return: orders per second"""
    def ask(statement):
        return server.execute(statement, (), database)[0]

    deadline = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as stack:
        stack.enter_context(Nodes(odoo, database, processes, free_port(), LOG, jobs=jobs))
        while ask(PENDING)[0]:
            if time.monotonic() > deadline:
                raise SandboxError(f"After {PATIENCE} s {ask(PENDING)[0]} invoices still wait: {ask(MESSAGES)[0]}")
            time.sleep(0.1)  # between two looks: the servers have no signal for it
        seconds = time.time() - float(ask(BEGAN)[0])
        orders, invoices = ask(DONE)
    if orders != invoices:
        raise SandboxError(f"{orders} orders were made of {invoices} invoices.")
    return orders / seconds
