"""The marks of fields are read as they would be if annotations were evaluated."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from kedro_journal.events import (
    EVENT_TYPES,
    CatalogEntry,
    CommandLine,
    ErrorInfo,
    Frame,
    Git,
    ParameterSource,
    PlannedNode,
    Versions,
)
from kedro_journal.redaction.marks import marks_of

PARTS = (
    *(CatalogEntry, CommandLine, ErrorInfo, Frame, Git, ParameterSource),
    *(PlannedNode, Versions),
)
CLASSES = [*EVENT_TYPES.values(), *PARTS]


def has(kind: Any, mark: str) -> bool:
    found = getattr(kind, "__metadata__", ())
    return any((one.extra or {}).get(mark) for one in found)


def is_number(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        return is_number(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return all(map(is_number, get_args(kind)))
    return kind in (int, float, bool, type(None))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_marks_are_those_of_the_evaluated_annotations(
    cls: type[msgspec.Struct],
) -> None:
    hints = get_type_hints(cls, include_extras=True)
    fields = {name: hints[name] for name in cls.__struct_fields__}
    names = {name for name, kind in fields.items() if has(kind, "name")}
    plain = {n for n, kind in fields.items() if has(kind, "plain") or is_number(kind)}
    assert (marks_of(cls).plain, marks_of(cls).names) == (plain, names)
