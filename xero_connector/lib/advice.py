"""What to do about the refusals people meet most (xero-api.md, section 7): Xero's text says what, not where."""

import re

# What Xero's message contains -> what to do next.
_NEXT_STEPS = [
    (r"contact name.*(already|unique)", "Xero has a contact of this name: map it instead of making another one."),
    (r"archived", "Restore the contact in Xero, or map another one."),
    (
        r"lock date|end of year|document date cannot be before",
        "The period is locked in Xero: use a later date, or have an adviser move the lock date.",
    ),
    (
        r"not subscribed to currency",
        "Add the currency in Xero under Settings, Currencies; it takes a plan with several currencies.",
    ),
    (r"account code.*not.*valid|account.*(inactive|not active)", "Choose an active account of this organisation."),
    (r"tax ?type", "Choose a tax rate that Xero allows for this account."),
    (r"approv\w+.*(limit|maximum)|limit.*approv", "The organisation's plan allows no more approvals this month."),
    (
        r"highvolume",
        "The organisation has too many documents for one question: choose a later date to import from.",
    ),
    (
        r"insufficient stock",
        "Xero keeps this item's stock itself, and has too little: receive it there, or send the invoice as a draft.",
    ),
    (r"idempotency", "The document may be in Xero already: look there before sending it again."),
]


def for_messages(messages):
    """The sentences that go with these messages of Xero, each once, in order; [] for those we do not know.

    :param list messages: Xero's texts
    """
    texts = [message.lower() for message in messages]
    found = [step for text in texts for pattern, step in _NEXT_STEPS if re.search(pattern, text)]
    return list(dict.fromkeys(found))
