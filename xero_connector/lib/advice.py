"""What to do about the refusals people meet most (xero-api.md, section 7): Xero's text says what, not where."""

import re

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate("xero_connector", default_lang="en_US")

# What Xero's message contains -> what to do next.
_NEXT_STEPS = {
    r"contact name.*(already|unique)": _lt("Xero has a contact of this name: map it instead of making another one."),
    r"archived": _lt("Restore the contact in Xero, or map another one."),
    r"lock date|end of year|document date cannot be before": _lt(
        "The period is locked in Xero: use a later date, or have an adviser move the lock date."
    ),
    r"not subscribed to currency": _lt(
        "Add the currency in Xero under Settings, Currencies; it takes a plan with several currencies."
    ),
    r"account code.*not.*valid|account.*(inactive|not active)": _lt("Choose an active account of this organisation."),
    r"tax ?type": _lt("Choose a tax rate that Xero allows for this account."),
    r"approv\w+.*(limit|maximum)|limit.*approv": _lt("The organisation's plan allows no more approvals this month."),
    r"highvolume": _lt(
        "The organisation has too many documents for one question: choose a later date to import from."
    ),
    r"insufficient stock": _lt(
        "Xero keeps this item's stock itself, and has too little: receive it there, or send the invoice as a draft."
    ),
    r"idempotency": _lt("The document may be in Xero already: look there before sending it again."),
}


def for_messages(messages):
    """The sentences that go with these messages of Xero, each once, in order; [] for those we do not know.

    :param list messages: Xero's texts
    :return: texts marked for translation
    """
    texts = [message.lower() for message in messages]
    found = dict.fromkeys(pattern for text in texts for pattern in _NEXT_STEPS if re.search(pattern, text))
    return [_NEXT_STEPS[pattern] for pattern in found]
