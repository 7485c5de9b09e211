"""What tests of worker processes stand on: databases of their own, workers to start and to kill, real commits."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from unittest import SkipTest
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import psycopg2
import requests

import odoo
from odoo import SUPERUSER_ID, api, release, sql_db
from odoo.modules.registry import Registry
from odoo.tests import BaseCase
from odoo.tools import config

from ..sandbox.databases import END_SESSIONS, Databases
from ..sandbox.odoo import Odoo
from ..sandbox.postgres import Server
from ..sandbox.processes import attended
from ..sandbox.testing import TEMPLATE_VARIABLE

WORKER = Path(__file__).with_name("import_worker.py")
PATIENCE = 300  # seconds for the slowest step


class Moment(NamedTuple):
    """When a worker is killed: at its n-th request that matches an expression (of
    method and path), or as its `Fate` says; `database_lost`
    takes its database connections away first."""

    request: str = ""
    number: int = 1
    fate: dict = {}
    delay: float = 0
    tokens_expired: bool = False
    database_lost: bool = False


class Workers:
    """Workers of one database, one after the other; see `import_worker.py`."""

    def __init__(self, process, log):
        self._process, self._log = process, log
        self._heard = queue.SimpleQueue()
        self._pid, self._started = None, threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self._heard.put(json.loads(line))
        self._heard.put(("gone", None))

    def hear(self, expected):
        """The value of the next thing they say, which must be this one."""
        try:
            what, value = self._heard.get(timeout=PATIENCE)
        except queue.Empty:
            what, value = "nothing", None
        if what != expected:
            raise AssertionError(f"heard {what} {value} instead of {expected}\n{self.words()}")
        return value

    def words(self):
        return "\n".join(self._log.read_text(encoding="utf-8").splitlines()[-30:])

    def start(self, fate=None):
        self._process.stdin.write(json.dumps(fate or {}) + "\n")
        self._process.stdin.flush()
        self._pid = self.hear("started")
        self._started.set()

    def kill(self):
        """Kill the one that works, as soon as we know who that is: its first request may be faster."""
        if self._started.wait(PATIENCE):
            os.kill(self._pid, signal.SIGKILL)

    def status(self):
        """The exit status of the one that works, once it has ended."""
        status = self.hear("ended")
        self._started.clear()
        return status

    def finish(self):
        """Let the one that works come to its end, and say what it has seen."""
        seen = self.hear("done")
        if status := self.status():
            raise AssertionError(f"a worker ended with {status}\n{self.words()}")
        return seen

    def end(self):
        """End all that still runs."""
        self._process.kill()
        if self._started.is_set():
            with suppress(ProcessLookupError):
                self.kill()


class WorkersCase(BaseCase):
    """Outside the test transaction: `cls.fake` is what the databases of the class are connected to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = os.environ.get(TEMPLATE_VARIABLE)
        if not cls.template:
            raise SkipTest("needs databases of its own, which `python3 -m xero_connector_tests test` gives")
        cls.server = Server(
            host=config["db_host"] or "",
            port=config["db_port"] or 0,
            user=config["db_user"] or "",
            password=config["db_password"] or "",
        )
        cls.databases = Databases(cls.server, Odoo(Path(odoo.__path__[0]).parent, [], release.version))
        cls.logs = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    @classmethod
    @contextmanager
    def _registry(cls, database):
        """The registry of another database, in this process."""
        try:
            # A registry that is loaded while tests are on runs them.
            with patch.dict(config.options.maps[0], test_enable=False):
                yield Registry(database)
        finally:
            Registry.delete(database)
            sql_db.close_db(database)

    @classmethod
    def _make_app(cls, env):
        """An app of the fake Xero, which this database talks to from now on."""
        set_param = env["ir.config_parameter"].set_param
        for name in ("api_url", "identity_url", "login_url"):
            set_param(f"xero_connector.{name}", getattr(cls.fake, name))
        set_param("web.base.url", "http://localhost:8069")
        return env["xero.app"].create(
            {"name": "Workers", "client_id": cls.fake.client_id, "client_secret": cls.fake.client_secret}
        )

    @classmethod
    def _consent(cls, registry, name):
        """What a user does with a browser, request by request."""
        cls.fake.auto_tenants = [name]
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            url = env["xero.connection"].search([("name", "=", name)]).action_connect()["url"]
        answer = requests.get(url, allow_redirects=False, timeout=10)
        redirect = {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            connection = env["xero.connection"]._connection_from_state(redirect["state"])
            if connection._complete_consent(redirect["code"]):
                raise AssertionError(connection.message)

    @classmethod
    @contextmanager
    def _env(cls):
        """A transaction of somebody at work in Odoo, in the database of the class."""
        with cls.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def _as_a_request(self, work, *args):
        """As Odoo does with a request: what meets another transaction is done again."""
        for _attempt in range(100):
            with suppress(psycopg2.OperationalError), self._env() as env:
                return work(env, *args)
        return self.fail("a user never got through")

    @classmethod
    @contextmanager
    def _workers(cls, database, *options):
        """Workers, loaded; none outlives the block.

        :param options: further arguments of `import_worker.py`
        """
        log = cls.logs / f"{len(list(cls.logs.iterdir()))}.log"
        command = [sys.executable, WORKER, config["config"], database, *options]
        with log.open("w", encoding="utf-8") as stderr, attended(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process:
            workers = Workers(process, log)
            try:
                workers.hear("ready")
                yield workers
            finally:
                workers.end()

    def _kill(self, workers, moment, database):
        """Start a worker and kill it at this moment."""
        if moment.tokens_expired:
            self.fake.identity.expire_access_tokens()
        left = moment.number

        def kill_at_request(request):
            nonlocal left
            if re.search(moment.request, f"{request.method} {request.path}"):
                left -= 1
                if not left:
                    workers.kill()

        self.fake.on_request = kill_at_request if moment.request else None
        workers.start(moment.fate)
        if moment.fate.get("tell"):
            workers.hear("now")
            if moment.database_lost:
                self.server.execute(END_SESSIONS, [database])
            time.sleep(moment.delay)  # waits for nothing: the kill is to come at a moment nobody chose
            with suppress(ProcessLookupError):  # without its database it may have ended by itself
                workers.kill()
        if moment.database_lost:
            self.assertNotEqual(workers.status(), 0)
        else:
            self.assertEqual(workers.status(), -signal.SIGKILL)
        self.fake.on_request = None

    @contextmanager
    def _told(self, circumstances):
        """Say under which circumstances a failure came."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f"{error}\n{circumstances}") from error
