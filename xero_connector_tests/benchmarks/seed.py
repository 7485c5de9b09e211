"""Fills a database by copying what is in it: rows of real shape and size, without a single import."""

from dataclasses import dataclass

from odoo.tools import SQL


@dataclass
class Copies:
    """How many times as many there are afterwards: rows of the sync log about invoices, and their orders."""

    rows: int
    orders: int


def multiply(env, copies: Copies) -> None:
    """Multiply imported invoices. Each row of the log has its own order as long as there are orders; the others are
    rows of invoices that no rule matched."""
    env.flush_all()
    order, line, message = (
        Stride(env.cr, table) for table in ('sale_order', 'sale_order_line', 'mail_message'))
    of_order = copies.orders - 1
    order.copy(of_order, {
        'name': SQL("name || '-' || copy"),
        'access_token': SQL("NULL"),
        'xero_invoice_id': another_id('xero_invoice_id'),
    })
    line.copy(of_order, {'order_id': order.copied('order_id')})
    Stride(env.cr, 'account_tax_sale_order_line_rel', key='').copy(
        of_order, {'sale_order_line_id': line.copied('sale_order_line_id')})
    message.copy(of_order, {
        'res_id': order.copied('res_id'),
        'message_id': SQL("message_id || copy"),
    }, where=SQL("model = 'sale.order'"))
    has_order = SQL("copy <= %s", of_order)
    Stride(env.cr, 'xero_record').copy(copies.rows - 1, {
        'external_id': another_id('external_id'),
        'res_id': SQL("CASE WHEN %s THEN %s END", has_order, order.copied('res_id')),
        'res_model': SQL("CASE WHEN %s THEN res_model END", has_order),
        'state': SQL("CASE WHEN %s THEN state ELSE 'skipped' END", has_order),
        'problem_code': SQL("CASE WHEN %s THEN problem_code ELSE 'no_match' END", has_order),
    }, where=SQL("resource = 'invoice'"))
    env.cr.commit()
    env.cr.execute("ANALYZE")
    env.cr.commit()
    env.invalidate_all()


def another_id(column: str) -> SQL:
    """In a copy, an id of Xero's that no other copy has."""
    return SQL("md5(%s || copy)::uuid::text", SQL.identifier(column))


class Stride:
    """A table whose copies get the id of the original plus a multiple of its largest id."""

    def __init__(self, cr, table: str, key: str = 'id'):
        self._cr, self._table, self._key = cr, table, key
        self.width = 0
        if key:
            cr.execute(SQL("SELECT max(id) FROM %s", SQL.identifier(table)))
            self.width = cr.fetchone()[0]

    def copied(self, column: str) -> SQL:
        """In a copy, the copied record that `column` (a reference to this table) of the original refers to."""
        return SQL("%s + copy * %s", SQL.identifier(column), self.width)

    def copy(self, number: int, changes: dict[str, SQL], where: SQL | None = None) -> None:
        """:param changes: SQL by column; `copy` in it counts from 1 to `number`"""
        self._cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s",
            [self._table])
        columns = [column for (column,) in self._cr.fetchall()]
        if self._key:
            changes = {self._key: self.copied(self._key), **changes}
        table = SQL.identifier(self._table)
        self._cr.execute(SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s, generate_series(1, %s) AS copy WHERE %s",
            table, SQL(", ").join(map(SQL.identifier, columns)),
            SQL(", ").join(changes.get(column) or SQL.identifier(column) for column in columns),
            table, number, where or SQL("TRUE"),
        ))
        if self._key:
            self._cr.execute(SQL(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT max(id) FROM %s))", self._table, table))
