"""The fast path of a plan gives what the plain way gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kedro_journal.events import PlannedNode, RunStarted
from kedro_journal.recording.encoding import encode
from kedro_journal.redaction import Redactor
from kedro_journal.redaction.plain import Walk

SECRET = "Zq7Wv9Xk3Lm5Np2R"


def nodes(**more: Any) -> tuple[PlannedNode, ...]:
    usual = [
        PlannedNode(
            name=f"n_{number}",
            inputs=("a", "params:x"),
            outputs=(f"o_{number}",),
            function=f"p.nodes.make_{number}",
            source=f"/home/u/p/nodes.py:{number}",
            source_sha256="0" * 64,
        )
        for number in range(20)
    ]
    return (*usual, PlannedNode(**{"name": "last", **more}))


def primed(some: tuple[PlannedNode, ...]) -> Redactor:
    redactor = Redactor()
    redactor.register(SECRET)
    names = [n for x in some for n in (x.name, *x.inputs, *x.outputs, *x.tags)]
    redactor.prime(names, [text for x in some for text in (x.function, x.source)])
    return redactor


PLANS: dict[str, Callable[[], tuple[PlannedNode, ...]]] = {
    "harmless": nodes,
    "a secret name": lambda: nodes(name=f"load_{SECRET}"),
    "a secret input": lambda: nodes(inputs=("b", f"x_{SECRET}")),
    "a secret tag": lambda: nodes(tags=(f"t_{SECRET}",)),
    "a secret function": lambda: nodes(function=f"p.{SECRET}"),
    "a secret place": lambda: nodes(source=f"/home/{SECRET}/x.py:3"),
    "a password in a place": lambda: nodes(source="https://u:pw99@host/x.py:3"),
    "a token in a name": lambda: nodes(name="ghp_1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R"),
    "a secret namespace": lambda: nodes(namespace=f"s_{SECRET}"),
    "a surrogate": lambda: nodes(name="x\ud800"),
    "another alphabet": lambda: nodes(name="größe", source="/home/ü/x.py:3"),
    "what was not primed": lambda: nodes(label="other: f(None) -> None"),
}


@pytest.mark.parametrize("case", PLANS)
def test_a_plan_is_encoded_as_without_the_fast_path(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = PLANS[case]()
    quick = encode(RunStarted(run_id="x", nodes=plan), primed(plan))
    monkeypatch.setattr(Walk, "_all_stay", lambda self, items: False)
    monkeypatch.setattr(
        "kedro_journal.redaction.gathering.is_of_one_class", lambda items: False
    )
    assert quick == encode(RunStarted(run_id="x", nodes=plan), primed(plan))
    assert SECRET.encode() not in quick


def test_a_harmless_plan_takes_the_fast_path() -> None:
    plan = nodes()
    assert Walk(primed(plan), own=True)._all_stay(plan)
    secret = nodes(name=f"load_{SECRET}")
    assert not Walk(primed(secret), own=True)._all_stay(secret)
