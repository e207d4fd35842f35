"""What a text refers to: ids, words, times and paths."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import file, timed

from kedro_journal import replay
from kedro_journal.errors import (
    AmbiguousSessionId,
    InvalidSessionId,
    JournalError,
    JournalNotFound,
    UnsafeJournal,
)
from kedro_journal.events import (
    ErrorInfo,
    Event,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
    SessionFailed,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory, session_timestamp
from kedro_journal.replaying import select as select_module
from kedro_journal.replaying.reference import (
    Id,
    Moment,
    Newest,
    Place,
    Verdicts,
    parse,
)
from kedro_journal.replaying.select import select

NOW = datetime(2026, 11, 30, 19, 0, 0)
RUN = RunStarted(run_id="r", nodes=(PlannedNode(name="a"), PlannedNode(name="b")))
ERROR = ErrorInfo(type="ValueError", message="no")
COMPLETED = (
    *(NodeStarted(run_id="r", node=name) for name in "ab"),
    *(NodeComputed(run_id="r", node=name) for name in "ab"),
    *(NodeCompleted(run_id="r", node=name) for name in "ab"),
)
WHOLE = (RUN, *COMPLETED, RunCompleted(run_id="r"), SessionClosed())
PARTLY = (RUN, RunCompleted(run_id="r"), SessionClosed())
FAILED = (RUN, RunFailed(run_id="r", error=ERROR), SessionClosed())
EMPTY = (SessionClosed(),)
MISTYPED = (
    SessionFailed(
        phase="command", error=ErrorInfo(type="click.exceptions.NoSuchOption")
    ),
    SessionClosed(exit_code=2),
)
BROKEN = (SessionFailed(phase="context", error=ERROR), SessionClosed())


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def where(tmp_path: Path) -> JournalDirectory:
    return JournalDirectory(tmp_path / "sessions")


def add(
    where: JournalDirectory,
    clock: str,
    events: tuple[Event, ...] = WHOLE,
    *,
    name: str = "",
    day: str = "2026-11-30",
    parent: str | None = None,
) -> str:
    """Write a session of that day and time, UTC."""
    at = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)
    session_id = name or session_timestamp(at)
    begun = [
        JournalHeader(session_id=session_id, uid="u", salt="s", package_version="0"),
        WriterOpened(pid=1, host="elsewhere"),
        SessionCreated(session_id=session_id, parent_session_id=parent),
    ]
    folder = where.path / session_id
    folder.mkdir(parents=True)
    file(folder).write_bytes(b"".join(timed([*begun, *events], at)))
    return session_id


MINUTE, SECOND, DAY = timedelta(minutes=1), timedelta(seconds=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("latest", Newest()),
        ("@", Newest()),
        ("@-0", Newest()),
        ("@-12", Newest(12)),
        ("@-x", Id("@-x")),
        ("last-failed", Verdicts(good=False)),
        ("last-good", Verdicts(good=True)),
        ("18:55", Moment(at("2026-11-30T18:55"), MINUTE)),
        ("8:05", Moment(at("2026-11-30T08:05"), MINUTE)),
        ("18:55:03", Moment(at("2026-11-30T18:55:03"), SECOND)),
        ("19:01", Moment(at("2026-11-29T19:01"), MINUTE)),
        ("2026-11-29", Moment(at("2026-11-29"), DAY)),
        ("2026-11-29 18:55", Moment(at("2026-11-29T18:55"), MINUTE)),
        ("2026-11-29T18:55:03", Moment(at("2026-11-29T18:55:03"), SECOND)),
        ("today", Moment(at("2026-11-30"), DAY, newest=True)),
        ("yesterday", Moment(at("2026-11-29"), DAY, newest=True)),
        ("2026-11-29T", Id("2026-11-29T")),
        ("2026-13-45", Id("2026-13-45")),
        ("25:00", Id("25:00")),
        ("2026-11", Id("2026-11")),
        ("2026-11-29T18.55", Id("2026-11-29T18.55")),
        ("churn", Id("churn")),
        ("x/y", Place(Path("x/y"))),
        ("./x", Place(Path("x"))),
        ("journal.jsonl", Place(Path("journal.jsonl"))),
        ("", Id("")),
    ],
)
def test_a_text_is_read_in_one_way(text: str, wanted: object) -> None:
    assert wanted == parse(text, NOW)


@given(st.text(max_size=24), st.datetimes())
def test_no_text_breaks_the_parser(text: str, now: datetime) -> None:
    parse(text, now)


@given(st.text("0123456789-: T@", max_size=20), st.datetimes())
def test_no_digits_break_the_parser(text: str, now: datetime) -> None:
    parse(text, now)


def chosen(where: JournalDirectory, text: str, purpose: str = "show") -> str:
    return select(where, text, purpose, now=NOW).session_id  # type: ignore[arg-type]


def test_an_id_or_a_unique_part_of_it_is_found(where: JournalDirectory) -> None:
    first, second = add(where, "10:00:00.123"), add(where, "11:00:00.456")
    named = add(where, "12:00", name="churn-service")
    assert first == chosen(where, first) == chosen(where, "2026-11-30T10")
    assert second == chosen(where, "456Z")
    assert named == chosen(where, "churn") == chosen(where, "service")
    with pytest.raises(AmbiguousSessionId) as caught:
        chosen(where, "2026-11-30T1")
    assert caught.value.candidates == (first, second)
    with pytest.raises(JournalNotFound, match=f"newest session there is {named}"):
        chosen(where, "nope")
    for text in ("a b", "", "a\0b", "-rf", "é"):
        with pytest.raises(InvalidSessionId):
            chosen(where, text)


def test_an_id_comes_before_a_part_of_another_and_before_a_word(
    where: JournalDirectory,
) -> None:
    for number, name in enumerate(("ab", "abc", "today")):
        add(where, f"10:0{number}", name=name)
    assert "ab" == chosen(where, "ab")
    assert "today" == chosen(where, "today")


def test_the_sessions_before_the_latest_are_counted(where: JournalDirectory) -> None:
    ids = [add(where, f"10:0{number}") for number in range(4)]
    for number, session_id in enumerate(reversed(ids)):
        assert session_id == chosen(where, f"@-{number}")
    assert ids[-1] == chosen(where, "@") == chosen(where, "latest")
    with pytest.raises(JournalNotFound):
        chosen(where, "@-4")


def test_sessions_are_found_by_local_time(where: JournalDirectory) -> None:
    first = add(where, "09:15:10")
    second, third = add(where, "17:55:03"), add(where, "17:55:40")
    before = add(where, "23:30", day="2026-11-28")  # the 29th in Berlin
    assert first == chosen(where, "10:15") == chosen(where, "10:15:10")
    assert third == chosen(where, "18:55:40") == chosen(where, "today")
    with pytest.raises(AmbiguousSessionId) as caught:
        chosen(where, "18:55")
    assert caught.value.candidates == (second, third)
    assert before == chosen(where, "yesterday") == chosen(where, "2026-11-29")
    assert before == chosen(where, "2026-11-29 00:30")
    assert before == chosen(where, "2026-11-28"), "a part of the id, which is in UTC"
    with pytest.raises(JournalNotFound, match="at 2026-11-30 18:54"):
        chosen(where, "18:54")


def test_the_latest_is_one_that_did_something(where: JournalDirectory) -> None:
    ran = add(where, "10:00", FAILED)
    broken = add(where, "10:01", BROKEN)
    nothing = [add(where, "10:02", EMPTY), add(where, "10:03", MISTYPED)]
    attempt = add(where, "10:04", BROKEN, parent=ran)
    shown = select(where, "latest", now=NOW)
    assert broken == shown.session_id
    assert (attempt, *reversed(nothing)) == shown.skipped
    assert shown.note == (
        f"(skipped 3 newer sessions that ran nothing: {', '.join(shown.skipped)})"
    )
    run = select(where, "latest", "run", now=NOW)
    assert ran == run.session_id
    assert (attempt, *reversed(nothing), broken) == run.skipped
    assert ran == chosen(where, "@-1")
    assert nothing[0] == chosen(where, nothing[0]), "one that is named is that one"


def test_where_nothing_ran_the_latest_is_the_newest(where: JournalDirectory) -> None:
    older, newer = add(where, "10:02", EMPTY), add(where, "10:03", EMPTY)
    for purpose in ("show", "run"):
        assert newer == chosen(where, "latest", purpose)
        assert older == chosen(where, "@-1", purpose)
    assert "" == select(where, "latest", now=NOW).note


def test_a_session_that_runs_is_the_latest_to_show(where: JournalDirectory) -> None:
    ran = add(where, "10:00")
    open_one = add(where, "10:01", (RUN,))
    assert open_one == chosen(where, "latest", "run") == chosen(where, "latest")
    repl = add(where, "10:02", ())
    assert open_one == chosen(where, "latest", "run")
    assert repl in where.ids()
    assert ran == chosen(where, "@-1", "run")


def test_the_last_that_failed_and_the_last_that_was_good(
    where: JournalDirectory,
) -> None:
    failed = add(where, "10:00", FAILED)
    with pytest.raises(JournalNotFound, match="completed every planned node"):
        chosen(where, "last-good")
    good = add(where, "10:01", parent=failed)
    add(where, "10:02", PARTLY)  # it went on after a failure
    add(where, "10:03", BROKEN, parent=good)
    add(where, "10:04", EMPTY)
    add(where, "10:05", MISTYPED)
    assert failed == chosen(where, "last-failed")
    assert good == chosen(where, "last-good")


def test_a_session_outside_of_the_directory_is_found_by_its_path(
    where: JournalDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = add(where, "10:00")
    sent = JournalDirectory(tmp_path / "sent")
    outside = add(sent, "09:00")
    shutil.copytree(sent.path / outside, where.path / "zz (1)")
    monkeypatch.chdir(tmp_path)
    for text in (
        f"sent/{outside}",
        f"sent/{outside}/journal.jsonl",
        f"./sent/{outside}",
    ):
        found = select(where, text, now=NOW)
        assert (found.where.path, found.session_id) == (sent.path, outside)
    assert replay(f"sent/{outside}", directory=where.path).session_id == outside
    assert inside == chosen(where, "latest")
    monkeypatch.chdir(sent.path / outside)
    assert outside == chosen(where, "journal.jsonl")
    copy = select(where, f"{where.path}/zz (1)", now=NOW)
    assert replay(str(copy.folder), directory=where.path).session_id == outside


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sent", "no session"),
        ("./sent", "It is a journal directory"),
        ("./nope", "has a file journal.jsonl"),
        ("./other.jsonl", "is called journal.jsonl"),
        ("../x", "has a file journal.jsonl"),
    ],
)
def test_a_path_of_no_session_says_what_is_there(
    where: JournalDirectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    says: str,
) -> None:
    add(where, "10:00")
    add(JournalDirectory(tmp_path / "sent"), "09:00")
    (tmp_path / "other.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalNotFound, match=says):
        chosen(where, text)


def test_an_empty_directory_says_why(where: JournalDirectory, tmp_path: Path) -> None:
    def reason(path: Path) -> str:
        with pytest.raises(JournalNotFound) as caught:
            select(JournalDirectory(path), "latest")
        return str(caught.value)

    one = add(where, "10:00")
    assert "does not exist yet" in reason(tmp_path / "none")
    assert "is a session folder" in reason(where.path / one)
    assert str(where.path / one) in reason(where.path / one)
    shutil.copytree(where.path / one, tmp_path / "copies" / "zz")
    assert "copies of sessions only: zz" in reason(tmp_path / "copies")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    if os.name == "posix":
        assert "every user can write to it" in reason(tmp_path / "open")


def test_a_link_is_no_session(where: JournalDirectory) -> None:
    one = add(where, "10:00")
    (where.path / "link").symlink_to(where.path / one)
    with pytest.raises(UnsafeJournal):
        chosen(where, "link")
    assert one == chosen(where, "latest")


def test_what_is_not_readable_is_passed_over_to_show_and_named_to_run(
    where: JournalDirectory, tmp_path: Path
) -> None:
    unreadable = "2026-11-30T12.00.00.000Z"
    (where.path / unreadable).mkdir(parents=True)
    file(where.path / unreadable).symlink_to(tmp_path / "nowhere")
    with pytest.raises(JournalError, match=f"{unreadable} is not readable"):
        chosen(where, "latest")
    one = add(where, "10:00")
    found = select(where, "latest", now=NOW)
    assert (found.session_id, found.skipped) == (one, (unreadable,))
    assert "that is not readable" in found.note
    with pytest.raises(JournalError, match=f"{unreadable} is not readable"):
        chosen(where, "latest", "run")
    assert one == chosen(where, "@-0") == chosen(where, one, "run")


def test_the_latest_is_found_behind_very_many_that_ran_nothing(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_module, "_READ_ALONE", 3)
    first, second = add(where, "10:00"), add(where, "10:01")
    for number in range(10, 18):
        add(where, f"10:{number}", EMPTY)
    found = select(where, "latest", now=NOW)
    assert (found.session_id, len(found.skipped)) == (second, 8)
    assert "and 3 more" in found.note
    assert first == chosen(where, "@-1")
