"""The command line's refusals: one clear sentence, no traceback, nothing built."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ..sandbox import sharing_plugin

ROOT = Path(__file__).resolve().parents[2]
SHARED_TEST = """
import os
import pytest

@pytest.mark.parametrize("number", range(3))
{mark}
def test_it(number):
    with open({done!r}, "a") as file:
        file.write(f"{{os.getpid()}} {name} {{number}}\\n")
"""


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


@tagged("post_install", "-at_install")
class TestSharing(BaseCase):
    """Several runs of pytest that share one collection of tests."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.share, self.folder = Path(folder.name) / "share", Path(folder.name) / "tests"
        self.share.mkdir()
        self.folder.mkdir()
        self.done = Path(folder.name) / "done"
        for name in "abcdef":
            mark = "@pytest.mark.slow" if name == "e" else ""
            text = SHARED_TEST.format(name=name, mark=mark, done=str(self.done))
            (self.folder / f"test_{name}.py").write_text(text, encoding="utf-8")

    def _start(self):
        shared = sharing_plugin.arguments(self.share)
        self.assertFalse([part for part in shared if Path(part).exists()], "pytest would look for tests in it")
        settings = ["-c", ROOT / "pytest.ini", "-p", "no:cacheprovider"]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *settings, *shared, self.folder],
            cwd=ROOT,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        return process

    def test_each_file_is_one_runs_and_none_is_left_out(self):
        runs = [self._start() for _number in range(3)]
        said = [run.communicate(timeout=60)[0] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0, 0, 0], said)
        done = [line.split() for line in self.done.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(sorted((name, number) for _pid, name, number in done), [*product("abcdef", "012")])
        self.assertEqual(len({(pid, name) for pid, name, _number in done}), 6, "no file is torn apart")

    def test_what_takes_long_comes_first_and_a_failure_fails_its_run(self):
        (self.folder / "test_f.py").write_text("def test_it():\n    assert False\n", encoding="utf-8")
        run = self._start()
        said = run.communicate(timeout=60)[0]
        self.assertEqual(run.returncode, 1)
        self.assertIn("1 failed, 15 passed", said)
        self.assertEqual(self.done.read_text(encoding="utf-8").split()[1], "e")
