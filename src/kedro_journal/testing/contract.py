"""What every journal must do, wherever it keeps its records."""

# ruff: noqa: S101 - a contract asserts

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from kedro_journal.errors import JournalClosed, JournalError, RecordTooLarge
from kedro_journal.events import (
    JournalHeader,
    NoteAdded,
    Record,
    SessionClosed,
    SessionCreated,
    UnknownEvent,
    WriterOpened,
)
from kedro_journal.journal import PAYLOAD_MAX_BYTES, Journal

__all__ = ["JournalContract"]


def _note(number: int) -> NoteAdded:
    return NoteAdded(text=f"note {number}")


class JournalContract:
    """Every journal passes these. Subclass it in your tests and name it `Test...`.

    Provide a fixture `journal`, a new and empty journal, and `read_back`.
    """

    __test__ = False

    def __init_subclass__(cls) -> None:
        """Let pytest collect the subclasses."""
        cls.__test__ = True

    def read_back(self, journal: Journal) -> Sequence[Record]:
        """Return every record of the journal, as a reader sees them now.

        Raises:
            NotImplementedError: The subclass does not say how.
        """
        raise NotImplementedError

    def test_the_first_records_are_the_header_and_the_writer(
        self, journal: Journal
    ) -> None:
        """A journal says what it is, and who writes, before anything else."""
        journal.append(_note(1))
        first, second, *_ = self.read_back(journal)
        assert isinstance(first.event, JournalHeader)
        assert isinstance(second.event, WriterOpened)

    def test_reads_back_what_was_appended_in_order(self, journal: Journal) -> None:
        """Events come back equal and in the order of their appends."""
        events = [SessionCreated(session_id="s"), *map(_note, range(20))]
        for event in events:
            journal.append(event)
        assert [record.event for record in self.read_back(journal)][2:] == events

    def test_append_gives_the_records_that_are_read_back(
        self, journal: Journal
    ) -> None:
        """What an append returns is what stands in the journal."""
        given = journal.append(_note(1), _note(2)) + journal.append(_note(3))
        assert given == list(self.read_back(journal))[2:]

    def test_numbers_have_no_gaps_and_checksums_chain(self, journal: Journal) -> None:
        """`seq` counts from 1, and each record names the one before."""
        for number in range(9):
            journal.append(*(_note(number) for _ in range(number % 3 + 1)))
        found = list(self.read_back(journal))
        assert [record.seq for record in found] == list(range(1, len(found) + 1))
        assert [r.prev for r in found] == ["00000000", *(r.crc for r in found[:-1])]

    def test_an_empty_batch_appends_no_event(self, journal: Journal) -> None:
        """Nothing in, nothing out."""
        journal.append(_note(1))
        before = list(self.read_back(journal))
        assert journal.append() == []
        assert list(self.read_back(journal)) == before

    def test_a_closed_journal_takes_no_more(self, journal: Journal) -> None:
        """After `session.closed` every append is refused and leaves no trace."""
        journal.append(SessionClosed())
        before = list(self.read_back(journal))
        assert _error(lambda: journal.append(_note(1))) is JournalClosed
        assert list(self.read_back(journal)) == before

    def test_nothing_follows_the_closing_event_in_one_batch(
        self, journal: Journal
    ) -> None:
        """A batch that goes on after `session.closed` is refused as a whole."""
        journal.append(_note(1))
        before = list(self.read_back(journal))
        assert _error(lambda: journal.append(SessionClosed(), _note(2))) is (
            JournalClosed
        )
        assert list(self.read_back(journal)) == before

    def test_a_record_over_the_limit_is_refused(self, journal: Journal) -> None:
        """The limit is checked before anything is written, also within a batch."""
        journal.append(_note(1))
        before = list(self.read_back(journal))
        large = NoteAdded(text="x" * PAYLOAD_MAX_BYTES)
        assert _error(lambda: journal.append(_note(2), large)) is RecordTooLarge
        assert list(self.read_back(journal)) == before

    def test_an_event_of_an_unknown_type_keeps_its_bytes(
        self, journal: Journal
    ) -> None:
        """What a newer version wrote is carried on byte for byte."""
        event = UnknownEvent(
            type='node."paused"\n', version=3, raw=b'{"x": 1.50, "y":[ ]}'
        )
        journal.append(event)
        assert list(self.read_back(journal))[-1].event == event

    def test_bytes_that_would_break_a_line_are_refused(self, journal: Journal) -> None:
        """A newline inside an encoded event would make two lines of one record."""
        journal.append(_note(1))
        before = list(self.read_back(journal))
        event = UnknownEvent(type="x", raw=b'{\n"v":1}')
        assert _error(lambda: journal.append(event)) is ValueError
        assert list(self.read_back(journal)) == before

    def test_threads_take_turns(self, journal: Journal) -> None:
        """Appends of several threads are all there, each thread's in its order."""
        threads = [
            threading.Thread(
                target=lambda name=name: [
                    journal.append(NoteAdded(text=f"{name} {number}"))
                    for number in range(25)
                ]
            )
            for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = list(self.read_back(journal))
        texts = [r.event.text for r in found if isinstance(r.event, NoteAdded)]
        assert [record.seq for record in found] == list(range(1, 103))
        for name in "abcd":
            mine = [text for text in texts if text.startswith(name)]
            assert mine == [f"{name} {number}" for number in range(25)]


def _error(call: Callable[[], object]) -> type[Exception] | None:
    try:
        call()
    except (JournalError, ValueError) as error:
        return type(error)
    return None
