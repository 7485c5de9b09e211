"""Tokens under real concurrency: real transactions, several threads, what is committed counts."""

import threading
from datetime import timedelta

from odoo import api, fields
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged

from ..sandbox.fake_xero import FakeXero


@tagged("post_install", "-at_install")
class TestSingleFlight(BaseCase):
    """Outside the test transaction: other tests see nothing of it, as everything is removed again."""

    def setUp(self):
        super().setUp()
        self.fake = FakeXero().start()
        self.addCleanup(self.fake.stop)
        self.fake.add_organisation("Single flight")
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = self.env(cr)
            env["ir.config_parameter"].set_param("xero_connector.identity_url", self.fake.identity_url)
            app = env["xero.app"].create(
                {
                    "name": "Single flight",
                    "client_id": self.fake.client_id,
                    "client_secret": self.fake.client_secret,
                    "grant_type": "client_credentials",
                }
            )
            grant = env["xero.grant"].create(
                {"app_id": app.id, "scopes": "accounting.invoices.read", "access_token": "old"}
            )
            grant.access_expires_at = fields.Datetime.now() - timedelta(minutes=1)
            self.app_id, self.grant_id = app.id, grant.id
        self.addCleanup(self._remove)

    def _remove(self):
        with self.registry.cursor() as cr:
            self.env(cr)["xero.app"].browse(self.app_id).unlink()
            self.env(cr)["ir.config_parameter"].set_param("xero_connector.identity_url", False)

    def env(self, cr):
        return api.Environment(cr, api.SUPERUSER_ID, {})

    def _grant(self, cr):
        return self.env(cr)["xero.grant"].browse(self.grant_id)

    def _stored_token(self):
        with self.registry.cursor() as cr:
            return self._grant(cr).access_token

    def test_many_workers_at_the_moment_of_expiry_make_one_refresh(self):
        workers = 6
        together = threading.Barrier(workers)
        tokens = []

        def work():
            with self.registry.cursor() as cr:
                grant = self._grant(cr)
                cr.execute("SELECT 1")  # a snapshot older than the refresh, as a working transaction has
                together.wait(20)
                tokens.append(grant._token())

        threads = [threading.Thread(target=work) for _number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(len(tokens), workers)
        self.assertEqual(set(tokens), {self._stored_token()})
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1)

    def test_a_new_token_is_kept_when_the_work_it_was_for_is_rolled_back(self):
        with self.registry.cursor() as cr:
            token = self._grant(cr)._token()
            cr.rollback()
        self.assertEqual(self._stored_token(), token)

    def test_a_new_token_is_usable_in_the_very_transaction_that_asked_for_it(self):
        with self.registry.cursor() as cr:
            grant = self._grant(cr)
            self.assertEqual(grant._token(), grant._token())
        self.assertEqual(len(self.fake.calls("POST", "/connect/token")), 1)
