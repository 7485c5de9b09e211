"""Xero's wire formats: dates, instants, numbers, JSON (`xero-api.md` 3.1, 3.2)."""
import json
import re
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_WIRE_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_SEVEN_DIGITS = re.compile(r"(\.\d{6})\d+")


def milliseconds(instant):
    """Whole milliseconds since 1970 of an aware datetime."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def wire_instant(instant):
    """`/Date(ms+0000)/` of an aware datetime."""
    return f"/Date({milliseconds(instant)}+0000)/"


def wire_date(day):
    """A calendar date as Xero writes it: midnight UTC."""
    return wire_instant(datetime(day.year, day.month, day.day, tzinfo=timezone.utc))


def date_string(day):
    """The naive twin of a calendar date: `2026-09-01T00:00:00`."""
    return f"{day.isoformat()}T00:00:00"


def instant_string(instant):
    """The ISO twin of UpdatedDateUTC: `2026-09-02T21:14:07Z`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=100_000)
def _parse_text(text):
    found = _WIRE_DATE.match(text)
    if found:
        return EPOCH + timedelta(milliseconds=int(found[1]))
    iso = _SEVEN_DIGITS.sub(r"\1", text.strip().replace("Z", "+00:00"))
    try:
        parsed = datetime.fromisoformat(iso)
    except ValueError:
        parsed = parsedate_to_datetime(text)  # If-Modified-Since may come as RFC 1123
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def parse_instant(value):
    """Aware datetime of `/Date(ms)/`, ISO with or without offset, RFC 1123, date or datetime; None stays None.

    Raises ValueError for anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    try:
        return _parse_text(str(value)).astimezone(timezone.utc)
    except (TypeError, IndexError) as error:
        raise ValueError(f"not a date: {value!r}") from error


def parse_date(value):
    """Calendar date of anything `parse_instant` reads."""
    instant = parse_instant(value)
    return instant and instant.date()


def decimal(value):
    """Decimal of a JSON number or numeric text; ValueError when it is neither."""
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error


def rounded(value, places=2):
    """Decimal rounded half away from zero, as Xero rounds money."""
    return decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def number(value, places=4):
    """The JSON number of an amount: a float with at most `places` decimals (2026 traffic writes 0.0, not 0.00)."""
    return float(rounded(value, places))


def dumps(value):
    """Compact JSON text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
