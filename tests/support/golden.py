"""One event of every type with every field filled: what the golden lines are made of.

Golden lines are only ever added to. This makes the lines of types that have none yet:
`python tests/support/golden.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from kedro_journal.events import EVENT_TYPES, Event
from kedro_journal.journal.codec import encode_event, seal

WIRE = Path(__file__).parents[1] / "wire" / "v1"
AT = "2026-11-22T05:11:32.123456Z"


def full(cls: type) -> Any:
    """Give a value of a Struct with a value in every field."""
    values = {}
    for field in msgspec.structs.fields(cls):
        info = msgspec.inspect.type_info(field.type)
        values[field.encode_name] = _value(info, field.name)
    return msgspec.convert(values, cls)


def _value(info: Any, name: str, depth: int = 0) -> Any:  # noqa: PLR0911
    match info:
        case msgspec.inspect.Metadata():
            return _value(info.type, name, depth)
        case msgspec.inspect.UnionType():
            return _value(info.types[0], name, depth)
        case msgspec.inspect.BoolType():
            return name != "save_on_close"
        case msgspec.inspect.IntType():
            return 2
        case msgspec.inspect.FloatType():
            return 1.5
        case msgspec.inspect.StrType():
            return f"{name} \u00e9\u2028"
        case msgspec.inspect.VarTupleType():
            return [_value(info.item_type, name, depth)]
        case msgspec.inspect.TupleType():
            return [_value(item, name, depth) for item in info.item_types]
        case msgspec.inspect.DictType():
            return {"k": _value(info.value_type, name, depth)}
        case msgspec.inspect.StructType():
            if depth > 5:
                return None
            return {
                field.encode_name: _value(field.type, field.name, depth + 1)
                for field in info.fields
                if not (depth and field.name == "cause")
            }
        case _:
            return {"any": [1, None, "x"]}


def line_of(event: Event, seq: int) -> bytes:
    data = encode_event(event)
    return seal(seq=seq, at=AT, writer="w1", prev="1f0c9a77", event=event, data=data)[0]


def least(cls: type) -> Any:
    """Give a value of a Struct with its required fields only."""
    values = {
        field.encode_name: _value(msgspec.inspect.type_info(field.type), field.name)
        for field in msgspec.structs.fields(cls)
        if field.required
    }
    return msgspec.convert(values, cls)


def main() -> None:
    WIRE.mkdir(parents=True, exist_ok=True)
    for name, cls in EVENT_TYPES.items():
        path = WIRE / f"{name}.jsonl"
        if not path.exists():
            path.write_bytes(line_of(least(cls), 1) + line_of(full(cls), 2))


if __name__ == "__main__":
    main()
