"""The graph of a run's nodes: who needs whom, and the longest chain by time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

__all__ = ["edges_of", "in_order", "longest_path"]

Needs = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Inputs and outputs of each node, by its name."""


def edges_of(needs: Needs) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return pairs of maker and user, with the datasets that pass between them.

    `data@pandas` and `data@spark` are one dataset. A node is no maker of its own input.
    """
    makers: dict[str, str] = {}
    for name, (_, outputs) in needs.items():
        for dataset in outputs:
            makers.setdefault(dataset.partition("@")[0], name)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, (inputs, _) in needs.items():
        for dataset in inputs:
            maker = makers.get(dataset.partition("@")[0])
            if maker is not None and maker != name:
                pair = (maker, name)
                found[pair] = (*found.get(pair, ()), dataset)
    return found


def in_order(
    names: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names so that every pair goes forward, and the pairs that do.

    A graph that Kedro ran has no cycle. A damaged journal may have one: pairs that
    would close a cycle are left out.
    """
    after: dict[str, list[str]] = {name: [] for name in names}
    waiting = dict.fromkeys(names, 0)
    for maker, user in pairs:
        after[maker].append(user)
        waiting[user] += 1
    ready = deque(name for name in names if not waiting[name])
    left = dict.fromkeys(names)
    order: list[str] = []
    while left:
        name = ready.popleft() if ready else next(iter(left))
        if name not in left:
            continue
        del left[name]
        order.append(name)
        for user in after[name]:
            waiting[user] -= 1
            if not waiting[user] and user in left:
                ready.append(user)
    place = {name: number for number, name in enumerate(order)}
    return order, [pair for pair in pairs if place[pair[0]] < place[pair[1]]]


def longest_path(needs: Needs, weights: Mapping[str, float]) -> tuple[str, ...]:
    """Return the chain of nodes that takes longest, in order; empty for no weight."""
    known = {name: needs.get(name, ((), ())) for name in weights}
    order, pairs = in_order(list(known), list(edges_of(known)))
    makers: dict[str, list[str]] = {}
    for maker, user in pairs:
        makers.setdefault(user, []).append(maker)
    best: dict[str, float] = {}
    before: dict[str, str] = {}
    for name in order:
        first = max(makers.get(name, ()), key=best.__getitem__, default=None)
        best[name] = weights[name] + (best[first] if first is not None else 0.0)
        if first is not None:
            before[name] = first
    last = max(best, key=best.__getitem__, default=None)
    if last is None or not best[last]:
        return ()
    chain = [last]
    while chain[-1] in before:
        chain.append(before[chain[-1]])
    return tuple(reversed(chain))
