"""One database as a warehouse has it: products on stock, a tax, connections to organisations of the fake Xero."""

from urllib.parse import parse_qs, urlsplit

import requests

from odoo.fields import Command

from .books import Books, Organisation

PRODUCTS = 30
STOCK = 10_000_000  # of each product: enough for every order of every contestant


class Site:
    """Whatever its methods do is committed."""

    def __init__(self, env, books: Books):
        self.env, self.books = env, books
        self._set_parameters()
        self.warehouse = env['stock.warehouse'].search([], limit=1)
        self._tax = self._add_tax()
        self.codes = self.add_products('ITEM')
        place = books.describe()
        self.app = env['xero.app'].create(
            {'name': "Benchmark", 'client_id': place['client_id'], 'client_secret': place['client_secret']})
        env.cr.commit()

    def _set_parameters(self):
        parameters = self.env['ir.config_parameter']
        for name, value in self.books.describe().items():
            if name.endswith('_url'):
                parameters.set_param(f'xero_connector.{name}', value)
        parameters.set_param('web.base.url', 'http://localhost:8069')

    def _add_tax(self):
        company = self.env.company
        company.tax_calculation_rounding_method = 'round_per_line'
        group = self.env['account.tax.group'].create({'name': "GST", 'company_id': company.id})
        return self.env['account.tax'].create({
            'name': "15 %", 'amount': 15, 'type_tax_use': 'sale', 'price_include_override': 'tax_excluded',
            'tax_group_id': group.id,
            'country_id': (company.account_fiscal_country_id or self.env.ref('base.nz')).id,
        })

    def add_products(self, prefix: str) -> list[str]:
        """Products on stock: their codes."""
        codes = [f'{prefix}-{number:02}' for number in range(PRODUCTS)]
        products = self.env['product.product'].create([{
            'name': f"Product {code}", 'default_code': code, 'type': 'consu', 'is_storable': True, 'list_price': 20,
            'taxes_id': [Command.set(self._tax.ids)],
        } for code in codes])
        self.env['stock.quant'].with_context(inventory_mode=True).create([{
            'product_id': product.id, 'location_id': self.warehouse.lot_stock_id.id, 'inventory_quantity': STOCK,
        } for product in products]).action_apply_inventory()
        return codes

    # === CONNECTIONS === #

    def connect(self, name: str, contacts: int, codes: list[str] | None = None, **settings):
        """A connected connection and its organisation, with `contacts` contacts Odoo does not know yet.

        It asks by hand only: whatever is measured, no other poll falls into it.

        :param codes: of the items it sells, instead of the goods everybody sells
        """
        currency = self.env.company.currency_id.name
        organisation = Organisation(self.books, name, currency, codes or self.codes, contacts)
        connection = self.env['xero.connection'].create({
            'name': name, 'app_id': self.app.id, 'warehouse_id': self.warehouse.id, 'attach_pdf': False,
            'note_target': 'none', 'sync_interval': 'manual', **settings,
        })
        self.books.approve(organisation.tenant_id)
        self._consent(connection)
        if connection.state != 'connected':
            raise RuntimeError(f"{name} is not connected: {connection.message}")
        return connection, organisation

    def _consent(self, connection):
        """The way through the consent page and back, as a browser goes it."""
        url = connection.action_connect()['url']
        self.env.cr.commit()
        answer = requests.get(url, allow_redirects=False, timeout=10)
        query = {key: values[0] for key, values in parse_qs(urlsplit(answer.headers['Location']).query).items()}
        owner = self.env['xero.connection']._connection_from_state(query['state'])
        self.env.cr.commit()
        owner._complete_consent(query['code'])
        self.env.cr.commit()
        self.env.invalidate_all()

    # === IMPORT === #

    def run_cron(self, name: str) -> None:
        """Run a scheduled action of the addon as the scheduler does."""
        result = self.env.ref(f'xero_connector.ir_cron_{name}').method_direct_trigger()
        self.env.cr.commit()
        if result is not True:
            raise RuntimeError(result['params']['data']['debug'])

    def ring(self, connection) -> None:
        """Ask for a look at Xero, as *Import now* does."""
        connection._ring()
        self.env.cr.commit()

    def import_news(self, connection) -> None:
        """Everything new at Xero becomes orders; to be measured between `ring` and `check`.

        An action gives way to others after some seconds and asks for another turn.
        """
        while connection.next_poll:
            self.run_cron('poll')
            connection.invalidate_recordset()
        waiting = True
        while waiting:
            self.run_cron('process')
            waiting = self.env['xero.record'].search_count([('state', '=', 'pending')], limit=1)

    def check(self, connection, organisation) -> None:
        """Refuse to go on when an invoice did not become an order: what was measured was not an import."""
        self.env.invalidate_all()
        rows = self.env['xero.record'].search_fetch(
            [('connection_id', '=', connection.id), ('resource', '=', 'invoice')], ['state', 'reason', 'res_id'])
        missing = [row for row in rows if row.state != 'done' or not row.res_id]
        if missing or len(rows) != organisation.count:
            reason = missing and f"{missing[0].state}, {missing[0].reason}"
            raise RuntimeError(f"of {organisation.count} invoices {len(rows)} came, {len(missing)} failed: {reason}")
        self.env.cr.commit()
