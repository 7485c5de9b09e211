"""T8_route_share: what a thousand warehouse rules cost, in the worst case: only the last one fits."""

import time
from contextlib import contextmanager
from unittest import mock

from odoo.fields import Command

from .figures import Figure
from .gauges import measured, middle
from .site import Site

ROUNDS = 3
RULES = 1000
CONTACTS = 50
FITTING = f'rule {RULES - 1:04}'


def measure(env, books, task: dict) -> list[Figure]:
    number = task['invoices']
    site = Site(env, books)
    connection, organisation = site.connect("Rules", CONTACTS, mapping_ids=[
        Command.create({
            'sequence': position, 'reference_contains': f'rule {position:04}', 'action': 'import',
            'warehouse_id': site.warehouse.id,
        }) for position in range(RULES)
    ])
    rounds = []
    for _turn in range(ROUNDS + 1):
        organisation.add_invoices(number, reference=f'PO for {FITTING},')
        site.ring(connection)
        with _routing(env.registry['xero.record']) as routing, measured() as whole:
            site.import_news(connection)
        site.check(connection, organisation)
        rounds.append((sum(routing), whole.seconds))
    rounds = rounds[1:]
    share = Figure('T8_route_share', middle(routing / whole for routing, whole in rounds), 0.02, 'of the time')
    share.add('routing', middle(routing for routing, _whole in rounds) * 1000 / number, 'ms/order')
    share.add('ours', middle(whole for _routing, whole in rounds) * 1000 / number, 'ms/order')
    share.add('rules', RULES, 'rules')
    return [share]


@contextmanager
def _routing(records):
    """Yield the seconds each batch's routing takes, reading the rules included, reading the invoices not."""
    route, seconds = records._route, []

    def timed(rows, *args):
        rows.mapped('payload')
        started = time.perf_counter()
        try:
            return route(rows, *args)
        finally:
            seconds.append(time.perf_counter() - started)

    with mock.patch.object(records, '_route', timed):
        yield seconds
