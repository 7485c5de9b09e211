# Imports nothing on purpose: `python3 -m xero_connector_tests` runs on a bare
# machine, before Odoo or any package of its own exists.
