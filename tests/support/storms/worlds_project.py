"""Write a world to the disk: a Kedro project and its data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from .worlds_model import Made, World, bare
from .worlds_truth import is_hooked

__all__ = ["CHECKPOINT", "write_code", "write_data", "write_project", "write_raw"]

CHECKPOINT: Final = "CHECKPOINT"
PACKAGE: Final = "stormy"
_PYPROJECT: Final = """[tool.kedro]
package_name = "stormy"
project_name = "stormy"
kedro_init_version = "1.0.0"
source_dir = "src"

[tool.kedro_journal]
packages = "off"
"""
_SETTINGS: Final = """
from stormy.hooks import Appends

HOOKS = (Appends(),)
"""
_SESSION_CLASS: Final = """
from kedro_journal.session import KedroSession

SESSION_CLASS = KedroSession
"""
_HOOKS: Final = """
import json
from pathlib import Path

from kedro.framework.hooks import hook_impl
from storms.worlds_truth import HOOKED


class Appends:
    @hook_impl
    def after_dataset_saved(self, dataset_name, data, node):
        path = json.loads(Path("hooked.json").read_text()).get(dataset_name)
        if path:
            with open(path, "a") as file:
                file.write(HOOKED)
"""
_DATASETS: Final = """
from pathlib import Path

from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets.partitions import IncrementalDataset
from storms.worlds_child import reached


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
            reached("half a file")
            file.write(data[len(data) // 2 :])
        reached("after a file")

    def _exists(self):
        return Path(self._get_load_path()).exists()

    def _describe(self):
        return {"filepath": str(self._filepath)}


class Increments(IncrementalDataset):
    def confirm(self):
        reached("before a confirm")
        super().confirm()
        reached("after a confirm")
"""
_RUNNERS: Final = """
from kedro.runner import SequentialRunner
from kedro.runner.task import Task


class Base(SequentialRunner):
    def one(self, node, catalog, hook_manager, run_id):
        Task(
            node=node,
            catalog=catalog,
            hook_manager=hook_manager,
            is_async=self._is_async,
            run_id=run_id,
        ).execute()


class Retry(Base):
    def _run(self, pipeline, catalog, hook_manager=None, run_id=None):
        for node in pipeline.nodes:
            for left in (2, 1, 0):
                try:
                    self.one(node, catalog, hook_manager, run_id)
                    break
                except Exception:
                    if not left:
                        raise


class Soft(Base):
    def _run(self, pipeline, catalog, hook_manager=None, run_id=None):
        failed = set()
        for node in pipeline.nodes:
            if failed & set(pipeline.node_dependencies[node]):
                failed.add(node)
                continue
            try:
                self.one(node, catalog, hook_manager, run_id)
            except Exception:
                failed.add(node)
"""


def write_project(folder: Path, world: World) -> None:
    """Make the project of a world in an empty folder."""
    source = folder / "src" / PACKAGE
    for path in (source, folder / "conf/base", folder / "conf/local", folder / "data"):
        path.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (source / "__init__.py").touch()
    for name, text in (
        ("settings", _SETTINGS + (_SESSION_CLASS if world.level else "")),
        ("hooks", _HOOKS),
        ("datasets", _DATASETS),
        ("runners", _RUNNERS),
    ):
        (source / f"{name}.py").write_text(text)
    write_code(folder, world)
    write_data(folder, world)


def write_code(folder: Path, world: World) -> None:
    """Write nodes, pipeline, catalog and parameters."""
    source, conf = folder / "src" / PACKAGE, folder / "conf/base"
    functions = "\n\n".join(map(_function, world.nodes))
    head = "from storms.worlds_child import called, yielded\n\n\n"
    (source / "nodes.py").write_text(head + functions)
    lines = [
        f"        Node(nodes.{n.name}, {n.inputs!r}, {n.outputs!r}, name={n.name!r}, "
        f"confirms={n.confirms!r}),\n"
        for n in world.nodes
    ]
    (source / "pipeline_registry.py").write_text(
        "from kedro.pipeline import Node, Pipeline\n\nfrom stormy import nodes\n\n\n"
        'def register_pipelines():\n    return {"__default__": Pipeline([\n'
        f"{''.join(lines)}    ])}}\n"
    )
    (conf / "parameters.yml").write_text(json.dumps(world.parameters))
    (conf / "catalog.yml").write_text(json.dumps(_catalog(world), indent=1))
    hooked = {
        name: f"data/{world.place(name)}"
        for node in world.nodes
        for name in node.outputs
        if is_hooked(world, node, name)
    }
    (folder / "hooked.json").write_text(json.dumps(hooked))


def _function(node: Made) -> str:
    call = "yield from yielded" if node.generator else "return called"
    arguments = f"{node.name!r}, {node.code}, {node.forms!r}, inputs"
    return f"def {node.name}(*inputs):\n    {call}({arguments})\n"


def _catalog(world: World) -> dict[str, Any]:
    text = {"type": f"{PACKAGE}.datasets.TextDataset"}
    found: dict[str, Any] = {}
    for name, kind in world.kinds.items():
        one: dict[str, Any] = {**text, "filepath": f"data/{world.place(name)}"}
        if kind in ("memory", "factory"):
            continue
        if kind == "versioned":
            one["versioned"] = True
        elif kind == "cached":
            one = {"type": "CachedDataset", "dataset": one}
        elif kind in ("partitions", "incremental"):
            path = f"data/{world.place(name)}"
            one = {"type": "partitions.PartitionedDataset", "path": path}
            one |= {"dataset": text, "filename_suffix": ".txt"}
            if kind == "incremental":
                one["type"] = f"{PACKAGE}.datasets.Increments"
        if kind == "transcoded":
            found |= {f"{name}@save": one, f"{name}@load": one}
        else:
            found[name] = one
    if "factory" in world.kinds.values():
        found["f_{name}"] = {**text, "filepath": "data/f_{name}"}
    return found


def write_data(folder: Path, world: World) -> None:
    """Write all free inputs, and the checkpoints."""
    for name in world.raw:
        write_raw(folder, world, name)
        if world.kinds[name] == "incremental" and world.checkpoint:
            (folder / "data" / name / CHECKPOINT).write_text(world.checkpoint)


def write_raw(folder: Path, world: World, name: str, at: float | None = None) -> None:
    """Write a free input, as of another time if one is given; only what differs."""
    value, path = world.raw[name], folder / "data" / bare(name)
    texts = {path: value} if isinstance(value, str) else {}
    if isinstance(value, dict):
        path.mkdir(exist_ok=True)
        texts = {path / f"{key}.txt": text for key, text in value.items()}
        for other in set(path.glob("*.txt")) - texts.keys():
            other.unlink()
    for one, text in texts.items():
        if not one.exists() or one.read_text() != text:
            one.write_text(text)
            if at is not None:
                os.utime(one, (at, at))
