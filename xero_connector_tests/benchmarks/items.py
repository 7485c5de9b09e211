"""P1_cost, P1_memory, P1_calls: products exchanged with a catalogue of 10,000 items, beside one of 100.

Two databases in one process, measured in turns: whatever slows the machine slows both. Time is that between Xero's
answers and the last commit; the fake's own is taken out.
"""

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import SQL

from ..sandbox.console import say
from . import gauges
from .figures import Figure
from .gauges import measured, middle
from .site import Site

CHANGED = 100  # items, or products, of a round: the whole small catalogue
ROUNDS = {'pull': 21, 'push': 9}  # a round of pushing takes three of the sixty calls Xero allows in a minute
LATER = 150  # seconds, longer than the watermark's overlap
PATIENCE = 100  # runs of the scheduled action for one turn
# what the scheduler and the counting of calls write, whatever a turn finds
ALWAYS_WRITTEN = ('ir_cron', 'ir_cron_progress', 'ir_cron_trigger', 'xero_budget', 'xero_connection')


def measure(env, books, task: dict) -> list[Figure]:
    with Registry(task['databases'][1]).cursor() as cr:
        environments = {'small': env, 'large': api.Environment(cr, SUPERUSER_ID, {})}
        sizes = {'small': CHANGED, 'large': task['items']}
        small, large = (Catalogue(size, environments[size], books, number) for size, number in sizes.items())
        small.first_pull()
        memory = _memory(large)
        calls = _calls(large)
        _measure_rounds(books, 'pull', small, large)
        for catalogue in (small, large):
            catalogue.pull_all()
        _measure_rounds(books, 'push', small, large)
        # the middle one: the fake's clock runs ahead, and a token that is out of date costs a call
        calls.add('push_of_100_products', middle(large.calls_of_rounds['push']), 'calls')
        return [_cost(small, large), memory, calls]


def _measure_rounds(books, way: str, *catalogues) -> None:
    for turn in range(ROUNDS[way] + 1):
        if way == 'push':
            # what was written the last time is listed no more
            books.ask('POST', 'clock', advance=LATER)
        # each goes first as often as the other
        for catalogue in catalogues[::-1] if turn % 2 else catalogues:
            catalogue.measure(way, warming_up=not turn)
        say(f"  {way}: round {turn} of {ROUNDS[way]}")


class Catalogue:
    """A database whose products are exchanged with an organisation of so many items, and what that took."""

    def __init__(self, size: str, env, books, number: int):
        self.env, self.books, self.number = env, books, number
        self.site = Site(env, books)
        self.site.codes = []  # no item but the catalogue's
        self._add_accounts()
        self.connection, self.organisation = self.site.connect(
            f"Catalogue {size}", 0, item_sync='both', item_interval='manual', item_create_here=True)
        self.items = self.organisation.add_items(self.number)
        self.rounds = {'pull': [], 'push': []}
        self.calls_of_rounds = {'pull': [], 'push': []}
        self.whole = None
        self.calls = 0  # of the last turn
        self._last = 0
        self._price = 20

    def _add_accounts(self):
        """What the items' account codes and tax types are here."""
        self.env['account.account'].create([
            {'code': '200', 'name': "Sales", 'account_type': 'income'},
            {'code': '310', 'name': "Cost of goods", 'account_type': 'expense'},
        ])
        sales_tax = self.env['account.tax'].search([('name', '=', "15 %"), ('amount', '=', 15)])
        sales_tax.copy({'name': "15 % on purchases", 'type_tax_use': 'purchase'})
        self.env.cr.commit()

    def turn(self, number: int):
        """One turn of the exchange, to its end: the scheduled action gives way to others after some seconds.

        :return: what it took for each of so many items
        """
        self.connection._ring_items()
        self.env.cr.commit()
        self.books.calls()
        with measured(number) as found:
            for _run in range(PATIENCE):
                self.site.run_cron('items')
                self.connection.invalidate_recordset()
                if not self.connection.next_items or self.connection.message:
                    break
        self.calls = len(self.books.calls())
        if self.connection.next_items or self.connection.message:
            raise RuntimeError(f"the exchange did not come to its end: {self.connection.message}")
        return found

    # === PULL === #

    def first_pull(self):
        found = self.turn(self.number)
        self._check(self.items, price=20)
        return found

    def pull_all(self) -> None:
        self.whole = self._pull(self.items)

    def _pull(self, items: list[dict]):
        self._price += 1
        for item in items:
            self.organisation.change_item(item, self._price, f"{item['Code']} at {self._price}")
        found = self.turn(len(items))
        self._check(items, self._price)
        return found

    # === PUSH === #

    def _push(self, items: list[dict]):
        self._price += 1
        products = self._products(items)
        for product in products:
            product.list_price = self._price
        self.env.cr.commit()
        found = self.turn(len(items))
        self._check(items, self._price)
        return found

    # === ROUNDS === #

    def measure(self, way: str, *, warming_up: bool) -> None:
        if way == 'pull':
            self._last += 1
            found = self._pull(self._spread(self._last))
        else:
            # the same ones each time: a product that is sent anew gets a row, and the small catalogue has no new ones
            found = self._push(self._spread(0))
        if not warming_up:
            self.rounds[way].append(found)
            self.calls_of_rounds[way].append(self.calls)

    def _spread(self, first: int) -> list[dict]:
        """A hundred items from all over the catalogue; others for another first one, where there are others."""
        step = self.number // CHANGED
        return self.items[first % step::step][:CHANGED]

    def _products(self, items: list[dict]):
        return self.env['product.product'].search([('default_code', 'in', [item['Code'] for item in items])])

    def _check(self, items: list[dict], price: float) -> None:
        """Refuse to go on when the price is not on both sides: what was measured was no exchange."""
        self.env.invalidate_all()
        there = self.organisation.items()
        prices = {product.default_code: product.list_price for product in self._products(items)}
        apart = [
            item['Code'] for item in items
            if not prices.get(item['Code']) == there[item['Code']]['SalesDetails']['UnitPrice'] == price
        ]
        if apart:
            raise RuntimeError(f"{len(apart)} of {len(items)} items and products differ, {apart[0]} among them")
        self.env.cr.commit()

    # === WRITTEN === #

    def count_written(self) -> dict[str, int]:
        """Rows by table that a reading of the whole unchanged catalogue wrote."""
        self.connection.items_whole_at = False
        self.env.cr.commit()
        self.env.cr.execute("SELECT txid_current()")
        mark = self.env.cr.fetchone()[0] & 0xFFFFFFFF  # rows know the lower half of a transaction's number
        self.env.cr.commit()
        self.turn(self.number)
        self.env.cr.execute("SELECT relname FROM pg_stat_user_tables")
        tables = {name for (name,) in self.env.cr.fetchall()} - set(ALWAYS_WRITTEN)
        counts = {}
        for table in sorted(tables):
            self.env.cr.execute(SQL(
                "SELECT count(*) FROM %s WHERE xmin::text::bigint >= %s", SQL.identifier(table), mark))
            counts[table] = self.env.cr.fetchone()[0]
        self.env.cr.commit()
        return {table: count for table, count in counts.items() if count}


def _memory(catalogue: Catalogue) -> Figure:
    """The first pull, which creates the products."""
    idle = gauges.memory('VmRSS')
    gauges.forget_peak()
    found = catalogue.first_pull()
    peak, after = gauges.memory('VmHWM'), gauges.memory('VmRSS')
    figure = Figure('P1_memory', peak - idle, 100, 'MB')
    figure.add('idle', idle, 'MB')
    figure.add('peak', peak, 'MB')
    figure.add('afterwards', after, 'MB')
    figure.add('items', catalogue.number, 'items')
    figure.add('ours', found.milliseconds_each, 'ms/item')
    figure.add('sql', found.statements_each, 'statements/item')
    return figure


def _calls(catalogue: Catalogue) -> Figure:
    """What turns cost after the first one."""
    first = catalogue.calls
    catalogue.turn(1)
    figure = Figure('P1_calls', catalogue.calls, 1, 'calls')
    figure.add('first_whole_reading', first, 'calls')
    written = catalogue.count_written()
    say(f"  written by a whole reading without a change: {written or 'nothing'}")
    figure.add('whole_reading_again', catalogue.calls, 'calls')
    figure.add('whole_reading_again_wrote', sum(written.values()), 'rows')
    return figure


def _cost(small: Catalogue, large: Catalogue) -> Figure:
    figure = Figure('P1_cost', _ratio(small.rounds['pull'], large.rounds['pull']), 1.15, 'ratio')
    for way in ('pull', 'push'):
        for name, catalogue in (('small', small), ('large', large)):
            rounds = catalogue.rounds[way]
            figure.add(f'{way}_{name}', middle(map(_own_milliseconds, rounds)), 'ms/item')
            figure.add(f'{way}_{name}_sql', middle(found.statements_each for found in rounds), 'statements/item')
    figure.add('push_ratio', _ratio(small.rounds['push'], large.rounds['push']), 'ratio')
    for name, catalogue in (('small', small), ('large', large)):
        figure.add(f'whole_{name}', _own_milliseconds(catalogue.whole), 'ms/item')
        figure.add(f'whole_{name}_sql', catalogue.whole.statements_each, 'statements/item')
        figure.add(f'{name}_items', catalogue.number, 'items')
    return figure


def _ratio(small: list, large: list) -> float:
    pairs = zip(small, large, strict=True)
    return middle(_own_milliseconds(many) / _own_milliseconds(few) for few, many in pairs)


def _own_milliseconds(found) -> float:
    """Time for an item, without waiting for the fake's answers."""
    return (found.seconds - found.waited) * 1000 / found.orders
