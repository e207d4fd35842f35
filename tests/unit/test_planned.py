"""A planned node says what Kedro's own text of the node says."""

from __future__ import annotations

import warnings
from functools import partial, update_wrapper
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kedro")

from kedro.pipeline import Node, Pipeline, pipeline

from kedro_journal.events import PlannedNode
from kedro_journal.hooks.run_plan import forget_edited_sources, planned


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


def test_the_code_that_runs_is_hashed_and_not_the_edited_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = tmp_path / "edited_nodes.py"

    def load(text: str) -> Any:
        source.write_text(f"def f(x):\n    return {text}\n")
        namespace: dict[str, Any] = {"__name__": "edited_nodes"}
        exec(compile(source.read_text(), str(source), "exec"), namespace)
        return namespace["f"]

    def told(function: Any) -> PlannedNode:
        node = Node(function, "a", "b", name="n")
        forget_edited_sources([node])
        return plan(node)

    old = load("x in {'a', 'b'}, (1, 2.5)")
    before = told(old)
    new = load("x in {'a', 'c'}, (1, 2.5), 'longer'")
    stale, after = told(old), told(new)

    assert before.code_sha256 == stale.code_sha256 != after.code_sha256
    assert before.source_sha256 != after.source_sha256
    assert told(load("x in {'a', 'c'}, (1, 2.5), 'longer'")) == after
