"""What the user sees while the sandbox works. Everything goes to standard error.

Standard library only.
"""

import sys
import time
from contextlib import contextmanager


class SandboxError(Exception):
    """One clear sentence for the user: which step failed, why, and what to do."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One line per step: what it does, how far it is, how long it took."""

    def __init__(self, title: str):
        self.title = title
        self.started = time.monotonic()
        self._shown = self.started
        self._tty = sys.stderr.isatty()

    def update(self, text: str) -> None:
        """Show `text`: in place on a terminal, elsewhere a line every five seconds."""
        now = time.monotonic()
        if self._tty:
            if now - self._shown >= 0.2:
                self._shown = now
                print(f"\r\033[K  {self.title} … {text} ({self.elapsed})", end='', file=sys.stderr, flush=True)
        elif now - self._shown >= 5:
            self._shown = now
            say(f"  {self.title} … {text} ({self.elapsed})")

    @property
    def elapsed(self) -> str:
        return f"{time.monotonic() - self.started:.0f} s"

    def finish(self, outcome: str) -> None:
        say(f"{chr(13) + chr(27) + '[K' if self._tty else ''}  {self.title}: {outcome} ({self.elapsed})")


@contextmanager
def step(title: str):
    """Announce a step, then say that it is done or that it failed."""
    progress = Progress(title)
    say(f"• {title} …")
    try:
        yield progress
    except BaseException as error:
        progress.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    progress.finish("done")


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"
