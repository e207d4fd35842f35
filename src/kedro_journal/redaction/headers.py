"""Secrets in headers of HTTP: `Authorization`, `Cookie` and their relatives."""

from __future__ import annotations

import re
from typing import Final

from .late import Late
from .limits import REDACTED
from .names import looks_random, verdict

__all__ = ["mask_headers"]

_START: Final = r"(?:\b|(?<=\\[nrt]))"
_COOKIES: Final = Late(
    rf"(?i){_START}(?P<lead>(?:set-)?cookie\\{{0,8}}['\"]?"
    r"(?:\s{0,8}[:=]|(?<=['\"]),)\s{0,8}(?:b?\\{0,8}['\"])?)(?![\s{(\[])"
    r"(?!(?:none|null|true|false)\b)(?P<value>[^\n'\"\\]+)"
)
_COOKIE: Final = Late(r"(?P<lead>\s{0,8}(?P<name>[\w.\-$]{1,100})=)(?P<value>[^;]*)")
_ATTRIBUTES: Final = frozenset(
    "path domain expires max-age samesite version priority comment".split()  # noqa: SIM905
)
_HARMLESS_COOKIE: Final = Late(
    r"(?:[A-Za-z]{1,20}(?:[-_][A-Za-z]{1,12})?|\d{1,7})\s*\Z"
)
_FIELDS: Final = Late(
    rf"(?i){_START}(?P<lead>(?:proxy-|x-[\w\-]{{1,20}}-)?authorization"
    r"\\{0,8}['\"]?(?:\s{0,8}[:=]|(?<=['\"]),)\s{0,8}(?:b?\\{0,8}['\"])?"
    r"(?:Digest|OAuth|Hawk|Signature|HMAC[\w\-]{0,20}|AWS4-[\w\-]{1,30}|MAC|Escher[\w\-]{0,20}"
    r"|GOOG4-[\w\-]{1,30}|OSS4-[\w\-]{1,30}|TC3-[\w\-]{1,30}|SDK-[\w\-]{1,30}"
    r"|EG1-[\w\-]{1,30}|acs3?-[\w\-]{1,30}|DPoP|MediaBrowser)\s{1,4}(?=[\w\-]{1,60}=))"
    r"(?P<value>[^\n]+)"
)
_FIELD: Final = Late(
    r"(?P<lead>(?:\A|[,;\s])(?P<name>[A-Za-z][\w\-]{0,60})=\\{0,8}[\"']?)"
    r"(?P<value>[^\s,\"'\\]+)"
)
_PUBLIC_FIELDS: Final = frozenset(
    """
    username realm uri algorithm qop nc nonce opaque signedheaders credential keyid
    headers created expires ts id oauth_version oauth_timestamp oauth_signature_method
    oauth_nonce oauth_callback oauth_consumer_key timestamp client version device
    deviceid stale charset userhash signed_headers
    """.split()  # noqa: SIM905
)


def mask_headers(text: str) -> str:
    """Mask the secret parts of headers that have parts, and leave the others."""
    text = _FIELDS.sub(_fields, text)
    return _COOKIES.sub(_cookies, text)


def _fields(match: re.Match[str]) -> str:
    return match["lead"] + _FIELD.sub(_field, match["value"])


def _field(match: re.Match[str]) -> str:
    if match["name"].lower() in _PUBLIC_FIELDS:
        return match[0]
    return match["lead"] + REDACTED


def _cookies(match: re.Match[str]) -> str:
    if "=" not in match["value"]:
        return match["lead"] + REDACTED
    return match["lead"] + _COOKIE.sub(_cookie, match["value"])


def _cookie(match: re.Match[str]) -> str:
    name, value = match["name"].lower(), match["value"]
    if name in _ATTRIBUTES or not value.strip():
        return match[0]
    is_session = verdict(name) == "secret" or "sess" in name or name == "sid"
    if is_session or looks_random(value) or not _HARMLESS_COOKIE.match(value):
        return match["lead"] + REDACTED
    return match[0]
