"""Where a file came from: over versions, partitions, sessions and copied projects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kedro_journal.analysis import Origin, origin_of
from kedro_journal.events import Fingerprint, PlannedNode
from kedro_journal.state import DatasetOperation, NodeState, RunState, SessionState
from kedro_journal.views import Screen
from kedro_journal.views.origin import origin_view

START = datetime(2026, 1, 1, tzinfo=UTC)


def load(dataset: str, seq: int, path: str = "", **facts: Any) -> DatasetOperation:
    at = START + timedelta(seconds=seq)
    return DatasetOperation(dataset, "load", seq, seq, at, path=path or None, **facts)


def save(dataset: str, seq: int, path: str = "", **facts: Any) -> DatasetOperation:
    at = START + timedelta(seconds=seq)
    return DatasetOperation(dataset, "save", seq, seq, at, path=path or None, **facts)


def node(name: str, *operations: DatasetOperation) -> NodeState:
    loads = {one.dataset: one for one in operations if one.kind == "load"}
    saves = {one.dataset: one for one in operations if one.kind == "save"}
    plan = PlannedNode(
        name, tuple(loads), tuple(saves), function=f"p.{name}", source=f"/p/{name}.py:1"
    )
    return NodeState(name, "completed", plan=plan, loads=loads, saves=saves)


def session(name: str, *nodes: NodeState, root: str = "/p") -> SessionState:
    run = RunState(name, nodes={one.name: one for one in nodes}, status="completed")
    return SessionState(session_id=name, project_path=root, cwd=root, runs=(run,))


def ask(path: str, *states: SessionState, **there: Fingerprint) -> Origin | None:
    """Ask of sessions, oldest first; what is not said to be there is gone."""

    def here(place: str, known: DatasetOperation) -> Fingerprint | None:
        return there.get(place.rpartition("/")[2].partition(".")[0])

    return origin_of(path, states[::-1], here)


def test_a_file_leads_to_the_raw_files_across_sessions_and_a_changed_byte() -> None:
    first = session(
        "s1",
        node(
            "clean",
            load("raw", 1, "/p/data/raw.csv", size_bytes=5, modified_us=1),
            save("table", 2, "/p/data/table.csv", size_bytes=7, modified_us=2),
        ),
    )
    second = session(
        "s2",
        node("train", load("table", 11, "/p/data/table.csv"), save("model", 12)),
        node(
            "report",
            load("model", 13),
            save("report", 14, "/p/data/report.txt", size_bytes=3, modified_us=9),
        ),
    )
    there = {
        "report": Fingerprint(size_bytes=3, modified_us=9),
        "table": Fingerprint(size_bytes=8, modified_us=20),
        "raw": Fingerprint(size_bytes=5, modified_us=1),
    }
    found = ask("data/report.txt", first, second, **there)
    assert found is not None
    assert (found.node, found.session_id, found.bytes) == ("report", "s2", "same")
    assert found.source == "report.py:1"
    (model,) = found.inputs
    assert (model.node, model.path, model.bytes) == ("train", "", "not known")
    (table,) = model.inputs
    assert (table.node, table.session_id, table.bytes) == ("clean", "s1", "changed")
    assert table.difference.startswith("8 bytes, was 7 bytes")
    (raw,) = table.inputs
    assert (raw.session_id, raw.dataset, raw.bytes) == ("", "raw", "same")
    text = origin_view(found, Screen(START))
    assert "no session saved it; loaded by node clean, record 1" in text
    assert "changed since then: 8 bytes, was 7 bytes" in text


def test_the_session_whose_bytes_are_there_counts_not_the_newest() -> None:
    old, new = (
        session(name, node("a", save("x", 1, "/p/x.csv", size_bytes=size, modified_us=size)))
        for name, size in (("s1", 1), ("s2", 2))
    )  # fmt: skip
    restored = ask("x.csv", old, new, x=Fingerprint(size_bytes=1, modified_us=1))
    assert restored is not None
    assert (restored.session_id, restored.bytes) == ("s1", "same")
    neither = ask("x.csv", old, new, x=Fingerprint(size_bytes=3, modified_us=3))
    assert neither is not None
    assert (neither.session_id, neither.bytes) == ("s2", "changed")
    gone = ask("x.csv", old, new)
    assert gone is not None
    assert (gone.session_id, gone.bytes) == ("s2", "gone")


def test_partitions_versions_and_copied_projects() -> None:
    state = session(
        "s1",
        node(
            "a",
            save("parts", 1, "/p/parts", entries=3),
            save("model", 2, "/p/model.pkl/2026/model.pkl", version="2026"),
        ),
    )
    for path, dataset in (
        ("parts/one.csv", "parts"),
        ("parts", "parts"),
        ("model.pkl", "model"),
        ("model.pkl/2026/model.pkl", "model"),
    ):
        found = ask(path, state)
        assert found is not None, path
        assert found.dataset == dataset
    assert ask("part", state) is None
    assert ask("model.pk", state) is None
    assert ask("", state) is None


def test_a_node_is_told_once_and_an_open_save_is_none() -> None:
    two = node("make", load("raw", 1), save("a", 2, "/p/a"), save("b", 3, "/p/b"))
    last = node("use", load("a", 4), load("b", 5), save("c", 6, "/p/c"))
    broken = node("x", DatasetOperation("d", "save", 7, path="/p/d"))
    state = session("s1", two, last, broken)
    found = ask("c", state)
    assert found is not None
    assert [one.repeated for one in found.inputs] == [False, True]
    assert found.inputs[1].inputs == ()
    assert ask("d", state) is None


def test_only_earlier_saves_are_what_was_loaded() -> None:
    use = node("use", load("a", 10, "/p/a"), save("c", 11, "/p/c"))
    before, after = (
        session(name, node("make", save("a", seq, "/p/a")))
        for name, seq in (("s1", 5), ("s3", 50))
    )
    found = ask("c", before, session("s2", use), after)
    assert found is not None
    assert found.inputs[0].session_id == "s1"
