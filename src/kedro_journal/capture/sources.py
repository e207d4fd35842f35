"""What code is made of, as hashes: a package's source files, a partial's arguments."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from kedro_journal._outside import let_through
from kedro_journal.redaction.limits import REDACTED

__all__ = ["Sources", "arguments_sha256", "package_sources"]

FILES_MAX: Final = 2000
BYTES_MAX: Final = 16 * 1024 * 1024
LISTED_MAX: Final = 500
"""Files that are hashed one by one at most: each takes a place in the journal."""
_NAMES_MAX_CHARS: Final = 32 * 1024
_DIGITS: Final = 16
_DEPTH_MAX: Final = 8
_ITEMS_MAX: Final = 1000
_SCALARS: Final = (str, int, float, bool, type(None))


class Sources(NamedTuple):
    """The source files of a package.

    Attributes:
        sha256: Hash of all names and contents; empty if there are none, or too many or
            too large ones.
        files: Hash of the content of each file by its name, relative to the package,
            cut to 64 bits; empty if `sha256` is, or there are more than `LISTED_MAX`.
    """

    sha256: str = ""
    files: Mapping[str, str] = {}


def package_sources(package: str | None) -> Sources:
    """Hash the source files of a package, names and contents.

    Args:
        package: Name of the package; it is not imported.
    """
    digest, left = hashlib.sha256(), BYTES_MAX
    found: dict[str, str] = {}
    for root in _folders(package):
        files = list(islice(_files(root), FILES_MAX + 1))
        if len(files) > FILES_MAX:
            return Sources()
        for path in files:
            try:
                data = path.read_bytes() if path.stat().st_size <= left else None
            except OSError as error:
                let_through(error)
                continue  # an editor's link to nothing
            if data is None:
                return Sources()  # a part would tell nothing
            left -= len(data)
            name = path.relative_to(root).as_posix()
            digest.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
            digest.update(data)
            found[name] = hashlib.sha256(data).hexdigest()[:_DIGITS]
    if not found:
        return Sources()
    too_many = len(found) > LISTED_MAX or sum(map(len, found)) > _NAMES_MAX_CHARS
    return Sources(digest.hexdigest(), {} if too_many else found)


def _folders(package: str | None) -> Sequence[Path]:
    if not package:
        return ()
    module = sys.modules.get(package)
    places = getattr(module, "__path__", None)
    if places is None:
        spec = importlib.util.find_spec(package)
        places = spec.submodule_search_locations if spec is not None else None
    return [Path(place) for place in places or ()]


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name != "__pycache__"
        )
        for name in sorted(names):
            if name.endswith(".py"):
                yield Path(folder, name)


def arguments_sha256(function: Any, redact: Callable[[object], Any]) -> str:
    """Hash what the partials around a function hold; empty if there are none.

    Secrets are masked first, for a short one could be guessed from its hash. In their
    place a digest by the user's key counts.

    Args:
        function: The function of a node.
        redact: Makes a value safe to write.
    """
    held: list[Any] = []
    while isinstance(function, functools.partial) and len(held) < _DEPTH_MAX:
        named = {str(name): value for name, value in function.keywords.items()}
        held.append([_plain(function.args, 0), _plain(named, 0)])
        function = function.func
    if not held:
        return ""
    text = json.dumps(redact(held), sort_keys=True, separators=(",", ":"))
    if REDACTED in text:  # what is masked may have been changed
        from .user_key import masked_digest

        text += masked_digest(held)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _plain(value: Any, depth: int) -> Any:
    """Keep what is the same in every process; of anything else, its type or name."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth < _DEPTH_MAX and kind in (list, tuple):
        return [_plain(item, depth + 1) for item in value[:_ITEMS_MAX]]
    if depth < _DEPTH_MAX and kind is dict:
        items = islice(value.items(), _ITEMS_MAX)
        return {str(key): _plain(item, depth + 1) for key, item in items}
    name = getattr(value, "__qualname__", None)
    if not isinstance(name, str):
        value, name = kind, kind.__qualname__
    return {"is": f"{getattr(value, '__module__', '')}.{name}"}
