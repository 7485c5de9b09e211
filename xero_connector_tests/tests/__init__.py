from . import test_fake_xero_oauth, test_import, test_prices, test_routing, test_sync
