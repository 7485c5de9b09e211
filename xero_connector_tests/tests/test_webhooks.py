"""Xero rings, Odoo asks: who may ring, what a ring costs, and that none is lost. Real HTTP both ways."""

import http.client
import json
import random
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import requests

from odoo import fields
from odoo.fields import Command
from odoo.tests import RecordCapturer, mute_logger, tagged

from odoo.addons.xero_connector import const

from ..sandbox.fake_xero import sign
from ..sandbox.fake_xero.webhook_wire import payload
from .common import XeroHttpCase
from .test_vault import KEY as SERVER_KEY
from .test_vault import use_keys

KEY = "the app's signing key: ünïcode =="
LATER = timedelta(hours=1)


class WebhookCase(XeroHttpCase):
    """An app whose signing key is known, at an address the fake reaches; Xero keeps events from the start."""

    def setUp(self):
        super().setUp()
        base_url = self.base_url().replace("127.0.0.1", "localhost")
        self.env["ir.config_parameter"].set_param("web.base.url", base_url)
        self.app.webhook_key = KEY
        self.app.flush_recordset()
        self.hooks = self.fake.webhooks
        self.addCleanup(self.hooks.unsubscribe)
        self.cron = self.env.ref("xero_connector.ir_cron_poll")

    # === RINGING === #

    def by_http(self, action, *args, **kwargs):
        """Do what calls Odoo from elsewhere; what it changed is read anew."""
        self.env.flush_all()
        with self.allow_requests(all_requests=True):
            result = action(*args, **kwargs)
        self.env.invalidate_all()
        return result

    def subscribe(self, url=None):
        subscription = self.by_http(self.hooks.subscribe, url or self.app.webhook_url, KEY)
        self.assertEqual((subscription.status, subscription.reason), ("ok", ""))

    def deliver(self, **options):
        outcome = self.by_http(self.hooks.deliver, **options)
        self.assertEqual((outcome.status, outcome.reason), ("ok", ""))

    def post(self, body=b"{}", signature=None, url=None, method="POST", **headers):
        """One request; rightly signed unless told."""
        signature = sign(KEY, body) if signature is None else signature
        headers = {"Content-Type": "application/json", "x-xero-signature": signature} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        url = url or self.app.webhook_url
        return self.by_http(requests.request, method, url, data=body, headers=headers, timeout=20)

    def ring(self, *events):
        """Post these events, rightly signed."""
        self.assertEqual(self.post(payload(list(events), 1, len(events))).status_code, 200)

    def event(self, **changes):
        """An event about an invoice nobody has heard of."""
        return {
            "resourceId": "5c8e1cbb-6b9c-4a0f-9e5e-000000000001",
            "eventDateUtc": "2026-11-22T03:04:05.678",
            "eventType": "UPDATE",
            "eventCategory": "INVOICE",
            "tenantId": self.org.tenant_id,
        } | changes

    # === WHAT CAME OF IT === #

    def rung(self):
        """The connections that have rings to answer."""
        return self.env["xero.bell"].search([]).connection_id

    def answer_bells(self):
        """Let the seconds pass that collect a burst, and the scheduled actions run."""
        self.env["xero.connection"].search([]).listen_from = False
        self.fake.reset_log()
        self.run_cron("poll", "process")

    def looks(self):
        """How often Xero was asked for invoices since the log began."""
        return len(self.fake.calls("GET", "/Invoices$"))

    def connect_and_import(self, *references, **settings):
        """A connection whose invoices are orders here already; it is next asked by the clock in minutes."""
        connection = self.connect(**settings)
        invoices = [self.invoice(reference) for reference in references]
        self.run_import(connection)
        self.assertTrue(all(self.order(invoice) for invoice in invoices))
        self.fake.reset_log()
        return connection, invoices


@tagged("post_install", "-at_install")
class TestDoor(WebhookCase):
    """Who gets in, and what all others see."""

    def setUp(self):
        super().setUp()
        self.connection = self.connect()
        self.fake.reset_log()
        self.body = payload([self.event()], 1, 1)
        self.triggers = self.enterContext(RecordCapturer(self.env["ir.cron.trigger"], []))

    def assert_quiet(self, app=None):
        """Nothing came of it: no ring, no turn of a scheduled action, no call, no trace on the app."""
        self.assertFalse(self.rung())
        self.assertFalse(self.triggers.records)
        self.assertFalse(self.fake.requests)
        self.assertFalse((app or self.app).webhook_seen)

    def assert_bare(self, answer, status):
        self.assertEqual((answer.status_code, answer.content), (status, b""))
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_published_signature_is_accepted(self):
        self.app.webhook_key = "test_key"
        body = b'{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "NLDZEGWUXNHESAQVGLYF"}'
        self.assert_bare(self.post(body, "ixznmr+Pdl6QymsWZM+9UkY4lu97q04sJyejmSOp25U="), 200)
        self.assert_bare(self.post(body.replace(b": ", b":"), "ixznmr+Pdl6QymsWZM+9UkY4lu97q04sJyejmSOp25U="), 401)

    def test_intent_to_receive_passes_whether_or_not_anything_is_connected(self):
        self.subscribe()
        self.connection.action_pause()
        self.subscribe()
        other_app = self.app.copy({"webhook_key": KEY})
        self.assertFalse(other_app.connection_ids)
        self.subscribe(other_app.webhook_url)

    def test_what_is_rightly_signed_rings_and_leaves_no_session(self):
        answer = self.post(self.body)
        self.assert_bare(answer, 200)
        self.assertEqual(self.rung(), self.connection)
        self.assertTrue(self.app.webhook_seen)
        self.assertFalse(self.fake.requests, "a ring itself asks Xero nothing")

    def test_strangers_get_one_and_the_same_answer_and_nothing_happens(self):
        app = self.app.copy({"webhook_key": "another app's key"})
        without_key = self.app.copy({})
        self.assertFalse(without_key.has_webhook_key)
        address = self.app.webhook_url.rpartition("/")[0]
        right = sign(KEY, self.body)
        strangers = {
            "forged": self.post(self.body, sign("guessed", self.body)),
            "of another body": self.post(self.body, sign(KEY, self.body + b" ")),
            "none": self.post(self.body, ""),
            "not ASCII": self.post(self.body, "é".encode("latin-1")),
            "of another app": self.post(self.body, sign("another app's key", self.body)),
            "to another app": self.post(self.body, right, app.webhook_url),
            "with an empty key": self.post(self.body, sign("", self.body), without_key.webhook_url),
            "unknown address": self.post(self.body, right, f"{address}/{'x' * 32}"),
            "unknown address, empty key": self.post(self.body, sign("", self.body), f"{address}/unknown"),
            "address that cannot be": self.post(self.body, right, f"{address}/%00"),
            "address that is no text": self.post(self.body, right, f"{address}/%ff%fe"),
        }
        headers = set()
        for name, answer in strangers.items():
            with self.subTest(stranger=name):
                self.assert_bare(answer, 401)
                headers.add(tuple(sorted((key, value) for key, value in answer.headers.items() if key != "Date")))
        self.assertEqual(len(headers), 1, headers)
        self.assert_quiet()
        self.assert_quiet(app)

    def test_looking_at_the_address_with_a_browser_gives_nothing(self):
        for method in ("GET", "PUT", "DELETE"):
            with self.subTest(method=method):
                answer = self.post(self.body, method=method)
                self.assertEqual(answer.status_code, 405)
                self.assertNotIn("Set-Cookie", answer.headers)
        self.assert_quiet()

    def test_a_new_address_makes_the_old_one_a_strangers(self):
        old = self.app.webhook_url
        self.app.action_new_webhook_url()
        self.assertNotEqual(self.app.webhook_url, old)
        self.assert_bare(self.post(self.body, url=old), 401)
        self.assert_quiet()
        self.assert_bare(self.post(self.body), 200)

    def test_a_lost_server_key_has_xero_ring_again_later(self):
        use_keys(self, SERVER_KEY)
        app = self.app.copy({"webhook_key": KEY})
        self.env.flush_all()
        use_keys(self)
        self.env.invalidate_all()
        self.assert_bare(self.post(self.body, url=app.webhook_url), 503)
        self.assert_quiet(app)
        use_keys(self, SERVER_KEY)
        self.env.invalidate_all()
        self.assert_bare(self.post(self.body, url=app.webhook_url), 200)

    # === SIZE === #

    def _answer_to_headers(self, *headers, body=b""):
        """What a request is answered of which only these headers (and bytes) are ever sent."""
        parts = urlsplit(self.app.webhook_url)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]

        def ask():
            with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
                connection.sendall("\r\n".join(lines).encode() + body)
                response = http.client.HTTPResponse(connection)
                response.begin()
                return response.status, response.read(), response.headers["Set-Cookie"]

        return self.by_http(ask)

    def test_a_body_too_large_is_refused_before_it_is_sent(self):
        too_many = const.LARGEST_WEBHOOK + 1
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            with self.subTest(kind=kind):
                answer = self._answer_to_headers(f"Content-Length: {too_many}", f"Content-Type: {kind}")
                self.assertEqual(answer[0], 413)
                self.assertIsNone(answer[2])
        self.assert_quiet()

    def test_a_body_of_unsaid_length_is_read_to_the_limit_at_most(self):
        body = self.body + b" " * const.LARGEST_WEBHOOK
        signature = f"x-xero-signature: {sign(KEY, body)}"
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        answer = self._answer_to_headers(signature, "Transfer-Encoding: chunked", body=chunked)
        self.assertEqual(answer, (401, b"", None), "what is cut off at the limit is not what was signed")
        self.assertEqual(self._answer_to_headers(signature), (401, b"", None))
        self.assert_quiet()

    def test_the_largest_body_allowed_is_read(self):
        body = self.body.ljust(const.LARGEST_WEBHOOK)
        self.assert_bare(self.post(body), 200)
        self.assertEqual(self.rung(), self.connection)


@tagged("post_install", "-at_install")
class TestHostileBodies(WebhookCase):
    """Rightly signed, and nothing like what Xero sends: answered as taken, for a refusal would come back for a day."""

    def setUp(self):
        super().setUp()
        self.connection = self.connect()

    def _bodies(self):
        odd = [None, True, 0, -1, 10**400, 1e308, "", "x" * 200_000, "\x00", "a\x00b", "\ud800", "é", [], [[]], {}]
        deep = "x"
        for _level in range(300):
            deep = [deep]
        odd += [deep, {"a": deep}, "/Date(99999999999999999999)/", "0000-00-00", "9999-12-31T23:59:59.999+00:00"]
        names = ("resourceId", "eventDateUtc", "eventType", "eventCategory", "tenantId", "data")
        yield from (b"", b" ", b"not JSON", b"\x00", b"\xff\xfe", b"null", b"1", b'"events"', b"[]", b"[{}]", b"{}")
        yield b"[" * 100_000
        yield b'{"events":' + b"[" * 900 + b"]" * 900 + b"}"
        yield b'{"events": [' + b"9" * 5000 + b"]}"
        yield from (json.dumps({"events": events}).encode() for events in odd)
        yield json.dumps({"events": odd}).encode()
        for name in names:
            yield from (json.dumps({"events": [self.event(**{name: value})]}).encode() for value in odd)
            event = self.event()
            del event[name if name in event else "eventType"]
            yield json.dumps({"events": [event]}).encode()

    @mute_logger("odoo.addons.xero_connector.controllers.webhook")
    def test_a_hostile_body_is_answered_and_breaks_nothing(self):
        for number, body in enumerate(self._bodies()):
            with self.subTest(number=number, body=body[:150]):
                answer = self.post(body)
                self.assertEqual((answer.status_code, answer.content), (200, b""))
        self.env["xero.bell"].search([]).unlink()
        self.ring(self.event())
        self.assertEqual(self.rung(), self.connection)
        self.answer_bells()
        self.assertEqual((self.looks(), self.connection.message), (1, False))

    def test_an_odd_event_does_not_hide_the_good_one_beside_it(self):
        for odd in (None, {}, self.event(tenantId="\x00"), self.event(eventDateUtc={}), self.event(resourceId="\x00")):
            with self.subTest(odd=odd):
                self.env["xero.bell"].search([]).unlink()
                self.ring(odd, self.event())
                self.assertEqual(self.rung(), self.connection)

    def test_thousands_of_events_are_one_ring(self):
        self.ring(*(self.event(resourceId=f"5c8e1cbb-6b9c-4a0f-9e5e-{number:012}") for number in range(5000)))
        self.assertEqual(self.env["xero.bell"].search_count([]), 1)

    def test_a_form_is_a_strangers_and_any_other_content_type_is_taken(self):
        body = payload([self.event()], 1, 1)
        for kind, status in {
            "application/x-www-form-urlencoded": 401,
            "multipart/form-data; boundary=x": 401,
            "text/plain": 200,
            "": 200,
        }.items():
            with self.subTest(kind=kind):
                self.env["xero.bell"].search([]).unlink()
                answer = self.post(body, Content_Type=kind)
                self.assertEqual((answer.status_code, answer.content), (status, b""))
                self.assertNotIn("Set-Cookie", answer.headers)
                self.assertEqual(bool(self.rung()), status == 200)


@tagged("post_install", "-at_install")
class TestRinging(WebhookCase):
    """Whom an event rings, and when it is answered."""

    def test_an_unknown_organisation_rings_nothing(self):
        self.connect()
        self.ring(self.event(tenantId="00000000-0000-4000-8000-000000000000"), self.event(tenantId=""))
        self.assertFalse(self.rung())

    def test_an_organisation_connected_by_another_app_is_not_rung(self):
        self.connect()
        other = self.app.copy({"webhook_key": KEY, "client_secret": self.fake.client_secret})
        self.assertEqual(self.post(payload([self.event()], 1, 1), url=other.webhook_url).status_code, 200)
        self.assertFalse(self.rung())

    def test_categories_of_what_is_not_imported_ring_nothing_and_case_does_not_matter(self):
        connection = self.connect()
        for category in ("CONTACT", "PREPAYMENT", "OVERPAYMENT", "SUBSCRIPTION", "NEW"):
            self.ring(self.event(eventCategory=category))
        self.assertFalse(self.rung())
        for category in ("Invoice", "creditnote"):
            self.ring(self.event(eventCategory=category, tenantId=self.org.tenant_id.upper()))
            self.assertEqual(self.rung(), connection)
            self.env["xero.bell"].search([]).unlink()

    def test_another_apps_webhooks_do_not_ring_for_this_ones_connections(self):
        self.connect()
        other = self.app.copy({"client_secret": "x", "webhook_key": "x"})
        self.env["xero.connection"]._ring_bells(other, [self.event()])
        self.assertFalse(self.env["xero.bell"].search([("connection_id.tenant_id", "=", self.org.tenant_id)]))

    def test_connections_that_do_not_import_by_themselves_are_not_rung(self):
        connection = self.connect()
        for values in (
            {"state": "paused"},
            {"state": "error"},
            {"state": "draft"},
            {"sync_interval": "manual"},
            {"setup_done": False},
            {"active": False, "grant_id": False},
        ):
            with self.subTest(values=values), self.env.cr.savepoint() as savepoint:
                connection.sudo().write({"grant_id": values.get("grant_id", connection.sudo().grant_id.id)})
                connection.sudo().write(values)
                self.ring(self.event())
                self.assertFalse(self.rung())
                savepoint.rollback()
        connection.invalidate_recordset()
        self.ring(self.event())
        self.assertEqual(self.rung(), connection)

    def test_two_companies_connected_to_one_organisation_both_get_it(self):
        other_company = self.env["res.company"].create({"name": "Second company"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other_company.id)], limit=1)
        self.env.user.company_ids = [Command.link(other_company.id)]
        first = self.connect()
        second = self.connect(name="Second", company_id=other_company.id, warehouse_id=warehouse.id)
        self.subscribe()
        self.run_import(first | second)
        invoice = self.invoice("web")
        self.deliver()
        self.assertEqual(self.rung(), first | second)
        self.answer_bells()
        self.assertEqual(self.order(invoice).xero_connection_id, first | second)

    def _turns(self, forget=False):
        """When the scheduled action is woken. To `forget`, as a run of it would in a transaction of its own."""
        turns = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)], order="call_at")
        moments = turns.mapped("call_at")
        if forget:
            turns.unlink()
        return moments

    def test_a_ring_wakes_the_scheduled_action_at_once_or_when_the_burst_is_over(self):
        connection, _invoices = self.connect_and_import()
        self._turns(forget=True)
        later = connection.listen_from = fields.Datetime.now() + LATER
        self.ring(self.event())
        self.assertEqual(self._turns(), [later])
        connection.listen_from = False
        self.ring(self.event())
        at_once, then = self._turns()
        self.assertLessEqual(at_once, fields.Datetime.now())
        self.assertEqual(then, later)

    def test_many_rings_wake_the_scheduled_action_once(self):
        connection, _invoices = self.connect_and_import()
        for listen_from in (False, fields.Datetime.now() + LATER):
            self._turns(forget=True)
            connection.listen_from = listen_from
            for _number in range(3):
                self.ring(self.event())
            self.assertEqual(len(self._turns()), 1)
        self.assertEqual(len(connection.bell_ids), 6)

    def test_a_turn_the_scheduler_was_not_told_of_does_not_hold_up_a_ring(self):
        connection, _invoices = self.connect_and_import()
        connection.listen_from = False
        self._turns(forget=True)
        turn = self.cron._trigger(at=fields.Datetime.now() + LATER)
        self.env.flush_all()
        # As when that moment has just come: the scheduler looks once a minute.
        self.env.cr.execute(
            "UPDATE ir_cron_trigger SET call_at = call_at - interval '1 hour 1 minute',"
            " create_date = create_date - interval '2 hours' WHERE id = %s",
            [turn.id],
        )
        self.ring(self.event())
        self.assertEqual(len(self._turns()), 2)

    def test_a_ring_that_came_too_early_for_the_scheduled_action_is_answered_when_the_burst_is_over(self):
        connection, _invoices = self.connect_and_import()
        self.assertGreater(connection.listen_from, fields.Datetime.now())
        # As it comes while a poll is under way: the ring knows of no burst yet, so it wakes the action too early.
        listen_from, connection.listen_from = connection.listen_from, False
        self.ring(self.event())
        connection.listen_from = listen_from
        self._turns(forget=True)
        self.run_cron("poll")
        self.assertEqual((self.looks(), self.rung()), (0, connection))
        self.assertEqual(self._turns(), [listen_from])


@tagged("post_install", "-at_install")
class TestAnswers(WebhookCase):
    """What the poll makes of the rings: few calls, and the same orders whatever way the events came."""

    def setUp(self):
        super().setUp()
        self.connection, [self.invoice_here] = self.connect_and_import("first")
        self.subscribe()

    def _edit(self, invoice, quantity):
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[self.line(quantity=quantity)])

    def test_a_new_invoice_comes_by_webhook(self):
        invoice = self.invoice("web")
        self.deliver()
        self.answer_bells()
        self.assertTrue(self.order(invoice))
        self.assertFalse(self.rung(), "what was answered rings no more")

    def test_an_edit_after_the_import_comes_by_webhook_and_is_applied(self):
        self._edit(self.invoice_here, 7)
        self.deliver()
        self.answer_bells()
        self.assertEqual(self.order(self.invoice_here).order_line.product_uom_qty, 7)

    def test_many_events_of_one_invoice_cost_one_call(self):
        for quantity in range(3, 23):
            self._edit(self.invoice_here, quantity)
        self.assertEqual(len(self.hooks.waiting), 20)
        self.deliver()
        self.answer_bells()
        self.assertEqual(len(self.fake.requests), 1, [request.path for request in self.fake.requests])
        self.assertEqual(self.order(self.invoice_here).order_line.product_uom_qty, 22)

    def test_a_burst_of_deliveries_costs_one_question_or_two(self):
        invoices = [self.invoice(f"burst {number}") for number in range(12)]
        self.connection.listen_from = False
        self.fake.reset_log()
        for _delivery in range(6):
            self.ring(*self.hooks.waiting[:2])
            self.deliver(size=2)
            self.run_cron("poll")
        self.run_cron("poll")
        self.assertEqual(self.looks(), 1, "the rest of the burst waits for its end")
        self.connection.listen_from = False
        self.run_cron("poll", "process")
        self.assertLessEqual(self.looks(), 2)
        self.assertTrue(all(self.order(invoice) for invoice in invoices))

    def test_bills_cost_one_question_and_import_nothing(self):
        bills = [self.invoice(Type="ACCPAY") for _number in range(15)]
        self.assertEqual(len(self.hooks.waiting), 15)
        self.deliver(size=5)
        self.answer_bells()
        self.assertLessEqual(len(self.fake.requests), 1)
        self.assertFalse(any(self.order(bill) or self.row(bill) for bill in bills))

    def test_a_replay_of_what_we_have_makes_no_call(self):
        self._edit(self.invoice_here, 5)
        self.invoice("second")
        self.deliver(size=1)
        self.answer_bells()
        for shuffle in (False, True):
            self.assertEqual(self.by_http(self.hooks.replay, shuffle=shuffle).status, "ok")
        self.assertFalse(self.rung())
        self.answer_bells()
        self.assertFalse(self.fake.requests)

    def test_a_failed_question_keeps_the_ring_and_answers_it_later(self):
        invoice = self.invoice("web")
        self.deliver()
        self.fake.faults.add("GET", "/Invoices$", status=503)
        self.answer_bells()
        self.assertEqual((self.rung(), bool(self.order(invoice))), (self.connection, False))
        self.answer_bells()
        self.assertFalse(self.looks(), "an outage is not asked over and over")
        self.connection.blocked_until = False
        self.answer_bells()
        self.assertTrue(self.order(invoice))
        self.assertFalse(self.rung())

    # === ORDER === #

    def _season(self, tag, seed=None):
        """Five invoices that are orders already, edited and voided at Xero; the events come in their order, each
        answered at once, or at random: in lots of any size, shuffled, some of them twice.

        :return: what the orders are in the end: list of (state, lines)
        """
        chance = random.Random(seed)
        invoices = [self.invoice(f"{tag} {number}") for number in range(5)]
        self.run_import(self.connection)
        begin = len(self.hooks.waiting)
        answered = begin
        for step in range(12):
            invoice = invoices[step % 5]
            if step == 8:
                self.org.void(invoice["InvoiceID"])
            elif step != 3:
                lines = [self.line(quantity=step + 1), self.line("MUG", step + 2)][: 1 + step % 2]
                self.org.update("Invoices", invoice["InvoiceID"], LineItems=lines)
            if seed is None:
                self.ring(*self.hooks.waiting[answered:])
                answered = len(self.hooks.waiting)
                self.answer_bells()
        if seed is not None:
            events = self.hooks.waiting[begin:]
            events += chance.choices(events, k=6)
            chance.shuffle(events)
            while events:
                lot = chance.randint(1, 6)
                self.ring(*events[:lot])
                del events[:lot]
                if chance.random() < 0.6:
                    self.answer_bells()
            self.answer_bells()
        self.assertFalse(self.rung())
        return [
            (order.state, sorted((line.product_id.default_code, line.product_uom_qty) for line in order.order_line))
            for order in map(self.order, invoices)
        ]

    def test_shuffled_repeated_and_late_events_end_in_the_same_orders(self):
        in_order = self._season("in order")
        self.assertEqual([state for state, _lines in in_order], ["draft"] * 3 + ["cancel", "draft"])
        self.assertEqual(len({str(lines) for _state, lines in in_order}), 5)
        for seed in range(5):
            with self.subTest(seed=seed):
                self.assertEqual(self._season(f"shuffle {seed}", seed), in_order)
