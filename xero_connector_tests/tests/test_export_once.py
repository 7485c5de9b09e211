"""Whatever becomes of Xero's answer, an order is billed once, and nothing of anybody else's is changed."""

import copy
import threading
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tests.common import _super_send

from odoo.addons.xero_connector import const

from .export_case import ExportCase

PATIENCE = 0.5  # seconds until we give up waiting, where no answer comes
# Ways to lose an answer to what Xero has done.
LOST = {
    "the connection breaks": {"kind": "drop_after"},
    "half an answer": {"kind": "cut"},
    "an error": {"status": 500, "work": True},
    "maintenance": {"status": 503, "body": "Organisation is offline", "work": True},
    "a page of HTML": {"kind": "html", "status": 200, "work": True},
    "another shape": {"kind": "replace_json", "body": "[1]", "work": True},
    "no answer in time": {"kind": "timeout", "delay": 4 * PATIENCE, "work": True},
}
# The same where Xero has done nothing.
NOT_ARRIVED = {
    "the connection breaks": {"kind": "drop_before"},
    "an error": {"status": 500},
    "maintenance": {"status": 503, "body": "Organisation is offline"},
    "a page of HTML": {"kind": "html"},
    "no answer in time": {"kind": "timeout", "delay": 4 * PATIENCE},
}
REFUSED_ACCESS = {
    "minute limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "minute", "Retry-After": "20"}},
    "day limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "day", "Retry-After": "66975"}},
    "concurrent limit": {"status": 429, "headers": {"X-Rate-Limit-Problem": "concurrent"}},
    "expired token": {"status": 401, "body": {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: no"}},
    "forbidden": {"status": 403, "body": {"title": "Forbidden", "status": 403, "detail": "AuthenticationUnsuccessful"}},
}
HOSTILE = {
    "quotes": 'PO "12" \'a\' or 1==1 "',
    "backslashes": 'C:\\new\\ "\\" \\',
    "angle brackets": "<script>alert('PO')</script> & <b>",
    "emoji": "Gâteau 🍰 für 👩‍👩‍👧",
    "long": "PO " + "x y" * 100,
    "cut after a space": "x" * 248 + " " * 9 + "end",
    "line breaks": "PO 1\r\n\tPO 2  PO 3 ",
}


class OnceCase(ExportCase):
    @classmethod
    def _request_handler(cls, session, request, /, **options):
        # Odoo's own gives every call ten seconds at least: the fake would hang up first, and no patience ever end.
        if options.get("timeout") == PATIENCE:
            return _super_send(session, request, **options)
        return super()._request_handler(session, request, **options)

    def impatiently(self, fault):
        return patch.object(const, "TIMEOUT", PATIENCE if fault.get("kind") == "timeout" else const.TIMEOUT)

    def living(self, order=None):
        """The invoices that bill, of this order or of all."""
        sales = [one for one in self.invoices() if one["Type"] == "ACCREC"]
        living = [one for one in sales if one["Status"] not in ("VOIDED", "DELETED")]
        return [one for one in living if not order or one["Reference"].startswith(order.name)]

    def assert_billed_once(self, *orders):
        for order in orders:
            [invoice] = self.living(order)
            row, *others = self.out(order)
            self.assertEqual((row.state, row.external_id), ("done", invoice["InvoiceID"]), row.reason)
            self.assertEqual((row.xero_total, row.total_difference), (order.amount_total, 0))
            self.assertFalse(row.request_key)
            self.assertEqual([(one.state, one.external_id) for one in others], [("skipped", False)] * len(others))
            self.assertTrue(all(row.line_ids.mapped("line_id")), "each line is known in Xero")

    def assert_told(self, row):
        self.assertEqual(row.state, "pending")
        self.assertTrue(row.reason, "it says what it waits for")
        self.assertNotIn("Something unexpected", row.reason)

    def wait(self, order, minutes=2):
        """Let so much time pass, and more where Xero had said so."""
        self.later(minutes)
        self.push()
        for _turn in range(3):
            if self.out(order)[:1].state == "pending":
                self.later(6)
                self.push()

    def go_on(self, connection):
        """What time and people do after a limit, or once access is given back."""
        connection.write({"blocked_until": False})
        self.env["xero.budget"].search([("app_id", "=", self.app.id)]).write({"blocked_until": False})
        if connection.state == "error":
            connection.action_resume()
        self.press(connection.action_push_now)
        self.push()

    def at_request(self, method, path, deed):
        """Do this once, when Xero gets this request and has not looked at it yet."""
        left = [deed]

        def hook(request):
            if request.method == method and path in request.path and left:
                left.pop()()

        self.fake.on_request = hook


@tagged("post_install", "-at_install")
class TestAnswersLost(OnceCase):
    def test_what_arrived_is_adopted_by_its_reference_and_not_sent_again(self):
        self.exporting()
        for name, fault in LOST.items():
            with self.subTest(name), self.impatiently(fault):
                self.fake.reset_log()
                self.fake.faults.add("PUT", "/Invoices$", **fault)
                order = self.sell()
                self.send(order)
                self.assert_told(self.out(order))
                self.wait(order)
                self.assert_billed_once(order)
                self.assertEqual(len(self.written()), 1)

    def test_what_arrived_is_adopted_after_xero_has_forgotten_the_key(self):
        self.exporting()
        for name, fault in LOST.items():
            with self.subTest(name), self.impatiently(fault):
                self.fake.reset_log()
                self.fake.faults.add("PUT", "/Invoices$", **fault)
                order = self.sell()
                self.send(order)
                self.later(7)
                self.push()
                self.assert_billed_once(order)
                self.assertEqual(len(self.written()), 1)

    def test_what_did_not_arrive_goes_again_under_its_key_and_later_under_a_new_one(self):
        self.exporting()
        for (name, fault), minutes in ((fault, minutes) for fault in NOT_ARRIVED.items() for minutes in (2, 7)):
            with self.subTest(name, minutes=minutes), self.impatiently(fault):
                self.fake.reset_log()
                self.fake.faults.add("PUT", "/Invoices$", **fault)
                order = self.sell()
                self.send(order)
                self.assert_told(self.out(order))
                self.wait(order, minutes)
                self.assert_billed_once(order)
                keys = {call.headers["idempotency-key"] for call in self.written()}
                # An error is kept under its key, and told again as long as Xero knows that.
                is_new = minutes == 7 or self.written()[0].status in (500, 503)
                self.assertEqual(len(keys), 2 if is_new else 1)

    def test_what_people_press_in_between_sends_nothing_twice(self):
        connection = self.exporting()
        self.customer.xero_auto_export = True
        deeds = {
            "retry": lambda order: self.out(order).action_retry(),
            "send": lambda order: self.env["xero.record"]._put_document_out(connection, order),
            "push now": lambda order: self.press(connection.action_push_now),
            "cancel, confirm again": self.cancel_and_confirm,
        }
        for name, deed in deeds.items():
            for fault in ({"kind": "drop_after"}, {"kind": "drop_before"}):
                with self.subTest(name, **fault):
                    self.fake.faults.add("PUT", "/Invoices$", **fault)
                    order = self.sell()
                    self.push()
                    deed(order)
                    self.push()
                    self.later(2)
                    self.push()
                    self.assert_billed_once(order)

    @staticmethod
    def cancel_and_confirm(order):
        order._action_cancel()
        order.action_draft()
        order.action_confirm()

    def test_a_first_call_that_arrives_late_makes_no_second_invoice(self):
        self.exporting()
        order, may_go_on, arrived = self.sell(), threading.Event(), threading.Event()
        self.addCleanup(may_go_on.set)
        answer = self.fake._accounting

        def late(request):
            if request.method == "PUT" and not may_go_on.is_set():
                may_go_on.wait(30)

        def accounting(request, *args):
            try:
                return answer(request, *args)
            finally:
                if request.method == "PUT":
                    arrived.set()

        self.fake.on_request = late
        with patch.object(const, "TIMEOUT", PATIENCE):
            self.send(order)
        self.assert_told(self.out(order))
        connection = order._xero_exporter()
        # Xero is asked, has nothing yet, and takes nothing now.
        self.fake.on_request = None
        self.fake.faults.add("PUT", "/Invoices$", **REFUSED_ACCESS["minute limit"])
        self.later(2)
        self.push()
        self.assertFalse(self.living(order))
        with patch.object(self.fake, "_accounting", accounting):
            may_go_on.set()
            self.assertTrue(arrived.wait(30))
        self.go_on(connection)
        self.assert_billed_once(order)

    def test_a_refused_look_up_costs_one_order_and_not_those_behind_it(self):
        self.exporting()
        self.fake.faults.add("PUT", "/Invoices$", kind="drop_before")
        first, second = self.sell(), self.sell()
        self.send(first)
        self.fake.faults.add("GET", "/Invoices$", status=400, body={"ErrorNumber": 16, "Message": "Bad query"})
        self.later(2)
        self.send(second)
        self.later(2)
        self.push()
        self.assertEqual(self.out(first).state, "failed")
        self.assertIn("Bad query", self.out(first).reason)
        self.assert_billed_once(second)
        self.fake.faults.clear()
        self.out(first).action_retry()
        self.push()
        self.assert_billed_once(first, second)

    def test_a_look_up_that_never_answers_does_not_keep_others_waiting_for_ever(self):
        self.exporting()
        self.fake.faults.add("PUT", "/Invoices$", kind="drop_before")
        first, second = self.sell(), self.sell()
        self.send(first)
        self.fake.faults.add("GET", "/Invoices$", status=500, times=None)
        self.env["xero.record"]._put_document_out(second._xero_exporter(), second)
        for _turn in range(3):
            self.later(1)
            self.push()
        self.assert_billed_once(second)
        self.fake.faults.clear()
        self.later(60)
        self.push()
        self.assert_billed_once(first, second)


@tagged("post_install", "-at_install")
class TestRefusals(OnceCase):
    def test_limits_and_refused_access_send_nothing_twice_and_the_order_goes_on_later(self):
        connection = self.exporting()
        for name, fault in REFUSED_ACCESS.items():
            with self.subTest(name):
                self.fake.faults.clear()
                self.fake.faults.add("PUT", "/Invoices$", **fault)
                order = self.sell()
                self.send(order)
                if self.out(order).state != "done":
                    self.assert_told(self.out(order))
                self.go_on(connection)
                self.assert_billed_once(order)

    def test_a_refusal_within_a_200_is_told_in_xeros_words_and_retried_by_hand(self):
        self.exporting()
        said = {"Invoices": [{"InvoiceID": "0" * 8, "HasErrors": True, "ValidationErrors": [{"Message": "Not so."}]}]}
        self.fake.faults.add("PUT", "/Invoices$", kind="replace_json", body=said)
        order = self.sell()
        self.send(order)
        row = self.out(order)
        self.assertEqual((row.state, row.problem_code, row.external_id), ("failed", "xero_rejected", False))
        self.assertIn("Not so.", row.reason)
        self.later(60)
        self.push()
        self.assertFalse(self.living(), "nobody tries by itself what cannot pass by itself")
        row.action_retry()
        self.push()
        self.assert_billed_once(order)

    def test_books_locked_between_our_look_and_xeros_answer_are_told_and_the_order_is_sent_once_they_are_open(self):
        self.exporting()
        today = fields.Date.today()
        self.at_request("PUT", "/Invoices", lambda: self.org.lock(period=today))
        order = self.sell()
        self.send(order)
        row = self.out(order)
        self.assertEqual((row.state, row.problem_code), ("failed", "period_locked"), row.reason)
        self.assertIn("lock", row.reason)
        row.action_retry()
        self.push()
        self.assertEqual((row.state, row.problem_code), ("failed", "period_locked"), "our look tells it now")
        self.assertIn(str(today), row.reason)
        self.assertEqual(len(self.written()), 1)
        self.org.lock(period=today - timedelta(days=40))
        self.later(11)
        order._xero_exporter().books_read_at -= timedelta(minutes=11)
        row.action_retry()
        self.push()
        self.assert_billed_once(order)

    def test_a_number_somebody_elses_invoice_has_is_named_and_that_invoice_stays_as_it_is(self):
        self.exporting(number_source="odoo")
        order = self.sell()
        other = self.org.add_contact(Name="Other Ltd")
        taken = self.org.add_invoice(
            InvoiceNumber=order.name, Contact={"ContactID": other["ContactID"]}, LineItems=[self.line()]
        )
        before = copy.deepcopy(taken)
        self.send(order)
        row = self.out(order)
        self.assertEqual((row.state, row.problem_code, row.problem_subject), ("failed", "number_taken", order.name))
        self.assertIn(order.name, row.reason, "the number is named")
        self.assertEqual(taken, before)
        self.assertEqual(len(self.living()), 1)
        self.org.update("Invoices", taken["InvoiceID"], InvoiceNumber="INV-OTHER")
        row.action_retry()
        self.push()
        self.assert_billed_once(order)
        self.assertEqual(self.living(order)[0]["InvoiceNumber"], order.name)

    def test_our_own_number_after_a_lost_answer_is_no_clash(self):
        self.exporting(number_source="odoo")
        for minutes in (2, 7):
            with self.subTest(minutes=minutes):
                self.fake.faults.add("PUT", "/Invoices$", kind="drop_after")
                # nor where the look-up finds nothing, as it would a moment too early
                nothing = {"Invoices": []}
                self.fake.faults.add("GET", "/Invoices$", kind="replace_json", body=nothing)
                order = self.sell()
                self.send(order)
                self.later(minutes)
                self.push()
                self.assert_billed_once(order)


@tagged("post_install", "-at_install")
class TestWhoseInvoice(OnceCase):
    def by_hand(self, order, **values):
        return self.org.add_invoice(
            Reference=order.name,
            Contact={"ContactID": self.contact["ContactID"]},
            LineItems=[self.line(price=1.0)],
            **values,
        )

    def test_ours_is_adopted_and_not_one_made_by_hand_with_the_same_reference(self):
        self.exporting()
        for url in ("", "https://shop.example.com/4"):
            with self.subTest(url=url):
                order = self.sell()
                before = copy.deepcopy(by_hand := self.by_hand(order, Url=url))
                self.fake.faults.add("PUT", "/Invoices$", kind="drop_after")
                self.send(order)
                self.later(2)
                self.push()
                [ours] = [one for one in self.living(order) if one is not by_hand]
                self.assertEqual((self.out(order).state, self.out(order).external_id), ("done", ours["InvoiceID"]))
                self.assertEqual(by_hand, before)

    def test_one_made_by_hand_for_the_same_customer_without_a_way_elsewhere_is_not_made_again(self):
        self.exporting()
        order = self.sell()
        by_hand = self.by_hand(order)
        self.fake.faults.add("PUT", "/Invoices$", kind="drop_before")
        self.send(order)
        self.later(2)
        self.push()
        self.assertEqual(self.living(order), [by_hand])
        row = self.out(order)
        self.assertEqual((row.state, row.problem_code), ("failed", "total_differs"), "its total is proven all the same")
        self.assertEqual(row.external_id, by_hand["InvoiceID"])

    def test_one_of_another_contact_another_way_or_gone_is_left_alone(self):
        self.exporting()
        other = self.org.add_contact(Name="Other Ltd")
        strangers = {
            "another way": {"Url": "https://shop.example.com/4"},
            "another contact": {"Contact": {"ContactID": other["ContactID"]}},
            "voided": {"Status": "VOIDED"},
            "a bill": {"Type": "ACCPAY"},
        }
        for name, values in strangers.items():
            with self.subTest(name):
                order = self.sell()
                values = {"Reference": order.name, "Contact": {"ContactID": self.contact["ContactID"]}, **values}
                stranger = self.org.add_invoice(LineItems=[self.line()], **values)
                before = copy.deepcopy(stranger)
                self.fake.faults.add("PUT", "/Invoices$", kind="drop_before")
                self.send(order)
                self.later(2)
                self.push()
                [ours] = [one for one in self.living(order) if one is not stranger]
                self.assertEqual((self.out(order).state, self.out(order).external_id), ("done", ours["InvoiceID"]))
                self.assertEqual(stranger, before)

    def test_two_orders_of_one_reference_are_not_taken_for_each_other(self):
        self.exporting()
        first = self.sell(name="TWIN")
        self.send(first)
        second = self.sell((self.bottle, 5, 20), name="TWIN")
        self.fake.faults.add("PUT", "/Invoices$", kind="drop_after")
        self.send(second)
        self.later(2)
        self.push()
        self.assertEqual(len(self.living()), 2)
        self.assertEqual([self.out(one).xero_total for one in (first, second)], [46, 115])

    def test_hostile_references_are_sent_found_again_and_shown_as_they_are(self):
        self.exporting()
        for name, text in HOSTILE.items():
            with self.subTest(name):
                self.fake.reset_log()
                self.fake.faults.add("PUT", "/Invoices$", kind="drop_after")
                order = self.sell(client_order_ref=text)
                self.send(order)
                self.later(7)
                self.push()
                self.assert_billed_once(order)
                [invoice] = self.living(order)
                reference = invoice["Reference"]
                self.assertEqual(reference, " ".join(reference.split()), "as Xero would trim it")
                self.assertTrue(" ".join(f"{order.name} {text}".split()).startswith(reference))
                self.assertLessEqual(len(reference.encode("utf-16-le")) // 2, 255, "as Xero counts")

    def test_hostile_lines_are_known_again(self):
        self.exporting()
        self.fake.faults.add("PUT", "/Invoices$", kind="drop_after")
        lines = [
            {"product_id": self.bottle.id, "product_uom_qty": 1, "price_unit": 3, "name": text}
            for text in (*HOSTILE.values(), "a\nb\r\n\r\nc ", "same", "same", "y" * 5000)
        ]
        notes = [{"display_type": "line_note", "name": text} for text in (*HOSTILE.values(), "same", "z" * 5000)]
        order = self.sell(*lines, *notes, {"display_type": "line_section", "name": " "})
        self.send(order)
        self.later(7)
        self.push()
        self.assert_billed_once(order)
        self.assertEqual(len(set(self.out(order).line_ids.mapped("line_id"))), len(self.out(order).line_ids))


@tagged("post_install", "-at_install")
class TestOpenDraft(OnceCase):
    """Orders are added to the customer's open draft."""

    def draft(self, *lines, **values):
        values = {"Reference": "By hand", "Contact": {"ContactID": self.contact["ContactID"]}, **values}
        return self.org.add_invoice(Status="DRAFT", LineItems=list(lines) or [self.line("MUG", price=7.5)], **values)

    def added(self, invoice, order):
        """Those lines of an invoice that stand behind this order's heading."""
        texts = [line["Description"] for line in invoice["LineItems"]]
        self.assertEqual(texts.count(order.name), 1, texts)
        return [line for line in invoice["LineItems"][texts.index(order.name) + 1 :] if "Quantity" in line]

    def assert_added_once(self, invoice, *orders):
        lines = [line for line in invoice["LineItems"] if line.get("Description", "").startswith("[BOTTLE]")]
        self.assertEqual(len(lines), len(orders), [line.get("Description") for line in invoice["LineItems"]])
        for order in orders:
            row = self.out(order)
            self.assertEqual((row.state, row.external_id), ("done", invoice["InvoiceID"]), row.reason)
            self.assertEqual((row.xero_total, row.total_difference), (order.amount_total, 0))
            self.assertTrue(all(row.line_ids.mapped("line_id")))

    def test_the_second_order_joins_the_first_on_one_draft(self):
        self.exporting(invoice_mode="existing")
        first, second = self.sell(), self.sell((self.bottle, 3, 20))
        self.send(first)
        self.send(second)
        [invoice] = self.invoices()
        self.assert_added_once(invoice, first, second)
        self.assertEqual(invoice["Total"], first.amount_total + second.amount_total)

    def test_lines_are_there_once_after_a_lost_answer(self):
        self.exporting(invoice_mode="existing")
        for (name, fault), minutes in ((fault, minutes) for fault in LOST.items() for minutes in (2, 7)):
            with self.subTest(name, minutes=minutes), self.impatiently(fault):
                self.org.tables["Invoices"].clear()
                draft = self.draft()
                self.fake.faults.add("POST", "/Invoices/", **fault)
                order = self.sell()
                self.send(order)
                self.assert_told(self.out(order))
                self.wait(order, minutes)
                self.assertEqual(self.invoices(), [draft])
                self.assert_added_once(draft, order)
                self.assertEqual(len(draft["LineItems"]), 3)

    def test_lines_that_did_not_arrive_go_again_once(self):
        self.exporting(invoice_mode="existing")
        for name, fault in NOT_ARRIVED.items():
            with self.subTest(name), self.impatiently(fault):
                self.org.tables["Invoices"].clear()
                draft = self.draft()
                self.fake.faults.add("POST", "/Invoices/", **fault)
                order = self.sell()
                self.send(order)
                self.wait(order)
                self.assert_added_once(draft, order)

    def test_lines_arrived_count_on_a_draft_that_was_approved_since(self):
        self.exporting(invoice_mode="existing")
        draft = self.draft()
        self.fake.faults.add("POST", "/Invoices/", kind="drop_after")
        order = self.sell()
        self.send(order)
        self.org.update("Invoices", draft["InvoiceID"], Status="AUTHORISED")
        self.later(2)
        self.push()
        self.assertEqual(self.invoices(), [draft])
        self.assert_added_once(draft, order)
        self.assertEqual(self.out(order).xero_status, "AUTHORISED")

    def test_a_draft_approved_between_reading_and_adding_stays_as_it_is_and_a_new_invoice_is_made(self):
        self.exporting(invoice_mode="existing")
        draft, kept = self.draft(), {}

        def approve():
            self.org.update("Invoices", draft["InvoiceID"], Status="AUTHORISED")
            kept.update(copy.deepcopy(draft))

        self.at_request("POST", "/Invoices/", approve)
        order = self.sell()
        self.send(order)
        self.assertEqual(draft, kept)
        [new] = [one for one in self.invoices() if one is not draft]
        self.assertEqual(new["Status"], "DRAFT")
        self.assert_added_once(new, order)

    def test_a_draft_deleted_between_reading_and_adding_stays_deleted_and_a_new_invoice_is_made(self):
        self.exporting(invoice_mode="existing")
        draft = self.draft()
        self.at_request("POST", "/Invoices/", lambda: self.org.update("Invoices", draft["InvoiceID"], Status="DELETED"))
        order = self.sell()
        self.send(order)
        self.assertEqual((draft["Status"], len(draft["LineItems"])), ("DELETED", 1))
        [new] = self.living()
        self.assert_added_once(new, order)

    def test_a_draft_xero_knows_no_more_is_followed_by_another(self):
        self.exporting(invoice_mode="existing")
        self.draft()
        self.fake.faults.add("POST", "/Invoices/", kind="html", status=404)
        order = self.sell()
        self.send(order)
        self.assert_told(self.out(order))
        self.org.tables["Invoices"].clear()
        self.later(2)
        self.push()
        [new] = self.invoices()
        self.assert_added_once(new, order)

    def test_a_line_taken_from_the_draft_between_reading_and_adding_does_not_come_back(self):
        self.exporting(invoice_mode="existing")
        draft = self.draft(self.line("MUG"), self.line("MUG", quantity=4))
        lines = draft["LineItems"]
        deed = partial(self.org.update, "Invoices", draft["InvoiceID"], LineItems=lines[:1])
        self.at_request("POST", "/Invoices/", deed)
        order = self.sell()
        self.send(order)
        self.later(2)
        self.push()
        [one] = [one for one in self.living() if order.name in [line["Description"] for line in one["LineItems"]]]
        self.assert_added_once(one, order)
        self.assertEqual([line["Quantity"] for line in draft["LineItems"] if line.get("ItemCode") == "MUG"], [2])

    def test_drafts_of_another_kind_are_not_used(self):
        connection = self.exporting(invoice_mode="existing")
        self.org.subscribe("EUR")
        other = self.org.add_contact(Name="Other Ltd")
        day = fields.Date.today()
        kinds = {
            "another currency": {"CurrencyCode": "EUR"},
            "tax inclusive": {"LineAmountTypes": "Inclusive"},
            "no tax": {"LineAmountTypes": "NoTax"},
            "last month": {"Date": (day.replace(day=1) - timedelta(days=1)).isoformat()},
            "next month": {"Date": (day.replace(day=28) + timedelta(days=9)).isoformat()},
            "last year's month": {"Date": day.replace(year=day.year - 1, day=1).isoformat()},
            "repeating": {"RepeatingInvoiceID": "c4b8d1a0-0000-4000-8000-000000000001"},
            "another contact": {"Contact": {"ContactID": other["ContactID"]}},
            "a bill": {"Type": "ACCPAY"},
        }
        for name, values in kinds.items():
            with self.subTest(name):
                self.org.tables["Invoices"].clear()
                before = copy.deepcopy(stranger := self.draft(**values))
                order = self.sell()
                self.send(order)
                self.assertEqual(stranger, before)
                [new] = [one for one in self.invoices() if one is not stranger]
                self.assert_added_once(new, order)
        self.assertEqual(connection.state, "connected")

    def test_lines_of_the_draft_come_back_unchanged(self):
        self.exporting(invoice_mode="existing")
        tracking = [{"TrackingCategoryID": "t", "Name": "Region", "Option": "North"}]
        draft = self.draft(
            self.line("MUG", price=1.2345, quantity=3, TaxType="OUTPUT2"),
            self.line("MUG", price=10.0, TaxType="OUTPUT2", TaxAmount=2.99),
            self.line("MUG", price=10.0, quantity=7, DiscountRate=12.5, TaxType="OUTPUT2"),
            self.line("MUG", price=10.0, quantity=2.3333, DiscountAmount=1.11, TaxType="OUTPUT2"),
            self.line("MUG", Tracking=tracking),
            self.line(None, price=-4.0, quantity=1, AccountCode="260"),
            {"Description": "Thank you,\r\n  call again"},
            Reference="By hand",
            DueDate=(fields.Date.today() + timedelta(days=3)).isoformat(),
        )
        before = copy.deepcopy(draft)
        order = self.sell((self.bottle, 3, 20))
        self.send(order)
        self.assertEqual(draft["LineItems"][: len(before["LineItems"])], before["LineItems"])
        self.assert_added_once(draft, order)
        changed = {key for key in draft if draft[key] != before.get(key)}
        sums = {"SubTotal", "TotalTax", "Total", "AmountDue"}
        self.assertLessEqual(changed, {"LineItems", "UpdatedDateUTC", "UpdatedDateUTCString", *sums})
        self.assertAlmostEqual(draft["Total"], before["Total"] + order.amount_total, 2)

    def test_a_person_who_deletes_our_lines_after_a_lost_answer_gets_them_once_again(self):
        self.exporting(invoice_mode="existing")
        draft = self.draft()
        self.fake.faults.add("POST", "/Invoices/", kind="drop_after")
        order = self.sell()
        self.send(order)
        self.org.update("Invoices", draft["InvoiceID"], LineItems=draft["LineItems"][:1])
        self.later(7)
        self.push()
        self.assert_added_once(draft, order)

    def test_two_equal_orders_are_told_apart_after_a_lost_answer(self):
        self.exporting(invoice_mode="existing")
        self.draft()
        first, second = self.sell(), self.sell()
        self.send(first)
        self.fake.faults.add("POST", "/Invoices/", kind="drop_after")
        self.send(second)
        self.later(2)
        self.push()
        [draft] = self.invoices()
        self.assert_added_once(draft, first, second)
        ids = [set(self.out(order).line_ids.mapped("line_id")) for order in (first, second)]
        self.assertFalse(ids[0] & ids[1])

    def test_a_limit_a_refusal_and_a_lock_leave_the_draft_alone_until_they_end(self):
        connection = self.exporting(invoice_mode="existing")
        for name, fault in REFUSED_ACCESS.items():
            with self.subTest(name):
                self.fake.faults.clear()
                self.org.tables["Invoices"].clear()
                draft = self.draft()
                self.fake.faults.add("POST", "/Invoices/", **fault)
                order = self.sell()
                self.send(order)
                self.go_on(connection)
                self.assert_added_once(draft, order)
