"""The log handler in a project's logging.yml, and whether Kedro takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_journal.doctor import handler

OURS = "handlers:\n  j:\n    class: kedro_journal.logging.JournalHandler\n"


@pytest.fixture(params=["yml", "yaml"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    return tmp_path / "conf" / f"logging.{request.param}"


def test_without_the_handler_nothing_is_wrong(file: Path) -> None:
    assert handler.look_at_logging(file.parents[1], {}).status == "ok"
    file.write_text("# class: kedro_journal.logging.JournalHandler\nversion: 1\n")
    assert handler.look_at_logging(file.parents[1], {}).status == "ok"


@pytest.mark.parametrize("allowed", ["", "other", "kedro_journal.logger"])
def test_a_handler_that_kedro_refuses_is_a_problem(file: Path, allowed: str) -> None:
    file.write_text(OURS)
    environ = {"KEDRO_LOGGING_MODULE_ALLOWLIST": allowed}

    check = handler.look_at_logging(file.parents[1], environ)

    assert check.status == "problem"
    assert "no Kedro command works" in check.text
    assert "KEDRO_LOGGING_MODULE_ALLOWLIST=kedro_journal" in str(check.advice)


@pytest.mark.parametrize("allowed", ["kedro_journal", "x, kedro_journal.logging"])
def test_a_handler_that_kedro_takes_is_none(file: Path, allowed: str) -> None:
    file.write_text(OURS)
    environ = {"KEDRO_LOGGING_MODULE_ALLOWLIST": allowed}

    assert handler.look_at_logging(file.parents[1], environ).status == "ok"


def test_a_class_that_there_is_not_is_a_problem(file: Path) -> None:
    file.write_text(OURS.replace("JournalHandler", "Handler"))
    environ = {"KEDRO_LOGGING_MODULE_ALLOWLIST": "kedro_journal"}

    check = handler.look_at_logging(file.parents[1], environ)

    assert check.status == "problem"
    assert "kedro_journal.logging.Handler" in check.text


def test_the_file_that_the_environment_names_counts(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text(OURS)
    file.write_text("version: 1\n")

    check = handler.look_at_logging(tmp_path, {"KEDRO_LOGGING_CONFIG": str(other)})

    assert check.status == "problem"
    assert str(other) in check.text
