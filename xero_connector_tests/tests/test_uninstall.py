"""Uninstalled: the documents stay, and nothing else is left; installed again it works."""

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import config

from .life_case import STRUCTURE, TABLES, LifeCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

STAMPS = ("write_date", "write_uid")
# what people and Odoo fill day by day: more of it than in an empty database is no remainder
LIVED = re.compile(
    r"(sale|stock|account|product|res_partner|res_users|res_company_users|res_groups_users|bus_bus|orm_signaling)(_|$)"
    r"|mail_(activity|alias|followers|mail|message|notification|tracking_value)(_res_partner_rel)?$"
    r"|mail_followers_mail_message_subtype_rel$|message_attachment_rel$|portal_wizard|ir_(attachment|cron_trigger)$"
)
DOCUMENTS = {
    table: f'SELECT id, to_jsonb(t) FROM "{table}" t'
    for table in (
        "sale_order", "sale_order_line", "stock_picking", "stock_move", "stock_move_line", "stock_quant",
        "account_move", "account_move_line", "product_template", "product_product", "res_partner",
    )
} | {
    table: f"SELECT id, to_jsonb(t) FROM {table} t WHERE {column} ~ '^(sale|stock|account|product|res)[.]'"
    for table, column in (("mail_message", "model"), ("mail_activity", "res_model"), ("ir_attachment", "res_model"))
}
# Odoo makes these to-dos of its own: their type was ours
CHANGED_ON_PURPOSE = ("mail_activity", "activity_type_id")


@tagged("post_install", "-at_install")
class TestUninstall(LifeCase):
    """After imports, changes, problems, an exchange of products, what was sent, fees and the portal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.enterClassContext(cls.databases.copy_for_run(cls.template, "uninstall"))
        cls.shop, cls.books = cls._add_organisation("Shop"), cls._add_organisation("Books")
        with cls._registry(cls.database) as registry:
            with cls._transaction(registry) as env:
                cls._set_up(env)
            for name in ("Shop", "Books"):
                cls._consent(registry, name)
            with cls._transaction(registry) as env:
                cls._import(env)
                cls._exchange_products(env)
                cls._send(env)
                cls._bill_fees(env)
                cls._leave_things_about(env)
        cls.before = cls._documents()
        cls._uninstall(cls.database)
        cls.after = cls._documents()
        cls.differences, cls.left, cls.changed = cls._compare_with_bare()
        cls._install(cls.database)

    @classmethod
    def _documents(cls):
        return {table: dict(cls.server.execute(statement, (), cls.database)) for table, statement in DOCUMENTS.items()}

    @classmethod
    def _compare_with_bare(cls):
        """:return: how the database is built otherwise than one that never had the addon, the rows it has more, and
            those that are not the same"""
        with cls.databases.copy_for_run(cls.bare, "bare") as bare:
            differences = cls._differences(STRUCTURE, bare, cls.database)
            # the list of modules is of what lies on the path, installed or not
            tables = [name for (name,) in cls.server.execute(TABLES, (), bare) if not name.startswith("ir_module_")]
            never, now = cls._rows(bare, tables), cls._rows(cls.database, tables)
        left = {
            table: [
                now[table][key] for key in now[table].keys() - never[table].keys()
                if table != "ir_model_data" or not now[table][key]["model"].startswith("ir.module.")
            ]
            for table in tables
        }
        changed = [
            (table, key, column, value, now[table].get(key, {}).get(column, "gone"))
            for table in tables
            for key, row in never[table].items()
            for column, value in row.items()
            if column not in STAMPS and now[table].get(key, {}).get(column, "gone") != value
        ]
        return differences, {table: rows for table, rows in left.items() if rows}, changed

    # === A LIFE === #

    @classmethod
    def _set_up(cls, env):
        for name, address in cls._addresses().items():
            env["ir.config_parameter"].set_param(f"xero_connector.{name}", address)
        env["ir.config_parameter"].set_param("web.base.url", "http://localhost:8069")
        receivable, income = env["account.account"].create(
            [
                {"name": "Debtors", "code": "XU1000", "account_type": "asset_receivable", "reconcile": True},
                {"name": "Sales", "code": "XU4000", "account_type": "income"},
            ]
        )
        env["account.journal"].create(
            {"name": "Sales", "code": "XU", "type": "sale", "default_account_id": income.id}
        )
        bottle, fee = env["product.product"].create(
            [
                {"name": "Drink bottle", "default_code": "BOTTLE", "is_storable": True, "list_price": 20},
                {"name": "Integration", "type": "service", "list_price": 9},
            ]
        )
        (bottle | fee).write({"taxes_id": False, "property_account_income_id": income.id})
        warehouse = env["stock.warehouse"].search([], limit=1)
        env["stock.quant"]._update_available_quantity(bottle, warehouse.lot_stock_id, 100)
        kauri = env["res.partner"].create(
            {
                "name": "Kauri Ltd",
                "is_company": True,
                "email": "kauri@example.com",
                "property_account_receivable_id": receivable.id,
                "xero_auto_export": True,
                "xero_portal": "allow",
                "xero_warehouse_ids": [Command.set(warehouse.ids)],
            }
        )
        app = env["xero.app"].create(
            {"name": "App", "client_id": cls.fake.client_id, "client_secret": cls.fake.client_secret}
        )
        env.company.write(
            {
                "xero_portal": True,
                "xero_portal_app_id": app.id,
                "xero_fee": True,
                "xero_fee_product_id": fee.id,
                "xero_fee_price": 7,
            }
        )
        common = {"app_id": app.id, "user_id": env.ref("base.user_admin").id, "digest": "daily"}
        env["xero.connection"].create(
            [
                {
                    **common,
                    "name": "Shop",
                    "partner_id": kauri.id,
                    "order_confirm": True,
                    "attach_pdf": True,
                    "note_target": "packing",
                    "in_portal": True,
                    "mapping_ids": [Command.create({"reference_contains": "web", "warehouse_id": warehouse.id})],
                },
                {
                    **common,
                    "name": "Books",
                    "import_orders": False,
                    "item_sync": "both",
                    "item_interval": "manual",
                    "export_source": "sale_order",
                    "export_status": "authorised",
                    "price_source": "odoo",
                    "description_source": "odoo",
                },
            ]
        )

    @classmethod
    def _import(cls, env):
        """An order that is shipped, one whose change waits for a decision, one that failed."""
        for number in ("SHIPPED", "HELD"):
            cls._invoice(cls.shop, number)
        cls._invoice(cls.shop, "FAILED", code="GIFT")
        cls._run_import(env)
        shipped, held = (cls._imported(env, number) for number in ("SHIPPED", "HELD"))
        shipped.picking_ids.move_ids.write({"quantity": 2, "picked": True})
        shipped.picking_ids.button_validate()
        held.picking_ids.printed = True
        cls._edit(cls.shop, "HELD", Quantity=7)
        cls._run_import(env)

    @staticmethod
    def _imported(env, number):
        return env["sale.order"].search([("xero_invoice_number", "=", number)])

    @classmethod
    def _exchange_products(cls, env):
        env["xero.connection"].search([("name", "=", "Books")])._ring_items()
        cls._run_crons(env, "items")

    @classmethod
    def _send(cls, env):
        books = env["xero.connection"].search([("name", "=", "Books")])
        books.action_read_tables()
        account = books.account_mapping_ids.filtered(lambda line: line.code == "200")
        untaxed = books.tax_mapping_ids.filtered(lambda line: line.tax_type == "NONE")
        books.write({"export_account_id": account.id, "export_untaxed_id": untaxed.id})
        product = env["product.product"].search([("default_code", "=", "BOTTLE")])
        customer = env["res.partner"].create({"name": "Buyer", "xero_auto_export": True})
        order = env["sale.order"].create(
            {"partner_id": customer.id, "order_line": [Command.create({"product_id": product.id})]}
        )
        order.action_confirm()
        cls._run_crons(env, "push")
        assert order.xero_export_state == "sent", order.xero_export_reason

    @classmethod
    def _bill_fees(cls, env):
        """For a week that is over."""
        env.cr.execute("UPDATE xero_active_period SET began_at = began_at - interval '14 days'")
        env.cr.execute("UPDATE res_company SET xero_fee_from = xero_fee_from - 14")
        env.invalidate_all()
        cls._run_crons(env, "fees", "digest", "health")

    @classmethod
    def _leave_things_about(cls, env):
        """What people make that points at the addon."""
        shop = env["xero.connection"].search([("name", "=", "Shop")])
        env["ir.filters"].create({"name": "Mine", "model_id": "xero.record", "domain": "[]"})
        env["ir.exports"].create({"name": "Mine", "resource": "xero.record"})
        model = env["ir.model"]._get("xero.connection")
        env["mail.template"].create({"name": "Mine", "model_id": model.id})
        env["ir.actions.server"].create({"name": "Mine", "model_id": model.id, "state": "code", "code": "pass"})
        env.ref("base.user_admin").action_id = env.ref("xero_connector.action_xero_connection").id
        env["ir.attachment"].create(
            {"name": "contract.txt", "raw": b"signed", "res_model": "xero.connection", "res_id": shop.id}
        )
        shop.message_post(body="Asked them to connect")
        shop.activity_schedule("mail.mail_activity_data_todo", summary="Ask again")
        env["ir.default"].set("xero.connection", "order_confirm", True)
        shop.partner_id.action_xero_invite()
        cls._imported(env, "SHIPPED").message_post(body="Well done", attachments=[("thanks.txt", b"thanks")])

    # === TESTS === #

    def test_the_life_was_worth_it(self):
        for table, least in (("sale_order", 3), ("stock_picking", 3), ("account_move", 2), ("ir_attachment", 5),
                             ("mail_activity", 1)):
            self.assertGreaterEqual(len(self.before[table]), least, table)

    def test_orders_transfers_invoices_and_their_files_stay_as_they_are(self):
        lost = [
            (table, key, column, value, self.after[table].get(key, "gone"))
            for table, rows in self.before.items()
            for key, row in rows.items()
            for column, value in row.items()
            if (key not in self.after[table] or self.after[table][key].get(column, value) != value)
            and column not in STAMPS and (table, column) != CHANGED_ON_PURPOSE
        ]
        self.assertEqual(lost, [])
        folder = Path(config.filestore(self.database))
        for attachment in self.after["ir_attachment"].values():
            content = (folder / attachment["store_fname"]).read_bytes()
            self.assertEqual(hashlib.sha1(content).hexdigest(), attachment["checksum"], attachment["name"])

    def test_the_database_is_built_like_one_that_never_had_the_addon(self):
        self.assertEqual(self.differences, {})

    def test_nothing_of_the_addon_is_left_in_odoos_own_tables(self):
        self.assertEqual({table: rows for table, rows in self.left.items() if not LIVED.match(table)}, {})
        self.assertEqual(self.changed, [])

    def test_no_row_points_at_anything_of_the_addon(self):
        pointing = [
            (table, row) for table, rows in self.left.items() for row in rows
            if re.search(r"xero_connector|[\"']xero\.[a-z]", json.dumps(row))
        ]
        self.assertEqual(pointing, [])

    def test_installed_again_it_works(self):
        with self._at_work(self.database) as env:
            self.assertFalse(env["xero.connection"].search([]))
            for name, address in self._addresses().items():
                env["ir.config_parameter"].set_param(f"xero_connector.{name}", address)
            app = env["xero.app"].create(
                {"name": "Again", "client_id": self.fake.client_id, "client_secret": self.fake.client_secret}
            )
            env["xero.connection"].create({"name": "Shop", "app_id": app.id})
            env.cr.commit()
            self._consent(env.registry, "Shop")
            self._invoice(self.shop, "AGAIN")
            self._run_import(env)
            self.assertEqual(self._imported(env, "AGAIN").amount_total, 20)
