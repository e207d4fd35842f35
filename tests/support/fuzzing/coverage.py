"""Which arcs of the package's code an input reaches, by the interpreter's own tracing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import kedro_journal

__all__ = ["Coverage"]

_PACKAGE: Final = str(Path(kedro_journal.__file__).parent)
_Local = Callable[[FrameType, str, Any], Any]


class Coverage:
    """Remembers every arc, from a line to the next, that was ever reached.

    Attributes:
        arcs: How many there are.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[CodeType, int, int]] = set()
        self._ours: dict[CodeType, bool] = {}

    @property
    def arcs(self) -> int:
        return len(self._seen)

    @contextmanager
    def watch(self) -> Iterator[Callable[[], int]]:
        """Trace a block; what it gives tells how many new arcs there were."""
        before = len(self._seen)
        outer = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield lambda: len(self._seen) - before
        finally:
            sys.settrace(outer)

    def _enter(self, frame: FrameType, event: str, arg: Any) -> _Local | None:
        code = frame.f_code
        ours = self._ours.get(code)
        if ours is None:
            ours = self._ours[code] = code.co_filename.startswith(_PACKAGE)
        return self._local(code) if ours else None

    def _local(self, code: CodeType) -> _Local:
        seen, line = self._seen, 0

        def local(frame: FrameType, event: str, arg: Any) -> _Local:
            nonlocal line
            before, line = line, frame.f_lineno
            seen.add((code, before, line))
            return local

        return local
