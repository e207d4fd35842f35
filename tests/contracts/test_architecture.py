"""Imports go down the layers, nowhere in a circle, and no package outgrows the rest."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from types import ModuleType

import grimp
import pytest

import kedro_journal
from kedro_journal import analysis, cli, journal, replaying, session, state, views

ROOT = Path(kedro_journal.__file__).parent
PACKAGE = "kedro_journal"
LARGEST_SHARE = 0.15


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        PACKAGE, exclude_type_checking_imports=True, cache_dir=None
    )


def layers() -> list[set[str]]:
    """Return the layers of the import contract, the highest first."""
    pyproject = ROOT.parents[1] / "pyproject.toml"
    settings = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (found,) = (one for one in contracts if one["type"] == "layers")
    return [set(layer.split(" | ")) for layer in found["layers"]]


def upward(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    """Return the imports from a layer to one above it, or beside it in its layer."""
    level = {name: at for at, names in enumerate(layers()) for name in names}
    return {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if (here := top(importer)) != (there := top(imported))
        and here in level
        and there in level
        and level[there] <= level[here]
    }


def top(module: str) -> str:
    """Return the package or root module that a module belongs to."""
    return [*module.split("."), ""][1]


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of two or more names that import each other, by any way."""
    left = {name: {*to} & arrows.keys() for name, to in arrows.items()}
    while ends := {name for name, to in left.items() if not to}:
        left = {name: to - ends for name, to in left.items() if name not in ends}
    found: list[set[str]] = []
    reach = {name: reached(name, left) for name in left}
    for name in left:
        circle = {other for other in reach[name] if name in reach[other]}
        if len(circle) > 1 and circle not in found:
            found.append(circle)
    return found


def reached(name: str, arrows: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [*arrows[name]]
    while ahead:
        if (one := ahead.pop()) not in seen:
            seen.add(one)
            ahead += arrows[one]
    return seen


def arrows_of(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    return {m: {*graph.find_modules_directly_imported_by(m)} for m in graph.modules}


def moved(graph: grimp.ImportGraph, module: str, package: str) -> grimp.ImportGraph:
    """Return the graph as if a module were in another package."""
    changed = copy.deepcopy(graph)
    place = f"{PACKAGE}.{package}.{module.rpartition('.')[2]}_moved"
    changed.add_module(place)
    for imported in graph.find_modules_directly_imported_by(module):
        changed.add_import(importer=place, imported=imported)
    for importer in graph.find_modules_that_directly_import(module):
        changed.add_import(importer=importer, imported=place)
    changed.remove_module(module)
    return changed


def test_every_import_goes_down(graph: grimp.ImportGraph) -> None:
    assert upward(graph) == set()


def test_every_package_has_a_layer() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set().union(*layers())


def test_no_modules_import_each_other(graph: grimp.ImportGraph) -> None:
    assert circles(arrows_of(graph)) == []


def test_a_circle_is_found() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles(arrows) == [{"b", "c"}]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("recording.recorder", "journal"),
        ("recording.recorder", "session"),
        ("analysis.drift", "state"),
        ("hooks.session_hooks", "recording"),
        ("capture.configuration", "hooks"),
        ("session.lifecycle", "capture"),
        ("journal.writer", "events"),
        ("views.session", "replaying"),
        ("demo.story", "views"),
        ("cli.again", "views"),
    ],
)
def test_a_module_in_the_wrong_package_breaks_the_contract(
    graph: grimp.ImportGraph, module: str, package: str
) -> None:
    assert upward(moved(graph, f"{PACKAGE}.{module}", package))


def test_no_package_is_larger_than_its_share() -> None:
    lines: dict[str, int] = {}
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).parts[0]
        if name != "starters":
            count = len(path.read_text(encoding="utf-8").splitlines())
            lines[name] = lines.get(name, 0) + count
    total = sum(lines.values())
    assert {n: c for n, c in lines.items() if c > total * LARGEST_SHARE} == {}


@pytest.mark.parametrize(
    "package", [kedro_journal, analysis, cli, journal, replaying, session, state, views]
)
def test_no_name_is_hidden_by_a_module(package: ModuleType) -> None:
    """The import system sets a submodule as an attribute, in the place of the name."""
    folder = Path(str(package.__file__)).parent
    modules = {path.stem for path in folder.glob("*.py")}
    modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert modules & {*package.__all__} <= {"errors"}
    assert type(package) is ModuleType
