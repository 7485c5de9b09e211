"""Packed: wheel and sdist hold the addons, whole and alone, and in an environment with Odoo `pip install` is enough.

Nothing is downloaded: what the addons need lies in the environment of the tests.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import odoo
from odoo.tests import tagged
from odoo.tools import config

from ..sandbox.paths import ADDON, GLUE_ADDON, ROOT
from .life_case import LifeCase
from .workers_case import WORKER

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

ADDONS = (ADDON, GLUE_ADDON)
BUILT_FROM = ("setup.py", "requirements.txt", "README.rst", "LICENSE", *ADDONS)
SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
OFFLINE = ("--no-index", "--no-deps")
WHERE = "from odoo.addons import xero_connector; print(xero_connector.__file__)"


@tagged("post_install", "-at_install")
class TestPackaging(LifeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        checkout = cls.folder / "checkout"
        checkout.mkdir()
        for name in BUILT_FROM:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, checkout / name)
        cls.wheel = cls._make_wheel(checkout, "from_checkout")
        cls._run(sys.executable, "-c", SDIST, cls.folder, cwd=checkout)
        [cls.sdist] = cls.folder.glob("*.tar.gz")

    @classmethod
    def _run(cls, *command, cwd=None, **options):
        """:return: what it says on standard output"""
        done = subprocess.run(
            command, cwd=cwd or cls.folder, capture_output=True, text=True, timeout=300, check=False, **options
        )
        if done.returncode:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    @classmethod
    def _make_wheel(cls, source, purpose):
        options = (*OFFLINE, "--no-build-isolation", "--wheel-dir", cls.folder / purpose)
        cls._run(sys.executable, "-m", "pip", "wheel", *options, source)
        [wheel] = (cls.folder / purpose).iterdir()
        return wheel

    @staticmethod
    def _content(wheel):
        """Its files: ``{name: bytes}``."""
        with ZipFile(wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}

    def _metadata(self):
        [text] = [data for name, data in self._content(self.wheel).items() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(text.decode())

    # === TESTS === #

    def test_the_wheel_holds_every_file_of_the_addons_and_nothing_else(self):
        """No tests, above all, and no `__init__.py` in the namespaces it shares with Odoo."""
        packed = {name: data for name, data in self._content(self.wheel).items() if ".dist-info/" not in name}
        try:
            listed = self._run("git", "ls-files", "--cached", "--others", "--exclude-standard", *ADDONS, cwd=ROOT)
            names = [name for name in listed.splitlines() if (ROOT / name).exists()]
        except (AssertionError, FileNotFoundError):  # a checkout without history
            paths = [path for addon in ADDONS for path in (ROOT / addon).rglob("*") if path.is_file()]
            names = [str(path.relative_to(ROOT)) for path in paths if "__pycache__" not in path.parts]
        self.assertEqual(packed.keys(), {f"odoo/addons/{name}" for name in names})
        for name in names:
            self.assertEqual(packed[f"odoo/addons/{name}"], (ROOT / name).read_bytes(), name)

    def test_a_wheel_made_of_the_sdist_is_the_same(self):
        shutil.unpack_archive(self.sdist, self.folder / "sdist")
        [source] = (self.folder / "sdist").iterdir()
        self.assertEqual(self._content(self._make_wheel(source, "from_sdist")), self._content(self.wheel))

    def test_it_asks_for_what_requirements_txt_names_and_for_the_job_queue_only_when_told(self):
        lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        wanted = {line for line in lines if line and not line.startswith("#")}
        asked = self._metadata().get_all("Requires-Dist")
        always = {"".join(line.split()) for line in asked if "extra" not in line}
        self.assertEqual({_sorted(line) for line in always}, {_sorted(line) for line in wanted})
        [queue] = [line for line in asked if "extra" in line]
        self.assertRegex(queue, "^odoo-addon-queue-job>=19.0; extra == .queue.job")

    def test_installed_by_pip_odoo_finds_it_installs_it_and_it_imports(self):
        environment = self.folder / "environment"
        python = self._make_environment(environment)
        configuration = self.folder / "odoo.conf"
        text = Path(config["config"]).read_text(encoding="utf-8")
        configuration.write_text(text.replace(f",{ROOT}", ""), encoding="utf-8")
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.assertTrue(self._run(python, "-c", WHERE, env=alone).startswith(str(environment)))
        with self.databases.copy_for_run(self.bare, "pip") as database:
            self._run(
                python, "-m", "odoo", "--config", configuration, "--database", database, "--init", ADDON,
                "--stop-after-init", "--no-http", "--log-level=warn", env=alone,
            )
            org = self._add_organisation("Packed")
            self._invoice(org, "PACKED")
            self._connect(database)
            told = self._run(python, WORKER, configuration, database, input="{}\n", env=alone)
            self.assertEqual(json.loads(told.splitlines()[-1]), ["ended", 0])
            with self._at_work(database) as env:
                order = env["sale.order"].search([("xero_invoice_number", "=", "PACKED")])
                self.assertEqual(order.amount_total, 20)

    def _make_environment(self, folder):
        """A clean environment, with the wheel installed by pip; a `.pth` file adds Odoo and what the addons need.

        :return: its Python
        """
        self._run(sys.executable, "-m", "venv", folder)
        python = folder / "bin" / "python"
        places = [Path(odoo.__path__[0]).parent, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        site = Path(self._run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        self._run(python, "-m", "pip", "install", *OFFLINE, self.wheel)
        (site / "odoo.pth").write_text("".join(f"{place}\n" for place in places), encoding="utf-8")
        return python

    def _connect(self, database):
        with self._registry(database) as registry:
            with self._transaction(registry) as env:
                for name, address in self._addresses().items():
                    env["ir.config_parameter"].set_param(f"xero_connector.{name}", address)
                env["ir.config_parameter"].set_param("web.base.url", "http://localhost:8069")
                env["product.product"].create({"name": "Bottle", "default_code": "BOTTLE"})
                app = env["xero.app"].create(
                    {"name": "Packed", "client_id": self.fake.client_id, "client_secret": self.fake.client_secret}
                )
                env["xero.connection"].create({"name": "Packed", "app_id": app.id})
            self._consent(registry, "Packed")


def _sorted(requirement):
    """A requirement whose bounds may come in any order."""
    return tuple(sorted(requirement.replace(">", ",>").replace("<", ",<").split(",")))
