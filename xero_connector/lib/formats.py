"""Pure conversions between Xero's wire formats and Python. Sources: xero-api.md, sections 3.1 and 3.2."""

import json
import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

_JSON_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1)
_CENT = Decimal("0.01")
FOUR_PLACES = Decimal("0.0001")
HALF_UP = ROUND_HALF_UP
_UNSTORABLE = re.compile(r"\\u(0000|[dD][89a-fA-F])")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def instant(value):
    """Read a point in time (``UpdatedDateUTC``).

    :param str value: ``/Date(1763780000000+0000)/`` or ISO with or without offset; the number is UTC whatever
        offset stands behind it
    :return: naive UTC datetime with milliseconds, None when there is none
    :raise ValueError: when the text is neither
    """
    if not value:
        return None
    if match := _JSON_DATE.fullmatch(str(value)):
        return _EPOCH + timedelta(milliseconds=int(match[1]))
    moment = datetime.fromisoformat(_six_fraction_digits(str(value)))
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment


def _six_fraction_digits(text):
    """Xero's identity service sends seven fraction digits, Python's parser takes six (``Z`` only from 3.11 on)."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text).replace("Z", "+00:00")


def calendar_date(value):
    """Read a document date: a calendar day of the organisation, encoded as midnight UTC. No time zone applies.

    :param str value: ``/Date(...)/`` or ``2026-11-22T00:00:00``
    :rtype: date or None
    """
    moment = instant(value)
    return moment.date() if moment else None


def utc_now():
    """Now, naive UTC with microseconds: Odoo's own ``now`` cannot tell two events of one second apart."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def stamp(value):
    """A sortable text of an instant to the millisecond, e.g. ``2026-11-22T03:04:05.120``; '' when there is none that
    can be read."""
    try:
        moment = instant(value)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="milliseconds") if moment else ""


def decimal(value, default=0):
    """A wire number as Decimal. Floats pass through their shortest text, so 33.3333 stays 33.3333."""
    if value is None or value == "":
        return Decimal(default)
    return value if isinstance(value, Decimal) else Decimal(str(value))


def cents(value):
    """Round to the cent, half away from zero, as Xero and Odoo do."""
    return decimal(value).quantize(_CENT, rounding=ROUND_HALF_UP)


def plain(payload):
    """A payload fit for a jsonb column. Decimals become numbers: their shortest text survives the float. Characters
    PostgreSQL cannot store (NUL, half a surrogate pair) are dropped."""
    dumped = json.dumps(payload, default=float)
    if _UNSTORABLE.search(dumped):
        return _storable(json.loads(dumped))
    return json.loads(dumped)


def _storable(node):
    if isinstance(node, dict):
        return {key: _storable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_storable(value) for value in node]
    return _encodable(node).replace("\x00", "") if isinstance(node, str) else node


def _encodable(value):
    return value.encode("utf-8", "ignore").decode()


def text(value):
    """Free text of a stranger as stored text: line breaks kept, control characters dropped, ends trimmed."""
    if not value:
        return ""
    lines = _encodable(str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL_CHARACTERS.sub("", lines).strip()


def file_name(value, extension):
    """A harmless file name from a document number: never a path, never empty.

    >>> file_name("../../etc/passwd", "pdf")
    'etc-passwd.pdf'
    """
    stem = re.sub(r"[^\w.() -]+", "-", text(value)).strip(" .-")[:100]
    return f"{stem or 'document'}.{extension}"


def file_extension(value):
    """A harmless file extension: letters and digits only, ``bin`` when there are none."""
    return re.sub(r"[^A-Za-z0-9]", "", value)[:10] or "bin"


def short(value):
    """A number without needless zeros, for sentences; '' for zero.

    >>> short(Decimal("2.5000"))
    '2.5'
    """
    number = decimal(value)
    return format(number.normalize(), "f") if number else ""
