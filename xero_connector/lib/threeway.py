"""Which way a value travels between an item and its product: the three-way comparison.

Both sides are compared with what they were when they last agreed to differ or to be equal, each with its own: a name
that was cut, or a price that was converted, is no change.
"""

from dataclasses import dataclass

PULL, PUSH = "pull", "push"
_WAYS = {"xero": PULL, "odoo": PUSH}


@dataclass(frozen=True)
class Verdict:
    """:param str way: ``pull`` (Xero's value goes to Odoo), ``push``, or None: nothing travels
    :param bool is_conflict: both sides had changed, and the setting decided
    """

    way: str | None = None
    is_conflict: bool = False


NOTHING = Verdict()


def judge(field, base, xero, odoo, winner):
    """Compare one field.

    ================  ==================  ====================
    \\                 Odoo as before      Odoo changed
    ================  ==================  ====================
    Xero as before    nothing             push
    Xero changed      pull                the winner's way
    Nothing before    an empty side is filled, else the winner's way
    ================  ==================  ====================

    Equal values never travel. A missing price, name, account or tax type (None) overwrites nothing. Codes that were
    mapped apart stay apart.

    :param tuple base: ``(Xero's value, Odoo's value)`` of the last time, None when these two were never compared
    :param xero, odoo: the values now, in Xero's terms; None where a side says nothing
    :param str winner: ``xero`` or ``odoo``
    :rtype: Verdict
    """
    if xero == odoo:
        return NOTHING
    if field == "code" and (base is None or base[0] != base[1]):
        return NOTHING
    if base is None:
        if xero and odoo:
            return Verdict(_WAYS[winner], is_conflict=True)
        return Verdict(PULL if xero else PUSH) if xero or odoo else NOTHING
    changed = {way for way, now, before in ((PULL, xero, base[0]), (PUSH, odoo, base[1])) if now != before}
    if len(changed) == 2:
        if xero is None or odoo is None:
            return Verdict(PUSH if xero is None else PULL)
        return Verdict(_WAYS[winner], is_conflict=True)
    way = next(iter(changed), None)
    is_silent = (way == PULL and xero is None) or (way == PUSH and odoo is None)
    return NOTHING if is_silent else Verdict(way)
