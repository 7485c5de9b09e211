"""What each verb of the command line does, once the virtual environment is there."""

import contextlib
import subprocess
import sys
from pathlib import Path

from . import odoo, postgres
from .console import SandboxError
from .databases import DEMO, Databases
from .paths import ROOT


@contextlib.contextmanager
def workplace(options):
    """Odoo found, PostgreSQL up, the configuration written."""
    found = odoo.find(options.odoo)
    with postgres.server(options.db_url) as server:
        odoo.write_config(found, server)
        yield found, Databases(server, found)


def test(options) -> int:
    from .testing import run

    with workplace(options) as (found, databases):
        return run(found, databases, options.pytest_arguments, options.coverage)


def bench(options) -> int:
    from ..benchmarks.run import run

    return run(options, workplace)


def demo(options) -> int:
    from .demo import run

    return run(options, workplace)


def pictures(options) -> int:
    from .pictures import run

    return run(options, workplace)


def xero(options) -> int:
    from .xero import run

    return run(options)


def words(options) -> int:
    from .words import run

    with workplace(options) as (found, databases):
        return run(found, databases)


def shell(options) -> int:
    script = Path(options.file).resolve() if options.file else None
    if script and not script.is_file():
        raise SandboxError(f"There is no file {script}.")
    with workplace(options) as (found, databases):
        name = options.database or DEMO
        if not databases.exists(name):
            if options.database:
                raise SandboxError(f"There is no database {name}.")
            databases.fresh_demo(databases.demo_template())
        command = found.command(
            'shell', '--config', odoo.CONFIG, '--database', name, '--no-http', '--log-level=warn')
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(script.open('rb')) if script else sys.stdin
            # Ctrl-C is the shell's own: it stops what runs in it, not us
            try:
                return subprocess.run(command, stdin=source, cwd=ROOT, env=found.environment).returncode
            except KeyboardInterrupt:
                return 130
