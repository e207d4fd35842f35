"""The journal line by line: every record as one sentence."""

from __future__ import annotations

from typing import Final, NamedTuple, assert_never

from kedro_journal.events import (
    EVENT_TYPES,
    AnyEvent,
    ContextLoaded,
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    DatasetValidated,
    JournalGap,
    JournalHeader,
    JournalRepaired,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    NoteAdded,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    SessionResumed,
    UnknownEvent,
    WriterOpened,
)

from .terminal import Line, Screen, Span, cells, clip, pad
from .words import bytes_size, count, duration, failed_checks, literal

__all__ = ["LEVEL_ROLES", "Sentence", "Timeline", "describe"]

LEVEL_ROLES: Final = {"WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}
"""Role of a log record by its level."""

_SUBJECT_MIN: Final = 8
_SUBJECT_MAX: Final = 36

_RunEvent = RunStarted | RunCompleted | RunFailed | RunInterrupted
_NodeEvent = NodeStarted | NodeComputed | NodeCompleted | NodeFailed
_DatasetEvent = (
    DatasetLoading
    | DatasetLoaded
    | DatasetSaving
    | DatasetSaved
    | DatasetConfirming
    | DatasetConfirmed
)
_SessionEvent = (
    SessionCreated
    | SessionActivated
    | SessionDeactivated
    | ContextLoaded
    | SessionFailed
    | SessionClosed
    | SessionResumed
)
_JournalEvent = JournalHeader | WriterOpened | JournalRepaired | JournalGap


class Sentence(NamedTuple):
    """A record in words.

    Attributes:
        subject: What it is about: a node, or session, run, journal, writer, note.
        text: What happened to it.
        role: How it is coloured; see `terminal.Paint`.
    """

    subject: str
    text: str
    role: str = ""


def describe(event: AnyEvent) -> Sentence:  # noqa: PLR0911 - one per family
    """Return what an event means. Every event type has words of its own."""
    match event:
        case NodeStarted() | NodeComputed() | NodeCompleted() | NodeFailed():
            return _node(event)
        case (
            DatasetLoading()
            | DatasetLoaded()
            | DatasetSaving()
            | DatasetSaved()
            | DatasetConfirming()
            | DatasetConfirmed()
        ):
            return _dataset(event)
        case RunStarted() | RunCompleted() | RunFailed() | RunInterrupted():
            return _run(event)
        case (
            SessionCreated()
            | SessionActivated()
            | SessionDeactivated()
            | ContextLoaded()
            | SessionFailed()
            | SessionClosed()
            | SessionResumed()
        ):
            return _session(event)
        case JournalHeader() | WriterOpened() | JournalRepaired() | JournalGap():
            return _journal(event)
        case DatasetValidated():
            return _validated(event)
        case NoteAdded():
            return _note(event)
        case UnknownEvent():
            known = EVENT_TYPES.get(event.type)
            text = f"{event.type} version {event.version}: written by a newer version"
            if event.format > 1:
                text = (
                    f"{event.type}: written by a newer version (format {event.format})"
                )
            elif known is not None and event.version <= known.VERSION:
                text = f"{event.type}: its data does not fit its type"
            return Sentence("journal", text, "dim")
        case _:
            assert_never(event)


def _validated(event: DatasetValidated) -> Sentence:
    told = failed_checks(event.failure)
    text = f"{event.dataset} did not pass validation{told}; the run went on"
    return Sentence(event.node or event.dataset, text, "warn")


def _note(event: NoteAdded) -> Sentence:
    fields = "".join(f"  {key}={literal(v)}" for key, v in event.fields.items())
    if not event.level:
        return Sentence(event.node or "note", f"note: {event.text}{fields}")
    text = f"{event.level} {event.logger}: {event.text}{fields}"
    return Sentence(event.node or "log", text, LEVEL_ROLES.get(event.level, ""))


def _node(event: _NodeEvent) -> Sentence:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    match event:
        case NodeStarted():
            return Sentence(event.node, f"started{again}", "busy")
        case NodeComputed():
            return Sentence(event.node, f"computed{_in(event.duration_s)}")
        case NodeCompleted():
            return Sentence(event.node, f"completed{_in(event.duration_s)}", "good")
        case NodeFailed():
            what = f" {event.dataset}" if event.dataset else ""
            text = f"failed while {event.phase}{what}{_after(event.duration_s)}: "
            return Sentence(event.node, text + event.error.summary(), "bad")
        case _:
            assert_never(event)


def _dataset(event: _DatasetEvent) -> Sentence:
    match event:
        case DatasetLoading():
            return Sentence(event.node, f"loading {event.dataset}", "dim")
        case DatasetSaving():
            return Sentence(event.node, f"saving {event.dataset}", "dim")
        case DatasetConfirming():
            return Sentence(event.node, f"confirming {event.dataset}", "dim")
        case DatasetConfirmed():
            text = f"confirmed {event.dataset}{_in(event.duration_s)}"
            return Sentence(event.node, text, "dim")
        case DatasetLoaded():
            version = f", version {event.version}" if event.version else ""
            text = f"loaded {event.dataset}{_in(event.duration_s)}{version}"
            return Sentence(event.node, text, "dim")
        case DatasetSaved():
            size = f", {bytes_size(event.size_bytes)}" if event.size_bytes else ""
            version = f", version {event.version}" if event.version else ""
            text = f"saved {event.dataset}{_in(event.duration_s)}{size}{version}"
            return Sentence(event.node, text, "dim")
        case _:
            assert_never(event)


def _run(event: _RunEvent) -> Sentence:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    match event:
        case RunStarted() if event.part > 1:
            return Sentence("run", f"plans {count(len(event.nodes), 'more node')}")
        case RunStarted():
            runner = f" with {event.runner.rpartition('.')[2]}" if event.runner else ""
            names = ", ".join(event.pipelines)
            text = f"started{again}: {names}, {count(len(event.nodes), 'node')}{runner}"
            return Sentence("run", text, "busy")
        case RunCompleted():
            return Sentence("run", f"completed{again}{_in(event.duration_s)}", "good")
        case RunFailed():
            text = f"failed{again}{_after(event.duration_s)}: {event.error.summary()}"
            return Sentence("run", text, "bad")
        case RunInterrupted():
            code = f", exit code {event.exit_code}" if event.exit_code else ""
            number = f" (signal {event.signal})" if event.signal else ""
            by = f" by {event.reason}" if event.reason else ""
            after = _after(event.duration_s)
            text = f"interrupted{again}{by}{number}{code}{after}"
            return Sentence("run", text, "warn")
        case _:
            assert_never(event)


def _session(event: _SessionEvent) -> Sentence:  # noqa: PLR0911 - one per event type
    match event:
        case SessionCreated():
            by = f" by {event.user}" if event.user else ""
            on = f" on {event.host}" if event.host else ""
            command = event.command
            how = f": kedro {command.name}" if command and command.name else ""
            return Sentence("session", f"created{by}{on}, pid {event.pid}{how}")
        case SessionActivated():
            again = f" again, depth {event.depth}" if event.depth > 1 else ""
            return Sentence("session", f"activated{again}")
        case SessionDeactivated():
            still = f", depth {event.depth} left" if event.depth else ""
            return Sentence("session", f"deactivated{still}")
        case ContextLoaded():
            parameters = count(len(event.parameters), "parameter")
            datasets = count(len(event.catalog), "dataset")
            env = f", env {event.env}" if event.env else ""
            return Sentence(
                "session", f"context loaded: {parameters}, {datasets} in catalog{env}"
            )
        case SessionFailed():
            text = f"failed ({event.phase}): {event.error.summary()}"
            return Sentence("session", text, "bad")
        case SessionClosed():
            code = "" if event.exit_code is None else f", exit code {event.exit_code}"
            return Sentence("session", f"closed ({event.reason}{code})")
        case SessionResumed():
            todo = f": {len(event.done)} done, {len(event.remaining)} to run"
            planned = todo if event.done or event.remaining else ""
            return Sentence("session", f"resumes {event.parent_session_id}{planned}")
        case _:
            assert_never(event)


def _journal(event: _JournalEvent) -> Sentence:
    match event:
        case JournalHeader():
            text = f"begun for {event.session_id} by version {event.package_version}"
            return Sentence("journal", text, "dim")
        case WriterOpened():
            on = f" on {event.host}" if event.host else ""
            return Sentence(
                "writer", f"opened: {event.role}, pid {event.pid}{on}", "dim"
            )
        case JournalRepaired():
            return Sentence("journal", f"repaired: {_repair(event)}", "warn")
        case JournalGap():
            why = f": {event.reason}" if event.reason else ""
            lost = f"gap, {count(event.dropped, 'event')} lost, {event.kept} kept{why}"
            return Sentence("journal", lost, "warn")
        case _:
            assert_never(event)


def _repair(event: JournalRepaired) -> str:
    tail = f"at byte {event.offset}"
    if event.action == "adopted":
        return f"the record {tail} lacked its newline and got it"
    if event.action == "terminator":
        return f"the newline after the record {tail} was damaged and put right"
    if event.action == "skipped":
        lines = count(event.lost, "damaged line")
        return f"{lines} left in place before byte {event.offset}"
    kept = f", kept in torn/{event.kept_as}" if event.kept_as else ""
    return f"torn tail of {count(event.length, 'byte')} cut {tail}{kept}"


def _in(seconds: float | None) -> str:
    return "" if seconds is None else f" in {duration(seconds)}"


def _after(seconds: float | None) -> str:
    return "" if seconds is None else f" after {duration(seconds)}"


class Timeline:
    """Makes one line per record: time, seq, writer, subject, sentence.

    It learns how wide the columns must be, and whether there are several runs to be
    told apart, from every record it is shown. Show it the records before the first
    line that is printed too, and the lines stay aligned.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._subject_width = _SUBJECT_MIN
        self._writer_width = 2
        self._seq_width = 4
        self._run_ids: set[str] = set()

    def learn(self, record: Record) -> None:
        """Take note of a record without printing it."""
        event = record.event
        names = [describe(event).subject]
        if isinstance(event, RunStarted):
            names += [node.name for node in event.nodes]
            self._run_ids.add(event.run_id or "")
        elif run_id := getattr(event, "run_id", None):
            self._run_ids.add(run_id)
        longest = max(cells(name) for name in names)
        self._subject_width = min(max(self._subject_width, longest), _SUBJECT_MAX)
        self._writer_width = max(self._writer_width, cells(record.writer))
        self._seq_width = max(self._seq_width, len(str(record.seq)))

    def line(self, record: Record, changes: tuple[str, ...] = ()) -> Line:
        """Return a record's line.

        Args:
            record: The record; it is learnt from first.
            changes: What it changed, each in words; put at the end.
        """
        self.learn(record)
        screen, sentence = self._screen, describe(record.event)
        at = screen.local(record.at)
        time = f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
        subject = clip((Span(sentence.subject, "strong"),), self._subject_width)
        parts = [
            Span(time, "dim"),
            Span(f"  {record.seq:>{self._seq_width}}  ", "dim"),
            *pad((Span(record.writer, "dim"),), self._writer_width),
            Span("  "),
            *pad(subject, self._subject_width),
            Span("  "),
            Span(sentence.text, sentence.role),
        ]
        run_id = getattr(record.event, "run_id", None)
        if run_id and len(self._run_ids) > 1:
            parts.append(Span(f"  (run {run_id})", "dim"))
        if changes:
            parts.append(Span(f"  [{'; '.join(changes)}]", "dim"))
        return clip(tuple(parts), screen.width)
