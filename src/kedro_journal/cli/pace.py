"""What `tail` says about the pace of a run: the usual duration, and what is late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kedro_journal.cli.common import say
from kedro_journal.events import NodeCompleted, Record, RunStarted
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying import replay_folder
from kedro_journal.views.expected import expected_lines, node_took_too_long
from kedro_journal.views.terminal import Line, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_journal.analysis.durations import Usual

__all__ = ["Pace"]


class Pace:
    """Says on stderr how long the run of a session usually takes.

    Args:
        where: The journal directory that the session is in.
        session_id: The session.
    """

    def __init__(self, where: JournalDirectory, session_id: str) -> None:
        self._where, self._session_id = where, session_id
        self._nodes: Mapping[str, Usual] = {}

    def begin(self) -> None:
        """Say what is left of the last run, and of its nodes in progress."""
        from kedro_journal.replaying.usual import usual_times

        state = replay_folder(self._where.folder(self._session_id), salvage=True)
        run = state.last_run
        if state.verdict != "running" or run is None or run.status != "running":
            return
        usual, self._nodes = usual_times(self._where, self._session_id, run)
        for one in expected_lines(state, run, usual, self._nodes, datetime.now(UTC)):
            _say(one)

    def saw(self, record: Record) -> None:
        """Say that a node took unusually long, and how long a new run usually takes."""
        event = record.event
        if isinstance(event, RunStarted):
            self.begin()
        elif isinstance(event, NodeCompleted):
            usual = self._nodes.get(event.node)
            late = node_took_too_long(event.node, event.duration_s, usual)
            if late:
                _say(late)


def _say(one: Line) -> None:
    say(f"kedro-journal: {render([one]).rstrip()}")
