"""Killed at any moment, or several at once: what is imported is what one undisturbed worker imports.

Everything is real here: worker processes, a database of their own for each run, commits, HTTP, SIGKILL.
"""

import os
import random
from collections import Counter
from contextlib import ExitStack, suppress

from odoo.tests import tagged

from .import_case import ImportWorkersCase
from .workers_case import Moment

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

SEED_VARIABLE = "XERO_KILL_SEED"


@tagged("post_install", "-at_install")
class TestKilled(ImportWorkersCase):
    organisations = {
        "Drafts North": (920, 120, {}),
        "Drafts South": (850, 120, {}),
        "Confirmed": (200, 60, {"order_confirm": True}),
        "Files": (
            30,
            10,
            {"order_confirm": True, "attach_pdf": True, "attach_files": True, "note_target": "delivery"},
        ),
    }

    # === WORKERS === #

    def _moments(self, rng):
        """Twenty-one moments from the first page to the last file, in the order in which a worker comes to them."""
        tables = ("xero_record", "res_partner", "sale_order", "stock_move", "ir_attachment")
        rows, partners, orders, moves, files = (f'INSERT INTO "{table}"' for table in tables)

        def poll(*trail):
            return Moment(fate={"job": "poll", "trail": trail})

        def process(*trail, **fate):
            return Moment(fate={"job": "process", "trail": trail, **fate})

        def fetch(*trail):
            return Moment(fate={"job": "files", "trail": trail})

        reading = [
            Moment(request="/Invoices$"),
            poll(*[rows] * rng.randint(1, 2)),
            poll(rows, "COMMIT"),
            poll(rows, "DONE COMMIT"),
            Moment(request="/Invoices$", number=rng.randint(1, 3)),
        ]
        beginning = [
            Moment(request="/connect/token", tokens_expired=True),
            Moment(request="/Contacts$"),
            process(rows),
            process(partners),
            process(*[moves] * rng.randint(1, 3)),
            process(moves, "COMMIT"),
        ]
        # The rest of the work in pieces of some batches: each worker is killed at the end of its piece.
        cuts = sorted(rng.randint(0, self.seen["process: DONE COMMIT"] // 2) for _number in range(6))
        pieces = [["DONE COMMIT"] * (cut - previous) for previous, cut in zip([0, *cuts], cuts, strict=False)]
        anywhere = [int(10 ** rng.uniform(0, 3.3)) for _number in range(3)]
        middle = [
            process(*pieces[0], "COMMIT"),
            process(*pieces[1], "DONE COMMIT"),
            process(*pieces[2], orders),
            process(*pieces[3], further=anywhere[0]),
            process(*pieces[4], further=anywhere[1]),
            process(*pieces[5], further=anywhere[2], tell=True)._replace(delay=rng.uniform(0, 0.3)),
            process(*[moves] * rng.randint(1, 3), tell=True)._replace(delay=0.3, database_lost=True),
        ]
        rng.shuffle(middle)
        fetching = [
            Moment(request="/Invoices/.+", number=rng.randint(1, 4)),
            fetch(*[files] * rng.randint(1, 12)),
            fetch(*[files] * rng.randint(1, 12), "DONE COMMIT"),
        ]
        return [*reading, *beginning, *middle, *fetching]

    # === TESTS === #

    def test_the_undisturbed_run_is_worth_comparing_with(self):
        total = sum(invoices for invoices, _contacts, _settings in self.organisations.values())
        rows = [row for row in self.expected["rows"].elements() if row[1] == "invoice"]
        states = Counter(row[4] for row in rows)
        self.assertEqual(len(rows), total)
        self.assertEqual(set(states), {"done", "failed", "skipped"})
        self.assertEqual(self.expected["orders"].total(), states["done"])
        self.assertGreater(states["done"], 0.6 * total)
        problems = {row[5] for row in rows}
        self.assertLessEqual(
            {"unknown_code", "address_incomplete", "nothing_to_ship", "rule_ignore", "voided", "unexpected"}, problems
        )
        self.assertEqual({order[4] for order in self.expected["orders"]}, {"WH", "GC"})
        self.assertGreater(self.expected["transfers"].total(), 150)
        self.assertGreater(self.expected["attachments"].total(), 60)
        self.assertEqual(set(self.expected["stored files"]), {True})

    def test_twenty_kills_and_restarts_lose_nothing_and_make_nothing_twice(self):
        seed = int(os.environ.get(SEED_VARIABLE) or random.randrange(2**32))
        moments = self._moments(random.Random(seed))
        self.assertEqual(len([moment for moment in moments if not moment.database_lost]), 20)
        self.addCleanup(setattr, self.fake, "on_request", None)
        with self._database("killed") as database, self._workers(database) as workers:
            for number, moment in enumerate(moments, 1):
                with self._told(f"{SEED_VARIABLE}={seed}, kill {number}: {moment}"):
                    self._kill(workers, moment, database)
            with self._told(f"{SEED_VARIABLE}={seed}"):
                workers.start()
                workers.finish()
                self._assert_as_undisturbed(database)

    def test_three_workers_at_once_lose_nothing_and_make_nothing_twice(self):
        with self._database("together") as database, ExitStack() as stack:
            workers = [stack.enter_context(self._workers(database)) for _number in range(3)]
            self.fake.identity.expire_access_tokens()
            self.fake.reset_log()
            for worker in workers:
                worker.start()
            seen = [worker.finish() for worker in workers]
            self._assert_as_undisturbed(database)
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), len(self.organisations), "one refresh each")
        batches = [one.get('process: INSERT INTO "sale_order"', 0) for one in seen]
        self.assertGreater(len([number for number in batches if number]), 1, f"only one had work: {batches}")
