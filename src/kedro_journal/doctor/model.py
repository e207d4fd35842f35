"""What the doctor says, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

__all__ = [
    "Check",
    "Guarantee",
    "Holds",
    "Report",
    "Status",
    "note",
    "ok",
    "problem",
    "reason_of",
    "shown",
    "warning",
    "worst_of",
]

Status = Literal["ok", "note", "warning", "problem"]
Holds = Literal["yes", "partly", "no", "unknown"]

_ORDER: Final[tuple[Status, ...]] = ("ok", "note", "warning", "problem")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at or tried.

    Attributes:
        key: Stable name, `group.name`.
        status: ok; note: worth knowing; warning: something is not guaranteed; problem:
            something does not work.
        text: What was found, one sentence or a few.
        advice: What to do; empty if it is ok.
        facts: The same for programs.
    """

    key: str
    status: Status
    text: str
    advice: str = ""
    facts: Mapping[str, Any] = {}

    @property
    def group(self) -> str:
        """What it belongs to: the first part of its key."""
        return self.key.partition(".")[0]


class Guarantee(msgspec.Struct, frozen=True, kw_only=True):
    """What is promised in one respect, here.

    Attributes:
        key: process_death, power_loss, several_processes or several_hosts.
        holds: yes, partly, no, or unknown where it could not be tried.
        text: The same in words.
    """

    key: str
    holds: Holds
    text: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found.

    Attributes:
        directory: The journal directory; None if none is known.
        probed: The folder in which operations were tried; None if in none.
        project: Root of the Kedro project; None if there is none.
        durability: The durability level in force.
        checks: What was looked at, in order.
        not_probed: Keys of the checks that could not be tried.
        guarantees: What follows from the checks.
        duration_s: How long it took.
    """

    directory: str | None
    probed: str | None
    project: str | None
    durability: str
    checks: tuple[Check, ...]
    not_probed: tuple[str, ...]
    guarantees: tuple[Guarantee, ...]
    duration_s: float

    @property
    def worst(self) -> Status:
        """The most serious status of all checks."""
        return worst_of(self.checks)


def worst_of(checks: Iterable[Check]) -> Status:
    """Return the most serious status; ok if there are no checks."""
    return _ORDER[max((_ORDER.index(check.status) for check in checks), default=0)]


def ok(key: str, text: str, /, **facts: Any) -> Check:
    """Something is as it should be."""
    return _check(key, "ok", text, "", facts)


def note(key: str, text: str, advice: str, /, **facts: Any) -> Check:
    """Something is worth knowing."""
    return _check(key, "note", text, advice, facts)


def warning(key: str, text: str, advice: str, /, **facts: Any) -> Check:
    """Something is not guaranteed."""
    return _check(key, "warning", text, advice, facts)


def problem(key: str, text: str, advice: str, /, **facts: Any) -> Check:
    """Something does not work."""
    return _check(key, "problem", text, advice, facts)


def _check(key: str, status: Status, text: str, advice: str, facts: Any) -> Check:
    return Check(
        key=key,
        status=status,
        text=shown(text),
        advice=shown(advice),
        facts=_plain(facts),
    )


def shown(what: object) -> str:
    """Return a text that can be encoded; file names may hold bytes that cannot."""
    return str(what).encode("utf-8", "backslashreplace").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {shown(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return shown(value)


def reason_of(error: BaseException) -> str:
    """Return an error in one line; the system's words for a system's error."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name
