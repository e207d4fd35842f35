"""A journal is damaged in every way that bytes can be: nothing altered is accepted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from journals import HEADER, opened, put, salvage, sample_lines, seal_all
from storms import damage
from storms.damage import Corpus, scan

from kedro_journal.events import SessionClosed
from kedro_journal.journal import Scanner, verify

CORPUS = Corpus(sample_lines(40, (120, 280)))
LINES, DATA = CORPUS.lines, CORPUS.data
silent = CORPUS.silent


def test_no_damage_to_bits_bytes_or_lines_is_accepted_in_silence(
    tmp_path: Path,
) -> None:
    """Every bit flipped, every byte deleted, others put in, lines moved about."""
    account = damage.SUITE.run(damage.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    assert int(account.figures["flipped bits"]) > 95_000
    assert account.count >= damage.SUITE.small


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
