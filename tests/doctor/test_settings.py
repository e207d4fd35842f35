"""Settings: what is in force, where it stands, what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_journal.config import Config, explain_config, load_config
from kedro_journal.doctor import Check, Means, examine
from kedro_journal.doctor.settings import look_at_project, look_at_settings
from kedro_journal.errors import ConfigError

from .conftest import by_key


def project(folder: Path, table: str = "") -> Path:
    text = f'[tool.kedro]\npackage_name = "mill"\n[tool.kedro_journal]\n{table}'
    (folder / "pyproject.toml").write_text(text)
    return folder


def look(folder: Path | None, **environ: str) -> dict[str, Check]:
    return by_key(list(look_at_settings(explain_config(folder, environ))))


def test_defaults_come_from_nowhere() -> None:
    checks = look(None)

    settings = checks["settings.in_force"].facts["settings"]
    assert set(settings) == set(Config.__struct_fields__)
    assert {one["source"] for one in settings.values()} == {"default"}
    assert checks["settings.mistakes"].status == "ok"
    assert checks["settings.disable"].status == "ok"


def test_each_setting_is_told_with_its_source(tmp_path: Path) -> None:
    folder = project(tmp_path, 'directory = "j"\ndurability = "group"\n')

    checks = look(folder, KEDRO_JOURNAL_DURABILITY="sync", KEDRO_JOURNAL_SESSION="x")

    settings = checks["settings.in_force"].facts["settings"]
    assert settings["directory"] == {"value": "j", "source": "pyproject.toml"}
    assert settings["durability"] == {
        "value": "sync",
        "source": "KEDRO_JOURNAL_DURABILITY",
    }
    assert settings["strict"] == {"value": False, "source": "default"}
    assert 'durability = "sync" (KEDRO_JOURNAL_DURABILITY)' in (
        checks["settings.in_force"].text
    )


@pytest.mark.parametrize(
    ("table", "environ", "words"),
    [
        ("directry = 'x'", {}, "directry"),
        ("strict = 'yes'", {}, "strict"),
        ("redact = 5", {}, "redact"),
        ("", {"KEDRO_JOURNAL_DURABILITY": "paper"}, "KEDRO_JOURNAL_DURABILITY"),
        ("", {"KEDRO_JOURNAL_NOTHING": "1"}, "KEDRO_JOURNAL_NOTHING"),
        ("[", {}, "does not parse as TOML"),
    ],
)
def test_a_mistake_is_a_problem_and_is_named(
    tmp_path: Path, table: str, environ: dict[str, str], words: str
) -> None:
    folder = project(tmp_path, table)

    check = look(folder, **environ)["settings.mistakes"]

    assert check.status == "problem"
    assert words in check.text
    assert len(check.facts["mistakes"]) == 1
    with pytest.raises(ConfigError):
        load_config(folder, environ)


def test_a_mistyped_table_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kedro-journal]\nstrict = true\n")

    check = look(tmp_path)["settings.mistakes"]

    assert check.status == "problem"
    assert "`[tool.kedro-journal]` is not read" in check.text


def test_a_table_that_is_none_is_a_mistake_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nkedro_journal = 3\n")

    assert look(tmp_path)["settings.mistakes"].status == "problem"


@pytest.mark.parametrize(
    ("table", "environ", "source"),
    [
        ("disable = true", {}, "pyproject.toml"),
        ("redact = 5", {}, "pyproject.toml"),
        ("", {"KEDRO_JOURNAL_DISABLE": "1"}, "KEDRO_JOURNAL_DISABLE"),
        ("", {"KEDRO_JOURNAL_DISABLE": "what"}, "KEDRO_JOURNAL_DISABLE"),
    ],
)
def test_what_switches_journaling_off_is_a_warning(
    tmp_path: Path, table: str, environ: dict[str, str], source: str
) -> None:
    check = look(project(tmp_path, table), **environ)["settings.disable"]

    assert check.status == "warning"
    assert source in check.text


def test_a_project_is_found_or_what_is_needed_is_said(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()

    there = look_at_project(project(tmp_path), None)
    bare = look_at_project(tmp_path / "bare", None)
    neither = look_at_project(None, None)
    given = look_at_project(None, tmp_path)

    assert there.status == "ok"
    assert bare.status == "warning"
    assert neither.status == "warning"
    assert "--directory" in neither.advice
    assert given.status == "ok"


def test_a_directory_that_cannot_be_is_a_problem(tmp_path: Path) -> None:
    folder = project(tmp_path, 'directory = "~nobody-of-that-name/x"')

    report = examine(folder, means=Means(load_limit_s=0.0))

    check = by_key(list(report.checks))["settings.directory"]
    assert check.status == "problem"
    assert report.directory is None
    assert report.probed is None
    assert {one.holds for one in report.guarantees} == {"unknown"}
