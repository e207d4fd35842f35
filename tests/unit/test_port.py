"""The door to the operating system: what it opens, makes and refuses."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from journals import umask

from kedro_journal.errors import UnsafeJournal
from kedro_journal.journal.port import REAL_OS, FileStat


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def lowest_free() -> int:
    """Give the descriptor that the next open will get: a leak would raise it."""
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    return fd


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "file"
    found.write_bytes(b"0123456789")
    found.chmod(0o600)
    return found


@pytest.fixture(params=["open_read", "open_append", "write_at"])
def opening(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Give every way to open a file that exists."""

    def open_it(path: Path) -> object:
        more = (b"x", 0) if request.param == "write_at" else ()
        return getattr(REAL_OS, request.param)(path, *more)

    return open_it


# --- what is refused --------------------------------------------------------------


def test_a_link_is_refused(path: Path, opening) -> None:  # type: ignore[no-untyped-def]
    link = path.with_name("link")
    link.symlink_to(path)
    with pytest.raises(UnsafeJournal, match="a symbolic link") as caught:
        opening(link)
    assert caught.value.path == link
    assert path.read_bytes() == b"0123456789"


@pytest.mark.parametrize("kind", ["folder", "fifo", "socket", "device"])
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path,
    opening,  # type: ignore[no-untyped-def]
    kind: str,
) -> None:
    """A FIFO that nobody writes to hangs no one."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = Path(os.devnull)
    else:
        os.mknod(path, stat.S_IFSOCK | 0o600)
    before = lowest_free()
    with pytest.raises(UnsafeJournal, match="not a regular file") as caught:
        opening(path)
    assert caught.value.path == path
    assert lowest_free() == before


def test_what_is_not_there_is_missing(tmp_path: Path, opening) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FileNotFoundError):
        opening(tmp_path / "missing")


def test_a_file_of_two_names_is_read_but_not_written(path: Path) -> None:
    """The other name may be somebody's file that we were led to."""
    path.with_name("other").hardlink_to(path)
    os.close(REAL_OS.open_read(path))
    before = lowest_free()
    for write in (
        lambda: REAL_OS.open_append(path),
        lambda: REAL_OS.write_at(path, b"x", 0),
    ):
        with pytest.raises(UnsafeJournal, match="it has 2 hard links"):
            write()
    assert path.read_bytes() == b"0123456789"
    assert lowest_free() == before


def test_a_file_of_another_user_is_read_but_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    os.close(REAL_OS.open_read(path))
    with pytest.raises(UnsafeJournal, match=f"it belongs to user {owner}"):
        REAL_OS.open_append(path)
    with pytest.raises(UnsafeJournal, match=f"it belongs to user {owner}"):
        REAL_OS.write_at(path, b"x", 0)


def test_where_files_have_no_owner_none_is_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""
    monkeypatch.delattr(os, "geteuid")
    os.close(REAL_OS.open_append(path))


@pytest.mark.parametrize("call", ["open_read", "open_append"])
def test_what_cannot_be_looked_at_is_closed_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = lowest_free()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fstat", fail)
        with pytest.raises(OSError, match="Input/output"):
            getattr(REAL_OS, call)(path)
    assert lowest_free() == before


# --- reading and writing ----------------------------------------------------------


def test_bytes_are_appended_wherever_they_are_read(path: Path) -> None:
    fd = REAL_OS.open_append(path)
    assert REAL_OS.read_at(fd, 3, 2) == b"234"
    assert REAL_OS.write(fd, b"ab", 0) == 2
    assert REAL_OS.write(fd, memoryview(b"cd"), 2) == 2
    assert REAL_OS.read_at(fd, 99, 8) == b"89abcd"
    assert REAL_OS.read_at(fd, 99, 99) == b""
    REAL_OS.truncate(fd, 5)
    REAL_OS.write(fd, b"e", 4)
    REAL_OS.sync(fd)
    assert path.read_bytes() == b"01234e"
    assert REAL_OS.end(fd) == 6
    found = path.stat()
    assert REAL_OS.stat(fd) == FileStat(6, 1, found.st_ino, found.st_dev)
    path.unlink()
    assert REAL_OS.stat(fd).links == 0
    REAL_OS.close(fd)
    assert not is_open(fd)


def test_what_is_opened_to_be_read_cannot_be_written(path: Path) -> None:
    fd = REAL_OS.open_read(path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        REAL_OS.write(fd, b"x", 0)
    REAL_OS.close(fd)


def test_no_descriptor_is_handed_on_to_other_programs(path: Path) -> None:
    for fd in (REAL_OS.open_read(path), REAL_OS.open_append(path)):
        assert not os.get_inheritable(fd)
        os.close(fd)


def test_bytes_are_overwritten_in_place(path: Path) -> None:
    before = lowest_free()
    REAL_OS.write_at(path, b"xy", 4)
    assert path.read_bytes() == b"0123xy6789"
    assert lowest_free() == before


def test_only_a_file_that_may_be_made_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        REAL_OS.open_append(tmp_path / "new")
    with umask(0):
        fd = REAL_OS.open_append(tmp_path / "new", create=True)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    os.close(fd)
    os.close(REAL_OS.open_append(tmp_path / "new", create=True))


# --- new files --------------------------------------------------------------------


@pytest.mark.parametrize("longest", [1, 3, 100])
def test_a_new_file_is_whole_and_ours_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    write, synced = os.write, []
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:longest]))
    monkeypatch.setattr(os, "fsync", synced.append)
    before = lowest_free()
    with umask(0):
        REAL_OS.write_new(tmp_path / "new", b"0123456789")
    assert (tmp_path / "new").read_bytes() == b"0123456789"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    assert len(synced) == 1
    assert lowest_free() == before
    with pytest.raises(FileExistsError):
        REAL_OS.write_new(tmp_path / "new", b"")
    assert (tmp_path / "new").read_bytes() == b"0123456789"


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_of_a_new_file_that_cannot_be_finished_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Half a file would pass for a whole one."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    before = lowest_free()
    with pytest.raises(OSError, match="No space"):
        REAL_OS.write_new(tmp_path / "new", b"0123456789")
    assert list(tmp_path.iterdir()) == []
    assert lowest_free() == before


def test_the_reserve_takes_up_its_room(tmp_path: Path) -> None:
    before = lowest_free()
    with umask(0):
        REAL_OS.reserve(tmp_path / "reserve", 65_536)
    found = (tmp_path / "reserve").stat()
    assert (found.st_size, found.st_mode & 0o777) == (65_536, 0o600)
    assert found.st_blocks * 512 >= 65_536
    assert lowest_free() == before
    with pytest.raises(FileExistsError):
        REAL_OS.reserve(tmp_path / "reserve", 1)


@pytest.mark.parametrize("how", ["refuses", "has none"])
def test_the_reserve_is_written_out_where_room_cannot_be_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    if how == "refuses":
        monkeypatch.setattr(os, "posix_fallocate", refuse)
    else:
        monkeypatch.delattr(os, "posix_fallocate")
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:9000]))
    REAL_OS.reserve(tmp_path / "reserve", 65_536)
    assert (tmp_path / "reserve").read_bytes() == bytes(65_536)
    REAL_OS.remove(tmp_path / "reserve")
    with pytest.raises(FileNotFoundError):
        REAL_OS.remove(tmp_path / "reserve")


# --- folders ----------------------------------------------------------------------


def test_a_folder_is_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    with umask(0):
        REAL_OS.make_folder(tmp_path / "one")
        REAL_OS.make_folder(tmp_path / "two" / "three", parents=True)
    for name in ("one", "two/three"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
    REAL_OS.make_folder(tmp_path / "one", parents=True)
    with pytest.raises(FileExistsError):
        REAL_OS.make_folder(tmp_path / "one")
    with pytest.raises(FileNotFoundError):
        REAL_OS.make_folder(tmp_path / "four" / "five")


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_no_umask_gives_others_a_right(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        REAL_OS.make_folder(tmp_path / "folder")
        REAL_OS.write_new(tmp_path / "file", b"")
    for name in ("folder", "file"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_a_folder_that_is_there_will_do_and_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        REAL_OS.ensure_folder(tmp_path / "one")
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "one")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(UnsafeJournal, match="not a folder") as caught:
            REAL_OS.ensure_folder(tmp_path / name)
        assert caught.value.path == tmp_path / name


# --- syncing ----------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_without_syncing_has_not_failed(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    import kedro_journal.journal.port as module

    def fail(fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(module, "_datasync", fail)
    fd = REAL_OS.open_append(path)
    REAL_OS.sync(fd)
    os.close(fd)
    REAL_OS.sync_folder(path.parent)
    REAL_OS.write_new(path.with_name("new"), b"x")


def test_a_disk_that_refuses_to_sync_has_failed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kedro_journal.journal.port as module

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(module, "_datasync", fail)
    fd = REAL_OS.open_append(path)
    with pytest.raises(OSError, match="Input/output"):
        REAL_OS.sync(fd)
    os.close(fd)
    before = lowest_free()
    with pytest.raises(OSError, match="Input/output"):
        REAL_OS.sync_folder(path.parent)
    assert lowest_free() == before


def test_a_folder_is_synced_where_folders_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    before = lowest_free()
    REAL_OS.sync_folder(tmp_path)
    assert len(synced) == 1
    assert lowest_free() == before
    with pytest.raises(FileNotFoundError):
        REAL_OS.sync_folder(tmp_path / "missing")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "name", "nt")
        REAL_OS.sync_folder(tmp_path)
    assert len(synced) == 1


def test_the_clock_is_in_utc() -> None:
    now = REAL_OS.now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)
