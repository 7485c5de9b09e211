"""Fills a database as it is after years of many customers: a few documents go the real way, SQL multiplies them.

One company imports for its customers and sends its own orders. A third of what is imported is one large customer's.
"""

from dataclasses import dataclass

from odoo.tools import SQL

from .export import Seller
from .seed import Stride, another_id

ORIGINALS = 20  # documents that go the real way, each way
WAITING_EACH = 80  # one of so many rows waits for its next attempt
FAILED_EACH = 20  # and one of so many failed
CAUSES = 300  # of those that failed, so many different item codes are the reason
DAYS = 365  # over so many days all is spread
WEEKS = 52  # that were billed


@dataclass
class Crowd:
    """How many there are in the end; `periods` of each connection with a customer."""

    connections: int
    rows: int
    orders: int
    periods: int

    @property
    def contacts(self) -> int:
        return self.rows // 10

    @property
    def items(self) -> int:
        return self.rows // 20


SMALL = Crowd(connections=50, rows=1_000, orders=200, periods=11)
LARGE = Crowd(connections=500, rows=100_000, orders=20_000, periods=101)


class CrowdedSite:
    """A database with that many, everything committed; `importer` is the large customer's connection."""

    def __init__(self, env, books, crowd: Crowd):
        self.env, self.crowd = env, crowd
        self.seller = Seller(env, books)
        self.seller.push(ORIGINALS)
        self.site = self.seller.site
        self.importer, self.organisation = self.site.connect(
            "Crowd", 10, order_confirm=True, setup_done=True, digest='daily', user_id=env.ref('base.user_admin').id)
        self.organisation.add_invoices(ORIGINALS)
        self.site.ring(self.importer)
        self.site.import_news(self.importer)
        self.site.check(self.importer, self.organisation)
        self._multiply()

    def _multiply(self) -> None:
        env = self.env
        env.flush_all()
        self._connections = self._copy_connections()
        self._copy_documents()
        self._add_contacts_and_items()
        self._add_fees()
        self._add_differences()
        env.cr.commit()
        env.cr.execute("ANALYZE")
        env.cr.commit()
        env.invalidate_all()

    # === CONNECTIONS === #

    def _copy_connections(self) -> Stride:
        number, cr = self.crowd.connections, self.env.cr
        partners = self.env['res.partner'].create(
            [{'name': f'Integrated customer {n}', 'is_company': True} for n in range(number - 1)])
        self.importer.partner_id = partners[0]
        self.env.flush_all()
        connection = Stride(cr, 'xero_connection')
        connection.copy(number - 2, {
            'name': SQL("name || ' ' || copy"),
            'tenant_id': SQL("md5('tenant' || copy)::uuid::text"),
            'tenant_name': SQL("'Organisation ' || copy"),
            'partner_id': SQL("(%s)[copy + 1]", partners.ids),
            'next_poll': SQL("now() AT TIME ZONE 'UTC' + interval '1 hour'"),
            'next_items': SQL("now() AT TIME ZONE 'UTC' + interval '1 hour'"),
        }, where=SQL("id = %s", self.importer.id))
        Stride(cr, 'mail_followers').copy(
            number - 2, {'res_id': connection.copied('res_id')},
            where=SQL("res_model = 'xero.connection' AND res_id = %s", self.importer.id))
        return connection

    def _connection_of_copy(self) -> SQL:
        """The connection of a copied row."""
        others = self.crowd.connections - 1
        return SQL("CASE WHEN copy %% 3 = 0 THEN connection_id ELSE connection_id + copy %% %s * %s END",
                   others, self._connections.width)

    # === DOCUMENTS === #

    def _copy_documents(self) -> None:
        """Orders with their lines and transfers, then the rows of the log: half of the orders were imported, half were
        sent; what is left of the rows is about invoices that became nothing."""
        cr, crowd = self.env.cr, self.crowd
        of_order = crowd.orders // (2 * ORIGINALS) - 1
        order, line, picking, move, move_line, row = (Stride(cr, table) for table in (
            'sale_order', 'sale_order_line', 'stock_picking', 'stock_move', 'stock_move_line', 'xero_record'))
        connection = self._connection_of_copy()
        of_connection = SQL("CASE WHEN xero_connection_id = %s THEN %s END", self.importer.id, SQL(
            "CASE WHEN copy %% 3 = 0 THEN xero_connection_id ELSE xero_connection_id + copy %% %s * %s END",
            crowd.connections - 1, self._connections.width))
        order.copy(of_order, {
            'name': SQL("name || '-' || copy"),
            'access_token': SQL("NULL"),
            'xero_invoice_id': another_id('xero_invoice_id'),
            'xero_connection_id': of_connection,
            'date_order': _days_before('date_order'),
        })
        line.copy(of_order, {'order_id': order.copied('order_id')})
        picking.copy(of_order, {
            'name': SQL("name || '-' || copy"),
            'sale_id': order.copied('sale_id'),
            'xero_invoice_id': another_id('xero_invoice_id'),
            'xero_connection_id': of_connection,
            'scheduled_date': _days_before('scheduled_date'),
        })
        move.copy(of_order, {'picking_id': picking.copied('picking_id'), 'sale_line_id': line.copied('sale_line_id')},
                  where=SQL("picking_id IS NOT NULL"))
        move_line.copy(of_order, {'picking_id': picking.copied('picking_id'), 'move_id': move.copied('move_id')},
                       where=SQL("picking_id IS NOT NULL"))
        Stride(cr, 'mail_message').copy(of_order, {
            'res_id': order.copied('res_id'), 'message_id': SQL("message_id || copy"),
        }, where=SQL("model = 'sale.order'"))
        row.copy(of_order, {
            'external_id': another_id('external_id'),
            'request_key': another_id('request_key'),
            'res_id': order.copied('res_id'),
            **_days_before_all('document_date', 'done_at', 'first_done_at', 'received_at', 'sent_at'),
        }, where=SQL("direction = 'out' AND resource = 'invoice'"))
        Stride(cr, 'xero_record_line').copy(of_order, {
            'record_id': row.copied('record_id'), 'source_id': line.copied('source_id'),
            'line_id': another_id('line_id'),
        })
        rows = crowd.rows - crowd.contacts - crowd.items - crowd.orders // 2
        has_order = SQL("copy <= %s", of_order)
        state = SQL("CASE WHEN %s THEN 'done' WHEN copy %% %s = 0 THEN 'pending' WHEN copy %% %s = 1 THEN 'failed' "
                    "ELSE 'skipped' END", has_order, WAITING_EACH, FAILED_EACH)
        row.copy(rows // ORIGINALS - 1, {
            'connection_id': connection,
            'external_id': another_id('external_id'),
            'number': SQL("number || '-' || copy"),
            'res_id': SQL("CASE WHEN %s THEN %s END", has_order, order.copied('res_id')),
            'res_model': SQL("CASE WHEN %s THEN res_model END", has_order),
            'state': state,
            'reason': SQL("'The reason in plain words, copy ' || copy"),
            'problem_code': SQL(
                "CASE %s WHEN 'failed' THEN 'unknown_code' WHEN 'skipped' THEN 'no_match' "
                "WHEN 'pending' THEN 'xero_unavailable' END", state),
            'problem_subject': SQL(
                "CASE %s WHEN 'failed' THEN 'CODE-' || (copy * %s + id) %% %s END", state, ORIGINALS, CAUSES),
            'next_attempt': SQL("CASE %s WHEN 'pending' THEN now() AT TIME ZONE 'UTC' + interval '1 hour' END", state),
            'first_done_at': SQL("CASE %s WHEN 'done' THEN %s END", state, _days_before('first_done_at')),
            'failed_at': SQL("CASE %s WHEN 'failed' THEN %s END", state, _days_before('done_at')),
            **_days_before_all('document_date', 'done_at', 'received_at'),
        }, where=SQL("direction = 'in' AND resource = 'invoice'"))

    def _add_contacts_and_items(self) -> None:
        """Rows of the seller's contacts and items: two thirds of the contacts are customers, of the items products."""
        crowd, env = self.crowd, self.env
        partner, template, product = (
            Stride(env.cr, table) for table in ('res_partner', 'product_template', 'product_product'))
        customer, article = self.seller.customers[0], self.seller.products[0]
        partners, products = crowd.contacts * 2 // 3, crowd.items * 2 // 3
        name = SQL("'Export customer, copy ' || copy")
        partner.copy(partners, {'name': name, 'complete_name': name, 'commercial_partner_id': partner.copied('id')},
                     where=SQL("id = %s", customer.id))
        template.copy(products, {'default_code': SQL("'SKU-' || copy")},
                      where=SQL("id = %s", article.product_tmpl_id.id))
        product.copy(products, {
            'default_code': SQL("'SKU-' || copy"), 'product_tmpl_id': template.copied('product_tmpl_id'),
        }, where=SQL("id = %s", article.id))
        for resource, number, label in (
            ('contact', crowd.contacts, "Export customer, copy "), ('item', crowd.items, "SKU-")
        ):
            env.cr.execute(SQL(
                """
                INSERT INTO xero_record (connection_id, company_id, direction, resource, external_id, number, reference,
                                         contact_name, state, part, attempts, received_at, done_at, payload)
                SELECT %(connection)s, %(company)s, 'in', %(resource)s, md5(%(resource)s || copy)::uuid::text,
                       %(label)s || copy, 'Called so in Xero ' || copy, %(label)s || copy, 'done', 0, 1,
                       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', '{}'
                  FROM generate_series(1, %(number)s) AS copy
                """,
                connection=self.seller.connection.id, company=env.company.id, resource=resource, label=label,
                number=number))
        for resource, model, first, width, number in (
            ('contact', 'res.partner', customer.id, partner.width, partners),
            ('item', 'product.product', article.id, product.width, products),
        ):
            env.cr.execute(SQL(
                """
                INSERT INTO xero_binding (connection_id, company_id, resource, external_id, res_model, res_id)
                SELECT %s, %s, %s, md5(%s || copy)::uuid::text, %s, %s + copy * %s
                  FROM generate_series(1, %s) AS copy
                """,
                self.seller.connection.id, env.company.id, resource, resource, model, first, width, number))

    # === FEES, COMPARISON === #

    def _add_fees(self) -> None:
        """Each customer's connection was paused and resumed so often, and paid every week of the last year."""
        self.env.cr.execute("DELETE FROM xero_active_period")
        self.env.cr.execute(SQL(
            """
            INSERT INTO xero_active_period (connection_id, company_id, partner_id, began_at, ended_at, is_paused)
            SELECT id, company_id, partner_id, this_week - copy * interval '9 days',
                   CASE WHEN copy > 1 THEN this_week - (copy - 1) * interval '9 days' END, copy %% 2 = 0
              FROM xero_connection, date_trunc('week', now() AT TIME ZONE 'UTC') AS this_week,
                   generate_series(1, %s) AS copy
             WHERE partner_id IS NOT NULL
            """,
            self.crowd.periods))
        self.env.cr.execute(SQL(
            """
            INSERT INTO xero_fee (company_id, partner_id, week_start, date_from, active_days, currency_id, amount,
                                  state)
            SELECT company_id, partner_id, monday, monday, 7, %s, 10, 'billed'
              FROM (SELECT company_id, partner_id,
                           (date_trunc('week', now()) - week * interval '1 week')::date AS monday
                      FROM xero_connection, generate_series(2, %s) AS week
                     WHERE partner_id IS NOT NULL) AS weeks
            """,
            self.env.company.currency_id.id, WEEKS))

    def _add_differences(self) -> None:
        """A comparison of each connection with a customer, with ten differences."""
        self.env.cr.execute(
            """
            INSERT INTO xero_drift (connection_id, company_id, date_from, date_to, compared_at, here_count, there_count)
            SELECT id, company_id, '2026-01-01', '2026-01-31', now() AT TIME ZONE 'UTC', 100, 100
              FROM xero_connection WHERE partner_id IS NOT NULL
            """)
        self.env.cr.execute(
            """
            INSERT INTO xero_drift_line (drift_id, connection_id, company_id, kind, about, resource, external_id,
                                         document_date, number, odoo_total, xero_total, difference, is_accepted)
            SELECT id, connection_id, company_id, 'only_there', 'there:' || copy, 'invoice', md5('drift' || copy)::uuid,
                   '2026-01-15', 'INV-' || copy, 0, 10, 10, copy % 3 = 0
              FROM xero_drift, generate_series(1, 10) AS copy
            """)


def _days_before(column: str) -> SQL:
    # 97: of few copies some are old, too
    return SQL("%s - copy * 97 %% %s * interval '1 day'", SQL.identifier(column), DAYS)


def _days_before_all(*columns: str) -> dict[str, SQL]:
    return {column: _days_before(column) for column in columns}
