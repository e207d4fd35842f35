"""Every view of records whose checksums are right and whose content is hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fuzzing.lines import Chain
from journals import put

from kedro_journal.events import Record
from kedro_journal.journal import decode, verify
from kedro_journal.replay import replay_folder
from kedro_journal.views import (
    Listed,
    Screen,
    Timeline,
    json_text,
    record_data,
    render,
    session_view,
    sessions_view,
    state_data,
    summary_data,
    verification_view,
)

NOW = datetime(2026, 11, 22, 5, 11, 32, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))


def record(type_: str, data: Any, **envelope: Any) -> Record:
    found = decode(Chain().add(type_, data, **envelope)[:-1])
    assert isinstance(found, Record)
    return found


def shown(folder: Path, tz: timezone | None = None) -> dict[str, str]:
    """Give every view of a journal."""
    state = replay_folder(folder, salvage=True)
    screen = Screen(NOW, 80, tz)
    found = verify(folder / "journal.jsonl")
    return {
        "show": session_view(state, screen),
        "list": sessions_view([Listed(state)], screen),
        "verify": verification_view("s", found, screen),
        "show --json": json_text(state_data(state)),
        "list --json": json_text(summary_data(state, NOW)),
    }


@pytest.mark.parametrize("tz", [None, EAST, WEST])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_times_at_the_ends_of_the_calendar_are_shown(
    tmp_path: Path, at: str, tz: timezone | None
) -> None:
    """Where the local time does not exist, it is shown in UTC."""
    chain = Chain()
    for type_, data in (
        ("session.created", {"session_id": "s"}),
        ("run.started", {"run_id": "r"}),
        ("note.added", {"text": "n"}),
    ):
        line = chain.add(type_, data, at=at)
        found = decode(line[:-1])
        assert isinstance(found, Record)
        text = render([Timeline(Screen(NOW, tz=tz)).line(found)])
        assert at[17:19] in text
        written = record_data(found)["at"]
        assert datetime.fromisoformat(written) == datetime.fromisoformat(at)
    put(tmp_path / "s", chain.data)
    texts = shown(tmp_path / "s", tz)
    assert json.loads(texts["list --json"])["created_at"][:10] == at[:10]
