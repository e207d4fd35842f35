"""Mask the secrets that a text shows by its form, with a cheap look before each."""

from __future__ import annotations

import re
from typing import Final

from .headers import mask_headers
from .limits import REDACTED
from .shape_table import SHAPES, Shape
from .skeleton import without_digits
from .tokens import mask_tokens
from .urls import mask_signatures, mask_users

__all__ = ["mask_shapes"]

_BY_HINT: Final = tuple(
    (tuple(without_digits(hint).split() or [hint]), hint, number)
    for number, shape in enumerate(SHAPES)
    for hint in shape.hints
)
"""Of each hint its words, the hint, and which shape it belongs to."""
_MARK: Final = re.compile(r"[\s@='\"%<$]|(?::[^:]{1,80}){4}")


# Every other form holds one of the marks above.
_UNMARKED: Final = (
    *("//", "hook", "/bot", "/p/", "hc-ping.com/", "pagerduty.com/"),
    *("authorization", "cookie", "private-lines", "u000d"),
)


def mask_shapes(text: str, words: str) -> str:
    """Replace everything in a text that has the form of a secret.

    Args:
        text: Any text.
        words: Its distinct words.
    """
    low = words.lower()
    if not (_MARK.search(text) or any(hint in low for hint in _UNMARKED)):
        return mask_tokens(text, words, REDACTED)  # a word or a path
    if "cookie" in low or "authorization" in low:
        text = mask_headers(text)
    for shape in _possible(text, low):
        text = shape.mask(text)
    if "//" in low or "%0f" in low or ":\\/" in low:
        text = mask_users(text)
    if "=" in low or "%0d" in low or "u000d" in low:
        text = mask_signatures(text)
    return mask_tokens(text, words, REDACTED)


def _possible(text: str, words: str) -> list[Shape]:
    """Return the shapes of which a text has a hint.

    Args:
        text: The text.
        words: Its distinct words in lower case.
    """
    found: set[int] = set()
    low = ""
    for pieces, hint, number in _BY_HINT:
        if pieces[0] in words and number not in found:
            if pieces[0] != hint and " " in hint:  # look for it in the text itself
                low = low or text.lower()
                if hint not in low:
                    continue
            found.add(number)
    return [SHAPES[number] for number in sorted(found)]
