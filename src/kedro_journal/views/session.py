"""One session, as its user reads it the next morning."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final, NamedTuple

from kedro_journal.journal import Finding
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.state import RunState, SessionState, Writer
from kedro_journal.state.unread import unread_text

from .derive import (
    env_in_force,
    failures,
    is_at_least,
    last_attempts,
    run_seconds,
    run_verdict,
    session_seconds,
    started_by,
    took,
)
from .failure import failure_lines, log_lines
from .health import finding_lines
from .nodes import node_lines
from .parameters import parameter_lines, unused_lines
from .sessions import VERDICT_ROLES
from .table import Column, pairs, table
from .terminal import Line, Screen, Span, clip, indent, line, render, wrap
from .timeline import LEVEL_ROLES
from .verdict import Moments, alive_lines, title, verdict_lines
from .words import ago, count, date_and_time, failed_checks, flatten, literal

__all__ = [
    "Detail",
    "note_lines",
    "parameter_lines",
    "session_facts",
    "session_lines",
    "session_view",
    "validation_lines",
]

_ANOMALIES_SHOWN: Final = 5
_SHA_SHOWN: Final = 10
_NOTES_SHOWN: Final = 20
_BROKEN: Final = ("failed", "crashed", "interrupted", "unknown")
_NOTES: Final = (Column("at"), Column("level"), Column("node", widest=36), Column(""))


class Detail(NamedTuple):
    """How much of a session is shown.

    Attributes:
        parameters: Every parameter and environment variable, not the first few.
        all_nodes: Every node, not those around the break.
        datasets: Under each node, what it loaded and saved.
        traceback: Every library frame.
        notes: Every note and log record, not the last few.
    """

    parameters: bool = False
    all_nodes: bool = False
    datasets: bool = False
    traceback: bool = False
    notes: bool = False


_BRIEF: Final = Detail()


def session_view(
    state: SessionState,
    screen: Screen,
    *,
    detail: Detail = _BRIEF,
    moments: Moments | None = None,
    findings: Sequence[Finding] = (),
    journal: str = "",
    resumed_by: str = "",
    heir: SessionState | None = None,
    alive: Sequence[Writer] = (),
) -> str:
    """Return everything about one session.

    Args:
        state: Its state.
        screen: Where it is shown.
        detail: How much is shown.
        moments: Wall clock of records that the verdict may refer to.
        findings: Damage that was read past.
        journal: Path of the journal file, empty to leave it out.
        resumed_by: The session that resumes it, if one does.
        heir: The last of the sessions that resume it, directly or not.
        alive: Worker processes of it that live, though it does not run.
    """
    lines = session_lines(
        state,
        screen,
        detail=detail,
        moments=moments,
        findings=findings,
        journal=journal,
        resumed_by=resumed_by,
        heir=heir,
        alive=alive,
    )
    wrapped = [part for one in lines for part in wrap(one, screen.width)]
    return render(wrapped, screen.paint)


def session_lines(
    state: SessionState,
    screen: Screen,
    *,
    detail: Detail = _BRIEF,
    moments: Moments | None = None,
    findings: Sequence[Finding] = (),
    journal: str = "",
    resumed_by: str = "",
    heir: SessionState | None = None,
    alive: Sequence[Writer] = (),
    as_of: bool = False,
) -> list[Line]:
    """Return the lines of `session_view`.

    Args:
        as_of: The state is that of an earlier record: no commands are proposed.
    """
    lines = [
        title(state, as_of=as_of),
        *verdict_lines(state, screen, moments or {}, damaged=bool(findings)),
        *alive_lines(state, alive),
        (),
    ]
    lines += pairs(
        session_facts(state, screen, journal=journal, resumed_by=resumed_by),
        screen.width,
    )
    last = {id(run) for run in last_attempts(state)}
    for run in state.runs:
        superseded = id(run) not in last and not detail.all_nodes
        lines += [(), *_run(run, state, screen, detail, superseded=superseded)]
    found = failures(state)
    if found:
        lines += _section("Error" if len(found) == 1 else "Errors")
        for number, failure in enumerate(found):
            if number:
                lines.append(())
            lines += indent(
                failure_lines(failure, state.project_path, whole=detail.traceback)
            )
            lines += indent(log_lines(failure, screen))
    lines += parameter_lines(state, screen, whole=detail.parameters)
    lines += unused_lines(state)
    lines += validation_lines(state, screen, whole=detail.notes)
    lines += note_lines(state, screen, whole=detail.notes)
    lines += _journal(state, findings)
    if not as_of:
        lines += _next(state, heir, salvaged=bool(findings))
    return lines


def _section(name: str) -> list[Line]:
    return [(), line(Span(name, "strong"))]


def session_facts(
    state: SessionState, screen: Screen, *, journal: str = "", resumed_by: str = ""
) -> list[tuple[str, Line]]:
    """Return what is known of the session as a whole, by name."""
    facts: list[tuple[str, str]] = []
    command = state.command
    shown = shlex.join(command.argv) if command and command.argv else started_by(state)
    facts.append(("command", shown))
    if state.created_at is not None:
        age = ago(state.created_at, screen.now)
        began = date_and_time(state.created_at, screen)
        facts.append(("started", f"{began}, {age}" if age else began))
    if state.closed_at is not None:
        code = "" if state.exit_code is None else f", exit code {state.exit_code}"
        facts.append(("closed", f"{date_and_time(state.closed_at, screen)}{code}"))
    seconds = session_seconds(state, screen.now)
    facts.append(("took", took(seconds, at_least=is_at_least(state))))
    who = f"{state.user or 'unknown user'} on {state.host or 'unknown host'}"
    known = state.user or state.host or state.pid
    facts.append(("by", f"{who}, pid {state.pid}" if known else ""))
    package = f" ({state.package_name})" if state.package_name else ""
    facts.append(("project", f"{state.project_path}{package}"))
    env = env_in_force(state)
    changes = state.git.diff_file if state.git is not None else ""
    if changes and journal:
        changes = f"{journal.removesuffix(JOURNAL_NAME)}{changes}"
    facts += [
        ("env", env or ""),
        ("git", _git(state)),
        ("changes", changes),
        ("versions", _versions(state)),
    ]
    given = flatten(state.runtime_params)
    facts.append(("runtime", "  ".join(f"{k}={literal(v)}" for k, v in given)))
    labels = state.labels.items()
    facts.append(("labels", "  ".join(f"{k}={v}" for k, v in labels)))
    facts += _kin(state, resumed_by)
    places = (state.container or "", state.notebook or "")
    facts.append(("runs in", ", ".join(place for place in places if place)))
    facts.append(
        ("journal", f"{journal} ({count(state.seq, 'record')})" if journal else "")
    )
    return [(name, line(text)) for name, text in facts if text]


def _kin(state: SessionState, resumed_by: str) -> list[tuple[str, str]]:
    resumed = state.resumed.parent_session_id if state.resumed else ""
    done = len(state.resumed.done) if state.resumed else 0
    kept = f", {count(done, 'node')} kept" if resumed and done else ""
    return [
        ("resumes", f"{resumed}{kept}"),
        ("parent", "" if resumed else state.parent_session_id or ""),
        ("resumed by", resumed_by),
        ("group", state.group_id or ""),
    ]


def _git(state: SessionState) -> str:
    git = state.git
    if git is None or not git.sha:
        return ""
    branch = f" on {git.branch}" if git.branch else " (detached)"
    dirty = ", with uncommitted changes" if git.dirty else ""
    return f"{git.sha[:_SHA_SHOWN]}{branch}{dirty}"


def _versions(state: SessionState) -> str:
    versions = state.versions
    named = (
        ("Python", versions.python),
        ("Kedro", versions.kedro),
        ("kedro-journal", versions.kedro_journal),
        (state.package_name or "project", versions.project),
    )
    return ", ".join(f"{name} {version}" for name, version in named if version)


def _run(
    run: RunState,
    state: SessionState,
    screen: Screen,
    detail: Detail,
    *,
    superseded: bool,
) -> list[Line]:
    verdict = run_verdict(run, state)
    without = len(run.went_on_without)
    shown = f"completed, {count(without, 'node')} failed" if without else verdict
    role = "bad" if without else VERDICT_ROLES.get(verdict, "")
    again = f" attempt {run.attempt}" if run.attempt > 1 else ""
    done = len(run.with_status("completed"))
    at_least = run.status == "running" and is_at_least(state)
    lasted = took(run_seconds(run, state, screen.now), at_least=at_least)
    heading = line(
        Span(f"Run {run.run_id or ''}".rstrip() + again, "strong"),
        "  ",
        Span(shown, role),
        f", {done} of {count(len(run.nodes), 'node')} completed in {lasted}",
    )
    what = [f"pipeline {', '.join(run.pipelines)}" if run.pipelines else ""]
    what.append(run.runner.rpartition(".")[2])
    what += [f"{key}={literal(v)}" for key, v in run.runner_arguments.items()]
    what.append("datasets in threads" if run.is_async else "")
    what.append(f"env {run.env}" if run.env and run.env != env_in_force(state) else "")
    what += [f"{key}={literal(v)}" for key, v in run.filters.items() if v]
    if run.runtime_params and run.runtime_params != state.runtime_params:
        given = flatten(run.runtime_params)
        what += [f"{key}={literal(value)}" for key, value in given]
    summary = Span(", ".join(part for part in what if part), "dim")
    lines = [heading, clip(line("  ", summary), screen.width)]
    narrower = screen._replace(width=screen.width and screen.width - 2)
    if superseded:
        return lines  # the last attempt at it has the nodes
    nodes = node_lines(
        run, state, narrower, every=detail.all_nodes, datasets=detail.datasets
    )
    return [*lines, *indent(nodes)]


def validation_lines(state: SessionState, screen: Screen, *, whole: bool) -> list[Line]:
    """Return the warnings of validations, the last ones or all; none without any."""
    every = state.validation_warnings
    shown = every if whole else every[-_NOTES_SHOWN:]
    if not shown:
        return []
    lines = _section("Validation warnings")
    if len(shown) < len(every):
        rest = f"  ... {len(every) - len(shown)} before; --notes shows all"
        lines.append(line(Span(rest, "dim")))
    for one in shown:
        by = f" (node {one.node})" * bool(one.node)
        text = f"{one.dataset} did not pass{failed_checks(one.failure)}{by}"
        moment = Span(f"{date_and_time(one.at, screen)}  ", "dim")
        lines += indent([line(moment, Span(text, "warn"))])
    return lines


def note_lines(state: SessionState, screen: Screen, *, whole: bool) -> list[Line]:
    """Return notes and log records, the last ones or all; none if there are none."""
    if not state.notes:
        return []
    title = "Notes and log records" if any(n.level for n in state.notes) else "Notes"
    shown = state.notes if whole else state.notes[-_NOTES_SHOWN:]
    rows = [
        (
            line(Span(date_and_time(note.at, screen), "dim")),
            line(Span(note.level, LEVEL_ROLES.get(note.level, ""))),
            line(Span(note.node or "", "strong")),
            line(Span(f"{note.logger}: " if note.logger else "", "dim"), note.text, *(
                f"  {key}={literal(value)}" for key, value in note.fields.items()
            )),
        )
        for note in shown
    ]  # fmt: skip
    lines = _section(title)
    if len(shown) < len(state.notes):
        rest = f"  ... {len(state.notes) - len(shown)} before; --notes shows all"
        lines.append(line(Span(rest, "dim")))
    width = screen.width and screen.width - 2
    return lines + indent(table(_NOTES, rows, None if whole else width)[1:])


def _journal(state: SessionState, findings: Sequence[Finding]) -> list[Line]:
    remarks: list[str] = []
    if state.dropped_events:
        lost = count(state.dropped_events, "event")
        remarks.append(
            f"{lost} could not be written; `tail` shows where they are missing"
        )
    remarks += [
        f"not recorded in full, too large for a record: {one}" for one in state.left_out
    ]
    if state.repairs:
        remarks.append(f"{count(state.repairs, 'repair')} by a writer, see `tail`")
    if state.unknown_events:
        remarks.append(unread_text(state))
    if state.unattributed_events:
        some = count(state.unattributed_events, "event")
        remarks.append(f"{some} of concurrent runs: Kedro does not say of which run")
    for anomaly in state.anomalies[:_ANOMALIES_SHOWN]:
        what = f"record {anomaly.seq}, {anomaly.type}, does not fit"
        remarks.append(f"{what}: {anomaly.subject} was {anomaly.status}")
    if len(state.anomalies) > _ANOMALIES_SHOWN:
        rest = len(state.anomalies) - _ANOMALIES_SHOWN
        remarks.append(f"{rest} more records that do not fit")
    if not remarks and not findings:
        return []
    lines = _section("Remarks on the journal")
    lines += [line(f"  {remark}") for remark in remarks]
    return lines + indent(finding_lines(findings))


def _next(
    state: SessionState, heir: SessionState | None, *, salvaged: bool
) -> list[Line]:
    # Users paste it into a shell: quote what comes from a journal.
    named = shlex.quote(state.session_id) if state.session_id else ""
    wanted = named + (" --salvage" if salvaged else "")
    verdict = state.verdict
    steps = _along_the_chain(state, heir)
    if verdict == "running":
        steps.append((f"kedro-journal tail {named} -f", "follow it live"))
    elif verdict in _BROKEN:
        steps.append((f"kedro-journal tail {wanted}", "its last records"))
        steps.append((f"kedro-journal replay {wanted} --step", "record by record"))
    if state.anomalies or state.dropped_events or state.repairs:
        steps.append((f"kedro-journal verify {named}", "check every record"))
    if not steps:
        return []
    rows = [(command, line(Span(what, "dim"))) for command, what in steps]
    return [*_section("Next"), *indent(pairs(rows, None))]


def _along_the_chain(
    state: SessionState, heir: SessionState | None
) -> list[tuple[str, str]]:
    """Return the steps to the session that it resumes, and to resume it."""
    steps: list[tuple[str, str]] = []
    parent = state.resumed.parent_session_id if state.resumed is not None else ""
    if parent and not state.runs and state.verdict != "running":
        show = f"kedro-journal show {shlex.quote(parent)}"
        steps.append((show, "the session it was to resume; nothing ran here"))
    if state.verdict not in _BROKEN or not (state.runs or parent):
        return steps
    last = heir if heir is not None else state
    named = shlex.quote(last.session_id)
    if heir is not None:
        steps.append((f"kedro-journal show {named}", f"it goes on: {heir.verdict}"))
    if last.verdict in _BROKEN:
        resume = f"kedro-journal resume {named}"
        steps.append((resume, "run what was not completed"))
    return steps
