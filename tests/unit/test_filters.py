"""Filters of sessions: what fits, and the same answers whatever the index holds."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from journals import file, put, seal_all

import kedro_journal
from kedro_journal.analysis.filters import Condition, condition
from kedro_journal.cli import journal
from kedro_journal.cli.filters import moment
from kedro_journal.events import (
    ContextLoaded,
    Git,
    JournalHeader,
    PlannedNode,
    RunCompleted,
    RunStarted,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying.facts import FactsIndex

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
LR = (0.05, 0.2, 0.5)


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Three sessions: s0, s1 of branch main, s2 of branch dev."""
    for number, lr in enumerate(LR):
        session_id = f"2026-01-02T00.00.0{number}.000Z"
        nodes = (PlannedNode("prep.clean"), PlannedNode(f"train_{number}"))
        git = Git(sha=f"{number}abc", branch="dev" if number == 2 else "main")
        parameters = {"model": {"lr": lr, "kind": "ada"}, "debug": number == 1}
        filters = {"tags": ["fast"]} if number else {}
        events = [
            JournalHeader(
                session_id=session_id, uid="u", salt="s", package_version="0"
            ),
            WriterOpened(pid=1, host="elsewhere"),
            SessionCreated(
                session_id=session_id,
                host="elsewhere",
                user=f"user{number}",
                git=git,
                labels={"team": "a" if number else "b"},
            ),
            ContextLoaded(env="local" if number else "prod", parameters=parameters),
            RunStarted(
                run_id="r", nodes=nodes, pipelines=(f"p{number}",), filters=filters
            ),
            RunCompleted(run_id="r"),
            SessionClosed(),
        ]
        put(tmp_path / session_id, b"".join(seal_all(events)))
        os.utime(file(tmp_path / session_id), (1, 1))
    return tmp_path


def asked(where: Path, *args: str) -> str:
    """Return the numbers of the sessions that a list has, in its order."""
    options = ["list", "--json", "--directory", str(where), *args]
    result = CliRunner().invoke(journal, options, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return "".join(one["session_id"][-6] for one in json.loads(result.stdout))


QUESTIONS = [
    ((), "210"),
    (("--pipeline", "p1"), "1"),
    (("--node", "clean"), "210"),
    (("--node", "train_2"), "2"),
    (("--node", "lean"), ""),
    (("--tag", "fast"), "21"),
    (("--label", "team=b"), "0"),
    (("--label", "team"), "210"),
    (("--env", "prod"), "0"),
    (("--user", "user2"), "2"),
    (("--git", "main"), "10"),
    (("--git", "2ab"), "2"),
    (("--param", "model.lr>0.1"), "21"),
    (("--param", "model.lr>0.1", "--param", "model.lr<=0.2"), "1"),
    (("--param", "debug=true"), "1"),
    (("--param", "debug!=true"), "20"),
    (("--param", "model"), "210"),
    (("--param", "no.such!=1"), ""),
    (("--tag", "fast", "-n", "1"), "2"),
    (("--since", "2026-01-02", "--until", "2026-01-03"), "210"),
    (("--since", "2026-01-05"), ""),
    (("--sort", "took", "--verdict", "completed"), "210"),
]


def test_answers_do_not_depend_on_the_index(
    sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kedro_journal.replaying.facts.is_settled", lambda _: True)
    every = [asked(sessions, *args) for args, _ in QUESTIONS]
    assert every == [expected for _, expected in QUESTIONS]
    (kept,) = (JournalDirectory(sessions).own / ".index" / "facts").iterdir()
    content = kept.read_bytes()
    reads = []
    monkeypatch.setattr(
        "kedro_journal.replaying.facts.look", lambda *_: reads.append(1)
    )
    assert [asked(sessions, *args) for args, _ in QUESTIONS] == every
    assert not reads  # no journal was read again
    monkeypatch.undo()
    half = content[: len(content) // 2]
    changed = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
    for damaged in (None, b"", half, changed, b"\0" * 100):
        kept.unlink(missing_ok=True)
        if damaged is not None:
            kept.write_bytes(damaged)
        assert [asked(sessions, *args) for args, _ in QUESTIONS[:17]] == every[:17]


def test_a_journal_that_changed_is_read_again(
    sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kedro_journal.replaying.facts.is_settled", lambda _: True)
    assert asked(sessions, "--node", "train_0") == "0"
    path = file(sessions / "2026-01-02T00.00.00.000Z")
    content = path.read_bytes()
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:4]))
    assert asked(sessions, "--node", "train_0") == ""
    path.unlink()
    facts = FactsIndex(JournalDirectory(sessions)).of("2026-01-02T00.00.00.000Z")
    assert facts.nodes == ()


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("lr>0.1", 0.2, True),
        ("lr >= 0.2", 0.2, True),
        ("lr<0.1", "0.05", False),  # a text has no order among numbers
        ("day>2026-01-01", "2026-02-01", True),
        ("n=1", True, False),
        ("n=true", True, True),
        ("n=null", None, True),
        ("n!=1", 2, True),
        ('n="1"', "1", True),
        ("n=a=b", "a=b", True),
        ("n<1", [0], False),
    ],
)
def test_conditions(text: str, value: object, *, holds: bool) -> None:
    one = condition(text)
    assert one.holds({one.name: value}) is holds
    assert not one.holds({})


def test_what_is_no_condition() -> None:
    assert condition("model.lr") == Condition("model.lr")
    with pytest.raises(ValueError, match="not a condition"):
        condition("=3")


def test_times() -> None:
    assert moment("2d", NOW) == NOW - timedelta(days=2)
    assert moment("90m", NOW) == NOW - timedelta(minutes=90)
    assert moment("2026-01-02T03:04:05Z", NOW) == datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=UTC
    )
    assert moment("2026-01-02", NOW) == datetime(2026, 1, 2).astimezone()
    for wrong in ("soon", "latest", "2026-13-01", ""):
        with pytest.raises(ValueError, match=r"month|Invalid"):
            moment(wrong, NOW)


def test_columns_and_mistakes(sessions: Path) -> None:
    def text(*args: str) -> str:
        options = ["list", "--directory", str(sessions), *args]
        return CliRunner().invoke(journal, options).output

    chosen = text("--columns", "user,verdict", "--user", "user1")
    assert chosen.split() == ["user", "verdict", "user1", "completed"]
    assert "no column 'size'" in text("--columns", "size")
    assert "is not a time" in text("--since", "soon")
    assert "fits the filters" in text("--node", "none")


def test_the_same_filters_in_python(sessions: Path) -> None:
    def found(**filters: Any) -> str:
        every = kedro_journal.sessions(directory=sessions, **filters)
        return "".join(state.session_id[-6] for state in every)

    assert found(node="clean", git="main") == "10"
    assert found(tag="fast", params=["model.lr>0.1", "debug=true"]) == "1"
    later = datetime(2026, 1, 3, tzinfo=UTC)
    assert found(labels={"team": "a"}, until=later) == "21"
    assert found(until=datetime(2026, 1, 2, tzinfo=UTC)) == ""
    assert "params=('debug',)" in repr(
        kedro_journal.sessions(directory=sessions, params=["debug"])
    )
    with pytest.raises(ValueError, match="until needs a timezone"):
        kedro_journal.sessions(until=datetime(2026, 1, 2))
    with pytest.raises(ValueError, match="not a condition"):
        kedro_journal.sessions(directory=sessions, params=["<3"])
