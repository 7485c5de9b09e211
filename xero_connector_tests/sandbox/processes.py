"""Starting and ending processes: each in a group of its own, ended by its id only. Standard library only."""

import contextlib
import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from .console import SandboxError
from .paths import ROOT, RUN

PR_SET_PDEATHSIG = 1
try:
    _prctl = ctypes.CDLL(None).prctl
except (OSError, AttributeError):  # not Linux: children are ended by us alone
    _prctl = None


def _die_with_parent() -> None:
    """In the child: ask the kernel for SIGTERM should the parent be killed."""
    if _prctl:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A background process of ours, with its process group and its pid file."""

    def __init__(self, name: str, command: list, log: Path, **options):
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open('ab') as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=_die_with_parent, **options,  # noqa: PLW1509 (one call into libc)
            )
        self.pid_file = remember(name, self.process.pid)

    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self, patience: float = 15) -> None:
        if self.is_running():
            signal_group(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                signal_group(self.process.pid, signal.SIGKILL)
                self.process.wait(5)
        self.pid_file.unlink(missing_ok=True)

    def wait_until_it_answers(self, url: str, patience: int, waiting=lambda: None) -> None:
        """Return at its first good answer to `url`.

        :param waiting: called between two looks
        """
        # straight to this machine, whatever proxy is set
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + patience
        while self.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException), opener.open(url, timeout=60):
                return
            waiting()
            time.sleep(0.2)  # a refused connection comes back at once, and a server has no signal for being ready
        what = f"did not answer within {patience} s" if self.is_running() else "ended at once"
        raise SandboxError(f"The process {self.name} {what}; the end of its log ({self.log}):\n{self.log_tail()}")

    def log_tail(self, lines: int = 15) -> str:
        return '\n'.join(self.log.read_text(encoding='utf-8', errors='replace').splitlines()[-lines:])


@contextlib.contextmanager
def attended(command: list, patience: float = 0, **options):
    """A process in the foreground that does not outlive the block, nor us.

    :param patience: seconds it gets after an interruption to put its things in order
    """
    process = subprocess.Popen([str(part) for part in command], preexec_fn=_die_with_parent, **options)  # noqa: PLW1509
    with process:
        try:
            yield process
        except BaseException:
            if patience:
                # a Ctrl-C reached it already, a SIGTERM only us
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
            process.kill()
            raise


def signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def remember(name: str, pid: int) -> Path:
    """Write the pid file by which `clean` finds a process again."""
    RUN.mkdir(parents=True, exist_ok=True)
    path = RUN / f'{name}-{pid}.pid'
    path.write_text(json.dumps({'pid': pid, 'command': command_line(pid)}), encoding='utf-8')
    return path


def command_line(pid: int) -> str:
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace').strip()
    except OSError:
        return ''


def end_remembered() -> int:
    """End every process a pid file names, if it still is the one that was started here; say how many."""
    ended = 0
    for path in sorted(RUN.glob('*.pid')):
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid = json.loads(path.read_text(encoding='utf-8'))['pid']
            if pid != os.getpid() and _is_ours(pid):
                _end(pid)
                ended += 1
        path.unlink(missing_ok=True)
    return ended


def _is_ours(pid: int) -> bool:
    """Process ids are used again: only a command line or working folder of this repository is ours."""
    if str(ROOT) in command_line(pid):
        return True
    try:
        folder = os.readlink(f'/proc/{pid}/cwd')
    except OSError:
        return False
    return folder == str(ROOT) and 'xero_connector_tests' in command_line(pid)


def _end(pid: int) -> None:
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not command_line(pid):
                return
            time.sleep(0.1)  # it may be another run's child, so there is nothing to wait() for


def require_port(port: int) -> None:
    """Refuse early, in words, when something else listens on `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError as error:
            raise SandboxError(
                f"Port {port} cannot be used ({error.strerror}): stop what uses it, or choose another with --port N."
            ) from None


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]
