"""No text takes quadratic time: steps are counted, so that load does not matter.

Names, separators, openers and bodies are combined to units, and each unit is repeated.
A text that is four times as long must not take much more than four times the steps.
What is counted are calls, of Python functions and of built-in ones. What a regular
expression does within one call is not counted.
"""

from __future__ import annotations

import itertools
import random
import sys
from typing import Any, Final

import pytest

from kedro_journal.redaction import Redactor

NAMES: Final = (
    *("password", "token", "api_key", "tokens", "auth", "cookie", "authorization"),
    *("curl -u a", "login x password ", "name", "https", "a:b", "eyJ", "AKIA", "url"),
    *("connection_string", "passphrase for", "-----BEGIN PRIVATE KEY-----", "the pin"),
)
SEPARATORS: Final = (
    *("=", ":", "= ", " ", "://", "='", '="', "=(", "={", "=[", "%3D", '\\"', "&quot;"),
    *("->", ":\n  ", '="""', " | ", " is "),
)
OPENERS: Final = ("", "'", "{", "(", "[", "<", "@", "\\", "\\\\'", "{'", "({'")
BODIES: Final = ("", "a", "a1B2c3D4e5", "=", "@", ":", "/x", "'", "\n", ";", ",", "  ")
KNOWN: Final = [
    "cookie={\\\\'  ",
    "tokens=({'a ",
    "authorization={'a ",
    "cookie: a=b;c ",
]
SHORT: Final = 1500
FACTOR: Final = 4
UNITS: Final = 40  # of each group


def units(group: int) -> list[str]:
    """Return some units; equal groups are equal in every run."""
    every = list(itertools.product(NAMES, SEPARATORS, OPENERS, BODIES))
    chosen = random.Random(group).sample(every, UNITS)
    return ["".join(parts) for parts in chosen]


def steps(text: str) -> int:
    """Return how many calls the redaction of a text makes."""
    redactor = Redactor()
    count = 0

    def called(frame: object, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        redactor.mask(text)
    finally:
        sys.setprofile(before)
    return count


def repeated(unit: str, length: int) -> str:
    """Return a text of so many characters that repeats a unit."""
    return (unit * (length // len(unit) + 1))[:length]


@pytest.mark.parametrize("group", range(6))
def test_steps_grow_with_the_length(group: int) -> None:
    steps("password=x")  # patterns are compiled
    for unit in (*KNOWN, *units(group)) if group == 0 else units(group):
        short = steps(repeated(unit, SHORT))
        most = 2.0 * FACTOR * short + 2000
        text = repeated(unit, FACTOR * SHORT)
        # A pattern that was compiled meanwhile counts only the first time.
        assert steps(text) <= most or steps(text) <= most, unit
