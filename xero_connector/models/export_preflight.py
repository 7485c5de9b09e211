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
        if not each.line.is_text:
            problems += _item(connection, draft, each)
            problems += _account(connection, each)
            problems += _tax(connection, each)
    return problems, [*_warnings(connection, draft)]


def _head(connection, draft):
    _ = connection.env._
    document = draft.document
    if not any(not each.line.is_text for each in draft.lines):
        yield Problem("nothing_to_send", _("None of its lines has a quantity: there is nothing to bill."), None)
    if document.number != outgoing.printable(document.number, outgoing.LONGEST["number"]):
        reason = _(
            "Xero takes at most %(most)s plain letters, digits and signs as a number: “%(number)s” is not that.",
            most=outgoing.LONGEST["number"],
            number=document.number,
        )
        yield Problem("number_taken", reason, document.number, draft.source)
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
            "Xero's books are locked up to %(lock)s, and this is of %(date)s. Press Send to Xero on it and choose a "
            "later date there, or have an adviser move the lock date.",
            lock=connection.lock_date,
            date=document.date,
        )
        yield Problem("period_locked", reason, str(connection.lock_date), draft.source)
    if not document.reference.strip():
        yield Problem("nothing_to_send", _("It needs a reference: by that it is found again in Xero."), None)


def _item(connection, draft, each):
    _, line = connection.env._, each.line
    if line.unit_amount is not None and line.description:
        return
    if not line.item_code:
        product = each.source.product if each.source else connection.env["product.product"]
        name = product.display_name or (each.source and each.source.name) or line.description
        reason = _(
            "%s is mapped to no item of Xero, but price or description are to come from there. Map it under Products.",
            name,
        )
        yield Problem("item_unmapped", reason, name, product or None)
    elif line.unit_amount is None and not each.item_price and each.odoo_total:
        reason = _("Item %s has no sales price in Xero: give it one, and press Exchange products.", line.item_code)
        yield Problem("item_unmapped", reason, line.item_code, connection)
    if line.unit_amount is None and draft.document.currency != connection.tenant_currency:
        reason = _(
            "Items have their prices in %(there)s, and this is in %(here)s. Take prices from Odoo.",
            there=connection.tenant_currency,
            here=draft.document.currency,
        )
        yield Problem("price_foreign", reason, draft.document.currency, connection)


def _account(connection, each):
    _, account = connection.env._, each.account
    if not account:
        name = (each.source and each.source.account.display_name) or _("no account")
        reason = _("%s is mapped to no account of Xero: map it in the connection's tab Accounts.", name)
        yield Problem("account_unmapped", reason, name, connection)
    elif not account.is_active:
        reason = _("Account %(code)s (%(name)s) is archived in Xero.", code=account.code, name=account.name)
        yield Problem("account_inactive", reason, account.code, connection)
    elif account.account_type == "BANK" or account.system_account == "DEBTORS":
        reason = _("Xero books no invoice line on account %(code)s (%(name)s).", code=account.code, name=account.name)
        yield Problem("account_inactive", reason, account.code, connection)


def _tax(connection, each):
    _, account, tax = connection.env._, each.account, each.tax
    taxes = each.source.taxes if each.source else connection.env["account.tax"]
    names = ", ".join(taxes.mapped("name")) or _("no tax")
    if not tax:
        reason = _("%s is mapped to no tax type of Xero: map it in the connection's tab Taxes.", names)
        if len(taxes) > 1:
            reason = _("A line has several taxes (%s), Xero knows one: make a tax group of them, and map it.", names)
        yield Problem("tax_unmapped", reason, names, connection)
        return
    if not tax.is_active:
        reason = _("Tax type %(code)s (%(name)s) is not in use in Xero any more.", code=tax.tax_type, name=tax.name)
        yield Problem("tax_inactive", reason, tax.tax_type, connection)
    side = _SIDES.get(account.account_class)
    if side and not tax[side]:
        reason = _(
            "Xero does not allow tax type %(tax)s on account %(account)s.", tax=tax.tax_type, account=account.code
        )
        yield Problem("tax_mismatch", reason, f"{tax.tax_type} / {account.code}", connection)
    ours = rate_of(taxes) if each.source and not each.is_changed else None
    if ours is not None and ours != outgoing.number(tax.rate):
        reason = _(
            "%(ours)s is %(rate)s %% in Odoo, and %(theirs)s is %(their_rate)s %% in Xero.",
            ours=names,
            rate=formats.short(ours) or "0",
            theirs=tax.tax_type,
            their_rate=formats.short(outgoing.number(tax.rate)) or "0",
        )
        yield Problem("tax_rate", reason, tax.tax_type, connection)


def rate_of(taxes):
    """In percent; None where these taxes are no percentage."""
    flat = taxes.flatten_taxes_hierarchy()
    if any(tax.amount_type != "percent" for tax in flat):
        return None
    return sum((outgoing.number(tax.amount) for tax in flat), NOTHING)


def _warnings(connection, draft):
    _ = connection.env._
    if any(not each.line.is_text and each.line.unit_amount is None for each in draft.lines):
        yield _("Xero puts its items' prices in; shown are those we know.")
    # Without its taxes the total says nothing.
    is_mapped = all(each.line.is_text or each.tax for each in draft.lines)
    difference = draft.expected_total() - draft.odoo_total
    if difference and is_mapped:
        yield _(
            "Xero will compute %(there)s, Odoo has %(here)s: %(difference)s apart.",
            there=draft.expected_total(),
            here=formats.cents(draft.odoo_total),
            difference=formats.cents(difference),
        )
