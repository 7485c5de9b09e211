"""The configuration page of the portal: what a customer filled in, checked whole before any of it is written."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tools import format_date

from .. import const

_IGNORE = "ignore"
_CHOICES = ("trigger_status", "sync_interval", "note_target")
_RULES_AT_MOST = 200
_LONGEST_WAIT = timedelta(days=366)


def plain(text):
    """What somebody typed into a line, without what no line can hold; at most 100 characters."""
    return "".join(character for character in text if character.isprintable()).strip()[:100]


@dataclass
class RuleLine:
    """One rule as it stands on the page. ``key``: the rule's id, or ``n1``, ``n2`` … for one that is not saved yet;
    ``target``: a warehouse's id as text, ``ignore``, or '' where none is chosen."""

    key: str
    text: str = ""
    target: str = ""
    shadow: str = ""


class PortalForm:
    """Values of the page, from the connection or from what was posted.

    Rules are moved, added and removed on the page; nothing is written before :meth:`save`, so that no half-made order
    of rules ever sends an invoice anywhere.

    :param connection: with superuser rights, the customer's own
    :param dict posted: what the browser sent, None for the page as it is stored
    """

    def __init__(self, connection, posted=None):
        self.connection = connection
        self.env = connection.env
        self.warehouses = connection.partner_id._xero_portal_warehouses(connection.company_id)
        self.errors = []
        self.is_changed = posted is not None
        if posted is None:
            self._take_stored()
        else:
            self._take_posted(posted)

    def _take_stored(self):
        connection = self.connection
        self.values = {name: connection[name] for name in _CHOICES}
        self.values |= {"attach_pdf": connection.attach_pdf, "import_from": str(connection.import_from or "")}
        ignores = connection.unmatched_action == "ignore"
        self.default = _IGNORE if ignores else str(connection.warehouse_id.id or "")
        self.rules = [
            RuleLine(
                str(rule.id),
                rule.reference_contains,
                _IGNORE if rule.action == "ignore" else str(rule.warehouse_id.id),
                rule.shadowed_by_id.reference_contains or "",
            )
            for rule in self._stored_rules()
        ]
        self.stamp = self._stamp()

    def _take_posted(self, posted):
        self.values = {name: posted.get(name, "") for name in _CHOICES}
        self.values |= {
            "attach_pdf": bool(posted.get("attach_pdf")),
            "import_from": posted.get("import_from", "").strip(),
        }
        self.default = posted.get("default", "")
        self.stamp = posted.get("stamp", "")
        keys = [key for key in dict.fromkeys(posted.get("rules", "").split(",")) if key]
        self.rules = [
            RuleLine(key, plain(posted.get(f"text-{key}", "")), posted.get(f"target-{key}", "")) for key in keys
        ]

    def _stored_rules(self):
        return self.connection.mapping_ids.sorted(lambda rule: (rule.sequence, rule.id))

    # === ON THE PAGE === #

    @property
    def order(self):
        """The keys of all rules, as the page sends them back."""
        return ",".join(rule.key for rule in self.rules)

    @property
    def earliest(self):
        """The oldest date a customer may let invoices be imported from."""
        oldest = fields.Date.context_today(self.connection) - timedelta(days=const.PORTAL_DAYS_BACK)
        return min(oldest, self.connection.import_from or oldest)

    def options(self, name):
        """What may be chosen for a field: list of ``(value, label)``."""
        return self.connection._fields[name]._description_selection(self.env)

    def targets(self, chosen):
        """Where invoices may go: list of ``(value, label)``; one that is not allowed any more is not among them."""
        warehouses = [(str(warehouse.id), warehouse.name) for warehouse in self.warehouses]
        options = [*warehouses, (_IGNORE, self.env._("Do not import"))]
        return options if chosen in dict(options) else [("", self.env._("Choose …")), *options]

    def act(self, action):
        """Add, move or remove a rule on the page.

        :param str action: ``add``, ``up:KEY``, ``down:KEY`` or ``remove:KEY``; anything else changes nothing
        """
        verb, _colon, key = action.partition(":")
        keys = [rule.key for rule in self.rules]
        if verb == "add" and len(keys) < _RULES_AT_MOST:
            number = max((int(key[1:]) for key in keys if key[:1] == "n" and key[1:].isdecimal()), default=0) + 1
            target = str(self.warehouses.id) if len(self.warehouses) == 1 else ""
            self.rules.append(RuleLine(f"n{number}", target=target))
        if key not in keys:
            return
        place = keys.index(key)
        if verb == "remove":
            del self.rules[place]
        elif verb in ("up", "down"):
            there = place + (1 if verb == "down" else -1)
            if 0 <= there < len(self.rules):
                self.rules[place], self.rules[there] = self.rules[there], self.rules[place]

    # === SAVING === #

    def save(self):
        """Write everything, or nothing.

        :return: whether it was written; ``errors`` says why not
        """
        self._check()
        if self.errors:
            return False
        connection = self.connection
        values = {**self.values, "import_from": fields.Date.to_date(self.values["import_from"])}
        if values["import_from"] == connection.import_from:
            del values["import_from"]
        if self.default == _IGNORE:
            values["unmatched_action"] = "ignore"
        else:
            values |= {"unmatched_action": "default", "warehouse_id": int(self.default)}
        # What nobody touched is not written: each change of a setting is told and may begin work.
        changed = {name: value for name, value in values.items() if self._stored(name) != value}
        stored = {str(rule.id): rule for rule in self._stored_rules()}
        kept = {rule.key for rule in self.rules}
        commands = [Command.delete(rule.id) for key, rule in stored.items() if key not in kept]
        for number, rule in enumerate(self.rules, start=1):
            ignores = rule.target == _IGNORE
            line = {
                "sequence": number * 10,
                "reference_contains": rule.text,
                "action": "ignore" if ignores else "import",
                "warehouse_id": False if ignores else int(rule.target),
            }
            commands.append(
                Command.update(stored[rule.key].id, line) if rule.key in stored else Command.create(line)
            )
        connection.write(changed | {"mapping_ids": commands})
        return True

    def _stored(self, name):
        value = self.connection[name]
        return value.id if name == "warehouse_id" else value

    def _stamp(self):
        """What this page is made of, as it is stored: tells whether somebody changed it while it was open."""
        connection = self.connection
        parts = [connection[name] for name in (*_CHOICES, "attach_pdf", "import_from", "unmatched_action")]
        parts.append(connection.warehouse_id.id)
        parts += [
            (rule.id, rule.reference_contains, rule.action, rule.warehouse_id.id) for rule in self._stored_rules()
        ]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def _check(self):
        _ = self.env._
        if self.stamp != self._stamp():
            self.errors.append(
                _("These settings were changed elsewhere while the page was open. Open it again to see them.")
            )
        for name in _CHOICES:
            if self.values[name] not in dict(self.options(name)):
                label = self.connection._fields[name]._description_string(self.env)
                self.errors.append(_("Choose: %s.", label))
        allowed = {str(warehouse.id) for warehouse in self.warehouses} | {_IGNORE}
        if self.default not in allowed:
            self.errors.append(_("Choose where invoices go that no rule matches."))
        for rule in self.rules:
            if not rule.text:
                self.errors.append(_("A rule has no text to look for: fill it in, or remove the rule."))
            elif rule.target not in allowed:
                self.errors.append(_("Choose a warehouse for the rule “%s”.", rule.text))
        if len(self.rules) > max(_RULES_AT_MOST, len(self.connection.mapping_ids)):
            self.errors.append(_("There can be %s rules at most.", _RULES_AT_MOST))
        self._check_import_from()

    def _check_import_from(self):
        _ = self.env._
        try:
            date = fields.Date.to_date(self.values["import_from"])
        except ValueError:
            date = None
        if not date:
            self.errors.append(_("Say from which date on invoices are imported."))
        elif date < self.earliest:
            self.errors.append(
                _(
                    "Invoices can be imported from %(date)s on at the earliest. Ask %(company)s for older ones.",
                    date=format_date(self.env, self.earliest),
                    company=self.connection.company_id.name,
                )
            )
        elif date > fields.Date.context_today(self.connection) + _LONGEST_WAIT:
            self.errors.append(_("Invoices from %s on: that is more than a year away.", format_date(self.env, date)))
