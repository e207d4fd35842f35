"""`rerun`: the same run again, from the start."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.views.data import json_text

from .common import logs_aside, project_of, say
from .options import json_option, project_option
from .resume import session_class, split_params

__all__ = ["rerun"]


@click.command("rerun")
@click.argument("session_id", metavar="[ID]", default="latest")
@click.option(
    "--params",
    default="",
    help="Runtime parameters over those of the original: key=value,a.b=value.",
)
@click.option("--env", "-e", help="Another configuration environment.")
@click.option("--run", "run_id", help="A run of the session.  [default: the last]")
@project_option
@json_option
@click.pass_context
def rerun(
    ctx: click.Context,
    *,
    session_id: str,
    params: str,
    env: str | None,
    run_id: str | None,
    project: Path | None,
    as_json: bool,
) -> None:
    """Run again, from the start, what a session was asked for.

    Pipelines, filters, runner, environment and runtime parameters are those of the
    original, whether it came from the command line, a script or a notebook. `resume`
    keeps what was completed instead. A session that goes on from others stands for
    the first of them, with the runtime parameters of the last.

    With --json: one object with session_id, parent_session_id, repeats (the session
    whose run it is) and nodes.
    """
    with logs_aside():
        root = project_of(ctx, project)
        with session_class(root).rerun(
            session_id,
            project_path=root,
            run_id=run_id,
            env=env,
            extra_params=split_params(ctx, params),
        ) as session:
            if session.repeats != session.state.parent_session_id:
                say(
                    f"session {session.state.parent_session_id} goes on from "
                    f"{session.repeats}: what that one was asked for runs again"
                )
            session.run()
            state = session.state
    if as_json:
        nodes = list(state.runs[-1].nodes) if state.runs else []
        data = {
            "session_id": session.session_id,
            "parent_session_id": state.parent_session_id,
            "repeats": session.repeats,
            "nodes": nodes,
        }
        click.echo(json_text(data), nl=False)
        return
    click.echo(f"session {session.session_id}: completed")
