"""`rerun`: the same run again, from the start."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.again import (
    conf_source_option,
    outcome,
    project_to_run,
    runner_class,
    runner_option,
    runner_params_option,
    session_class,
    split_params,
)
from kedro_journal.cli.common import (
    choose_to_run,
    logs_aside,
    say,
    session_argument,
)
from kedro_journal.cli.options import json_option, project_option
from kedro_journal.views.data import json_text

__all__ = ["rerun"]


@click.command("rerun")
@session_argument
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
    "--run", "--run-id", "run_id", help="A run of the session.  [default: the last]"
)
@project_option
@json_option
@click.pass_context
def rerun(
    ctx: click.Context,
    *,
    session_id: str,
    params: str,
    env: str | None,
    runner: str | None,
    runner_params: str,
    conf_source: str | None,
    run_id: str | None,
    project: Path | None,
    as_json: bool,
) -> None:
    """Run a session again from the start.

    Pipelines, filters, runner, environment and runtime parameters are those of the
    original, whether it came from the command line, a script or a notebook. `resume`
    keeps what was completed instead. A session that resumes others stands for
    the first of them, with the runtime parameters of the last.

    With --json: one object with session_id (null if nothing is journaled), verdict,
    error (type, message), parent_session_id, repeats (the session whose run it is) and
    nodes; also if the run fails.
    """
    with logs_aside():
        root = project_to_run(ctx, project)
        session_id = choose_to_run(root, session_id)
        session = session_class(root).rerun(
            session_id,
            project_path=root,
            run_id=run_id,
            env=env,
            extra_params=split_params(ctx, params),
            conf_source=conf_source,
            runner=runner_class(ctx, runner) if runner else None,
            runner_params=split_params(ctx, runner_params, "runner_params"),
        )
    parent = session.state.parent_session_id
    if parent is not None and session.repeats != parent:
        say(
            f"session {parent} resumes {session.repeats}: what that one was asked "
            "for runs again"
        )
    error: BaseException | None = None
    try:
        with logs_aside(), session:
            session.run()
    except BaseException as caught:
        error = caught
        raise
    finally:
        told = outcome(session, error)
        told.pop("ran")
        if as_json:
            run = session.state.last_run
            more = {"parent_session_id": parent, "repeats": session.repeats}
            nodes = list(run.nodes) if run is not None else []
            click.echo(json_text({**told, **more, "nodes": nodes}), nl=False)
        elif error is None:
            journaled = "" if told["session_id"] else "; it is not journaled"
            click.echo(f"session {session.session_id}: completed{journaled}")
