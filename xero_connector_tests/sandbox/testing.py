"""`test`: our tests in a real Odoo, then the checks of Odoo, OCA and ruff."""

import contextlib
import os
import subprocess
import sys
import tempfile

from . import browser, covering, sharing_plugin
from .console import say
from .databases import Databases
from .odoo import Odoo
from .paths import ADDON, CONFIG, GLUE_ADDON, LOG, ROOT, SANDBOX, TEST_ADDON, venv_python
from .processes import attended, remember

# tell tests which database to copy when they need one of their own: with our addons, and without
TEMPLATE_VARIABLE = 'XERO_TEST_TEMPLATE'
BARE_VARIABLE = 'XERO_BARE_TEMPLATE'
MOST_RUNS = 4  # of pytest at once, however many processors there are: each has a database and a browser
WAITING_RUNS = 1  # more of them than processors: tests of several processes wait for Odoo's clocks most of their time


def run(odoo: Odoo, databases: Databases, arguments: list[str], coverage: bool = False) -> int:
    """Run pytest with `arguments`; without any, everything. The worst exit status counts.

    :param coverage: tell which lines of our addons the tests execute
    """
    pid_file = remember('test', os.getpid())
    try:
        suite = _Suite(odoo, databases, covering.begin() if coverage else [])
        _announce_browser()
        results = {"tests": suite.run("pytest", arguments)} if arguments else suite.run_all()
    finally:
        pid_file.unlink(missing_ok=True)
    if coverage:
        covering.report()
    failed = [name for name, status in results.items() if status]
    if failed:
        say(f"✗ failed: {', '.join(failed)}")
    return max(results.values())


class _Suite:
    """Our tests and the checks, each run of them in a database of its own."""

    def __init__(self, odoo: Odoo, databases: Databases, observed: list[str]):
        self.odoo, self.databases, self.observed = odoo, databases, observed
        self.template = databases.test_template()
        self.environment = {
            **odoo.environment, TEMPLATE_VARIABLE: self.template, BARE_VARIABLE: databases.bare_template(),
        }

    def run(self, title: str, arguments: list[str]) -> int:
        with self.databases.copy_for_run(self.template, 'test') as database:
            return _call(title, self._pytest(database, arguments), self.environment)

    def run_all(self) -> dict[str, int]:
        """All checks, and every test once. A pytest for each processor, and one more, share the tests file by file; one
        of them begins when the checks are through."""
        results = {}
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as others:
            share = sharing_plugin.arguments(folder)
            for number in range(2, min(_processors() + WAITING_RUNS, MOST_RUNS) + 1):
                others.enter_context(self._beside(number, share, results))
            results |= self.check()
            results["tests"] = self.run("pytest", share)
        return results

    def check(self) -> dict[str, int]:
        """What needs no test of ours."""
        results = {
            "ruff": _call("ruff", [venv_python(), '-m', 'ruff', 'check', '--quiet', ROOT]),
            "pylint-odoo": _call("pylint-odoo", _pylint()),
        }
        with self.databases.copy_for_run(self.template, 'lint') as database:
            command = _test_lint(self.odoo, database)
            results["Odoo's test_lint"] = _call("Odoo's test_lint", command, self.odoo.environment)
        return results

    @contextlib.contextmanager
    def _beside(self, number: int, arguments: list[str], results: dict):
        """Run tests while the block is at work; what they have to say is shown after it, in one piece."""
        log = LOG / f'tests-{number}.log'
        # what failed last is kept apart: of two that write it at once, the later one wins
        cache = ['--override-ini', f'cache_dir={SANDBOX / f"pytest_cache_{number}"}']
        say(f"• pytest {number}, beside all that follows …")
        with self.databases.copy_for_run(self.template, f'test{number}') as database, log.open('wb') as output:
            command = self._pytest(database, [*arguments, *cache])
            options = {'stdin': subprocess.DEVNULL, 'stdout': output, 'stderr': subprocess.STDOUT}
            with attended(command, patience=20, cwd=ROOT, env=self.environment, **options) as process:
                yield
                results[f"tests of pytest {number}"] = process.wait()
        say(f"• pytest {number} said meanwhile:")
        sys.stdout.write(log.read_text(encoding='utf-8', errors='replace'))
        sys.stdout.flush()

    def _pytest(self, database: str, arguments: list[str]) -> list:
        paths = [] if any((ROOT / part.split('::')[0]).exists() for part in arguments) else [TEST_ADDON]
        return [
            venv_python(), *self.observed, '-m', 'pytest', f'--odoo-database={database}', f'--odoo-config={CONFIG}',
            '--odoo-http', '--override-ini', f'cache_dir={SANDBOX / "pytest_cache"}', *paths, *arguments,
        ]


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _announce_browser() -> None:
    program = browser.find()
    if program:
        say(f"• Tours run in {program}")
    else:
        say("• No Chromium or Chrome found: the tours are reported as skipped (on Debian: apt-get install chromium)")


def _call(title: str, command: list, environment: dict | None = None) -> int:
    say(f"• {title} …")
    with attended(command, patience=20, cwd=ROOT, env=environment) as process:
        return process.wait()


def _pylint() -> list:
    ours = [ROOT / addon for addon in (ADDON, GLUE_ADDON, TEST_ADDON)]
    settings = ROOT / TEST_ADDON / 'sandbox' / 'pylintrc'
    return [venv_python(), '-m', 'pylint', f'--rcfile={settings}', *ours]


def _test_lint(odoo: Odoo, database: str) -> list:
    """Odoo's own checks; the plug-in narrows them down to our addons."""
    tests = next(folder / 'test_lint' / 'tests' for folder in odoo.addons if (folder / 'test_lint').is_dir())
    return [
        venv_python(), '-m', 'pytest', '-p', f'{TEST_ADDON}.sandbox.lint_plugin', f'--odoo-database={database}',
        f'--odoo-config={CONFIG}', f'--rootdir={ROOT}', '--config-file', ROOT / 'pytest.ini', '--quiet', '--tb=short',
        '--override-ini', f'cache_dir={SANDBOX / "pytest_cache"}', '--override-ini', 'norecursedirs=',
        # cannot start under the pylint of today; pylint-odoo has been through the same files
        '-k', 'not TestPyLint', tests,
    ]
