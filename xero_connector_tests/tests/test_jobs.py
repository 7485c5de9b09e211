"""What a doorbell becomes where OCA's job queue is installed, and what a job does.

Everything is real here, in a database of its own, with commits.
"""

import itertools
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.tests import tagged

from ..sandbox.fake_xero import FakeXero
from .common import COMPLETE_ADDRESS
from .workers_case import WorkersCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow


@tagged("post_install", "-at_install")
class TestJobs(WorkersCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        cls.fake.auto_approve = True
        cls.organisations = {name: cls._organisation(name) for name in ("Jobs", "Other")}
        cls.database = cls.enterClassContext(cls.databases.copy_for_run(cls.template, "jobs"))
        cls.databases.install_jobs(cls.database)
        cls.registry = cls.enterClassContext(cls._registry(cls.database))
        with cls._env() as env:
            cls._set_up(env)
        for name in cls.organisations:
            cls._consent(cls.registry, name)

    @classmethod
    def _organisation(cls, name):
        """Books with an item and a customer to write invoices to."""
        organisation = cls.fake.add_organisation(name)
        organisation.add_item(Code="A", Name="A")
        contact = organisation.add_contact(Name="Somebody", Addresses=[COMPLETE_ADDRESS])
        return SimpleNamespace(books=organisation, contact={"ContactID": contact["ContactID"]})

    @classmethod
    def _set_up(cls, env):
        env["res.currency"].with_context(active_test=False).search([("name", "=", "NZD")]).active = True
        env["product.product"].create({"name": "A", "default_code": "A"})
        app = cls._make_app(env)
        by_hand = {"sync_interval": "manual", "item_sync": "pull", "item_create_here": True, "item_interval": "manual"}
        for name in cls.organisations:
            env["xero.connection"].create({"name": name, "app_id": app.id, **by_hand})

    def setUp(self):
        super().setUp()
        self.server.execute("DELETE FROM queue_job", (), self.database)
        self.fake.faults.clear()

    def _connections(self, env):
        return env["xero.connection"].search([("name", "in", ("Jobs", "Other"))], order="name")

    def _jobs(self, env, state="pending"):
        """What waits, as ``(connection, queue, moment)``."""
        jobs = env["queue.job"].search([("state", "=", state)], order="id")
        return [(job.records.name, job.args[0], job.eta) for job in jobs]

    def _receive(self, count=1, name="Jobs"):
        """Invoices that wait in the log to become orders, with the jobs their doorbell made: their ids."""
        lines = [{"ItemCode": "A", "Description": "A", "Quantity": 1, "UnitAmount": 1}]
        its = self.organisations[name]
        invoices = [its.books.add_invoice(Contact=its.contact, LineItems=lines) for _number in range(count)]
        with self._env() as env:
            self._connections(env).filtered(lambda connection: connection.name == name)._ring()
            env["xero.connection"]._cron_poll()
        return [invoice["InvoiceID"] for invoice in invoices]

    def _pending(self, env, **values):
        domain = [("state", "=", "pending"), *((name, "=", value) for name, value in values.items())]
        return env["xero.record"].search_count(domain)

    def _perform(self, queue, name="Jobs"):
        """Run the job of this queue and connection as the job queue's worker does."""
        with self._env() as env:
            # found once the registry has loaded the job queue
            from odoo.addons.queue_job.job import ENQUEUED, Job

            waiting = env["queue.job"].search([("state", "=", "pending")])
            [record] = waiting.filtered(lambda job: (job.args[0], job.records.name) == (queue, name))
            record.state = ENQUEUED
            job = Job.load(env, record.uuid)
            job.set_started()
            job.store()
            env.cr.commit()
            job.perform()
            job.set_done()
            job.store()

    def test_the_connector_for_the_job_queue_comes_by_itself(self):
        with self._env() as env:
            module = env["ir.module.module"].search([("name", "=", "xero_connector_queue_job")])
            self.assertEqual(module.state, "installed")

    def test_a_doorbell_makes_one_job_for_each_connection_and_queue(self):
        for _transaction in range(2):
            with self._env() as env:
                for _ring in range(2):
                    self._connections(env)._schedule("process")
                self._connections(env)[0]._schedule("files")
        with self._env() as env:
            self.assertEqual(
                self._jobs(env),
                [("Jobs", "process", False), ("Other", "process", False), ("Jobs", "files", False)],
            )

    def test_a_doorbell_that_is_rolled_back_makes_no_job(self):
        with self._env() as env:
            self._connections(env)._schedule("process")
            env.cr.rollback()
        with self._env() as env:
            self.assertFalse(self._jobs(env))

    def test_a_ring_is_heard_where_the_job_that_waited_at_its_beginning_has_run_meanwhile(self):
        with self._env() as env:
            self._connections(env)[0]._schedule("process")
        with self._env() as ringing:
            self.assertTrue(self._jobs(ringing))  # what this transaction sees to its end
            self._perform("process")
            self._connections(ringing)[0]._schedule("process")
        with self._env() as env:
            self.assertEqual(self._jobs(env), [("Jobs", "process", False)])

    def test_later_moments_are_one_job_where_they_are_near_each_other_and_never_too_early(self):
        now = fields.Datetime.now()
        for seconds, apart in ((30, 10), (150, 60), (3000, 300)):
            self.server.execute("DELETE FROM queue_job", (), self.database)
            wanted = [now + timedelta(seconds=seconds + tenth / 10) for tenth in range(0, 10 * apart, 7)]
            with self._env() as env:
                for moment in wanted:
                    self._connections(env)[0]._schedule("files", at=moment)
            with self._env() as env:
                moments = [moment for _connection, _queue, moment in self._jobs(env)]
                self.assertLessEqual(len(moments), 3)
                self.assertGreaterEqual(min(moments), wanted[0])
                self.assertGreaterEqual(max(moments), wanted[-1])
                self.assertLess(max(moments), wanted[-1] + timedelta(seconds=apart))

    def test_what_is_due_already_is_a_job_for_now(self):
        with self._env() as env:
            self._connections(env)[0]._schedule("files", at=datetime(2020, 1, 1))
        with self._env() as env:
            self.assertEqual(self._jobs(env), [("Jobs", "files", False)])

    def test_jobs_are_nobodys_and_belong_to_the_company_of_their_connection(self):
        with self._env() as env:
            other = env["res.company"].create({"name": "Company B"})
            groups = env.ref("base.group_user") | env.ref("xero_connector.group_xero_user")
            user = env["res.users"].create({"name": "Ada", "login": "ada", "group_ids": groups.ids})
            app = self._connections(env)[0].app_id
            app.company_id = False
            values = {"name": "Of B", "app_id": app.id, "company_id": other.id, "warehouse_id": False}
            connection = env["xero.connection"].with_company(other).create(values)
            connection.with_user(user).with_context(lang="en_US")._schedule("push")
        with self._env() as env:
            job = env["queue.job"].search([])
            self.assertEqual((job.user_id.id, job.channel), (SUPERUSER_ID, "root.xero.push"))
            self.assertEqual(job.company_id.name, "Company B")
            self.assertFalse({"lang", "company_id"} & set(job.records.env.context))

    def test_what_a_poll_finds_becomes_orders_by_jobs(self):
        ids = self._receive(3)
        with self._env() as env:
            self.assertEqual(self._jobs(env), [("Jobs", "process", False)])
            self.assertEqual(self._pending(env), 3)
        self._perform("process")
        with self._env() as env:
            self.assertEqual(self._pending(env), 0)
            # The PDFs have a job of their own.
            self.assertEqual(self._jobs(env), [("Jobs", "files", False)])
        self._perform("files")
        with self._env() as env:
            rows = env["xero.record"].search([("external_id", "in", ids)])
            self.assertEqual(rows.mapped("files_state"), ["done"] * 3)
            self.assertEqual(self._jobs(env), [])

    def test_a_job_works_for_its_connection_alone(self):
        self._receive(2)
        self._receive(3, "Other")
        self._perform("process", "Other")
        with self._env() as env:
            waiting = env["xero.record"].search([("state", "=", "pending")])
            self.assertEqual(waiting.mapped("connection_id.name"), ["Jobs"])
            self.assertEqual(self._jobs(env), [("Jobs", "process", False), ("Other", "files", False)])
        self._perform("process")
        self._perform("files", "Other")
        with self._env() as env:
            waiting = env["xero.record"].search([("files_state", "=", "waiting")])
            self.assertEqual(waiting.mapped("connection_id.name"), ["Jobs"])
        self._perform("files")

    def test_products_are_exchanged_by_a_job(self):
        for name, its in self.organisations.items():
            its.books.add_item(Code=f"NEW-{name}", Name="New")
        with self._env() as env:
            self._connections(env)._ring_items()
        self._perform("items")
        with self._env() as env:
            products = env["product.product"].search([("default_code", "=like", "NEW-%")])
            self.assertEqual(products.mapped("default_code"), ["NEW-Jobs"])
            self.assertEqual(self._jobs(env), [("Other", "items", False)])
        self._perform("items", "Other")
        with self._env() as env:
            self.assertEqual(self._jobs(env), [])
            self.assertFalse(self._connections(env).filtered("next_items"))

    def test_what_people_wait_for_in_the_warehouse_comes_first(self):
        with self._env() as env:
            for queue in ("files", "items", "push", "process"):
                self._connections(env)[0]._schedule(queue)
        with self._env() as env:
            jobs = env["queue.job"].search([], order="priority, id")
            self.assertEqual([job.args[0] for job in jobs], ["process", "push", "items", "files"])

    def test_a_job_whose_time_is_up_leaves_the_rest_to_another(self):
        glue = "odoo.addons.xero_connector_queue_job.models"
        # Eight seconds pass between two looks at the clock: enough for two batches.
        clock = SimpleNamespace(monotonic=itertools.count(0, 8).__next__)
        with patch("odoo.addons.xero_connector.const.BATCH_SIZE", 2):
            self._receive(5)
            with patch(f"{glue}.ir_cron.time", clock), patch(f"{glue}.xero_connection.time", clock):
                self._perform("process")
            with self._env() as env:
                self.assertEqual(self._pending(env), 1)
                self.assertIn(("Jobs", "process", False), self._jobs(env))
            self._perform("process")
        with self._env() as env:
            self.assertEqual(self._pending(env), 0)

    def test_a_job_that_finds_the_connection_busy_looks_again_soon(self):
        self._receive()
        with self._env() as env:
            self.assertTrue(self._connections(env)[0].try_lock_for_update())
            self._perform("process")
            self.assertEqual(self._pending(env), 1)
        with self._env() as env:
            [(_connection, _queue, moment)] = self._jobs(env)
            self.assertTrue(timedelta(seconds=20) < moment - fields.Datetime.now() < timedelta(seconds=45), moment)
            env["queue.job"].search([]).unlink()
            env["xero.record"]._cron_process()  # the sweeper
            self.assertEqual(self._pending(env), 0)

    def test_uninstalled_it_leaves_no_job_and_the_scheduled_actions_do_what_waits(self):
        with self.databases.copy_for_run(self.template, "gone") as database:
            self.databases.install_jobs(database)
            with self._registry(database) as registry, registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                app = env["xero.app"].create({"name": "Gone", "client_id": "x", "client_secret": "y"})
                connection = env["xero.connection"].create({"name": "Gone", "app_id": app.id})
                connection._schedule("process")
                connection._schedule("files")
                cr.commit()
                env["queue.job"].search([], limit=1).state = "done"
                env["queue.job"].with_delay()._test_job()
            self.databases.uninstall_jobs(database)
            jobs = self.server.execute("SELECT model_name FROM queue_job", (), database)
            self.assertEqual(jobs, [("queue.job",)], "another addon's stays")
            with self._registry(database) as registry, registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                action = env.ref("xero_connector.ir_cron_process")
                rung = env["ir.cron.trigger"].search([("cron_id", "=", action.id)])
                self.assertTrue(rung, "what the jobs were to do is done at once")
                rung.unlink()
                env["xero.connection"].search([("name", "=", "Gone")])._schedule("process")
                self.assertEqual(env["ir.cron.trigger"].search_count([("cron_id", "=", action.id)]), 1)

    def test_an_outage_ends_in_the_row_and_its_next_attempt_is_a_job(self):
        self._receive()
        self._perform("process")
        self.fake.faults.add("GET", "/Invoices/", status=503)
        self._perform("files")
        with self._env() as env:
            [row] = env["xero.record"].search([("files_state", "=", "waiting")])
            self.assertTrue(row.files_next_attempt)
            [(_connection, _queue, moment)] = self._jobs(env)
            self.assertGreaterEqual(moment, row.files_next_attempt)
            self.assertLess(moment, row.files_next_attempt + timedelta(seconds=300))
            row.files_state = "done"
