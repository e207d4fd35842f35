"""`resume`: go on from what a session really completed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from kedro_journal.errors import NothingLeft
from kedro_journal.views.data import json_text
from kedro_journal.views.resume import plan_view

from .common import logs_aside, project_of, say, screen
from .options import json_option, project_option

if TYPE_CHECKING:
    from kedro_journal.session import KedroSession
    from kedro_journal.state import ResumePlan

__all__ = ["resume", "session_class", "split_params"]


@click.command("resume")
@click.argument("session_id", metavar="[ID]", default="latest")
@click.option("--dry-run", is_flag=True, help="Show the plan and run nothing.")
@click.option(
    "--from",
    "from_nodes",
    multiple=True,
    metavar="NODE",
    help="Run this node again in any case, and all that follows from it.",
)
@click.option(
    "--params",
    default="",
    help="Runtime parameters over those of the original: key=value,a.b=value.",
)
@click.option("--env", "-e", help="Another configuration environment.")
@click.option("--runner", "-r", help="Another runner, by its class.")
@click.option(
    "--on-drift",
    type=click.Choice(["report", "refuse", "redo"]),
    default="report",
    show_default=True,
    help="Where code, parameters or inputs were changed: go on and report it; refuse; "
    "or redo what depends on it.",
)
@click.option("--run", "run_id", help="A run of the session.  [default: the last]")
@click.option("--force", is_flag=True, help="Although its process may be alive.")
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
    on_drift: str,
    run_id: str | None,
    force: bool,
    project: Path | None,
    as_json: bool,
) -> None:
    """Go on from what a session really completed, as a new session.

    ID is a session's id, a unique beginning of it, or `latest`. Pipelines, filters,
    runner, environment and runtime parameters are those of the original, whether it
    came from the command line, a script or a notebook. If it was resumed before, the
    last of the chain is gone on from.

    Exits with 0 if the run completed or nothing was left to run; with 1 if the run
    fails; with 6 if the session cannot be resumed, or not now.

    With --json: the plan as one object with session_id, chain, decisions (name,
    decision, reason, session_id, seqs), load_versions and drift; once it ran, also
    with to_run, and resumed_as: the new session's id, null if nothing was left.
    """
    common: dict[str, Any] = {
        "project_path": project_of(ctx, project),
        "run_id": run_id,
        "env": env,
        "from_nodes": from_nodes,
        "on_drift": on_drift,
        "force": force,
    }
    if dry_run:
        with logs_aside():
            from kedro_journal.session import resume_plan

            plan = resume_plan(session_id, params=split_params(ctx, params), **common)
        answer = json_text(plan) if as_json else plan_view(plan, screen())
        click.echo(answer, nl=False)
        return
    try:
        with logs_aside():
            plan, resumed_as = _run(ctx, session_id, params, runner, common, as_json)
    except NothingLeft as nothing:
        plan, resumed_as = nothing.plan, None
    if as_json:
        data = {**msgspec.to_builtins(plan), "to_run": list(plan.to_run)}
        click.echo(json_text({**data, "resumed_as": resumed_as}), nl=False)
    elif resumed_as is None:
        click.echo(f"session {plan.session_id}: nothing is left to run")
    else:
        click.echo(f"session {resumed_as}: completed")


def _run(
    ctx: click.Context,
    session_id: str,
    params: str,
    runner: str | None,
    common: dict[str, Any],
    quiet: bool,
) -> tuple[ResumePlan, str]:
    cls = session_class(common["project_path"])
    given: dict[str, Any] = {}
    if runner:
        from kedro.utils import load_obj

        given["runner"] = load_obj(runner, "kedro.runner")()
    extra_params = split_params(ctx, params)
    with cls.resume(session_id, extra_params=extra_params, **common) as session:
        plan = session.plan
        assert plan is not None  # noqa: S101 - it resumes
        if not quiet:
            say(plan_view(plan, screen()).rstrip())
        session.run(**given)
    return plan, session.session_id


def session_class(project: Path | None) -> type[KedroSession]:
    """Give the session class of the project's settings, or ours if it has another."""
    from kedro.framework.project import settings

    from kedro_journal.session import KedroSession
    from kedro_journal.session.project import configure

    configure(None, project)
    found = settings.SESSION_CLASS
    ours = isinstance(found, type) and issubclass(found, KedroSession)
    return found if ours else KedroSession


def split_params(ctx: click.Context, params: str) -> dict[str, Any]:
    """Read `--params` as Kedro does."""
    from kedro.framework.cli.utils import _split_params

    option = next(p for p in ctx.command.params if p.name == "params")
    parsed: dict[str, Any] = _split_params(ctx, option, params)
    return parsed
