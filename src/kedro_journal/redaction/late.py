"""Patterns that are compiled when they are first used: most runs need few of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["Late"]


class Late:
    """A regular expression that costs nothing until a text is looked at with it.

    Args:
        pattern: The regular expression.
        flags: Flags of `re.compile`.
    """

    __slots__ = ("_compiled", "_flags", "_pattern")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._pattern: Final = pattern
        self._flags: Final = flags
        self._compiled: re.Pattern[str] | None = None

    def get(self) -> re.Pattern[str]:
        """Return the compiled pattern."""
        if self._compiled is None:
            self._compiled = re.compile(self._pattern, self._flags)
        return self._compiled

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Match at a place."""
        return self.get().match(text, start)

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Search from a place on."""
        return self.get().search(text, start)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Find every match, from left to right."""
        return self.get().finditer(text)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Replace every match."""
        return self.get().sub(replacement, text)
