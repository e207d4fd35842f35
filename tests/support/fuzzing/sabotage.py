"""Readers with one protection left out: the fuzzer must see each of them."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable
from typing import Any, Final

from kedro_journal.events import Record
from kedro_journal.journal import codec, lines
from kedro_journal.journal.codec import BadLine
from kedro_journal.views import terminal

__all__ = ["SABOTAGES"]


def _replace(name: str, value: object) -> None:
    """Put a value in the place of *name* in every module of the package that has it."""
    for module in [m for n, m in sys.modules.items() if n.startswith("kedro_journal")]:
        if name in vars(module):
            setattr(module, name, value)


def _keep_long_lines() -> None:
    """A line is kept, however long it is."""
    known = lines.LineBuffer.__init__

    def unlimited(self: lines.LineBuffer, offset: int = 0, limit: int = 0) -> None:
        known(self, offset, 1 << 60)

    lines.LineBuffer.__init__ = unlimited  # type: ignore[method-assign]


def _compare_no_checksum() -> None:
    """A line is read whatever its checksum says."""
    known = codec.decode

    def careless(line: bytes, offset: int = -1, end: int = -1) -> Record | BadLine:
        body = line[:-18]
        return known(b'%b,"crc":"%08x"}' % (body, zlib.crc32(body)), offset, end)

    _replace("decode", careless)


def _escape_nothing() -> None:
    """What a journal holds goes to the terminal as it is."""
    terminal.escape = lambda text: text


def _import_types() -> None:
    """A type that is not known is looked for where its name says."""
    known = codec.decode

    def curious(line: bytes, *more: Any) -> Record | BadLine:
        found = known(line, *more)
        if isinstance(found, Record):
            try:
                importlib.import_module(found.type.partition(".")[0])
            except Exception:  # there is none
                return found
        return found

    _replace("decode", curious)


SABOTAGES: Final[dict[str, Callable[[], None]]] = {
    "keep long lines": _keep_long_lines,
    "compare no checksum": _compare_no_checksum,
    "escape nothing": _escape_nothing,
    "import types": _import_types,
}
