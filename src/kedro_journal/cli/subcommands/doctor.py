"""`doctor`: what is guaranteed where journals are written."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.options import directory_options, json_option

__all__ = ["doctor"]


@click.command("doctor")
@directory_options
@click.option(
    "--find-env",
    "variable",
    metavar="NAME",
    help="Search all journals for the value of this environment variable instead.",
)
@json_option
@click.pass_context
def doctor(
    ctx: click.Context,
    *,
    project: Path | None,
    directory: Path | None,
    variable: str | None,
    as_json: bool,
) -> None:
    """Check what is guaranteed on this machine.

    Tries real operations in a temporary folder there, which is removed again: exclusive
    creation, appends and locks of several processes, kill -9, syncs. Looks at the
    settings, the installation, and the newest journals. Changes nothing. Loads Kedro
    and the project's settings.py in a process of its own.

    With --find-env, nothing is probed: every file of the journal directory is searched
    for the value of that variable, in plain text, base64, hex, URL-quoted, escaped,
    UTF-16 or reversed. Sessions, records and fields are listed, never the value. Exits
    with 0 if it is nowhere, 1 if it was found, 2 if the variable is not set. With
    --json: variable, directory, sessions, found (session, file, seq, type, field,
    offset, form) and not_searched (file, reason).

    Exits with 0 if there is no problem (notes and warnings do not count), else with 1.

    With --json: one object with worst, directory, probed, project, durability, checks
    (key, status, text, advice, facts), not_probed, guarantees (key, holds, text) and
    duration_s. Where the package itself does not load, the one check says why.
    """
    try:
        from kedro_journal.cli.common import project_of
        from kedro_journal.console import screen
        from kedro_journal.doctor import examine
        from kedro_journal.views.data import json_text
        from kedro_journal.views.doctor import doctor_data, doctor_view
    except Exception as error:  # whatever is missing: to say so is what it is for
        from kedro_journal.cli.broken import broken_report

        click.echo(broken_report(error, as_json=as_json), nl=False)
        ctx.exit(1)

    if variable is not None:
        from kedro_journal.cli.common import open_journals
        from kedro_journal.cli.find import find_environment

        where = open_journals(ctx, project, directory).path
        ctx.exit(find_environment(variable, where, as_json=as_json))
    report = examine(project_of(ctx, project), directory)
    if as_json:
        click.echo(json_text(doctor_data(report)), nl=False)
    else:
        click.echo(doctor_view(report, screen()), nl=False)
    if report.worst == "problem":
        ctx.exit(1)
