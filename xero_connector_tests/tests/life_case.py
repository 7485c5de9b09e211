"""What tests of a database's long life stand on: installing, upgrading and uninstalling by Odoo's own commands, each in
a process of its own, and databases laid side by side."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager

from odoo import SUPERUSER_ID, api
from odoo.tools import config

from ..sandbox.fake_xero import FakeXero
from ..sandbox.paths import ADDON, ROOT
from ..sandbox.testing import BARE_VARIABLE
from .common import COMPLETE_ADDRESS
from .workers_case import WorkersCase

COMMAND_SECONDS = 300
POSTAL = COMPLETE_ADDRESS | {"AddressType": "POBOX", "AddressLine1": "PO Box 7"}
WARNED = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) .*", re.MULTILINE)
# of tables of pairs, the row says who it is
ROWS = """SELECT coalesce(to_jsonb(t)->>'id', to_jsonb(t)::text), to_jsonb(t) FROM "{}" t"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

# Of a table that two of Odoo's own fields share: what it forbids depends on which model was loaded last.
SHARED_KEY = "product_attribute_value_product_product_attribute_value_id_fkey"
# what a database is made of
STRUCTURE = {
    "tables and views": """
        SELECT relkind, relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
           AND relname !~ '^ir_sequence_[0-9]'""",
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": f"""
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND conname != '{SHARED_KEY}'""",
    "functions": "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "triggers": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal",
    "types": "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')",
}
# what the addon wrote into Odoo's own tables, by names
DATA = {
    "names": "SELECT name, model, noupdate FROM ir_model_data WHERE module = 'xero_connector'",
    "access rights": """
        SELECT a.name, m.model, a.perm_read, a.perm_write, a.perm_create, a.perm_unlink
          FROM ir_model_access a JOIN ir_model m ON m.id = a.model_id WHERE m.model ~ '^xero[.]'""",
    "rules": """
        SELECT r.name, m.model, r.domain_force
          FROM ir_rule r JOIN ir_model m ON m.id = r.model_id WHERE m.model ~ '^xero[.]'""",
    "scheduled actions": """
        SELECT s.name->>'en_US', s.code, c.interval_number, c.interval_type, c.priority, c.active
          FROM ir_cron c JOIN ir_act_server s ON s.id = c.ir_actions_server_id WHERE s.name->>'en_US' ~ '^Xero'""",
    "activity types": "SELECT name->>'en_US', icon, decoration_type FROM mail_activity_type",
    "defaults": """
        SELECT f.model, f.name, d.json_value, d.user_id, d.company_id
          FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id""",
}


class LifeCase(WorkersCase):
    """Databases that live longer than a test's transaction, and a Xero they are connected to."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bare = os.environ[BARE_VARIABLE]
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        cls.fake.auto_approve = True

    # === XERO === #

    @classmethod
    def _addresses(cls):
        """The system parameters that say where Xero is."""
        return {name: getattr(cls.fake, name) for name in ("api_url", "identity_url", "login_url")}

    @classmethod
    def _add_organisation(cls, name):
        org = cls.fake.add_organisation(name, currency="USD")
        org.contact = org.add_contact(Name=f"{name}' buyer", Addresses=[COMPLETE_ADDRESS, POSTAL])
        for code in ("BOTTLE", "BOTTLE-12", "MUG", "GIFT"):
            org.add_item(Code=code, Name=code)
        return org

    @classmethod
    def _invoice(cls, org, number, reference="web", code="BOTTLE"):
        line = {"ItemCode": code, "Quantity": 2, "UnitAmount": 10.0, "AccountCode": "200", "TaxType": "NONE"}
        return org.add_invoice(
            InvoiceNumber=number,
            Reference=reference,
            Contact={"ContactID": org.contact["ContactID"]},
            LineItems=[line | {"Description": f"{code} from Xero"}, {"Description": f"Mind {number}"}],
        )

    @classmethod
    def _edit(cls, org, number, **changes):
        [invoice] = [one.data for one in org.tables["Invoices"] if one.data["InvoiceNumber"] == number]
        lines = [invoice["LineItems"][0] | changes, *invoice["LineItems"][1:]]
        org.update("Invoices", invoice["InvoiceID"], LineItems=lines)

    # === ODOO'S COMMANDS === #

    @classmethod
    def _odoo(cls, *arguments):
        """Run Odoo to its end.

        :return: its log
        :raise AssertionError: when it fails, or warns of anything
        """
        command = [sys.executable, "-m", "odoo", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        log = done.stdout + done.stderr
        warnings = [match[0] for match in WARNED.finditer(log)]
        if done.returncode or warnings:
            raise AssertionError("\n".join([" ".join(command), str(done.returncode), *warnings, log[-3000:]]))
        return log

    @classmethod
    def _load(cls, what, database, addons_path):
        return cls._odoo(
            "--config", config["config"], "--database", database, what, ADDON, "--addons-path", addons_path,
            "--stop-after-init", "--no-http", "--log-level=info",
        )

    @classmethod
    def _install(cls, database, addons_path=None):
        return cls._load("--init", database, addons_path or cls._addons_path(ROOT))

    @classmethod
    def _upgrade(cls, database):
        return cls._load("--update", database, cls._addons_path(ROOT))

    @classmethod
    def _uninstall(cls, database):
        return cls._odoo("module", "uninstall", "--config", config["config"], "--database", database, ADDON)

    @staticmethod
    def _addons_path(folder):
        """The configured folders, with this one in the place of the repository."""
        return ",".join(str(folder) if path == str(ROOT) else path for path in config["addons_path"])

    # === AT WORK === #

    @classmethod
    @contextmanager
    def _at_work(cls, database):
        """Somebody in Odoo with this database: an environment whose work is committed."""
        with cls._registry(database) as registry, cls._transaction(registry) as env:
            yield env

    @staticmethod
    @contextmanager
    def _transaction(registry):
        with registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    @staticmethod
    def _run_crons(env, *names):
        for name in names:
            env.cr.commit()
            env.ref(f"xero_connector.ir_cron_{name}").method_direct_trigger()
        env.cr.commit()  # to see what they did in cursors of their own
        env.invalidate_all()

    @classmethod
    def _run_import(cls, env):
        env["xero.connection"].search([("state", "=", "connected")])._ring()
        cls._run_crons(env, "poll", "process", "files")

    # === SIDE BY SIDE === #

    @classmethod
    def _rows(cls, database, tables):
        """The rows of these tables: ``{table: {id: {column: value}}}``."""
        return {table: dict(cls.server.execute(ROWS.format(table), (), database)) for table in tables}

    @classmethod
    def _differences(cls, statements, expected, database):
        """Where these two databases differ: ``{name of the statement: (missing, left behind)}``."""
        found = {}
        for name, statement in statements.items():
            should, is_ = (set(cls.server.execute(statement, (), one)) for one in (expected, database))
            if should != is_:
                found[name] = (sorted(should - is_), sorted(is_ - should))
        return found
