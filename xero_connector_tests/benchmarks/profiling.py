"""`bench --profile`: where the time and the SQL of an import go, draft and confirmed."""

import cProfile
import io
import pstats
import re
import sys
import threading
from collections import Counter
from contextlib import contextmanager

from .site import Site

CONTACTS = 50
FUNCTIONS = 40
# a list of placeholders or numbers, of rows in a VALUES: its length is no other shape
LISTS = re.compile(r'(\((?:%s|NULL|\d+)(?:,\s*(?:%s|NULL|\d+))*\))(?:,\s*\1)*')


def measure(env, books, task: dict) -> None:
    number = task['invoices']
    site = Site(env, books)
    connection, organisation = site.connect("Profile", CONTACTS)
    for confirm in (False, True):
        connection.order_confirm = confirm
        for profile in (None, cProfile.Profile()):
            organisation.add_invoices(number)
            site.ring(connection)
            with _statements() as statements:
                if profile:
                    profile.runcall(site.import_news, connection)
                else:
                    site.import_news(connection)
            site.check(connection, organisation)
        print(f"\n=== {'Confirmed' if confirm else 'Draft'}: {number} orders ===\n")
        _print_functions(profile, 'tottime')
        _print_functions(profile, 'cumulative')
        _print_statements(*statements, number)


@contextmanager
def _statements():
    """Yield two counters of this thread's SQL by `(shape, caller)`: statements and seconds."""
    counts, seconds = Counter(), Counter()

    def hook(_cursor, query, _parameters, _started, delay):
        key = _shape(str(query)), _caller()
        counts[key] += 1
        seconds[key] += delay

    thread = threading.current_thread()
    thread.query_hooks = [hook]
    try:
        yield counts, seconds
    finally:
        del thread.query_hooks


def _shape(query: str) -> str:
    return LISTS.sub('(…)', ' '.join(query.split()))[:160]


def _caller() -> str:
    """Where a statement comes from: the nearest function outside the ORM, and the nearest of our addon."""
    frame = sys._getframe(2)
    nearest = ours = ''
    while frame and not ours:
        path = frame.f_code.co_filename
        here = f"{'/'.join(path.split('/')[-2:])}:{frame.f_code.co_name}"
        if 'xero_connector/' in path:
            ours = here
        elif not nearest and '/addons/' in path and 'xero_connector_tests/' not in path:
            nearest = here
        frame = frame.f_back
    return ' < '.join(filter(None, (nearest, ours)))


def _print_functions(profile: cProfile.Profile, order: str) -> None:
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats(order).print_stats(FUNCTIONS)
    print(re.sub(r'\S+/dist-packages/', '', text.getvalue()))


def _print_statements(counts: Counter, seconds: Counter, number: int) -> None:
    print(f"{counts.total() / number:.2f} SQL statements, {seconds.total() * 1000 / number:.2f} ms per order, by shape "
          "and caller:")
    for key, count in counts.most_common():
        if count * 50 >= number:
            print(f"{count / number:8.2f}  {seconds[key] * 1000 / number:6.2f} ms  {key[0]}\n          {key[1]}")
