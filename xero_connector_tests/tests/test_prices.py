"""Imported prices: right to the cent, whatever the tax mode, discount, precision and currency, and there to stay."""

from decimal import Decimal

from odoo.tests import BaseCase, Form, tagged

from odoo.addons.xero_connector.lib import pricing
from odoo.addons.xero_connector.lib.invoice import XeroLine

from .common import COMPLETE_ADDRESS, XeroCase

RATE = Decimal("0.15")


@tagged("post_install", "-at_install")
class TestPrices(XeroCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = cls.env["account.tax.group"].create({"name": "GST", "company_id": cls.company.id})
        country = cls.company.account_fiscal_country_id or cls.env.ref("base.nz")
        cls.env["account.tax"].search([("company_id", "=", cls.company.id)]).active = False
        cls.excluded, cls.included, cls.lower = cls.env["account.tax"].create(
            [
                {
                    "name": name,
                    "amount": amount,
                    "type_tax_use": "sale",
                    "price_include_override": override,
                    "tax_group_id": group.id,
                    "country_id": country.id,
                }
                for name, amount, override in (
                    ("GST 15", 15, "tax_excluded"),
                    ("GST 15 in", 15, "tax_included"),
                    ("GST 9", 9, "tax_excluded"),
                )
            ]
        )

    def _order_of(self, *lines, **fields):
        invoice = self.invoice(lines=list(lines), **fields)
        self.run_import()
        order = self.order(invoice)
        self.assertTrue(order, self.row(invoice).reason)
        return invoice, order

    def _assert_same_money(self, invoice, order):
        self.assertEqual(Decimal(str(invoice["SubTotal"])), Decimal(str(order.amount_untaxed)))
        self.assertEqual(Decimal(str(invoice["TotalTax"])), Decimal(str(order.amount_tax)))
        self.assertEqual(Decimal(str(invoice["Total"])), Decimal(str(order.amount_total)))

    def test_a_tax_inclusive_four_decimal_price_arrives_right_to_the_cent(self):
        self.connect()
        for own_tax in (self.excluded, self.included):
            self.bottle.taxes_id = own_tax
            line = self.line(quantity=7, price=33.3333, TaxType="OUTPUT2")
            invoice, order = self._order_of(line, LineAmountTypes="Inclusive")
            self._assert_same_money(invoice, order)
            self.assertEqual(order.order_line.tax_ids, own_tax)

    def test_an_inclusive_price_is_shown_without_tax_where_odoos_tax_is_on_top(self):
        self.connect()
        self.bottle.taxes_id = self.excluded
        _invoice, order = self._order_of(self.line(price=11.5, TaxType="OUTPUT2"), LineAmountTypes="Inclusive")
        self.assertEqual(order.order_line.price_unit, 10)

    def test_a_discount_is_kept_as_discount(self):
        self.connect()
        self.bottle.taxes_id = self.excluded
        line = self.line(quantity=3, price=19.99, TaxType="OUTPUT2", DiscountRate=12.5)
        invoice, order = self._order_of(line)
        self.assertEqual((order.order_line.discount, order.order_line.price_unit), (12.5, 19.99))
        self._assert_same_money(invoice, order)

    def test_an_untaxed_line_stays_untaxed_and_another_rate_finds_its_tax(self):
        self.connect()
        self.bottle.taxes_id = self.excluded
        invoice, order = self._order_of(self.line(TaxType="NONE"))
        self.assertFalse(order.order_line.tax_ids)
        self._assert_same_money(invoice, order)

    def test_the_taxes_of_the_company_serve_when_the_products_do_not_fit(self):
        self.connect()
        self.bottle.taxes_id = self.lower
        invoice, order = self._order_of(self.line(price=100, TaxType="OUTPUT2"))
        self.assertEqual(order.order_line.tax_ids, self.excluded)
        self._assert_same_money(invoice, order)

    def test_a_total_that_no_tax_of_odoo_can_reach_is_said_in_the_log_and_the_chatter(self):
        self.connect()
        self.bottle.taxes_id = self.lower
        (self.excluded | self.included).active = False
        invoice, order = self._order_of(self.line(price=100, TaxType="OUTPUT2"))
        self.assertIn("differs from the invoice's by -12.00", self.row(invoice).reason)
        self.assertIn("differs", order.message_ids[0].body)

    def test_an_imported_price_survives_a_later_change_of_quantity(self):
        self.connect(order_confirm=True)
        free = {"price": 0}
        _invoice, order = self._order_of(self.line(price=7.77, TaxType="NONE"), self.line("MUG", 1, **free))
        with Form(order) as form:
            for index in (0, 1):
                with form.order_line.edit(index) as line:
                    line.product_uom_qty = 50
        self.assertEqual(order.order_line.mapped("price_unit"), [7.77, 0])

    def test_an_imported_discount_survives_a_later_change_of_quantity(self):
        self.env.ref("base.group_user").implied_ids |= self.env.ref("sale.group_discount_per_so_line")
        other = "NZD" if self.company.currency_id.name != "NZD" else "USD"
        self.org.subscribe(other, self.company.currency_id.name)
        self.connect()
        line = self.line(price=10.0, DiscountRate=10)
        invoice = self.invoice("x", [line], CurrencyCode=other, CurrencyRate=1.6)
        self.run_import()
        order = self.order(invoice)
        with Form(order) as form, form.order_line.edit(0) as edited:
            edited.product_uom_qty = 50
        self.assertEqual((order.order_line.discount, order.amount_total), (10, 450))

    def test_odoos_pricelist_decides_when_the_connection_says_so(self):
        self.connect(price_source="odoo")
        _invoice, order = self._order_of(self.line(price=1.11))
        self.assertEqual(order.order_line.price_unit, self.bottle.list_price)

    def test_a_foreign_invoice_becomes_an_order_in_its_currency(self):
        self.org.subscribe("NZD", "USD")
        other = "NZD" if self.company.currency_id.name != "NZD" else "USD"
        self.connect()
        invoice, order = self._order_of(self.line(price=9.95), CurrencyCode=other, CurrencyRate=1.6)
        self.assertEqual(order.currency_id.name, other)
        self._assert_same_money(invoice, order)
        _again, second = self._order_of(self.line(), CurrencyCode=other, CurrencyRate=1.6)
        self.assertEqual(second.pricelist_id, order.pricelist_id)

    def test_an_invoice_without_currency_is_in_the_organisations_not_the_companys(self):
        other = "NZD" if self.company.currency_id.name != "NZD" else "USD"
        org = self.fake.add_organisation("Foreign books", currency=other)
        contact = org.add_contact(Name="Aroha Ltd", Addresses=[COMPLETE_ADDRESS])
        org.add_item(Code="BOTTLE", Name="BOTTLE")
        self.connect(org)
        invoice = org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        org.record("Invoices", invoice["InvoiceID"]).data.pop("CurrencyCode")
        self.run_import()
        self.assertEqual(self.order(invoice).currency_id.name, other)

    def test_a_currency_that_is_not_active_fails_with_that_reason(self):
        self.org.subscribe("FJD")
        self.env["res.currency"].search([("name", "=", "FJD")]).active = False
        self.connect()
        invoice = self.invoice(CurrencyCode="FJD", CurrencyRate=2)
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "currency_inactive")
        self.assertIn("FJD", self.row(invoice).reason)


@tagged("post_install", "-at_install")
class TestUnitPrice(BaseCase):
    def _line(self, quantity, unit, amount, tax, **more):
        return XeroLine({"Quantity": quantity, "UnitAmount": unit, "LineAmount": amount, "TaxAmount": tax} | more)

    def test_the_unit_price_is_xeros_own_when_nothing_is_converted(self):
        line = self._line(3, 9.995, 29.99, 4.5)
        self.assertEqual(pricing.unit_price(line, False, False, RATE), (Decimal("9.995"), 0))

    def test_a_discount_amount_becomes_a_percentage_that_ends_on_the_same_cent(self):
        line = self._line(3, 9.99, 28.64, 4.3, DiscountAmount=1.33)
        price, discount = pricing.unit_price(line, False, False, RATE)
        self.assertEqual(discount, Decimal("4.44"))
        self.assertEqual(round(price * 3 * (1 - discount / 100), 2), Decimal("28.64"))

    def test_a_price_including_tax_is_given_back_including_tax(self):
        self.assertEqual(pricing.unit_price(self._line(2, 11.5, 23, 3), True, True, RATE), (Decimal("11.5"), 0))

    def test_a_free_line_and_a_line_of_nothing_are_no_division_by_zero(self):
        self.assertEqual(pricing.unit_price(self._line(2, 0, 0, 0), True, False, RATE)[0], 0)
        self.assertEqual(pricing.unit_price(self._line(0, 5, 0, 0), False, False, RATE)[0], 5)
        self.assertEqual(pricing.unit_price(self._line(2, 5, 0, 0, DiscountRate=100), False, False, RATE)[0], 5)
