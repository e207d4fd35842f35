"""Damage to a journal that something was decided from, as a value."""

from __future__ import annotations

import msgspec

__all__ = ["Damage"]


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """What of a session's journal could not be read; the rest of it counts.

    Attributes:
        session_id: The session.
        lost: Records that are known to be lost.
        findings: What was found, in words: the first five.
        more: How many more there are.
    """

    session_id: str
    lost: int = 0
    findings: tuple[str, ...] = ()
    more: int = 0
