"""Masked values, compared by keyed digests instead of themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from kedro_journal.events import ContextLoaded

__all__ = ["MASKED_WORDS", "Digests", "digests_of", "masked_change"]

_MASK: Final = "[redact"

MaskedChange = Literal["changed", "unknown"]

MASKED_WORDS: Final[dict[MaskedChange, str]] = {
    "changed": "its value, which is masked, changed",
    "unknown": "its value is masked: whether it was changed is not known",
}


class Digests(NamedTuple):
    """Keyed digests of the masked parameters of a session, or of the project now.

    Attributes:
        key: Id of the key; empty without one.
        by_name: The digests.
    """

    key: str
    by_name: Mapping[str, str]


def digests_of(context: ContextLoaded | None) -> Digests:
    """Return the digests that a session recorded."""
    if context is None:
        return Digests("", {})
    pairs = zip(context.masked, context.masked_hmac, strict=False)
    return Digests(context.masked_key, dict(pairs))


def masked_change(
    name: str, written: Any, was: Digests, now: Digests
) -> MaskedChange | None:
    """Return whether a parameter was changed that looks the same because it is masked.

    Args:
        name: The parameter; keys of nested ones joined by dots.
        written: What is recorded of it, equal in both.
        was: Digests of the earlier session.
        now: Those of the later one.

    Returns:
        None if it was not changed, or is not masked.
    """
    if not _is_masked(written):
        return None
    one, other = was.by_name.get(name), now.by_name.get(name)
    if one is None or other is None or was.key != now.key:
        return "unknown"
    return None if one == other else "changed"


def _is_masked(value: Any) -> bool:
    if isinstance(value, str):
        return _MASK in value
    if isinstance(value, Mapping):
        return any(map(_is_masked, (*value, *value.values())))
    return isinstance(value, (list, tuple)) and any(map(_is_masked, value))
