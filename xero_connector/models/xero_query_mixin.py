from odoo import api, models


class XeroQueryMixin(models.AbstractModel):
    """What is read from a query and stored nowhere: to ask for records by their ids runs all of it again."""

    _name = "xero.query.mixin"
    _description = "Xero Query"

    @api.model
    @api.readonly
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        # What the record rules ask for afterwards comes along.
        names = None if field_names is None else [*field_names, "company_id"]
        return super().search_fetch(domain, names, offset=offset, limit=limit, order=order)
