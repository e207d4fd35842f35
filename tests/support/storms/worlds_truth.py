"""What the nodes of a world make, and what a run from the start leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .worlds_model import Made, World, bare

__all__ = ["HOOKED", "canonical", "chunks", "expected", "outcome"]

HOOKED = "# a hook was here\n"


def canonical(value: Any) -> str:
    """Return the same text for the same data, loaded or not."""
    if isinstance(value, Mapping):
        found = {key: one() if callable(one) else one for key, one in value.items()}
        return repr(sorted(found.items()))
    return repr(value)


def _text(label: str, inputs: Sequence[Any]) -> str:
    """Make a text of a few bytes or some pages."""
    told = "\0".join((label, *map(canonical, inputs)))
    digest = hashlib.sha256(told.encode()).hexdigest()
    return f"{label} {digest}\n" * (1 + int(digest[:2], 16) ** 2 // 2000)


def outcome(name: str, code: int, forms: Sequence[str], inputs: Sequence[Any]) -> Any:
    """Return what a node makes, one value for each output."""
    made: list[Any] = []
    for number, form in enumerate(forms):
        label = f"{name}.{code}.{number}"
        if form == "text":
            made.append(_text(label, inputs))
        elif form == "parts":
            made.append({f"p{i}": _text(f"{label}.{i}", inputs) for i in range(3)})
        elif form == "ids":
            made.append(
                {
                    key: _text(f"{label}.{key}", (one, *inputs[1:]))
                    for key, one in inputs[0].items()
                }
            )
        else:
            digest = hashlib.sha256(_text(label, inputs[1:]).encode()).hexdigest()
            made.append(f"{inputs[0]}+ {label} {digest[:16]}\n")
    return made


def chunks(
    name: str, code: int, forms: Sequence[str], inputs: Sequence[Any]
) -> Iterator[Any]:
    """Yield what a generator node makes: partitions by one, or drafts of a text."""
    for number in range(3):
        yield [
            {f"p{number}": one[f"p{number}"]}
            if form == "parts"
            else one
            if number == 2
            else f"draft {number} {one}"
            for form, one in zip(forms, outcome(name, code, forms, inputs), strict=True)
        ]


def expected(
    world: World, confirmed: Callable[[str], str]
) -> dict[str, str | dict[str, str]]:
    """Return what a run from the start leaves at each place of a persistent output.

    Args:
        world: As it is now.
        confirmed: Returns the checkpoint of an incremental dataset now.
    """
    data: dict[str, Any] = dict(world.raw)
    for name, kind in world.kinds.items():
        if kind == "incremental":
            low, high = world.checkpoint, confirmed(name)
            data[name] = {k: v for k, v in data[name].items() if low < k <= high}
    for node in world.nodes:
        inputs = [_load(world, data, name) for name in node.inputs]
        made = outcome(node.name, node.code, node.forms, inputs)
        for name, value in zip(node.outputs, made, strict=True):
            hooked = is_hooked(world, node, name) and isinstance(value, str)
            data[world.place(name)] = value + HOOKED if hooked else value
    return {world.place(name): data[world.place(name)] for name in world.outputs()}


def is_hooked(world: World, node: Made, dataset: str) -> bool:
    """Return whether the hook of a project changes the file of an output."""
    return (
        world.hook
        and not node.generator
        and world.kinds[bare(dataset)] in ("file", "factory", "transcoded")
    )


def _load(world: World, data: Mapping[str, Any], name: str) -> Any:
    if name.startswith("params:"):
        value: Any = world.parameters
        for part in name.removeprefix("params:").split("."):
            value = value[part]
        return value
    return data[world.place(name)]
