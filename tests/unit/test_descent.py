"""What was made from a file: over memory, sessions, versions and partitions."""

from __future__ import annotations

from datetime import UTC, datetime

from kedro_journal.analysis import Descent, descent_of, origin_of
from kedro_journal.events import Fingerprint
from kedro_journal.state import DatasetOperation, SessionState
from kedro_journal.views import Screen
from kedro_journal.views.descent import descent_data, descent_view

from .test_origin import load, node, save, session


def ask(path: str, *states: SessionState, **there: Fingerprint) -> Descent | None:
    """Ask of sessions, oldest first; what is not said to be there is gone."""

    def here(place: str, known: DatasetOperation) -> Fingerprint | None:
        return there.get(place.rpartition("/")[2].partition(".")[0])

    return descent_of(path, states[::-1], here)


def two_sessions(name: str, seq: int, raw_us: int) -> list[SessionState]:
    """One session that makes a table from raw data, one that makes a report of it."""
    table = session(
        f"{name}a",
        node(
            "clean",
            load("raw", seq, "/p/raw.csv", size_bytes=5, modified_us=raw_us),
            save("table", seq + 1, "/p/table.csv"),
        ),
        node(
            "aside", load("other", seq, "/p/other.csv"), save("aside", seq + 1, "/p/a")
        ),
    )
    report = session(
        f"{name}b",
        node("train", load("table", seq + 5, "/p/table.csv"), save("model", seq + 6)),
        node(
            "report",
            load("model", seq + 7),
            save("report", seq + 8, "/p/report.txt", size_bytes=3, modified_us=9),
        ),
    )
    return [table, report]


NOW = {
    "raw": Fingerprint(size_bytes=5, modified_us=2),
    "report": Fingerprint(size_bytes=3, modified_us=9),
}


def test_a_raw_file_leads_to_the_report_across_sessions_and_memory() -> None:
    found = ask(
        "raw.csv", *two_sessions("s1", 1, 1), *two_sessions("s2", 100, 2), **NOW
    )
    assert found is not None
    assert (found.datasets, found.sessions) == (("raw",), 2)
    made = {one.dataset: one for one in found.made}
    assert list(made) == ["table", "model", "report"]  # nearest first; not `aside`
    assert [one.distance for one in found.made] == [1, 2, 3]
    report = made["report"]
    assert (report.session_id, report.node, report.sessions) == ("s2b", "report", 2)
    assert (report.made_from, report.bytes, report.path) == (
        "same",
        "same",
        "report.txt",
    )
    assert report.loaded == ("model",)
    assert (made["table"].bytes, made["model"].bytes) == ("gone", "not known")
    text = descent_view(found, Screen(datetime(2026, 1, 2, tzinfo=UTC)))
    assert text.startswith(
        "raw.csv  loaded as raw in 2 sessions\ntable  table.csv  no l"
    )
    assert "   3 nodes after the file, by model\n" in text
    assert "; made from it in 2 sessions\n" in text
    assert text.endswith("and 1 dataset in memory; --json has them\n")
    assert descent_data(found)["made"][0]["dataset"] == "table"


def test_what_an_earlier_state_of_the_file_made_is_not_said_to_be_of_it() -> None:
    found = ask("raw.csv", *two_sessions("s1", 1, 1), **NOW)
    assert found is not None
    assert {one.made_from for one in found.made} == {"changed"}
    assert "made from an earlier state of raw.csv" in descent_view(
        found, Screen(datetime(2026, 1, 2, tzinfo=UTC))
    )
    # A report of a table of both states is not one of the present state alone.
    mixed = session(
        "s3",
        node("join", load("table", 50, "/p/table.csv"),
             load("raw", 51, "/p/raw.csv", size_bytes=5, modified_us=2),
             save("joined", 52, "/p/joined.csv")),
    )  # fmt: skip
    found = ask("raw.csv", *two_sessions("s1", 1, 1), mixed, **NOW)
    assert found is not None
    made = {one.dataset: one for one in found.made}
    assert (made["joined"].made_from, made["joined"].distance) == ("changed", 1)


def test_an_output_overwritten_from_elsewhere_is_not_made_from_the_file() -> None:
    """The table that was loaded is the newest earlier save, which has another maker."""
    first, report = two_sessions("s1", 1, 2)
    between = session("s1x", node("import", save("table", 4, "/p/table.csv")))
    found = ask("raw.csv", first, between, report, **NOW)
    assert found is not None
    assert [one.dataset for one in found.made] == ["table"]
    later = session("s9", node("import", save("table", 99, "/p/table.csv")))
    found = ask("raw.csv", first, report, later, **NOW)
    assert found is not None
    assert [one.dataset for one in found.made] == ["table", "model", "report"]


def test_versions_partitions_and_a_file_that_nothing_loaded() -> None:
    state = session(
        "s1",
        node("a", save("parts", 1, "/p/parts", entries=3)),
        node("b", load("parts", 2, "/p/parts", entries=3), save("c", 3, "/p/c")),
        node("d", save("model", 4, "/p/m.pkl/2026/m.pkl", version="2026")),
        node(
            "e",
            load("model", 5, "/p/m.pkl/2026/m.pkl", version="2026"),
            save("f", 6, "/p/f"),
        ),
    )
    for path, dataset in (
        ("parts", "c"),
        ("parts/one.csv", "c"),
        ("m.pkl", "f"),
        ("m.pkl/2026/m.pkl", "f"),
    ):
        found = ask(path, state)
        assert found is not None, path
        assert [one.dataset for one in found.made] == [dataset]
    for path in ("c", "m.pk", "", "no.csv"):
        assert ask(path, state) is None


def test_forward_is_the_inverse_of_backward() -> None:
    states = [*two_sessions("s1", 1, 1), *two_sessions("s2", 100, 2)]
    found = ask("raw.csv", *states, **NOW)
    assert found is not None
    for one in found.made:
        if not one.path:
            continue
        origin = origin_of(one.path, states[::-1], lambda *_: None)
        assert origin is not None
        leaves, waiting = set(), [origin]
        while waiting:
            each = waiting.pop()
            waiting += each.inputs
            leaves.add(each.path)
        assert "raw.csv" in leaves
    origin = origin_of("a", states[::-1], lambda *_: None)
    assert origin is not None
    assert "raw.csv" not in {each.path for each in origin.inputs}


def test_a_node_that_updates_its_own_input_ends_the_search() -> None:
    loop = [
        session(name, node("n", load("x", seq, "/p/x"), save("x", seq + 1, "/p/x")))
        for name, seq in (("s1", 1), ("s2", 10), ("s3", 20))
    ]
    found = ask("x", *loop, x=Fingerprint(size_bytes=1, modified_us=1))
    assert found is not None
    assert [(one.dataset, one.session_id, one.sessions) for one in found.made] == [
        ("x", "s3", 3)
    ]
