"""Decide by its words whether a name stands for a secret.

There is one matcher for keys of mappings, flags, environment variables, and
`name=value` in texts. It answers in three ways, since some names (`auth`, `tokens`,
`account_key`) are secrets only where the value looks like one.
"""

from __future__ import annotations

import functools
import re
from typing import Final, Literal

from .late import Late
from .words import (
    AMBIGUOUS,
    CODE_OWNERS,
    DESCRIPTIONS,
    DIRECTIONS,
    FOREIGN_KEYS,
    FOREIGN_LINKS,
    FOREIGN_OWNERS,
    GLUED_HEADS,
    HARMLESS_PHRASES,
    KEY_OWNERS,
    KEY_OWNERS_BY_VALUE,
    KEYS_OF_THINGS,
    MODEL_TOKENS,
    PASS_OWNERS,
    PHRASES,
    PROVIDERS,
    PUBLIC,
    QUALIFIERS,
    QUANTITIES,
    SECRETS,
    STEMS,
    STRONG,
    SWITCHES,
    TRANSPARENT,
    VALUE_PHRASES,
)

__all__ = [
    "PARTS",
    "PLACEHOLDER",
    "STEM",
    "Verdict",
    "is_secret",
    "is_secret_name",
    "looks_random",
    "verdict",
    "words_of",
]

Verdict = Literal["secret", "value", "harmless"]
"""`value`: the value decides."""

PARTS: Final = re.compile(r"[.:/\[\]]")
"""What separates the parts of a dotted name, a path or a key of a catalog."""

STEM: Final = re.compile("|".join(map(re.escape, STEMS)), re.IGNORECASE)
_WORD: Final = re.compile(
    r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\dA-Za-z_]+[a-z]*|[a-z]+[^\W\d_]+|\d+"
)
_UNICODE_WORD: Final = re.compile(r"[^\W\d_]+|\d+")
_PLURALS: Final = frozenset(
    """
    passwords passwds passphrases passcodes pwds secrets credentials creds tokens
    cookies webhooks apikeys keys auths pats jwts otps codes phrases hooks passes
    passwörter contraseñas senhas
    """.split()  # noqa: SIM905 - one a line would be thirty lines
)
_OFTEN_HARMLESS: Final = frozenset(
    "data json body content hash var text".split()  # noqa: SIM905
)
# A number under such a name says how many there are.
_COUNTED: Final = re.compile(r"(?i)(?:password|secret|credential|cookie|webhook)s\Z")
_SMALL: Final = 100_000  # a number below it is a count or an index, not a token
_PAIR: Final = re.compile(r"[^\s:/]{1,100}:[^\s/][^\s]{2,}\Z")
_USERINFO: Final = re.compile(
    r"://[^\s/@]{0,200}:[^\s@]{1,300}@|[?&;]sig=", re.IGNORECASE
)
_SWITCH: Final = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)
_FILE: Final = re.compile(r"[\w./~\\:\-]+\.[A-Za-z][A-Za-z0-9]{1,5}\Z")
_ENTRY: Final = re.compile(r"[a-z]\w{0,11}\Z|[a-z]+[0-9]*(?:_[a-z0-9]+){1,5}\Z")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{16,}")
_DATE: Final = re.compile(r"\d{4}-?\d\d-?\d\d")


PLACEHOLDER: Final = (
    r"\$\{\{?[^{},\n]{1,80}\}\}?|\$[A-Z_][A-Z0-9_]{1,40}|\{\{[^{}\n]{1,60}\}\}"
    r"|\{[A-Za-z_.]{1,40}(?:![rsa])?\}|<[A-Za-z _\-]{1,40}>|%\([A-Za-z_]{1,40}\)s|%s"
    r"|\$\((?!echo|printf)[^()\n'\"]{1,200}\)|`(?!echo|printf)[a-z][^`\n'\"]{1,200}`"
    r"|(?:YOUR|your|Your)[_\-](?:[A-Za-z]{2,15}[_\-]){0,4}"
    r"(?:KEY|TOKEN|PASSWORD|SECRET|HERE|Key|key|token|password|secret|here)"
)
"""What stands in a template where a secret will be."""
_IS_PLACEHOLDER: Final = Late(
    rf"(?:(?:[Bb]earer|[Bb]asic|[Tt]oken|ApiKey|api-key) )?(?:{PLACEHOLDER})\Z"
)
# The dotted path of a class, as settings of Java and Python name what they load.
_CLASS_PATH: Final = Late(r"(?:[a-z][a-z_\d]{0,30}\.){2,12}[A-Z][a-z]+[A-Za-z]{2,60}\Z")


def looks_random(text: str) -> bool:
    """Return whether a text looks like a generated value rather than like words.

    Letters and digits alternate inside its words, or one run is too long for a word.
    File names, dates, and what holds blanks are not random.
    """
    if len(text) < 8 or len(text.split()) != 1 or _DATE.match(text):
        return False
    if text.startswith(("/", "./", "~/", "${", "$(", "{{", "<")) and "=" not in text:
        return False
    if _FILE.match(text) and len(text) < 60:
        return False
    if _HEX.search(text) or _LONG_RUN.search(text):
        return True
    return len(_SWITCH.findall(text)) >= 3


def words_of(name: str) -> list[str]:
    """Split a name at separators, at case changes and before digits, in lower case."""
    found: list[str] = []
    for word in _WORD.findall(name) if name.isascii() else _UNICODE_WORD.findall(name):
        found.extend(_unglued(word.casefold()))
    return found


@functools.lru_cache(maxsize=4096)
def _unglued(word: str) -> tuple[str, ...]:  # noqa: C901, PLR0911, PLR0912 - a table
    """Split words that are written together: `pgpassword`, `clientsecret`, `apikey`."""
    if word in _PLURALS:
        return (word.removesuffix("s") if word != "passes" else word,)
    if word in SECRETS or word in DESCRIPTIONS:
        return (word,)
    single = word.removesuffix("s")
    for head in GLUED_HEADS:
        if single.endswith(head):
            return (*_unglued(single[: -len(head)]), head)
        if word.startswith(head):
            rest = word[len(head) :].lstrip("s") if len(word) > len(head) + 2 else ""
            if rest in DESCRIPTIONS or rest in TRANSPARENT or rest in ("key", "keys"):
                return (head, rest)
    if single.endswith("key") and len(single) > 3:
        *before, last = _unglued(single[:-3])
        if last in KEY_OWNERS or last in KEY_OWNERS_BY_VALUE or last in PROVIDERS:
            return (*before, last, "key")
    if single.endswith("keyid"):
        return (*_unglued(single[:-2]), "id")
    for head in ("pass", "pwd", "pw"):
        rest = word.removesuffix(head)
        if rest != word and rest and (rest in PASS_OWNERS or head == "pwd"):
            return (rest, head)
    for key in FOREIGN_KEYS:  # `apischluessel`
        rest = word.removesuffix(key)
        if len(key) > 4 and rest != word and rest in FOREIGN_OWNERS:
            return (rest, key)
    if word.endswith(("connectionstring", "connstr", "connstring")):
        return ("connection", "string")
    for owner in ("access", "secret", "account", "private", "shared"):
        if word.startswith(owner) and len(word) > len(owner) + 3:
            rest_words = _unglued(word[len(owner) :])
            if rest_words[-1] in ("key", "signature", "token", "id"):
                return (owner, *rest_words)
    return (word,)


@functools.lru_cache(maxsize=8192)
def verdict(name: str) -> Verdict:
    """Judge one name, without its value."""
    if not STEM.search(name):
        return "harmless"
    if "account.key." in name:  # fs.azure.account.key.NAME.dfs.core.windows.net
        return "secret"
    parts = [part for part in PARTS.split(name.strip()) if part]
    if len(parts) > 1:
        if any(_judge(part) == "secret" for part in parts[:-1]):
            return "secret"
        last = _judge(parts[-1])
        return _judge("_".join(parts)) if last == "harmless" else last
    return _judge(name)


def _judge(name: str) -> Verdict:
    words = words_of(name)
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in QUALIFIERS):
        words.pop()
    if not words or _ends_with(words, HARMLESS_PHRASES):
        return "harmless"
    if FOREIGN_KEYS.intersection(words) and _is_foreign_key(words):
        return "secret"
    found = _judge_words(words, name)
    if found == "secret" and words[0] in SWITCHES and len(words) > 1:
        return "value"
    return found


def _is_foreign_key(words: list[str]) -> bool:
    """Return whether a word for a key stands beside what makes it a secret."""
    words = [word for word in words if word not in FOREIGN_LINKS]
    for number, word in enumerate(words):
        if word in FOREIGN_KEYS:
            beside = {*words[max(0, number - 1) : number], *words[number + 1 :][:1]}
            if not FOREIGN_OWNERS.isdisjoint(beside) or not KEY_OWNERS.isdisjoint(
                beside
            ):
                return True
    return False


def _ends_with(words: list[str], phrases: tuple[tuple[str, ...], ...]) -> bool:
    return any(tuple(words[-len(phrase) :]) == phrase for phrase in phrases)


def _judge_words(words: list[str], name: str) -> Verdict:  # noqa: PLR0911 - a table
    for end in range(len(words), max(len(words) - 3, 0), -1):
        if _ends_with(words[:end], PHRASES):
            rest = words[end:]
            return "harmless" if rest and rest[-1] in DESCRIPTIONS else "secret"
    if _ends_with(words, VALUE_PHRASES):
        return "value"
    if words[:2] == ["airflow", "conn"]:
        return "secret"
    head = words[-1]
    while len(words) > 1 and head in TRANSPARENT:
        known = STRONG.intersection(words[:-1]) or "key" in words[:-1]
        if head in _OFTEN_HARMLESS and not known:
            return "harmless"
        words = words[:-1]
        head = words[-1]
    if head in SECRETS or head in ("key", "code") or head in AMBIGUOUS:
        return _judge_head(words, name)
    if head in DESCRIPTIONS:
        return "harmless"
    return _judge_tail(words, name)


def _judge_tail(words: list[str], name: str) -> Verdict:
    """Judge a name whose last word is unknown, such as `password_mysql`."""
    for number in range(len(words) - 2, -1, -1):
        word = words[number]
        if word in SECRETS or word == "key":
            found = _judge_head(words[: number + 1], name)
            if found == "secret" and (word in STRONG or word == "key"):
                return "secret"
            return "harmless" if found == "harmless" else "value"
        if word in DESCRIPTIONS:
            break
    return "harmless"


def _judge_head(words: list[str], name: str) -> Verdict:  # noqa: PLR0911 - a table
    """Judge a name that ends with a word for a secret."""
    head = words[-1]
    before = words[-2] if len(words) > 1 else ""
    if head == "key":
        return _judge_key(words, name)
    if head == "token":
        return _judge_token(words, name)
    if head == "code":
        return "secret" if before in CODE_OWNERS else "harmless"
    if head == "pass":
        if before in DIRECTIONS:
            return "harmless"
        known = not before or before in PASS_OWNERS or before in PROVIDERS
        return "secret" if known else "value"
    if head in ("auth", "pat"):
        owned = before in ("basic", "http", "proxy", "registry", "redis")
        if head == "pat":
            owned = before in PROVIDERS or before in ("devops", "ado", "gh")
        return "secret" if owned else "value"
    if head in ("salt", "pepper") and STRONG.intersection(words[:-1]):
        return "secret"
    if head == "sas" and before in ("read", "proc", "base"):
        return "harmless"
    if head == "pem" and before == "private":
        return "secret"
    return "value" if head in AMBIGUOUS else "secret"


def _judge_key(words: list[str], name: str) -> Verdict:
    before = words[-2] if len(words) > 1 else ""
    if before in KEY_OWNERS:
        return "secret"
    if before in PROVIDERS:
        return "secret"
    if before in PUBLIC:
        return "harmless"
    if before in KEYS_OF_THINGS:
        return "value"
    if before in KEY_OWNERS_BY_VALUE:
        known = PROVIDERS.intersection(words[:-2])
        is_variable = name.isupper() and len(words) > 2
        return "secret" if known or is_variable else "value"
    return "harmless"


def _judge_token(words: list[str], name: str) -> Verdict:
    before = words[-2] if len(words) > 1 else ""
    many = name.rstrip("_0123456789").lower().endswith("tokens")
    if many:
        if before in QUANTITIES or words[0] in SWITCHES:
            return "harmless"
        known = before in KEY_OWNERS or before in PROVIDERS or before == "refresh"
        return "secret" if known else "value"
    return "harmless" if before in MODEL_TOKENS else "secret"


def is_secret_name(name: str) -> bool:
    """Return whether a name stands for a secret, whatever text its value is.

    Names for which the value decides are not among them; see `is_secret`.
    """
    return verdict(name) == "secret"


def is_secret(name: str, value: object) -> bool:
    """Return whether a value under a name is a secret. Runs no code of the value.

    None, booleans and empty texts are none. Under a name for which the value decides,
    a text counts that looks generated, and a sequence that holds such a text.
    """
    found = verdict(name)
    if found == "harmless":
        return False
    cls = type(value)
    if value is None or cls is bool or (cls is str and not value):
        return False
    if found == "value":
        return _looks_secret(name, value)
    if cls in (int, float):
        number: int | float = value  # type: ignore[assignment]
        is_count = words_of(name)[-1] == "token" or _COUNTED.search(name)
        return not is_count or (cls is int and abs(number) >= _SMALL)
    if cls is str:
        text: str = value  # type: ignore[assignment]
        stays = _is_place(name, text) or _IS_PLACEHOLDER.match(text)
        return not (stays or _CLASS_PATH.match(text))
    return True


def _is_place(name: str, value: str) -> bool:
    """Return whether a value is the path of a working folder or of a key file."""
    if name in ("PWD", "OLDPWD"):
        return value.startswith("/") or value[1:3] == ":\\"
    if words_of(name)[-1:] not in (["credential"], ["cred"]):
        return False
    # The path of a key file, or the name of an entry of `credentials.yml`.
    return bool(_FILE.match(value) or (_ENTRY.match(value) and not looks_random(value)))


def _looks_chosen(text: str) -> bool:
    """Return whether a text looks like a password that was made up."""
    if len(text) < 6 or len(text.split()) != 1 or _FILE.match(text):
        return False
    return any(map(str.isdigit, text)) and any(mark in text for mark in "!#$%^&*?+@")


def _looks_secret(name: str, value: object) -> bool:
    cls = type(value)
    if cls is str:
        text: str = value  # type: ignore[assignment]
        if "auth" in name.lower() and _PAIR.match(text):
            return True
        chosen = name.lower().endswith("pass") and _looks_chosen(text)
        return chosen or looks_random(text) or bool(_USERINFO.search(text))
    if cls is bytes:
        raw: bytes = value  # type: ignore[assignment]
        return looks_random(raw[:1000].decode("latin-1"))
    if cls is list or cls is tuple:
        some = list(value)[:20]  # type: ignore[call-overload]
        texts = [item for item in some if type(item) is str]
        pair = cls is tuple or len(some) == len(texts) == 2
        if "auth" in name.lower() and pair and len(texts) == len(some) == 2:
            return True
        return any(looks_random(text) for text in texts)
    return False
