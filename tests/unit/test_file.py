"""One process's descriptor of a journal: all of a write or nothing of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from faulty import Fault, Faults, FaultyOs, Strike

from kedro_journal.errors import UnsafeJournal
from kedro_journal.journal.file import JournalFile
from kedro_journal.journal.port import REAL_OS, Os

BEFORE = b"one\ntwo\n"
MORE = b"three\nfour\n"


def opened(folder: Path, port: Os = REAL_OS, data: bytes = BEFORE) -> JournalFile:
    """Give an open file that holds some lines."""
    path = folder / "journal.jsonl"
    path.write_bytes(data)
    path.chmod(0o600)
    file = JournalFile(path, port)
    file.open(create=False)
    return file


def failing(*strikes: tuple[str, int, Fault]) -> FaultyOs:
    """Give a system whose n-th call of a name fails."""
    return FaultyOs(
        Faults(*(Strike(at, fault, call=call) for call, at, fault in strikes))
    )


def test_a_file_is_open_until_it_is_closed(tmp_path: Path) -> None:
    file = opened(tmp_path)
    assert file.is_open
    file.close()
    assert not file.is_open
    file.close()
    file.open(create=False)
    assert file.is_open


def test_a_descriptor_is_given_back_also_if_closing_fails(tmp_path: Path) -> None:
    port = failing(("close", 1, errno.EIO))
    file = opened(tmp_path, port)
    file.close()
    assert not file.is_open
    file.close()
    assert port.faults.calls.count("close") == 1


def test_no_journal_is_on_a_standard_stream(tmp_path: Path) -> None:
    """A daemon has no standard input, and its next file would get that number."""
    saved = os.dup(0)
    os.close(0)
    try:
        file = opened(tmp_path)
        assert file.is_open
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
        file.close()
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_a_new_file_is_brought_to_the_disk_with_its_name(tmp_path: Path) -> None:
    """Its folder's name as well: a session is made just before its journal."""

    class Recording(Os):
        def __init__(self) -> None:
            self.synced: list[Path] = []

        def sync_folder(self, path: Path) -> None:
            self.synced.append(path)

    port = Recording()
    path = tmp_path / "session" / "journal.jsonl"
    path.parent.mkdir()
    with pytest.raises(FileNotFoundError):
        JournalFile(path, port).open(create=False)
    file = JournalFile(path, port)
    file.open(create=True)
    assert path.exists()
    assert port.synced == []  # not before it is locked: see below
    file.sync_name()
    assert port.synced == [tmp_path / "session", tmp_path]
    file.sync_name()
    file.close()
    for one in (file, JournalFile(path, port)):
        one.open(create=False)
        one.sync_name()
    assert len(port.synced) == 2


def test_the_name_of_a_new_file_is_synced_until_that_succeeds(tmp_path: Path) -> None:
    """Also by a descriptor that did not make it: an error closes the first one."""
    port = failing(("sync_folder", 2, errno.EIO))
    path = tmp_path / "session" / "journal.jsonl"
    path.parent.mkdir()
    file = JournalFile(path, port)
    file.open(create=True)
    with pytest.raises(OSError, match="Input/output"):
        file.sync_name()
    file.close()
    file.open(create=False)
    file.sync_name()
    assert port.faults.calls.count("sync_folder") == 4
    file.sync_name()
    assert port.faults.calls.count("sync_folder") == 4


def test_a_forked_child_leaves_the_name_to_its_parent(tmp_path: Path) -> None:
    port = failing()
    path = tmp_path / "session" / "journal.jsonl"
    path.parent.mkdir()
    file = JournalFile(path, port)
    file.open(create=True)
    file.forget()
    file.open(create=False)
    file.sync_name()
    assert "sync_folder" not in port.faults.calls


def test_a_link_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    file = JournalFile(tmp_path / "link", REAL_OS)
    with pytest.raises(UnsafeJournal):
        file.open(create=False)
    assert not file.is_open


@pytest.mark.parametrize("longest", [1, 2, 100])
def test_a_read_gives_every_byte_however_short_the_system_reads(
    tmp_path: Path, longest: int
) -> None:
    class Short(Os):
        def read_at(self, fd: int, size: int, offset: int) -> bytes:
            return super().read_at(fd, min(size, longest), offset)

    file = opened(tmp_path, Short())
    for start in range(len(BEFORE) + 1):
        for end in range(len(BEFORE) + 1):
            assert file.read(start, end) == BEFORE[start:end]
    assert file.read(0, 100) == BEFORE
    assert file.read(90, 100) == b""
    assert file.stat().size == len(BEFORE)


@pytest.mark.parametrize("longest", [1, 3, 100])
def test_a_write_is_whole_however_short_the_system_writes(
    tmp_path: Path, longest: int
) -> None:
    class Short(Os):
        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            return super().write(fd, data[:longest], end)

    file = opened(tmp_path, Short())
    file.append(MORE, len(BEFORE))
    assert file.path.read_bytes() == BEFORE + MORE


def test_a_refused_write_leaves_nothing(tmp_path: Path) -> None:
    """Also if a part of it was written, as on a full disk."""
    for fault in (errno.EIO, "short"):
        file = opened(tmp_path, failing(("write", 1, fault)))
        with pytest.raises(OSError, match=r"No space|Input/output"):
            file.append(MORE, len(BEFORE))
        assert file.path.read_bytes() == BEFORE
        assert file.finish_roll_back(len(BEFORE)) == len(BEFORE)
        file.append(MORE, len(BEFORE))
        assert file.path.read_bytes() == BEFORE + MORE


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    class Interrupted(Os):
        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            if bytes(data) != MORE:
                raise KeyboardInterrupt
            return super().write(fd, data[:5], end)

    file = opened(tmp_path, Interrupted())
    with pytest.raises(KeyboardInterrupt):
        file.append(MORE, len(BEFORE))
    assert file.path.read_bytes() == BEFORE


@pytest.fixture
def half_written(tmp_path: Path) -> JournalFile:
    """Give a file with a part of a write that could not be taken back."""
    port = failing(("write", 1, "short"), ("truncate", 1, errno.EIO))
    file = opened(tmp_path, port)
    with pytest.raises(OSError, match="No space"):
        file.append(MORE, len(BEFORE))
    assert file.path.read_bytes() == BEFORE + MORE[:7]
    return file


def test_what_could_not_be_taken_back_is_taken_back_later(
    half_written: JournalFile,
) -> None:
    """Also by a new descriptor: an error closes the old one."""
    half_written.close()
    half_written.open(create=False)
    size = half_written.stat().size
    assert half_written.finish_roll_back(size) == len(BEFORE)
    assert half_written.path.read_bytes() == BEFORE
    # Once: what stands there next is somebody's.
    half_written.append(MORE[:7], len(BEFORE))
    assert half_written.finish_roll_back(size) == size
    assert half_written.path.read_bytes() == BEFORE + MORE[:7]


@pytest.mark.parametrize("after", [b"", BEFORE[:4], BEFORE, BEFORE + MORE])
def test_what_another_process_has_repaired_meanwhile_is_left_alone(
    half_written: JournalFile, after: bytes
) -> None:
    half_written.path.write_bytes(after)
    assert half_written.finish_roll_back(len(after)) == len(after)
    assert half_written.path.read_bytes() == after
    # It is over then: the same size again is somebody's new bytes.
    half_written.path.write_bytes(BEFORE + MORE[:7])
    size = len(BEFORE) + 7
    assert half_written.finish_roll_back(size) == size
    assert half_written.path.read_bytes() == BEFORE + MORE[:7]


def test_taking_back_is_tried_until_it_succeeds(tmp_path: Path) -> None:
    strikes = [("truncate", at, errno.EIO) for at in (1, 2, 3)]
    file = opened(tmp_path, failing(("write", 1, "short"), *strikes))
    with pytest.raises(OSError, match="No space"):
        file.append(MORE, len(BEFORE))
    size = file.stat().size
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            file.finish_roll_back(size)
    assert file.finish_roll_back(size) == len(BEFORE)
    assert file.path.read_bytes() == BEFORE


def test_all_parts_of_a_write_are_taken_back_later(tmp_path: Path) -> None:
    class Slow(FaultyOs):
        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            return super().write(fd, data[:3], end)

    faults = Faults(
        Strike(4, errno.ENOSPC, call="write"), Strike(1, errno.EIO, call="truncate")
    )
    file = opened(tmp_path, Slow(faults))
    with pytest.raises(OSError, match="No space"):
        file.append(MORE, len(BEFORE))
    assert file.path.read_bytes() == BEFORE + MORE[:9]
    assert file.finish_roll_back(len(BEFORE) + 9) == len(BEFORE)
    assert file.path.read_bytes() == BEFORE


def test_a_forked_child_takes_nothing_back(half_written: JournalFile) -> None:
    """That is for its parent to do."""
    half_written.forget()
    assert not half_written.is_open
    half_written.open(create=False)
    size = half_written.stat().size
    assert half_written.finish_roll_back(size) == size
    assert half_written.path.read_bytes() == BEFORE + MORE[:7]


def test_what_was_taken_back_is_synced(tmp_path: Path) -> None:
    """Else a power loss could bring it back among later lines."""
    port = failing(("write", 1, "short"))
    file = opened(tmp_path, port)
    with pytest.raises(OSError, match="No space"):
        file.append(MORE, len(BEFORE))
    assert port.faults.acts[-2:] == ["truncate", "sync"]
    port = failing(("write", 1, "short"), ("truncate", 1, errno.EIO))
    file = opened(tmp_path, port)
    with pytest.raises(OSError, match="No space"):
        file.append(MORE, len(BEFORE))
    assert "sync" not in port.faults.calls
    file.finish_roll_back(file.stat().size)
    assert port.faults.acts[-2:] == ["truncate", "sync"]


def test_the_error_is_that_of_the_write_also_if_taking_it_back_fails(
    tmp_path: Path,
) -> None:
    port = failing(("write", 1, "short"), ("sync", 1, errno.EIO))
    file = opened(tmp_path, port)
    with pytest.raises(OSError, match="No space"):
        file.append(MORE, len(BEFORE))
    assert file.path.read_bytes() == BEFORE
    assert file.sync_failure is not None
    assert file.sync_failure.errno == errno.EIO


def test_the_reserve_is_kept_once_a_sync_has_failed(tmp_path: Path) -> None:
    """That of what was taken back: nothing more is written then."""
    reserve = tmp_path / ".reserve"
    reserve.touch()
    port = failing(("write", 1, "short"), ("sync", 1, errno.EIO))
    file = opened(tmp_path, port)
    with pytest.raises(OSError, match="No space"):
        file.append_or_free(MORE, len(BEFORE), reserve)
    assert reserve.exists()
    assert file.path.read_bytes() == BEFORE


def test_a_sync_that_failed_is_not_tried_again(tmp_path: Path) -> None:
    """The system may have thrown the bytes away: it could succeed without them."""
    port = failing(("sync", 2, errno.EIO))
    file = opened(tmp_path, port)
    file.sync()
    assert (port.faults.syncs, file.sync_failure) == (1, None)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output") as caught:
            file.sync()
        assert file.sync_failure is not None
        assert file.sync_failure.args == caught.value.args
        file.close()
        file.open(create=False)
    assert port.faults.calls.count("sync") == 2


def test_a_sync_that_failed_is_no_matter_of_a_forked_child(tmp_path: Path) -> None:
    port = failing(("sync", 1, errno.EIO))
    file = opened(tmp_path, port)
    with pytest.raises(OSError, match="Input/output"):
        file.sync()
    file.forget()
    assert file.sync_failure is None
    file.open(create=False)
    file.sync()
    assert port.faults.syncs == 1


def test_cutting_reaches_the_file(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.cut(4)
    assert file.path.read_bytes() == BEFORE[:4]
