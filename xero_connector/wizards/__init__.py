from . import base_partner_merge, xero_backfill, xero_ignore, xero_import_one, xero_mend_code, xero_try
