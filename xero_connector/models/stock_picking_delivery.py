from odoo import fields, models
from odoo.tools import format_date

from .. import const
from ..lib import formats


class StockPicking(models.Model):
    """What is told to Xero about a transfer that is done."""

    _inherit = "stock.picking"

    def _action_done(self):
        result = super()._action_done()
        # sudo: whoever ships knows nothing of connections or of the log
        self.env["xero.record"].sudo()._put_notes_out(self.sudo().filtered(lambda picking: picking.state == "done"))
        return result

    def _xero_delivery_note(self, connection):
        """The note on this transfer, '' where nothing of it left for a customer or came back from one.

        :param connection: in its company and language
        """
        self.ensure_one()
        picking = self.with_env(connection.env)
        moves = picking.move_ids.filtered(lambda move: move.state == "done" and move.quantity)
        delivered = moves.filtered(lambda move: move.location_dest_id.usage == "customer")
        returned = moves.filtered(lambda move: move.location_id.usage == "customer")
        both = delivered & returned
        told = [
            *picking._xero_told_of(picking.env._("Delivered"), delivered - both),
            *picking._xero_told_of(picking.env._("Returned"), returned - both),
        ]
        note = formats.text("\n".join(told))
        return note if len(note) <= const.NOTE_LENGTH else f"{note[: const.NOTE_LENGTH - 1]}…"

    def _xero_told_of(self, verb, moves):
        """The lines of a note on these moves of the transfer."""
        if not moves:
            return
        zone = self.company_id.partner_id.tz or self.env.user.tz or "UTC"
        moment = fields.Datetime.context_timestamp(self.with_context(tz=zone), self.date_done)
        yield self.env._(
            "%(verb)s: %(transfer)s, %(date)s", verb=verb, transfer=self.name, date=format_date(self.env, moment.date())
        )
        if carrier := self._xero_carrier():
            yield self.env._("Carrier: %s", carrier)
        quantities = {}
        for move in moves:
            key = (move.product_id, move.product_uom)
            quantities[key] = quantities.get(key, 0) + formats.decimal(move.quantity)
        for (product, uom), quantity in quantities.items():
            yield f"{formats.short(quantity)} {uom.name} {product.display_name}"

    def _xero_carrier(self):
        """Carrier and tracking reference, as far as the addons for them are installed; '' without."""
        values = [self.carrier_id.name] if "carrier_id" in self._fields else []
        values += [self.carrier_tracking_ref] if "carrier_tracking_ref" in self._fields else []
        return ", ".join(filter(None, values))
