"""Values that hold secrets among other things: JSON, URLs and connection strings.

Only the secret parts of such values are masked, so that a host or a date stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .late import Late
from .limits import REDACTED
from .names import Verdict, words_of
from .words import DESCRIPTIONS

__all__ = [
    "COOKIES",
    "HEADERS",
    "Strict",
    "Structure",
    "begins_parts",
    "is_reference",
    "structure_of",
]

COOKIES: Final = frozenset(["cookie", "set-cookie"])
HEADERS: Final = COOKIES | {"authorization", "proxy-authorization"}
"""Names whose value is masked in parts by `headers`."""

_MAPPING: Final = Late(r"\{\s{0,40}\\{0,16}['\"]|\{(?:&quot;|%22)")
# An object as `repr` shows it: `BasicAuth(login='a', password='b')`.
_CALL: Final = Late(r"[A-Za-z_][\w.]{0,60}\([A-Za-z_]\w{0,60}=")
_URL: Final = Late(r"(?:jdbc:)?[A-Za-z][\w+.\-]{0,40}:(?:\\{0,4}/){2}")
_PARTS: Final = Late(
    r"[A-Za-z][\w \-]{0,40}=[^;=\n]{1,400};(?=\s?[A-Za-z])"
    r"|[a-z_]{2,30}=[^\s=;'\"]{1,200} [a-z_]{2,30}="
)
_WHOLES: Final = frozenset(
    """
    url uri dsn conn con connection string str broker backend address link endpoint
    credential cred webhook sqlalchemy
    """.split()  # noqa: SIM905
)
_OPEN: Final = DESCRIPTIONS | frozenset(
    """
    user login database db dbname engine driver dialect warehouse cluster project
    tenant email zone ssl sslmode tls catalog dataset container protocol
    """.split()  # noqa: SIM905
)
_REFERENCES: Final = ("arn:", "urn:", "crn:", "resolve:", "ocid1.")
_RUN_CHARS: Final = 160

Structure = str
"""`mapping`, `url`, `parts`, or empty: masked as a whole."""


def begins_parts(name: str, text: str, start: int) -> bool:
    """Return whether a connection string begins there, without quotes around it."""
    if text[start - 1 : start] in ("'", '"') or _WHOLES.isdisjoint(words_of(name)):
        return False
    return _PARTS.match(text, start) is not None


def structure_of(name: str, value: str) -> Structure:
    """Return how a value under a secret name is to be taken apart."""
    if (value[:1] == "{" and _MAPPING.match(value)) or _CALL.match(value):
        return "mapping"
    if _WHOLES.isdisjoint(words_of(name)):
        return ""
    if REDACTED in value and _URL.match(value):
        return "url"
    return "parts" if _PARTS.match(value) else ""


class Strict:
    """A judge for what stands within a secret: an unknown name is secret there.

    Attributes:
        base: The judge for other places.
    """

    def __init__(self, judge: Callable[[str], Verdict]) -> None:
        self.base: Callable[[str], Verdict] = (
            judge.base if isinstance(judge, Strict) else judge
        )

    def __call__(self, name: str) -> Verdict:
        """Judge a name."""
        if self.base(name) != "harmless":
            return "secret"
        words = words_of(name)
        return "harmless" if words and words[-1] in _OPEN else "secret"


def is_reference(text: str, start: int) -> bool:
    """Return whether a word is a part of an identifier such as an ARN."""
    if text[start - 1 : start] != ":":
        return False
    run = text[max(0, start - _RUN_CHARS) : start].split()
    return bool(run) and any(mark in run[-1] for mark in _REFERENCES)
