"""No regular expression of redaction takes quadratic time, each looked at by itself.

A sample is derived from the tree of each pattern, so that a new pattern is tested
without an entry here. Every beginning of the sample is repeated, and every character
of it is repeated behind what leads to it. Only a text that takes long is measured
again, at a quarter of its length: it must take about a quarter of the time.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

import kedro_journal.redaction
from kedro_journal.redaction.late import Late
from kedro_journal.redaction.shape_table import SHAPES
from kedro_journal.redaction.tokens import _OTHERS

LONG: Final = 2_500
SAMPLE_MAX_CHARS: Final = 30
SLOW_SECONDS: Final = 0.005
MATCHED: Final = frozenset(
    ["names._FILE", "names._ENTRY", "findings._CHOSEN", "findings._MIXED"]
)
"""Patterns that are only tried at the beginning of a text."""
QUADRATIC: Final = 9.0  # times as long for four times the text; linear is about 4


def patterns() -> dict[str, re.Pattern[str]]:
    """Return every pattern of the package by a name that tells where it is."""
    found: dict[str, re.Pattern[str]] = {}
    package = kedro_journal.redaction
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            every = value.values() if type(value) is dict else [value]
            for number, one in enumerate(every):
                pattern = one.get() if isinstance(one, Late) else one
                if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                    where = f"{info.name.rpartition('.')[2]}.{name}"
                    found[f"{where}[{number}]" if len(every) > 1 else where] = pattern
    for number, shape in enumerate(SHAPES):
        found[f"shape_table.SHAPES[{number}]"] = re.compile(shape.pattern)
    for service, _, written in _OTHERS:
        found[f"tokens: {service}"] = re.compile(written)
    return {name: one for one, name in {v: k for k, v in found.items()}.items()}


PATTERNS: Final = patterns()
_MATCHED: Final = frozenset(PATTERNS[name] for name in MATCHED)


def samples(pattern: re.Pattern[str]) -> set[str]:
    """Return a text for each alternative that the pattern begins with."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    count = max(
        (len(value[1]) for op, value in tree if op is ops.BRANCH),
        default=1,
    )
    return {"".join(_sampled(tree, choice))[:200] for choice in range(min(count, 8))}


def _sampled(tree: Any, choice: int) -> Iterator[str]:
    for op, value in tree:
        if op is ops.LITERAL:
            yield chr(value)
        elif op is ops.NOT_LITERAL:
            yield "a" if value != ord("a") else "b"
        elif op is ops.ANY:
            yield "a"
        elif op is ops.IN:
            yield _of_class(value)
        elif op is ops.BRANCH:
            yield from _sampled(value[1][choice % len(value[1])], choice)
        elif op is ops.SUBPATTERN:
            yield from _sampled(value[3], choice)
        elif op is ops.ATOMIC_GROUP:
            yield from _sampled(value, choice)
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            least, _, inner = value
            for _ in range(max(1, min(least, 20))):
                yield from _sampled(inner, choice)


def _of_class(members: Any) -> str:
    """Return a character of a class, a plain one if it has one."""
    negated = members[0][0] is ops.NEGATE
    for char in "a1A -=/.:'\"\\\n,;@&%<>(){}[]$_+|#*~^!?`\t":
        if _is_member(char, members[1:] if negated else members) != negated:
            return char
    return "é"


def _is_member(char: str, members: Any) -> bool:
    for op, value in members:
        if op is ops.LITERAL and chr(value) == char:
            return True
        if op is ops.RANGE and value[0] <= ord(char) <= value[1]:
            return True
        if op is ops.CATEGORY:
            kind = str(value).rpartition("_")[2].lower()
            known = {"space": "s", "digit": "d", "word": "w"}[kind]
            known = known.upper() if "NOT" in str(value) else known
            if re.match(f"\\{known}", char):
                return True
    return False


def attacks(sample: str) -> Iterator[str]:
    """Yield units that are repeated, and texts that lead to a repeated character."""
    short = sample[:SAMPLE_MAX_CHARS]
    for end in range(1, len(short) + 1):
        before, char = short[: end - 1], short[end - 1]
        yield (short[:end] * (LONG // end + 1))[:LONG]
        yield before + char * (LONG - len(before))
        yield (short[:end] + "\n") * (LONG // (end + 1))


def seconds(pattern: re.Pattern[str], text: str) -> float:
    begin = time.process_time()
    if pattern in _MATCHED:
        pattern.match(text)
    else:
        pattern.sub("", text)
    return time.process_time() - begin


def is_quadratic(pattern: re.Pattern[str], text: str) -> bool:
    """Return whether the time grows faster than the length, three times in a row."""
    for _ in range(3):
        short = min(seconds(pattern, text[: LONG // 4]) for _ in range(3))
        if seconds(pattern, text) < QUADRATIC * max(short, SLOW_SECONDS / 16):
            return False
    return True


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion(name: str) -> None:
    pattern = PATTERNS[name]
    for sample in samples(pattern):
        for text in attacks(sample):
            if seconds(pattern, text) > SLOW_SECONDS:
                assert not is_quadratic(pattern, text), text[:200]


def test_a_quadratic_pattern_is_found() -> None:
    pattern = re.compile(r"password\s*\w*\s*=")
    texts = [text for sample in samples(pattern) for text in attacks(sample)]
    slow = [text for text in texts if seconds(pattern, text) > SLOW_SECONDS]
    assert any(is_quadratic(pattern, text) for text in slow)


def test_every_kind_of_pattern_is_looked_at() -> None:
    assert len(PATTERNS) > 120
    assert "pairs._SIGN" in PATTERNS
