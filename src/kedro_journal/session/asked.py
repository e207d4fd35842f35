"""What the settings ask for where they cannot be read as usual.

`config` needs what may be the very package that is missing. The standard library is
all that is imported here; a wrong setting asks for nothing.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Final, Literal

__all__ = ["Asked", "asked"]

Asked = Literal["disable", "strict", ""]

_YES: Final = ("1", "true", "yes", "y", "on")


def asked(project: Path | None) -> Asked:
    """Tell whether a session that cannot be journaled is to be, or to fail for it.

    Args:
        project: Root of the project; None for the one around the working directory.
    """
    table = _table(project)
    for key in ("disable", "strict"):
        value = os.environ.get(f"KEDRO_JOURNAL_{key.upper()}")
        if table.get(key) is True if value is None else value.strip().lower() in _YES:
            return "disable" if key == "disable" else "strict"
    return ""


def _table(project: Path | None) -> dict[str, object]:
    try:
        here = Path.cwd()
        folders = [project] if project else [here, *here.parents]
        for folder in folders:
            path = folder / "pyproject.toml"
            if path.is_file():
                found = tomllib.loads(path.read_text(encoding="utf-8"))
                return dict(found["tool"]["kedro_journal"])
    except Exception:  # no table, no TOML, no folder
        return {}
    return {}
