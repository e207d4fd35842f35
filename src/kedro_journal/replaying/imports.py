"""Which files of a project's package some of its files import, read without running."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from kedro_journal._outside import let_through

__all__ = ["imported_files"]

_FILES_MAX: Final = 300
_BYTES_MAX: Final = 2 * 1024 * 1024  # of all files together
_ALWAYS: Final = ("settings.py", "hooks.py")
_DYNAMIC: Final = ("importlib", "__import__", "runpy", "pkgutil")


def imported_files(sources: Iterable[str], package: str) -> frozenset[str] | None:
    """Return the files of a package that files of it import, directly or not.

    The files are read as they are now, and nothing is imported. Those that Kedro loads
    for every run, the settings and hooks, count as imported, with what they import.

    Args:
        sources: Absolute paths of files of the package, each with `:line` behind it.
        package: Name of the package.

    Returns:
        Paths from the folder of the package, the files themselves among them. None if
        it is not known: a file cannot be read or parsed, is not in the package, or
        imports by names that it computes; or there is too much to read.
    """
    begin: list[str] = []
    folder: Path | None = None
    for source in sources:
        path = PurePosixPath(source.rpartition(":")[0].replace("\\", "/"))
        if package not in path.parts[:-1]:
            return None
        end = len(path.parts) - path.parts[::-1].index(package)
        here = Path(*path.parts[:end])
        if folder not in (None, here):
            return None
        folder = here
        begin.append("/".join(path.parts[end:]))
    if folder is None or not folder.is_absolute():
        return None
    begin += [name for name in _ALWAYS if (folder / name).is_file()]
    return _reached(folder, package, begin)


def _reached(folder: Path, package: str, begin: list[str]) -> frozenset[str] | None:
    found = dict.fromkeys(begin)
    waiting, left = list(found), _BYTES_MAX
    for name in waiting:  # it grows
        try:
            data = (folder / name).read_bytes()
            left -= len(data)
            if left < 0 or len(waiting) > _FILES_MAX:
                return None
            if any(word.encode() in data for word in _DYNAMIC):
                return None
            tree = ast.parse(data)
        except (OSError, ValueError, SyntaxError, RecursionError) as error:
            let_through(error, system=True)
            return None
        for module in _modules(tree, PurePosixPath(name), package):
            for file in _files(folder, module):
                if file not in found:
                    found[file] = None
                    waiting.append(file)
    return frozenset(found)


def _modules(tree: ast.AST, file: PurePosixPath, package: str) -> Iterator[list[str]]:
    """Yield what a file imports of the package, as parts of names below it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first, *parts = alias.name.split(".")
                if first == package:
                    yield parts
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                above = file.parts[: max(len(file.parts) - node.level, 0)]
                parts = [*above, *parts]
            elif parts[:1] == [package]:
                parts = parts[1:]
            else:
                continue
            yield parts
            yield from ([*parts, alias.name] for alias in node.names)


def _files(folder: Path, module: list[str]) -> Iterator[str]:
    """Yield the files that are run when a module is imported, as far as they exist."""
    for length in range(len(module) + 1):
        within = module[:length]
        names = ["/".join([*within, "__init__.py"])]
        if within:
            names.append("/".join(within) + ".py")
        yield from (name for name in names if (folder / name).is_file())
