"""What is asked for where the settings cannot be read as usual."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import hostile
import pytest

from kedro_journal.hooks.asked import asked


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STRICT", "DISABLE"):
        monkeypatch.delenv(f"KEDRO_JOURNAL_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.kedro_journal]\n{text}\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("strict = true", "strict"),
        ("strict = false", ""),
        ('strict = "true"', ""),  # a mistake, and no setting
        ("strict = true\ndisable = true", "disable"),
        ("strict = " + "9" * 5000, ""),
        ("strict = " + "[" * 3000, ""),
    ],
)
def test_the_table_is_heeded(project: Path, text: str, wanted: str) -> None:
    table(project, text)

    assert wanted == asked(SimpleNamespace(project_path=project))
    assert wanted == asked(SimpleNamespace(project_path=str(project)))
    assert wanted == asked(None)


@pytest.mark.parametrize(
    ("strict", "disable", "wanted"),
    [
        ("1", "", "strict"),
        ("Yes", "0", "strict"),
        ("0", "0", ""),
        ("1", "1", "disable"),
        ("perhaps", "0", ""),
    ],
)
def test_variables_go_over_the_table(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    strict: str,
    disable: str,
    wanted: str,
) -> None:
    table(project, "strict = true\ndisable = true")
    monkeypatch.setenv("KEDRO_JOURNAL_STRICT", strict)
    monkeypatch.setenv("KEDRO_JOURNAL_DISABLE", disable)

    assert wanted == asked(None)


def test_the_project_is_the_nearest_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(project, "strict = true")
    inner = project / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert "strict" == asked(None)
    assert "" == asked(SimpleNamespace(project_path=inner))


ODD = {
    "nowhere": hostile.Nowhere,  # made in the test: pytest would ask it for its class
    "anything": hostile.Anything,
    "number": lambda: SimpleNamespace(project_path=3),
    "nul": lambda: SimpleNamespace(project_path="\0"),
    "odd path": lambda: SimpleNamespace(project_path=hostile.Nowhere()),
}


@pytest.mark.parametrize("kind", ODD)
def test_nothing_is_raised_whatever_is_asked(project: Path, kind: str) -> None:
    assert "" == asked(ODD[kind]())
