"""The Odoo the sandbox runs: where it lies, its configuration, running it. Standard library only."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import apt
from .building import build_lock, stamp_text
from .console import SandboxError
from .paths import CONFIG, DATA, LOG, ODOO, ROOT, venv_python

PACKAGE = 'usr/lib/python3/dist-packages'


@dataclass
class Odoo:
    """An installation of Odoo 19."""

    library: Path
    addons: list[Path]
    version: str

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(('PG', 'ODOO_'))}
        return {
            **inherited, 'PYTHONPATH': str(self.library), 'PYTHONWARNINGS': 'ignore', 'TZ': 'UTC',
            # the renderer that comes as a wheel draws the barcodes of printed transfers; the default needs Cairo
            'RL_renderPMBackend': '_renderPM',
            # Odoo's checks call pylint by its name
            'PATH': f"{venv_python().parent}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        }

    def command(self, *arguments) -> list[str]:
        return [str(venv_python()), '-m', 'odoo', *map(str, arguments)]

    def run(self, failure: str, *arguments, script: str = '') -> None:
        """Run Odoo to its end, with `script` on standard input; its log is shown only when it fails."""
        log = LOG / 'odoo-build.log'
        done = subprocess.run(
            self.command(*arguments), input=script, text=True, capture_output=True, cwd=ROOT, env=self.environment,
        )
        log.write_text(done.stdout + done.stderr, encoding='utf-8')
        if done.returncode or ' CRITICAL ' in done.stderr:
            raise SandboxError(f"{failure}; the end of Odoo's log ({log}):\n{_tail(done.stdout + done.stderr)}")


def _tail(text: str, lines: int = 25) -> str:
    return '\n'.join(text.rstrip().splitlines()[-lines:])


def find(path: str = '') -> Odoo:
    """The Odoo of `--odoo PATH`, or the one fetched into the sandbox."""
    if path:
        return _at(Path(path).expanduser().resolve())
    with build_lock():
        if not stamp_text(ODOO):
            apt.fetch_odoo()
    return _at(ODOO)


def _at(place: Path) -> Odoo:
    for library in (place, place / PACKAGE, place.parent):
        release = library / 'odoo' / 'release.py'
        if not release.is_file():
            continue
        found = re.search(r'version_info\s*=\s*\((\d+)\s*,\s*(\d+)', release.read_text(encoding='utf-8'))
        if not found or found[1] != '19':
            raise SandboxError(f"{place} holds Odoo {found[1] if found else 'of unknown version'}, not Odoo 19.")
        addons = [folder for folder in (library / 'addons', library / 'odoo' / 'addons') if _has_addons(folder)]
        made_from = stamp_text(place) or f'{release.stat().st_mtime:.0f}'
        return Odoo(library, addons, f'{library} {made_from}')
    raise SandboxError(f"There is no Odoo 19 in {place}: --odoo takes a checkout (with odoo-bin) or an installation.")


def _has_addons(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob('*/__manifest__.py'))


def write_config(odoo: Odoo, server) -> Path:
    """Write the configuration all our Odoo processes share."""
    options = {
        'addons_path': ','.join(map(str, [*odoo.addons, ROOT])),
        'data_dir': DATA,
        'db_host': server.host or False,
        'db_port': server.port or False,
        'db_user': server.user or False,
        'db_password': server.password or False,
        'db_maxconn': 48,
        'http_interface': '127.0.0.1',
        'list_db': 'False',
        'workers': 0,
        'max_cron_threads': 0,
        'limit_time_cpu': 3600,
        'limit_time_real': 3600,
        'limit_memory_hard': 0,
        'limit_memory_soft': 0,
        'screenshots': LOG,
        'without_demo': True,
    }
    text = '[options]\n' + ''.join(f'{name} = {value}\n' for name, value in options.items() if value is not False)
    partial = CONFIG.with_suffix(f'.{os.getpid()}')
    partial.touch(mode=0o600)
    partial.write_text(text, encoding='utf-8')
    partial.rename(CONFIG)
    return CONFIG
