"""E1_calls_new, E1_calls_existing, E2_cost: orders that become invoices in Xero, beside a bare loop of the same calls.

In each round ours goes first: the loop sends the very bodies ours has sent, one after the other, and writes the number
Xero gives to the order. The first round warms up and does not count.
"""

import requests

from odoo.fields import Command

from ..sandbox.console import say
from .figures import Figure
from .gauges import measured, middle
from .site import Site

ROUNDS = 5
ORDERS = 40  # of a round, which takes as many of the sixty calls Xero allows in a minute; existing takes twice as many
CUSTOMERS = 10
LINES = 3
PATIENCE = 20  # runs of the scheduled action for one turn: it gives way to others after some seconds
# What all orders of a turn share: the books, the customers, what became of what was sent before.
SHARED = ('Organisation', 'Currencies', 'Accounts', 'TaxRates', 'Contacts')


def measure(env, books, task: dict) -> list[Figure]:
    seller = Seller(env, books)
    first = seller.push(ORDERS)
    say("  the first turn reads the books")
    calls = {'first turn': seller.calls}
    ours, bare = [], []
    for turn in range(ROUNDS + 1):
        found = seller.push(ORDERS)
        loop = seller.loop()
        if turn:
            ours.append(found)
            bare.append(loop)
        say(f"  round {turn} of {ROUNDS}")
    calls['new'] = seller.calls
    seller.connection.invoice_mode = 'existing'
    existing = seller.push(ORDERS // 2)
    calls['existing'] = seller.calls
    pairs = zip(ours, bare, strict=True)
    ratio = middle(one.milliseconds_each / other.milliseconds_each for one, other in pairs)
    cost = Figure('E2_cost', ratio, 3, 'ratio')
    cost.add('ours', middle(one.milliseconds_each for one in ours), 'ms/order')
    cost.add('loop', middle(one.milliseconds_each for one in bare), 'ms/order')
    cost.add('ours_waiting_for_xero', middle(one.waited * 1000 / one.orders for one in ours), 'ms/order')
    cost.add('loop_waiting_for_xero', middle(one.waited * 1000 / one.orders for one in bare), 'ms/order')
    cost.add('ours_sql', middle(one.statements_each for one in ours), 'statements/order')
    cost.add('first_turn', first.milliseconds_each, 'ms/order')
    cost.add('existing', existing.milliseconds_each, 'ms/order')
    cost.add('existing_sql', existing.statements_each, 'statements/order')
    new = _calls('E1_calls_new', 1, calls['new'], ORDERS)
    new.add('shared_first_turn', len(_shared(calls['first turn'])), 'calls')
    return [new, _calls('E1_calls_existing', 2, calls['existing'], ORDERS // 2), cost]


def _shared(calls: list[dict]) -> list[dict]:
    """Those calls whose number does not grow with that of the orders."""
    return [
        call for call in calls
        if call['path'].rpartition('/')[2] in SHARED or 'if-modified-since' in call['headers']
        or '/connect/' in call['path']
    ]


def _calls(name: str, limit: int, calls: list[dict], orders: int) -> Figure:
    shared = len(_shared(calls))
    figure = Figure(name, (len(calls) - shared) / orders, limit, 'calls/order')
    figure.add('shared', shared, 'calls')
    figure.add('orders', orders, 'orders')
    return figure


class Seller:
    """A company that sends its orders to Xero."""

    def __init__(self, env, books):
        self.env, self.books = env, books
        self.site = Site(env, books)
        self.connection, self.organisation = self.site.connect(
            "Export", CUSTOMERS, import_orders=False, export_source='sale_order', export_status='authorised',
            price_source='odoo', description_source='odoo', setup_done=True)
        self.connection.action_read_tables()
        self._fill_tables()
        self.customers = env['res.partner'].create([
            {'name': f'Export customer {number}', 'is_company': True} for number in range(CUSTOMERS)])
        self.products = env['product.product'].search([('default_code', 'in', self.site.codes)])
        env.cr.commit()
        self.orders = env['sale.order']
        self.calls = []  # of the last turn

    def _fill_tables(self):
        account = self.connection.account_mapping_ids.filtered(lambda line: line.code == '200')
        tax = self.products_tax()
        line = self.connection.tax_mapping_ids.filtered(lambda line: line.tax_type == 'OUTPUT2')
        line.tax_ids |= tax
        self.connection.export_account_id = account

    def products_tax(self):
        return self.env['account.tax'].search([('name', '=', "15 %"), ('type_tax_use', '=', 'sale')])

    def push(self, number: int):
        """Send so many new orders.

        :return: what it took
        """
        self.orders = self.env['sale.order'].create([self._values(index) for index in range(number)])
        self.orders.action_confirm()
        for order in self.orders:
            self.env['xero.record']._put_document_out(self.connection, order)
        # as if Xero's minute had begun anew
        self.env['xero.budget'].search([]).unlink()
        self.env.cr.commit()
        self.env.invalidate_all()
        self.books.calls()
        waiting = [('direction', '=', 'out'), ('state', '=', 'pending')]
        with measured(number) as found:
            for _run in range(PATIENCE):
                self.site.run_cron('push')
                if not self.env['xero.record'].search_count(waiting, limit=1):
                    break
        self.calls = self.books.calls()
        self._check()
        return found

    def _values(self, index: int) -> dict:
        return {
            'partner_id': self.customers[index % CUSTOMERS].id,
            'order_line': [Command.create({
                'product_id': self.products[(index + line) % len(self.products)].id,
                'product_uom_qty': 1 + (index + line) % 7,
                'price_unit': 12.5 + line,
            }) for line in range(LINES)],
        }

    def _check(self) -> None:
        """Refuse to go on when an order did not arrive: what was measured was not sending."""
        self.env.invalidate_all()
        rows = self.orders._xero_out_rows()
        missing = rows.filtered(lambda row: row.state != 'done' or not row.external_id or row.total_difference)
        if missing or len(rows) != len(self.orders):
            raise RuntimeError(f"{len(missing)} of {len(self.orders)} orders did not arrive: {missing[:1].reason}")
        self.env.cr.commit()

    def loop(self):
        """What one writes first: the same bodies, one after the other, nothing written down before, nothing proven."""
        bodies = [row.payload for row in self.orders._xero_out_rows()]
        token = self.connection.sudo().grant_id._token()
        url = f"{self.books.describe()['api_url']}/Invoices?unitdp=4"
        headers = {
            'Authorization': f'Bearer {token}', 'xero-tenant-id': self.organisation.tenant_id,
            'Accept': 'application/json',
        }
        session = requests.Session()
        session.trust_env = False
        self.env.cr.commit()
        with measured(len(bodies)) as found:
            for order, body in zip(self.orders, bodies, strict=True):
                answer = session.put(url, json={'Invoices': [body]}, headers=headers, timeout=30)
                answer.raise_for_status()
                order.client_order_ref = answer.json()['Invoices'][0]['InvoiceNumber']
                self.env.cr.commit()
        return found
