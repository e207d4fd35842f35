"""Run: what the journal adds to a node, and to a whole `kedro run`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from measure import Dose, Group, Subject, Target, distribution, output_of

_HERE: Final = Path(__file__).parent
_PACKAGE: Final = "bench_project"
_REGISTRY: Final = """
import os, time
from kedro.pipeline import node, pipeline

def same(value):
    return value

def slow(value):
    time.sleep(0.01)
    return value

def register_pipelines():
    count = int(os.environ.get("BENCH_NODES", "100"))
    func = slow if os.environ.get("BENCH_SLOW") else same
    names = ["params:start", *(f"data_{number}" for number in range(count))]
    return {"__default__": pipeline([
        node(func, names[i], names[i + 1], name=f"node_{i}") for i in range(count)
    ])}
"""
_PYPROJECT: Final = f"""
[tool.kedro]
package_name = "{_PACKAGE}"
project_name = "bench"
kedro_init_version = "1.0.0"
source_dir = "src"
"""
JOURNAL, MLFLOW = "kedro-journal", "kedro-mlflow"
_NEVER: Final = ("kedro-telemetry", "kedro-viz")


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Give the groups of this module, one after the other."""
    project = make_project(folder / "project")
    yield _trivial(project, dose.size(100, 50))
    yield _slow(project, dose.size(200, 40), dose.size(15, 3))
    yield _whole(project)


def make_project(folder: Path) -> Path:
    """Make a Kedro project whose pipeline is a chain of nodes in memory."""
    package = folder / "src" / _PACKAGE
    package.mkdir(parents=True)
    for name in ("base", "local"):
        (folder / "conf" / name).mkdir(parents=True)
    (folder / "conf" / "base" / "parameters.yml").write_text("start: 1\n")
    (folder / "conf" / "base" / "catalog.yml").write_text("")
    tracking = "server:\n  mlflow_tracking_uri: sqlite:///mlflow.db\n"
    (folder / "conf" / "base" / "mlflow.yml").write_text(tracking)
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (package / "__init__.py").write_text('__version__ = "0.1"\n')
    (package / "settings.py").write_text("")
    (package / "pipeline_registry.py").write_text(_REGISTRY)
    return folder


def _environment(plugin: str, nodes: int, *, slow: bool = False) -> dict[str, str]:
    """Describe a process that finds no plugin but that one, or none."""
    hidden = {*_NEVER, JOURNAL, MLFLOW} - {plugin}
    return {
        **os.environ,
        "PYTHONPATH": str(_HERE / "hiding"),
        "BENCH_HIDE": " ".join(sorted(hidden)),
        "BENCH_NODES": str(nodes),
        "BENCH_SLOW": "1" if slow else "",
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _child(project: Path, variant: str, nodes: int, *, slow: bool = False) -> float:
    """Run the pipeline in a process of its own, once warm and then for the clock."""
    kind = variant.partition("-")[0]
    plugin = {"hooks": JOURNAL, "class": JOURNAL, "mlflow": MLFLOW}.get(kind, "")
    environ = _environment(plugin, nodes, slow=slow)
    command = [sys.executable, str(_HERE / "run_child.py"), str(project), variant]
    told = json.loads(output_of(command, environ).splitlines()[-1])
    _clean(project)
    return float(told["wall_s" if slow or variant.endswith("wall") else "cpu_s"])


def _clean(project: Path) -> None:
    for name in ("sessions", "mlruns"):
        shutil.rmtree(project / name, ignore_errors=True)
    for path in project.glob("mlflow.db*"):
        path.unlink()


def _trivial(project: Path, nodes: int) -> Group:
    """Added per node: ours less no-op hooks, by CPU time; kedro-mlflow by the clock."""

    def added(variant: str, clock: str = "") -> Callable[[], float]:
        def measure() -> float:
            noop = _child(project, f"noop{clock}", nodes)
            return (_child(project, f"{variant}{clock}", nodes) - noop) / nodes * 1e6

        return measure

    names = (
        "kedro-journal by its hooks, CPU",
        "kedro-journal's session class, CPU",
        "kedro-journal by its hooks, clock",
        "kedro-mlflow, clock",
    )
    mlflow = Subject(names[3], missing="not installed")
    if distribution(MLFLOW) != "missing":
        mlflow = Subject(names[3], added("mlflow", "-wall"))
    return Group(
        f"added to each of {nodes} trivial nodes, over no-op hooks, logging off",
        "us/node",
        (
            Subject(names[0], added("hooks")),
            Subject(names[1], added("class")),
            Subject(names[2], added("hooks", "-wall")),
            mlflow,
        ),
        (
            Target("added CPU <= 100 us a node", names[0], 100, unit="us"),
            Target(
                "added CPU, session class <= 100 us a node", names[1], 100, unit="us"
            ),
            Target("kedro-mlflow adds >= 80 x", names[3], 80, names[2], at_least=True),
        ),
    )


def _slow(project: Path, nodes: int, rounds: int) -> Group:
    names = "no journal", "kedro-journal by its hooks"
    return Group(
        f"{nodes} nodes of 10 ms",
        "s",
        (
            Subject(names[0], lambda: _child(project, "none", nodes, slow=True)),
            Subject(names[1], lambda: _child(project, "hooks", nodes, slow=True)),
        ),
        (Target("wall with the journal <= 1.01 x without", names[1], 1.01, names[0]),),
        rounds=rounds,
    )


def _whole(project: Path) -> Group:
    def measure(plugin: str) -> Callable[[], float]:
        environ = _environment(plugin, 10)

        def once() -> float:
            return _cpu_s([sys.executable, "-m", "kedro", "run"], project, environ)

        return once

    names = "kedro run of 10 nodes", "the same, with the journal"
    return Group(
        "whole process",
        "s of CPU",
        (
            Subject(names[0], measure("")),
            Subject(names[1], measure(JOURNAL)),
        ),
        (Target("CPU with the journal <= 1.02 x without", names[1], 1.02, names[0]),),
        rounds=15,
    )


def _cpu_s(command: list[str], folder: Path, environ: Mapping[str, str]) -> float:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{command} ended with {process.returncode}"
        raise RuntimeError(message)
    _clean(folder)
    return usage.ru_utime + usage.ru_stime
