"""Files that save readers work: whole, or as good as none, whoever is at them."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from kedro_journal.journal import kept
from kedro_journal.journal.kept import MAX_BYTES, read_kept, write_kept
from kedro_journal.journal.port import REAL_OS

CONTENT = b"one\ntwo\x00\xff" * 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.mark.parametrize("content", [b"", b"\n", CONTENT, bytes(300_000)])
def test_what_was_written_is_read(path: Path, content: bytes) -> None:
    write_kept(path, "form 1", content)
    assert read_kept(path, "form 1") == content
    assert read_kept(path, "form 2") is None
    assert path.stat().st_mode & 0o777 == 0o600
    write_kept(path, "form 1", b"other")
    assert read_kept(path, "form 1") == b"other"
    assert [each.name for each in path.parent.iterdir()] == ["kept"]


def test_any_flipped_bit_and_any_missing_byte_is_noticed(path: Path) -> None:
    write_kept(path, "form", CONTENT)
    data = path.read_bytes()
    for number in range(len(data) * 8):
        changed = bytearray(data)
        changed[number // 8] ^= 1 << number % 8
        path.write_bytes(changed)
        assert read_kept(path, "form") is None
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert read_kept(path, "form") is None
        path.write_bytes(data[length:] if length else b"")
        assert read_kept(path, "form") is None
    for more in (b"\n", b"\x00", data):
        path.write_bytes(data + more)
        assert read_kept(path, "form") is None


def test_what_another_release_kept_is_passed_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kept(path, "form", CONTENT)
    monkeypatch.setattr(kept, "__version__", "99")
    assert read_kept(path, "form") is None


def test_what_is_too_large_is_neither_written_nor_read(path: Path) -> None:
    write_kept(path, "form", bytes(MAX_BYTES))
    assert not path.exists()
    with path.open("wb") as out:
        out.truncate(10**12)  # a terabyte of nothing
    began = time.process_time()
    assert read_kept(path, "form") is None
    assert time.process_time() - began < 5


def test_nothing_else_is_taken_for_it_or_waited_for(path: Path) -> None:
    other = path.with_name("other")
    write_kept(other, "form", CONTENT)
    path.symlink_to(other)
    assert read_kept(path, "form") is None
    write_kept(path, "form", b"new")  # in the place of the link
    assert (read_kept(path, "form"), read_kept(other, "form")) == (b"new", CONTENT)
    path.unlink()
    os.mkfifo(path)
    assert read_kept(path, "form") is None
    path.unlink()
    path.mkdir()
    assert read_kept(path, "form") is None
    write_kept(path, "form", CONTENT)
    assert {each.name for each in path.parent.iterdir()} == {"other", "kept"}


def test_a_second_name_of_it_is_not_written_to(path: Path) -> None:
    write_kept(path, "form", b"old")
    second = path.with_name("second")
    second.hardlink_to(path)
    write_kept(path, "form", b"new")
    assert (read_kept(path, "form"), read_kept(second, "form")) == (b"new", b"old")


def test_in_the_folder_of_somebody_else_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where a link of theirs leads to one of ours."""
    ours, link = tmp_path / "ours", tmp_path / "link"
    ours.mkdir()
    link.symlink_to(ours)
    path = ours / "kept"
    real = Path.lstat

    def others(self: Path) -> os.stat_result:
        found = list(real(self))
        found[4] += self == link  # st_uid
        return os.stat_result(found)

    monkeypatch.setattr(Path, "lstat", others)
    write_kept(link / path.name, "form", CONTENT)
    assert list(ours.iterdir()) == []
    monkeypatch.setattr("os.geteuid", lambda: 4321)
    write_kept(path, "form", CONTENT)
    assert list(ours.iterdir()) == []
    monkeypatch.delattr("os.geteuid")
    write_kept(path, "form", CONTENT)
    assert read_kept(path, "form") == CONTENT


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_where_nothing_can_be_written_the_old_one_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    write_kept(path, "form", b"old")

    def refused(new: Path, data: bytes) -> None:
        new.write_bytes(data[:5])
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(REAL_OS, "write_new", refused, raising=False)
    write_kept(path, "form", CONTENT)
    assert read_kept(path, "form") == b"old"
    assert [each.name for each in path.parent.iterdir()] == ["kept"]
    write_kept(path / "below", "form", CONTENT)
    write_kept(path.parent / "gone" / "x", "form", CONTENT)


def test_what_is_left_of_the_dead_is_removed_and_of_the_living_is_not(
    path: Path,
) -> None:
    names = {"dead": 3601, "ahead": -90_000, "alive": 60}
    for name, age_s in names.items():
        left = path.with_name(f".{name}-0123456789abcdef")
        left.touch()
        os.utime(left, (time.time() - age_s,) * 2)
    for name in (".reserve", ".gitignore", ".a-0123", "-0123456789abcdef"):
        other = path.with_name(name)
        other.touch()
        os.utime(other, (0, 0))
    (path.parent / ".folder-0123456789abcdef").mkdir()
    os.utime(path.parent / ".folder-0123456789abcdef", (0, 0))
    write_kept(path, "form", CONTENT)
    assert {each.name for each in path.parent.iterdir()} == {
        *("kept", ".reserve", ".gitignore", ".a-0123", "-0123456789abcdef"),
        *(".ahead-0123456789abcdef", ".alive-0123456789abcdef"),
        ".folder-0123456789abcdef",
    }


def test_many_at_once_read_one_of_what_was_written(path: Path) -> None:
    contents = {bytes([number]) * 100_000 for number in range(4)}
    write_kept(path, "form", bytes(100_000))
    stop, wrong = threading.Event(), []

    def write(content: bytes) -> None:
        while not stop.is_set():
            write_kept(path, "form", content)

    def read() -> None:
        while not stop.is_set():
            if read_kept(path, "form") not in contents:
                wrong.append(True)

    threads = [threading.Thread(target=write, args=(one,)) for one in contents]
    threads += [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [each.name for each in path.parent.iterdir()] == ["kept"]
