"""`show --timeline`: where the time of a session or a group went."""

from __future__ import annotations

import sys
from pathlib import Path

from kedro_journal.analysis import GroupState
from kedro_journal.console import moments_of, screen
from kedro_journal.state import SessionState
from kedro_journal.views.chart import group_chart, run_chart
from kedro_journal.views.gantt import (
    gantt_data,
    group_gantt_view,
    session_gantt_view,
)

__all__ = ["group_timeline", "group_timeline_data", "timeline", "timeline_data"]


def timeline(state: SessionState, path: Path, which: str) -> str:
    """Return the charts of a session as text; *path* is its journal."""
    return session_gantt_view(
        state,
        screen(),
        which=which,
        blocks=_has_blocks(),
        moments=moments_of(path, state),
    )


def timeline_data(state: SessionState, path: Path) -> list[dict[str, object]]:
    """Return the charts of every attempt of a session as plain data."""
    moments, here = moments_of(path, state), screen()
    return [
        {
            "run_id": run.run_id,
            "attempt": run.attempt,
            **gantt_data(run_chart(run, state, here.now, moments)),
        }
        for run in state.runs
    ]


def group_timeline(group: GroupState, which: str) -> str:
    """Return the chart of a group as text."""
    return group_gantt_view(group, screen(), which=which, blocks=_has_blocks())


def group_timeline_data(group: GroupState) -> dict[str, object]:
    """Return the chart of a group as plain data."""
    return gantt_data(group_chart(group, screen().now))


def _has_blocks() -> bool:
    """Return whether the encoding of stdout has block characters."""
    try:
        "░█▒·".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
