"""`debug`: stop at the line where a node failed, with the inputs that it had."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback as tracebacks
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kedro_journal.cli.again import project_to_run, split_params
from kedro_journal.cli.common import choose_to_run, logs_aside, say
from kedro_journal.cli.debugger import post_mortem, shell, without_ours
from kedro_journal.cli.options import project_option
from kedro_journal.views.terminal import escape

if TYPE_CHECKING:
    from kedro_journal.session.recorded_node import RecordedNode

__all__ = ["debug"]

_DISABLE: Final = "KEDRO_JOURNAL_DISABLE"


@click.command("debug")
@click.argument("session_id", metavar="[ID]", default="last-failed")
@click.argument("node", metavar="[NODE]", required=False)
@click.option(
    "--shell", "in_shell", is_flag=True, help="Open IPython with the inputs instead."
)
@click.option(
    "--print-cell", is_flag=True, help="Print a notebook cell that does the same."
)
@click.option("--yes", "-y", is_flag=True, help="Run earlier nodes without asking.")
@click.option(
    "--params",
    default="",
    help="Runtime parameters over those of the session, such as masked ones.",
)
@click.option("--run-id", help="A run of the session.  [default: the last]")
@click.option(
    "--force",
    is_flag=True,
    help="Also if the session's process may still be alive.",
)
@project_option
@click.pass_context
def debug(
    ctx: click.Context,
    *,
    session_id: str,
    node: str | None,
    in_shell: bool,
    print_cell: bool,
    yes: bool,
    params: str,
    run_id: str | None,
    force: bool,
    project: Path | None,
) -> None:
    """Stop at the line where a node failed, with the inputs that it had.

    Loads what the node loaded, in the recorded versions, calls its function, and opens
    a debugger where that raises (pdb, or what PYTHONBREAKPOINT names). Inputs that
    lived in memory are made again by the nodes before it, after a question. Standard
    error says first what is not as it was. Nothing is saved in the catalog, and nothing
    is journaled.

    ID is by default the last session that failed, NODE the first of its nodes that
    broke.
    """
    with logs_aside(), _unjournaled():
        from kedro_journal.session.recorded_node import open_node

        given = split_params(ctx, params)
        root = project_to_run(ctx, project)
        found = open_node(
            node,
            choose_to_run(root, session_id),
            project_path=root,
            run_id=run_id,
            params=given or None,
            force=force,
        )
    if print_cell:
        click.echo(_cell(found, root, given), nl=False)
        return
    _announce(found)
    if found.to_run and not yes:
        _ask(ctx, found)
    with _unjournaled():
        _open(found, in_shell=in_shell)
    say("Nothing was saved, and nothing was journaled.")


@contextlib.contextmanager
def _unjournaled() -> Iterator[None]:
    before = os.environ.get(_DISABLE)
    os.environ[_DISABLE] = "1"
    try:
        yield
    finally:
        del os.environ[_DISABLE]
        if before is not None:
            os.environ[_DISABLE] = before


def _announce(found: RecordedNode) -> None:
    """Report on stderr which node it is, what it loads, and what is not as it was."""
    state = found.state
    how = f"{state.status} while {state.phase}" if state.phase else state.status
    say(f"session {escape(found.session_id)}, node {escape(state.name)}: {how}")
    if state.error is not None:
        say(f"  {escape(state.error.root.summary())}")
    code = getattr(found.function, "__code__", None)
    if code is not None:
        where = escape(f"{code.co_filename}:{code.co_firstlineno}")
        say(f"  function {escape(_name(found))}, {where}")
    for name in found.node.inputs:
        version = found.versions.get(name)
        load = state.loads.get(name)
        if name == "parameters" or name.startswith("params:"):
            where = "as configured now, with the session's own parameters"
        elif version:
            where = f"version {version}"
        else:
            where = load.path if load is not None and load.path else ""
        say(f"  loads {escape(name)}{f' ({escape(where)})' if where else ''}")
    for text in found.differences:
        say(f"  differs: {escape(text)}")
    if found.others:
        say(f"  other nodes that broke: {escape(', '.join(found.others))}")


def _name(found: RecordedNode) -> str:
    function = found.function
    module = getattr(function, "__module__", "")
    return f"{module}.{getattr(function, '__qualname__', repr(function))}"


def _ask(ctx: click.Context, found: RecordedNode) -> None:
    names = escape(", ".join(found.to_run))
    say(f"To make again what lived in memory, these nodes run first: {names}.")
    if not sys.stdin.isatty():
        say("kedro-journal: give --yes to run them without a terminal.")
        ctx.exit(2)
    click.confirm("Run them? Nothing is saved.", abort=True, err=True)


def _open(found: RecordedNode, *, in_shell: bool) -> None:
    doing = "an input was loaded"
    try:
        inputs = found.inputs
        if in_shell:
            _shell(found, inputs)
            return
        doing = "the node's function ran"
        result = found.call()
    except Exception as error:
        tracebacks.print_exception(
            type(error), error, without_ours(error.__traceback__), file=sys.stderr
        )
        say(f"Raised while {doing}. `u` and `d` walk the frames, `q` ends.")
        post_mortem(_deepest(error))
        return
    say(f"The function returned {type(result).__qualname__}; it did not raise.")
    if found.state.phase == "saving":
        say("The session failed when the outputs were saved, which is not done here.")
    elif found.state.status == "failed":
        say("What it failed of is not in the inputs that the journal knows.")


def _deepest(error: BaseException) -> Any:
    """Return the traceback of the first cause: Kedro wraps errors of datasets."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error.__traceback__


def _shell(found: RecordedNode, inputs: dict[str, Any]) -> None:
    variables = {
        **found.arguments,
        "inputs": inputs,
        "function": found.function,
        "call": found.call,
        "node": found.state,
    }
    names = ", ".join(name for name in variables)
    shell(variables, f"Variables: {names}. `call()` calls the function.")


def _cell(found: RecordedNode, root: Path | None, params: dict[str, Any]) -> str:
    """Return Python code that opens the node in a notebook."""
    arguments = [repr(found.state.name), repr(found.session_id)]
    arguments += [f"project_path={str(root)!r}"] if root is not None else []
    arguments += [f"params={params!r}"] if params else []
    lines = [
        "from kedro_journal.session import open_node",
        "",
        f"node = open_node({', '.join(arguments)})",
        "print(node.differences)  # what is not as it was",
    ]
    if found.to_run:
        lines.append(f"# runs first, saving nothing: {', '.join(found.to_run)}")
    lines += [
        "inputs = node.inputs",
        "node.call()  # then: %debug",
    ]
    return "\n".join(lines) + "\n"
