"""What is edited in a world between two runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from kedro_journal.state import SessionState

from .worlds_model import Made, World, bare
from .worlds_project import write_code, write_raw

__all__ = ["Edits"]

_LONG_AGO: Final = 1_500_000_000.0
_SPOILT: Final = ("file", "partitions", "factory", "transcoded", "cached")


class Edits:
    """Edit a world and its project.

    Args:
        folder: The project.
        world: What is in it; edits change it.
        rng: Draws the edits.

    Attributes:
        to_redo: The last edit that a node depends on that was at work, or that
            something follows from that was; until a resume redoes what depends on it.
        to_refuse: The last edit that a completed node depends on, likewise.
        any: Something that nodes depend on was edited.
        put_back: What was consumed has been put back.
    """

    def __init__(self, folder: Path, world: World, rng: random.Random) -> None:
        self.folder, self.world, self.rng = folder, world, rng
        self.to_redo, self.to_refuse = "", ""
        self.any, self.put_back = False, False
        self.number = 0
        self.spoilt: set[str] = set()
        self.ever: set[str] = set()

    def completed(self, states: Sequence[SessionState]) -> set[str]:
        """Return the nodes whose last try completed."""
        found: set[str] = set()
        for state in states:
            for run in state.runs:
                for name, node in run.nodes.items():
                    if node.status == "completed":
                        found.add(name)
                        self.ever.add(name)
                    elif node.status not in ("pending", "skipped"):
                        found.discard(name)
                        self.ever.add(name)
        return found

    def make(self, states: Sequence[SessionState], chance: float) -> Iterator[str]:
        """Make some edits; yield what they are."""
        done = self.completed(states)
        if chance < 0.35:
            return
        kinds: list[Callable[[set[str]], str]] = [
            *(self._code,) * 3,
            *(self._parameter,) * 2,
            *(self._raw,) * 3,
            *(self._arrival,) * 3,
            *(self._spoil,) * 4,
            self._added_output,
            self._renamed_output,
            self._added_node,
        ]
        for _ in range(self.rng.choice((1, 1, 2))):
            what = self.rng.choice(kinds)(done)
            if what:
                self.number += 1
                write_code(self.folder, self.world)
                yield what

    def _concerns(self, nodes: Sequence[Made], done: set[str], what: str) -> str:
        """Note an edit of what nodes depend on."""
        self.any = True
        if {node.name for node in nodes} & done:
            self.to_refuse = what
        if self.world.following({node.name for node in nodes}) & self.ever:
            self.to_redo = what
        return what

    def _code(self, done: set[str]) -> str:
        node = self.rng.choice(self.world.nodes)
        node.code += 1
        return self._concerns([node], done, f"code: {node.name}")

    def _parameter(self, done: set[str]) -> str:
        name = self.rng.choice(("word", "lr"))
        if name == "word":
            self.world.parameters["word"] = f"w{self.number}"
        else:
            self.world.parameters["model"]["lr"] = self.number + 2
        using = [
            node
            for node in self.world.nodes
            if any(i.startswith("params:") and i.endswith(name) for i in node.inputs)
        ]
        return self._concerns(using, done, f"parameter: {name}")

    def _raw(self, done: set[str]) -> str:
        names = [
            name
            for name in self.world.raw
            if name.startswith(("raw", "pin")) and self.world.users(name)
        ]
        if not names:
            return ""
        name = self.rng.choice(names)
        at = _LONG_AGO + self.number if self.rng.random() < 0.5 else None
        value: Any = self.world.raw[name]
        how = "older" if at else "edited"
        if isinstance(value, str):
            self.world.raw[name] = f"{value[:-1]} {self.number}\n"
        else:
            value = dict(value)
            key = self.rng.choice(sorted(value))
            how = self.rng.choice(("edited", "older", "deleted", "added"))
            if how == "deleted" and len(value) > 1:
                del value[key]
            elif how == "added":
                value[f"q{self.number}"] = "a new one"
            else:
                value[key] = f"edited {self.number}"
            self.world.raw[name] = value
        write_raw(self.folder, self.world, name, at)
        users = self.world.users(name)
        return self._concerns(users, done, f"input {how}: {name}")

    def _arrival(self, done: set[str]) -> str:
        """Let a partition arrive that nobody has loaded."""
        del done
        names = [n for n, kind in self.world.kinds.items() if kind == "incremental"]
        if not names:
            return ""
        name = self.rng.choice(names)
        more = {f"p{len(self.world.raw[name]):02}": f"arrived {self.number}"}
        self.world.raw[name] = {**self.world.raw[name], **more}
        write_raw(self.folder, self.world, name)
        self.any = True
        return f"arrival: {name} {more}"

    def _spoil(self, done: set[str]) -> str:
        """Delete or change an output of a completed node."""
        shared = set(self.world.places) | set(self.world.places.values())
        names = [
            name
            for name, maker in self.world.makers.items()
            if maker.name in done
            and self.world.kinds[name] in _SPOILT
            and name not in shared | self.spoilt
        ]
        if not names:
            return ""
        name = self.rng.choice(names)
        path = self.folder / "data" / self.world.place(name)
        if path.is_dir():
            path = self.rng.choice(sorted(path.glob("*.txt")) or [path])
        if not path.is_file():
            return ""
        self.spoilt.add(name)
        if self.rng.random() < 0.5:
            path.unlink()
            return f"deleted: {name} of {self.world.makers[name].name}"
        path.write_text("changed")
        return f"changed: {name} of {self.world.makers[name].name}"

    def _added_output(self, done: set[str]) -> str:
        """Add an output to a node; perhaps an old file is there already."""
        del done
        node = self.rng.choice(self.world.nodes)
        if node.generator or "update" in node.forms or node.confirms:
            return ""
        name = f"a{self.number}{node.name}"
        self.world.kinds[name] = "file"
        if self.rng.random() < 0.5:
            (self.folder / "data" / name).write_text("of yesterday")
        node.outputs.append(name)
        node.forms.append("text")
        self.any = True
        return self._concerns([node], set(), f"output added: {name} of {node.name}")

    def _renamed_output(self, done: set[str]) -> str:
        """Rename an output, in its node and in those that load it."""
        del done
        shared = set(self.world.places) | set(self.world.places.values())
        names = [
            name
            for name in self.world.makers
            if name not in shared and self.world.kinds[name] != "factory"
        ]
        if not names:
            return ""
        old = self.rng.choice(sorted(names))
        new = f"{old}r"
        if self.rng.random() < 0.5 and self.world.kinds[old] == "file":
            (self.folder / "data" / new).write_text("of yesterday")
        self.world.kinds[new] = self.world.kinds.pop(old)
        for node in self.world.nodes:
            for names_of in (node.inputs, node.outputs):
                for at, name in enumerate(names_of):
                    if bare(name) == old:
                        names_of[at] = new + name[len(old) :]
        self.any = True
        return f"output renamed: {old} to {new}"

    def _added_node(self, done: set[str]) -> str:
        del done
        loadable = [
            name
            for node in self.world.nodes
            for name in node.inputs
            if self.world.kinds.get(bare(name)) not in (None, "incremental")
            and self.world.places.get(bare(name), bare(name)) == bare(name)
            and bare(name) not in self.world.places.values()
        ]
        if not loadable:
            return ""
        name = f"m{self.number}"
        self.world.kinds[f"{name}out"] = "file"
        made = Made(name, [self.rng.choice(loadable)], [f"{name}out"], ["text"])
        self.world.nodes.append(made)
        self.any = True
        return f"node added: {name} of {made.inputs}"
