"""Nodes that share the place of their data run in an order that fits, or are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from resume_world import EPOCH, Journal, node

from kedro_journal.analysis import ResumePlan, Stored, find_drift, plan_resume
from kedro_journal.analysis.changes import Now
from kedro_journal.events import (
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunStarted,
    SessionCreated,
    Versions,
)

UNIX = datetime(1970, 1, 1, tzinfo=UTC)


class Story:
    """One session, with what is there of each dataset after it."""

    def __init__(self, nodes: list[PlannedNode], places: dict[str, str]) -> None:
        self.nodes, self.places = nodes, places
        self.journal = Journal("s0", "run s0")
        self.at = EPOCH
        self.written: dict[str, datetime] = {}
        self.appended: set[str] = set()
        self.folders: set[str] = set()
        self.checkpoints: dict[str, datetime | None] = {}
        self.replaced: str | None = None
        self.current: str | None = None
        self.confirmed_at = EPOCH
        for place in places.values():
            self.write(place)
        self.say(SessionCreated(session_id="s0"))
        self.say(RunStarted(run_id="run s0", nodes=tuple(nodes)))

    def say(self, event: object) -> None:
        self.at += timedelta(seconds=1)
        self.journal.add(event, self.at)  # type: ignore[arg-type]

    def write(self, place: str) -> None:
        self.at += timedelta(seconds=1)
        self.written[place] = self.at

    def facts(self, dataset: str) -> dict[str, object]:
        place = self.places.get(dataset)
        if place is None:
            return {}
        since = self.written[place] - UNIX
        return {"path": f"/{place}", "modified_us": since // timedelta(microseconds=1)}

    def run(self, *names: str, until: str = "") -> Story:
        """Run nodes; the last one may die before one of its steps."""
        for name in names:
            (one,) = (n for n in self.nodes if n.name == name)
            key = {"run_id": "run s0", "node": name}
            last = until if name == names[-1] else ""
            for dataset in one.inputs:
                self.say(DatasetLoading(**key, dataset=dataset))
                facts = self.facts(dataset)
                self.say(DatasetLoaded(**key, dataset=dataset, **facts))
            self.say(NodeStarted(**key))
            if last == "computed":
                return self
            self.say(NodeComputed(**key))
            for dataset in one.outputs:
                self.say(DatasetSaving(**key, dataset=dataset))
                if dataset in self.places:
                    self.write(self.places[dataset])
                if last == "saved":
                    return self
                self.say(DatasetSaved(**key, dataset=dataset, **self.facts(dataset)))
            for dataset in one.confirms:
                if last == "confirming":
                    return self
                replaced = {"checkpoint_sha256": self.replaced}
                self.say(DatasetConfirming(**key, dataset=dataset, **replaced))
                if last == "confirmed":
                    return self
                self.say(DatasetConfirmed(**key, dataset=dataset))
                self.confirmed_at = self.at
            if last == "completed":
                return self
            self.say(NodeCompleted(**key))
        return self

    def stored(self) -> dict[str, Stored]:
        names = {name for one in self.nodes for name in (*one.inputs, *one.outputs)}
        return {
            name: Stored(
                persistent=True,
                path=f"/{self.places[name]}",
                place=f"/{self.places[name]}",
                exists=True,
                modified_at=self.written[self.places[name]],
                appends=name in self.appended,
                is_folder=self.places[name] in self.folders,
                keeps_checkpoint=name in self.checkpoints,
                checkpoint_at=self.checkpoints.get(name),
                checkpoint_sha256=self.current,
                checkpoints=frozenset({"hash of p1"}),
            )
            if name in self.places
            else Stored(persistent=name in self.appended, appends=name in self.appended)
            for name in names
        }

    def plan(self, *from_nodes: str) -> ResumePlan:
        link = self.journal.link()
        return plan_resume([link], self.nodes, self.stored(), from_nodes=from_nodes)


IN_PLACE = [
    node("a", ["raw"], ["x", "m"]),
    node("b", ["x"], ["y"]),
    node("c", ["m", "y"], ["out"]),
]


@pytest.mark.parametrize(
    ("x", "y"), [("t", "t"), ("folder", "folder/t"), ("folder/t", "folder")]
)
def test_what_saved_later_at_a_place_runs_after_a_redo(x: str, y: str) -> None:
    story = Story(IN_PLACE, {"x": x, "y": y, "out": "out"}).run("a", "b")
    found = story.plan()
    assert found.to_run == ("a", "b", "c")
    assert found.refused == ()


def test_what_overwrote_an_input_makes_the_input_again() -> None:
    nodes = [*IN_PLACE, node("d", ["x"], ["other"])]
    nodes[2], nodes[3] = nodes[3], nodes[2]
    places = {"x": "t", "y": "t", "m": "m", "out": "out", "other": "other"}
    # d comes before c, and after b in the order: it loads what b saved.
    story = Story(nodes, places).run("a", "b")
    assert story.plan().to_run == ("d", "c")

    nodes = [IN_PLACE[0], node("d", ["x"], ["other"]), *IN_PLACE[1:]]
    story = Story(nodes, places).run("a", "b")
    assert story.plan().to_run == ("a", "d", "b", "c")


def test_nodes_between_two_that_share_a_place_keep_their_order() -> None:
    nodes = [
        node("a", ["raw"], ["x"]),
        node("reader", ["x"], ["seen"]),
        node("between", ["seen"], ["go"]),
        node("writer", ["go"], ["y"]),
    ]
    places = {"x": "t", "y": "t", "seen": "seen", "go": "go"}
    story = Story(nodes, places).run("a", "reader", "between", "writer")
    found = story.plan("reader")
    assert found.to_run == ("a", "reader", "between", "writer")
    assert ("reader", "writer") in found.in_order

    story = Story(nodes, {**places, "y": "other"}).run(*(n.name for n in nodes))
    assert story.plan("a").in_order == ()


def test_all_that_saved_partitions_in_a_folder_run_again_if_it_was_changed() -> None:
    nodes = [
        node("jan", ["raw"], ["x"]),
        node("feb", ["raw"], ["y"]),
        node("all", ["x", "y"], ["out"]),
    ]
    story = Story(nodes, {"x": "days", "y": "days", "out": "out"})
    story.folders = {"days"}
    story.run("jan", "feb")
    assert story.plan().to_run == ("all",)
    assert story.plan("jan").refused == ()

    story.write("days")
    assert story.plan().to_run == ("jan", "feb", "all")
    assert story.plan().refused == ()


UPDATE = [node("u", ["x"], ["y"]), node("c", ["y"], ["out"])]


def test_an_update_in_place_that_completed_is_done_and_no_drift() -> None:
    story = Story(UPDATE, {"x": "t", "y": "t", "out": "out"}).run("u")
    assert (story.plan().to_run, story.plan().refused) == (("c",), ())
    now = Now(
        nodes=tuple(UPDATE),
        parameters={},
        config_sha256={},
        stored=story.stored(),
        git=None,
        versions=Versions(),
    )
    assert find_drift([story.journal.link()], now) == ()

    story.write("t")
    (drift,) = find_drift(
        [story.journal.link()],
        Now(
            **{f: getattr(now, f) for f in now.__struct_fields__ if f != "stored"},
            stored=story.stored(),
        ),
    )
    assert drift.detail == "it was changed after node u saved it"


@pytest.mark.parametrize("until", ["saved", "completed"])
def test_an_update_in_place_is_never_applied_twice(until: str) -> None:
    story = Story(UPDATE, {"x": "t", "y": "t", "out": "out"})
    original = story.written["t"]
    story.run("u", until=until)
    (refused,) = story.plan().refused
    assert refused.startswith("node u would process the same data twice: x was ")

    story.written["t"] = original  # somebody put the original back
    assert story.plan().to_run == ("u", "c")
    assert story.plan().refused == ()


def test_an_update_in_place_that_did_not_begin_to_save_runs() -> None:
    story = Story(UPDATE, {"x": "t", "y": "t", "out": "out"}).run("u", until="computed")
    assert (story.plan().to_run, story.plan().refused) == (("u", "c"), ())


@pytest.mark.parametrize("where", [{}, {"table": "table"}])
def test_a_save_that_appends_is_not_repeated(where: dict[str, str]) -> None:
    nodes = [node("a", ["raw"], ["table"]), node("c", ["raw"], ["out"])]
    story = Story(nodes, {"out": "out", **where})
    story.appended = {"table"}
    story.run("a")
    assert (story.plan().to_run, story.plan().refused) == (("c",), ())
    (refused,) = story.plan("a").refused
    assert "node a would process the same data twice: table was" in refused


def test_a_file_that_is_written_and_then_appended_to_is_made_again_as_a_whole() -> None:
    nodes = [node("a", ["raw"], ["one"]), node("b", ["raw"], ["two"])]
    story = Story(nodes, {"one": "book", "two": "book"})
    story.appended = {"two"}
    story.run("a", "b", until="saved")
    assert (story.plan().to_run, story.plan().refused) == (("a", "b"), ())


def test_an_output_without_a_save_of_its_own_is_made() -> None:
    story = Story(UPDATE, {"x": "x", "y": "y", "z": "z", "out": "out"}).run("u")
    story.nodes = [node("u", ["x"], ["y", "z"]), UPDATE[1]]
    (u, _) = story.plan().decisions
    assert u.decision == "redo"
    assert u.reason == "that it saved its output z is not recorded"


def test_data_without_a_fingerprint_is_listed() -> None:
    story = Story(UPDATE, {"x": "x", "y": "y", "out": "out"}).run("u")
    assert story.plan().unknown == ()
    stored = story.stored()
    for name in ("x", "y"):
        stored[name] = Stored(persistent=True, path=f"/{name}", exists=True)
    found = plan_resume([story.journal.link()], story.nodes, stored)
    assert (found.to_run, found.unknown) == (("c",), ("x", "y"))


# -- confirmations -------------------------------------------------------------------


def consuming(*, late: bool = False) -> list[PlannedNode]:
    """A node that loads days, and the same node or the last one confirms them."""
    take, last = node("take", ["days"], ["rows"]), node("last", ["rows"], ["out"])
    fields = {n: getattr(take, n) for n in take.__struct_fields__}
    other = {n: getattr(last, n) for n in last.__struct_fields__}
    if late:
        return [take, PlannedNode(**{**other, "confirms": ("days",)})]
    return [PlannedNode(**{**fields, "confirms": ("days",)}), last]


def test_a_node_is_not_run_on_what_it_confirmed() -> None:
    story = Story(consuming(), {"days": "days", "rows": "rows", "out": "out"})
    story.run("take")
    assert story.plan().refused == ()
    (refused,) = story.plan("take").refused
    assert refused.startswith(
        "node take would load an empty increment: days was confirmed (record "
    )

    story.checkpoints["days"] = None  # somebody took it back
    assert story.plan("take").refused == ()


@pytest.mark.parametrize("until", ["confirming", "confirmed"])
def test_a_confirmation_that_is_missing_is_planned(until: str) -> None:
    story = Story(consuming(), {"days": "days", "rows": "rows", "out": "out"})
    story.run("take", until=until)
    story.checkpoints["days"] = None
    found = story.plan()
    assert found.to_run == ("take", "last")
    assert found.refused == ()
    assert "days was not confirmed" in found.decisions[0].reason


def test_a_confirmation_that_took_effect_is_not_repeated() -> None:
    story = Story(consuming(), {"days": "days", "rows": "rows", "out": "out"})
    story.run("take", until="confirmed")
    story.checkpoints["days"] = story.at
    assert story.plan().to_run == ("last",)

    del story.checkpoints["days"]  # nothing tells whether it did
    assert "may have been confirmed" in story.plan().refused[0]


def test_what_arrives_is_loaded_before_it_is_confirmed() -> None:
    story = Story(consuming(late=True), {"days": "d", "rows": "rows", "out": "out"})
    story.checkpoints["days"] = None
    story.run("take")
    found = story.plan()
    assert found.to_run == ("take", "last")
    assert found.decisions[0].reason == (
        "last confirms days: what arrived since it was loaded may not be confirmed "
        "unread"
    )


def test_what_follows_from_a_confirmed_input_that_is_loaded_again_runs_again() -> None:
    take, last = consuming(late=True)
    nodes = [take, node("more", ["rows"], ["rich"]), last]
    places = {"days": "d", "rows": "rows", "rich": "rich", "out": "out"}
    story = Story(nodes, places).run("take", "more")
    assert story.plan().to_run == ("take", "more", "last")


def test_a_confirmation_that_was_taken_back_is_made_again() -> None:
    take, last = consuming(late=True)
    nodes = [take, node("more", ["rows"], ["rich"]), last, node("end", ["out"], ["e"])]
    places = {"days": "d", "rich": "rich", "out": "out", "e": "e"}
    story = Story(nodes, places).run("take", "more", "last")
    story.checkpoints["days"] = story.at
    assert story.plan().to_run == ("end",)

    story.checkpoints["days"] = None
    found = story.plan()
    assert found.to_run == ("take", "more", "last", "end")
    assert found.decisions[2].reason == "its confirmation of days was taken back"


@pytest.mark.parametrize("newer", [False, True])
def test_a_checkpoint_is_known_by_its_content_and_not_by_its_time(
    *, newer: bool
) -> None:
    """It was written again as it was, or copied with the times of an archive."""
    story = Story(consuming(), {"days": "days", "rows": "rows", "out": "out"})
    story.replaced = "hash of p1"
    story.run("take")
    day = timedelta(days=1)
    story.checkpoints["days"] = story.at + day if newer else story.at - day

    story.current = "hash of p1"
    found = story.plan()
    assert (found.to_run, found.refused) == (("take", "last"), ())

    story.current = "hash of p2"
    assert story.plan().to_run == ("last",)


def test_whole_seconds_of_an_archive_do_not_take_a_confirmation_back() -> None:
    story = Story(consuming(), {"days": "days", "rows": "rows", "out": "out"})
    story.at += timedelta(milliseconds=500)
    story.run("take")
    loaded = story.journal.records[2].at
    story.checkpoints["days"] = loaded.replace(microsecond=0)
    assert story.plan().to_run == ("last",)


def test_what_follows_from_an_increment_runs_again_wherever_it_was_kept() -> None:
    take, last = consuming(late=True)
    nodes = [take, node("more", ["rows"], ["rich"]), last]
    # The node that loads the days runs again in any case: its output was in memory.
    story = Story(nodes, {"days": "d", "rich": "rich", "out": "out"})
    story.checkpoints["days"] = None
    assert story.run("take", "more").plan().to_run == ("take", "more", "last")


@pytest.mark.parametrize("late", [False, True])
def test_a_checkpoint_is_set_back_where_an_increment_has_to_be_loaded_again(
    *, late: bool
) -> None:
    nodes = [*consuming(late=late), node("end", ["rows", "out"], ["e"])]
    story = Story(nodes, {"days": "d", "out": "out", "e": "e"})  # rows: in memory
    story.replaced = "hash of p1"
    story.run("take", "last")
    story.checkpoints["days"] = story.confirmed_at

    found = story.plan()

    assert found.refused == ()
    assert found.set_back == (("days", "hash of p1"),)
    assert found.to_run == ("take", "last", "end")
    assert found.decisions[0].reason.endswith("; the checkpoint of days is set back")


@pytest.mark.parametrize("why", ["unknown", "another", "confirmed since"])
def test_a_checkpoint_that_may_be_somebody_elses_is_not_set_back(why: str) -> None:
    nodes = [*consuming(), node("end", ["rows", "out"], ["e"])]
    story = Story(nodes, {"days": "d", "out": "out", "e": "e"})
    story.replaced = {"unknown": None, "another": "hash of p2"}.get(why, "hash of p1")
    story.run("take", "last")
    story.checkpoints["days"] = story.confirmed_at
    if why == "confirmed since":
        story.checkpoints["days"] += timedelta(seconds=5)

    found = story.plan()

    assert found.set_back == ()
    assert "would load an empty increment" in found.refused[0]


def test_what_arrived_after_a_confirmation_is_not_confirmed_unread() -> None:
    nodes = consuming(late=True)
    places = {"days": "d", "rows": "rows", "out": "out"}
    story = Story(nodes, places).run("take", "last", until="confirmed")
    story.checkpoints["days"] = story.at  # it took effect, and raised

    found = story.plan("last")  # more days are there

    assert found.to_run == ("take", "last")
    assert "would load an empty increment" in found.refused[0]

    story.replaced = "hash of p1"
    story.journal.records.clear()
    story.say(SessionCreated(session_id="s0"))
    story.say(RunStarted(run_id="run s0", nodes=tuple(nodes)))
    story.run("take", "last")
    story.checkpoints["days"] = story.confirmed_at
    found = story.plan("last")
    assert found.to_run == ("take", "last")
    assert found.refused == ()
    assert found.set_back == (("days", "hash of p1"),)
