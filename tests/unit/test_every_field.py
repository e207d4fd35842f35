"""A registered secret stands in no field of any event, whatever field it was put into."""

from __future__ import annotations

import base64
import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote

import msgspec
import pytest

from kedro_journal.events import (
    EVENT_TYPES,
    DatasetLoading,
    Event,
    NodeStarted,
    PlannedNode,
    RunStarted,
)
from kedro_journal.recording.encoding import encode, encode_least
from kedro_journal.redaction import Redactor
from kedro_journal.redaction.marks import marks_of

SECRET = 'Zq7Wv9Xk3 "Lm5Np2R/+'
FORMS = {
    "plain": SECRET,
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "URL-quoted": quote(SECRET, safe=""),
    "JSON-escaped": json.dumps(SECRET)[1:-1],
    "hex": SECRET.encode().hex(),
    "UTF-16": SECRET.encode("utf-16-le").decode("latin-1"),
    "reversed": SECRET[::-1],
}


def bare(kind: Any) -> Any:
    return bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def empty(kind: Any) -> Any:
    """Return some value of a type, without a text of interest."""
    kind = bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return None if type(None) in get_args(kind) else empty(get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**required(kind))
    simple: dict[Any, Any] = {str: "x", int: 1, float: 1.0, bool: True}
    return simple.get(kind, {} if get_origin(kind) is dict else ())


def required(cls: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    known = msgspec.structs.fields(cls)
    return {f.name: empty(hints[f.name]) for f in known if f.required}


def planted(kind: Any, text: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Return values of a type with a text at each place that can hold one."""
    kind = bare(kind)
    if kind in (str, Any, object):
        yield "", text
    elif get_origin(kind) in (Union, types.UnionType):
        for one in get_args(kind):
            yield from planted(one, text, depth)
    elif get_origin(kind) is tuple:
        inner = [one for one in get_args(kind) if one is not ...]
        for number, one in enumerate(inner):
            for name, value in planted(one, text, depth):
                items = [
                    value if n == number else empty(k) for n, k in enumerate(inner)
                ]
                yield f"[{number}]{name}", tuple(items)
    elif get_origin(kind) is dict:
        yield "(value)", {"some": text}
        yield "(key)", {text: "some"}
        yield (
            "(deep)",
            {"some": {"list": [text]}} if get_args(kind)[1] is not str else {},
        )
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and depth < 3:
        for name, value in places(kind, text, depth + 1):
            yield f".{name}", value


def places(
    cls: type[msgspec.Struct], text: str, depth: int = 0
) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(cls, include_extras=True)
    for name in cls.__struct_fields__:
        if name in marks_of(cls).plain:
            continue
        for inner, value in planted(hints[name], text, depth):
            yield f"{name}{inner}", cls(**{**required(cls), name: value})


EVERY = [
    (f"{name}: {place}", place, cls)
    for name, cls in EVENT_TYPES.items()
    for place, _ in places(cls, "x")
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cls", EVENT_TYPES.values(), ids=lambda cls: cls.TYPE)
def test_no_field_lets_a_registered_value_through(cls: type[Event], form: str) -> None:
    redactor = Redactor()
    redactor.register(SECRET)
    for encoder in (encode, encode_least):
        for place, event in places(cls, f"left {FORMS[form]} right"):
            data = encoder(event, redactor)
            found = [k for k, text in FORMS.items() if text.encode() in data]
            assert [] == found, (place, data)


def test_what_is_exempt_is_made_by_this_package_alone() -> None:
    """A field that is added to this list cannot hold what a user wrote."""
    exempt = {
        f"{name}.{field}"
        for name, cls in EVENT_TYPES.items()
        for field in marks_of(cls).plain
        if str in leaves(get_type_hints(cls, include_extras=True)[field])
    }
    assert exempt == {
        *("journal.header.uid", "journal.header.salt", "session.created.via"),
        *("journal.header.package_version", "writer.opened.boot_id"),
        *("writer.opened.python", "writer.opened.role", "session.closed.reason"),
        *("context.loaded.parameters_sha256", "context.loaded.config_sha256"),
        *("context.loaded.masked_hmac", "context.loaded.masked_key"),
        *("session.failed.phase", "node.failed.phase", "dataset.validated.outcome"),
        *("journal.repaired.sha256", "journal.repaired.kept_as"),
        *("dataset.loaded.listing_sha256", "dataset.saved.listing_sha256"),
        *("dataset.loaded.content_sha256", "dataset.saved.content_sha256"),
        "dataset.confirming.checkpoint_sha256",
        "writer.opened.pid_namespace",
        "journal.repaired.action",
    }


def leaves(kind: Any) -> set[Any]:
    inner = get_args(bare(kind))
    return {bare(kind)} if not inner else {one for k in inner for one in leaves(k)}


def test_a_masked_name_is_still_a_name() -> None:
    redactor = Redactor()
    redactor.register("hunter2-one", "hunter2-two")

    def written(name: str) -> str:
        event = NodeStarted(run_id="r", node=name)
        return str(json.loads(encode(event, redactor))["node"])

    one, other = written("load hunter2-one"), written("load hunter2-two")
    assert one.startswith("load [redacted]")
    assert one != other
    assert (one, other) == (written("load hunter2-one"), written("load hunter2-two"))
    assert "load" == written("load")


def test_a_name_is_the_same_in_every_event() -> None:
    redactor = Redactor()
    redactor.register("hunter2-one")
    name = "data-hunter2-one"
    plan = RunStarted(run_id="r", nodes=(PlannedNode(name=name, inputs=(name,)),))
    (node,) = json.loads(encode(plan, redactor))["nodes"]
    load = json.loads(
        encode(DatasetLoading(run_id="r", node=name, dataset=name), redactor)
    )
    assert {node["name"], *node["inputs"], load["node"], load["dataset"]} == {
        "data-[redacted]"
    }


def test_tags_make_names_the_same_in_every_process() -> None:
    tags = {"a hunter2-one": "aa", "a hunter2-two": "bb"}
    for order in (list(tags), list(tags)[::-1]):
        redactor = Redactor()
        redactor.identities.tag = tags.__getitem__
        redactor.register("hunter2-one", "hunter2-two")
        found = {name: redactor.identities.of(name) for name in order}
        assert found == {name: f"a [redacted]~{tag}" for name, tag in tags.items()}


def test_a_name_that_was_written_keeps_its_text() -> None:
    """Else one node would become two in the middle of a run."""
    redactor = Redactor()
    assert "load hunter2" == redactor.identities.of("load hunter2")
    redactor.register("hunter2")
    assert "load hunter2" == redactor.identities.of("load hunter2")


def test_an_id_that_is_a_time_stays() -> None:
    redactor = Redactor()
    redactor.register("2026-11-30")
    stamp = "2026-11-30T21.23.31.554Z"
    assert stamp == redactor.identities.of(stamp)
