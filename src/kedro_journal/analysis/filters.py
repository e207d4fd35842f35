"""Which sessions are wanted: conditions on states and on what was recorded. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from kedro_journal.state import SessionState

__all__ = ["Condition", "Facts", "Wanted", "condition"]

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION: Final = re.compile(
    r"\s*([^=!<>]+?)\s*(?:(==|!=|<=|>=|=|<|>)\s*(.*?)\s*)?\Z"
)
_WORDS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}
_DEFAULT: Final = "__default__"


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What filters ask of a session that no list says.

    Attributes:
        nodes: Names of the nodes that it planned.
        tags: Tags that its runs were restricted to.
        sha, branch: The commit; empty if unknown.
        parameters: Parameters in force by dotted name, without nesting.
    """

    nodes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sha: str = ""
    branch: str = ""
    parameters: dict[str, Any] = {}


class Condition(NamedTuple):
    """A condition on a parameter.

    Attributes:
        name: Its dotted name.
        comparison: One of `= == != < <= > >=`; empty: the parameter exists.
        value: What it is compared with.
    """

    name: str
    comparison: str = ""
    value: Any = None

    def holds(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether it holds; never for a parameter that does not exist.

        Numbers are ordered as numbers and texts as texts; nothing else has an order.
        """
        if not self.comparison:
            group = f"{self.name}."
            return any(n == self.name or n.startswith(group) for n in parameters)
        if self.name not in parameters:
            return False
        found, wanted = parameters[self.name], self.value
        if self.comparison in ("=", "==", "!="):
            same = found == wanted and isinstance(found, bool) == isinstance(
                wanted, bool
            )
            return same is not (self.comparison == "!=")
        if not (_is_number(found) and _is_number(wanted)) and not (
            isinstance(found, str) and isinstance(wanted, str)
        ):
            return False
        return _COMPARISONS[self.comparison](found, wanted)


def condition(text: str) -> Condition:
    """Return the condition that a text such as `model.lr>0.1` states.

    The value is a number, `true`, `false`, `null`, a text in double quotes, or any
    other text as it is.

    Raises:
        ValueError: It has no name.
    """
    parts = _CONDITION.match(text)
    if parts is None:
        message = f"{text!r} is not a condition such as model.lr>0.1"
        raise ValueError(message)
    name, comparison, value = parts.groups()
    return Condition(name, comparison or "", None if value is None else _value(value))


class Wanted(NamedTuple):
    """Which sessions are wanted. None, or nothing, accepts any; all have to fit.

    Attributes:
        since, until: Created at this time or later; earlier than this time.
        pipeline: A run of it ran this pipeline.
        env, user: Its environment, its user.
        labels: Labels that it has, with these values; None for any value.
        node: A node that it planned, by its name or the end of it after a dot.
        tag: A tag that a run was restricted to.
        git: A branch, or the beginning of a commit's hash.
        conditions: On its parameters.
    """

    since: datetime | None = None
    until: datetime | None = None
    pipeline: str | None = None
    env: str | None = None
    user: str | None = None
    labels: tuple[tuple[str, str | None], ...] = ()
    node: str | None = None
    tag: str | None = None
    git: str | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def needs_facts(self) -> bool:
        """Whether `accepts_facts` has anything to decide."""
        return bool(self.conditions) or (self.node, self.tag, self.git) != (None,) * 3

    def accepts(self, state: SessionState) -> bool:
        """Return whether a session fits as far as a list knows it."""
        run, context, at = state.last_run, state.context, state.created_at
        env = (context.env if context is not None else None) or state.env
        env = (run.env if run is not None else None) or env
        if self.pipeline is not None:
            ran = {p for one in state.runs for p in one.pipelines or (_DEFAULT,)}
            if self.pipeline not in ran:
                return False
        return (
            (self.since is None or (at is not None and at >= self.since))
            and (self.until is None or (at is not None and at < self.until))
            and self.env in (None, env)
            and self.user in (None, state.user)
            and all(_has(state.labels, name, value) for name, value in self.labels)
        )

    def accepts_facts(self, facts: Facts) -> bool:
        """Return whether a session fits by what else is recorded of it."""
        return (
            (self.node is None or _names(self.node, facts.nodes))
            and (self.tag is None or self.tag in facts.tags)
            and (self.git is None or _is_commit(self.git, facts))
            and all(one.holds(facts.parameters) for one in self.conditions)
        )


def _has(labels: Mapping[str, str], name: str, value: str | None) -> bool:
    return name in labels and value in (None, labels[name])


def _names(wanted: str, nodes: Collection[str]) -> bool:
    return wanted in nodes or any(name.endswith(f".{wanted}") for name in nodes)


def _is_commit(wanted: str, facts: Facts) -> bool:
    return bool(wanted) and (wanted == facts.branch or facts.sha.startswith(wanted))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
