"""From the first version anybody could install to today's: nothing is lost, and it goes on at once.

The old addon lies in `landed/`, and lives its life in a process of its own.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from odoo.tests import tagged
from odoo.tools import config

from ..sandbox.processes import attended
from .life_case import DATA, STRUCTURE, TABLES, LifeCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

LANDED = Path(__file__).with_name("landed")
ARCHIVE = LANDED / "xero_connector-19.0.1.0.0.tar.gz"
# what the addon's data hangs on, beside its own tables
DOCUMENTS = (
    "sale_order", "sale_order_line", "stock_picking", "stock_move", "stock_move_line", "stock_warehouse", "res_partner",
    "res_company", "res_users", "res_groups_users_rel", "product_template", "product_product", "mail_message",
    "mail_activity", "mail_followers", "ir_config_parameter", "ir_cron",
)
STAMPS = ("write_date", "write_uid")
CHANGED_ON_PURPOSE = (
    ("res_partner", "company_id"),  # has a test of its own
    ("xero_connection", "calls_left_today"),  # what Xero said that minute; counted for all workers now
)


class Landed:
    """The old addon at work; see `landed/live.py`."""

    def __init__(self, process, log):
        self._process, self._log = process, log

    def __getattr__(self, step):
        def do(*arguments):
            self._process.stdin.write(json.dumps([step, *arguments]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            if not answer:
                raise AssertionError(f"{step} failed\n{self._log.read_text(encoding='utf-8')[-3000:]}")
            return json.loads(answer)

        return do


@tagged("post_install", "-at_install")
class TestUpgrade(LifeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.enterClassContext(cls.databases.copy_for_run(cls.bare, "upgrade"))
        cls._live()

    @classmethod
    def _live(cls):
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        shutil.unpack_archive(ARCHIVE, folder)
        path = cls._addons_path(folder)
        cls._install(cls.database, addons_path=path)
        with cls._landed(path) as landed:
            landed.set_up(cls._addresses(), cls.fake.client_id, cls.fake.client_secret, "webhook key")
            cls.orders, cls.transfers = (cls._add_organisation(name) for name in ("Orders", "Transfers"))
            for name in ("Orders", "Transfers"):
                cls.fake.auto_tenants = [name]
                answer = landed.ask_for_consent(name)
                landed.consent(answer["state"], answer["code"])
            cls._fill_books()
            landed.work()
            landed.print_picking_list("HELD")
            landed.ignore("IGNORED", "A sample")
            cls._edit(cls.orders, "HELD", Quantity=7)
            cls._edit(cls.orders, "APPLIED", Quantity=6)
            landed.work()
            cls._invoice(cls.orders, "PENDING")
            landed.read()
            landed.pause("Transfers")
            cls.told = landed.tell()
        cls.before = cls._rows(cls.database, cls._tables())
        cls._upgrade(cls.database)
        cls.after = cls._rows(cls.database, cls._tables())

    @classmethod
    def _fill_books(cls):
        """An invoice for each end an import may have; its number says which."""
        for number in ("DONE", "HELD", "APPLIED"):
            cls._invoice(cls.orders, number)
        cls._invoice(cls.orders, "GOLD COAST", "GC 4")
        cls._invoice(cls.orders, "RULE", "pickup 5")
        for number in ("FAILED", "IGNORED"):
            cls._invoice(cls.orders, number, code="GIFT")
        cls._invoice(cls.orders, "DOZENS", code="BOTTLE-12")
        cls._invoice(cls.transfers, "TRANSFER", "3PL 1")

    @classmethod
    @contextmanager
    def _landed(cls, addons_path):
        log = cls.logs / "landed.log"
        command = [sys.executable, LANDED / "live.py", config["config"], addons_path, cls.database]
        with log.open("w", encoding="utf-8") as stderr, attended(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process:
            yield Landed(process, log)
            process.stdin.close()

    @classmethod
    def _tables(cls):
        """The addon's own tables, and those its data hangs on."""
        names = [name for (name,) in cls.server.execute(TABLES, (), cls.database)]
        return [name for name in names if name.startswith("xero_") or name in DOCUMENTS]

    # === KEPT === #

    def test_the_old_version_left_something_of_every_kind(self):
        self.assertEqual(
            {number: tuple(filter(None, told)) for number, told in self.told.items()},
            {
                "DONE": ("done", "sale.order", "done"),
                "HELD": ("failed", "change_held", "held", "sale.order", "done"),
                "APPLIED": ("done", "applied", "sale.order", "done"),
                "GOLD COAST": ("done", "sale.order", "done"),
                "DOZENS": ("done", "sale.order", "done"),
                "RULE": ("skipped", "rule_ignore"),
                "FAILED": ("failed", "unknown_code"),
                "IGNORED": ("skipped", "ignored"),
                "TRANSFER": ("done", "stock.picking"),
                "PENDING": ("pending",),
            },
        )
        for table in ("xero_app", "xero_grant", "xero_connection", "xero_binding", "xero_warehouse_mapping",
                      "xero_product_mapping", "mail_activity", "mail_followers"):
            self.assertTrue(self.before[table], table)

    def test_every_row_is_kept_with_every_value(self):
        lost = []
        for table, rows in self.before.items():
            for key, row in rows.items():
                kept = self.after[table].get(key, {})
                lost += [
                    (table, key, column, value, kept.get(column, "gone"))
                    for column, value in row.items()
                    if (column not in kept or kept[column] != value)
                    and column not in STAMPS and (table, column) not in CHANGED_ON_PURPOSE
                ]
        self.assertEqual(lost, [])

    def test_delivery_addresses_that_all_companies_could_read_are_their_customers_companys(self):
        before, after = self.before["res_partner"], self.after["res_partner"]
        changed = {key: after[key] for key, row in before.items() if row["company_id"] != after[key]["company_id"]}
        self.assertTrue(changed)
        for key, address in changed.items():
            self.assertEqual((before[key]["company_id"], address["type"]), (None, "delivery"))
            self.assertEqual(address["company_id"], after[str(address["parent_id"])]["company_id"])

    def test_the_dashboard_counts_what_was_done_before_and_fees_begin_with_who_is_active(self):
        rows = self.after["xero_record"].values()
        self.assertEqual([row["number"] for row in rows if row["state"] == "done" and not row["first_done_at"]], [])
        self.assertEqual([row["number"] for row in rows if row["state"] == "failed" and not row["failed_at"]], [])
        [period] = self.after["xero_active_period"].values()
        connection = self.after["xero_connection"][str(period["connection_id"])]
        self.assertEqual((connection["name"], period["ended_at"], period["is_paused"]), ("Transfers", None, True))

    def test_the_database_is_built_and_its_data_read_like_a_new_one(self):
        with self.databases.copy_for_run(self.template, "new") as new:
            self.assertEqual(self._differences(STRUCTURE | DATA, new, self.database), {})

    # === GOES ON === #

    def test_a_new_invoice_is_an_order_at_once_with_the_old_consent(self):
        self.fake.identity.expire_access_tokens()
        self.fake.reset_log()
        self._invoice(self.orders, "NEW", "GC 9")
        with self._at_work(self.database) as env:
            self._run_import(env)
            order = env["sale.order"].search([("xero_invoice_number", "=", "NEW")])
            self.assertEqual((order.state, order.warehouse_id.code), ("sale", "GC"))
            self.assertIn("Mind NEW", order.delivery_instructions)
            self.assertTrue(order.xero_pdf_id.raw.startswith(b"%PDF"))
            connection = order.xero_connection_id
            self.assertEqual((connection.state, connection.message), ("connected", False))
        renewed = self.fake.calls("POST", "/connect/token")
        self.assertEqual([call.status for call in renewed], [200], "the secret and the refresh token are read")

    def test_no_old_invoice_is_made_twice_even_when_all_are_read_again(self):
        with self._at_work(self.database) as env:
            connection = env["xero.connection"].search([("name", "=", "Orders")])
            connection.watermark = False
            self._run_import(env)
            imported = [number for number, told in self.told.items() if told[3]]
            orders = env["sale.order"].search([("xero_invoice_number", "in", imported)])
            self.assertEqual({str(order.id) for order in orders}, set(self.before["sale_order"]))

    def test_what_had_been_read_but_not_imported_is_imported_without_reading_it_again(self):
        with self._at_work(self.database) as env:
            self._run_crons(env, "process")
            order = env["sale.order"].search([("xero_invoice_number", "=", "PENDING")])
            self.assertEqual((order.state, order.order_line[0].product_uom_qty), ("sale", 2))

    def test_a_decision_that_was_asked_for_can_be_made_and_another_taken_back(self):
        with self._at_work(self.database) as env:
            held, applied = (
                env["sale.order"].search([("xero_invoice_number", "=", number)]) for number in ("HELD", "APPLIED")
            )
            self.assertIn("quantity 2 → 7", held.xero_hold)
            held.action_xero_apply()
            applied.action_xero_undo()
            quantities = [order.order_line[0].product_uom_qty for order in (held, applied)]
            self.assertEqual(quantities, [7, 2])
            self.assertFalse(held.activity_ids)

    def test_a_failed_invoice_is_released_once_its_cause_is_mended(self):
        with self._at_work(self.database) as env:
            problem = env["xero.problem"].search([("problem_subject", "=", "GIFT"), ("state", "=", "failed")])
            self.assertEqual(problem.record_ids.mapped("number"), ["FAILED"])
            env["product.product"].create({"name": "Gift card", "default_code": "GIFT"})
            problem.action_release()
            self._run_crons(env, "process")
            self.assertTrue(env["sale.order"].search([("xero_invoice_number", "=", "FAILED")]))

    def test_a_paused_connection_is_resumed_without_a_new_consent(self):
        self._invoice(self.transfers, "AFTER A PAUSE", "3PL 2")
        with self._at_work(self.database) as env:
            env["xero.connection"].search([("name", "=", "Transfers")]).action_resume()
            self._run_import(env)
            transfer = env["stock.picking"].search([("xero_invoice_number", "=", "AFTER A PAUSE")])
            self.assertEqual(transfer.owner_id.name, "Kauri Ltd")
