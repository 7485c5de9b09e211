"""Odoo 19 from Debian's archive: fetched and unpacked, never installed. Standard library only.

The machine's own apt does the work, with a sources list, lists and cache of the sandbox, so nothing on the machine
changes and no right is needed. Which mirror it uses is the machine's own choice.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from .building import built_aside, digest, remove_tree, require_space
from .console import SandboxError, megabytes, step
from .paths import APT, LOG, ODOO
from .processes import attended

PACKAGES = (
    'odoo-19',
    # what Odoo's package leaves to others: the targets of its symbolic links
    'libjs-jquery', 'libjs-jquery-form', 'libjs-underscore', 'fonts-font-awesome', 'fonts-roboto-unhinted',
)
NEEDED_SPACE = 4_000_000_000
KEYRINGS = ('debian-archive-keyring.pgp', 'debian-archive-keyring.gpg')
# Debian leaves this file out; without it no backend page loads. Only video calls would use it.
MISSING_STUB = 'mail/static/lib/selfie_segmentation/selfie_segmentation.js'
ELSEWHERE = "give the folder of an Odoo 19 with --odoo PATH instead"


def fetch_odoo() -> None:
    """Fill `.sandbox/odoo` with the unpacked packages."""
    for tool in ('apt-get', 'dpkg-deb'):
        if not shutil.which(tool):
            raise SandboxError(f"There is no {tool} on this machine, so Odoo cannot be fetched: {ELSEWHERE}.")
    require_space(NEEDED_SPACE)
    options = _private_apt()
    with step("Reading Debian's list of packages"):
        _apt(options, 'update', '-o', 'APT::Update::Error-Mode=any')
    wanted = _wanted(options)
    with step(f"Downloading Odoo 19 ({megabytes(sum(size for _name, size, _sum in wanted))})") as progress:
        _download(options, wanted, progress)
    key = digest([name for name, _size, _sum in wanted])
    with step("Unpacking Odoo 19 (1.2 GB)"), built_aside(ODOO, key) as folder:
        for name, _size, _sum in wanted:
            _run(['dpkg-deb', '-x', APT / 'debs' / name, folder])
        mend(folder)
    remove_tree(APT)


def mend(folder: Path) -> None:
    """Point links at the folder instead of at the system, and add the file Debian leaves out."""
    for link in folder.rglob('*'):
        if not link.is_symlink():
            continue
        target = link.readlink()
        if target.is_absolute() and not str(target).startswith(str(ODOO)):
            link.unlink()
            # the folder is renamed to its final place when it is whole: a relative link survives that
            link.symlink_to(os.path.relpath(folder / str(target).lstrip('/'), link.parent))
    stub = folder / 'usr/lib/python3/dist-packages/odoo/addons' / MISSING_STUB
    if not stub.exists():
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text("// left out by Debian\n", encoding='utf-8')



def _private_apt() -> list[str]:
    """Options that keep apt within the sandbox."""
    keyring = next((path for name in KEYRINGS if (path := Path('/usr/share/keyrings') / name).exists()), None)
    mirror = _mirror()
    if not mirror or not keyring:
        raise SandboxError(f"This machine's apt knows no Debian archive, so Odoo cannot be fetched: {ELSEWHERE}.")
    for folder in ('lists/partial', 'cache/archives/partial', 'debs'):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    sources = APT / 'sources.list'
    sources.write_text(f'deb [signed-by={keyring}] {mirror} unstable main\n', encoding='utf-8')
    settings = {
        'Dir::Etc::sourcelist': sources,
        'Dir::Etc::sourceparts': '/dev/null',
        'Dir::Etc::preferences': '/dev/null',
        'Dir::Etc::preferencesparts': '/dev/null',
        'Dir::State::lists': APT / 'lists',
        'Dir::Cache': APT / 'cache',
        'APT::Default-Release': 'unstable',
        'APT::Sandbox::User': 'root',
        'Acquire::Languages': 'none',
        'Acquire::Retries': '2',
    }
    return [part for name, value in settings.items() for part in ('-o', f'{name}={value}')]


def _mirror() -> str:
    """The mirror this machine takes Debian's main archive from."""
    done = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(COMPONENT)', 'Created-By: Packages'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    found = [line.split('|') for line in done.stdout.splitlines()]
    return next((
        uri for uri, origin, label, component in found
        if (origin, label, component) == ('Debian', 'Debian', 'main')
    ), '') or _mirror_before_update()


def _mirror_before_update() -> str:
    """On an image that never ran `apt-get update` the origin is unknown: go by the archive's name."""
    done = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    return next((uri for uri in done.stdout.splitlines() if uri.rstrip('/').endswith('/debian')), '')


def _wanted(options: list[str]) -> list[tuple[str, int, str]]:
    """File name, size and SHA-256 of each package, as the signed list says."""
    output = _apt(options, 'download', '--print-uris', *PACKAGES)
    wanted = re.findall(r"^'[^']+' (\S+) (\d+) SHA256:([0-9a-f]{64})", output, re.MULTILINE)
    if len(wanted) != len(PACKAGES):
        raise SandboxError(f"Debian's archive does not offer {PACKAGES[0]} (any more): {ELSEWHERE}.")
    return [(name, int(size), checksum) for name, size, checksum in wanted]


def _download(options: list[str], wanted: list, progress) -> None:
    folder = APT / 'debs'
    for attempt in (1, 2):
        missing = [entry for entry in wanted if not _is_whole(folder / entry[0], entry[2])]
        if not missing:
            return
        total = sum(size for _name, size, _sum in wanted)
        with (LOG / 'apt.log').open('w', encoding='utf-8') as log, attended(
            ['apt-get', *options, '-q', 'download', *PACKAGES],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
        ) as process:
            while process.poll() is None:
                time.sleep(0.3)  # between two looks at how much has come: apt-get tells nothing without a terminal
                size = sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())
                progress.update(f"{megabytes(size)}, {min(100, 100 * size // total)} %")
        if process.returncode:
            text = (LOG / 'apt.log').read_text(encoding='utf-8', errors='replace')
            if 'hash' not in text.lower() or attempt == 2:
                raise SandboxError(_reason(text))
        for name, _size, checksum in wanted:
            if not _is_whole(folder / name, checksum):
                remove_tree(folder / name)
    if any(not _is_whole(folder / name, checksum) for name, _size, checksum in wanted):
        raise SandboxError(
            "Odoo's package arrived broken twice and was removed; run the command again, "
            f"or {ELSEWHERE}."
        )


def _is_whole(path: Path, checksum: str) -> bool:
    if not path.is_file():
        return False
    sha = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest() == checksum


def _apt(options: list[str], *arguments: str) -> str:
    return _run(['apt-get', *options, '-q', *arguments])


def _run(command: list) -> str:
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise SandboxError(_reason(done.stdout + done.stderr))
    return done.stdout


def _reason(text: str) -> str:
    """Turn the output of apt or dpkg into one sentence."""
    lowered = text.lower()
    if 'no space left' in lowered or 'enough free space' in lowered:
        return "Fetching Odoo failed because the disk is full; make room and run the command again."
    if any(sign in lowered for sign in (
        'could not resolve', 'could not connect', 'unable to connect', 'connection failed', 'temporary failure',
        'connection timed out', 'network is unreachable', 'cannot initiate', 'connection refused',
    )):
        return (
            "Fetching Odoo failed because Debian's archive cannot be reached; check the network "
            f"and run the command again, or {ELSEWHERE}."
        )
    errors = [line[2:].strip() for line in text.splitlines() if line.startswith('E:')]
    if any('unable to locate' in error.lower() for error in errors):
        return f"Debian's archive does not offer {PACKAGES[0]} (any more): {ELSEWHERE}."
    lines = errors or text.strip().splitlines()[-1:] or ["no reason given"]
    return f"Fetching Odoo failed: {lines[0]}; run the command again, or {ELSEWHERE}."
