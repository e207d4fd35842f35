"""`kedro-journal schema`: what stands in a journal, as JSON Schema."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import Final

import click

from kedro_journal.events import EVENT_TYPES
from kedro_journal.events.schema import (
    RECORD,
    event_schema,
    is_older_version,
    published,
    record_schema,
    schema_path,
    schema_text,
)
from kedro_journal.views.output_schema import (
    OUTPUTS,
    output_path,
    output_schema,
    published_outputs,
)

__all__ = ["every_schema", "schema"]

_OUTPUT: Final = "output."

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("schema")
@click.argument("event_type", metavar="[TYPE]", required=False)
@click.option("--list", "list_types", is_flag=True, help="List the types there are.")
@click.option("--output", type=_FOLDER, help="Write every schema below this folder.")
@click.option(
    "--check",
    type=_FOLDER,
    help="Compare the schemas below this folder; exit 1 if one differs.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON; for --list.")
def schema(
    event_type: str | None,
    list_types: bool,
    output: Path | None,
    check: Path | None,
    as_json: bool,
) -> None:
    """Print the JSON Schema of a line, of an event type or of an output.

    TYPE is an event type such as node.failed, with its version or without; or output.
    and the name of a command, such as output.list, for what it prints with --json.
    Without TYPE, the schema of a line: the envelope, whatever its event.
    """
    if sum((list_types, output is not None, check is not None, bool(event_type))) > 1:
        message = "TYPE, --list, --output and --check exclude each other."
        raise click.UsageError(message)
    if list_types:
        click.echo(_listing(as_json=as_json))
    elif output is not None:
        _write(output)
    elif check is not None:
        _compare(check)
    else:
        click.echo(_one(event_type or RECORD), nl=False)


def every_schema() -> dict[str, str]:
    """Return every published schema of this version: its path to its text."""
    return published() | published_outputs()


def _one(name: str) -> str:
    """Return one schema as text; `node.failed` and `node.failed.v1` both name it."""
    for known in (RECORD, *EVENT_TYPES):
        version = EVENT_TYPES[known].VERSION if known in EVENT_TYPES else 1
        if name in (known, f"{known}.v{version}"):
            return schema_text(
                record_schema() if known == RECORD else event_schema(known)
            )
    outputs = {_OUTPUT + one: one for one in OUTPUTS}
    wanted = outputs.get(name.removesuffix(".v1"))
    if wanted is not None:
        return schema_text(output_schema(wanted))
    known_names = (RECORD, *EVENT_TYPES, *outputs)
    close = difflib.get_close_matches(name, known_names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    message = f"no event type {name!r}.{hint} `kedro-journal schema --list` has all."
    raise click.BadParameter(message, param_hint="TYPE")


def _listing(*, as_json: bool) -> str:
    rows = [(RECORD, 1)] + [(name, cls.VERSION) for name, cls in EVENT_TYPES.items()]
    if as_json:
        entries = [
            {"type": name, "version": version, "file": schema_path(name, version)}
            for name, version in rows
        ]
        entries += [
            {"type": _OUTPUT + name, "version": 1, "file": output_path(name)}
            for name in OUTPUTS
        ]
        return json.dumps(entries, indent=2)
    rows += [(_OUTPUT + name, 1) for name in OUTPUTS]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  v{version}" for name, version in rows)


def _write(folder: Path) -> None:
    for path, text in every_schema().items():
        file = folder / path
        if not file.is_file() or file.read_bytes() != text.encode():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            click.echo(f"wrote {file}")


def _compare(folder: Path) -> None:
    drift = _drift(folder)
    for line in drift:
        click.echo(line)
    if drift:
        sys.exit(1)
    click.echo(
        f"{folder}: {len(every_schema())} schemas, all as this version makes them"
    )


def _drift(folder: Path) -> list[str]:
    """Return where the schemas below a folder differ from those of this version."""
    expected, found = every_schema(), []
    for path, text in expected.items():
        file = folder / path
        if not file.is_file():
            found.append(f"missing: {file}")
        elif file.read_bytes() != text.encode():
            found.append(f"differs: {file}")
    present = {
        file.relative_to(folder).as_posix()
        for pattern in ("*.json", "events/*.json", "output/*.json")
        for file in folder.glob(pattern)
    }
    found += [
        f"unknown: {folder / path}"
        for path in sorted(present - expected.keys())
        if not is_older_version(path)
    ]
    return found
