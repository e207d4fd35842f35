"""Words that crept in before stay out of code, messages and pages.

Each row says what to write instead. The glossary has one word for each concept.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import kedro_journal

ROOT = Path(kedro_journal.__file__).parent
REPOSITORY = ROOT.parents[1]

PHRASES = {
    r"go(?:es)? on from|went on from": "resumes; continues after",
    r"on record": "recorded",
    r"put on record": "record",
    r"anew": "again",
    r"nobody|somebody|whoever": "name the caller, user, process or reader",
    r"in (?:its|their) stead": "instead",
    r"mend(?:s|ed|ing)?": "repair (a journal), fix (anything else)",
    r"to be had": "available",
    r"as good as none": "ignored",
    r"in vain": "without success",
    r"cannot be told(?! apart)": "is not known",
    r"(?:is|are) told of": "is reported",
    r"the quick way|the whole way": "fast path; ordinary path",
    r"by the clock": "by polling",
    r"let(?:s)? go of": "release",
    r"(?<!there )is no (?:session|runner|journal|project|record|handler)": "is not a ...",
    r"does not read": "is invalid; cannot be parsed",
}
"""Rejected phrase, as a pattern for whole words -> what to write."""

NAMES = {
    "mend": "repair",
    "mutex": "append lock",
    "lease": "append lock",
    "bookmark": "cursor",
    "zombie": "crashed",
    "stale": "crashed; drift",
    "censor": "redact",
    "leader": "owner",
    "producer": "writer",
    "subscribe": "follow",
    "nobody": "none",
    "whoever": "caller",
}
"""Rejected word in a name -> what to write."""

# What is left of former days, by package or page. A number may only be lowered.
ALLOWED_PHRASES: dict[str, int] = {}
ALLOWED_NAMES: dict[str, int] = {}
_PHRASE = re.compile("|".join(rf"\b(?:{one})\b" for one in PHRASES), re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+")
# A JSON key and a published name keep their word: outputs only grow.
_PUBLISHED = re.compile(
    r"(?:datasets_)?\banew\b(?=[,:]|\)|\s*=|`)|datasets_anew|one\.anew"
)


def texts() -> Iterator[tuple[str, Path, str]]:
    """Yield each file with the package or page that it counts for."""
    for path in sorted(ROOT.rglob("*.py")):
        if "starters" not in path.parts:
            place = path.relative_to(ROOT).parts[0]
            yield place, path, path.read_text(encoding="utf-8")
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    for path in sorted(pages):
        if path.name != "CHANGELOG.md":
            yield path.name, path, path.read_text(encoding="utf-8")


def rejected(text: str) -> list[str]:
    """Return the rejected phrases of a text, in order."""
    plain = re.sub(r"\s*\n[#\s]*(?:f?\")?", " ", _PUBLISHED.sub("", text))
    return [found[0] for found in _PHRASE.finditer(plain)]


def names_of(source: str) -> set[str]:
    """Return the names that a module defines: functions, classes, variables."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def test_no_text_has_a_rejected_phrase() -> None:
    counts: Counter[str] = Counter()
    lines = []
    for place, path, text in texts():
        if found := rejected(text):
            counts[place] += len(found)
            lines.append(f"{path.relative_to(REPOSITORY)}: {', '.join(found)}")

    more = {
        place: count
        for place, count in counts.items()
        if count > ALLOWED_PHRASES.get(place, 0)
    }
    assert more == {}, "\n".join([*lines, f"Write instead: {PHRASES}"])


def test_no_name_has_a_rejected_word() -> None:
    counts: Counter[str] = Counter()
    lines = []
    for place, path, text in texts():
        if path.suffix == ".py":
            for name in names_of(text):
                words = {word.lower() for word in _WORD.findall(name)}
                if words & NAMES.keys():
                    counts[place] += 1
                    lines.append(f"{path.relative_to(REPOSITORY)}: {name}")

    more = {
        place: count
        for place, count in counts.items()
        if count > ALLOWED_NAMES.get(place, 0)
    }
    assert more == {}, "\n".join([*lines, f"Write instead: {NAMES}"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It goes on from\n    the last one.", ["goes on from"]),
        ('"the lock is\n        f"mended"', ["mended"]),
        ("Nobody knows", ["Nobody"]),
        ("what is amended", []),
        ("anew: Nodes that ran again", []),
        ("It cannot be told apart", []),
    ],
)
def test_phrases_are_found_across_lines(text: str, found: list[str]) -> None:
    assert rejected(text) == found
