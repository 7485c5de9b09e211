from . import ir_cron
from . import xero_connection
