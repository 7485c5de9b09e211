from dataclasses import dataclass
from typing import Any

from odoo import models

from ..lib.errors import Problem


@dataclass
class ContactAnswer:
    """Which contact of Xero a customer is: ``id``, or the ``problem`` with it, or none yet (``is_new``)."""

    id: str = ""
    problem: Any = None
    is_new: bool = False


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _xero_contacts(self, connection, partners):
        """The contact each of these customers is bound to, or why there is none."""
        bindings = self.env["xero.binding"].search(
            [
                ("connection_id", "=", connection.id),
                ("resource", "=", "contact"),
                ("res_model", "=", self._name),
                ("res_id", "in", partners.ids),
            ]
        )
        answers = {partners.browse(binding.res_id): ContactAnswer(binding.external_id) for binding in bindings}
        for partner in partners - partners.browse(bindings.mapped("res_id")):
            reason = connection.env._("%s is no contact of Xero's.", partner.display_name)
            answers[partner] = ContactAnswer(problem=Problem("contact_missing", reason, partner.name, partner))
        return answers


class XeroRecord(models.Model):
    _inherit = "xero.record"

    def _read_contacts_list(self, connection):
        """Contacts are known from the import."""

    def _push_contacts(self, connection, partners):
        """No contact is made in Xero."""
