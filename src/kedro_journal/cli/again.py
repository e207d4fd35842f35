"""What `resume` and `rerun` share: the project, the class, the runner, the outcome."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kedro_journal.config import load_config
from kedro_journal.views.terminal import escape
from kedro_journal.views.words import count

from .common import project_needed, say

if TYPE_CHECKING:
    from kedro_journal.analysis import Damage
    from kedro_journal.session import KedroSession

__all__ = [
    "conf_source_option",
    "outcome",
    "project_to_run",
    "runner_class",
    "runner_option",
    "runner_params_option",
    "say_damage",
    "session_class",
    "split_params",
]


runner_option = click.option(
    "--runner", "-r", help="Another runner, by its class.  [default: the recorded one]"
)
runner_params_option = click.option(
    "--runner-params",
    default="",
    help="Arguments of the runner over the recorded ones: max_workers=2,is_async=true.",
)
conf_source_option = click.option(
    "--conf-source",
    help="Another folder, archive or URL of the configuration.",
)


def project_to_run(ctx: click.Context, project: Path | None) -> Path | None:
    """Find the project that is meant, and read its settings.

    Raises:
        ConfigError: Its pyproject.toml cannot be parsed.
        JournalError: There is no project, and no journals either.
    """
    root = project_needed(ctx, project)
    here = Path.cwd()
    for folder in (root,) if root is not None else (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            load_config(folder)  # an invalid one is not known as a project
            break
    return root


def session_class(project: Path | None) -> type[KedroSession]:
    """Return the session class of the project's settings, or ours if it has another."""
    from kedro.framework.project import settings

    from kedro_journal.capture import compat
    from kedro_journal.capture.project import configure
    from kedro_journal.session import KedroSession

    configure(None, project)
    if compat.package_name() is None:
        return KedroSession  # outside a project, it reports the missing session itself
    found = settings.SESSION_CLASS
    ours = isinstance(found, type) and issubclass(found, KedroSession)
    return found if ours else KedroSession


def runner_class(ctx: click.Context, name: str) -> type[Any]:
    """Return the class of a runner.

    Raises:
        click.BadParameter: There is none of that name.
    """
    from kedro import runner
    from kedro.utils import load_obj

    reason = "it is not a runner class"
    try:
        found = load_obj(name, "kedro.runner")
        if isinstance(found, type) and issubclass(found, runner.AbstractRunner):
            return found
    except (ImportError, AttributeError, ValueError) as error:
        reason = str(error)
    known = sorted(
        name
        for name, one in vars(runner).items()
        if isinstance(one, type)
        and issubclass(one, runner.AbstractRunner)
        and one is not runner.AbstractRunner
    )
    message = (
        f"{name!r}: {reason}. Kedro's are {', '.join(known)}; others are given as "
        "package.module.Class."
    )
    option = next(one for one in ctx.command.params if one.name == "runner")
    raise click.BadParameter(message, ctx, option)


def split_params(
    ctx: click.Context, params: str, name: str = "params"
) -> dict[str, Any]:
    """Read `--params`, or another option of that kind, as Kedro does."""
    from kedro.framework.cli.utils import _split_params

    option = next(p for p in ctx.command.params if p.name == name)
    parsed: dict[str, Any] = _split_params(ctx, option, params)
    return parsed


def outcome(session: KedroSession, error: BaseException | None) -> dict[str, Any]:
    """Return id, verdict, error and the nodes that ran of a session that ended.

    Args:
        session: The session, closed.
        error: What left its block, None if it ended well.
    """
    told = None
    if error is not None:
        told = {"type": type(error).__qualname__, "message": str(error)}
    if session.journal_folder is None:
        verdict = "completed" if error is None else "failed"
        return {"session_id": None, "verdict": verdict, "error": told, "ran": []}
    state = session.state
    run = state.last_run
    known = (run.error if run is not None else None) or state.error
    if error is not None and known is not None:
        told = {"type": known.type, "message": known.message}  # redacted
    ran = [one.name for one in run.with_status("completed")] if run is not None else []
    return {
        "session_id": state.session_id,
        "verdict": state.verdict,
        "error": told,
        "ran": ran,
    }


def say_damage(damage: Iterable[Damage]) -> None:
    """Report on stderr which parts of the journals could not be read."""
    for one in damage:
        lost = f", {count(one.lost, 'record')} lost" if one.lost else ""
        say(
            f"the journal of session {escape(one.session_id)} is damaged{lost}; what "
            "can be read counts:"
        )
        for finding in one.findings:
            say(f"  {escape(finding)}")
        if one.more:
            say(f"  and {one.more} more; see `kedro-journal verify {one.session_id}`")
