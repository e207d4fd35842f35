"""Every view of records whose checksums are right and whose content is hostile."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fuzzing.lines import Chain, Raw
from fuzzing.values import deep
from journals import put

from kedro_journal.events import Record
from kedro_journal.journal import decode, verify
from kedro_journal.replaying import replay_folder
from kedro_journal.views import (
    Detail,
    Listed,
    Screen,
    Timeline,
    json_line,
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


@pytest.mark.parametrize("digits", [20, 400, 4300])
def test_numbers_of_any_length_are_shown(tmp_path: Path, digits: int) -> None:
    """The longest that a reader takes are the longest that can be printed."""
    huge = Raw("9" * digits)
    chain = Chain()
    for type_, data in (
        ("session.created", {"session_id": "s", "pid": huge}),
        ("run.started", {"run_id": "r", "nodes": [{"name": "n"}], "part": huge}),
        ("run.started", {"run_id": "r", "nodes": [{"name": "n"}], "attempt": huge}),
        ("node.started", {"run_id": "r", "node": "n", "attempt": huge}),
        ("node.computed", {"run_id": "r", "node": "n", "attempt": huge}),
        (
            "dataset.saved",
            {
                "run_id": "r",
                "node": "n",
                "dataset": "d",
                "attempt": huge,
                "size_bytes": huge,
            },
        ),
        ("journal.gap", {"dropped": Raw(f"-{huge[1:]}"), "kept": 0}),
        ("journal.gap", {"dropped": Raw(f"-{huge[1:]}"), "kept": 0}),
        ("journal.gap", {"dropped": huge, "kept": huge}),
        ("journal.gap", {"dropped": huge, "kept": huge}),
        ("journal.repaired", {"offset": huge, "length": huge, "lost": huge}),
        ("note.added", {"text": "n", "fields": {"a": [huge]}}),
        ("run.interrupted", {"run_id": "r", "signal": huge, "exit_code": huge}),
        ("session.closed", {"exit_code": huge}),
    ):
        found = decode(chain.add(type_, data)[:-1])
        assert isinstance(found, Record)
        assert found.event.TYPE == type_
        assert render([Timeline(Screen(NOW)).line(found)])
        assert json_line(record_data(found))
    put(tmp_path / "s", chain.data)
    state = replay_folder(tmp_path / "s")
    assert state.dropped_events == 2**53 - 1
    screen = Screen(NOW)
    assert session_view(state, screen, detail=Detail(datasets=True, all_nodes=True))
    assert all(shown(tmp_path / "s").values())


def test_blanks_of_an_unknown_event_do_not_move_the_cursor() -> None:
    """JSON allows a carriage return between tokens, and its bytes are kept."""
    found = record("later.event", Raw('{"a":\r\t[1,\r2],"b":"\\r\x9b31m"}'))
    for text in (json_line(record_data(found)), json_text(record_data(found))):
        assert not set(text) & set("\r\t\x9b")
        assert json.loads(text)["data"] == {"a": [1, 2], "b": "\r\x9b31m"}


def test_indentation_does_not_blow_up_what_is_long_and_deep() -> None:
    """A megabyte of digits, forty lists deep, would be fifty megabytes of blanks."""
    core = ",".join("1" * 400_000)
    bomb = Raw(deep(40, core))
    text = json_text(record_data(record("later.event", bomb)))
    assert len(text) < 2_000_000
    assert json.loads(text)["data"] == json.loads(bomb)
    for calm in (Raw(deep(40)), [[1] * 200_000]):
        text = json_text(record_data(record("later.event", calm)))
        assert text.count("\n") > 40


def test_a_command_that_is_proposed_runs_nothing_else(tmp_path: Path) -> None:
    """Session ids of a journal may be anything; the commands with them are pasted."""
    chain = Chain()
    hostile = "x; touch owned $(touch owned) `touch owned`"
    for type_, data in (
        ("journal.header", {"session_id": hostile, "uid": "", "salt": ""}),
        ("session.created", {"session_id": hostile}),
        ("run.started", {"run_id": "r"}),
        ("run.failed", {"run_id": "r", "error": {"type": "E"}}),
        ("journal.gap", {"dropped": 1}),
        ("session.closed", {}),
    ):
        chain.add(type_, data)
    put(tmp_path / "s", chain.data)
    text = shown(tmp_path / "s")["show"].partition("Next")[2]
    commands = [one.strip() for one in text.splitlines() if "kedro-journal" in one]
    assert len(commands) == 4
    for command in commands:
        assert shlex.split(command)[2] == hostile
