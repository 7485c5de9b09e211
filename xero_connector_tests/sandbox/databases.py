"""Databases by copying: each template is made once, from what its name says, and every run gets a copy.

    base (what our addon depends on) ─┬─► what only tests need ─► addons (ours) ─► one copy per test run
                                      └─► base with demo data ─► our addons ─┬─► the demo
                                                                             └─► and the job queue
"""

import ast
import contextlib
import os
import shutil
from pathlib import Path

from psycopg2 import sql

from .building import build_lock, digest, digest_files, remove_tree
from .console import step
from .odoo import Odoo
from .paths import ADDON, CONFIG, DATA, GLUE_ADDON, ROOT, TEST_ADDON
from .postgres import Server

PREFIX = 'xero_sandbox'
DEMO = 'xero_demo'
# Odoo's, and none of ours later: the demo tells its own story, over HTTP.
LOAD_DEMO = """
from odoo.modules.loading import force_demo
force_demo(env)
env.cr.execute('UPDATE ir_module_module SET demo = FALSE')
env.cr.commit()
"""
# What a second warehouse switches on: nearly every class of tests makes one, and this takes longer than the warehouse.
STORAGE_LOCATIONS = """
env['res.config.settings'].create({'group_stock_multi_locations': True}).execute()
env.cr.commit()
"""
UNINSTALL_JOBS = f"""
env['ir.module.module'].search([('name', '=', '{GLUE_ADDON}')]).button_immediate_uninstall()
env.cr.commit()
"""
KEPT = 3  # older templates of a kind
END_SESSIONS = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user'
OUR_ADDONS = (ADDON, TEST_ADDON)
# Odoo's checks, and manufacturing for kits: our addon does without, as the demo shows
ONLY_FOR_TESTS = ('test_lint', 'sale_mrp')
# what lies here never reaches a database
UNLOADED = (ROOT / TEST_ADDON / 'sandbox', ROOT / TEST_ADDON / 'tests', ROOT / TEST_ADDON / 'benchmarks')


class Databases:
    """The databases on one server, for one Odoo."""

    def __init__(self, server: Server, odoo: Odoo):
        self.server, self.odoo = server, odoo
        self.base_key = digest(odoo.version, self._dependencies())
        self.addons_key = digest(self.base_key, digest_files([ROOT / addon for addon in OUR_ADDONS], UNLOADED))

    @staticmethod
    def _dependencies() -> list[str]:
        manifest = ROOT / ADDON / '__manifest__.py'
        return sorted(ast.literal_eval(manifest.read_text(encoding='utf-8')).get('depends', ['base']))

    # === TEMPLATES === #

    def test_template(self) -> str:
        return self._template('addons', self.addons_key, self._test_base, self._install, "Installing the addons")

    def bare_template(self) -> str:
        """The same without our addons."""
        return self._test_base()

    def demo_template(self) -> str:
        key = digest(self.addons_key, LOAD_DEMO)
        return self._template('demoaddons', key, self._demo_base, self._install, "Installing the addons")

    def demo_template_with_jobs(self) -> str:
        key = digest(self.addons_key, LOAD_DEMO, digest_files([ROOT / GLUE_ADDON]))
        return self._template('demojobs', key, self.demo_template, self.install_jobs, "Installing the job queue")

    def _base(self) -> str:
        return self._template(
            'base', self.base_key, None, self._install_base,
            f"Making a database with {', '.join(self._dependencies())}")

    def _test_base(self) -> str:
        key = digest(self.base_key, ONLY_FOR_TESTS, STORAGE_LOCATIONS)
        return self._template('testbase', key, self._base, self._install_test_base, "Adding what only tests need")

    def _demo_base(self) -> str:
        key = digest(self.base_key, LOAD_DEMO)
        return self._template('demobase', key, self._base, self._load_demo, "Loading Odoo's demo data")

    def _template(self, kind: str, key: str, parent, fill, title: str) -> str:
        """The template of this kind and key: made under another name, renamed when it is whole."""
        name = f'{PREFIX}_{kind}_{key}'
        if self.exists(name):
            return name
        source = parent() if parent else None
        with build_lock():
            if self.exists(name):
                return name
            self._drop_older(kind)
            partial = f'{PREFIX}_partial_{kind}'
            with step(title):
                self.drop(partial)
                try:
                    if source:
                        self._copy(source, partial)
                    fill(partial)
                    self._rename(partial, name)
                except BaseException:
                    self.drop(partial)
                    raise
        return name

    def _install_base(self, database: str) -> None:
        self._odoo(database, 'The database could not be made', '-i', ','.join(self._dependencies()))

    def _install_test_base(self, database: str) -> None:
        self._odoo(database, 'The addons for tests could not be installed', '-i', ','.join(ONLY_FOR_TESTS))
        self._script(database, 'Storage locations could not be switched on', STORAGE_LOCATIONS)

    def _install(self, database: str) -> None:
        self._odoo(database, 'The addons could not be installed', '-i', ','.join(OUR_ADDONS))

    def install_jobs(self, database: str) -> None:
        """OCA's job queue alone is asked for: ours comes with it by itself."""
        self._odoo(database, 'The job queue could not be installed', '-i', 'queue_job')

    def uninstall_jobs(self, database: str) -> None:
        """Ours alone; OCA's stays."""
        self._script(database, 'The addon for the job queue could not be uninstalled', UNINSTALL_JOBS)

    def _load_demo(self, database: str) -> None:
        self._script(database, "Odoo's demo data could not be loaded", LOAD_DEMO)

    def _script(self, database: str, failure: str, script: str) -> None:
        """Run a script in Odoo's shell, with `env`."""
        self.odoo.run(
            failure, 'shell', '--config', CONFIG, '--database', database, '--no-http', '--log-level=warn',
            script=script)

    def _odoo(self, database: str, failure: str, *arguments) -> None:
        self.odoo.run(
            failure, '--config', CONFIG, '--database', database, '--stop-after-init', '--no-http',
            '--log-level=warn', *arguments)

    # === COPIES === #

    @contextlib.contextmanager
    def copy_for_run(self, template: str, purpose: str):
        """A copy that lives as long as the block."""
        self._drop_abandoned()
        name = f'{PREFIX}_run_{purpose}_{os.getpid()}'
        self.drop(name)
        self._copy(template, name)
        try:
            yield name
        finally:
            self.drop(name)

    def fresh_demo(self, template: str) -> str:
        self.drop(DEMO)
        self._copy(template, DEMO)
        return DEMO

    def _copy(self, source: str, target: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source))
        if self.server.execute("SELECT current_setting('server_version_num')::int >= 150000")[0][0]:
            statement += sql.SQL(" STRATEGY FILE_COPY")
        self.server.execute(statement)
        if _filestore(source).exists():
            remove_tree(_filestore(target))
            # files of a filestore never change, they only come and go: links will do
            shutil.copytree(_filestore(source), _filestore(target), copy_function=os.link)

    # === HOUSEKEEPING === #

    def exists(self, name: str) -> bool:
        return bool(self.server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]))

    def drop(self, name: str) -> None:
        _drop(self.server, name)

    def _rename(self, name: str, new_name: str) -> None:
        remove_tree(_filestore(new_name))
        if _filestore(name).exists():
            _filestore(name).rename(_filestore(new_name))
        self.server.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new_name)))

    def _drop_older(self, kind: str) -> None:
        """Drop all but the newest templates of a kind; those may be in use by another run of this checkout."""
        names = [name for (name,) in self.server.execute("SELECT datname FROM pg_database ORDER BY oid")]
        for name in [name for name in names if name.startswith(f'{PREFIX}_{kind}_')][:-KEPT]:
            self.drop(name)

    def _drop_abandoned(self) -> None:
        """Drop the copies of runs that were killed."""
        for (name,) in self.server.execute("SELECT datname FROM pg_database"):
            pid = name.rpartition('_')[2]
            if name.startswith(f'{PREFIX}_run_') and pid.isdigit() and not Path(f'/proc/{pid}').exists():
                self.drop(name)



def drop_all(server: Server) -> None:
    """Drop every database the sandbox made on this server."""
    for (name,) in server.execute("SELECT datname FROM pg_database"):
        if name.startswith(f'{PREFIX}_') or name == DEMO:
            _drop(server, name)


def _drop(server: Server, name: str) -> None:
    # Not WITH (FORCE): that asks for rights over PostgreSQL's own vacuum, which a plain DROP ends by itself.
    server.execute(END_SESSIONS, [name])
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    remove_tree(_filestore(name))


def _filestore(database: str) -> Path:
    return DATA / 'filestore' / database
