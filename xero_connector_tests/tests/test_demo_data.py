"""The demo data of the addon itself: it loads, looks alive, and never calls Xero."""

from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file

from ..sandbox.fake_xero import FakeXero


@tagged("post_install", "-at_install")
class TestDemoData(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        for name in ("api_url", "identity_url", "login_url"):
            cls.env["ir.config_parameter"].set_param(f"xero_connector.{name}", getattr(cls.fake, name))
        convert_file(cls.env, "xero_connector", "demo/xero_demo.xml", {}, mode="init", noupdate=True)

    def test_it_tells_of_orders_that_came_and_of_one_cause_that_holds_two_up(self):
        connection = self.env.ref("xero_connector.demo_connection")
        self.assertEqual((connection.done_count, connection.failed_count), (3, 2))
        [problem] = self.env["xero.problem"].search([("connection_id", "=", connection.id), ("state", "=", "failed")])
        self.assertEqual((problem.record_count, problem.problem_subject), (2, "KIWI-MUG"))
        row = self.env.ref("xero_connector.demo_row_1")
        self.assertEqual(row.document_name, self.env.ref("xero_connector.demo_order_1").name)

    def test_the_example_customer_finds_the_integration_in_the_portal(self):
        user = self.env.ref("xero_connector.demo_customer_user")
        own = self.env["xero.connection"].with_user(user)._portal_all()
        self.assertEqual(own, self.env.ref("xero_connector.demo_connection"))

    def test_nothing_of_it_ever_asks_xero(self):
        with self.enter_registry_test_mode():
            for name in ("poll", "process", "files", "items", "push", "health"):
                self.env.ref(f"xero_connector.ir_cron_{name}").method_direct_trigger()
        self.assertFalse(self.fake.calls())
