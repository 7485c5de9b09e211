"""A customer who tries every page and every id of another customer gets nothing: not a word, not an effect."""

import re

from odoo import fields
from odoo.tests import mute_logger, tagged

from odoo.addons.xero_connector.models.portal_form import PortalForm

from .portal_case import PortalCase

_ADDRESS = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")


@tagged("post_install", "-at_install")
class TestPortalGuards(PortalCase):
    def setUp(self):
        super().setUp()
        self.theirs = self.connect(name="rimu7 shop", partner_id=self.rimu.id, in_portal=True)
        self.org.add_item(Code="RIMU7", Name="rimu7 glass")
        failing = self.invoice("rimu7 order", [self.line("RIMU7")], Date=str(fields.Date.today()))
        self.run_import(self.theirs)
        self.their_row = self.row(failing)
        self.their_org = self.org
        self.org = self.fake.add_organisation("kauri org", country="NZ", currency=self.company.currency_id.name)
        self.contact = self.org.add_contact(Name="Kauri's contact")
        self.mine = self.connect(name="kauri7 shop", partner_id=self.kauri.id, in_portal=True)
        self.env.flush_all()
        self.log_in("kauri")
        page = self.visit(f"/my/xero/{self.mine.id}/delete")
        self.token = page.document.xpath("//input[@name='csrf_token']/@value")[0]

    def routes(self):
        """Each of the portal's addresses with its methods, as Odoo itself knows them."""
        rules = self.env["ir.http"].routing_map().iter_rules()
        return sorted({(rule.rule, method) for rule in rules if rule.rule.startswith("/my/xero")
                       for method in rule.endpoint.routing["methods"]})

    def fill(self, rule, connection_id, row_id):
        """The addresses of a route with these ids: one, or one for each word it allows."""
        words = re.search(r"any\(([^)]*)\)", rule)
        ids = {"connection_id": connection_id, "row_id": row_id, "page": 1}
        addresses = []
        for word in (words[1].split(",") if words else [""]):
            addresses.append(_ADDRESS.sub(lambda m, word=word: str(ids.get(m[3], word.strip())), rule))
        return addresses

    def snapshot(self):
        self.env.invalidate_all()
        names = ("name", "state", "active", "setup_done", "setup_step", "tenant_id", "next_poll", "import_from",
                 "unmatched_action", "warehouse_id", "write_date")
        connection = self.theirs.read(names)[0]
        return connection, self.their_row.read(["state", "attempts", "write_date"])[0], self.theirs.mapping_ids.ids

    @mute_logger("odoo.http")
    def test_every_route_with_every_foreign_id_is_not_found_and_changes_nothing(self):
        routes = self.routes()
        self.assertGreater(len(routes), 15)
        before = self.snapshot()
        tried = 0
        for rule, method in routes:
            if "<" not in rule:
                continue
            for connection_id in (self.theirs.id, 0, 99_999_999, 2**63):
                for address in self.fill(rule, connection_id, self.their_row.id):
                    answer = self.ask(method, address)
                    self.assertEqual(answer.status_code, 404, f"{method} {address}")
                    self.assertNotIn("rimu7", answer.text, address)
                    tried += 1
        self.assertEqual(self.snapshot(), before)
        self.assertGreater(tried, 60)

    def ask(self, method, address, **data):
        if method == "GET":
            return self.url_open(self._here(address), allow_redirects=False)
        data = {"csrf_token": self.token, "name": "stolen", "agreed": "1", "action": "save"} | data
        return self.url_open(self._here(address), data=data, allow_redirects=False)

    @mute_logger("odoo.http")
    def test_a_foreign_row_is_not_reached_through_ones_own_integration(self):
        before = self.snapshot()
        answer = self.ask("POST", f"/my/xero/{self.mine.id}/log/{self.their_row.id}/retry")
        self.assertEqual((answer.status_code, self.snapshot()), (404, before))

    def test_a_foreign_rule_named_in_a_form_is_not_touched(self):
        self.theirs.mapping_ids = self.rules(("theirs", None))
        rule = self.theirs.mapping_ids
        before, stamp = self.snapshot(), PortalForm(self.mine).stamp
        self.ask(
            "POST", f"/my/xero/{self.mine.id}/setup/configuration", rules=str(rule.id), stamp=stamp,
            default="ignore", import_from=str(fields.Date.today()), trigger_status="paid", sync_interval="daily",
            note_target="none", **{f"text-{rule.id}": "stolen", f"target-{rule.id}": "ignore"},
        )
        self.assertEqual(self.snapshot(), before)
        self.assertEqual(rule.reference_contains, "theirs")
        self.assertEqual(self.mine.mapping_ids.reference_contains, "stolen", "it became a rule of their own")

    def test_foreign_organisations_and_invoices_are_not_reached(self):
        theirs = self.invoices_of(self.their_org)[0]
        answer = self.ask("POST", f"/my/xero/{self.mine.id}/setup/test", invoice_id=theirs)
        self.assertNotIn("rimu7", answer.text)
        self.assertNotIn("would become this order", answer.text)
        self.ask("POST", f"/my/xero/{self.mine.id}/organisation", tenant_id=self.their_org.tenant_id)
        self.env.invalidate_all()
        self.assertEqual(self.mine.tenant_id, self.org.tenant_id)

    def invoices_of(self, org):
        return [record.data["InvoiceID"] for record in org.tables["Invoices"]]

    def test_own_pages_say_no_word_of_others_and_no_secret(self):
        grant = self.mine.sudo().grant_id
        hidden = ("rimu7", self.app.name, self.app.client_id, self.app.sudo().stored_client_secret,
                  grant.access_token, grant.refresh_token, self.mine.tenant_id)
        for path in ("/my", "/my/xero", "/my/xero/new", *(f"/my/xero/{self.mine.id}{rest}" for rest in (
                "", "/log", "/delete", "/setup/initial", "/setup/authentication", "/setup/configuration",
                "/setup/test"))):
            source = self.visit(path).source
            for word in hidden:
                self.assertNotIn(word, source, path)

    @mute_logger("odoo.http")
    def test_nothing_is_done_without_the_forms_token(self):
        for rule, method in self.routes():
            if method == "POST":
                for address in self.fill(rule, self.mine.id, self.their_row.id):
                    answer = self.url_open(self._here(address), data={"name": "x"}, allow_redirects=False)
                    self.assertEqual(answer.status_code, 400, address)
        self.env.invalidate_all()
        self.assertEqual((self.mine.state, self.mine.active), ("connected", True))

    def test_what_staff_connected_without_sharing_it_is_not_in_the_portal(self):
        self.mine.in_portal = False
        self.assertEqual(self.visit(f"/my/xero/{self.mine.id}").status, 404)
        self.assertNotIn("kauri7", self.visit("/my/xero").source)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_customers_have_no_right_on_any_of_our_models(self):
        models = [name for name, model in self.env.registry.items()
                  if name.startswith("xero.") and not model._abstract]
        self.assertGreater(len(models), 30)
        for model in models:
            answer = self.make_jsonrpc_raw(model, "search_read", [[]])
            self.assertIn("error", answer, model)

    def make_jsonrpc_raw(self, model, method, args):
        body = {"params": {"model": model, "method": method, "args": args, "kwargs": {}}}
        return self.url_open(f"/web/dataset/call_kw/{model}/{method}", json=body).json()
