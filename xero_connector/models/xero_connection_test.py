from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang

from ..lib import errors, formats
from ..lib.invoice import XeroInvoice

_DAYS = 30
_CHOICES = 20


class XeroConnection(models.Model):
    """The test order: an invoice is really imported, in a transaction of its own that is taken back."""

    _inherit = "xero.connection"

    def _test_choices(self):
        """The newest invoices of the last 30 days to choose from; one call.

        :return: list of dicts with ``external_id``, ``number``, ``reference``, ``contact_name``, ``date``
        :raise UserError: when Xero cannot be asked
        """
        start_date = fields.Date.context_today(self) - timedelta(days=_DAYS)
        try:
            with self._client() as client:
                payloads = client.recent_invoices(start_date, _CHOICES)
        except errors.XeroError as error:
            raise UserError(self._refusal_text(error)) from None
        choices = [_choice(payload) for payload in payloads if payload.get("InvoiceID")]
        return sorted(choices, key=lambda choice: str(choice["date"] or ""), reverse=True)

    def _test_order(self, invoice_id):
        """What this invoice would become with the settings as they are now. Reads Xero, keeps nothing.

        :return: dict with ``number``, ``outcome``, ``reason``, ``problem_code``, ``problem_subject``, ``customer``,
            ``ship_to``, ``warehouse``, ``instructions``, ``total``, and ``lines``: dicts with ``product``, ``name``,
            ``quantity``, ``price``, ``subtotal``
        :raise UserError: when Xero cannot be asked
        """
        self.ensure_one()
        payload = self._read_one(invoice_id)
        with self.env.registry.cursor() as cr:
            # sudo: who tries it out need not have the rights of all it makes
            connection_sudo = self.with_env(self.env(cr=cr, su=True))
            try:
                return connection_sudo._import_and_describe(payload)
            finally:
                cr.rollback()

    def _import_and_describe(self, payload):
        records = self.env["xero.record"]
        own = [("connection_id", "=", self.id), ("direction", "=", "in"), ("external_id", "=", payload["InvoiceID"])]
        records.search(own).unlink()
        # As if it had never been imported.
        for model in ("sale.order", "stock.picking"):
            domain = [("company_id", "=", self.company_id.id), ("xero_invoice_id", "=", payload["InvoiceID"])]
            self.env[model].search(domain).write({"xero_invoice_id": False, "xero_connection_id": False})
        row = records._receive(self, "invoice", [payload])
        row._process_safely()
        reason = row.reason or ""
        if self._is_older(payload):
            too_old = self.env._("It is dated before %s, from when on invoices are imported.", self.import_from)
            reason = f"{reason}\n{too_old}".strip()
        problem = {"problem_code": row.problem_code, "problem_subject": row.problem_subject}
        values = {"number": row.number, "outcome": row.state, "reason": reason, "lines": [], **problem}
        document = row._document()
        return values | self._describe(document) if document else values

    def _describe(self, document):
        is_order = document._name == "sale.order"
        ship_to = document.partner_shipping_id if is_order else document.partner_id
        values = {
            "customer": document.partner_id.display_name,
            "ship_to": ship_to._display_address(),
            "warehouse": (document.warehouse_id if is_order else document.picking_type_id.warehouse_id).display_name,
            "instructions": document.delivery_instructions or document.packing_instructions or "",
        }
        if not is_order:
            lines = [
                {
                    "product": move.product_id.display_name,
                    "quantity": _quantity(move.product_uom_qty, move.product_uom),
                }
                for move in document.move_ids
            ]
            return values | {"lines": lines}
        currency = document.currency_id
        lines = [
            {
                "product": line.product_id.display_name,
                "name": line.name,
                "quantity": _quantity(line.product_uom_qty, line.product_uom_id),
                "price": formatLang(self.env, line.price_unit, currency_obj=currency),
                "subtotal": formatLang(self.env, line.price_subtotal, currency_obj=currency),
            }
            if not line.display_type
            else {"name": line.name}
            for line in document.order_line
        ]
        return values | {"total": formatLang(self.env, document.amount_total, currency_obj=currency), "lines": lines}


def _quantity(number, uom):
    return f"{formats.short(number) or 0} {uom.name}"


def _choice(payload):
    invoice = XeroInvoice(payload)
    try:
        date = invoice.date
    except ValueError:
        date = None
    return {
        "external_id": invoice.id,
        "number": invoice.number or invoice.id,
        "reference": invoice.reference,
        "contact_name": invoice.contact_name,
        "date": date,
    }
