"""What of `git diff` may be kept: nothing of files that hold credentials, no keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from kedro_journal.redaction.blocks import masked_lines

from .provenance import fits

__all__ = ["LEFT_OUT", "safe_diff"]

LEFT_OUT: Final = "(left out: the file may hold credentials)"
_HEADER: Final = "diff --git "
_MARKS: Final = (
    *("diff --cc ", "diff --combined ", "--- ", "+++ "),
    *("rename from ", "rename to ", "copy from ", "copy to "),
)
# Files that are made to hold secrets, by the last part of their path.
_SECRET_FILE: Final = re.compile(
    r"""(?ix)
    .*credential.* | .*secret.* | \.?env(?:rc|\..*)? | .*\.env(?:\..*)? | .*\.tfvars.*
    | .*\.(?:pem|key|p12|pfx|pkcs12|jks|keystore|kdbx|ppk|asc|gpg|pgp|der|crt\.key|ovpn)
    | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)? | .*_(?:rsa|dsa|ecdsa|ed25519)
    | \.?(?:netrc|_netrc|pgpass|my\.cnf|htpasswd|pypirc|npmrc|dockercfg|boto|s3cfg)
    | service[-_]?account.*\.json | kubeconfig.* | application_default_.*\.json
    | .*token.*\.(?:txt|json|ya?ml|toml|ini) | .*passwords?.*
    """
)
_FOLDERS: Final = re.compile(r"(?i)credentials?.*|secrets?|\.aws|\.ssh|\.gnupg|\.kube")


def safe_diff(lines: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    """Return the lines of a diff without files of credentials and private keys.

    A file is left out by its path, before anything is known of what stands in it.

    Args:
        lines: What `git diff` printed.
        patterns: Those by which the configuration loader finds credentials.
    """
    for section in _sections(lines):
        if section[0].startswith("diff ") and _holds_secrets(section, patterns):
            yield section[0]
            yield LEFT_OUT
        else:
            yield from masked_lines(section)


def _sections(lines: Sequence[str]) -> Iterator[list[str]]:
    """Split a diff into those of its files; what a file holds begins with a sign."""
    section: list[str] = []
    for line in lines:
        if line.startswith("diff ") and section:
            yield section
            section = []
        section.append(line)
    if section:
        yield section


def _holds_secrets(section: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(is_secret_path(path, patterns) for path in _paths(section))


def _paths(section: Sequence[str]) -> Iterator[str]:
    """Name the files of a section: before and after, also where one has spaces."""
    for line in section:
        if line.startswith("@@"):
            return
        if line.startswith(_HEADER):
            words = line.removeprefix(_HEADER)
            yield from (_bare(part) for part in re.split(r"(?:^| )\"?[a-z]/", words))
            yield from map(_bare, words.split())
        for mark in _MARKS:
            if line.startswith(mark):
                yield _bare(line.removeprefix(mark))


def _bare(path: str) -> str:
    path = path.strip().strip('"')
    return re.sub(r"^[a-z]/", "", path)


def is_secret_path(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a file may hold credentials, by its path.

    Args:
        path: Relative to the repository, with slashes.
        patterns: Those by which the configuration loader finds credentials, relative to
            the folder of a configuration environment, wherever that may be.
    """
    *folders, name = path.split("/")
    if _SECRET_FILE.fullmatch(name) or any(map(_FOLDERS.fullmatch, folders)):
        return True
    parts = path.split("/")
    within = ["/".join(parts[number:]) for number in range(len(parts))]
    return any(fits(one, pattern) for one in within for pattern in patterns)
