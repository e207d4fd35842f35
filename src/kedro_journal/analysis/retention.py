"""Which sessions a retention policy removes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

__all__ = [
    "Policy",
    "Removal",
    "ResumeChain",
    "chains_of",
    "parse_age",
    "parse_size",
    "to_remove",
]

_AGE: Final = re.compile(r"(\d{1,6})\s*([smhdw])", re.ASCII | re.IGNORECASE)
_SIZE: Final = re.compile(r"(\d{1,15})\s*([KMGT]?)i?B?", re.ASCII | re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_POWERS: Final = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be removed, and what is to be kept.

    Attributes:
        older: Remove what ended longer ago than this; None for no limit.
        keep: Keep the newest so many sessions, >= 0. If it is the only limit, all
            others are removed.
        max_bytes: Remove the oldest until all sessions together take no more bytes.
        verdicts: Remove only chains with one of these verdicts; none for any.
    """

    older: timedelta | None = None
    keep: int | None = None
    max_bytes: int | None = None
    verdicts: tuple[str, ...] = ()


class ResumeChain(msgspec.Struct, frozen=True, kw_only=True):
    """A session with those that it resumes and that resume it.

    Attributes:
        session_ids: The sessions, oldest first.
        verdict: The verdict of the last of them.
        ended_at: When the last record of any of them was written.
        size_bytes: Bytes of all files in their folders.
        held: Why it may not be removed whatever the policy says; empty if it may.
    """

    session_ids: tuple[str, ...]
    verdict: str
    ended_at: datetime
    size_bytes: int
    held: str = ""


class Removal(NamedTuple):
    """A chain that the policy removes, and the limit that it exceeds."""

    chain: ResumeChain
    reason: str


def chains_of(parents: Mapping[str, str | None]) -> list[list[str]]:
    """Group sessions into resume chains.

    Args:
        parents: Session id to the id of the session that it resumes, oldest first. A
            parent that is not a key is ignored.

    Returns:
        The ids of each chain, in the order of *parents*; a chain stands where its
        oldest member stands.
    """
    root: dict[str, str] = {one: one for one in parents}

    def find(one: str) -> str:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for child, parent in parents.items():
        if parent in root:
            root[find(child)] = find(parent)
    found: dict[str, list[str]] = {}
    for one in parents:
        found.setdefault(find(one), []).append(one)
    return list(found.values())


def to_remove(
    chains: Iterable[ResumeChain], ids: Sequence[str], policy: Policy, now: datetime
) -> list[Removal]:
    """Return what a policy names, in the order of the time at which it ended.

    A chain is removed as a whole or kept as a whole. It is kept if any of its sessions
    is among the newest `keep`. The caller keeps those that are `held`, which free no
    bytes.

    Args:
        chains: All chains of the directory.
        ids: The ids of all sessions, oldest first.
        policy: The policy.
        now: The present.
    """
    every = sorted(chains, key=lambda one: one.ended_at)
    kept = frozenset(ids[-policy.keep :] if policy.keep else ())
    total = sum(one.size_bytes for one in every)
    found: list[Removal] = []
    for chain in every:
        if policy.verdicts and chain.verdict not in policy.verdicts:
            continue
        if not kept.isdisjoint(chain.session_ids):
            continue
        reason = _reason(chain, policy, total, now)
        if reason:
            found.append(Removal(chain, reason))
            total -= 0 if chain.held else chain.size_bytes
    return found


def _reason(chain: ResumeChain, policy: Policy, total: int, now: datetime) -> str:
    if policy.older is not None and now - chain.ended_at > policy.older:
        return "older"
    if policy.max_bytes is not None and total > policy.max_bytes:
        return "max-size"
    only_keep = policy.older is None and policy.max_bytes is None
    return "keep" if only_keep and policy.keep is not None else ""


def parse_age(text: str) -> timedelta:
    """Return the time span of a text such as `90d`: s, m, h, d or w.

    Raises:
        ValueError: It is none.
    """
    parts = _AGE.fullmatch(text.strip())
    if parts is None:
        message = f"{text!r} is not a time span such as 90d, 36h or 12w"
        raise ValueError(message)
    return timedelta(seconds=int(parts[1]) * _SECONDS[parts[2].lower()])


def parse_size(text: str) -> int:
    """Return the bytes of a text such as `2G`: powers of 1024.

    Raises:
        ValueError: It is none.
    """
    parts = _SIZE.fullmatch(text.strip())
    if parts is None:
        message = f"{text!r} is not a size such as 500M or 2G"
        raise ValueError(message)
    return int(parts[1]) << 10 * _POWERS[parts[2].upper()]
