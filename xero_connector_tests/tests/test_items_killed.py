"""Killed at any moment of an exchange of items, or several at once: no item twice, none overwritten, no change lost.

Everything is real here: worker processes, a database of their own, commits, HTTP, SIGKILL.
"""

import json
from contextlib import ExitStack, suppress

from odoo.tests import tagged

from ..sandbox.fake_xero import FakeXero
from .workers_case import Moment, WorkersCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

ORGANISATION = "Items"

# What a worker does, as its database sees it.
ROWS = 'INSERT INTO "xero_record"'
PRODUCT = 'INSERT INTO "product_product"'
COMPARED = 'DELETE FROM "xero_product_change"'
INTENT = r'UPDATE "xero_record"\s+SET .*"payload".*"request_key"'
ANSWERED = "UPDATE xero_budget"
BOUND = 'INSERT INTO "xero_binding"'
SETTLED = r'UPDATE "xero_binding"\s+SET "base"'
ENDED = r'UPDATE "xero_connection"\s+SET .*"last_items"'


def at(request, number=1):
    """Killed while Xero works on this request: nobody reads its answer."""
    return Moment(request=request, number=number)


def after(*trail):
    return Moment(fate={"job": "items", "trail": trail})


MOMENTS = {
    "the accounts are asked for": at("GET .*/Accounts$"),
    "the list is asked for": at("GET .*/Items$"),
    "a part of the list is stored": after(ROWS, "COMMIT"),
    "a part of the list is committed": after(ROWS, "DONE COMMIT"),
    "a product is made": after(PRODUCT),
    "a batch is compared": after(COMPARED, "COMMIT"),
    "a batch is committed": after(COMPARED, "DONE COMMIT"),
    "the intent is stored": after(INTENT, "COMMIT"),
    "the intent is committed": after(INTENT, "DONE COMMIT"),
    "Xero makes items": at("PUT .*/Items$"),
    "Xero makes more items": at("PUT .*/Items$", 2),
    "the new items are known": after(ANSWERED, ANSWERED, BOUND, "COMMIT"),
    "the new items are committed": after(ANSWERED, ANSWERED, BOUND, "DONE COMMIT"),
    "Xero changes items": at("POST .*/Items$"),
    "the changed items are known": after(ANSWERED, ANSWERED, ANSWERED, SETTLED, "COMMIT"),
    "the end is stored": after(ENDED),
}
# When a worker is killed, and what people do to its products before the next one begins. What is sent again after a
# kill arrives where the next kill comes later in the turn.
KILLS = [
    ("the accounts are asked for", "nothing"),
    ("the list is asked for", "nothing"),
    ("a part of the list is stored", "nothing"),
    ("a part of the list is committed", "nothing"),
    ("a product is made", "nothing"),
    ("a batch is compared", "nothing"),
    ("a batch is committed", "nothing"),
    ("the intent is stored", "nothing"),
    ("Xero makes more items", "nothing"),
    ("the new items are known", "nothing"),
    ("the new items are committed", "nothing"),
    ("the end is stored", "nothing"),
    ("Xero makes items", "rename"),
    ("Xero changes items", "rename"),
    ("the intent is committed", "rename"),
    ("the changed items are known", "reprice"),
    ("Xero makes items", "reprice"),
    ("the intent is committed", "reprice"),
    ("Xero changes items", "reprice"),
    ("Xero makes items", "delete"),
    ("the intent is committed", "make such items in Xero"),
]


@tagged("post_install", "-at_install")
class TestItemsKilled(WorkersCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        cls.fake.auto_approve = True
        # What both sides should hold in the end: price by code. Of deleted products, what Xero may hold.
        cls.wanted, cls.deleted = {}, {}
        cls.database = cls.enterClassContext(cls.databases.copy_for_run(cls.template, "items"))
        cls.registry = cls.enterClassContext(cls._registry(cls.database))
        with cls._env() as env:
            cls.org = cls.fake.add_organisation(ORGANISATION, currency=env.company.currency_id.name)
            cls._set_up(env)
        cls.org.tables["Items"].clear()
        cls._consent(cls.registry, ORGANISATION)
        cls.workers = cls.enterClassContext(cls._workers(cls.database, "items"))

    @classmethod
    def _set_up(cls, env):
        app = cls._make_app(env)
        env["xero.connection"].create(
            {
                "name": ORGANISATION,
                "app_id": app.id,
                "sync_interval": "manual",
                "item_sync": "both",
                "item_interval": "manual",
                "item_create_here": True,
                "item_create_there": True,
                "item_product_domain": "[('default_code', '=like', 'K%')]",
            }
        )

    # === WHAT PEOPLE DO === #

    def _ring(self, whole=False):
        with self._env() as env:
            connection = env["xero.connection"].search([])
            if whole:
                connection.items_whole_at = False
            connection._ring_items()

    @staticmethod
    def _products(env, codes="K%"):
        return env["product.product"].search([("default_code", "=like", codes)])

    def _make_products(self, env, codes):
        values = {"list_price": 10, "taxes_id": False, "supplier_taxes_id": False, "is_storable": True}
        env["product.product"].create([values | {"name": code, "default_code": code} for code in codes])
        self.wanted.update(dict.fromkeys(codes, 10))

    def _make_items(self, codes, price):
        for code in codes:
            self.org.add_item(Code=code, Name=code, SalesDetails={"UnitPrice": price})
        self.wanted.update(dict.fromkeys(codes, price))

    def _set_prices(self, products, price):
        products.list_price = price
        self.wanted.update(dict.fromkeys(products.mapped("default_code"), price))

    def _begin(self, prefixes):
        """Items and products that know each other."""
        codes = [f"{prefix}-{name}" for prefix in prefixes for name in ("here-1", "here-2", "there")]
        self._make_items(codes, 10)
        with self._env() as env:
            self._make_products(env, codes)
        self._ring()
        with self._env() as env:
            env["xero.connection"].search([])._exchange_items_safely()

    def _work(self, prefix):
        """A day's work on both sides, of which nobody knows yet on the other."""
        with self._env() as env:
            self._make_products(env, [f"{prefix}-new-here-1", f"{prefix}-new-here-2"])
            self._set_prices(self._products(env, f"{prefix}-here-%"), 11)
        item = self.org.record("Items", f"{prefix}-there")
        self.org.update("Items", item.id, SalesDetails={"UnitPrice": 12})
        self.wanted[f"{prefix}-there"] = 12
        self._make_items([f"{prefix}-new-there"], 14)

    def _meddle(self, env, products, deed):
        """What people do to these products between two exchanges."""
        self.assertTrue(products, "somebody's work was under way")
        codes = products.mapped("default_code")
        if deed == "rename":
            for code, product in zip(codes, products, strict=True):
                product.default_code += "+"
                self.wanted[product.default_code] = self.wanted.pop(code)
        elif deed == "reprice":
            self._set_prices(products, 13)
        elif deed == "delete":
            products.unlink()
            self.deleted.update({code: self.wanted.pop(code) for code in codes})
        elif deed == "make such items in Xero":
            self._make_items([code for code in codes if not self.org.tables["Items"].by_number(code)], 77)

    # === RUNS === #

    def _kill_and_meddle(self, moment, deed):
        self._ring(whole="Accounts" in MOMENTS[moment].request)
        self._kill(self.workers, MOMENTS[moment], self.database)
        with self._env() as env:
            self.assertTrue(env["xero.connection"].search([]).next_items, "the moment came before the turn was over")
            if deed != "nothing":
                self._meddle(env, self._under_way(env, moment), deed)

    def _under_way(self, env, moment):
        """The products that a worker was telling Xero about."""
        if "change" in moment:
            elements = json.loads(self.fake.calls("POST", "/Items")[-1].body)["Items"]
            bindings = env["xero.binding"].search([("external_id", "in", [one["ItemID"] for one in elements])])
            return env["product.product"].browse(bindings.mapped("res_id"))
        rows = env["xero.record"].search([("request_key", "!=", False)])
        return env["product.product"].browse(rows.mapped("res_id")).exists()

    def _finish(self, *helpers):
        """Let a worker (and helpers) exchange what there is, and what has to wait, until nothing waits."""
        for _turn in range(4):
            for workers in (self.workers, *helpers):
                workers.start()
            for workers in (self.workers, *helpers):
                workers.finish()
            if not self._let_time_pass():
                return
        self.fail("there is no end of waiting")

    def _let_time_pass(self):
        with self._env() as env:
            waiting = env["xero.record"].search([("resource", "=", "item"), ("state", "=", "pending")])
            waiting.next_attempt = False
            if waiting:
                env["xero.connection"].search([])._ring_items()
            return bool(waiting)

    def _assert_as_wanted(self):
        """Each code once on both sides, with what was said last, and the two know each other."""
        items = [record.data for record in self.org.tables["Items"]]
        there = {item["Code"]: item["SalesDetails"]["UnitPrice"] for item in items}
        self.assertEqual(len(there), len(items), "a code twice in Xero")
        left_there = {code: there.pop(code) for code in self.deleted if code in there}
        self.assertEqual(left_there, {code: self.deleted[code] for code in left_there})
        self._assert_same(there, self.wanted)
        with self._env() as env:
            products = self._products(env)
            self.assertEqual(len(products), len(self.wanted))
            self._assert_same({one.default_code: one.list_price for one in products}, self.wanted)
            self.assertEqual([one for one in products if not one.default_code.startswith(one.name)], [])
            bindings = env["xero.binding"].search([("resource", "=", "item")])
            self._assert_same({one.external_id: products.browse(one.res_id).default_code for one in bindings},
                              {item["ItemID"]: item["Code"] for item in items if item["Code"] in self.wanted})
            rows = env["xero.record"].search([("resource", "=", "item")])
            self.assertEqual([(row.number, row.state, row.problem_code) for row in rows if row.state != "done"
                              and row.number not in self.deleted], [])
            self.assertEqual({row.problem_code for row in rows if row.number in self.deleted} - {"deleted_here"}, set())
            self.assertFalse(env["xero.product.change"].search([]))

    def _assert_same(self, found, wanted):
        surplus, missing = dict(found.items() - wanted.items()), dict(wanted.items() - found.items())
        self.assertEqual((surplus, missing), ({}, {}))

    # === TESTS === #

    def test_killed_at_any_moment_and_started_again_makes_nothing_twice_and_loses_nothing(self):
        self.addCleanup(setattr, self.fake, "on_request", None)
        self._begin([f"K{number:02}" for number, _kill in enumerate(KILLS)])
        for number, (moment, deed) in enumerate(KILLS):
            self._work(f"K{number:02}")
            with self._told(f"kill {number}: {moment}, then people: {deed}"):
                self._kill_and_meddle(moment, deed)
        self._finish()
        self._assert_as_wanted()
        self.fake.reset_log()
        self._ring()
        self._finish()
        self.assertEqual([call.method for call in self.fake.calls(path="/Items")], ["GET"], "nothing is left to say")

    def test_three_workers_and_people_at_work_make_nothing_twice_and_lose_nothing(self):
        prefixes = [f"KW{number}" for number in range(3)]
        self._begin(prefixes)
        with ExitStack() as stack:
            helpers = [stack.enter_context(self._workers(self.database, "items")) for _number in range(2)]
            for prefix in prefixes:
                self._work(prefix)
            self._ring(whole=True)
            for workers in (self.workers, *helpers):
                workers.start()
            for price in (20, 21, 22):
                for prefix in prefixes:
                    self._as_a_request(self._reprice, prefix, price)
            for workers in (self.workers, *helpers):
                workers.finish()
            self._finish(*helpers)
        self._assert_as_wanted()

    def _reprice(self, env, prefix, price):
        """Somebody changes prices and wants them in Xero at once."""
        self._set_prices(self._products(env, f"{prefix}-here-%") + self._products(env, f"{prefix}-new-here-%"), price)
        env["xero.connection"].search([])._ring_items()

    def test_who_rings_while_a_turn_comes_to_its_end_is_heard(self):
        self._begin(["KR"])
        self._ring()
        with self._env() as env:
            connection = env["xero.connection"].search([])
            rung = connection.next_items
            connection._read_items()
            connection._work_off_items()
            self._as_a_request(self._reprice, "KR", 7)
            connection._end_item_turn(rung)
        self._finish()
        self._assert_as_wanted()
