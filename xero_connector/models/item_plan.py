from dataclasses import dataclass, field

from ..lib import formats, item, threeway

_SHOWN = 60


@dataclass
class ItemPair:
    """An item and the product it is mapped to.

    ``row``: the sync log's row of the item; ``binding``: what holds the two together.
    """

    row: object
    product: object
    binding: object


@dataclass
class ItemPlan:
    """What is to happen with a pair: values by field for each way, what is settled, and the log's sentences.

    ``settled`` are the fields both sides agree about, or agree to differ; ``told`` and ``decided`` the sentences for
    the product's chatter: what came from Xero, and where Odoo won, which is so when Xero took it.
    """

    pulls: dict = field(default_factory=dict)
    pushes: dict = field(default_factory=dict)
    settled: set = field(default_factory=set)
    lines: list = field(default_factory=list)
    told: list = field(default_factory=list)
    decided: list = field(default_factory=list)

    def __add__(self, other):
        return ItemPlan(
            self.pulls | other.pulls,
            self.pushes | other.pushes,
            self.settled | other.settled,
            self.lines + other.lines,
            self.told + other.told,
            self.decided + other.decided,
        )


def plan(connection, terms, pair, names=item.FIELDS):
    """Compare the fields of a pair.

    :param ProductTerms terms: of a batch that holds the pair's product
    :param names: those to compare
    :return: ``(ItemPlan, values of the item, values of the product)``
    """
    xero_item = item.XeroItem(pair.row.payload)
    xero = xero_item.values()
    odoo = terms.of(pair.product, pair.binding.uom_id, xero)
    base = pair.binding.base or {}
    # What we sent and find there arrived, though no answer said so: both sides agreed about it.
    arrived = {name: value for name, value in base.get("sent", {}).items() if name in xero and xero[name] == value}
    before_xero, before_odoo = base.get("xero", {}) | arrived, base.get("odoo", {}) | arrived
    result = ItemPlan()
    for name in names:
        if name not in xero or name not in odoo or not terms.takes(name, xero[name]):
            continue
        before = (before_xero[name], before_odoo[name]) if name in before_xero and name in before_odoo else None
        winner = connection.price_source if name in item.MONEY else connection.description_source
        verdict = threeway.judge(name, before, xero[name], odoo[name], winner)
        if verdict.way is None:
            result.settled.add(name)
            continue
        said = _Difference(connection, name, xero[name], odoo[name], verdict)
        obstacle = _obstacle(connection, terms, pair.product, xero_item, name, xero[name], verdict)
        if obstacle:
            # That an empty side is not filled is no news.
            if before or verdict.is_conflict:
                result.lines.append(said.held(obstacle))
            is_refused = verdict.way == threeway.PULL and connection._pulls_items and name != "code"
            is_one_way = verdict.is_conflict and not (connection._pulls_items and connection._pushes_items)
            if is_refused or is_one_way:
                # Nothing here will change that (a code may become free): both agree to differ, until one changes.
                result.settled.add(name)
        elif verdict.way == threeway.PULL:
            result.pulls[name] = xero[name]
            result.lines.append(said.travels())
        else:
            result.pushes[name] = odoo[name]
            result.lines.append(said.travels())
        if not obstacle and verdict.way == threeway.PULL:
            result.told.append(said.travels())
        elif not obstacle and verdict.is_conflict:
            result.decided.append(said.travels())
    return result, xero, odoo


def _obstacle(connection, terms, product, xero_item, name, value, verdict):
    """Why a value does not travel, a sentence; '' where nothing hinders it."""
    _ = connection.env._
    if verdict.way == threeway.PULL:
        if not connection._pulls_items:
            return _("This connection takes nothing from Xero.")
        return terms.refusal(product, name, value)
    if not connection._pushes_items:
        return _("This connection sends nothing to Xero.")
    if xero_item.is_tracked:
        return _("Xero keeps the stock of this item: it is never written.")
    return ""


class _Difference:
    """The log's sentences about one field that differs."""

    def __init__(self, connection, name, xero, odoo, verdict):
        self._ = connection.env._
        self._verdict = verdict
        self._said = {"field": label(connection.env, name), "xero": _shown(xero), "odoo": _shown(odoo)}

    def travels(self):
        _, said = self._, self._said
        is_pull = self._verdict.way == threeway.PULL
        if self._verdict.is_conflict and is_pull:
            return _("%(field)s: both sides differ; Xero's %(xero)s replaced Odoo's %(odoo)s.", **said)
        if self._verdict.is_conflict:
            return _("%(field)s: both sides differ; Odoo's %(odoo)s replaces Xero's %(xero)s.", **said)
        if is_pull:
            return _("%(field)s: %(odoo)s became Xero's %(xero)s.", **said)
        return _("%(field)s: Xero's %(xero)s becomes %(odoo)s.", **said)

    def held(self, obstacle):
        said = self._said | {"obstacle": obstacle}
        return self._("%(field)s stays %(odoo)s here and %(xero)s in Xero. %(obstacle)s", **said)


def label(env, name):
    """What people call a field of :data:`item.FIELDS`."""
    _ = env._
    return {
        "code": _("Code"),
        "name": _("Name"),
        "description": _("Description"),
        "purchase_description": _("Purchase description"),
        "sales_price": _("Sales price"),
        "purchase_price": _("Purchase price"),
        "sales_account": _("Sales account"),
        "purchase_account": _("Purchase account"),
        "sales_tax": _("Sales tax"),
        "purchase_tax": _("Purchase tax"),
    }[name]


def _shown(value):
    if value in (None, ""):
        return "–"
    if isinstance(value, float):
        return formats.short(value) or "0"
    text = " ".join(str(value).split())
    return f"“{text}”" if len(text) <= _SHOWN else f"“{text[:_SHOWN]}…”"
