"""S_*: what screens, the scheduler, fees, the digest, a comparison and the log's clean-up cost in a database that has
seen many, beside one that has seen few.

Two databases in one process, measured in turns: whatever slows the machine slows both.
"""

from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import Registry
from odoo.tools import SQL

from ..sandbox.console import say
from .crowd import LARGE, SMALL, CrowdedSite
from .figures import Figure
from .gauges import measured, middle
from .screens import Browser, Screen
from .tick import run_action

# What shows a page of many: it may take hardly longer where there are more.
PAGES = [
    Screen('dashboard', 'action_xero_dashboard', 'kanban'),
    Screen('connections', 'action_xero_connection'),
    Screen('orders', 'action_sale_order'),
    Screen('orders_from_xero', 'action_sale_order', filters=('from_xero',)),
    Screen('orders_with_problem', 'action_sale_order', filters=('xero_trouble',)),
    Screen('transfers', 'action_stock_picking'),
    Screen('transfers_with_problem', 'action_stock_picking', filters=('xero_trouble',)),
    Screen('sent', 'action_xero_outgoing'),
    Screen('sent_failed', 'action_xero_outgoing', filters=('failed',)),
    Screen('log', 'action_xero_record'),
    Screen('log_all', 'action_xero_record', filters=()),
    Screen('log_failed', 'action_xero_record', filters=('failed',)),
    Screen('log_skipped', 'action_xero_record', filters=('invoices', 'skipped')),
    Screen('log_cards', 'action_xero_record', 'kanban'),
    Screen('differences', 'action_xero_drift_line'),
    Screen('fees', 'action_xero_fee'),
]
# What looks through all of something, to sum it up or to find a word in it.
SUMMARIES = [
    Screen('log_searched', 'action_xero_record', typed='INV-0007'),
    Screen('log_changed', 'action_xero_record', filters=('changed',)),
    Screen('problems', 'action_xero_problem'),
    Screen('problems_and_skipped', 'action_xero_problem', filters=()),
    Screen('products', 'action_xero_item_match'),
    Screen('customers', 'action_xero_contact_match'),
    Screen('fees_pivot', 'action_xero_fee', 'pivot'),
    Screen('report', 'action_xero_active_month', 'pivot'),
    Screen('report_graph', 'action_xero_active_month', 'graph'),
    Screen('report_list', 'action_xero_active_month'),
]
ROUNDS = 5
BILLED = 10  # customers of a round
COMPARED_DAYS = 15


def measure(env, books, task: dict) -> list[Figure]:
    with Registry(task['databases'][1]).cursor() as cr:
        sites = {}
        for name, environment, crowd in (
            ('small', env, SMALL), ('large', api.Environment(cr, SUPERUSER_ID, {}), LARGE)
        ):
            with measured() as found:
                sites[name] = CrowdedSite(environment, books, crowd)
            say(f"  {name}: {_count(sites[name])}, filled in {found.seconds:.0f} s")
        figures = [
            *_open_screens(sites),
            _tick(sites['large']),
            _each('S_digest', sites, _write_digest, 'connection'),
            _each('S_billing', sites, _bill, 'customer'),
            _each('S_comparison', sites, _compare, 'document'),
            _each('S_forgetting', sites, _forget, 'row', rounds=1),  # what is gone is gone
        ]
        env.cr.commit()
        return figures


def _count(site: CrowdedSite) -> str:
    tables = ('xero_connection', 'xero_record', 'sale_order', 'xero_active_period', 'xero_fee')
    counts = []
    for table in tables:
        site.env.cr.execute(SQL("SELECT count(*) FROM %s", SQL.identifier(table)))
        counts.append(f"{site.env.cr.fetchone()[0]} {table}")
    return ', '.join(counts)


# === SCREENS === #


def _open_screens(sites) -> list[Figure]:
    """Each screen is opened in both databases in turn, by an administrator, whom the record rules bind."""
    browsers = {name: Browser(site.env(user=site.env.ref('base.user_admin').id)) for name, site in sites.items()}
    times = {screen.name: _open(browsers, screen) for screen in (*PAGES, *SUMMARIES)}
    pages = _ratios('S_pages', PAGES, times, limit=5)
    summaries = _ratios('S_summaries', SUMMARIES, times, limit=100)
    slowest = max(times.values(), key=lambda found: found['large'].seconds)
    summaries.add('slowest', slowest['large'].seconds * 1000, 'ms')
    statements = Figure('S_screen_sql', max(found['large'].statements for found in times.values()), 30, 'statements')
    for name, found in times.items():
        statements.add(name, found['large'].statements, 'statements')
        statements.add(f'{name}_small', found['small'].statements, 'statements')
    return [pages, summaries, statements]


def _open(browsers, screen: Screen) -> dict:
    opened = {name: browser.prepare(screen) for name, browser in browsers.items()}
    rounds = {name: [] for name in browsers}
    for turn in range(ROUNDS + 1):
        for name, ask in opened.items():
            with measured() as found:
                ask()
            if turn:
                rounds[name].append(found)
    return {name: sorted(found, key=lambda one: one.seconds)[ROUNDS // 2] for name, found in rounds.items()}


def _ratios(name: str, screens: list[Screen], times: dict, limit: float) -> Figure:
    ratios = {screen.name: times[screen.name]['large'].seconds / times[screen.name]['small'].seconds
              for screen in screens}
    figure = Figure(name, max(ratios.values()), limit, 'ratio')
    for screen, ratio in ratios.items():
        figure.add(screen, ratio, 'ratio')
        figure.add(f'{screen}_large', times[screen]['large'].seconds * 1000, 'ms')
    return figure


# === THE MACHINE'S WORK === #


def _tick(site: CrowdedSite) -> Figure:
    """All scheduled actions but the daily call to Xero, while nothing is due."""
    names = site.env['ir.model.data'].search(
        [('module', '=', 'xero_connector'), ('model', '=', 'ir.cron'), ('name', '!=', 'ir_cron_health')]).mapped('name')
    figure = Figure('S_tick_sql', 0, 40, 'statements')
    for name in names:
        cron = site.env.ref(f'xero_connector.{name}')
        run_action(cron)
        with measured() as found:
            statements = run_action(cron)
        figure.value += statements
        figure.add(name, statements, 'statements')
        figure.add(f'{name}_time', found.seconds * 1000, 'ms')
    site.env.cr.commit()
    return figure


def _each(name: str, sites: dict, work, unit: str, rounds: int = ROUNDS) -> Figure:
    """What one of them costs where there are many ÷ where there are few."""
    found = {size: [] for size in sites}
    for turn in range(rounds):
        for size in sorted(sites, reverse=turn % 2):
            found[size].append(work(sites[size]))
    pairs = zip(found['small'], found['large'], strict=True)
    figure = Figure(name, middle(many.milliseconds_each / few.milliseconds_each for few, many in pairs), 1.5, 'ratio')
    for size, ones in found.items():
        figure.add(size, middle(one.milliseconds_each for one in ones), f'ms/{unit}')
        figure.add(f'{size}_sql', middle(one.statements_each for one in ones), f'statements/{unit}')
        figure.add(f'{size}_number', ones[0].orders, f'{unit}s')
        figure.add(f'{size}_longest', max(one.longest for one in ones) * 1000, 'ms in one transaction')
    return figure


def _write_digest(site: CrowdedSite):
    env = site.env
    env.ref('base.user_admin').email = 'admin@example.com'
    connections = env['xero.connection'].search([('digest', '!=', 'none')])
    env['xero.digest'].search([]).unlink()
    env.cr.commit()
    return _measured_action(env.ref('xero_connector.ir_cron_digest'), len(connections))


def _bill(site: CrowdedSite):
    """The last week, of so many customers: the others are billed already."""
    env = site.env
    company = env.company
    if not company.xero_fee:
        if not env['account.journal'].search_count([('type', '=', 'sale')], limit=1):
            env['account.chart.template'].try_loading('generic_coa', company, install_demo=False)
        company.xero_fee_product_id = env['product.product'].create(
            {'name': "Fee", 'type': 'service', 'list_price': 7})
        company.xero_fee = True
    monday = env['xero.fee']._this_week(company) - timedelta(days=7)
    company.xero_fee_from = monday
    env['xero.fee'].search([('week_start', '=', monday)]).unlink()
    customers = env['xero.connection'].search([('partner_id', '!=', False)]).partner_id
    env.flush_all()
    env.cr.execute(SQL(
        """
        INSERT INTO xero_fee (company_id, partner_id, week_start, date_from, state)
        SELECT %s, id, %s, %s, 'free' FROM res_partner WHERE id IN %s
        """, company.id, monday, monday, tuple(customers[BILLED:].ids)))
    env.cr.commit()
    found = _measured_action(env.ref('xero_connector.ir_cron_fees'), BILLED)
    billed = env['xero.fee'].search_count([('week_start', '=', monday), ('state', '=', 'billed')])
    if billed != BILLED:
        raise RuntimeError(f"{billed} of {BILLED} customers were billed")
    return found


def _compare(site: CrowdedSite):
    """Some days' orders with Xero's: the first copies, all of which Xero does not know."""
    env = site.env
    until = fields.Date.today()
    since = until - timedelta(days=COMPARED_DAYS)
    env['xero.budget'].search([]).unlink()
    env.cr.commit()
    with measured() as found:
        drift_id = site.seller.connection._compare(since, until)
        env.cr.commit()
    found.longest = found.seconds
    env.invalidate_all()
    found.orders = env['xero.drift'].browse(drift_id).here_count
    return found


def _forget(site: CrowdedSite):
    """All that the log may forget: in bites, each a transaction as Odoo makes it."""
    env = site.env
    before = env['xero.record'].search_count([])
    remaining, bites = 1, []
    while remaining:
        with measured() as found:
            _done, remaining = env['xero.record']._gc_finished()
            env.cr.commit()
        bites.append(found)
    gone = before - env['xero.record'].search_count([])
    whole = bites[0]
    whole.longest = max(bite.seconds for bite in bites)
    whole.seconds = sum(bite.seconds for bite in bites)
    whole.statements = sum(bite.statements for bite in bites)
    whole.orders = gone
    return whole


def _measured_action(cron, number: int):
    with measured(number) as found:
        run_action(cron)
    cron.env.cr.commit()
    cron.env.invalidate_all()
    found.longest = found.seconds
    return found
