"""T1, T2, T3, T3b: the way from Xero's page to committed orders, beside bare Odoo and a plain loop.

Round by round each contestant makes the same orders: ours from new invoices, bare Odoo from the values of ours, the
loop from the pages' JSON. It makes a third of them, as its time grows with their number alone. The first round of each
kind warms up and does not count.
"""

from dataclasses import dataclass, field
from math import ceil

from ..sandbox.console import say
from . import contestants
from .figures import Figure
from .gauges import measured, middle
from .site import Site

ROUNDS = {'draft': 5, 'confirmed': 3}  # a confirmed order takes five times as long
CONTACTS = 50
LOOP_PART = 3  # every third order


@dataclass
class Rounds:
    """What was measured, one entry each round."""

    ours: list = field(default_factory=list)
    bare: list = field(default_factory=list)
    loop: list = field(default_factory=list)

    def ratio(self, other: list) -> float:
        """The middle one of the rounds' ratios of ours to another contestant."""
        pairs = zip(self.ours, other, strict=True)
        return middle(ours.milliseconds_each / theirs.milliseconds_each for ours, theirs in pairs)


def measure(env, books, task: dict) -> list[Figure]:
    number = task['invoices']
    site = Site(env, books)
    connection, organisation = site.connect("Speed", CONTACTS)
    draft, confirmed = (
        _rounds(site, connection, organisation, number, confirm) for confirm in (False, True))
    return _figures(draft, confirmed)


def _rounds(site, connection, organisation, number: int, confirm: bool) -> Rounds:
    connection.order_confirm = confirm
    what = 'confirmed' if confirm else 'draft'
    warming_up, rounds = Rounds(), Rounds()
    for turn in range(ROUNDS[what] + 1):
        measured_now = rounds if turn else warming_up
        orders = _ours(site, connection, organisation, number if turn else ceil(number / 3), measured_now)
        _bare(site, orders, confirm, measured_now)
        if confirm:
            _loop(site, connection, orders, measured_now)
        say(f"  {what}: round {turn} of {ROUNDS[what]}")
    return rounds


def _ours(site, connection, organisation, number: int, rounds: Rounds):
    """:return: the orders made"""
    organisation.add_invoices(number)
    site.ring(connection)
    with measured(number) as found:
        site.import_news(connection)
    rounds.ours.append(found)
    site.check(connection, organisation)
    return site.env['sale.order'].search(
        [('xero_connection_id', '=', connection.id)], order='id desc', limit=number).sorted('id')


def _bare(site, orders, confirm: bool, rounds: Rounds) -> None:
    values = contestants.values_of(orders)
    site.env.cr.commit()
    with measured(len(values)) as found:
        contestants.bare(site, values, confirm)
    rounds.bare.append(found)


def _loop(site, connection, orders, rounds: Rounds) -> None:
    rows = site.env['xero.record'].search([
        ('connection_id', '=', connection.id), ('external_id', 'in', orders.mapped('xero_invoice_id'))])
    invoices = rows[::LOOP_PART].mapped('payload')
    site.env.cr.commit()
    with measured(len(invoices)) as found:
        contestants.loop(site, invoices)
    rounds.loop.append(found)


def _figures(draft: Rounds, confirmed: Rounds) -> list[Figure]:
    t1 = Figure('T1', draft.ratio(draft.bare), 1.5, 'ratio')
    t2 = Figure('T2', confirmed.ratio(confirmed.bare), 1.3, 'ratio')
    t3 = Figure('T3', confirmed.ratio(confirmed.loop), 0.65, 'ratio')
    for figure, rounds, name, other in (
        (t1, draft, 'bare_odoo', draft.bare),
        (t2, confirmed, 'bare_odoo', confirmed.bare),
        (t3, confirmed, 'plain_loop', confirmed.loop),
    ):
        figure.add('ours', middle(one.milliseconds_each for one in rounds.ours), 'ms/order')
        waited = middle(one.waited * 1000 / one.orders for one in rounds.ours)
        figure.add('ours_waiting_for_xero', waited, 'ms/order')
        figure.add(name, middle(one.milliseconds_each for one in other), 'ms/order')
        figure.add('rounds', len(other), 'rounds')
    return [t1, t2, t3, _sql('T3b_draft', draft, 18), _sql('T3b_confirmed', confirmed, 85)]


def _sql(name: str, rounds: Rounds, limit: float) -> Figure:
    figure = Figure(name, middle(one.statements_each for one in rounds.ours), limit, 'statements/order')
    figure.add('bare_odoo', middle(one.statements_each for one in rounds.bare), 'statements/order')
    if rounds.loop:
        figure.add('plain_loop', middle(one.statements_each for one in rounds.loop), 'statements/order')
    return figure
