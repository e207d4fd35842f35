"""What `repr`, `print` and IPython show of a state: a line, the verdict first."""

from __future__ import annotations

from kedro_journal import NodeState, RunState, SessionState
from kedro_journal.analysis import NodeDecision, ResumePlan
from kedro_journal.events import ErrorInfo

ERROR = ErrorInfo(type="ValueError", message="no such column\nat all")
NODES = {
    "load": NodeState(name="load", status="completed"),
    "train": NodeState(name="train", status="failed", phase="running", error=ERROR),
}
RUN = RunState(run_id="r", status="failed", nodes=NODES, error=ERROR)
SESSION = SessionState(session_id="s1", status="closed", runs=(RUN,), seq=9)


class Printer:
    """Stands for IPython's."""

    def __init__(self) -> None:
        self.shown = ""

    def text(self, text: str) -> None:
        self.shown += text


def test_states_are_short_and_begin_with_the_verdict() -> None:
    assert repr(NODES["train"]).startswith("<NodeState train: failed, running, Value")
    assert repr(RUN).startswith("<RunState r: failed, 1/2 nodes, at train, ValueError")
    assert str(SESSION).startswith("<SessionState s1: failed, 1/2 nodes, at train, Val")
    assert str(SESSION).endswith("; 9 records>")
    assert "\n" not in str(SESSION)
    assert "<SessionState (no id): empty; 0 records>" == repr(SessionState())


def test_ipython_shows_the_same() -> None:
    for value in (NODES["train"], RUN, SESSION):
        printer = Printer()
        value._repr_pretty_(printer, False)
        assert repr(value) == printer.shown


def test_a_plan_names_what_runs() -> None:
    decisions = (
        NodeDecision(name="a", decision="done", reason=""),
        NodeDecision(name="b", decision="redo", reason=""),
    )
    plan = ResumePlan(
        session_id="s1", chain=("s1",), pipelines=(), runner="", is_async=False,
        env=None, decisions=decisions, load_versions={}, own_versions=(), drift=(),
    )  # fmt: skip
    assert "<ResumePlan of s1: runs 1 nodes (b), keeps 1>" == repr(plan)
