"""A journal cut at every byte, as a death in the middle of a write leaves it.

Each cut is opened by a new writer, which repairs and appends; then its result is cut
again, somewhere, and repaired again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from journals import join, note, parse, put, sized_lines

from kedro_journal.events import Record
from kedro_journal.journal import JournalWriter, decode
from kedro_journal.journal.lines import LineBuffer
from kedro_journal.journal.lock import FcntlBackend
from kedro_journal.journal.port import Os

from .account import Account, Say, Suite

__all__ = ["SUITE", "QuickOs", "run"]

Make = Callable[..., JournalWriter]


class QuickOs(Os):
    """The real kernel, without waiting for its disk; what is set aside is counted."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def sync(self, fd: int) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass

    def write_new(self, path: Path, data: bytes) -> None:
        self.kept.append(data)


class Cutter:
    """Cuts one journal at one byte after the other.

    Args:
        path: Where the journal is put.
        data: Its bytes.
        make: Makes the writer that repairs.
    """

    def __init__(self, path: Path, data: bytes, make: Make = join) -> None:
        self.data = data
        self.path = put(path, data)
        self.original = parse(data)
        found = [decode(line.data, line.offset, line.end) for line in lines_of(data)]
        self.ends = [record.end for record in found if isinstance(record, Record)]
        self.port = QuickOs()
        self._backend = FcntlBackend()
        self._make = make

    def strike(self, cut: int) -> str:  # noqa: PLR0911 - one for each way to be wrong
        """Cut, reopen, append, read. Says what is wrong; empty if nothing is."""
        self._put(self.data[:cut])
        aside = len(self.port.kept)
        adopted = cut + 1 in self.ends
        kept = sum(end <= cut for end in self.ends) + adopted
        trouble = self._append("after")
        if trouble:
            return trouble
        raw = self.path.read_bytes()
        whole = self.ends[kept - 1]
        if raw[:whole] != self.data[:whole]:
            return "bytes before the last newline were changed"
        try:
            found = parse(raw)
        except AssertionError:
            return "a line that is no record is left"
        if found[:kept] != self.original[:kept]:
            return "records were changed"
        repaired = ["journal.repaired"] if cut not in self.ends else []
        added = [record.type for record in found[kept:]]
        if added != [*repaired, "writer.opened", "note.added"]:
            return f"after the cut came {added}"
        if [record.seq for record in found] != list(range(1, len(found) + 1)):
            return "the numbers have gaps"
        torn = cut not in self.ends and not adopted
        if self.port.kept[aside:] != (
            [self.data[self._end_before(cut) : cut]] if torn else []
        ):
            return "what was cut off was not kept aside, byte for byte"
        return ""

    def strike_again(self, cut: int) -> str:
        """Cut what `strike` left, at a byte behind the first record, once more."""
        before = self.path.read_bytes()
        records = parse(before)
        self._put(before[:cut])
        trouble = self._append("again")
        if trouble:
            return trouble
        try:
            found = parse(self.path.read_bytes())
        except AssertionError:
            return "a line that is no record is left after the second cut"
        kept = before[:cut].count(b"\n")
        if found[:kept] != records[:kept]:
            return "the second cut changed records"
        if [record.seq for record in found] != list(range(1, len(found) + 1)):
            return "the numbers have gaps after the second cut"
        return ""

    def _end_before(self, cut: int) -> int:
        return max(end for end in self.ends if end <= cut)

    def _put(self, data: bytes) -> None:
        with self.path.open("r+b") as out:  # emptied first, the file would be synced
            out.write(data)
            out.truncate()

    def _append(self, text: str) -> str:
        writer = self._make(self.path.parent, backend=self._backend, port=self.port)
        try:
            writer.append(note(text))
        except Exception as error:
            return f"the append raised {type(error).__name__}: {error}"
        finally:
            writer.close()
        return ""


def lines_of(data: bytes):  # type: ignore[no-untyped-def]
    """Give the whole lines of a journal."""
    return LineBuffer().feed(data)


def run(count: int, folder: Path, seed: int, say: Say, make: Make = join) -> Account:
    """Cut journals of ever other sizes at every byte behind the first line."""
    rng = random.Random(seed)
    account = Account(figures={"cut again": 0, "torn": 0, "adopted": 0})
    number = 0
    while account.count < count:
        number += 1
        sizes = [rng.choice((0, 100, 300, 1000, 4200, 9000)) for _ in range(6)]
        cutter = Cutter(folder / str(number), b"".join(sized_lines(*sizes)), make)
        # Before the first newline there is no journal yet.
        for cut in range(cutter.ends[0], len(cutter.data) + 1):
            trouble = cutter.strike(cut)
            account.add("adopted", cut + 1 in cutter.ends)
            account.count += 1
            if not trouble and cut % 8 == 0:
                size = cutter.path.stat().st_size
                trouble = cutter.strike_again(rng.randrange(cutter.ends[0], size + 1))
                account.add("cut again")
            if trouble:
                account.violations.append(f"cut at byte {cut} of {sizes}: {trouble}")
            if account.count % 20_000 == 0:
                say(f"{account.count:,} cuts")
            if account.count >= count or len(account.violations) > 100:
                break
        account.add("torn", len(cutter.port.kept))
        if account.violations:
            break
    return account


SUITE = Suite(
    name="cuts",
    fault="cut at every byte, reopened, repaired, appended to, read",
    unit="cuts",
    full=200_000,
    small=10_000,
    run=run,
)
