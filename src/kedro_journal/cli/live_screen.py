"""A screen that is drawn again and again. The only module that imports Rich."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from kedro_journal.views.terminal import Line, escape

__all__ = ["LiveScreen"]

_STYLES: Final = {
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "busy": "cyan",
    "dim": "dim",
    "strong": "bold",
}


class LiveScreen:
    """The whole terminal for as long as the block lasts; then it is as it was before.

    Nothing else may print meanwhile. Texts are escaped here, as by `render`, and are
    never read as Rich's markup.
    """

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    @property
    def is_able(self) -> bool:
        """Whether the terminal can move its cursor."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now; both at least 1."""
        width, height = self._console.size
        return max(width, 1), max(height, 1)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines instead of those before."""
        text = Text(no_wrap=True, overflow="crop", end="")
        for number, one in enumerate(lines):
            if number:
                text.append("\n")
            for span in one:
                text.append(escape(span.text), _STYLES.get(span.role))
        self._live.update(text, refresh=True)
