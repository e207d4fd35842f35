"""Notes and log records: redacted, bounded, never in the way of who makes them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journals import HEADER, opened

import kedro_journal
from kedro_journal import active
from kedro_journal.active import Where
from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import (
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    NoteAdded,
    PlannedNode,
    Record,
    RunStarted,
    SessionClosed,
    SessionCreated,
)
from kedro_journal.journal import MemoryJournal
from kedro_journal.journal.codec import Encoded
from kedro_journal.logging import JournalHandler
from kedro_journal.recording.log_limit import NODE_MAX, RUN_MAX
from kedro_journal.recording.notes import FIELDS_MAX_BYTES, TEXT_MAX_CHARS, add_note
from kedro_journal.recording.recorder import Recorder
from kedro_journal.redaction import Redactor
from kedro_journal.state import SessionState

NO_SESSION = "There is no active Kedro session."


class Session:
    """A session in memory, as `innermost()` finds one."""

    journal_folder: Path | None = None

    def __init__(self, journal: MemoryJournal | None, *, strict: bool = False) -> None:
        self.session_id = "s"
        self.journal = journal
        self.recorder = Recorder(
            journal,
            session_id="s",
            folder=None,
            redactor=Redactor(),
            strict=strict,
        )

    @property
    def state(self) -> SessionState:
        return self.recorder.state()

    def notes(self) -> list[NoteAdded]:
        assert self.journal is not None
        found = [record.event for record in self.journal.read()]
        return [event for event in found if isinstance(event, NoteAdded)]


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(MemoryJournal(HEADER, opened()))
    made.recorder.record(SessionCreated(session_id="s"))
    active.enter(made)
    yield made
    active.leave(made)
    active.bind(None)


@pytest.fixture
def log() -> logging.Logger:
    """A logger of its own: pytest's handler raises where others do not."""
    logger = logging.Logger("mill", logging.DEBUG)
    logger.addHandler(JournalHandler("INFO"))
    return logger


class TestNotes:
    def test_a_note_names_what_its_thread_works_for(self, session: Session) -> None:
        kedro_journal.note("before", n=1)
        active.bind(session, Where("s", "r", 2, "train"))
        kedro_journal.note("in a node")
        thread = threading.Thread(target=kedro_journal.note, args=("elsewhere",))
        thread.start()
        thread.join()
        active.bind(session, Where("another session", "r", 2, "train"))
        kedro_journal.note("of another's node")

        found = [(n.text, n.run_id, n.attempt, n.node) for n in session.notes()]
        assert [
            ("before", None, 1, None),
            ("in a node", "r", 2, "train"),
            ("elsewhere", None, 1, None),
            ("of another's node", None, 1, None),
        ] == found
        assert {"n": 1} == session.notes()[0].fields

    def test_the_names_of_its_own_arguments_are_free(self, session: Session) -> None:
        kedro_journal.note("x", text="a", fields="b", level="c", self="d")

        (note,) = session.notes()
        assert {"text": "a", "fields": "b", "level": "c", "self": "d"} == note.fields
        assert "" == note.level

    def test_without_a_session_it_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(RuntimeError, match=NO_SESSION):
            kedro_journal.note("x")

    @pytest.mark.parametrize("value", ["1", "true", "maybe"])
    def test_where_the_journal_is_switched_off_nothing_happens(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KEDRO_JOURNAL_DISABLE", value)
        kedro_journal.note("x")

    def test_a_project_that_switches_it_off_takes_no_notes_either(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "[tool.kedro]\nx = 1\n[tool.kedro_journal]\ndisable = true\n"
        (tmp_path / "pyproject.toml").write_text(text)
        monkeypatch.chdir(tmp_path)
        kedro_journal.note("x")

    def test_a_session_without_a_journal_takes_none(self) -> None:
        made = Session(None)
        active.enter(made)
        try:
            kedro_journal.note("x")
        finally:
            active.leave(made)

    def test_a_closed_session_takes_none_and_nothing_is_raised(
        self, session: Session
    ) -> None:
        session.recorder.record(SessionClosed())
        session.recorder.close()
        kedro_journal.note("late")

        assert [] == session.notes()

    def test_secrets_do_not_reach_it(self, session: Session) -> None:
        session.recorder.redactor.register("tiger-lily-9")
        kedro_journal.note(
            "with tiger-lily-9 and password=hunter2hunter2",
            token="abc",
            nested={"api_key": ["deep"], "ok": "tiger-lily-9"},
            edge="x" * (TEXT_MAX_CHARS - 4) + "tiger-lily-9",
        )

        data = msgspec.json.encode(session.notes()).decode()
        for secret in ("tiger", "hunter2", "abc", "deep"):
            assert secret not in data

    def test_a_secret_at_the_cut_is_cut_out_whole(self, session: Session) -> None:
        session.recorder.redactor.register("tiger-lily-9")
        kedro_journal.note("x" * (TEXT_MAX_CHARS - 4) + "tiger-lily-9" * 1000)

        (note,) = session.notes()
        assert "tige" not in note.text
        assert "characters more]" in note.text

    def test_text_and_values_are_bounded(self, session: Session) -> None:
        kedro_journal.note(
            "t" * 3_000_000,
            text="v" * 3_000_000,
            items=list(range(100_000)),
            deep={"a": {"b": "c" * 100_000}},
            **{f"n{number}": "x" * 1000 for number in range(1000)},
        )

        (note,) = session.notes()
        assert len(note.text) < TEXT_MAX_CHARS + 100
        assert len(note.fields) == 51
        assert note.fields["$truncated"] == "953 more"
        assert len(msgspec.json.encode(note)) < TEXT_MAX_CHARS + FIELDS_MAX_BYTES + 4096

    def test_hostile_values_are_taken_as_they_can_be(self, session: Session) -> None:
        class Hostile:
            def __str__(self) -> str:
                raise ValueError("no")

            __repr__ = __str__

        loop: dict[str, Any] = {}
        loop["itself"] = loop
        kedro_journal.note(Hostile(), a=Hostile(), b=loop, c=float("nan"), d={1, 2})
        kedro_journal.note(None, surrogate="\ud800", escape="\x1b[2J", big=10**400)
        kedro_journal.note(b"bytes", **{"a b": 1, "": 2, "k" * 999: 3})

        first, second, third = session.notes()
        assert "(its text could not be made)" == first.text
        assert {"$float": "nan"} == first.fields["c"]
        assert ("None", "\x1b[2J") == (second.text, second.fields["escape"])
        assert {"a b", "", "k" * 200} == set(third.fields)

    def test_a_value_that_makes_notes_of_its_own_is_no_trouble(
        self, session: Session
    ) -> None:
        class Chatty:
            def __repr__(self) -> str:
                kedro_journal.note("from within")
                return "chatty"

        kedro_journal.note("outer", value=Chatty())

        # Nor is its code run: what it would say is not on record.
        assert {"outer"} == {note.text for note in session.notes()}

    def test_what_cannot_be_written_is_not_raised(self) -> None:
        broken = Session(Broken(HEADER, opened()))
        active.enter(broken)
        try:
            kedro_journal.note("x")
        finally:
            active.leave(broken)
        strict = Session(Broken(HEADER, opened()), strict=True)
        with pytest.raises(JournalUnwritable):
            add_note(strict.recorder, Where("s"), "x", {})

    def test_importing_the_package_imports_neither_kedro_nor_what_notes_need(
        self,
    ) -> None:
        code = (
            "import sys, kedro_journal\n"
            "print([m for m in ('kedro', 'logging', 'kedro_journal.redaction',"
            " 'kedro_journal.recording.recorder') if m in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )

        assert "[]" == done.stdout.strip()


class Broken(MemoryJournal):
    """A journal that cannot be written."""

    def append_encoded(self, *batch: Encoded, reserve: bool = False) -> list[Record]:
        raise JournalUnwritable(Path("/j"), 28, "No space left on device")


class TalksBack(MemoryJournal):
    """A journal whose append does what a finalizer or a library may: more of the same.

    Attributes:
        talk: Called in the middle of every append.
    """

    def talk(self) -> None: ...

    def append_encoded(self, *batch: Encoded, reserve: bool = False) -> list[Record]:
        self.talk()
        return super().append_encoded(*batch, reserve=reserve)


def test_what_is_recorded_in_the_middle_of_an_append_comes_after_it() -> None:
    journal = TalksBack(HEADER, opened())
    session = Session(journal)
    told: list[str] = []

    def talk() -> None:
        if len(told) < 3:
            told.append("x")
            session.recorder.record(NoteAdded(text=f"within {len(told)}"))

    journal.talk = talk  # type: ignore[method-assign]
    session.recorder.record(SessionCreated(session_id="s"), NoteAdded(text="outer"))

    texts = [note.text for note in session.notes()]
    assert ["outer", "within 1", "within 2", "within 3"] == texts


def test_closing_in_the_middle_of_an_append_waits_for_its_end() -> None:
    journal = TalksBack(HEADER, opened())
    session = Session(journal)
    journal.talk = session.recorder.close  # type: ignore[method-assign]
    session.recorder.record(SessionCreated(session_id="s"))

    assert session.recorder.closed
    assert 3 == len(list(journal.read()))


class TestLogRecords:
    def test_a_record_becomes_a_note_with_its_level_and_logger(
        self, session: Session, log: logging.Logger
    ) -> None:
        active.bind(session, Where("s", "r", 1, "train"))
        log.warning("%s is %d", "it", 3)
        log.debug("too little")
        log.name = "mill.deep"
        log.error("bad", exc_info=ValueError("why"))

        first, second = session.notes()
        assert ("it is 3", "WARNING", "mill", "train", "r") == (
            first.text,
            first.level,
            first.logger,
            first.node,
            first.run_id,
        )
        assert ("ERROR", "mill.deep") == (second.level, second.logger)
        assert {"exception": "ValueError: why"} == second.fields

    def test_without_a_session_a_record_is_nobodys(self, log: logging.Logger) -> None:
        log.warning("alone")

    def test_records_that_cannot_be_formatted_are_kept_as_they_are(
        self, session: Session, log: logging.Logger, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Hostile(Exception):
            def __str__(self) -> str:
                raise ValueError("no")

        log.warning("%d things", "three")
        log.warning("a", exc_info=Hostile())
        log.warning(Hostile())

        first, second, *_ = session.notes()
        assert "%d things" == first.text
        assert "Hostile" in str(second.fields["exception"])
        assert "" == capsys.readouterr().err

    def test_two_handlers_make_one_note(
        self, session: Session, log: logging.Logger
    ) -> None:
        handler = JournalHandler()
        log.addHandler(handler)
        try:
            log.warning("once")
        finally:
            log.removeHandler(handler)

        assert ["once"] == [note.text for note in session.notes()]

    def test_filters_are_heeded(self, session: Session, log: logging.Logger) -> None:
        log.handlers[0].addFilter(lambda record: "keep" in record.getMessage())
        log.warning("keep me")
        log.warning("drop me")

        assert ["keep me"] == [note.text for note in session.notes()]

    @pytest.mark.parametrize("name", ["kedro_journal", "kedro_journal.x", "filelock"])
    def test_the_machinery_of_the_journal_is_not_journaled(
        self, session: Session, name: str
    ) -> None:
        logger, handler = logging.getLogger(name), JournalHandler("DEBUG")
        logger.addHandler(handler)
        try:
            logger.error("about ourselves")
        finally:
            logger.removeHandler(handler)

        assert [] == session.notes()

    def test_an_append_that_logs_neither_recurses_nor_deadlocks(
        self, log: logging.Logger
    ) -> None:
        journal = TalksBack(HEADER, opened())
        session = Session(journal)
        session.recorder.record(SessionCreated(session_id="s"))
        journal.talk = lambda: log.warning("from the append")  # type: ignore[method-assign]
        active.enter(session)
        start = threading.Barrier(8)

        def work(number: int) -> None:
            start.wait()
            for _ in range(50):
                log.warning("from thread %d", number)
                kedro_journal.note("noted")

        threads = [
            threading.Thread(target=work, args=(n,), daemon=True) for n in range(8)
        ]
        try:
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 60
            for thread in threads:
                thread.join(max(deadline - time.monotonic(), 0))
        finally:
            active.leave(session)

        assert not any(thread.is_alive() for thread in threads)
        texts = [note.text for note in session.notes()]
        assert "from the append" not in texts
        assert 400 == texts.count("noted")
        assert NODE_MAX == len(texts) - 400

    def test_a_thread_that_logs_while_another_one_appends_does_not_block_it(
        self, session: Session, log: logging.Logger
    ) -> None:
        """One thread holds the journal and logs; another logs and waits for it."""
        waiting = threading.Event()

        class Slow(TalksBack):
            def talk(self) -> None:
                if threading.current_thread().name == "first":
                    second.start()
                    waiting.wait(30)  # the second is inside the handler by now
                    log.warning("while it is held")

        session.recorder._journal = session.journal = Slow(HEADER, opened())

        def log_and_tell() -> None:
            class Arg:
                def __str__(self) -> str:
                    waiting.set()
                    return "arg"

            log.warning("%s", Arg())

        second = threading.Thread(target=log_and_tell, daemon=True)
        first = threading.Thread(
            target=kedro_journal.note, args=("held",), name="first", daemon=True
        )
        first.start()
        first.join(30)
        second.join(30)

        assert not first.is_alive()
        assert not second.is_alive()
        assert ["held", "arg"] == [note.text for note in session.notes()]

    def test_a_node_that_logs_without_end_does_not_fill_the_disk(
        self, session: Session, log: logging.Logger
    ) -> None:
        run = {"run_id": "r", "attempt": 1}
        plan = (PlannedNode(name="train"), PlannedNode(name="next"))
        session.recorder.record(
            RunStarted(**run, nodes=plan), NodeStarted(**run, node="train")
        )
        active.bind(session, Where("s", "r", 1, "train"))
        for number in range(100_000):
            log.warning("again %d", number)
        session.recorder.record(NodeComputed(**run, node="train"))
        session.recorder.record(NodeCompleted(**run, node="train"))
        active.bind(session, Where("s", "r", 1, "next"))
        log.warning("something else")

        *some, rest, after = session.notes()
        assert NODE_MAX == len(some)
        assert (
            f"{100_000 - NODE_MAX} further log records of this node were left out"
            == (rest.text)
        )
        assert ("WARNING", "kedro_journal", "train") == (
            rest.level,
            rest.logger,
            rest.node,
        )
        assert ("something else", "next") == (after.text, after.node)
        assert session.journal is not None
        assert sum(map(len, session.journal.lines())) < 50_000

    def test_a_run_of_many_nodes_does_not_either(
        self, session: Session, log: logging.Logger
    ) -> None:
        names = [f"n{number}" for number in range(20)]
        for name in names:
            active.bind(session, Where("s", "r", 1, name))
            for _ in range(NODE_MAX + 5):
                log.warning("again")
        session.recorder.record(SessionClosed())

        notes = session.notes()
        told = {note.node: note.fields["left_out"] for note in notes if note.fields}
        assert RUN_MAX == len(notes) - len(told)
        assert [5] * 10 + [105] * 10 == [told[name] for name in names]
        assert SessionClosed() == list(session.journal.read())[-1].event  # type: ignore[union-attr]

    def test_a_forked_child_logs_though_another_thread_was_in_the_middle_of_it(
        self, session: Session, log: logging.Logger
    ) -> None:
        inside, leave = threading.Event(), threading.Event()
        held = session.recorder._lock

        def hold() -> None:
            with held:
                inside.set()
                leave.wait(30)

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        inside.wait(30)
        pid = os.fork()
        if pid == 0:  # pragma: no cover - in the child
            code = 1
            try:
                log.warning("in the child")
                texts = [note.text for note in session.notes()]
                code = 0 if texts == ["in the child"] else 2
            finally:
                os._exit(code)
        leave.set()
        thread.join(30)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_a_record_costs_little_once_its_node_had_enough(
        self, session: Session, log: logging.Logger
    ) -> None:
        class Arg:
            made = 0

            def __str__(self) -> str:
                Arg.made += 1
                return "x"

        for _ in range(NODE_MAX + 1000):
            log.warning("%s", Arg())

        assert NODE_MAX == Arg.made  # what is left out is not even formatted
