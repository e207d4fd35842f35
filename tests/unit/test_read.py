"""Reading a file that stands still, grows, shrinks or is mended meanwhile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from journals import HEADER, note, opened, put, salvage, sample_lines, seal_all, texts

from kedro_journal.errors import CorruptJournal, UnsafeJournal
from kedro_journal.events import Cursor, SessionClosed
from kedro_journal.journal import Finding, Scanner, is_closed, read
from kedro_journal.journal.port import Os

LINES = sample_lines(8)
FOREIGN = sample_lines(8, seed=2)
OPEN = b"".join(seal_all([HEADER, opened(), note()]))
CLOSED = b"".join(seal_all([HEADER, opened(), SessionClosed()]))


class Watched(Os):
    """Counts descriptors, and may have something to do at a read."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.reads = self.bytes_read = 0

    def open_read(self, path: Path) -> int:
        fd = super().open_read(path)
        self.open.add(fd)
        return fd

    def close(self, fd: int) -> None:
        super().close(fd)
        self.open.remove(fd)

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        assert fd in self.open
        data = super().read_at(fd, size, offset)
        self.reads, self.bytes_read = self.reads + 1, self.bytes_read + len(data)
        return data


class Mixing(Watched):
    """Shows a mixture of old and new bytes in its first looks."""

    def __init__(self, spoiled: bytes, looks: int = 1) -> None:
        super().__init__()
        self.spoiled, self.looks = spoiled, looks

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        data = super().read_at(fd, size, offset)
        if self.spoiled not in data or not self.looks:
            return data
        self.looks -= 1
        return data.replace(self.spoiled, b"x" * len(self.spoiled))


def test_a_file_is_read_as_far_as_it_went_when_the_reading_began(
    tmp_path: Path,
) -> None:
    path = put(tmp_path / "s", b"".join(LINES[:6]))
    found = []
    for record in read(path):
        found.append(record.seq)
        with path.open("ab") as out:
            out.write(LINES[5 + len(found)] if len(found) <= 2 else b"")
    assert found == [1, 2, 3, 4, 5, 6]
    assert [record.seq for record in read(path)] == list(range(1, 9))


def test_reading_lets_go_of_the_file_however_it_ends(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join([*LINES[:4], *LINES[5:]]))
    port = Watched()
    list(read(path, mode="salvage", port=port))
    with pytest.raises(CorruptJournal):
        list(read(path, port=port))
    stopped = read(path, port=port)
    next(stopped)
    assert len(port.open) == 1
    stopped.close()  # type: ignore[attr-defined]
    is_closed(path, port)
    assert port.open == set()


def test_a_mixture_that_is_gone_at_the_second_look_is_no_damage(
    tmp_path: Path,
) -> None:
    """However often a repair meets the reader, as long as it is somewhere else."""
    path = put(tmp_path / "s", b"".join(LINES))
    for line in LINES[1:7]:
        port = Mixing(line[:30])
        assert [record.seq for record in read(path, port=port)] == list(range(1, 9))
        assert port.looks == 0


def test_damage_that_is_there_at_the_second_look_is_damage(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(LINES))
    with pytest.raises(CorruptJournal) as caught:
        list(read(path, port=Mixing(LINES[4][:30], looks=2)))
    assert (caught.value.kind, caught.value.seq) == ("records lost", 4)


def test_findings_of_long_ago_do_not_count_against_a_second_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those since the last record do: their number is what is bounded."""
    monkeypatch.setattr(sys.modules["kedro_journal.journal.reader"], "_TOLD_MAX", 3)
    pieces = [LINES[0]]
    for number in range(1, 8):
        pieces += [LINES[number - 1], LINES[number]]
    path = put(tmp_path / "s", b"".join(pieces))
    port = Mixing(LINES[6][:30])
    assert [record.seq for record in read(path, port=port)] == list(range(1, 9))


def test_each_finding_is_told_once_though_damage_is_looked_at_twice(
    tmp_path: Path,
) -> None:
    """Also the harmless ones before the damage, which the second look sees again."""
    lines = [*LINES[:4], LINES[1], LINES[2], FOREIGN[2], *LINES[5:]]
    put(tmp_path / "s", b"".join(lines))
    records, findings = salvage(tmp_path / "s")
    assert [record.seq for record in records] == [1, 2, 3, 4, 6, 7, 8]
    assert [finding.kind for finding in findings] == [
        "duplicate record",
        "duplicate record",
        "forked journal",
        "records missing",
    ]


def test_the_way_back_from_a_splice_is_found_at_the_second_look_too(
    tmp_path: Path,
) -> None:
    path = put(tmp_path / "s", b"".join([*LINES[:6], FOREIGN[6], *LINES[6:]]))
    records, findings = salvage(path.parent)
    assert [record.seq for record in records] == [1, 2, 3, 4, 5, 6, 7, 7, 8]
    assert [finding.kind for finding in findings] == ["splice", "splice"]


def test_a_file_that_ends_before_the_cursor_says_where_it_ends(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(LINES))
    last = list(read(path))[-1].cursor
    size = len(b"".join(LINES[:4]))
    os.truncate(path, size)
    with pytest.raises(CorruptJournal, match="the file ends before record 8 did"):
        list(read(path, start=last))
    findings = []
    found = list(read(path, start=last, mode="salvage", on_finding=findings.append))
    assert found == []
    assert [finding.offset for finding in findings] == [size]


def test_the_error_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join([*LINES[:4], *LINES[5:]]))
    with pytest.raises(CorruptJournal) as caught:
        list(read(path))
    offset = len(b"".join(LINES[:4]))
    assert str(caught.value).startswith(
        f"{path}: record 6 follows record 4: 1 missing (byte {offset}). "
        "Records 1-4 are intact"
    )


def test_reading_goes_on_from_a_cursor_without_reading_what_is_before(
    tmp_path: Path,
) -> None:
    path = put(tmp_path / "s", b"".join([b"\0" * len(LINES[0]), *LINES[1:]]))
    start = Cursor(1, len(LINES[0]), LINES[0][-11:-3].decode())
    assert [record.seq for record in read(path, start=start)] == list(range(2, 9))


# --- is_closed --------------------------------------------------------------------


def test_a_journal_is_closed_if_its_last_record_says_so(tmp_path: Path) -> None:
    assert is_closed(put(tmp_path / "closed", CLOSED))
    assert not is_closed(put(tmp_path / "open", OPEN))
    assert not is_closed(put(tmp_path / "empty", b""))
    assert not is_closed(put(tmp_path / "junk", b"\0" * 100_000))


@pytest.mark.parametrize("count", [1, 3, 4000])
def test_one_look_at_its_end_shows_whether_a_journal_is_closed(
    tmp_path: Path, count: int
) -> None:
    """However short or long it is, as long as that end is whole."""
    events = [note(number, 100) for number in range(count - 1)]
    for last in (SessionClosed(), note()):
        path = put(tmp_path / "s", b"".join(seal_all([*events, last])))
        port = Watched()
        assert is_closed(path, port) is isinstance(last, SessionClosed)
        assert (port.reads, port.bytes_read <= 4096) == (1, True)


def test_damage_before_the_end_does_not_matter_for_how_it_ended(
    tmp_path: Path,
) -> None:
    """Also where the end hides behind what a power cut left."""
    damaged = CLOSED.replace(b"testhost", b"resthost")
    for tail in (b"", b"\0" * 5000):
        port = Watched()
        assert is_closed(put(tmp_path / "s", damaged + tail), port)
        assert port.open == set()
        assert (port.reads > 1) is bool(tail)


@pytest.mark.parametrize("size", [0, 1, 4000, 70_000, 250_000])
def test_a_journal_is_closed_whatever_is_before_its_last_record(
    tmp_path: Path, size: int
) -> None:
    lines = seal_all([HEADER, opened(), note("n", size), SessionClosed()])
    assert is_closed(put(tmp_path / "closed", b"".join(lines)))
    assert not is_closed(put(tmp_path / "open", b"".join(lines[:-1])))


@pytest.mark.parametrize("tail", [b'{"v":1', b"\0" * 5000, b"\0" * 500_000])
def test_what_a_power_cut_leaves_behind_the_last_record_does_not_open_it(
    tmp_path: Path, tail: bytes
) -> None:
    """Nothing is appended to a closed journal, so nobody ever cuts that tail off."""
    assert is_closed(put(tmp_path / "closed", CLOSED + tail))
    assert not is_closed(put(tmp_path / "open", OPEN + tail))


def test_a_closing_record_counts_as_soon_as_readers_deliver_it(tmp_path: Path) -> None:
    """Without its newline it is not committed; with a damaged one it was."""
    path = put(tmp_path / "s", CLOSED[:-1])
    assert not is_closed(path)
    assert list(read(path))[-1].type == "writer.opened"
    put(tmp_path / "s", CLOSED[:-1] + b"\0")
    assert is_closed(path)
    assert list(read(path))[-1].type == "session.closed"


def test_damaged_lines_behind_the_closing_record_do_not_open_it(
    tmp_path: Path,
) -> None:
    assert is_closed(put(tmp_path / "s", CLOSED + b"junk\n" * 3))


def test_what_is_no_journal_is_neither_open_nor_closed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_closed(tmp_path / "journal.jsonl")
    (tmp_path / "link").symlink_to(put(tmp_path / "s", CLOSED))
    with pytest.raises(UnsafeJournal):
        is_closed(tmp_path / "link")


def test_records_come_before_the_file_is_read_to_its_end(tmp_path: Path) -> None:
    """Memory does not grow with the journal."""
    path = put(tmp_path / "s", b"".join(sample_lines(4000, (200, 300))))
    port = Watched()
    first = next(iter(read(path, port=port)))
    assert (first.seq, port.reads) == (1, 1)
    assert len(texts(list(read(path)))) == 4000 - 3


def test_the_end_is_looked_at_whole_however_little_the_system_reads(
    tmp_path: Path,
) -> None:
    class Short(Os):
        def read_at(self, fd: int, size: int, offset: int) -> bytes:
            return super().read_at(fd, min(size, 7), offset)

    assert is_closed(put(tmp_path / "closed", CLOSED), Short())
    assert not is_closed(put(tmp_path / "open", OPEN), Short())


@pytest.mark.parametrize("short", [b"\n", b"x\n", b"{}\n\n", b"1234567890123456\n"])
def test_many_short_lines_are_judged_as_one_by_one(
    tmp_path: Path, short: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle, at the end, and with a record between them."""
    junk = short * 9000
    for parts in (
        [*LINES[:4], junk, *LINES[4:8]],
        [*LINES[:4], junk, LINES[5], junk[:-1], LINES[6], b"y" + junk, LINES[7]],
        [*LINES[:4], junk, b"z" * 30 + b"\n", junk],
        [junk],
    ):
        path = put(tmp_path / "s", b"".join(parts))
        with monkeypatch.context() as patched:
            patched.setattr(Scanner, "take_short", lambda _, __, ___, at: (0, at))
            findings: list[Finding] = []
            plain = list(read(path, mode="salvage", on_finding=findings.append))
        quick: list[Finding] = []
        assert list(read(path, mode="salvage", on_finding=quick.append)) == plain
        assert quick == findings


@pytest.mark.parametrize("size", [2**40, 3 * 2**20])
@pytest.mark.parametrize("behind", [b"", b"\n", b"x" * 5000])
def test_a_hole_is_passed_over_and_told_as_its_bytes_are(
    tmp_path: Path, size: int, behind: bytes
) -> None:
    """Of a file system's hole nothing is read; what is found is the same."""
    path = put(tmp_path / "s", b"".join(LINES[:4]))
    with path.open("r+b") as out:
        try:
            out.truncate(size)
        except OSError:
            pytest.skip("the file system makes no such files")
        if behind:
            out.seek(0, os.SEEK_END)
            out.write(behind + b"".join(LINES[4:6]))
    port, findings = Watched(), list[Finding]()
    found = list(read(path, mode="salvage", on_finding=findings.append, port=port))
    assert port.open == set()
    assert [record.seq for record in found][:4] == [1, 2, 3, 4]
    if size < 2**30:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Os, "hole_at", lambda *_: 0)
            plain: list[Finding] = []
            assert found == list(read(path, mode="salvage", on_finding=plain.append))
        assert findings == plain
    elif path.stat().st_blocks * 512 < 2**20:
        assert port.bytes_read < 2**20
