"""`test`: our tests in a real Odoo, then the checks of Odoo, OCA and ruff."""

import os
import shutil

from .console import say
from .databases import Databases
from .odoo import Odoo
from .paths import ADDON, CONFIG, ROOT, SANDBOX, TEST_ADDON, venv_python
from .processes import attended, remember

# as odoo/tests/common.py looks for them
BROWSERS = ('google-chrome', 'chromium', 'chromium-browser', 'google-chrome-stable')
NO_TESTS_COLLECTED = 5
# tells tests which database to copy when they need one of their own
TEMPLATE_VARIABLE = 'XERO_TEST_TEMPLATE'


def run(odoo: Odoo, databases: Databases, arguments: list[str]) -> int:
    """Run pytest with `arguments`; without any, everything. The worst exit status counts."""
    pid_file = remember('test', os.getpid())
    try:
        template = databases.test_template()
        results = {}
        if not arguments:
            results["ruff"] = _call("ruff", [venv_python(), '-m', 'ruff', 'check', '--quiet', ROOT])
            results["pylint-odoo"] = _call("pylint-odoo", _pylint())
            with databases.copy_for_run(template, 'lint') as database:
                results["Odoo's test_lint"] = _call("Odoo's test_lint", _test_lint(odoo, database), odoo.environment)
        _announce_browser()
        with databases.copy_for_run(template, 'test') as database:
            environment = {**odoo.environment, TEMPLATE_VARIABLE: template}
            results["tests"] = _call("pytest", _pytest(database, arguments), environment)
    finally:
        pid_file.unlink(missing_ok=True)
    failed = [name for name, status in results.items() if status]
    if failed:
        say(f"✗ failed: {', '.join(failed)}")
    return max(results.values())


def _announce_browser() -> None:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser:
        say(f"• Tours run in {browser}")
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
