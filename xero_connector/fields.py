from odoo import fields

from .lib import vault


class Secret(fields.Char):
    """A text nobody may read or search, sealed in the database where the server has a key (see ``lib/vault.py``).

    What was written lies in the ORM's cache as it is, what was fetched lies there as it is stored, and is opened only
    when its value is asked for: one that cannot be opened spoils no other record, and can be replaced.

    :raise XeroDenied: on reading a value that cannot be opened, on flushing one that cannot be sealed
    """

    groups = fields.NO_ACCESS
    prefetch = False
    copy = False

    def convert_to_column_insert(self, value, record, values=None, validate=True):
        text = super().convert_to_column_insert(value, record, values, validate)
        return vault.seal(text) if text else text

    def convert_to_record(self, value, record):
        return vault.unseal(value) if value else super().convert_to_record(value, record)
