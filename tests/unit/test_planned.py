"""A planned node says what Kedro's own text of the node says."""

from __future__ import annotations

import warnings
from functools import partial, update_wrapper
from typing import Any

import pytest

pytest.importorskip("kedro")

from kedro.pipeline import Node, Pipeline, pipeline

from kedro_journal.events import PlannedNode
from kedro_journal.session.plan import planned


def work(b: Any = None, a: Any = None, *, c: Any = None) -> Any:
    return a, b, c


class Callable:
    def __call__(self, a: Any) -> Any:
        return a


half = partial(work, c=1)
named = update_wrapper(partial(work, c=1), work)


def plan(node: Node) -> PlannedNode:
    return planned(node, lambda value: value)


@pytest.mark.parametrize(
    ("node", "derived"),
    [
        (Node(work, ["z", "a"], ["y", "b"], name="n"), True),
        (Node(work, {"a": "z", "b": "y"}, "out", name="n"), True),
        (Node(work, None, "out", name="n"), True),
        (Node(work, "in", None, name="n", namespace="north.east"), True),
        (Node(work, "in", "out"), False),  # its name is made from a hash
        (Node(work, "in", "out", namespace="north"), False),
        (Node(named, "in", "out", name="n"), True),
        (Node(half, "in", "out", name="n"), False),
        (Node(half, ["in", "two"], None), False),
        (Node(lambda a: a, "in", "out", name="n"), True),
        (Node(Callable(), "in", "out", name="n"), False),
    ],
)
def test_the_text_of_a_planned_node_is_that_of_the_node(
    node: Node, derived: bool
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Kedro warns of a partial
        found = plan(node)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = str(node)
    assert text == found.text
    assert (found.label == "") is derived


def test_inputs_and_outputs_are_in_declared_order() -> None:
    node = Node(
        lambda z, a, m: (z, a),
        ["z", "a", "m"],
        ["y", "b"],
        name="n",
        confirms=["z", "a"],
    )
    found = plan(node)
    assert ("z", "a", "m") == found.inputs
    assert ("y", "b") == found.outputs
    assert ("z", "a") == found.confirms
    assert "" == found.namespace


def test_namespace_and_confirms_are_those_of_the_node_in_its_pipeline() -> None:
    inner = Pipeline(
        [Node(work, "in", "out", name="n", confirms="in", tags=["b", "a"])]
    )
    (node,) = pipeline(inner, namespace="north", inputs={"in"}).nodes
    found = plan(node)
    assert ("north.n", "north") == (found.name, found.namespace)
    assert (("in",), ("in",), ("north.out",)) == (
        found.inputs,
        found.confirms,
        found.outputs,
    )
    assert ("a", "b") == found.tags
    assert str(node) == found.text
    assert "" == found.label


def test_a_node_of_a_class_of_the_users_is_planned_as_far_as_it_tells() -> None:
    class Odd:
        name, inputs, outputs, tags, func = "n", ["a"], ["b"], {"t"}, work
        confirms = namespace = 7

        def __str__(self) -> str:
            raise ValueError("no text")

    found = plan(Odd())  # type: ignore[arg-type]
    assert ("n", (), "", "") == (
        found.name,
        found.confirms,
        found.namespace,
        found.label,
    )
