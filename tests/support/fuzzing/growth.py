"""Whether time grows as a file does: as many again of the same, in as long again."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from kedro_journal.journal import read, verify
from kedro_journal.replaying import replay_folder
from kedro_journal.views import (
    Detail,
    Listed,
    Screen,
    Timeline,
    json_text,
    render,
    session_view,
    sessions_view,
    state_data,
)

from .lines import Chain
from .stories import story

__all__ = ["RATIO_MAX", "UNITS", "measure"]

RATIO_MAX: Final = 10.0
"""Four times as many may take four times as long; quadratic is sixteen."""

_COUNT: Final = 250
_TOO_SHORT_S: Final = 0.03  # to say anything by it
_RUN: Final = "r1"
_SCREEN: Final = Screen(datetime(2026, 11, 22, tzinfo=UTC), 100)
_DETAIL: Final = Detail(parameters=True, all_nodes=True, datasets=True, traceback=True)


def _ended(number: int) -> tuple[str, Any]:
    run = {"run_id": f"{number // 2}"}
    if number % 2:
        return "run.failed", {**run, "error": {"type": f"E{number}"}}
    return "run.started", run


def _failed(number: int) -> tuple[str, Any]:
    at = {"run_id": _RUN, "node": f"x{number // 2}"}
    if number % 2:
        return "node.failed", {**at, "error": {"type": f"E{number}"}}
    return "dataset.loading", {**at, "dataset": "d"}


def _planned(number: int) -> tuple[str, Any]:
    node = {
        "name": f"{number}",
        "inputs": [f"o{number - 1}"],
        "outputs": [f"o{number}"],
    }
    return "run.started", {"run_id": "p", "part": number + 1, "nodes": [node]}


UNITS: Final[dict[str, Callable[[int], tuple[str, Any]]]] = {
    "attempts": lambda n: ("run.started", {"run_id": "same", "attempt": n + 1}),
    "failed runs": _ended,
    "failed nodes": _failed,
    "chained nodes": _planned,
    "datasets of a node": lambda n: (
        "dataset.loading",
        {"run_id": _RUN, "node": "n0", "dataset": f"d{n}"},
    ),
    "unknown events": lambda n: (f"x.{n}", {}),
}
"""What a file holds many of."""


def _tail(path: Path) -> str:
    timeline = Timeline(_SCREEN)
    return render(map(timeline.line, read(path, mode="salvage")))


def _targets(folder: Path) -> dict[str, Callable[[], object]]:
    path = folder / "journal.jsonl"
    state = replay_folder(folder, salvage=True)
    return {
        "replay": lambda: replay_folder(folder, salvage=True),
        "verify": lambda: verify(path),
        "show": lambda: session_view(state, _SCREEN),
        "show whole": lambda: session_view(state, _SCREEN, detail=_DETAIL),
        "list": lambda: sessions_view([Listed(state)], _SCREEN),
        "show --json": lambda: json_text(state_data(state)),
        "tail": lambda: _tail(path),
    }


def measure(
    folder: Path, count: int = _COUNT, units: tuple[str, ...] = tuple(UNITS)
) -> Iterator[tuple[str, str, float]]:
    """Give what there are many of, what was called, and how much longer it took.

    Args:
        folder: A session folder; its journal is overwritten.
        count: How many at first; then four times as many.
        units: Of what.
    """
    for name in units:
        times: dict[str, list[float]] = {}
        for many in (count, 4 * count):
            chain = Chain()
            for type_, data in story(2)[:6]:
                chain.add(type_, data)
            for number in range(many):
                chain.add(*UNITS[name](number))
            (folder / "journal.jsonl").write_bytes(chain.data)
            for what, call in _targets(folder).items():
                times.setdefault(what, []).append(_shortest_s(call))
        for what, (first, second) in times.items():
            yield name, what, second / first if second > _TOO_SHORT_S else 0.0


def _shortest_s(call: Callable[[], object]) -> float:
    """Give the CPU time of a call, the shorter of two: garbage may be collected."""
    took: list[float] = []
    for _ in range(2):
        gc.collect()
        begun = time.process_time()
        call()
        took.append(time.process_time() - begun)
    return min(took)
