"""Names whose values are taken for secrets."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PARTS", "is_secret_name"]

PARTS: Final = re.compile(r"[.:/\[\]]")
"""What separates the parts of a dotted name, a path or a key of a catalog."""

_NAME: Final = re.compile(
    r"pass(word|wd|phrase|code)|(^|[-_. ]|db|user)pass$|pwd|secret|credential"
    r"|(^|[^a-z])(auth|pat|psk)$|authorization|api[-_ .]?key|access[-_ .]?key"
    r"|account[-_ .]?key|private[-_ .]?(key|pem)|signing[-_ .]?key"
    r"|encryption[-_ .]?key|ssh[-_ .]?key|tokens?$|token[-_ .]?(value|secret|key)$"
    r"|(^|[-_.])tokens?[-_ .]?(\d+|prod|production|dev|test|staging|live|main|admin"
    r"|read|write|ro|rw|old|new|primary|secondary|default|backup)$"
    r"|passwort|bearer|cookie|session[-_ .]?key|connection[-_ .]?string|conn[-_ .]?str"
    r"|(^|[-_.])dsn$|sas[-_ .]?(token|url)|webhook|otp$",
    re.IGNORECASE,
)
# cls_token, max_tokens, cookiecutter and the like are words of the trade.
_INNOCENT: Final = re.compile(
    r"(cls|sep|pad|unk|mask|bos|eos|special|stop|image|start|end|max|min|num|n|per)"
    r"[-_]?(new[-_]?)?tokens?$|token(izer|ize|s?_(count|limit|length|per|ids?|type))"
    r"|cookiecutter|secretar",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Tell whether what stands under this name is taken for a secret."""
    last = re.split(r"[.:/\[\]]", name.strip())[-1] or name
    return bool(_NAME.search(last)) and not _INNOCENT.search(last)
