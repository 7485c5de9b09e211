"""`demo`: Odoo with orders imported from a fake Xero, everything over real HTTP."""

import contextlib
import fcntl
import json
import os
import time
from typing import NamedTuple

from . import demo_accounts, demo_changes, demo_days, demo_fees, demo_nodes, demo_portal, demo_products, story, utc
from .console import SandboxError, say, step
from .databases import DEMO
from .demo_journey import connect_all, run_crons
from .demo_report import compare, print_table, read_outcomes
from .fake_xero import FakeXero
from .odoo import Odoo
from .paths import CONFIG, LOG, RUN
from .processes import Child, remember
from .rpc import Session

LOGINS = (
    ("administrator", 'admin'), ("warehouse user", 'picker'), ("accountant", 'accountant'),
    ("portal customer", 'customer'),
)
SETUP = "from odoo.addons.xero_connector_tests.sandbox import demo_setup; demo_setup.run(env)\n"


def run(options, workplace) -> int:
    tell = demo_nodes.told if options.nodes else told
    with tell(options, workplace) as (server, url, differences):
        if options.once:
            return 1 if differences else 0
        _serve(server, url)
    return 0


@contextlib.contextmanager
def told(options, workplace):
    """The demo, all its acts told and its Odoo still serving: `(server, url, differences)`."""
    with set_up(options, workplace) as stage, contextlib.ExitStack() as stack:
        fake, url = stage.fake, stage.url
        server = stack.enter_context(_serving(stage.odoo, options.port, url))
        stack.enter_context(fake)

        admin = Session(url, DEMO, 'admin', 'admin')
        connect_all(admin, fake)
        run_crons(admin)
        outcomes = read_outcomes(admin)
        print_table(outcomes)
        differences = say_result(outcomes, stage.expected)
        changes = demo_changes.play(admin, fake)
        demo_changes.ring(admin)
        run_crons(admin)
        differences += demo_changes.report(admin, changes)
        differences += demo_days.play(admin, fake)
        differences += demo_products.play(admin, fake)
        differences += demo_accounts.play(admin, fake)
        differences += demo_portal.play(admin, fake)
        differences += demo_fees.play(admin, fake)
        yield server, url, differences


class Stage(NamedTuple):
    """What every demo stands on; nothing of it serves yet. `expected` is what is to become of each invoice."""

    odoo: Odoo
    fake: FakeXero
    expected: list
    url: str


@contextlib.contextmanager
def set_up(options, workplace):
    """A demo database and a fake Xero that know each other, as a `Stage`; the job queue is there for several nodes."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(_the_only_demo())
        pid_file = remember('demo', os.getpid())
        stack.callback(pid_file.unlink, missing_ok=True)
        odoo, databases = stack.enter_context(workplace(options))
        # a fresh copy each time: the demo tells the same story whenever it is started
        databases.fresh_demo(databases.demo_template_with_jobs() if options.nodes else databases.demo_template())
        url = f'http://localhost:{options.port}'

        with step("Writing the books of the fake Xero"):
            fake = FakeXero()
            fake.limits.day = 5000  # as Xero gives to a paying app: the figure on each connection looks like a real one
            expected = story.build(fake, utc.today())
            demo_days.add_free_organisation(fake)
        _fill_odoo(odoo, fake, url)
        yield Stage(odoo, fake, expected, url)


@contextlib.contextmanager
def _the_only_demo():
    """There is one demo database: a second demo would pull it from under the first."""
    with (RUN / 'demo.lock').open('w') as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError("A demo of this checkout runs already: end it with Ctrl-C there.") from None
        yield


def _fill_odoo(odoo, fake, url: str) -> None:
    with step("Setting up warehouses, products, users and the five connections"):
        environment = {**fake.describe(), 'odoo_url': url}
        os.environ['XERO_DEMO'] = json.dumps(environment)
        try:
            odoo.run(
                "The demo could not be set up", 'shell', '--config', CONFIG, '--database', DEMO, '--no-http',
                '--log-level=warn', script=SETUP)
        finally:
            del os.environ['XERO_DEMO']


@contextlib.contextmanager
def _serving(odoo, port: int, url: str):
    """Odoo's server, from the moment it answers."""
    log = LOG / 'odoo-demo.log'
    log.unlink(missing_ok=True)
    server = Child(
        'odoo', odoo.command(
            '--config', CONFIG, '--database', DEMO, '--db-filter', f'^{DEMO}$', '--http-port', port,
            '--max-cron-threads', 1),
        log, env=odoo.environment)
    try:
        with step("Starting Odoo") as progress:
            server.wait_until_it_answers(
                f'{url}/web/login', 120, lambda: progress.update("waiting for its first answer"))
        yield server
    finally:
        server.stop()


def say_result(outcomes: list, expected: list) -> list[str]:
    """Print what came of the import; returns a sentence for each invoice with another outcome than expected."""
    differences = compare(outcomes, expected)
    made = [outcome for outcome in outcomes if outcome.order]
    print(f"\n{len(outcomes)} invoices seen, {len(made)} orders made, "
          f"{sum(bool(outcome.pdf_size) for outcome in made)} with PDF; "
          f"{len(expected) - len(differences)} of {len(expected)} outcomes as expected.", flush=True)
    for difference in differences[:30]:
        print(f"  ✗ {difference}")
    if len(differences) > 30:
        print(f"  … and {len(differences) - 30} more")
    return differences


def _serve(server, url: str) -> None:
    print(f"\nOdoo is at {url} – log in as")
    for who, login in LOGINS:
        print(f"  {who:<16} {login} / {login}")
    print("Ctrl-C ends everything.", flush=True)
    try:
        while server.is_running():
            time.sleep(0.5)  # nothing to do until Ctrl-C; short, so that an Odoo that ends by itself is noticed
    except KeyboardInterrupt:
        say("\nEnding …")
        return
    raise SandboxError(f"Odoo ended by itself; the end of its log ({server.log}):\n{server.log_tail()}")
