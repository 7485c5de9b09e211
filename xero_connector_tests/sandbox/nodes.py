"""Several Odoo processes that serve one database, behind a load balancer, as several machines would."""

import contextlib
import signal
from pathlib import Path

from .balancer import Balancer
from .odoo import Odoo
from .paths import CONFIG
from .processes import Child, free_port, signal_group


class Nodes:
    """Odoo processes by number, the first is 0; all end when left.

    :param int count: how many
    :param int port: the load balancer's
    :param bool jobs: whether OCA's job queue spreads the work; otherwise each node runs scheduled actions
    :param Path logs: the folder for `node-<number>.log`
    """

    def __init__(self, odoo: Odoo, database: str, count: int, port: int, logs: Path, jobs: bool = True):
        self._odoo, self._database, self._jobs, self._logs = odoo, database, jobs, logs
        self.port = port
        self._ports = [free_port() for _number in range(count)]
        self._children: list[Child | None] = [None] * count
        self._balancer = Balancer(port, self._ports)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self._stop)
            stack.enter_context(self._balancer)
            for number in range(len(self._ports)):
                self._log(number).unlink(missing_ok=True)
                self.start(number)
            for number in range(len(self._ports)):
                self.wait_for(number)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error):
        self._stack.close()

    def start(self, number: int) -> None:
        """Start a node, for the first time or after it was killed; it does not answer yet."""
        environment = self._odoo.environment
        options = ['--max-cron-threads', 1]
        if self._jobs:
            options += ['--load', 'web,queue_job']
            # jobs go where the load balancer sends them; one for each node runs at a time
            environment |= {
                'ODOO_QUEUE_JOB_CHANNELS': f'root:{len(self._ports)}', 'ODOO_QUEUE_JOB_HOST': '127.0.0.1',
                'ODOO_QUEUE_JOB_PORT': str(self.port),
            }
        command = self._odoo.command(
            '--config', CONFIG, '--database', self._database, '--db-filter', f'^{self._database}$',
            '--http-port', self._ports[number], *options)
        self._children[number] = Child(f'node-{number}', command, self._log(number), env=environment)

    def _log(self, number: int) -> Path:
        return self._logs / f'node-{number}.log'

    def wait_for(self, number: int) -> None:
        """Return when the node answers."""
        self._children[number].wait_until_it_answers(f'http://127.0.0.1:{self._ports[number]}/web/health', 120)

    def kill(self, number: int) -> None:
        """As a power cut would: SIGKILL."""
        child = self._children[number]
        signal_group(child.process.pid, signal.SIGKILL)
        child.process.wait(10)
        child.stop()

    def pid(self, number: int) -> int:
        return self._children[number].process.pid

    def is_running(self) -> bool:
        return all(child and child.is_running() for child in self._children)

    def _stop(self) -> None:
        for child in self._children:
            if child:
                child.stop()
