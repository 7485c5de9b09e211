"""The demo's day.

Odoo's and the fake's clocks tell UTC's time, and the demo's people live by it (demo_setup): with any other zone an
invoice "of today" would be tomorrow's or yesterday's for somebody during some hours.
"""

from datetime import date, datetime, timezone


def now() -> datetime:
    """Without a zone, as Odoo keeps its moments."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def today() -> date:
    return now().date()
