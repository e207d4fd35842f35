"""Secrets that a text shows by its form: known tokens, URLs, name=value."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from kedro_journal._outside import let_through

from .limits import REDACTED

__all__ = [
    "SHAPES",
    "WORD_HINTS",
    "mask_named",
    "may_be_shaped",
    "named",
    "secret_words",
]

_WORDS_OF_SECRETS: Final = (
    r"password|passwd|passphrase|passcode|passwort|pwd|secret|token|api[_\-]?key"
    r"|access[_\-]?key|account[_\-]?key|private[_\-]?key|storage[_\-]?key"
    r"|master[_\-]?key|subscription[_\-]?key|license[_\-]?key|credential"
    r"|authorization|cookie|(?<![a-zA-Z0-9])pw(?=\s?[=:])"
)
# What may stand between a name and its value: =, :, =>, >, also quoted and escaped.
_BETWEEN: Final = r"\\{0,4}['\"]?\s{0,8}(?:[=:]{1,2}>?|>|%3[dD])\s{0,8}"
# A value: quoted, perhaps with a prefix or escaped; something in brackets or a call,
# whose end cannot be told, to the end of the line; or up to a separator.
_VALUE: Final = (
    r"(?:[A-Za-z]{0,2}\"(?:[^\"\\\n]|\\.)*+(?:\"|\Z)"
    r"|[A-Za-z]{0,2}'(?:[^'\\\n]|\\.)*+(?:'|\Z)"
    r"|\\{1,4}['\"](?:[^\\\n]|\\(?!\\{0,3}['\"]))*+(?:\\{1,4}['\"])?"
    r"|[\w.]{0,60}[\[({][^\n]*"
    r"|[^\s,;&'\")\]}<]+)"
)


_NAME_BEFORE: Final = re.compile(r"[\w.\-]{0,80}\Z")
_VALUE_AT: Final = re.compile(_VALUE)


def named(words: str) -> re.Pattern[str]:
    """Match a name that holds one of *words*, and what stands before its value.

    What the name begins with is looked up behind the match: searched for, it would
    take quadratic time on a long text without spaces.
    """
    name = rf"(?P<name>(?:{words})[\w.\-]{{0,80}}+)"
    return re.compile(rf"(?i){name}(?P<between>{_BETWEEN}|\s{{1,8}}(?!-))")


def mask_named(
    text: str, pattern: re.Pattern[str], is_secret: Callable[[str], bool]
) -> str:
    """Hide name=value, name: value, "name": "value", --name value."""
    parts: list[str] = []
    done = 0
    while match := pattern.search(text, done):
        start = match.start()
        before = _NAME_BEFORE.search(text[max(0, done, start - 80) : start])
        name = (before[0] if before else "") + match["name"]
        value = None
        # Without a sign between them, only after --: else it is words in a sentence.
        if match["between"].strip() or name.startswith("--"):
            value = is_secret(name.lstrip("-")) and _VALUE_AT.match(text, match.end())
        parts.append(text[done : match.end()])
        done = match.end()
        if value:
            parts.append(REDACTED)
            done = value.end()
    parts.append(text[done:])
    return "".join(parts)


def _mask_basic(match: re.Match[str]) -> str:
    """Basic credentials are base64 of user:password; other words stay."""
    try:
        text = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4))
    except ValueError as error:
        let_through(error)
        return match[0]
    return f"{match[1]}{REDACTED}" if b":" in text else match[0]


class Shape(NamedTuple):
    """A known form of secrets in texts.

    Attributes:
        hints: Lower-case texts of which it always holds one: a cheap first look.
        pattern: Finds it. Compiled when its hint is met: most never are.
        replacement: What is put in its place.
    """

    hints: tuple[str, ...]
    pattern: str
    replacement: str | Callable[[re.Match[str]], str] = REDACTED

    def mask(self, text: str) -> str:
        """Hide what it finds."""
        return _compiled(self.pattern).sub(self.replacement, text)


_compiled: Final = functools.cache(re.compile)


WORD_HINTS: Final = (
    *("pass", "pw", "secret", "token", "key", "credential", "authorization"),
    "cookie",
)
SHAPES: Final = (
    Shape(
        ("private key",),
        "(?s)"
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
        r".*?(-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    ),
    Shape(
        ("akia", "asia", "aroa", "aida"),
        r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b",
    ),
    Shape(
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    ),
    Shape(("github_pat_",), r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    Shape(("glpat-",), r"\bglpat-[A-Za-z0-9_\-]{16,}"),
    Shape(("xox",), r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}"),
    Shape(("sk-",), r"\bsk-[A-Za-z0-9_\-]{20,}"),
    Shape(("k_live_", "k_test_"), r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    Shape(("aiza",), r"\bAIza[A-Za-z0-9_\-]{30,}"),
    Shape(("ya29.",), r"\bya29\.[A-Za-z0-9_\-]{20,}"),
    Shape(("hf_",), r"\bhf_[A-Za-z0-9]{20,}"),
    Shape(("pypi-",), r"\bpypi-[A-Za-z0-9_\-]{20,}"),
    Shape(("npm_",), r"\bnpm_[A-Za-z0-9]{30,}"),
    Shape(("sg.",), r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    Shape(("dop_v1_",), r"\bdop_v1_[0-9a-f]{32,}"),
    Shape(("glptt-",), r"\bglptt-[A-Za-z0-9_\-]{16,}"),
    Shape(("xapp-",), r"\bxapp-[A-Za-z0-9\-]{10,}"),
    Shape(
        ("hooks.slack.com",),
        r"(hooks\.slack\.com/services/)[^\s'\"<>]+",
        rf"\1{REDACTED}",
    ),
    Shape(("dapi",), r"\bdapi[0-9a-f]{32}\b"),
    Shape(
        ("eyj",),
        r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*",
    ),
    # user:password@host in any URL, the host kept
    Shape(("://",), r"(://)[^/\s'\"<>?#]*@", rf"\1{REDACTED}@"),
    # the same where the password holds /, ? or #; a port is no password
    Shape(
        ("://",),
        r"(://)[^\s:/@?#'\"<>]{0,200}:(?!\d{1,5}(?:[/?#\s]|\Z))[^\s@'\"<>]{0,500}@"
        r"(?:[^\s@/'\"<>]{0,200}@){0,5}",
        rf"\1{REDACTED}@",
    ),
    Shape(
        ("bearer",),
        r"(?i)\b(bearer\s{1,8})[A-Za-z0-9+/=_.~\-]{8,}",
        rf"\1{REDACTED}",
    ),
    Shape(
        ("basic",),
        r"(?i)\b(basic\s{1,8})([A-Za-z0-9+/_\-]{8,}=*)",
        _mask_basic,
    ),
    # headers: schemes and pairs follow, up to the end of the line
    Shape(
        ("authorization", "cookie"),
        r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)"
        r"(\\{0,4}['\"]?\s{0,8}[:=]\s{0,8})(?!\\{0,4}['\"\s])[^\n'\"\\]+",
        rf"\1\2{REDACTED}",
    ),
    Shape(
        ("sig", "code=", "key="),
        r"([?&](?:sig|signature|code|key|X-Amz-Signature)=)[^&\s'\"]+",
        rf"\1{REDACTED}",
    ),
)


@functools.cache
def secret_words() -> re.Pattern[str]:
    """Match a name that holds a word for a secret, with what stands behind it."""
    return named(_WORDS_OF_SECRETS)


_EVERY_HINT: Final = frozenset(
    [*WORD_HINTS, *(hint for shape in SHAPES for hint in shape.hints)]
)
_ANY_HINT: Final = re.compile("|".join(sorted(map(re.escape, _EVERY_HINT))))
_SHORT_CHARS: Final = 300  # a longer text is searched sooner for one hint at a time


def may_be_shaped(low: str) -> bool:
    """Tell whether a short text, in lower case, holds any hint at all; most do not."""
    return len(low) > _SHORT_CHARS or _ANY_HINT.search(low) is not None
