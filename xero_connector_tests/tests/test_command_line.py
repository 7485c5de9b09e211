"""The command line's refusals: one clear sentence, no traceback, nothing built."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from odoo.tests import BaseCase, tagged

ROOT = Path(__file__).resolve().parents[2]


@tagged("post_install", "-at_install")
class TestCommandLine(BaseCase):
    def _run(self, *arguments):
        # A first word of its own: tests of a run must not take the lock of the run that runs them.
        return subprocess.run(
            [sys.executable, "-m", "xero_connector_tests", *arguments],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def _data_file(self, content):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "data.json"
        path.write_text(content, encoding="utf-8")
        return str(path)

    def _assert_refused(self, done, words):
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_a_port_in_use_and_a_number_that_is_no_port_are_refused_in_words(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            for verb in ("xero", "demo"):
                self._assert_refused(self._run(verb, "--port", port), f"Port {port} cannot be used")
        for port in ("99999", "0", "many"):
            self._assert_refused(self._run("xero", "--port", port), "is no port")

    def test_data_that_is_none_is_refused_in_words(self):
        self._assert_refused(self._run("xero", "--data", "/no/such/file.json"), "cannot be read")
        self._assert_refused(self._run("xero", "--data", self._data_file("{")), "is not JSON")
        self._assert_refused(self._run("xero", "--data", self._data_file('{"Invoices": "x"}')), "object of lists")

    def test_a_figure_and_a_picture_that_there_is_not_are_refused_in_words(self):
        self._assert_refused(self._run("bench", "--only", "T1,T99"), "no figure is called T99")
        self._assert_refused(self._run("pictures", "--only", "nothing"), "no picture is called nothing")

    def test_an_odoo_that_is_none_is_refused_in_words(self):
        self._assert_refused(self._run("shell", "--odoo", "/no/such/odoo"), "/no/such/odoo")

    def test_the_fake_xero_says_first_where_it_is_and_ends_when_told(self):
        data = self._data_file(json.dumps({"Invoices": [{"InvoiceID": "1", "Anything": ["verbatim"]}]}))
        with subprocess.Popen(
            [sys.executable, "-m", "xero_connector_tests", "xero", "--data", data],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                told = json.loads(process.stdout.readline())
            finally:
                process.terminate()
                process.wait(20)
        self.assertLessEqual(
            {"api_url", "identity_url", "login_url", "client_id", "client_secret", "tenant_id"}, set(told)
        )
        self.assertTrue(told["api_url"].endswith("/api.xro/2.0"))
