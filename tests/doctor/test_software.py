"""What is installed: entry points are really loaded, in a process of their own."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kedro_journal.doctor import Check, _loads, software
from kedro_journal.doctor.software import (
    entry_point_checks,
    load_all,
    look_at_versions,
    project_checks,
)

from .conftest import by_key

GROUPS = ("hooks", "cli_hooks", "global_commands", "starters")
PROJECT = """
[tool.kedro]
package_name = "mill"
project_name = "Mill"
kedro_init_version = "1.0.0"
"""


def loaded(project: Path | None = None, limit_s: float = 60.0) -> dict[str, Check]:
    told = load_all(project, limit_s)
    checks = list(entry_point_checks(told))
    if project is not None:
        checks += project_checks(told, importlib.metadata.version("kedro"))
    return by_key(checks)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "project/src/mill"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "settings.py").touch()
    (package / "pipeline_registry.py").write_text(
        "def register_pipelines():\n    return {}\n"
    )
    root = tmp_path / "project"
    (root / "pyproject.toml").write_text(PROJECT)
    return root


@pytest.fixture
def shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose packages hide the installed ones, in processes started now."""
    folder = tmp_path / "shadow"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def test_every_version_is_told() -> None:
    check = look_at_versions()

    assert check.status == "ok"
    versions = check.facts["versions"]
    assert versions["python"] == sys.version.split()[0]
    for name in ("kedro", "msgspec", "filelock", "click"):
        assert versions[name] == importlib.metadata.version(name)
        assert f"{name} {versions[name]}" in check.text
    assert {"kedro-journal", "system", "kernel", "machine", "executable"} <= set(
        versions
    )


def test_a_package_that_is_missing_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(software, "_NEEDED", ("kedro", "no-such-package-there-is"))

    check = look_at_versions()

    assert check.status == "problem"
    assert check.facts["missing"] == ["no-such-package-there-is"]
    assert "pip install no-such-package-there-is" in check.advice


def test_entry_points_load(project: Path) -> None:
    checks = loaded(project)

    for name in GROUPS:
        assert checks[f"software.{name}"].status == "ok", checks[f"software.{name}"]
        (registered,) = checks[f"software.{name}"].facts["registered"]
        assert registered.startswith("kedro_journal.")
    assert checks["settings.settings_py"].status == "ok"
    assert checks["settings.hooks"].status == "ok"
    assert checks["settings.session_class"].facts["level"] == 0
    assert "journal init" in checks["settings.session_class"].advice


def test_a_dependency_that_does_not_import_is_a_problem(shadow: Path) -> None:
    (shadow / "msgspec.py").write_text("raise ImportError('msgspec is broken here')\n")

    checks = loaded()
    check = checks["software.journaling"]

    assert checks["software.hooks"].status == "ok"
    assert check.status == "problem"
    assert "ImportError: msgspec is broken here" in check.text
    assert f"{shadow}/msgspec.py:1" in check.text
    assert "Nothing is journaled" in check.text
    assert "pip install" in check.advice


def test_without_kedro_nothing_loads(shadow: Path, project: Path) -> None:
    (shadow / "kedro.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'kedro'\", name='kedro')\n"
    )

    checks = loaded(project)

    for key in ("hooks", "cli_hooks", "journaling"):
        assert checks[f"software.{key}"].status == "problem"
        assert "No module named 'kedro'" in checks[f"software.{key}"].text
    assert checks["settings.settings_py"].status == "problem"
    assert "No module named 'kedro'" in checks["settings.settings_py"].text
    assert "every `kedro run` stops" in checks["software.hooks"].text


def test_what_hangs_while_it_is_loaded_is_given_up(shadow: Path) -> None:
    (shadow / "kedro.py").write_text("import time\ntime.sleep(600)\n")
    began = time.monotonic()

    checks = loaded(limit_s=1.0)

    assert time.monotonic() - began < 20
    for name in (*GROUPS, "journaling"):
        assert checks[f"software.{name}"].status == "problem"
        assert "did not end within 1 s" in checks[f"software.{name}"].text


def test_a_process_that_dies_is_told_with_what_came_before(shadow: Path) -> None:
    (shadow / "kedro.py").write_text("import os\nos._exit(3)\n")

    checks = loaded()

    assert checks["software.hooks"].status == "problem"
    assert "its process died" in checks["software.hooks"].text


def test_what_is_not_registered_or_twice_is_told() -> None:
    well = {"registered": ["a:b"], "error": "", "seconds": 0.1}
    told = {
        "hooks": {**well, "registered": []},
        "cli_hooks": {**well, "registered": ["a:b", "c:d"]},
        "global_commands": well,
        "starters": {**well, "registered": ["a:b", "a:b"]},
    }

    checks = by_key(list(entry_point_checks(told)))

    assert checks["software.hooks"].status == "problem"
    assert "not registered" in checks["software.hooks"].text
    assert checks["software.cli_hooks"].status == "warning"
    assert checks["software.global_commands"].status == "ok"
    assert checks["software.starters"].status == "ok"


def test_settings_that_do_not_import_are_a_problem(project: Path) -> None:
    (project / "src/mill/settings.py").write_text("import nothing_of_that_name\n")

    check = loaded(project)["settings.settings_py"]

    assert check.status == "problem"
    assert "No module named 'nothing_of_that_name'" in check.text
    assert "settings.py:1" in check.text


def test_hooks_that_are_switched_off_are_a_warning(project: Path) -> None:
    (project / "src/mill/settings.py").write_text(
        'DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow", "kedro-journal")\n'
    )

    assert loaded(project)["settings.hooks"].status == "warning"


@pytest.mark.parametrize(
    "lines",
    [
        "SESSION_CLASS = KedroSession\n",
        "class Mine(KedroSession):\n    pass\nSESSION_CLASS = Mine\n",
    ],
)
def test_our_session_class_is_level_1(project: Path, lines: str) -> None:
    (project / "src/mill/settings.py").write_text(
        f"from kedro_journal.session import KedroSession\n{lines}"
    )

    check = loaded(project)["settings.session_class"]

    assert check.facts["ours"]
    assert check.facts["level"] == 1
    assert check.status == "ok"


def test_a_kedro_that_does_not_heed_the_session_class_is_told() -> None:
    project = {
        "error": "",
        "session_class": "kedro_journal.session.session.KedroSession",
        "ours": True,
        "hooks_disabled": False,
    }

    old = by_key(list(project_checks({"project": project}, "1.2.0")))
    new = by_key(list(project_checks({"project": project}, "1.10.0")))

    assert old["settings.session_class"].status == "note"
    assert old["settings.session_class"].facts["level"] == 0
    assert new["settings.session_class"].facts["level"] == 1


def test_loading_writes_nothing_into_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    (project / "conf/base").mkdir(parents=True)
    (project / "conf/logging.yml").write_text(
        "version: 1\nhandlers:\n  file: {class: logging.FileHandler, filename: log}\n"
        "root: {level: INFO, handlers: [file]}\n"
    )
    before = sorted(project.rglob("*"))

    loaded(project)

    assert sorted(project.rglob("*")) == before


def test_the_script_imports_only_the_standard_library() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({_loads.__file__!r}); print(*sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
    )

    tops = {name.partition(".")[0] for name in done.stdout.split()}
    assert tops - set(sys.stdlib_module_names) <= {"__main__", "sitecustomize"}
