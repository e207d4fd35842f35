"""Names with a secret in them: masked, and still one text for one name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["Identities"]

_NAME_KINDS: Final = frozenset([str, tuple, type(None)])
_KNOWN_MAX: Final = 20_000
# What Kedro and this package call sessions, runs and versions. A registered value such
# as a date may stand in it by chance.
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{3}Z")


class Identities:
    """Mask names so that equal names stay equal, and different ones different.

    Only the secret part of a name is masked. What was masked gets a tag behind it, by
    which it differs from other names that are masked to the same text. The first answer
    about a name holds for the life of the object: a name that was written before its
    secret became known stays readable, for otherwise one node would become two.

    Safe between threads.

    Args:
        mask: Masks registered secrets and known tokens in a text.

    Attributes:
        known: What was written for each name so far.
        tag: Returns a short tag of a name that is the same in every process of the
            user and says nothing about the name; empty if it has none. Then tags are
            numbers, and hold for this object alone.
    """

    def __init__(self, mask: Callable[[str], str]) -> None:
        self.tag: Callable[[str], str] = _no_tag
        self._mask = mask
        self.known: dict[str, str] = {}
        self._kept: set[str] = set()  # those of `known` that stay what they are
        self._taken: dict[str, str] = {}  # masked text: the name it stands for

    def prime(self, names: Iterable[str], *, holds: Callable[[str], bool]) -> None:
        """Remember names that are sure to stay, many at once: a plan has thousands.

        Args:
            names: The names.
            holds: Returns whether a text may hold a secret. It is asked once for all
                of them.
        """
        new = set(names).difference(self.known)
        joined = "\n".join(new)
        if not joined.isascii():
            new = set(filter(str.isascii, new))
            joined = "\n".join(new)
        if len(self.known) + len(new) < _KNOWN_MAX and not holds(joined):
            for name in new:
                self._remember(name, name)

    def of(self, name: str) -> str:
        """Return the text that is written for a name."""
        known = self.known.get(name)
        if known is None:
            known = self._masked(name)
            if len(self.known) < _KNOWN_MAX:
                known = self._remember(name, known)
        return known

    def _remember(self, name: str, masked: str) -> str:
        """Return what holds for a name: the first answer that was given."""
        masked = self.known.setdefault(name, masked)
        if masked == name:
            self._kept.add(name)
        return masked

    def value(self, value: Any) -> Any:
        """Return a name, or names in tuples, as plain data. Other values stay.

        Raises:
            TypeError: There is something in it that is neither text nor tuple nor None.
        """
        if isinstance(value, str):
            return self.of(str.__str__(value))
        if isinstance(value, tuple):
            return [self.value(item) for item in value]
        if value is None:
            return None
        raise TypeError(type(value))

    def are_known(self, values: list[Any]) -> bool:
        """Return whether names, or tuples of them, are all known to stay.

        Nothing is looked at that was not looked at before.
        """
        kinds = set(map(type, values))
        if not kinds <= _NAME_KINDS:
            return False
        every: Iterable[Any] = values
        if tuple in kinds:
            tuples = [value for value in values if type(value) is tuple]
            if not set(map(type, itertools.chain.from_iterable(tuples))) <= {str}:
                return False
            names = set(itertools.chain.from_iterable(tuples))
            if len(tuples) < len(values):
                names.update(value for value in values if type(value) is str)
            every = names
        elif type(None) in kinds:
            every = [value for value in values if value is not None]
        return self._kept.issuperset(every)

    def are_kept(self, value: Any) -> bool:
        """Return whether `value` would change nothing."""
        if type(value) is str:
            return self.known.get(value) == value or self.of(value) == value
        if type(value) is tuple:
            return all(map(self.are_kept, value))
        return value is None

    def _masked(self, name: str) -> str:
        if _TIMESTAMP.fullmatch(name):
            return name
        masked = self._mask(name)
        text = masked
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "backslashreplace").decode()
        if masked == name:
            return text
        tag = self.tag(name)
        if tag:
            return f"{text}~{tag}"
        number = 1
        one = text
        while self._taken.setdefault(one, name) != name:
            number += 1
            one = f"{text}~{number}"
        return one


def _no_tag(name: str) -> str:
    """Return no tag: the key that tags are made with is not known."""
    del name
    return ""
