"""`demo --nodes N`: several Odoo processes share the import on OCA's job queue, and one of them is killed."""

import contextlib
import random
import time
from collections import Counter

from . import demo
from .console import SandboxError, step
from .databases import DEMO
from .demo_journey import connect_all, waiting
from .demo_report import print_table, read_outcomes
from .nodes import Nodes
from .paths import LOG
from .rpc import Session

PATIENCE = 300  # seconds until nothing waits any more
ENOUGH = 30  # orders that are there when a node is killed


@contextlib.contextmanager
def told(options, workplace):
    """The import, told while several nodes do it; they go on serving: `(nodes, url, differences)`."""
    with demo.set_up(options, workplace) as stage, contextlib.ExitStack() as stack:
        nodes = Nodes(stage.odoo, DEMO, options.nodes, options.port, LOG)
        with step(f"Starting {options.nodes} Odoo processes and a load balancer"):
            stack.enter_context(nodes)
        stack.enter_context(stage.fake)
        admin = Session(stage.url, DEMO, 'admin', 'admin')
        connect_all(admin, stage.fake)
        shares = _import(admin, nodes, options.nodes)
        outcomes = read_outcomes(admin)
        print_table(outcomes)
        differences = demo.say_result(outcomes, stage.expected)
        twice = _made_twice(admin)
        differences += [f"{number} is {count} orders" for number, count in twice.items()]
        print(f"No invoice became two orders: {'✗' if twice else 'right'}. Jobs of each process: {shares}.", flush=True)
        yield nodes, stage.url, differences


def _import(admin: Session, nodes: Nodes, count: int) -> str:
    """Wait until nothing waits any more. On the way a node is killed, and started again a little later."""
    names = {nodes.pid(number): number for number in range(count)}
    killed = None
    with step(f"Importing on {count} processes") as progress:
        deadline = time.monotonic() + PATIENCE
        while True:
            _connections, invoices, files = waiting(admin)
            made = admin.call('sale.order', 'search_count', [('xero_invoice_id', '!=', False)])
            progress.update(f"{made} orders, {invoices} invoices and {files} PDFs waiting")
            if killed is None and count > 1 and made >= ENOUGH and (busy := _busy(admin, names)):
                killed = random.choice(busy)
                nodes.kill(killed)
            elif made and not invoices and not files and not admin.call(
                    'queue.job', 'search_count', [('state', 'in', ('enqueued', 'started'))]):
                break
            if time.monotonic() > deadline:
                raise SandboxError(f"After {PATIENCE} s {invoices} invoices and {files} PDFs still wait.")
            time.sleep(0.3)  # the nodes have no signal for having nothing to do
    if killed is not None:
        print(f"  Process {killed + 1} was killed while it worked; the others went on.")
        nodes.start(killed)
        nodes.wait_for(killed)
    done = Counter(names[job['worker_pid']] for job in _jobs(admin, 'done'))
    return ', '.join(f"{number + 1}: {jobs}" for number, jobs in sorted(done.items()))


def _jobs(admin: Session, state: str) -> list[dict]:
    return admin.search_read('queue.job', [('state', '=', state)], ['worker_pid'])


def _busy(admin: Session, names: dict[int, int]) -> list[int]:
    """The processes that work on a job this very moment."""
    return sorted({names[job['worker_pid']] for job in _jobs(admin, 'started') if job['worker_pid'] in names})


def _made_twice(admin: Session) -> dict[str, int]:
    orders = admin.search_read('sale.order', [('xero_invoice_id', '!=', False)], ['xero_invoice_id'])
    return {key: count for key, count in Counter(row['xero_invoice_id'] for row in orders).items() if count > 1}
