"""Every call of a reader fails or comes short: what it delivers is true.

It may stop with an error after a true beginning. It may not deliver anything else, nor
end as if it were through when it is not.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from faulty import ERRORS, Fault, Faults, FaultyOs, Strike
from journals import HEADER, note, opened, put, sample_lines, seal_all

from kedro_journal.errors import JournalError
from kedro_journal.events import Cursor, SessionClosed
from kedro_journal.journal import follow_file, is_closed, is_held, read, verify
from kedro_journal.journal.port import Os

__all__ = ["READINGS", "Reading", "ReaderPoint", "reader_points"]

_LINES: Final = sample_lines(12, (0, 1_200))
_WHOLE: Final = b"".join(_LINES)
_CLOSED: Final = b"".join(
    seal_all([HEADER, opened(), *map(note, range(5)), SessionClosed()])
)
_JOURNALS: Final = {
    "whole": _WHOLE,
    "of several chunks": b"".join(sample_lines(30, (5_000, 40_000))),
    "torn": _WHOLE[:-40],
    "without its last newline": _WHOLE[:-1],
    "with a damaged newline": _WHOLE[:-1] + b"\xff",
    "damaged": b"".join([*_LINES[:5], b"bad\n", *_LINES[7:]]),
    "closed": _CLOSED,
}


class Heard(NamedTuple):
    """What came of reading.

    Attributes:
        said: What was delivered, in order.
        error: Class of the error that ended it, empty if none.
    """

    said: list[object]
    error: str


@dataclass(frozen=True)
class Reading:
    """A way to read a journal.

    Attributes:
        name: In words.
        say: Delivers what it reads, one by one.
        unsure: What it may say when it could not look; None if it must raise then.
    """

    name: str
    say: Callable[[Path, Os], Iterator[object]]
    unsure: tuple[object, ...] = ()


def _strict(path: Path, port: Os) -> Iterator[object]:
    for record in read(path, port=port):
        yield record.crc


def _salvage(path: Path, port: Os) -> Iterator[object]:
    findings: list[object] = []
    for record in read(path, mode="salvage", on_finding=findings.append, port=port):
        yield record.crc
    yield findings


def _follow(path: Path, port: Os) -> Iterator[object]:
    for record in follow_file(path, stop=lambda: True, port=port):
        yield record.crc


def _follow_from_the_end(path: Path, port: Os) -> Iterator[object]:
    """Whether a follower that has seen everything waits for more."""
    *_, last = read(path, mode="salvage")
    start = Cursor(last.seq, last.end, last.crc)
    waited: list[object] = []

    def stop() -> bool:
        waited.append("waited")
        return True

    yield [r.crc for r in follow_file(path, start=start, stop=stop, port=port)]
    yield waited


def _verify(path: Path, port: Os) -> Iterator[object]:
    yield verify(path, port)


def _closed(path: Path, port: Os) -> Iterator[object]:
    yield is_closed(path, port)


def _held(path: Path, port: Os) -> Iterator[object]:
    fd = os.open(path, os.O_RDWR)
    try:
        yield is_held(path, port)
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield is_held(path, port)
    finally:
        os.close(fd)


READINGS: Final = (
    Reading("read", _strict),
    Reading("salvage", _salvage),
    Reading("follow", _follow),
    Reading("follow from the end", _follow_from_the_end),
    Reading("verify", _verify),
    Reading("ask whether it is closed", _closed),
    Reading("ask whether it is held", _held, unsure=(None,)),
)


def _listen(say: Iterator[object]) -> Heard:
    said: list[object] = []
    try:
        said.extend(say)
    except (OSError, JournalError) as error:
        return Heard(said, type(error).__name__)
    return Heard(said, "")


@dataclass(frozen=True)
class ReaderPoint:
    """A reading of a journal, and the call that fails in it."""

    reading: Reading
    journal: str
    path: Path
    truth: Heard
    strike: Strike

    def play(self) -> tuple[int, list[str]]:
        """Read.

        Returns:
            How often it struck, and the promises that were broken.
        """
        faults = Faults(self.strike)
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        try:
            heard = _listen(self.reading.say(self.path, FaultyOs(faults)))
        except Exception as error:
            return len(faults.struck), [f"{self}: {type(error).__name__} left the API"]
        broken = [f"{self}: {what}" for what in self._judge(heard)]
        if len(os.listdir("/proc/self/fd")) > descriptors:  # noqa: PTH208
            broken.append(f"{self}: a descriptor was left open")
        return len(faults.struck), broken

    def _judge(self, heard: Heard) -> list[str]:  # noqa: PLR0911 - a table
        truth, unsure = self.truth, self.reading.unsure
        if unsure and heard.error:
            return [f"{heard.error}, where an answer was promised"]
        if unsure:
            pairs = zip(heard.said, truth.said, strict=True)
            wrong = [said for said, true in pairs if said not in (true, *unsure)]
            return [f"said {said}" for said in wrong]
        if heard == truth:
            return []
        if heard.said != truth.said[: len(heard.said)]:
            return ["delivered what is not there"]
        if not heard.error:
            return ["ended as if it were through"]
        if heard.error == "CorruptJournal":
            return ["called the journal damaged where it is not"]
        return []

    def __str__(self) -> str:
        fault: Fault | str = self.strike.fault
        fault = errno.errorcode[fault] if isinstance(fault, int) else fault
        lasting = " and on" if self.strike.lasting else ""
        at = f"{fault} at call {self.strike.at}{lasting}"
        return f"{self.reading.name}, a journal {self.journal}, {at}"


def reader_points(folder: Path) -> Iterator[ReaderPoint]:
    """Give every point of every reading; the journals are put below *folder*."""
    for number, (journal, data) in enumerate(_JOURNALS.items()):
        path = put(folder / f"read{number}", data)
        for reading in READINGS:
            faults = Faults()
            truth = _listen(reading.say(path, FaultyOs(faults)))
            for at, call in enumerate(faults.calls, 1):
                kinds: tuple[Fault, ...] = ERRORS
                if call == "read_at":
                    kinds = (*ERRORS, "short")
                for fault in kinds:
                    for lasting in (False, True):
                        strike = Strike(at, fault, lasting)
                        yield ReaderPoint(reading, journal, path, truth, strike)
