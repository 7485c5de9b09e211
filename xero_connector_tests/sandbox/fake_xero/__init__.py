"""A fake Xero: OAuth, connections and the Accounting API on 127.0.0.1, as `xero-api.md` describes the real one.

It knows nothing of Odoo. `FakeXero` is the server, `Organisation` one set of books inside it, `sign` signs a webhook
as Xero does.
"""
from .fake import FakeXero
from .organisation import Organisation
from .webhook_wire import sign

__all__ = ["FakeXero", "Organisation", "sign"]
