"""Random worlds for resume: a pipeline, its data, and what may be edited in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["RUNNERS", "Made", "World", "draw", "features"]

RUNNERS: Final = (
    *("sequential",) * 5,
    *("async",) * 2,
    *("thread",) * 4,
    *("fork",) * 4,
    *("retry",) * 2,
    *("soft",) * 2,
)
KINDS: Final = (
    *("memory",) * 3,
    *("file",) * 5,
    "versioned",
    "versioned",
    "cached",
    "factory",
    "transcoded",
    "transcoded",
    "partitions",
    "partitions",
)
OF_ONE_PROCESS: Final = ("cached",)


@dataclass
class Made:
    """One node.

    Attributes:
        name: Its name.
        inputs: Datasets, as the pipeline names them.
        outputs: The same.
        forms: What each output is: text, parts (partitions), ids (one partition for
            each of the first input) or update (the first input, and more).
        confirms: Datasets that it confirms.
        generator: It yields its outputs in chunks.
        code: Version of its code.
    """

    name: str
    inputs: list[str]
    outputs: list[str]
    forms: list[str]
    confirms: list[str] = field(default_factory=list)
    generator: bool = False
    code: int = 0


@dataclass
class World:
    """A project and its data.

    Attributes:
        nodes: In an order in which they can run.
        kinds: What each dataset is, by its name without the part behind the @.
        places: Where datasets are that share a file; others have one of their name.
        raw: Free inputs: the text, or the texts of partitions.
        parameters: The parameters.
        checkpoint: The checkpoint of incremental datasets before the first run.
        runner: How it runs; see `RUNNERS`.
        hook: A hook of the project appends to files after a save.
        level: 0 if the first run has Kedro's own session and the hooks of the plugin
            alone, 1 if the project's settings name this package's session class.
    """

    nodes: list[Made] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    checkpoint: str = ""
    runner: str = "sequential"
    hook: bool = False
    level: int = 1

    @property
    def makers(self) -> dict[str, Made]:
        """The node that makes each dataset."""
        return {bare(out): node for node in self.nodes for out in node.outputs}

    def place(self, dataset: str) -> str:
        """Return where the data of a dataset is."""
        return self.places.get(bare(dataset), bare(dataset))

    def users(self, dataset: str) -> list[Made]:
        """Return the nodes that load a dataset."""
        return [n for n in self.nodes if bare(dataset) in map(bare, n.inputs)]

    def following(self, names: set[str]) -> set[str]:
        """Return some nodes, and all that follow from them."""
        found, made = set(names), set[str]()
        for node in self.nodes:
            if node.name in found or made & set(map(bare, node.inputs)):
                found.add(node.name)
                made |= set(map(bare, node.outputs))
        return found

    def outputs(self) -> dict[str, str]:
        """Return the persistent outputs by name, with their kinds."""
        return {
            name: self.kinds[name]
            for name in self.makers
            if self.kinds[name] != "memory"
        }


def bare(dataset: str) -> str:
    """Return a dataset's name without the part behind the @."""
    return dataset.partition("@")[0]


class _Draw:
    """Draw a world step by step."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.world = World(runner=rng.choice(RUNNERS))
        if rng.random() < 0.02:
            self.world.runner = "spawn"
        # Kedro calls no hook of a project in workers that are spawned like this.
        self.world.hook = self.world.runner != "spawn" and rng.random() < 0.25
        self.world.parameters = {"word": "w", "model": {"lr": 1, "depth": 2}}
        self.near = ["params:word", "params:model.lr"]
        self.number = 0

    def raw(self, name: str, value: Any, kind: str) -> str:
        self.world.raw[name], self.world.kinds[name] = value, kind
        return name

    def node(
        self, inputs: list[str], outputs: dict[str, str], forms: list[str], **more: Any
    ) -> Made:
        """Add a node; its outputs by their names, with the kinds."""
        named = []
        for name, kind in outputs.items():
            self.world.kinds[name] = kind
            named.append(f"{name}@save" if kind == "transcoded" else name)
        made = Made(f"n{self.number}", inputs, named, forms, **more)
        self.number += 1
        self.world.nodes.append(made)
        return made

    def load_name(self, name: str) -> str:
        return f"{name}@load" if self.world.kinds[name] == "transcoded" else name

    def some(self, most: int = 3) -> list[str]:
        pool = self.near[-8:] if self.rng.random() < 0.8 else self.near
        return self.rng.sample(pool, self.rng.randint(1, min(most, len(pool))))

    def kind(self) -> str:
        kind = self.rng.choice(KINDS)
        parallel = self.world.runner in ("fork", "spawn")
        return "file" if parallel and kind in OF_ONE_PROCESS else kind

    def plain(self) -> None:
        generator = self.rng.random() < 0.15 and self.world.runner != "async"
        outputs = {}
        for letter in "ab"[: self.rng.choice((1, 1, 2))]:
            kind = self.kind()
            if generator and kind in ("memory", "versioned"):
                kind = "file"  # each chunk is saved; a version is saved once
            name = f"d{self.number}{letter}"
            outputs[f"f_{name}" if kind == "factory" else name] = kind
        forms = ["parts" if k == "partitions" else "text" for k in outputs.values()]
        self.node(self.some(), outputs, forms, generator=generator)
        self.near += [self.load_name(name) for name in outputs]

    def update(self) -> None:
        """Add a node that updates a file in place; perhaps the file is a free input."""
        number = self.number
        first, second = f"u{number}", f"v{number}"
        if self.rng.random() < 0.5:
            self.raw(first, f"raw {first}\n", "file")
        else:
            self.node(self.some(), {first: "file"}, ["text"])
        self.world.places[second] = first
        more = self.some(2)
        if self.rng.random() < 0.5:  # somebody reads what is overwritten
            reader = f"z{number}"
            self.node([first], {reader: self.kind_of_text()}, ["text"])
            more = [self.load_name(reader)]
        self.node([first, *more], {second: "file"}, ["update"])
        self.near.append(second)
        if self.rng.random() < 0.3:  # and again
            third = f"w{number}"
            self.world.places[third] = first
            self.node([second], {third: "file"}, ["update"])
            self.near[-1] = third

    def kind_of_text(self) -> str:
        while (kind := self.kind()) in ("partitions", "factory"):
            pass
        return kind

    def shared(self) -> None:
        """Add two entries for one file: the second save overwrites what is read."""
        number = self.number
        first, between, second = f"s{number}", f"t{number}", f"x{number}"
        self.world.places[second] = first
        self.node(self.some(), {first: "file"}, ["text"])
        self.node([first], {between: self.kind_of_text()}, ["text"])
        inputs = [self.load_name(between), *self.some(1)]
        self.node(inputs, {second: "file"}, ["text"])
        self.near += [self.load_name(between), second]

    def take(self) -> None:
        """Add nodes that consume an increment."""
        number = self.number
        name = f"inc{number}"
        ids = {f"p{i:02}": f"{name} p{i:02}" for i in range(self.rng.randint(2, 5))}
        self.raw(name, ids, "incremental")
        form = self.rng.choice(("text", "ids"))
        kind = "partitions" if form == "ids" else self.kind_of_text()
        taken = f"i{number}"
        late = self.rng.random() < 0.4
        confirms = [] if late else [name]
        made = self.node([name], {taken: kind}, [form], confirms=confirms)
        if self.rng.random() < 0.3:
            made.inputs.append(self.rng.choice(self.near))
        self.near.append(self.load_name(taken))
        if late:
            for _ in range(self.rng.randint(0, 2)):
                self.plain()
            last = f"l{number}"
            self.node(
                [self.load_name(taken)], {last: "file"}, ["text"], confirms=[name]
            )
            self.near.append(last)


def draw(rng: random.Random) -> World:
    """Draw a world of 2 to 14 nodes."""
    one = _Draw(rng)
    for number in range(rng.randint(1, 2)):
        one.near.append(one.raw(f"raw{number}", f"raw {number}\n", "file"))
    if rng.random() < 0.5:
        parts = {f"p{i}": f"pin {i}" for i in range(rng.randint(2, 4))}
        one.near.append(one.raw("pin", parts, "partitions"))
    if rng.random() < 0.3:
        one.world.checkpoint = "p00"
    special = rng.sample((one.update, one.shared, one.take), rng.choice((0, 1, 1, 2)))
    steps = [*special, *(one.plain for _ in range(rng.randint(1, 7)))]
    rng.shuffle(steps)
    for step in steps:
        step()
    if not one.world.outputs():
        one.world.kinds[bare(one.world.nodes[-1].outputs[0])] = "file"
    return one.world


def features(world: World) -> set[str]:
    """Return what a world contains besides the kinds of its datasets."""
    nodes = world.nodes
    found = {
        "a node that updates a file in place": any("update" in n.forms for n in nodes),
        "two entries for one file": any(
            "update" not in node.forms and world.places.keys() & set(node.outputs)
            for node in nodes
        ),
        "a confirmation": any(node.confirms for node in nodes),
        "a confirmation by a later node": any(
            set(node.confirms) - set(node.inputs) for node in nodes
        ),
        "a generator node": any(node.generator for node in nodes),
        "a hook that changes files": world.hook,
    }
    return {what for what, is_so in found.items() if is_so}
