"""Journals that nothing is wrong with, for families and mutations to begin with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .lines import Chain

__all__ = ["RUN", "chained", "genuine", "story"]

RUN: Final = "r1"


def story(count: int = 3) -> list[tuple[str, dict[str, Any]]]:
    """Give the events of a session whose last of *count* nodes fails."""
    names = [f"n{number}" for number in range(count)]
    plan = [
        {"name": n, "inputs": ["raw"], "outputs": [f"{n}.out"], "tags": ["t"]}
        for n in names
    ]
    error = {
        "type": "pkg.Error",
        "message": "no\nsuch",
        "frames": [{"file": "/p/src/a.py", "line": 3, "function": "f", "source": "x"}],
        "snippet": ["> 3 x"],
        "cause": {"type": "KeyError"},
    }
    ran: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        at: dict[str, Any] = {"run_id": RUN, "node": name}
        ran += [
            ("dataset.loading", {**at, "dataset": "raw"}),
            ("dataset.loaded", {**at, "dataset": "raw", "duration_s": 0.25}),
            ("node.started", {**at, "input_versions": [["raw", "v1"]]}),
        ]
        if name == names[-1]:
            ran.append(("node.failed", {**at, "error": error, "duration_s": 1.5}))
            break
        out = {**at, "dataset": f"{name}.out"}
        ran += [
            ("node.computed", {**at, "duration_s": 1.0}),
            ("dataset.saving", out),
            ("dataset.saved", {**out, "path": "/p/o", "size_bytes": 7}),
            ("node.completed", {**at, "duration_s": 1.25}),
        ]
    return [
        (
            "journal.header",
            {"session_id": "s", "uid": "u", "salt": "x", "package_version": "0"},
        ),
        ("writer.opened", {"pid": 7, "host": "h", "boot_id": "b", "role": "owner"}),
        (
            "session.created",
            {
                "session_id": "s",
                "project_path": "/p",
                "runtime_params": {"lr": 0.1, "deep": {"a": [1, None]}},
                "command": {"argv": ["kedro", "run"], "name": "run"},
                "git": {"sha": "abc", "branch": "main", "dirty": True},
                "labels": {"k": "v"},
            },
        ),
        ("session.activated", {}),
        (
            "context.loaded",
            {
                "env": "local",
                "parameters": {"a": {"b": 1}},
                "catalog": [{"name": "raw"}],
            },
        ),
        ("run.started", {"run_id": RUN, "nodes": plan, "filters": {"tags": ["t"]}}),
        *ran,
        ("note.added", {"text": "a note", "fields": {"x": [1]}, "node": names[0]}),
        ("journal.repaired", {"offset": 5, "length": 3, "action": "cut"}),
        ("journal.gap", {"dropped": 2, "reason": "ENOSPC"}),
        ("later.event", {"any": [1.50, "x"]}),
        ("run.failed", {"run_id": RUN, "error": error, "duration_s": 2.0}),
        ("session.failed", {"error": error, "phase": "body"}),
        ("session.deactivated", {}),
        ("session.closed", {"reason": "close", "exit_code": 1}),
    ]


def genuine(count: int = 3, *, closed: bool = True) -> bytes:
    """Give a journal that nothing is wrong with."""
    chain = Chain()
    told = story(count)
    for type_, data in told if closed else told[:-1]:
        chain.add(type_, data)
    return chain.data


def chained(events: Iterable[tuple[str, Any]]) -> Chain:
    chain = Chain()
    for type_, data in [*story(2)[:6], *events]:
        chain.add(type_, data)
    return chain
