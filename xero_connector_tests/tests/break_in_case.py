"""What the break-ins share: two companies with something to steal, everybody who may log in, and a look at each answer.

Whatever a company holds carries words of its own, and every answer is searched for them: it does not matter by which
way something came out.
"""

import io
import re
import zipfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from odoo import fields
from odoo.fields import NO_ACCESS, Command
from odoo.tests import mute_logger, new_test_user
from odoo.tools import SQL

from .common import COMPLETE_ADDRESS, XeroHttpCase

ADDON = "xero_connector"
_LOOKS_SECRET = re.compile("secret|token|nonce|key")
_NO_SECRETS = ("scopes", "home")
# Managers enter them on Xero's developer page; without the signing key they open nothing.
_ADDRESSES = ("webhook_token",)
_QUIET = ("odoo.http", "odoo.sql_db", "odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
_PATHS_TO_COMPANY = (
    "connection_id", "app_id", "record_ids.connection_id", "try_id.connection_id", "wizard_id.connection_id",
    "line_ids.connection_id",
)
# What the tests of a class share.
_SEEDED = (
    "company_b", "users", "app_b", "org_a", "org_b", "connection_a", "connection_b", "rows", "ids",
)
REFUSED = object()


@dataclass(frozen=True)
class Role:
    """Somebody at the door. ``sees``: the words this role may read, see :meth:`BreakInCase._words`."""

    name: str
    groups: str = ""
    sees: frozenset = frozenset()
    works_at_b: bool = False

    @property
    def password(self):
        return f"{self.name}-password"


# A company's staff reads its customers' names; its orders tell the connection's name and the rule that chose the
# warehouse; the settings are for those of Xero, Xero's own documents for its managers.
_CUSTOMERS = frozenset({"kauri7", "rimu7"})
_DOCUMENTS = _CUSTOMERS | {"alfa7"}
_EXPORT = "base.group_allow_export"
ROLES = (
    Role("nobody"),
    Role("customer-kauri", "base.group_portal", frozenset({"kauri7"})),
    Role("customer-rimu", "base.group_portal", frozenset({"rimu7"})),
    Role("plain", f"base.group_user,{_EXPORT}", _CUSTOMERS),
    Role("warehouse", f"stock.group_stock_user,{_EXPORT}", _DOCUMENTS),
    Role("sales", f"sales_team.group_sale_salesman_all_leads,{_EXPORT}", _DOCUMENTS),
    Role("administrator", f"base.group_system,{_EXPORT}", _CUSTOMERS),
    Role("xero-user", f"xero_connector.group_xero_user,{_EXPORT}", _DOCUMENTS),
    Role("xero-manager", f"xero_connector.group_xero_manager,{_EXPORT}", _DOCUMENTS | {"payload7", "hook-a"}),
    Role("manager-of-b", f"xero_connector.group_xero_manager,{_EXPORT}", frozenset({"bravo7", "hook-b"}), True),
)
# Those whose rights differ most, for what takes long to try; every role tries to read every field.
KINDS = ("customer-kauri", "administrator", "manager-of-b")


class BreakInCase(XeroHttpCase):
    """Two companies, their secrets, and a burglar for each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(mute_logger(*_QUIET))
        # Once for all tests of a class: what they do is undone, and this takes longer than some of them.
        seeder = cls()
        seeder.add_books()
        seeder._seed()
        for name in _SEEDED:
            setattr(cls, name, getattr(seeder, name))

    def setUp(self):
        super().setUp()
        self.role = ROLES[0]
        self.tried = 0
        self.seen = set()
        self.loot = []
        self.words = self._words()

    # === SOMETHING TO STEAL === #

    def _seed(self):
        self.company_b = self.env["res.company"].create({"name": "Second company"})
        self.company_b.currency_id = self.company.currency_id
        self.users = {role.name: self._make_user(role) for role in ROLES if role.groups.startswith("xero")}
        depot = self.env["stock.warehouse"].create({"name": "Depot", "code": "DEP"})
        self.app.write({"company_id": self.company.id, "webhook_key": "Webhook+Key/Of+A=="})
        self.org_a = self.org
        self.connection_a, rows_a = self._seed_company(
            self.org_a, self.app, "alfa7", ("kauri7", "rimu7"), depot, self.users["xero-manager"]
        )
        self.app_b = self.app.copy(
            {
                "name": "bravo7 app",
                "company_id": self.company_b.id,
                "client_secret": self.fake.client_secret,
                "webhook_key": "Webhook+Key/Of+B==",
            }
        )
        self.org_b = self.fake.add_organisation(
            "bravo7 organisation", country="NZ", currency=self.company.currency_id.name
        )
        self.connection_b, rows_b = self._seed_company(
            self.org_b, self.app_b, "bravo7", ("bravo7",), self._warehouse_of(self.company_b),
            self.users["manager-of-b"],
        )
        self.rows = {"a": rows_a, "b": rows_b}
        for role in ROLES[1:]:
            if role.name not in self.users:
                self.users[role.name] = self._make_user(role)
        self.env.flush_all()
        self.ids = {model: self._ids_by_company(model) for model in self.stored_models()}

    def _warehouse_of(self, company):
        return self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)

    def _make_user(self, role):
        company = self.company_b if role.works_at_b else self.company
        values = {"company_id": company.id, "company_ids": [Command.set(company.ids)], "password": role.password}
        if role.name.startswith("customer-"):
            partner = self.env["res.partner"].search([("name", "=", f"{role.name.removeprefix('customer-')}7 Ltd")])
            values |= {"partner_id": partner.id, "name": partner.name}
        return new_test_user(self.env, role.name, groups=role.groups, **values)

    def _seed_company(self, org, app, word, customers, warehouse, manager):
        """A connection with rules, mappings, orders and a problem, its manager's open wizards, and a consent under way.

        :return: ``(connection, rows of the sync log)``
        """
        rules = [*((customer, warehouse) for customer in customers), (f"{word} unused rule", warehouse)]
        connection = self.connect(
            org, name=f"{word} books", app_id=app.id, company_id=warehouse.company_id.id, warehouse_id=warehouse.id,
            mapping_ids=self.rules(*rules), order_confirm=True, attach_pdf=True, user_id=manager.id,
            product_mapping_ids=[
                Command.create({"item_code": f"{word} mapped", "product_id": self.bottle.id}),
            ],
            export_source="sale_order", price_source="odoo", description_source="odoo", export_status="authorised",
        )
        hidden = "payload7" if word == "alfa7" else word
        for customer in customers:
            contact = org.add_contact(Name=f"{customer} Ltd", Addresses=[COMPLETE_ADDRESS])
            org.add_invoice(
                InvoiceNumber=f"INV-{customer}",
                Reference=f"{customer} order",
                LineItems=[self.line(AccountCode=hidden)],
                Contact={"ContactID": contact["ContactID"]},
            )
        org.add_invoice(
            InvoiceNumber=f"{word}-INV-9", Reference=f"{word} problem", LineItems=[self.line(f"{word} unknown")],
            Contact={"ContactID": contact["ContactID"]},
        )
        self.run_import(connection)
        self._seed_items(connection, org, word)
        # The last customer's: the warehouse's own name is on no paper of its customers'.
        partner = self.env["res.partner"].search([("name", "=", f"{customer} Ltd")])
        self._seed_documents(connection, org, word, partner, contact, manager)
        rows = self.env["xero.record"].search([("connection_id", "=", connection.id), ("resource", "!=", "item")])
        self.assertEqual(set(rows.mapped("state")), {"done", "failed"}, rows.mapped("reason"))
        connection.message = f"{word} message"
        self._open_wizards(connection, rows, word, manager)
        connection.with_user(manager).action_connect()
        return connection, rows

    def _seed_items(self, connection, org, word):
        """Accounts and taxes, an item that is nobody's, one that is mapped, and a product on its way to Xero."""
        item = org.add_item(Code=f"{word} item", Name=f"{word} thing")
        connection.write({"item_sync": "pull", "item_interval": "manual"})
        connection._ring_items()
        self.run_cron("items")
        records = self.env["xero.record"]
        row = records.search([("connection_id", "=", connection.id), ("external_id", "=", item["ItemID"])])
        self.assertEqual(row.problem_code, "unmapped")
        self.env["xero.binding"]._bind_items(connection, row, self.freight)
        records._put_out(connection, {self.mug: False})
        out = records._outbox_rows(connection, self.mug)
        out.write({"request_key": f"{word}-request-key-{'0' * 24}", "number": f"{word} sent", "state": "failed"})
        self.env["xero.product.change"]._note(self.mug.ids, connection)
        self.env["xero.digest"]._rows_of(self.env.user, connection)

    def _seed_documents(self, connection, org, word, partner, contact, manager):
        """An order that was sent and one that was not, an invoice, what both are in Xero, and how the books differ."""
        company, today = connection.company_id, fields.Date.today()
        terms = self._seed_accounting(company, word)
        self.press(connection.action_read_tables)
        connection.account_mapping_ids.filtered(lambda line: line.code == "200").account_ids = terms["income"]
        connection.tax_mapping_ids.filtered(lambda line: line.tax_type == "OUTPUT2").tax_ids = terms["tax"]
        taxes = [Command.set(terms["tax"].ids)]
        line = {"product_id": self.bottle.id, "name": f"{partner.name} goods", "tax_ids": taxes}
        values = {"partner_id": partner.id, "company_id": company.id, "warehouse_id": connection.warehouse_id.id}
        orders = self.env["sale.order"].create([{**values, "order_line": [Command.create(line)]}] * 2)
        orders.action_confirm()
        sent, left = orders
        records = self.env["xero.record"]
        records._put_document_out(connection, sent)
        self.env.flush_all()
        self.run_cron("push")
        row = sent._xero_out_rows()
        self.assertEqual(row.state, "done", row.reason)
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "company_id": company.id,
                "journal_id": terms["journal"].id,
                "partner_id": partner.id,
                "invoice_date": today,
                "invoice_line_ids": [
                    Command.create({"name": f"{partner.name} goods", "price_unit": 7, "account_id": terms["income"].id})
                ],
            }
        )
        move.action_post()
        self._seed_fees(connection, partner, move)
        sent_values = {"external_id": row.external_id, "xero_number": f"{word}-INV-6", "state": "failed"}
        records.create(records._outgoing_values(connection, move) | sent_values | {"reason": f"{word} reason"})
        org.add_invoice(
            InvoiceNumber=f"{word}-INV-5", Contact={"ContactID": contact["ContactID"]},
            LineItems=[self.line(code="")], Date=today.isoformat(),
        )
        env = self.env(user=manager.id, su=True)
        self.press(connection.with_env(env)._compare, date_from=today, date_to=today)
        self.press(env["xero.preview"]._prepare, documents=left.with_env(env))

    def _seed_accounting(self, company, word):
        """What invoices are booked with: an account of income, a sales tax, a journal."""
        env = self.env(context={"allowed_company_ids": company.ids})
        receivable, income = env["account.account"].create(
            [
                {"name": f"{word} debtors", "code": "XS1000", "account_type": "asset_receivable", "reconcile": True},
                {"name": f"{word} income", "code": "XS4000", "account_type": "income"},
            ]
        )
        country = company.account_fiscal_country_id or env.ref("base.nz")
        group = env["account.tax.group"].create({"name": word, "country_id": country.id, "company_id": company.id})
        tax = env["account.tax"].create(
            {
                "name": f"{word} GST", "amount": 15, "type_tax_use": "sale", "tax_group_id": group.id,
                "country_id": country.id, "company_id": company.id,
            }
        )
        journal = env["account.journal"].create(
            {
                # Odoo makes everybody's mail address of it.
                "name": "Sales", "code": "XS", "type": "sale", "company_id": company.id,
                "default_account_id": income.id,
            }
        )
        partners = env["res.partner"].search([("name", "in", ("kauri7 Ltd", "rimu7 Ltd", "bravo7 Ltd"))])
        partners.property_account_receivable_id = receivable
        self.bottle.with_env(env).property_account_income_id = income
        return {"income": income, "tax": tax, "journal": journal}

    def _open_wizards(self, connection, rows, word, manager):
        failed = rows.filtered(lambda row: row.state == "failed" and row.direction == "in")
        env = self.env(user=manager.id)
        of_connection = {"connection_id": connection.id}
        line = Command.create({"number": f"{word}-INV-8", "contact_name": f"{word} Ltd", "reason": f"{word} reason"})
        env["xero.try"].create({**of_connection, "reference": f"{word} tried", "line_ids": [line]})
        env["xero.import.one"].create({**of_connection, "text": f"{word} text", "record_id": failed.id})
        env["xero.backfill"].create(of_connection)
        env["xero.ignore"].create({"record_ids": [Command.set(failed.ids)], "reason": f"{word} because"})
        env["xero.mend.code"].create({**of_connection, "item_code": f"{word} unknown", "product_id": self.mug.id})
        choice = Command.create({"name": f"{word} organisation", "tenant_id": connection.tenant_id})
        env["xero.choose.organisation"].create({**of_connection, "line_ids": [choice]})
        recent = Command.create({"number": f"{word}-INV-7", "external_id": failed.external_id})
        line = Command.create({"name": f"{word} goods", "product": f"{word} product"})
        env["xero.test.order"].create({**of_connection, "choice_ids": [recent], "line_ids": [line]})
        self.env["xero.bell"].create(of_connection)
        item = self.env["xero.record"].search(
            [("connection_id", "=", connection.id), ("number", "=", f"{word} item")], limit=1
        )
        env["xero.map.product"].create({**of_connection, "product_id": self.mug.id, "record_id": item.id})
        order = self.env["sale.order"].search([("xero_connection_id", "=", connection.id)], limit=1)
        contact = rows.filtered(lambda row: row.resource == "contact" and row.number == order.partner_id.name)
        env["xero.map.contact"].create({**of_connection, "partner_id": order.partner_id.id, "record_id": contact.id})
        there = self.env["xero.drift.line"].search(
            [("connection_id", "=", connection.id), ("number", "=", f"{word}-INV-5")]
        )
        env["xero.drift.compare"].create(of_connection)
        env["xero.drift.accept"].create({"line_ids": [Command.set(there.ids)], "reason": f"{word} because"})
        env["xero.drift.adopt"].create({"line_id": there.id})

    def _seed_fees(self, connection, partner, move):
        """The connection's customer was there for some days, and was billed for them."""
        company, monday = connection.company_id, fields.Date.start_of(fields.Date.today(), "week")
        of_customer = {"company_id": company.id, "partner_id": partner.id}
        began = fields.Datetime.now() - timedelta(days=3)
        self.env["xero.active.period"].create({**of_customer, "connection_id": connection.id, "began_at": began})
        self.env["xero.fee"].create(
            {
                **of_customer, "week_start": monday, "date_from": monday, "state": "billed", "move_id": move.id,
                "connection_ids": [Command.set(connection.ids)], "reason": f"{connection.name} reason",
            }
        )

    # === WHAT NOBODY OR ONLY SOME MAY SEE === #

    def _words(self):
        """What is searched for in every answer: dict ``word -> texts that give it away``."""
        org_a, org_b = self.org_a, self.org_b
        invoices = {row.reference: row.external_id for row in self.rows["a"] if row.resource == "invoice"}
        return {
            "secret": self._secrets(),
            "alfa7": ["alfa7", org_a.tenant_id.lower(), self.connection_a.tenant_shortcode.lower()],
            "bravo7": [
                "bravo7", org_b.tenant_id.lower(), self.connection_b.tenant_shortcode.lower(),
                *(row.external_id.lower() for row in self.rows["b"] if row.external_id),
            ],
            "kauri7": ["kauri7", invoices["kauri7 order"].lower()],
            "rimu7": ["rimu7", invoices["rimu7 order"].lower()],
            "payload7": ["payload7"],
            "hook-a": [self.app.sudo().webhook_token.lower()],
            "hook-b": [self.app_b.sudo().webhook_token.lower()],
        }

    def secret_fields(self):
        """Stored texts nobody may read: those the addon says so of, and those whose name says so."""
        return [
            (model, name)
            for model in self.stored_models()
            if not self.env[model]._transient
            for name, field in self.env[model]._fields.items()
            if field.store and field.type in ("char", "text") and field._module == ADDON
            if (field.groups == NO_ACCESS and name not in _NO_SECRETS) or _LOOKS_SECRET.search(name)
            if name not in _ADDRESSES
        ]

    def _secrets(self):
        """Every secret as it really stands in its column, and the end of long ones."""
        found = set()
        for model, name in self.secret_fields():
            column, table = SQL.identifier(name), SQL.identifier(self.env[model]._table)
            self.env.cr.execute(SQL("SELECT %s FROM %s WHERE %s IS NOT NULL", column, table, column))
            values = [value for (value,) in self.env.cr.fetchall()]
            self.assertGreaterEqual(len(values), 2, f"{model}.{name}: both companies have one")
            found |= {value.lower() for value in values} | {value[-24:].lower() for value in values}
        return sorted(found)

    # === MODELS === #

    def models(self):
        """The addon's own models."""
        own = [name for name, model in self.env.registry.items() if model._original_module == ADDON]
        self.assertGreater(len(own), 10)
        return sorted(own)

    def stored_models(self):
        return [name for name in self.models() if not self.env[name]._abstract]

    def document_models(self):
        """Other addons' models this one gave fields to: dict ``model -> those fields``."""
        return {
            name: [field.name for field in model._fields.values() if field._module == ADDON and not field.inherited]
            for name, model in self.env.registry.items()
            if model._original_module != ADDON and not model._abstract and not model._transient
            if any(field._module == ADDON and not field.inherited for field in model._fields.values())
        }

    def _ids_by_company(self, model):
        """All rows of a model of the addon: ``{"a": ids, "b": ids}``; both have some."""
        records = self.env[model].search([])
        ids = {"a": [], "b": []}
        for record in records:
            ids["b" if self._company_of(record) == self.company_b else "a"].append(record.id)
        self.assertTrue(ids["a"] and ids["b"], f"{model}: nothing to steal; seed a row for each company")
        return ids

    def _company_of(self, record):
        if "company_id" in record._fields and record.company_id:
            return record.company_id
        for path in _PATHS_TO_COMPANY:
            if path.split(".", maxsplit=1)[0] in record._fields:
                return record.mapped(path).company_id
        return record.create_uid.company_id

    def documents(self, model):
        """Rows of other addons' models that hold something of ours: ``{"a": ids, "b": ids}``."""
        if model == "product.template":
            # Both companies sell them; what each has in Xero is its own.
            both = (self.bottle | self.mug | self.freight).product_tmpl_id.ids
            return {"a": both, "b": both}
        if model == "res.company":
            return {"a": self.company.ids, "b": self.company_b.ids}
        orders = self.env["sale.order"].search([("partner_id.name", "in", ("kauri7 Ltd", "rimu7 Ltd", "bravo7 Ltd"))])
        rows = {
            "sale.order": orders,
            "account.move": self.env["account.move"].search([("partner_id", "in", orders.partner_id.ids)]),
            "sale.order.line": orders.order_line,
            "stock.picking": orders.picking_ids,
            "stock.move": orders.picking_ids.move_ids,
            "res.partner": orders.partner_id | orders.partner_shipping_id,
        }.get(model) or self.env[model].search([("xero_connection_id", "!=", False)])
        return {
            side: rows.filtered(lambda row, company=company: row.company_id == company).ids
            for side, company in (("a", self.company), ("b", self.company_b))
        }

    # === AT THE DOOR === #

    def as_everybody(self, break_in, only=None):
        """Log in as each role in turn and call ``break_in(role)``; what is done is undone.

        :param only: names of roles, where the others would learn nothing new
        """
        for role in (role for role in ROLES if not only or role.name in only):
            with self.subTest(role.name), self.undone():
                self.role, self.tried, self.seen, self.loot = role, 0, set(), []
                self.log_in(role)
                break_in(role)
                self.assertFalse(self.loot, self._report())
                self.assertGreater(self.tried, 0)

    def _report(self):
        found = dict.fromkeys(f"{word} came out of {what}"[:300] for what, word in self.loot)
        return f"{self.role.name}: {len(found)} leaks\n" + "\n".join([*found][:40])

    def log_in(self, role):
        if role.groups:
            self.authenticate(role.name, role.password)
        else:
            self.authenticate(None, None)

    @contextmanager
    def undone(self):
        """Whatever is done in here did not happen."""
        with closing(self.env.cr.savepoint()):
            yield
        self.env.invalidate_all()

    @property
    def own(self):
        return "b" if self.role.works_at_b else "a"

    @property
    def others(self):
        return "a" if self.role.works_at_b else "b"

    def look(self, answer, what, allowed=frozenset()):
        """Search an answer, headers and body, for what this role must not see.

        :param what: says what was asked, for the failure's message
        :param allowed: words that are no secret just here
        """
        self.tried += 1
        content = answer.content
        text = answer.text if not content.startswith(b"PK") else _unzipped(content)
        text = f"{dict(answer.headers)}\n{text}".lower()
        for word, texts in self.words.items():
            if found := next((one for one in texts if one in text), None):
                self.seen.add(word)
                if word not in self.role.sees and word not in allowed:
                    around = text[max(0, text.index(found) - 60) : text.index(found) + 60]
                    self.loot.append((what, f"{word} ({around!r})"))

    def get(self, url, what=None, allowed=frozenset(), **options):
        """Any request; ``method`` and others as in ``url_open``."""
        answer = self.url_open(url, **{"timeout": 60} | options)
        self.look(answer, what or url, allowed)
        return answer

    def rpc(self, model, method, *args, allowed=frozenset(), **kwargs):
        """A call as the web client makes it.

        :return: its result, ``REFUSED`` for an error
        """
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        what = f"{model}.{method}{args}{kwargs or ''}"
        return self.json_rpc(f"/web/dataset/call_kw/{model}/{method}", params, what, allowed)

    def json_rpc(self, url, params, what=None, allowed=frozenset()):
        answer = self.get(url, what, allowed, json={"jsonrpc": "2.0", "params": params})
        if not answer.ok or "error" in answer.json():
            return REFUSED
        return answer.json().get("result")


def _unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
