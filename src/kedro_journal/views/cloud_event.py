"""What happened to a session, in the envelope of CloudEvents 1.0. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from kedro_journal.journal.codec import timestamp
from kedro_journal.state import SessionState

from .data import summary_data

__all__ = ["cloud_event"]


def cloud_event(
    state: SessionState, kind: str, run: str, now: datetime
) -> Mapping[str, Any]:
    """Return an event; the same one has the same id whenever it is made.

    Args:
        state: The session.
        kind: A verdict, or `overdue`.
        run: What tells several events of a session and kind apart; empty for nothing.
        now: The present, aware.
    """
    at = now if kind == "overdue" else state.closed_at or state.updated_at or now
    project = state.project_name or state.package_name or "project"
    parts = (state.uid, state.session_id, kind, run)
    return {
        "specversion": "1.0",
        "id": "/".join(part for part in parts if part),
        "source": f"/kedro-journal/{quote(project, safe='')}",
        "type": f"kedro_journal.session.{kind}",
        "subject": state.session_id,
        "time": timestamp(at),
        "datacontenttype": "application/json",
        "data": summary_data(state, now),
    }
