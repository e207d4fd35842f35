"""Hostile values as JSON text, and hostile texts."""

from __future__ import annotations

import json
import random
from typing import Final

__all__ = [
    "CANARY",
    "NUMBERS",
    "TEXTS",
    "TIMES",
    "deep",
    "hostile",
    "quoted",
    "wide",
]

CANARY: Final = "planted_by_the_fuzzer"
"""Name of a module that no reader may import."""

NUMBERS: Final = (
    *("0", "-0", "-1", "1", "2", "1.0", "1.5", "-2.5", "00", "1e2", "1e400", "-1e999"),
    *("1e308", "-1e308", "1e-400", "0.1e-999", "999999999999", str(10**18)),
    *(str(2**31), str(2**53), str(2**53 + 1), str(2**63 - 1), str(2**63), str(2**64)),
    *(
        str(-(2**63)),
        "9" * 400,
        "-" + "9" * 400,
        "9" * 4300,
        "9" * 4301,
        "0." + "1" * 999,
    ),
)
TIMES: Final = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00.000001-14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.999999-14:00",
    "2026-01-01T00:00:00",
    "2026-01-01",
    "0000-00-00T00:00:00Z",
    "2026-02-30T25:61:61Z",
    "2026-06-30T23:59:60Z",
    "1969-12-31T23:59:59.999999+23:59",
    "now",
    "",
)
TEXTS: Final = (
    "",
    " ",
    "a",
    "\x00",
    "\x1b[2J\x1b]0;owned\x07\x1b[31m",
    "\x9b31m\x85\x90\x9c\x7f",
    "\r\n\t\x0b\x0c\x1c\x1d\x1e",
    "\u202e\u2066gnp.exe\u2069\u200f\u061c",
    "\u2028\u2029\ufeff\u200b\u00ad",
    "e\u0301\u0301\u0301\u20dd",
    "\U0001f469\u200d\U0001f52c\u4f60\u597d",
    "\ud800",
    "\udfff\ud800",
    f"{CANARY}:boom",
    f"{CANARY}.Boom",
    "os.system",
    "__reduce__",
    "builtins.exec",
    "antigravity",
    "%s%n %(x)s {0.__class__.__mro__} {} ${x} `id` $(id) ; rm -rf /",
    "../../../../etc/passwd",
    "/dev/zero",
    "latest",
    "w1",
    "r1",
    "split",
    "owner",
    "node.completed",
    "session.closed",
    "run.started",
    "00000000",
    '","crc":"00000000"}',
    "__proto__",
    "x" * 300,
    "/python1" + "1" * 900,
    "> " + "\t" * 99,
    "@" * 99,
)


def quoted(text: str, *, ascii_only: bool = True) -> str:
    """Write a text as a JSON string; lone surrogates become escapes."""
    if ascii_only or any("\ud800" <= char <= "\udfff" for char in text):
        return json.dumps(text)
    # As msgspec does: only what JSON demands is escaped, C1 and bidi stand raw.
    return json.dumps(text, ensure_ascii=False)


def deep(depth: int, core: str = "1", kind: str = "[") -> str:
    """Write a value that lies *depth* containers deep."""
    if kind == "[":
        return "[" * depth + core + "]" * depth
    return '{"a":' * depth + core + "}" * depth


def wide(count: int, item: str = "[]") -> str:
    """Write a list of the same item, *count* times."""
    return "[" + ",".join([item] * count) + "]"


def hostile(rng: random.Random, size: int = 2000) -> str:  # noqa: PLR0911 - a menu
    """Write any hostile value as JSON text, or nearly so.

    Args:
        rng: Where chance comes from.
        size: About how many characters at most.
    """
    match rng.randrange(12):
        case 0 | 1:
            return rng.choice(NUMBERS)
        case 2 | 3 | 4:
            text = rng.choice(TEXTS) + rng.choice(("", "", rng.choice(TEXTS)))
            return quoted(text, ascii_only=rng.random() < 0.5)
        case 5:
            return quoted(rng.choice(TIMES))
        case 6:
            return quoted(rng.choice("ax \xe9\u4f60") * rng.randrange(size // 2))
        case 7:
            depth = rng.choice((2, 20, 31, 32, 33, 47, 48, 49, 64, 99, 300, 980, 1200))
            kind = rng.choice("[{")
            core = rng.choice(("1", '""', wide(rng.randrange(40), "1")))
            return deep(min(depth, size // 6), core, kind)
        case 8:
            item = rng.choice(("[]", "{}", "1", '""', "null", '{"a":[]}', "1.5"))
            return wide(rng.randrange(max(size // len(item) // 2, 1)), item)
        case 9:
            key = quoted(rng.choice(TEXTS))
            return f"{{{key}:1,{key}:{rng.choice(NUMBERS)},{key}:[{key}]}}"
        case 10:
            return rng.choice(("null", "true", "false", "[]", "{}", '""'))
        case _:
            return rng.choice(
                ("NaN", "Infinity", "nul", "[1,]", "{,}", "'x'", '"\\q"', "", "\r1\t")
            )
