"""Shell completion, in both forms of the command."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from kedro_journal.cli import commands, journal
from kedro_journal.events import ContextLoaded, PlannedNode, RunStarted, SessionClosed

from .test_prune import OLD, OTHER

NEW = "2026-11-25T05.00.00.000Z"


@pytest.fixture
def where(journals):
    journals.failed(OTHER)
    journals.completed(OLD)
    plan = PlannedNode("eval", inputs=("table", "params:lr"), outputs=("a\x1b[2J",))
    journals.begin(
        NEW,
        ContextLoaded(parameters={"lr": 1}),
        RunStarted(run_id="r", nodes=(plan,)),
        SessionClosed(),
    )
    journals.let_go()
    return ["--directory", str(journals.path)]


def complete(command: click.Command, args: list[str], incomplete: str) -> list[str]:
    found = ShellComplete(command, {}, "x", "_X").get_completions(args, incomplete)
    return [one.value for one in found]


def test_commands_ids_and_nodes_are_completed(where):
    assert complete(journal, [], "pr") == ["prune"]
    for command in ("show", "resume", "rerun", "note", "tag", "pack", "viz", "wait"):
        options = where if command not in ("resume", "rerun") else []
        found = complete(journal, [command, *options], "2026-11-2")
        assert found == ([NEW, OLD, OTHER] if options else [])
    assert complete(journal, ["diff", *where, NEW], "2026-11-20") == [OLD]
    assert complete(journal, ["show", *where], "last-") == ["last-failed", "last-good"]
    assert complete(journal, ["why", *where], "ev") == ["eval"]
    assert complete(journal, ["why", *where, OLD], "") == ["split", "train"]
    assert complete(journal, ["why", *where], "2026-11-20") == [OLD]
    assert complete(journal, ["trace", *where, NEW], "") == ["table", "params:lr"]
    assert complete(journal, ["why", *where, "nope"], "") == []


def test_a_broken_place_is_silent(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.kedro]\n[tool.kedro_journal]\ndirectory = 1\nnope = 2\n"
    )

    for words in (["why"], ["show"], ["resume", "--from"], ["diff", "x"]):
        assert complete(journal, words, "2") == []
    assert capsys.readouterr() == ("", "")


def test_kedro_journal_is_completed_as_well(where):
    assert complete(commands, ["journal", "show", *where], "2026-11-20") == [OLD]


@pytest.mark.parametrize("form", ["kedro-journal", "kedro"])
def test_the_shell_gets_its_words(form, where, tmp_path):
    words = [form, *(["journal"] if form == "kedro" else []), "show", *where, OLD[:7]]
    name = f"_{form.upper().replace('-', '_')}_COMPLETE"
    env = {
        **os.environ,
        name: "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    code = {
        "kedro-journal": "from kedro_journal.cli import main; main()",
        "kedro": "import sys; sys.argv[0] = 'kedro'\n"
        "from kedro.framework.cli.cli import main; main()",
    }
    done = subprocess.run(
        [sys.executable, "-c", code[form]],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    # Kedro logs to stdout when it starts; the shell reads lines of a known kind only.
    lines = [one for one in done.stdout.splitlines() if one]
    if form == "kedro":
        lines = [one for one in lines if one.startswith(("plain,", "dir,", "file,"))]
    assert lines == [f"plain,{one}" for one in (NEW, OLD, OTHER)], done.stderr
