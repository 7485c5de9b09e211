from odoo import models

from ..const import CONTACTS_PER_CALL
from ..lib.contact import XeroContact
from ..lib.invoice import XeroInvoice
from .import_draft import DOCUMENT_MODELS, ImportDraft, Route

_PAGES_AT_MOST = 5


class XeroConnection(models.Model):
    """Trying out the settings: what would become of an invoice, with nothing created."""

    _inherit = "xero.connection"

    def action_try(self):
        """Open the tester of rules and the dry run."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try rules"),
            "res_model": "xero.try",
            "view_mode": "form",
            "target": "new",
            "context": {"default_connection_id": self.id},
        }

    def _try_reference(self, reference):
        """Where a paid invoice with this reference would go.

        :rtype: Route
        """
        invoice = XeroInvoice({"Type": "ACCREC", "Status": "PAID", "Reference": reference or ""})
        route = self._decide(invoice, self.mapping_ids._matcher())
        if not route.skip_code and (problem := self._warehouse_problem(route.warehouse)):
            route.reason = f"{route.reason} {problem.reason}"
        return route

    def _dry_run(self, start_date):
        """What the invoices dated since then would become, as the settings are now. Reads Xero, writes nothing.

        :return: ``(drafts, is_cut)``, newest first; those not imported have a ``route.skip_code`` or ``problems``;
            ``is_cut`` when there were more than are read
        :raise XeroError: when Xero cannot be asked
        """
        self.ensure_one()
        with self._client() as client:
            payloads, is_cut = self._read_invoices(client, start_date)
            first_match = self.mapping_ids._matcher()
            drafts = []
            for payload in payloads.values():
                invoice = XeroInvoice(payload)
                row = self.env["xero.record"].new({"number": invoice.number})
                try:
                    route = self._decide(invoice, first_match)
                except (ValueError, ArithmeticError, AttributeError, TypeError):
                    route = Route(skip_code="unexpected", reason=self.env._("This invoice cannot be read."))
                drafts.append(ImportDraft(row=row, invoice=invoice, route=route))
            wanted = self._mark_known([draft for draft in drafts if not draft.route.skip_code])
            wanted = self._add_current_contacts(client, wanted)
        self.env[DOCUMENT_MODELS[self.order_target]].with_company(self.company_id)._xero_prepare(self, wanted)
        drafts.sort(key=lambda draft: (str(draft.invoice.date), draft.invoice.number), reverse=True)
        return drafts, is_cut

    def _read_invoices(self, client, start_date):
        """``(payloads by id, whether there are more)``; page after page, as an invoice missed or met twice does no harm
        here."""
        payloads, page, page_count = {}, 0, 1
        while page < min(page_count, _PAGES_AT_MOST):
            page += 1
            invoices, page_count = client.invoices_page(start_date=start_date, page=page)
            payloads |= {invoice["InvoiceID"]: invoice for invoice in invoices}
        return payloads, page < page_count

    def _mark_known(self, drafts):
        records = self.env["xero.record"]
        ids = [draft.invoice.id for draft in drafts]
        known = records._known_documents(self, ids)
        sent = records._sent_rows(ids)
        for draft in drafts:
            if row_sudo := sent.get(draft.invoice.id):
                draft.route = Route(skip_code="exported", reason=row_sudo._sent_text(self))
            if document := known.get(draft.invoice.id):
                reason = self.env._(
                    "Imported already: %(document)s. Today: %(reason)s",
                    document=document.display_name,
                    reason=draft.route.reason,
                )
                draft.route = Route(
                    warehouse=draft.route.warehouse, rule=draft.route.rule, skip_code="already_imported", reason=reason
                )
        return [draft for draft in drafts if not draft.route.skip_code]

    def _add_current_contacts(self, client, drafts):
        ids = list({draft.invoice.contact_id for draft in drafts})
        contacts = {}
        for start in range(0, len(ids), CONTACTS_PER_CALL):
            contacts |= {c["ContactID"]: c for c in client.contacts(ids[start : start + CONTACTS_PER_CALL])}
        for draft in drafts:
            if payload := contacts.get(draft.invoice.contact_id):
                draft.contact = XeroContact(payload)
            else:
                draft.problems.append(self._contact_problem(draft.invoice))
        return [draft for draft in drafts if draft.contact]
