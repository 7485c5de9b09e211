"""Faults, limits, the request log, the control door, and a prompt end."""
import subprocess
import sys
import threading
import time
import uuid
from http.client import HTTPConnection

import requests

from odoo.tests import tagged

from ..sandbox import fake_xero
from ..sandbox.fake_xero import FakeXero
from .fake_xero_case import FakeXeroCase


@tagged("post_install", "-at_install")
class TestFakeXeroBadDays(FakeXeroCase):

    def setUp(self):
        super().setUp()
        self.contact = self.organisation.add_contact(Name="Little Creek")
        self.connect()
        self.fake.reset_log()

    def put(self):
        return self.call("PUT", "Contacts", json={"Name": "New"})

    def ask_meanwhile(self):
        """A call of Contacts that is being answered in another thread, and the list its failure will be in."""
        errors = []

        def ask():
            try:
                requests.get(f"{self.fake.api_url}/Contacts", headers=dict(self.http.headers), timeout=30)
            except requests.ConnectionError as error:
                errors.append(error)

        waiting = threading.Thread(target=ask)
        waiting.start()
        end = time.monotonic() + 5
        while not self.fake.limits.running(self.organisation.tenant_id):
            self.assertLess(time.monotonic(), end)
            threading.Event().wait(0.005)
        return waiting, errors

    def has_new(self):
        return any(row.data["Name"] == "New" for row in self.organisation.tables["Contacts"])

    # --- faults ------------------------------------------------------------------------------------------------------
    def test_a_status_fault_answers_without_doing_the_work(self):
        self.fake.faults.add(method="PUT", path="/Contacts$", status=503, body="offline for maintenance",
                             headers={"Retry-After": "300"})
        answer = self.put()
        self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (503, "300"))
        self.assertIn("offline", answer.text)
        self.assertFalse(self.has_new())
        self.assertEqual(self.put().status_code, 200)

    def test_a_status_fault_may_do_the_work_all_the_same(self):
        self.fake.faults.add(kind="status", status=502, work=True)
        self.assertEqual(self.put().status_code, 502)
        self.assertTrue(self.has_new())

    def test_faults_strike_after_some_and_so_many_times(self):
        self.fake.faults.add(path="Contacts", status=500, after=1, times=2)
        self.assertEqual([self.call("GET", "Contacts").status_code for _ in range(4)], [200, 500, 500, 200])

    def test_faults_strike_only_their_method_and_path(self):
        self.fake.faults.add(method="PUT", path="Contacts", times=None)
        self.assertEqual(self.call("GET", "Contacts").status_code, 200)
        self.assertEqual(self.call("GET", "Items").status_code, 200)
        self.assertEqual(self.put().status_code, 500)

    def test_a_connection_dropped_before_the_work_leaves_nothing(self):
        self.fake.faults.add(kind="drop_before", path="Contacts")
        with self.assertRaises(requests.ConnectionError):
            self.put()
        self.assertFalse(self.has_new())
        self.assertEqual(self.fake.calls("PUT")[0].status, 0)

    def test_a_connection_dropped_after_the_work_leaves_it_done(self):
        self.fake.faults.add(kind="drop_after", path="Contacts")
        with self.assertRaises(requests.ConnectionError):
            self.put()
        self.assertTrue(self.has_new())

    def test_a_cut_answer_breaks_off_in_its_middle(self):
        self.fake.faults.add(kind="cut", path="Contacts")
        with self.assertRaises(requests.exceptions.ChunkedEncodingError):
            self.call("GET", "Contacts")
        self.get("Contacts")

    def test_html_and_other_json_take_the_place_of_the_answer(self):
        self.fake.faults.add(kind="html")
        answer = self.call("GET", "Contacts")
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (503, "text/html; charset=utf-8"))
        self.fake.faults.add(kind="replace_json", body={"Contacts": [{"Name": None}]})
        self.assertEqual(self.get("Contacts"), {"Contacts": [{"Name": None}]})

    def test_a_held_answer_ends_when_the_client_gives_up(self):
        self.fake.faults.add(kind="timeout", path="Contacts")
        # not through requests: Odoo's tests raise its timeouts to ten seconds
        client = HTTPConnection("localhost", self.fake.port, timeout=0.2)
        client.request("GET", "/api.xro/2.0/Contacts", headers=dict(self.http.headers))
        with self.assertRaises(TimeoutError):
            client.getresponse()
        self.assertEqual(self.fake.limits.running(self.organisation.tenant_id), 1)
        client.close()
        end = time.monotonic() + 5
        while self.fake.limits.running(self.organisation.tenant_id):
            self.assertLess(time.monotonic(), end)
            threading.Event().wait(0.005)
        self.get("Contacts")

    def test_a_slow_answer_comes_late_but_whole(self):
        self.fake.faults.add(kind="slow", delay=0.2)
        start = time.monotonic()
        self.assertEqual(len(self.get("Contacts")["Contacts"]), 1)
        self.assertGreaterEqual(time.monotonic() - start, 0.2)

    def test_faults_reach_the_token_endpoint_too(self):
        self.fake.faults.add(method="POST", path="/connect/token", status=500)
        self.assertEqual(self.token_call(grant_type="client_credentials").status_code, 500)

    def test_cleared_faults_do_not_strike(self):
        self.fake.faults.add()
        self.fake.faults.clear()
        self.get("Contacts")

    def test_an_unknown_kind_of_fault_is_named(self):
        with self.assertRaisesRegex(ValueError, "earthquake"):
            self.fake.faults.add(kind="earthquake")

    # --- correlation id ----------------------------------------------------------------------------------------------
    def test_every_answer_of_xero_has_a_correlation_id_of_its_own(self):
        answers = [self.call("GET", "Contacts"), self.call("GET", "Nothing"), self.authorise(), self.put(),
                   self.token_call(grant_type="nonsense"), self.call("PUT", "Contacts", json={})]
        self.fake.faults.add(status=500)
        answers.append(self.call("GET", "Contacts"))
        self.fake.limits.minute = 0
        answers.append(self.call("GET", "Contacts"))
        self.assertEqual([answer.status_code for answer in answers], [200, 404, 200, 200, 400, 400, 500, 429])
        ids = [str(uuid.UUID(answer.headers["Xero-Correlation-Id"])) for answer in answers]
        self.assertEqual(len(set(ids)), len(ids))

    def test_answers_cut_off_or_refused_unread_have_a_correlation_id_too(self):
        self.fake.faults.add(kind="cut")
        answer = self.call("GET", "Contacts", stream=True)
        self.assertTrue(uuid.UUID(answer.headers["Xero-Correlation-Id"]))
        answer.close()
        for name, value, status in (("Content-Length", 11 * 1024 * 1024, 413), ("Transfer-Encoding", "chunked", 411)):
            client = HTTPConnection("localhost", self.fake.port, timeout=10)
            client.putrequest("PUT", "/api.xro/2.0/Contacts")
            client.putheader(name, value)
            client.endheaders()
            answer = client.getresponse()
            self.assertEqual(answer.status, status)
            self.assertTrue(uuid.UUID(answer.headers["Xero-Correlation-Id"]))
            client.close()

    # --- limits ------------------------------------------------------------------------------------------------------
    def test_the_minute_limit_answers_429_without_a_body(self):
        self.fake.limits.minute = 2
        self.assertEqual([self.call("GET", "Items").headers["X-MinLimit-Remaining"] for _ in range(2)], ["1", "0"])
        answer = self.call("GET", "Items")
        self.assertEqual((answer.status_code, answer.content, answer.headers["X-Rate-Limit-Problem"]),
                         (429, b"", "minute"))
        self.assertNotIn("Content-Type", answer.headers)
        self.assertTrue(1 <= int(answer.headers["Retry-After"]) <= 60)
        self.fake.clock.advance(int(answer.headers["Retry-After"]))
        self.get("Items")

    def test_the_day_limit_counts_over_minutes(self):
        self.fake.limits.day = 2
        self.get("Items")
        self.fake.clock.advance(61)
        self.get("Items")
        self.fake.clock.advance(61)
        answer = self.call("GET", "Items")
        self.assertEqual((answer.status_code, answer.headers["X-Rate-Limit-Problem"]), (429, "day"))
        self.assertEqual(answer.headers["X-DayLimit-Remaining"], "0")

    def test_limits_are_counted_per_organisation(self):
        second = self.fake.add_organisation("Second")
        self.fake.limits.for_tenant(self.organisation.tenant_id, minute=0)
        self.assertEqual(self.call("GET", "Items").status_code, 429)
        self.connect(organisation=second)
        self.get("Items")

    def test_the_limit_of_the_app_counts_over_organisations(self):
        self.fake.limits.app_minute = 1
        self.get("Items")
        self.connect(organisation=self.fake.add_organisation("Second"))
        self.assertEqual(self.call("GET", "Items").headers["X-Rate-Limit-Problem"], "appminute")

    def test_too_many_calls_at_once_are_refused_without_retry_after(self):
        self.fake.limits.concurrent = 1
        self.fake.faults.add(kind="slow", path="Contacts", delay=5)
        waiting, _errors = self.ask_meanwhile()
        answer = self.call("GET", "Items")
        self.assertEqual((answer.status_code, answer.headers["X-Rate-Limit-Problem"]), (429, "concurrent"))
        self.assertNotIn("Retry-After", answer.headers)
        self.fake.stop()
        waiting.join(5)

    # --- log, hook, life ---------------------------------------------------------------------------------------------
    def test_requests_are_logged_without_secrets(self):
        self.get("Contacts", page=2)
        self.tokens()
        entry = self.fake.calls("GET", "/contacts$")[0]
        self.assertEqual((entry.status, entry.query, entry.tenant_id),
                         (200, {"page": "2"}, self.organisation.tenant_id))
        self.assertEqual(entry.headers["authorization"], "Bearer ***")
        token_call = self.fake.calls("POST", "/connect/token")[0]
        self.assertIn("code=***", token_call.body)
        self.assertEqual(token_call.headers["authorization"], "Basic ***")
        self.fake.reset_log()
        self.assertEqual(self.fake.requests, [])

    def test_a_mistake_of_the_fake_shows_its_traceback(self):
        self.organisation.tables = None
        answer = self.call("GET", "Contacts")
        self.assertEqual(answer.status_code, 500)
        self.assertIn("Traceback", answer.text)

    def test_stopping_is_prompt_even_with_a_held_answer(self):
        self.fake.faults.add(kind="timeout", path="Contacts")
        waiting, errors = self.ask_meanwhile()
        start = time.monotonic()
        self.fake.stop()
        waiting.join(5)
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(len(errors), 1)

    def test_a_connection_kept_alive_is_not_served_after_the_end(self):
        self.get("Contacts")
        self.fake.stop()
        with self.assertRaises(requests.ConnectionError):
            self.call("GET", "Contacts")

    def test_a_port_in_use_is_named(self):
        with self.assertRaisesRegex(OSError, f"port {self.fake.port} on 127.0.0.1 is in use"):
            FakeXero(port=self.fake.port)

    def test_a_fake_never_started_can_be_stopped(self):
        FakeXero().stop()

    def test_it_describes_itself(self):
        self.assertEqual(self.fake.describe(), {
            "api_url": f"http://localhost:{self.fake.port}/api.xro/2.0",
            "identity_url": f"http://localhost:{self.fake.port}", "login_url": f"http://localhost:{self.fake.port}",
            "client_id": self.fake.client_id, "client_secret": self.fake.client_secret,
            "tenant_id": self.organisation.tenant_id})

    def test_importing_it_needs_neither_odoo_nor_time(self):
        folder = fake_xero.__path__[0].rsplit("/", 1)[0]
        script = ("import sys, time; start = time.monotonic(); import fake_xero\n"
                  "print(time.monotonic() - start < 0.5, any(m.split('.')[0] == 'odoo' for m in sys.modules))")
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, check=False)
        self.assertEqual(done.stdout.split(), ["True", "False"], done.stderr)

    # --- the control door --------------------------------------------------------------------------------------------
    def door(self, method, path, body=None):
        answer = self.http.request(method, f"{self.fake.login_url}/_fake/{path}", json=body, timeout=10)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertNotIn("Xero-Correlation-Id", answer.headers)
        return answer.json()

    def test_the_door_plans_faults_and_reads_the_log(self):
        self.door("POST", "faults", {"method": "GET", "path": "Contacts", "status": 500})
        self.assertEqual(self.call("GET", "Contacts").status_code, 500)
        self.assertEqual([entry["status"] for entry in self.door("GET", "log?path=Contacts")], [500])
        self.door("DELETE", "faults")
        self.assertEqual(self.door("DELETE", "log"), [])

    def test_the_door_sets_clock_limits_and_settings(self):
        self.door("POST", "limits", {"minute": 0})
        self.assertEqual(self.call("GET", "Items").status_code, 429)
        self.door("DELETE", "limits")
        self.door("POST", "settings", {"auto_approve": True})
        self.assertEqual(self.authorise().status_code, 302)
        self.door("POST", "clock", {"advance": 1801})
        self.assertEqual(self.call("GET", "Items").status_code, 401)

    def test_the_door_fills_and_changes_books(self):
        books = f"organisations/{self.organisation.tenant_id}"
        invoice = self.door("POST", f"{books}/Invoices", {"Contact": self.contact["ContactID"], "LineItems": [
            {"Description": "x", "Quantity": 1, "UnitAmount": 5}]})
        self.door("POST", f"{books}/Invoices/{invoice['InvoiceID']}", {"Reference": "R"})
        self.door("POST", f"{books}/note", {"id": invoice["InvoiceID"], "details": "Ring"})
        self.door("POST", f"{books}/pay", {"id": invoice["InvoiceID"]})
        stored = self.door("GET", f"{books}/Invoices/{invoice['InvoiceID']}")[0]
        self.assertEqual((stored["Reference"], stored["Status"]), ("R", "PAID"))
        self.door("POST", f"{books}/disconnect")
        self.assertEqual(self.call("GET", "Items").status_code, 403)

    def test_the_door_deletes_items_and_nothing_else(self):
        books = f"organisations/{self.organisation.tenant_id}"
        item = self.door("POST", f"{books}/Items", {"Code": "GONE"})
        self.door("DELETE", f"{books}/Items/{item['ItemID']}")
        self.assertEqual(self.door("GET", f"{books}/Items/{item['ItemID']}"), [])
        for path in (f"{books}/Items", f"{books}/Contacts/{self.contact['ContactID']}"):
            answer = self.http.delete(f"{self.fake.login_url}/_fake/{path}", timeout=10)
            self.assertEqual(answer.status_code, 400, path)
        self.assertTrue(self.door("GET", f"{books}/Contacts/{self.contact['ContactID']}"))

    def test_the_door_says_what_is_wrong(self):
        for path in ("nonsense", "organisations/none/Invoices", "faults"):
            answer = self.http.post(f"{self.fake.login_url}/_fake/{path}", json={"kind": "x"}, timeout=10)
            self.assertEqual(answer.status_code, 400, path)
            self.assertTrue(answer.json()["error"])
