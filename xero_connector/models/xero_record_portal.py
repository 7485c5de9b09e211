from odoo import api, models

# Reasons made of the invoice and the customer's own rules alone; others may name what is not the customer's to know.
_OWN_WORDS = ("unpaid", "credited", "voided", "deleted", "not_sales", "no_match", "rule_ignore")
_COLORS = {"done": "success", "failed": "danger", "pending": "info", "skipped": "secondary"}
_TRIED_AGAIN = ("failed", "skipped")
# Decided by the warehouse, or nothing to try.
_NOT_TRIED = ("ignored", "already_imported", "exported", "change_held", "void_held", "credit_held")


class XeroRecord(models.Model):
    """The sync log as the customer whose invoices these are may read it."""

    _inherit = "xero.record"

    def _portal_domain(self, connection):
        """The rows of a connection its customer may see: the invoices that came from Xero."""
        return [("connection_id", "=", connection.id), ("direction", "=", "in"), ("resource", "=", "invoice")]

    def _portal_values(self):
        """What a page of the portal shows of these rows, text and dates only.

        :return: list of dicts with ``id``, ``number``, ``reference``, ``contact``, ``date``, ``label``, ``color``,
            ``reason``, ``document``, ``url`` and ``may_retry``
        """
        labels = self._portal_filters()
        return [
            {
                "id": row.id,
                "number": row.number or "",
                "reference": row.reference or "",
                "contact": row.contact_name or "",
                "date": row.document_date,
                "label": labels[row.state],
                "color": _COLORS[row.state],
                "reason": row._portal_reason(),
                "document": row.document_name or "",
                "url": row._portal_url(),
                "may_retry": row._portal_may_retry(),
            }
            for row in self
        ]

    @api.model
    def _portal_filters(self):
        """What the log's page can be narrowed to: dict ``state -> label``, ``all`` first."""
        _ = self.env._
        return {
            "all": _("All"), "failed": _("Failed"), "pending": _("Waiting"), "done": _("Imported"),
            "skipped": _("Not imported"),
        }

    def _portal_url(self):
        """Its order among the customer's own in the portal; empty where the portal shows none."""
        order = self._document() if self.res_model == "sale.order" else None
        return f"/my/orders/{order.id}" if order and order.state in ("sent", "sale") else ""

    def _portal_may_retry(self):
        is_decided = self.problem_code in _NOT_TRIED or not self.connection_id._portal_may_change()
        return self.state in _TRIED_AGAIN and not is_decided

    def _portal_reason(self):
        """Why, in words for the customer: what to do there, or that the warehouse has to act. Neither products,
        customers nor staff that are not the customer's own are named."""
        self.ensure_one()
        if self.state == "done":
            # Why this warehouse. What the log says may be staff's own words, about a change they decided.
            return (self._document() or self.env["sale.order"]).xero_route_reason or ""
        return self._portal_sentence(self.problem_code, self.problem_subject, self.reason)

    def _portal_sentence(self, code, subject, reason):
        """As :meth:`_portal_reason`, of an outcome that has no row."""
        _ = self.env._
        if not code:
            return ""
        if code in _OWN_WORDS:
            return reason or ""
        sentences = {
            "unknown_code": _(
                "The warehouse knows no item “%s”. Correct the item code in Xero and press Retry, or ask the warehouse "
                "to add it.",
                subject,
            ),
            "address_incomplete": _(
                "The delivery address of %s is incomplete. Complete it in Xero and press Retry.", subject
            ),
            "contact_missing": _("Xero has no contact %s any more. Choose another one on the invoice.", subject),
            "warehouse_missing": _("Choose where invoices go that no rule matches, under Configuration."),
            "warehouse_denied": _(
                "A rule leads to a warehouse you may not use. Change it under Reconfigure and press Retry."
            ),
            "negative_quantity": _("A line has a quantity below zero: that cannot be shipped. Correct it in Xero."),
            "quantity_precision": _("A quantity is finer than the warehouse counts. Correct it in Xero."),
            "change_held": _("The invoice was changed in Xero after its order was made: the warehouse decides."),
            "void_held": _("The invoice was cancelled in Xero after its order was made: the warehouse decides."),
            "credit_held": _(
                "The invoice was credited or unpaid again after its order was made: the warehouse decides."
            ),
            "xero_unavailable": _("Xero did not answer. It is tried again by itself."),
            "nothing_to_ship": _("None of its lines is something to ship."),
            "already_imported": _("It was imported before."),
            "exported": _("This invoice came from the warehouse: there is nothing to ship."),
            "ignored": _("The warehouse left this one out."),
        }
        return sentences.get(code) or _("The warehouse has to look at this one.")
