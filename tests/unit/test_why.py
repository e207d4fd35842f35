"""What changed since a node last worked: from the states alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from kedro_journal.analysis import Outside, Why, why
from kedro_journal.events import (
    CatalogEntry,
    ContextLoaded,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Event,
    Git,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    ParameterSource,
    PlannedNode,
    Record,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
    SessionResumed,
    Versions,
)
from kedro_journal.events.base import ErrorInfo, Frame
from kedro_journal.journal import read
from kedro_journal.state import SessionState, fold
from kedro_journal.views import Screen, json_text
from kedro_journal.views.why import why_data, why_summary, why_view

START = datetime(2026, 1, 1, tzinfo=UTC)
# clean <- raw; train <- clean, params:lr; aside <- other: nothing depends on it.
PLAN = {
    "clean": PlannedNode(
        name="clean", inputs=("raw",), outputs=("table",), function="p.clean",
        source="/p/src/p/nodes.py:1", source_sha256="c1",
    ),
    "train": PlannedNode(
        name="train", inputs=("table", "params:lr"), outputs=("model",),
        function="p.train", source="/p/src/p/nodes.py:9", source_sha256="t1",
    ),
    "aside": PlannedNode(
        name="aside", inputs=("other", "params:depth"), outputs=("figure",),
        function="p.aside", source="/p/src/p/aside.py:1", source_sha256="a1",
    ),
}  # fmt: skip
ERROR = ErrorInfo(
    type="ValueError", message="bad", frames=(Frame("/p/src/p/nodes.py", 11, "train"),)
)
TYPES = Versions(
    python="3.11", kedro="1.0", project_sha256="p1", packages_sha256="k1",
    project_files=("nodes.py", "util.py"), project_files_sha256=("n1", "u1"),
)  # fmt: skip


class Story:
    """Sessions that are written one after the other."""

    def __init__(self) -> None:
        self.states: list[SessionState] = []

    def session(
        self,
        *,
        fails: str | None = None,
        error: ErrorInfo = ERROR,
        phase: str = "running",
        nodes: Sequence[str] = ("clean", "train", "aside"),
        plan: dict[str, PlannedNode] | None = None,
        parameters: dict[str, Any] | None = None,
        raw: int = 100,
        content: str = "",
        resumes: str = "",
        created: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
    ) -> SessionState:
        """Add a session in which every node completes but the one that fails."""
        number = len(self.states) + 1
        name, plans = f"s{number}", {**PLAN, **(plan or {})}
        events: list[Event] = [
            SessionCreated(
                session_id=name, project_path="/p", cwd="/p", package_name="p",
                **{"versions": TYPES, "host": "h", **(created or {})},
            ),
            ContextLoaded(
                parameters=parameters or {"lr": 0.1, "depth": 3},
                parameters_sha256=str(parameters),
                parameter_sources=(ParameterSource("lr", "conf/base/p.yml", line=4),),
                **{
                    "config_sources": ("conf/base/catalog.yml",),
                    "config_sha256": ("c1",),
                    "catalog": (CatalogEntry("raw", "csv", "/p/data/raw.csv"),),
                    **(context or {}),
                },
            ),
        ]  # fmt: skip
        if resumes:
            events.append(SessionResumed(parent_session_id=resumes))
        r = name
        events.append(
            RunStarted(run_id=r, nodes=tuple(plans[n] for n in nodes), **(run or {}))
        )
        for node in nodes:
            for dataset in plans[node].inputs:
                if dataset.startswith("params:"):
                    continue
                events.append(DatasetLoading(run_id=r, node=node, dataset=dataset))
                if node == fails and phase == "loading":
                    break
                found = {
                    "path": "/p/data/raw.csv",
                    "size_bytes": raw,
                    "modified_us": raw,
                }
                facts = found if dataset == "raw" else {}
                events.append(
                    DatasetLoaded(run_id=r, node=node, dataset=dataset, **facts)
                )
            if node != fails or phase != "loading":
                events.append(NodeStarted(run_id=r, node=node))
            if node == fails:
                events.append(NodeFailed(run_id=r, node=node, error=error, phase=phase))
                events.append(RunFailed(run_id=r, error=error))
                break
            events.append(NodeComputed(run_id=r, node=node))
            for dataset in plans[node].outputs:
                events.append(DatasetSaving(run_id=r, node=node, dataset=dataset))
                facts = {"path": "/p/d", "content_sha256": content} if content else {}
                events.append(
                    DatasetSaved(run_id=r, node=node, dataset=dataset, **facts)
                )
            events.append(NodeCompleted(run_id=r, node=node, duration_s=1.0))
        else:
            events.append(RunCompleted(run_id=r, duration_s=3.0))
        events.append(SessionClosed())
        at = START + timedelta(hours=number)
        state = fold(
            Record(
                seq=n,
                at=at + timedelta(seconds=n),
                writer="w1",
                prev="0" * 8,
                crc="0" * 8,
                event=e,
            )  # type: ignore[arg-type]
            for n, e in enumerate(events, 1)
        )
        self.states.append(state)
        return state

    def why(self, **more: Any) -> Why:
        """Ask of the last session."""
        return why(self.states[-1], Past(self.states[:-1]), **more)


class Past:
    def __init__(self, states: list[SessionState]) -> None:
        self.states = states[::-1]
        self.searched, self.left = len(states), 0

    def __iter__(self) -> Iterator[SessionState]:
        return iter(self.states)

    def get(self, session_id: str) -> SessionState | None:
        return next((s for s in self.states if s.session_id == session_id), None)


def names(answer: Why) -> list[str]:
    return [f"{one.kind} {one.subject}" for one in answer.changes]


def edited(node: str, **facts: Any) -> dict[str, PlannedNode]:
    import msgspec

    return {node: msgspec.structs.replace(PLAN[node], **facts)}


def test_nothing_that_is_known_changed_and_what_cannot_be_seen_is_told() -> None:
    story = Story()
    story.session()
    story.session(fails="train")
    answer = story.why()
    assert answer.good is not None
    assert (answer.good.session_id, answer.nodes) == ("s1", ("train",))
    assert answer.changes == answer.unrelated == ()
    assert any("databases" in one for one in answer.unseen)
    assert not any("raw" in one for one in answer.unseen)  # its size and time are known
    assert "nothing known changed" in repr(answer)


def test_without_a_good_run_that_is_said() -> None:
    story = Story()
    story.session(fails="train")
    answer = story.why()
    assert answer.good is None
    assert answer.changes == ()
    assert "no run that worked" in repr(answer)


def test_a_parameter_that_the_node_loads_is_told_with_its_place_and_evidence() -> None:
    story = Story()
    story.session()
    story.session(fails="train", parameters={"lr": 9.5, "depth": 4})
    answer = story.why(outside=_outside())
    (change,) = answer.changes
    assert (change.kind, change.subject, change.was, change.now) == (
        "parameter", "lr", 0.1, 9.5,
    )  # fmt: skip
    assert change.source == "conf/base/p.yml:4"
    assert [(one.session_id, one.seq) for one in change.records] == [
        ("s1", 2), ("s2", 2),
    ]  # fmt: skip
    # `depth` is loaded by a node that `train` does not depend on.
    assert [one.subject for one in answer.unrelated] == ["depth"]


def _outside() -> Any:
    from kedro_journal.analysis import Outside

    return Outside(seq_of=lambda state, run, event: 2)


def test_the_last_good_session_is_of_the_node_not_of_the_run() -> None:
    story = Story()
    story.session()
    story.session(fails="aside")  # train completed here
    story.session(fails="train", parameters={"lr": 0.2, "depth": 3})
    answer = story.why()
    assert answer.good is not None
    assert answer.good.session_id == "s2"
    assert story.why(node="clean").good is not None
    assert names(answer) == ["parameter lr"]


def test_near_comes_before_far_and_what_nothing_depends_on_is_counted_apart() -> None:
    story = Story()
    story.session()
    plan = edited("clean", source_sha256="c2") | edited("train", source_sha256="t2")
    plan |= edited("aside", source_sha256="a2")
    story.session(fails="train", plan=plan)
    answer = story.why()
    assert names(answer) == ["code train", "code clean"]
    assert [one.distance for one in answer.changes] == [0, 1]
    assert answer.changes[0].source == "src/p/nodes.py:9"
    assert [one.subject for one in answer.unrelated] == ["aside"]


def test_a_function_that_was_not_called_is_not_the_cause() -> None:
    story = Story()
    story.session()
    story.session(
        fails="clean", phase="loading", plan=edited("clean", source_sha256="c2"),
        error=ErrorInfo(type="FileNotFoundError", message="/p/data/raw.csv"),
    )  # fmt: skip
    answer = story.why()
    assert names(answer) == ["input raw", "code clean"]
    assert "had not been called" in " ".join(answer.changes[1].reasons)
    assert answer.phase == "loading"


def test_an_input_of_another_size_is_told_of_the_node_that_loads_it() -> None:
    story = Story()
    story.session(raw=100)
    story.session(fails="train", raw=7)
    (change,) = story.why().changes
    assert (change.kind, change.subject, change.nodes) == ("input", "raw", ("clean",))
    assert change.detail.startswith("7 bytes, was 100 bytes")
    assert (change.distance, change.was, change.now) == (1, 100, 7)


def test_a_resumed_session_is_explained_with_what_its_parent_ran() -> None:
    story = Story()
    story.session()
    story.session(fails="train", plan=edited("clean", source_sha256="c2"))
    story.session(fails="train", nodes=("train", "aside"), resumes="s2")
    answer = story.why()
    assert names(answer) == ["code clean"]
    assert answer.good is not None
    assert answer.good.session_id == "s1"
    assert (answer.failing_since, answer.failures) == ("s2", 1)


def test_a_change_after_the_failures_began_did_not_begin_them() -> None:
    story = Story()
    story.session()
    story.session(fails="train", parameters={"lr": 0.2, "depth": 3})
    changed = edited("train", source_sha256="t2")
    story.session(fails="train", parameters={"lr": 0.2, "depth": 3}, plan=changed)
    answer = story.why()
    assert names(answer) == ["parameter lr"]
    (later,) = answer.unrelated
    assert later.subject == "train"
    assert later.reasons == ("it came after the failures had begun",)


def test_another_error_is_another_failure() -> None:
    story = Story()
    story.session()
    story.session(fails="train", error=ErrorInfo(type="KeyError", message="x"))
    story.session(fails="train", plan=edited("train", source_sha256="t2"))
    answer = story.why()
    assert names(answer) == ["code train"]
    assert answer.failures == 0


def test_the_siblings_of_a_group_are_one_run() -> None:
    story = Story()
    for group, plan in (("g1", {}), ("g2", edited("clean", source_sha256="c2"))):
        for node in ("clean", "train"):
            broken = node == "train" and group == "g2"
            story.session(
                nodes=(node,), plan=plan, created={"group_id": group},
                fails=node if broken else None,
            )  # fmt: skip
    answer = story.why()
    assert names(answer) == ["code clean"]
    assert answer.good is not None
    assert answer.good.session_id == "s2"


def test_a_helper_in_the_traceback_comes_before_packages_and_host() -> None:
    story = Story()
    story.session()
    files = Versions(
        python="3.12", kedro="1.0", project_sha256="p2", packages_sha256="k2",
        project_files=("nodes.py", "util.py"), project_files_sha256=("n1", "u2"),
    )  # fmt: skip
    frames = (*ERROR.frames, Frame("/p/src/p/util.py", 3, "help"))
    story.session(
        fails="train", error=ErrorInfo(type="ValueError", message="x", frames=frames),
        created={"versions": files, "host": "other", "git": Git(sha="1" * 40)},
        run={"runner": "kedro.runner.ThreadRunner"},
    )  # fmt: skip
    assert names(story.why())[0] == "source file util.py"
    assert set(names(story.why())) >= {
        "packages python", "packages installed packages", "host host", "runner runner",
    }  # fmt: skip


def test_an_import_error_is_of_packages() -> None:
    story = Story()
    story.session()
    newer = Versions(
        python="3.11", kedro="1.0", project_sha256="p1", packages_sha256="k2",
        project_files=TYPES.project_files, project_files_sha256=("n2", "u1"),
    )  # fmt: skip
    error = ErrorInfo(type="ImportError", message="cannot import name 'a' from 'b'")
    story.session(
        fails="train", error=error, created={"versions": newer},
        plan=edited("train", source_sha256="t2"),
    )  # fmt: skip
    assert names(story.why())[0] == "packages installed packages"


def test_a_completed_session_is_compared_with_the_run_before_it() -> None:
    story = Story()
    story.session()
    story.session(parameters={"lr": 0.3, "depth": 3})
    answer = story.why()
    assert answer.nodes == ()
    assert (answer.status, answer.error) == ("completed", "")
    assert names(answer) == ["parameter lr"]


def test_the_catalog_and_its_options() -> None:
    story = Story()
    story.session()
    other = (CatalogEntry("raw", "parquet", "/p/data/raw.csv"),)
    story.session(fails="clean", context={"catalog": other, "config_sha256": ("c2",)})
    answer = story.why()
    assert names(answer)[0] == "dataset raw"
    assert "type parquet, was csv" in answer.changes[0].detail
    story = Story()
    story.session()
    story.session(fails="clean", phase="loading", context={"config_sha256": ("c2",)})
    assert "configuration conf/base/catalog.yml" in names(story.why())[:2]


def test_a_change_whose_outputs_have_the_same_content_is_ranked_down() -> None:
    story = Story()
    story.session(content="same")
    plan = edited("clean", source_sha256="c2") | edited("train", source_sha256="t2")
    story.session(fails="train", plan=plan, content="same", raw=7)
    answer = story.why()
    assert names(answer)[0] == "code train"
    far = {one.subject: one.reasons for one in answer.changes[1:]}
    assert far.keys() == {"clean", "raw"}
    for reasons in far.values():
        assert "what was made from it has the same content as then" in reasons


def test_a_masked_value_that_cannot_be_compared_is_no_change() -> None:
    story, masked = Story(), {"lr": "[redacted]", "depth": 3}
    story.session(parameters=masked)
    story.session(fails="train", parameters=masked)
    answer = story.why()
    assert answer.changes == answer.unrelated == ()
    assert "masked parameters: lr" in answer.unseen


def test_rewired_nodes_are_told() -> None:
    story = Story()
    story.session()
    story.session(fails="train", plan=edited("train", inputs=("table", "spoilt")))
    (change,) = story.why().changes
    assert change.kind == "pipeline"
    assert change.detail == "loads spoilt instead of params:lr"


def test_hostile_text_reaches_the_screen_escaped_and_wrapped() -> None:
    story, evil = Story(), "a\x1b[2J\n\u202e" + "b" * 200
    story.session(parameters={"lr": "fine", "depth": 3})
    story.session(
        fails="train", parameters={"lr": evil, "depth": 3},
        error=ErrorInfo(type="ValueError", message=evil + " c" * 300),
    )  # fmt: skip
    answer = story.why()
    for width in (60, 80, None):
        screen = Screen(START, width)
        for text in (why_view(answer, screen, every=True), why_summary(answer, screen)):
            assert "\x1b" not in text
            assert "\u202e" not in text
    told = json_text(why_data(answer))
    assert "\x1b" not in told


def test_any_two_sessions_are_compared_without_an_error() -> None:
    """Every journal of a release against every other, and every node of it."""
    journals = sorted((Path(__file__).parents[1] / "wire").rglob("*.jsonl"))
    states = [fold(read(path, mode="salvage")) for path in journals]
    assert len(states) > 20
    screen = Screen(START, 80)
    for state in states:
        run = state.last_run
        nodes = [None, *(list(run.nodes)[:1] if run is not None else ())]
        for past in ([], *([one] for one in states[::3]), states):
            for node in nodes:
                told = why_view(why(state, Past(past), node=node), screen, every=True)
                assert "What the journal cannot see" in told


def test_a_file_that_the_nodes_do_not_import_comes_after_one_that_they_do() -> None:
    story = Story()
    files = ("extra.py", "util.py")
    for state in ("1", "2"):
        versions = Versions(
            project_sha256=f"p{state}",
            project_files=files,
            project_files_sha256=(f"e{state}", f"u{state}"),
        )
        story.session(
            fails="train" if state == "2" else None, created={"versions": versions}
        )
    first, second = names(story.why())[:2]
    assert (first, second) == ("source file extra.py", "source file util.py")

    asked = []

    def imported(sources: Sequence[str], package: str) -> frozenset[str]:
        asked.append((sorted(sources), package))
        return frozenset({"nodes.py", "util.py"})

    answer = story.why(outside=Outside(imported=imported))
    assert asked == [(["/p/src/p/nodes.py:1", "/p/src/p/nodes.py:9"], "p")]
    assert names(answer)[0] == "source file util.py"
    (extra,) = (one for one in answer.changes if one.subject == "extra.py")
    assert extra.reasons == ("no file of these nodes imports it, as the code is now",)

    # A file that the traceback goes through was imported, whatever its imports say.
    story = Story()
    story.session()
    edited = msgspec.structs.replace(
        TYPES, project_sha256="p2", project_files_sha256=("n1", "u2")
    )
    frames = (*ERROR.frames, Frame("/p/src/p/util.py", 3, "help"))
    error = ErrorInfo(type="ValueError", message="bad", frames=frames)
    story.session(fails="train", error=error, created={"versions": edited})
    none = Outside(imported=lambda *_: frozenset())
    (change,) = story.why(outside=none).changes
    assert change.reasons == ("the error was raised in it",)
