"""Random Kedro projects whose outputs are known before they run."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

__all__ = ["PACKAGE", "Case", "Kind", "make_case", "text_of", "write_project"]

Kind = Literal["memory", "file", "versioned"]
PACKAGE: Final = "stormy"
RUNNERS: Final = (
    "SequentialRunner",
    "SequentialRunner",
    "ThreadRunner",
    "ParallelRunner",
)
_NODES_MAX: Final = 60

_PYPROJECT = """[tool.kedro]
package_name = "stormy"
project_name = "stormy"
kedro_init_version = "1.0.0"
source_dir = "src"

[tool.kedro_journal]
packages = "off"
"""
# The project reads its pipeline from case.json; its nodes are made of the same
# function that the storm calls to know what they will save.
_REGISTRY = """
import json
from functools import partial
from pathlib import Path

from kedro.io import AbstractVersionedDataset, Version
from kedro.pipeline import Node, Pipeline

from storms import resume_child
from storms.resume_project import text_of


class TextDataset(AbstractVersionedDataset):
    def __init__(self, filepath, version=None, metadata=None):
        path = Path(filepath)
        super().__init__(path, Version(*version) if version else None)

    def _load(self):
        return Path(self._get_load_path()).read_text()

    def _save(self, data):
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            resume_child.reached("half a file")
            file.write(data[len(data) // 2 :])

    def _exists(self):
        return Path(self._get_load_path()).exists()

    def _describe(self):
        return {"filepath": str(self._filepath)}


def call(name, outputs, *inputs):
    resume_child.begins(name)
    resume_child.reached("a node")
    return [text_of(output, inputs) for output in outputs]


def register_pipelines():
    case = json.loads(Path("case.json").read_text())
    nodes = []
    for name, inputs, outputs in case["nodes"]:
        function = partial(call, name, outputs)
        function.__name__ = name
        nodes.append(Node(function, inputs, outputs, name=name))
    return {"__default__": Pipeline(nodes)}
"""


@dataclass
class Case:
    """One project.

    Attributes:
        nodes: Name, inputs and outputs of each, in an order in which they can run.
        kinds: What each output is.
        runner: Class of the runner.
        is_async: Datasets are loaded and saved in threads.
    """

    nodes: list[tuple[str, list[str], list[str]]]
    kinds: dict[str, Kind] = field(default_factory=dict)
    runner: str = "SequentialRunner"
    is_async: bool = False

    @property
    def makers(self) -> dict[str, str]:
        """The node that makes each dataset."""
        return {output: name for name, _, outputs in self.nodes for output in outputs}

    @property
    def steps(self) -> int:
        """About how many records a run without a death has."""
        return sum(
            3 + 2 * len(inputs) + 2 * len(outputs) for _, inputs, outputs in self.nodes
        )

    def expected(self) -> dict[str, str]:
        """What a run without a death saves in each persistent dataset."""
        made = {name: text_of(name, ()) for name in ("raw0", "raw1")}
        made["params:word"] = "word"
        for _, inputs, outputs in self.nodes:
            given = tuple(made[name] for name in inputs)
            made |= {output: text_of(output, given) for output in outputs}
        return {n: made[n] for n, kind in self.kinds.items() if kind != "memory"}


def text_of(name: str, inputs: tuple[str, ...]) -> str:
    """Make the text that a node saves: a few bytes or some pages, by its inputs."""
    digest = hashlib.sha256("\0".join((name, *inputs)).encode()).hexdigest()
    return f"{name} {digest}\n" * (1 + int(digest[:2], 16) ** 2 // 400)


def make_case(rng: random.Random) -> Case:
    """Draw a pipeline of 2 to 60 nodes; small ones are more frequent."""
    case = Case([], runner=rng.choice(RUNNERS))
    case.is_async = case.runner == "SequentialRunner" and rng.random() < 0.2
    near = ["raw0", "raw1", "params:word"]
    for number in range(2 + int((_NODES_MAX - 1) * rng.random() ** 3)):
        pool = near[-8:] if rng.random() < 0.8 else near
        inputs = rng.sample(pool, rng.randint(1, min(3, len(pool))))
        outputs = [f"d{number}{letter}" for letter in "ab"[: rng.choice((1, 1, 2))]]
        for output in outputs:
            kinds: tuple[Kind, ...] = ("memory", "file", "file", "versioned")
            case.kinds[output] = rng.choice(kinds)
        near += outputs
        case.nodes.append((f"n{number}", inputs, outputs))
    if all(kind == "memory" for kind in case.kinds.values()):
        case.kinds[outputs[0]] = "file"
    return case


def write_project(folder: Path, case: Case) -> None:
    """Make the project of a case in an empty folder."""
    source = folder / "src" / PACKAGE
    conf = folder / "conf" / "base"
    for path in (source, conf, folder / "conf" / "local", folder / "data"):
        path.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (folder / "case.json").write_text(json.dumps({"nodes": case.nodes}))
    (source / "__init__.py").touch()
    (source / "settings.py").touch()
    (source / "pipeline_registry.py").write_text(_REGISTRY)
    (conf / "parameters.yml").write_text("word: word\n")
    catalog: dict[str, Any] = {
        name: _entry(name, versioned=False) for name in ("raw0", "raw1")
    }
    for name, kind in case.kinds.items():
        if kind != "memory":
            catalog[name] = _entry(name, versioned=kind == "versioned")
    (conf / "catalog.yml").write_text(json.dumps(catalog))  # YAML has JSON in it
    for name in ("raw0", "raw1"):
        (folder / "data" / name).write_text(text_of(name, ()))


def _entry(name: str, *, versioned: bool) -> dict[str, Any]:
    return {
        "type": f"{PACKAGE}.pipeline_registry.TextDataset",
        "filepath": f"data/{name}",
        **({"versioned": True} if versioned else {}),
    }
