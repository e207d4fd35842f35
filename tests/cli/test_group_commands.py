"""Groups on disk: found by their heads, merged, shown as one run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from siblings import GROUP, sibling_events

import kedro_journal
from kedro_journal.errors import GroupNotFound
from kedro_journal.events import JournalHeader, SessionCreated, WriterOpened
from kedro_journal.journal import JournalDirectory, JournalWriter
from kedro_journal.journal.liveness import boot_id, host_name
from kedro_journal.replaying import group as replay_group_module

from .conftest import Call

OTHER = "manual__2026-11-23"


def put(
    directory: Path, number: int, *nodes: str, here: bool = False, **how: Any
) -> Path:
    """Write the session of `sibling_events`, by a process that is gone."""
    events = sibling_events(number, *nodes, **how)
    session_id, folder = JournalDirectory(directory).claim(f"s{number:02}")
    host, boot = how.get("host", "mill"), "elsewhere"
    if here:
        host, boot = host_name(), boot_id() or ""
    header = JournalHeader(
        session_id=session_id, uid=f"u{number}", salt=f"{number}", package_version="0"
    )
    opened = WriterOpened(pid=os.getpid(), host=host, boot_id=boot)
    writer = JournalWriter(folder, opened, header=header)
    writer.append(*events)
    writer.close()
    return folder / "journal.jsonl"


@pytest.fixture
def airflow(tmp_path: Path) -> Path:
    """A group on three hosts with a retried task and one that was lost, and others."""
    path = tmp_path / "sessions"
    put(path, 1, "split", host="pod-1", labels={"task": "split"})
    put(path, 2, "train!", ends="failed", host="pod-2", labels={"task": "train"})
    put(path, 3, "train", host="pod-3", labels={"task": "train"})
    put(path, 4, "report!", ends="open", host="pod-3", labels={"task": "report"})
    for number, group_id in ((5, OTHER), (6, None)):
        _, folder = JournalDirectory(path).claim(f"s{number:02}")
        header = JournalHeader(
            session_id=f"s{number:02}", uid="o", salt="o", package_version="0"
        )
        writer = JournalWriter(folder, WriterOpened(pid=1), header=header)
        writer.append(SessionCreated(session_id=f"s{number:02}", group_id=group_id))
        writer.close()
    return path


def test_siblings_of_several_hosts_are_one_run(airflow: Path) -> None:
    found = kedro_journal.replay_group(GROUP, directory=airflow)

    assert ["s01", "s02", "s03", "s04"] == [s.session_id for s in found.sessions]
    assert ("pod-1", "pod-2", "pod-3") == found.hosts
    assert "unknown" == found.verdict  # whether a process on pod-3 lives is not known
    node = found.nodes["train"]
    assert ("completed", "s03") == (node.status, node.last.session_id)
    assert ("s02",) == found.made_good
    failure = found.first_failure
    assert failure is not None
    assert ("unknown", "s04", "report") == (
        failure.verdict,
        failure.session_id,
        failure.node,
    )


@pytest.mark.parametrize("wanted", [GROUP, "sched"])
def test_a_group_is_found_by_a_unique_beginning(airflow: Path, wanted: str) -> None:
    assert GROUP == kedro_journal.replay_group(wanted, directory=airflow).group_id


def test_the_latest_group_is_that_of_the_newest_session(airflow: Path) -> None:
    assert OTHER == kedro_journal.replay_group("latest", directory=airflow).group_id


@pytest.mark.parametrize("wanted", ["nope", "", GROUP + "-and-more"])
def test_a_group_that_is_not_there_is_an_error_that_names_one(
    tmp_path: Path, wanted: str
) -> None:
    put(tmp_path, 1, "split")

    with pytest.raises(GroupNotFound, match=f"There is '{GROUP}'") as caught:
        kedro_journal.replay_group(wanted, directory=tmp_path)

    assert (GROUP,) == caught.value.candidates


def test_a_beginning_of_several_groups_names_them(airflow: Path, call: Call) -> None:
    put(airflow, 7, "split")
    path = airflow / "s07" / "journal.jsonl"
    path.unlink()
    header = JournalHeader(session_id="s07", uid="u7", salt="7", package_version="0")
    writer = JournalWriter(path.parent, WriterOpened(pid=1), header=header)
    writer.append(SessionCreated(session_id="s07", group_id="scheduled__other"))
    writer.close()

    done = call("show", "--group", "scheduled", "--directory", airflow)

    assert 3 == done.exit_code
    assert "2 groups begin with that" in done.output
    assert "'scheduled__other'" in done.output


def test_where_no_session_has_a_group_it_is_said_how_to_give_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(GroupNotFound, match="KEDRO_JOURNAL_GROUP_ID"):
        kedro_journal.replay_group("x", directory=tmp_path / "none")


def test_only_the_sessions_of_the_group_are_folded(
    airflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, folded = replay_group_module.replay_folder, []

    def replay(folder: Path, *, salvage: bool) -> Any:
        folded.append(folder.name)
        return real(folder, salvage=salvage)

    monkeypatch.setattr(replay_group_module, "replay_folder", replay)
    kedro_journal.replay_group(GROUP, directory=airflow)

    assert ["s01", "s02", "s03", "s04"] == folded


def test_damage_hides_neither_a_session_nor_its_siblings(airflow: Path) -> None:
    path = airflow / "s01" / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], b"garbage\n", *lines[5:]]))
    (airflow / "s03" / "journal.jsonl").write_bytes(b"\x00" * 1000)

    found = kedro_journal.replay_group(GROUP, directory=airflow)

    assert ["s01", "s02", "s04"] == [s.session_id for s in found.sessions]


def test_show_tells_the_group_as_one_run(airflow: Path, call: Call) -> None:
    text = call("show", "--group", GROUP, "--directory", airflow).output

    assert text.startswith(f"{GROUP}  unknown\n")
    assert (
        "4 sessions on 3 hosts: 2 completed, 1 failed, 1 unknown; 1 made good later."
        in text
    )
    assert (
        "First, node report ended for an unknown reason while running in session s04 on pod-3"
        in text
    )
    assert "hosts       pod-1, pod-2, pod-3\n" in text
    assert "made good later" in text.split("Sessions\n")[1]
    (row,) = [
        line
        for line in text.split("Nodes\n")[1].splitlines()
        if " train " in f"{line} "
    ]
    assert "completed" in row
    assert "failed before in s02" in row
    assert "kedro-journal show s04" in text


def test_show_gives_the_same_as_json(airflow: Path, call: Call) -> None:
    done = call("show", "--group", GROUP, "--directory", airflow, "--json")

    data = json.loads(done.output)
    assert (GROUP, "unknown", ["s02"]) == (
        data["group_id"],
        data["verdict"],
        data["made_good"],
    )
    assert ["s01", "s02", "s03", "s04"] == [s["session_id"] for s in data["sessions"]]
    node = data["nodes"]["train"]
    assert ("completed", "s03", "pod-3", 1.0) == (
        node["status"],
        node["session_id"],
        node["host"],
        node["duration_s"],
    )
    (earlier,) = node["earlier"]
    assert ("failed", "s02", "ValueError: boom") == (
        earlier["status"],
        earlier["session_id"],
        earlier["error"],
    )
    assert "report" == data["first_failure"]["node"]


def test_list_shows_the_sessions_of_a_group_only(airflow: Path, call: Call) -> None:
    done = call("list", "--group", GROUP, "--directory", airflow, "--json")

    rows = json.loads(done.output)
    assert ["s04", "s03", "s02", "s01"] == [row["session_id"] for row in rows]
    assert {GROUP} == {row["group_id"] for row in rows}
    every = call("list", "--directory", airflow).output
    assert f"  {GROUP}  " in every
    assert OTHER in every


def test_a_session_and_a_group_at_once_is_wrong_usage(
    airflow: Path, call: Call
) -> None:
    done = call("show", "s01", "--group", GROUP, "--directory", airflow)

    assert 2 == done.exit_code
    assert "not both" in done.output


def test_of_many_nodes_the_broken_ones_are_shown(tmp_path: Path, call: Call) -> None:
    names = [f"n{number:03}" for number in range(99)]
    put(tmp_path, 1, *names)
    put(tmp_path, 2, "train!", ends="failed")

    some = call("show", "--group", GROUP, "--directory", tmp_path).output
    every = call("show", "--group", GROUP, "--all-nodes", "--directory", tmp_path)

    assert "  train  failed" in " ".join(some.split("Nodes\n")[1].split(" " * 3))
    assert "... 60 more nodes: 60 completed (--all-nodes shows them)" in some
    assert "n098" not in some
    assert "n098" in every.output


def test_a_crashed_task_of_this_host_is_told_from_an_unknown_one(
    tmp_path: Path,
) -> None:
    put(tmp_path, 1, "split!", ends="open", here=True)

    assert "crashed" == kedro_journal.replay_group(GROUP, directory=tmp_path).verdict
