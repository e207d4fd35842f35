"""A random Kedro project of 10 to 60 nodes whose runs complete."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["PACKAGE", "NodeSpec", "World"]

PACKAGE: Final = "brittle"
MODULES: Final = ("intake", "shaping", "summary")
RAW: Final = ("raw0", "raw1", "raw2")

_PYPROJECT = """[tool.kedro]
package_name = "brittle"
project_name = "brittle"
kedro_init_version = "1.0.0"
source_dir = "src"

[tool.kedro_journal]
packages = "{packages}"
"""
_DATASETS = """
import json
from pathlib import Path

from kedro.io import AbstractDataset


class TableDataset(AbstractDataset):
    def __init__(self, filepath, missing=None, credentials=None, metadata=None):
        self._filepath, self._missing = Path(filepath), missing
        self._token = (credentials or {}).get("token", "right")

    def load(self):
        if self._token != "right":
            raise PermissionError("403: the store refused the request")
        rows = json.loads(self._filepath.read_text())
        return [self._missing, *rows] if self._missing else rows

    def save(self, data):
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        self._filepath.write_text(json.dumps(data))

    def _exists(self):
        return self._filepath.exists()

    def _describe(self):
        return {"filepath": str(self._filepath)}


class LinesDataset(TableDataset):
    def load(self):
        return self._filepath.read_text().split(",")
"""
_HELPERS = {
    "mixing": """
def mix(tables):
    rows = {value for table in tables for value in table}
    return sorted(rows, key=lambda value: (isinstance(value, int), str(value)))[:60]
""",
    "scaling": """
def scale(rows, factor):
    return [value * factor for value in rows][:60]
""",
    "totals": """
def total(rows):
    found = sum(rows)
    return [found % 997, *rows][:60]
""",
    "extra": """
def unused(rows):
    return rows
""",
}
_BODIES = {
    "mix": ("*tables", "    rows = mixing.mix(tables)\n"),
    "scale": ("rows, factor", "    rows = scaling.scale(rows, factor)\n"),
    "total": ("rows", "    rows = totals.total(rows)\n"),
}
_REPORT = """

def report(*tables):
    for number, rows in enumerate(tables):
        bad = [value for value in rows if not isinstance(value, int)]
        if bad or not rows:
            raise ValueError(f"table {number} has {len(bad)} values that are no numbers")
    return [len(rows) for rows in tables]
"""


@dataclass
class NodeSpec:
    """One node: its function takes tables, and a factor if it scales."""

    name: str
    kind: str
    inputs: list[str]
    output: str
    module: str
    extra: str = ""  # lines at the beginning of the function
    tail: str = ""  # lines before its return
    note: str = ""  # a comment
    bound: str = ""  # arguments of a partial


@dataclass
class World:
    """A project, and how it is run next.

    Attributes:
        nodes: Its nodes, in an order in which they can run; the last one is `report`.
        side: Nodes that nothing depends on.
        parameters, helpers, catalog, raw: What stands in its files.
        packages: The setting.
        env, runtime_params, runner, variables, host, only: How it is run.
        overlays: Further configuration files by path.
        credentials: The token of raw0.
        library: Version of a library outside of the project's package.
    """

    root: Path
    nodes: list[NodeSpec] = field(default_factory=list)
    side: list[NodeSpec] = field(default_factory=list)
    parameters: dict[str, object] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=lambda: dict(_HELPERS))
    catalog: dict[str, dict[str, object]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    packages: str = "hash"
    env: str | None = None
    runtime_params: dict[str, object] = field(default_factory=dict)
    runner: str = "SequentialRunner"
    variables: dict[str, str] = field(default_factory=dict)
    host: str = "blue"
    run_options: dict[str, object] = field(default_factory=dict)
    overlays: dict[str, str] = field(default_factory=dict)
    library: tuple[str, str] = ("1.0", "def trim(rows): return rows\n")
    readme: str = "A project.\n"

    @classmethod
    def make(cls, root: Path, rng: random.Random, *, small: bool = False) -> World:
        """Draw a project."""
        world = cls(root)
        number = rng.randint(10, 16 if small else 58)
        pool = list(RAW)
        for n in range(number):
            kind = rng.choice(("mix", "scale", "scale", "total"))
            near = pool[-7:]
            inputs = rng.sample(near, rng.randint(2, 3) if kind == "mix" else 1)
            module = MODULES[min(3 * n // number, 2)]
            one = NodeSpec(f"n{n}", kind, inputs, f"d{n}", module)
            if kind == "scale":
                world.parameters[f"factor_{one.name}"] = rng.randint(2, 4)
            world.nodes.append(one)
            pool.append(one.output)
        used = {name for one in world.nodes for name in one.inputs}
        ends = [one.output for one in world.nodes if one.output not in used]
        world.nodes.append(NodeSpec("report", "report", ends, "result", "summary"))
        for n in range(3):
            one = NodeSpec(f"side{n}", "scale", ["side_raw"], f"aside{n}", "summary")
            world.parameters[f"factor_{one.name}"] = 2
            world.side.append(one)
        for name in (*RAW, "side_raw", "spoilt"):
            values: list[object] = [rng.randint(1, 99) for _ in range(12)]
            world.raw[name] = json.dumps(
                [*values, "n/a"] if name == "spoilt" else values
            )
        for name in world.raw:
            world.catalog[name] = world.entry(name)
        for one in (*world.nodes, *world.side):
            if rng.random() < 0.5 or one.name == "report":
                world.catalog[one.output] = world.entry(one.output)
        world.variables["KEDRO_BRITTLE_NOTE"] = "one"
        return world

    @staticmethod
    def entry(name: str) -> dict[str, object]:
        """Return the catalog entry of a table."""
        return {
            "type": f"{PACKAGE}.datasets.TableDataset",
            "filepath": f"data/{name}.json",
        }

    def on_way(self) -> list[NodeSpec]:
        """Return the nodes that `report` depends on, without it."""
        return self.nodes[:-1]

    def write(self) -> None:
        """Write every file that differs from what is there."""
        package = Path("src") / PACKAGE
        catalog = dict(self.catalog)
        files = {
            "pyproject.toml": _PYPROJECT.format(packages=self.packages),
            "README.md": self.readme,
            ".gitignore": "sessions/\ndata/\nlibs/\nconf/local/\n",
            "conf/base/parameters.yml": "".join(
                f"{name}: {json.dumps(value)}\n"
                for name, value in self.parameters.items()
            ),
            "conf/base/catalog.yml": json.dumps(catalog, indent=2) + "\n",
            f"{package}/__init__.py": "",
            f"{package}/settings.py": "",
            f"{package}/datasets.py": _DATASETS,
            f"{package}/pipeline_registry.py": self._registry(),
            **{f"{package}/helpers/{n}.py": t for n, t in self.helpers.items()},
            f"{package}/helpers/__init__.py": "",
            **{f"{package}/{name}.py": self._module(name) for name in MODULES},
            **{f"data/{name}.json": text for name, text in self.raw.items()},
            "libs/oddments.py": self.library[1],
            f"libs/oddments-{self.library[0]}.dist-info/METADATA": (
                f"Metadata-Version: 2.1\nName: oddments\nVersion: {self.library[0]}\n"
            ),
            "conf/local/credentials.yml": "store: {token: right}\n",
            **self.overlays,
        }
        for name, text in files.items():
            path = self.root / name
            if not path.exists() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        for path in (self.root / "libs").glob("oddments-*.dist-info"):
            if path.name != f"oddments-{self.library[0]}.dist-info":
                (path / "METADATA").unlink()
                path.rmdir()
        for path in (self.root / "data").glob("*.json"):
            known = path.stem in self.raw or path.stem in self.catalog
            if not known or (path.stem in RAW and path.stem not in self.raw):
                path.unlink()

    def _module(self, name: str) -> str:
        parts = [
            "import os\nimport multiprocessing\n\nimport oddments\n\nfrom brittle.helpers import mixing, scaling, totals\n"
        ]
        for one in (*self.nodes, *self.side):
            if one.module != name:
                continue
            if one.kind == "report":
                parts.append(_REPORT.replace("tables):\n", f"tables):\n{one.extra}"))
                continue
            arguments, body = _BODIES[one.kind]
            note = f"    # {one.note}\n" if one.note else ""
            parts.append(
                f"\n\ndef {one.name}({arguments}):\n{note}{one.extra}{body}"
                f"{one.tail}    return rows\n"
            )
        return "".join(parts)

    def _registry(self) -> str:
        lines = [
            "from functools import partial\n\nfrom kedro.pipeline import Node, Pipeline",
            f"\nfrom {PACKAGE} import {', '.join(MODULES)}\n\n",
            "def register_pipelines():",
            '    return {"__default__": Pipeline([',
        ]
        for one in (*self.nodes, *self.side):
            function = f"{one.module}.{one.name}"
            inputs = list(one.inputs)
            if one.bound:
                function = f"named(partial({function}, {one.bound}), {one.name!r})"
            elif one.kind == "scale":
                inputs.append(f"params:factor_{one.name}")
            lines.append(
                f"        Node({function}, {json.dumps(inputs)}, "
                f"{json.dumps(one.output)}, name={json.dumps(one.name)}),"
            )
        lines += ["    ])}\n\n", "def named(function, name):"]
        lines += ["    function.__name__ = name", "    return function"]
        return "\n".join(lines) + "\n"
