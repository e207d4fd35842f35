"""What may be on a disk after the power failed, from the log of what was done to it.

The model, which is harsher than any journaling file system:

- What a sync of the file covered is there. So are bytes next to ones that were not
  synced: power-safe overwrite is assumed, as SQLite does. A disk that destroys synced
  bytes when it writes beside them, or that answers a sync before it has written, is
  beyond it.
- Every other sector is, independently of all others: as it is now, as it was after any
  step since the last sync, zeroed, or garbled; garbled means noise, flipped bits, or
  shorn off at any byte.
- The file has any size it had since the last sync, or any other in between: it may have
  grown without its data, and a cut may not have happened.
- A name (of a file or a folder) that was not synced with its folder is there or not.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

__all__ = ["Disk", "File", "Op", "State", "losses"]

FEW: Final = 4
"""Combinations are all tried while they are at most so many times what is drawn."""

Kind = Literal[
    "file", "folder", "write", "write at", "cut", "sync", "sync folder", "promise"
]


class Op(NamedTuple):
    """One step: something done to the disk, or a promise given to the caller.

    Attributes:
        kind: What was done. file, folder: one was made, and got its name.
        path: To what.
        data: The bytes that were written.
        size: Where a file was cut, or overwritten.
        lines: From now on these records, without their newlines, must survive.
    """

    kind: Kind
    path: Path
    data: bytes = b""
    size: int = 0
    lines: tuple[bytes, ...] = ()


class State(NamedTuple):
    """One disk after the power failed.

    Attributes:
        image: The bytes of the journal; None if its name is lost.
        kept: What the files in `torn/` hold, those that are there.
    """

    image: bytes | None
    kept: tuple[bytes, ...] = ()


class File:
    """The contents of one file: now, and since the last sync.

    Attributes:
        versions: After the last sync, and after every step since; the last is now.
        low: Bytes before this one are the same in all of them.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.versions = [data]
        self.low = len(data)

    @property
    def now(self) -> bytes:
        """What a process reads."""
        return self.versions[-1]

    def write(self, data: bytes) -> None:
        self.versions.append(self.now + data)

    def write_at(self, data: bytes, offset: int) -> None:
        now, end = self.now, offset + len(data)
        self.low = min(self.low, offset)
        self.versions.append(now[:offset] + data + now[end:])

    def cut(self, size: int) -> None:
        self.low = min(self.low, size)
        self.versions.append(self.now[:size].ljust(size, b"\0"))

    def sync(self) -> None:
        self.versions = [self.now]
        self.low = len(self.now)

    def plain_variants(self) -> list[bytes]:
        """Give what this file may hold, roughly: for files other than the journal."""
        sizes = {len(version) for version in self.versions}
        found = dict.fromkeys(self.versions)
        found |= dict.fromkeys(bytes(size) for size in sizes if not self.low)
        found |= dict.fromkeys(version[: len(version) // 2] for version in found)
        return list(found) if len(self.versions) > 1 else [self.now]


@dataclass
class Disk:
    """The files of one session as they are now, and which names would survive.

    Attributes:
        files: Contents.
        pending: Names that were not synced with their folder.
    """

    files: dict[Path, File] = field(default_factory=dict)
    pending: set[Path] = field(default_factory=set)

    def do(self, op: Op) -> None:
        """Do one step."""
        match op.kind:
            case "file":
                self.pending.add(op.path)
                self.files[op.path] = File()
            case "folder":
                self.pending.add(op.path)
            case "write":
                self.files[op.path].write(op.data)
            case "write at":
                self.files[op.path].write_at(op.data, op.size)
            case "cut":
                self.files[op.path].cut(op.size)
            case "sync":
                self.files[op.path].sync()
            case "sync folder":
                self.pending = {name for name in self.pending if name.parent != op.path}
            case "promise":
                pass

    def survivors(self, journal: Path) -> list[tuple[bool, tuple[bytes, ...]]]:
        """Give, for every set of lost names, if the journal is there, and what is kept.

        A folder that is lost takes with it what is in it.
        """
        pending = sorted(self.pending)
        found: dict[tuple[bool, tuple[bytes, ...]], None] = {}
        for lost in _subsets(pending):
            there = [path for path in self.files if not _is_below(path, lost)]
            others = [self.files[path] for path in there if path != journal]
            for kept in itertools.product(*(file.plain_variants() for file in others)):
                found[journal in there, kept] = None
        return list(found)


def _subsets(names: Sequence[Path]) -> Iterator[frozenset[Path]]:
    for size in range(len(names) + 1):
        yield from map(frozenset, itertools.combinations(names, size))


def _is_below(path: Path, lost: frozenset[Path]) -> bool:
    return path in lost or not lost.isdisjoint(path.parents)


def losses(
    disk: Disk, journal: Path, sector: int, rng: random.Random, count: int
) -> Iterator[State]:
    """Give disks that a power failure may leave now: all if they are few, or *count*.

    Args:
        disk: As the processes see it.
        journal: The file whose sectors are told apart.
        sector: Bytes that reach the disk together, or not.
        rng: Where there are too many.
        count: How many are drawn then; up to four times as many are few.
    """
    survivors = disk.survivors(journal)
    lost = [kept for there, kept in survivors if not there]
    yield from (State(None, kept) for kept in lost)
    kepts = [kept for there, kept in survivors if there]
    if not kepts:
        return
    region = _Region(disk.files[journal], sector, rng)
    choices = region.choices()
    sizes = region.sizes()
    combinations = math.prod(map(len, choices)) * len(sizes) * len(kepts)
    if combinations <= FEW * count:
        for parts in itertools.product(*choices):
            whole = region.join(parts)
            for size, kept in itertools.product(sizes, kepts):
                yield State(whole[:size], kept)
    else:
        for _ in range(count):
            yield State(region.draw(), rng.choice(kepts))


class _Region:
    """The sectors of a file that hold bytes that were not synced."""

    def __init__(self, file: File, sector: int, rng: random.Random) -> None:
        self._low = file.low
        self._rng = rng
        self._sector = sector
        self._versions = file.versions
        self._bottom = min(map(len, file.versions))
        self._top = max(map(len, file.versions))
        self._first = file.low // sector * sector
        self._head = file.now[: self._first]
        starts = range(self._first, self._top, sector)
        self._steps = [self._of_steps(start) for start in starts]
        self._ends = _interesting(file.versions, file.low)

    def _of_steps(self, start: int) -> list[bytes]:
        """Give what one sector held, oldest first, each once."""
        end = start + self._sector
        held = (version[start:end] for version in self._versions)
        return list(dict.fromkeys(part.ljust(self._sector, b"\0") for part in held))

    def join(self, parts: Iterable[bytes]) -> bytes:
        return self._head + b"".join(parts)

    def choices(self) -> list[list[bytes]]:
        """Give for every sector what it may hold; of garbage, one of each sort."""
        if self._low == self._top:
            return self._steps
        found = []
        for number, steps in enumerate(self._steps):
            harm = [self._harmed(number, sort) for sort in range(4)]
            found.append(list(dict.fromkeys([*steps, *harm])))
        return found

    def sizes(self) -> list[int]:
        """Give every size that the file had, and some in between."""
        sizes = {len(version) for version in self._versions}
        if len(self._versions) > 1:
            sizes |= {self._between() for _ in range(2)}
        return sorted(sizes)

    def _between(self) -> int:
        if self._ends and self._rng.random() < 0.5:
            near = self._rng.choice(self._ends) + self._rng.choice((-1, 0, 1))
            return min(self._top, max(self._bottom, near))
        return self._rng.randint(self._bottom, self._top)

    def _harmed(self, number: int, sort: int) -> bytes:
        """Give one sector whose bytes that were not synced are no good."""
        rng, start = self._rng, self._first + number * self._sector
        kept = max(0, self._low - start)
        steps = self._steps[number]
        now, old = steps[-1], steps[0]
        if sort == 0:
            return now[:kept].ljust(self._sector, b"\0")
        if sort == 1:
            return now[:kept] + rng.randbytes(self._sector - kept)
        if sort == 2:
            harmed = bytearray(rng.choice(steps))
            for _ in range(rng.choice((1, 1, 2, 8))):
                harmed[self._spot(start, kept)] ^= 1 << rng.randrange(8)
            return bytes(harmed)
        at = self._spot(start, kept)
        rest = rng.choice((old, bytes(self._sector), rng.randbytes(self._sector)))
        return now[:at] + rest[at:]

    def _spot(self, start: int, kept: int) -> int:
        """Give a place in a sector; the end of a line more often than not."""
        stop = min(self._sector, self._top - start)
        ends = [end - start for end in self._ends if kept <= end - start < stop]
        if ends and self._rng.random() < 0.5:
            return max(kept, self._rng.choice(ends) - self._rng.randint(0, 1))
        return self._rng.randrange(kept, stop)

    def draw(self) -> bytes:
        """Give one disk by chance: a little wrong, or all in disorder."""
        rng, count = self._rng, len(self._steps)
        way = rng.random()
        # Up to some sector one moment, from there on another: written in order.
        moments = [rng.choice(self._versions), rng.choice(self._versions)]
        if rng.random() < 0.3:
            moments[1] = max(self._versions, key=len)
        if way < 0.25:
            parts = [self._any(number) for number in range(count)]
        else:
            if way < 0.6:
                moments[0] = self._versions[-1]
            border = rng.randint(0, count) if way < 0.8 else count
            parts = [self._of(moments[n >= border], n) for n in range(count)]
            for _ in range(rng.choice((0, 0, 1, 1, 2))):
                number = rng.randrange(count)
                parts[number] = self._any(number)
        return self.join(parts)[: self._size(moments)]

    def _size(self, moments: list[bytes]) -> int:
        way = self._rng.random()
        if way < 0.3:
            return len(self._versions[-1])
        if way < 0.6:
            return max(map(len, moments))
        if way < 0.8:
            return len(self._rng.choice(self._versions))
        return self._between()

    def _of(self, version: bytes, number: int) -> bytes:
        start = self._first + number * self._sector
        return version[start : start + self._sector].ljust(self._sector, b"\0")

    def _any(self, number: int) -> bytes:
        sort = self._rng.randrange(-3, 4)
        if sort < 0:
            return self._rng.choice(self._steps[number])
        return self._harmed(number, sort)


def _interesting(versions: Iterable[bytes], low: int) -> list[int]:
    """Give the places after the newlines that were not synced."""
    ends: set[int] = set()
    for version in versions:
        at = version.find(b"\n", low)
        while at >= 0:
            ends.add(at + 1)
            at = version.find(b"\n", at + 1)
    return sorted(ends)
