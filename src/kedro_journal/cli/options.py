"""What several commands take. Click is all that is imported: `doctor` always starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = [
    "directory_options",
    "group_option",
    "json_option",
    "project_option",
    "salvage_option",
]

_F = TypeVar("_F", bound=Callable[..., Any])

json_option = click.option(
    "as_json", "--json", is_flag=True, help="Print JSON instead of text."
)
group_option = click.option(
    "--group",
    "group_id",
    metavar="ID",
    help="A group of sessions: its id, a unique beginning of it, or `latest`.",
)
salvage_option = click.option(
    "--salvage", is_flag=True, help="Read past damaged or missing records."
)
project_option = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder in the Kedro project.  [default: the working directory]",
)
_directory_option = click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="The journal directory itself, or an archive, instead of a project.",
)


def directory_options(command: _F) -> _F:
    """Return a command `--project` and `--directory`."""
    return project_option(_directory_option(command))
