"""The quick way of plain events right behind the writer's last: the same, sooner."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

import pytest
from events_strategy import events
from faulty import Fault, Faults, FaultyLock, FaultyOs, Strike
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import HEADER, create, file, join, note, opened, salvage, texts
from msgspec.structs import replace

from kedro_journal.errors import (
    JournalBusy,
    JournalClosed,
    JournalError,
    JournalUnwritable,
)
from kedro_journal.events import (
    ErrorInfo,
    Event,
    NodeFailed,
    NoteAdded,
    Record,
    RunFailed,
    SessionClosed,
    SessionCreated,
    UnknownEvent,
)
from kedro_journal.journal import JournalWriter, read
from kedro_journal.journal.codec import Encoded, encode_event, is_plain
from kedro_journal.journal.lock import FcntlBackend
from kedro_journal.journal.port import Os

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ON_THE_SECOND = AT.replace(microsecond=0)
T = TypeVar("T")
ZONE = timezone(timedelta(hours=5, minutes=30))


class Quick(JournalWriter):
    """Counts the appends that went the quick way."""

    quick = 0

    def _append_next(self, batch: Sequence[Encoded]) -> list[Record] | None:
        records = super()._append_next(batch)
        self.quick += records is not None
        return records


class Whole(JournalWriter):
    """Every event goes the whole way."""

    def _append_next(self, batch: Sequence[Encoded]) -> list[Record] | None:
        return None


class Still(Os):
    """A clock that stands, and a disk that nobody waits for."""

    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sync(self, fd: int) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


def quick(folder: Path, **options: object) -> Quick:
    """Give a writer that has begun a new journal: what comes next goes the quick way."""
    folder.mkdir(exist_ok=True)
    writer = Quick(folder, opened(), header=HEADER, **options)  # type: ignore[arg-type]
    writer.append(note("before"))
    return writer


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no look at the file come due while a test waits for a busy machine."""
    if "clock" not in request.fixturenames:
        monkeypatch.setattr("kedro_journal.journal.writer._DELETED_AFTER_S", 3600)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the monotonic clock: it stands until a test moves it."""
    now = [1000.0]
    monkeypatch.setattr("kedro_journal.journal.writer.monotonic_s", lambda: now[0])
    return now


# --- both ways are one ------------------------------------------------------------

moments = st.datetimes(
    min_value=datetime(1970, 1, 2),
    max_value=datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, ZONE]),
) | st.sampled_from([AT, ON_THE_SECOND, ON_THE_SECOND.astimezone(ZONE)])
# Mostly what goes the quick way; then everything else there is, at its edges too.
small = st.builds(NoteAdded, text=st.text(max_size=20))
strange = st.builds(
    UnknownEvent,
    type=st.sampled_from(["node.paused", "session.closed", 'odd"\\', "\u00e9t\u00e9"]),
    version=st.integers(0, 3),
    raw=st.sampled_from(
        [b"{}", b'{"x":"{"}', b'{"x":"["}', b'{"x":[]}', b'{"x":{}}', b"7", b'"{"']
    ),
)
appends = st.lists(
    st.tuples(
        st.lists(small, min_size=1, max_size=3)
        | st.lists(small | strange | events, min_size=1, max_size=2),
        st.none() | moments,
        st.sampled_from(["append", "append_encoded"]),
    ),
    max_size=8,
)


def outcome(
    writer: JournalWriter, together: list[Event], at: datetime | None, how: str
) -> object:
    try:
        if how == "append":
            return writer.append(*together, at=at)
        batch = [Encoded(event, encode_event(event)) for event in together]
        return writer.append_encoded(replace(batch[0], at=at), *batch[1:])
    except (JournalError, ValueError) as error:
        return type(error)


@settings(deadline=None)
@given(now=moments, todo=appends)
def test_both_ways_write_the_same_bytes_and_give_the_same_records(
    now: datetime, todo: list[tuple[list[Event], datetime | None, str]]
) -> None:
    plain = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr("kedro_journal.journal.writer.monotonic_s", lambda: 1000.0)
        writers: list[JournalWriter] = []
        for kind in (Quick, Whole):
            (Path(folder) / kind.__name__).mkdir()
            writers.append(
                kind(
                    Path(folder) / kind.__name__,
                    opened(),
                    header=HEADER,
                    port=Still(now.astimezone(UTC)),
                )
            )
            writers[-1].append()
        one, other = writers
        for together, at, how in todo:
            found = [outcome(writer, together, at, how) for writer in writers]
            assert found[0] == found[1]
            plain += isinstance(found[0], list) and all(
                is_plain(event, encode_event(event)) for event in together
            )
            assert one.path.read_bytes() == other.path.read_bytes()
            assert (one.name, one.seq) == (other.name, other.seq)
        for writer in writers:
            writer.close()
    assert isinstance(one, Quick)
    assert one.quick == plain  # none that could go the quick way went the other


def test_what_needs_looking_into_goes_the_whole_way(tmp_path: Path) -> None:
    writer = quick(tmp_path / "s", port=Still())
    failure = ErrorInfo(type="E")
    for event in (
        note("nested", 10),
        RunFailed(run_id="r", error=failure),
        NodeFailed(run_id="r", node="n", error=failure),
        SessionCreated(session_id="s"),
        UnknownEvent(type="x", version=2, raw=b'{"x":[]}'),
    ):
        writer.append(event)
        assert writer.quick == 0
    with pytest.raises(ValueError, match="holds a newline"):
        writer.append(UnknownEvent(type="x", version=2, raw=b'{\n"x":1}'))
    with pytest.raises(JournalError):
        writer.append(note("x" * 300_000))
    writer.append(note("a"), note("nested", 10))
    assert writer.append() == []
    assert writer.quick == 0
    writer.append(note("plain"))
    assert writer.quick == 1
    writer.append(note("a"), note("b"))
    assert writer.quick == 2
    writer.append(SessionClosed())
    with pytest.raises(JournalClosed):
        writer.append(note("late"))
    assert writer.quick == 2


def test_the_quick_way_is_synced_where_every_append_is(tmp_path: Path) -> None:
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), durability="sync")
    faults.calls.clear()
    writer.append(note("a"))
    assert faults.acts == ["end", "write", "sync"]
    assert writer.quick == 1


def test_the_quick_way_is_synced_soon_at_level_group(tmp_path: Path) -> None:
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), durability="group")
    faults.synced_behind.clear()
    writer.append(note("a"))
    assert writer.quick == 1
    assert faults.synced_behind.wait(30)
    writer.close()


# --- what it costs ----------------------------------------------------------------


def test_a_plain_append_makes_five_calls_and_locks_once(
    tmp_path: Path, clock: list[float]
) -> None:
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), backend=FaultyLock(faults))
    plain = ["position", "try_lock", "end", "write", "unlock"]
    assert "now" not in faults.calls  # a clock fails in no system
    for _ in range(3):
        faults.calls.clear()
        writer.append(note("a"))
        assert faults.calls == plain
    faults.calls.clear()
    writer.append(note("a"), note("b"))  # several of them, or nested ones, too
    writer.append(note("nested", 10))
    assert faults.acts == plain[1:] * 2
    faults.calls.clear()
    writer.append(SessionCreated(session_id="s"))
    assert faults.acts == ["try_lock", "stat", "write", "unlock", "sync"]
    assert writer.quick == 4


@pytest.mark.parametrize("at", [None, AT])
def test_the_clock_is_asked_once_and_a_time_that_is_given_counts(
    tmp_path: Path, at: datetime | None
) -> None:
    class Asked(Still):
        count = 0

        def now(self) -> datetime:
            self.count += 1
            return super().now()

    writer = quick(tmp_path / "s", port=(port := Asked()))
    before = port.count
    (record,) = writer.append(note("a"), at=at)
    assert (record.at, port.count - before) == (AT, 1)
    assert writer.quick == 1


# --- what others did since --------------------------------------------------------


def others_write(folder: Path) -> None:
    join(folder).append(note("others"))


def others_write_much(folder: Path) -> None:
    join(folder).append(*(note("others", 50_000) for _ in range(3)))


def others_tear(folder: Path) -> None:
    with file(folder).open("ab") as out:
        out.write(b'{"v":1,"seq":')


def others_damage(folder: Path) -> None:
    with file(folder).open("ab") as out:
        out.write(b"bad\n")


def others_cut(folder: Path) -> None:
    os.truncate(file(folder), list(read(file(folder)))[-1].offset)


@pytest.mark.parametrize(
    ("meanwhile", "found", "findings"),
    [
        (others_write, ["others"], []),
        (others_write_much, ["others"] * 3, []),
        (others_tear, [], []),
        (others_damage, [], ["records lost"]),
        (others_cut, None, ["records missing"]),
    ],
    ids=["written", "written much", "torn", "damaged", "cut"],
)
def test_what_others_did_since_is_seen(
    tmp_path: Path,
    meanwhile: Callable[[Path], None],
    found: list[str] | None,
    findings: list[str],
) -> None:
    writer = quick(tmp_path / "s")
    writer.append(note("a"))
    writer.append(note("b"))
    assert writer.quick == 2
    meanwhile(tmp_path / "s")
    writer.append(note("c"))
    assert writer.quick == 2
    writer.append(note("d"))
    assert writer.quick == 3
    records, told = salvage(tmp_path / "s")
    before = ["before", "a"] if found is None else ["before", "a", "b", *found]
    assert texts(records) == [*before, "c", "d"]
    assert [finding.kind for finding in told] == findings
    seqs = [record.seq for record in records]
    assert seqs == sorted(set(seqs))


def test_a_journal_that_others_closed_is_closed(tmp_path: Path) -> None:
    writer = quick(tmp_path / "s")
    join(tmp_path / "s").append(SessionClosed())
    for _ in range(2):
        with pytest.raises(JournalClosed):
            writer.append(note("late"))
    assert writer.quick == 0


@settings(deadline=None, max_examples=50)
@given(turns=st.lists(st.integers(0, 2), max_size=20))
def test_writers_in_any_order_number_their_events_without_a_gap(
    turns: list[int],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        writers = [quick(Path(folder) / "s")]
        writers += [Quick(Path(folder) / "s", opened("worker")) for _ in range(2)]
        for number, turn in enumerate(turns):
            (record,) = writers[turn].append(note(number))
            assert record.writer == writers[turn].name
        records, findings = salvage(Path(folder) / "s")
        for writer in writers:
            writer.close()
    assert findings == []
    assert texts(records) == ["before", *map(str, range(len(turns)))]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))


# --- a journal that is gone -------------------------------------------------------


def test_a_deleted_journal_is_noticed_within_a_twentieth_of_a_second(
    tmp_path: Path, clock: list[float]
) -> None:
    """By what is appended, however often, and whichever way that goes."""
    for number, events_ in enumerate(
        [(note("a"),), (note("a"), note("b")), (note("nested", 10),)]
    ):
        writer = quick(tmp_path / str(number), port=Still())
        clock[0] += 0.049
        writer.append(*events_)
        writer.path.unlink()
        writer.append(*events_)
        clock[0] += 0.001
        with pytest.raises(JournalUnwritable, match="the journal was deleted"):
            writer.append(*events_)
        assert not writer.path.exists()


def test_a_look_that_found_the_journal_is_good_for_as_long_again(
    tmp_path: Path, clock: list[float]
) -> None:
    writer = quick(tmp_path / "s", port=Still())
    for _ in range(3):
        clock[0] += 0.05
        writer.append(note("a"))
        assert writer.quick == 0
    clock[0] += 0.049
    writer.append(note("a"))
    assert writer.quick == 1
    writer.path.unlink()
    clock[0] += 0.001
    with pytest.raises(JournalUnwritable, match="the journal was deleted"):
        writer.append(note("a"))


@pytest.mark.parametrize(
    "event",
    [
        SessionCreated(session_id="s"),
        RunFailed(run_id="r", error=ErrorInfo(type="E")),
        NodeFailed(run_id="r", node="n", error=ErrorInfo(type="E")),
        SessionClosed(),
    ],
    ids=lambda event: event.TYPE,
)
def test_a_deleted_journal_is_noticed_at_once_by_how_things_begin_and_end(
    tmp_path: Path, clock: list[float], event: Event
) -> None:
    writer = quick(tmp_path / "s", port=Still())
    writer.append(note("a"))
    writer.path.unlink()
    with pytest.raises(JournalUnwritable, match="the journal was deleted"):
        writer.append(event)


# --- what goes wrong in it --------------------------------------------------------


@pytest.mark.parametrize("cut_fails", [False, True])
@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize(
    "fault", [errno.EIO, errno.ENOSPC, errno.EINTR, "short", "short at newline"]
)
def test_a_write_that_fails_leaves_nothing_and_the_next_one_is_right(
    tmp_path: Path, clock: list[float], fault: Fault, others: bool, cut_fails: bool
) -> None:
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), backend=FaultyLock(faults))
    before = writer.path.read_bytes()
    faults.calls.clear()
    cut = Strike(1, errno.EIO, call="truncate")
    faults.strikes = (Strike(1, fault, call="write"), *([cut] if cut_fails else []))
    with pytest.raises(JournalUnwritable):
        writer.append(note("a"))
    assert faults.acts[:3] == ["try_lock", "end", "write"]
    assert "stat" not in faults.calls  # it was the quick way
    if not cut_fails:
        assert writer.path.read_bytes() == before
    if others:
        join(tmp_path / "s", deadline_s=0).append(note("others"))
    writer.append(note("b"))
    writer.append(note("c"))
    assert writer.quick == 1
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    # Others take a line that lacks its newline only for one whose writer was killed.
    kept = ["a"] if fault == "short at newline" and cut_fails and others else []
    came = ["others"] if others else []
    assert texts(found) == ["before", *kept, *came, "b", "c"]


@pytest.mark.parametrize("cut_fails", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_write_that_is_interrupted_leaves_nothing_and_the_next_one_is_right(
    tmp_path: Path, clock: list[float], share: float, cut_fails: bool
) -> None:
    """A signal handler may raise anywhere."""

    class Interrupted(Still):
        armed = False

        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            if not self.armed:
                return super().write(fd, data, end)
            super().write(fd, data[: int(len(data) * share)], end)
            raise KeyboardInterrupt

        def truncate(self, fd: int, size: int) -> None:
            if self.armed and cut_fails:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            super().truncate(fd, size)

    writer = quick(tmp_path / "s", port=(port := Interrupted()))
    before = writer.path.read_bytes()
    port.armed = True
    with pytest.raises(KeyboardInterrupt):
        writer.append(note("a"))
    port.armed = False
    assert (writer.path.read_bytes() == before) is (not cut_fails or share == 0)
    join(tmp_path / "s", deadline_s=0).append(note("others"))
    writer.append(note("b"))
    writer.append(note("c"))
    assert writer.quick == 1
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    # A line that got through whole is nobody's to take back once others wrote on.
    kept = ["a"] if cut_fails and share == 1 else []
    assert texts(found) == ["before", *kept, "others", "b", "c"]


@pytest.mark.parametrize("call", ["try_lock", "end", "write"])
def test_after_an_error_nothing_is_held(
    tmp_path: Path, clock: list[float], call: str
) -> None:
    """Neither a descriptor nor the lock; and the error is ours, with its number."""
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), backend=FaultyLock(faults))
    faults.calls.clear()
    faults.strikes = (Strike(1, errno.ENOLCK, call=call),)
    with pytest.raises(JournalUnwritable) as caught:
        writer.append(note("a"))
    assert (caught.value.path, caught.value.errno) == (writer.path, errno.ENOLCK)
    assert faults.calls[-1] == "close"
    join(tmp_path / "s", deadline_s=0).append(note("b"))
    writer.append(note("c"))
    assert texts(salvage(tmp_path / "s")[0]) == ["before", "b", "c"]


@pytest.mark.parametrize("call", ["try_lock", "end", "now"])
def test_after_an_interrupt_nobody_waits_for_the_lock(
    tmp_path: Path, clock: list[float], call: str
) -> None:
    """Above all if it came as the lock was got."""
    armed = False

    class Interrupted(Still):
        def end(self, fd: int, beyond: int = 0) -> int:
            return self.then("end", super().end(fd, beyond))

        def now(self) -> datetime:
            return self.then("now", super().now())

        def then(self, name: str, value: T) -> T:
            if armed and name == call:
                raise KeyboardInterrupt
            return value

    class InterruptedLock(FcntlBackend):
        def try_lock(self, fd: int) -> bool:
            got = super().try_lock(fd)
            if armed and call == "try_lock":
                raise KeyboardInterrupt
            return got

    writer = quick(tmp_path / "s", port=Interrupted(), backend=InterruptedLock())
    armed = True
    with pytest.raises(KeyboardInterrupt):
        writer.append(note("a"))
    armed = False
    join(tmp_path / "s", deadline_s=0).append(note("b"))
    writer.append(note("c"))
    writer.append(note("d"))
    assert writer.quick == 1
    assert texts(list(read(writer.path))) == ["before", "b", "c", "d"]


def test_an_unlock_that_fails_closes_the_journal_and_the_record_stands(
    tmp_path: Path, clock: list[float]
) -> None:
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), backend=FaultyLock(faults))
    faults.calls.clear()
    faults.strikes = (Strike(1, errno.EIO, call="unlock"),)
    (record,) = writer.append(note("a"))
    assert faults.acts == ["try_lock", "end", "write", "unlock", "close"]
    assert writer.quick == 1
    join(tmp_path / "s", deadline_s=0).append(note("b"))
    writer.append(note("c"))
    found = list(read(writer.path))
    assert texts(found) == ["before", "a", "b", "c"]
    assert record in found


def test_an_unlock_that_fails_after_nothing_was_done_closes_the_journal(
    tmp_path: Path, clock: list[float]
) -> None:
    """The whole way then opens it again."""
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults), backend=FaultyLock(faults))
    others_write(tmp_path / "s")
    faults.calls.clear()
    faults.strikes = (Strike(1, errno.EIO, call="unlock"),)
    writer.append(note("a"))
    assert faults.acts[:5] == ["try_lock", "end", "unlock", "close", "open_append"]
    assert texts(list(read(writer.path))) == ["before", "others", "a"]


def test_who_finds_the_lock_taken_waits_for_it(tmp_path: Path) -> None:
    class Busy(FcntlBackend):
        answers: tuple[bool, ...] = ()

        def try_lock(self, fd: int) -> bool:
            answer, *rest = self.answers or (True,)
            self.answers = tuple(rest)
            return answer and super().try_lock(fd)

    backend = Busy()
    writer = quick(tmp_path / "s", backend=backend, deadline_s=5)
    backend.answers = (False, False, False, True)
    writer.append(note("a"))
    assert (writer.quick, backend.answers) == (0, ())
    writer.append(note("b"))
    assert writer.quick == 1
    writer = Quick(tmp_path / "s", opened("worker"), backend=backend, deadline_s=0)
    writer.append(note("c"))
    backend.answers = (False,) * 1000
    with pytest.raises(JournalBusy):
        writer.append(note("d"))
    backend.answers = ()
    writer.append(note("e"))
    assert texts(list(read(writer.path))) == ["before", "a", "b", "c", "e"]


def test_the_highest_number_is_the_last_one(tmp_path: Path, clock: list[float]) -> None:
    writer = quick(tmp_path / "s", port=Still())
    before = writer.path.read_bytes()
    writer._end.last = writer._end.last._replace(seq=2**53 - 1)
    with pytest.raises(JournalUnwritable, match="no number is left") as caught:
        writer.append(note("a"))
    assert caught.value.errno == errno.EOVERFLOW
    assert writer.path.read_bytes() == before


def test_the_reserve_is_given_up_also_for_one_plain_event(
    tmp_path: Path, clock: list[float]
) -> None:
    (tmp_path / ".reserve").write_bytes(bytes(100))
    faults = Faults()
    writer = quick(tmp_path / "s", port=FaultyOs(faults))
    faults.calls.clear()
    faults.strikes = (Strike(1, errno.ENOSPC, call="write"),)
    writer.append_encoded(Encoded(note("a"), b'{"text":"a"}'), reserve=True)
    assert not (tmp_path / ".reserve").exists()
    assert texts(list(read(writer.path))) == ["before", "a"]


def test_after_a_failed_sync_it_takes_nothing_more(
    tmp_path: Path, clock: list[float]
) -> None:
    faults = Faults(Strike(1, errno.EIO, call="sync"))
    writer = quick(tmp_path / "s", port=FaultyOs(faults))
    with pytest.raises(JournalUnwritable, match="which is final"):
        writer.append(SessionCreated(session_id="s"))
    for _ in range(2):
        with pytest.raises(JournalUnwritable, match="which is final"):
            writer.append(note("a"))
    assert texts(list(read(writer.path))) == ["before"]
    assert writer.quick == 0


# --- a journal that is being made -------------------------------------------------


def test_nobody_finds_a_new_journal_empty_while_its_name_is_synced(
    tmp_path: Path,
) -> None:
    """That may take long; whoever comes then waits for the header."""
    came: list[str] = []

    class Slow(Still):
        def sync_folder(self, path: Path) -> None:
            try:
                join(tmp_path / "s", deadline_s=0).append(note("early"))
            except JournalError as error:
                came.append(type(error).__name__)

    create(tmp_path / "s", port=Slow()).append(note("a"))
    assert came == ["JournalBusy"] * 2
    assert texts(list(read(file(tmp_path / "s")))) == ["a"]
