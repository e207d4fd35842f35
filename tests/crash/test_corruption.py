"""A journal is damaged in every way that bytes can be: nothing altered is accepted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from journals import HEADER, opened, put, salvage, sample_lines, seal_all

from kedro_journal.events import Cursor, Record, SessionClosed
from kedro_journal.journal import Finding, Scanner, verify
from kedro_journal.journal.lines import LineBuffer

LINES = sample_lines(40, (120, 280))
DATA = b"".join(LINES)


def scan(
    data: bytes, start: Cursor | None = None
) -> tuple[list[Record], list[Finding]]:
    """Read as `read` does, from memory."""
    scanner = Scanner(start)
    buffer = LineBuffer(scanner.last.offset)
    found = [scanner.take(line) for line in buffer.feed(data)]
    found.append(scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length))
    return [record for record in found if record is not None], scanner.findings


ORIGINAL = {record.seq: record.event for record in scan(DATA)[0]}


def _cursor(number: int) -> Cursor:
    """Give the place before a line."""
    if number == 0:
        return Cursor()
    crc = LINES[number - 1][-11:-3].decode()
    return Cursor(number, sum(map(len, LINES[:number])), crc)


def silent(
    data: bytes,
    original: dict[int, object] = ORIGINAL,
    start: Cursor | None = None,
) -> str:
    """Say what a damaged journal got past the reader without a word; empty if nothing.

    Exempt is a lost suffix: no scheme within one file can see it. It must look exactly
    like a shorter journal.
    """
    found, findings = scan(data, start)
    first = start.seq if start else 0
    loud = any(finding.severity == "error" for finding in findings)
    for record in found:
        if original.get(record.seq) != record.event and not loud:
            return f"record {record.seq} was altered"
    numbers = [record.seq for record in found]
    if loud:
        return ""
    if numbers != list(range(first + 1, first + len(numbers) + 1)):
        return f"records came as {numbers}"
    shorter = len(numbers) < len(original)
    if (
        shorter
        and not findings
        and data != b"".join(LINES[first : first + len(numbers)])
    ):
        return f"{len(original) - len(numbers)} records vanished"
    return ""


def test_no_single_flipped_bit_is_accepted_in_silence() -> None:
    """All bits of the journal, one by one.

    The lines before the flip are taken as read, and two lines behind it suffice: after
    the first of them the reader stands where it would have stood without the flip.
    """
    missed, flips = [], 0
    for number in range(len(LINES)):
        window = b"".join(LINES[number : number + 3])
        start = _cursor(number)
        whole = {
            seq: ORIGINAL[seq] for seq in range(number + 1, min(number + 3, 40) + 1)
        }
        flipped = bytearray(window)
        for position in range(len(LINES[number])):
            for bit in range(8):
                flipped[position] ^= 1 << bit
                if what := silent(bytes(flipped), whole, start):
                    missed.append((number, position, bit, what))
                flipped[position] ^= 1 << bit
                flips += 1
    assert missed == []
    assert flips == len(DATA) * 8 > 104_000


def test_flipped_bits_are_seen_in_whole_journals_too() -> None:
    """The same on a sample of bits, with everything before and behind the flip."""
    rng = random.Random(4)
    for _ in range(2000):
        flipped = bytearray(DATA)
        flipped[rng.randrange(len(DATA))] ^= 1 << rng.randrange(8)
        assert silent(bytes(flipped)) == ""


def test_the_check_above_would_see_what_json_alone_lets_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Teeth: with the checksum's comparison switched off, flips get through."""
    from kedro_journal.journal import codec

    # Compare the line's checksum with itself, as a reader without one would.
    def careless(line: bytes, offset: int = -1, end: int = -1):  # type: ignore[no-untyped-def]
        import zlib

        body = line[:-18]
        sealed = body + b',"crc":"%08x"}' % zlib.crc32(body)
        return codec.decode(sealed, offset, end)

    monkeypatch.setattr("kedro_journal.journal.scan.decode", careless)
    monkeypatch.setattr(Scanner, "_judge", Scanner._accept)
    rng = random.Random(5)
    missed = 0
    for _ in range(2000):
        flipped = bytearray(DATA)
        flipped[rng.randrange(len(DATA))] ^= 1 << rng.randrange(7)
        missed += bool(silent(bytes(flipped)))
    assert missed > 100


def test_no_deleted_byte_is_accepted_in_silence() -> None:
    """Every byte of the journal is deleted once."""
    journal = b"".join(LINES[:20])
    original = {seq: ORIGINAL[seq] for seq in range(1, 21)}
    missed = [
        (position, what)
        for position in range(len(journal))
        if (what := silent(journal[:position] + journal[position + 1 :], original))
    ]
    assert missed == []


def test_no_inserted_byte_is_accepted_in_silence() -> None:
    """A byte is put in at every place: a newline, a NUL, a digit, any."""
    rng = random.Random(6)
    missed = []
    journal = b"".join(LINES[:12])
    original = {seq: ORIGINAL[seq] for seq in range(1, 13)}
    for position in range(len(journal) + 1):
        for byte in (10, 0, 0x31, rng.randrange(256)):
            data = journal[:position] + bytes([byte]) + journal[position:]
            if what := silent(data, original):
                missed.append((position, byte, what))
    assert missed == []


@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_dropped_line_is_accepted_in_silence(count: int) -> None:
    """Lines are taken out anywhere but at the end."""
    for first in range(len(LINES) - count):
        data = b"".join(LINES[:first] + LINES[first + count :])
        found, findings = scan(data)
        assert [(f.kind, f.lost) for f in findings] == [("records missing", count)]
        assert len(found) == len(LINES) - count


def test_a_duplicated_line_is_delivered_once_and_reported() -> None:
    """Wherever the copy stands after the first one."""
    for line in range(len(LINES)):
        for after in (line, min(line + 7, len(LINES) - 1), len(LINES) - 1):
            data = b"".join([*LINES[: after + 1], LINES[line], *LINES[after + 1 :]])
            found, findings = scan(data)
            assert [record.seq for record in found] == list(range(1, 41))
            assert [f.kind for f in findings] == ["duplicate record"]


def test_no_two_swapped_lines_are_accepted_in_silence() -> None:
    """Any two lines change places."""
    rng = random.Random(7)
    for _ in range(300):
        lines = list(LINES)
        one, other = rng.sample(range(len(lines)), 2)
        lines[one], lines[other] = lines[other], lines[one]
        findings = scan(b"".join(lines))[1]
        assert any(finding.severity == "error" for finding in findings)


def test_a_line_of_another_journal_is_never_accepted_in_silence() -> None:
    """A line with the right number and a right checksum, but of another session."""
    foreign = sample_lines(40, (120, 280), seed=2)
    for seq in range(len(LINES)):
        for data in (
            b"".join([*LINES[:seq], foreign[seq], *LINES[seq + 1 :]]),
            b"".join([*LINES[:seq], foreign[seq], *LINES[seq:]]),
            b"".join([*LINES[: seq + 1], *foreign[seq + 1 :], b"\0"]),
        ):
            if seq == 39:
                continue  # nothing follows it that could tell: see the lost suffix
            findings = scan(data)[1]
            assert any(finding.severity == "error" for finding in findings), seq


def test_after_a_spliced_line_the_true_records_go_on_in_salvage() -> None:
    """One foreign line costs no record of the true history behind it."""
    foreign = sample_lines(40, (120, 280), seed=2)
    for seq in range(3, 39):
        data = b"".join([*LINES[:seq], foreign[seq], *LINES[seq:]])
        found, _ = scan(data)
        mine = [record.seq for record in found if record.crc in _CRCS]
        assert mine == list(range(1, 41))


_CRCS = {line[-11:-3].decode() for line in LINES}


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\n", b" "])
@pytest.mark.parametrize("sector", [512, 4096])
def test_no_overwritten_sector_is_accepted_in_silence(fill: bytes, sector: int) -> None:
    """Power loss and bad disks lose whole sectors."""
    for start in range(0, len(DATA), sector):
        data = DATA[:start] + fill * sector + DATA[start + sector :]
        data = data[: len(DATA)]
        assert silent(data) == ""
        assert scan(data)[1] != []


def test_a_lost_suffix_of_whole_lines_is_visible_only_as_not_closed(
    tmp_path: Path,
) -> None:
    """No scheme in one file sees it; `verify` does not call such a journal closed."""
    lines = seal_all([HEADER, opened(), SessionClosed()])
    whole = verify(put(tmp_path / "whole", b"".join(lines)))
    short = verify(put(tmp_path / "short", b"".join(lines[:2])))
    assert (whole.closed, whole.ok, whole.findings) == (True, True, ())
    assert (short.closed, short.ok, short.findings) == (False, True, ())


@pytest.mark.parametrize(
    "junk",
    [b"\0" * 30_000_000, b"[" * 30_000_000, b"x\n" * 400_000, b"[]," * 10_000_000],
    ids=["NULs", "open brackets", "short lines", "one huge array"],
)
def test_megabytes_of_junk_are_read_in_bounded_memory(
    tmp_path: Path, junk: bytes
) -> None:
    """Reading keeps no more than a chunk and a line, whatever the file holds."""
    import tracemalloc

    path = put(tmp_path / "s", b"".join([*LINES[:20], junk, b"\n", *LINES[20:]]))
    tracemalloc.start()
    try:
        found, findings = salvage(path.parent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [record.seq for record in found] == list(range(1, 41))
    assert [finding.kind for finding in findings] == ["healed tear"]
    assert peak < 32 * 1024 * 1024


def test_arbitrary_bytes_never_make_the_reader_fail() -> None:
    """Fuzz: random bytes and mutated journals; it always ends, and says what it saw."""
    rng = random.Random(8)
    genuine = set(LINES)
    for _ in range(3000):
        pieces = []
        for _ in range(rng.randrange(1, 8)):
            kind = rng.randrange(4)
            if kind == 0:
                pieces.append(rng.randbytes(rng.randrange(60)))
            elif kind == 1:
                pieces.append(rng.choice(LINES))
            elif kind == 2:
                line = rng.choice(LINES)
                pieces.append(line[: rng.randrange(len(line))])
            else:
                pieces.append(rng.choice([b"\n", b"{}\n", b"\0\0", b'","crc":"', b"}"]))
        data = b"".join(pieces)
        found, _ = scan(data)
        assert all(data[r.offset : r.end - 1] + b"\n" in genuine for r in found)
