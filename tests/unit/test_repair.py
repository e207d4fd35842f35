"""The end of a journal, mended: what is done, what is kept, what goes on record."""

from __future__ import annotations

import errno
import hashlib
import re
from pathlib import Path

import pytest
from faulty import Faults, FaultyOs, Strike
from fuzzing.lines import Chain
from journals import HEADER, file, note, opened, put, sample_lines, seal_all

from kedro_journal.errors import NewerJournal, UnsafeJournal
from kedro_journal.events import Cursor, JournalRepaired, SessionClosed
from kedro_journal.journal.file import JournalFile
from kedro_journal.journal.port import REAL_OS, Os
from kedro_journal.journal.repair import Repaired
from kedro_journal.journal.repair import repair as repair_end
from kedro_journal.journal.tail import examine

LINES = sample_lines(8)
ENDS = [sum(map(len, LINES[:count])) for count in range(9)]
CRCS = ["00000000", *(line[-11:-3].decode() for line in LINES)]
FOREIGN = sample_lines(8, seed=2)


def mended(folder: Path, data: bytes, port: Os = REAL_OS) -> Repaired:
    """Mend a journal of these bytes, as a writer does at its next append."""
    journal = JournalFile(put(folder, data), port)
    journal.open(create=False)
    try:
        tail = examine(data, whole=True)
        seq, crc = (
            (tail.record.seq, tail.record.crc) if tail.record else (0, "00000000")
        )
        return repair_end(journal, tail, Cursor(seq, len(data), crc), port)
    finally:
        journal.close()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_ends_with_a_whole_line_is_left_alone(tmp_path: Path) -> None:
    found = mended(tmp_path / "s", b"".join(LINES[:4]))
    assert found == Repaired(Cursor(4, ENDS[4], CRCS[4]), False, ())
    assert file(tmp_path / "s").read_bytes() == b"".join(LINES[:4])


def test_a_torn_line_is_cut_off_and_kept(tmp_path: Path) -> None:
    fragment = LINES[4][:-20]
    found = mended(tmp_path / "s", b"".join(LINES[:4]) + fragment)
    (repair,) = found.repairs
    assert found == Repaired(Cursor(4, ENDS[4], CRCS[4]), False, (repair,))
    assert repair == JournalRepaired(
        offset=ENDS[4],
        length=len(fragment),
        sha256=sha256(fragment),
        kept_as=repair.kept_as,
        action="cut",
    )
    assert re.fullmatch(rf"{ENDS[4]}-\d{{19}}\.bin", repair.kept_as)
    kept = tmp_path / "s" / "torn" / repair.kept_as
    assert kept.read_bytes() == fragment
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
    assert file(tmp_path / "s").read_bytes() == b"".join(LINES[:4])


def test_a_whole_record_gets_the_newline_that_it_lacks(tmp_path: Path) -> None:
    found = mended(tmp_path / "s", b"".join(LINES[:5])[:-1])
    assert found.last == Cursor(5, ENDS[5], CRCS[5])
    assert found.repairs == (
        JournalRepaired(
            offset=ENDS[4],
            length=len(LINES[4]) - 1,
            sha256=sha256(LINES[4][:-1]),
            action="adopted",
        ),
    )
    assert file(tmp_path / "s").read_bytes() == b"".join(LINES[:5])
    assert not (tmp_path / "s" / "torn").exists()


def test_a_damaged_newline_is_put_right(tmp_path: Path) -> None:
    fragment = LINES[4][:-1] + b"\x8a"
    found = mended(tmp_path / "s", b"".join(LINES[:4]) + fragment)
    assert found.last == Cursor(5, ENDS[5], CRCS[5])
    assert found.repairs == (
        JournalRepaired(
            offset=ENDS[4],
            length=len(fragment),
            sha256=sha256(fragment),
            action="terminator",
        ),
    )
    assert file(tmp_path / "s").read_bytes() == b"".join(LINES[:5])


def test_a_newline_that_was_put_right_is_synced(tmp_path: Path) -> None:
    """Else a power loss could fuse the record with the next one."""
    data = b"".join(LINES[:5])[:-1] + b"\0"
    port = FaultyOs(Faults())
    mended(tmp_path / "s", data, port)
    assert port.faults.acts[-3:] == ["write_at", "sync", "close"]
    port = FaultyOs(Faults(Strike(1, errno.EIO, call="sync")))
    with pytest.raises(OSError, match="Input/output"):
        mended(tmp_path / "s", data, port)


@pytest.mark.parametrize("ending", [b"", b"\0"], ids=["no newline", "a damaged one"])
def test_what_is_whole_but_does_not_go_on_from_here_is_cut(
    tmp_path: Path, ending: bytes
) -> None:
    fragment = FOREIGN[4][:-1] + ending
    found = mended(tmp_path / "s", b"".join(LINES[:4]) + fragment)
    assert found.last == Cursor(4, ENDS[4], CRCS[4])
    assert [(r.action, r.length) for r in found.repairs] == [("cut", len(fragment))]
    (kept,) = (tmp_path / "s" / "torn").iterdir()
    assert kept.read_bytes() == fragment
    assert file(tmp_path / "s").read_bytes() == b"".join(LINES[:4])


@pytest.mark.parametrize("ending", [b"", b"\0"], ids=["no newline", "a damaged one"])
def test_what_a_newer_version_left_unfinished_is_left_to_it(
    tmp_path: Path, ending: bytes
) -> None:
    chain = Chain()
    for version in (1, 1, 2):
        chain.add("note.added", {"text": "n"}, v=version)
    data = chain.data[:-1] + ending
    with pytest.raises(NewerJournal) as caught:
        mended(tmp_path / "s", data)
    assert (caught.value.path, caught.value.version) == (file(tmp_path / "s"), 2)
    assert file(tmp_path / "s").read_bytes() == data


def test_each_damaged_line_keeps_one_number(tmp_path: Path) -> None:
    data = b"".join(LINES[:4]) + b"bad\nbad\nbad\n"
    found = mended(tmp_path / "s", data)
    assert found.last == Cursor(7, len(data), CRCS[4])
    assert found.repairs == (
        JournalRepaired(offset=len(data), length=0, action="skipped", lost=3),
    )
    assert file(tmp_path / "s").read_bytes() == data


def test_damaged_lines_and_a_torn_one_are_two_repairs(tmp_path: Path) -> None:
    data = b"".join(LINES[:4]) + b"bad\nbad\n"
    found = mended(tmp_path / "s", data + b"torn")
    assert found.last == Cursor(6, len(data), CRCS[4])
    assert [(r.action, r.offset, r.length, r.lost) for r in found.repairs] == [
        ("skipped", len(data), 0, 2),
        ("cut", len(data), 4, 0),
    ]
    assert file(tmp_path / "s").read_bytes() == data


def test_a_whole_record_behind_damaged_lines_tells_itself_which_number_is_next(
    tmp_path: Path,
) -> None:
    data = b"".join(LINES[:4]) + b"bad\n" + LINES[5][:-1]
    found = mended(tmp_path / "s", data)
    assert found.last == Cursor(6, len(data) + 1, CRCS[6])
    assert [(r.action, r.lost) for r in found.repairs] == [
        ("skipped", 1),
        ("adopted", 0),
    ]
    assert file(tmp_path / "s").read_bytes() == data + b"\n"


def test_an_adopted_closing_record_closes_and_no_repair_follows_it(
    tmp_path: Path,
) -> None:
    data = b"".join(seal_all([HEADER, opened(), SessionClosed()]))
    for ending in (b"", b"\0"):
        found = mended(tmp_path / "s", data[:-1] + ending)
        assert (found.last.seq, found.last.offset) == (3, len(data))
        assert (found.closed, found.repairs) == (True, ())
        assert file(tmp_path / "s").read_bytes() == data


def test_nothing_is_cut_before_its_copy_is_on_the_disk(tmp_path: Path) -> None:
    """Each step is known to be done before the next: a failure of any changes nothing."""
    data = b"".join(LINES[:4]) + b"torn"
    steps = ("make_folder", "write_new", "sync_folder", "sync_folder", "truncate")
    clean = FaultyOs(Faults())
    mended(tmp_path / "clean", data, clean)
    inner = [call for call in clean.faults.calls if call in steps]
    assert inner[-4:] == ["write_new", "sync_folder", "sync_folder", "truncate"]
    for number, call in enumerate(("write_new", "sync_folder", "sync_folder")):
        at = 2 if number == 2 else 1
        port = FaultyOs(Faults(Strike(at, errno.EIO, call=call)))
        with pytest.raises(OSError, match="Input/output"):
            mended(tmp_path / str(number), data, port)
        assert file(tmp_path / str(number)).read_bytes() == data


def test_the_folder_of_what_was_cut_and_the_session_folder_are_synced(
    tmp_path: Path,
) -> None:
    class Recording(Os):
        def __init__(self) -> None:
            self.synced: list[Path] = []

        def sync_folder(self, path: Path) -> None:
            self.synced.append(path)

    port = Recording()
    mended(tmp_path / "s", b"".join(LINES[:4]) + b"torn", port)
    assert port.synced == [tmp_path / "s" / "torn", tmp_path / "s"]


def test_nothing_is_kept_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "torn").symlink_to(tmp_path / "elsewhere")
    data = b"".join(LINES[:4]) + b"torn"
    with pytest.raises(UnsafeJournal, match="not a folder"):
        mended(tmp_path / "s", data)
    assert file(tmp_path / "s").read_bytes() == data
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_is_cut_a_second_time_is_kept_beside_the_first(tmp_path: Path) -> None:
    data = b"".join(LINES[:4])
    for fragment in (b"one", b"two"):
        mended(tmp_path / "s", data + fragment)
    kept = sorted((tmp_path / "s" / "torn").iterdir())
    assert [path.read_bytes() for path in kept] == [b"one", b"two"]


def test_a_newline_that_cannot_be_written_leaves_the_line_unfinished(
    tmp_path: Path,
) -> None:
    data = b"".join(LINES[:4])[:-1]
    with pytest.raises(OSError, match="Input/output"):
        mended(
            tmp_path / "s", data, FaultyOs(Faults(Strike(1, errno.EIO, call="write")))
        )
    assert file(tmp_path / "s").read_bytes() == data


def test_a_journal_that_begins_with_a_torn_line_is_emptied(tmp_path: Path) -> None:
    found = mended(tmp_path / "s", LINES[0][:30])
    assert found.last == Cursor(0, 0, "00000000")
    assert [r.action for r in found.repairs] == ["cut"]
    assert file(tmp_path / "s").read_bytes() == b""


def test_the_size_is_what_was_looked_at(tmp_path: Path) -> None:
    """Bytes are cut at the fragment's start, however much stands before it."""
    lines = seal_all([HEADER, opened(), note("n", 70_000)])
    data = b"".join(lines) + b"torn"
    assert mended(tmp_path / "s", data).last.offset == len(data) - 4
