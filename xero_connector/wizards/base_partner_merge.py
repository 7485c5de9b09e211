from odoo import models


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
