"""Facts about Xero as data: addresses, scopes, limits, tables. Sources: xero-api.md, by section."""

from urllib.parse import urlsplit

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate("xero_connector", default_lang="en_US")

# Section 1.1
API_URL = "https://api.xero.com/api.xro/2.0"
API_PATH = "/api.xro/2.0"
IDENTITY_URL = "https://identity.xero.com"
LOGIN_URL = "https://login.xero.com"
WEB_URL = "https://go.xero.com"
LOCAL_HOSTS = ("localhost", "127.0.0.1")
CALLBACK_PATH = "/xero/oauth/callback"

# Section 1.2: seconds, days
ACCESS_TOKEN_SECONDS = 1800
ACCESS_TOKEN_MARGIN = 120
REFRESH_TOKEN_DAYS = 60
RENEW_AFTER_DAYS = 7
WARN_DAYS = 10
STATE_MINUTES = 15

# So many integrations a customer may have in the portal, and so many days an invoice may be old that is imported when
# one is set up there: nobody ships last year again by a slip.
PORTAL_CONNECTIONS = 20
PORTAL_DAYS_BACK = 30

# Section 1.3: what each scope is needed for. Only the granular names of 2026.
SCOPE_NEEDS = {
    "offline_access": _lt("staying connected without asking again every half hour"),
    "accounting.invoices.read": _lt("reading sales invoices, their PDF and their notes"),
    "accounting.contacts.read": _lt("reading the customers' delivery addresses"),
    "accounting.settings.read": _lt("reading the organisation's country and currency"),
}
# Section 5: which of the two lets an app write items is unproven, so the app says which one is asked for.
ITEM_SCOPES = [("accounting.settings", "accounting.settings"), ("accounting.invoices", "accounting.invoices")]
ITEM_SCOPE_NEED = _lt("writing items")
EXPORT_SCOPE_NEED = _lt("sending invoices and credit notes")
NOTE_SCOPE_NEED = _lt("writing notes on deliveries into the invoices' history")
CONTACT_SCOPE = "accounting.contacts"
CONTACT_SCOPE_NEED = _lt("creating contacts")
ATTACHMENT_SCOPE = {"accounting.attachments.read": _lt("reading the files attached to invoices")}

# Section 2
PAGE_SIZE = 1000
CONTACTS_PER_CALL = 100
ITEMS_PER_CALL = 50
TIMEOUT = 30
DEFAULT_RETRY_AFTER = 60
LONGEST_RETRY = 6 * 3600
# Xero's own word on a limit is believed up to a day; it gives none when too many calls run at the same time.
LONGEST_LIMIT = 86_400
LIMIT_PAUSES = {"concurrent": 5}
OUTAGE_PAUSE = 300
# Who gave way to another transaction tries again after so many seconds.
GIVE_WAY_PAUSE = 10
CALLS_PER_MINUTE = 60
CALLS_AT_ONCE = 5
DAY_CAPS = {"starter": 1000}
DAY_CAP = 5000
CONNECTION_CAPS = {"starter": 5, "core": 50, "plus": 1000, "advanced": 10_000}
# Calls a minute that are kept for those who come first: orders may use all, then items, PDFs, notes.
MINUTE_RESERVES = {"orders": 0, "items": 5, "files": 10, "history": 20}
# Share of a day's calls that is kept beside what looking for invoices will need.
DAY_RESERVES = {"orders": 0, "items": 0.02, "files": 0.02, "history": 0.1}
# Section 4.4: how long Xero knows an Idempotency-Key, less what clocks may differ.
KEY_SECONDS = 330
# What every document that is sent rests on is read anew: lock dates and currencies; accounts, taxes and contacts.
BOOKS_MINUTES = 10
TABLES_HOURS = 24
# What became of what was sent is asked this often; once a day about everything that is open.
BACK_MINUTES = 15
# A period is compared with Xero's while somebody waits: at most so many pages each of invoices and credit notes.
DRIFT_PAGES = 20

# Tries for a PDF, a file or a note that does not come whole: at growing distances, some five hours.
FILES_ATTEMPTS = 9

# Section 6: seconds between two answers to webhooks, the body's bytes at most.
BELL_PAUSE = 10
LONGEST_BELL_PAUSE = 900
WEBHOOK_PATH = "/xero/webhook"
LARGEST_WEBHOOK = 1024 * 1024

# Seconds after which somebody may ask again whether Xero's day has begun anew.
ASK_AGAIN = 3600

# Section 3.2: the bound of If-Modified-Since may be exclusive, and an answer may lag behind the books.
WATERMARK_OVERLAP = 120
IMPORT_STATUSES = ("AUTHORISED", "PAID", "VOIDED", "DELETED")

# Section 3.3: how Xero marks a note that a person wrote; the author of what an API wrote.
NOTE_CHANGES = "Note"
API_AUTHOR = "System Generated"
# Characters of a note.
NOTE_LENGTH = 2500

# Suggestions of this score are taken for the answer until somebody chooses another one.
SURE_SCORE = 90

# Failed polls in a row before a person is called: with one every five minutes, a quarter of an hour.
TURNS_BEFORE_HELP = 3

# What people write into the free text for a country, beside its name and ISO code.
COUNTRY_ALIASES = {
    "aotearoa": "NZ",
    "aus": "AU",
    "can": "CA",
    "eire": "IE",
    "england": "GB",
    "gbr": "GB",
    "great britain": "GB",
    "holland": "NL",
    "irl": "IE",
    "northern ireland": "GB",
    "nzl": "NZ",
    "republic of ireland": "IE",
    "scotland": "GB",
    "sgp": "SG",
    "the netherlands": "NL",
    "u.k.": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "uae": "AE",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "wales": "GB",
}

# Rows handled in one transaction.
BATCH_SIZE = 100

# Why a row ends as skipped, failed or waiting: (code, label for filters and groups).
PROBLEM_CODES = [
    ("unpaid", "Waiting for payment"),
    ("credited", "Settled by credit notes"),
    ("voided", "Voided in Xero"),
    ("deleted", "Deleted in Xero"),
    ("not_sales", "Not an approved sales invoice"),
    ("no_match", "No rule matches"),
    ("rule_ignore", "A rule says: do not import"),
    ("already_imported", "Already imported"),
    ("exported", "Sent from Odoo"),
    ("deleted_here", "Order deleted in Odoo"),
    ("nothing_to_ship", "Nothing to ship"),
    ("ignored", "Ignored by a user"),
    ("unmapped", "Not mapped"),
    ("kept_out", "Kept out of the exchange"),
    ("archived_here", "Archived in Odoo"),
    ("code_missing", "No internal reference"),
    ("code_long", "Internal reference too long"),
    ("code_taken", "Code taken by another"),
    ("change_held", "Changed in Xero: decide"),
    ("void_held", "Cancelled in Xero: decide"),
    ("credit_held", "Credited in part or unpaid again: decide"),
    ("unknown_code", "Unknown item code"),
    ("ambiguous_code", "Item code fits several products"),
    ("warehouse_missing", "No warehouse"),
    ("warehouse_denied", "Warehouse not allowed"),
    ("address_incomplete", "Address incomplete"),
    ("negative_quantity", "Negative quantity"),
    ("quantity_precision", "Quantity too precise"),
    ("currency_inactive", "Currency not active"),
    ("contact_missing", "Contact not found in Xero"),
    ("nothing_to_send", "Nothing to send"),
    ("account_unmapped", "Account not mapped"),
    ("account_inactive", "Account not in use in Xero"),
    ("tax_unmapped", "Tax not mapped"),
    ("tax_inactive", "Tax type not in use in Xero"),
    ("tax_mismatch", "Tax type does not suit the account"),
    ("tax_rate", "Tax rates differ"),
    ("period_locked", "Period locked in Xero"),
    ("currency_unknown", "Currency not used in Xero"),
    ("number_taken", "Number taken in Xero"),
    ("item_unmapped", "Product not mapped to an item"),
    ("price_foreign", "Xero's price is in another currency"),
    ("total_differs", "Totals differ"),
    ("changed_here", "Changed in Odoo after it was sent"),
    ("not_allocated", "Credit note not allocated"),
    ("archived_there", "Archived in Xero"),
    ("merged_there", "Merged in Xero"),
    ("contact_unmapped", "Customer is no contact in Xero"),
    ("contact_alike", "Customer may be a contact in Xero"),
    ("contact_ambiguous", "Customer may be several contacts"),
    ("contact_taken", "Contact's name taken in Xero"),
    ("contact_archived", "Customer's contact archived in Xero"),
    ("contact_refused", "Contact refused by Xero"),
    ("xero_rejected", "Refused by Xero"),
    ("odoo_refused", "Refused by Odoo"),
    ("xero_unavailable", "Xero did not answer"),
    ("unexpected", "Unexpected error"),
]

# Of these, why an item has no product yet: looked into again when somebody asks for it.
UNMAPPED_CODES = ("unmapped", "kept_out", "code_taken", "ambiguous_code", "archived_here")

# Of these, why a customer has no contact to send its orders to: mended on the screen of contacts.
CONTACT_CODES = (
    "contact_unmapped",
    "contact_alike",
    "contact_ambiguous",
    "contact_taken",
    "contact_archived",
    "contact_refused",
)

# Of these, what another setting of the connection would import.
SKIPPED_BY_SETTINGS = ("unpaid", "no_match", "rule_ignore")


def is_safe_url(url):
    """Whether a secret may be sent there: https, or this very machine."""
    parts = urlsplit(url)
    if parts.scheme == "http":
        return parts.hostname in LOCAL_HOSTS
    return parts.scheme == "https" and bool(parts.hostname)
