"""Secrets that a text shows by its form: key blocks, headers, commands, webhooks."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from kedro_journal._outside import let_through

from .limits import REDACTED
from .names import is_secret
from .tokens import mask_tokens
from .urls import mask_signatures, mask_users

__all__ = ["SHAPES", "mask_shapes"]


def _mask_basic(match: re.Match[str]) -> str:
    """Basic credentials are base64 of user:password; other words stay."""
    try:
        text = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4))
    except ValueError as error:
        let_through(error)
        return match[0]
    return f"{match[1]}{REDACTED}" if b":" in text else match[0]


def _mask_attribute(match: re.Match[str]) -> str:
    """Mask `value` beside `name`, where the name is secret."""
    if not is_secret(match["name"], match["value"]):
        return match[0]
    return match[0][: match.start("value") - match.start()] + REDACTED


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
        """Return a text with what is found replaced."""
        return _compiled(self.pattern).sub(self.replacement, text)


_compiled: Final = functools.cache(re.compile)
_Q: Final = r"\\{0,8}['\"]?"  # a quote, perhaps escaped, or none
_REST: Final = rf"\1{REDACTED}"

SHAPES: Final = (
    Shape(
        ("private key",),
        r"(?s)-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    Shape(
        ("begin ssh2 encrypted",),
        r"(?s)---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----.*?(?:---- END |\Z)",
    ),
    Shape(
        ("private-lines",),
        r"(?s)(Private-Lines: ?\d+).*?(?=Private-MAC|\Z)",
        rf"\1\n{REDACTED}\n",
    ),
    Shape(
        ("bearer",),
        r"(?i)\b(bearer(?:\s|%20|\+){1,8})(?!token\b|auth)[A-Za-z0-9+/=_.~\-]{8,}",
        _REST,
    ),
    Shape(
        ("basic",),
        r"(?i)\b(basic(?:\s|%20){1,8})([A-Za-z0-9+/_\-]{8,}=*)",
        _mask_basic,
    ),
    # headers: schemes and pairs follow, up to the end of the line
    Shape(
        ("authorization", "cookie"),
        r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)"
        r"(\\{0,8}['\"]?\s{0,8}[:=]\s{0,8}b?\\{0,8}['\"]?)(?![\s{(\[])"
        r"(?!(?:none|null|true|false)\b)[^\n'\"\\]+",
        rf"\1\2{REDACTED}",
    ),
    Shape(
        ("authorization", "cookie"),
        r"(?i)(\(b?['\"](?:proxy-)?(?:authorization|(?:set-)?cookie)['\"]"
        r",\s{0,4}b?['\"])[^\n'\"\\]+",
        _REST,
    ),
    # curl -u user:password, also as a list of arguments
    Shape(
        ("-u", "--user", "--proxy-user"),
        rf"((?:\s|['\"])(?:-u|-U|--user|--proxy-user){_Q}[ =,]{{1,4}}{_Q}"
        r"[^\s:'\"]{0,100}:)(?!//)(?:[^\s'\"\\]|(?<=['\"])[^'\"\\]+)+",
        _REST,
    ),
    Shape(
        ("login", "sshpass", "mysql"),
        r"(?i)(\b(?:(?:docker|podman|helm|oc|az|buildah|skopeo)\b[^\n]{0,60}?\blogin\b"
        r"[^\n]{0,200}?\s-p\s{1,4}|sshpass\s{1,4}-p\s?"
        r"|mysql\w{0,10}\b[^\n]{0,200}?\s-p))(?=[^\s\-=])[^\s'\"]+",
        _REST,
    ),
    Shape(
        ("redis-cli",),
        r"(redis-cli\b[^\n]{0,200}?\s(?:-a|--pass)\s{1,4})[^\s'\"]+",
        _REST,
    ),
    # netrc
    Shape(
        ("machine",),
        r"(?i)(\bmachine\s{1,8}\S{1,200}\s{1,8}"
        r"(?:(?:login|account)\s{1,8}\S{1,200}\s{1,8}){0,2}password\s{1,8})\S+",
        _REST,
    ),
    Shape(
        ("login",),
        r"(?i)(\blogin\s{1,8}\S{1,200}\s{1,8}password\s{1,8})(?!is\b|was\b|for\b)\S+",
        _REST,
    ),
    # Oracle: user/password@host
    Shape(
        ("jdbc:oracle", "sqlplus", "sqlldr", "expdp", "impdp"),
        r"(?i)((?:jdbc:oracle:(?:thin|oci\d?):|\b(?:sqlplus|sqlldr|expdp|impdp)\b"
        r"(?:\s{1,4}-\w{1,8}){0,3}\s{1,4}['\"]?)[\w$#]{1,60}/)(?!@)[^\s@'\"]{1,200}",
        _REST,
    ),
    Shape(
        ("@",),
        r"(?<![\w/.:\-])([A-Za-z][\w$#]{0,30}/)(?!/)[^\s/@'\",]{1,60}"
        r"(?=@(?://)?[A-Za-z0-9][\w.\-]{0,100}:\d{2,5}[/:]\w)",
        _REST,
    ),
    # IDENTIFIED BY of SQL
    Shape(
        ("identified by", "identified with"),
        r"(?i)(identified\s(?:by|with\s\w{1,40}\s(?:by|as))\s{1,4}(?:values\s)?)"
        r"(?:'(?:[^'\n]|'')+'|\"[^\"\n]+\"|[^\s;]+)",
        _REST,
    ),
    Shape(
        ("password",),
        r"(?i)(\bpassword\s{1,4})'(?:[^'\n]|'')+'",
        rf"\1'{REDACTED}'",
    ),
    # Webhooks: whoever knows the address may post
    Shape(
        ("hooks.slack", "webhook", "hooks.zapier", "/hook", "api.telegram", "ifttt"),
        r"(?i)((?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)"
        r"|discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks"
        r"|[\w\-]{1,60}\.webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook"
        r"|hooks\.zapier\.com/hooks/catch|open-apis/bot/v2/hook|/hooks/catch"
        r"|with/key)/|api\.telegram\.org/(?:file/)?bot)[^\s'\"<>\\?#]+",
        _REST,
    ),
    Shape(
        ("/hooks/",),
        r"(/hooks/)[a-z0-9]{20,40}\b",
        _REST,
    ),
    Shape(
        ("pagerduty.com/integration/", "hc-ping.com/"),
        r"((?:pagerduty\.com/integration|hc-ping\.com)/)[A-Za-z0-9\-]{20,}",
        _REST,
    ),
    # <input name="password" value="...">, {"name": "TOKEN", "value": "..."}
    Shape(
        ("value",),
        r"(?i)\b(?:name|key|id)\\{0,8}['\"]?\s{0,4}[=:]\s{0,4}\\{0,8}['\"]"
        r"(?P<name>[\w.\-]{1,80})\\{0,8}['\"][\s,]{1,8}(?:type=['\"]\w{1,20}['\"]\s)?"
        r"\\{0,8}['\"]?value\\{0,8}['\"]?\s{0,4}[=:]\s{0,4}\\{0,8}['\"]"
        r"(?P<value>[^'\"\\\n]+)",
        _mask_attribute,
    ),
)
_MARK: Final = re.compile(r"[\s@='\"%]")


def mask_shapes(text: str, low: str) -> str:
    """Replace everything in a text that has the form of a secret.

    Args:
        text: Any text.
        low: The same in lower case.
    """
    if not (_MARK.search(low) or "//" in low or "hook" in low):
        return mask_tokens(text, REDACTED)  # a word or a path
    for shape in SHAPES:
        for hint in shape.hints:
            if hint in low:
                text = shape.mask(text)
                break
    if "//" in low or "%2f" in low or ":\\/" in low:
        text = mask_users(text)
    if "=" in low or "%3d" in low or "u003d" in low:
        text = mask_signatures(text)
    return mask_tokens(text, REDACTED)
