"""What an invoice becomes: orders, transfers, prices, addresses, texts."""

from datetime import date, timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import COMPLETE_ADDRESS, XeroCase


@tagged("post_install", "-at_install")
class TestTrigger(XeroCase):
    def _ending(self, invoice):
        row = self.row(invoice)
        return row.state, row.problem_code

    def test_an_invoice_settled_by_credit_notes_ships_nothing(self):
        self.connect()
        invoice = self.invoice()
        note = self.org.add_credit_note(
            Contact={"ContactID": self.contact["ContactID"]}, Status="AUTHORISED", LineItems=[self.line()]
        )
        self.org.allocate(note, invoice)
        self.assertEqual(invoice["Status"], "PAID")
        self.run_import()
        self.assertEqual(self._ending(invoice), ("skipped", "credited"))
        self.assertFalse(self.order(invoice))

    def test_an_invoice_paid_with_money_ships(self):
        self.connect(trigger_status="paid")
        invoice = self.invoice(Status="PAID")
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_a_partly_credited_and_otherwise_paid_invoice_ships(self):
        self.connect()
        invoice = self.invoice(lines=[self.line(quantity=10)])
        note = self.org.add_credit_note(
            Contact={"ContactID": self.contact["ContactID"]}, Status="AUTHORISED", LineItems=[self.line(quantity=1)]
        )
        self.org.allocate(note, invoice)
        self.org.add_payment(invoice["InvoiceID"])
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_waiting_for_payment_is_a_reason_and_the_payment_releases_the_order(self):
        self.connect(trigger_status="paid")
        invoice = self.invoice()
        self.run_import()
        self.assertEqual(self._ending(invoice), ("skipped", "unpaid"))
        self.fake.clock.advance(60)
        self.org.add_payment(invoice["InvoiceID"])
        self.run_import()
        self.assertTrue(self.order(invoice))

    def test_drafts_and_bills_never_come_in(self):
        self.connect()
        draft, bill = self.invoice(Status="DRAFT"), self.invoice(Type="ACCPAY")
        self.run_import()
        self.assertFalse(self.row(draft) | self.row(bill))

    def test_a_voided_invoice_is_skipped_with_that_reason(self):
        self.connect()
        invoice = self.invoice()
        self.org.void(invoice["InvoiceID"])
        self.run_import()
        self.assertEqual(self._ending(invoice), ("skipped", "voided"))

    def test_invoices_dated_before_the_chosen_day_are_not_imported(self):
        today = date.today()
        self.connect(import_from=today - timedelta(days=5))
        old = self.invoice(Date=str(today - timedelta(days=6)))
        edge = self.invoice(Date=str(today - timedelta(days=5)))
        self.run_import()
        self.assertFalse(self.row(old))
        self.assertTrue(self.order(edge))

    def test_an_earlier_day_chosen_later_brings_the_older_invoices_once(self):
        today = date.today()
        connection = self.connect(import_from=today)
        old = self.invoice(Date=str(today - timedelta(days=6)))
        self.fake.clock.advance(600)
        new = self.invoice()
        self.run_import()
        connection.import_from = today - timedelta(days=10)
        self.run_import()
        self.assertEqual((len(self.order(old)), len(self.order(new))), (1, 1))


@tagged("post_install", "-at_install")
class TestOrder(XeroCase):
    def test_an_order_carries_contact_reference_lines_and_the_invoice_it_came_from(self):
        connection = self.connect()
        invoice = self.invoice("PO 99", [self.line(quantity=3, price=7.5), self.line("MUG", 1, 4)])
        self.run_import()
        order = self.order(invoice)
        self.assertEqual(order.partner_id.name, "Aroha Ltd")
        self.assertEqual(order.client_order_ref, "PO 99")
        self.assertEqual(order.order_line.product_id, self.bottle | self.mug)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [3, 1])
        self.assertEqual(order.order_line.mapped("price_unit"), [7.5, 4])
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.xero_connection_id, connection)
        self.assertEqual(order.xero_invoice_number, invoice["InvoiceNumber"])
        self.assertIn(invoice["InvoiceNumber"], order.message_ids[0].body)

    def test_an_order_is_confirmed_at_once_when_wanted_and_its_transfer_knows_the_invoice(self):
        self.connect(order_confirm=True, mapping_ids=self.rules(("GC", self.second_warehouse)))
        invoice = self.invoice("gc 1")
        self.run_import()
        order = self.order(invoice)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.picking_ids.picking_type_id.warehouse_id, self.second_warehouse)
        self.assertEqual(order.picking_ids.xero_invoice_number, invoice["InvoiceNumber"])
        self.assertEqual(order.picking_ids.xero_route_reason, order.xero_route_reason)

    def test_an_imported_order_is_invoiced_in_xero_and_cannot_be_invoiced_again(self):
        self.connect(order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        order = self.order(invoice)
        self.assertEqual(order.invoice_status, "invoiced")
        with self.assertRaisesRegex(UserError, invoice["InvoiceNumber"]):
            order._create_invoices()

    def test_every_transfer_of_a_two_step_delivery_knows_the_invoice(self):
        self.second_warehouse.delivery_steps = "pick_ship"
        self.connect(order_confirm=True, warehouse_id=self.second_warehouse.id)
        self.env["stock.quant"]._update_available_quantity(self.bottle, self.second_warehouse.lot_stock_id, 10)
        invoice = self.invoice()
        self.run_import()
        pick = self.picking(invoice)
        self.assertEqual(pick.picking_type_id, self.second_warehouse.pick_type_id)
        pick.button_validate()
        self.assertEqual(
            set(self.picking(invoice).picking_type_id),
            {self.second_warehouse.pick_type_id, self.second_warehouse.out_type_id},
        )

    def test_a_delivery_order_without_sale_order_holds_the_goods_and_nothing_else(self):
        self.connect(order_target="picking", order_confirm=True)
        self.freight.default_code = "SERVICE"
        invoice = self.invoice("PO 5", [self.line(), self.line(None, 1, 15), self.line("SERVICE", 1, 5)])
        self.run_import()
        self.assertFalse(self.order(invoice))
        picking = self.picking(invoice)
        self.assertTrue(picking, self.row(invoice).reason)
        self.assertEqual(picking.move_ids.product_id, self.bottle)
        self.assertEqual(picking.move_ids.product_uom_qty, 2)
        self.assertEqual(picking.state, "confirmed")
        self.assertEqual(picking.partner_id.street, "12 Quay Street")
        self.assertIn("PO 5", picking.origin)

    def test_two_step_deliveries_of_two_invoices_of_one_contact_stay_apart(self):
        self.warehouse.delivery_steps = "pick_ship"
        self.env["stock.quant"]._update_available_quantity(self.bottle, self.warehouse.lot_stock_id, 50)
        self.connect(order_target="picking", order_confirm=True)
        invoices = [self.invoice(), self.invoice()]
        self.run_import()
        for invoice in invoices:
            self.picking(invoice).button_validate()
        for invoice in invoices:
            ship = self.picking(invoice).filtered(lambda p: p.picking_type_id == self.warehouse.out_type_id)
            self.assertEqual((len(ship), ship.move_ids.product_uom_qty), (1, 2))

    def test_an_invoice_without_goods_makes_no_delivery_order(self):
        self.connect(order_target="picking")
        invoice = self.invoice(lines=[self.line(None, 1, 15)])
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "nothing_to_ship")

    def test_an_invoice_of_texts_alone_makes_no_empty_order(self):
        self.connect()
        invoice = self.invoice(lines=[{"Description": "Thank you"}])
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "nothing_to_ship")
        self.assertFalse(self.order(invoice))

    def test_a_delivery_order_refuses_to_ship_a_negative_quantity(self):
        self.connect(order_target="picking")
        invoice = self.invoice(lines=[self.line(quantity=5), self.line("MUG", -1, 1)])
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "negative_quantity")
        self.assertFalse(self.picking(invoice))

    def test_the_connections_customer_is_the_orders_customer_and_owner_of_the_goods(self):
        customer = self.env["res.partner"].create({"name": "Kiwi Outdoor"})
        self.connect(partner_id=customer.id, order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        order = self.order(invoice)
        self.assertEqual(order.partner_id, customer)
        self.assertEqual(order.partner_shipping_id.parent_id.name, "Aroha Ltd")
        self.assertEqual(order.picking_ids.owner_id, customer)
        self.assertEqual(order.picking_ids.partner_id, order.partner_shipping_id)

    def test_goods_of_another_owner_are_never_reserved_for_a_customer(self):
        customer, stranger = self.env["res.partner"].create([{"name": "Kiwi Outdoor"}, {"name": "Stranger"}])
        quants = self.env["stock.quant"]
        location = self.warehouse.lot_stock_id
        quants._update_available_quantity(self.bottle, location, 50, owner_id=stranger)
        quants._update_available_quantity(self.bottle, location, 50)
        self.connect(partner_id=customer.id, order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        picking = self.order(invoice).picking_ids
        self.assertEqual(picking.state, "confirmed", "nothing of the customer's is there")
        quants._update_available_quantity(self.bottle, location, 2, owner_id=customer)
        picking.action_assign()
        self.assertEqual((picking.state, picking.move_line_ids.owner_id), ("assigned", customer))
        picking.button_validate()
        left = {
            owner: quants._get_available_quantity(self.bottle, location, owner_id=owner, strict=True)
            for owner in (customer, stranger)
        }
        self.assertEqual(left, {customer: 0, stranger: 50})

    def test_the_customer_owns_the_goods_of_a_plain_delivery_order_too(self):
        customer = self.env["res.partner"].create({"name": "Kiwi Outdoor"})
        self.connect(partner_id=customer.id, order_target="picking")
        invoice = self.invoice()
        self.run_import()
        self.assertEqual(self.picking(invoice).owner_id, customer)

    def test_another_companys_connection_makes_that_companys_orders(self):
        company = self.env["res.company"].create({"name": "Second company"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        self.connect(company_id=company.id, warehouse_id=warehouse.id, order_confirm=True)
        invoice = self.invoice()
        self.run_import()
        order = self.order(invoice)
        self.assertTrue(order, self.row(invoice).reason)
        self.assertEqual((order.company_id, order.warehouse_id), (company, warehouse))
        self.assertEqual(order.picking_ids.company_id | order.partner_id.company_id, company)
        self.assertEqual(self.row(invoice).company_id, company)

    def test_another_companys_products_and_partners_are_never_taken(self):
        company = self.env["res.company"].create({"name": "Second company"})
        self.mug.company_id = company
        self.env["res.partner"].create({"name": "Aroha Ltd", "company_id": company.id})
        self.connect()
        foreign_product, foreign_partner = self.invoice(lines=[self.line("MUG")]), self.invoice()
        self.run_import()
        self.assertEqual(self.row(foreign_product).problem_code, "unknown_code")
        self.assertEqual(self.order(foreign_partner).partner_id.company_id, self.company)

    def test_the_invoice_date_is_a_calendar_date_wherever_the_reader_is(self):
        self.env.user.tz = "Pacific/Auckland"
        self.connect()
        invoice = self.invoice(Date="2026-11-01")
        self.run_import()
        self.assertEqual(self.order(invoice).xero_invoice_date, date(2026, 11, 1))
        self.assertEqual(self.row(invoice).document_date, date(2026, 11, 1))


@tagged("post_install", "-at_install")
class TestProducts(XeroCase):
    def test_an_unknown_code_fails_the_order_names_the_code_and_makes_nothing(self):
        self.connect()
        self.org.add_item(Code="GLASS", Name="Glass")
        invoice = self.invoice(lines=[self.line(), self.line("GLASS")])
        partners = self.env["res.partner"].search_count([])
        self.run_import()
        row = self.row(invoice)
        self.assertEqual((row.state, row.problem_code, row.problem_subject), ("failed", "unknown_code", "GLASS"))
        self.assertIn("GLASS", row.reason)
        self.assertFalse(self.order(invoice))
        self.assertEqual(self.env["res.partner"].search_count([]), partners)

    def test_mending_the_product_and_retrying_imports_without_asking_xero_again(self):
        self.connect()
        self.org.add_item(Code="GLASS", Name="Glass")
        invoice = self.invoice(lines=[self.line("GLASS")])
        self.run_import()
        self._make_product("GLASS", "Glass", 3)
        self.row(invoice).action_retry()
        self.fake.reset_log()
        self.run_cron("process")
        self.assertTrue(self.order(invoice))
        self.assertFalse(self.fake.calls(path="/Invoices"))

    def test_a_code_in_other_case_is_the_same_product_but_the_exact_one_goes_first(self):
        self.connect()
        self._make_product("CUP", "Other cup", 1)
        exact = self._make_product("Cup", "Cup", 1)
        self.bottle.default_code = "Bottle"
        self.org.add_item(Code="Cup", Name="Cup")
        invoice = self.invoice(lines=[self.line("BOTTLE"), self.line("Cup")])
        self.run_import()
        self.assertEqual(self.order(invoice).order_line.product_id, self.bottle | exact, self.row(invoice).reason)

    def test_wildcards_in_a_code_mean_themselves(self):
        self.connect()
        for code in ("B%", "MU_"):
            self.org.add_item(Code=code, Name=code)
        invoice = self.invoice(lines=[self.line("B%"), self.line("MU_")])
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "unknown_code")

    def test_a_code_that_fits_two_products_fails_instead_of_guessing(self):
        self.connect()
        self._make_product("MUG", "Second mug", 2)
        invoice = self.invoice(lines=[self.line("MUG")])
        self.run_import()
        self.assertEqual(self.row(invoice).problem_code, "ambiguous_code")
        self.assertIn("Second mug", self.row(invoice).reason)

    def test_the_mapping_table_translates_codes_no_product_has(self):
        self.org.add_item(Code="B-20", Name="Bottle, boxed")
        mapping = {"item_code": "b-20", "product_id": self.bottle.id}
        self.connect(product_mapping_ids=[(0, 0, mapping)])
        invoice = self.invoice(lines=[self.line("B-20")])
        self.run_import()
        self.assertEqual(self.order(invoice).order_line.product_id, self.bottle)

    def test_one_bad_invoice_costs_itself_and_nothing_else(self):
        self.connect()
        self.org.add_item(Code="GLASS", Name="Glass")
        good = [self.invoice() for _ in range(3)]
        bad = self.invoice(lines=[self.line("GLASS")])
        self.run_import()
        self.assertEqual([len(self.order(invoice)) for invoice in good], [1, 1, 1])
        self.assertEqual(self.row(bad).state, "failed")

    def test_freight_makes_no_transfer(self):
        connection = self.connect(order_confirm=True, service_product_id=self.freight.id)
        both = self.invoice("both", [self.line(), self.line(None, 1, 15.0)])
        only = self.invoice("only", [self.line(None, 1, 15.0)])
        self.run_import(connection)
        self.assertEqual(self.order(both).picking_ids.move_ids.product_id, self.bottle)
        self.assertEqual((self.order(only).state, len(self.order(only).picking_ids)), ("sale", 0))

    def test_lines_without_code_become_the_service_product_or_a_note(self):
        connection = self.connect(service_product_id=self.freight.id)
        first = self.invoice(lines=[self.line(), self.line(None, 1, 15, Description="Courier")])
        self.run_import()
        self.assertEqual(self.order(first).order_line.product_id, self.bottle | self.freight)
        self.assertEqual(self.order(first).amount_untaxed, 35)
        connection.service_product_id = False
        second = self.invoice(lines=[self.line(), self.line(None, 1, 15, Description="Courier")])
        self.run_import()
        note = self.order(second).order_line.filtered("display_type")
        self.assertEqual((note.display_type, note.name), ("line_note", "Courier"))


@tagged("post_install", "-at_install")
class TestTexts(XeroCase):
    def test_descriptions_come_from_xero_from_odoo_or_are_the_name_alone(self):
        connection = self.connect()
        names = []
        for settings in ({}, {"description_source": "odoo"}, {"trim_description": True}):
            connection.write({"description_source": "xero", "trim_description": False} | settings)
            invoice = self.invoice()
            self.run_import()
            names.append(self.order(invoice).order_line.name)
        self.assertEqual(names, ["BOTTLE from Xero", "[BOTTLE] Drink bottle", "Drink bottle"])

    def test_text_lines_and_the_newest_human_note_become_the_chosen_instructions(self):
        connection = self.connect(note_target="packing", order_confirm=True)
        invoice = self.invoice(lines=[self.line(), {"Description": "Fragile!\r\nThis side up"}])
        self.org.add_history_note(invoice["InvoiceID"], "Old words", when=self.fake.clock.now() - timedelta(hours=3))
        self.org.add_history_note(invoice["InvoiceID"], "Use the blue box", when=self.fake.clock.now())
        self.org.add_history_note(
            invoice["InvoiceID"], "by a machine", user="System Generated", when=self.fake.clock.now()
        )
        self.run_import()
        order = self.order(invoice)
        self.assertEqual(order.packing_instructions, "Fragile!\nThis side up\nUse the blue box")
        self.assertFalse(order.delivery_instructions)
        self.assertEqual(order.picking_ids.packing_instructions, order.packing_instructions)
        self.assertEqual(order.order_line.filtered("display_type").name, "Fragile!\nThis side up")
        connection.note_target = "delivery"
        second = self.invoice(lines=[self.line(), {"Description": "Ring twice"}])
        self.run_import()
        self.assertEqual(self.order(second).delivery_instructions, "Ring twice")

    def test_a_newer_note_takes_the_place_of_the_older_one(self):
        connection = self.connect(note_target="delivery")
        invoice = self.invoice()
        self.org.add_history_note(invoice["InvoiceID"], "Old", when=self.fake.clock.now())
        self.run_import(connection)
        order = self.order(invoice)
        order.delivery_instructions = "Old\nMind the dog"
        self.org.add_history_note(invoice["InvoiceID"], "New", when=self.fake.clock.now() + timedelta(hours=1))
        self.org.update("Invoices", invoice["InvoiceID"], Reference="touched")
        self.run_import(connection)
        self.assertEqual(order.delivery_instructions, "New\nMind the dog")

    def test_no_history_call_is_made_when_nobody_wants_notes(self):
        self.connect()
        self.invoice()
        self.run_import()
        self.assertFalse(self.fake.calls(path="History"))


@tagged("post_install", "-at_install")
class TestAddress(XeroCase):
    def _import_to(self, **address):
        contact = self.org.add_contact(Name=f"C {len(self.org.tables['Contacts'])}", Addresses=[
            COMPLETE_ADDRESS | address
        ])
        invoice = self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        self.run_import()
        return self.row(invoice), self.order(invoice)

    def test_an_address_that_lacks_what_a_carrier_needs_fails_and_says_what(self):
        self.connect()
        for field, word in (("AddressLine1", "street"), ("City", "city"), ("PostalCode", "postcode")):
            row, order = self._import_to(**{field: ""})
            self.assertEqual((row.problem_code, bool(order)), ("address_incomplete", False), field)
            self.assertIn(word, row.reason)

    def test_a_state_is_asked_for_only_where_the_country_uses_them(self):
        self.connect()
        self.assertEqual(self._import_to(Country="Australia")[0].problem_code, "address_incomplete")
        row, order = self._import_to(Country="Australia", Region="QLD")
        self.assertEqual(order.partner_shipping_id.state_id.code, "QLD", row.reason)

    def test_countries_are_known_by_name_code_and_what_people_call_them(self):
        self.connect()
        for text, code in (("new zealand", "NZ"), ("nz", "NZ"), ("UK", "GB"), ("England", "GB"), ("USA", "US")):
            row, order = self._import_to(Country=text, Region="CA")
            self.assertEqual(order.partner_shipping_id.country_id.code, code, row.reason)

    def test_a_country_that_odoo_does_not_know_is_no_guess(self):
        self.connect()
        row, _order = self._import_to(Country="Atlantis")
        self.assertIn("Atlantis", row.reason)

    def test_an_address_without_country_is_in_the_organisations(self):
        self.connect()
        _row, order = self._import_to(Country="")
        self.assertEqual(order.partner_shipping_id.country_id.code, "NZ")

    def test_incomplete_addresses_are_accepted_when_the_connection_says_so(self):
        self.connect(accept_incomplete_address=True)
        _row, order = self._import_to(City="")
        self.assertEqual(order.partner_shipping_id.street, "12 Quay Street")

    def test_the_street_address_goes_first_and_the_postal_one_stands_in(self):
        postal = COMPLETE_ADDRESS | {"AddressType": "POBOX", "AddressLine1": "PO Box 7"}
        both = self.org.add_contact(Name="Both", Addresses=[postal, COMPLETE_ADDRESS])
        only = self.org.add_contact(Name="Only", Addresses=[postal])
        connection = self.connect()

        def street(contact):
            invoice = self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
            self.run_import()
            return self.order(invoice).partner_shipping_id.street

        self.assertEqual([street(both), street(only)], ["12 Quay Street", "PO Box 7"])
        connection.ship_to_source = "postal_first"
        self.assertEqual(street(both), "PO Box 7")

    def test_an_address_changed_later_never_touches_an_older_orders(self):
        self.connect()
        first = self.invoice()
        self.run_import()
        self.org.update(
            "Contacts", self.contact["ContactID"], Addresses=[COMPLETE_ADDRESS | {"AddressLine1": "1 New Road"}]
        )
        self.fake.clock.advance(60)
        second = self.invoice()
        self.run_import()
        self.assertEqual(self.order(first).partner_shipping_id.street, "12 Quay Street")
        self.assertEqual(self.order(second).partner_shipping_id.street, "1 New Road")
        self.assertEqual(self.order(first).partner_id, self.order(second).partner_id)

    def test_equal_addresses_are_one_record(self):
        self.connect()
        invoices = [self.invoice(), self.invoice()]
        self.run_import()
        third = self.invoice()
        self.run_import()
        addresses = {self.order(invoice).partner_shipping_id for invoice in [*invoices, third]}
        self.assertEqual(len(addresses), 1)


@tagged("post_install", "-at_install")
class TestContacts(XeroCase):
    def _partner_of(self, invoice):
        self.run_import()
        return self.order(invoice).partner_id

    def test_a_partner_of_that_name_is_the_contact_and_no_second_one_is_made(self):
        partner = self.env["res.partner"].create({"name": "Aroha Ltd"})
        self.connect()
        self.assertEqual(self._partner_of(self.invoice()), partner)

    def test_a_renamed_contact_stays_the_same_partner(self):
        self.connect()
        partner = self._partner_of(self.invoice())
        self.org.update("Contacts", self.contact["ContactID"], Name="Aroha (2026) Ltd")
        self.fake.clock.advance(60)
        self.assertEqual(self._partner_of(self.invoice()), partner)

    def test_a_contact_merged_with_another_partner_stays_that_partner(self):
        connection = self.connect()
        first = self.invoice()
        self.run_import(connection)
        kept = self.env["res.partner"].create({"name": "Aroha Limited"})
        merged = self.order(first).partner_id
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((merged | kept).ids, kept)
        second = self.invoice()
        self.run_import(connection)
        self.assertEqual(self.order(second).partner_id, kept)

    def test_two_contacts_merged_into_one_partner_stay_one(self):
        connection = self.connect()
        first = self.invoice()
        other = self.org.add_contact(Name="Aroha Limited", Addresses=[COMPLETE_ADDRESS])
        second = self.org.add_invoice(Contact={"ContactID": other["ContactID"]}, LineItems=[self.line()])
        self.run_import(connection)
        kept, merged = self.order(first).partner_id, self.order(second).partner_id
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((kept | merged).ids, kept)
        third = self.org.add_invoice(Contact={"ContactID": other["ContactID"]}, LineItems=[self.line()])
        self.run_import(connection)
        self.assertEqual(self.order(third).partner_id, kept)

    def test_of_two_partners_of_one_name_the_one_with_the_mail_address_is_meant(self):
        self.env["res.partner"].create({"name": "Aroha Ltd"})
        right = self.env["res.partner"].create({"name": "Aroha Ltd", "email": "Hi@Aroha.example"})
        self.org.update("Contacts", self.contact["ContactID"], EmailAddress="hi@aroha.example")
        self.connect()
        self.assertEqual(self._partner_of(self.invoice()), right)

    def test_one_warehouse_customers_contacts_are_never_mixed_with_anothers(self):
        stranger = self.env["res.partner"].create({"name": "Aroha Ltd"})
        customer = self.env["res.partner"].create({"name": "Kiwi Outdoor"})
        self.connect(partner_id=customer.id)
        invoice = self.invoice()
        self.run_import()
        self.assertNotEqual(self.order(invoice).partner_shipping_id.parent_id, stranger)

    def test_contacts_are_read_many_in_one_call(self):
        self.connect()
        for number in range(30):
            contact = self.org.add_contact(Name=f"Contact {number}", Addresses=[COMPLETE_ADDRESS])
            self.org.add_invoice(Contact={"ContactID": contact["ContactID"]}, LineItems=[self.line()])
        self.run_import()
        self.assertEqual(len(self.fake.calls("GET", "/Contacts")), 1)


@tagged("post_install", "-at_install")
class TestHostileText(XeroCase):
    def test_markup_in_references_and_names_is_shown_as_text(self):
        self.connect()
        self.org.update("Contacts", self.contact["ContactID"], Name="<b>Bold</b> & Sons")
        reference = "<img src=x onerror=alert(1)>"
        invoice = self.invoice(reference)
        self.run_import()
        order = self.order(invoice)
        self.assertEqual(order.client_order_ref, reference)
        self.assertNotIn("<img", order.message_ids[0].body)

    def test_markup_in_an_invoice_number_is_text_in_an_alarm_too(self):
        self.connect()
        invoice = self.invoice(InvoiceNumber='INV <a href="http://evil.example">1</a>')
        self.run_import()
        order = self.order(invoice)
        order.action_confirm()
        order.picking_ids.move_ids.picked = True
        contact = self.org.add_contact(Name='<a href="http://evil.example">Ltd</a>', Addresses=[COMPLETE_ADDRESS])
        self.org.update("Invoices", invoice["InvoiceID"], Contact={"ContactID": contact["ContactID"]})
        self.run_import()
        self.assertIn("evil.example", order.activity_ids.note)
        self.assertNotIn("<a", order.activity_ids.note)
        self.assertNotIn("<a", order.message_ids[0].body)
