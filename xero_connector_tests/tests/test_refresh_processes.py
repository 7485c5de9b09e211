"""One refresh, however many processes ask; and a process killed in the middle of it costs nobody the consent.

Real processes, real commits, real SIGKILL.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo import api, fields
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import config

from odoo.addons.xero_connector import const

from ..sandbox.fake_xero import FakeXero
from ..sandbox.processes import attended

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("refresh_worker.py")
MANY = 20
PATIENCE = 60  # seconds for the slowest step
REDIRECT = "http://localhost:8069/xero/oauth/callback"


@tagged("post_install", "-at_install")
class TestRefreshProcesses(BaseCase):
    """Outside the test transaction: other tests see nothing of it, as everything is removed again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log = cls.enterClassContext(tempfile.TemporaryFile("w+"))
        cls.process = cls.enterClassContext(
            attended(
                [sys.executable, WORKER, config["config"], get_db_name()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=cls.log, text=True,
            )
        )
        cls.addClassCleanup(cls.process.kill)
        cls.heard = queue.SimpleQueue()
        threading.Thread(target=cls._listen, daemon=True).start()
        cls._hear("ready")

    @classmethod
    def _listen(cls):
        for line in cls.process.stdout:
            cls.heard.put(json.loads(line))
        cls.heard.put(("gone", None))

    @classmethod
    def _hear(cls, *expected):
        """The next thing the processes say: what, and its value."""
        try:
            what, value = cls.heard.get(timeout=PATIENCE)
        except queue.Empty:
            what, value = "nothing", None
        if what not in expected:
            cls.log.seek(0)
            raise AssertionError(f"heard {what} {value} instead of {expected}\n{cls.log.read()[-3000:]}")
        return what, value

    def setUp(self):
        super().setUp()
        self.fake = FakeXero().start()
        self.addCleanup(self.fake.stop)
        self.org = self.fake.add_organisation("Many processes")
        code = self.fake.identity.consent([self.org], list(const.SCOPE_NEEDS), REDIRECT)
        self.registry = Registry(get_db_name())
        self.addCleanup(self._remove)
        with self.registry.cursor() as cr:
            env = self.env(cr)
            for name in ("api_url", "identity_url"):
                env["ir.config_parameter"].set_param(f"xero_connector.{name}", getattr(self.fake, name))
            app = env["xero.app"].create(
                {"name": "Many", "client_id": self.fake.client_id, "client_secret": self.fake.client_secret}
            )
            self.app_id = app.id
            answer = self.fake.identity.exchange(code, REDIRECT)
            grant = env["xero.grant"].create(env["xero.grant"]._values_from_answer(answer) | {"app_id": app.id})
            grant.access_expires_at = fields.Datetime.now() - timedelta(minutes=1)
            self.fake.identity.expire_access_tokens()
            self.grant_id = grant.id
            connection = env["xero.connection"].create(
                {
                    "name": "Many",
                    "app_id": app.id,
                    "grant_id": grant.id,
                    "tenant_id": self.org.tenant_id,
                    "state": "connected",
                    "next_poll": fields.Datetime.now(),
                }
            )
            self.connection_id = connection.id

    def _remove(self):
        with self.registry.cursor() as cr:
            env = self.env(cr)
            connections = env["xero.connection"].search([("app_id", "=", self.app_id)])
            connections.state = "draft"
            connections.unlink()
            env["xero.app"].browse(self.app_id).unlink()
            for name in ("api_url", "identity_url"):
                env["ir.config_parameter"].set_param(f"xero_connector.{name}", False)

    def env(self, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    # === PROCESSES === #

    def _start(self, count, deadly=False):
        """Have so many processes ask at once; `deadly`: one dies between the answer and its commit."""
        self.process.stdin.write(json.dumps({"grant_id": self.grant_id, "count": count, "deadly": deadly}) + "\n")
        self.process.stdin.flush()

    def _finish(self):
        """What the processes got and how they ended: tokens, exit statuses."""
        tokens = []
        what = None
        while what != "ended":
            what, value = self._hear("started", "token", "ended")
            if what == "token":
                tokens.append(value)
        return tokens, value

    def _kill_during(self, owner, name, before):
        """Kill the only process that asks, before or after the fake does this; it is dead before the fake goes on."""
        original = getattr(owner, name)
        statuses = []

        def deadly(*args):
            answer = None if before else original(*args)
            with suppress(ProcessLookupError):
                os.kill(self._hear("started")[1][0], signal.SIGKILL)
            statuses.extend(self._hear("ended")[1])
            dead.set()
            return original(*args) if before else answer

        dead = threading.Event()
        with patch.object(owner, name, deadly):
            self._start(1)
            self.assertTrue(dead.wait(PATIENCE))
        self.assertEqual(statuses, [-signal.SIGKILL])

    def _refreshes(self):
        return len(self.fake.calls("POST", "/connect/token"))

    def _stored(self):
        with self.registry.cursor() as cr:
            grant = self.env(cr)["xero.grant"].browse(self.grant_id)
            return grant.access_token, grant.refresh_token

    def _assert_nobody_has_to_reconnect(self):
        """The next ones who ask get a token, and the connection's own work goes on."""
        self._start(2)
        tokens, statuses = self._finish()
        self.assertEqual((len(tokens), statuses), (2, [0, 0]))
        self.assertEqual(set(tokens), {self._stored()[0]})
        with self.registry.cursor() as cr:
            connection = self.env(cr)["xero.connection"].browse(self.connection_id)
            connection._poll_safely()
            self.assertEqual((connection.state, connection.message), ("connected", False))
            self.assertTrue(connection.last_import)
            self.assertFalse(connection.activity_ids)

    # === TESTS === #

    def test_twenty_processes_at_the_moment_of_expiry_make_one_refresh(self):
        self._start(MANY)
        tokens, statuses = self._finish()
        self.assertEqual((len(tokens), statuses), (MANY, [0] * MANY))
        self.assertEqual(set(tokens), {self._stored()[0]})
        self.assertEqual(self._refreshes(), 1)

    def test_a_process_killed_with_new_tokens_in_hand_costs_the_others_one_more_refresh_and_nothing_else(self):
        self._start(MANY, deadly=True)
        tokens, statuses = self._finish()
        self.assertEqual(sorted(statuses), [-signal.SIGKILL] + [0] * (MANY - 1))
        self.assertEqual(len(tokens), MANY - 1)
        self.assertEqual(set(tokens), {self._stored()[0]})
        self.assertEqual(self._refreshes(), 2)
        self._assert_nobody_has_to_reconnect()

    def test_a_process_killed_after_xero_replaced_the_token_loses_nothing(self):
        before = self._stored()
        self._kill_during(self.fake.identity, "refresh", before=False)
        self.assertEqual(self._stored(), before)
        self._assert_nobody_has_to_reconnect()
        self.assertEqual(self._refreshes(), 2)

    def test_a_process_killed_before_xero_did_anything_loses_nothing(self):
        before = self._stored()
        self.fake.faults.add("POST", "/connect/token", kind="drop_before")
        self._kill_during(self.fake.faults, "find", before=True)
        self.assertEqual(self._stored(), before)
        self._assert_nobody_has_to_reconnect()
        self.assertEqual(self._refreshes(), 2)
