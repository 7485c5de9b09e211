"""Installed where thousands of orders are: none of them is touched, and it costs what it costs in an empty database."""

import re
from contextlib import suppress

from odoo.tests import tagged

from .life_case import LifeCase

with suppress(ImportError):  # Odoo's own runner gets along without
    import pytest

    pytestmark = pytest.mark.slow

ORDERS = 5000
LOADED = re.compile(r"Module xero_connector loaded in ([\d.]+)s, (\d+) queries")
# Each with three lines and a transfer of three moves, as a shop has them that never heard of the addon.
FILL = """
WITH partner AS (
    INSERT INTO res_partner (name, active, lang, type, create_date, write_date, autopost_bills, company_id)
    SELECT 'Customer ' || n, TRUE, 'en_US', 'contact', now(), now(), 'ask', NULL FROM generate_series(1, {orders} / 5) n
 RETURNING id)
"""
