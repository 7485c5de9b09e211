"""What can go wrong between Odoo and Xero, as one tree.

The client raises, the queue decides what becomes of the row (see ``xero.record``). No error carries a secret:
messages hold the method, the path and Xero's own words, never headers or bodies that were sent.

Sentences of ours wait for their reader: they are marked with ``LazyTranslate``, and translated when they are shown.
"""

from odoo.tools.translate import LazyGettext, LazyTranslate

from . import advice

_lt = LazyTranslate("xero_connector", default_lang="en_US")

NO_REASON = "Xero refused this without a reason."
_NO_REASON = _lt("Xero refused this without a reason.")


class XeroError(Exception):
    """Base of all. ``str(error)`` is a sentence fit for a user's screen, in the language ``lang`` names (``de_DE``),
    else in that of whoever's request this is.

    :param message: what happened, in words: str, or a text marked for translation
    :param int status: HTTP status, None when no answer came
    :param str call: method and path, e.g. ``GET /Invoices``
    :param str correlation_id: Xero's ``Xero-Correlation-Id``, what its support asks for
    """

    lang = ""

    def __init__(self, message, *, status=None, call=None, correlation_id=None):
        super().__init__(message)
        self.status = status
        self.call = call
        self.correlation_id = correlation_id

    def __str__(self):
        return self._told(self.args[0])

    def _told(self, text):
        return text._translate(self.lang) if isinstance(text, LazyGettext) else str(text)

    def for_person(self):
        """The sentence, with what Xero's support asks for where there is anything."""
        if not self.correlation_id:
            return str(self)
        return self._told(
            _lt("%(said)s (Xero's reference: %(reference)s)", said=str(self), reference=self.correlation_id)
        )


def with_words_of_xero(text, said):
    """:return: the text, marked for translation, with what Xero itself says about it; '' where it says nothing"""
    return _lt("%(text)s Xero says: %(said)s", text=text, said=said) if said else text


class XeroRetryLater(XeroError):
    """Time-outs, dropped connections, 429 and 5xx: passes by itself.

    :param float retry_after: seconds to wait, None when Xero did not say
    :param str limit: ``minute``, ``day``, ``concurrent`` or ``appminute`` where a limit of Xero is used up;
        ``reserve`` where the calls that are left are kept for what matters more
    """

    def __init__(self, message, *, retry_after=None, limit=None, **details):
        super().__init__(message, **details)
        self.retry_after = retry_after
        self.limit = limit


class XeroDenied(XeroError):
    """The consent is gone, was never wide enough, or the app's own credentials are wrong: a person must act.

    :param str code: ``reconnect``, ``scope``, ``credentials``, ``configuration``, ``copy``, ``neutralized`` or
        ``not_connected``
    """

    def __init__(self, message, *, code="reconnect", **details):
        super().__init__(message, **details)
        self.code = code


class XeroRejected(XeroError):
    """400 with Xero's validation messages, all of them, and what to do about those we know.

    :param list messages: Xero's own texts, or ``NO_REASON``
    :param text: what to say where Xero says nothing: str, or a text marked for translation
    """

    def __init__(self, messages, text="", **details):
        super().__init__(text, **details)
        self.messages = list(messages)

    def __str__(self):
        said = [_NO_REASON if message == NO_REASON else message for message in self.messages] or self.args
        return " ".join(self._told(text) for text in [*said, *advice.for_messages(self.messages)])


class XeroMissing(XeroError):
    """404: gone, or another organisation's."""


class Problem:
    """One reason why a document cannot be mapped.

    :param str code: key of ``const.PROBLEM_CODES``
    :param str reason: a sentence that names the culprit and says what to change
    :param str subject: the culprit alone (an item code, a warehouse), the same text for all rows with one cause
    :param record: the record that mends it, None where there is none yet or none at all
    """

    __slots__ = ("code", "reason", "record", "subject")

    def __init__(self, code, reason, subject=None, record=None):
        self.code = code
        self.reason = reason
        self.subject = subject
        self.record = record

    def __repr__(self):
        return f"Problem({self.code!r}, {self.reason!r})"
