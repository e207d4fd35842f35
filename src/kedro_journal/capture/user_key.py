"""The user's key: what masked values are compared with, without being kept.

A digest of a short secret can be guessed by trying every value, and a journal is often
copied. So digests are keyed, and the key lies in the user's own configuration folder,
outside every journal. Without a key there are no digests: then whether a masked value
was changed is not known.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kedro_journal._outside import let_through, suppress
from kedro_journal.redaction.limits import REDACTED
from kedro_journal.redaction.look import exact_text, key_text, look_inside, type_name

__all__ = ["Fingerprints", "key_path", "masked_digest", "masked_values", "name_tag"]

KEY_BYTES: Final = 32
_DIGEST_CHARS: Final = 32
_TAG_CHARS: Final = 8
_MASKED_MAX: Final = 1000
_DEPTH_MAX: Final = 32
_ITEMS_MAX: Final = 20_000

Fingerprints = tuple[str, tuple[str, ...], tuple[str, ...]]
"""Id of the key, names of the masked parameters, and their digests in that order."""


def key_path(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return where the key lies; None if the user has no configuration folder."""
    environ = os.environ if environ is None else environ
    for name, below in (("XDG_CONFIG_HOME", ""), ("APPDATA", ""), ("HOME", ".config")):
        folder = Path(environ.get(name, ""))
        if folder.is_absolute():
            return folder / below / "kedro-journal" / "key"
    return None


@functools.cache
def _key_at(path: Path) -> bytes | None:
    """Read the key, or create it on first use; None if that fails."""
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        let_through(error)
        return None
    try:
        _create(path)
        return _read(path)
    except OSError as error:  # a read-only home, a file system without links
        let_through(error)
        return None


def _read(path: Path) -> bytes | None:
    """Read a key that no other user can read.

    Raises:
        OSError: It is not there, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(descriptor)
        foreign = hasattr(os, "geteuid") and (
            found.st_uid != os.geteuid() or found.st_mode & 0o077
        )
        if foreign or not stat.S_ISREG(found.st_mode):
            return None
        data = os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)
    return data if len(data) == KEY_BYTES else None


def _create(path: Path) -> None:
    """Create a key; of processes at once, the first one's stays.

    Raises:
        OSError: It cannot be created.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{os.getpid()}-{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(aside, flags, 0o600)
    try:
        try:
            os.write(descriptor, secrets.token_bytes(KEY_BYTES))
        finally:
            os.close(descriptor)
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()


def _key() -> bytes | None:
    path = key_path()
    return None if path is None else _key_at(path)


def _mac(key: bytes, *parts: bytes) -> str:
    message = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def name_tag(name: str) -> str:
    """Return a short keyed tag of a name; empty without a key."""
    key = _key()
    if key is None:
        return ""
    return _mac(key, b"name", name.encode("utf-8", "surrogatepass"))[:_TAG_CHARS]


def masked_digest(value: Any) -> str:
    """Return a keyed digest of a value that is masked where it is written.

    Without a key, or for a value that cannot be read exactly, it is another one each
    time: then it counts as changed.
    """
    key = _key()
    if key is not None:
        with suppress(ValueError):
            return _mac(key, b"value", _canonical(value))
    return secrets.token_hex(_DIGEST_CHARS)


def masked_values(
    raw: Mapping[str, Any], safe: Mapping[str, Any], before: str = ""
) -> Fingerprints:
    """Return keyed digests of the parameters that are masked, wholly or in part.

    Args:
        raw: The parameters as they are.
        safe: The same as they are written.
        before: What the names begin with.

    Returns:
        The id of the key and, in one order, names with dots and digests. The id is
        empty without a key. Of what cannot be read exactly there is no digest.
    """
    found: dict[str, str] = {}
    key = _key() if is_masked(safe) else None
    if key is not None:
        _gather(key, raw, safe, before, found)
    if key is None or not found:
        return "", (), ()
    return _mac(key, b"id")[:_TAG_CHARS], tuple(found), tuple(found.values())


def _gather(
    key: bytes, raw: Any, safe: Mapping[str, Any], before: str, found: dict[str, str]
) -> None:
    inside = look_inside(raw)
    items = list(inside.items) if inside is not None else []
    alike = len(items) == len(safe)
    for number, (written, value) in enumerate(safe.items()):
        if len(found) >= _MASKED_MAX:
            return
        if not is_masked(value):
            continue
        own = items[number][1] if alike else raw  # not told apart: all of it counts
        name = f"{before}{written}"
        if isinstance(value, Mapping) and value:
            _gather(key, own, value, name + ".", found)
            continue
        with suppress(ValueError):
            digest = _mac(key, b"value", name.encode(), _canonical(own))
            found[name] = digest[:_DIGEST_CHARS]


def is_masked(value: Any) -> bool:
    """Return whether something in plain data is masked."""
    if isinstance(value, str):
        return REDACTED in value
    if isinstance(value, Mapping):
        return any(map(is_masked, value.values())) or any(map(is_masked, value))
    return isinstance(value, (list, tuple)) and any(map(is_masked, value))


def _canonical(value: Any) -> bytes:
    """Return bytes that are equal for equal values alone.

    Raises:
        ValueError: It holds an object that cannot be looked into, or too much.
    """
    parts: list[str] = []
    _write(value, 0, parts)
    return "\0".join(parts).encode("utf-8", "surrogatepass")


def _write(value: Any, depth: int, parts: list[str]) -> None:
    cls = type(value)
    if len(parts) > _ITEMS_MAX or depth > _DEPTH_MAX:
        raise ValueError(depth)
    if value is None or cls in (bool, int, float, bytes):
        parts.append(f"{cls.__name__} {value!r}")
        return
    text = exact_text(value)
    if text is not None:
        parts.append(f"str {len(text)} {text}")
        return
    inside = look_inside(value)
    if inside is None:
        raise ValueError(type_name(cls))
    items = list(inside.items)
    if inside.kind == "set":
        items.sort(key=lambda pair: key_text(pair[1]) or "")
    parts.append(f"{inside.kind} {len(items)}")
    for name, item in items:
        parts.append("" if name is None else str(key_text(name)))
        _write(item, depth + 1, parts)
