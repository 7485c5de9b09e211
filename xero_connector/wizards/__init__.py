from . import xero_try
