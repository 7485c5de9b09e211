"""Where everything of the sandbox lies. Standard library only."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / '.sandbox'
VENV = SANDBOX / 'venv'
ODOO = SANDBOX / 'odoo'
DATA = SANDBOX / 'data'
LOG = SANDBOX / 'log'
RUN = SANDBOX / 'run'
APT = SANDBOX / 'apt'
CONFIG = SANDBOX / 'odoo.conf'
PINS = Path(__file__).with_name('pins.txt')
PINS_OF_ADDONS = Path(__file__).with_name('pins_addons.txt')

ADDON = 'xero_connector'
GLUE_ADDON = 'xero_connector_queue_job'
TEST_ADDON = 'xero_connector_tests'


def venv_python() -> Path:
    return VENV / 'bin' / 'python'


def prepare() -> None:
    """Make the folders that only ever hold files of ours."""
    for folder in (SANDBOX, DATA, LOG, RUN):
        folder.mkdir(parents=True, exist_ok=True)


def free_bytes() -> int:
    SANDBOX.mkdir(parents=True, exist_ok=True)
    stat = os.statvfs(SANDBOX)
    return stat.f_bavail * stat.f_frsize
