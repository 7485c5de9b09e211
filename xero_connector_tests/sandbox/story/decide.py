"""What is to become of an invoice, decided from the story's own facts and not from the addon's code."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """The expectation for one sales invoice.

    `outcome` is `order`, `skipped` or `failed`; `code` says why not (empty for an order): `unpaid`, `credited`,
    `voided`, `deleted`, `no_match`, `rule_ignore`, or `unknown_code`, `warehouse_denied`, `address_incomplete`.
    `warehouse` is the code of the order's warehouse (None unless it is an order), `rule` the text of the rule that
    decided, None when none did or it never came to rules.
    """

    organisation: str
    number: str
    outcome: str
    code: str = ""
    warehouse: str | None = None
    rule: str | None = None


@dataclass
class Facts:
    """What the story knows of an invoice it made."""

    number: str
    reference: str
    status: str
    credited: bool = False
    address_complete: bool = True
    codes_known: bool = True


def _first_rule(setup, reference):
    return next((rule for rule in setup.rules if rule.reference_contains.lower() in reference.lower()), None)


def _never(setup, facts):
    """Why an invoice never comes to routing, or an empty text."""
    if facts.status in ("VOIDED", "DELETED"):
        return facts.status.lower()
    if facts.status == "PAID" and facts.credited:
        return "credited"
    return "unpaid" if setup.settings["trigger_status"] == "paid" and facts.status != "PAID" else ""


def expect(setup, facts):
    """The first reason that applies counts, in the order of the story's contract."""
    def outcome(kind, code="", warehouse=None, rule=None):
        return Expected(setup.organisation, facts.number, kind, code, warehouse,
                        rule.reference_contains if rule else None)

    never = _never(setup, facts)
    if never:
        return outcome("skipped", never)
    rule = _first_rule(setup, facts.reference)
    if rule and rule.action == "ignore":
        return outcome("skipped", "rule_ignore", rule=rule)
    warehouse = rule.warehouse if rule else setup.warehouse
    if not warehouse:
        return outcome("skipped", "no_match")
    if setup.allowed_warehouses is not None and warehouse not in setup.allowed_warehouses:
        return outcome("failed", "warehouse_denied", rule=rule)
    if not facts.address_complete:
        return outcome("failed", "address_incomplete", rule=rule)
    if not facts.codes_known:
        return outcome("failed", "unknown_code", rule=rule)
    return outcome("order", "", warehouse, rule)
