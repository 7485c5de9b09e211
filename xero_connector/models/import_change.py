"""What a newer version of an invoice asks of the document made of an older one. Plain values, no database access."""

from dataclasses import dataclass, field
from typing import Any

from .import_draft import ImportDraft


@dataclass
class LineChange:
    """One line of the invoice that became another.

    :param records: the document's lines made of it (an order line, or the moves of a transfer), empty for an added one
    :param dict before: the values its older version stands for, None for an added line
    :param dict after: those of the newer one, None for a removed line
    """

    records: Any
    before: dict | None
    after: dict | None

    @property
    def values(self):
        """What the newer version changed, by field."""
        return {key: value for key, value in self.after.items() if (self.before or {}).get(key) != value}


@dataclass
class ChangePlan:
    """How a document follows its invoice.

    :param ImportDraft old: the version the document stands for
    :param ImportDraft new: the version to follow
    :param list differences: sentences that say what changed in Xero
    :param list conflicts: sentences that say what somebody changed in Odoo as well
    :param list standing: what stands here of the older version: ``(XeroLine, records, values)``
    :param bool moves_goods: whether other goods, or to another place, are to be shipped
    :param bool needs_rebuild: whether warehouse or customer change, which no transfer can follow
    """

    old: ImportDraft
    new: ImportDraft
    lines: list[LineChange] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    standing: list[tuple] = field(default_factory=list)
    moves_goods: bool = False
    needs_rebuild: bool = False

    @property
    def contact_changed(self):
        return self.old.invoice.contact_id != self.new.invoice.contact_id

    @property
    def reference_changed(self):
        return self.old.invoice.reference != self.new.invoice.reference
