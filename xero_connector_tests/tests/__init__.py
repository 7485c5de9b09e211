from . import test_fake_xero_oauth, test_routing
