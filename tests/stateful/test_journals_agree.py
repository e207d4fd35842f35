"""Three journals and a list: memory, file and re-opened file always agree."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from events_strategy import events
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from journals import HEADER, create, join, opened
from msgspec.structs import replace

from kedro_journal import state
from kedro_journal.errors import JournalClosed
from kedro_journal.events import Event, SessionClosed, UnknownEvent
from kedro_journal.journal import MemoryJournal, read, verify
from kedro_journal.journal.port import Os

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
OURS = ("journal.header", "writer.opened", "journal.repaired")
# Closing is a rule of its own; the journal's own events are the writer's to make.
batches = st.lists(
    events.filter(
        lambda event: not isinstance(event, SessionClosed) and event.TYPE not in OURS
    ),
    min_size=1,
    max_size=4,
)


class NoSync(Os):
    def sync(self, fd: int) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


class Journals(RuleBasedStateMachine):
    """What was acknowledged is what is there, wherever it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="journals-"))
        self.model: list[Event] = []
        self.closed = False
        self.torn = 0

    @initialize()
    def begin(self) -> None:
        self.memory = MemoryJournal(HEADER, opened())
        self.file = create(self.root / "file", port=NoSync())
        self.reopened = create(self.root / "reopened", port=NoSync())
        for journal in (self.memory, self.file, self.reopened):
            journal.append()  # the header alone, by its own clock

    @rule(batch=batches)
    def append(self, batch: list[Event]) -> None:
        for journal in (self.memory, self.file, self.reopened):
            try:
                found = journal.append(*batch, at=AT)
            except JournalClosed:
                assert self.closed
            else:
                assert not self.closed
                assert [_plain(record.event) for record in found] == [
                    _plain(event) for event in batch
                ]
        if not self.closed:
            self.model += batch

    @rule()
    def reopen(self) -> None:
        self.reopened.close()

    @rule()
    def another_process_takes_over(self) -> None:
        self.reopened.close()
        self.reopened = join(self.root / "reopened", port=NoSync())

    @precondition(lambda self: not self.closed)
    @rule(fragment=st.binary(min_size=1, max_size=40).filter(lambda b: b"\n" not in b))
    def a_writer_dies_in_the_middle_of_a_line(self, fragment: bytes) -> None:
        with self.reopened.path.open("ab") as out:
            out.write(b'{"v":1,"seq":' + fragment)
        self.torn += 1

    @precondition(lambda self: not self.closed)
    @rule()
    def close_the_session(self) -> None:
        for journal in (self.memory, self.file, self.reopened):
            journal.append(SessionClosed(), at=AT)
        self.model.append(SessionClosed())
        self.closed = True

    @invariant()
    def all_agree_with_the_list(self) -> None:
        if not hasattr(self, "memory"):
            return
        expected = [_plain(event) for event in self.model]
        kept = {
            "memory": list(self.memory.read()),
            "file": list(read(self.file.path)),
            "reopened": list(read(self.reopened.path)),
        }
        for where, found in kept.items():
            events = [_plain(r.event) for r in found if r.event.TYPE not in OURS]
            assert events == expected, where
            assert [record.seq for record in found] == list(range(1, len(found) + 1))
        whole = state.fold(kept["memory"])
        other = state.fold(kept["file"])
        assert replace(whole, updated_at=None) == replace(other, updated_at=None)
        assert whole.status == state.fold(kept["reopened"]).status

    @invariant()
    def every_prefix_by_record_opens(self) -> None:
        if not hasattr(self, "memory"):
            return
        found = list(read(self.file.path))
        for count in range(len(found) + 1):
            assert state.fold(found[:count]).seq == count

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            findings = [
                finding.kind
                for finding in verify(self.reopened.path).findings
                if finding.kind != "unknown event"
            ]
            assert findings in ([], ["torn tail"])
            self.file.close()
            self.reopened.close()
        shutil.rmtree(self.root)


def _plain(event: Event) -> object:
    """An event of a known name that does not fit it comes back as unknown."""
    if isinstance(event, UnknownEvent):
        return event.type, event.version, event.raw
    return event


TestJournals = Journals.TestCase
TestJournals.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
