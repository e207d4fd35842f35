"""Both forms, help, errors: what holds for every command."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from kedro_journal.cli import COMMANDS, commands, journal
from kedro_journal.cli.group import JournalGroup

READING = ["list", "show", "replay", "tail", "verify", "doctor"]
OURS = ["init", *READING]


def names(group: click.Group) -> list[str]:
    return group.list_commands(click.Context(group))


def test_both_forms_have_the_same_commands_and_the_same_help():
    standalone = CliRunner().invoke(journal, ["--help"], prog_name="kedro journal")
    in_kedro = CliRunner().invoke(commands, ["journal", "--help"], prog_name="kedro")

    assert names(commands) == ["journal"]
    assert commands.get_command(click.Context(commands), "journal") is journal
    assert standalone.output == in_kedro.output
    for name in OURS:
        ours, theirs = (
            CliRunner().invoke(group, [*args, name, "--help"], prog_name=prog).output
            for group, args, prog in (
                (journal, [], "kedro journal"),
                (commands, ["journal"], "kedro"),
            )
        )
        assert ours == theirs


def test_the_entry_points_name_them():
    (script,) = entry_points(group="console_scripts", name="kedro-journal")
    (group,) = entry_points(group="kedro.global_commands", name="kedro-journal")

    assert script.value == "kedro_journal.cli:main"
    assert group.load() is commands


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_in_the_help_and_has_help(name):
    context = click.Context(journal)
    command = journal.get_command(context, name)

    assert command is not None
    assert f"\n  {name} " in CliRunner().invoke(journal, ["--help"]).output
    assert command.help
    assert command.name == name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"


@pytest.mark.parametrize("name", READING)
def test_every_reading_command_has_the_common_options(name):
    command = journal.get_command(click.Context(journal), name)

    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--project", "--directory"} <= options
    assert "With --json:" in (command.help or ""), "its keys are documented"


def test_a_command_that_is_not_installed_is_left_out_quietly():
    group = JournalGroup(name="g", lazy={**COMMANDS, "ghost": "kedro_journal.no:one"})

    result = CliRunner().invoke(group, ["ghost"])

    assert "ghost" not in names(group)
    assert result.exit_code == 2
    assert "No such command 'ghost'" in result.output
    assert CliRunner().invoke(group, ["--help"]).exit_code == 0


@pytest.mark.parametrize("name", ["show", "replay", "tail", "verify"])
@pytest.mark.parametrize(
    ("wanted", "exit_code"), [("latest", 3), ("nope", 3), ("../x", 2), ("2026-", 3)]
)
def test_an_error_is_one_line_on_stderr_and_an_exit_code(
    call, journals, name, wanted, exit_code
):
    if wanted == "2026-":
        journals.completed()
        journals.failed()

    result = call(name, wanted, "--directory", journals.path)

    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert result.stderr.startswith("kedro-journal: ")
    assert result.stderr.count("\n") == 1


def test_an_error_is_harmless_to_the_terminal(call, tmp_path):
    result = call("show", "--directory", tmp_path / "a\x1b[2J\nb")

    assert result.exit_code == 3
    assert "\x1b" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_error_has_the_same_exit_code_inside_kedro(journals):
    args = ["journal", "show", "nope", "--directory", str(journals.path)]

    result = CliRunner().invoke(commands, args)

    assert result.exit_code == 3
    assert result.stderr.startswith("kedro-journal: ")


@pytest.mark.parametrize("wanted", ["2026-11-20", "2026-11-20T05.00.00.000Z", "latest"])
def test_a_session_is_named_by_id_prefix_or_latest(call, journals, wanted):
    journals.completed()

    result = call("show", wanted, "--directory", journals.path)

    assert result.stdout.startswith("2026-11-20T05.00.00.000Z  completed\n")


def make_project(folder: Path, settings: str = "") -> Path:
    package = folder / "src" / "mill"
    package.mkdir(parents=True)
    (package / "settings.py").write_text(settings)
    (folder / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "mill"\n[tool.kedro_journal]\ndirectory = "j"\n'
    )
    return folder


def test_the_project_around_the_working_directory_is_found(
    call, journals, tmp_path, monkeypatch
):
    journals.path = make_project(tmp_path / "p") / "j"
    journals.completed()
    monkeypatch.chdir(tmp_path / "p" / "src")

    inside = call("list", "--json")
    monkeypatch.chdir(tmp_path)
    given = call("list", "--json", "--project", tmp_path / "p" / "src")
    kedros = call("list", "--json", obj=SimpleNamespace(project_path=tmp_path / "p"))

    assert len(json.loads(inside.stdout)) == 1
    assert json.loads(given.stdout)[0]["session_id"] == "2026-11-20T05.00.00.000Z"
    assert json.loads(kedros.stdout)[0]["session_id"] == "2026-11-20T05.00.00.000Z"


def test_a_setting_that_does_not_read_is_named(call, tmp_path):
    project = make_project(tmp_path / "p")
    with (project / "pyproject.toml").open("a") as file:
        file.write("directry = 1\n")

    result = call("list", "--project", project)

    assert result.exit_code == 2
    assert "directry" in result.stderr


def test_session_ids_are_completed(call, journals):
    from click.shell_completion import ShellComplete

    journals.completed()
    shell = ShellComplete(journal, {}, "kedro-journal", "_X")
    args = ["show", "--directory", str(journals.path)]

    found = shell.get_completions(args, "2026")

    assert [item.value for item in found] == ["2026-11-20T05.00.00.000Z"]
