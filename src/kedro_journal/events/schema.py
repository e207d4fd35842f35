"""Structs -> JSON Schema 2020-12. Pure: gives dicts and texts, writes nothing.

What is published in `journal_schema/` is what this module gives. A schema states what a
reader may rely on: fields that have a default may be missing, fields that it does not
name may be there, because a newer minor version may add some.
"""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from .base import Event
from .union import EVENT_TYPES

__all__ = [
    "RECORD",
    "SCHEMA_BASE",
    "Line",
    "event_schema",
    "is_older_version",
    "published",
    "record_schema",
    "schema_path",
    "schema_text",
]

RECORD: Final = "record"
"""Name of the schema of a line, where events have their type."""
SCHEMA_BASE: Final = "https://kedro-journal.readthedocs.io/schema/"
"""What every `$id` begins with."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFS: Final = "#/$defs/{name}"
_PUBLISHED_PATH: Final = re.compile(r"events/([a-z.]+)\.v([1-9][0-9]*)\.json")

Checksum = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}$")]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a journal: the envelope, and in `data` the event.

    The fields stand in this order. `v` comes first and `crc` last for ever, so that a
    line can be checked before anything is parsed.
    """

    v: Annotated[int, Meta(ge=1, le=1, description="Version of the line format.")]
    seq: Annotated[
        int,
        Meta(
            ge=1,
            description="Position in the journal: 1, 2, 3... without gaps. The only "
            "order there is.",
        ),
    ]
    at: Annotated[
        str,
        Meta(
            pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
            description="Wall clock of the writer, UTC. For people: clocks step back.",
        ),
    ]
    w: Annotated[
        str,
        Meta(
            pattern=r"^w[1-9][0-9]*$",
            description="The process that wrote it: w and the seq of its "
            "writer.opened; w1 is the one that made the journal.",
        ),
    ]
    prev: Annotated[
        Checksum,
        Meta(description="The crc of the record before; 00000000 in the first."),
    ]
    type: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
            description="Event type. Readers keep types that they do not know.",
        ),
    ]
    tv: Annotated[
        int,
        Meta(ge=1, description="Version of the event type; written when above 1."),
    ] = 1
    data: Annotated[
        dict[str, Any],
        Meta(description="The event: see the schema of its type and version."),
    ]
    crc: Annotated[
        Checksum,
        Meta(
            description="CRC-32 (ISO 3309, as zlib computes it) of every byte of the "
            'line before ,"crc" in eight hex digits.'
        ),
    ]


def record_schema() -> dict[str, Any]:
    """Return the schema of a line, whatever its event."""
    return _schema(Line, RECORD, 1)


def event_schema(event_type: str) -> dict[str, Any]:
    """Return the schema of what stands in `data` for an event type.

    Only the current version of each type can be given; older ones are published files.

    Raises:
        KeyError: There is no such type.
    """
    cls = EVENT_TYPES[event_type]
    return _schema(cls, event_type, cls.VERSION)


def schema_path(name: str, version: int) -> str:
    """Return where a schema is published: its path, with `/`, below the base."""
    file = f"{name}.v{version}.json"
    return file if name == RECORD else f"events/{file}"


def published() -> dict[str, str]:
    """Return every schema of this version: its path to its text."""
    texts = {schema_path(RECORD, 1): schema_text(record_schema())}
    for name, cls in EVENT_TYPES.items():
        texts[schema_path(name, cls.VERSION)] = schema_text(event_schema(name))
    return texts


def is_older_version(path: str) -> bool:
    """Return whether *path* is that of a schema that an earlier version published."""
    match = _PUBLISHED_PATH.fullmatch(path)
    known = EVENT_TYPES.get(match[1]) if match else None
    return match is not None and known is not None and int(match[2]) < known.VERSION


def schema_text(schema: dict[str, Any]) -> str:
    """Write a schema as the published files have it."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _schema(cls: type[Event | Line], name: str, version: int) -> dict[str, Any]:
    _, parts = msgspec.json.schema_components(
        (cls,), schema_hook=_anything, ref_template=_DEFS
    )
    for part in parts.values():
        part["description"] = _unwrapped(part.get("description", ""))
    root = parts.pop(cls.__name__)
    schema: dict[str, Any] = {
        "$schema": _DIALECT,
        "$id": SCHEMA_BASE + schema_path(name, version),
        "title": name,
        "description": root["description"],
        "type": "object",
        "properties": root["properties"],
        "required": root["required"],
    }
    if parts:
        schema["$defs"] = {key: parts[key] for key in sorted(parts)}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain  # some defaults were tuples


def _anything(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any value."}  # an empty one is taken for none
    raise NotImplementedError(kind)


def _unwrapped(docstring: str) -> str:
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(text.split()) for text in paragraphs)
