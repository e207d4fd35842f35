"""Secrets that a text names: `name=value`, `"name": "value"`, `--name value`.

Names are judged as keys of mappings are. A value ends where its quotes, its URL, its
line or the next pair say so. Every step goes forward, so the time is linear.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from typing import Final

from .containers import (
    COOKIES,
    HEADERS,
    Strict,
    begins_parts,
    is_reference,
    structure_of,
)
from .contexts import Pair, below, is_result, is_same, is_sentence, starts_line
from .ends import (
    LINE,
    VALUE_MAX_CHARS,
    end_of_bare,
    end_of_brackets,
    end_of_quoted,
)
from .late import Late
from .limits import REDACTED
from .names import Verdict, is_secret, looks_random, verdict
from .prose import CODE, NOTHING, PROSE, REFERENCE

__all__ = ["Judge", "mask_pairs", "values_of_pairs"]

_NAME_MAX_CHARS: Final = 80
_READ_AGAIN_CHARS: Final = 1024
_BEFORE: Final = Late(r"[\w.\-]{0,80}\Z")
_AFTER: Final = Late(r"[\w.\-]{0,80}")
_WORDS_BEFORE: Final = Late(r"((?:[^\W\d_]{2,20} ){1,2})\Z")
_PHRASE: Final = Late(r"[\w.\- ]+\Z")
_UNSURE_BEFORE: Final = Late(
    r"(?:unexpected|invalid|unknown|bad|missing|wrong|expected|next|illegal|stray"
    r"|undefined|unrecognized|current|previous|each|per|every|of|special|duplicate"
    r"|reserved|unmatched) \Z",
    re.IGNORECASE,
)
_QUOTE: Final = (
    r"\\{0,16}['\"]|&quot;|&\#0?3[49];|&\#x2[27];|&apos;|%2[27]|\\{1,4}u002[27]"
)
_BETWEEN: Final = Late(
    rf"(?P<close>{_QUOTE})?[\])]?\s{{0,8}}"
    r"(?P<sep>[=:]{1,2}>?|->|>|&gt;|%3[dDaA]|\\{1,4}u003[dD])[ \t]{0,8}"
    r"(?:(?<=[: ])(?:str|bytes|int|bool|SecretStr|Any|object|Optional\[str\]"
    r"|str \| None)"
    r"\s{0,8}=\s{0,8})?"
)
# What stands between a name and its value, or before a name.
_SIGN: Final = Late(  # each alternative begins with a literal: `re` is fast then
    r"=|:|>|&gt;|%3[dDaA]|\\u003[dD]|--(?=[A-Za-z])"
    r"|'\s{0,4},(?=\s{0,4}[bBuUrR\\]{0,6}['\"])|\"\s{0,4},(?=\s{0,4}[bBuUrR\\]{0,6}['\"])"
)
_SIGNS: Final = frozenset("=:>'\"&%\\")
_CLOSED: Final = Late(r"(?:&quot;|&#0?3[49];|&#x2[27];|&apos;|%2[27]|u002[27]|['\"])\Z")
_CLOSINGS: Final = frozenset("'\";27")
_NAME_CHARS: Final = string.ascii_letters + string.digits + "_.-"
_PLAIN_ENDS: Final = frozenset(_NAME_CHARS) - _CLOSINGS - {"-"}
_LAST_WORDS: Final = frozenset(
    """
    key keys code id string phrase signature pass url str pin token passe api passwort
    schlüssel sleutel acceso acesso accesso accès secreta segreta secrète password clave
    """.split()  # noqa: SIM905
)
_PADDING: Final = Late(r"\s{1,16}")
_COMMA: Final = Late(
    rf"(?P<close>{_QUOTE})\s{{0,4}},\s{{0,4}}(?=[bBuUrR]{{0,2}}(?:{_QUOTE}))"
)
_GAP: Final = Late(r"\s{1,8}(?!-)")
_OPEN: Final = Late(rf"[bBuUrRfF]{{0,2}}(?P<open>\"\"\"|'''|{_QUOTE})")
# A value of ODBC. It is bounded: braces that never close would take quadratic time.
_BRACES: Final = Late(r"\{(?!['\"\\{])(?:[^}\n]|\}\}){0,256}+\}")
_ESCAPED_NEWLINE: Final = frozenset(["\\n", "\\r", "\\t"])
_NESTED_MAX: Final = 2
_CALL: Final = Late(r"[\w.]{0,60}[\[({]")
_BLOCK: Final = Late(
    r"(?:![\w/]{1,30}[ \t]{1,8})?[|>][+\-]?[ \t]*\n"
    r"((?:[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)+)"
)
_SESSION_ID: Final = Late(r"[\w.!~\-]+")
_QUERY_VALUE: Final = Late(r"[^&\s'\"<>#\\]*")
_ENCODED_VALUE: Final = Late(r"(?:[^%&\s'\"<>#\\;]|%(?!26|3[bB]|22|27))*")
# What stands beside a secret name where names of columns are listed.
_COLUMNS: Final = frozenset(
    "email user username name id login token key value host salt hash role".split()  # noqa: SIM905
)
_CLOSERS: Final = " \t'\"()[]{},;:.\\"
_SCHEMES: Final = frozenset("http https ws wss ftp file".split())  # noqa: SIM905
Judge = Callable[[str], Verdict]


def mask_pairs(
    text: str, judge: Judge, own: Callable[[str], bool] | None = None
) -> str:
    """Replace the values of secret names in a text.

    Args:
        text: Any text.
        judge: Judges a name.
        own: Returns whether several words hold a name that the user gave.
    """
    parts: list[str] = []
    done = 0
    for start, end in _spans(text, judge, own):
        parts += (text[done:start], REDACTED)
        done = end
    if not parts:
        return text
    parts.append(text[done:])
    return "".join(parts)


def values_of_pairs(text: str, judge: Judge) -> list[str]:
    """Return the values of secret names in a text, such as a connection string."""
    return [text[start:end] for start, end in _spans(text, judge)]


def _spans(
    text: str,
    judge: Judge,
    own: Callable[[str], bool] | None = None,
    within: tuple[int, int, int] | None = None,
) -> Iterator[tuple[int, int]]:
    """Yield where values stand. Signs are rare: from each one looks back for a name.

    `within` says where to begin and to end, and how deep that is.
    """
    done, stop, depth = within or (0, len(text), 0)
    # What is left to read of values that stay: they may overlap, each up to its bound.
    left = 4 * (stop - done) + _READ_AGAIN_CHARS
    while (sign := _SIGN.search(text, done)) and sign.start() < stop:
        at = sign.start()
        start, end = _name_before(text, at, done)
        if sign[0].startswith("--"):
            start, end = at, _AFTER.get().match(text, at).end()  # type: ignore[union-attr]
            if _BETWEEN.match(text, end):
                done = max(end, at + 1)
                if text[done : done + 1] not in _SIGNS:
                    continue
        done = max(done, sign.end())
        name, kind = _judged(text, start, end, judge, own)
        if kind == "harmless" and isinstance(judge, Strict):
            done = _after_quoted(text, start, end, done)
        if kind == "harmless" or is_reference(text, start):
            continue
        between = _between(text, start, end, name)
        if between is None:
            continue
        at, sep = between
        pair = Pair(name, start, sep, _in_query(text, start), starts_line(text, start))
        span = _value(text, at, pair)
        done = max(done, at)
        if span is None or span[0] >= stop or span[0] >= span[1]:
            continue
        span = (span[0], min(span[1], stop))
        left -= span[1] - span[0]
        if left < 0:  # only a text that is made for it: fail closed
            yield span
            done = max(span[1], at)
            continue
        if not _hides(text, span, pair, kind) or _is_masked_in_parts(text, name, span):
            continue
        left += span[1] - span[0]
        yield from _parts(text, name, span, judge, own, depth)
        done = max(span[1], at)


def _is_masked_in_parts(text: str, name: str, span: tuple[int, int]) -> bool:
    """Return whether the scan goes on within a value, whose parts are judged alone."""
    low, value = name.lower(), text[span[0] : span[1]]
    if (low in HEADERS and REDACTED in value) or (low in COOKIES and "=" in value):
        return True
    return begins_parts(name, text, span[0])


def _parts(
    text: str,
    name: str,
    span: tuple[int, int],
    judge: Judge,
    own: Callable[[str], bool] | None,
    depth: int,
) -> list[tuple[int, int]]:
    """Return what to mask of a value: its secret parts, else the whole."""
    value = text[span[0] : span[1]]
    structure = structure_of(name, value) if depth < _NESTED_MAX else ""
    if not structure:
        return [span]
    loose = judge.base if isinstance(judge, Strict) else judge
    judges = Strict(judge) if structure == "mapping" else loose
    inner = list(_spans(text, judges, own, (*span, depth + 1)))
    return inner if inner or REDACTED in value else [span]


def _judged(
    text: str,
    start: int,
    end: int,
    judge: Judge,
    own: Callable[[str], bool] | None,
) -> tuple[str, Verdict]:
    """Return the name that stands before a sign, and its kind."""
    name = text[start:end]
    kind = judge(name.lstrip("-.")) if name else "harmless"
    if kind == "harmless" and own is not None and name:
        words = _PHRASE.search(text[max(0, start - _NAME_MAX_CHARS) : end])
        if words and own(words[0]):
            return name, "secret"
    if kind == "harmless":
        name = _joined(text, start, name)
        kind = judge(name) if name else "harmless"
    return name, kind


def _name_before(text: str, at: int, low: int) -> tuple[int, int]:
    """Return where the name begins and ends that stands before a sign."""
    start = max(low, at - _NAME_MAX_CHARS - 24)
    before = text[start:at]
    if before[-1:] not in _PLAIN_ENDS:  # quotes, brackets or blanks stand between
        before = before.rstrip("-=:\\")
        before = before[:-8] + before[-8:].rstrip(" \t")
        if before.endswith(("]", ")")):
            before = before[:-1]
        entity = _CLOSED.search(before[-9:]) if before[-1:] in _CLOSINGS else None
        if entity is not None:
            before = before[: len(before) - len(entity[0])].rstrip("\\")
    short = before[-_NAME_MAX_CHARS:]
    name = short[len(short.rstrip(_NAME_CHARS)) :]
    if len(name) < len(short) and ord(short[-len(name) - 1]) > 127:
        found = _BEFORE.search(short)
        name = found[0] if found else name
    end = start + len(before)
    first = end - len(name)
    if len(name) > 1 and text[first - 1 : first + 1] in _ESCAPED_NEWLINE and first > 0:
        first += 1
    return first, end


def _joined(text: str, start: int, last: str) -> str:
    """Return a name of several words, such as `Access Key`; empty if it is none."""
    if last.lower() not in _LAST_WORDS:
        return ""
    words = _WORDS_BEFORE.search(text[max(0, start - 42) : start])
    return words[1].replace(" ", "_") + last if words else ""


def _between(text: str, start: int, end: int, name: str) -> tuple[int, str] | None:
    """Return where the value begins and what stands before it."""
    found = _BETWEEN.match(text, end)
    if found and _is_separator(text, start, end, found):
        at = found.end()
        if text[at : at + 1] in ("\n", "\r"):  # a value on its own line
            padding = _PADDING.match(text, at)
            after = padding.end() if padding else at
            if found["close"] and _OPEN.match(text, after):
                at = after
        return at, found["sep"]
    comma = _COMMA.match(text, end)
    if comma is not None:
        is_first = text[max(0, start - len(comma["close"]) - 1) : start][:1] == "("
        if name.startswith("--") or is_first:
            return comma.end(), ","
    if name.startswith("--"):
        gap = _GAP.match(text, end)
        if gap is not None:
            return gap.end(), " "
    return None


def _is_separator(text: str, start: int, end: int, found: re.Match[str]) -> bool:
    """Return whether what follows a name leads to its value."""
    sep = found["sep"]
    if sep in (">", "&gt;"):  # of a tag, not of a comparison and not of its end
        before = text[max(0, start - 4) : start]
        return found.end("sep") - end <= 4 and before.endswith(("<", "&lt;"))
    if sep == ":" and text.startswith("//", found.end("sep")):
        return text[start:end].lower() not in _SCHEMES
    if sep == "==":
        return _OPEN.match(text, found.end()) is not None
    return True


def _after_quoted(text: str, start: int, end: int, done: int) -> int:
    """Return where a quoted value ends that stays; `done` if there is none."""
    found = _BETWEEN.match(text, end)
    opened = _OPEN.match(text, found.end()) if found else None
    if opened is None:
        return done
    return max(done, end_of_quoted(text, opened.end(), opened["open"]))


def _in_query(text: str, start: int) -> bool:
    before = text[max(0, start - 6) : start]
    return before.endswith(("?", "&", "&amp;", "u0026")) or before[-3:].upper() in (
        "%26",
        "%3F",
    )


def _hides(  # noqa: PLR0911 - one for each exception
    text: str, span: tuple[int, int], pair: Pair, kind: Verdict
) -> bool:
    """Return whether what stands there is a secret, for a name of this kind."""
    start, end = span
    if start >= end or text.startswith(REDACTED, start):
        return False
    value = text[start:end]
    if (pair.sep == "," and value in _COLUMNS) or not value.strip(_CLOSERS):
        return False
    if value[-1] == ":" and value[:-1].isalpha() and text[end : end + 1] == " ":
        return False  # the next label of a sentence
    if is_result(text, span, pair) or is_sentence(text, start, pair):
        return False
    if kind == "value" and text[pair.start - 1 : pair.start] == ";":
        return len(value) >= 8  # of a connection string
    if kind == "secret" and pair.name.lower().endswith("token"):
        before = text[max(0, pair.start - 16) : pair.start]
        if _UNSURE_BEFORE.search(before) and pair.sep in (":", "="):
            return looks_random(value)
    is_own = kind == "secret" and verdict(pair.name) == "harmless"  # of the user
    if (
        not is_own
        and value.isdigit()
        and len(value) < 16
        and text[start - 1] not in "'\""
    ):
        return is_secret(pair.name, int(value))
    return is_own or is_secret(pair.name, value)


def _value(  # noqa: C901, PLR0911, PLR0912 - one for each way to write a value
    text: str, at: int, pair: Pair
) -> tuple[int, int] | None:
    """Return where the value begins and ends; None if there is none to hide."""
    if text.startswith(REDACTED, at):
        return None
    if (end := _end_of_braces(text, at, pair)) > at:
        return at, end
    if text[at : at + 1] == "\n":
        return below(text, at, pair)
    if REFERENCE.match(text, at):
        return None
    if text[at - 2 : at] == "= " and CODE.match(text, at):
        return None
    if pair.name.lower().endswith("sessionid") and text[pair.start - 1] == ";":
        session = _SESSION_ID.match(text, at)
        return (at, session.end()) if session else None
    if NOTHING.match(text, at) or is_same(text, at, pair.name):
        return None
    opened = _OPEN.match(text, at)
    if opened is not None:
        inner = opened.end()
        if REFERENCE.match(text, inner) or text.startswith(REDACTED, inner):
            return None
        return inner, end_of_quoted(text, inner, opened["open"])
    block = _BLOCK.match(text, at)
    if block is not None:
        lines = block[1]
        indented = block.start(1) + len(lines) - len(lines.lstrip())
        return indented, block.start(1) + len(lines.rstrip())
    if pair.in_query or pair.sep[0] in "%\\":
        pattern = _ENCODED_VALUE if pair.sep[0] in "%\\" else _QUERY_VALUE
        found = pattern.match(text, at)
        end = found.end() if found else at
        return at, at + len(text[at:end].rstrip(").,;]}"))
    if pair.sep in (">", "&gt;"):
        close = text.find("</" if pair.sep == ">" else "&lt;/", at)
        line = LINE.match(text, at)
        end = line.end() if line else at
        return at, close if 0 <= close <= at + VALUE_MAX_CHARS else end
    if PROSE.match(text, at):
        return None
    call = _CALL.match(text, at)
    if call is not None:
        return at, end_of_brackets(text, call.end() - 1)
    is_line = pair.starts_line and pair.sep == ":" and text[at - 1] in " \t"
    return at, end_of_bare(text, at, pair.name, pair.sep, is_line=is_line)


def _end_of_braces(text: str, at: int, pair: Pair) -> int:
    """Return where a value of ODBC in braces ends; *at* if there is none."""
    if text[at : at + 1] != "{" or pair.sep != "=":
        return at
    braces = _BRACES.match(text, at)
    # A name alone in braces is a placeholder of a template.
    return at if braces is None or braces[0][1:-1].isidentifier() else braces.end()
