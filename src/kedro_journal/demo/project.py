"""The project of the demo: which folder may hold it, and how Kedro makes it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import kedro_journal
from kedro_journal.config import Config
from kedro_journal.errors import JournalError

__all__ = ["NEW_PROJECT", "Workshop", "check_folder", "check_starter", "place"]

STARTER: Final = "journal-demo"
PACKAGE: Final = "journal_demo"
PROJECT_NAME: Final = "Journal Demo"
NEW_PROJECT: Final = (
    "new", "--starter", STARTER, "--name", PROJECT_NAME, "--telemetry", "no",
)  # fmt: skip
"""Arguments of the `kedro` that makes the project."""

_EXIT_USAGE: Final = 2
_RAW_DATA: Final = "01_raw"  # the one data folder that no run writes to
_VERSION_KEY: Final = "kedro_init_version"


def check_starter() -> None:
    """Make sure that Kedro is there and knows the starter.

    Raises:
        JournalError: It does not.
    """
    known = {entry.value for entry in entry_points(group="kedro.starters")}
    if find_spec("kedro") is None:
        missing = "Kedro is not installed"
    elif "kedro_journal.starters:starters" not in known:
        missing = f"Kedro does not know the starter {STARTER}"
    else:
        return
    message = (
        f"{missing} in {sys.prefix}. Nothing was made; "
        f"`{sys.executable} -m pip install kedro-journal` installs what the demo needs."
    )
    raise JournalError(message)


def check_folder(folder: Path, *, force: bool) -> None:
    """Make sure that the demo may put its project into a folder. Changes nothing.

    Args:
        folder: Absolute path; need not exist.
        force: A project of an earlier demo may be replaced.

    Raises:
        JournalError: It may not; the message says why, and what to do.
    """
    if folder.exists() and not folder.is_dir():
        raise _refused(folder, "it is a file")
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise _refused(folder, f"{there} cannot be written to")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    why_not = _why_not_ours(folder)
    if why_not and not force:
        raise _refused(folder, "it is not empty")
    if why_not:
        raise _refused(folder, f"--force replaces only what a demo made; {why_not}")
    if not force:
        raise _refused(folder, "an earlier demo is in it", "add --force to replace it")
    journals = Config().journal_directory(folder)
    for state in kedro_journal.sessions(directory=journals):
        if state.verdict == "running":
            raise _refused(folder, f"session {state.session_id} is still running")


def _refused(folder: Path, reason: str, instead: str = "") -> JournalError:
    another = "name another folder: `kedro-journal demo FOLDER`"
    todo = f"{instead}, or {another}" if instead else another
    message = f"{folder}: {reason}. Nothing was changed; {todo}."
    return JournalError(message, exit_code=_EXIT_USAGE)


def _why_not_ours(folder: Path) -> str:
    """Return what shows that a folder is not only a demo; empty if nothing does."""
    template = Path(kedro_journal.__file__).parent / "starters" / STARTER
    template /= "{{ cookiecutter.repo_name }}"
    try:
        made = _rendered((template / "pyproject.toml").read_text(encoding="utf-8"))
        found = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "its pyproject.toml is not that of a demo"
    if _without_version(made) != _without_version(found):
        return "its pyproject.toml is not that of a demo"
    ours = {
        _rendered(path.relative_to(template).as_posix()) for path in _files(template)
    }
    for path in _files(folder):
        name = path.relative_to(folder)
        if name.as_posix() not in ours and not _by_a_run(name):
            return f"{name} is not from a demo"
    return ""


def _rendered(text: str) -> str:
    for name, value in (
        ("project_name", PROJECT_NAME),
        ("repo_name", STARTER),
        ("python_package", PACKAGE),
    ):
        text = text.replace(f"{{{{ cookiecutter.{name} }}}}", value)
    return text


def _without_version(pyproject: str) -> list[str]:
    return [
        line for line in pyproject.splitlines() if not line.startswith(_VERSION_KEY)
    ]


def _files(folder: Path) -> Iterator[Path]:
    """Return everything in a folder but real folders; links are not followed."""
    for parent, folders, files in os.walk(folder):
        for name in files:
            yield Path(parent, name)
        for name in folders:
            if Path(parent, name).is_symlink():
                yield Path(parent, name)


def _by_a_run(name: Path) -> bool:
    """Return whether Kedro or a run makes such a file."""
    parts = name.parts
    return (
        parts == (".telemetry",)
        or "__pycache__" in parts
        or parts[0] == Config().directory
        or (parts[0] == "data" and len(parts) > 2 and parts[1] != _RAW_DATA)
    )


class Workshop(NamedTuple):
    """Where `kedro new` is called.

    Attributes:
        path: A folder of its own, outside of any project, for Kedro loads the project
            that it is called in.
        environ: What makes the template engine leave the home folder alone. It keeps
            a copy of its last answers there, and fails if it cannot.
    """

    path: Path
    environ: dict[str, str]


@contextlib.contextmanager
def place(folder: Path) -> Iterator[Workshop]:
    """Return a place to make the project in; at the end of the block it is moved.

    If the block raises, *folder* is as it was.

    Raises:
        JournalError: *folder* cannot be written to.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        _remove_empty(missing)
        reason = f"cannot be written to: {error.strerror or error}"
        raise _refused(folder, reason) from error
    try:
        with tempfile.TemporaryDirectory(prefix="kedro-journal-demo-") as temporary:
            yield _workshop(Path(temporary))
            _replace(folder, Path(temporary) / STARTER)
    except BaseException:
        _remove_empty(missing)
        raise


def _workshop(path: Path) -> Workshop:
    answers = path / "cookiecutter.json"  # JSON is YAML
    answers.write_text(json.dumps({"replay_dir": str(path / "replay")}), "utf-8")
    return Workshop(path, {"COOKIECUTTER_CONFIG": str(answers)})


def _remove_empty(folders: list[Path]) -> None:
    with contextlib.suppress(OSError):  # not empty any more, or never made
        for folder in folders:
            folder.rmdir()


def _replace(folder: Path, made: Path) -> None:
    # pyproject.toml goes last and comes first: whatever happens in between, the folder
    # is known to be a demo's.
    for path in sorted(folder.iterdir(), key=_is_pyproject):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in sorted(made.iterdir(), key=_is_pyproject, reverse=True):
        shutil.move(path, folder / path.name)


def _is_pyproject(path: Path) -> bool:
    return path.name == "pyproject.toml"
