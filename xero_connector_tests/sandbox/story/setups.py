"""The warehouses, and the five set-ups customers describe (requirements.md), one organisation each."""
from dataclasses import dataclass, field
from typing import NamedTuple


class Warehouse(NamedTuple):
    """Code (at most five characters), name and where it stands."""

    code: str
    name: str
    street: str
    city: str
    state: str
    zip: str
    country: str


class Rule(NamedTuple):
    """A row of the reference mapping, in the order it is tried; `warehouse` is a code, None for `ignore`."""

    reference_contains: str
    action: str
    warehouse: str | None


WAREHOUSES = [
    Warehouse("AKL", "Auckland warehouse", "14 Ormiston Road", "Auckland", "", "2019", "NZ"),
    Warehouse("MEL", "Melbourne warehouse", "220 Boundary Road", "Melbourne", "VIC", "3028", "AU"),
    Warehouse("GCW", "Gold Coast warehouse", "5 Millaroo Drive", "Gold Coast", "QLD", "4212", "AU"),
    Warehouse("BRS", "Bristol warehouse", "Unit 3, Avonmouth Way", "Bristol", "", "BS11 9FF", "GB"),
]


@dataclass(frozen=True)
class Setup:
    """One connection of the demo and the organisation behind it.

    `settings` are fields of `xero.connection`; `warehouse` is the code of the default warehouse or None; `customer` the
    partner whose goods these are (owner) or None; `allowed_warehouses` the codes that customer may use, None for all.
    What is left of it describes the organisation's books.
    """

    organisation: str
    country: str
    currency: str
    connection: str
    settings: dict
    rules: list
    warehouse: str | None = None
    customer: str | None = None
    allowed_warehouses: tuple | None = None
    tenant_id: str = ""
    prefix: str = "INV-"
    ranges: tuple = ()
    references: dict = field(default_factory=dict)
    inclusive: float = 0.0
    foreign: tuple = ()


def _settings(trigger="authorised", target="sale_order", confirm=False, note="none", unmatched="ignore", pdf=True):
    return {"trigger_status": trigger, "order_target": target, "order_confirm": confirm, "note_target": note,
            "unmatched_action": unmatched, "attach_pdf": pdf, "accept_incomplete_address": False}


# `references`: how often a kind of reference comes; {n} is a running number
SETUPS = [
    Setup(  # 1: some of my orders use the warehouse, I deliver most myself
        organisation="Harbour Trading Co", country="NZ", currency="NZD", connection="Harbour Trading, some orders",
        settings=_settings(), rules=[Rule("3PL", "import", "AKL")], tenant_id="a1c0de00-0001-4000-8000-000000000001",
        prefix="INV-", ranges=("BTL", "MUG", "CND", "BLK"), inclusive=0.2, foreign=("AUD", 0.92, "AU"),
        references={"PO {n} 3pl Auckland": 8, "3PL / shop {n}": 4, "PO {n}": 7, "Phone order {n}": 3, "": 1}),
    Setup(  # 2: all mapped orders, two warehouses, unmarked ones ignored; the more specific rule first
        organisation="Drink Bottle Distribution Pty Ltd", country="AU", currency="AUD",
        connection="Drink Bottle Distribution, two warehouses",
        settings=_settings(trigger="paid", note="delivery"),
        rules=[Rule("Drink Bottle Distribution - GC", "import", "GCW"),
               Rule("Drink Bottle Distribution", "import", "MEL")],
        tenant_id="a1c0de00-0002-4000-8000-000000000002", prefix="DBD-", ranges=("BTL", "MUG", "STV"), inclusive=0.8,
        foreign=("USD", 0.66, "US"),
        references={"PO {n} Drink Bottle Distribution - GC": 6, "Drink Bottle Distribution PO {n}": 8,
                    "drink bottle distribution - gc {n}": 2, "Own van {n}": 3}),
    Setup(  # 3: always the warehouse, two sites, unmarked ones still captured
        # The last rule is a leftover: the site is not theirs any more, which is how access limits show themselves.
        organisation="Southern Cross Outdoor Pty Ltd", country="AU", currency="AUD",
        connection="Southern Cross Outdoor, two sites",
        settings=_settings(target="picking", note="packing", unmatched="default"),
        rules=[Rule("Gold Coast", "import", "GCW"), Rule("Old Auckland depot", "import", "AKL")],
        warehouse="MEL", customer="Southern Cross Outdoor", allowed_warehouses=("MEL", "GCW"),
        tenant_id="a1c0de00-0003-4000-8000-000000000003", prefix="SCO-", ranges=("TNT", "BAG", "STV", "BTL"),
        inclusive=0.3, references={"Gold Coast store {n}": 5, "PO {n} GOLD COAST": 3, "PO {n}": 8, "": 3}),
    Setup(  # 4: no special reference, everything to one warehouse
        organisation="Pennine Tea & Pantry Ltd", country="GB", currency="GBP", connection="Pennine Tea, everything",
        settings=_settings(confirm=True, note="packing", unmatched="default"), rules=[], warehouse="BRS",
        tenant_id="a1c0de00-0004-4000-8000-000000000004", prefix="PTP", ranges=("TEA", "JAM", "MUG"), inclusive=0.6,
        foreign=("USD", 1.27, "US"), references={"PO {n}": 6, "Web order {n}": 8, "": 4}),
    Setup(  # 5: one warehouse for nearly all, now and then an order they must not touch
        organisation="Kauri Home & Garden Ltd", country="NZ", currency="NZD", connection="Kauri Home & Garden",
        settings=_settings(note="delivery", unmatched="default", pdf=False),
        rules=[Rule("pick up", "ignore", None)], warehouse="AKL", tenant_id="a1c0de00-0005-4000-8000-000000000005",
        prefix="KHG-", ranges=("POT", "TUL", "CND", "BLK"), inclusive=0.5, foreign=("AUD", 0.92, "AU"),
        references={"PO {n}": 9, "Web {n}": 6, "Customer Pick Up {n}": 2, "": 2}),
]
