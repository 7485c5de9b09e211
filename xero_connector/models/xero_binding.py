from odoo import api, fields, models


class XeroBinding(models.Model):
    """Who is who: an Odoo record and its Xero twin, per connection.

    A Xero id is one record. A record is one Xero id, but for contacts: who merges two customers in Odoo says that both
    contacts are the same.
    """

    _name = "xero.binding"
    _inherit = "xero.guarded.mixin"
    _description = "Xero Binding"
    _rec_name = "external_id"

    connection_id = fields.Many2one("xero.connection", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    resource = fields.Selection([("contact", "Contact"), ("item", "Item")], required=True)
    external_id = fields.Char(string="Xero ID", required=True)
    res_model = fields.Char(string="Model", required=True)
    res_id = fields.Many2oneReference(string="Record", model_field="res_model", required=True)

    _one_record_per_xero_id = models.UniqueIndex(
        "(connection_id, resource, external_id)", "This Xero document is already bound to another record."
    )
    _one_xero_id_per_record = models.UniqueIndex(
        "(connection_id, resource, res_model, res_id) WHERE resource != 'contact'",
        "This record is already bound to another Xero document.",
    )

    @api.model
    def _lookup(self, connection, resource, external_ids):
        """Bound records that still exist.

        :return: dict ``external id -> record``; bindings whose record was deleted are dropped
        """
        bindings = self.search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", resource),
                ("external_id", "in", list(external_ids)),
            ]
        )
        found = {}
        for res_model, group in bindings.grouped("res_model").items():
            existing = self.env[res_model].browse(group.mapped("res_id")).exists()
            for binding in group:
                record = self.env[res_model].browse(binding.res_id)
                if record in existing:
                    found[binding.external_id] = record
                else:
                    binding.unlink()
        return found

    @api.model
    def _bind(self, connection, resource, records):
        """Bind records that are not bound yet.

        :param dict records: record by external id
        """
        bound = self._lookup(connection, resource, list(records))
        pairs = [(external_id, record) for external_id, record in records.items() if external_id not in bound]
        self.create(
            [
                {
                    "connection_id": connection.id,
                    "resource": resource,
                    "external_id": external_id,
                    "res_model": record._name,
                    "res_id": record.id,
                }
                for external_id, record in pairs
            ]
        )
