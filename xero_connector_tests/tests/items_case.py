"""What tests of items and products stand on."""

import json

from .common import XeroCase


class ItemsCase(XeroCase):
    """Short words for items, products and turns of the exchange."""

    def setUp(self):
        super().setUp()
        for record in list(self.org.tables["Items"]):
            self.org.tables["Items"].remove(record)

    # === XERO === #

    def item(self, code, price=None, name=None, description=None, purchase_price=None, **fields):
        """An item of the organisation; its code is its name where none is given."""
        fields = {"Code": code, "Name": name or code, **fields}
        if description:
            fields["Description"] = description
        if price is not None:
            fields["SalesDetails"] = {"UnitPrice": price} | fields.get("SalesDetails", {})
        if purchase_price is not None:
            fields["PurchaseDetails"] = {"UnitPrice": purchase_price} | fields.get("PurchaseDetails", {})
        return self.org.add_item(**fields)

    def items(self):
        return [record.data for record in self.org.tables["Items"]]

    def stored(self, item):
        """The item as Xero has it now."""
        return self.org.record("Items", item["ItemID"]).data

    def by_code(self, code):
        [item] = [item for item in self.items() if item["Code"] == code]
        return item

    def written(self):
        """The calls that wrote items."""
        calls = [call for call in self.fake.calls(path="/Items") if call.method != "GET"]
        for call in calls:
            call.json = json.loads(call.body)
        return calls

    # === ODOO === #

    def product(self, code, name, price, **fields):
        return self.env["product.product"].create(
            {
                "name": name,
                "default_code": code,
                "list_price": price,
                "type": "consu",
                "is_storable": True,
                "taxes_id": False,
                "supplier_taxes_id": False,
            }
            | fields
        )

    def find(self, code):
        return self.env["product.product"].search([("default_code", "=", code)])

    def chatter(self, product):
        """What people read on the form of a product without variants."""
        return product.product_tmpl_id.message_ids

    def exchanging(self, way, **settings):
        """A connection that exchanges products this way, once it is asked to."""
        return self.connect(item_sync=way, item_interval="manual", **settings)

    def exchange(self, connection):
        """One turn of the scheduled action."""
        self.env.flush_all()
        connection._ring_items()
        self.run_cron("items")
        self.assertFalse(connection.message, connection.message)
        self.assertFalse(connection.item_failed_turns, connection.item_message)

    def out(self, product):
        """The outbound row of a product."""
        return self.env["xero.record"].search(
            [("direction", "=", "out"), ("resource", "=", "item"), ("res_id", "=", product.id)]
        )

    def row(self, item):
        return self.env["xero.record"].search(
            [("external_id", "=", item["ItemID"]), ("direction", "=", "in"), ("resource", "=", "item")]
        )

    def stamps(self):
        """When everything that could be written was written last."""
        self.env.flush_all()
        stamps = {}
        for table in ("product_template", "product_product", "xero_record", "xero_binding"):
            self.env.cr.execute(f"SELECT id, write_date, xmin::text FROM {table}")  # pylint: disable=sql-injection
            stamps[table] = self.env.cr.fetchall()
        return stamps
