import logging

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models

from .. import const
from ..lib import item
from .item_plan import ItemPlan, plan
from .product_terms import ProductTerms

_logger = logging.getLogger(__name__)


class XeroRecord(models.Model):
    """Items of Xero: each finds its product, and both are compared field by field."""

    _inherit = "xero.record"

    # === BATCH === #

    @api.model
    def _compare_items(self, connection):
        """Compare one batch: items that changed in Xero, and products that changed here.

        :return: whether there was anything to do
        """
        rows = self.search(
            [
                *connection._item_rows_domain(),
                ("state", "=", "pending"),
                "|",
                ("next_attempt", "=", False),
                ("next_attempt", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=const.BATCH_SIZE,
        )
        changes = self.env["xero.product.change"]
        products = changes._next(connection).with_env(connection.env)
        if not rows and not products:
            return False
        pairs = rows.with_env(connection.env)._pair_items(connection, products)
        self._compare_safely(connection, pairs)
        changes._forget(connection, products.union(*(pair.product for pair in pairs)))
        return True

    @api.model
    def _compare_safely(self, connection, pairs):
        """All at once; when that fails, each alone, so that one bad pair costs itself and nothing else."""
        try:
            with self.env.cr.savepoint():
                products = connection.env["product.product"].union(*(pair.product for pair in pairs))
                terms = ProductTerms(connection, products)
                eligible = products.filtered_domain(connection._item_domain())
                plans = [(pair, pair.row._compare_pair(connection, terms, pair, eligible)) for pair in pairs]
                to_send = [pair for pair, done in plans if done.pushes]
                self._put_out(connection, {pair.product: pair.binding.external_id for pair in to_send})
                told = {pair.product.id: Markup("<br/>").join(done.told) for pair, done in plans if done.told}
                products.browse(told)._xero_tell(told)
                self.env.flush_all()
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 it ends in the row, with its details
            if len(pairs) == 1:
                pairs[0].row._fail_with(connection, error)
                return
            _logger.info("connection %s: %s items failed together, going one by one", connection.id, len(pairs))
            for pair in pairs:
                self._compare_safely(connection, [pair])

    def _compare_pair(self, connection, terms, pair, eligible):
        """Bring one pair as far as it goes here: what Xero wins is written.

        :return: what was found, and is left to be done
        :rtype: ItemPlan
        """
        _ = connection.env._
        if not pair.product.active:
            reason = _("The product is archived in Odoo. Nothing is exchanged; the item stays in Xero as it is.")
            self._compared(pair.product, "archived_here", reason)
            return ItemPlan()
        if pair.product not in eligible:
            reason = _("The product is kept out: by its own switch, or by the connection's filter.")
            self._compared(pair.product, "kept_out", reason)
            return ItemPlan()
        if connection.item_sync == "none":
            self._compared(pair.product)
            return ItemPlan()
        # Taxes first: they say what a price includes.
        done = self._take_over(connection, terms, pair, item.TAXES)
        done += self._take_over(connection, terms, pair, [name for name in item.FIELDS if name not in item.TAXES])
        self._compared(pair.product, reason="\n".join(done.lines))
        return done

    @api.model
    def _take_over(self, connection, terms, pair, names):
        """Compare these fields, and write what Xero wins."""
        done, xero, odoo = plan(connection, terms, pair, names)
        if done.pulls:
            terms.put(pair.product, pair.binding.uom_id, done.pulls)
            odoo = terms.of(pair.product, pair.binding.uom_id)
        agreed = done.settled | set(done.pulls)
        pair.binding._settle({name: xero[name] for name in agreed}, {name: odoo[name] for name in agreed})
        return done

    def _compared(self, product, skip_code=False, reason=False):
        """The end of a comparison, where it is another than the last one."""
        outcome = {
            "state": "skipped" if skip_code else "done",
            "problem_code": skip_code,
            "reason": reason or False,
            "res_model": product._name,
            "res_id": product.id,
            "wants_suggestion": False,
        }
        if any(self[name] != value for name, value in outcome.items()):
            self.write(
                outcome
                | {
                    "attempts": self.attempts + 1,
                    "next_attempt": False,
                    "problem_subject": False,
                    "mending": False,
                    "traceback": False,
                    "done_at": fields.Datetime.now(),
                }
            )

    # === GONE === #

    def _note_gone_items(self, connection, listed):
        """After the whole list was read: those of these items that are not in it were deleted in Xero. An empty
        list where there was one is not believed."""
        gone = self.exists().filtered(lambda row: row.external_id not in listed and row.problem_code != "deleted")
        if not listed and gone:
            _logger.warning("connection %s: Xero listed no item, which is not believed", connection.id)
            return
        for row in gone:
            row._lose_item(connection)

    def _lose_item(self, connection):
        """The item was deleted in Xero: its product is bound to nothing any more, and not sent again by itself."""
        _ = connection.env._
        bindings = self.env["xero.binding"].search(
            [("connection_id", "=", connection.id), ("resource", "=", "item"), ("external_id", "=", self.external_id)]
        )
        reason = _("The item was deleted in Xero.")
        for binding in bindings:
            product = connection.env[binding.res_model].browse(binding.res_id).exists()
            if product and not binding.is_shared:
                reason = f"{reason} {self._part_with(connection, product)}"
        bindings.unlink()
        self._skip("deleted", reason)

    def _part_with(self, connection, product):
        """What becomes of the product of an item that was deleted: a sentence."""
        _ = connection.env._
        out = self._outbox_rows(connection, product)
        out._skip("deleted", _("The item was deleted in Xero. “Create in Xero” makes a new one."))
        out.write({"external_id": False, "request_key": False})
        if connection.item_gone_action == "keep" or not product.active:
            return _("%s is not exchanged any more.", product.display_name)
        if product.is_storable and product.qty_available:
            return _("%s is in stock and was left as it is.", product.display_name)
        product.action_archive()
        return _("%s was archived.", product.display_name)
