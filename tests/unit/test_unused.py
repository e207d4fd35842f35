"""Runtime parameters that match nothing are named, and no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from kedro_journal._clock import now
from kedro_journal.analysis.unused import unused_params
from kedro_journal.capture import provenance
from kedro_journal.capture.configuration import ConfigFile
from kedro_journal.capture.provenance import unmatched_params
from kedro_journal.events import ContextLoaded, Git, ParameterSource, PlannedNode
from kedro_journal.state import NodeState, RunState, SessionState
from kedro_journal.views.data import state_data
from kedro_journal.views.session import session_view
from kedro_journal.views.terminal import Screen


def state(*inputs: str, unmatched: tuple[str, ...] = ("modle.lr",)) -> SessionState:
    plan = PlannedNode("train", inputs=inputs)
    run = RunState("r", nodes={"train": NodeState("train", plan=plan)})
    context = ContextLoaded(env="local", unmatched_params=unmatched)
    return SessionState(session_id="s", context=context, runs=(run,))


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        (("table",), ("modle.lr",)),
        (("params:model.lr",), ("modle.lr",)),
        (("params:modle.lrate",), ("modle.lr",)),
        (("params:modle",), ()),
        (("params:modle.lr",), ()),
        (("params:modle.lr.first",), ()),
        (("parameters",), ()),
    ],
)
def test_a_parameter_is_unused_if_no_node_loads_it(
    inputs: tuple[str, ...], named: tuple[str, ...]
) -> None:
    told = state(*inputs)

    assert unused_params(told) == named
    assert state_data(told)["unused_params"] == list(named)
    shown = session_view(told, Screen(now()))
    assert ("Warning: modle.lr was given (--params)" in shown) == bool(named)


def test_nothing_is_said_before_a_run_or_of_nodes_without_a_plan() -> None:
    context = ContextLoaded(env="local", unmatched_params=("x",))
    run = RunState("r", nodes={"train": NodeState("train")})

    assert unused_params(SessionState(context=context)) == ()
    assert unused_params(SessionState(context=context, runs=(run,))) == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("lr: 1", ("modle.lr", "seed")),
        ("lr: ${runtime_params:modle.lr, 3}", ("seed",)),
        ("a: ${runtime_params: modle}\nb: \"${runtime_params:'seed'}\"", ()),
        (None, ()),
    ],
)
def test_what_a_configuration_file_refers_to_is_not_unmatched(
    monkeypatch: pytest.MonkeyPatch, text: str | None, named: tuple[str, ...]
) -> None:
    given = {"modle": {"lr": 1}, "seed": 2, "epochs": 3}
    monkeypatch.setattr(provenance.compat, "context_runtime_params", lambda _: given)
    sources = (
        ParameterSource("epochs", source="--params", overrides=("base.yml:1",)),
        ParameterSource("modle.lr", source="--params"),
        ParameterSource("seed", source="--params"),
        ParameterSource("other", source="base.yml", line=1),
    )
    file = ConfigFile("conf/base/x.yml", "x.yml", "base", text, secret=False)

    assert unmatched_params(SimpleNamespace(), sources, [file]) == named


def test_the_file_of_uncommitted_changes_is_shown_with_its_path(tmp_path: Path) -> None:
    git = Git(sha="0" * 40, branch="main", dirty=True, diff_file="git.diff")
    told = SessionState(session_id="s", git=git)
    journal = tmp_path / "s" / "journal.jsonl"

    shown = session_view(told, Screen(now()), journal=str(journal))

    assert str(tmp_path / "s" / "git.diff") in shown
    assert "changes" in shown
