"""What changed about a document since it was sent."""

from dataclasses import dataclass, field, replace

from ..lib import formats, outgoing
from .export_mapper import DraftLine
from .export_source import NOTHING


@dataclass
class ExportChanges:
    """``taken``: per row that was sent, :class:`DraftLine` that take something of it back; ``added``:
    :class:`SourceLine` to be sent on top; ``raised``: ``(SourceLine, sent line, by how much)`` for higher prices."""

    taken: dict = field(default_factory=dict)
    added: list = field(default_factory=list)
    raised: list = field(default_factory=list)

    def __bool__(self):
        return bool(self.taken or self.added or self.raised)

    def take(self, line):
        self.taken.setdefault(line.sent.record_id, []).append(line)

    def draft_of_added(self, mapper, source, part):
        """The further invoice for what is to be sent on top."""
        lines = [*self.added, *(line for line, _sent, _change in self.raised)]
        draft = mapper.draft(source, "invoice", part, lines=lines)
        for each in draft.lines:
            for line, sent, change in self.raised:
                if each.source is line:
                    each.sent, each.price_change, each.taken = sent, change, NOTHING
        return draft


def changes_of(rows, source):
    """Compare a document with what Xero has of it.

    :param rows: its outbound rows
    :param source: the document as it is now
    :rtype: ExportChanges
    """
    changes = ExportChanges()
    sent = rows.filtered(lambda row: row.resource == "invoice" and row.external_id).line_ids
    sent = sent.filtered(lambda line: line.source_id and not line.sent_id and line.source_quantity)
    by_source = sent.grouped("source_id")
    prices_count = rows[-1:].connection_id.price_source == "odoo"
    now = {line.record.id: line for line in source._xero_bill_lines() if not line.is_text}
    for source_id, lines in by_source.items():
        line = now.pop(source_id, None)
        _compare(changes, lines, line, prices_count)
    changes.added += [line for line in now.values() if line.quantity]
    return changes


def _compare(changes, sent, line, prices_count):
    """:param sent: the lines one line of Odoo was sent as, in their order; ``line``: as it is now, None where gone"""
    left = {each: each._left() for each in sent}
    # What somebody voided in Xero bills nothing: there is nothing to take back, and it is not billed again either.
    living = sent.filtered(lambda line: not line.record_id._is_gone())
    had, wants = sum(left.values(), NOTHING), line.quantity if line else NOTHING
    if line and line.is_same_quantity(had):
        wants = had
    # A quantity may be less than nothing: what came back on an order of its own.
    sign = -1 if had < 0 else 1
    too_many = (had - wants) * sign
    # What was sent last goes first.
    for each in living.sorted(lambda line: (line.record_id.part, line.id), reverse=True):
        goes = min(too_many, left[each] * sign)
        if goes > 0:
            changes.take(_taking(each, goes * sign))
            left[each] -= goes * sign
            too_many -= goes
    if too_many < 0 and line:
        changes.added.append(line.of(-too_many * sign))
    if not line or not prices_count:
        return
    for each in living:
        cheaper = each._price_now() - line.price
        if not left[each] or not outgoing.four_places(cheaper):
            continue
        if cheaper > 0:
            changes.take(_taking(each, left[each], cheaper))
        else:
            changes.raised.append((line.of(left[each], -cheaper), each, -cheaper))


def _taking(sent, quantity, cheaper=None):
    """What takes this quantity of a sent line back, or so much of its price on this quantity.

    :param sent: ``xero.record.line``
    :param cheaper: in Odoo's terms, without discount
    """
    line = sent._as_sent()
    full = outgoing.number(sent.source_quantity)
    xero_quantity = quantity * outgoing.number(sent.quantity) / full
    price = sent._price_now() if cheaper is None else cheaper
    if cheaper is None and price == outgoing.number(sent.source_price):
        line = replace(line, quantity=xero_quantity, unit_amount=outgoing.number(sent.unit_amount))
    else:
        line = replace(line, quantity=xero_quantity, unit_amount=sent._unit_at(price), discount=NOTHING)
    record = sent.env[sent.source_model].browse(sent.source_id).exists()
    if record and record.product_id == sent.product_id:
        odoo_total = record._xero_line().of(quantity, price).total
    else:
        odoo_total = formats.cents(outgoing.number(sent.odoo_total) * quantity / full)
    return DraftLine(
        line,
        sent.account_line_id,
        sent.tax_line_id,
        sent=sent,
        taken=-quantity if cheaper is None else NOTHING,
        price_change=NOTHING if cheaper is None else -cheaper,
        odoo_total=odoo_total,
    )
