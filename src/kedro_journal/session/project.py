"""Make Kedro ready for a project, without the user calling `bootstrap_project`."""

from __future__ import annotations

import importlib
from pathlib import Path

from kedro.framework.project import configure_project
from kedro.framework.startup import bootstrap_project

from kedro_journal._outside import let_through
from kedro_journal.config import find_project

from . import compat

__all__ = ["configure"]


def configure(package_name: str | None, project_path: Path | None) -> None:
    """Configure Kedro for a package, or for the project in a folder.

    Does nothing if Kedro is configured for that package already, or if neither is
    given and it is configured for any.

    Args:
        package_name: The project's package; None for that of the project.
        project_path: Root of the project; None for the one around the working
            directory.

    Raises:
        ModuleNotFoundError: There is no such package; it names the package.
        ValueError: The project has another package.
    """
    configured = compat.package_name()
    if configured is not None and package_name in (None, configured):
        return
    project = project_path or find_project()
    if project is not None and (project / "pyproject.toml").is_file():
        found = _package_of(project)
        if found and package_name in (None, found):
            bootstrap_project(project)
            return
        if found and project_path is not None and not _importable(package_name):
            message = (
                f"The project in {project} has the package {found!r}, not "
                f"{package_name!r}. Give one of them, or the right pair."
            )
            raise ValueError(message)
    if package_name is not None:
        importlib.import_module(package_name)
        configure_project(package_name)


def _package_of(project: Path) -> str | None:
    import tomllib

    try:
        with (project / "pyproject.toml").open("rb") as file:
            name = tomllib.load(file)["tool"]["kedro"]["package_name"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        let_through(error)
        return None
    return str(name)


def _importable(package_name: str | None) -> bool:
    import importlib.util

    if not package_name:
        return False
    try:
        return importlib.util.find_spec(package_name) is not None
    except (ImportError, ValueError) as error:
        let_through(error)
        return False
