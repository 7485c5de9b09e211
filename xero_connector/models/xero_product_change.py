from odoo import api, fields, models

from .. import const


class XeroProductChange(models.Model):
    """One mark: something about a product changed that a connection may have to tell Xero.

    Rows are only added, in the transaction of the change, and removed by the turn that compares the product: whoever
    changes a product waits for no worker, and a change that comes during a turn is compared in the next.
    """

    _name = "xero.product.change"
    _description = "Xero Product Change"
    _log_access = False

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", required=True, index=True, ondelete="cascade")

    @api.model
    def _note(self, product_ids, connections=None):
        """Mark these products for the connections that exchange products of their company. One statement does so at the
        end of the transaction, or of the savepoint: one product is written many times, and many products one by one.

        :param list product_ids: ids of ``product.product``
        :param connections: for these only
        """
        if not product_ids:
            return
        precommit = self.env.cr.precommit
        noted = precommit.data.setdefault(self._name, {})
        if not noted:
            precommit.add(self._insert_noted)
        connection_ids = tuple(connections.ids) if connections else None
        noted.setdefault(connection_ids, set()).update(product_ids)

    @api.model
    def _insert_noted(self):
        noted = self.env.cr.precommit.data.pop(self._name, {})
        for connection_ids, product_ids in noted.items():
            self._insert(sorted(product_ids), connection_ids and list(connection_ids))

    @api.model
    def _insert(self, product_ids, connection_ids):
        self.env.cr.execute(
            """
            INSERT INTO xero_product_change (connection_id, product_id)
                 SELECT c.id, p.id
                   FROM xero_connection c, product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                  WHERE c.active AND c.item_sync != 'none' AND c.state IN ('connected', 'error')
                    AND p.id = ANY(%(products)s)
                    AND (t.company_id IS NULL OR t.company_id = c.company_id)
                    AND (%(connections)s IS NULL OR c.id = ANY(%(connections)s))
            """,
            {"products": product_ids, "connections": connection_ids},
        )

    @api.model
    def _next(self, connection):
        """The next products to compare, archived ones too."""
        marks = self.search([("connection_id", "=", connection.id)], order="id", limit=const.BATCH_SIZE)
        return marks.product_id

    @api.model
    def _forget(self, connection, products):
        """Remove the marks of these products that this transaction sees, its own too: they are compared."""
        self.env.cr.flush()
        self.search([("connection_id", "=", connection.id), ("product_id", "in", products.ids)]).unlink()
