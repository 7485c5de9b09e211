import uuid

from odoo import api, fields, models

from ..lib import errors, formats
from ..lib.errors import Problem

# How long a note waits for its order to arrive in Xero before it looks again.
_ORDER_PAUSE = 900


class XeroRecord(models.Model):
    """Notes on deliveries on their way into the history of Xero's invoices, one row per transfer.

    What is written there stays for ever. So the key is committed before the call, and before a repeat the history is
    read: a note that is there was ours.
    """

    _inherit = "xero.record"

    # === INTO THE OUTBOX === #

    @api.model
    def _put_notes_out(self, pickings):
        """Have these transfers noted on their invoices, in the transaction that finishes them. No call is made here."""
        connections = self.env["xero.connection"].search(
            [("export_deliveries", "=", True), ("company_id", "in", pickings.company_id.ids)]
        )
        if not connections:
            return
        orders = self._order_rows(connections, pickings.sale_id)
        noted = self._known_notes(connections, pickings)
        heirs = self._heirs(connections, pickings)
        values = []
        for picking in pickings - noted:
            connection = connections & picking.xero_connection_id
            connection = connection or heirs.get((picking.company_id, picking.xero_invoice_id))
            invoice_id, reference = picking.xero_invoice_id, picking.xero_invoice_number
            if not connection and (order := orders.get(picking.sale_id.id)):
                # The order was sent from here, or will be: then its invoice is looked up later.
                connection, invoice_id, reference = order.connection_id, False, picking.sale_id.name
            note = connection and picking._xero_delivery_note(connection._item_env())
            if note:
                values.append(
                    {
                        "connection_id": connection.id,
                        "direction": "out",
                        "resource": "invoice",
                        "res_model": picking._name,
                        "res_id": picking.id,
                        "external_id": invoice_id,
                        "number": picking.name,
                        "reference": reference,
                        "contact_name": picking.partner_id.display_name,
                        "document_date": picking.date_done,
                        "received_at": fields.Datetime.now(),
                        "payload": formats.plain({"HistoryRecords": [{"Details": note}]}),
                    }
                )
        if values:
            self.create(values).connection_id._ring_push()

    @api.model
    def _heirs(self, connections, pickings):
        """The connections that know these transfers' invoices now, where the one that imported them was removed: dict
        ``(company, invoice id) -> connection``."""
        rows = self.search(
            [
                ("connection_id", "in", connections.ids),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("external_id", "in", [invoice_id for invoice_id in pickings.mapped("xero_invoice_id") if invoice_id]),
            ]
        )
        return {(row.company_id, row.external_id): row.connection_id for row in rows}

    @api.model
    def _order_rows(self, connections, orders):
        """The outbound row of each of these orders: dict ``order id -> row``."""
        rows = self.search(
            [
                ("connection_id", "in", connections.ids),
                ("direction", "=", "out"),
                ("resource", "=", "invoice"),
                ("res_model", "=", "sale.order"),
                ("res_id", "in", orders.ids),
                ("state", "!=", "skipped"),
            ],
            order="part desc, id desc",
        )
        return {row.res_id: row for row in rows}

    @api.model
    def _known_notes(self, connections, pickings):
        domain = [("direction", "=", "out"), ("res_model", "=", pickings._name), ("res_id", "in", pickings.ids)]
        return pickings.browse(self.search([("connection_id", "in", connections.ids), *domain]).mapped("res_id"))

    # === SEND === #

    @api.model
    def _notes_domain(self, connection):
        return [
            ("connection_id", "=", connection.id),
            ("direction", "=", "out"),
            ("resource", "=", "invoice"),
            ("res_model", "=", "stock.picking"),
            ("state", "=", "pending"),
            "|",
            ("next_attempt", "=", False),
            ("next_attempt", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _push_notes(self, connection):
        """Write the notes that wait, one call each, each committed.

        :param connection: of ``_push_worker()``
        """
        last_id = 0
        while connection and connection._can_write_notes():
            row = self.search([*self._notes_domain(connection), ("id", ">", last_id)], order="id", limit=1)
            if not row:
                return
            last_id = row.id
            row._push_note(connection)
            if not self.env["ir.cron"]._commit_progress():
                connection._ring_push()
                return
            self.env.invalidate_all()
            connection = connection._push_worker()

    def _push_note(self, connection):
        """Bring this note to its end, or to its next moment."""
        if not connection.export_deliveries and not self.request_key:
            self._skip("kept_out", connection.env._("This connection notes no deliveries."), connection)
            return
        if not self.external_id and not self._find_order_invoice(connection):
            return
        is_repeat = bool(self.request_key)
        if not is_repeat:
            # A key is known to the whole app, not to one organisation (xero-api.md, section 4.4).
            self.request_key = f"{connection.tenant_id}:{uuid.uuid4()}"
            self.env["ir.cron"]._commit_progress()
            self.env.invalidate_all()
            connection = connection._push_worker()
        if connection and self.exists() and self.state == "pending":
            self._write_note(connection, is_repeat)

    def _find_order_invoice(self, connection):
        """The invoice of an order that was sent from here.

        :return: False while it has none: then this row waits, or has ended
        """
        picking = connection.env[self.res_model].browse(self.res_id).exists()
        order = self._order_rows(connection, picking.sale_id).get(picking.sale_id.id)
        if not order:
            self._skip("nothing_to_send", connection.env._("The order of this transfer is not sent to Xero."))
        elif order.state == "done" and order.external_id:
            self.external_id = order.external_id
        else:
            self.write(
                {
                    "next_attempt": fields.Datetime.add(fields.Datetime.now(), seconds=_ORDER_PAUSE),
                    "reason": connection.env._("Waits for %s to arrive in Xero.", order.number),
                }
            )
        return self.external_id

    def _write_note(self, connection, is_repeat):
        note = self.payload["HistoryRecords"][0]["Details"]
        try:
            with connection._client(purpose="history") as client:
                if not (is_repeat and _holds(client.invoice_history(self.external_id), note)):
                    client.add_invoice_note(self.external_id, note, self.request_key)
        except errors.XeroMissing as error:
            self.request_key = False
            self._skip("deleted", str(error))
        except errors.XeroRejected as error:
            self.request_key = False
            self._fail([Problem("xero_rejected", str(error))])
            self.correlation_id = error.correlation_id
        except errors.XeroError as error:
            self._hold_up_notes(connection, error)
        else:
            self.write({"request_key": False, "reason": False})
            picking = connection.env[self.res_model].browse(self.res_id)
            self._succeed(picking)
            text = connection.env._("Noted in the history of the invoice in Xero.")
            picking.exists()._message_log_batch(bodies={picking.id: text})

    def _hold_up_notes(self, connection, error):
        """The note may be there, or not: its row waits, and keeps its key. What is kept for orders, and a consent that
        does not cover notes, stop nothing else."""
        limit = getattr(error, "limit", None)
        if limit or isinstance(error, errors.XeroDenied):
            # Nothing of it arrived, for sure.
            self.request_key = False
        later = errors.XeroRetryLater(
            str(error),
            limit=limit,
            retry_after=getattr(error, "retry_after", None),
            correlation_id=error.correlation_id,
        )
        if limit == "reserve":
            # They would all be refused.
            self.search(self._notes_domain(connection))._postpone(later)
            return
        if isinstance(error, errors.XeroDenied) and error.code == "scope":
            waiting = self.search(self._notes_domain(connection))
            waiting.write({"next_attempt": fields.Datetime.add(fields.Datetime.now(), days=1), "reason": str(error)})
            return
        self._postpone(later)
        # Kept with the row; then the turn ends as it does for every error.
        self.env["ir.cron"]._commit_progress()
        raise error


def _holds(history, note):
    """Whether the history has this note; Xero may keep other spaces and ends of lines."""
    wanted = note.split()
    return any(formats.text(record.get("Details")).split() == wanted for record in history)
