"""Both forms, help, errors: what holds for every command."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from kedro_journal import __version__
from kedro_journal.cli import COMMANDS, SECTIONS, commands, journal
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
    ("wanted", "exit_code"),
    [("latest", 3), ("nope", 3), ("../x", 3), ("a b", 2), ("2026-", 3)],
)
def test_an_error_is_one_line_on_stderr_and_an_exit_code(
    call, journals, name, wanted, exit_code
):
    journals.path.mkdir(exist_ok=True)
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

    (project / "j").mkdir()
    result = call("list", "--project", project)

    assert result.exit_code == 0
    assert "directry" in result.stderr
    assert "the journals are elsewhere" in result.stderr


@pytest.fixture
def project(tmp_path, journals):
    """A project with a session in its directory `j`."""
    project = make_project(tmp_path / "p")
    journals.path = project / "j"
    journals.completed()
    return project


READERS = ["list", "show", "replay", "tail", "verify", "command", "why"]


@pytest.mark.parametrize("command", READERS)
def test_a_setting_for_writing_does_not_stop_reading(call, project, command):
    with (project / "pyproject.toml").open("a") as file:
        file.write('durability = "fast"\n')

    result = call(command, "--project", project)

    assert result.exit_code == 0
    assert "2026-11-20" in result.stdout or "kedro run" in result.stdout
    warning, *more = result.stderr.splitlines()
    assert more == []
    assert warning.startswith("Warning: ")
    assert "`tool.kedro_journal.durability`" in warning
    assert 'it may be "flush", "group", "sync"' in warning


def test_a_directory_that_does_not_read_stops_a_reader(call, project, monkeypatch):
    (project / "pyproject.toml").write_text(
        "[tool.kedro]\n[tool.kedro_journal]\ndirectory = 5\n"
    )
    refused = call("list", "--project", project)
    monkeypatch.setenv("KEDRO_JOURNAL_DIRECTORY", "j")
    overridden = call("list", "--project", project)

    assert refused.exit_code == 2
    assert "`tool.kedro_journal.directory`" in refused.stderr
    assert "2026-11-20" in overridden.stdout


@pytest.mark.parametrize("command", READERS)
def test_a_pyproject_that_does_not_parse_is_told_with_its_line(call, project, command):
    with (project / "pyproject.toml").open("a") as file:
        file.write("a = \n")
    (project / "j").rename(project / "sessions")

    result = call(command, "--project", project / "src")

    assert result.exit_code == 0
    assert "2026-11-20" in result.stdout or "kedro run" in result.stdout
    assert "pyproject.toml: it does not parse as TOML: line 5, " in result.stderr
    assert "If it is to set `directory`, the journals are elsewhere" in result.stderr


@pytest.mark.parametrize("command", [*READERS, "resume", "rerun", "trace", "explain"])
def test_outside_a_project_every_command_says_so(call, tmp_path, command):
    args = ["parameters"] if command in ("trace", "explain") else []
    result = call(command, *args)

    assert result.exit_code == 3
    assert result.stdout == ""
    assert f"{tmp_path}: no Kedro project" in result.stderr
    assert f"no journals in {tmp_path / 'sessions'}" in result.stderr
    assert "--project" in result.stderr
    assert "--directory" in result.stderr


def test_outside_a_project_journals_are_found_where_they_are(
    call, journals, tmp_path, monkeypatch
):
    journals.completed()
    here = call("list")
    monkeypatch.setenv("KEDRO_JOURNAL_DIRECTORY", str(tmp_path / "none"))
    elsewhere = call("list")
    given = call("list", "--directory", tmp_path / "none")

    assert "2026-11-20" in here.stdout
    assert elsewhere.stdout.startswith(f"No sessions in {tmp_path / 'none'}.")
    assert "does not exist yet" in elsewhere.stdout
    assert (given.exit_code, given.stdout) == (3, "")
    assert "no such directory" in given.stderr


def test_session_ids_are_completed(call, journals):
    from click.shell_completion import ShellComplete

    journals.completed()
    shell = ShellComplete(journal, {}, "kedro-journal", "_X")
    args = ["show", "--directory", str(journals.path)]

    found = shell.get_completions(args, "2026")

    assert [item.value for item in found] == ["2026-11-20T05.00.00.000Z"]


def test_the_version_is_one_line_for_a_bug_report():
    for args in (["--version"], ["-V"]):
        result = CliRunner().invoke(journal, args, prog_name="kedro-journal")

        assert result.exit_code == 0
        assert result.output.startswith(f"kedro-journal {__version__} (Kedro ")
        assert len(result.output.splitlines()) == 1


def test_help_is_a_command_as_well():
    def output(*args: str) -> str:
        result = CliRunner().invoke(journal, args, prog_name="kedro-journal")
        assert result.exit_code == 0
        return result.output

    assert output("help") == output("--help")
    assert output("help", "show") == output("show", "--help")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sow", "show"),
        ("lst", "list"),
        ("verfy", "verify"),
        ("Resume", "resume"),
        ("follow", "tail"),
        ("logs", "show"),
    ],
)
def test_a_mistyped_command_names_the_closest_one(typed, meant):
    result = CliRunner().invoke(journal, [typed], prog_name="kedro-journal")

    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'" in result.output


def test_a_command_that_resembles_none_lists_them_all():
    result = CliRunner().invoke(journal, ["xyzzy"], prog_name="kedro-journal")

    assert result.exit_code == 2
    assert "The commands are: demo, " in result.output
    assert "Did you mean" not in result.output


def test_the_help_groups_every_command_under_a_heading():
    output = CliRunner().invoke(journal, ["--help"]).output

    assert sorted(COMMANDS) == sorted(n for some in SECTIONS.values() for n in some)
    for title, some in SECTIONS.items():
        part = output[output.index(f"{title}:") :]
        part = part[: part.index("\n\n")] if "\n\n" in part else part
        assert [line.split()[0] for line in part.splitlines()[1:]] == list(some)
    described = output[output.index("Get started:") :].splitlines()
    assert not [line for line in described if line.endswith("...")], "cut at 80 columns"
