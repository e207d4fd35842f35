"""The layered layout of a graph."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from played import Play, fan, play, state_of

from kedro_journal.report.graph import layout
from kedro_journal.report.graph_svg import graph_of, graph_svg


def test_every_edge_goes_to_the_right() -> None:
    placed = layout("abcd", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    assert 4 == placed.columns
    for edge in placed.edges:
        assert all(one.column < two.column for one, two in pairwise(edge.through))


def test_a_source_stands_beside_its_first_user() -> None:
    placed = layout("abcx", [("a", "b"), ("b", "c"), ("x", "c")])
    assert 1 == placed.places["x"].column


def test_sweeps_remove_a_crossing() -> None:
    placed = layout(("a", "b", "c", "d"), [("a", "d"), ("b", "c")])
    assert placed.places["a"].row < placed.places["b"].row
    assert placed.places["d"].row < placed.places["c"].row


def test_a_wide_rank_takes_several_columns_and_lone_nodes_a_grid() -> None:
    names = ["s", *map(str, range(100)), "lone", "alone"]
    placed = layout(names, [("s", str(number)) for number in range(100)])
    assert placed.rows <= 32
    assert placed.places["lone"].row > max(
        placed.places[str(n)].row for n in range(100)
    )


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 12).flatmap(
        lambda n: st.tuples(
            st.just([str(i) for i in range(n)]),
            st.lists(
                st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(n - 1, 0))),
                max_size=30 if n else 0,
                unique=True,
            ),
        )
    )
)
def test_no_two_nodes_share_a_place(
    graph: tuple[list[str], list[tuple[int, int]]],
) -> None:
    """Whatever the edges are: cycles and loops of a damaged journal too."""
    names, numbers = graph
    pairs = [(str(a), str(b)) for a, b in numbers if a != b]
    placed = layout(names, pairs)
    assert set(names) == set(placed.places)
    assert len(names) == len(set(placed.places.values()))
    assert all(0 <= place.column < placed.columns for place in placed.places.values())
    assert placed == layout(names, pairs)


def test_above_three_hundred_nodes_namespaces_are_folded() -> None:
    run = state_of(play(*fan(400, namespaces=7), end_s=200)).last_run
    assert run is not None
    graph = graph_of(run)
    assert 9 == len(graph.statuses)
    assert 400 == graph.folded
    assert "58 completed" in graph.about["part_0 (namespace)"]


def test_of_a_folded_namespace_the_worst_status_is_drawn() -> None:
    nodes = fan(400, namespaces=7)
    broken = Play("part_3.bad", 190.0, namespace="part_3", upto="failed")
    run = state_of(play(*nodes, broken, ends="failed", end_s=200)).last_run
    assert run is not None
    graph = graph_of(run)
    assert "failed" == graph.statuses["part_3 (namespace)"]
    assert 'class="n n-bad"' in graph_svg(graph, (), "")
