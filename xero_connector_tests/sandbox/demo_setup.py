"""Makes the demo's Odoo from the story: warehouses, products on stock, people, the app and the five connections.

Runs inside Odoo's shell (see demo.py). What is there already is left as it is, so it may run any number of times.
"""

import json
import os

from . import demo_fees
from .story import CATALOGUE, SETUPS, WAREHOUSES
from .story.catalogue import goods_of

CURRENCIES = ('USD', 'NZD', 'AUD', 'GBP')
RATES = (10, 15, 20)
STOCK = 2000  # of each product: enough for every order
# what staff see without being asked to switch anything on
FEATURES = (
    'stock.group_stock_multi_warehouses', 'stock.group_stock_multi_locations', 'stock.group_tracking_owner',
    'product.group_product_pricelist', 'account.group_delivery_invoice_address',
)
PEOPLE = {
    'picker': ("Pip Picker", ('stock.group_stock_user', 'xero_connector.group_xero_user')),
    'accountant': ("Ada Accountant", (
        'account.group_account_invoice', 'sales_team.group_sale_manager', 'xero_connector.group_xero_manager')),
    'admin': ("", (
        'stock.group_stock_manager', 'sales_team.group_sale_manager', 'account.group_account_manager',
        'xero_connector.group_xero_manager')),
}


def run(env):
    """Everything in one transaction; `XERO_DEMO` holds the fake's addresses and Odoo's own."""
    places = json.loads(os.environ['XERO_DEMO'])
    env = env(context={**env.context, 'tracking_disable': True})
    _set_parameters(env, places)
    _activate(env)
    warehouses = {place.code: _warehouse(env, place) for place in WAREHOUSES}
    products = _products(env)
    customers = {setup.customer: _customer(env, setup, warehouses) for setup in SETUPS if setup.customer}
    _taxes(env)
    _stock(env, warehouses, products, customers)
    _people(env, next(iter(customers.values())))
    app = _app(env, places)
    for setup in SETUPS:
        _connection(env, app, setup, warehouses, products, customers)
    demo_fees.remember_weeks(env)
    env.cr.commit()


def _set_parameters(env, places):
    parameters = env['ir.config_parameter']
    for name in ('api_url', 'identity_url', 'login_url'):
        parameters.set_param(f'xero_connector.{name}', places[name])
    # Xero takes http for localhost only, and no login may change it
    parameters.set_param('web.base.url', places['odoo_url'])
    parameters.set_param('web.base.url.freeze', 'True')
    # the sandbox asks nobody outside: Odoo's own look-ups of companies end on a closed port of this machine
    parameters.set_param('iap.partner_autocomplete.endpoint', 'http://localhost:9')
    parameters.set_param('iap.endpoint', 'http://localhost:9')


def _activate(env):
    env['res.currency'].with_context(active_test=False).search([('name', 'in', CURRENCIES)]).active = True
    for feature in FEATURES:
        group = env.ref(feature, raise_if_not_found=False)
        if group:
            env.ref('base.group_user').implied_ids |= group


def _find_or_create(model, domain, values):
    return model.search(domain, limit=1) or model.create(values)


def _country(env, code, state=''):
    country = env['res.country'].search([('code', '=', code)])
    return {
        'country_id': country.id,
        'state_id': country.state_ids.filtered(lambda found: state and found.code == state)[:1].id,
    }


def _warehouse(env, place):
    found = env['stock.warehouse'].search([('code', '=', place.code)])
    if found:
        return found
    address = env['res.partner'].create({
        'name': place.name, 'is_company': True, 'street': place.street, 'city': place.city, 'zip': place.zip,
        **_country(env, place.country, place.state),
    })
    return env['stock.warehouse'].create({'code': place.code, 'name': place.name, 'partner_id': address.id})


def _products(env):
    """Products by their internal reference, which is the item's code in Xero."""
    found = {product.default_code: product for product in env['product.product'].search([
        ('default_code', 'in', [product.code for product in CATALOGUE])])}
    missing = [product for product in CATALOGUE if product.code not in found]
    created = env['product.product'].create([{
        'name': product.name,
        'default_code': product.code,
        'list_price': product.price,
        'type': 'consu' if product.kind == 'goods' else 'service',
        'is_storable': product.kind == 'goods',
        'invoice_policy': 'order',
    } for product in missing])
    return {**found, **{product.default_code: product for product in created}}


def _taxes(env):
    """A sales tax for each rate of the organisations' countries; rounded line by line, as Xero does."""
    env.company.tax_calculation_rounding_method = 'round_per_line'
    for rate in RATES:
        _find_or_create(env['account.tax'], [
            ('amount', '=', rate), ('amount_type', '=', 'percent'), ('type_tax_use', '=', 'sale'),
            ('company_id', '=', env.company.id), ('price_include', '=', False),
        ], {'name': f"{rate} %", 'amount': rate, 'type_tax_use': 'sale', 'price_include_override': 'tax_excluded'})


def _customer(env, setup, warehouses):
    customer = _find_or_create(env['res.partner'], [('name', '=', setup.customer)], {
        'name': setup.customer, 'is_company': True, 'email': 'warehouse@customer.example',
        **_country(env, setup.country),
    })
    customer.xero_warehouse_ids = [
        (6, 0, [warehouses[code].id for code in setup.allowed_warehouses or ()])]
    return customer


def _stock(env, warehouses, products, customers):
    """Each organisation's goods in each warehouse it ships from, owned by its customer where it has one."""
    wanted = {
        (warehouse, product.code, customers[setup.customer].id if setup.customer else False)
        for setup in SETUPS for warehouse in _warehouses_of(setup) for product in goods_of(setup.ranges)
    }
    quants = env['stock.quant'].with_context(inventory_mode=True).create([{
        'product_id': products[code].id,
        'location_id': warehouses[warehouse].lot_stock_id.id,
        'owner_id': owner,
        'inventory_quantity': STOCK,
    } for warehouse, code, owner in sorted(wanted, key=str)])
    quants.action_apply_inventory()


def _warehouses_of(setup):
    return {setup.warehouse, *(rule.warehouse for rule in setup.rules)} - {None}


def _people(env, customer):
    for login, (name, groups) in PEOPLE.items():
        user = env['res.users'].search([('login', '=', login)]) or env['res.users'].create({
            'login': login, 'password': login, 'name': name, 'email': f'{login}@example.com',
        })
        own = env['res.groups'].union(*(env.ref(group) for group in (*groups, 'base.group_user')))
        # staff have their own groups only (Odoo's demo data gives new users many); the administrator keeps all
        user.group_ids = own if name else user.group_ids | own
    if not env['res.users'].search([('login', '=', 'customer')]):
        contact = env['res.partner'].create({
            'name': "Casey Customer", 'parent_id': customer.id, 'email': 'customer@example.com'})
        env['res.users'].with_context(no_reset_password=True).create({
            'login': 'customer', 'password': 'customer', 'partner_id': contact.id,
            'group_ids': [(6, 0, [env.ref('base.group_portal').id])],
        })
    # everybody in one zone (see utc.py), the company too, whose weeks are billed
    env['res.users'].search([]).tz = env.company.partner_id.tz = 'UTC'
    # Odoo's bot greets everybody with a window, which hides all else on a phone.
    if 'odoobot_state' in env['res.users']._fields:
        env['res.users'].search([]).odoobot_state = 'disabled'


def _app(env, places):
    app = _find_or_create(env['xero.app'], [('client_id', '=', places['client_id'])], {
        'name': "Demo app", 'client_id': places['client_id'], 'grant_type': 'authorization_code', 'tier': 'core'})
    app.client_secret = places['client_secret']
    return app


def _connection(env, app, setup, warehouses, products, customers):
    if env['xero.connection'].search_count([('name', '=', setup.connection)], limit=1):
        return
    env['xero.connection'].create({
        **setup.settings,
        'name': setup.connection,
        'app_id': app.id,
        'user_id': env.ref('base.user_admin').id,
        'partner_id': customers[setup.customer].id if setup.customer else False,
        'warehouse_id': warehouses[setup.warehouse].id if setup.warehouse else False,
        'service_product_id': products['FREIGHT'].id,
        'mapping_ids': [(0, 0, {
            'sequence': 10 * position,
            'reference_contains': rule.reference_contains,
            'action': rule.action,
            'warehouse_id': warehouses[rule.warehouse].id if rule.warehouse else False,
        }) for position, rule in enumerate(setup.rules, start=1)],
    })
