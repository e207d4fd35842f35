"""list, show, replay and verify on real journals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from kedro_journal.events import (
    ErrorInfo,
    NodeStarted,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    SessionClosed,
    SessionResumed,
    WriterOpened,
)
from kedro_journal.journal import JournalWriter
from kedro_journal.journal.liveness import boot_id, host_name, start_ticks
from kedro_journal.replaying import replay as replay_session

from .conftest import RUN, run_of


def test_the_list_is_newest_first_and_tells_every_fate(call, journals):
    journals.completed()
    journals.failed()
    journals.crashed()
    journals.running("2026-11-22T07.00.00.000Z")
    journals.corrupt()

    text = call("list", "--directory", journals.path).stdout
    data = json.loads(call("list", "--directory", journals.path, "--json").stdout)

    found = [(row["session_id"][:13], row["verdict"], row["damaged"]) for row in data]
    assert found == [
        ("2026-11-23T05", "completed", True),
        ("2026-11-22T07", "running", False),
        ("2026-11-22T06", "crashed", False),
        ("2026-11-21T05", "failed", False),
        ("2026-11-20T05", "completed", False),
    ]
    assert [row["session_id"] for row in data] == [
        one.split()[0] for one in text.splitlines()[1:]
    ]
    assert data[2]["places"][0]["node"] == "split"
    assert data[3]["places"][0]["datasets"] == ["table"]
    assert "split, loading table" in text


def test_the_list_is_bounded_and_filtered(call, journals):
    for hour in range(3):
        journals.completed(f"2026-11-20T0{hour}.00.00.000Z")
    journals.failed("2026-11-19T05.00.00.000Z")
    where = ("--directory", journals.path)

    two = call("list", "-n", 2, *where).stdout
    every = call("list", "-n", 2, "--all", *where).stdout
    failed = call("list", "-n", 1, "--verdict", "failed", *where).stdout

    assert len(two.splitlines()) == 5
    assert "2 older sessions not shown" in two
    assert len(every.splitlines()) == 5
    assert "older" not in every
    assert [one[:10] for one in failed.splitlines()[1:]] == ["2026-11-19"]


def test_only_the_newest_sessions_are_read(call, journals, monkeypatch):
    from kedro_journal.replaying import index as module

    for hour in range(5):
        journals.completed(f"2026-11-20T0{hour}.00.00.000Z")
    looked_at = []
    look = module.look
    monkeypatch.setattr(
        module, "look", lambda where, one: looked_at.append(one) or look(where, one)
    )

    call("list", "-n", 2, "--directory", journals.path)

    assert looked_at == ["2026-11-20T04.00.00.000Z", "2026-11-20T03.00.00.000Z"]


def test_an_empty_list_says_what_to_do(call, journals):
    journals.path.mkdir()
    nothing = call("list", "--directory", journals.path)
    journals.completed()
    none_fits = call("list", "--directory", journals.path, "--verdict", "failed")
    as_json = call("list", "--directory", journals.path, "--verdict", "empty", "--json")

    assert nothing.exit_code == none_fits.exit_code == 0
    assert "No sessions in" in nothing.stdout
    assert "`kedro run`" in nothing.stdout
    assert "No session in" in none_fits.stdout
    assert "is failed" in none_fits.stdout
    assert json.loads(as_json.stdout) == []


def test_a_session_that_cannot_be_read_hides_no_other(call, journals, tmp_path):
    journals.completed()
    folder = journals.path / "2026-11-24T05.00.00.000Z"
    folder.mkdir()
    (folder / "journal.jsonl").symlink_to(tmp_path / "elsewhere")
    (journals.path / "2026-11-25T05.00.00.000Z").mkdir()
    empty = journals.path / "2026-11-26T05.00.00.000Z"
    empty.mkdir()
    (empty / "journal.jsonl").touch()

    result = call("list", "--directory", journals.path, "--json")

    found = {row["session_id"][:10]: row for row in json.loads(result.stdout)}
    assert found["2026-11-20"]["verdict"] == "completed"
    assert found["2026-11-24"]["verdict"] == "unknown"
    assert found["2026-11-24"]["unreadable"].count("a symbolic link") == 1
    assert not found["2026-11-24"]["damaged"]
    assert "2026-11-25" not in found
    assert found["2026-11-26"]["verdict"] == "empty"


def test_show_tells_of_a_crash_where_it_was(call, journals):
    journals.crashed()

    text = call("show", "--directory", journals.path).stdout

    assert text.startswith("2026-11-22T06.00.00.000Z  crashed\n")
    assert "died without closing the session" in text
    assert "Node split was running, in process" in text


def test_show_json_has_state_and_verdict(call, journals):
    journals.crashed()

    data = json.loads(call("show", "--json", "--directory", journals.path).stdout)

    assert data["verdict"] == "crashed"
    assert data["runs"][0]["broken"] == ["split"]
    assert data["findings"] == []


def test_show_of_damage_is_the_page_with_a_warning_on_top(call, journals):
    journals.corrupt()

    shown = call("show", "--directory", journals.path)
    refused = call("show", "--strict", "--directory", journals.path)
    salvaged = call("show", "--salvage", "--directory", journals.path)
    data = call("show", "--json", "--directory", journals.path)

    assert shown.exit_code == 4
    assert shown.stdout.startswith("Warning: ")
    assert "is damaged" in shown.stdout.splitlines()[0]
    assert shown.stdout.endswith(salvaged.stdout)
    assert refused.exit_code == 4
    assert refused.stdout == ""
    assert "--salvage" in refused.stderr
    assert salvaged.exit_code == 0
    assert "records lost" in salvaged.stdout
    assert data.exit_code == 4
    assert json.loads(data.stdout)["findings"]


@pytest.mark.parametrize(
    ("make", "code"),
    [("completed", 0), ("failed", 10), ("crashed", 11), ("running", 14)],
)
def test_exit_code_by_verdict(call, journals, make, code):
    getattr(journals, make)()
    where = ("--directory", journals.path)

    assert call("show", "--exit-code", *where).exit_code == code
    assert call("show", "--exit-code", "--json", *where).exit_code == code
    assert call("list", "--exit-code", *where).exit_code == code
    assert call("tail", "--exit-code", *where).exit_code == code
    assert call("show", *where).exit_code == 0
    assert call("wait", "--timeout", 0, *where).exit_code == (
        code if code < 14 else 124
    )


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": ""}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_of_a_pipe(call, journals, monkeypatch, env, coloured):
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    journals.failed()

    shown = call("list", "--directory", journals.path).stdout

    assert ("\x1b[" in shown) == coloured


def test_list_exits_by_the_worst_verdict(call, journals):
    journals.failed()
    journals.completed()
    where = ("--directory", journals.path)

    assert call("list", "--exit-code", *where).exit_code == 10
    assert call("list", "--exit-code", "--verdict", "no run", *where).exit_code == 15


def test_wait_for_a_first_session_times_out(call, tmp_path):
    found = call("wait", "--timeout", "0.1", "--directory", tmp_path)

    assert found.exit_code == 124
    assert "timed out" in found.stderr


def test_tail_all_needs_follow_and_no_id(call, journals):
    journals.completed()
    where = ("--directory", journals.path)

    assert call("tail", "--all", *where).exit_code == 2
    assert call("tail", "--all", "-f", "latest", *where).exit_code == 2


@pytest.mark.parametrize("seq", [1, 3, 5, 9, 12])
def test_replay_gives_the_state_as_of_any_record(call, journals, seq):
    journals.completed()
    where = ("--directory", journals.path)

    data = json.loads(call("replay", "--at", seq, "--json", *where).stdout)
    text = call("replay", "--at", seq, *where).stdout

    state = replay_session(until_seq=seq, directory=journals.path)
    assert data["seq"] == data["record"]["seq"] == seq
    assert data["status"] == state.status
    assert data["verdict"] == state.verdict
    assert f"at record {seq}\n" in text
    assert "\nNext" not in text


def test_before_its_first_run_a_session_is_not_said_to_be_closed(call, journals):
    journals.completed()
    where = ("--at", 3, "--directory", journals.path)

    text = call("replay", *where).stdout
    data = json.loads(call("replay", "--json", *where).stdout)

    assert "running, at record 3\n" in text
    assert "no run has started yet" in text
    assert "Closed" not in text
    assert (data["status"], data["verdict"]) == ("created", "running")


def resumed(parent):
    return SessionResumed(parent_session_id=parent)


def test_show_points_to_the_end_of_the_chain(call, journals):
    first, second, third = (f"2026-11-2{day}T05.00.00.000Z" for day in (1, 2, 3))
    where = ("--directory", journals.path)
    journals.failed(first)
    error = ErrorInfo(type="ValueError")
    journals.begin(
        second,
        resumed(first),
        run_of("split")[0],
        RunFailed(run_id=RUN, error=error),
        SessionClosed(),
    )
    broken = call("show", first, *where).stdout.partition("\nNext\n")[2]
    journals.begin(
        third,
        resumed(second),
        *run_of("split"),
        RunCompleted(run_id=RUN),
        SessionClosed(),
    )
    done = call("show", first, *where).stdout.partition("\nNext\n")[2]

    assert f"kedro-journal resume {second}" in broken
    assert f"kedro-journal show {third}" in done
    assert "kedro-journal resume" not in done


@pytest.mark.skipif(start_ticks(os.getpid()) is None, reason="needs /proc")
def test_show_tells_of_a_worker_that_lives_on(call, journals):
    where = ("--directory", journals.path)
    stays = [sys.executable, "-c", "input()"]
    with subprocess.Popen(stays, stdin=subprocess.PIPE) as worker:
        opened = WriterOpened(
            pid=worker.pid,
            role="worker",
            host=host_name(),
            boot_id=boot_id(),
            started_at_ticks=start_ticks(worker.pid),
        )
        owner = journals.begin("2026-11-22T05.00.00.000Z", run_of("split")[0])
        writer = JournalWriter(owner.path.parent, opened)
        writer.append(NodeStarted(run_id=RUN, node="split"))
        writer.close()
        owner.append(RunInterrupted(run_id=RUN, reason="SIGTERM"))
        running = call("show", *where).stdout
        journals.let_go()
        living = call("show", *where).stdout
        data = json.loads(call("show", "--json", *where).stdout)
        worker.communicate(b"\n")
    gone = call("show", *where).stdout

    told = f"Worker process {worker.pid} is still alive, with node split."
    assert told in living
    assert data["live_workers"] == [worker.pid]
    assert told not in running, "while the session lives it has workers as it should"
    assert told not in gone


def test_replay_shows_the_present_by_default(call, journals):
    journals.crashed()

    data = json.loads(call("replay", "--json", "--directory", journals.path).stdout)

    assert data["verdict"] == "crashed"
    assert data["record"]["type"] == "node.started"


def test_replay_refuses_a_record_that_is_not_there(call, journals):
    journals.completed()

    result = call("replay", "--at", 99, "--directory", journals.path)

    assert result.exit_code == 2
    assert "it has records 1-12" in result.stderr


def test_replay_before_the_damage_needs_no_salvage(call, journals):
    journals.corrupt()

    assert call("replay", "--at", 4, "--directory", journals.path).exit_code == 0
    assert call("replay", "--at", 6, "--directory", journals.path).exit_code == 4


def test_steps_say_what_each_record_changed(call, journals):
    journals.completed()
    where = ("--directory", journals.path)

    text = call("replay", "--step", *where).stdout.splitlines()
    data = call("replay", "--step", "--json", "--at", 5, *where).stdout.splitlines()

    assert len(text) == 12
    assert text[4].endswith("started  [node split: pending -> running]")
    assert text[-1].endswith(
        "closed (close, exit code 0)  [session: created -> closed]"
    )
    assert [json.loads(one)["seq"] for one in data] == [1, 2, 3, 4, 5]
    assert json.loads(data[4])["changes"] == ["node split: pending -> running"]


def test_verify_lists_findings_and_exits_with_4(call, journals):
    journals.completed()
    path = journals.corrupt()
    where = ("--directory", journals.path)

    good = call("verify", "2026-11-20", *where)
    bad = call("verify", *where)
    every = call("verify", "--all", *where)
    data = json.loads(call("verify", "--json", *where).stdout)

    assert (good.exit_code, bad.exit_code, every.exit_code) == (0, 4, 4)
    assert good.stdout.startswith("2026-11-20T05.00.00.000Z  ok  12 records")
    assert "records lost" in bad.stdout
    assert f"2 checked in {journals.path}, 1 damaged" in every.stdout
    assert data["ok"] is False
    assert data["path"] == str(path)
    assert {"kind", "severity", "offset", "seq", "lost", "detail"} <= set(
        data["findings"][0]
    )


def test_a_torn_tail_is_no_error(call, journals):
    path = journals.crashed()
    with path.open("ab") as file:
        file.write(b'{"v":1,"seq":')

    result = call("verify", "--directory", journals.path)

    assert result.exit_code == 0
    assert "torn tail" in result.stdout


def test_verify_all_goes_on_after_a_journal_it_must_not_read(call, journals, tmp_path):
    journals.completed()
    folder = journals.path / "2026-11-24T05.00.00.000Z"
    folder.mkdir()
    (tmp_path / "elsewhere").touch()
    (folder / "journal.jsonl").symlink_to(tmp_path / "elsewhere")

    result = call("verify", "--all", "--directory", journals.path)
    data = json.loads(
        call("verify", "--all", "--json", "--directory", journals.path).stdout
    )

    assert result.exit_code == 4
    assert "1 checked" in result.stdout
    assert "1 not readable" in result.stdout
    assert [one["ok"] for one in data] == [True]


def test_verify_all_takes_no_id(call, journals):
    journals.completed()

    result = call("verify", "latest", "--all", "--directory", journals.path)

    assert result.exit_code == 2


def test_tail_prints_the_last_records(call, journals):
    journals.completed()
    where = ("--directory", journals.path)

    text = call("tail", "-n", 3, *where).stdout.splitlines()
    data = call("tail", "-n", 2, "--json", *where).stdout.splitlines()

    assert [one.split()[2] for one in text] == ["10", "11", "12"]
    assert text[0].endswith("train     completed in 1.50 s")
    assert [json.loads(one)["type"] for one in data] == [
        "run.completed",
        "session.closed",
    ]
    assert call("tail", "-n", 0, *where).stdout == ""


def test_tail_prints_what_is_good_before_it_says_what_is_not(call, journals):
    journals.corrupt()

    result = call("tail", "--directory", journals.path)
    salvaged = call("tail", "--salvage", "--directory", journals.path)

    assert result.exit_code == 4
    assert [one.split()[2] for one in result.stdout.splitlines()] == [
        "1",
        "2",
        "3",
        "4",
    ]
    assert len(salvaged.stdout.splitlines()) == 11


def test_following_a_closed_session_ends_at_once(call, journals):
    journals.completed()

    result = call("tail", "-f", "-n", 1, "--directory", journals.path)

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1
    assert "is closed" in result.stderr


def test_what_was_passed_over_is_said_beside_the_answer(call, journals):
    journals.completed()
    journals.begin("2026-11-23T05.00.00.000Z", SessionClosed())
    where = ("--directory", journals.path)
    for name in ("show", "replay", "command", "tail", "verify"):
        result = call(name, "--json", *where)
        assert "2026-11-20T05" in result.stdout, name
        assert "2026-11-23" not in result.stdout, name
        assert result.stderr == (
            "session 2026-11-20T05.00.00.000Z (skipped 1 newer session that ran "
            "nothing: 2026-11-23T05.00.00.000Z)\n"
        )


def test_a_session_is_shown_by_any_reference(call, journals, tmp_path, monkeypatch):
    journals.failed()
    journals.completed()
    monkeypatch.chdir(tmp_path)
    folder = journals.path / "2026-11-21T05.00.00.000Z"
    for text in (
        "last-failed",
        "@-1",
        "11-21T05.00.00.000Z",
        folder,
        folder / "journal.jsonl",
    ):
        result = call("show", text, "--directory", journals.path)
        assert result.stdout.startswith("2026-11-21T05.00.00.000Z  failed\n"), text
    good = call("show", "last-good", "--directory", journals.path)
    assert good.stdout.startswith("2026-11-20T05.00.00.000Z  completed\n")


def test_copies_are_mentioned_once_and_opened_by_their_path(call, journals):
    path = journals.completed().parent
    shutil.copytree(path, journals.path / "zz-keep")
    where = ("--directory", journals.path)
    listed = call("list", "--json", *where)
    assert [path.name] == [row["session_id"] for row in json.loads(listed.stdout)]
    assert listed.stderr == "(1 folder with a copy of a session left out: zz-keep)\n"
    assert path.name in call("show", journals.path / "zz-keep").stdout
    assert json.loads(call("verify", "--all", "--json", *where).stdout)[0]["ok"]


@pytest.mark.parametrize("name", ["list", "show", "tail", "verify"])
def test_a_session_folder_is_no_journal_directory(call, journals, name):
    folder = journals.completed().parent
    result = call(name, "--directory", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{folder} is a session folder" in result.stderr
    assert f"--directory {folder.parent}" in result.stderr


@pytest.mark.parametrize("name", ["list", "show", "tail", "verify"])
def test_a_directory_that_does_not_exist_is_refused(call, tmp_path, name):
    result = call(name, "--directory", tmp_path / "none")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no such directory" in result.stderr


def test_a_refused_directory_is_not_called_empty(call, tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    for name, why in (("open", "every user can write"), ("link", "a symbolic link")):
        assert why in call("list", "--directory", tmp_path / name).stdout
        assert why in call("show", "--directory", tmp_path / name).stderr


def test_a_path_is_found_outside_of_any_project(journals, call, tmp_path, monkeypatch):
    file = journals.completed()
    somewhere = tmp_path / "somewhere"
    somewhere.mkdir()
    monkeypatch.chdir(somewhere)

    for path in (file.parent, file):
        shown = call("show", path)
        assert shown.exit_code == 0, shown.output
        assert file.parent.name in shown.stdout
    assert call("show", somewhere / "none.jsonl").exit_code == 3
