from odoo import api, fields, models

from ..lib import formats
from .import_draft import Route

# How long an invoice waits that may be one of ours.
_DOUBT_PAUSE = 120


class XeroRecord(models.Model):
    """What was sent from here comes back with the other invoices: it must not be shipped a second time."""

    _inherit = "xero.record"

    _in_doubt = models.Index(
        "(request_key) WHERE direction = 'out' AND request_key IS NOT NULL AND external_id IS NULL"
    )

    @api.model
    def _hold_echoes(self, connection, drafts):
        """Decide about those of these invoices that were sent from this database, by whatever connection, of whatever
        company. Whether one was that is on its way just now, is known only when its outcome is: until then it waits.

        :param list drafts: of invoices that are no document here; those that were sent get a route that says so
        :return: the rows that wait
        """
        sent = self._sent_rows([draft.invoice.id for draft in drafts])
        doubts = self._rows_in_doubt(connection)
        waiting = self.browse()
        for draft in drafts:
            if row_sudo := sent.get(draft.invoice.id):
                draft.route = Route(skip_code="exported", reason=row_sudo._sent_text(connection))
            elif draft.route.skip_code:
                continue
            elif row_sudo := next((row for row in doubts if row._may_be(draft.invoice)), None):
                draft.row._wait_for_outcome_of(row_sudo, connection)
                waiting |= draft.row
        return waiting

    @api.model
    def _sent_rows(self, invoice_ids):
        """The documents that became these invoices: dict ``invoice id -> outbound row``. Ids are Xero's own: no two
        organisations share one, so it does not matter which one a connection is about by now."""
        domain = [*self._sent_documents_domain(), ("external_id", "in", invoice_ids)]
        # sudo: another company's orders are not to be shipped by this one either
        # Several documents may be in one invoice: the first one is named.
        return {row.external_id: row for row in self.sudo().search(domain, order="id desc")}

    @api.model
    def _rows_in_doubt(self, connection):
        """The documents that were, or may have been, sent to this organisation without our knowing the outcome, in
        whatever state they are. Their keys begin with the organisation they were sent to."""
        if not connection.tenant_id:
            return self.browse()
        # sudo: as above
        return self.sudo().search(
            [
                *self._sent_documents_domain(),
                ("request_key", "=like", f"{connection.tenant_id}:%"),
                ("external_id", "=", False),
            ]
        )

    @api.model
    def _sent_documents_domain(self):
        return [
            ("direction", "=", "out"),
            ("resource", "=", "invoice"),
            ("res_model", "in", ("sale.order", "account.move")),
        ]

    def _may_be(self, invoice):
        """Whether this invoice may be what was sent of this row: it has its reference, or is the draft it was to be
        added to."""
        reference = formats.text(invoice.reference).casefold()
        same_reference = reference and reference == formats.text(self.reference).casefold()
        return bool(same_reference or (self.appended_to and self.appended_to == invoice.id))

    def _sent_text(self, connection):
        if self.company_id == connection.company_id:
            return connection.env._("It was sent to Xero from here: %s.", self.number)
        return connection.env._("It was sent to Xero from here, by %s.", self.company_id.name)

    def _wait_for_outcome_of(self, row_sudo, connection):
        if row_sudo.company_id == connection.company_id:
            reason = connection.env._(
                "It may be %s, of which it is not known yet whether it arrived in Xero: it waits for that.",
                row_sudo.number,
            )
        else:
            reason = connection.env._(
                "It may be a document of %s of which it is not known yet whether it arrived: it waits for that.",
                row_sudo.company_id.name,
            )
        self.write(
            {
                "next_attempt": fields.Datetime.add(fields.Datetime.now(), seconds=_DOUBT_PAUSE),
                "problem_code": False,
                "reason": reason,
            }
        )
