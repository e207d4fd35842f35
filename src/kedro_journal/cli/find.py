"""`doctor --find-env`: where the value of an environment variable got into journals."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kedro_journal.doctor.find import (
    VALUE_MIN_CHARS,
    Found,
    NotSearched,
    find_value,
)
from kedro_journal.views.data import json_text
from kedro_journal.views.terminal import escape

__all__ = ["find_environment"]

_ADVICE = (
    "Change the secret first. Then delete the folders of these sessions: a record\n"
    "cannot be taken out of a journal."
)


def find_environment(name: str, directory: Path, *, as_json: bool) -> int:
    """Print where the value of a variable stands, never the value itself.

    Args:
        name: The environment variable.
        directory: The journal directory.
        as_json: Print one object.

    Returns:
        The exit code: 0 if it is nowhere, 1 if it was found or a file was not read.

    Raises:
        click.UsageError: The variable is not set, or too short to be searched for.
    """
    value = os.environ.get(name)
    if value is None:
        raise click.UsageError(f"the environment variable {name} is not set")
    if len(value) < VALUE_MIN_CHARS:
        raise click.UsageError(
            f"the value of {name} is shorter than {VALUE_MIN_CHARS} characters"
        )
    found: list[Found] = []
    unread: list[NotSearched] = []
    for one in find_value(directory, value):
        if isinstance(one, Found):
            found.append(one)
        else:
            unread.append(one)
    if as_json:
        data = {
            "variable": name,
            "directory": str(directory),
            "sessions": sorted({one.session for one in found if one.session}),
            "found": [one._asdict() for one in found],
            "not_searched": [one._asdict() for one in unread],
        }
        click.echo(json_text(data), nl=False)
    else:
        click.echo("\n".join(_lines(name, directory, found, unread)))
    return 1 if found or unread else 0


def _lines(
    name: str, directory: Path, found: list[Found], unread: list[NotSearched]
) -> list[str]:
    where = escape(str(directory))
    if not found:
        lines = [f"The value of {escape(name)} was not found in {where}."]
    else:
        lines = [f"The value of {escape(name)} stands in {where}:", ""]
        for one in found:
            place = f"at byte {one.offset}"
            if one.seq:
                field = f", field {one.field}" * bool(one.field)
                place = f"record {one.seq} {one.type}{field}"
            lines.append(f"  {escape(one.file)}: {escape(place)} ({one.form})")
        lines += ["", _ADVICE]
    lines += [f"Not searched: {escape(one.file)}: {one.reason}" for one in unread]
    return lines
