"""What to mask where a form of a secret was found: all of it, a part, or nothing.

Each function takes the match of a pattern of `shapes` and returns what is written.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from kedro_journal._outside import let_through

from .limits import REDACTED
from .names import is_secret, looks_random
from .prose import NOTHING, PROSE

__all__ = [
    "mask_basic",
    "mask_named",
    "mask_part",
    "mask_pgpass",
    "mask_segment",
    "mask_spaced",
    "mask_stated",
    "mask_told",
    "mask_word_value",
]

_CHOSEN: Final = re.compile(
    r"(?=\S*\d)(?=\S*[A-Z])(?=\S*[a-z])(?=\S*[!#$%^&*?+@])[^\s/()]{8,40}\Z"
)
# A word as a person makes it up for a password: two cases and a digit.
_MIXED: Final = re.compile(
    r"(?=[A-Za-z]*\d)(?=[a-z\d]*[A-Z])(?=[A-Z\d]*[a-z])[A-Za-z\d]{8,40}\Z"
)
_METHOD: Final = re.compile(
    r"(?i)(?:sha|md5|base(?:32|64)|utf|aes|oauth|x509|pbkdf|argon|bcrypt|pkcs|ed25519)"
)
_URL_CHARS: Final = 400
_NAME_TAIL: Final = re.compile(r"[\w.\-]{0,60}\Z")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{40}\Z|[0-9a-f]{64}\Z|v?\d[\d.]+\Z")


_HOST: Final = re.compile(r"(?:^|(?<=[\s'\"]))[A-Za-z*\d][\w.\-]{0,78}\Z")
_CODE: Final = re.compile(
    r"\.(?:py|ipynb|js|ts|c|h|cpp|java|go|rs|yml|yaml|sql|txt|log|md|sh|R|scala|toml"
    r"|json)\Z"
)
_LEVEL: Final = re.compile(r":(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL):\Z", re.I)


def mask_basic(match: re.Match[str]) -> str:
    """Basic credentials are base64 of user:password; other words stay."""
    try:
        text = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4))
    except ValueError as error:
        let_through(error)
        return match[0]
    return f"{match[1]}{REDACTED}" if b":" in text else match[0]


def mask_named(match: re.Match[str]) -> str:
    """Mask a value where the name beside it is secret."""
    value = match["value"]
    if not is_secret(match["name"], value.strip("'\"")) or NOTHING.match(value):
        return match[0]
    return match["lead"] + REDACTED


def mask_part(match: re.Match[str]) -> str:
    """Mask a generated part of the path of a URL or of a request, not of a file."""
    before = match.string[max(0, match.start() - _URL_CHARS) : match.start()]
    words = before.split()
    run = words[-1] if words and not before[-1].isspace() else ""
    is_inside = len(run) < len(before) and run[:1] in ("", "/", "'", '"')
    is_inside = is_inside or run[:1] in ("'", '"')
    return mask_segment(match) if is_inside or "://" in run else match[0]


def mask_segment(match: re.Match[str]) -> str:
    """Mask what looks generated, and is no UUID or file."""
    value = match["value"]
    hidden = looks_random(value) and not _UUID.match(value) and not _DIGEST.match(value)
    return match["lead"] + REDACTED if hidden else match[0]


def mask_pgpass(match: re.Match[str]) -> str:
    """Mask the last part of such a line, and leave places in source code."""
    before = match.string[max(0, match.start() - 80) : match.start()]
    host = _HOST.search(before)
    if host is None or _CODE.search(host[0]) or _LEVEL.search(match["lead"]):
        return match[0]
    return match["lead"] + REDACTED


def mask_word_value(match: re.Match[str]) -> str:
    """Mask what was typed at a prompt, and leave sentences."""
    if PROSE.match(match["value"]) or NOTHING.match(match["value"]):
        return match[0]
    return match[1] + REDACTED


def mask_stated(match: re.Match[str]) -> str:
    """Mask a value in quotes behind the word of SQL that names it."""
    if match["name"].isupper() or looks_random(match["value"]):
        return f"{match['lead']}'{REDACTED}'"
    return match[0]


def mask_spaced(match: re.Match[str]) -> str:
    """Mask what looks generated behind a secret name and a blank."""
    text, value = match.string, match["value"]
    if not looks_random(value) or _UUID.match(value):
        return match[0]
    before = _NAME_TAIL.search(text[max(0, match.start() - 60) : match.start()])
    name = f"{before[0] if before else ''}{match['name']}"
    hidden = is_secret(name, value)
    return f"{match['lead']}{REDACTED}" if hidden else match[0]


def mask_told(match: re.Match[str]) -> str:
    """Mask what a sentence tells, if it looks generated: `the password is X`."""
    value = match[2].rstrip(".,;:!?)'\"")
    is_mixed = _MIXED.match(value) and not _METHOD.match(value)
    if not (is_mixed or looks_random(value) or _CHOSEN.match(match[2])):
        return match[0]
    return f"{match[1]}{REDACTED}{match[2][len(value) :]}"
