"""The virtual environment with everything Odoo and the tests need. Standard library only."""

import importlib.util
import os
import subprocess
import sys

from .building import digest, is_built, remove_tree, require_space, set_stamp
from .console import SandboxError, step
from .paths import LOG, PINS, PINS_OF_ADDONS, VENV, prepare, venv_python
from .processes import attended

NEEDED_SPACE = 4_000_000_000


def key() -> str:
    return digest(*(pins.read_text(encoding='utf-8') for pins in (PINS, PINS_OF_ADDONS)), sys.version_info[:2])


def is_ready() -> bool:
    return is_built(VENV, key()) and venv_python().exists()


def ensure() -> None:
    """Build the environment in its final place (its scripts name it); the stamp, set last, says it is whole."""
    if is_ready():
        return
    if not importlib.util.find_spec('ensurepip') or not importlib.util.find_spec('venv'):
        raise SandboxError(
            "This Python cannot make virtual environments: install the system's package for it "
            "(Debian: python3-venv) and run the command again."
        )
    require_space(NEEDED_SPACE)
    prepare()
    remove_tree(VENV)
    with step("Making the virtual environment"):
        _run([sys.executable, '-m', 'venv', VENV], "Making the virtual environment failed")
    packages = [line for line in PINS.read_text(encoding='utf-8').splitlines() if line and line[0] not in '#-']
    with step(f"Installing {len(packages)} Python packages") as progress:
        _pip(progress, len(packages), '--requirement', PINS)
        _pip(progress, len(packages), '--no-deps', '--requirement', PINS_OF_ADDONS)
        set_stamp(VENV, key())


def _pip(progress, total: int, *arguments) -> None:
    command = [
        venv_python(), '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off',
        *arguments,
    ]
    log = LOG / 'pip.log'
    seen = 0
    with attended(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors='replace', env={**os.environ, 'PYTHONUNBUFFERED': '1'},
    ) as process, log.open('w', encoding='utf-8') as output:
        for line in process.stdout:
            output.write(line)
            if line.startswith('Collecting '):
                seen += 1
                progress.update(f"{line.split()[1]}, {min(99, 100 * seen // total)} %")
            elif line.startswith('Installing collected'):
                progress.update("unpacking")
        status = process.wait()
    if status:
        text = log.read_text(encoding='utf-8')
        raise SandboxError(_reason(text) + f" (all of pip's output is in {log}).")


def _reason(text: str) -> str:
    """Turn pip's output into one sentence."""
    lowered = text.lower()
    if 'no space left' in lowered:
        return "Installing the Python packages failed because the disk is full; make room and run the command again"
    if any(sign in lowered for sign in (
        'connection', 'name resolution', 'timed out', 'network is unreachable', 'proxyerror', 'max retries',
    )):
        return (
            "Installing the Python packages failed because the package index cannot be reached; "
            "check the network (or pip's own configuration) and run the command again"
        )
    if 'do not match the hashes' in lowered or 'hash' in lowered and 'mismatch' in lowered:
        return "A Python package arrived broken; run the command again to download it anew"
    errors = [line for line in text.splitlines() if line.startswith('ERROR: ') and 'Ignored' not in line]
    return f"Installing the Python packages failed: {errors[0][7:] if errors else 'pip gave no reason'}"


def _run(command: list, failure: str) -> None:
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SandboxError(f"{failure}: {lines[-1] if lines else 'no reason given'}.")


def enter(arguments: list[str]) -> None:
    """Go on inside the environment: the same process, its Python."""
    if sys.prefix == str(VENV):
        return
    os.execv(venv_python(), [str(venv_python()), '-m', 'xero_connector_tests', *arguments])
