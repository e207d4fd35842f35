"""Console: what stdout is, for the commands and the demo."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kedro_journal.journal import read
from kedro_journal.state import SessionState
from kedro_journal.views.derive import where_it_is
from kedro_journal.views.terminal import Screen

__all__ = ["moments_of", "screen"]

_COLOURS: dict[str, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "warn": {"fg": "yellow"},
    "busy": {"fg": "cyan"},
    "dim": {"dim": True},
    "strong": {"bold": True},
}
_WIDTH_MIN = 60  # columns; narrower terminals wrap


def screen() -> Screen:
    """Return what stdout is: a terminal's width and colours, or a pipe without either.

    FORCE_COLOR and CLICOLOR_FORCE colour a pipe too, unless they are empty or 0.
    NO_COLOR, unless it is empty, wins over both.
    """
    now = datetime.now(UTC)
    terminal = sys.stdout.isatty()
    width = None
    if terminal:
        import shutil  # noqa: PLC0415 - a pipe needs none

        width = max(shutil.get_terminal_size((100, 24)).columns, _WIDTH_MIN)
    forced = any(
        os.environ.get(name) not in (None, "", "0")
        for name in ("FORCE_COLOR", "CLICOLOR_FORCE")
    )
    coloured = forced or (terminal and os.environ.get("TERM") != "dumb")
    if os.environ.get("NO_COLOR") or not coloured:
        return Screen(now, width)
    context = click.get_current_context(silent=True)
    if forced and context is not None:
        context.color = True  # or click takes the colours out for a pipe
    return Screen(
        now, width, paint=lambda text, role: click.style(text, **_COLOURS[role])
    )


def moments_of(path: Path, state: SessionState) -> dict[int, datetime]:
    """Find the wall clock of the records that the verdict on a state refers to."""
    wanted = {place.since_seq for place in where_it_is(state)} - {0}
    if not wanted:
        return {}
    found: dict[int, datetime] = {}
    for record in read(path, mode="salvage"):
        if record.seq in wanted:
            found[record.seq] = record.at
            if len(found) == len(wanted):
                break
    return found
