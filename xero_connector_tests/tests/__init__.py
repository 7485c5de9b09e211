from . import (
    test_connect,
    test_fake_xero_oauth,
    test_files,
    test_import,
    test_prices,
    test_routing,
    test_sync,
)
