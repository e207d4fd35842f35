"""Every way in which bytes can be damaged: nothing altered is accepted in silence.

Bits are flipped, bytes deleted and inserted, lines dropped, doubled, swapped and
brought in from another journal. Exempt is one loss that no scheme within one file can
see: a suffix of whole lines.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from journals import sample_lines

from kedro_journal.events import Cursor, Record
from kedro_journal.journal import Finding, Scanner
from kedro_journal.journal.lines import LineBuffer

from .account import Account, Say, Suite

__all__ = ["SUITE", "Corpus", "scan"]

BYTES_A_LINE = 330  # about; how many lines make a corpus of so many bytes


def scan(
    data: bytes, start: Cursor | None = None
) -> tuple[list[Record], list[Finding]]:
    """Read as `read` does, from memory."""
    scanner = Scanner(start)
    buffer = LineBuffer(scanner.last.offset)
    found = [scanner.take(line) for line in buffer.feed(data)]
    found.append(scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length))
    return [record for record in found if record is not None], scanner.findings


class Corpus:
    """A journal that is damaged, and what it held.

    Args:
        lines: Its lines, newlines included.
    """

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = list(lines)
        self.data = b"".join(lines)
        self.events = {record.seq: record.event for record in scan(self.data)[0]}
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def window(self, number: int) -> tuple[bytes, Cursor, dict[int, object]]:
        """Give a line with the two behind it, the place before, and what they hold.

        After the first good line behind the damage, the reader stands where it would
        have stood without it: two lines show all that it can do.
        """
        last = min(number + 3, len(self.lines))
        window = b"".join(self.lines[number:last])
        crc = self.lines[number - 1][-11:-3].decode() if number else Cursor().crc
        start = Cursor(number, self._starts[number], crc)
        return (
            window,
            start,
            {seq: self.events[seq] for seq in range(number + 1, last + 1)},
        )

    def silent(
        self,
        data: bytes,
        events: Mapping[int, object] | None = None,
        start: Cursor | None = None,
    ) -> str:
        """Say what a damaged journal got past the reader; empty if nothing."""
        original = self.events if events is None else events
        found, findings = scan(data, start)
        first = start.seq if start else 0
        loud = any(finding.severity == "error" for finding in findings)
        for record in found:
            if original.get(record.seq) != record.event and not loud:
                return f"record {record.seq} was altered"
        if loud:
            return ""
        numbers = [record.seq for record in found]
        if numbers != list(range(first + 1, first + len(numbers) + 1)):
            return f"records came as {numbers}"
        shorter = len(numbers) < len(original)
        suffix = data == b"".join(self.lines[first : first + len(numbers)])
        if shorter and not findings and not suffix:
            return f"{len(original) - len(numbers)} records vanished"
        return ""


def flips(corpus: Corpus) -> Iterator[tuple[str, str]]:
    """Flip every bit, one by one."""
    for number in range(len(corpus.lines)):
        window, start, events = corpus.window(number)
        flipped = bytearray(window)
        for position in range(len(corpus.lines[number])):
            for bit in range(8):
                flipped[position] ^= 1 << bit
                what = corpus.silent(bytes(flipped), events, start)
                yield f"bit {bit} of byte {position} in line {number}", what
                flipped[position] ^= 1 << bit


def bytes_out_and_in(corpus: Corpus, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Delete every byte; put a newline, a NUL, a digit and any byte before each."""
    for number in range(len(corpus.lines)):
        window, start, events = corpus.window(number)
        for at in range(len(corpus.lines[number])):
            what = corpus.silent(window[:at] + window[at + 1 :], events, start)
            yield f"byte {at} of line {number} deleted", what
            for byte in (10, 0, 0x31, rng.randrange(256)):
                data = window[:at] + bytes([byte]) + window[at:]
                what = corpus.silent(data, events, start)
                yield f"byte {byte} inserted at {at} of line {number}", what


def whole_lines(corpus: Corpus, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Drop, double, swap lines, and splice in those of another journal."""
    lines, count = corpus.lines, len(corpus.lines)
    foreign = sample_lines(count, (120, 280), seed=rng.randrange(1 << 30) + 2)
    for number in range(count):
        other = rng.randrange(count)
        dropped = [*lines[:number], *lines[number + 1 :]]
        doubled = [*lines[: number + 1], lines[number], *lines[number + 1 :]]
        later = [*lines[: other + 1], lines[number], *lines[other + 1 :]]
        swapped = list(lines)
        swapped[number], swapped[other] = swapped[other], swapped[number]
        put_in = [*lines[:number], foreign[number], *lines[number:]]
        in_place = [*lines[:number], foreign[number], *lines[number + 1 :]]
        for name, changed in (
            ("dropped", dropped),
            ("doubled", doubled),
            ("copied behind another", later),
            ("swapped with another", swapped),
            ("brought in", put_in),
        ):
            yield f"line {number} {name}", corpus.silent(b"".join(changed))
        if number < count - 1:  # the last one has nothing behind it that could tell
            yield f"line {number} replaced", corpus.silent(b"".join(in_place))


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Damage corpora in every way until *count* damages were tried."""
    del folder
    account = Account()
    rng = random.Random(seed)
    # Of a corpus of n bytes there are about 13 n damages.
    number_of_lines = max(12, count // 13 // BYTES_A_LINE)
    corpus = Corpus(sample_lines(number_of_lines, (120, 280), seed=seed))
    account.figures["corpus in bytes"] = len(corpus.data)
    kinds = {
        "flipped bits": flips(corpus),
        "bytes deleted or inserted": bytes_out_and_in(corpus, rng),
        "lines dropped, doubled, swapped, brought in": whole_lines(corpus, rng),
    }
    silent = 0
    for kind, damages in kinds.items():
        account.figures[kind] = 0
        for where, what in damages:
            account.count += 1
            account.add(kind)
            if what:
                silent += 1
                account.violations.append(f"{where}: {what}")
            if account.count % 100_000 == 0:
                say(f"{account.count:,} damages, {silent} of them silent")
    account.figures["silent"] = silent
    return account


SUITE = Suite(
    name="damage",
    fault="single-bit flips, bytes deleted and inserted, whole lines moved",
    unit="damaged journals",
    full=1_330_000,
    small=160_000,
    run=run,
)
