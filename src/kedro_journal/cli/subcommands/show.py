"""`show`: everything about one session."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from kedro_journal.analysis import GroupState
from kedro_journal.cli.chain import show_chain
from kedro_journal.cli.common import (
    choose,
    exit_if_unread,
    open_journals,
    session_argument,
)
from kedro_journal.cli.exit_codes import code_of, exit_code_option
from kedro_journal.cli.options import (
    directory_options,
    group_option,
    json_option,
    salvage_option,
)
from kedro_journal.console import moments_of, screen
from kedro_journal.errors import CorruptJournal
from kedro_journal.journal import Finding, JournalDirectory
from kedro_journal.journal import verify as verify_file
from kedro_journal.replaying import replay_folder, replay_group
from kedro_journal.replaying.inquiry import why_state
from kedro_journal.replaying.kin import end_of_chain, live_workers
from kedro_journal.replaying.later import later_for
from kedro_journal.replaying.locate import resumed_by
from kedro_journal.replaying.select import Chosen
from kedro_journal.replaying.usual import usual_times
from kedro_journal.state import RunState, SessionState, Writer
from kedro_journal.views.data import group_data, json_text, state_data
from kedro_journal.views.expected import (
    expected_data,
    expected_view,
    unusual_view,
)
from kedro_journal.views.group import group_view
from kedro_journal.views.later import later_data, later_view
from kedro_journal.views.session import Detail, session_view
from kedro_journal.views.terminal import Span, line, render
from kedro_journal.views.why import why_summary

__all__ = ["show"]

_LOOK_BACK: Final = 20  # earlier sessions among which the last good one is searched
_LOOK_S: Final = 0.5  # seconds that this may take


@click.command("show")
@session_argument
@click.option("--parameters", is_flag=True, help="All parameters and variables.")
@click.option("--nodes", is_flag=True, help="What each node loaded and saved.")
@click.option("--all-nodes", is_flag=True, help="Every node, of every attempt.")
@click.option("--notes", is_flag=True, help="Every note and log record.")
@click.option("--traceback", is_flag=True, help="Frames of libraries too.")
@click.option("--chain", is_flag=True, help="With all that it resumes and resume it.")
@click.option("--timeline", is_flag=True, help="Where the time went: a Gantt chart.")
@click.option(
    "--only",
    type=click.Choice(["failed", "slow"]),
    help="Of the timeline: the nodes that broke, or the ten longest.",
)
@group_option
@salvage_option
@click.option("--strict", is_flag=True, help="Print nothing of a damaged journal.")
@exit_code_option
@directory_options
@json_option
@click.pass_context
def show(
    ctx: click.Context,
    *,
    session_id: str,
    parameters: bool,
    nodes: bool,
    all_nodes: bool,
    notes: bool,
    traceback: bool,
    chain: bool,
    timeline: bool,
    only: str | None,
    group_id: str | None,
    salvage: bool,
    strict: bool,
    by_verdict: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Show what a session did, what broke and where.

    ID is a session's id or a unique part of it, `latest` (the default), `last-failed`,
    `last-good`, `@-1` for the session before the latest, a local time such as 18:55,
    or the path of a session folder.

    Exits with 4 if records are damaged or missing: the page starts with a warning and
    shows what can be read. With --salvage such a journal is no error; with --strict
    nothing of it is shown. Exits with 5 if a newer version wrote the session so that
    what became of it cannot be read. --exit-code exits by verdict where neither holds.

    The page of a failed session ends with what changed since it last worked, the three
    likeliest causes; the 20 sessions before it are searched. `why` has all of them.
    That of a session that runs ends with how long it usually takes, as the median of
    at least three comparable runs, and whether it is overdue. That of a session that
    ended names the run and the nodes that took unusually long.

    With --json: one object with every field of the session's state, its verdict, and
    its runs with their nodes; `findings` lists the damage that was read past,
    `live_workers` the pids of worker processes that live though the session does not,
    and `tags` and `later_notes` what `tag` and `note` added.
    `usual` has run and nodes (by name), each with seconds (the median), longest,
    samples, elapsed_s, left_s and overdue; of the last run, as far as it is known.

    With --chain: a resumed session as a whole, each attempt on one line, and every
    node with the attempt that ran it last. Damage does not hide an attempt. With
    --json: one object with verdict, started_at, ended_at, duration_s, busy_s,
    nodes_completed, nodes_planned, sessions and nodes.

    With --timeline: when each node loaded, computed and saved, when no node was at
    work, and the longest chain of nodes by time. It stands instead of the page; above
    50 nodes, namespaces are folded. With --json: the member `timeline` has it.

    With --group instead of ID: sibling sessions merged, such as the tasks of an
    orchestrator, with one verdict, and every node by its last try. Damage does not
    hide a session of a group. With --json: one object with group_id, verdict, hosts,
    times, first_failure, sessions, and nodes by name with their earlier tries.
    """
    if only and not timeline:
        raise click.UsageError("--only goes with --timeline.")
    where = open_journals(ctx, project, directory)
    if group_id is not None:
        if _is_given(ctx, "session_id"):
            message = "Give either a session's ID or --group, not both."
            raise click.UsageError(message)
        group = replay_group(group_id, directory=where.path)
        _show_group(group, all_nodes, timeline, only or "", as_json=as_json)
        ctx.exit(code_of(group.verdict) if by_verdict else 0)
    chosen = choose(where, session_id)
    if chain:
        verdict = show_chain(chosen, screen(), as_json=as_json)
        ctx.exit(code_of(verdict) if by_verdict else 0)
    where, path = chosen.where, chosen.file
    state, findings = _read(chosen.folder, path, salvage, strict)
    alive = live_workers(state)
    if as_json:
        pids = [writer.pid for writer in alive]
        later = later_for(where, chosen.session_id, state.uid)
        data = {**state_data(state), "findings": findings, "live_workers": pids}
        data |= later_data(later)
        data["usual"] = _usual(where, state)
        if timeline:
            from kedro_journal.cli.show_timeline import timeline_data

            data["timeline"] = timeline_data(state, path)
        click.echo(json_text(data), nl=False)
        _exit(ctx, state, findings=() if salvage else findings, by_verdict=by_verdict)
    if timeline:
        from kedro_journal.cli.show_timeline import timeline as timeline_text

        text = timeline_text(state, path, only or "")
    else:
        detail = Detail(
            parameters=parameters,
            all_nodes=all_nodes,
            datasets=nodes,
            traceback=traceback,
            notes=notes,
        )
        text = _page(chosen, state, detail, findings, alive)
    if findings and not salvage:
        text = _warning(path) + text
    click.echo(text, nl=False)
    _exit(ctx, state, findings=() if salvage else findings, by_verdict=by_verdict)


def _expected(where: JournalDirectory, state: SessionState, run: RunState) -> str:
    """Say how long a run that goes on usually takes, or what took unusually long."""
    usual, nodes = usual_times(where, state.session_id, run)
    if state.verdict == "running" and run.status == "running":
        return expected_view(state, run, usual, nodes, screen())
    return unusual_view(run, usual, nodes, screen())


def _usual(where: JournalDirectory, state: SessionState) -> dict[str, Any]:
    """Return the usual durations of the last run, for JSON."""
    run = state.last_run
    if run is None:
        return {"run": None, "nodes": {}}
    usual, nodes = usual_times(where, state.session_id, run)
    return expected_data(state, run, usual, nodes, datetime.now(UTC))


def _page(
    chosen: Chosen,
    state: SessionState,
    detail: Detail,
    findings: tuple[Finding, ...],
    alive: tuple[Writer, ...],
) -> str:
    where = chosen.where
    later = resumed_by(where, chosen.session_id)
    text = session_view(
        state,
        screen(),
        detail=detail,
        moments=moments_of(chosen.file, state),
        findings=findings,
        journal=str(chosen.file),
        resumed_by=later or "",
        heir=end_of_chain(where, later) if later is not None else None,
        alive=alive,
    )
    text += later_view(later_for(where, chosen.session_id, state.uid), screen())
    if state.last_run is not None:
        text += _expected(where, state, state.last_run)
    if state.verdict in ("failed", "crashed") and later is None:
        answer = why_state(where, state, look_back=_LOOK_BACK, seconds=_LOOK_S)
        text += why_summary(answer, screen())
    return text


def _read(
    folder: Path, path: Path, salvage: bool, strict: bool
) -> tuple[SessionState, tuple[Finding, ...]]:
    """Replay a session, past damage unless that is to be an error."""
    if not salvage:
        try:
            return replay_folder(folder), ()
        except CorruptJournal:
            if strict:
                raise
    return replay_folder(folder, salvage=True), verify_file(path).findings


def _warning(path: Path) -> str:
    here = screen()
    what = f"Warning: {path} is damaged. This page shows what can be read of it."
    return render([line(Span(what, "warn")), ()], here.paint)


def _exit(
    ctx: click.Context,
    state: SessionState,
    *,
    findings: tuple[Finding, ...],
    by_verdict: bool,
) -> NoReturn:
    if findings:
        ctx.exit(CorruptJournal.exit_code)
    exit_if_unread(ctx, state)
    ctx.exit(code_of(state.verdict) if by_verdict else 0)


def _is_given(ctx: click.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")


def _show_group(
    group: GroupState, all_nodes: bool, timeline: bool, only: str, *, as_json: bool
) -> None:
    here = screen()
    if as_json:
        data = group_data(group, here.now)
        if timeline:
            from kedro_journal.cli.show_timeline import group_timeline_data

            data["timeline"] = group_timeline_data(group)
        click.echo(json_text(data), nl=False)
    elif timeline:
        from kedro_journal.cli.show_timeline import group_timeline

        click.echo(group_timeline(group, only), nl=False)
    else:
        click.echo(group_view(group, here, all_nodes=all_nodes), nl=False)
