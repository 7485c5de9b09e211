"""What may go wrong while items are exchanged: bad lists, limits, a consent that is too narrow."""

import json

from odoo import fields
from odoo.tests import mute_logger, tagged

from .items_case import ItemsCase


class MishapsCase(ItemsCase):
    def listed(self, *items, body=None):
        """What Xero's next list of items is, whatever the organisation holds."""
        body = json.dumps({"Items": items}) if body is None else body
        return self.fake.faults.add("GET", "/Items$", kind="replace_json", body=body)

    def turn(self, connection, whole=True):
        """One turn, whatever comes of it; limits have ended, and what waits is due."""
        self.env["xero.budget"].search([]).blocked_until = False
        connection.blocked_until = False
        self.item_rows().filtered("next_attempt").next_attempt = False
        if whole:
            connection.items_whole_at = False
        connection._ring_items()
        self.env.flush_all()
        self.run_cron("items")

    def item_rows(self, **values):
        rows = self.env["xero.record"].search([("resource", "=", "item")])
        return rows.filtered(lambda row: all(row[name] == value for name, value in values.items()))


@tagged("post_install", "-at_install")
class TestBadLists(MishapsCase):
    def test_an_answer_that_is_no_whole_list_makes_nothing_count_as_deleted(self):
        for number in range(3):
            self.item(f"LAMP-{number}", price=10)
            self.product(f"LAMP-{number}", "Lamp", 10)
        connection = self.exchanging("both", item_gone_action="archive")
        self.exchange(connection)
        products = self.env["product.product"].search([("default_code", "=like", "LAMP-%")])
        whole = json.dumps({"Items": self.items()})
        answers = {
            "an empty list": {"body": '{"Items": []}', "kind": "replace_json"},
            "no list": {"body": "{}", "kind": "replace_json"},
            "null": {"body": '{"Items": null}', "kind": "replace_json"},
            "a list of nothing": {"body": '{"Items": [null]}', "kind": "replace_json"},
            "items without id": {"body": '{"Items": [{}, {"ItemID": null}]}', "kind": "replace_json"},
            "something else": {"body": "[]", "kind": "replace_json"},
            "half of the text": {"body": whole[: len(whole) // 2], "kind": "replace_json"},
            "half of the answer": {"kind": "cut"},
            "a page": {"kind": "html", "status": 200},
            "nothing": {"body": "", "kind": "replace_json"},
        }
        for name, answer in answers.items():
            with self.subTest(answer=name):
                self.fake.faults.add("GET", "/Items$", **answer)
                self.turn(connection)
                self.assertTrue(all(products.mapped("active")))
                self.assertFalse(self.item_rows(problem_code="deleted"))
                self.assertEqual(self.env["xero.binding"].search_count([("resource", "=", "item")]), 3)
        self.fake.faults.clear()
        self.exchange(connection)
        self.assertEqual(set(self.item_rows().mapped("state")), {"done"})

    def test_an_item_another_worker_makes_while_the_list_is_read_does_not_count_as_deleted(self):
        self.item("LAMP", price=10)
        connection = self.exchanging("pull")
        self.exchange(connection)
        values = {"connection_id": connection.id, "resource": "item", "state": "done"}

        def make_one(request):
            self.fake.on_request = None
            self.env["xero.record"].create(values | {"external_id": "new", "number": "NEW"})

        self.fake.on_request = lambda request: request.path.endswith("/Items") and make_one(request)
        self.turn(connection)
        self.assertIsNone(self.fake.on_request)
        self.assertEqual(len(self.item_rows()), 2)
        self.assertFalse(self.item_rows(problem_code="deleted"))
        self.turn(connection)
        self.assertEqual(self.item_rows(problem_code="deleted").number, "NEW", "the next list counts")

    @mute_logger("odoo.addons.xero_connector.models.xero_record_import")
    def test_a_strange_item_costs_at_most_its_own_row(self):
        stamp = "/Date(1780000000000+0000)/"
        good = {"ItemID": "good", "Code": "GOOD", "Name": "Good", "SalesDetails": {"UnitPrice": 5}}
        strange = {
            "unknown keys": {"Colour": {"Hue": "red"}, "Status": "DREAMT", "IsSold": "perhaps"},
            "no name": {"Name": None},
            "no details": {"SalesDetails": None, "PurchaseDetails": None},
            "no time": {"UpdatedDateUTC": None},
            "a time nobody can read": {"UpdatedDateUTC": "yesterday"},
            "nulls": dict.fromkeys(("Name", "Description", "IsSold", "IsPurchased", "IsTrackedAsInventory")),
            "details of another kind": {"SalesDetails": ["5"], "PurchaseDetails": "5"},
            "a price in words": {"SalesDetails": {"UnitPrice": "five"}},
            "a price without end": {"SalesDetails": {"UnitPrice": 1e300}},
            "a number as code": {"Code": 4711},
            "a code of another kind": {"Code": {"Code": "X"}},
            "what no database stores": {"Name": "a\u0000b", "Description": "\ud800"},
            "no code": {"Code": None},
        }
        items = [
            {"ItemID": name, "Code": f"S{number}", "Name": name, "UpdatedDateUTC": stamp} | fields
            for number, (name, fields) in enumerate(strange.items())
        ]
        newer = good | {"UpdatedDateUTC": stamp, "SalesDetails": {"UnitPrice": 6}}
        connection = self.exchanging("pull", item_create_here=True)
        self.listed(good, "text", None, 5, {"Code": "NOBODY"}, *items, newer, good)
        self.exchange(connection)
        self.assertEqual(self.find("GOOD").list_price, 6)
        self.assertFalse(self.find("NOBODY"))
        rows = {row.external_id: row for row in self.item_rows(direction="in")}
        self.assertEqual(set(rows), {"good", *strange})
        failed = {name for name, row in rows.items() if row.state == "failed"}
        self.assertLessEqual(failed, {"no code"})
        self.assertEqual({row.state for name, row in rows.items() if name not in failed}, {"done"})
        self.assertEqual(rows["no details"].amount_total, 0)
        self.assertEqual(self.written(), [])

    def test_an_item_that_comes_without_code_or_name_leaves_the_products(self):
        item = self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        connection = self.exchanging("both")
        self.exchange(connection)
        self.listed({"ItemID": item["ItemID"], "UpdatedDateUTC": "/Date(4000000000000)/"})
        self.turn(connection)
        self.assertEqual((lamp.default_code, lamp.name, lamp.list_price), ("LAMP", "LAMP", 10))
        self.assertEqual(self.written(), [])


@tagged("post_install", "-at_install")
class TestScope(MishapsCase):
    def test_a_call_refused_for_its_scope_is_told_and_stops_no_import(self):
        self.item("LAMP", price=10)
        lamp = self.product("LAMP", "LAMP", 10)
        chair = self.product("CHAIR", "Chair", 5)
        connection = self.exchanging(
            "both", item_create_there=True, item_product_domain="[('default_code', 'in', ('LAMP', 'CHAIR'))]"
        )
        refused = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="accounting.settings"'}
        for method in ("PUT", "POST"):
            self.fake.faults.add(method, "/Items$", status=401, headers=refused, times=None)
        lamp.list_price = 11
        self.exchange(connection)
        lamp.list_price = 12
        self.exchange(connection)
        invoice = self.org.add_invoice(Contact=self.contact, LineItems=[self.line()])
        self.run_import(connection)
        self.assertEqual(len(self.order(invoice)), 1)
        self.assertEqual(connection.state, "connected")
        self.assertIn("accounting.settings", connection.item_message)
        self.assertEqual(self.out(chair).state, "pending")
        calls = len(self.written())
        self.exchange(connection)
        self.assertEqual(len(self.written()), calls, "what is refused is not asked again and again")
        self.fake.faults.clear()
        self.consent(connection, self.org)
        self.exchange(connection)
        self.assertFalse(connection.item_message)
        self.assertEqual(self.by_code("LAMP")["SalesDetails"]["UnitPrice"], 12)
        self.assertEqual(self.by_code("CHAIR")["SalesDetails"]["UnitPrice"], 5)
        self.assertEqual(self.out(chair).state, "done")


@tagged("post_install", "-at_install")
class TestLimits(MishapsCase):
    def pushing(self, count):
        """A connection with so many products that several calls are needed."""
        products = self.env["product.product"].union(
            *(self.product(f"CHAIR-{number:03}", f"Chair {number}", number) for number in range(count))
        )
        connection = self.exchanging(
            "push", item_create_there=True, item_product_domain="[('default_code', '=like', 'CHAIR-%')]"
        )
        return connection, products

    def refuse(self, limit, retry_after):
        headers = {"X-Rate-Limit-Problem": limit, "Retry-After": str(retry_after)}
        self.fake.faults.add("PUT", "/Items$", status=429, headers=headers, after=1)

    def check_limit(self, limit, retry_after):
        connection, products = self.pushing(60)
        self.refuse(limit, retry_after)
        connection._ring_items()
        self.run_cron("items")
        self.assertEqual(len(self.items()), 50)
        waiting = self.item_rows(direction="out", state="pending")
        self.assertEqual(len(waiting), 10)
        wait = (connection.next_items - fields.Datetime.now()).total_seconds()
        self.assertAlmostEqual(wait, retry_after, delta=10)
        self.assertEqual(connection.state, "connected")
        calls = len(self.fake.requests)
        self.run_cron("items")
        self.assertEqual(len(self.fake.requests), calls, "nobody asks before Xero's time is up")
        self.turn(connection, whole=False)
        self.assertEqual(
            sorted((item["Code"], item["SalesDetails"]["UnitPrice"]) for item in self.items()),
            sorted((product.default_code, product.list_price) for product in products),
        )
        self.assertEqual(set(self.item_rows(direction="out").mapped("state")), {"done"})
        self.assertFalse(connection.message)

    def test_a_minutes_limit_in_the_middle_of_a_push_lets_the_rest_wait(self):
        self.check_limit("minute", 40)

    def test_a_days_limit_in_the_middle_of_a_push_lets_the_rest_wait(self):
        self.check_limit("day", 50_000)

    def test_orders_use_the_last_calls_and_items_wait(self):
        connection, products = self.pushing(3)
        self.run_import(connection)
        self.env["xero.budget"].search([("tenant_id", "=", self.org.tenant_id)]).write(
            {"minute_left": 5, "minute_ends": fields.Datetime.add(fields.Datetime.now(), seconds=50)}
        )
        self.fake.limits.for_tenant(self.org.tenant_id, minute=9)
        invoice = self.org.add_invoice(Contact=self.contact, LineItems=[self.line()])
        self.fake.reset_log()
        self.exchange(connection)
        self.assertEqual(self.fake.requests, [], "the calls that are left are kept for orders")
        self.run_import(connection)
        self.assertEqual(len(self.order(invoice)), 1)
        self.env["xero.budget"].search([]).minute_ends = fields.Datetime.now()
        self.fake.limits.reset()
        self.turn(connection)
        self.assertEqual({item["Code"] for item in self.items()}, set(products.mapped("default_code")))

    def test_what_changes_while_a_new_item_waits_is_told_in_the_end(self):
        connection, products = self.pushing(2)
        for kind in ("drop_before", "drop_after"):
            self.fake.faults.add("PUT", "/Items$", kind=kind)
        self.turn(connection)
        products[0].default_code = "CHAIR-NEW"
        products[1].list_price = 99
        self.turn(connection)
        self.turn(connection)
        prices = {item["Code"]: item["SalesDetails"]["UnitPrice"] for item in self.items()}
        self.assertEqual(prices, {"CHAIR-NEW": 0, "CHAIR-001": 99})

    def test_a_new_item_whose_product_is_kept_out_meanwhile_is_not_sent_for_ever(self):
        connection, chair = self.pushing(1)
        self.fake.faults.add("PUT", "/Items$", kind="drop_after")
        self.turn(connection)
        chair.xero_exchange = False
        self.turn(connection)
        self.assertEqual((self.out(chair).state, self.out(chair).problem_code), ("skipped", "kept_out"))
        calls = len(self.written())
        self.turn(connection)
        self.assertEqual(len(self.written()), calls)
        chair.xero_exchange = True
        self.turn(connection)
        chair.list_price = 7
        self.turn(connection)
        self.assertEqual([item["SalesDetails"]["UnitPrice"] for item in self.items()], [7])
