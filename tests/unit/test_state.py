"""State: one door, pure, total."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import msgspec
import pytest
from events_strategy import events
from hypothesis import given, settings
from hypothesis import strategies as st

from kedro_journal import state
from kedro_journal.errors import IllegalTransition
from kedro_journal.events import (
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    Fingerprint,
    JournalGap,
    JournalRepaired,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    PlannedNode,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    UnknownEvent,
)
from kedro_journal.state import (
    DatasetOperation,
    SessionState,
    StateBuilder,
    evolve,
)
from kedro_journal.testing import fold, records

CREATED = SessionCreated(session_id="s")
PLAN = (PlannedNode(name="split"), PlannedNode(name="train"), PlannedNode(name="eval"))
RUN = RunStarted(run_id="r", nodes=PLAN)
OOM = ErrorInfo(type="MemoryError", message="no more")


def wrap(found: list[Event]) -> list[Record]:
    """Records with these events, also such as no writer would write."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Record(seq=seq, at=at, writer=f"w{seq % 3}", prev="", crc="", event=event)
        for seq, event in enumerate(found, 1)
    ]


@settings(max_examples=300, deadline=None)
@given(st.lists(events, max_size=40), st.data())
def test_folding_in_two_parts_is_folding_at_once(
    found: list[Event], data: st.DataObject
) -> None:
    every = wrap(found)
    cut = data.draw(st.integers(0, len(every)))
    whole = state.fold(every)
    assert state.fold(every[cut:], initial=state.fold(every[:cut])) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(events, max_size=30))
def test_folding_is_repeated_evolving(found: list[Event]) -> None:
    step = SessionState()
    for record in wrap(found):
        step = evolve(step, record)
        assert step.seq == record.seq
    assert step == state.fold(wrap(found))


NODE_EVENTS: dict[str, tuple[type[Event], ...]] = {
    "pending": (DatasetLoading, NodeStarted),
    "loading": (DatasetLoading, DatasetLoaded, DatasetLoaded, NodeStarted),
    "running": (NodeComputed, NodeFailed),
    "saving": (
        *(DatasetSaving, DatasetSaved, DatasetSaved),
        *(DatasetConfirming, NodeCompleted),
    ),
    "confirming": (
        *(DatasetConfirming, DatasetConfirmed, DatasetConfirmed),
        *(NodeCompleted, NodeFailed),
    ),
}


@st.composite
def likely(draw: st.DrawFn) -> list[Event]:
    """Give the events of runs at once whose nodes move on, most of them as they may."""
    found: list[Event] = [CREATED]
    keys = [("r1", 1), ("r1", 2), ("r2", 1)][: draw(st.integers(1, 3))]
    found += [RunStarted(run_id=r, attempt=a, nodes=PLAN) for r, a in keys]
    statuses: dict[object, str] = {}
    for _ in range(draw(st.integers(0, 60))):
        if draw(st.integers(0, 15)) == 0:
            found.append(draw(events))
            continue
        run_id, attempt = draw(st.sampled_from(keys))
        node = draw(st.sampled_from(["train", "train", "split", "unplanned", ""]))
        key = run_id, attempt, node
        fitting = NODE_EVENTS.get(statuses.get(key, "pending"), (NodeCompleted,))
        cls = draw(st.sampled_from(fitting))
        fields: dict[str, object] = {"run_id": run_id, "attempt": attempt, "node": node}
        for name in cls.__struct_fields__:
            if name in LIKELY:
                fields[name] = draw(LIKELY[name])
        found.append(cls(**fields))
        before = statuses.get(key, "pending")
        statuses[key] = state.NODE_TRANSITIONS.get((before, cls), before)  # type: ignore[call-overload]
    return found


LIKELY: dict[str, st.SearchStrategy[object]] = {
    "dataset": st.sampled_from(["raw", "raw", "model", ""]),
    "duration_s": st.none() | st.floats(0, 9),
    "version": st.none() | st.sampled_from(["v1", "v2"]),
    "path": st.none() | st.sampled_from(["/a", "/b"]),
    "size_bytes": st.none() | st.integers(0, 9),
    "modified_us": st.none() | st.integers(0, 9),
    "entries": st.none() | st.integers(0, 9),
    "listing_sha256": st.none() | st.sampled_from(["ab", "cd"]),
    "etag": st.none() | st.sampled_from(["e1", "e2"]),
    "input_versions": st.sampled_from([(), (("raw", "v3"), ("none", "v4"))]),
    "error": st.just(OOM),
}


def one_at_a_time(found: list[Event]) -> SessionState:
    """Fold with nothing kept from one event to the next."""
    now = SessionState()
    for record in wrap(found):
        now = evolve(now, record)
    return now


@settings(max_examples=150, deadline=None)
@given(likely(), st.data())
def test_a_node_that_moves_on_is_the_same_whatever_is_kept_of_it(
    found: list[Event], data: st.DataObject
) -> None:
    """Events of one node in a row, of several in turn, of attempts and of runs."""
    every = wrap(found)
    whole = state.fold(every)
    assert one_at_a_time(found) == whole
    builder = StateBuilder()
    for record in every:
        builder.add(record)
        if data.draw(st.integers(0, 9)) == 0:
            builder.state()
    assert builder.state() == whole


def test_a_node_says_what_its_events_said_and_no_more() -> None:
    """What is left from the time before, for it is changed in place, is not seen."""
    base = {"run_id": "r", "node": "train"}
    a, b = {"dataset": "a", **base}, {"dataset": "b", **base}
    found = [
        CREATED,
        RUN,
        DatasetLoading(**a),
        DatasetLoaded(**a, duration_s=1.0, version="v1"),
        DatasetLoading(**b),
        NodeStarted(**base, input_versions=(("b", "v2"), ("none", "v3"))),
        NodeComputed(**base, duration_s=2.0),
        DatasetSaving(**a),
        DatasetSaved(
            **a, duration_s=3.0, version="v4", path="p", size_bytes=5, modified_us=6
        ),
        DatasetSaved(**b, path="q"),
        DatasetSaving(**a),
    ]
    now = state.fold(wrap(found))
    at = now.updated_at
    node = now.runs[0].nodes["train"]
    assert node.loads == {
        "a": DatasetOperation("a", "load", 3, 4, at, 1, 1.0, "v1"),
        "b": DatasetOperation("b", "load", 5, version="v2"),
    }
    assert node.saves == {
        "a": DatasetOperation("a", "save", 11, count=2),
        "b": DatasetOperation("b", "save", 10, 10, at, path="q"),
    }
    again = state.fold(wrap([*found, DatasetSaved(**a, path="r")]))
    saved = again.runs[0].nodes["train"].saves["a"]
    assert saved == DatasetOperation("a", "save", 11, 12, at, 2, path="r")
    assert node.saves["a"].is_open


@settings(max_examples=200, deadline=None)
@given(st.lists(events, max_size=30))
def test_the_fold_never_changes_a_state_that_it_gave(found: list[Event]) -> None:
    builder, given_out, copies = StateBuilder(), [], []
    for record in wrap(found):
        builder.add(record)
        given_out.append(builder.state())
        copies.append(msgspec.json.encode(given_out[-1]))
    assert [msgspec.json.encode(each) for each in given_out] == copies


@settings(max_examples=200, deadline=None)
@given(st.lists(events, max_size=30))
def test_every_view_of_any_state_has_an_answer(found: list[Event]) -> None:
    """Properties are total as well: nonsense in, some answer out."""
    for liveness in (None, "running", "crashed", "unknown", "closed"):
        now = msgspec.structs.replace(state.fold(wrap(found)), liveness=liveness)
        assert now.outcome in state.Verdict.__args__  # type: ignore[attr-defined]
        assert now.verdict in state.Verdict.__args__  # type: ignore[attr-defined]
        assert isinstance(now.parameters, dict)
        for run in now.runs:
            assert isinstance(run.traceback, str)
            assert all(node in run.broken for node in run.in_progress)
            assert all(isinstance(n.traceback, str) for n in run.nodes.values())
            assert all(n.dataset is None or n.dataset for n in run.nodes.values())


def test_a_node_goes_from_pending_to_completed() -> None:
    steps: list[tuple[Event, str]] = [
        (DatasetLoading(run_id="r", node="train", dataset="x"), "loading"),
        (DatasetLoaded(run_id="r", node="train", dataset="x"), "loading"),
        (NodeStarted(run_id="r", node="train"), "running"),
        (NodeComputed(run_id="r", node="train"), "saving"),
        (DatasetSaving(run_id="r", node="train", dataset="m"), "saving"),
        (DatasetSaved(run_id="r", node="train", dataset="m", version="v"), "saving"),
        (NodeCompleted(run_id="r", node="train", duration_s=2.0), "completed"),
    ]
    now = fold(CREATED, RUN)
    statuses = [now.runs[0].nodes["train"].status]
    for event, _ in steps:
        now = fold(event, initial=now)
        statuses.append(now.runs[0].nodes["train"].status)
    assert statuses == ["pending", *(status for _, status in steps)]
    assert now.anomalies == ()
    assert now.runs[0].nodes["train"].saves["m"].version == "v"


def test_an_open_save_at_the_end_of_a_failed_run_names_the_dataset() -> None:
    now = fold(
        CREATED,
        RUN,
        NodeStarted(run_id="r", node="train"),
        NodeComputed(run_id="r", node="train"),
        DatasetSaving(run_id="r", node="train", dataset="model"),
        RunFailed(run_id="r", error=OOM),
    )
    node = now.runs[0].nodes["train"]
    assert (node.status, node.phase, node.dataset) == ("failed", "saving", "model")
    assert (now.outcome, now.runs[0].error) == ("failed", OOM)
    assert node.error == OOM


def test_an_error_is_put_down_to_no_node_where_it_could_be_that_of_several() -> None:
    now = fold(
        CREATED,
        RUN,
        DatasetLoading(run_id="r", node="train", dataset="x"),
        DatasetLoading(run_id="r", node="eval", dataset="x"),
        RunFailed(run_id="r", error=OOM),
    )
    nodes = now.runs[0].nodes
    assert [nodes[name].status for name in ("train", "eval")] == ["failed", "failed"]
    assert [nodes[name].error for name in ("train", "eval")] == [None, None]


def test_an_interrupted_run_leaves_its_open_nodes_interrupted() -> None:
    now = fold(
        CREATED,
        RUN,
        NodeStarted(run_id="r", node="train"),
        RunInterrupted(run_id="r", reason="KeyboardInterrupt"),
    )
    statuses = {name: node.status for name, node in now.runs[0].nodes.items()}
    assert statuses == {"split": "pending", "train": "interrupted", "eval": "pending"}


def test_nodes_that_a_completed_run_never_ran_were_skipped() -> None:
    now = fold(CREATED, RUN, RunCompleted(run_id="r"))
    assert {node.status for node in now.runs[0].nodes.values()} == {"skipped"}


def test_a_second_attempt_has_nodes_of_its_own() -> None:
    again = RunStarted(run_id="r", attempt=2, nodes=PLAN)
    now = fold(
        CREATED,
        RUN,
        NodeStarted(run_id="r", node="train"),
        NodeFailed(run_id="r", node="train", error=OOM),
        RunFailed(run_id="r", error=OOM),
        again,
        NodeStarted(run_id="r", node="train", attempt=2),
    )
    assert [run.nodes["train"].status for run in now.runs] == ["failed", "running"]
    assert now.outcome == "running"


def test_only_a_closed_session_had_no_run() -> None:
    before = fold(CREATED)
    assert (before.status, before.outcome, before.verdict) == (
        "created",
        "running",
        "running",
    )
    after = fold(CREATED, SessionClosed())
    assert (after.outcome, after.verdict) == ("no run", "no run")


def test_a_plan_in_parts_is_one_plan() -> None:
    more = RunStarted(run_id="r", part=2, nodes=(PlannedNode(name="more"),))
    now = fold(CREATED, RUN, more)
    assert list(now.runs[0].nodes) == ["split", "train", "eval", "more"]
    assert now.anomalies == ()


def test_what_does_not_fit_is_an_anomaly_and_changes_nothing_else() -> None:
    now = fold(CREATED, RUN, NodeCompleted(run_id="r", node="train"))
    (anomaly,) = now.anomalies
    assert (anomaly.seq, anomaly.type) == (3, "node.completed")
    assert (anomaly.subject, anomaly.status) == ("node train", "pending")
    assert now.runs[0].nodes["train"].status == "pending"


def test_every_pair_outside_the_tables_is_an_anomaly() -> None:
    """Tables and fold agree, pair by pair, for sessions."""
    paths: dict[str, tuple[Event, ...]] = {
        "empty": (),
        "created": (CREATED,),
        "active": (CREATED, SessionActivated()),
        "inactive": (CREATED, SessionActivated(), SessionDeactivated()),
        "closed": (CREATED, SessionClosed()),
    }
    movers = (CREATED, SessionActivated(), SessionDeactivated(), SessionClosed())
    for (status, path), event in itertools.product(paths.items(), movers):
        now = fold(*path, event)
        target = state.SESSION_TRANSITIONS.get((status, type(event)))  # type: ignore[arg-type]
        assert now.status == (target or status)
        assert bool(now.anomalies) is (target is None)


@pytest.mark.parametrize("liveness", ["running", "crashed", "unknown"])
@pytest.mark.parametrize(
    ("events", "left", "verdict"),
    [
        ((RUN, RunCompleted(run_id="r")), True, "completed"),
        (
            (
                RUN,
                RunFailed(run_id="r", error=ErrorInfo(type="ValueError", message="m")),
            ),
            True,
            "failed",
        ),
        ((), True, "no run"),
        ((RUN,), True, None),  # another process goes on with it
        ((RUN, RunCompleted(run_id="r")), False, None),
    ],
)
def test_a_session_that_was_left_is_what_its_runs_say(
    events: tuple[Event, ...], left: bool, verdict: str | None, liveness: str
) -> None:
    """Its command goes on, perhaps with other sessions, or died before it said so."""
    end = (SessionDeactivated(),) if left else ()
    now = msgspec.structs.replace(
        fold(CREATED, SessionActivated(), *events, *end), liveness=liveness
    )
    assert now.verdict == (verdict or liveness)


def test_anomalies_are_bounded() -> None:
    """A nonsensical journal does not fill the memory with complaints."""
    stray = NodeStarted(run_id="none", node="x")
    now = state.fold(wrap([stray] * 3000))
    assert (len(now.anomalies), now.seq) == (1000, 3000)


def test_counts_are_kept_of_what_cannot_be_told() -> None:
    now = fold(
        CREATED,
        UnknownEvent(type="x.y"),
        NodeStarted(run_id=None, node="a"),
        JournalGap(dropped=4),
        JournalRepaired(offset=0, length=1),
    )
    counts = (now.unknown_events, now.unattributed_events, now.dropped_events)
    assert (*counts, now.repairs) == (1, 1, 4, 1)
    assert now.anomalies == ()


def test_entering_twice_and_leaving_once_stays_active() -> None:
    now = fold(
        CREATED,
        SessionActivated(),
        SessionActivated(depth=2),
        SessionDeactivated(depth=1),
    )
    assert (now.status, now.anomalies) == ("active", ())


@pytest.mark.parametrize(
    ("liveness", "verdict"),
    [("running", "running"), ("crashed", "crashed"), ("unknown", "unknown")],
)
def test_an_unclosed_session_is_what_its_process_is(
    liveness: str, verdict: str
) -> None:
    now = msgspec.structs.replace(fold(CREATED, RUN), liveness=liveness)
    assert now.verdict == verdict


def test_folding_is_linear_in_the_nodes() -> None:
    """Copying every map for every event would take minutes here."""
    nodes = tuple(PlannedNode(name=f"n{number}") for number in range(20_000))
    found: list[Event] = [CREATED, RunStarted(run_id="r", nodes=nodes)]
    for node in nodes:
        found += [
            NodeStarted(run_id="r", node=node.name),
            NodeComputed(run_id="r", node=node.name),
            NodeCompleted(run_id="r", node=node.name),
        ]
    now = state.fold(wrap(found))
    assert len(now.runs[0].with_status("completed")) == 20_000


def test_an_illegal_transition_says_what_stands() -> None:
    error = IllegalTransition("node.started", "node train", "completed")
    assert (error.type, error.subject) == ("node.started", "node train")
    assert "node train is completed" in str(error)


def test_the_helper_wraps_events_as_a_journal_would() -> None:
    first, second = records(CREATED, RUN)
    assert (first.seq, second.seq, second.prev) == (1, 2, first.crc)
    assert (second.event, second.offset) == (RUN, first.end)


# -- confirmations and fingerprints ----------------------------------------------------

CONFIRMS = PlannedNode("train", outputs=("model",), confirms=("raw", "raw2"))
OF_TRAIN: dict[str, object] = {"run_id": "r", "node": "train"}
SAVED: list[Event] = [
    CREATED,
    RunStarted(run_id="r", nodes=(CONFIRMS,)),
    NodeStarted(**OF_TRAIN),  # type: ignore[arg-type]
    NodeComputed(**OF_TRAIN),  # type: ignore[arg-type]
    DatasetSaving(dataset="model", **OF_TRAIN),  # type: ignore[arg-type]
    DatasetSaved(dataset="model", **OF_TRAIN),  # type: ignore[arg-type]
]


def confirming(dataset: str) -> DatasetConfirming:
    return DatasetConfirming(run_id="r", node="train", dataset=dataset)


def confirmed(dataset: str) -> DatasetConfirmed:
    return DatasetConfirmed(run_id="r", node="train", dataset=dataset, duration_s=0.5)


def test_confirmations_are_folded_and_the_open_one_is_told() -> None:
    events_ = [*SAVED, confirming("raw"), confirmed("raw"), confirming("raw2")]
    now = state.fold(wrap(events_))
    node = now.runs[0].nodes["train"]
    assert ("confirming", "raw2") == (node.status, node.dataset)
    assert node.confirms == {
        "raw": DatasetOperation("raw", "confirm", 7, 8, now.updated_at, 1, 0.5),
        "raw2": DatasetOperation("raw2", "confirm", 9),
    }
    assert now.runs[0].in_progress == now.runs[0].broken == (node,)

    more = [*events_, confirmed("raw2"), NodeCompleted(run_id="r", node="train")]
    node = state.fold(wrap(more)).runs[0].nodes["train"]
    assert ("completed", ()) == (node.status, node.open_operations)


def test_a_run_that_fails_in_a_confirmation_fails_its_node() -> None:
    failed = RunFailed(run_id="r", error=OOM)
    now = state.fold(wrap([*SAVED, confirming("raw"), failed]))
    node = now.runs[0].nodes["train"]
    assert ("failed", "confirming", OOM) == (node.status, node.phase, node.error)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ([], "completed"),
        ([confirming("raw"), confirmed("raw")], "completed"),
        ([confirming("raw")], "interrupted"),
    ],
)
def test_a_completed_run_whose_confirmations_were_not_seen_completes_its_node(
    more: list[Event], status: str
) -> None:
    """A runner may confirm in a way of its own, or not at all."""
    now = state.fold(wrap([*SAVED, *more, RunCompleted(run_id="r")]))
    assert status == now.runs[0].nodes["train"].status
    assert now.anomalies == ()


def test_a_completed_run_does_not_complete_a_node_that_did_not_save() -> None:
    for events_ in (SAVED[:5], SAVED[:4], SAVED[:3]):
        now = state.fold(wrap([*events_, RunCompleted(run_id="r")]))
        assert "interrupted" == now.runs[0].nodes["train"].status


def test_a_confirmation_before_the_function_returned_is_an_anomaly() -> None:
    now = state.fold(wrap([*SAVED[:3], confirming("raw")]))
    assert [("dataset.confirming", "running")] == [
        (one.type, one.status) for one in now.anomalies
    ]


def test_the_first_load_of_a_run_keeps_its_fingerprint() -> None:
    names = ("train", "split")
    events_: list[Event] = [CREATED, RunStarted(run_id="r", nodes=PLAN)]
    for number, name in enumerate((*names, *names)):
        at: dict[str, object] = {"run_id": "r", "node": name, "dataset": "raw"}
        facts = {"path": "p", "size_bytes": number, "etag": f"e{number}"}
        events_ += [
            DatasetLoading(**at),  # type: ignore[arg-type]
            DatasetLoaded(**at, **(facts if number < 2 else {})),  # type: ignore[arg-type]
        ]
    now = state.fold(wrap(events_))
    first = now.runs[0].first_loads
    assert ["raw"] == list(first)
    assert Fingerprint("p", 0, etag="e0") == first["raw"].fingerprint
    assert 4 == first["raw"].fingerprint_seq
    assert 1 == now.runs[0].nodes["split"].loads["raw"].size_bytes
