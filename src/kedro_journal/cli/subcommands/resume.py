"""`resume`: run what a session did not complete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kedro_journal.cli.again import (
    conf_source_option,
    outcome,
    project_to_run,
    runner_class,
    runner_option,
    runner_params_option,
    say_damage,
    session_class,
    split_params,
)
from kedro_journal.cli.common import (
    choose_to_run,
    logs_aside,
    say,
    session_argument,
)
from kedro_journal.cli.complete import complete_node_only
from kedro_journal.cli.options import json_option, project_option
from kedro_journal.console import screen
from kedro_journal.errors import NothingLeft
from kedro_journal.views.data import json_text
from kedro_journal.views.resume import plan_view
from kedro_journal.views.words import count

if TYPE_CHECKING:
    from kedro_journal.analysis import ResumePlan
    from kedro_journal.session import KedroSession

__all__ = ["resume"]


@click.command("resume")
@session_argument
@click.option("--dry-run", is_flag=True, help="Show the plan and run nothing.")
@click.option(
    "--from",
    "--from-nodes",
    "from_nodes",
    multiple=True,
    metavar="NODE",
    shell_complete=complete_node_only,
    help="Run this node and everything downstream again, even if it completed.",
)
@click.option(
    "--params",
    default="",
    help="Runtime parameters over those of the original: key=value,a.b=value.",
)
@click.option("--env", "-e", help="Another configuration environment.")
@runner_option
@runner_params_option
@conf_source_option
@click.option(
    "--on-drift",
    type=click.Choice(["report", "refuse", "redo"]),
    default="report",
    show_default=True,
    help="Where code, parameters or inputs were changed: go on and report it; refuse; "
    "or redo what depends on it.",
)
@click.option(
    "--run", "--run-id", "run_id", help="A run of the session.  [default: the last]"
)
@click.option(
    "--force",
    is_flag=True,
    help="Resume even if the session's process may still be alive.",
)
@project_option
@json_option
@click.pass_context
def resume(
    ctx: click.Context,
    *,
    session_id: str,
    dry_run: bool,
    from_nodes: tuple[str, ...],
    params: str,
    env: str | None,
    runner: str | None,
    runner_params: str,
    conf_source: str | None,
    on_drift: str,
    run_id: str | None,
    force: bool,
    project: Path | None,
    as_json: bool,
) -> None:
    """Run what a session did not complete.

    ID is as for `show`; `latest` passes over sessions without a run. Pipelines,
    filters, runner, environment and runtime parameters are those of the original,
    whether it came from the command line, a script or a notebook. If it was resumed
    before, the last of the chain is gone on from.

    Exits with 0 if the run completed or nothing was left to run; with 1 if the run
    fails; with 6 if the session cannot be resumed, or not now.

    With --json: the plan as one object with session_id, chain, decisions (name,
    decision, reason, session_id, seqs), load_versions, drift, unknown (data without a
    fingerprint), in_order (nodes that share data) and damage; once it ran,
    also if it failed again, with to_run, resumed_as (the new session's id, null if
    nothing was left, or nothing is journaled), verdict and error (type, message).
    """
    with logs_aside():
        root = project_to_run(ctx, project)
        cls = session_class(root)
        choice: dict[str, Any] = {
            "runner": runner_class(ctx, runner) if runner else None,
            "runner_params": split_params(ctx, runner_params, "runner_params"),
        }
        given = split_params(ctx, params)
        session_id = choose_to_run(root, session_id)
    common: dict[str, Any] = {
        "project_path": root,
        "run_id": run_id,
        "env": env,
        "from_nodes": from_nodes,
        "on_drift": on_drift,
        "force": force,
        "conf_source": conf_source,
    }
    if dry_run:
        with logs_aside():
            from kedro_journal.session import resume_plan

            plan = resume_plan(session_id, params=given, **common)
        say_damage(plan.damage)
        answer = json_text(plan) if as_json else plan_view(plan, screen())
        click.echo(answer, nl=False)
        return
    try:
        with logs_aside():
            session = cls.resume(session_id, extra_params=given, **choice, **common)
    except NothingLeft as nothing:
        _nothing_left(nothing.plan, as_json=as_json)
        return
    _carry_out(session, as_json=as_json)


def _nothing_left(plan: ResumePlan, *, as_json: bool) -> None:
    say_damage(plan.damage)
    if as_json:
        click.echo(json_text({**_data(plan), "resumed_as": None}), nl=False)
    else:
        click.echo(f"session {plan.session_id}: nothing is left to run")


def _carry_out(session: KedroSession, *, as_json: bool) -> None:
    """Run what is left, and tell of the end, whichever it is."""
    plan = session.plan
    assert plan is not None  # noqa: S101 - it resumes
    error: BaseException | None = None
    try:
        with logs_aside(), session:
            say_damage(plan.damage)
            if not as_json:
                say(plan_view(plan, screen()).rstrip())
            session.run()
    except BaseException as caught:
        error = caught
        raise
    finally:
        told = outcome(session, error)
        ran, resumed_as = told.pop("ran"), told.pop("session_id")
        if as_json:
            data = {**_data(plan), "resumed_as": resumed_as, **told}
            click.echo(json_text(data), nl=False)
        elif error is None:
            which = f"`kedro-journal show {resumed_as}`"
            click.echo(
                f"session {session.session_id}: completed; "
                f"{count(len(ran or plan.to_run), 'node')} ran, {len(plan.done)} kept; "
                f"{which if resumed_as else 'it is not journaled'}"
            )


def _data(plan: ResumePlan) -> dict[str, Any]:
    return {**msgspec.to_builtins(plan), "to_run": list(plan.to_run)}
