"""Five believable organisations: what is in their Xero, and what the warehouse should make of it.

Pure Python without Odoo. The demo sets up Odoo from `WAREHOUSES`, `CATALOGUE` and `SETUPS`; `build(fake, today)` fills
the fake Xero with the same companies and says for each sales invoice what is to become of it. `open_tableware(fake)`
adds a sixth, whose two catalogues are to become one, `open_fulfilment(fake)` a seventh: the warehouse's own books.
"""
from .build import build
from .catalogue import CATALOGUE, Product
from .decide import Expected
from .fulfilment import open_fulfilment
from .setups import SETUPS, WAREHOUSES, Rule, Setup, Warehouse
from .tableware import open_tableware

__all__ = [
    "CATALOGUE",
    "SETUPS",
    "WAREHOUSES",
    "Expected",
    "Product",
    "Rule",
    "Setup",
    "Warehouse",
    "build",
    "open_fulfilment",
    "open_tableware",
]
