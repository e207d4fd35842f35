"""Make Kedro ready for a project, without the user calling `bootstrap_project`."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kedro.framework.project import configure_project
from kedro.framework.startup import bootstrap_project

from kedro_journal._outside import let_through
from kedro_journal.errors import NotResumable

from . import compat

if TYPE_CHECKING:
    from kedro_journal.state import SessionState

__all__ = [
    "check_project",
    "configure",
    "configure_recorded",
    "distribution_of",
    "project_name",
]


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
    from kedro_journal.config import find_project  # imports msgspec

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


def configure_recorded(state: SessionState, project: Path) -> None:
    """Configure Kedro as for a recorded session.

    A packaged project has no `pyproject.toml`: there the recorded package counts.

    Args:
        state: The session.
        project: Root of the project.

    Raises:
        ModuleNotFoundError: There is no such package; it names the package.
        ValueError: The project has another package.
    """
    packaged = _package_of(project) is None
    configure(state.package_name if packaged else None, project)


def project_name(project: Path) -> str | None:
    """Return the name of a project by its pyproject.toml, None if it has none."""
    return _kedro_table(project, "project_name")


def distribution_of(project: Path, package: str | None) -> str | None:
    """Return the distribution of a packaged project; None if it is a source tree.

    Args:
        project: Its root. A `pyproject.toml` in it makes it a source tree.
        package: Its package, imported.
    """
    if package is None or _package_of(project) is not None:
        return None
    top = package.partition(".")[0]
    folders = getattr(sys.modules.get(top), "__path__", ())
    try:
        found = importlib.metadata.distribution(top)
        installed = Path(str(found.locate_file(top))).resolve()
    except importlib.metadata.PackageNotFoundError:
        return None
    ours = any(Path(folder).resolve() == installed for folder in folders)
    return str(found.metadata["Name"]) if ours else None


def check_project(state: SessionState, project: Path, directory: Path) -> None:
    """Refuse to act on the session of another project.

    A project that was moved, or copied with its journals, is the same one. Where
    several projects share a journal directory, their path tells them apart, too.

    Args:
        state: The session.
        project: Root of the project that wants to act on it.
        directory: The journal directory.

    Raises:
        NotResumable: It belongs to another project.
    """
    recorded = Path(state.project_path) if state.project_path else None
    if recorded is None or recorded.resolve() == project.resolve():
        return
    shared = not directory.resolve().is_relative_to(project.resolve())
    package = _package_of(project)
    other = package is not None and state.package_name not in (None, package)
    if shared and package is not None and not other:
        name = project_name(project)
        other = state.project_name is not None and state.project_name != name
        other = other or _package_of(recorded) == state.package_name
    if other:
        named = state.project_name or state.package_name
        reason = f"it belongs to another project, {named} in {recorded}"
        advice = f"Call it in {recorded}, or name a session of this project."
        raise NotResumable(state.session_id, reason, advice)


def _package_of(project: Path) -> str | None:
    return _kedro_table(project, "package_name")


def _kedro_table(project: Path, key: str) -> str | None:
    import tomllib

    try:
        with (project / "pyproject.toml").open("rb") as file:
            value = tomllib.load(file)["tool"]["kedro"][key]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        let_through(error)
        return None
    return str(value)


def _importable(package_name: str | None) -> bool:
    import importlib.util

    if not package_name:
        return False
    try:
        return importlib.util.find_spec(package_name) is not None
    except (ImportError, ValueError) as error:
        let_through(error)
        return False
