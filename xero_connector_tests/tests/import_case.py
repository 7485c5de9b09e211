"""What tests of disturbed imports stand on: books of several organisations, databases connected to them, and all
that is the same in each database however the import went."""

import random
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.tools import config

from ..sandbox.fake_xero import FakeXero, query
from .common import COMPLETE_ADDRESS
from .workers_case import WorkersCase

CODES = [f"P-{number:02}" for number in range(12)]

# What must be the same however the import went. No ids and no numbers of Odoo's sequences: those have gaps.
OUTCOME = {
    "orders": """
        SELECT c.name, o.xero_invoice_id, o.client_order_ref, o.state, w.code, o.xero_route_reason,
               o.delivery_instructions, o.amount_total, p.name, s.name, s.street, s.city, s.type,
               (SELECT string_agg(concat_ws('|', v.default_code, l.product_uom_qty, l.price_unit, l.discount, l.name),
                                  '; ' ORDER BY l.sequence, l.id)
                  FROM sale_order_line l LEFT JOIN product_product v ON v.id = l.product_id WHERE l.order_id = o.id)
          FROM sale_order o
          JOIN stock_warehouse w ON w.id = o.warehouse_id
          JOIN res_partner p ON p.id = o.partner_id
          JOIN res_partner s ON s.id = o.partner_shipping_id
     LEFT JOIN xero_connection c ON c.id = o.xero_connection_id""",
    "transfers": """
        SELECT t.xero_invoice_id, y.code, w.code, t.state, s.street, t.delivery_instructions,
               (SELECT string_agg(concat_ws('|', v.default_code, m.product_uom_qty, m.quantity, m.state,
                                            o.xero_invoice_id), '; ' ORDER BY m.sequence, m.id)
                  FROM stock_move m JOIN product_product v ON v.id = m.product_id
             LEFT JOIN sale_order_line l ON l.id = m.sale_line_id LEFT JOIN sale_order o ON o.id = l.order_id
                 WHERE m.picking_id = t.id)
          FROM stock_picking t
          JOIN stock_picking_type y ON y.id = t.picking_type_id
          JOIN stock_warehouse w ON w.id = y.warehouse_id
     LEFT JOIN res_partner s ON s.id = t.partner_id""",
    "moves without transfer": "SELECT id FROM stock_move WHERE picking_id IS NULL",
    "stock": """
        SELECT v.default_code, l.complete_name, sum(q.quantity), sum(q.reserved_quantity)
          FROM stock_quant q
          JOIN product_product v ON v.id = q.product_id
          JOIN stock_location l ON l.id = q.location_id
         GROUP BY 1, 2""",
    "partners": """
        SELECT p.name, p.type, p.street, p.city, p.active, parent.name, parent.street
          FROM res_partner p LEFT JOIN res_partner parent ON parent.id = p.parent_id""",
    "bindings": """
        SELECT c.name, b.resource, b.external_id, p.name, p.street
          FROM xero_binding b
          JOIN xero_connection c ON c.id = b.connection_id
     LEFT JOIN res_partner p ON p.id = b.res_id AND b.res_model = 'res.partner'""",
    "rows": """
        SELECT c.name, r.resource, r.external_id, r.number, r.state, r.problem_code, r.problem_subject, r.reason,
               r.attempts, r.files_state, r.files_attempts, r.pdf_size, r.res_model, o.xero_invoice_id
          FROM xero_record r
          JOIN xero_connection c ON c.id = r.connection_id
     LEFT JOIN sale_order o ON o.id = r.res_id""",
    "attachments": """
        SELECT a.res_model, coalesce(o.xero_invoice_id, t.xero_invoice_id), a.name, a.checksum, a.file_size,
               a.id IN (o.xero_pdf_id, t.xero_pdf_id)
          FROM ir_attachment a
     LEFT JOIN sale_order o ON o.id = a.res_id AND a.res_model = 'sale.order'
     LEFT JOIN stock_picking t ON t.id = a.res_id AND a.res_model = 'stock.picking'
         WHERE a.res_model IN ('sale.order', 'stock.picking')""",
    "messages": """
        SELECT m.model, coalesce(o.xero_invoice_id, t.xero_invoice_id), count(*)
          FROM mail_message m
     LEFT JOIN sale_order o ON o.id = m.res_id AND m.model = 'sale.order'
     LEFT JOIN stock_picking t ON t.id = m.res_id AND m.model = 'stock.picking'
         WHERE m.model IN ('sale.order', 'stock.picking', 'res.partner', 'xero.connection')
         GROUP BY 1, 2""",
    "activities": "SELECT res_model, summary FROM mail_activity",
    "connections": """
        SELECT name, state, message, watermark, failed_turns, blocked_until, next_poll IS NULL FROM xero_connection""",
}
STORED_FILES = "SELECT store_fname, file_size FROM ir_attachment WHERE res_model = 'sale.order'"


class ImportWorkersCase(WorkersCase):
    """Imports `organisations` once undisturbed: `seen` is what the worker did, `expected` what came of it."""

    # name: how many invoices, how many contacts, the connection's settings
    organisations = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(patch.object(query, "LARGEST_PAGE", 200))
        cls.fake = FakeXero().start()
        cls.addClassCleanup(cls.fake.stop)
        cls.fake.auto_approve = True
        for name, (invoices, contacts, _settings) in cls.organisations.items():
            cls._fill_books(cls.fake.add_organisation(name), invoices, contacts)
        with cls._database("undisturbed") as database:
            with cls._workers(database) as worker:
                worker.start()
                cls.seen = worker.finish()
            cls.expected = cls._read_outcome(database)

    # === BOOKS === #

    @classmethod
    def _fill_books(cls, org, invoices, contacts):
        """Invoices of every kind, each changed a little later than the one before."""
        rng = random.Random(org.name)
        start = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=2)
        for code in CODES:
            org.add_item(Code=code, Name=code)
        people = [cls._add_contact(org, number) for number in range(contacts)]
        for number in range(invoices):
            kind = number % 40
            lines = [
                {"ItemCode": code, "Quantity": rng.randint(1, 9), "UnitAmount": rng.randint(100, 9999) / 100}
                for code in rng.sample(CODES, rng.randint(1, 3))
            ]
            if kind == 7:
                lines.append({"ItemCode": "GONE", "Quantity": 1, "UnitAmount": 1})
            elif kind == 11:
                lines = []
            elif kind == 13:
                lines.append({"Description": f"Leave it at door {number}"})
            defaults = {"AccountCode": "200", "TaxType": "NONE"}
            invoice = org.add_invoice(
                updated=start + timedelta(seconds=number * 2 // 3),
                Reference=rng.choice(("PO {}", "order {} GC", "gold coast {} gc", "pickup {}", "")).format(number),
                Contact={"ContactID": rng.choice(people)["ContactID"]},
                LineItems=[
                    {"Description": f"Line of {number}", **defaults, **line} if "ItemCode" in line else line
                    for line in [*lines, {"Description": "Thank you"}]
                ],
                Status={17: "VOIDED", 19: "PAID"}.get(kind, "AUTHORISED"),
            )
            if org.name == "Files":
                org.add_history_note(invoice["InvoiceID"], f"Ring bell {number}")
                content = b"label" * (number + 1)
                org.add_attachment(invoice["InvoiceID"], f"label-{number}.txt", content, "text/plain")
        if org.name == "Drafts North":
            # Nothing in its batch can be made together with it: all are made one by one.
            org.tables["Invoices"].find(invoice["InvoiceID"]).data["DateString"] = "the day after"

    @staticmethod
    def _add_contact(org, number):
        """Some have no complete address, some have the name of another one."""
        address = COMPLETE_ADDRESS | {"AddressLine1": f"{number} {org.name} Street"}
        if number % 30 == 29:
            address["City"] = ""
        name = number - 1 if number % 10 == 3 else number
        return org.add_contact(Name=f"{org.name} {name}", Addresses=[address])

    # === DATABASES === #

    @classmethod
    @contextmanager
    def _database(cls, purpose):
        """A database of its own, with a connection to each organisation."""
        with cls.databases.copy_for_run(cls.template, purpose) as database:
            with cls._registry(database) as registry:
                cls._set_up(registry)
            yield database

    @classmethod
    def _set_up(cls, registry):
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.currency"].with_context(active_test=False).search([("name", "=", "NZD")]).active = True
            gold_coast = env["stock.warehouse"].create({"name": "Gold Coast", "code": "GC"})
            products = env["product.product"].create(
                [{"name": f"Product {code}", "default_code": code, "is_storable": True} for code in CODES]
            )
            for warehouse in env["stock.warehouse"].search([("company_id", "=", env.company.id)]):
                for product in products:
                    env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 100_000)
            rules = [("pickup", False), ("gc", gold_coast.id)]
            app = cls._make_app(env)
            for name, (_invoices, _contacts, settings) in cls.organisations.items():
                mappings = [
                    {"reference_contains": text, "action": "import" if target else "ignore", "warehouse_id": target}
                    for text, target in rules
                ]
                env["xero.connection"].create(
                    {
                        "name": name,
                        "app_id": app.id,
                        "attach_pdf": False,
                        "mapping_ids": [fields.Command.create(values) for values in mappings],
                    }
                    | settings
                )
        for name in cls.organisations:
            cls._consent(registry, name)

    @classmethod
    def _read_outcome(cls, database):
        """What is in the database after an import, part by part."""
        outcome = {part: Counter(cls.server.execute(statement, (), database)) for part, statement in OUTCOME.items()}
        filestore = Path(config.filestore(database))
        outcome["stored files"] = Counter(
            (filestore / name).stat().st_size == size for name, size in cls.server.execute(STORED_FILES, (), database)
        )
        return outcome

    def _assert_as_undisturbed(self, database):
        outcome = self._read_outcome(database)
        for part, expected in self.expected.items():
            lost, surplus = expected - outcome[part], outcome[part] - expected
            if lost or surplus:
                self.fail(
                    f"{part}: of {expected.total()}, {lost.total()} are missing and {surplus.total()} are too many or "
                    f"different; for example\n  missing: {sorted(map(str, lost))[:3]}\n"
                    f"  surplus: {sorted(map(str, surplus))[:3]}"
                )

