"""What all tests stand on: a real Odoo, and a fake Xero they talk to over HTTP."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import requests

from odoo import fields
from odoo.tests import HttpCase, TransactionCase

from ..sandbox.fake_xero import FakeXero

COMPLETE_ADDRESS = {
    "AddressType": "STREET",
    "AddressLine1": "12 Quay Street",
    "City": "Auckland",
    "Region": "",
    "PostalCode": "1010",
    "Country": "New Zealand",
    "AttentionTo": "",
}


class XeroMixin:
    """A fake Xero per class, an organisation and products per test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        cls.fake.auto_approve = True
        set_param = cls.env["ir.config_parameter"].set_param
        for name in ("api_url", "identity_url", "login_url"):
            set_param(f"xero_connector.{name}", getattr(cls.fake, name))
        set_param("web.base.url", "http://localhost:8069")
        cls.env["res.currency"].with_context(active_test=False).search([("name", "in", ("USD", "NZD"))]).active = True
        cls.company = cls.env.company
        cls.warehouse = cls.env["stock.warehouse"].search([("company_id", "=", cls.company.id)], limit=1)
        cls.second_warehouse = cls.env["stock.warehouse"].create({"name": "Gold Coast", "code": "GC"})
        cls.app = cls.env["xero.app"].create(
            {"name": "Test app", "client_id": cls.fake.client_id, "client_secret": cls.fake.client_secret}
        )
        cls.bottle = cls._make_product("BOTTLE", "Drink bottle", 20)
        cls.mug = cls._make_product("MUG", "Enamel mug", 12)
        cls.freight = cls.env["product.product"].create({"name": "Freight", "type": "service", "list_price": 9})

    @classmethod
    def _make_product(cls, code, name, price):
        return cls.env["product.product"].create(
            {"name": name, "default_code": code, "type": "consu", "is_storable": True, "list_price": price}
        )

    def setUp(self):
        super().setUp()
        self.addCleanup(self.fake.faults.clear)
        self.addCleanup(setattr, self.fake, "on_request", None)
        self.fake.reset_log()
        self.add_books()

    def add_books(self):
        """An organisation at the fake, with a contact and both items."""
        self.org = self.fake.add_organisation(f"Org {self.id()}", country="NZ", currency=self.company.currency_id.name)
        self.contact = self.org.add_contact(Name="Aroha Ltd", Addresses=[COMPLETE_ADDRESS])
        for code in ("BOTTLE", "MUG"):
            self.org.add_item(Code=code, Name=code)

    # === XERO === #

    def invoice(self, reference="", lines=None, **fields):
        """A sales invoice of two bottles at the fake, awaiting payment."""
        lines = lines or [self.line()]
        return self.org.add_invoice(
            Reference=reference, Contact={"ContactID": self.contact["ContactID"]}, LineItems=lines, **fields
        )

    def line(self, code="BOTTLE", quantity=2, price=10.0, **fields):
        line = {"Description": f"{code} from Xero", "Quantity": quantity, "UnitAmount": price, "TaxType": "NONE"}
        return line | ({"ItemCode": code} if code else {}) | {"AccountCode": "200"} | fields

    # === CONNECTION === #

    def connect(self, org=None, **settings):
        """A connection that went through Xero's consent page, as a user's browser would."""
        org = org or self.org
        connection = self.env["xero.connection"].create(
            {"name": org.name, "app_id": self.app.id, "warehouse_id": self.warehouse.id, "attach_pdf": False}
            | settings
        )
        self.consent(connection, org)
        self.assertEqual(connection.state, "connected", connection.message)
        return connection

    def consent(self, connection, *orgs):
        """Walk through the consent page for these organisations.

        :return: what the redirect back to Odoo carries: dict with code (or error) and state
        """
        self.fake.auto_tenants = [org.tenant_id for org in orgs]
        with self.enter_registry_test_mode():
            query = self.redirect_of(connection)
            self.env.flush_all()  # as the end of the request would
            owner = self.env["xero.connection"]._connection_from_state(query["state"])
            if owner and "code" in query:
                owner._complete_consent(query["code"])
        connection.invalidate_recordset()
        return query

    def redirect_of(self, connection):
        url = connection.action_connect()["url"]
        answer = requests.get(url, allow_redirects=False, timeout=10)
        self.assertEqual(answer.status_code, 302, answer.text[:300])
        return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def press(self, action, **kwargs):
        """Do what one request does that opens cursors of its own (a button, a token)."""
        with self.enter_registry_test_mode():
            self.env.flush_all()
            result = action(**kwargs)
        self.env.invalidate_all()
        return result

    def run_cron(self, *names):
        """Run scheduled actions of the addon as Odoo's scheduler would."""
        with self.enter_registry_test_mode():
            self.env.cr.flush()  # as the end of what came before would
            for name in names:
                self.env.ref(f"xero_connector.ir_cron_{name}").method_direct_trigger()
        self.env.invalidate_all()

    def run_import(self, connection=None):
        """Poll, turn into orders, fetch files."""
        for one in connection or self.env["xero.connection"].search([("state", "=", "connected")]):
            one.next_poll = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("poll", "process", "files")

    # === ODOO === #

    def row(self, invoice):
        """The sync log's row of an invoice."""
        return self.env["xero.record"].search([("external_id", "=", invoice["InvoiceID"])])

    def order(self, invoice):
        """The sale order of an invoice."""
        return self.env["sale.order"].search([("xero_invoice_id", "=", invoice["InvoiceID"])])

    def picking(self, invoice):
        """The transfers of an invoice."""
        return self.env["stock.picking"].search([("xero_invoice_id", "=", invoice["InvoiceID"])])

    def rules(self, *rules):
        """Create values of warehouse rules: ``(text, warehouse)``; no warehouse means *do not import*."""
        return [
            fields.Command.create(
                {
                    "sequence": number * 10,
                    "reference_contains": text,
                    "action": "import" if warehouse else "ignore",
                    "warehouse_id": warehouse.id if warehouse else False,
                }
            )
            for number, (text, warehouse) in enumerate(rules)
        ]


class XeroCase(XeroMixin, TransactionCase):
    """Tests without a browser."""


class XeroHttpCase(XeroMixin, HttpCase):
    """Tests over Odoo's own HTTP."""
