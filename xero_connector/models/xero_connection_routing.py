from odoo import models

from ..lib.errors import Problem
from .import_draft import Route


class XeroConnection(models.Model):
    """Where an invoice goes, or why it is not imported."""

    _inherit = "xero.connection"

    def _decide(self, invoice, first_match):
        """Which warehouse an invoice goes to, or why it is not imported.

        :param XeroInvoice invoice: the invoice
        :param first_match: ``mapping_ids._matcher()``
        :rtype: Route
        """
        return self._skip(invoice) or self._choose(invoice, first_match)

    def _choose(self, invoice, first_match):
        """As :meth:`_decide`, by the reference alone."""
        rule = first_match(invoice.reference)
        quoted = {"reference": invoice.reference, "text": rule.reference_contains, "warehouse": rule.warehouse_id.name}
        if rule.action == "ignore":
            reason = self.env._("The rule “%(text)s” says: do not import (reference “%(reference)s”).", **quoted)
            return Route(rule=rule, skip_code="rule_ignore", reason=reason)
        if rule:
            reason = self.env._(
                "The reference “%(reference)s” contains “%(text)s”: %(warehouse)s.", **quoted
            )
            return Route(warehouse=rule.warehouse_id, rule=rule, reason=reason)
        if self.unmatched_action == "ignore":
            reason = self.env._("The invoice has no reference to match, and unmatched invoices are not imported.")
            if invoice.reference:
                reason = self.env._(
                    "No rule matches the reference “%s”; unmatched invoices are not imported.", invoice.reference
                )
            return Route(skip_code="no_match", reason=reason)
        reason = self.env._("No rule matches, so the default warehouse: %s.", self.warehouse_id.name)
        return Route(warehouse=self.warehouse_id, rule=rule, reason=reason)

    def _currency_code(self, invoice):
        """The invoice's currency; Xero may leave it out where it is the organisation's own."""
        return invoice.currency or self.tenant_currency or self.company_id.currency_id.name

    def _warehouse_problem(self, warehouse, partner=None):
        """What speaks against this warehouse, None when nothing does.

        :param partner: the contact's, whose limits hold where the connection has no customer
        """
        if not warehouse:
            reason = self.env._("The connection %s has no default warehouse. Choose one.", self.name)
            return Problem("warehouse_missing", reason, self.name, self)
        # sudo: the customer's limits hold for everybody who imports for them
        customer = self.sudo().partner_id or (partner or self.env["res.partner"]).sudo()
        if customer.xero_warehouse_ids and warehouse not in customer.xero_warehouse_ids:
            reason = self.env._(
                "%(customer)s may not use the warehouse %(warehouse)s. Allow it on the customer, or change the rules.",
                customer=customer.name,
                warehouse=warehouse.name,
            )
            return Problem("warehouse_denied", reason, f"{customer.name}: {warehouse.name}", customer)
        return None

    def _contact_problem(self, invoice):
        name = invoice.contact_name or invoice.contact_id
        reason = self.env._("Xero has no contact %s any more. Choose another one on the invoice.", name)
        return Problem("contact_missing", reason, name)

    def _skip(self, invoice):
        """Why this invoice is none to ship, whatever its reference; None when it is."""
        _ = self.env._
        if invoice.type != "ACCREC":
            return Route(skip_code="not_sales", reason=_("Only sales invoices are imported."))
        if invoice.status == "VOIDED":
            return Route(skip_code="voided", reason=_("The invoice was voided in Xero."))
        if invoice.status == "DELETED":
            return Route(skip_code="deleted", reason=_("The invoice was deleted in Xero."))
        if invoice.status not in ("AUTHORISED", "PAID"):
            return Route(skip_code="not_sales", reason=_("The invoice is not approved (%s).", invoice.status))
        if invoice.is_settled_by_credit:
            return Route(skip_code="credited", reason=_("Credit notes settled this invoice: there is nothing to ship."))
        if self.trigger_status == "paid" and invoice.status != "PAID":
            return Route(skip_code="unpaid", reason=_("Waiting for payment: this connection imports paid invoices."))
        return None
