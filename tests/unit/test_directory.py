"""Session ids, their folders, and what may not be either."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journals import HEADER, create, file, join, note, opened, put, sample_lines, umask

from kedro_journal.errors import (
    InvalidSessionId,
    JournalUnwritable,
    UnsafeJournal,
)
from kedro_journal.journal import (
    JournalDirectory,
    JournalWriter,
    check_session_id,
    read,
    session_timestamp,
    verify,
    writer,
)
from kedro_journal.journal.values import write_value

MOMENT = "2026-01-02T03.04.05.678Z"
HOSTILE = [
    "", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a\0b", "a\n", "a b", "a\r",
    "-rf", "_x", ".hidden", "~", "~root", "$HOME", "%2e%2e", "a:b", "C:", "é", "\u0661",
    "a" * 129, "CON", "con", "nul.txt", "COM1", "LPT9.log", "Aux", "trailing.", "a..",
    "..\u2215x", "a;b", "a|b", "a*", "a?", "x\u202ey",
]  # fmt: skip
GOOD = [MOMENT, "a", "A1", "a-b_c.d", "0", "console", "com10", "x" * 128, "a.b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_path_is_made_of_what_is_no_id(tmp_path: Path, text: str) -> None:
    directory = JournalDirectory(tmp_path / "j")
    for call in (check_session_id, directory.claim, directory.folder, directory.file):
        with pytest.raises(InvalidSessionId) as caught:
            call(text)
        assert caught.value.wanted == text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", GOOD)
def test_ids_of_the_pattern_become_folders(tmp_path: Path, text: str) -> None:
    session_id, folder = JournalDirectory(tmp_path / "j").claim(text)
    assert (session_id, folder) == (text, tmp_path / "j" / text)


def test_a_session_cannot_be_called_latest(tmp_path: Path) -> None:
    with pytest.raises(InvalidSessionId):
        JournalDirectory(tmp_path).claim("latest")


def test_a_directory_that_is_not_there_has_no_sessions(tmp_path: Path) -> None:
    assert JournalDirectory(tmp_path / "none").ids() == []


CLAIMER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from kedro_journal.journal import JournalDirectory
directory = JournalDirectory(Path(sys.argv[1]))
with ThreadPoolExecutor(16) as pool:
    got = list(pool.map(lambda _: directory.claim(sys.argv[2])[0], range(50)))
print("\\n".join(got))
"""


def test_two_hundred_sessions_of_the_same_millisecond_get_ids_of_their_own(
    tmp_path: Path,
) -> None:
    """From four processes with 16 threads each; all are Kedro save versions."""
    command = [sys.executable, "-c", CLAIMER, str(tmp_path / "j"), MOMENT]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    got = [line for p in processes for line in p.communicate()[0].split()]
    assert [process.returncode for process in processes] == [0] * 4
    assert len(set(got)) == len(got) == 200
    first = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    from datetime import timedelta

    expected = [
        session_timestamp(first + timedelta(milliseconds=n)) for n in range(200)
    ]
    assert sorted(got) == expected


def test_timestamps_are_those_of_kedro() -> None:
    from kedro.io.core import generate_timestamp

    made = generate_timestamp()
    at = datetime.strptime(made, "%Y-%m-%dT%H.%M.%S.%fZ").replace(tzinfo=UTC)
    assert session_timestamp(at) == made


@pytest.mark.parametrize(
    ("wanted", "second"),
    [
        ("2026-12-31T23.59.59.999Z", "2027-01-01T00.00.00.000Z"),
        ("2026-13-45T99.99.99.999Z", "2026-13-45T99.99.99.999Z-2"),
        ("9999-12-31T23.59.59.999Z", "9999-12-31T23.59.59.999Z-2"),
        ("name", "name-2"),
        ("x" * 128, "x" * 126 + "-2"),
    ],
)
def test_the_second_of_the_same_id_gets_the_next_one(
    tmp_path: Path, wanted: str, second: str
) -> None:
    directory = JournalDirectory(tmp_path)
    assert [directory.claim(wanted)[0] for _ in range(2)] == [wanted, second]
    check_session_id(second)


def test_claims_of_threads_never_share_a_folder(tmp_path: Path) -> None:
    directory = JournalDirectory(tmp_path / "j")
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: directory.claim("same")[0], range(64)))
    assert len(set(got)) == 64


@pytest.mark.parametrize("locks_are_advice", [True, False])
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o007])
def test_modes_are_private_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int, locks_are_advice: bool
) -> None:
    monkeypatch.setattr(
        "kedro_journal.journal.lock._LOCKS_ARE_ADVICE", locks_are_advice
    )
    with umask(mask):
        _, folder = JournalDirectory(tmp_path / "j").claim(MOMENT)
        create(folder).append(note())
        with file(folder).open("ab") as out:
            out.write(b"torn")
        join(folder).append(note())
    folders = [tmp_path / "j", folder, folder / "torn"]
    files = [path for path in (tmp_path / "j").rglob("*") if path.is_file()]
    names = {"journal.jsonl", ".gitignore", ".reserve"}
    names |= set() if locks_are_advice else {"append.lock"}
    assert {path.name for path in files if path.parent.name != "torn"} == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_git_ignores_everything_in_the_directory(tmp_path: Path) -> None:
    """Or the first journal would make every later run dirty."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    _, folder = JournalDirectory(tmp_path / "sessions").claim(MOMENT)
    create(folder).append(note())
    status = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "--untracked-files=all"],
        capture_output=True,
        check=True,
    )
    assert status.stdout == b""
    assert "*" in (tmp_path / "sessions" / ".gitignore").read_text().splitlines()


def test_a_directory_that_existed_before_stays_in_git_s_sight(tmp_path: Path) -> None:
    """It may hold the user's files; only what the journal adds is hidden."""
    git = ["git", "-C", str(tmp_path)]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    sessions = tmp_path / "sessions"
    (sessions / "raw").mkdir(parents=True, mode=0o700)
    (sessions / "raw" / "monday.csv").write_text("mine\n")
    directory = JournalDirectory(sessions)
    _, folder = directory.claim(MOMENT)
    create(folder).append(note())

    (sessions / "raw" / "tuesday.csv").write_text("mine\n")
    (sessions / "tuesday.csv").write_text("mine\n")
    status = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=all"],
        capture_output=True,
        check=True,
        text=True,
    )
    names = sorted(line.split("/", 1)[1] for line in status.stdout.splitlines())
    assert ["raw/monday.csv", "raw/tuesday.csv", "tuesday.csv"] == names
    assert (directory.own / ".reserve").exists()
    assert [MOMENT] == directory.ids()


def test_the_reserve_of_a_directory_of_the_user_is_given_up_as_well(
    tmp_path: Path,
) -> None:
    directory = JournalDirectory(tmp_path)
    directory.claim(MOMENT)
    reserve = directory.own / ".reserve"
    assert reserve.parent != tmp_path
    assert writer._reserve_in(tmp_path) == reserve


def test_an_ignore_file_of_the_user_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    JournalDirectory(tmp_path).claim("a")
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeJournal, match="symbolic link"):
        JournalDirectory(tmp_path / "link").claim("a")
    assert list((tmp_path / "real").iterdir()) == []


def test_a_directory_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    (tmp_path / "j").chmod(0o777)
    with pytest.raises(UnsafeJournal, match="every user"):
        JournalDirectory(tmp_path / "j").claim("a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_directory_and_a_journal_of_another_user_are_refused(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    os.chown(tmp_path / "j", 12345, 12345)
    with pytest.raises(UnsafeJournal, match="belongs to user 12345"):
        JournalDirectory(tmp_path / "j").claim("a")
    put(tmp_path / "s", b"".join(sample_lines(3)))
    os.chown(file(tmp_path / "s"), 12345, 12345)
    with pytest.raises(UnsafeJournal, match="belongs to user 12345"):
        join(tmp_path / "s").append(note())


def test_a_session_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "real", b"".join(sample_lines(3)))
    (tmp_path / "j").mkdir()
    (tmp_path / "j" / "s").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeJournal, match="symbolic link"):
        JournalDirectory(tmp_path / "j").folder("s")
    assert JournalDirectory(tmp_path / "j").ids() == []


def test_a_journal_that_is_a_link_is_neither_read_nor_written(tmp_path: Path) -> None:
    target = put(tmp_path / "real", b"".join(sample_lines(3)))
    (tmp_path / "s").mkdir()
    file(tmp_path / "s").symlink_to(target)
    before = target.read_bytes()
    with pytest.raises(UnsafeJournal, match="symbolic link"):
        verify(file(tmp_path / "s"))
    with pytest.raises(UnsafeJournal, match="symbolic link"):
        join(tmp_path / "s").append(note())
    with pytest.raises(UnsafeJournal, match="symbolic link"):
        create(tmp_path / "s").append(note())
    assert target.read_bytes() == before


@pytest.mark.timeout(20)
def test_a_fifo_as_journal_does_not_hang(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    os.mkfifo(file(tmp_path / "s"))
    with pytest.raises(UnsafeJournal, match="not a regular file"):
        list(read(file(tmp_path / "s")))
    with pytest.raises(UnsafeJournal, match="not a regular file"):
        join(tmp_path / "s").append(note())


def test_a_journal_with_a_second_name_is_not_written(tmp_path: Path) -> None:
    """A hard link could be somebody's file; reading it discloses nothing."""
    path = put(tmp_path / "s", b"".join(sample_lines(3)))
    (tmp_path / "other").hardlink_to(path)
    with pytest.raises(UnsafeJournal, match="2 hard links"):
        join(tmp_path / "s").append(note())
    assert len(list(read(path))) == 3


def test_a_directory_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnwritable):
        JournalDirectory(tmp_path / "file" / "j").claim("a")


def test_a_folder_that_is_gone_is_our_error(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "gone", opened(), header=HEADER)
    with pytest.raises(JournalUnwritable):
        writer.append(note())


def test_a_chosen_directory_may_be_a_link_or_open_to_everybody(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    linked = JournalDirectory(tmp_path / "link", chosen=True)
    assert ("a", tmp_path / "link" / "a") == linked.claim("a")
    assert "a symbolic link" == linked.why_open()

    real.chmod(0o777)
    shared = JournalDirectory(real, chosen=True)
    assert "b" == shared.claim("b")[0]
    assert "every user can write to it" == shared.why_open()
    real.chmod(0o755)
    assert "" == shared.why_open()


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="no modes")
def test_a_group_may_read_sessions_if_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "sessions"
    private, shared = (
        JournalDirectory(path, group_readable=asked) for asked in (False, True)
    )
    with umask(0o077):
        _, before = private.claim("before")
        _, folder = shared.claim("asked-for")
        create(folder).append(note("x"))
        write_value(folder, b"1")
        create(before).append(note("x"))
        _, after = private.claim("after")

    def modes(*paths: Path) -> set[int]:
        return {stat.S_IMODE(one.stat().st_mode) for one in paths}

    inside = list(folder.rglob("*"))
    assert modes(path, folder, *(one for one in inside if one.is_dir())) == {0o2750}
    assert modes(*(one for one in inside if one.is_file())) == {0o640}
    assert {mode & 0o777 for mode in modes(before, after)} == {0o700}
    assert modes(before / "journal.jsonl") == {0o600}


def test_a_directory_of_the_users_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    _, folder = JournalDirectory(tmp_path, chosen=True, group_readable=True).claim("a")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o711
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2750
