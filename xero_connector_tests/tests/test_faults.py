"""Every way Xero can fail × every stage of the work: the end is that of a day without faults, or somebody was told."""

import json
from contextlib import suppress
from datetime import timedelta
from itertools import product
from unittest.mock import patch
from urllib.parse import urlsplit

import requests

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import mute_logger, tagged
from odoo.tests.common import _super_send

from odoo.addons.xero_connector import const

from ..sandbox.fake_xero import sign
from ..sandbox.fake_xero.store import new_id
from .common import XeroHttpCase
from .export_case import ExportCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.faults

PATIENCE = 0.5  # seconds until we give up waiting, where no answer comes
INVALID = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "No", "Elements": []}
EXPIRED = {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"}
FORBIDDEN = {"title": "Forbidden", "status": 403, "detail": "AuthenticationUnsuccessful"}
FAULTS = {
    "minute limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "minute", "Retry-After": "20"}},
    "day limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "Day", "Retry-After": "66975"}},
    "concurrent limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "concurrent"}},
    "limit of the app": {"status": 429, "headers": {"X-Rate-Limit-Problem": "appminute", "Retry-After": "9"}},
    "bad data": {"status": 400, "body": INVALID},
    "consent ended": {"status": 400, "body": {"error": "invalid_grant"}},
    "app unknown": {"status": 400, "body": {"error": "invalid_client", "error_description": "Client is disabled"}},
    "too broad": {"status": 400, "body": {"ErrorNumber": 51, "Type": "HighVolumeException", "Message": "Too broad"}},
    "unreadable refusal": {"status": 400, "body": "no"},
    "expired": {"status": 401, "body": EXPIRED},
    "never accepted": {"status": 401, "body": {"Detail": "AuthenticationUnsuccessful"}, "times": None},
    "down for long": {"status": 500, "times": None},
    "scope": {"status": 401, "headers": {"WWW-Authenticate": 'Bearer error="insufficent_scope"'}},
    "forbidden": {"status": 403, "body": FORBIDDEN},
    "access denied": {"kind": "html", "status": 403},
    "not found": {"kind": "html", "status": 404},
    "precondition": {"status": 412},
    "redirected": {"status": 302, "headers": {"Location": "http://localhost:9/login"}},
    "server error": {"status": 500},
    "not implemented": {"status": 501},
    "maintenance": {"status": 503, "body": "Organisation is offline"},
    "old rate limit": {"status": 503, "body": "Rate limit exceeded"},
    "a page of HTML": {"kind": "html", "status": 200},
    "half an answer": {"kind": "cut"},
    "no JSON": {"kind": "replace_json", "body": "{"},
    "another shape": {"kind": "replace_json", "body": "[1]"},
    "dropped before": {"kind": "drop_before"},
    "dropped after": {"kind": "drop_after"},
    "no answer": {"kind": "timeout", "delay": 4 * PATIENCE},
    "slow": {"kind": "slow", "delay": 0.05},
}
# stage -> the path of the call that meets the fault
CONNECTING = {
    "authorise": "/connect/authorize",
    "token": "/connect/token",
    "connections": "(?i)/connections$",
    "organisation": "/Organisation$",
}
IMPORTING = {
    "refresh": "/connect/token",
    "list": "/Invoices$",
    "webhook": "/Invoices$",
    "contacts": "/Contacts$",
    "PDF": "/Invoices/[^/]+$",
    "note": "/History$",
    "files": "/Attachments$",
    "file": "/Attachments/.+",
}
EXCHANGING = {
    "accounts": "GET .*/(Accounts|TaxRates)$",
    "items": "GET .*/Items$",
    "new items": "PUT .*/Items$",
    "changes": "POST .*/Items$",
}
SENDING = {
    "books": "GET .*/(Organisation|Currencies)$",
    "new": "PUT .*/Invoices$",
    "open draft": "GET .*/Invoices$",
    "existing": "POST .*/Invoices/.+",
    "credit note": "PUT .*/CreditNotes$",
    "its invoice": "GET .*/Invoices/.+",
    "allocation": "PUT .*/Allocations$",
}
BY_HAND = {"single": "/Invoices$", "write": "(?i)/connections/.+"}

# How a day with a fault ended.
SAME, LATER, PERSON, PAGE = "=", "later", "told", "page"
LEGEND = (
    f"{SAME}: as if it had not been · {LATER}: told, and ended well by itself · {PERSON}: told, and ended well after a "
    f"person had pressed what it said · {PAGE}: Xero's own page showed it, Odoo heard nothing and it was tried again"
)


class FaultsMixin:
    """Every fault at every stage, and a table of how the days ended."""

    with suppress(NameError):

        @pytest.fixture(autouse=True)
        def _find_terminal(self, request):
            self._capture = request.config.pluginmanager.getplugin("capturemanager")

    def setUp(self):
        super().setUp()
        self.ends = {}

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        # Odoo's own gives every call ten seconds at least: the fake would hang up first, and no patience ever end.
        if options.get("timeout") == PATIENCE:
            return _super_send(session, request, **options)
        return super()._request_handler(session, request, **options)

    def check_all(self, stages, check):
        """Try every fault at these stages, and print how each day ended."""
        for (stage, path), (name, fault) in product(stages.items(), FAULTS.items()):
            patience = PATIENCE if fault.get("kind") == "timeout" else const.TIMEOUT
            with self.subTest(stage=stage, fault=name), patch.object(const, "TIMEOUT", patience):
                self.fake.faults.clear()
                self.ends[stage, name] = check(stage, path, fault)
        self._print_table(stages)

    def _print_table(self, stages):
        head = f"{'':<20}" + "".join(f"{stage:<14}" for stage in stages)
        rows = [
            f"{fault:<20}" + "".join(f"{self.ends.get((stage, fault), '✗ FAILED'):<14}" for stage in stages)
            for fault in FAULTS
        ]
        if capture := getattr(self, "_capture", None):
            with capture.global_and_fixture_disabled():
                print("", head, *rows, LEGEND, sep="\n")

    def strike(self, path, fault):
        self.fake.faults.add(path=path, **fault)

    def assert_told(self, text):
        self.assertTrue(text, "neither done nor told")
        self.assertNotIn("Traceback", text)
        self.assertNotIn("Something unexpected", text)

    def _end_limits(self, connection):
        connection.write({"blocked_until": False, "listen_from": False})
        self.env["xero.budget"].search([("app_id", "=", self.app.id)]).write({"blocked_until": False})

    def _clear_up(self, connection):
        """The fault is over, limits end, and a red connection is resumed.

        :return: whether it was red, so that a person was needed
        """
        self.fake.faults.clear()
        self._end_limits(connection)
        needed = connection.state == "error"
        if needed:
            connection.action_resume()
        return needed


@tagged("post_install", "-at_install")
class TestFaults(FaultsMixin, XeroHttpCase):
    def setUp(self):
        super().setUp()
        self.app.webhook_key = "the key"

    # === CONNECTING === #

    def check_connecting(self, stage, path, fault):
        org = self.fake.add_organisation(f"{stage} {len(self.fake.organisations)}")
        connection = self.env["xero.connection"].create({"name": org.name, "app_id": self.app.id})
        self.press(self.app._check_credentials)
        self.strike(path, fault)
        end = SAME
        try:
            self.consent(connection, org)
        except (requests.RequestException, AssertionError, KeyError):
            # The browser met the fault on Xero's own page.
            self.assertEqual(stage, "authorise")
            end = PAGE
        if connection.state != "connected":
            if end != PAGE:
                self.assert_told(connection.message)
                end = PERSON
            self.assertEqual(connection.state, "draft")
            self.fake.faults.clear()
            self._end_limits(connection)
            self.consent(connection, org)
        self.assertEqual((connection.state, connection.tenant_id), ("connected", org.tenant_id), connection.message)
        self.assertFalse(connection.message)
        self.assertFalse(self.env["xero.grant"].search([("connection_ids", "=", False)]), "no token is left over")
        self.press(connection.action_disconnect)
        return end

    def test_connecting(self):
        self.check_all(CONNECTING, self.check_connecting)

    # === IMPORTING === #

    def sell(self):
        """An invoice with everything that takes a call of its own."""
        contact = self.org.add_contact(Name=f"Contact {self.fake.clock.now()}", Addresses=self.contact["Addresses"])
        invoice = self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        self.org.add_history_note(invoice["InvoiceID"], "Ring twice")
        self.org.add_attachment(invoice["InvoiceID"], "label.txt", b"label", "text/plain")
        self.fake.clock.advance(1)
        return invoice

    def ring(self, connection):
        """A webhook, long before the connection's own turn comes."""
        connection.write({"next_poll": fields.Datetime.now() + timedelta(hours=9), "listen_from": False})
        event = {"eventCategory": "INVOICE", "tenantId": self.org.tenant_id, "resourceId": new_id()}
        body = json.dumps({"events": [event]}).encode()
        headers = {"x-xero-signature": sign("the key", body), "Content-Type": "application/json"}
        self.env.flush_all()
        answer = self.url_open(urlsplit(self.app.webhook_url).path, data=body, headers=headers)
        self.assertEqual(answer.status_code, 200)
        self.run_cron("poll", "process", "files")

    def go_on(self, connection, invoice, stage):
        """What time and people do: limits end, rows come due, a red connection is resumed, what failed is retried.

        :return: whether a person was needed
        """
        needed = self._clear_up(connection)
        row = self.row(invoice)
        row.sudo().write({"next_attempt": False, "files_next_attempt": False})
        if row.state == "failed" or row.files_state == "failed":
            row.action_retry()
            needed = True
        if stage != "webhook" or needed:
            connection.next_poll = fields.Datetime.now() - timedelta(seconds=1)
        self.run_cron("poll", "process", "files")
        return needed

    def check_importing(self, stage, path, fault):
        connection, invoice = self.connection, self.sell()
        if stage == "refresh":
            self.fake.identity.expire_access_tokens()
            connection.sudo().grant_id.access_expires_at = fields.Datetime.now() - timedelta(hours=1)
            self.env.flush_all()
        self.strike(path, fault)
        if stage == "webhook":
            self.ring(connection)
        else:
            self.run_import(connection)
        row = self.row(invoice)
        end = SAME
        if row.state != "done" or row.files_state != "done":
            self.assert_told(connection.message or row.files_message or (row.state != "done" and row.reason))
            end = LATER
        if self.go_on(connection, invoice, stage):
            end = PERSON
        order = self.order(invoice)
        self.assertEqual(len(order), 1)
        self.assertTrue(order.xero_pdf_id)
        self.assertEqual(order.delivery_instructions, "Ring twice")
        files = self.env["ir.attachment"].search([("res_model", "=", "sale.order"), ("res_id", "=", order.id)])
        self.assertEqual(sorted(files.mapped("name")), sorted([order.xero_pdf_id.name, "label.txt"]))
        self.assertEqual((files - order.xero_pdf_id).raw, b"label", "and nothing else is taken for the file")
        self.assertEqual((self.row(invoice).state, connection.state), ("done", "connected"))
        self.assertFalse(connection.message)
        self.assertFalse(connection.activity_ids, "no call for help is left open")
        self.assertFalse(connection.bell_ids, "no ring is left unanswered")
        return end

    @mute_logger("odoo.addons.xero_connector.models.xero_record_files")
    def test_importing(self):
        self.connection = self.connect(attach_pdf=True, attach_files=True, note_target="delivery")
        self.check_all(IMPORTING, self.check_importing)

    # === EXCHANGING ITEMS === #

    def set_up_exchange(self):
        """A connection that exchanges a product both sides know, and whatever is new."""
        self.org.tables["Items"].clear()
        self.org.add_item(Code="F-HERE", Name="F-HERE", SalesDetails={"UnitPrice": 1})
        self.org.add_item(Code="F-THERE", Name="F-THERE", SalesDetails={"UnitPrice": 1})
        self.here = self.make_products("F-HERE", "F-THERE")[0]
        self.days = 1
        self.connection = self.connect(
            attach_pdf=False,
            item_sync="both",
            item_create_here=True,
            item_create_there=True,
            item_product_domain="[('default_code', '=like', 'F-%')]",
        )
        self.run_cron("items")

    def make_products(self, *codes):
        values = {"type": "consu", "list_price": 1, "taxes_id": False, "supplier_taxes_id": False}
        return self.env["product.product"].create([values | {"name": code, "default_code": code} for code in codes])

    def go_on_exchanging(self, rows):
        """As :meth:`go_on`, for these rows of items.

        :return: whether a person was needed
        """
        if needed := self._clear_up(self.connection):
            self.run_cron("poll")
        rows.sudo().next_attempt = False
        if failed := rows.filtered(lambda row: row.state == "failed"):
            failed.action_retry()
            needed = True
        self.exchange()
        return needed

    def check_exchanging(self, stage, path, fault):
        """A day on which both sides change, and either gets something new where that meets the fault."""
        connection, items = self.connection, self.org.tables["Items"]
        self.days += 1
        new = f"F-NEW-{self.days}"
        if stage == "new items":
            self.make_products(new)
        elif stage == "items":
            self.org.add_item(Code=new, Name=new, SalesDetails={"UnitPrice": 1})
        count = len(items) + (stage == "new items")
        self.here.list_price = self.days
        self.org.update("Items", items.by_number("F-THERE").id, SalesDetails={"UnitPrice": self.days})
        if stage in ("accounts", "items"):
            connection.items_whole_at = False
        method, path = path.split(" ")
        # of two calls, the one on this day, the other on the next
        self.fake.faults.add(method, path, **fault, after=self.days % 2 if "|" in path else 0)
        self.exchange()
        rows = self.env["xero.record"].search([("resource", "=", "item"), ("state", "!=", "done")])
        end = SAME
        if rows or connection.message or self.prices_there() != self.prices_here():
            # A limit passes when Xero says: then the next exchange is.
            if "limit" not in str(fault).lower() or connection.next_items <= fields.Datetime.now():
                self.assert_told(connection.message or connection.item_message or rows[:1].reason)
            end = LATER
        if self.go_on_exchanging(rows):
            end = PERSON
        prices = self.prices_there()
        self.assertEqual(prices, self.prices_here())
        self.assertEqual((prices["F-HERE"], prices["F-THERE"]), (self.days, self.days))
        self.assertEqual(len(items), count, "nothing is there twice, and nothing got lost")
        self.assertFalse(self.env["xero.record"].search([("resource", "=", "item"), ("state", "!=", "done")]))
        self.assertEqual((connection.state, connection.message, connection.item_message), ("connected", False, False))
        self.assertFalse(connection.activity_ids, "no call for help is left open")
        return end

    def exchange(self):
        self.connection._ring_items()
        self.env.flush_all()
        self.run_cron("items")

    def prices_there(self):
        return {record.data["Code"]: record.data["SalesDetails"]["UnitPrice"] for record in self.org.tables["Items"]}

    def prices_here(self):
        products = self.env["product.product"].search([("default_code", "=like", "F-%")])
        return {product.default_code: product.list_price for product in products}

    def test_exchanging_items(self):
        self.set_up_exchange()
        self.check_all(EXCHANGING, self.check_exchanging)

    # === BY HAND === #

    def check_by_hand(self, stage, path, fault):
        return self.check_single(path, fault) if stage == "single" else self.check_write(path, fault)

    def _try(self, action):
        """Do what a person presses; gives the sentence they get, if any."""
        try:
            with self.env.cr.savepoint():
                result = self.press(action)
        except UserError as error:
            return str(error)
        return result.get("params", {}).get("message", "") if result else ""

    def check_single(self, path, fault):
        invoice = self.sell()
        self.strike(path, fault)
        wizard = self.env["xero.import.one"].create(
            {"connection_id": self.connection.id, "text": invoice["InvoiceNumber"]}
        )
        refused = self._try(wizard.action_import)
        end = SAME
        if not self.order(invoice):
            self.assert_told(refused or wizard.reason)
            end = PERSON
            self._clear_up(self.connection)
            self._try(wizard.action_import)
        self.assertEqual(len(self.order(invoice)), 1)
        return end

    def check_write(self, path, fault):
        """The addon's only write so far: ending a connection at Xero."""
        org = self.fake.add_organisation(f"Disconnected {len(self.fake.organisations)}")
        connection = self.connect(org)
        self.strike(path, fault)
        said = self._try(connection.action_disconnect)
        end = SAME
        if connection.state != "draft":
            self.assert_told(said)
            self.assertEqual(connection.tenant_id, org.tenant_id, "nothing is half done")
            end = PERSON
            self.fake.faults.clear()
            said = self._try(connection.action_disconnect)
        self.assertEqual(connection.state, "draft")
        self.assertFalse(connection.sudo().grant_id)
        if org.tenant_id in self.fake.identity.connections and fault.get("status") != 404:
            self.assertIn("disconnect it there", said)
            end = PERSON
        return end

    def test_by_hand(self):
        self.connection = self.connect(attach_pdf=False)
        self.check_all(BY_HAND, self.check_by_hand)


@tagged("post_install", "-at_install")
class TestSendingFaults(FaultsMixin, ExportCase):
    """Orders on their way to Xero: each is billed once, what it is less by then is credited and allocated once."""

    def check_sending(self, stage, path, fault):
        connection = self.connection
        connection.invoice_mode = "existing" if stage in ("open draft", "existing") else "new"
        connection.books_read_at = False
        for table in ("Invoices", "CreditNotes"):
            self.org.tables[table].clear()
        if connection.invoice_mode == "existing":
            self.invoice("By hand", [self.line("MUG")], Status="DRAFT")
        order = self.sell((self.bottle, 5, 20))
        if stage in ("credit note", "its invoice", "allocation"):
            self.send(order)
            order.order_line.product_uom_qty = 2
        else:
            self.env["xero.record"]._put_document_out(connection, order)
        method, path = path.split(" ")
        self.fake.faults.add(method, path, **fault)
        self.push()
        end = SAME
        waiting = self.out(order).filtered(lambda row: row.state != "done")
        if waiting:
            said = connection.message or connection.push_message or waiting[:1].reason
            # A limit passes when Xero says: then the next turn is.
            if "limit" not in str(fault).lower() or not connection.blocked_until:
                self.assert_told(said)
            end = LATER
        if self.go_on(order):
            end = PERSON
        self.assert_as_on_a_good_day(stage, order)
        return end

    def go_on(self, order):
        """What time and people do: limits end, rows come due, a red connection is resumed, what failed is retried.

        :return: whether a person was needed
        """
        needed = self._clear_up(self.connection)
        if failed := self.out(order).filtered(lambda row: row.state == "failed"):
            failed.action_retry()
            needed = True
        for _turn in range(3):
            self.later(7)
            self.out(order).filtered(lambda row: row.state == "pending").next_attempt = False
            self.push()
        return needed

    def assert_as_on_a_good_day(self, stage, order):
        rows = self.out(order)
        self.assertEqual(set(rows.mapped("state")), {"done"}, rows.mapped("reason"))
        self.assertFalse(rows.filtered("request_key"))
        self.assertEqual(rows.mapped("total_difference"), [0] * len(rows))
        lines = [line for one in self.invoices() for line in one["LineItems"] if line.get("Quantity") == 5]
        self.assertEqual(len(lines), 1, "billed once")
        self.assertEqual(len(self.invoices()), 1, "on one invoice")
        notes = self.credit_notes()
        self.assertEqual(len(notes), stage in ("credit note", "its invoice", "allocation"), "credited once")
        for note in notes:
            self.assertEqual([one["Amount"] for one in note["Allocations"]], [note["Total"]], "allocated once")
        connection = self.connection
        self.assertEqual((connection.state, connection.message, connection.push_message), ("connected", False, False))
        self.assertFalse(connection.activity_ids, "no call for help is left open")

    def test_sending(self):
        self.connection = self.exporting()
        self.check_all(SENDING, self.check_sending)
