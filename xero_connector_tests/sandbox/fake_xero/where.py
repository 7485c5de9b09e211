"""The `where` grammar (`xero-api.md` 3.2): comparisons joined with AND/OR, brackets, a few methods.

`compile_where(text, fields)` gives a predicate over a *view*: a callable that answers the value of a path.
"""
import re
from datetime import datetime, timezone

from .formats import parse_instant

_TOKEN = re.compile(r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*") | (?P<number>-?\d+(?:\.\d+)?m?) | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) |
    (?P<op>==|!=|<>|>=|<=|&&|\|\||[=<>(),.]))""", re.VERBOSE)
_METHODS = {
    "contains": lambda text, part: part in text, "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part), "equals": lambda text, part: text == part,
}
_COMPARE = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, ">": lambda a, b: a > b, "<": lambda a, b: a < b,
            ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b}


class WhereError(ValueError):
    """The text is not what Xero understands."""


def _normal(value):
    """Text compares in any case; numbers compare as numbers."""
    if isinstance(value, str):
        return value.casefold()
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _as_instant(value):
    try:
        return parse_instant(value)
    except ValueError:
        return None


def _comparable(left, right):
    """Both sides in one type; ids and texts in lower case, dates as instants."""
    if isinstance(left, datetime) or isinstance(right, datetime):
        return _as_instant(left), _as_instant(right)
    return _normal(left), _normal(right)


def _compare(operator, left, right):
    left, right = _comparable(left, right)
    if operator in ("==", "!="):
        return _COMPARE[operator](left, right)
    if left is None or right is None or type(left) is not type(right):
        return False
    return _COMPARE[operator](left, right)


class _Parser:
    """Recursive descent; every `_parse` method answers a function of the view."""

    def __init__(self, text, fields):
        self.fields = {field.lower(): field for field in fields}
        self.tokens = []
        position = 0
        while position < len(text.rstrip()):
            found = _TOKEN.match(text, position)
            if not found:
                raise WhereError(f"Syntax error at {text[position:position + 20]!r}")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self.index = 0

    def peek(self):
        """The next token's text, or an empty one."""
        return self.tokens[self.index][1] if self.index < len(self.tokens) else ""

    def take(self, *wanted):
        """The next token, which must be one of `wanted` when any are given."""
        if self.index >= len(self.tokens):
            raise WhereError("Expression expected")
        kind, text = self.tokens[self.index]
        if wanted and text.lower() not in wanted:
            raise WhereError(f"{wanted[0]!r} expected, not {text!r}")
        self.index += 1
        return kind, text

    def parse(self):
        """The whole text."""
        result = self._either()
        if self.peek():
            raise WhereError(f"Syntax error at {self.peek()!r}")
        return result

    def _joined(self, part, words, combine):
        parts = [part()]
        while self.peek().lower() in words:
            self.take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else lambda view: combine(check(view) for check in parts)

    def _either(self):
        return self._joined(self._both, ("or", "||"), any)

    def _both(self):
        return self._joined(self._comparison, ("and", "&&"), all)

    def _comparison(self):
        if self.peek() == "(":
            self.take()
            inside = self._either()
            self.take(")")
            return inside
        left = self._operand()
        operator = self.peek()
        operator = {"=": "==", "<>": "!="}.get(operator, operator)
        if operator not in _COMPARE:
            return lambda view: left(view) is True
        self.take()
        right = self._operand()
        return lambda view: _compare(operator, left(view), right(view))

    def _operand(self):
        kind, text = self.take()
        if kind == "string":
            value = re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda view: value
        if kind == "number":
            value = float(text.rstrip("m"))
            return lambda view: value
        if kind != "name":
            raise WhereError(f"Syntax error at {text!r}")
        return self._named(text)

    def _named(self, text):
        """true, false, null, guid(...), DateTime(...), a field, or a method of a field."""
        lower = text.lower()
        if lower in ("true", "false", "null"):
            value = {"true": True, "false": False, "null": None}[lower]
            return lambda view: value
        if self.peek() == "(" and lower in ("guid", "datetime", "datetime.parse"):
            return self._constant(lower)
        if self.peek() == "(":
            path, _dot, method = text.rpartition(".")
            return self._method(self._field(path), method.lower())
        return self._field(text)

    def _arguments(self):
        self.take("(")
        values = []
        while self.peek() != ")":
            values.append(self._operand())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return values

    def _constant(self, name):
        values = [value(None) for value in self._arguments()]
        try:
            value = datetime(*map(int, values), tzinfo=timezone.utc) if name == "datetime" else str(values[0])
            value = parse_instant(value) if name == "datetime.parse" else value
        except (ValueError, TypeError, IndexError) as error:
            raise WhereError(f"{name}: {error}") from error
        return lambda view: value

    def _field(self, path):
        first, *rest = path.split(".")
        if first.lower() not in self.fields:
            raise WhereError(f"No property or field '{first}' exists")
        full = (self.fields[first.lower()], *rest)
        return lambda view: view(full)

    def _method(self, target, method):
        arguments = self._arguments()
        if method in ("tolower", "toupper", "tostring"):
            found = target
        elif method in _METHODS and len(arguments) == 1:
            test, part = _METHODS[method], arguments[0]
            def found(view):
                return test(str(target(view) or "").casefold(), str(part(view) or "").casefold())
        else:
            raise WhereError(f"No applicable method '{method}' exists")
        # a chain such as Name.ToLower().Contains("x")
        if self.peek() == ".":
            self.take()
            return self._method(lambda view: found(view), self.take()[1].lower())
        return found


def compile_where(text, fields):
    """A predicate over views; raises WhereError with what is wrong."""
    return _Parser(text, fields).parse()
