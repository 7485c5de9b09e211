"""T4: how many calls to Xero the invoices of contacts Odoo never saw cost, and an idle look."""

from math import ceil

from odoo.addons.xero_connector import const

from .figures import Figure
from .site import Site

CONTACTS = 250


def measure(env, books, task: dict) -> list[Figure]:
    # more than one page
    number = max(task['invoices'], const.PAGE_SIZE * 3 // 2)
    site = Site(env, books)
    connection, organisation = site.connect("Calls", CONTACTS)
    organisation.add_invoices(number)
    books.calls()
    site.ring(connection)
    site.import_news(connection)
    site.check(connection, organisation)
    made = books.calls()
    site.ring(connection)
    site.import_news(connection)
    pages = ceil(number / const.PAGE_SIZE)
    batches = ceil(min(number, CONTACTS) / const.CONTACTS_PER_CALL)
    figure = Figure('T4', len(made), pages + batches + 1, 'calls')
    for name in ('Invoices', 'Contacts'):
        figure.add(name.lower(), sum(call['path'].endswith(name) for call in made), 'calls')
    figure.add('needed_pages', pages, 'calls')
    figure.add('needed_contact_batches', batches, 'calls')
    figure.add('idle_poll', len(books.calls()), 'calls')
    return [figure]
