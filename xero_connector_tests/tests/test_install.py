"""Installed where thousands of orders are: none of them is touched, and it costs what it costs in an empty database.
Where German is spoken it speaks German, and upgraded it keeps what people said better.
"""

import re
from contextlib import suppress

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..benchmarks.seed import Stride
from .life_case import LifeCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

GERMAN = "de_DE"
ORDERS = 5000
LOADED = re.compile(r"Module xero_connector loaded in .*?, (\d+) queries")
# By table, what must stay. Whatever writes to a row, or makes it anew, gives it another version (`xmin`).
KEPT = {
    table: f"SELECT id, xmin::text FROM {table}"
    for table in ("sale_order", "sale_order_line", "stock_picking", "stock_move", "account_move", "account_move_line",
                  "product_product")
} | {
    # the administrator's gets the addon's group
    "res_partner": "SELECT id, xmin::text FROM res_partner WHERE name = 'Customer'",
    # one statement says of all of them that they may be exchanged
    "product_template": "SELECT id, write_date FROM product_template",
}


@tagged("post_install", "-at_install")
class TestInstall(LifeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.enterClassContext(cls.databases.copy_for_run(cls.bare, "full"))
        cls._speak_german(cls.database)
        with cls._at_work(cls.database) as env:
            cls._fill(env)
        cls.before = cls._versions()
        cls.log = cls._install(cls.database)
        cls.installed = cls._versions()
        with cls._at_work(cls.database) as env:
            cls.german = cls._read_german(env)
            cls._say_it_better(env)
        cls._upgrade(cls.database)
        cls.upgraded = cls._versions()

    @classmethod
    def _speak_german(cls, database):
        with cls._at_work(database) as env:
            env["res.lang"]._activate_lang(GERMAN)

    @classmethod
    def _fill(cls, env):
        """Orders of three lines with their transfers and invoices, each with a customer and a product of its own."""
        account = env["account.account"].create({"name": "Sales", "code": "XI4000", "account_type": "income"})
        debtors = env["account.account"].create(
            {"name": "Debtors", "code": "XI1000", "account_type": "asset_receivable", "reconcile": True}
        )
        env["account.journal"].create(
            {"name": "Sales", "code": "XI", "type": "sale", "default_account_id": account.id}
        )
        customer = env["res.partner"].create({"name": "Customer", "property_account_receivable_id": debtors.id})
        product = env["product.product"].create(
            {"name": "Thing", "type": "consu", "is_storable": True, "invoice_policy": "order", "taxes_id": False,
             "property_account_income_id": account.id}
        )
        order = env["sale.order"].create(
            {
                "partner_id": customer.id,
                "order_line": [Command.create({"product_id": product.id, "price_unit": 5})] * 3,
            }
        )
        order.action_confirm()
        order._create_invoices().action_post()
        env.flush_all()
        tables = {name: Stride(env.cr, name) for name in (
            "res_partner", "product_template", "product_product", "sale_order", "sale_order_line", "stock_picking",
            "stock_move", "account_move", "account_move_line",
        )}
        made = {
            "res_partner": (customer.ids, {}),
            "product_template": (product.product_tmpl_id.ids, {}),
            "product_product": (product.ids, {"product_tmpl_id": "product_template"}),
            "sale_order": (order.ids, {"partner_id": "res_partner"}),
            "sale_order_line": (order.order_line.ids, {"order_id": "sale_order", "product_id": "product_product"}),
            "stock_picking": (order.picking_ids.ids, {"sale_id": "sale_order", "partner_id": "res_partner"}),
            "stock_move": (
                order.picking_ids.move_ids.ids,
                {"picking_id": "stock_picking", "sale_line_id": "sale_order_line", "product_id": "product_product"},
            ),
            "account_move": (order.invoice_ids.ids, {"partner_id": "res_partner"}),
            "account_move_line": (
                order.invoice_ids.line_ids.ids, {"move_id": "account_move", "partner_id": "res_partner"}),
        }
        for table, (ids, references) in made.items():
            changes = {column: tables[target].copied(column) for column, target in references.items()}
            if table in ("sale_order", "stock_picking", "account_move"):
                changes["name"] = SQL("name || '-' || copy")
                changes["access_token"] = SQL("NULL")
            tables[table].copy(ORDERS - 1, changes, where=SQL("id = ANY(%s)", ids))
        env.invalidate_all()

    @staticmethod
    def _read_german(env):
        """What a German reads: of a menu, a form, a choice, a scheduled action, a mail."""
        env = env(context={"lang": GERMAN})
        fields = env["xero.connection"].fields_get(["state", "warehouse_id"])
        return {
            "menu": env.ref("xero_connector.menu_settings").name,
            "form": env["xero.connection"].get_view(view_type="form")["arch"],
            "field": fields["warehouse_id"]["string"],
            "choice": dict(fields["state"]["selection"])["draft"],
            "action": env.ref("xero_connector.ir_cron_poll").name,
            "mail": env.ref("xero_connector.mail_template_invitation").subject,
        }

    @staticmethod
    def _say_it_better(env):
        """What people change in their language: a menu, a word in a form, a mail."""
        env = env(context={"lang": GERMAN})
        env.ref("xero_connector.menu_settings").name = "Mein Menü"
        env.ref("xero_connector.mail_template_invitation").subject = "Mein Betreff"
        view = env.ref("xero_connector.xero_connection_view_form")
        view.update_field_translations("arch_db", {GERMAN: {"Import now": "Hol es"}})

    @classmethod
    def _versions(cls):
        return {table: set(cls.server.execute(statement, (), cls.database)) for table, statement in KEPT.items()}

    def test_no_order_transfer_invoice_customer_or_product_is_touched(self):
        for table, rows in self.before.items():
            self.assertGreaterEqual(len(rows), ORDERS, table)
            self.assertEqual(rows - self.installed[table], set(), table)
            self.assertEqual(rows - self.upgraded[table], set(), f"{table}, when the addon is upgraded")

    def test_it_takes_as_many_statements_as_in_an_empty_database(self):
        with self.databases.copy_for_run(self.bare, "empty") as empty:
            self._speak_german(empty)
            log = self._install(empty)
        statements, in_empty = (int(LOADED.search(text)[1]) for text in (self.log, log))
        self.assertLessEqual(statements, in_empty + 20)

    def test_every_product_may_be_exchanged_as_a_new_one_may(self):
        [[count]] = self.server.execute(
            "SELECT count(*) FROM product_template WHERE xero_exchange IS NOT TRUE", (), self.database
        )
        self.assertEqual(count, 0)

    def test_where_german_is_spoken_it_speaks_german(self):
        form = self.german.pop("form")
        self.assertIn("Jetzt importieren", form)
        self.assertNotIn("Import now", form)
        self.assertEqual(
            self.german,
            {
                "menu": "Einstellungen",
                "field": "Standardlagerhaus",
                "choice": "Nicht verbunden",
                "action": "Xero: nach Neuem suchen",
                "mail": "{{ object.company_id.name }}: Verbinden Sie Ihr Xero",
            },
        )

    def test_an_upgrade_keeps_what_people_said_better(self):
        with self._at_work(self.database) as env:
            better = self._read_german(env)
        self.assertEqual((better["menu"], better["mail"]), ("Mein Menü", "Mein Betreff"))
        self.assertIn("Hol es", better["form"])
        self.assertNotIn("Jetzt importieren", better["form"])
