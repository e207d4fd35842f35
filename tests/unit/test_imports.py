"""Which files of a package the files of nodes import, without running them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_journal.replaying.imports import imported_files


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "src" / "brittle"
    for name, text in {
        "__init__.py": "",
        "nodes.py": "import os\nfrom brittle.helpers import totals\nfrom . import near\n",
        "near.py": "def f():\n    from .deep.one import g\n",
        "deep/__init__.py": "import brittle.of_deep",
        "deep/one.py": "from ..up import x",
        "of_deep.py": "",
        "up.py": "",
        "settings.py": "from brittle.by_settings import x",
        "by_settings.py": "",
        "helpers/__init__.py": "",
        "helpers/totals.py": "",
        "helpers/extra.py": "",
        "other.py": "from brittle.helpers import extra",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def ask(package: Path, *names: str) -> frozenset[str] | None:
    return imported_files([f"{package / name}:3" for name in names], "brittle")


def test_what_is_imported_by_any_way_is_found_and_nothing_else(package: Path) -> None:
    assert ask(package, "nodes.py") == frozenset(
        {
            *("__init__.py", "nodes.py", "near.py", "up.py", "of_deep.py"),
            *("deep/__init__.py", "deep/one.py", "helpers/__init__.py"),
            *("helpers/totals.py", "settings.py", "by_settings.py"),
        }
    )
    both = ask(package, "nodes.py", "other.py")
    assert both is not None
    assert "helpers/extra.py" in both


@pytest.mark.parametrize(
    "text", ["import importlib", "x = __import__('a')", "def", "from brittle.gone"]
)
def test_what_cannot_be_told_is_unknown(package: Path, text: str) -> None:
    (package / "up.py").write_text(text)
    assert ask(package, "nodes.py") is None
    assert ask(package, "other.py") is not None


def test_a_file_elsewhere_or_that_is_gone_is_unknown(package: Path) -> None:
    assert ask(package) is None
    assert ask(package, "gone.py") is None
    assert imported_files([f"{package / 'nodes.py'}:1"], "another") is None
    assert imported_files(["src/brittle/nodes.py:1"], "brittle") is None
    assert imported_files([":0"], "brittle") is None
