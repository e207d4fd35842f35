"""init: lines are added to settings.py and nothing else is touched."""

from __future__ import annotations

import ast
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_journal.cli.settings_file import set_session_class

ADDED = (
    b"from kedro_journal.session import KedroSession\n\nSESSION_CLASS = KedroSession\n"
)
TEMPLATE = b'''"""Project settings."""

# Class that manages the KedroSession.
# from kedro.framework.session import KedroSession
# SESSION_CLASS = KedroSession

# Directory that holds configuration.
CONF_SOURCE = "conf"
'''


def test_it_goes_where_the_template_has_it_as_a_comment():
    edit = set_session_class(TEMPLATE)

    head, rest = TEMPLATE.split(b"\n\n# Directory")
    assert edit.outcome == "add"
    assert edit.after == head + b"\n" + ADDED + b"\n# Directory" + rest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", ADDED),
        (b"X = 1\n", b"X = 1\n\n" + ADDED),
        (b"X = 1", b"X = 1\n\n" + ADDED),
        (b"X = 1\r\n", b"X = 1\r\n\r\n" + ADDED.replace(b"\n", b"\r\n")),
        (b"# -*- coding: latin-1 -*-\nX = '\xe9'\n", None),
        (b"\xef\xbb\xbfX = 1\n", None),
        (b'X = """\n# SESSION_CLASS = KedroSession\n"""\n', None),
        (b"X = (\n# SESSION_CLASS = KedroSession\n)\n", None),
        (b"if True:\n    X = 1\n# SESSION_CLASS = A\n    Y = 1\n", None),
        (b"X = 1\x0c\n# SESSION_CLASS = A\nY = 2\n", None),
    ],
)
def test_elsewhere_it_goes_to_the_end(before, after):
    edit = set_session_class(before)

    assert edit.outcome == "add"
    assert edit.after == (after if after is not None else before + b"\n" + ADDED)
    ast.parse(edit.after)


OURS = b"from kedro_journal.session import "


@pytest.mark.parametrize(
    "before",
    [
        OURS + b"KedroSession\nSESSION_CLASS = KedroSession\n",
        OURS + b"KedroServiceSession as S\nSESSION_CLASS = S\n",
        OURS + b"KedroSession as SESSION_CLASS\n",
        b"import kedro_journal.session as s\nSESSION_CLASS = s.KedroSession\n",
        b"from kedro_journal import session as s\nSESSION_CLASS: X = s.KedroSession\n",
    ],
)
def test_what_is_set_already_stays(before):
    edit = set_session_class(before)

    assert (edit.outcome, edit.after) == ("present", before)


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (b"from mine import S\nSESSION_CLASS = S\n", 2),
        (b"from kedro import KedroSession\nSESSION_CLASS = KedroSession\n", 2),
        (b"try:\n    from mine import S as SESSION_CLASS\nexcept E:\n    pass\n", 2),
        (b"if X:\n    SESSION_CLASS, Y = 1, 2\n", 2),
        (b"class SESSION_CLASS:\n    pass\n", 1),
        (b"X = 1\nX = (\n", 2),
    ],
)
def test_what_a_person_must_decide_is_refused(before, line):
    edit = set_session_class(before)

    assert (edit.outcome, edit.after, edit.line) == ("refused", before, line)
    assert edit.reason


def test_a_name_that_means_something_else_is_not_taken_over():
    before = b"from kedro.framework.session import KedroSession\nX = KedroSession\n"

    edit = set_session_class(before)

    assert edit.after == before + (
        b"\nfrom kedro_journal.session import KedroSession as JournalSession\n\n"
        b"SESSION_CLASS = JournalSession\n"
    )


@given(st.lists(st.sampled_from([*TEMPLATE.splitlines(), b"X = 1", b"", b"#"])))
def test_every_byte_stays_and_twice_is_once(lines):
    before = b"\n".join(lines)

    once = set_session_class(before)
    twice = set_session_class(once.after)

    assert once.outcome == "add"
    assert (twice.outcome, twice.after) == ("present", once.after)
    extra = len(once.after) - len(before)
    assert any(
        once.after[:at] + once.after[at + extra :] == before
        for at in range(len(before) + 1)
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "p" / "src" / "mill"
    package.mkdir(parents=True)
    (package / "settings.py").write_bytes(TEMPLATE)
    (tmp_path / "p" / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "mill"\n'
    )
    return tmp_path / "p"


def settings(project: Path) -> Path:
    return project / "src" / "mill" / "settings.py"


def test_init_shows_the_change_and_makes_it_once(call, project):
    settings(project).chmod(0o640)

    first = call("init", "--project", project)
    after = settings(project).read_bytes()
    second = call("init", "--project", project)

    assert first.exit_code == second.exit_code == 0
    assert "+SESSION_CLASS = KedroSession\n" in first.stdout
    assert "src/mill/settings.py changed" in first.stdout
    assert after == set_session_class(TEMPLATE).after
    assert "nothing to change" in second.stdout
    assert settings(project).read_bytes() == after
    assert stat.S_IMODE(settings(project).stat().st_mode) == 0o640
    assert list(settings(project).parent.iterdir()) == [settings(project)]


def test_a_dry_run_writes_nothing(call, project):
    result = call("init", "--dry-run", "--project", project)

    assert "+SESSION_CLASS = KedroSession\n" in result.stdout
    assert "wrote nothing" in result.stdout
    assert settings(project).read_bytes() == TEMPLATE


def test_the_project_comes_from_kedro_or_from_the_working_directory(
    call, project, monkeypatch
):
    kedros = call("init", "--dry-run", obj=SimpleNamespace(project_path=project))
    monkeypatch.chdir(project / "src")
    around = call("init", "--dry-run")

    assert kedros.stdout == around.stdout
    assert kedros.exit_code == 0


def test_a_link_stays_a_link(call, project, tmp_path):
    real = tmp_path / "real.py"
    settings(project).rename(real)
    settings(project).symlink_to(real)

    call("init", "--project", project)

    assert settings(project).is_symlink()
    assert b"kedro_journal" in real.read_bytes()


def test_another_session_class_is_refused_with_instructions(call, project):
    settings(project).write_text("from mine import S\nSESSION_CLASS = S\n")

    result = call("init", "--project", project)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "settings.py:2: it sets SESSION_CLASS to something else" in result.stderr
    assert "from kedro_journal.session import KedroSession" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("pyproject", "words"),
    [
        ("", "no Kedro project"),
        ("[tool.kedro]\nx = 1\n", "needs package_name"),
        ('[tool.kedro]\npackage_name = "../../etc"\n', "needs package_name"),
        ('[tool.kedro]\npackage_name = "m"\nsource_dir = "../.."\n', "outside"),
        ('[tool.kedro]\npackage_name = "gone"\n', "does not read"),
        ("[tool]\nkedro = " + "9" * 5000, "no Kedro project"),
        ("[tool]\nkedro = " + "[" * 3000, "no Kedro project"),
    ],
)
def test_a_project_that_is_none_is_refused(call, project, pyproject, words):
    (project / "pyproject.toml").write_text(pyproject)

    result = call("init", "--project", project)

    assert result.exit_code == 1
    assert words in result.stderr
    assert "Nothing was changed" in result.stderr
