"""`test`: our tests in a real Odoo, then the checks of Odoo, OCA and ruff."""

import contextlib
import os
import subprocess
import sys

from . import browser
from .console import say
from .databases import Databases
from .odoo import Odoo
from .paths import ADDON, CONFIG, LOG, ROOT, SANDBOX, TEST_ADDON, venv_python
from .processes import attended, remember

# tell tests which database to copy when they need one of their own: with our addons, and without
TEMPLATE_VARIABLE = 'XERO_TEST_TEMPLATE'
BARE_VARIABLE = 'XERO_BARE_TEMPLATE'


def run(odoo: Odoo, databases: Databases, arguments: list[str]) -> int:
    """Run pytest with `arguments`; without any, everything. The worst exit status counts."""
    pid_file = remember('test', os.getpid())
    try:
        suite = _Suite(odoo, databases)
        _announce_browser()
        results = {"tests": suite.run("pytest", arguments)} if arguments else suite.run_all()
    finally:
        pid_file.unlink(missing_ok=True)
    failed = [name for name, status in results.items() if status]
    if failed:
        say(f"✗ failed: {', '.join(failed)}")
    return max(results.values())


class _Suite:
    """Our tests and the checks, each run of them in a database of its own."""

    def __init__(self, odoo: Odoo, databases: Databases):
        self.odoo, self.databases = odoo, databases
        self.template = databases.test_template()
        self.environment = {
            **odoo.environment, TEMPLATE_VARIABLE: self.template, BARE_VARIABLE: databases.bare_template(),
        }

    def run(self, title: str, arguments: list[str]) -> int:
        with self.databases.copy_for_run(self.template, 'test') as database:
            return _call(title, _pytest(database, arguments), self.environment)

    def run_all(self) -> dict[str, int]:
        """All checks, and every test once, in three parts: one alone leaves all processors but one idle. The tours are
        the last and alone: a browser that has to wait for its turn is no failure of ours."""
        slow, others, tours = (['-m', marks] for marks in ('slow and not tour', 'not slow and not tour', 'tour'))
        together = _processors() > 1
        results = {}
        with self._beside("the slow tests", slow, results) if together else contextlib.nullcontext():
            results |= self.check()
            results["tests"] = self.run("pytest, all but the slow tests and the tours", others)
        if not together:
            results["the slow tests"] = self.run("pytest, the slow tests", slow)
        results["tours"] = self.run("pytest, the tours", tours)
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
    def _beside(self, title: str, arguments: list[str], results: dict):
        """Run tests while the block is at work; what they have to say is shown after it, in one piece."""
        log = LOG / 'tests-beside.log'
        # what failed last is kept apart: of two that write it at once, the later one wins
        cache = ['--override-ini', f'cache_dir={SANDBOX / "pytest_cache_beside"}']
        say(f"• pytest, {title}, beside the others …")
        with self.databases.copy_for_run(self.template, 'beside') as database, log.open('wb') as output:
            command = _pytest(database, [*arguments, *cache])
            options = {'stdin': subprocess.DEVNULL, 'stdout': output, 'stderr': subprocess.STDOUT}
            with attended(command, patience=20, cwd=ROOT, env=self.environment, **options) as process:
                yield
                results[title] = process.wait()
        say(f"• pytest, {title}, said meanwhile:")
        sys.stdout.write(log.read_text(encoding='utf-8', errors='replace'))
        sys.stdout.flush()


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


def _pytest(database: str, arguments: list[str]) -> list:
    paths = [] if any((ROOT / part.split('::')[0]).exists() for part in arguments) else [TEST_ADDON]
    return [
        venv_python(), '-m', 'pytest', f'--odoo-database={database}', f'--odoo-config={CONFIG}', '--odoo-http',
        '--override-ini', f'cache_dir={SANDBOX / "pytest_cache"}', *paths, *arguments,
    ]


def _pylint() -> list:
    settings = ROOT / TEST_ADDON / 'sandbox' / 'pylintrc'
    return [venv_python(), '-m', 'pylint', f'--rcfile={settings}', ROOT / ADDON, ROOT / TEST_ADDON]


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
