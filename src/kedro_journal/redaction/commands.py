"""Secrets in command lines of common tools: `sshpass -p X`, `wandb login X`.

Options with a secret name, such as `--password X`, are found by `pairs`. This module
knows short options and positional arguments, which only the tool explains. A command
is a line, or a list of arguments as `repr` shows it. Each line is split into words
once, so the time is linear.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Final, NamedTuple

from .late import Late
from .limits import REDACTED
from .names import looks_random
from .skeleton import without_digits

__all__ = ["mask_commands", "may_hold_command"]


class _Tool(NamedTuple):
    """What the arguments of a tool mean.

    Attributes:
        needs: A word that must stand behind the tool; empty if none is needed.
        separate: Options whose next word is a secret.
        attached: Options that the secret is written to without a blank: `-pX`.
        after: Words whose next word that is no option is a secret: `login X`.
        last: After such a word, the last of so many positional arguments is one.
        named: Every word with a secret name is followed by its value.
        users: Options of a user and a password, and what separates the two.
    """

    needs: str = ""
    separate: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    last: tuple[tuple[str, int], ...] = ()
    named: bool = False
    users: tuple[tuple[str, str], ...] = ()


_LOGIN: Final = _Tool("login", ("-p",))
_MONGO: Final = _Tool("", ("-p",))
_MYSQL: Final = _Tool("", (), ("-p",))
_LDAP: Final = _Tool("", ("-w", "-s", "-a"))
_ZIP: Final = _Tool("", ("-P",), ("-P",))
_SEVEN: Final = _Tool("", (), ("-p", "-hp"))
_BIG_P: Final = _Tool("", ("-P",), ("-P",))
_NAMED: Final = _Tool(named=True)
_CONFIG: Final = _Tool("config", named=True)
_SAMBA: Final = _Tool(users=(("-U", "%"), ("--user", "%")))
_TOOLS: Final = {
    **dict.fromkeys(("smbclient", "rpcclient", "winexe", "smbget", "smbmap"), _SAMBA),
    "lftp": _Tool(users=(("-u", ","),)),
    "http": _Tool(users=(("-a", ":"), ("--auth", ":"))),
    "https": _Tool(users=(("-a", ":"), ("--auth", ":"))),
    "curl": _Tool(users=(("-u", ":"),)),
    "etcdctl": _Tool(users=(("--user", ":"),)),
    **dict.fromkeys(("docker", "podman", "helm", "oc", "buildah", "skopeo"), _LOGIN),
    **dict.fromkeys(("nerdctl", "crane", "oras", "regctl", "argocd", "tsh"), _LOGIN),
    "az": _Tool("login", ("-p", "--password", "--federated-token")),
    "sshpass": _Tool("", ("-p",), ("-p",)),
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mysqlimport"), _MYSQL),
    **dict.fromkeys(("mysqlshow", "mysqlcheck", "mysqlslap", "mariadb"), _MYSQL),
    **dict.fromkeys(("mariadb-dump", "mysqlpump", "mysqlsh", "mycli"), _MYSQL),
    **dict.fromkeys(("mongo", "mongosh", "mongodump", "mongorestore"), _MONGO),
    **dict.fromkeys(("mongoexport", "mongoimport", "mongostat", "cqlsh"), _MONGO),
    **dict.fromkeys(("beeline", "twine", "rdesktop", "evil-winrm"), _MONGO),
    **dict.fromkeys(("ldapsearch", "ldapmodify", "ldapadd", "ldapdelete"), _LDAP),
    **dict.fromkeys(("ldappasswd", "ldapwhoami", "ldapcompare", "ldapmodrdn"), _LDAP),
    **dict.fromkeys(("sqlcmd", "bcp", "tsql", "ipmitool", "osql"), _BIG_P),
    **dict.fromkeys(("mosquitto_pub", "mosquitto_sub"), _BIG_P),
    **dict.fromkeys(("zip", "unzip", "zipcloak"), _ZIP),
    **dict.fromkeys(("7z", "7za", "7zr", "7zz", "rar", "unrar"), _SEVEN),
    "redis-cli": _Tool("", ("-a", "--pass")),
    "valkey-cli": _Tool("", ("-a", "--pass")),
    "snmpwalk": _Tool("", ("-c", "-A", "-X")),
    "snmpget": _Tool("", ("-c", "-A", "-X")),
    "gh": _Tool("secret", ("-b", "--body")),
    "prefect": _Tool("login", ("-k", "--key")),
    "kaggle": _Tool("config", ("-v",)),
    "useradd": _Tool("", ("-p",)),
    "usermod": _Tool("", ("-p",)),
    "keytool": _NAMED,
    "jarsigner": _NAMED,
    **dict.fromkeys(("ENV", "ARG", "setenv", "setx"), _NAMED),
    "openssl": _Tool(separate=("-k", "-K"), named=True),
    "nmcli": _NAMED,
    "vncviewer": _NAMED,
    "influx": _NAMED,
    "nomad": _NAMED,
    "consul": _NAMED,
    "aws": _CONFIG,
    "rclone": _Tool("config", named=True, last=(("obscure", 1),)),
    "git": _CONFIG,
    "npm": _CONFIG,
    "yarn": _CONFIG,
    "pnpm": _CONFIG,
    "pip": _CONFIG,
    "conda": _CONFIG,
    "gcloud": _CONFIG,
    "snow": _CONFIG,
    "pulumi": _Tool("config", named=True),
    "poetry": _Tool("config", named=True, last=(("http-basic.", 2),)),
    "dvc": _Tool("remote", named=True),
    "mc": _Tool("alias", last=(("set", 4),)),
    "wandb": _Tool(after=("login",)),
    "hf": _Tool(after=("login",)),
    "huggingface-cli": _Tool(after=("login",)),
    "comet": _Tool(after=("login",)),
    "vault": _Tool(after=("login",)),
    "snyk": _Tool(after=("auth",)),
    "modal": _Tool("token", named=True),
    "ngrok": _Tool(after=("authtoken", "add-authtoken")),
    "rabbitmqctl": _Tool(
        last=(("add_user", 2), ("change_password", 2), ("authenticate_user", 2))
    ),
    "htpasswd": _Tool(last=(("-b", 3), ("-nb", 2), ("-cb", 3), ("-bc", 3), ("-bn", 2))),
    "wpa_passphrase": _Tool(last=(("wpa_passphrase", 2),)),
}
_HINTS: Final = Late(
    r"(?<![\w.\-])(?:" + "|".join(map(re.escape, sorted(_TOOLS))) + r")"
    r"(?:\.exe)?(?=[ \t'\"])"
)
"""Finds the name of a tool where it may begin a command."""
# One argument: quoted, or up to a blank; in a list the comma stands behind it.
_ARGUMENT: Final = Late(
    r"\\{0,2}'(?P<single>[^'\n]*?)\\{0,2}'|\\{0,2}\"(?P<double>[^\"\n]*?)\\{0,2}\""
    r"|(?P<bare>[^\s'\",;|&]+(?:[,;&](?=[^\s,;|&'\"])[^\s'\",;|&]+)*)|(?P<end>\|+|;|&&)"
)
_LINE_CHARS: Final = 8192
_NAMES: Final = frozenset(map(without_digits, _TOOLS))
_NAME_CHARS: Final = frozenset(string.ascii_letters + string.digits + "_.-")
_NO_NAME: Final = {code: " " for code in range(128) if chr(code) not in _NAME_CHARS}
Judge = Callable[[str], str]


def may_hold_command(words: str) -> bool:
    """Return whether a text may have the name of a tool as a word; False is certain.

    Args:
        words: The distinct words of the text.
    """
    if not words.isascii():
        words = words.encode("ascii", "replace").decode()
    return not _NAMES.isdisjoint(words.translate(_NO_NAME).split()) or ".exe" in words


def mask_commands(text: str, judge: Judge) -> str:
    """Replace secrets in the command lines of known tools.

    Args:
        text: Any text.
        judge: Judges a name.
    """
    spans: list[tuple[int, int]] = []
    done = 0
    while found := _HINTS.search(text, done):
        stop = text.find("\n", found.end(), found.end() + _LINE_CHARS)
        if stop < 0:
            stop = min(len(text), found.end() + _LINE_CHARS)
        tool = found[0].removesuffix(".exe")
        end, some = _of_command(text, found.end(), stop, tool, judge)
        spans += some
        done = max(end, found.end())
    parts: list[str] = []
    done = 0
    for start, end in sorted(set(spans)):
        if start >= done and not text.startswith(REDACTED, start):
            parts += (text[done:start], REDACTED)
            done = end
    parts.append(text[done:])
    return "".join(parts)


def _arguments(text: str, at: int, stop: int) -> tuple[int, list[tuple[str, int, int]]]:
    """Return where a command ends, and its arguments with their places."""
    words: list[tuple[str, int, int]] = []
    if text[at : at + 1] in ("'", '"'):
        at += 1  # the tool is an item of a list
    for match in _ARGUMENT.get().finditer(text, at, stop):
        kind = match.lastgroup or "end"
        if kind == "end":
            return match.end(), words
        if _HINTS.get().fullmatch(match[kind] + " ", 0, len(match[kind])):
            return match.start(), words
        words.append((match[kind], match.start(kind), match.end(kind)))
    return stop, words


def _of_command(
    text: str, at: int, stop: int, name: str, judge: Judge
) -> tuple[int, list[tuple[int, int]]]:
    """Return where a command ends, and where its secrets stand."""
    tool = _TOOLS[name]
    end, words = _arguments(text, at, stop)
    if tool.needs and not any(word.startswith(tool.needs) for word, _, _ in words):
        return end, []
    spans: list[tuple[int, int]] = []
    for number, (word, start, stop_) in enumerate(words):
        if number and word and _takes(tool, words[number - 1][0], word, judge):
            spans.append((start, stop_))
        for option in tool.attached:
            after = words[number + 1 :][:1]
            is_quoted = text[stop_ : stop_ + 1] in ("'", '"')
            if word == option and after and is_quoted and after[0][1] == stop_ + 1:
                spans.append(after[0][1:])  # -p'...'
            rest = word.removeprefix(option)
            if rest and rest != word and not word.startswith("--"):
                spans.append((start + len(option), stop_))
        before = words[number - 1][0] if number else ""
        password = _password_of_user(tool, before, word)
        if password:
            spans.append((stop_ - len(password), stop_))
        if word in tool.after:
            values = [w for w in words[number + 1 :] if not w[0].startswith("-")]
            if values and (looks_random(values[0][0]) or len(values[0][0]) > 19):
                spans.append(values[0][1:])
    for first, count in tool.last:
        spans += _last(words, first, count, name)
    return end, spans


def _password_of_user(tool: _Tool, before: str, word: str) -> str:
    """Return the password in a word like `user:password`; empty if there is none.

    Args:
        tool: The tool that gets the word.
        before: The word before it.
        word: The word, which may begin with an option: `-uuser:password`.
    """
    for option, sign in tool.users:
        user, _, password = word.partition(sign)
        attached = user.startswith(option) and user != option and user[1] != "-"
        is_variable = password[:1] in ("$", "<", "{")
        if password and not is_variable and (before == option or attached):
            return password
    return ""


def _takes(tool: _Tool, option: str, word: str, judge: Judge) -> bool:
    """Return whether a word is the secret that the one before it announces."""
    if option in tool.separate:
        return not re.match(r"--?[A-Za-z]{2}", word) and word[:1] not in "$<{"
    if not tool.named or "=" in option:
        return False
    name = option.lstrip("-").rpartition(":")[2]
    if word.startswith(("file:", "env:", "fd:", "stdin", "$", "--", "<", "{")):
        return False
    found = judge(name) if name else "harmless"
    if option.startswith("-") and name.endswith(("pass", "passin", "passout")):
        return not re.match(r"-[A-Za-z]+\Z", word)
    return found == "secret" or (found == "value" and looks_random(word))


def _last(
    words: list[tuple[str, int, int]], first: str, count: int, name: str
) -> list[tuple[int, int]]:
    """Return the place of the last of some positional arguments."""
    texts = [word for word, _, _ in words]
    begin = -1 if first == name else -2
    for number, word in enumerate(texts):
        if word == first or (first.endswith(".") and word.startswith(first)):
            begin = number
            break
    if begin == -2:
        return []
    values = [word for word in words[begin + 1 :] if not word[0].startswith("-")]
    return [values[count - 1][1:]] if len(values) >= count else []
