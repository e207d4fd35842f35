"""Both generations of `KedroSession.create` arguments -> one set.

Kedro 0.17: create(package_name, project_path, save_on_close, env, extra_params).
Kedro 1.x: create(project_path, save_on_close, env, runtime_params, conf_source).
The first positional argument tells them apart: a path, or a text that is an existing
folder, is the project path; any other text is the name of the package.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from kedro_journal.capture.identity import Identity

__all__ = ["CreateArguments", "create_arguments"]

_OLD_ORDER: Final = (
    "package_name",
    "project_path",
    "save_on_close",
    "env",
    "extra_params",
)
_NEW_ORDER: Final = (
    "project_path",
    "save_on_close",
    "env",
    "runtime_params",
    "conf_source",
)
_IDENTITY: Final = ("group_id", "parent_session_id", "labels")
_KNOWN: Final = frozenset({*_OLD_ORDER, *_NEW_ORDER, *_IDENTITY})


class CreateArguments(NamedTuple):
    """What a session is created with.

    Attributes:
        package_name: The project's package, if it was given.
        project_path: Root of the project, if it was given.
        save_on_close: False for a journal in memory.
        env: Configuration environment.
        runtime_params: They win over the configured parameters.
        conf_source: Folder or archive of the configuration.
        identity: What the session is to others; None if nothing of it was given.
    """

    package_name: str | None = None
    project_path: Path | str | None = None
    save_on_close: bool = True
    env: str | None = None
    runtime_params: dict[str, Any] | None = None
    conf_source: str | None = None
    identity: Identity | None = None


def create_arguments(
    args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> CreateArguments:
    """Sort out the arguments of `create`.

    Raises:
        TypeError: An argument that is none, or too many positional ones.
        ValueError: Two values for one thing, or a group, parent or label that cannot
            be one.
    """
    unknown = sorted(kwargs.keys() - _KNOWN)
    if unknown:
        message = f"create() got an unexpected keyword argument {unknown[0]!r}"
        raise TypeError(message)
    order = _OLD_ORDER if args and _is_package_name(args) else _NEW_ORDER
    if len(args) > len(order):
        message = f"create() takes at most {len(order)} positional arguments"
        raise TypeError(message)
    given: dict[str, Any] = dict(zip(order, args, strict=False))
    for name, value in kwargs.items():
        if given.get(name) is not None and value is not None:
            message = (
                f"create() got two values for {name!r}: {given[name]!r} by position "
                f"and {value!r} by name. Give one of them."
            )
            raise ValueError(message)
        if value is not None or name not in given:
            given[name] = value
    old, new = given.pop("extra_params", None), given.pop("runtime_params", None)
    if old and new and old != new:
        message = (
            "create() got both extra_params and runtime_params. They are the same "
            "thing under its Kedro 0.17 and its Kedro 1.x name: give one of them."
        )
        raise ValueError(message)
    package = given.get("package_name")
    if package is not None and not isinstance(package, str):
        message = f"package_name must be a text, not {type(package).__name__}"
        raise TypeError(message)
    if given.get("save_on_close") is None:
        given.pop("save_on_close", None)
    elif not isinstance(given["save_on_close"], (bool, int)):
        message = f"save_on_close must be a bool, not {given['save_on_close']!r}"
        raise TypeError(message)
    identity = None
    told = [given.pop(name, None) for name in _IDENTITY]
    if any(value is not None for value in told):
        from kedro_journal.capture.identity import checked_identity

        identity = checked_identity(*told)
    return CreateArguments(runtime_params=new or old, identity=identity, **given)


def _is_package_name(args: tuple[Any, ...]) -> bool:
    first = args[0]
    if not isinstance(first, str) or isinstance(first, os.PathLike):
        return False
    if len(args) > 1 and isinstance(args[1], (str, os.PathLike)):
        return True  # a project path follows: in the new order a bool does
    folder = Path(first)
    if not folder.is_dir():
        return True
    # The package's own folder, seen from src/, is not a project.
    is_package = (folder / "__init__.py").is_file()
    return is_package and not (folder / "pyproject.toml").is_file()
