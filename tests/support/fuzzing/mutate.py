"""Break a journal that exists, and perhaps give its lines valid checksums again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

from .lines import Raw, parts_of, reseal, sealed, write
from .values import NUMBERS, TEXTS, TIMES, hostile, quoted

__all__ = ["MUTANT_MAX_BYTES", "garble", "mutant"]

MUTANT_MAX_BYTES: Final = 16 * 1024
_TOKENS: Final = (
    *(b"\n", b"\r", b"\x00", b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"0"),
    *(b'"}', b'"}\n', b',"crc":"', b'"seq":', b'"prev":"00000000"', b'"data":{}'),
    *(b"\xff", b"\xed\xa0\x80", b"\xc2\x9b", b"\\ud800", b"\xef\xbb\xbf", b"1e999"),
)


def mutant(rng: random.Random, corpus: Sequence[bytes]) -> bytes:
    """Give a mutation of a journal of the corpus."""
    data = rng.choice(corpus)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        how = rng.choice((_bytes, _bytes, _lines, _value, _value, _value, _splice))
        data = how(rng, data, corpus)[:MUTANT_MAX_BYTES]
    seal = rng.randrange(4)
    if seal:
        data = reseal(data, chain=seal > 1)
    return data


def garble(rng: random.Random, data: bytes) -> bytes:
    """Change some bytes of anything."""
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        data = _bytes(rng, data, ())
    return data


def _bytes(  # noqa: PLR0911 - a menu
    rng: random.Random, data: bytes, corpus: Sequence[bytes]
) -> bytes:
    """Flip, put in, leave out, double or zero some bytes."""
    if not data:
        return rng.choice(_TOKENS)
    start = rng.randrange(len(data))
    end = min(start + (1 << rng.randrange(8)), len(data))
    match rng.randrange(7):
        case 0 | 1:
            flipped = data[start] ^ (1 << rng.randrange(8))
            return data[:start] + bytes([flipped]) + data[start + 1 :]
        case 2:
            return data[:start] + rng.choice(_TOKENS) + data[start:]
        case 3:
            return data[:start] + data[end:]
        case 4:
            return data[:start] + data[start:end] * 2 + data[end:]
        case 5:
            return data[:start] + bytes(end - start) + data[end:]
        case _:
            return data[:start]


def _lines(rng: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    """Drop, double, move, swap or join whole lines."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data * 2
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case 3:
            lines[one] = lines[one].rstrip(b"\n")
        case _:
            del lines[min(one, other) : max(one, other)]
    return b"".join(lines)


def _splice(rng: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    """Go on, or put lines in, from another journal."""
    lines = data.splitlines(keepends=True)
    others = rng.choice(corpus).splitlines(keepends=True)
    at, start = rng.randrange(len(lines) + 1), rng.randrange(len(others) + 1)
    if rng.random() < 0.5:
        return b"".join([*lines[:at], *others[start:]])
    count = rng.randrange(1, 4)
    return b"".join([*lines[:at], *others[start : start + count], *lines[at:]])


def _value(rng: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    """Change a value or a key anywhere in a line, and seal the line again."""
    lines = data.splitlines(keepends=True)
    number = rng.randrange(len(lines)) if lines else 0
    parts = parts_of(lines[number].rstrip(b"\n")) if lines else None
    if parts is None:
        return data
    _change(rng, parts)
    try:
        body = write(parts)[:-1].encode("utf-8", "surrogatepass")
    except RecursionError:  # what is parsed may be nested deeper than this can write
        return data
    lines[number] = sealed(body)
    return b"".join(lines)


def _change(rng: random.Random, value: Any) -> None:
    """Change something within a list or mapping, at any depth."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            if isinstance(value, dict):
                value["new"] = Raw(hostile(rng, 300))
            else:
                value.append(Raw(hostile(rng, 300)))
            return
        key = rng.choice(keys)
        inner = value[key]
        if not isinstance(inner, dict | list) or rng.random() < 0.2:
            break
        value = inner
    if isinstance(value, dict) and rng.random() < 0.2:
        if rng.random() < 0.5:
            del value[key]
        else:
            value[Raw(quoted(rng.choice(TEXTS)))] = value[key]
        return
    value[key] = _instead(rng, value[key])


def _instead(rng: random.Random, value: Any) -> Any:  # noqa: PLR0911 - a menu
    """Give something in place of a value: often of its own kind."""
    if rng.random() < 0.3:
        return Raw(hostile(rng, 600))
    if isinstance(value, str):
        if value[4:5] == "-" and rng.random() < 0.5:
            return rng.choice(TIMES)
        return Raw(quoted(rng.choice(TEXTS), ascii_only=rng.random() < 0.5))
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None, 0, ""))
    if isinstance(value, int | float):
        return Raw(rng.choice(NUMBERS))
    if isinstance(value, list):
        return value * rng.randrange(4)
    return Raw(hostile(rng, 600))
