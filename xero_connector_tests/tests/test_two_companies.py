"""Two companies in one Odoo: each imports into its own warehouse with its own money, and one made later is as whole as
the first."""

from odoo.tests import new_test_user, tagged

from .common import COMPLETE_ADDRESS, XeroCase


@tagged("post_install", "-at_install")
class TestTwoCompanies(XeroCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = "NZD" if cls.company.currency_id.name == "USD" else "USD"
        cls.currency = cls.env["res.currency"].search([("name", "=", other)])
        cls.later = cls.env["res.company"].create(
            {"name": "Made later", "currency_id": cls.currency.id, "country_id": cls.env.ref("base.nz").id}
        )
        cls.later_warehouse = cls.env["stock.warehouse"].search([("company_id", "=", cls.later.id)])
        cls.taxes = {company: cls._make_tax(company) for company in (cls.company, cls.later)}
        # one product both sell, with the taxes of each
        cls.bottle.taxes_id = cls.taxes[cls.company] | cls.taxes[cls.later]

    @classmethod
    def _make_tax(cls, company):
        env = cls.env(context={**cls.env.context, "allowed_company_ids": company.ids})
        country = company.account_fiscal_country_id or cls.env.ref("base.nz")
        group = env["account.tax.group"].create({"name": "GST", "company_id": company.id, "country_id": country.id})
        return env["account.tax"].create(
            {"name": "GST 15%", "amount": 15, "type_tax_use": "sale", "tax_group_id": group.id,
             "company_id": company.id, "country_id": country.id}
        )

    def setUp(self):
        super().setUp()
        self.other_org = self.fake.add_organisation(f"Other {self.id()}", currency=self.currency.name)
        self.other_contact = self.other_org.add_contact(Name="Aroha Ltd", Addresses=[COMPLETE_ADDRESS])
        self.other_org.add_item(Code="BOTTLE", Name="BOTTLE")

    def other_invoice(self):
        lines = [self.line(price=100, TaxType="OUTPUT2")]
        contact = {"ContactID": self.other_contact["ContactID"]}
        return self.other_org.add_invoice(Reference="", Contact=contact, LineItems=lines)

    def test_connections_of_both_import_in_one_turn_each_into_its_own_company(self):
        ours = self.connect(order_confirm=True)
        theirs = self.connect(
            self.other_org, company_id=self.later.id, warehouse_id=self.later_warehouse.id, order_confirm=True)
        invoices = self.invoice(lines=[self.line(price=100, TaxType="OUTPUT2")]), self.other_invoice()
        (ours | theirs).next_poll = "2020-01-01"
        self.run_cron("poll", "process")
        for invoice, connection, warehouse in zip(
            invoices, (ours, theirs), (self.warehouse, self.later_warehouse), strict=True
        ):
            order, company = self.order(invoice), connection.company_id
            self.assertEqual(order.state, "sale", self.row(invoice).reason)
            self.assertEqual(order.order_line.tax_ids, self.taxes[company])
            self.assertEqual((order.amount_total, order.currency_id), (230, company.currency_id))
            self.assertEqual(order.picking_ids.picking_type_id.warehouse_id, warehouse)
            for records in (order, order.order_line, order.picking_ids, order.picking_ids.move_ids, order.partner_id,
                            order.partner_shipping_id, self.row(invoice)):
                self.assertEqual(records.company_id, company, records)
        self.assertNotEqual(*[self.order(invoice).partner_id for invoice in invoices])

    def test_a_company_made_after_the_installation_has_every_default(self):
        company = self.later
        self.assertEqual((company.xero_portal, company.xero_portal_order_target), (False, "sale_order"))
        self.assertEqual((company.xero_fee, company.xero_fee_from), (False, False))
        known = self.env["res.partner"].create({"name": "Known before"})
        for partner in (known, self.env["res.partner"].with_company(company).create({"name": "New"})):
            self.assertEqual(partner.with_company(company).xero_portal, "inherit")
        manager = new_test_user(
            self.env, "later manager", groups="xero_connector.group_xero_manager,sales_team.group_sale_manager",
            company_id=company.id, company_ids=company.ids,
        )
        connection = self.env["xero.connection"].with_user(manager).create({"name": "Theirs", "app_id": self.app.id})
        self.assertEqual((connection.company_id, connection.warehouse_id), (company, self.later_warehouse))

    def test_what_is_sent_for_one_company_is_not_the_others_invoice(self):
        """Each company may have a connection that sends, and an order goes by its own company's."""
        for org, company in ((self.org, self.company), (self.other_org, self.later)):
            self.connect(org, company_id=company.id, warehouse_id=False, import_orders=False,
                         export_source="sale_order")
        for company, org in ((self.company, self.org), (self.later, self.other_org)):
            order = self.env["sale.order"].with_company(company).create(
                {"partner_id": self.env["res.partner"].create({"name": "Buyer"}).id}
            )
            self.assertEqual(order._xero_exporter().tenant_id, org.tenant_id)
