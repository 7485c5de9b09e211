"""Secrets at rest: sealed with the server's own key on their way into the database, opened on their way out.

The key stands in odoo.conf, so neither the database nor its backup holds it: one Fernet key (32 bytes in URL-safe
base64), or several parted by commas. The first one seals, each of them opens, so a key can be replaced without losing
anything. Without a key, secrets are stored as they are.

No error names a secret or a key.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config
from odoo.tools.translate import LazyTranslate

from . import errors

_lt = LazyTranslate("xero_connector", default_lang="en_US")

OPTION = "xero_connector_secret_key"
SEALED = "xero-sealed:"


def is_on():
    """Whether a key is set, be it a good one or not."""
    return bool(_words())


def check():
    """Make sure that secrets can be sealed: before asking for new ones that exist only once.

    :raise XeroDenied: when something else than keys is set
    """
    _keys()


def seal(text):
    """What to store for this secret: the secret itself where no key is set.

    :raise XeroDenied: when something else than keys is set
    """
    keys = _keys()
    return SEALED + MultiFernet(keys).encrypt(text.encode()).decode() if keys else text


def unseal(text):
    """The secret that was stored like this.

    :raise XeroDenied: when it is sealed and none of the keys opens it
    """
    if not text.startswith(SEALED):
        return text
    secret = _open(text, _keys())
    if secret is None:
        raise errors.XeroDenied(
            _lt(
                "A stored secret is encrypted with a key that is not in odoo.conf. Put that key back into %s and "
                "restart Odoo. If it is lost, enter the app's client secret again and reconnect.",
                OPTION,
            ),
            code="configuration",
        )
    return secret


def seal_anew(text):
    """What is stored, sealed with today's first key; the very same text where that is so already, or no key is set.

    :raise XeroDenied: when it is sealed and none of the keys opens it
    """
    keys = _keys()
    is_as_wanted = not keys or (text.startswith(SEALED) and _open(text, keys[:1]) is not None)
    return text if is_as_wanted else seal(unseal(text))


def _open(text, keys):
    """The secret, None when none of the keys opens it."""
    try:
        return MultiFernet(keys).decrypt(text.removeprefix(SEALED).encode()).decode() if keys else None
    except InvalidToken:
        return None


def _words():
    return [word for part in (config.get(OPTION) or "").split(",") if (word := part.strip())]


def _keys():
    try:
        return [Fernet(word) for word in _words()]
    except ValueError:
        raise errors.XeroDenied(
            _lt("The option %s in odoo.conf holds something that is not a key. Correct it and restart Odoo.", OPTION),
            code="configuration",
        ) from None
