"""Runs inside Odoo's shell, once for each experiment (see run.py)."""

import importlib
import json
import os
from pathlib import Path

from . import figures
from .books import Books


def run(env):
    """Do what `XERO_BENCH` asks for: `{experiment, databases, fake_url, invoices, memory_invoices, items, result}`."""
    task = json.loads(os.environ['XERO_BENCH'])
    experiment = importlib.import_module(f"{__package__}.{task['experiment']}")
    found = experiment.measure(env, Books(task['fake_url']), task)
    if found:
        figures.write(found, Path(task['result']))
