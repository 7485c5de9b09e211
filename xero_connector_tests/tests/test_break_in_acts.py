"""Everybody logs in over HTTP and tries to do everything: nothing changes that is not theirs to change."""

import inspect
import re
from contextlib import suppress

from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged
from odoo.tools import SQL

from .break_in_case import ADDON, KINDS, REFUSED, ROLES, BreakInCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

_MODULE = f"odoo.addons.{ADDON}."
_HOSTILE = "<script>alert(7)</script>../../etc"
# What strangers send to a route.
_REQUESTS = (
    {},
    {"params": {"state": _HOSTILE, "code": _HOSTILE, "error": _HOSTILE}},
    {"method": "POST", "data": {"state": "x"}},
    {"method": "POST", "json": {"events": [{"resourceId": _HOSTILE}]}},
    {"method": "POST", "data": b"\x00\xff" * 5000, "headers": {"x-xero-signature": _HOSTILE}},
)
# What of Odoo's our buttons are on.
_ODOOS = ["sale.order", "stock.picking", "account.move"]
# Whose press of a button may change which of their own company's tables.
_DOCUMENTS = {"xero_record", "sale_order", "stock_picking"}
# Xero users compare the books, and send what a comparison or a preview shows.
_SENT = {"xero_record_line", "xero_drift", "xero_drift_line"}
_MAY_CHANGE = {
    "warehouse": _DOCUMENTS,
    "sales": _DOCUMENTS,
    "xero-user": _DOCUMENTS | _SENT | {"xero_connection", "xero_binding", "xero_budget"},
}
_MANAGERS = ("xero-manager", "manager-of-b")
_ENDING = ("action_disconnect", "action_remove")
_CALLERS = ("xero-user", *_MANAGERS)


class BreakInActs(BreakInCase):
    def setUp(self):
        super().setUp()
        self.tables = [
            model for model in self.stored_models() if self.env[model]._auto and not self.env[model]._transient
        ] + _ODOOS

    def _state(self):
        """What stands in all tables: dict ``(table, company's side) -> rows as text``."""
        self.env.flush_all()
        return {
            (self.env[model]._table, side): rows
            for model in self.tables
            for side, rows in self._rows_by_side(model).items()
        }

    def _rows_by_side(self, model):
        stored = self.env[model]._fields
        company = SQL("company_id")
        if "company_id" not in stored:
            company = SQL("(SELECT company_id FROM xero_app WHERE xero_app.id = app_id)")
            if "app_id" not in stored:
                company = SQL("(SELECT company_id FROM xero_connection WHERE xero_connection.id = connection_id)")
        table = SQL.identifier(self.env[model]._table)
        self.env.cr.execute(SQL("SELECT %s, row.id, row::text FROM %s AS row ORDER BY id", company, table))
        sides = {"a": [], "b": [], "shared": []}
        names = {self.company.id: "a", self.company_b.id: "b", None: "shared"}
        for company_id, record_id, text in self.env.cr.fetchall():
            sides[names[company_id]].append((record_id, text))
        return sides

    def _changed(self, before):
        after = self._state()
        return {key for key in after if after[key] != before[key]}

    def _may_change(self):
        tables = {self.env[model]._table for model in self.tables}
        tables = tables if self.role.name in _MANAGERS else _MAY_CHANGE.get(self.role.name, set())
        # An app without company is everybody's, as its manager wishes.
        shared = {(table, "shared") for table in tables & {"xero_app", "xero_grant", "xero_budget"}}
        return shared | {(table, self.own) for table in tables}


@tagged("post_install", "-at_install")
class TestBreakInMethods(BreakInActs):
    def _methods(self):
        """What the addon's own classes define: ``(model, method name, arguments)``."""
        models = [*self.stored_models(), *_ODOOS]
        for model in models:
            names = {
                name: method
                for cls in type(self.env[model]).mro()
                if cls.__module__.startswith(_MODULE)
                for name, method in vars(cls).items()
                if inspect.isfunction(method) and not name.startswith("__") and name not in ("create", "write")
            }
            for name, method in sorted(names.items()):
                yield model, name, self._arguments(method)

    @staticmethod
    def _arguments(method):
        parameters = list(inspect.signature(method).parameters.values())[1:]
        return [_HOSTILE for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]

    def _targets(self, model):
        ids = self.ids.get(model) or self.documents(model)
        return {self.own: ids[self.own], self.others: ids[self.others]}

    def test_no_button_does_for_a_role_what_it_may_not(self):
        staff = ("warehouse", "sales", "xero-user", "xero-manager")
        self.as_everybody(self._press_everything, only=("nobody", *staff, *KINDS))

    def _press_everything(self, role):
        methods = [entry for entry in self._methods() if not entry[1].startswith("_")]
        self.assertGreater(len(methods), 40)
        worked = set()
        before = self._state()
        # Last, as the fake remembers it: ending the connection.
        for model, name, arguments in sorted(methods, key=lambda entry: entry[1] in _ENDING):
            for side, ids in self._targets(model).items():
                for records in ([ids[:1], ids[-1:], ids] if side == self.own else [ids[:1], ids]):
                    worked |= self._press(model, name, side, records, arguments, before)
        if role.name in _MANAGERS:
            self.assertLessEqual({"action_pause", "action_test", "action_retry", "action_disconnect"}, worked)

    def _press(self, model, name, side, records, arguments, before):
        what = f"{model}.{name}({records}, {arguments}) of {side}"
        self.fake.reset_log()
        with self.undone():
            result = self.rpc(model, name, records, *arguments)
            if result is not REFUSED:
                self.assertLessEqual(self._changed(before), self._may_change(), what)
        if self.role.name not in _CALLERS:
            self.assertFalse(self.fake.requests, f"{what} called Xero")
        others = (self.org_a if self.role.works_at_b else self.org_b).tenant_id
        asked = [request for request in self.fake.requests if others in str(request.headers)]
        self.assertFalse(asked, f"{what} asked another company's organisation")
        return set() if result is REFUSED else {name}

    def test_no_private_method_is_called_from_outside(self):
        # Odoo refuses by the name, whoever asks.
        self.as_everybody(self._call_private, only=("customer-kauri", "xero-manager"))

    def _call_private(self, _role):
        methods = [entry for entry in self._methods() if entry[1].startswith("_")]
        self.assertGreater(len(methods), 150)
        for model, name, arguments in methods:
            ids = self._targets(model)[self.own]
            self.assertIs(self.rpc(model, name, ids, *arguments), REFUSED, f"{model}.{name}")


@tagged("post_install", "-at_install")
class TestBreakInWrites(BreakInActs):
    def test_nobody_writes_what_is_anothers_or_the_machines(self):
        self.as_everybody(self._write_everything)

    def _write_everything(self, role):
        before = self._state()
        written = 0
        for model in self.stored_models():
            ids = self.ids[model]
            if all(self.rpc(model, "write", ids[side], {}) is REFUSED for side in (self.own, self.others)):
                continue
            for name, field in self.env[model]._fields.items():
                if not field.store or name in MAGIC_COLUMNS:
                    continue
                for side in (self.own, self.others):
                    for value in self._hostile_values(model, field):
                        written += self._write(model, ids[side][:1], side, name, value, before)
        self._harm_others(before)
        self.assertEqual(bool(written), role.name in _MANAGERS, "those who may write do")

    def _write(self, model, ids, side, name, value, before):
        what = f"{model}.write({ids}, {name}={value!r}) of {side}"
        field = self.env[model]._fields[name]
        with self.undone():
            # A display name behind a relation is Odoo's to tell, see Many2one.convert_to_read.
            if self.rpc(model, "write", ids, {name: value}, allowed=set(self.words) - {"secret"}) is REFUSED:
                return 0
            changed = self._changed(before)
            self.assertLessEqual(changed, self._may_write(), what)
            if field.readonly and not self.env[model]._transient:
                self.assertFalse(changed, f"{what}: only the machine writes this")
        return side == self.own

    def _may_write(self):
        return self._may_change() if self.role.name in _MANAGERS else set()

    def _hostile_values(self, model, field):
        if field.type == "many2one":
            ids = self.ids.get(field.comodel_name)
            others = ids[self.others][:1] if ids else self._others_of(field.comodel_name)
            return [*others, False]
        if field.type in ("one2many", "many2many"):
            ids = self.ids.get(field.comodel_name, {self.others: []})[self.others][:1]
            return [[[command, one, {} if command == 1 else 0]] for one in ids for command in (1, 2, 3, 4)]
        if field.type == "selection":
            return field.get_values(self.env)
        if field.type in ("integer", "float", "many2one_reference"):
            return [7, -1]
        if field.type in ("date", "datetime"):
            return [False, "2020-01-01"]
        if field.type == "boolean":
            return [True, False]
        return [{"hacked": 7}] if field.type == "json" else [False, _HOSTILE]

    def _others_of(self, comodel):
        """A record of the other company, else any."""
        records = self.env[comodel].search([])
        others = self.company if self.role.works_at_b else self.company_b
        if comodel == "res.company":
            return others.ids
        if "company_id" in records._fields:
            records = records.filtered(lambda record: record.company_id == others) or records
        return records[:1].ids

    def _harm_others(self, before):
        """Create in, copy, delete, write on and follow what is another company's."""
        me = self.users[self.role.name].partner_id.ids if self.role.groups else [1]
        for model in [*self.stored_models(), *_ODOOS]:
            ids = (self.ids.get(model) or self.documents(model))[self.others]
            record = self.env[model].browse(ids[-1])
            values = {
                name: record[name].id if field.type == "many2one" else record[name]
                for name, field in record._fields.items()
                if field.store and field.type in ("many2one", "char", "selection", "integer") and name != "id"
                and not field.readonly and field.groups is None
            }
            calls = [
                ("create", [values]),
                ("copy", ids[:1]),
                ("unlink", ids[:1]),
                ("action_archive", ids[:1]),
                ("web_save", ids[:1], values, {}),
                ("message_subscribe", ids[:1], me),
                ("activity_schedule", ids[:1]),
            ]
            for method, *arguments in calls:
                with self.undone():
                    # What is sent comes back in the complaint about it.
                    allowed = set(self.words) - {"secret"}
                    if self.rpc(model, method, *arguments, allowed=allowed) is not REFUSED:
                        harmed = {key for key in self._changed(before) if key[1] == self.others}
                        self.assertFalse(harmed, f"{model}.{method}({arguments})")

    def test_no_transfer_borrows_the_file_of_another_document(self):
        """A transfer gets its own copy of the PDF it is made with: of its invoice's, not of any file there is."""
        secret = self.env["ir.attachment"].create(
            {"name": "payroll", "raw": b"bravo7 salaries", "res_model": "res.company", "res_id": self.company_b.id}
        )
        picking = self.documents("stock.picking")["a"][0]
        self.role = next(role for role in ROLES if role.name == "warehouse")
        self.log_in(self.role)
        for values in ({"xero_pdf_id": secret.id}, {"xero_pdf_id": secret.id, "xero_invoice_id": "guessed"}):
            with self.undone():
                copy = self.rpc("stock.picking", "copy", [picking], values)
                self.rpc("stock.picking", "write", [picking], values)
                self.rpc("stock.picking", "copy", [picking])
                found = self.env["ir.attachment"].search([("id", ">=", secret.id), ("name", "=", "payroll")])
                for attachment in found:
                    self.get(f"/web/content/{attachment.id}", f"the file {attachment.id} of {copy}")
        self.assertFalse(self.loot, self._report())


@tagged("post_install", "-at_install")
class TestBreakInRoutes(BreakInActs):
    def _routes(self):
        """The addon's own routes, as Odoo's routing map is made of them: ``(url, routing)``."""
        modules = sorted(self.env.registry._init_modules)
        routes = [
            (url, endpoint.routing)
            for url, endpoint in self.env["ir.http"]._generate_routing_rules(modules, converters=None)
            if endpoint.original_endpoint.__module__.startswith(_MODULE)
        ]
        self.assertIn("/xero/oauth/callback", [url for url, _routing in routes])
        return routes

    def test_no_route_opens_to_strangers_or_with_wrong_words(self):
        self.as_everybody(self._knock)

    def _knock(self, role):
        before = self._state()
        for url, routing in self._routes():
            # guesses for what is variable in it
            # Where a number is asked for, what PostgreSQL cannot hold reaches no route: Odoo itself stumbles over it.
            untyped = ("%00",) if "<int:" not in url else ()
            for guess in ("1", "999999", "guessed-token", "..%2f..%2fetc", *untyped) if "<" in url else ("",):
                for options in _REQUESTS:
                    answer = self.get(re.sub("<[^>]+>", guess, url), allow_redirects=False, **options)
                    self._check_answer(url, answer)
                    if routing["auth"] == "user" and not role.groups and answer.status_code < 400:
                        self.assertIn("/web/login", answer.headers.get("Location", ""))
        self.assertFalse({key for key in self._changed(before) if key[0].startswith("xero")})

    def _check_answer(self, url, answer):
        self.assertLess(answer.status_code, 500, answer.url)
        self.assertNotIn("Traceback", answer.text)
        self.assertNotIn("<script>alert(7)", answer.text)
        if "webhook" in url and answer.status_code != 404:  # an address of no route is answered by Odoo
            self.assertNotIn("Set-Cookie", answer.headers)

    def test_a_wrong_password_opens_no_session(self):
        self.authenticate(None, None)
        for role in ROLES[1:]:
            token = self.url_open("/web/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
            form = {"login": role.name, "password": "wrong", "csrf_token": token}
            self.get("/web/login", data=form)
            self.assertIs(self.rpc("res.users", "search_read", [], ["login"]), REFUSED, role.name)
