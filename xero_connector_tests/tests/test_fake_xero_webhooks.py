"""The fake's webhooks keep to `xero-api.md` section 6; a small HTTP server receives them."""
import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from odoo.tests import BaseCase, tagged

from ..sandbox.fake_xero import sign
from .fake_xero_case import FakeXeroCase

KEY = "a key as the developer portal shows it =="
HOUR = 3600
LINES = [{"Description": "Bottles", "Quantity": 1, "UnitAmount": 10}]


def is_signed(key, body, signature):
    """A check of the receiver's own, so that it does not lean on what it checks."""
    wanted = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(wanted, signature)


class Receiver:
    """A receiver that does it right: 200 for what is signed with `KEY`, 401 for the rest, nothing else.

    `bodies` are the rightly signed payloads it took, `requests` (body, signature) of all. To misbehave: `statuses` are
    used up by rightly signed payloads, `forged` answers the others, `body` and `headers` go with every 200, `hold` is
    waited for before any answer, `pause` (seconds) lies between the pieces of an answer.
    """

    def __init__(self):
        self.requests, self.bodies, self.statuses, self.forged = [], [], [], 401
        self.body, self.headers, self.hold, self.pause, self.arrived = b"", {}, None, 0, threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, content = receiver.take(body, self.headers["x-xero-signature"])
                self.send_response(status)
                self.breathe()
                for name, value in {**headers, "Content-Length": len(content)}.items():
                    self.send_header(name, value)
                self.breathe()
                self.end_headers()
                self.wfile.write(content)

            def breathe(self):
                """Send what there is so far, and pause."""
                if receiver.pause:
                    self.flush_headers()
                    threading.Event().wait(receiver.pause)

            def log_message(self, *_arguments):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def take(self, body, signature):
        self.requests.append((body, signature))
        if self.hold:
            self.hold.wait(30)
        if not is_signed(KEY, body, signature):
            return self.forged, {}, b""
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(body)
            if json.loads(body)["events"]:
                self.arrived.set()
        return status, self.headers, self.body

    @property
    def payloads(self):
        """What was taken and has events, as JSON."""
        return [content for content in map(json.loads, self.bodies) if content["events"]]

    @property
    def events(self):
        return [event for content in self.payloads for event in content["events"]]

    def stop(self):
        if self.hold:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@tagged("post_install", "-at_install")
class TestSignature(BaseCase):

    def test_a_signature_is_the_published_one(self):
        body = (b'{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, '
                b'"entropy": "NLDZEGWUXNHESAQVGLYF"}')
        self.assertEqual(sign("test_key", body), "ixznmr+Pdl6QymsWZM+9UkY4lu97q04sJyejmSOp25U=")


class WebhookCase(FakeXeroCase):

    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)
        self.hooks = self.fake.webhooks
        self.contact = self.organisation.add_contact(Name="Little Creek")

    def subscribe(self):
        self.connect()
        subscription = self.hooks.subscribe(self.receiver.url, KEY)
        self.assertEqual((subscription.status, subscription.reason), ("ok", ""))
        return subscription

    def add_invoice(self, **fields):
        return self.organisation.add_invoice(Contact=self.contact, LineItems=LINES, **fields)

    def waiting(self):
        """(category, type, id) of what waits."""
        return [(event["eventCategory"], event["eventType"], event["resourceId"]) for event in self.hooks.waiting]

    def names(self, count):
        """Make so many contacts; returns their ids."""
        return [self.organisation.add_contact(Name=f"Contact of event {number}")["ContactID"]
                for number in range(count)]


@tagged("post_install", "-at_install")
class TestHandshake(WebhookCase):

    def test_the_handshake_sends_empty_payloads_some_of_them_wrongly_signed(self):
        self.assertEqual(self.hooks.subscribe(self.receiver.url, KEY).status, "ok")
        right = [is_signed(KEY, body, signature) for body, signature in self.receiver.requests]
        self.assertGreaterEqual(right.count(True), 2)
        self.assertGreaterEqual(right.count(False), 2)
        for body, _signature in self.receiver.requests:
            content = json.loads(body)
            self.assertEqual((content["events"], content["firstEventSequence"], content["lastEventSequence"]),
                             ([], 0, 0))
        self.assertEqual(len({body for body, _signature in self.receiver.requests}), 4)

    def test_wrong_signatures_are_of_another_key_or_belong_to_another_payload(self):
        self.hooks.subscribe(self.receiver.url, KEY)
        right = {signature for body, signature in self.receiver.requests if is_signed(KEY, body, signature)}
        wrong = [signature for body, signature in self.receiver.requests if not is_signed(KEY, body, signature)]
        self.assertEqual({signature in right for signature in wrong}, {True, False})

    def failure(self):
        subscription = self.hooks.subscribe(self.receiver.url, KEY)
        self.assertEqual(subscription.status, "failed")
        self.assertIs(self.hooks.subscription, subscription)
        return subscription.reason

    def test_a_receiver_that_takes_wrong_signatures_fails(self):
        self.receiver.forged = 200
        self.assertIn("wrongly signed payload: answered 200 instead of 401", self.failure())

    def test_a_receiver_that_refuses_with_another_status_fails(self):
        self.receiver.forged = 403
        self.assertIn("answered 403 instead of 401", self.failure())

    def test_a_receiver_that_refuses_right_signatures_fails(self):
        self.receiver.statuses = [200, 401]
        self.assertIn("rightly signed payload: answered 401 instead of 2xx", self.failure())

    def test_a_redirect_is_no_success(self):
        self.receiver.statuses = [302]
        self.assertIn("answered 302", self.failure())

    def test_any_2xx_is_a_success(self):
        self.receiver.statuses = [204, 202]
        self.assertEqual(self.hooks.subscribe(self.receiver.url, KEY).status, "ok")

    def test_a_cookie_in_the_answer_fails(self):
        self.receiver.headers = {"Set-Cookie": "session_id=1"}
        self.assertIn("sets a cookie", self.failure())

    def test_a_body_in_the_answer_fails(self):
        self.receiver.body = b"ok"
        self.assertIn("has a body", self.failure())

    def test_a_late_answer_fails(self):
        self.assertEqual(self.hooks.patience, 5)
        self.hooks.patience, self.receiver.hold = 0.1, threading.Event()
        start = time.monotonic()
        self.assertIn("no answer within 0.1 s", self.failure())
        self.assertLess(time.monotonic() - start, 5)

    def test_an_answer_that_trickles_is_late_too(self):
        self.hooks.patience, self.receiver.pause = 0.1, 0.07
        self.assertIn("no answer within 0.1 s", self.failure())

    def test_nobody_at_home_fails(self):
        self.receiver.stop()
        self.assertIn("no answer: ConnectionRefusedError", self.failure())

    def test_a_url_that_leads_away_or_an_empty_key_is_refused(self):
        for url in ("https://shop.example/hook", "http://shop.example/hook", "http://localhost.example/", "localhost",
                    "https://localhost/hook", "http://user@shop.example/", "http://0.0.0.0/hook", "ftp://localhost/"):
            with self.assertRaisesRegex(ValueError, "localhost", msg=url):
                self.hooks.subscribe(url, KEY)
        with self.assertRaisesRegex(ValueError, "key"):
            self.hooks.subscribe(self.receiver.url, "")
        self.assertIsNone(self.hooks.subscription)
        self.assertEqual(self.hooks.subscribe(self.receiver.url.replace("127.0.0.1", "localhost"), KEY).status, "ok")

    def test_the_handshake_needs_no_connection(self):
        self.assertFalse(self.fake.identity.connections)
        self.assertEqual(self.hooks.subscribe(self.receiver.url, KEY).status, "ok")

    def test_a_receiver_whose_handshake_failed_gets_no_events(self):
        self.connect()
        self.receiver.forged = 200
        self.failure()
        self.add_invoice()
        self.assertEqual(self.hooks.waiting, [])
        outcome = self.hooks.deliver()
        self.assertEqual(outcome.status, "failed")
        self.assertIn("answered 200 instead of 401", outcome.reason)

    def test_the_key_shows_nowhere(self):
        subscription = self.subscribe()
        self.assertNotIn(KEY, repr(subscription))
        self.assertNotIn(KEY, json.dumps(self.hooks.as_dict()))


@tagged("post_install", "-at_install")
class TestEvents(WebhookCase):

    def test_nothing_is_kept_without_a_subscription(self):
        self.connect()
        self.add_invoice()
        self.assertEqual(self.hooks.waiting, [])
        self.assertEqual(self.hooks.deliver().reason, "nobody is subscribed")

    def test_an_event_has_exactly_the_fields_xero_sends(self):
        self.subscribe()
        stamp = datetime(2026, 9, 2, 21, 14, 7, 250000, tzinfo=timezone.utc)
        invoice = self.add_invoice(updated=stamp)
        self.assertEqual(self.hooks.waiting, [{
            "resourceUrl": f"{self.fake.api_url}/Invoices/{invoice['InvoiceID']}", "resourceId": invoice["InvoiceID"],
            "eventDateUtc": "2026-09-02T21:14:07.250", "eventType": "CREATE", "eventCategory": "INVOICE",
            "tenantId": self.organisation.tenant_id, "tenantType": "ORGANISATION"}])
        self.assertEqual(self.get(f"Invoices/{invoice['InvoiceID']}")["Invoices"][0]["InvoiceID"],
                         invoice["InvoiceID"])

    def test_bills_fire_as_invoices_do_and_carry_no_type(self):
        self.subscribe()
        bill = self.add_invoice(Type="ACCPAY")
        self.assertEqual(self.waiting(), [("INVOICE", "CREATE", bill["InvoiceID"])])
        self.assertNotIn("data", self.hooks.waiting[0])

    def test_a_credit_note_carries_type_and_status_as_they_were(self):
        self.subscribe()
        note = self.organisation.add_credit_note(Contact=self.contact, LineItems=LINES)
        self.organisation.void(note["CreditNoteID"])
        self.assertEqual([event["data"] for event in self.hooks.waiting], [
            {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}, {"Type": "ACCRECCREDIT", "Status": "VOIDED"}])

    def test_what_people_do_in_the_books_fires(self):
        self.subscribe()
        invoice = self.add_invoice()
        self.organisation.update("Invoices", invoice["InvoiceID"], Reference="PO 2")
        self.organisation.update("Contacts", self.contact["ContactID"], Name="Big Creek")
        self.organisation.void(invoice["InvoiceID"])
        self.assertEqual(self.waiting(), [
            ("INVOICE", "CREATE", invoice["InvoiceID"]), ("INVOICE", "UPDATE", invoice["InvoiceID"]),
            ("CONTACT", "UPDATE", self.contact["ContactID"]), ("INVOICE", "UPDATE", invoice["InvoiceID"])])

    def test_what_the_app_writes_fires_too(self):
        self.subscribe()
        written = self.write("PUT", "Invoices", {"Type": "ACCREC", "Contact": {"Name": "Quite new"},
                                                 "LineItems": LINES}).json()["Invoices"][0]
        self.write("POST", f"Invoices/{written['InvoiceID']}", {"Reference": "PO 3"})
        self.write("POST", "Contacts", {"ContactID": self.contact["ContactID"], "Name": "Big Creek"})
        self.assertEqual(self.waiting(), [
            ("CONTACT", "CREATE", written["Contact"]["ContactID"]), ("INVOICE", "CREATE", written["InvoiceID"]),
            ("INVOICE", "UPDATE", written["InvoiceID"]), ("CONTACT", "UPDATE", self.contact["ContactID"])])

    def test_a_refused_write_fires_nothing(self):
        self.subscribe()
        self.assertTrue(self.refused("PUT", "Invoices", {"Type": "ACCREC", "LineItems": LINES}))
        self.assertEqual(self.hooks.waiting, [])

    def test_a_write_whose_answer_is_replayed_fires_once(self):
        self.subscribe()
        for _attempt in range(2):
            self.call("PUT", "Contacts", headers={"Idempotency-Key": "k1"}, json={"Name": "Once"})
        self.assertEqual([event[:2] for event in self.waiting()], [("CONTACT", "CREATE")])

    def test_items_and_settings_fire_nothing(self):
        self.subscribe()
        item = self.organisation.add_item(Code="BTL", Name="Bottle")
        self.organisation.update("Items", item["ItemID"], Name="Bottle, blue")
        self.organisation.rename("Harbour Trading 2")
        self.assertEqual(self.hooks.waiting, [])

    def test_a_payment_fires_only_when_the_setting_says_so(self):
        invoice = self.add_invoice()
        self.subscribe()
        first = self.organisation.add_payment(invoice, 4)
        self.write("POST", f"Payments/{first['PaymentID']}", {"Status": "DELETED"}).raise_for_status()
        self.assertEqual(self.hooks.waiting, [])
        self.hooks.payments_fire_events = True
        payment = self.organisation.add_payment(invoice, 4)
        self.write("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"}).raise_for_status()
        self.assertEqual(self.waiting(), [("INVOICE", "UPDATE", invoice["InvoiceID"])] * 2)

    def test_an_invoice_born_paid_is_created_once(self):
        self.subscribe()
        self.add_invoice(Status="PAID")
        self.assertEqual([event[:2] for event in self.waiting()], [("INVOICE", "CREATE")])

    def test_an_allocation_changes_note_and_invoice(self):
        invoice = self.add_invoice()
        note = self.organisation.add_credit_note(Contact=self.contact, LineItems=LINES)
        self.subscribe()
        self.organisation.allocate(note, invoice, 2)
        self.assertEqual(self.waiting(), [("CREDITNOTE", "UPDATE", note["CreditNoteID"]),
                                          ("INVOICE", "UPDATE", invoice["InvoiceID"])])

    def test_an_organisation_fires_only_while_connected(self):
        self.subscribe()
        other = self.fake.add_organisation("Second")
        other.add_contact(Name="Unheard")
        self.fake.identity.disconnect(self.organisation.tenant_id)
        self.add_invoice()
        self.assertEqual(self.hooks.waiting, [])
        self.connect(organisation=other)
        other.add_contact(Name="Heard")
        self.assertEqual([event["tenantId"] for event in self.hooks.waiting], [other.tenant_id])


@tagged("post_install", "-at_install")
class TestDelivery(WebhookCase):

    def setUp(self):
        super().setUp()
        self.subscribe()

    def received(self):
        return [event["resourceId"] for event in self.receiver.events]

    def test_everything_that_waits_goes_in_one_signed_payload(self):
        made = self.names(3)
        outcome = self.hooks.deliver()
        self.assertEqual((outcome.status, outcome.reason), ("ok", ""))
        self.assertEqual([delivery.status for delivery in outcome.deliveries], [200])
        self.assertEqual(len(self.receiver.payloads), 1)
        self.assertEqual(list(self.receiver.payloads[0]),
                         ["events", "firstEventSequence", "lastEventSequence", "entropy"])
        self.assertEqual(self.received(), made)
        self.assertEqual(self.hooks.waiting, [])

    def test_nothing_waiting_sends_nothing(self):
        before = len(self.receiver.requests)
        outcome = self.hooks.deliver()
        self.assertEqual((outcome.status, outcome.deliveries), ("ok", []))
        self.assertEqual(len(self.receiver.requests), before)

    def test_sequence_numbers_go_on_from_delivery_to_delivery(self):
        for count in (2, 1):
            self.names(count)
            self.hooks.deliver()
        self.names(3)
        self.hooks.deliver(size=2)
        self.assertEqual([(content["firstEventSequence"], content["lastEventSequence"])
                          for content in self.receiver.payloads], [(1, 2), (3, 3), (4, 5), (6, 6)])
        self.assertEqual(len({content["entropy"] for content in self.receiver.payloads}), 4)

    def test_what_was_refused_is_sent_again_in_order(self):
        made = self.names(5)
        self.receiver.statuses = [200, 500]
        outcome = self.hooks.deliver(size=2)
        self.assertEqual((outcome.status, outcome.reason), ("failed", "answered 500 instead of 2xx"))
        self.assertEqual([delivery.status for delivery in outcome.deliveries], [200, 500])
        self.assertEqual([event["resourceId"] for event in self.hooks.waiting], made[2:])
        made += self.names(1)
        self.assertEqual(self.hooks.deliver(size=2).status, "ok")
        self.assertEqual(self.received(), made)
        self.assertEqual([content["firstEventSequence"] for content in self.receiver.payloads], [1, 3, 5])

    def test_an_answer_with_a_cookie_or_a_body_or_none_at_all_does_not_count(self):
        made = self.names(1)
        for name, value, reason in (("headers", {"Set-Cookie": "a=b"}, "cookie"), ("body", b"thanks", "body")):
            usual = getattr(self.receiver, name)
            setattr(self.receiver, name, value)
            self.assertIn(reason, self.hooks.deliver().reason)
            setattr(self.receiver, name, usual)
        self.hooks.patience, self.receiver.hold = 0.1, threading.Event()
        self.assertIn("no answer within", self.hooks.deliver().reason)
        self.assertEqual([event["resourceId"] for event in self.hooks.waiting], made)

    def test_a_replay_sends_the_last_delivery_again_byte_for_byte(self):
        self.names(1)
        self.hooks.deliver()
        self.names(3)
        self.hooks.deliver(size=2)
        last = self.receiver.bodies[-2:]
        self.assertEqual(self.hooks.deliver().deliveries, [])
        outcome = self.hooks.replay()
        self.assertEqual((outcome.status, len(outcome.deliveries)), ("ok", 2))
        self.assertEqual(self.receiver.bodies[-2:], last)
        self.hooks.replay(shuffle=True)
        self.assertEqual(self.receiver.bodies[-2:], last[::-1])

    def test_a_replay_leaves_alone_what_waits(self):
        self.names(1)
        self.hooks.deliver()
        made = self.names(1)
        self.hooks.replay()
        self.assertEqual([event["resourceId"] for event in self.hooks.waiting], made)

    def test_events_and_deliveries_can_come_in_another_order(self):
        made = self.names(4)
        self.hooks.deliver(shuffle_events=True)
        self.assertEqual(sorted(self.received()), sorted(made))
        self.assertNotEqual(self.received(), made)
        self.assertEqual(self.receiver.payloads[-1]["firstEventSequence"], 1)
        self.names(3)
        self.hooks.deliver(size=1, shuffle_deliveries=True)
        order = [content["firstEventSequence"] for content in self.receiver.payloads[1:]]
        self.assertEqual(sorted(order), [5, 6, 7])
        self.assertNotEqual(order, [5, 6, 7])

    def test_a_day_without_success_disables_the_subscription(self):
        made = self.names(1)
        self.receiver.statuses = [500, 500]
        self.hooks.deliver()
        self.fake.clock.advance(23 * HOUR)
        self.hooks.deliver()
        self.assertEqual(self.hooks.subscription.status, "ok")
        self.fake.clock.advance(HOUR)
        self.assertEqual(self.hooks.subscription.status, "disabled")
        self.assertIn("24 hours", self.hooks.deliver().reason)
        self.assertEqual(self.received(), [])
        made += self.names(1)
        self.assertEqual(self.hooks.subscribe(self.receiver.url, KEY).status, "ok")
        self.hooks.deliver()
        self.assertEqual(self.received(), made)

    def test_a_success_starts_the_day_anew(self):
        self.names(1)
        self.receiver.statuses = [500, 200, 500]
        self.hooks.deliver()
        self.fake.clock.advance(23 * HOUR)
        self.hooks.deliver()
        self.names(1)
        self.hooks.deliver()
        self.fake.clock.advance(2 * HOUR)
        self.assertEqual(self.hooks.subscription.status, "ok")

    def test_events_are_kept_for_thirty_one_days(self):
        self.names(1)
        self.fake.clock.advance(30 * 24 * HOUR)
        made = self.names(1)
        self.fake.clock.advance(2 * 24 * HOUR)
        self.hooks.deliver()
        self.assertEqual(self.received(), made)

    def test_who_unsubscribed_is_told_nothing(self):
        self.names(1)
        self.hooks.unsubscribe()
        self.names(1)
        self.assertEqual((self.hooks.waiting, self.hooks.subscription), ([], None))
        self.assertEqual(self.hooks.subscribe(self.receiver.url, KEY).status, "ok")
        self.hooks.deliver()
        self.assertEqual(self.receiver.events, [])

    def test_while_a_receiver_hesitates_the_books_can_be_read_and_written(self):
        made = self.names(1)
        self.receiver.hold = threading.Event()
        before = len(self.receiver.requests)
        delivering = threading.Thread(target=self.hooks.deliver)
        delivering.start()
        end = time.monotonic() + 5
        while len(self.receiver.requests) == before:
            self.assertLess(time.monotonic(), end)
            threading.Event().wait(0.005)
        self.assertEqual(self.write("PUT", "Contacts", {"Name": "Meanwhile"}).status_code, 200)
        self.assertTrue(delivering.is_alive())
        self.assertEqual([event["resourceId"] for event in self.hooks.waiting][:1], made)
        self.receiver.hold.set()
        delivering.join(5)
        self.assertEqual([event["resourceId"] for event in self.receiver.events], made)
        self.assertEqual(len(self.hooks.waiting), 1)


@tagged("post_install", "-at_install")
class TestAutomatic(WebhookCase):

    def setUp(self):
        super().setUp()
        self.subscribe()

    def courier(self):
        """The thread that delivers, or None."""
        return next((thread for thread in threading.enumerate() if thread.name == "fake-xero-webhooks"), None)

    def wait_for(self, condition):
        end = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), end)
            threading.Event().wait(0.005)

    def test_by_itself_an_event_arrives_within_about_half_a_second(self):
        self.hooks.automatic = True
        start = time.monotonic()
        self.names(3)
        self.assertTrue(self.receiver.arrived.wait(10))
        self.assertLess(time.monotonic() - start, 2)  # generous: the machine is shared
        self.wait_for(lambda: len(self.receiver.events) == 3)

    def test_what_waited_before_is_delivered_too(self):
        self.names(1)
        self.hooks.automatic = True
        self.assertTrue(self.receiver.arrived.wait(10))

    def test_it_ends_when_switched_off_and_with_the_fake(self):
        self.hooks.automatic = True
        self.assertIsNotNone(self.courier())
        self.hooks.automatic = False
        self.assertIsNone(self.courier())
        self.hooks.automatic = True
        self.fake.stop()
        self.assertIsNone(self.courier())

    def test_a_failure_is_tried_again_at_once_and_then_after_fifteen_minutes(self):
        self.receiver.statuses = [500, 500]
        before = len(self.receiver.requests)
        self.hooks.automatic = True
        self.names(1)
        self.wait_for(lambda: len(self.receiver.requests) == before + 2)
        self.wait_for(lambda: not self.hooks.is_due())  # the second refusal is noted
        self.assertEqual(len(self.hooks.waiting), 1)
        self.fake.clock.advance(14 * 60)
        self.assertFalse(self.hooks.is_due())
        self.fake.clock.advance(2 * 60)
        self.assertTrue(self.receiver.arrived.wait(10))
        self.assertEqual(len(self.receiver.requests), before + 3)


@tagged("post_install", "-at_install")
class TestDoor(WebhookCase):

    def door(self, method, path="", body=None, status=200):
        answer = requests.request(method, f"{self.fake.login_url}/_fake/webhooks{path}", json=body, timeout=20)
        self.assertEqual(answer.status_code, status, answer.text)
        return answer.json()

    def test_the_door_subscribes_delivers_replays_and_tells(self):
        self.connect()
        self.assertEqual(self.door("GET")["status"], "none")
        self.assertEqual(self.door("POST", body={"url": self.receiver.url, "key": KEY})["status"], "ok")
        made = self.names(2)
        self.assertEqual([event["resourceId"] for event in self.door("GET")["waiting"]], made)
        self.assertEqual(len(self.door("POST", "/deliver", {"size": 1})["deliveries"]), 2)
        self.assertEqual(self.door("POST", "/replay")["status"], "ok")
        self.assertEqual([event["resourceId"] for event in self.receiver.events], made * 2)
        told = self.door("POST", "/settings", {"automatic": True, "payments_fire_events": True})
        self.assertEqual((told["automatic"], told["payments_fire_events"]), (True, True))
        self.assertEqual(self.door("DELETE")["status"], "none")

    def test_the_door_says_what_is_wrong(self):
        for path, body in (("", {"url": "https://shop.example", "key": KEY}), ("", {}), ("/nonsense", {}),
                           ("/deliver", {"size": 0, "colour": "blue"})):
            self.assertTrue(self.door("POST", path, body, status=400)["error"], path)

    def test_a_receiver_may_use_the_door_while_it_is_called(self):
        self.connect()
        self.door("POST", body={"url": self.receiver.url, "key": KEY})
        self.names(1)
        seen = []
        usual = self.receiver.take

        def take(body, signature):
            seen.append(requests.get(f"{self.fake.login_url}/_fake/organisations", timeout=10).status_code)
            seen.append(self.call("GET", "Organisation").status_code)
            return usual(body, signature)
        self.receiver.take = take
        self.assertEqual(self.door("POST", "/deliver")["status"], "ok")
        self.assertEqual(seen, [200, 200])
