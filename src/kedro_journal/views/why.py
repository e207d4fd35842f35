"""What changed since a run last worked, as text."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from kedro_journal.analysis import Change, Why

from .terminal import Line, Screen, Span, clip, indent, line, render
from .words import ago, count, date_and_time

__all__ = ["why_data", "why_summary", "why_view"]

_SHOWN: Final = 7
_SUMMARY: Final = 3
_OF_NODES: Final = ("code", "pipeline")
_MESSAGE_MAX: Final = 400
_KINDS: Final = {
    "dataset": "catalog entry",
    "env": "configuration environment",
    "variable": "environment variable",
    "packages": "package",
}
_COUNTED: Final = {
    "code": ("edited function", ""),
    "pipeline": ("change of a pipeline", "changes of a pipeline"),
    "dataset": ("catalog entry", "catalog entries"),
    "configuration": ("configuration file", ""),
    "git": ("change of the commit or branch", "changes of commit and branch"),
    "host": ("change of the machine", "changes of the machine"),
    "runner": ("change of the runner", "changes of the runner"),
    "run": ("other option of the run", "other options of the run"),
}


def why_view(answer: Why, screen: Screen, *, every: bool = False) -> str:
    """Return the whole answer.

    Args:
        answer: What was found.
        screen: Where it is shown.
        every: Show every change, and those that cannot have mattered.
    """
    lines = [*_headline(answer, screen), (), *_compared(answer, screen), ()]
    if answer.good is not None:
        lines += _changes(answer, screen, every=every)
    lines += _unseen(answer, screen)
    return render(lines, screen.paint)


def why_summary(answer: Why, screen: Screen) -> str:
    """Return the beginning of the answer: at most three changes, a line each."""
    if answer.good is None and not answer.left:
        return ""
    lines: list[Line] = [()]
    more = f"kedro-journal why {shlex.quote(answer.session_id)}"
    if answer.good is None:
        newest = count(answer.searched, "session")
        lines.append(line(Span("What changed since it last worked", "strong")))
        text = f"  not in the {newest} before it; `{more}` looks further back"
        lines.append(line(Span(text, "dim")))
        return render(lines, screen.paint)
    title = f"What changed since session {answer.good.session_id}, where it worked"
    lines.append(line(Span(title, "strong")))
    width = screen.width and screen.width - 2
    for number, change in enumerate(answer.changes[:_SUMMARY], 1):
        one = line(f"{number}. ", *_name(change), f": {change.detail}")
        lines += indent([clip(one, width)])
    if not answer.changes:
        lines.append(line("  nothing that the journal knows of"))
    rest = max(len(answer.changes) - _SUMMARY, 0)
    begin = f"{rest} more; " if rest else ""
    lines.append(line(Span(f"  {begin}`{more}` has the evidence", "dim")))
    return render(lines, screen.paint)


def why_data(answer: Why) -> dict[str, Any]:
    """Return the answer as plain data, for JSON."""
    found: dict[str, Any] = msgspec.to_builtins(answer)
    return found


def _headline(answer: Why, screen: Screen) -> Iterator[Line]:
    several = "s" if len(answer.nodes) > 1 else ""
    name = Span(", ".join(answer.nodes), "strong")
    what = line(f"Node{several} ", name) if answer.nodes else line("The run")
    where = f" in session {answer.session_id}"
    if not answer.nodes and answer.status not in ("completed", "running"):
        where += ", outside of its nodes"
    yield from _wrapped(line(what, " ", _status(answer), where), screen)
    if answer.error:
        error = answer.error
        if len(error) > _MESSAGE_MAX:
            error = error[:_MESSAGE_MAX] + "..."
        yield from _wrapped(line(Span(error, "bad")), screen, by=2)
    at = f"{answer.error_at}, " if answer.error_at else ""
    if answer.record:
        proof = line(Span(f"{at}record {answer.record}", "dim"))
        yield from _wrapped(proof, screen, by=2)
    if answer.others:
        shown = ", ".join(answer.others[:4]) + (", ..." if answer.others[4:] else "")
        yield from _wrapped(line(Span(f"broke too: {shown}", "dim")), screen, by=2)


def _status(answer: Why) -> Span:
    """Return what became of the node, or of the run without one."""
    status = answer.status or answer.verdict
    parts = {"loading": "its inputs", "saving": "its outputs"}
    if status == "completed":
        return Span("completed", "good")
    if status in ("failed", "interrupted"):
        data = parts.get(answer.phase, "")
        doing = f" {answer.phase} {data}" if data else ""
        return Span(f"{status}{doing}", "bad")
    if answer.verdict == "running":
        return Span(f"is {status}", "busy")
    if answer.verdict == "crashed":
        return Span(f"was {status} when the process died", "bad")
    return Span(f"broke while {status}", "bad")


def _compared(answer: Why, screen: Screen) -> Iterator[Line]:
    good = answer.good
    searched = count(answer.searched, "earlier session")
    if good is None:
        what = "it" if not answer.nodes else f"node {answer.nodes[0]}"
        text = f"No session in which {what} completed is known: {searched} read."
        yield from _wrapped(line(text), screen)
        if answer.left:
            rest = (
                f"{count(answer.left, 'older session')} not read; --look-back "
                f"{answer.searched + answer.left} reads them."
            )
            yield from _wrapped(line(Span(rest, "dim")), screen, by=2)
        return
    when = ""
    if good.ended_at is not None:
        age = ago(good.ended_at, screen.now)
        when = f", {date_and_time(good.ended_at, screen)}" + (f", {age}" if age else "")
    same = good.session_id == answer.session_id
    where = "the same session" if same else f"session {good.session_id}"
    record = f", record {good.record}" if good.record else ""
    yield from _wrapped(line("Last worked in ", where, when, record), screen)
    yield from _wrapped(line(Span(good.reason, "dim")), screen, by=2)
    if answer.failing_since:
        times = count(answer.failures, "earlier run")
        text = f"Failing since session {answer.failing_since}: {times} failed alike"
        yield from _wrapped(line(text), screen)


def _changes(answer: Why, screen: Screen, *, every: bool) -> Iterator[Line]:
    if not answer.changes:
        yield line(Span("Nothing that the journal knows has changed.", "strong"))
    else:
        several = len(answer.changes) > 1
        broken = answer.nodes or answer.status != "completed"
        title = "What changed" + (", the likeliest cause first" if several else "")
        yield line(Span(title if broken else "What changed", "strong"))
    shown = answer.changes if every else answer.changes[:_SHOWN]
    for number, change in enumerate(shown, 1):
        yield from _change(answer, change, f"{number:2}. ", screen)
    rest = len(answer.changes) - len(shown)
    if rest:
        kinds = _kinds(answer.changes[len(shown) :])
        text = f"... {rest} less likely: {kinds}; --all shows them"
        yield from _wrapped(line(Span(text, "dim")), screen, by=4)
    if not answer.unrelated:
        return
    yield ()
    number = len(answer.unrelated)
    title = f"{count(number, 'more change')}, as far as is known not related"
    if not every:
        text = f"{title}: {_kinds(answer.unrelated)}; --all"
        yield from _wrapped(line(Span(text, "dim")), screen)
        return
    yield line(Span(title, "strong"))
    for change in answer.unrelated:
        yield from _change(answer, change, "  - ", screen)


def _kinds(changes: Sequence[Change]) -> str:
    parts = []
    for kind, number in Counter(change.kind for change in changes).items():
        one, several = _COUNTED.get(kind, (_KINDS.get(kind, kind), ""))
        parts.append(count(number, one, several))
    return ", ".join(parts)


def _kind(change: Change) -> str:
    return _KINDS.get(change.kind, change.kind)


def _name(change: Change) -> tuple[str | Span, ...]:
    kind = _kind(change)
    if change.kind in _OF_NODES:
        kind += " of node" if change.kind == "code" else " at node"
    subject = Span(change.subject, "strong")
    if change.subject.startswith((kind, "installed")):
        return (subject,)
    return (f"{kind} ", subject)


def _change(answer: Why, change: Change, mark: str, screen: Screen) -> Iterator[Line]:
    head = line(*_name(change), f": {change.detail}")
    first, *rest = _wrapped(head, screen, by=len(mark))
    yield line(mark, first[1:] if first and not first[0].text.strip() else first)
    yield from rest
    by = len(mark)
    facts = [_tied(answer, change), *change.reasons]
    text = "; ".join(fact for fact in facts if fact)
    if text:
        yield from _wrapped(line(text), screen, by=by)
    proof = [change.source] if change.source else []
    records = _records(answer, change)
    if records:
        proof.append(records)
    if proof:
        yield from _wrapped(line(Span(", ".join(proof), "dim")), screen, by=by)


def _tied(answer: Why, change: Change) -> str:
    """Return how a change and the node that broke are connected."""
    if not change.nodes or not answer.nodes or change.distance is None:
        return ""
    first = change.nodes[0]
    if change.kind in _OF_NODES or change.kind == "source file":
        verb = ""
    elif change.kind == "output":
        verb = f"saved by {first}"
    elif change.kind == "dataset":
        verb = f"used by {first}"
    else:
        verb = f"loaded by {first}"
    if change.distance:
        far = count(change.distance, "node")
        verb = f"{verb}, " if verb else ""
        verb += f"{far} before {answer.nodes[0]}"
    more = len(change.nodes) - 1
    if more and change.kind == "parameter":
        verb += f", and by {count(more, 'node')} more"
    return verb


def _records(answer: Why, change: Change) -> str:
    """Cite the records: those of the good run are `then`, those of the broken `now`."""
    good = answer.good.session_id if answer.good is not None else ""
    parts = []
    for one in change.records:
        if one.session_id == answer.session_id:
            parts.append(f"record {one.seq} now")
        elif one.session_id == good:
            parts.append(f"record {one.seq} then")
        else:
            parts.append(f"record {one.seq} of {one.session_id}")
    return ", ".join(parts)


def _unseen(answer: Why, screen: Screen) -> Iterator[Line]:
    yield ()
    yield line(Span("What the journal cannot see", "strong"))
    for one in answer.unseen:
        yield from _wrapped(line(Span(f"- {one}", "dim")), screen, by=2, hang=2)


def _wrapped(
    what: Line, screen: Screen, *, by: int = 0, hang: int = 0
) -> Iterator[Line]:
    """Yield a line in as many lines as it needs; words keep their colours."""
    width = None if screen.width is None else max(screen.width - by, 20)
    text = "".join(span.text for span in what)
    if width is None or len(text) <= width:
        yield from indent([what], by)
        return
    # Wrapped by position: a span may begin within a line.
    at = 0
    parts = textwrap.wrap(
        text, width, break_long_words=False, break_on_hyphens=False,
        subsequent_indent=" " * hang,
    )  # fmt: skip
    for part in parts:
        words = part.strip()
        start = text.find(words[: max(len(words.split(" ")[0]), 1)], at)
        end = start + len(words)
        if start < 0 or text[start:end].split() != words.split():
            yield from indent([line(part)], by)
            continue
        pad = part[: len(part) - len(part.lstrip())]
        yield from indent([line(pad, _cut(what, start, end))], by)
        at = end


def _cut(what: Line, start: int, end: int) -> Line:
    """Return the part of a line between two positions."""
    found, at = [], 0
    for span in what:
        one, other = max(start - at, 0), end - at
        if other > 0 and one < len(span.text):
            found.append(Span(span.text[one:other], span.role))
        at += len(span.text)
    return tuple(found)
