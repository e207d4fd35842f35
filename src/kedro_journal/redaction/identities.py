"""Names with a secret in them: masked, and still one text for one name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["Identities"]

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
        self._taken: dict[str, str] = {}  # masked text: the name it stands for

    def prime(self, names: Iterable[str], *, holds: Callable[[str], bool]) -> None:
        """Remember names that are sure to stay, many at once: a plan has thousands.

        Args:
            names: The names.
            holds: Returns whether a text may hold a secret. It is asked once for all
                of them.
        """
        new = {name for name in names if name not in self.known and name.isascii()}
        if len(self.known) + len(new) < _KNOWN_MAX and not holds("\n".join(new)):
            for name in new:
                self.known.setdefault(name, name)

    def of(self, name: str) -> str:
        """Return the text that is written for a name."""
        known = self.known.get(name)
        if known is None:
            known = self._masked(name)
            if len(self.known) < _KNOWN_MAX:
                known = self.known.setdefault(name, known)
        return known

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
        names: set[Any] = set()
        for value in values:
            if type(value) is str:
                names.add(value)
            elif type(value) is tuple and all(type(one) is str for one in value):
                names.update(value)
            elif value is not None:
                return False
        known = self.known.get
        return all(known(name) == name for name in names)

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
