"""Which changes to a published schema break a reader or a journal that exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["breaking"]

_WORDS: Final = frozenset({"description", "title", "examples", "$id", "$schema"})
_STRUCTURE: Final = frozenset({"properties", "required", "$defs", "enum"})
_NOTHING: Final = object()


def breaking(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> list[str]:
    """Give what makes *new* no mere addition to *old*, a sentence each.

    Allowed are further fields that are not required, further values of an enumeration,
    further definitions, and other words.
    """
    return list(_breaking(old, new, at or "schema"))


def _breaking(old: Any, new: Any, at: str) -> Iterator[str]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            yield f"{at}: {old!r} became {new!r}"
        return
    yield from _rules(old, new, at)
    if "enum" in old or "enum" in new:
        gone = [one for one in old.get("enum", ()) if one not in new.get("enum", ())]
        if gone or "enum" not in old or "enum" not in new:
            yield f"{at}: the enumeration lost {gone or 'or gained its bounds'}"
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before ^ after):
        kind = "is required now" if name in after else "is not required any more"
        yield f"{at}.{name}: it {kind}"
    for part in ("properties", "$defs"):
        for name, rules in old.get(part, {}).items():
            if name not in new.get(part, {}):
                yield f"{at}.{name}: it was removed"
            else:
                yield from _breaking(rules, new[part][name], f"{at}.{name}")


def _rules(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    """Compare what is neither words nor a list of fields, values or definitions."""
    for name in sorted({*old, *new} - _WORDS - _STRUCTURE):
        before, after = old.get(name, _NOTHING), new.get(name, _NOTHING)
        if before is _NOTHING or after is _NOTHING:
            yield f"{at}: {name} was {'added' if before is _NOTHING else 'removed'}"
        elif isinstance(before, list) and isinstance(after, list):
            if len(before) != len(after):
                yield f"{at}: {name} has another number of parts"
            for number, (one, other) in enumerate(zip(before, after, strict=False)):
                yield from _breaking(one, other, f"{at}.{name}[{number}]")
        else:
            yield from _breaking(before, after, f"{at}.{name}")
