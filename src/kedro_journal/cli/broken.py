"""What there is to say where a dependency is missing or broken, so that nothing loads.

The standard library and click are all that is imported.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final, NoReturn

import click

from kedro_journal.views.terminal import escape

__all__ = ["broken_command", "broken_report", "say"]

_NEEDED: Final = ("kedro", "msgspec", "filelock", "click")


def say(message: str) -> None:
    """Report an error in one line on stderr."""
    click.echo(f"kedro-journal: {escape(message)}", err=True)


def broken_command(name: str, error: Exception) -> click.Command:
    """Return a command that says why the one of that name does not load."""

    def tell(**_: object) -> NoReturn:
        look = "" if name == "doctor" else " `kedro-journal doctor` has more."
        say(f"`{name}` cannot be imported: {_reason(error)}.{look}")
        raise click.exceptions.Exit(1)

    return click.Command(
        name,
        callback=tell,
        params=[click.Argument(["given"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        short_help="Cannot be imported here; see `doctor`.",
    )


def broken_report(error: Exception, *, as_json: bool) -> str:
    """Return all that the doctor can say, in the form that its reports have."""
    versions = {name: _version(name) for name in _NEEDED}
    missing = [name for name, version in versions.items() if version is None]
    what = " ".join(missing) or "--force-reinstall kedro-journal"
    text = (
        f"kedro-journal cannot be imported: {_reason(error)}. Runs go on "
        "without a journal, "
        "unless `strict` is set; of its commands, none but this one works."
    )
    advice = f"Install what it needs: {sys.executable} -m pip install {what}"
    facts = {"error": type(error).__name__, "versions": versions, "missing": missing}
    if not as_json:
        found = ", ".join(f"{name} {versions[name] or 'missing'}" for name in _NEEDED)
        lines = (
            "What is installed",
            f"  problem  {escape(text)}",
            f"           Found: {escape(found)}.",
            f"           {escape(advice)}",
            "",
            "1 problem in 1 check",
        )
        return "\n".join(lines) + "\n"
    check: dict[str, Any] = {
        "key": "software.loads",
        "status": "problem",
        "text": text,
        "advice": advice,
        "facts": facts,
    }
    report: dict[str, Any] = {
        "worst": "problem",
        "directory": None,
        "probed": None,
        "project": None,
        "durability": None,
        "checks": [check],
        "not_probed": [],
        "guarantees": [],
        "duration_s": 0.0,
    }
    return json.dumps(report, indent=2) + "\n"


def _version(name: str) -> str | None:
    import importlib.metadata  # half of the start of a command, and seldom needed

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _reason(error: Exception) -> str:
    """Return what went wrong and where, in one line."""
    import traceback

    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
