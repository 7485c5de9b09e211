import math
import re

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..lib import errors, formats

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHORTCODE = re.compile(r"!\w+")


class XeroConnection(models.Model):
    """Importing by hand: one invoice at once, or everything since a date."""

    _inherit = "xero.connection"

    backfill_started = fields.Datetime(string="Import from a date began", readonly=True, copy=False)
    backfill_total = fields.Integer(readonly=True, copy=False, help="How many invoices are expected.")
    backfill_read = fields.Boolean(readonly=True, copy=False, help="All of them are in the log.")
    backfill_progress = fields.Float(string="Progress", compute="_compute_backfill_progress")
    backfill_running = fields.Boolean(compute="_compute_backfill_progress")
    backfill_text = fields.Char(compute="_compute_backfill_progress")

    @api.depends("backfill_started", "backfill_total", "backfill_read")
    def _compute_backfill_progress(self):
        for connection in self:
            seen = waiting = 0
            if connection.backfill_started:
                groups = self.env["xero.record"]._read_group(
                    [
                        ("connection_id", "=", connection.id),
                        ("direction", "=", "in"),
                        ("resource", "=", "invoice"),
                        ("received_at", ">=", connection.backfill_started),
                    ],
                    ["state"],
                    ["__count"],
                )
                counts = dict(groups)
                seen, waiting = sum(counts.values()), counts.get("pending", 0)
            total = seen if connection.backfill_read else max(connection.backfill_total, seen)
            connection.backfill_progress = 100 * (seen - waiting) / total if total else 0
            connection.backfill_running = bool(connection.backfill_started) and (
                not connection.backfill_read or waiting > 0
            )
            if connection.backfill_read or seen:
                text = self.env._("%(done)s of %(total)s invoices worked off", done=seen - waiting, total=total)
            else:
                text = self.env._("The invoices are being read from Xero …")
            connection.backfill_text = text

    # === ACTIONS === #

    def action_import_one(self):
        """Ask for a number or a link, and import that invoice."""
        return self._open_wizard(self.env["xero.import.one"], self.env._("Import one invoice"))

    def action_backfill(self):
        """Ask for a date, and import everything since."""
        return self._open_wizard(self.env["xero.backfill"], self.env._("Import from a date"))

    def action_retry_all(self):
        """Try again everything of this connection that failed."""
        failed = self.env["xero.record"].search([("connection_id", "in", self.ids), ("state", "=", "failed")])
        # What was deleted here comes back only when somebody asks for it by itself.
        failed = failed.filtered(lambda row: not row.res_id or row._document())
        if not failed:
            raise UserError(self.env._("Nothing has failed."))
        return failed.action_retry()

    def _open_wizard(self, wizard, title):
        """Show this wizard in a window of its own, a new one for this connection where it is empty."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
            "context": {"default_connection_id": self.id},
        }

    # === ONE INVOICE === #

    def _import_one(self, text):
        """Import one invoice now, whatever its date.

        :param str text: its number, its id or a link to it, as people paste them
        :return: its row of the sync log, which says what became of it
        :raise UserError: when it cannot be found or Xero cannot be asked
        """
        self.ensure_one()
        self._say_when_neutralized()
        self._refuse_when_idle()
        payload = self._read_one(text.strip())
        # sudo: who may ask for an import need not have the rights of all it makes
        connection_sudo = self.sudo()
        records_sudo = self.env["xero.record"].sudo()
        row_sudo = records_sudo._receive(connection_sudo, "invoice", [payload])
        if not row_sudo:
            row_sudo = records_sudo.search(
                [
                    ("connection_id", "=", self.id),
                    ("direction", "=", "in"),
                    ("resource", "=", "invoice"),
                    ("external_id", "=", payload["InvoiceID"]),
                ]
            )
        row_sudo._bring_back()
        if connection_sudo.try_lock_for_update(allow_referencing=True):
            row_sudo._process_safely()
            connection_sudo._update_problem_call()
        else:
            connection_sudo._schedule("process")
        return row_sudo.sudo(False)

    def _read_one(self, text):
        """The payload of the invoice this text means."""
        _ = self.env._
        guid = _GUID.search(text)
        shortcode = _SHORTCODE.search(text)
        if guid and shortcode and self.tenant_shortcode not in (False, shortcode[0]):
            raise UserError(_("This link belongs to another organisation than %s.", self.tenant_name))
        if not guid and "://" in text:
            raise UserError(_("This link names no invoice. Open the invoice in Xero and copy the address of its page."))
        try:
            with self._client() as client:
                found = client.invoices(ids=[guid[0]]) if guid else client.invoices(numbers=[text])
        except errors.XeroMissing:
            found = []
        except errors.XeroError as error:
            raise UserError(self._refusal_text(error)) from None
        if not guid:
            # Xero takes a comma for the next number.
            found = [invoice for invoice in found if _same_text(invoice.get("InvoiceNumber"), text)]
        sales = [invoice for invoice in found if invoice.get("Type") == "ACCREC"]
        if not found:
            raise UserError(_("%(organisation)s has no invoice %(text)s.", organisation=self.tenant_name, text=text))
        return (sales or found)[0]

    # === FROM A DATE === #

    def _estimate(self, start_date):
        """What importing from this date would cost. One call.

        :return: ``(invoices, new ones among them, calls at most)``
        :raise XeroError: when Xero cannot be asked
        """
        self.ensure_one()
        with self._client() as client:
            # Pages of one invoice each: their number is the number of invoices.
            _invoices, count = client.invoices_page(start_date=start_date, page_size=1)
            count = count if _invoices else 0
        known = self.env["xero.record"].search_count(
            [
                ("connection_id", "=", self.id),
                ("direction", "=", "in"),
                ("resource", "=", "invoice"),
                ("document_date", ">=", start_date),
            ]
        )
        fresh = max(count - known, 0)
        pages = math.ceil(count / const.PAGE_SIZE)
        return count, fresh, pages + math.ceil(fresh / const.CONTACTS_PER_CALL) + fresh * self._calls_per_import()

    def _start_backfill(self, start_date, expected):
        """Begin again at this date; what is known stays as it is, and goes on being followed."""
        # sudo: who may import from a date has been asked; the watermark is nobody's to write
        self.sudo().write(
            {
                "import_from": self.import_from and min(self.import_from, start_date),
                "watermark": False,
                # to the microsecond, as the rows' own time: what came by hand a moment ago does not count
                "backfill_started": formats.utc_now(),
                "backfill_total": expected,
                "backfill_read": False,
            }
        )
        self._ring()


def _same_text(one, other):
    return formats.text(one).casefold() == formats.text(other).casefold()
