"""Clocks and counters."""

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest import mock

import requests

from odoo import sql_db


@dataclass
class Measurement:
    """What a block took, for each of the orders it made.

    `seconds` by the wall; `statements` of SQL, of all cursors; `waited` seconds until the first byte of the fake Xero's
    answers, a part of `seconds`; `longest` the seconds of the longest transaction, where somebody counts them.
    """

    orders: int = 1
    seconds: float = 0.0
    statements: int = 0
    waited: float = 0.0
    longest: float = 0.0

    @property
    def milliseconds_each(self) -> float:
        return self.seconds * 1000 / self.orders

    @property
    def statements_each(self) -> float:
        return self.statements / self.orders


@contextmanager
def measured(orders: int = 1):
    """Yield a measurement that is complete after the block."""
    found = Measurement(orders)
    send = requests.Session.send

    def timed_send(*args, **kwargs):
        answer = send(*args, **kwargs)
        found.waited += answer.elapsed.total_seconds()
        return answer

    with mock.patch.object(requests.Session, 'send', timed_send):
        statements = sql_db.sql_counter
        started = time.perf_counter()
        yield found
        found.seconds = time.perf_counter() - started
        found.statements = sql_db.sql_counter - statements


def middle(values) -> float:
    return median(list(values))


def memory(field: str) -> float:
    """MB of this process: `VmRSS` now, `VmHWM` at the most since `forget_peak`."""
    status = Path('/proc/self/status').read_text(encoding='ascii')
    return int(re.search(rf'{field}:\s+(\d+) kB', status)[1]) / 1024


def forget_peak() -> None:
    Path('/proc/self/clear_refs').write_text('5', encoding='ascii')
