"""What is known about one invoice on its way to becoming an order. Plain values, no database access."""

from dataclasses import dataclass, field
from typing import Any

from ..lib.contact import XeroContact
from ..lib.errors import Problem
from ..lib.invoice import XeroInvoice

# What ``xero.connection.order_target`` makes.
DOCUMENT_MODELS = {"sale_order": "sale.order", "picking": "stock.picking"}


@dataclass
class Route:
    """Where an invoice goes, or why it goes nowhere.

    :param warehouse: ``stock.warehouse`` record
    :param rule: the ``xero.warehouse.mapping`` that decided, empty when the default did
    :param skip_code: key of ``const.PROBLEM_CODES`` when it is not imported
    :param reason: a sentence for the order, or for the log when it is skipped
    """

    warehouse: Any = None
    rule: Any = None
    skip_code: str = ""
    reason: str = ""


@dataclass
class ImportDraft:
    """One row on its way through the mapper.

    ``values`` (for ``create``) and ``problems`` are what the mapper adds: with any problem nothing is created, with
    neither there is nothing to ship. ``partner`` is the contact's, where it is known; ``ship_to`` holds the delivery
    address's values.
    """

    row: Any
    invoice: XeroInvoice
    route: Route
    contact: XeroContact | None = None
    partner: Any = None
    ship_to: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def fresh(self):
        """The same draft as it was before the mapper."""
        return ImportDraft(row=self.row, invoice=self.invoice, route=self.route, contact=self.contact)
