"""What the settings ask for where they cannot be read as usual.

`config` needs what may be the very package that is missing. The standard library is
all that is imported here; a wrong setting asks for nothing.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal

from kedro_journal._outside import let_through
from kedro_journal._switch import is_switched_off, truth

__all__ = ["Asked", "asked"]

Asked = Literal["disable", "strict", ""]


def asked(of: object) -> Asked:
    """Return whether a session that cannot be journaled is to be, or to fail for it.

    Args:
        of: What has a `project_path`, as contexts and Kedro's metadata have. Whatever
            else it is, the project around the working directory is meant.
    """
    if is_switched_off():
        return "disable"
    table = _table(of)
    for key in ("disable", "strict"):
        value = os.environ.get(f"KEDRO_JOURNAL_{key.upper()}")
        if table.get(key) is True if value is None else truth(value):
            return "disable" if key == "disable" else "strict"
    return ""


def _table(of: object) -> dict[str, object]:
    try:
        project, here = _path(of), Path.cwd()
        for folder in [project] if project else [here, *here.parents]:
            path = folder / "pyproject.toml"
            if path.is_file():
                found = tomllib.loads(path.read_text(encoding="utf-8"))
                return dict(found["tool"]["kedro_journal"])
    except Exception as error:  # no table, no TOML, no folder
        let_through(error)
        return {}
    return {}


def _path(of: object) -> Path | None:
    try:
        path = of.project_path  # type: ignore[attr-defined]
        return Path(path) if type(path) is str or isinstance(path, Path) else None
    except Exception as error:  # whatever it is
        let_through(error)
        return None
