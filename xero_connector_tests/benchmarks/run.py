"""`bench`: the figures of the addon's speed. Each experiment gets a fresh Odoo on databases of its own; the fake Xero
works in another process, so that its time on the processor and its memory are nobody's here."""

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

import psycopg2
from psycopg2 import sql

from ..sandbox.console import SandboxError, say, step
from ..sandbox.paths import CONFIG, LOG, ROOT, venv_python
from ..sandbox.processes import Child, attended, free_port, remember
from . import figures, nodes
from .figures import EXPERIMENTS

SCRIPT = "from odoo.addons.xero_connector_tests.benchmarks import inside; inside.run(env)\n"
DATABASES = {'growth': 2, 'items': 2, 'size': 2}  # of an experiment, where it is not one
ODOO_LOG = LOG / 'odoo-bench.log'


def run(options, workplace) -> int:
    wanted = ['profiling'] if options.profile else _experiments(options.only)
    found = []
    with contextlib.ExitStack() as stack:
        pid_file = remember('bench', os.getpid())
        stack.callback(pid_file.unlink, missing_ok=True)
        odoo, databases = stack.enter_context(workplace(options))
        template = databases.test_template()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='xero-bench-')))
        url = stack.enter_context(_fake_xero(folder))
        ODOO_LOG.unlink(missing_ok=True)
        for experiment in wanted:
            with contextlib.ExitStack() as copies:
                names = [
                    copies.enter_context(_copy(databases, template, f'bench{number}'))
                    for number in range(DATABASES.get(experiment, 1))
                ]
                task = {
                    'experiment': experiment, 'databases': names, 'fake_url': url, 'invoices': options.invoices,
                    'memory_invoices': options.memory_invoices, 'items': options.items,
                    'result': str(folder / f'{experiment}.json'),
                }
                _measure(odoo, task)
                if experiment == 'nodes':
                    figures.write(nodes.compare(odoo, databases, names[0], _copy), Path(task['result']))
            if not options.profile:
                found += figures.read(Path(task['result']))
    for figure in found:
        print('\n'.join(figure.lines()), flush=True)
    if options.json and found:
        settings = {name: getattr(options, name) for name in ('invoices', 'memory_invoices', 'items')}
        figures.write(found, Path(options.json), **settings)
    missed = [figure.name for figure in found if not figure.is_met]
    if missed:
        say(f"Missed: {', '.join(missed)}")
    return 0


def _experiments(only: list[str]) -> list[str]:
    return [experiment for experiment, names in EXPERIMENTS.items() if not only or set(names) & set(only)]


@contextlib.contextmanager
def _copy(databases, template: str, purpose: str):
    with databases.copy_for_run(template, purpose) as name:
        try:
            yield name
        finally:
            # PostgreSQL may be vacuuming what was filled: a plain drop ends that, a forced one may not
            with contextlib.suppress(psycopg2.Error):
                databases.server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@contextlib.contextmanager
def _fake_xero(folder: Path):
    """An empty fake Xero in a process of its own; yields its address."""
    books = folder / 'books.json'
    books.write_text('{}', encoding='utf-8')
    port = free_port()
    command = [venv_python(), '-m', 'xero_connector_tests', 'xero', '--port', port, '--data', books]
    child = Child('bench-xero', command, LOG / 'xero-bench.log', cwd=ROOT)
    try:
        url = f'http://localhost:{port}'
        child.wait_until_it_answers(f'{url}/_fake/', 30)
        yield url
    finally:
        child.stop()


def _measure(odoo, task: dict) -> None:
    """Run one experiment in Odoo's shell, logging to a file as a server does."""
    command = odoo.command(
        'shell', '--config', CONFIG, '--database', task['databases'][0], '--no-http', '--logfile', ODOO_LOG)
    environment = {**odoo.environment, 'XERO_BENCH': json.dumps(task)}
    with (
        step(f"Measuring: {task['experiment']}"),
        attended(command, stdin=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process,
    ):
        process.communicate(SCRIPT)
        if process.returncode:
            raise SandboxError(f"{task['experiment']} could not be measured; Odoo's log is {ODOO_LOG}.")
