from odoo import api, models


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_reference_fields_generic(
        self, referenced_model, src_records, dst_record, additional_update_records=None
    ):
        """Merged partners stay the Xero contacts they were: the next invoice must not make them anew."""
        bindings = {"model": "xero.binding", "field_model": "res_model"}
        return super()._update_reference_fields_generic(
            referenced_model, src_records, dst_record, [*(additional_update_records or []), bindings]
        )

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Weeks both were billed for stay decided; both invoices stay."""
        self.env["xero.fee"].sudo()._merge_customers(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
