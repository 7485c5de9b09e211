"""Building without leaving anything half built: a lock, stamps, and keys. Standard library only."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from .console import SandboxError, megabytes, say
from .paths import SANDBOX, free_bytes, prepare

STAMP = '.made-from'


@contextmanager
def build_lock():
    """Let one process at a time build. The kernel releases the lock whatever becomes of its holder."""
    prepare()
    path = SANDBOX / 'lock'
    while True:
        handle = path.open('a+', encoding='utf-8')
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            say(f"  waiting for another run (process {handle.read().strip() or 'unknown'}) to finish building …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        # `clean` may have removed the file while this process waited for it
        if path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino:
            break
        handle.close()
        prepare()
    try:
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()))
        handle.flush()
        yield
    finally:
        handle.close()


def is_built(folder: Path, key: str) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding='utf-8') == key


def stamp_text(folder: Path) -> str:
    stamp = folder / STAMP
    return stamp.read_text(encoding='utf-8') if stamp.is_file() else ''


def set_stamp(folder: Path, key: str) -> None:
    """Say, as the very last act of building it, what `folder` was made from."""
    partial = folder / f'{STAMP}.partial'
    partial.write_text(key, encoding='utf-8')
    partial.rename(folder / STAMP)


@contextmanager
def built_aside(target: Path, key: str):
    """Yield an empty folder that takes the place of `target` once the block is through."""
    partial = target.with_name(f'{target.name}.partial')
    remove_tree(partial)
    partial.mkdir(parents=True)
    try:
        yield partial
        set_stamp(partial, key)
    except BaseException:
        remove_tree(partial)
        raise
    remove_tree(target)
    partial.rename(target)


def remove_tree(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def require_space(needed: int) -> None:
    free = free_bytes()
    if free < needed:
        raise SandboxError(
            f"Too little disk space for the sandbox: {megabytes(needed)} are needed in {SANDBOX}, "
            f"{megabytes(free)} are free; make room and run the command again."
        )


def digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:12]


def digest_files(folders: Iterable[Path], ignored: Iterable[Path] = ()) -> str:
    """Hash names and contents of all files below `folders`, except caches and what lies below `ignored`."""
    ignored = tuple(ignored)
    sha = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob('*')):
            if '__pycache__' in path.parts or not path.is_file() or any(skip in path.parents for skip in ignored):
                continue
            sha.update(f'{path.relative_to(folder)}\0'.encode())
            sha.update(path.read_bytes())
    return sha.hexdigest()[:12]
