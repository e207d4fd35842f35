"""Shell completion: ids, nodes and names. Nothing here prints, raises or writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from kedro_journal.errors import JournalError

__all__ = ["complete_name", "complete_node", "complete_node_only"]

_WORDS_MAX = 500


def complete_node(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[str]:
    """Return ids, and the nodes of the session that was given, or of the latest."""
    return _complete(ctx, param, incomplete, nodes=True, others=False)


def complete_name(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[str]:
    """Return ids, and the parameters and datasets of a session, as `complete_node`."""
    return _complete(ctx, param, incomplete, nodes=False, others=True)


def complete_node_only(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list[str]:
    """Return the nodes of the session that was given, or of the latest."""
    wanted = ctx.params.get("session_id") or "latest"
    return _fitting(_names(ctx, wanted, nodes=True, others=False), incomplete)


def _complete(
    ctx: click.Context,
    param: click.Parameter,
    incomplete: str,
    *,
    nodes: bool,
    others: bool,
) -> list[str]:
    from .common import complete_id

    words = ctx.params.get(param.name or "") or ()
    given = words[0] if words else "latest"
    found = _fitting(_names(ctx, given, nodes=nodes, others=others), incomplete)
    return found if words else [*found, *complete_id(ctx, param, incomplete)]


def _fitting(names: Iterator[str], incomplete: str) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        if name.startswith(incomplete) and name.isprintable() and " " not in name:
            found[name] = None
    return list(found)[:_WORDS_MAX]


def _names(
    ctx: click.Context, wanted: str, *, nodes: bool, others: bool
) -> Iterator[str]:
    from kedro_journal.replaying import replay_folder
    from kedro_journal.replaying.select import select
    from kedro_journal.state.flat import flatten

    from .common import journals_quietly

    directory: Path | None = ctx.params.get("directory")
    try:
        where = journals_quietly(ctx, ctx.params.get("project"), directory)
        state = replay_folder(select(where, wanted).folder, salvage=True)
    except (JournalError, OSError):
        return
    for run in reversed(state.runs):
        if nodes:
            yield from run.nodes
        if others:
            for node in run.nodes.values():
                plan = node.plan
                yield from (*plan.inputs, *plan.outputs) if plan is not None else ()
    if others:
        yield from (f"params:{name}" for name, _ in flatten(state.parameters))
