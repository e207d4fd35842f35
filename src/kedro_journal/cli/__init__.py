"""The command line: `kedro-journal ...`, and the same as `kedro journal ...`.

What it owns: options, exit codes, and what goes to stdout and stderr.

Main modules:
    subcommands/: one module for each command. It parses, calls and prints.
    group: a click group that imports a command when it is called.
    common, options, filters, complete: what several commands share.
    again: what `resume` and `rerun` share. annotate: what `note` and `tag` share.
    live_screen: the only module that imports Rich. delivery: `watch --on`.
    broken: commands where a dependency is missing.

Invariants:
    This module imports click and nothing else. No reading command imports Kedro.
    An error of ours is one line on stderr and an exit code. Stdout has the answer only.

Exit codes: 0 done; 1 failed; 2 wrong usage, an invalid setting that is needed or an
unsafe path; 3 no such session, or several, or no Kedro project; 4 damaged journal; 5
journal of a newer version; 6 cannot be resumed; 130 stopped by Ctrl-C; 141 the reader
of stdout closed it. `wait`, `watch` and `--exit-code` exit by verdict: 0 completed, 10
failed, 11 crashed, 12 interrupted, 13 unknown, 14 running, 15 no run; 124 after a
timeout.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import Final

import click

from .group import JournalGroup

__all__ = ["commands", "journal", "main"]

SECTIONS: Final = {
    "Get started": ("demo", "init", "doctor"),
    "Inspect": (
        "list",
        "show",
        "stats",
        "report",
        "viz",
        "query",
        "watch",
        "tail",
        "wait",
        "replay",
        "why",
        "debug",
        "diff",
        "trace",
        "explain",
        "command",
    ),
    "Run again": ("resume", "rerun"),
    "Keep": ("note", "tag", "pack", "prune"),
    "Format": ("verify", "schema"),
}
"""Commands by what they are for, in the order of the help."""

COMMANDS: Final = {
    name: f"kedro_journal.cli.subcommands.{name}:{'list_' if name == 'list' else name}"
    for names in SECTIONS.values()
    for name in names
}
"""Command to `module:attribute`."""

journal: Final = JournalGroup(
    name="journal",
    lazy=COMMANDS,
    sections=SECTIONS,
    help="Journals of Kedro sessions: what ran, what broke and where.\n\n"
    "A session is named by its id or a unique part of it, by `latest`, `last-failed`, "
    "`last-good` or `@-1`, by a local time (18:55, yesterday), or by a path. "
    "Journals are looked for in the Kedro project around the working directory.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
"""The group of all commands, the same in both forms."""

commands: Final = click.Group(name="kedro-journal", commands={"journal": journal})
"""What Kedro's entry point `kedro.global_commands` loads: a group with `journal`."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the standalone form. Ends the process with an exit code."""
    with contextlib.suppress(AttributeError, ValueError):
        # A terminal that cannot show a character gets its number, not a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    journal.main(
        args=list(args) if args is not None else None, prog_name="kedro-journal"
    )
