"""Killed at any moment of sending, or several at once: each order is billed once, each refund credited and allocated
once.

Everything is real here: worker processes, a database of their own, commits, HTTP, SIGKILL.
"""

from collections import Counter
from contextlib import ExitStack, suppress
from datetime import timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .sending_case import SendingWorkersCase
from .workers_case import Moment

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

# What a worker does, as its database sees it.
INTENT = r'UPDATE "xero_record"\s+SET .*"payload".*"request_key"'
ANSWERED = "UPDATE xero_budget"
CONCLUDED = r'UPDATE "xero_record"\s+SET .*"external_id"'
ENDED = r'UPDATE "xero_record"\s+SET .*"done_at"'


def at(request, number=1):
    """Killed while Xero works on this request: nobody reads its answer."""
    return Moment(request=request, number=number)


def after(*trail):
    return Moment(fate={"job": "push", "trail": trail})


# Moments of sending an order, told by their names; of adding it to a draft; of crediting what it is less by now.
SENDING = {
    "the books are asked for": at("GET .*/Organisation$"),
    "the intent is stored": after(INTENT, "COMMIT"),
    "the intent is committed": after(INTENT, "DONE COMMIT"),
    "Xero has the request": at("PUT .*/Invoices$"),
    "the answer is here": after(INTENT, "DONE COMMIT", ANSWERED),
    "the conclusion is stored": after(CONCLUDED, "COMMIT"),
    "the conclusion is committed": after(CONCLUDED, "DONE COMMIT"),
}
ADDING = {
    "the drafts are asked for": at("GET .*/Invoices$"),
    "the intent is stored": after(INTENT, "COMMIT"),
    "the intent is committed": after(INTENT, "DONE COMMIT"),
    "Xero has the request": at("POST .*/Invoices/"),
    "the answer is here": after(INTENT, "DONE COMMIT", ANSWERED),
    "the conclusion is stored": after(CONCLUDED, "COMMIT"),
    "the conclusion is committed": after(CONCLUDED, "DONE COMMIT"),
}
CREDITING = {
    "the intent is stored": after(INTENT, "COMMIT"),
    "the intent is committed": after(INTENT, "DONE COMMIT"),
    "Xero has the note": at("PUT .*/CreditNotes$"),
    "the answer is here": after(INTENT, "DONE COMMIT", ANSWERED),
    "the note is stored": after(CONCLUDED, "COMMIT"),
    "the note is committed": after(CONCLUDED, "DONE COMMIT"),
    "the invoice is asked for": at("GET .*/Invoices/"),
    "Xero has the allocation": at("PUT .*/Allocations$"),
    "the allocation is stored": after(CONCLUDED, "DONE COMMIT", ENDED, "COMMIT"),
    "the allocation is committed": after(CONCLUDED, "DONE COMMIT", ENDED, "DONE COMMIT"),
}
# What resumes work after a kill may be killed, too.
RESUMING = {
    "Xero is asked": at("GET .*/Invoices$"),
    "the draft is asked for": at("GET .*/Invoices/"),
    "Xero has the request again": at("PUT .*/Invoices$"),
    "it is concluded": after(CONCLUDED, "COMMIT"),
}
# Of these nobody knows afterwards whether Xero has it; people do all they can think of meanwhile.
UNCERTAIN = ("the intent is committed", "Xero has the request", "Xero has the note", "the answer is here",
             "Xero has the allocation")
DEEDS = ("nothing", "send again", "less", "more", "cancel", "cancel and confirm")


@tagged("post_install", "-at_install")
class TestExportKilled(SendingWorkersCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.workers = cls.enterClassContext(cls._workers(cls.database, "export"))

    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, self.fake, "on_request", None)
        # What each order is to bill in the end: quantity by its line's words, which are told apart by them.
        self.wanted = {}
        self.fake.clock.advance(60)
        for table in ("Invoices", "CreditNotes"):
            self.org.tables[table].clear()

    def _set(self, **settings):
        with self._env() as env:
            env["xero.connection"].search([]).write(settings)

    # === WHAT PEOPLE DO === #

    def _sell(self, env, words, quantity=5):
        order = env["sale.order"].create(
            {
                "partner_id": self.partner_id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.product_id,
                            "name": words,
                            "product_uom_qty": quantity,
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self.wanted[words] = quantity
        return order.id

    def _change(self, env, order_id, quantity):
        line = env["sale.order"].browse(order_id).order_line
        line.product_uom_qty = quantity
        self.wanted[line.name] = quantity

    def _meddle(self, env, order_id, deed):
        order = env["sale.order"].browse(order_id)
        words = order.order_line.name
        if deed == "send again":
            env["xero.record"]._put_document_out(order._xero_exporter(), order)
        elif deed in ("less", "more"):
            self._change(env, order_id, self.wanted[words] + (3 if deed == "more" else -1))
        elif deed.startswith("cancel"):
            order._action_cancel()
            self.wanted[words] = 0
        if deed == "cancel and confirm":
            order.action_draft()
            order.action_confirm()
            self.wanted[words] = order.order_line.product_uom_qty

    # === RUNS === #

    def _killed(self, order_id, moments):
        """Start workers and kill each at its moment."""
        for moment in moments:
            self._as_a_request(self._ring, moment)
            self._kill(self.workers, moment, self.database)

    def _ring(self, env, moment):
        if "Organisation" in moment.request:
            env["xero.connection"].search([]).books_read_at = False
        env["xero.record"].search([("direction", "=", "out"), ("state", "=", "pending")]).next_attempt = False

    def _finish(self, *helpers):
        """Let a worker (and helpers) send what there is, and what has to wait, until nothing waits."""
        for _turn in range(8):
            for workers in (self.workers, *helpers):
                workers.start()
            for workers in (self.workers, *helpers):
                workers.finish()
            if not self._as_a_request(self._let_time_pass):
                return
        with self._env() as env:
            rows = env["xero.record"].search([("direction", "=", "out"), ("state", "=", "pending")])
            self.fail(f"there is no end of waiting: {[(row.number, row.part, row.reason) for row in rows]}")

    def _let_time_pass(self, env):
        for invoice in self._documents("Invoices"):
            if invoice["Status"] == "DRAFT" and self.is_approved_in_the_end:
                self.org.update("Invoices", invoice["InvoiceID"], Status="AUTHORISED")
        waiting = env["xero.record"].search([("direction", "=", "out"), ("state", "=", "pending")])
        waiting.next_attempt = False
        # What may have reached a draft waits until Xero has forgotten its key.
        for row in waiting.filtered(lambda row: row.appended_to and row.sent_at):
            row.sent_at -= timedelta(minutes=4)
        return bool(waiting)

    is_approved_in_the_end = True

    # === WHAT MUST BE === #

    def _documents(self, table):
        documents = [record.data for record in self.org.tables[table]]
        return [one for one in documents if one["Status"] not in ("VOIDED", "DELETED")]

    def _assert_as_wanted(self):
        """Each order is billed for what it is, each credit note wholly allocated, and the log says so."""
        billed, times = Counter(dict.fromkeys(self.wanted, 0)), Counter()
        for invoice in self._documents("Invoices"):
            for line in invoice["LineItems"]:
                if line["Description"] in self.wanted:
                    billed[line["Description"]] += line["Quantity"]
                    times[line["Description"]] += 1
        for note in self._documents("CreditNotes"):
            for line in note["LineItems"]:
                billed[line["Description"]] -= line["Quantity"]
            self.assertEqual(sum(one["Amount"] for one in note["Allocations"]), note["Total"], note["Reference"])
            self.assertLessEqual(len(note["Allocations"]), 1)
        wrong = {words: billed[words] for words, quantity in self.wanted.items() if billed[words] != quantity}
        with self._env() as env:
            self.assertFalse(wrong, {name: self.wanted[name] for name in wrong} | self._log_of(env, wrong))
            orders = env["sale.order.line"].search([("name", "in", list(self.wanted))]).order_id
            self.assertEqual(len(orders), len(self.wanted))
            for order in orders:
                rows = order._xero_out_rows()
                words = order.order_line.name
                with self._told(self._log_of(env, [words])):
                    self.assertLessEqual({row.state for row in rows}, {"done", "skipped"})
                    self.assertFalse(rows.filtered("request_key"))
                    sent = rows.filtered(lambda row: row.resource == "invoice" and row.external_id)
                    self.assertEqual(len(sent), times[words], "rows and lines go in pairs")
                    self.assertEqual(
                        sum(row.xero_total * (-1 if row.resource == "credit_note" else 1) for row in rows),
                        10 * self.wanted[words],
                    )

    @staticmethod
    def _log_of(env, words):
        """What the log has of the orders whose lines have these words."""
        orders = env["sale.order.line"].search([("name", "in", list(words))]).order_id
        return {
            order.order_line.name + ", log": [
                (row.part, row.resource, row.state, row.xero_total, row.reason) for row in order._xero_out_rows()
            ]
            for order in orders
        }

    # === TESTS === #

    def _kill_at_all(self, prefix, moments, deeds, change=False):
        """An order for each moment and each deed of people between the kill and what comes next.

        :param bool change: it is sent before, and made less by then
        """
        cases = [(moment, deed) for moment in moments for deed in (deeds if moment in UNCERTAIN else ("nothing",))]
        for number, (moment, deed) in enumerate(cases):
            words = f"{prefix} {number}"
            with self._told(f"{words}: killed when {moment}, then people: {deed}"):
                order_id = self._as_a_request(self._sell, words)
                if change:
                    self._finish()
                    self._as_a_request(self._change, order_id, 2)
                self._killed(order_id, [moments[moment]])
                self._as_a_request(self._meddle, order_id, deed)
                if deed == "nothing" and not change:
                    # the next one, too
                    resumed = "Xero is asked" if prefix == "new" else "the draft is asked for"
                    if self._as_a_request(self._has_intent, order_id):
                        self._killed(order_id, [RESUMING[resumed]])
                self._finish()
                self._assert_as_wanted()

    @staticmethod
    def _has_intent(env, order_id):
        return bool(env["sale.order"].browse(order_id)._xero_out_rows().filtered("request_key"))

    def test_killed_while_sending_bills_each_order_once(self):
        self._set(invoice_mode="new")
        self._kill_at_all("new", SENDING, DEEDS)

    def test_killed_while_adding_to_a_draft_puts_the_lines_there_once(self):
        self._set(invoice_mode="existing")
        self.is_approved_in_the_end = False
        line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 3, "AccountCode": "200", "TaxType": "NONE"}
        self.org.add_invoice(Status="DRAFT", Contact={"ContactID": self.contact_id}, LineItems=[line])
        self._kill_at_all("existing", ADDING, ("nothing", "send again", "more"))
        [draft] = self._documents("Invoices")
        self.assertEqual(draft["LineItems"][0]["Description"], "By hand")

    def test_killed_while_crediting_credits_and_allocates_once(self):
        self._set(invoice_mode="new")
        self._kill_at_all("credit", CREDITING, ("nothing", "less", "more", "cancel"), change=True)

    # === AT ONCE === #

    def _work_at_once(self, number, deed):
        """So many workers at once, and people who do this meanwhile, whenever Xero is written to."""
        deeds = iter(range(1, 100))

        def while_writing(request):
            if request.method in ("PUT", "POST") and "/Invoices" in request.path:
                self._as_a_request(deed, next(deeds))

        with ExitStack() as stack:
            options = (self.database, "export")
            helpers = [stack.enter_context(self._workers(*options)) for _number in range(number - 1)]
            self.fake.on_request = while_writing
            for workers in (self.workers, *helpers):
                workers.start()
            for workers in (self.workers, *helpers):
                workers.finish()
            self.fake.on_request = None
            self._finish(*helpers)

    def _sell_six_more(self, env, number):
        if number <= 6:
            self._sell(env, f"late {number}")

    def test_workers_who_add_for_one_customer_put_all_lines_there_once(self):
        self._set(invoice_mode="existing")
        self.is_approved_in_the_end = False
        for number in (2, 3):
            with self._told(f"{number} workers"):
                self.wanted.clear()
                self.org.tables["Invoices"].clear()
                for order in range(6):
                    self._as_a_request(self._sell, f"{number} at once {order}")
                self._work_at_once(number, self._sell_six_more if number == 2 else self._wake)
                self._assert_as_wanted()
                self.assertEqual(len(self._documents("Invoices")), 1, "one draft holds them all")

    @staticmethod
    def _wake(env, _number):
        """Somebody has all that waits sent at once."""
        waiting = env["xero.record"].search([("direction", "=", "out"), ("state", "=", "pending")])
        waiting.write({"next_attempt": False, "received_at": False})
        env["xero.connection"].search([])._ring_push()

    def test_who_works_on_an_order_while_it_is_sent_neither_doubles_nor_breaks_it(self):
        self._set(invoice_mode="new")
        for order in range(4):
            self._as_a_request(self._sell, f"busy {order}")
        self._work_at_once(2, self._wake)
        self._assert_as_wanted()
        for order in range(4):
            self._as_a_request(self._sell, f"less {order}", 7)
        self._work_at_once(2, self._take_one_off_all)
        self._assert_as_wanted()

    def _take_one_off_all(self, env, number):
        """Somebody makes the orders smaller that are on their way."""
        if number <= 3:
            for line in env["sale.order.line"].search([("name", "=like", "less %")]):
                self._change(env, line.order_id.id, 7 - number)
