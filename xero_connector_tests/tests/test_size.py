"""Many connections, a long log: what is asked of PostgreSQL stays few and finds its index, what goes goes in bites."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.sql_db import Cursor
from odoo.tests import new_test_user, tagged

from .common import XeroCase

NOW = datetime(2026, 6, 10, 9, 0)
CONNECTIONS = 200
ROWS = 30_000
BITE = 1000
# Indexes of the log that are there for something else than a question below.
OTHER_INDEXES = {
    "xero_record_pkey",
    "xero_record__connection_id_index",  # Odoo's own checks want it for the connection's list of rows
    "xero_record__company_id_index",  # the log of a small company among large ones
    "xero_record__suggestion_id_index",  # a product is deleted, or taken
    "xero_record__invoice_row_id_index",  # payments and credit notes of an invoice
}


@tagged("post_install", "-at_install")
class SizeCase(XeroCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connections = cls.env["xero.connection"].create(
            [{"name": f"Size {number}", "app_id": cls.app.id} for number in range(CONNECTIONS)]
        )
        cls.connections.sudo().state = "connected"
        cls.connection = cls.connections[0]
        cls.records = cls.env["xero.record"]

    def add_rows(self, number, /, **values):
        """Rows of the log, as SQL: by column an expression, in which ``n`` counts from 1."""
        columns = {
            "connection_id": str(self.connection.id),
            "company_id": str(self.company.id),
            "direction": "'in'",
            "resource": "'invoice'",
            "state": "'skipped'",
            "external_id": "md5('row' || n || random())",
            "part": "0",
            "attempts": "1",
            "done_at": "now() AT TIME ZONE 'UTC' - interval '200 days'",
        } | values
        self.env.flush_all()
        self.env.cr.execute(
            f"INSERT INTO xero_record ({', '.join(columns)}) "
            f"SELECT {', '.join(columns.values())} FROM generate_series(1, {number}) AS n"
        )
        self.env.invalidate_all()

    def statements(self, action):
        """The SQL that an action executes, with its parameters."""
        self.env.flush_all()
        self.env.invalidate_all()
        execute, found = Cursor.execute, []

        def noting_execute(cursor, *args, **kwargs):
            result = execute(cursor, *args, **kwargs)
            found.append(cursor._obj.query.decode())
            return result

        with patch.object(Cursor, "execute", noting_execute):
            action()
            self.env.flush_all()
        return found


class TestStatements(SizeCase):
    """What is shown or told of many takes no more statements than of few."""

    def assertAsManyForMore(self, action_of, few, many):
        counts = [len(self.statements(lambda records=records: action_of(records))) for records in (few, few, many)]
        self.assertEqual(counts[1], counts[2])

    def fail_some(self):
        ids = [str(connection.id) for connection in self.connections[:20]]
        self.add_rows(
            100, connection_id=f"(ARRAY[{', '.join(ids)}])[1 + n % 20]", state="'failed'", reason="'why'",
            problem_code="'unknown_code'", problem_subject="'CODE-' || n",
        )

    def test_a_digest_of_twenty_connections_asks_as_often_as_one_of_two(self):
        self.fail_some()
        reader = new_test_user(self.env, "size-reader", groups="xero_connector.group_xero_user")

        def tell(connections):
            parts = connections._digest_parts(reader, NOW - timedelta(days=1), NOW)
            self.assertEqual(len(parts), len(connections))

        self.assertAsManyForMore(tell, self.connections[:2], self.connections[:20])

    def test_the_figures_of_twenty_connections_ask_as_often_as_those_of_two(self):
        self.fail_some()
        names = ["waiting_count", "failed_count", "imported_today", "outgoing_done_count", "next_step"]
        self.assertAsManyForMore(lambda connections: connections.read(names), *self.few_and_many(self.connections))

    def test_products_and_items_side_by_side_ask_as_often_for_twenty_lines_as_for_two(self):
        self.connection.sudo().last_items = NOW
        products = self.env["product.product"].create(
            [{"name": f"Size {number}", "default_code": f"SIZE-{number}"} for number in range(20)]
        )
        matches = self.env["xero.item.match"].search([("product_id", "in", products.ids)])
        names = ["product_price", "waiting_count", "item_name", "reason", "push_state"]
        self.assertAsManyForMore(lambda lines: lines.read(names), *self.few_and_many(matches))

    def few_and_many(self, records):
        self.assertGreaterEqual(len(records), 20)
        return records[:2], records[:20]

    def test_a_page_of_problems_reads_the_log_twice_for_lines_and_pager(self):
        self.fail_some()
        reader = new_test_user(self.env, "size-reader", groups="xero_connector.group_xero_user")
        problems = self.env["xero.problem"].with_user(reader)
        specification = {"problem_code": {}, "problem_subject": {}, "record_count": {}, "reason": {}}
        found = self.statements(
            lambda: problems.web_search_read([("state", "=", "failed")], specification, limit=80, count_limit=10001)
        )
        self.assertEqual(len([query for query in found if "xero_record" in query]), 2)


class TestPlans(SizeCase):
    """Each index of the log is there for a question that the planner answers with it, at a size."""

    def setUp(self):
        super().setUp()
        ids = ", ".join(map(str, self.connections.ids))
        everywhere = {"connection_id": f"(ARRAY[{ids}])[1 + n % {CONNECTIONS}]"}
        often = {"number": "'INV-' || n", "document_date": "current_date - n % 365", "payload": "'{}'"}
        # Most of it is over; little waits, fails or is new: what is asked for is the little.
        self.add_rows(
            ROWS // 2, **everywhere, **often, state="'done'", res_model="'sale.order'", res_id="n",
            first_done_at="now() AT TIME ZONE 'UTC' - n % 365 * interval '1 day'",
        )
        self.add_rows(ROWS // 3, **everywhere, **often, problem_code="'no_match'")
        self.add_rows(
            ROWS // 60, **everywhere, **often, state="'failed'", problem_code="'unknown_code'",
            problem_subject="'CODE-' || n % 50", mended_at="now() AT TIME ZONE 'UTC'", wants_suggestion="TRUE",
            files_state="'waiting'",
        )
        self.add_rows(ROWS // 60, **everywhere, **often, state="'pending'")
        self.add_rows(
            ROWS // 6, **often, direction="'out'", state="'done'", res_model="'account.move'", res_id="n",
            request_key="CASE WHEN n % 100 = 0 THEN 'tenant:' || n END",
            external_id="CASE WHEN n % 100 > 0 THEN md5('sent' || n) END",
        )
        for resource in ("item", "contact"):
            self.add_rows(
                ROWS // 20, resource=f"'{resource}'", number="'SKU-' || n", reference="'C-' || n", state="'done'"
            )
        self.env.cr.execute("ANALYZE xero_record, xero_connection")

    def plans(self, action):
        """The plans of what an action asks of the log."""
        plans = []
        for query in self.statements(action):
            if query.lstrip().startswith("SELECT") and "xero_record" in query:
                self.env.cr.execute(f"EXPLAIN {query}")
                plans.append("\n".join(line for (line,) in self.env.cr.fetchall()))
        self.assertTrue(plans, "nothing was asked of the log")
        return plans

    def test_every_index_of_the_log_serves_a_question_and_no_question_reads_all_of_it(self):
        connection, records = self.connection, self.records
        ids = records.search([("direction", "=", "in"), ("resource", "=", "invoice")], limit=100).mapped("external_id")
        invoices = [{"InvoiceID": external_id, "Type": "ACCREC"} for external_id in ids]
        now = fields.Datetime.now()
        list_of_log = (["number", "state"], 0, 80)
        questions = {
            "xero_record_pending": self.env["xero.connection"]._push_due,
            "xero_record_one_row_per_document": lambda: records._receive(connection, "invoice", invoices),
            "xero_record_state_by_connection": lambda: connection.read(["waiting_count", "done_count"]),
            "xero_record_problems": lambda: self.env["xero.problem"].search([("state", "=", "failed")], limit=80),
            "xero_record_documents": lambda: self.env["sale.order"].browse(7)._xero_out_rows(),
            "xero_record_external": lambda: records.search([("external_id", "in", ids)]),
            "xero_record_newest": lambda: records.search_fetch([("resource", "=", "invoice")], *list_of_log),
            "xero_record_first_done": lambda: connection.read(["imported_today"]),
            "xero_record_mended": lambda: connection._digest_parts(self.env.user, now, now + timedelta(days=1)),
            "xero_record_files_waiting": lambda: records.search(records._files_due_domain()),
            "xero_record_suggest": lambda: records.search(
                [("connection_id", "=", connection.id), ("wants_suggestion", "=", True)], order="id", limit=100
            ),
            "xero_record_item_codes": lambda: records._items_by_code(connection, ["SKU-1", "SKU-2"]),
            "xero_record_contact_numbers": lambda: records.search(
                [*connection._contact_rows_domain(), ("reference", "=", "C-7")]
            ),
            "xero_record_in_doubt": lambda: self.with_tenant(connection)._rows_in_doubt(connection),
            "xero_record_changed": lambda: records.search([("change_state", "!=", False)], limit=80),
            "xero_record_one_push_per_record": lambda: records._outbox_rows(connection, self.bottle),
        }
        self.env.cr.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'xero_record'")
        self.assertEqual({name for (name,) in self.env.cr.fetchall()}, OTHER_INDEXES | set(questions))
        for index, question in questions.items():
            with self.subTest(index):
                plans = "\n\n".join(self.plans(question))
                self.assertIn(f" {index} ", plans)
                self.assertNotIn("Seq Scan on xero_record", plans)

    def with_tenant(self, connection):
        connection.sudo().tenant_id = "tenant"
        return self.records

    def test_what_orders_have_a_problem_is_found_without_reading_the_log(self):
        for model in ("sale.order", "stock.picking", "account.move"):
            with self.subTest(model):
                plans = self.plans(lambda model=model: self.env[model].search([("xero_trouble", "=", True)]))
                self.assertNotIn("Seq Scan on xero_record", "\n".join(plans))


class TestForgetting(SizeCase):
    """The log forgets in bites, and nothing that is still needed."""

    def count(self, **values):
        return self.records.search_count([(name, "=", value) for name, value in values.items()])

    def test_the_log_forgets_a_thousand_rows_at_a_time_and_says_that_there_are_more(self):
        self.add_rows(2 * BITE + 300)
        self.assertEqual(self.records._gc_finished(), (BITE, 1))
        self.assertEqual(self.count(state="skipped"), BITE + 300)
        self.assertEqual(self.records._gc_finished(), (BITE, 1))
        self.assertEqual(self.records._gc_finished(), (300, 1))
        self.assertEqual(self.records._gc_finished(), (0, 0))

    def test_odoos_cleaner_comes_back_until_all_is_forgotten(self):
        self.add_rows(BITE + 1, connection_id=str(self.connections[1].id))
        with self.enter_registry_test_mode():
            self.env.ref("base.autovacuum_job").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.count(state="skipped"), 0)

    def test_what_must_stay_stays_even_before_and_between_what_goes(self):
        kept = {
            "failed": {"state": "'failed'", "problem_code": "'unknown_code'"},
            "ignored": {"problem_code": "'ignored'"},
            "waiting": {"state": "'pending'"},
            "young": {"done_at": "now() AT TIME ZONE 'UTC'"},
            "sent": {"direction": "'out'", "res_model": "'sale.order'", "res_id": "n", "state": "'done'"},
            "contact": {"resource": "'contact'", "state": "'done'"},
            "gone order": {"state": "'done'", "res_model": "'sale.order'", "res_id": "2000000000 + n"},
        }
        for name, values in kept.items():
            self.add_rows(BITE + 10, number=f"'{name}'", **values)
            self.add_rows(50, number="'goes'")
        self.connections[1].log_days = 0
        self.add_rows(10, number="'for ever'", connection_id=str(self.connections[1].id))
        while self.records._gc_finished()[1]:
            pass
        self.assertEqual(self.count(number="goes"), 0)
        counts = {name: self.count(number=name) for name in kept}
        self.assertEqual(counts, dict.fromkeys(kept, BITE + 10))
        self.assertEqual(self.count(number="for ever"), 10)


class TestActiveMonths(SizeCase):
    """The report counts by the month, the bill by the day: both come to the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        zones = ("Pacific/Kiritimati", "Pacific/Auckland", "America/Los_Angeles", "Etc/GMT+12")
        cls.companies = cls.env["res.company"].create([{"name": f"Size {zone}"} for zone in zones])
        for company, zone in zip(cls.companies, zones, strict=True):
            company.partner_id.tz = zone
        cls.customers = cls.env["res.partner"].create([{"name": f"Customer {number}"} for number in range(3)])

    def add_periods(self, seed):
        """Random periods, one after the other, of connections that change customer, company and clock."""
        chance = random.Random(seed)
        values = []
        for connection in self.connections[:6]:
            moment = datetime(2025, 1, 1) + timedelta(hours=chance.randrange(5000))
            for _number in range(chance.randrange(1, 25)):
                lasts = chance.choice((0, 1, 5, 13, 24, 30, 300, 2000))
                ended = moment + timedelta(hours=lasts)
                values.append(
                    {
                        "connection_id": connection.id,
                        "company_id": chance.choice(self.companies).id,
                        "partner_id": chance.choice(self.customers).id,
                        "is_paused": chance.random() < 0.5,
                        "began_at": moment,
                        "ended_at": ended,
                    }
                )
                moment = ended + timedelta(hours=chance.choice((0, 0, 0, 1, 50)))
            if chance.random() < 0.5:
                values[-1]["ended_at"] = False
        self.env["xero.active.period"].create(values)
        self.env.flush_all()

    def test_days_counted_by_the_month_are_the_days_that_are_billed(self):
        for seed in range(20):
            with self.subTest(seed):
                self.env["xero.active.period"].search([]).unlink()
                self.add_periods(seed)
                self.assertEqual(self.by_month(), self.by_day())
                self.assertTrue(self.by_day())

    def by_month(self):
        rows = self.env.execute_query(self.env["xero.active.period"]._months_query())
        return {tuple(row[:4]): tuple(map(int, row[4:])) for row in rows}

    def by_day(self):
        query = self.env["xero.active.period"]._days_query(date(2024, 1, 1), date(2030, 1, 1))
        active, paused = Counter(), Counter()
        for connection_id, company_id, partner_id, day, is_paused in self.env.execute_query(query):
            (paused if is_paused else active)[connection_id, company_id, partner_id, day.replace(day=1)] += 1
        return {key: (active[key], paused[key]) for key in active | paused}
