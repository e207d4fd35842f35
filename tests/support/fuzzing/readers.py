"""Feed a hostile file to everything below the state, and check what is delivered."""

from __future__ import annotations

import json
import os
import random
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from journals import join, note

from kedro_journal.errors import CorruptJournal, JournalError
from kedro_journal.events import Cursor, Record, UnknownEvent
from kedro_journal.journal import Finding, Scanner, follow_file, is_closed, read, verify
from kedro_journal.journal.codec import BadLine, decode
from kedro_journal.journal.lines import LineBuffer
from kedro_journal.journal.tail import examine

__all__ = ["READERS", "Broken", "Case", "Target"]

SMALL_BYTES: Final = 256 * 1024
COPIED_BYTES: Final = 64 * 1024 * 1024
PARSED_BYTES: Final = 1024 * 1024
"""Longest line that is also parsed by another parser."""


class Broken(AssertionError):
    """A promise that an input broke."""


@dataclass(frozen=True)
class Case:
    """One hostile journal.

    Attributes:
        name: Its family, or `mutant`.
        folder: The session folder; its journal is in it.
        path: The journal.
        size: How long it is, in bytes, holes counted.
        rng: For the choices of the targets.
    """

    name: str
    folder: Path
    path: Path
    size: int
    rng: random.Random

    @property
    def small(self) -> bool:
        """It may be held in memory, and read in many ways."""
        return self.size <= SMALL_BYTES


Target = Callable[[Case], None]


def _require(truth: object, what: str) -> None:
    if not truth:
        raise Broken(what)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


compared = 0
"""Records that `check_genuine` compared with the file."""


def check_genuine(fd: int, record: Record) -> None:
    """Compare a delivered record with the bytes that stand in the file.

    Another parser reads them, and the checksum is computed here.
    """
    global compared  # noqa: PLW0603 - a figure
    compared += 1
    length = record.end - record.offset - 1
    _require(0 < length <= PARSED_BYTES, f"a record of {length} bytes")
    line = os.pread(fd, length, record.offset)
    crc = b"%08x" % zlib.crc32(line[:-18])
    _require(line[-18:] == b',"crc":"%b"}' % crc, "delivered without its checksum")
    _require(record.crc.encode() == crc, "delivered with another checksum")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return  # numbers, nesting or bytes that only one of the parsers takes
    told = (record.seq, record.writer, record.prev, record.type)
    stands = tuple(found[name] for name in ("seq", "w", "prev", "type"))
    _require(told == stands, "a field of the envelope is not what stands there")
    if isinstance(record.event, UnknownEvent):
        _require(record.event.raw in line, "an unknown event was not kept as it is")


def _checked(path: Path, records: Iterable[Record]) -> list[tuple[int, str]]:
    """Check every record; give their numbers and checksums, for they may be many."""
    told: list[tuple[int, str]] = []
    with _opened(path) as fd:
        for record in records:
            check_genuine(fd, record)
            if len(told) < 100_000:
                told.append((record.seq, record.crc))
    return told


def _salvaged(case: Case) -> list[tuple[int, str]]:
    return _checked(case.path, read(case.path, mode="salvage"))


def _chunks(case: Case, size: int) -> Iterator[bytes]:
    with case.path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def _scan(chunks: Iterable[bytes]) -> tuple[list[Record], list[Finding]]:
    scanner, buffer = Scanner(), LineBuffer()
    found: list[Record | None] = []
    for chunk in chunks:
        found += [scanner.take(line) for line in buffer.feed(chunk)]
    found.append(scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length))
    return [record for record in found if record is not None], scanner.findings


def target_lines(case: Case) -> None:
    """LineBuffer and Scanner, however the bytes arrive."""
    if not case.small:
        scanner, buffer = Scanner(), LineBuffer()
        with _opened(case.path) as fd:
            for chunk in _chunks(case, case.rng.choice((65_536, 262_144))):
                for line in buffer.feed(chunk):
                    record = scanner.take(line)
                    scanner.findings.clear()
                    if record is not None:
                        check_genuine(fd, record)
        return
    whole = _scan([case.path.read_bytes()])
    size = case.rng.choice((1, 2, 3, 7, 64, 1000)) if case.size < 8192 else 4096
    parts = _scan(_chunks(case, size))
    _require(whole == parts, f"chunks of {size} bytes make a difference")
    _checked(case.path, whole[0])


def target_decode(case: Case) -> None:
    """Every line by itself, whatever stands around it."""
    if not case.small:
        return
    data = case.path.read_bytes()
    pieces = data.split(b"\n")
    if len(pieces) > 2000:
        pieces = case.rng.sample(pieces, 2000)
    for piece in pieces:
        found = decode(piece)
        sound = piece[-18:] == b',"crc":"%08x"}' % zlib.crc32(piece[:-18])
        _require(sound or isinstance(found, BadLine), "decoded without its checksum")


def target_read(case: Case) -> None:
    """`read`, strict and salvaging, and from a place in the middle."""
    salvaged = _salvaged(case)
    strict: list[tuple[int, str]] = []
    try:
        for record in read(case.path):
            if len(strict) < 100_000:
                strict.append((record.seq, record.crc))
    except CorruptJournal:
        pass
    _require(salvaged[: len(strict)] == strict, "strict and salvaging readers differ")
    if case.small and salvaged:
        seq, crc = case.rng.choice(salvaged)
        start = Cursor(seq, case.rng.randrange(case.size + 9), crc)
        _checked(case.path, read(case.path, start=start, mode="salvage"))


def target_follow(case: Case) -> None:
    """`follow_file`, until nothing more is there."""
    told: list[tuple[int, str]] = []
    following = follow_file(case.path, poll_interval_s=0.0005, stop=lambda: True)
    with _opened(case.path) as fd:
        try:
            for record in following:
                check_genuine(fd, record)
                told.append((record.seq, record.crc))
        except CorruptJournal:
            pass
    salvaged = _salvaged(case)
    _require(salvaged[: len(told)] == told, "a follower is told something else")


def target_verify(case: Case) -> None:
    """`verify` and `is_closed`."""
    found = verify(case.path)
    is_closed(case.path)
    _require(found.size_bytes == case.size, "verify tells another size")
    _require(found.records <= case.size // 60, "verify counts too many records")


def target_examine(case: Case) -> None:
    """`tail.examine`, on the end of the file and on any part of it."""
    with _opened(case.path) as fd:
        for _ in range(3):
            size = case.rng.choice((1, 100, 4096, 65_536))
            start = max(0, case.size - size)
            if case.rng.random() < 0.3:
                start = case.rng.randrange(case.size + 1)
            data = os.pread(fd, size, start)
            tail = examine(
                data, whole=case.rng.random() < 0.5, after=case.rng.choice((0, 5))
            )
            _require(tail.fragment == data.rpartition(b"\n")[2], "another fragment")
            if tail.record is not None:
                line = [
                    p
                    for p in data.split(b"\n")
                    if p.endswith(tail.record.crc.encode() + b'"}')
                ]
                _require(line, "examine found a record that is not there")


def target_writer(case: Case) -> None:
    """A real writer joins a copy, appends, and what it acknowledged can be read.

    Bytes before the last newline stay as they are, and the record is delivered or the
    damage in front of it is told: it does not vanish in silence.
    """
    if case.size > COPIED_BYTES:
        return
    folder = case.folder.parent.with_name("joined")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    copy = folder / case.path.name
    shutil.copyfile(case.path, copy)
    writer = join(folder)
    try:
        writer.append(note("joined"))
        (mine,) = writer.append(note("and again"))
    except JournalError:
        _require(_same(case.path, copy, _committed(case.path)), "bytes changed")
        return
    finally:
        writer.close()
    _require(_same(case.path, copy, _committed(case.path)), "committed bytes changed")
    loud: list[Finding] = []

    def listen(finding: Finding) -> None:
        if finding.severity == "error":
            loud[:] = [finding]

    told = False
    with _opened(copy) as fd:
        check_genuine(fd, mine)
        for record in read(copy, mode="salvage", on_finding=listen):
            told = told or record == mine
    _require(told or loud, "an acknowledged record vanished in silence")


def _committed(path: Path) -> int:
    """Give how many bytes there are up to the last newline."""
    end = path.stat().st_size
    with _opened(path) as fd:
        while end > 0:
            start = max(end - 65_536, 0)
            found = os.pread(fd, end - start, start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def _same(one: Path, other: Path, length: int) -> bool:
    """Tell whether two files begin with the same bytes."""
    with _opened(one) as a, _opened(other) as b:
        for start in range(0, length, 65_536):
            size = min(65_536, length - start)
            if os.pread(a, size, start) != os.pread(b, size, start):
                return False
    return True


READERS: Final[dict[str, Target]] = {
    "lines": target_lines,
    "decode": target_decode,
    "read": target_read,
    "follow": target_follow,
    "verify": target_verify,
    "examine": target_examine,
    "writer": target_writer,
}
