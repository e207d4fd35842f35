"""Write the reference pages from the code: `python docs/generate.py [--check]`.

Whole pages under `reference/`, and the marked blocks of other pages. With
`--check` nothing is written; what would change is listed, and the exit code is 1.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from generate_api import api_page, cli_page
from generate_markdown import (
    GENERATED,
    attributes,
    description,
    first_sentence,
    table,
)

from kedro_journal import errors, state
from kedro_journal.config import ENV_PREFIX, Config
from kedro_journal.events import EVENT_TYPES, LIFECYCLE_TYPES, Event
from kedro_journal.events.schema import event_schema, record_schema
from kedro_journal.journal.codec import NO_PREV, encode_event, seal

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "kedro_journal"
EXAMPLES = DOCS.parent / "journal_schema" / "examples"
_MARK = re.compile(
    r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end generated -->)", re.DOTALL
)
# One realistic instance of each error, for the wording of its message.
_SESSION = "2026-11-22T05.11.30.123Z"
_JOURNAL = Path("sessions") / _SESSION / "journal.jsonl"
ERROR_SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "JournalNotFound": ("2025", Path("sessions"), (_SESSION,)),
    "AmbiguousSessionId": ("2026-11", ("2026-11-21T22.40.02.871Z", _SESSION)),
    "GroupNotFound": ("manual__2026", Path("sessions"), ("scheduled__2026-11-22",)),
    "InvalidSessionId": ("my run",),
    "CorruptJournal": (
        _JOURNAL,
        "records lost",
        "1 record(s) after record 41 are destroyed: its checksum is wrong",
        10240,
        41,
        1,
    ),
    "NewerJournal": (_JOURNAL, 2),
    "NothingLeft": (_SESSION, None),
    "NotRecorded": (
        _SESSION,
        ("runtime parameter query",),
        "was too large to be recorded",
        "`kedro-journal show` has the rest.",
    ),
    "NotResumable": (
        _SESSION,
        "its process 21526 is alive",
        "Wait for it, or stop it first.",
    ),
    "NothingToTrace": ("params:lr", _SESSION, ("params:model.lr",)),
    "NodeNotFound": ("trian", _SESSION, ("train",)),
    "JournalClosed": (_JOURNAL, 52),
    "JournalBusy": (_JOURNAL, 30.0),
    "JournalUnwritable": (_JOURNAL, 28, "No space left on device"),
    "UnsafeJournal": (Path("sessions"), "a symbolic link"),
    "RecordTooLarge": ("note.added", 300_000, 262_144),
    "IllegalTransition": ("session.activated", "session", "closed"),
    "ConfigError": ("pyproject.toml", "`tool.kedro_journal` has an unknown key"),
}

EVENTS_TEXT = """
An event is what stands in `data` of a line; its type stands in `type` and, above 1, its
version in `tv`. A field that equals its default may be left out of the line. The line
itself is described in [the format](../concepts/format.md), the schemas are in
`journal_schema/`. *Synced* events are brought to the disk at every durability level;
a header or a repair goes with the record that it is written in front of.
"""
UNKNOWN_TEXT = """
A type or version that the reader does not know is kept byte for byte as an
`UnknownEvent`, counted in the state, and read into nothing.
"""
CONFIGURATION_TEXT = """
Settings stand in `[tool.kedro_journal]` of the project's `pyproject.toml`. An
environment variable wins over the file. A key that is not listed here, or a value of
another type, is a [ConfigError](errors.md#configerror) that names the key.
[How to configure](../how-to/configure.md) has examples.
"""
VARIABLES_TEXT = f"""
In a variable, lists are separated by commas, and true is `1`, `true` or `yes`, false
`0`, `false`, `no` or nothing.

`{ENV_PREFIX}GROUP_ID`, `{ENV_PREFIX}PARENT_SESSION_ID` and `{ENV_PREFIX}LABELS` are no
settings: they say [what a session is to others](../how-to/orchestrate.md). Nor are
`{ENV_PREFIX}SESSION` and `{ENV_PREFIX}PROJECT`: this package sets them for its own
child processes.
"""
ERRORS_TEXT = """
Every error of this package is a `kedro_journal.JournalError`; the classes are in
`kedro_journal.errors`. The message says where, what, what is still good and what to do;
the same facts are attributes. All of them pickle. The command line prints the message
on one line of stderr and exits with the code of the class.
"""


def events_page() -> str:
    """Every event type: its fields, their types and defaults, and a line."""
    rows = [
        (
            f"[`{name}`](#{_anchor(name)})",
            str(cls.VERSION),
            "yes" if name in LIFECYCLE_TYPES else "",
            first_sentence(event_schema(name)["description"]),
        )
        for name, cls in EVENT_TYPES.items()
    ]
    parts = [
        "# Events",
        GENERATED,
        EVENTS_TEXT,
        table(("type", "version", "synced", "what happened"), rows),
        UNKNOWN_TEXT,
    ]
    shared: dict[str, Any] = {}
    for name, cls in EVENT_TYPES.items():
        schema = event_schema(name)
        shared.update(schema.get("$defs", {}))
        parts += [f"## {name}", schema["description"], _fields(schema)]
        parts.append(f"```json\n{_example_line(name, cls)}\n```")
    parts.append("## Shared types")
    for name in sorted(shared):
        parts += [f"### {name}", shared[name]["description"], _fields(shared[name])]
    parts += ["## The line", record_schema()["description"], _fields(record_schema())]
    return _page(parts)


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def _fields(schema: Mapping[str, Any]) -> str:
    if not schema["properties"]:
        return "No fields."
    rows = []
    for name, rules in schema["properties"].items():
        required = name in schema["required"]
        default = "required" if required else f"`{json.dumps(rules['default'])}`"
        rows.append((f"`{name}`", _type_of(rules), default, rules["description"]))
    return table(("field", "type", "default", "description"), rows)


def _type_of(rules: Mapping[str, Any]) -> str:
    if "$ref" in rules:
        name = rules["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in rules:
        return " or ".join(_type_of(option) for option in rules["anyOf"])
    kind: str = rules.get("type", "any value")
    if kind == "array":
        pair = ", ".join(_type_of(item) for item in rules.get("prefixItems", ()))
        return f"[{pair}]" if pair else f"array of {_type_of(rules['items'])}"
    if kind == "object" and rules.get("additionalProperties"):
        return f"object of {_type_of(rules['additionalProperties'])}"
    return kind + _bounds(rules)


def _bounds(rules: Mapping[str, Any]) -> str:
    low, high = rules.get("minimum"), rules.get("maximum")
    if low is not None and low == high:
        return f" {low}"
    return "" if low is None else f" ≥ {low}"


def _example_line(name: str, cls: type[Event]) -> str:
    good = EXAMPLES / f"{name}.v{cls.VERSION}" / "good"
    data = max((file.read_bytes() for file in sorted(good.glob("*.json"))), key=len)
    event = msgspec.json.decode(data, type=cls)
    seq = {"journal.header": 1, "writer.opened": 2}.get(name, 42)
    line, _ = seal(
        seq=seq,
        at="2026-11-22T05:11:32.123456Z",
        writer="w1",
        prev=NO_PREV if seq == 1 else "1f0c9a77",
        event=event,
        data=encode_event(event),
    )
    return line.decode().rstrip("\n")


def configuration_page() -> str:
    """Every setting: its key, its environment variable, its default."""
    described = msgspec.json.schema(Config)["$defs"]["Config"]["properties"]
    rows = [
        (
            f"`{field.name}`",
            f"`{ENV_PREFIX}{field.name.upper()}`",
            _setting_type(described[field.name]),
            f"`{json.dumps(field.default)}`",
            described[field.name]["description"],
        )
        for field in msgspec.structs.fields(Config)
    ]
    return _page(
        [
            "# Configuration",
            GENERATED,
            CONFIGURATION_TEXT,
            table(("key", "variable", "type", "default", "description"), rows),
            VARIABLES_TEXT,
        ]
    )


def _setting_type(rules: Mapping[str, Any]) -> str:
    if "enum" in rules:
        return ", ".join(f"`{value}`" for value in sorted(rules["enum"]))
    if rules["type"] == "array":
        return "list of strings"
    if "exclusiveMinimum" in rules:
        return f"{rules['type']} > {rules['exclusiveMinimum']}"
    return str(rules["type"])


def errors_page() -> str:
    """Every error class: what it means, its attributes, its exit code."""
    names = [name for name in errors.__all__ if name != "JournalError"]
    classes = [getattr(errors, name) for name in names]
    codes = [
        (f"[`{cls.__name__}`](#{cls.__name__.lower()})", str(cls.exit_code))
        for cls in classes
    ]
    parts = [
        "# Errors",
        GENERATED,
        ERRORS_TEXT,
        table(("error", "exit code"), codes),
    ]
    for cls in classes:
        parts += [f"## {cls.__name__}", description(cls)]
        rows = [(f"`{name}`", text) for name, text in attributes(cls).items()]
        parts.append(table(("attribute", "meaning"), rows))
        sample = cls(*ERROR_SAMPLES[cls.__name__])
        parts.append(
            f"Exit code {cls.exit_code}. For example:\n\n```text\n{sample}\n```"
        )
    return _page(parts)


READING_PATHS: Mapping[str, tuple[str, ...]] = {
    "append, hook to disk": (
        "hooks/session_hooks",
        "events/node",
        "recording/recorder",
        "recording/guard",
        "recording/encoding",
        "journal/writer",
        "journal/lock",
        "journal/end",
        "journal/codec",
        "journal/file",
    ),
    "replay, file to view": (
        "replaying/api",
        "replaying/select",
        "replaying/folder",
        "journal/reader",
        "journal/lines",
        "journal/scan",
        "journal/codec",
        "state/evolution",
        "state/node",
        "state/model",
        "views/session",
    ),
}


def _reading_paths() -> str:
    rows = []
    for name, modules in READING_PATHS.items():
        paths = [SOURCE / f"{module}.py" for module in modules]
        lines = sum(len(path.read_text("utf-8").splitlines()) for path in paths)
        text = ", ".join(f"`{module}`" for module in modules)
        rows.append((name, str(len(modules)), f"{lines:,}", text))
    return table(("path", "files", "lines", "modules"), rows)


Transitions = Mapping[tuple[Any, type[Event]], Any]


def _diagram(moves: Transitions, start: str, opened_by: str = "") -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    if opened_by:
        lines.append(f"    [*] --> {start}: {opened_by}")
    for (source, event), target in moves.items():
        if source != target:
            begin = "[*]" if source == start and not opened_by else source
            lines.append(f"    {begin} --> {target}: {event.TYPE}")
    sources = {source for source, _ in moves}
    ends = dict.fromkeys(target for target in moves.values() if target not in sources)
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join([*lines, "```"])


def _moves(moves: Transitions) -> str:
    rows = [
        (f"`{source}`", f"`{event.TYPE}`", f"`{target}`")
        for (source, event), target in moves.items()
    ]
    return table(("status", "event", "status then"), rows)


def _block(name: str) -> str:
    blocks: dict[str, Callable[[], str]] = {
        "session-diagram": lambda: _diagram(state.SESSION_TRANSITIONS, "empty"),
        "session-table": lambda: _moves(state.SESSION_TRANSITIONS),
        "run-diagram": lambda: _diagram(
            state.RUN_TRANSITIONS, "running", "run.started"
        ),
        "run-table": lambda: _moves(state.RUN_TRANSITIONS),
        "node-diagram": lambda: _diagram(
            state.NODE_TRANSITIONS, "pending", "run.started"
        ),
        "node-table": lambda: _moves(state.NODE_TRANSITIONS),
        "reading-paths": _reading_paths,
    }
    return blocks[name]()


def marked_page(name: str) -> str:
    """Return a page with its marked blocks generated again."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return _MARK.sub(
        lambda mark: f"{mark[1]}\n{_block(mark['name'])}\n\n{mark[3]}", text
    )


def _page(parts: list[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/events.md": events_page,
    "reference/api.md": lambda: _page(api_page()),
    "reference/cli.md": lambda: _page(cli_page()),
    "reference/configuration.md": configuration_page,
    "reference/errors.md": errors_page,
    "concepts/state.md": lambda: marked_page("concepts/state.md"),
    "contributing/architecture.md": lambda: marked_page("contributing/architecture.md"),
}


def main(arguments: list[str]) -> int:
    """Write the pages, or only compare them."""
    check = "--check" in arguments
    changed = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            changed.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    for name in changed:
        sys.stdout.write(f"{'differs' if check else 'wrote'}: docs/{name}\n")
    if check and changed:
        sys.stdout.write("`python docs/generate.py` writes them again.\n")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
