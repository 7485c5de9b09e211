"""How alike an item and a product are, as a person would see it."""

import re

from rapidfuzz import fuzz, process, utils

# A name alone is never as sure as a code.
_NAME_WEIGHT = 0.95
_LEAST = 60
# A name that is a part of the other is as good as the whole: "Sales" and "Product Sales".
CONTAINED = fuzz.WRatio
_NO_LETTERS = re.compile(r"[\W_]+")


class Candidates:
    """The products something may be.

    :param list products: ``(key, codes, name)``; codes are what may stand for an item code: reference, barcode
    :param scorer: how names are compared, e.g. :data:`CONTAINED`
    """

    def __init__(self, products, scorer=fuzz.token_sort_ratio):
        self._scorer = scorer
        self._by_code = {}
        self._names = {}
        for key, codes, name in products:
            for code in filter(None, map(bare_code, codes)):
                # A code that fits several fits none.
                self._by_code[code] = None if code in self._by_code else key
            self._names[key] = utils.default_process(name or "")

    def best(self, code, name):
        """The candidate most like this code and name.

        :return: ``(key, score)``, the score up to 100; ``(None, 0)`` where none is like it
        """
        if key := self._by_code.get(bare_code(code)):
            return key, 100
        found = process.extractOne(
            utils.default_process(name or ""), self._names, scorer=self._scorer, score_cutoff=_LEAST
        )
        return (found[2], round(found[1] * _NAME_WEIGHT)) if found else (None, 0)


def most_alike(name, names):
    """Which of some candidates that fit in everything else is called most like this.

    :param dict names: key -> name
    :return: ``(key, score)``: 50 for a name without any likeness, up to 100; ``(None, 0)`` without candidates
    """
    processed = {key: utils.default_process(other) for key, other in names.items()}
    found = process.extractOne(utils.default_process(name or ""), processed, scorer=CONTAINED)
    return (found[2], round(50 + found[1] / 2)) if found else (None, 0)


def bare_code(code):
    """A code without what people write differently: case, spaces, dashes.

    >>> bare_code("Mug-01 B")
    'MUG01B'
    """
    return _NO_LETTERS.sub("", code or "").upper()
