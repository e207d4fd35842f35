"""Names whose values are taken for secrets."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PARTS", "is_secret_name"]

PARTS: Final = re.compile(r"[.:/\[\]]")
"""What separates the parts of a dotted name, a path or a key of a catalog."""

_NAME: Final = re.compile(
    r"pass(word|wd|phrase|code)|passwort|pwd|secret|credential"
    r"|^pass$|(db|user|usr|ftp|smtp|mail|admin|root|proxy|login|my|pg)[-_. ]?pass$"
    r"|(^|[-_. ])pw$|(^|[^a-z])(auth|pat|psk)$|authorization"
    r"|(api|access|account|private|signing|encryption|ssh|storage|master|shared"
    r"|subscription|app|fernet|hmac|license|session|service)[-_ .]?key"
    r"|private[-_ .]?pem|tokens?$|token[-_ .]?(value|secret|key)$"
    r"|(^|[-_.])tokens?[-_ .]?(\d+|prod|production|dev|test|staging|live|main|admin"
    r"|read|write|ro|rw|old|new|primary|secondary|default|backup)$"
    r"|bearer|cookie|connection[-_ .]?string|conn[-_ .]?str"
    r"|(^|[-_.])dsn$|sas[-_ .]?(token|url)|webhook|otp$",
    re.IGNORECASE,
)
_HINTS: Final = (  # every name that is taken for a secret holds one of these
    *("pass", "pwd", "pw", "secret", "credential", "auth", "pat", "psk", "key", "pem"),
    *("token", "bearer", "cookie", "conn", "dsn", "sas", "webhook", "otp"),
)
# cls_token, max_tokens, cookiecutter and the like are words of the trade; so is what
# is said about a secret without being it, such as password_length.
_INNOCENT: Final = re.compile(
    r"(cls|sep|pad|unk|mask|bos|eos|special|stop|image|start|end|max|min|num|n|per)"
    r"[-_]?(new[-_]?)?tokens?$|token(izer|ize|s?_(count|limit|length|per|ids?|type))"
    r"|(total|input|output|context|added|prompt|completion|new|text)[-_]tokens$"
    r"|cookiecutter|secretar|(^|[-_])use[-_]auth$"
    r"|[-_](length|count|required|consent|enabled|policy|file|path|column|field)$",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Tell whether what stands under this name is taken for a secret."""
    low = name.casefold()
    if not any(hint in low for hint in _HINTS):
        return False
    last = PARTS.split(name.strip())[-1] or name
    return bool(_NAME.search(last)) and not _INNOCENT.search(last)
