"""What stands around a secret name and its value: tests, sentences, YAML, code."""

from __future__ import annotations

from typing import Final, NamedTuple

from .late import Late
from .prose import NOTHING, PROSE, REFERENCE

__all__ = ["Pair", "below", "is_result", "is_same", "is_sentence", "starts_line"]

_LINE_START: Final = Late(r"(?:\A|\n)[ \t]*(?:-[ \t]+|export[ \t]+|#[ \t]*)?['\"]?\Z")
# A scalar of YAML on the line below its name, indented and without blanks.
_BELOW: Final = Late(
    r"\n(?P<indent>[ \t]{1,40})(?P<value>'[^'\n]{1,300}'|\"[^\"\n]{1,300}\""
    r"|[^\s:#{}\[\]\-<>|'\"][^\s]{0,300})[ \t]{0,8}(?=\n|\Z)"
)
_INDENT: Final = Late(r"(?:\A|\n)([ \t]*)(?:-[ \t]+)?['\"]?\Z")
_COUNTS: Final = Late(
    r"(?i)\b(?:fail|warn|error|skip|total)\w{0,3}\s{0,2}[=:]\s{0,2}\d"
)
_RESULTS: Final = frozenset("pass passed fail failed ok skipped".split())  # noqa: SIM905
_NOUNS: Final = frozenset("secret geheimnis secreto segreto segredo".split())  # noqa: SIM905
_ARTICLE: Final = Late(
    r"(?i)\b(?:the|a|my|our|your|her|his|their|das|ein|mein|unser|ihr|sein|el|un|su|il|o"
    r"|um) \Z"
)
_PLAIN_WORD: Final = Late(r"[^\W\d_]+(?=[\s,.;]|\Z)")


class Pair(NamedTuple):
    """A name in a text, and what is known of where it stands."""

    name: str
    start: int
    sep: str
    in_query: bool
    starts_line: bool


def starts_line(text: str, start: int) -> bool:
    return _LINE_START.search(text[max(0, start - 40) : start] or "") is not None and (
        start < 40 or "\n" in text[start - 40 : start]
    )


def is_result(text: str, span: tuple[int, int], pair: Pair) -> bool:
    """Return whether `pass` is a result of tests there: `PASS=11 WARN=0`."""
    if pair.name.lower() != "pass":
        return False
    value = text[span[0] : span[1]]
    if value in _RESULTS:
        return True
    if not value.isdigit() or len(value) > 6:
        return False
    around = text[max(0, pair.start - 80) : span[1] + 80]
    return _COUNTS.search(around) is not None


def is_sentence(text: str, start: int, pair: Pair) -> bool:
    """Return whether a noun with an article is explained: `The secret: practice`."""
    if pair.sep != ":" or pair.name.lower() not in _NOUNS:
        return False
    if not _ARTICLE.search(text[max(0, pair.start - 8) : pair.start]):
        return False
    return _PLAIN_WORD.match(text, start) is not None


def below(text: str, at: int, pair: Pair) -> tuple[int, int] | None:
    """Return where a value stands that YAML has on the line below its name."""
    found = _BELOW.match(text, at)
    if found is None or pair.sep != ":" or not pair.starts_line:
        return None
    own = _INDENT.search(text[max(0, pair.start - 44) : pair.start])
    if own is None or len(found["indent"]) <= len(own[1]):
        return None
    if found["value"].endswith(":"):  # the name of what is nested
        return None
    if NOTHING.match(text, found.start("value")):
        return None
    value = found["value"]
    quoted = len(value) > 2 and value[0] == value[-1] and value[0] in "'\""
    if not quoted and (REFERENCE.match(value) or PROSE.match(value)):
        return None
    return found.start("value") + quoted, found.end("value") - quoted


def is_same(text: str, at: int, name: str) -> bool:
    """Return whether source code passes on what has the same name."""
    names = {name, name.rpartition(".")[2].lstrip("_")} - {""}
    return any(
        text.startswith(one, at)
        and text[at + len(one) : at + len(one) + 1] in (".", ",", ")", "")
        for one in names
    )
