"""T6: the memory one large import needs, by the operating system's figures."""

from . import gauges
from .figures import Figure
from .site import Site

WARM_UP = 300
CONTACTS = 250


def measure(env, books, task: dict) -> list[Figure]:
    number = task['memory_invoices']
    site = Site(env, books)
    connection, organisation = site.connect("Memory", CONTACTS)
    _import(site, connection, organisation, WARM_UP)
    organisation.add_invoices(number)
    site.ring(connection)
    books.calls()
    idle = gauges.memory('VmRSS')
    gauges.forget_peak()
    with gauges.measured(number) as found:
        site.import_news(connection)
    peak, after = gauges.memory('VmHWM'), gauges.memory('VmRSS')
    site.check(connection, organisation)
    figure = Figure('T6', peak - idle, 150, 'MB')
    figure.add('idle', idle, 'MB')
    figure.add('peak', peak, 'MB')
    figure.add('afterwards', after, 'MB')
    figure.add('invoices', number, 'invoices')
    figure.add('xero_calls', len(books.calls()), 'calls')
    figure.add('ours', found.milliseconds_each, 'ms/order')
    return [figure]


def _import(site, connection, organisation, number: int) -> None:
    organisation.add_invoices(number)
    site.ring(connection)
    site.import_news(connection)
    site.check(connection, organisation)
