"""What Xero would refuse about a document, told before it is sent, and all of it at once."""

from ..lib import formats, outgoing
from ..lib.errors import Problem
from .export_source import NOTHING

_SIDES = {"Revenue": "for_revenue", "Expense": "for_expenses"}


def check(connection, draft):
    """Look at a document with the organisation's books as we know them.

    :return: ``(problems, warnings)``
    """
    problems = [*_head(connection, draft)]
    for each in draft.lines:
        problems += _line(connection, each)
    return problems, [*_warnings(connection, draft)]


def _head(connection, draft):
    _ = connection.env._
    document = draft.document
    if not any(not each.line.is_text for each in draft.lines):
        yield Problem("nothing_to_send", _("None of its lines has a quantity: there is nothing to bill."), None)
    currencies = (connection.tenant_currencies or "").split(",")
    if connection.tenant_currencies and document.currency not in currencies:
        reason = _(
            "The organisation does not use %s. Add the currency in Xero under Settings, Currencies, or sell in "
            "another one.",
            document.currency,
        )
        yield Problem("currency_unknown", reason, document.currency, connection)
    if connection.lock_date and document.date <= connection.lock_date:
        reason = _(
            "Xero's books are locked up to %(lock)s, and this is of %(date)s. Choose a later date under Preview, or "
            "have an adviser move the lock date.",
            lock=connection.lock_date,
            date=document.date,
        )
        yield Problem("period_locked", reason, str(connection.lock_date), draft.source)
    if not document.reference.strip():
        yield Problem("nothing_to_send", _("It needs a reference: by that it is found again in Xero."), None)


def _line(connection, each):
    if each.line.is_text:
        return
    _, account, tax = connection.env._, each.account, each.tax
    if account and not account.is_active:
        reason = _("Account %(code)s (%(name)s) is archived in Xero.", code=account.code, name=account.name)
        yield Problem("account_inactive", reason, account.code, connection)
    if account and account.account_type == "BANK":
        reason = _("Account %s is a bank account: Xero books no invoice line on it.", account.code)
        yield Problem("account_inactive", reason, account.code, connection)
    if tax and not tax.is_active:
        reason = _("Tax type %(code)s (%(name)s) is not in use in Xero any more.", code=tax.tax_type, name=tax.name)
        yield Problem("tax_inactive", reason, tax.tax_type, connection)
    side = account and tax and _SIDES.get(account.account_class)
    if side and not tax[side]:
        reason = _(
            "Xero does not allow tax type %(tax)s on account %(account)s.", tax=tax.tax_type, account=account.code
        )
        yield Problem("tax_mismatch", reason, f"{tax.tax_type} / {account.code}", connection)
    ours = _rate(each.source.taxes) if each.source else None
    if tax and ours is not None and ours != outgoing.number(tax.rate):
        reason = _(
            "%(ours)s is %(rate)s %% in Odoo, and %(theirs)s is %(their_rate)s %% in Xero.",
            ours=", ".join(each.source.taxes.mapped("name")) or _("No tax"),
            rate=formats.short(ours) or "0",
            theirs=tax.tax_type,
            their_rate=formats.short(outgoing.number(tax.rate)) or "0",
        )
        yield Problem("tax_rate", reason, tax.tax_type, connection)


def _rate(taxes):
    """In percent; None where these taxes are no percentage."""
    flat = taxes.flatten_taxes_hierarchy()
    if any(tax.amount_type != "percent" for tax in flat):
        return None
    return sum((outgoing.number(tax.amount) for tax in flat), NOTHING)


def _warnings(connection, draft):
    _ = connection.env._
    if any(not each.line.is_text and each.line.unit_amount is None for each in draft.lines):
        yield _("Its total is known once Xero has put its own prices in.")
        return
    difference = draft.document.total() - draft.odoo_total
    if difference:
        yield _(
            "Xero will compute %(there)s, Odoo has %(here)s: %(difference)s apart.",
            there=draft.document.total(),
            here=formats.cents(draft.odoo_total),
            difference=formats.cents(difference),
        )
