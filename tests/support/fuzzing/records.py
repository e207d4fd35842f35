"""Families of hostile records: their checksums are right, what they say is not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from .lines import Chain, Raw
from .stories import RUN, chained, genuine, story
from .values import CANARY, NUMBERS, TEXTS, TIMES, deep, hostile, quoted, wide

__all__ = [
    "bombs", "code", "cycles", "each_field", "envelopes", "healthy", "long_texts",
    "nesting", "numbers", "sequence", "texts", "times",
]  # fmt: skip

LINE_BYTES: Final = 1024 * 1024  # the longest line a reader looks at


def healthy(rng: random.Random, dose: int) -> Iterator[bytes]:
    yield genuine(rng.randrange(1, 5), closed=rng.random() < 0.5)


def each_field(rng: random.Random, dose: int) -> Iterator[bytes]:
    """In every event of a session, one field anywhere has another value."""
    chain = Chain()
    for type_, data in story(3):
        changed: Any = dict(data)
        if changed and rng.random() < 0.7:
            changed[rng.choice(sorted(changed))] = Raw(hostile(rng))
        elif rng.random() < 0.1:
            changed = Raw(hostile(rng))
        chain.add(type_, changed)
    yield chain.data


def envelopes(rng: random.Random, dose: int) -> Iterator[bytes]:
    """Every field of the envelope is anything, missing, repeated or in disorder."""
    chain = Chain()
    for type_, data in story(2):
        if chain.seq and rng.random() < 0.5:
            name = rng.choice(("v", "seq", "at", "w", "prev", "type", "tv", "data"))
            value: Any = Raw(hostile(rng, 400))
            if name == "at":
                value = rng.choice(TIMES)
            if name in ("seq", "v", "tv") and rng.random() < 0.7:
                value = Raw(rng.choice(NUMBERS))
            seq, prev = chain.seq, chain.prev
            chain.add(type_, data, **{name: value})
            if rng.random() < 0.5:
                chain.seq, chain.prev = seq, prev
        elif rng.random() < 0.1:
            chain.add(type_, data, order=("crc",), crc=1)
        else:
            chain.add(type_, data)
    yield chain.data


def times(rng: random.Random, dose: int) -> Iterator[bytes]:
    chain = Chain()
    for type_, data in story(3):
        chain.add(type_, data, at=rng.choice(TIMES[:6]))
    yield chain.data


def numbers(rng: random.Random, dose: int) -> Iterator[bytes]:
    """Sizes, counts, parts, attempts, signals: negative, zero and astronomical."""

    def any_() -> Raw:
        return Raw(rng.choice(NUMBERS))

    at = {"run_id": RUN, "node": "n0"}
    events: list[tuple[str, Any]] = [
        (
            "run.started",
            {"run_id": RUN, "attempt": any_(), "part": any_(), "nodes": []},
        ),
        ("run.started", {"run_id": "r2", "attempt": 10**18, "part": 10**18}),
        ("dataset.loading", {**at, "dataset": "raw"}),
        ("dataset.loaded", {**at, "dataset": "raw", "duration_s": any_()}),
        ("node.started", at),
        ("node.computed", {**at, "duration_s": any_()}),
        ("dataset.saved", {**at, "dataset": "o", "size_bytes": any_()}),
        ("node.completed", {**at, "duration_s": any_()}),
        ("journal.gap", {"dropped": any_(), "kept": any_()}),
        ("journal.gap", {"dropped": Raw("9" * 4300)}),
        ("journal.gap", {"dropped": Raw("9" * 4300)}),
        ("journal.repaired", {"offset": any_(), "length": any_(), "lost": any_()}),
        ("writer.opened", {"pid": any_(), "started_at_ticks": any_()}),
        ("run.interrupted", {"run_id": RUN, "signal": any_(), "exit_code": any_()}),
        ("session.activated", {"depth": any_()}),
        ("note.added", {"text": "n", "fields": {"a": any_(), "b": [any_(), any_()]}}),
        ("session.closed", {"exit_code": any_()}),
    ]
    yield chained(events).data


def sequence(rng: random.Random, dose: int) -> Iterator[bytes]:
    """Numbers that jump, stand still, run backwards or end."""
    chain = chained(story(3)[6:])
    for _ in range(rng.randrange(1, 6)):
        seq = Raw(rng.choice((*NUMBERS[-8:-1], "1", "7", "-3", "0", "99")))
        chain.add("note.added", {"text": "x"}, seq=seq)
        for _ in range(rng.randrange(3)):
            chain.add("note.added", {"text": "y"})
    yield chain.data


def texts(rng: random.Random, dose: int) -> Iterator[bytes]:
    """Every text is one that a terminal, a path or an importer might obey."""

    def any_() -> Raw:
        return Raw(quoted(rng.choice(TEXTS), ascii_only=rng.random() < 0.3))

    def told(value: Any) -> Any:
        if isinstance(value, str):
            return any_() if rng.random() < 0.5 else value
        if isinstance(value, dict):
            keep = rng.random() < 0.8
            return {k if keep else any_(): told(one) for k, one in value.items()}
        return [told(one) for one in value] if isinstance(value, list) else value

    chain = Chain()
    for type_, data in story(3):
        over = {"w": any_()} if rng.random() < 0.2 else {}
        if rng.random() < 0.1:
            over["prev"] = any_()
        strange = any_() if rng.random() < 0.1 else type_
        chain.add(strange, told(data), **over)
    yield chain.data


def code(rng: random.Random, dose: int) -> Iterator[bytes]:
    """Names of modules and functions in every place that could be called."""
    boom = f"{CANARY}.Boom"
    call = {"__reduce__": [boom, []], "py/object": boom, "!!python/object/apply": boom}
    plan = [{"name": boom, "function": f"{CANARY}.boom", "source": f"{CANARY}.py:1"}]
    events: list[tuple[str, Any]] = [
        (
            "run.started",
            {"run_id": "r2", "runner": boom, "nodes": plan, "filters": call},
        ),
        ("node.failed", {"run_id": RUN, "node": boom, "error": {"type": boom}}),
        ("note.added", {"text": f"import {CANARY}", "fields": call}),
        (boom, call),
        ("session.failed", {"error": {"type": boom, "message": "{0.__class__}"}}),
    ]
    yield chained(events).data


def nesting(rng: random.Random, dose: int) -> Iterator[bytes]:
    chain = chained([])
    for depth in (60, 61, 62, 300, 980, 1000, 30_000):
        kind = rng.choice("[{")
        chain.add(
            "note.added", {"text": "n", "fields": {"a": Raw(deep(depth, kind=kind))}}
        )
        chain.add("later.event", Raw(deep(depth, kind=kind)))
        causes = min(depth, 1000)
        cause = Raw('{"type":"E","cause":' * causes + "null" + "}" * causes)
        chain.add("session.failed", {"error": cause})
    params = Raw(deep(900, kind="{"))
    chain.add("run.started", {"run_id": "r3", "runtime_params": params})
    yield chain.data


def bombs(rng: random.Random, dose: int) -> Iterator[bytes]:
    """One line that is much larger in memory than on the disk, or when indented."""
    room = LINE_BYTES - 2000
    item = rng.choice(("[]", "{}", '{"a":1}', "[1]", "1.5", '"ab"', '[[],{"b":[]}]'))
    bomb = rng.choice(
        (
            wide(room // (len(item) + 1), item),
            deep(40, wide(room // 2, "1")[1:-1]),
            deep(900, wide(room // 2 - 9000, "1")[1:-1]),
            "{" + ",".join(f'"{n}":0' for n in range(room // 10)) + "}",
        )
    )
    chain = chained([])
    where = rng.randrange(4)
    if where == 0:
        chain.add("note.added", {"text": "n", "fields": {"a": Raw(bomb)}})
    elif where == 1:
        chain.add("context.loaded", {"parameters": {"a": Raw(bomb)}})
    elif where == 2:
        chain.add("later.event", Raw(bomb))
    else:
        chain.add("run.started", {"run_id": "r2", "filters": {"a": Raw(bomb)}})
    yield chain.data


def long_texts(rng: random.Random, dose: int) -> Iterator[bytes]:
    """A text of nearly a megabyte, in one place after another."""
    size = LINE_BYTES - 1000
    text = Raw(quoted(rng.choice("a\xe9\u4f60\u0301\x9b") * (size // 6)))
    chain = chained([])
    place = rng.randrange(6)
    if place == 0:
        chain.add("note.added", {"text": "x"}, w=text)
    elif place == 1:
        chain.add(text, {})
    elif place == 2:
        chain.add("note.added", {"text": text})
    elif place == 3:
        chain.add("node.started", {"run_id": RUN, "node": text})
    elif place == 4:
        chain.add(
            "session.failed", {"error": {"type": text, "message": text[:9] + '"'}}
        )
    else:
        chain.add("note.added", {"text": "x"}, prev=text)
    chain.add("note.added", {"text": "after"})
    yield chain.data


def cycles(rng: random.Random, dose: int) -> Iterator[bytes]:
    """Sessions, runs and nodes that name themselves and each other."""
    plan = [
        {"name": "a", "inputs": ["b.o"], "outputs": ["a.o"]},
        {"name": "b", "inputs": ["a.o", "b.o"], "outputs": ["b.o", "a.o"]},
        {"name": "a", "inputs": ["a"], "outputs": ["a"]},
        {"name": "", "inputs": ["@", "@@"], "outputs": ["@"]},
    ]
    events: list[tuple[str, Any]] = [
        ("session.created", {"session_id": "s", "parent_session_id": "s"}),
        (
            "session.resumed",
            {"parent_session_id": "s", "done": ["a"], "remaining": ["a"]},
        ),
        ("run.started", {"run_id": None, "nodes": plan}),
        ("run.started", {"run_id": None, "nodes": plan, "part": 2}),
        ("node.started", {"run_id": None, "node": "a"}),
        ("dataset.saved", {"run_id": None, "node": "b", "dataset": "a.o"}),
        (
            "run.failed",
            {"run_id": None, "error": {"type": "E", "cause": {"type": "E"}}},
        ),
    ]
    yield chained(events).data
