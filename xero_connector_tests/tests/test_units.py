from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import XeroCase


@tagged("post_install", "-at_install")
class TestUnits(XeroCase):
    """Item codes that are counted in another unit than the product."""

    def setUp(self):
        super().setUp()
        self.dozen = self.env.ref("uom.product_uom_dozen")
        self.dozen.active = True
        self.org.add_item(Code="BOTTLE-12", Name="A dozen bottles")
        self.mapping = {"item_code": "BOTTLE-12", "product_id": self.bottle.id, "uom_id": self.dozen.id}

    def test_a_code_counted_in_dozens_ships_twelve_times_as_many(self):
        connection = self.connect(order_confirm=True, product_mapping_ids=[Command.create(self.mapping)])
        invoice = self.invoice("r", [self.line("BOTTLE-12", quantity=2, price=60.0)])
        self.run_import(connection)
        line = self.order(invoice).order_line
        self.assertEqual((line.product_uom_id, line.product_uom_qty, line.price_subtotal), (self.dozen, 2, 120))
        self.assertEqual(sum(self.picking(invoice).move_ids.mapped("product_qty")), 24)

    def test_a_delivery_order_counts_in_dozens_too(self):
        connection = self.connect(order_target="picking", product_mapping_ids=[Command.create(self.mapping)])
        invoice = self.invoice("r", [self.line("BOTTLE-12", quantity=3)])
        self.run_import(connection)
        self.assertEqual(self.picking(invoice).move_ids.product_qty, 36)

    def test_only_units_the_product_can_be_counted_in_are_offered(self):
        connection = self.connect(product_mapping_ids=[Command.create(self.mapping)])
        allowed = connection.product_mapping_ids.allowed_uom_ids
        self.assertIn(self.dozen, allowed)
        self.assertNotIn(self.env.ref("uom.product_uom_kgm"), allowed)

    def test_mending_a_code_asks_for_its_unit(self):
        connection = self.connect(order_confirm=True)
        invoice = self.invoice("r", [self.line("BOTTLE-12", quantity=2)])
        self.run_import(connection)
        values = {"connection_id": connection.id, "item_code": "BOTTLE-12", "product_id": self.bottle.id}
        wizard = self.env["xero.mend.code"].create(values | {"uom_id": self.dozen.id})
        self.assertIn(self.dozen, wizard.allowed_uom_ids)
        wizard.action_confirm()
        self.run_cron("process")
        self.assertEqual(self.picking(invoice).move_ids.product_qty, 24)

    def test_a_unit_of_another_kind_is_refused(self):
        with self.assertRaisesRegex(UserError, "cannot be counted in"):
            self.connect(
                product_mapping_ids=[Command.create({**self.mapping, "uom_id": self.env.ref("uom.product_uom_kgm").id})]
            )


@tagged("post_install", "-at_install")
class TestKits(XeroCase):
    """Kits by bill of materials, where Odoo's manufacturing is there."""

    def setUp(self):
        super().setUp()
        if "mrp.bom" not in self.env:
            self.skipTest("mrp is not installed")
        self.kit = self._make_product("SET", "Bottle and two mugs", 40)
        self.kit.is_storable = False
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": self.kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": self.bottle.id, "product_qty": 1}),
                    Command.create({"product_id": self.mug.id, "product_qty": 2}),
                ],
            }
        )
        self.org.add_item(Code="SET", Name="Set")
        for product in self.bottle, self.mug:
            self.env["stock.quant"]._update_available_quantity(product, self.warehouse.lot_stock_id, 50)

    def demand(self, invoice):
        moves = self.picking(invoice).move_ids.filtered(lambda move: move.state != "cancel")
        return {
            product.default_code: sum(group.mapped("product_uom_qty"))
            for product, group in moves.grouped("product_id").items()
        }

    def test_an_orders_kit_ships_its_components_and_keeps_its_price(self):
        connection = self.connect(order_confirm=True)
        invoice = self.invoice("r", [self.line("SET", quantity=2, price=35.0)])
        self.run_import(connection)
        self.assertEqual(self.order(invoice).amount_total, 70)
        self.assertEqual(self.demand(invoice), {"BOTTLE": 2, "MUG": 4})

    def test_a_delivery_orders_kit_ships_its_components_and_follows_the_invoice(self):
        connection = self.connect(order_target="picking", order_confirm=True)
        invoice = self.invoice("r", [self.line("SET", quantity=2)])
        self.run_import(connection)
        self.assertEqual(self.demand(invoice), {"BOTTLE": 2, "MUG": 4})
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[self.line("SET", quantity=3)])
        self.run_import(connection)
        self.assertEqual(self.demand(invoice), {"BOTTLE": 3, "MUG": 6})

    def test_an_orders_kit_follows_the_invoice(self):
        connection = self.connect(order_confirm=True)
        invoice = self.invoice("r", [self.line("SET", quantity=2)])
        self.run_import(connection)
        self.org.update("Invoices", invoice["InvoiceID"], LineItems=[self.line("SET", quantity=1)])
        self.run_import(connection)
        self.assertEqual(self.demand(invoice), {"BOTTLE": 1, "MUG": 2})
