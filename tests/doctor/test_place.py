"""The place: what it is, whose it is, what is left of room; nothing is changed."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_journal.doctor.examine import Tried
from kedro_journal.doctor.guarantees import guarantees
from kedro_journal.doctor.model import Check
from kedro_journal.doctor.place import look_at

from .conftest import Examine, Mounted, as_root, by_key, run, try_place


def tree(folder: Path) -> list[tuple[str, int, int]]:
    """Everything below a folder: names, modes and sizes."""
    return sorted(
        (str(path), path.lstat().st_mode, path.lstat().st_size)
        for path in folder.rglob("*")
    )


def test_a_directory_that_is_missing_is_not_made(tmp_path: Path) -> None:
    place = tmp_path / "deep/down/sessions"

    tried = try_place(place)

    checks = by_key(tried.checks)
    assert tree(tmp_path) == []
    assert tried.probed == tmp_path
    assert checks["place.directory"].status == "note"
    assert f"{tmp_path} is probed instead" in checks["place.directory"].text
    assert checks["place.directory"].facts["exists"] is False
    assert checks["operations.append"].status == "ok"
    assert "journals.sessions" not in checks


def test_what_is_there_is_left_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "sessions"
    (place / "2026-11-22T05.00.00.000Z").mkdir(parents=True)
    (place / "2026-11-22T05.00.00.000Z/journal.jsonl").write_text("torn")
    (place / ".gitignore").write_text("*\n")
    before = tree(tmp_path)

    tried = try_place(place)

    assert tree(tmp_path) == before
    assert tried.probed == place
    assert by_key(tried.checks)["place.directory"].status == "ok"


def test_a_name_that_is_no_unicode_can_be_told(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"\xff\xfe")
    place.mkdir()

    checks = by_key(try_place(place).checks)

    assert "\\udcff\\udcfe" in checks["place.directory"].text
    json.dumps(checks["place.directory"].facts)


def refuse(place: Path, tried: Tried) -> None:
    """What must hold wherever journals are refused."""
    assert "operations.append" not in by_key(tried.checks)
    assert "operations.append" in tried.not_probed
    assert "locks.forked" in tried.not_probed
    assert {one.holds for one in guarantees(tried.checks, "sync")} == {"no"}
    assert not list(place.parent.glob("**/.doctor-*"))


@pytest.mark.parametrize("leads", ["somewhere", "nowhere"])
def test_a_symbolic_link_is_refused(tmp_path: Path, leads: str) -> None:
    place = tmp_path / "sessions"
    (tmp_path / "somewhere").mkdir()
    place.symlink_to(leads)

    tried = try_place(place)

    checks = by_key(tried.checks)
    assert checks["place.safe"].status == "problem"
    assert "symbolic link" in checks["place.safe"].text
    refuse(place, tried)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "sessions"
    place.touch()

    tried = try_place(place)

    assert "is not a folder" in by_key(tried.checks)["place.directory"].text
    refuse(place, tried)


def test_a_file_above_it_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    tried = try_place(tmp_path / "file/sessions")

    assert by_key(tried.checks)["place.directory"].status == "problem"
    refuse(tmp_path / "file", tried)


def test_a_directory_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "sessions"
    place.mkdir()
    place.chmod(0o777)

    tried = try_place(place)

    assert "every user can write" in by_key(tried.checks)["place.safe"].text
    refuse(place, tried)


def test_a_directory_that_the_user_chose_is_a_warning(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    place.chmod(0o777)

    check = by_key(list(look_at(place, chosen=True)))["place.safe"]

    assert check.status == "warning"
    assert "they may replace or remove journals" in check.text


def test_who_can_read_sessions_is_said_where_a_group_may(tmp_path: Path) -> None:
    def readers(place: Path) -> Check:
        return by_key(list(look_at(place, group_readable=True)))["place.readers"]

    place = tmp_path / "sessions"
    assert readers(place).status == "note"
    assert readers(place).facts["gid"] == os.getegid()

    place.mkdir(mode=0o700)
    assert readers(place).status == "warning"
    place.chmod(0o2750)
    assert "can read new sessions" in readers(place).text
    assert "place.readers" not in by_key(list(look_at(place)))


def test_where_somebody_else_could_make_it_first_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    place = tmp_path / "sessions"

    assert by_key(try_place(place).checks)["place.safe"].status == "warning"
    tmp_path.chmod(0o1777)
    assert by_key(try_place(place).checks)["place.safe"].status == "ok"


@as_root
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "sessions"
    place.mkdir()
    os.chown(place, 65534, 65534)

    tried = try_place(place)

    assert "belongs to user 65534" in by_key(tried.checks)["place.safe"].text
    refuse(place, tried)


def test_old_folders_of_the_doctor_are_named_and_new_ones_are_not(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / ".doctor-1-aa", tmp_path / ".doctor-2-bb"
    old.mkdir()
    new.mkdir()
    hour_ago = time.time() - 3600
    os.utime(old, (hour_ago, hour_ago))

    check = by_key(try_place(tmp_path).checks)["place.left_behind"]

    assert check.status == "note"
    assert check.facts["paths"] == [str(old)]
    assert f"rm -r {old}" in check.advice
    assert old.is_dir(), "it is told, not removed"


# --- file systems -------------------------------------------------------------------


def test_without_proc_the_type_is_not_told_and_all_else_is(
    examine: Examine, tmp_path: Path
) -> None:
    checks = examine(proc=tmp_path / "nothing")

    check = checks["place.file_system"]
    assert (check.status, check.facts["kind"]) == ("note", "unknown")
    assert checks["operations.append"].status == "ok"
    assert checks["locks.forked"].status == "ok"
    answers = {one.key: one.holds for one in guarantees(checks.values(), "sync")}
    assert answers["power_loss"] == "yes"
    assert answers["several_hosts"] == "unknown"


def test_a_file_system_in_memory_is_a_warning(mounted: Mounted) -> None:
    place = mounted("size=1m")

    checks = by_key(try_place(place).checks)

    check = checks["place.file_system"]
    assert check.status == "warning"
    assert check.facts["kind"] == "memory"
    assert check.facts["type"] == "tmpfs"
    assert check.facts["mounted_at"] == str(place)
    assert check.facts["source"] == "doctor-test"
    assert "reboot" in check.text
    assert checks["operations.journal"].status == "ok"
    assert checks["operations.sync"].status == "ok"
    answers = {one.key: one.holds for one in guarantees(checks.values(), "sync")}
    assert answers["power_loss"] == "no"
    assert answers["process_death"] == "yes"


def test_the_uppermost_of_two_mounts_is_the_one(mounted: Mounted) -> None:
    place = mounted("size=1m")
    (place / "inner").mkdir()

    check = by_key(try_place(place / "inner/sessions").checks)["place.file_system"]

    assert check.facts["mounted_at"] == str(place)


def test_a_read_only_file_system_is_a_problem(mounted: Mounted) -> None:
    place = mounted("ro,size=1m")

    tried = try_place(place)

    check = by_key(tried.checks)["place.writable"]
    assert check.status == "problem"
    assert "Read-only file system" in check.text
    assert check.advice
    assert "operations.append" in tried.not_probed
    refuse(place, tried)


def test_a_full_disk_is_a_problem(mounted: Mounted) -> None:
    place = mounted("size=256k")
    with pytest.raises(OSError, match="No space left"):
        (place / "balloon").write_bytes(b"." * 1_000_000)

    checks = by_key(try_place(place).checks)

    assert checks["place.space"].status == "problem"
    assert checks["place.space"].facts["free_bytes"] == 0
    assert "place.writable" in checks
    assert [path.name for path in place.iterdir()] == ["balloon"]


def test_room_for_a_folder_but_not_for_a_journal_is_a_problem(
    mounted: Mounted,
) -> None:
    place = mounted("size=32k")

    checks = by_key(try_place(place).checks)

    assert checks["operations.write"].status == "problem"
    assert "No space left on device" in checks["operations.write"].text
    assert list(place.iterdir()) == []
    assert {one.holds for one in guarantees(checks.values(), "flush")} == {"no"}


def test_a_disk_without_room_for_more_files_is_a_problem(mounted: Mounted) -> None:
    place = mounted("size=1m,nr_inodes=4")

    check = by_key(try_place(place).checks)["place.space"]

    assert check.status == "problem"
    assert check.facts["free_files"] < 4


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A file system on which every change waits, as on a server that is gone."""
    image, place = tmp_path / "image", tmp_path / "frozen"
    image.write_bytes(b"")
    os.truncate(image, 8_000_000)
    place.mkdir()
    if not run("mkfs.ext4", "-q", image) or not run(
        "mount", "-o", "loop", image, place
    ):
        pytest.skip("needs the right to mount, and mkfs.ext4")
    try:
        if not run("fsfreeze", "-f", place):
            pytest.skip("needs fsfreeze")
        yield place
    finally:
        run("fsfreeze", "-u", place)
        deadline = time.monotonic() + 10
        while not run("umount", place) and time.monotonic() < deadline:
            time.sleep(0.05)  # until whoever waited in it is gone


def test_where_every_change_hangs_the_doctor_does_not(frozen: Path) -> None:
    began = time.monotonic()

    tried = try_place(frozen, probe_limit_s=1.0)

    assert time.monotonic() - began < 15
    checks = by_key(tried.checks)
    assert checks["place.writable.hangs"].status == "problem"
    assert checks["place.removed"].status == "warning"
    assert checks["place.removed"].facts["path"].startswith(f"{frozen}/.doctor-")
    assert "operations.append" in tried.not_probed
    assert "journals.sessions" not in checks


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can get at; pytest's are its own user's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def as_nobody(place: Path) -> dict[str, tuple[str, str]]:
    """Examine a place as a user without rights, in a child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            checks = try_place(place).checks
            told = {check.key: (check.status, check.text) for check in checks}
            os.write(writing, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = json.loads(file.read())
    os.waitpid(pid, 0)
    return {key: tuple(value) for key, value in told.items()}


@as_root
def test_a_directory_that_this_user_may_not_write_to_is_a_problem(
    open_folder: Path,
) -> None:
    place = open_folder / "sessions"
    place.mkdir(mode=0o755)

    found = as_nobody(place)

    assert found["place.writable"][0] == "problem"
    assert "Permission denied" in found["place.writable"][1]
    assert "operations.append" not in found


@as_root
def test_a_directory_that_this_user_may_not_enter_is_a_problem(
    open_folder: Path,
) -> None:
    (open_folder / "closed/sessions").mkdir(parents=True)
    (open_folder / "closed").chmod(0o700)

    found = as_nobody(open_folder / "closed/sessions")

    assert found["place.directory"][0] == "problem"
    assert "Permission denied" in found["place.directory"][1]
    assert "operations.append" not in found


@as_root
def test_a_directory_that_this_user_may_not_list_is_told(open_folder: Path) -> None:
    place = open_folder / "sessions"
    place.mkdir()
    place.chmod(0o711)

    found = as_nobody(place)

    assert found["place.writable"][0] == "problem"
    assert found["journals.sessions"][0] == "problem"
