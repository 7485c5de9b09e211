"""T5: what an invoice costs in a database that has seen many, beside one that has seen few.

Two databases in one process, measured in turns: whatever slows the machine slows both.
"""

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from ..sandbox.console import say
from . import seed
from .figures import Figure
from .gauges import measured, middle
from .site import Site

ROUNDS = 9
INVOICES = 100  # of a round: one batch
FIRST = 250  # imported, then copied
COPIES = {'small': seed.Copies(rows=4, orders=4), 'large': seed.Copies(rows=400, orders=80)}
CONTACTS = 50


def measure(env, books, task: dict) -> list[Figure]:
    with Registry(task['databases'][1]).cursor() as cr:
        environments = {'small': env, 'large': api.Environment(cr, SUPERUSER_ID, {})}
        sites = {size: Contestant(size, environment, books) for size, environment in environments.items()}
        for turn in range(ROUNDS + 1):
            # each goes first as often as the other
            for size in sorted(sites, reverse=turn % 2):
                sites[size].measure(warming_up=not turn)
            say(f"  round {turn} of {ROUNDS}")
        return [_figure(sites['small'], sites['large'])]


class Contestant:
    """A database of one size and what its imports took."""

    def __init__(self, size: str, env, books):
        self.site = Site(env, books)
        self.connection, self.organisation = self.site.connect(f"Growth {size}", CONTACTS)
        self._import(FIRST)
        self.site.check(self.connection, self.organisation)
        seed.multiply(env, COPIES[size])
        self.rows = env['xero.record'].search_count([])
        self.orders = env['sale.order'].search_count([])
        self.rounds = []

    def _import(self, number: int):
        self.organisation.add_invoices(number)
        self.site.ring(self.connection)
        with measured(number) as found:
            self.site.import_news(self.connection)
        return found

    def _count_done(self) -> int:
        return self.site.env['xero.record'].search_count([('resource', '=', 'invoice'), ('state', '=', 'done')])

    def measure(self, warming_up: bool) -> None:
        done = self._count_done()
        found = self._import(INVOICES)
        if self._count_done() != done + INVOICES:
            raise RuntimeError("not every invoice was imported")
        if not warming_up:
            self.rounds.append(found)


def _figure(small: Contestant, large: Contestant) -> Figure:
    ratios = (many.seconds / few.seconds for few, many in zip(small.rounds, large.rounds, strict=True))
    figure = Figure('T5', middle(ratios), 1.15, 'ratio')
    for name, contestant in (('small', small), ('large', large)):
        rounds = contestant.rounds
        figure.add(name, middle(found.milliseconds_each for found in rounds), 'ms/order')
        figure.add(f'{name}_sql', middle(found.statements_each for found in rounds), 'statements/order')
        figure.add(f'{name}_rows', contestant.rows, 'rows')
        figure.add(f'{name}_orders', contestant.orders, 'orders')
    return figure
