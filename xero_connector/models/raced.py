from contextlib import contextmanager

import psycopg2

from odoo.exceptions import ConcurrencyError


class RacedError(ConcurrencyError, psycopg2.OperationalError):
    """Another worker made the same row since this one began. Nothing is wrong: roll back, and do all again a little
    later; a request does so by itself, and every worker of ours does as for any other collision."""


@contextmanager
def raced_is_busy(cr):
    """Create rows in here of which no two may be alike, while others may do the same.

    :raise RacedError: where somebody was faster
    """
    try:
        with cr.savepoint(flush=False):
            yield
    except psycopg2.errors.UniqueViolation as error:
        raise RacedError(str(error)) from None
