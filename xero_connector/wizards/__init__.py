from . import (
    base_partner_merge,
    xero_backfill,
    xero_choose_organisation,
    xero_ignore,
    xero_import_one,
    xero_map_contact,
    xero_map_product,
    xero_mend_code,
    xero_test_order,
    xero_try,
)
