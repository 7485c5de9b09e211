"""Every way Xero can fail × every call of an import: the end is that of a day without faults."""

from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import mute_logger, tagged

from odoo.addons.xero_connector import const

from .common import XeroCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.faults

CALLS = {
    "token": "/connect/token",
    "list": "/Invoices$",
    "contacts": "/Contacts$",
    "PDF": "/Invoices/[^/]+$",
    "note": "/History$",
    "files": "/Attachments$",
    "file": "/Attachments/.+",
}
INVALID = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "No", "Elements": []}
EXPIRED = {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired"}
FAULTS = {
    "minute limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "minute", "Retry-After": "20"}},
    "day limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "Day", "Retry-After": "66975"}},
    "concurrent limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "concurrent"}},
    "bad data": {"status": 400, "body": INVALID},
    "too broad": {"status": 400, "body": {"ErrorNumber": 51, "Type": "HighVolumeException", "Message": "Too broad"}},
    "expired": {"status": 401, "body": EXPIRED},
    "scope": {"status": 401, "headers": {"WWW-Authenticate": 'Bearer error="insufficent_scope"'}},
    "forbidden": {"status": 403, "body": {"title": "Forbidden", "status": 403, "detail": "AuthenticationUnsuccessful"}},
    "access denied": {"kind": "html", "status": 403},
    "not found": {"kind": "html", "status": 404},
    "precondition": {"status": 412},
    "server error": {"status": 500},
    "not implemented": {"status": 501},
    "maintenance": {"status": 503, "body": "Organisation is offline"},
    "a page of HTML": {"kind": "html", "status": 200},
    "half an answer": {"kind": "cut"},
    "no JSON": {"kind": "replace_json", "body": "{"},
    "dropped before": {"kind": "drop_before"},
    "dropped after": {"kind": "drop_after"},
    "no answer": {"kind": "timeout", "delay": 2},
    "slow": {"kind": "slow", "delay": 0.05},
}


@tagged("post_install", "-at_install")
class TestFaults(XeroCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(const, "TIMEOUT", 1))
        self.connection = self.connect(attach_pdf=True, attach_files=True, note_target="delivery")

    def sell(self):
        """An invoice with everything that takes a call of its own."""
        contact = self.org.add_contact(Name=f"Contact {self.fake.clock.now()}", Addresses=self.contact["Addresses"])
        invoice = self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        self.org.add_history_note(invoice["InvoiceID"], "Ring twice")
        self.org.add_attachment(invoice["InvoiceID"], "label.txt", b"label", "text/plain")
        self.fake.clock.advance(1)
        return invoice

    def go_on(self, invoice):
        """What time and people do: limits end, rows come due, a red connection is resumed, what failed is retried."""
        past = fields.Datetime.now() - timedelta(seconds=1)
        self.connection.blocked_until = False
        if self.connection.state == "error":
            self.connection.action_resume()
        row = self.row(invoice)
        row.sudo().write({"next_attempt": False, "files_next_attempt": False})
        if row.state == "failed" or row.files_state == "failed":
            row.action_retry()
        self.connection.next_poll = past
        self.run_cron("poll", "process", "files")

    def check(self, call, fault):
        self.fake.faults.clear()
        invoice = self.sell()
        if call == "token":
            self.fake.identity.expire_access_tokens()
            self.connection.sudo().grant_id.access_expires_at = fields.Datetime.now() - timedelta(hours=1)
            self.env.flush_all()
        self.fake.faults.add(path=CALLS[call], **FAULTS[fault])
        self.run_import(self.connection)
        row = self.row(invoice)
        is_whole = row.state == "done" and row.files_state == "done"
        told = self.connection.message or row.files_message or (row.state != "done" and row.reason)
        self.assertTrue(is_whole or told, "neither done nor told")
        self.assertNotIn("Traceback", told or "")
        self.go_on(invoice)
        order = self.order(invoice)
        self.assertEqual(len(order), 1)
        self.assertTrue(order.xero_pdf_id)
        self.assertEqual(order.delivery_instructions, "Ring twice")
        names = self.env["ir.attachment"].search([("res_model", "=", "sale.order"), ("res_id", "=", order.id)])
        self.assertEqual(sorted(names.mapped("name")), sorted([order.xero_pdf_id.name, "label.txt"]))
        self.assertEqual((self.row(invoice).state, self.connection.state), ("done", "connected"))
        self.assertFalse(self.connection.message)

    @mute_logger("odoo.addons.xero_connector.models.xero_record_files")
    def test_every_fault_of_every_call_ends_as_if_it_had_not_been(self):
        for call in CALLS:
            for fault in FAULTS:
                with self.subTest(call=call, fault=fault):
                    self.check(call, fault)
