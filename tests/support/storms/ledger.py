"""What a journal really holds, set against what its writers say they wrote.

Writers name each note after themselves and count: `c7 0`, `c7 1`, ... So the journal
alone tells whether something is there twice, or not in its writer's order.
"""

from __future__ import annotations

from array import array
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from kedro_journal.events import JournalRepaired, NoteAdded
from kedro_journal.journal import Finding, read

from .account import Account

__all__ = ["Ledger"]


class Ledger:
    """One journal, read to its end past any damage, without the payloads.

    Args:
        path: The journal file. Nobody writes there any more.

    Attributes:
        crcs: The checksum of each record: what a live tail must have delivered.
        records: How many there are.
        writers: How many writers opened it.
        seq_errors: Records whose number is not the one after the number before.
        duplicates: Notes that are there more than once.
        repairs: How often each kind of repair was made.
        damage: Findings that are no torn tail.
    """

    def __init__(self, path: Path) -> None:
        self.crcs: list[str] = []
        self.records = self.writers = self.seq_errors = 0
        self.repairs: Counter[str] = Counter()
        self._numbers: dict[str, array[int]] = {}  # in the order of the journal
        self._places: dict[str, array[int]] = {}  # which record each of them is
        findings: list[Finding] = []
        last_seq = 0
        for record in read(path, mode="salvage", on_finding=findings.append):
            self.records += 1
            self.seq_errors += record.seq != last_seq + 1
            last_seq = record.seq
            self.crcs.append(record.crc)
            event = record.event
            if isinstance(event, NoteAdded):
                self._take(event.text)
            elif isinstance(event, JournalRepaired):
                self.repairs[event.action] += 1
            self.writers += record.type == "writer.opened"
        self.damage = [found for found in findings if found.severity != "info"]
        self._sets = {name: set(given) for name, given in self._numbers.items()}
        self.duplicates = sum(
            len(given) - len(self._sets[name]) for name, given in self._numbers.items()
        )

    def _take(self, text: str) -> None:
        name, _, number = text.partition(" ")
        if number:
            self._numbers.setdefault(name, array("q")).append(int(number))
            self._places.setdefault(name, array("q")).append(self.records)

    def __len__(self) -> int:
        """Give how many different notes there are."""
        return sum(map(len, self._sets.values()))

    def missing(self, acknowledged: Iterable[str]) -> list[str]:
        """Give the notes of *acknowledged* that are not there."""
        return [text for text in acknowledged if not self._has(text)]

    def _has(self, text: str) -> bool:
        name, _, number = text.partition(" ")
        return int(number) in self._sets.get(name, ())

    def out_of_order(self) -> Iterator[str]:
        """Name the writers whose notes do not count 0, 1, 2, ... without a gap."""
        for name, given in self._numbers.items():
            if any(number != place for place, number in enumerate(given)):
                yield name

    def counts(self) -> dict[str, int]:
        """Give how many different notes each writer has."""
        return {name: len(given) for name, given in self._sets.items()}

    def shares_when_the_first_was_done(self, names: Collection[str]) -> list[int]:
        """Give what each of *names* had got in when one of them had got in its last.

        A writer that starves shows here, also if it gets everything in later.
        """
        places = [self._places.get(name, array("q", [0])) for name in names]
        first = min((given[-1] for given in places), default=0)
        return [bisect(given, first) for given in places]

    def judge(self, account: Account) -> None:
        """Count what is wrong in itself, and say it."""
        account.add("duplicates", self.duplicates)
        account.add("seq errors", self.seq_errors)
        account.violations += [f"{found.kind}: {found.detail}" for found in self.damage]
        if self.duplicates:
            account.violations.append(f"{self.duplicates} notes are there twice")
        if self.seq_errors:
            account.violations.append(f"{self.seq_errors} numbers are out of sequence")
        account.violations += [
            f"{name}: out of its order or with a gap" for name in self.out_of_order()
        ]
