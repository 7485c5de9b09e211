"""What tests of orders and invoices on their way to Xero stand on."""

import json
from datetime import timedelta

from odoo import fields
from odoo.fields import Command

from .common import XeroCase


class ExportCase(XeroCase):
    """Short words for a customer, orders, what is sent, and what Xero has of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.income = cls.env["account.account"].create(
            {"name": "Sales of goods", "code": "XS4000", "account_type": "income"}
        )
        cls.tax = cls._make_tax("GST 15%", 15)
        cls.tax_included = cls._make_tax("GST 15% incl.", 15, price_include_override="tax_included")
        for product in cls.bottle | cls.mug | cls.freight:
            product.write({"taxes_id": [Command.set(cls.tax.ids)], "property_account_income_id": cls.income.id})

    @classmethod
    def _make_tax(cls, name, amount, **fields):
        country = cls.env.company.account_fiscal_country_id or cls.env.ref("base.us")
        group = cls.env["account.tax.group"].create({"name": name, "country_id": country.id})
        return cls.env["account.tax"].create(
            {
                "name": name,
                "amount": amount,
                "type_tax_use": "sale",
                "tax_group_id": group.id,
                "country_id": country.id,
                **fields,
            }
        )

    def setUp(self):
        super().setUp()
        self.customer = self.env["res.partner"].create({"name": "Aroha Ltd", "is_company": True})

    # === CONNECTION === #

    def exporting(self, source="sale_order", **settings):
        """A connection that sends, whose tables are filled in."""
        connection = self.connect(
            export_source=source,
            **{
                "import_orders": False,
                "price_source": "odoo",
                "description_source": "odoo",
                "export_status": "authorised",
                "attach_pdf": False,
                **settings,
            },
        )
        self.press(connection.action_read_tables)
        connection.account_mapping_ids.filtered(lambda line: line.code == "200").account_ids = self.income
        taxes = connection.tax_mapping_ids.filtered(lambda line: line.tax_type == "OUTPUT2")
        taxes.tax_ids = self.tax | self.tax_included
        self.bind(connection, self.customer, self.contact)
        return connection

    def bind(self, connection, partner, contact):
        return self.env["xero.binding"].create(
            {
                "connection_id": connection.id,
                "resource": "contact",
                "external_id": contact["ContactID"],
                "res_model": "res.partner",
                "res_id": partner.id,
            }
        )

    def push(self):
        """One turn of the scheduled action."""
        self.env.flush_all()
        self.run_cron("push")

    # === ODOO === #

    def sell(self, *lines, **values):
        """A confirmed order.

        :param lines: ``(product, quantity, price)``, or dicts of values of order lines
        """
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create(
                        line
                        if isinstance(line, dict)
                        else {"product_id": line[0].id, "product_uom_qty": line[1], "price_unit": line[2]}
                    )
                    for line in lines or [(self.bottle, 2, 20)]
                ],
                **values,
            }
        )
        order.action_confirm()
        return order

    def send(self, *documents):
        """Send these as a person does without looking closer."""
        for document in documents:
            self.env["xero.record"]._put_document_out(document._xero_exporter(), document)
        self.push()

    def bill(self, *lines, move_type="out_invoice", **values):
        """A posted invoice; lines as for :meth:`sell`."""
        move = self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.customer.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "quantity": quantity,
                            "price_unit": price,
                            "tax_ids": [Command.set(self.tax.ids)],
                            "account_id": self.income.id,
                        }
                    )
                    for product, quantity, price in lines or [(self.bottle, 2, 20)]
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def out(self, document):
        """The outbound rows of a document, in their order."""
        return document._xero_out_rows()

    def later(self, minutes):
        """Let time pass: for the rows that wait, and for Xero."""
        self.fake.clock.advance(minutes * 60)
        moved = timedelta(minutes=minutes)
        for row in self.env["xero.record"].search([("direction", "=", "out"), ("state", "=", "pending")]):
            for name in ("next_attempt", "sent_at"):
                if row[name]:
                    row[name] -= moved
        for connection in self.env["xero.connection"].search([("next_back", "!=", False)]):
            connection.next_back -= moved

    # === XERO === #

    def invoices(self):
        """All invoices of the organisation, as they were made."""
        return [record.data for record in self.org.tables["Invoices"]]

    def credit_notes(self):
        return [record.data for record in self.org.tables["CreditNotes"]]

    def written(self, path="/Invoices"):
        """The calls that wrote."""
        calls = [call for call in self.fake.calls(path=path) if call.method != "GET"]
        for call in calls:
            call.json = json.loads(call.body)
        return calls
