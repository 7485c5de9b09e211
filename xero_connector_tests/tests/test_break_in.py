"""Everybody logs in over HTTP and asks for everything: only what is theirs comes out, secrets never."""

import itertools
import json
import xmlrpc.client
from contextlib import suppress
from datetime import timedelta

from odoo import fields
from odoo.tests import get_db_name, tagged
from odoo.tools import SQL

from .break_in_case import KINDS, REFUSED, BreakInCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

# Ways from one of our models, or a document, to where secrets lie.
_WAYS = {
    "xero.app": ("connection_ids", "connection_ids.grant_id"),
    "xero.grant": ("app_id",),
    "xero.connection": ("app_id", "grant_id", "grant_id.app_id"),
    "xero.record": ("connection_id", "connection_id.grant_id", "connection_id.app_id"),
    "sale.order": ("xero_connection_id", "xero_connection_id.grant_id", "xero_connection_id.app_id"),
    "stock.picking": ("xero_connection_id", "xero_connection_id.grant_id", "xero_connection_id.app_id"),
}
# Odoo shows those who may do anything in Settings all mails; those about activities name the connection.
_MAILBOXES = {("administrator", "mail.mail"), ("administrator", "mail.notification")}
_MAILED = {"alfa7", "bravo7"}


@tagged("post_install", "-at_install")
class TestBreakIn(BreakInCase):
    def setUp(self):
        super().setUp()
        self.targets = [(model, list(self.env[model]._fields), self.ids[model]) for model in self.stored_models()]
        documents = self.document_models()
        self.assertLessEqual({"sale.order", "stock.picking", "stock.move", "res.partner"}, set(documents))
        self.targets += [(model, names, self.documents(model)) for model, names in documents.items()]

    def _secret_paths(self):
        """Every way to a secret: ``(model, dotted path, the secret of the role's own company)``."""
        secrets = self.secret_fields()
        for model, name in secrets:
            yield model, name, self._secret(model, name)
        for model, ways in _WAYS.items():
            for way in ways:
                end = self.env[model]
                for step in way.split("."):
                    end = end[step]
                for owner, name in secrets:
                    if owner == end._name:
                        yield model, f"{way}.{name}", self._secret(owner, name)

    def _secret(self, model, name):
        return self.env[model].browse(self.ids[model][self.own][-1:])[name] or "none"

    # === ORM === #

    def test_no_role_reads_a_field_it_may_not(self):
        self.as_everybody(self._read_fields)

    def _read_fields(self, role):
        readable = 0
        for model, names, ids in self.targets:
            self.rpc(model, "fields_get")
            self.rpc(model, "name_search", "")
            self.rpc(model, "default_get", names)
            self.rpc(model, "read", ids[self.others], names)
            if self.rpc(model, "search_read", [], ["id"]) is REFUSED:
                continue
            readable += self._ask_for_each(names, lambda some, model=model: self.rpc(model, "search_read", [], some))
            own = ids[self.own]
            self._ask_for_each(names, lambda some, model=model, own=own: self.rpc(model, "read", own, some))
            for name in names:
                self.rpc(model, "read", ids[self.others], [name])
                self.rpc(model, "formatted_read_group", [], [name], ["__count"])
        self.assertFalse(self.loot, self._report())
        self.assertEqual(self.seen, set(role.sees), "sees what is theirs, and nothing else")
        self.assertEqual(bool(readable), bool(role.groups), "whoever logs in reads something")

    def _ask_for_each(self, names, ask):
        """Ask for all these fields at once, and where that is refused for each half of them, down to each field alone:
        what may be read is in an answer, and what may not was refused by itself.

        :return: how many fields were in an answer
        """
        rows = ask(names)
        if rows is REFUSED:
            half = len(names) // 2
            return self._ask_for_each(names[:half], ask) + self._ask_for_each(names[half:], ask) if half else 0
        for row in rows:
            self.assertLessEqual(set(names), set(row))
        return len(names) if rows else 0

    def test_no_role_reads_by_the_web_clients_ways_what_it_may_not(self):
        self.as_everybody(self._read_as_web_client, only=KINDS)

    def _read_as_web_client(self, role):
        answered = 0
        for model, names, ids in self.targets:
            described = self.rpc(model, "fields_get")
            visible = [name for name in names if described is not REFUSED and name in described]
            spec = {name: self._specification(model, name) for name in visible}
            answered += self.rpc(model, "web_search_read", [], spec) is not REFUSED
            self.rpc(model, "web_read", ids[self.others], spec)
            self.rpc(model, "web_read", ids[self.own], spec)
            self.rpc(model, "onchange", [], {}, visible[:1], spec)
            if self.rpc(model, "search_read", [], ["id"]) is not REFUSED:
                for name in names:
                    self.rpc(model, "web_read", ids[self.own], {name: self._specification(model, name)})
        self.assertEqual(bool(answered), bool(role.groups))

    def _specification(self, model, name):
        """The field, and behind a relation all fields one step further that are there."""
        field = self.env[model]._fields[name]
        if field.comodel_name not in self.ids:
            return {"fields": {"display_name": {}}} if field.relational else {}
        return {"fields": {sub: {} for sub in self.env[field.comodel_name]._fields}}

    def test_no_form_filled_in_with_anothers_records_tells_about_them(self):
        self.as_everybody(self._fill_in, only=("xero-user", "xero-manager"))

    def _fill_in(self, _role):
        filled = 0
        for model in self.stored_models():
            fields_of = self.env[model]._fields.values()
            computed = [field.name for field in fields_of if field.compute and not field.groups]
            ours, theirs = (self._pointers(model, self.ids[model][side][-1]) for side in (self.own, self.others))
            for own in ([], self.ids[model][self.own][-1:]):
                for some in (theirs, *({**ours, name: value} for name, value in theirs.items())):
                    filled += self._ask_form(model, own, some, computed)
        self.assertTrue(filled, "forms open")

    def _pointers(self, model, record_id):
        """The records this one stands for, as a form says it."""
        record = self.env[model].browse(record_id)
        return {
            field.name: field.convert_to_read(record[field.name], record, use_display_name=False)
            for field in record._fields.values()
            if field.store and field.name not in ("id", "create_uid", "write_uid")
            if field.type in ("many2one", "many2one_reference") or field.name in ("res_model", "source_model")
        }

    def _ask_form(self, model, own, values, names):
        """What a form says about these fields once these values are put in; see :meth:`_ask_for_each`."""
        spec = {name: {} for name in names}
        if self.rpc(model, "onchange", own, dict(values), list(values), spec) is not REFUSED:
            return 1
        half = len(names) // 2
        return half and sum(self._ask_form(model, own, values, some) for some in (names[:half], names[half:]))

    def test_no_search_order_or_group_tells_anything_about_a_secret(self):
        self.as_everybody(self._ask_the_oracle, only=KINDS)

    def _ask_the_oracle(self, role):
        paths = list(self._secret_paths())
        self.assertGreater(len(paths), 20)
        for model, path, secret in paths:
            right, wrong = secret[:4], f"{secret[0]}%%%"
            for method in ("search_read", "search_count", "web_search_read", "name_search", "filtered_domain"):
                self.assertEqual(*(self._guess(model, method, path, guess) for guess in (right, wrong)), (model, path))
            if "." not in path:
                self.assertIs(self._guess(model, "search_read", path, right), REFUSED)
            ids = self.env[model].search([]).ids
            self.assertIs(self.rpc(model, "search_read", [], ["id"], order=path), REFUSED, path)
            self.assertIs(self.rpc(model, "formatted_read_group", [], [path], ["__count"]), REFUSED)
            for aggregate in ("max", "array_agg"):
                aggregates = [f"{path}:{aggregate}"]
                self.assertIs(self.rpc(model, "formatted_read_group", [], [], aggregates), REFUSED)
            self.assertIs(self.rpc(model, "web_read_group", [], [path], ["__count"]), REFUSED)
            for method in ("mapped", "grouped", "sorted", "read_progress_bar"):
                self.rpc(model, method, ids, path)
        self.assertEqual(self.rpc("res.partner", "search_count", []) is REFUSED, not role.groups, "others are answered")

    def _guess(self, model, method, path, guess):
        domain = [(path, "=like", f"{guess}%")]
        if method == "name_search":
            return self.rpc(model, method, "", domain)
        if method == "filtered_domain":
            return self.rpc(model, method, self.env[model].search([]).ids, domain)
        return self.rpc(model, method, domain, **({"specification": {}} if method == "web_search_read" else {}))

    def test_no_model_of_odoo_gives_a_secret_or_another_companys_data_away(self):
        self.as_everybody(self._sweep, only=("plain", *KINDS))

    def _sweep(self, role):
        # What colleagues and Odoo's own models may tell of one's own company is not ours to say.
        allowed = set(self.words) - {"secret", "alfa7" if role.works_at_b else "bravo7"}
        allowed -= {"kauri7", "rimu7"} - role.sees if role.name.startswith("customer") else set()
        answered = 0
        for name, model in self.env.registry.items():
            if not model._abstract and (not model._auto or self._has_rows(model._table)):
                told = allowed | (_MAILED if (role.name, name) in _MAILBOXES else set())
                answered += self.rpc(name, "search_read", [], [], allowed=told, limit=500) is not REFUSED
        self.assertGreaterEqual(answered, 5 if role.groups else 0)

    def _has_rows(self, table):
        self.env.cr.execute(SQL("SELECT 1 FROM %s LIMIT 1", SQL.identifier(table)))
        return bool(self.env.cr.rowcount)

    # === EXPORT === #

    def test_no_export_holds_what_its_user_may_not_read(self):
        self.as_everybody(self._export, only=KINDS)

    def _export(self, role):
        for model, names, ids in self.targets:
            self._export_file("csv", model, ids[self.others], names)
            if self.rpc(model, "export_data", ids[self.own], ["id"]) is REFUSED:
                continue
            visible = [name for name in names if self._export_file("csv", model, ids[self.own], [name]).ok]
            self._export_file("csv", model, ids[self.others], visible)
            self._export_file("xlsx", model, [], visible)
            self.rpc(model, "export_data", ids[self.own], visible)
        for model, path, _secret in list(self._secret_paths()):
            for kind in ("csv", "xlsx"):
                self._export_file(kind, model, [], [path.replace(".", "/")])
        if role.name in ("xero-manager", "manager-of-b"):
            self.assertEqual(self.seen, set(role.sees), "there is something in the files")

    def _export_file(self, kind, model, ids, paths):
        data = {
            "model": model,
            "ids": ids,
            "domain": [],
            "fields": [{"name": path, "label": path, "type": "char", "store": True} for path in paths],
            "import_compat": False,
            "context": {},
        }
        return self.get(f"/web/export/{kind}", f"{kind} of {model} {paths}", params={"data": json.dumps(data)})

    # === FILES, PAGES, MESSAGES === #

    def test_no_file_report_page_or_message_shows_what_its_reader_may_not_see(self):
        self.as_everybody(self._open_pages, only=KINDS)

    def _open_pages(self, role):
        domain = [("mimetype", "=", "application/pdf"), ("name", "like", "INV-")]
        attachments = self.env["ir.attachment"].search(domain)
        self.assertGreaterEqual(len(attachments), 6, "of three orders and their transfers")
        for url in ("/web/content/%s", "/web/content/%s?download=1", "/web/image/%s", "/web/content/%s/x.pdf"):
            for attachment in attachments:
                self.get(url % attachment.id)
        for model, name in [*self.secret_fields(), ("xero.record", "payload"), ("xero.connection", "name")]:
            for record_id in [*self.ids[model]["a"], *self.ids[model]["b"]]:
                self.get(f"/web/content/{model}/{record_id}/{name}")
                self.get(f"/web/image/{model}/{record_id}/{name}")
        self._open_documents()
        for model, _names, ids in self.targets:
            for record_id in [*ids["a"], *ids["b"]]:
                thread = {"thread_model": model, "thread_id": record_id}
                self.json_rpc("/mail/thread/messages", thread, f"messages of {model} {record_id}")
        for url in ("/my", "/my/home", "/my/orders", "/my/quotes", "/json/1/xero-connections", "/json/1/xero.record"):
            self.get(url)
        if role.name in ("customer-kauri", "customer-rimu", "warehouse", "sales"):
            self.assertLessEqual(role.sees - {"alfa7"}, self.seen, "their own documents open")

    def _open_documents(self):
        reports = self.env["ir.actions.report"].search([("model", "in", ("sale.order", "stock.picking"))])
        self.assertTrue(reports)
        for report in reports:
            ids = self.documents(report.model)
            for record_id in [*ids["a"], *ids["b"]]:
                # The warehouse's own name is on its documents, for customers, too.
                self.get(f"/report/html/{report.report_name}/{record_id}", allowed={"alfa7"} & self._own_words())
        orders = self.documents("sale.order")
        for order in [*orders["a"], *orders["b"]]:
            for query in ("", "?access_token=guessed", "?report_type=html", "?report_type=text&download=true"):
                self.get(f"/my/orders/{order}{query}")

    def _own_words(self):
        return set() if self.role.works_at_b or not self.role.groups else {"alfa7"}

    # === FROM OUTSIDE === #

    def test_no_external_interface_gives_more_than_the_web_clients(self):
        self.as_everybody(self._call_from_outside, only=KINDS)

    def _call_from_outside(self, role):
        uid, key = self.users[role.name].id if role.groups else 0, "no key"
        if role.groups:
            expires = fields.Datetime.now() + timedelta(hours=1)
            key = self.env["res.users.apikeys"].with_user(uid)._generate("rpc", "break-in", expires)
        self.authenticate(None, None)  # no session: the password must do
        answered = refused = 0
        for model, names, _ids in self.targets:
            # Of some models a role may read rows, but not all fields.
            for password, asked in itertools.product((role.password, key, "wrong"), (names[:8], ["id"])):
                arguments = [get_db_name(), uid, password, model, "search_read", [[]], {"fields": asked}]
                params = {"service": "object", "method": "execute_kw", "args": arguments}
                result = self.json_rpc("/jsonrpc", params, f"/jsonrpc {model}")
                answered += result is not REFUSED
                refused += result is REFUSED and password == "wrong"
                body = xmlrpc.client.dumps(tuple(arguments), "execute_kw", allow_none=True)
                self.get("/xmlrpc/2/object", f"xmlrpc {model}", data=body, headers={"Content-Type": "text/xml"})
            self._json_2(model, "search_read", "wrong", domain=[], fields=names)
            if self._json_2(model, "search_read", key, domain=[], fields=["id"]).ok:
                for name in names:
                    self._json_2(model, "search_read", key, domain=[], fields=[name])
        self.assertEqual(refused, 2 * len(self.targets), "a wrong password opens nothing")
        self.assertEqual(bool(answered), bool(role.groups))

    def _json_2(self, model, method, token, **params):
        headers = {"Authorization": f"Bearer {token}"}
        return self.get(f"/json/2/{model}/{method}", f"/json/2/{model}/{method} {params}", json=params, headers=headers)
