from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_is_zero

from ..lib import formats
from ..lib.changes import pair_lines
from .import_change import ChangePlan, LineChange

# Fields of a line that follow along and are no difference to tell anybody.
_SILENT = {"xero_line_id", "technical_price_unit"}


class XeroDocumentMixin(models.AbstractModel):
    """How an order or a transfer follows its invoice after the import."""

    _inherit = "xero.document.mixin"

    # === ACTIONS === #

    def action_xero_apply(self):
        """Do here what changed in Xero."""
        self._xero_row_to_decide()._apply_change()

    def action_xero_keep(self):
        """Leave this document as it is, whatever Xero says."""
        self._xero_row_to_decide()._keep_document()

    def action_xero_cancel(self):
        """Cancel the document, as the invoice asks for something else or for nothing any more."""
        self._xero_row_to_decide()._cancel_document()

    def action_xero_undo(self):
        """Take the last decision back."""
        self._xero_row_to_decide()._undo_change()

    def _xero_row_to_decide(self):
        self.ensure_one()
        self.check_access("write")
        # sudo: whoever may change the document may decide about it; its order or the log may be others' to write
        row_sudo = self.sudo()._xero_rows().get(self.id)
        if not row_sudo:
            raise UserError(self.env._("The sync log knows nothing of this document any more."))
        return row_sudo

    # === STATE === #

    def _xero_transfers(self):
        """All transfers that ship this document's goods."""
        raise NotImplementedError

    def _xero_open_transfers(self):
        return self._xero_transfers().filtered(lambda picking: picking.state not in ("done", "cancel"))

    def _xero_refuse_when_shipped(self, transfers):
        if any(picking.state == "done" for picking in transfers):
            raise UserError(
                self.env._(
                    "A part of this is shipped or on its way already, so it cannot go to another place. Settle the "
                    "rest by hand, then choose Keep as it is."
                )
            )

    def _xero_is_cancelled(self):
        return self.state == "cancel"

    def _xero_living_first(self):
        """These documents, those that are not cancelled before the others."""
        return self.sorted(lambda document: document.state == "cancel")

    def _xero_progress(self):
        """How far the goods are: ``untouched``, ``started``, ``done`` or ``cancelled``.

        A printed picking list, a ticked move or a running batch is a beginning, too: somebody has it in hand.
        """
        self.ensure_one()
        if self._xero_is_cancelled():
            return "cancelled"
        transfers = self._xero_transfers().filtered(lambda picking: picking.state != "cancel")
        if transfers and all(picking.state == "done" for picking in transfers):
            return "done"
        return "started" if any(picking._xero_is_in_hand() for picking in transfers) else "untouched"

    # === PLAN === #

    def _xero_plan(self, connection, old, new):
        """Compare two versions of this document's invoice, and both with what stands here. Writes nothing; what forbids
        the newer version is in ``new.problems``.

        :param ImportDraft old: the version this document stands for
        :param ImportDraft new: the version to follow
        :rtype: ChangePlan
        """
        self.ensure_one()
        plan = ChangePlan(old, new)
        self._xero_prepare(connection, [new])
        self._xero_plan_header(plan)
        codes = {line.item_code for draft in (old, new) for line in draft.invoice.lines if line.item_code}
        products = self.env["product.product"]._xero_find_by_code(connection, codes)
        taxes = self.env["account.tax"]._xero_sale_taxes(connection.company_id)
        pairs = pair_lines(old.invoice.lines, new.invoice.lines)
        named = self._xero_lines().grouped("xero_line_id")
        before = {}
        for line in old.invoice.lines:
            values = self._xero_line_values(connection, old.invoice, line, products, taxes)
            record = named.get(line.id) if line.id else None
            if record and record.product_id and not (values or {}).get("product_id"):
                # Its code means nothing any more; what stands here is what it meant.
                values = self._xero_values_of(record[:1], line)
            before[id(line)] = values
        records = self._xero_line_records(before)
        unclaimed = self._xero_lines() - self._xero_no_lines().union(*records.values())
        for old_line, new_line in pairs:
            change = LineChange(
                records=records.get(id(old_line), self._xero_no_lines()),
                before=before.get(id(old_line)),
                after=new_line and self._xero_line_values(connection, new.invoice, new_line, products, taxes),
            )
            if change.after and not change.before:
                # Somebody may have added it here, too.
                change.records = self._xero_twin(unclaimed, change.after)
                unclaimed -= change.records
            self._xero_plan_line(plan, change, old_line, new_line)
        plan.standing = [
            (line, records[id(line)], before[id(line)]) for line in old.invoice.lines if id(line) in records
        ]
        return plan

    def _xero_values_of(self, record, line):
        """The values of an older line of the invoice, as the document's line tells them."""
        uom_field = "product_uom_id" if "product_uom_id" in record._fields else "product_uom"
        return {
            "xero_line_id": line.id,
            "product_id": record.product_id.id,
            "product_uom_qty": float(line.quantity),
            uom_field: record[uom_field].id,
        }

    def _xero_twin(self, lines, values):
        """The first of these lines that ships the same product as the values, empty when none does."""
        same = (line for line in lines if values.get("product_id") and self._xero_is_line(line, values))
        return next((line for line in same if self._xero_current(line, "product_uom_qty")), self._xero_no_lines())

    def _xero_plan_header(self, plan):
        _ = self.env._
        old, new = plan.old.invoice, plan.new.invoice
        if plan.contact_changed:
            plan.differences.append(_("Contact: %(old)s → %(new)s", old=old.contact_name, new=new.contact_name))
        if plan.reference_changed:
            plan.differences.append(_("Reference: “%(old)s” → “%(new)s”", old=old.reference, new=new.reference))
            warehouse = plan.new.route.warehouse
            if warehouse and warehouse != self._xero_warehouse():
                difference = _("Warehouse: %(old)s → %(new)s", old=self._xero_warehouse().name, new=warehouse.name)
                plan.differences.append(difference)
                plan.needs_rebuild = True
        if old.text_lines != new.text_lines:
            plan.differences.append(_("Notes: %s", " · ".join(new.text_lines) or _("none")))
        plan.needs_rebuild = plan.needs_rebuild or plan.contact_changed
        plan.moves_goods = plan.needs_rebuild

    def _xero_plan_line(self, plan, change, old_line, new_line):
        if change.before == change.after:
            return
        plan.lines.append(change)
        keys = set(change.values) - _SILENT if change.before and change.after else {"product_uom_qty", "product_id"}
        if not keys:
            return
        is_text = not any((values or {}).get("product_id") for values in (change.before, change.after))
        if not is_text:
            plan.differences.append(self._xero_difference(old_line, new_line))
            plan.moves_goods = plan.moves_goods or self._xero_moves_goods(change, keys)
        if not is_text and (change.before or change.records):
            plan.conflicts += self._xero_line_conflicts(change, keys, old_line or new_line)

    def _xero_moves_goods(self, change, keys):
        ids = {values["product_id"] for values in (change.before, change.after) if (values or {}).get("product_id")}
        has_goods = any(product.type == "consu" for product in self.env["product.product"].browse(ids))
        return has_goods and bool(keys & {"product_id", "product_uom_qty", "product_uom_id", "product_uom"})

    def _xero_line_conflicts(self, change, keys, old_line):
        """What this line says that is neither the older nor the newer version: somebody changed it here."""
        _ = self.env._
        name = old_line.item_code or old_line.description
        if not change.records:
            return [_("%s was removed here.", name)]
        if not change.before:
            same = _same(self._xero_current(change.records, "product_uom_qty"), change.after["product_uom_qty"])
            return [] if same else [_("%s was added here.", name)]
        wanted = change.after or {"product_uom_qty": 0}
        for key in keys & set(change.before):
            current = self._xero_current(change.records, key)
            if not _same(current, change.before[key]) and not _same(current, wanted.get(key)):
                return [_("%s was changed here.", name)]
        return []

    def _xero_difference(self, old_line, new_line):
        """A sentence about one line."""
        _ = self.env._
        name = (new_line or old_line).item_code or (new_line or old_line).description
        if not old_line:
            return _("%(line)s: added, quantity %(quantity)s", line=name, quantity=formats.short(new_line.quantity))
        if not new_line:
            quantity = formats.short(old_line.quantity)
            return _("%(line)s: removed, quantity was %(quantity)s", line=name, quantity=quantity)
        parts = [
            _("%(what)s %(old)s → %(new)s", what=what, old=old or "–", new=new or "–")
            for what, old, new in (
                (_("item"), old_line.item_code, new_line.item_code),
                (_("quantity"), formats.short(old_line.quantity), formats.short(new_line.quantity)),
                (_("price"), formats.short(old_line.unit_amount), formats.short(new_line.unit_amount)),
                (_("discount %"), formats.short(old_line.discount_rate), formats.short(new_line.discount_rate)),
                (_("text"), old_line.description, new_line.description),
            )
            if old != new
        ]
        # A tax that changed alone is worth a word; else it follows from the rest.
        tax = (formats.short(old_line.tax_amount) or "0", formats.short(new_line.tax_amount) or "0")
        parts = parts or [_("tax %(old)s → %(new)s", old=tax[0], new=tax[1])]
        return f"{name}: {'; '.join(parts)}"

    # === LINES === #

    def _xero_line_records(self, values_by_line):
        """The lines of this document that were made of the invoice's lines.

        :param dict values_by_line: ``id() of the line -> values`` in the invoice's order
        :return: dict ``id() of the line -> records``
        """
        values_by_line = {key: values for key, values in values_by_line.items() if values}
        named = self._xero_lines().grouped("xero_line_id")
        records = {
            key: named[values["xero_line_id"]]
            for key, values in values_by_line.items()
            if values["xero_line_id"] and values["xero_line_id"] in named
        }
        # The rest was imported before lines knew their id, or got new ids in Xero.
        rest = list(self._xero_lines() - self._xero_no_lines().union(*records.values()))
        for key, values in values_by_line.items():
            if key not in records and (line := next((li for li in rest if self._xero_is_line(li, values)), None)):
                rest.remove(line)
                records[key] = line
        return records

    def _xero_is_line(self, line, values):
        return line.product_id.id == (values.get("product_id") or False)

    def _xero_current(self, records, key):
        """The value of a line's field as mappers write it."""
        if records._fields[key].type == "many2one":
            return records[key].id
        if records._fields[key].type == "many2many":
            return [(6, 0, records[key].ids)]
        return records[key]

    def _xero_tell(self, text, details=()):
        """A line in the chatter of this document and its transfers that are not done."""
        items = Markup().join(Markup("<li>%s</li>") % detail for detail in details)
        body = Markup("<p>%s</p>") % text + (Markup("<ul>%s</ul>") % items if items else Markup())
        for document in {self, *self._xero_open_transfers()}:
            document._message_log(body=body)

    def _xero_untick(self):
        """Take back what was ticked as picked beyond what is to be shipped now."""
        for move in self._xero_open_transfers().move_ids:
            if move.picked and move.quantity > move.product_uom_qty:
                move.picked = False
                move._do_unreserve()
                move._action_assign()

    def _xero_follow_number(self, invoice):
        """Let number and date follow: people look for the one that stands in Xero."""
        values = {"xero_invoice_number": invoice.number, "xero_invoice_date": invoice.date}
        for document in {self, *self._xero_open_transfers()}:
            if (document.xero_invoice_number, document.xero_invoice_date) != (invoice.number, invoice.date):
                document.write(values)

    def _xero_follow_text(self, connection, plan):
        """Let reference and instructions follow, where nobody has put something else there."""
        old, new = "\n".join(plan.old.invoice.text_lines), "\n".join(plan.new.invoice.text_lines)
        if old != new:
            self._xero_replace_instructions(connection, old, new)

    def _xero_replace_instructions(self, connection, old, new):
        """Put a text of the invoice in the place of an older one; what people wrote around it stays.

        :param str old: '' adds the new one
        """
        field = self._xero_instructions_field(connection)
        if not field:
            return
        # Read all before the first is written: an order passes its instructions on.
        texts = {document: document[field] or "" for document in {self, *self._xero_open_transfers()}}
        for document, text in texts.items():
            if old and old in text:
                document[field] = text.replace(old, new, 1).strip()
            elif new not in text:
                document[field] = f"{text}\n{new}".strip()


def _same(current, value):
    if isinstance(current, float) or isinstance(value, float):
        return float_is_zero((current or 0) - (value or 0), precision_digits=4)
    if isinstance(current, list) and isinstance(value, list):
        return [sorted(command[2]) for command in current] == [sorted(command[2]) for command in value]
    return (current or False) == (value or False)
