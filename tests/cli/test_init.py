"""init: lines are added to settings.py and nothing else is touched."""

from __future__ import annotations

import ast
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_journal.cli.settings_file import set_session_class, unset_session_class

ADDED = b"""\
try:
    from kedro_journal.session import KedroSession
except ImportError:
    pass  # kedro-journal is not installed: Kedro's own session is used
else:
    SESSION_CLASS = KedroSession
"""
OLD = (
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

    added = ADDED.replace(
        b"import KedroSession", b"import KedroSession as JournalSession"
    )
    added = added.replace(b"= KedroSession", b"= JournalSession")
    assert edit.after == before + b"\n" + added


@given(st.lists(st.sampled_from([*TEMPLATE.splitlines(), b"X = 1", b"", b"#"])))
def test_undo_gives_every_byte_back(lines):
    before = b"".join(line + b"\n" for line in lines)

    edit = unset_session_class(set_session_class(before).after)

    assert (edit.outcome, edit.after) == ("remove", before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OLD, b""),
        (b"X = 1\n\n" + OLD, b"X = 1\n"),
        (b"X = 1\n\n" + OLD + b"\nY = 1\n", b"X = 1\n\nY = 1\n"),
        (OLD.replace(b"KedroSession", b"KedroServiceSession"), b""),
    ],
)
def test_undo_removes_what_earlier_versions_wrote(before, after):
    edit = unset_session_class(before)

    assert (edit.outcome, edit.after) == ("remove", after)


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        (b"X = 1\n", "absent"),
        (b"from mine import S\nSESSION_CLASS = S\n", "absent"),
        (OURS + b"KedroSession as SESSION_CLASS\n", "refused"),
        (OURS + b"A, KedroSession\nSESSION_CLASS = KedroSession\n", "refused"),
        (ADDED + b"class Mine(KedroSession): pass\n", "refused"),
        (ADDED + OLD, "refused"),
        (b"X = (\n", "refused"),
    ],
)
def test_undo_leaves_what_a_person_wrote(before, outcome):
    edit = unset_session_class(before)

    assert (edit.outcome, edit.after) == (outcome, before)


def test_without_the_package_the_settings_still_load():
    code = set_session_class(TEMPLATE).after
    gone = dict.fromkeys(("kedro_journal", "kedro_journal.session"))

    with patch.dict(sys.modules, gone):  # None makes an import fail
        names: dict[str, object] = {}
        exec(compile(code, "settings.py", "exec"), names)

    assert names["CONF_SOURCE"] == "conf"
    assert "SESSION_CLASS" not in names


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
    assert "+    SESSION_CLASS = KedroSession\n" in first.stdout
    assert "src/mill/settings.py changed" in first.stdout
    assert after == set_session_class(TEMPLATE).after
    assert "nothing to change" in second.stdout
    assert settings(project).read_bytes() == after
    assert stat.S_IMODE(settings(project).stat().st_mode) == 0o640
    assert list(settings(project).parent.iterdir()) == [settings(project)]


def test_a_dry_run_writes_nothing(call, project):
    result = call("init", "--dry-run", "--project", project)

    assert "+    SESSION_CLASS = KedroSession\n" in result.stdout
    assert "Nothing was written" in result.stdout
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
        ("", "not a Kedro project"),
        ("[tool.kedro]\nx = 1\n", "needs package_name"),
        ('[tool.kedro]\npackage_name = "../../etc"\n', "needs package_name"),
        ('[tool.kedro]\npackage_name = "m"\nsource_dir = "../.."\n', "outside"),
        ('[tool.kedro]\npackage_name = "gone"\n', "Cannot read"),
        ("[tool]\nkedro = " + "9" * 5000, "not a Kedro project"),
        ("[tool]\nkedro = " + "[" * 3000, "not a Kedro project"),
    ],
)
def test_a_folder_that_is_not_a_project_is_refused(call, project, pyproject, words):
    (project / "pyproject.toml").write_text(pyproject)

    result = call("init", "--project", project)

    assert result.exit_code == (3 if "not a Kedro project" in words else 1)
    assert words in result.stderr
    assert "Nothing was changed" in result.stderr


def test_init_can_be_undone(call, project):
    made = call("init", "--project", project)
    undone = call("init", "--project", project, "--undo")
    again = call("init", "--project", project, "--undo")

    assert made.exit_code == undone.exit_code == again.exit_code == 0
    assert settings(project).read_bytes() == TEMPLATE
    assert "nothing to remove" in again.stdout


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("requirements.txt", "kedro~=1.0\n", "requirements.txt"),
        ("requirements.txt", "kedro_journal>=0.1\n", ""),
        ("other.txt", "", "the dependencies in pyproject.toml"),
    ],
)
def test_init_names_the_requirement_that_is_missing(
    call, project, name, content, place
):
    (project / name).write_text(content)

    result = call("init", "--project", project)

    asked = f"Add `kedro-journal` to {place}," in result.stdout
    assert asked if place else "Add `kedro-journal`" not in result.stdout
