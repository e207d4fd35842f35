"""The distinct words of a text: a cheap proof that a rule finds nothing in it.

A traceback or a plan repeats its words, but for their numbers. To look for hundreds of
hints in the whole text took most of the time that redaction cost, so they are looked
for in this.
"""

from __future__ import annotations

import re
from typing import Final

from .words import STEMS

__all__ = ["distinct_words", "may_hold_name", "without_digits"]

_SHORT_CHARS: Final = 300
_ZEROS: Final = str.maketrans("123456789", "000000000")


def without_digits(text: str) -> str:
    """Return a text with every ASCII digit replaced by `0`."""
    if text.isascii():
        return text.translate(_ZEROS)  # fast for ASCII alone
    for digit in "123456789":
        text = text.replace(digit, "0")
    return text


def distinct_words(text: str) -> str:
    """Return the words of a text without their digits; of a long one once each.

    Whatever holds no whitespace and stands in the text stands in the result as well,
    if its digits are replaced in the same way. The result may hold more.
    """
    text = without_digits(text)
    return text if len(text) < _SHORT_CHARS else " ".join(set(text.split()))


_STEMS: Final = tuple(map(without_digits, STEMS))
_ASCII_STEMS: Final = tuple(filter(str.isascii, _STEMS))
_ANY_STEM: Final = "|".join(map(re.escape, _STEMS))


def may_hold_name(words: str) -> bool:
    """Return whether a text may hold a secret name; False is certain.

    Args:
        words: The distinct words of the text. Names that the user gave are not known
            here.
    """
    if not words.isascii():  # the cases of other alphabets
        return re.search(_ANY_STEM, words, re.IGNORECASE) is not None
    low = words.lower()
    return any(stem in low for stem in _ASCII_STEMS)
