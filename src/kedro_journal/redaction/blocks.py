"""Private keys that arrive line by line: lists, source excerpts, log records, diffs.

A line of a key's body is harmless to the eye: letters and digits, nothing that one line
alone could be judged by. So the lines around it are looked at: everything between a
BEGIN and an END line is masked, and so is what looks like a body where only one of the
two lines is in sight, because the excerpt began or ended within the key.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any, Final

from .limits import REDACTED

__all__ = [
    "Block",
    "Blocks",
    "masked_items",
    "masked_lines",
    "masked_text",
    "may_hold_key",
]

LINES_MAX: Final = 500
"""Longest key, in lines: RSA of 16,384 bits in PEM has 200, in PGP a few more."""
STREAMS_MAX: Final = 64
_TAIL_CHARS: Final = 200
_PATIENCE: Final = 3  # lines in a row that are no part of a key: its end was lost
_HINTS: Final = ("PRIVATE KEY", "PuTTY-User-Key", "Private-MAC")
_BEGIN: Final = re.compile(
    r"-{2,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{2,5}|PuTTY-User-Key-File"
)
_END: Final = re.compile(
    r"-{2,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{2,5}"
    r"|Private-MAC: ?[0-9a-fA-F]*"
)
# What stands around a line of a key: numbers of an excerpt, signs of a diff or a list,
# quotes, escaped newlines, commas, brackets, comment signs.
_BEFORE: Final = re.compile(
    r"(?:[>+\-#*|/.\s\[({]|\d{1,6}\s?[|:]|[bBrRfFuU]{0,2}\\{0,4}['\"]{1,3}"
    r"|\\{1,4}[nrt])*"
)
_AFTER: Final = re.compile(r"(?:\\{1,4}[nrt]|[\\'\",;)\]}\s+])*\Z")
_TOKEN: Final = re.compile(r"[A-Za-z0-9+/=_.\-]{1,1000}")
_HEADER: Final = re.compile(
    r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|MessageID|Charset|Encryption|Key-\w+"
    r"|Argon2-\w+|(?:Public|Private)-Lines|Subject|X-[\w\-]+):",
)
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_\-]{20,}")
_WIDE: Final = re.compile(r"[A-Za-z0-9+/]{56,80}={0,2}")


def may_hold_key(text: str) -> bool:
    """Return whether a text has a line that begins or ends a private key."""
    return any(hint in text for hint in _HINTS)


def _core(line: str) -> str:
    """Return a line without what an excerpt, a list or a diff puts around it."""
    start = _BEFORE.match(line)
    inner = line[start.end() if start else 0 :]
    # Only the end is searched: on a long line of spaces it would take quadratic time.
    return inner[:-_TAIL_CHARS] + _AFTER.sub("", inner[-_TAIL_CHARS:])


def _is_body(line: str) -> bool:
    """Return whether a line may stand between BEGIN and END."""
    core = _core(line)
    return bool(_TOKEN.fullmatch(core) or _HEADER.match(core))


class Block:
    """Mask the lines of one stream, one after the other.

    Not safe between threads: each stream of lines has a `Block` of its own.

    Attributes:
        is_open: A key began and did not end yet.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._lines = 0
        self._others = 0

    def feed(self, line: str) -> str:
        """Return the next line of the stream, masked where it belongs to a key."""
        if not self.is_open:
            return self._outside(line) if may_hold_key(line) else line
        self._lines += 1
        end = _END.search(line)
        if end:
            self.is_open = False
            return REDACTED + self._outside(line[end.end() :])
        if _BEGIN.search(line):  # the end of the one before it was lost
            return self._outside(line)
        if not _core(line):
            return line
        if _is_body(line):
            self._others = 0
            masked = REDACTED
        else:
            self._others += 1
            masked = _RUN.sub(REDACTED, line)
        if self._lines >= LINES_MAX or self._others >= _PATIENCE:
            self.is_open = False
        return masked

    def _outside(self, line: str) -> str:
        """Mask keys that begin in this line; one may stay open at its end."""
        masked: list[str] = []
        at = 0
        while begin := _BEGIN.search(line, at):
            masked += [line[at : begin.start()], REDACTED]
            end = _END.search(line, begin.end())
            if end is None:
                self.is_open, self._lines, self._others = True, 0, 0
                return "".join(masked)
            at = end.end()
        return "".join([*masked, line[at:]])


class Blocks:
    """Mask texts of several streams, such as the log records of each logger.

    Safe between threads as long as a stream belongs to one thread: its key names that
    thread. At most 64 streams within a key are remembered; beyond that the oldest is
    forgotten.
    """

    def __init__(self) -> None:
        self._open: dict[Hashable, Block] = {}

    def feed(self, stream: Hashable, text: str) -> str:
        """Return the next text of a stream, with the lines of a key masked."""
        block = self._open.get(stream) if self._open else None
        if block is None and not may_hold_key(text):
            return text
        block = block or Block()
        lines = text.split("\n")
        safe = "\n".join(map(block.feed, lines))
        if block.is_open:
            self._open[stream] = block
            while len(self._open) > STREAMS_MAX:
                self._open.pop(next(iter(list(self._open))), None)
        else:
            self._open.pop(stream, None)
        return safe


def masked_lines(lines: Sequence[str]) -> list[str]:
    """Mask private keys in an excerpt, wherever it begins or ends within one."""
    safe = list(lines)
    if any(map(may_hold_key, lines)):
        block = Block()
        for number, line in enumerate(lines):
            was_open = block.is_open
            safe[number] = block.feed(line)
            end = None if was_open else _END.search(safe[number])
            if end:  # it began before the excerpt
                safe[number] = REDACTED + safe[number][end.end() :]
                _mask_before(lines, safe, number)
    _mask_wide(lines, safe)
    return safe


def _mask_before(lines: Sequence[str], safe: list[str], end: int) -> None:
    """Mask the lines that lead up to the END line of a key."""
    for number in range(end - 1, max(-1, end - LINES_MAX), -1):
        if _core(lines[number]) and not _is_body(lines[number]):
            return
        if _core(lines[number]):
            safe[number] = REDACTED


def _mask_wide(lines: Sequence[str], safe: list[str]) -> None:
    """Mask two or more full lines of base64 in a row: the middle of a key."""
    run: list[int] = []
    for number, line in enumerate([*lines, ""]):
        if len(line) >= 56 and _is_wide(_core(line)):
            run.append(number)
            continue
        if len(run) > 1:
            for one in run:
                safe[one] = REDACTED
            if number < len(lines) and _core(line) and _is_body(line):
                safe[number] = REDACTED  # the last line of a key is shorter
        run = []


def _is_wide(core: str) -> bool:
    """Return whether a line is as long and as mixed as one of base64."""
    if not _WIDE.fullmatch(core):
        return False
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, core)) for kind in kinds)


def masked_text(text: str) -> str:
    """Mask private keys in a text of several lines, also one that begins within one."""
    return "\n".join(masked_lines(text.split("\n")))


def masked_items(items: Sequence[tuple[Any, object]]) -> Sequence[tuple[Any, object]]:
    """Mask private keys whose lines are the items of a list, or values of a mapping.

    Args:
        items: Pairs of a key and an item. Items that are no plain texts end no key.
    """
    texts = [number for number, (_, item) in enumerate(items) if type(item) is str]
    if len(texts) < 2:
        return items
    lines: list[str] = [items[number][1] for number in texts]  # type: ignore[misc]
    safe = masked_lines(lines)
    if safe == lines:
        return items
    changed = list(items)
    for number, line in zip(texts, safe, strict=True):
        changed[number] = (items[number][0], line)
    return changed
