"""The granular scope names of 2026 and what each call needs (`xero-api.md` 1.3)."""
IDENTITY = ("openid", "profile", "email", "offline_access")
_BOTH_WAYS = ("invoices", "payments", "contacts", "settings", "attachments", "banktransactions", "manualjournals")
_READ_ONLY = ("budgets", "reports.aged", "reports.balancesheet", "reports.banksummary", "reports.budgetsummary",
              "reports.executivesummary", "reports.profitandloss", "reports.trialbalance", "reports.taxreports")
KNOWN = frozenset(IDENTITY) | {f"accounting.{name}{end}" for name in _BOTH_WAYS for end in ("", ".read")} | {
    f"accounting.{name}.read" for name in _READ_ONLY}
SETTINGS = ("accounting.settings",)
NEEDED = {
    "Invoices": ("accounting.invoices",), "CreditNotes": ("accounting.invoices",),
    "Payments": ("accounting.payments",), "Contacts": ("accounting.contacts",),
    # the scopes page lists items twice; whether the first suffices for writing is unproven
    "Items": ("accounting.settings", "accounting.invoices"),
    "Attachments": ("accounting.attachments",),
}


def unknown(scopes):
    """Names a new app may not ask for: misspelt, or broad such as `accounting.transactions`."""
    return [scope for scope in scopes if scope not in KNOWN]


def allows(scopes, needed, writing):
    """Whether one of the `needed` scopes is granted; a scope without `.read` serves reading too."""
    return any(name in scopes or (not writing and f"{name}.read" in scopes) for name in needed)
