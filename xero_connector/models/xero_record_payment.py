import psycopg2

from odoo import fields, models
from odoo.exceptions import UserError

from ..lib import formats, outgoing
from ..lib.errors import Problem


class XeroRecord(models.Model):
    """Payments of Xero on invoices of Odoo. Each has a row of its own, so that it is registered once."""

    _inherit = "xero.record"

    def _register_payments(self, connection, element):
        """Register what an invoice was paid in Xero, where the connection has a journal for it.

        :param self: the rows of this invoice
        :param dict element: the invoice with its ``Payments``
        """
        invoice = self._paid_invoice()
        if not connection.payment_journal_id or not invoice:
            return
        payments = {
            formats.text(payment.get("PaymentID")): payment
            for payment in element.get("Payments") or ()
            if payment.get("PaymentID")
        }
        known = self.search(
            [
                ("connection_id", "=", connection.id),
                ("direction", "=", "in"),
                ("resource", "=", "payment"),
                ("external_id", "in", list(payments)),
            ]
        )
        for payment_id in payments.keys() - set(known.mapped("external_id")):
            payment = payments[payment_id]
            row = self.create(
                {
                    "connection_id": connection.id,
                    "resource": "payment",
                    "external_id": payment_id,
                    "number": payment.get("Reference") or element.get("InvoiceNumber"),
                    "reference": invoice.name,
                    "contact_name": invoice.commercial_partner_id.display_name,
                    "document_date": formats.calendar_date(payment.get("Date")),
                    "amount_total": float(formats.decimal(payment.get("Amount"))),
                    "currency_code": invoice.currency_id.name,
                    "payload": formats.plain(payment),
                    "invoice_row_id": self.id,
                    "received_at": fields.Datetime.now(),
                }
            )
            row._register_payment(connection, invoice, formats.decimal(element.get("AmountPaid")))
        # Xero may leave the key out (xero-api.md, section 3.1): that says nothing.
        if "Payments" in element:
            self._note_gone_payments(connection, payments)

    def _paid_invoice(self):
        """The invoice of Odoo these rows are; none where several documents share it in Xero."""
        if len(self) != 1 or self.res_model != "account.move" or self.resource != "invoice":
            return None
        return self._document()

    def _register_payment(self, connection, invoice, paid=None):
        """Register this row's payment on the invoice; what Odoo has to say against it ends in the row.

        :param Decimal paid: all that was paid in Xero, where that is known
        """
        if invoice.state != "posted" or self._is_paid_here(invoice, paid):
            self._skip("nothing_to_send", connection.env._("The invoice is paid in Odoo already."))
            return
        try:
            with self.env.cr.savepoint():
                payment = self._make_payment(connection, invoice)
        except psycopg2.OperationalError:
            raise
        except UserError as error:
            self._fail([Problem("odoo_refused", str(error), None, invoice)])
        except Exception as error:  # noqa: BLE001 it ends in the row, with its details
            self._fail_with(connection, error)
        else:
            self._succeed(payment)

    def _is_paid_here(self, invoice, paid):
        """Whether this payment, or as much, is registered already; one without entry leaves the residual as it is."""
        payments = invoice.matched_payment_ids.filtered(lambda payment: payment.state in ("in_process", "paid"))
        registered = outgoing.number(sum(payments.mapped("amount")))
        if invoice.payment_state in ("paid", "reversed") or registered >= outgoing.number(invoice.amount_total):
            return True
        return paid is not None and formats.cents(registered + outgoing.number(self.amount_total)) > paid

    def _make_payment(self, connection, invoice):
        register = (
            connection.env["account.payment.register"]
            .with_context(active_model=invoice._name, active_ids=invoice.ids)
            .create(
                {
                    "journal_id": connection.payment_journal_id.id,
                    "currency_id": invoice.currency_id.id,
                    "amount": self.amount_total,
                    "payment_date": self.document_date,
                    "communication": self.number,
                }
            )
        )
        return register._create_payments()[:1]

    def _note_gone_payments(self, connection, payment_ids):
        """Payments that Xero does not have any more: what was registered for them is for people to take back."""
        gone = self.search(
            [
                ("resource", "=", "payment"),
                ("invoice_row_id", "=", self.id),
                ("state", "=", "done"),
                ("external_id", "not in", list(payment_ids)),
            ]
        )
        for row in gone:
            reason = connection.env._(
                "A payment of %s was deleted in Xero, and stands in Odoo: cancel it here, too.",
                formats.cents(outgoing.number(row.amount_total)),
            )
            row._fail([Problem("deleted", reason, None, self._document())])
