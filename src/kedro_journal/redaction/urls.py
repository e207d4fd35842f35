"""Secrets in URLs: user information, and signatures in queries."""

from __future__ import annotations

import re
from typing import Final

from .late import Late
from .limits import REDACTED
from .names import looks_random

__all__ = ["mask_signatures", "mask_users", "password_of_url"]

_SLASHES: Final = Late(r":(?:\\{0,4}/){2}|%3[aA](?:%2[fF]){2}")
_SCHEME: Final = Late(r"[A-Za-z0-9+.\-]{1,30}\Z")
_AUTHORITY: Final = Late(r"[^/\s'\"<>?#\\]{0,1000}")
_WIDE: Final = Late(
    r"(?P<user>[^\s:/@?#'\"<>]{0,200}):(?P<password>[^\n@]{1,300})"
    r"(?P<more>(?:@[^\s@/'\"<>]{0,200}){0,5})@(?=[\[A-Za-z0-9])"
)
_ENCODED: Final = Late(r"[^\s/&'\"<>%]{0,200}%3[aA][^\s/&'\"<>]{0,300}?%40")
_PORT: Final = Late(r"\d{1,5}(?:[/?#\s]|\Z)")
# Schemes with a container, an account or a well-known user before the host.
_USER_MAX_CHARS: Final = 600
_OPEN_USERS: Final = frozenset(
    "abfs abfss wasb wasbs adl ssh sftp git git+ssh svn+ssh rsync".split()  # noqa: SIM905
)
# Schemes of databases, where a lone user is a login and no token.
_DATABASES: Final = Late(
    r"(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|snowflake|redshift|hive|trino|presto"
    r"|clickhouse|vertica|db2|teradata|impala|exa|cockroachdb)(?:\+\w{1,20})?\Z"
)
_LOGIN: Final = Late(r"[A-Za-z][A-Za-z_.\-]{1,30}\Z")
_WEB: Final = frozenset("http https ws wss ftp file".split())  # noqa: SIM905
_QUERY: Final = Late(
    r"(?P<lead>(?:[?&;]|%3[fF]|%26|&amp;|\\{1,4}u0026)"
    r"(?i:(?P<name>(?:x-(?:amz|goog|oss|tos|bce|cos)-)?(?:signature|security-token)"
    r"|sig|code|key|token|hmac|q-signature|ossaccesskeyid|policy|auth(?:key)?"
    r"|subscription-key|st|jwt|ticket|sign|appid|app_id|rlkey|app[_\-]?key|devid"
    r"|(?:user|dev|ws|hapi|service|registration|crtfc|maps?|license|r)[_\-]?key)(?:=|%3D|\\{1,4}u003d)))"
    r"(?P<value>(?:[^&\s'\"<>#\\%]|%(?!26))+)"
)
_PLAIN_VALUE: Final = Late(r"(?:[A-Za-z_.\-]{1,16}|\d{1,7}|[\d.\-T:Z%A]{1,32})\Z")
_SIGNATURES: Final = ("signature", "security-token", "sig", "hmac")


def mask_signatures(text: str) -> str:
    """Replace signatures in the queries of URLs in a text."""
    if "?" in text or "&" in text or ";" in text or "%" in text or "u0026" in text:
        return _QUERY.sub(_mask_query, text)
    return text


def mask_users(text: str) -> str:
    """Replace user information in the URLs of a text."""
    parts: list[str] = []
    done = 0
    while match := _SLASHES.search(text, done):
        end = _end_of_user(text, match)
        parts.append(text[done : match.end()])
        done = match.end()
        if end > done:
            parts.append(REDACTED)
            done = end
    parts.append(text[done:])
    return "".join(parts)


def password_of_url(text: str) -> str:
    """Return the password in a text that is one URL; empty if there is none."""
    match = _SLASHES.search(text[:64])
    if match is None:
        return ""
    end = _end_of_user(text, match)
    user = text[match.end() : end]
    return user.partition(":")[2]


def _end_of_user(text: str, match: re.Match[str]) -> int:
    """Return where the user information ends that follows the slashes; 0 if none."""
    start = match.end()
    found = _SCHEME.search(text[max(0, match.start() - 30) : match.start()])
    scheme = found[0].lower() if found else ""
    if match[0].startswith("%"):
        encoded = _ENCODED.match(text, start)
        return encoded.end() - 3 if encoded else 0
    authority = _AUTHORITY.match(text, start)
    run = authority[0] if authority else ""
    if "@" in run:
        user = run[: run.rindex("@")]
        if ":" not in user and (scheme in _OPEN_USERS or _is_login(user, scheme)):
            return 0
        return start + len(user)
    if text.find("@", start, start + _USER_MAX_CHARS) < 0:
        return 0
    wide = _WIDE.match(text, start)
    if wide is None or not _is_password(wide, scheme):
        return 0
    return wide.end() - 1


def _is_login(user: str, scheme: str) -> bool:
    """Return whether a lone user in the URL of a database is the name of a login."""
    return bool(_DATABASES.match(scheme) and _LOGIN.match(user))


def _is_password(wide: re.Match[str], scheme: str) -> bool:
    """Return whether what stands between a colon and an `@` is a password."""
    user, password = wide["user"], wide["password"]
    if (
        "://" in password
        or password.startswith("//")
        or password.count(" ") > 3
        or password.endswith("/")
    ):
        return False
    if any(mark in password for mark in ("', ", '", ', "') ", "' ", '" ', "')", '")')):
        return False
    is_port = _PORT.match(password)
    if not is_port:
        return True
    return scheme not in _WEB and "." not in user and user != "localhost"


def _mask_query(match: re.Match[str]) -> str:
    name, value = match["name"].lower(), match["value"]
    if value == REDACTED:
        return match[0]
    if name.endswith(_SIGNATURES) or name == "sign":
        return match["lead"] + REDACTED
    if name.endswith(("appid", "app_id", "key", "devid")) and len(name) > 4:
        hidden = looks_random(value) and len(value) >= 16
        if name.startswith(("auth", "subscription")):
            hidden = True
        return match["lead"] + REDACTED if hidden else match[0]
    if name in ("policy", "st", "code", "key", "token", "ticket", "auth"):
        hidden = not _PLAIN_VALUE.match(value)
        if name in ("policy", "st"):
            is_json = value.startswith("eyJ")  # in base64
            hidden = looks_random(value) and (is_json or len(value) > 32)
        return match["lead"] + REDACTED if hidden else match[0]
    return match["lead"] + REDACTED
