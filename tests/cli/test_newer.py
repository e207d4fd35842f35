"""Journals of a later version: what cannot be read is said, and nothing is made up."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import kedro_journal
from kedro_journal.errors import NewerJournal

LINE = dict[str, object]
SESSION = "2026-11-20T05.00.00.000Z"


def rewrite(path: Path, change: Callable[[LINE], None]) -> None:
    """Change lines of a journal, and give them the checksums that they then deserve."""
    lines, prev = [], "00000000"
    for text in path.read_bytes().splitlines():
        line = json.loads(text)
        line.pop("crc")
        change(line)
        line["prev"] = prev
        body = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()[:-1]
        prev = f"{zlib.crc32(body):08x}"
        lines.append(b'%b,"crc":"%b"}\n' % (body, prev.encode()))
    path.write_bytes(b"".join(lines))


def newer_format(line: LINE) -> None:
    line["v"] = 2


def newer_types(line: LINE) -> None:
    data = line.pop("data")
    line |= {"tv": 2, "data": data}


def other_types(line: LINE) -> None:
    line["type"] = f"future.{line['type']}"


def only(*prefixes: str) -> Callable[[LINE], None]:
    def change(line: LINE) -> None:
        if str(line["type"]).startswith(prefixes):
            newer_types(line)

    return change


UNREADABLE = [newer_format, newer_types, other_types, only("session.", "run.", "node.")]


@pytest.mark.parametrize("change", UNREADABLE)
def test_a_session_that_cannot_be_read_is_unknown_and_nothing_else(
    journals, call, change
) -> None:
    path = journals.completed()
    journals.let_go()
    rewrite(path, change)

    shown = call("show", "--directory", journals.path)
    listed = call("list", "--directory", journals.path)
    replayed = call("replay", "--directory", journals.path)
    data = json.loads(call("list", "--json", "--directory", journals.path).stdout)[0]
    (state,) = kedro_journal.sessions(directory=journals.path)

    assert shown.exit_code == replayed.exit_code == NewerJournal.exit_code
    for text in (shown.stdout, listed.stdout, replayed.stdout):
        assert SESSION in text
        assert "upgrade" in text
        for word in ("completed", "crashed", "empty", "Everything ran", "died"):
            assert word not in text.replace("run.completed", "").replace(
                "node.completed", ""
            )
    assert state.verdict == data["verdict"] == "unknown"
    assert state.session_id == data["session_id"] == SESSION
    assert data["unread"]
    assert data["unknown_events"] == state.unknown_events > 0


@pytest.mark.parametrize("command", ["show", "replay", "list", "verify"])
def test_a_newer_line_format_is_named(journals, call, command: str) -> None:
    path = journals.completed()
    journals.let_go()
    rewrite(path, newer_format)

    done = call(command, "--directory", journals.path)

    assert (
        "newer version of kedro-journal (format 2): upgrade to read it" in done.stdout
    )
    assert done.exit_code == (0 if command == "list" else NewerJournal.exit_code)
    assert "unknown user" not in done.stdout, "nothing is known of who ran it"
    assert done.stdout.count("this version does not know") <= 1


def test_tail_prints_what_there_is_and_says_that_it_cannot_be_read(
    journals, call
) -> None:
    path = journals.completed()
    journals.let_go()
    rewrite(path, newer_format)

    done = call("tail", "--directory", journals.path)

    assert "run.completed: written by a newer version (format 2)" in done.stdout
    assert "(format 2): upgrade to read it" in done.stderr
    assert done.exit_code == NewerJournal.exit_code


@pytest.mark.parametrize("change", [newer_types, newer_format])
def test_a_newer_version_of_the_closing_record_closes_the_session(
    journals, call, change
) -> None:
    path = journals.completed()
    journals.let_go()

    def closing(line: LINE) -> None:
        if line["type"] == "session.closed":
            change(line)

    rewrite(path, closing)
    state = kedro_journal.replay(directory=journals.path)
    followed = call("tail", "-f", "--directory", journals.path)
    verified = kedro_journal.verify(directory=journals.path)

    assert (state.status, state.verdict) == ("closed", "completed")
    assert state.closed_at is not None
    assert state.anomalies == ()
    assert followed.exit_code == 0
    assert "is closed" in followed.stderr
    assert (verified.closed, verified.unknown) == (True, 1)
    shown = call("show", "--directory", journals.path)
    assert shown.exit_code == 0
    assert "1 record of a type unknown to this version" in shown.stdout


def test_nodes_that_cannot_be_read_are_not_said_to_be_left_out(journals, call) -> None:
    path = journals.completed()
    journals.let_go()
    rewrite(path, only("node.", "dataset."))

    shown = call("show", "--directory", journals.path)

    assert "not run" not in shown.stdout
    assert "Everything ran" not in shown.stdout
    assert "0 of 2 nodes known to be saved" in shown.stdout
    state = kedro_journal.replay(directory=journals.path)
    assert [node.status for node in state.runs[0].nodes.values()] == [
        "not recorded"
    ] * 2
    assert state.anomalies == ()


def test_a_dead_session_is_crashed_if_its_last_record_can_be_read(journals) -> None:
    path = journals.crashed()
    journals.let_go()
    dead = kedro_journal.replay(directory=journals.path)
    assert path.exists()

    for unknown_seq, verdict in ((dead.seq - 1, "crashed"), (dead.seq, "unknown")):
        state = msgspec.structs.replace(
            dead,
            unknown_events=1,
            unknown_types=("node.paused",),
            unknown_seq=unknown_seq,
        )
        assert state.verdict == verdict


def test_a_dead_session_whose_last_record_cannot_be_read_is_unknown(
    journals, call
) -> None:
    path = journals.crashed()
    journals.let_go()
    last = len(path.read_bytes().splitlines())

    def change(line: LINE) -> None:
        if line["seq"] == last:
            other_types(line)

    rewrite(path, change)

    assert kedro_journal.replay(directory=journals.path).verdict == "unknown"
    shown = call("show", "--directory", journals.path)
    assert "died without closing" not in shown.stdout
    assert shown.exit_code == NewerJournal.exit_code
