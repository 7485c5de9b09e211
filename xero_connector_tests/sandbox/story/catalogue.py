"""What the organisations sell: the products Odoo knows."""
from typing import NamedTuple


class Product(NamedTuple):
    """Internal reference, name (at most 50 characters, as Xero wants), list price, and `goods` or `service`."""

    code: str
    name: str
    price: float
    kind: str = "goods"


_RANGES = {
    "BTL": ("Drink bottle", [("350", "350 ml", 18.50), ("500", "500 ml", 21.90), ("750", "750 ml", 24.90),
                             ("1000", "1 litre", 29.50)],
            [("S", "steel", 1.0), ("M", "matt black", 1.1), ("G", "green", 1.05), ("K", "kids", 0.85)]),
    "MUG": ("Travel mug", [("240", "240 ml", 16.00), ("350", "350 ml", 19.00), ("470", "470 ml", 23.00)],
            [("C", "ceramic", 1.2), ("S", "steel", 1.0), ("B", "bamboo", 0.9)]),
    "TNT": ("Tent", [("2P", "two people", 289.00), ("4P", "four people", 459.00)],
            [("L", "light", 1.3), ("C", "classic", 1.0), ("W", "winter", 1.6)]),
    "BAG": ("Sleeping bag", [("S", "short", 119.00), ("R", "regular", 129.00), ("T", "tall", 139.00)],
            [("5", "+5 C", 1.0), ("M5", "-5 C", 1.4), ("M15", "-15 C", 1.9)]),
    "STV": ("Camp stove", [("1", "one burner", 79.00), ("2", "two burners", 139.00)],
            [("G", "gas", 1.0), ("M", "multi-fuel", 1.5)]),
    "TEA": ("Tea", [("100", "100 g", 7.40), ("250", "250 g", 15.20), ("1K", "1 kg", 48.00)],
            [("BF", "English breakfast", 1.0), ("EG", "Earl Grey", 1.05), ("GR", "green", 1.2),
             ("PM", "peppermint", 0.9), ("RB", "rooibos", 1.1)]),
    "JAM": ("Preserve", [("110", "110 g", 3.90), ("340", "340 g", 6.80)],
            [("ST", "strawberry", 1.0), ("RA", "raspberry", 1.05), ("OM", "orange marmalade", 0.95),
             ("QU", "quince", 1.3), ("FI", "fig", 1.25)]),
    "POT": ("Planter", [("12", "12 cm", 9.90), ("20", "20 cm", 19.90), ("35", "35 cm", 44.00)],
            [("T", "terracotta", 1.0), ("Z", "zinc", 1.5), ("G", "glazed", 1.3), ("F", "felt", 0.8)]),
    "TUL": ("Garden tool", [("SP", "spade", 49.00), ("FK", "fork", 52.00), ("RK", "rake", 38.00),
                            ("TR", "trowel", 17.50)],
            [("A", "ash", 1.0), ("F", "fibreglass", 1.15), ("S", "stainless", 1.4)]),
    "CND": ("Candle", [("S", "small", 12.00), ("L", "large", 26.00)],
            [("CE", "cedar", 1.0), ("LI", "lime", 1.0), ("VA", "vanilla", 0.95), ("FG", "fig", 1.1)]),
    "BLK": ("Blanket", [("TH", "throw", 69.00), ("QN", "queen", 149.00)],
            [("WO", "wool", 1.3), ("CO", "cotton", 1.0), ("RE", "recycled", 0.9)]),
}
SERVICES = [
    Product("FREIGHT", "Freight", 12.00, "service"),
    Product("FRTEXP", "Express freight", 28.00, "service"),
    Product("GIFTWRAP", "Gift wrapping", 5.00, "service"),
    Product("ASSEMBLY", "Assembly on site", 85.00, "service"),
]


def _goods():
    for prefix, (name, sizes, finishes) in _RANGES.items():
        for size_code, size, price in sizes:
            for code, finish, factor in finishes:
                yield Product(f"{prefix}-{size_code}-{code}", f"{name} {size} {finish}", round(price * factor, 2))


GOODS = list(_goods())
CATALOGUE = GOODS + SERVICES
BY_CODE = {product.code: product for product in CATALOGUE}


def goods_of(prefixes):
    """The goods whose code starts with one of `prefixes`."""
    return [product for product in GOODS if product.code.split("-")[0] in prefixes]
