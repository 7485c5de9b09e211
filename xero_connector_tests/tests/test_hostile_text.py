"""Text of strangers is shown as text: it never runs, and is never a path."""

from contextlib import suppress

from odoo import fields
from odoo.tests import new_test_user, tagged

from odoo.addons.xero_connector.lib import oauth

from .common import XeroCase
from .export_case import ExportCase
from .test_tours import TourCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

HOSTILE = '<img src="x" onerror="window.hacked = true"> {{7*7}} ${7*7} %(x)s'


def sell_hostile(case):
    """An invoice that is hostile wherever a stranger may write, and one that fails with a hostile item code."""
    contact = case.org.add_contact(Name=HOSTILE, Addresses=case.contact["Addresses"])
    case.org.add_item(Code="<b>X</b>", Name=HOSTILE)
    order = case.org.add_invoice(
        Contact={"ContactID": contact["ContactID"]},
        InvoiceNumber=f"INV-1 {HOSTILE}",
        Reference=f"../../{HOSTILE}",
        LineItems=[case.line(Description=HOSTILE), {"Description": HOSTILE}],
    )
    case.org.add_history_note(order["InvoiceID"], HOSTILE, HOSTILE)
    failing = case.invoice(HOSTILE, [case.line("<b>X</b>")], InvoiceNumber=f"INV-2 {HOSTILE}")
    return order, failing


@tagged("post_install", "-at_install")
class TestHostileText(XeroCase):
    def assert_harmless(self, html):
        self.assertNotIn("<img", html or "")

    def test_chatter_activities_and_instructions_hold_it_as_text(self):
        connection = self.connect(name=HOSTILE, note_target="delivery", attach_pdf=True, order_confirm=True)
        sold, failing = sell_hostile(self)
        self.run_import()
        order = self.order(sold)
        self.assertTrue(order, self.row(sold).reason)
        self.assertIn(HOSTILE, order.delivery_instructions)
        self.assertEqual(self.row(failing).problem_code, "unknown_code")
        self.org.update("Invoices", sold["InvoiceID"], LineItems=[self.line(quantity=9, Description=HOSTILE)])
        self.run_import()
        self.fake.faults.add("GET", "/Invoices$", status=403, body={"Title": HOSTILE, "Detail": HOSTILE})
        self.run_import()
        records = [connection, order, *order.picking_ids, *self.row(sold)]
        for record in records:
            if "message_ids" in record:
                for message in record.message_ids:
                    self.assert_harmless(message.body)
                for activity in record.activity_ids:
                    self.assert_harmless(activity.note)
        self.assertTrue(connection.activity_ids)

    def test_a_file_name_is_never_a_path_or_a_tag(self):
        self.connect(attach_pdf=True)
        sold, _failing = sell_hostile(self)
        self.run_import()
        name = self.order(sold).xero_pdf_id.name
        self.assertFalse(set(name) & set("/\\<>\"'"), name)

    def test_what_xeros_page_says_is_kept_as_text_and_cut(self):
        said = str(oauth.explain("unheard_of", HOSTILE * 50))
        self.assertIn("<img", said, "shown as text by the form")
        self.assertLess(len(said), 400)


class HostileExport(ExportCase):
    """An order that is hostile wherever somebody may write, booked with hostile accounts and taxes."""

    def sell_hostile_out(self):
        self.customer.name = HOSTILE
        self.bottle.name = HOSTILE
        self.income.name = HOSTILE
        self.tax.name = HOSTILE
        line = {"product_id": self.bottle.id, "name": HOSTILE, "price_unit": 20}
        return self.sell(line, client_order_ref=f"../../{HOSTILE}")


@tagged("post_install", "-at_install")
class TestHostileTextOnTheWayToXero(HostileExport):
    def test_a_preview_tells_what_forbids_it_and_where_all_comes_from_as_text(self):
        connection = self.exporting()
        order = self.sell_hostile_out()
        connection.account_mapping_ids.account_ids = False
        connection.tax_mapping_ids.tax_ids = False
        preview = self.press(self.env["xero.preview"]._prepare, documents=order)
        self.assertEqual(preview.problem_count, 2)
        for name in ("problems", "explanation"):
            self.assertIn("&lt;img", preview[name])
            self.assertNotIn("<img", preview[name])

    def test_what_xero_says_of_what_was_sent_is_kept_as_text(self):
        connection = self.exporting()
        order = self.sell_hostile_out()
        self.fake.faults.add("PUT", "/Invoices", status=403, body={"Title": HOSTILE, "Detail": HOSTILE})
        self.send(order)
        self.assertIn(HOSTILE, connection.message)
        connection.action_resume()
        self.later(60)
        self.push()
        row = self.out(order)
        self.assertEqual(row.state, "done", row.reason)
        self.org.update("Invoices", row.external_id, InvoiceNumber=HOSTILE, Status="VOIDED")
        connection.next_back = fields.Datetime.now()
        self.push()
        self.assertEqual(order.xero_export_number, HOSTILE)
        bodies = [*order.message_ids.mapped("body"), *connection.message_ids.mapped("body")]
        bodies += [*order.activity_ids.mapped("note"), *connection.activity_ids.mapped("note")]
        self.assertIn("&lt;img", "".join(bodies))
        self.assertNotIn("<img", "".join(bodies))


@tagged("post_install", "-at_install")
class TestHostileTextInTheBrowser(HostileExport, TourCase):
    with suppress(NameError):
        pytestmark = pytest.mark.tour

    def test_no_page_runs_it(self):
        self.org.rename(HOSTILE)
        self.connect(name="Kiwi Outdoor", note_target="delivery", attach_pdf=True, order_confirm=True)
        sell_hostile(self)
        self.run_import()
        groups = "xero_connector.group_xero_manager,sales_team.group_sale_salesman_all_leads,stock.group_stock_user"
        new_test_user(self.env, "xero-manager", groups=groups)
        self.tour("xero_hostile", login="xero-manager")

    def test_no_page_about_what_goes_to_xero_runs_it(self):
        connection = self.exporting()
        sent, order = self.sell_hostile_out(), self.sell_hostile_out()
        self.send(sent)
        self.assertEqual(self.out(sent).state, "done", self.out(sent).reason)
        connection.account_mapping_ids.account_ids = False
        self.send(order)
        self.assertEqual(self.out(order).state, "failed")
        today = fields.Date.today()
        self.press(connection._compare, date_from=today, date_to=today)
        groups = "xero_connector.group_xero_manager,sales_team.group_sale_salesman_all_leads"
        new_test_user(self.env, "xero-manager", groups=groups)
        self.tour("xero_hostile_out", login="xero-manager")
