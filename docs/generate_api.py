"""The pages on the Python interface and on the command line."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, ForwardRef, get_overloads

import click
import msgspec
from generate_markdown import (
    GENERATED,
    attributes,
    description,
    docstring,
    entries,
    first_sentence,
    sections,
    table,
)

import kedro_journal
from kedro_journal.journal import Finding, Verification
from kedro_journal.state import Anomaly, DatasetOperation, Note, Writer

__all__ = ["api_page", "cli_page"]

_STARS: Mapping[object, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
_INHERITED: Mapping[str, tuple[str, ...]] = {
    "Resumable": ("resume", "rerun", "load_inputs", "plan", "repeats"),
}
"""Members that a base class, which is not public itself, gives to public ones."""
_RELATED = (DatasetOperation, Note, Anomaly, Writer, Verification, Finding)

API_TEXT = """
`kedro_journal` reads journals and never imports Kedro; `kedro_journal.session` is the
Kedro side. What is not on this page is not public and may change in any release.
"""
CLI_TEXT = """
The same commands as `kedro journal ...`, inside a Kedro project, and as
`kedro-journal ...`, anywhere, without loading Kedro where that is possible. The answer
goes to stdout, everything else of ours to stderr; an error is one line. An ID is
anything that [names a session](../how-to/sessions.md): an id or a part of it, `latest`,
`last-failed`, `last-good`, `@-1`, a time or a path.

What `list`, `show`, `diff`, `trace`, `verify`, `replay`, `tail`, `wait`, `doctor` and
`resume --dry-run` print with `--json` is described by JSON Schemas in
`journal_schema/output/`, which `kedro-journal schema output.list` prints as well.
Within a version of a schema, keys are only added: none is removed, renamed or changes
its meaning. Texts for people may change.

As `kedro journal ...`, Kedro itself may print a line about its logging to stdout before
any plugin is called. Scripts that parse the answer call `kedro-journal ...`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage, a wrong setting that is needed, or an unsafe path |
| 3 | no such session, or several; no Kedro project |
| 4 | damaged journal |
| 5 | journal of a newer version |
| 6 | not to be resumed |
| 130 | stopped by Ctrl-C |
| 141 | the program that read the output ended |
"""


def api_page() -> list[str]:
    """Every public name, with its signature and what its docstring says."""
    parts = [
        "# Python interface",
        GENERATED,
        API_TEXT,
        "## kedro_journal",
        docstring(kedro_journal),
    ]
    parts += _public("kedro_journal")
    session = _session_module()
    if session is not None:
        parts += ["## kedro_journal.session", docstring(session)]
        parts += _public("kedro_journal.session")
    handler = importlib.import_module("kedro_journal.logging")
    parts += ["## kedro_journal.logging", docstring(handler)]
    parts += _public("kedro_journal.logging")
    parts.append("## Types that these give")
    for cls in _RELATED:
        parts += _class(cls.__name__, cls)
    return parts


def _session_module() -> ModuleType | None:
    logging.disable(logging.INFO)  # Kedro says on stdout where its logging comes from
    try:
        module = importlib.import_module("kedro_journal.session")
    except ImportError:
        return None
    return module if hasattr(module, "__all__") else None


def _public(module_name: str) -> Iterator[str]:
    module = importlib.import_module(module_name)
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.ismodule(thing):
            yield f"### {name}"
            yield f"{first_sentence(docstring(thing))} See [errors](errors.md)."
        elif inspect.isclass(thing):
            yield from _class(name, thing)
        elif callable(thing):
            yield from _function(f"### {name}", name, thing)
        else:
            yield f"### {name}"
            yield f"A `{type(thing).__name__}`."


def _function(heading: str, name: str, thing: Any) -> Iterator[str]:
    yield heading
    yield f"```text\n{_signature(name, thing)}\n```"
    yield from _documented(thing)


def _documented(thing: object) -> Iterator[str]:
    found = sections(docstring(thing))
    yield found.pop("")
    for title, body in found.items():
        listed = entries(body)
        if title in ("Args", "Raises") and listed:
            rows = [(f"`{name}`", text) for name, text in listed.items()]
            yield table(("argument" if title == "Args" else "raises", "meaning"), rows)
        elif title != "Attributes":
            yield f"**{title}** {' '.join(body.split())}"


def _class(name: str, cls: type) -> Iterator[str]:
    yield f"### {name}"
    if not issubclass(cls, (msgspec.Struct, tuple, Exception)):
        yield f"```text\n{_signature(name, cls)}\n```"
    yield from _documented(cls)
    texts = attributes(cls)
    kinds = {key: _text_of(kind) for key, kind in _annotations(cls).items()}
    rows = [
        (f"`{key}`", f"`{kind}`", texts.get(key, ""))
        for key, kind in kinds.items()
        if not key.startswith("_")
    ]
    rows += [(f"`{key}`", "", text) for key, text in texts.items() if key not in kinds]
    yield table(("attribute", "type", "meaning"), rows)
    yield table(("property", "meaning"), list(_properties(cls)))
    for key, member in _members(cls):
        if isinstance(member, (staticmethod, classmethod, type(_class))):
            function = getattr(cls, key)
            yield from _function(f"#### {name}.{key}", key, function)


def _members(cls: type) -> Iterator[tuple[str, object]]:
    """Yield the public members of a class, with the documented ones of its bases."""
    for key, member in vars(cls).items():
        if not key.startswith("_"):
            yield key, member
    for base in cls.__mro__[1:]:
        for key in _INHERITED.get(base.__name__, ()):
            yield key, vars(base)[key]


def _annotations(cls: type) -> dict[str, Any]:
    if issubclass(cls, (msgspec.Struct, tuple)):
        return dict(inspect.get_annotations(cls))
    return {}


def _properties(cls: type) -> Iterator[tuple[str, str]]:
    for key, member in _members(cls):
        if isinstance(member, property):
            yield f"`{key}`", description(member)


def _signature(name: str, thing: Any) -> str:
    """Write a signature the same way in every version of Python."""
    overloads = get_overloads(thing)
    if overloads:
        return "\n".join(
            _written(name, getattr(one, "__func__", one)) for one in overloads
        )
    return _written(name, thing)


def _written(name: str, thing: Any) -> str:
    signature = inspect.signature(thing)
    parts, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls") or parameter.name.startswith("_"):
            continue
        prefix = _STARS.get(parameter.kind, "")
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
        elif parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        text = prefix + parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {_text_of(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        parts.append(text)
    result = signature.return_annotation
    arrow = "" if result is signature.empty else f" -> {_text_of(result)}"
    flat = f"{name}({', '.join(parts)}){arrow}"
    if len(flat) <= 88:
        return flat
    body = "".join(f"    {part},\n" for part in parts)
    return f"{name}(\n{body}){arrow}"


def _text_of(annotation: object) -> str:
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    return inspect.formatannotation(annotation)


def cli_page() -> list[str]:
    """Every command with its arguments and options."""
    parts = [
        "# Command line",
        GENERATED,
        CLI_TEXT,
    ]
    group = _commands()
    if group is None:
        return [*parts, "No command is available yet."]
    context = click.Context(group, info_name="kedro-journal")
    commands = [
        (name, command)
        for name in group.list_commands(context)
        if (command := group.get_command(context, name)) is not None
    ]
    rows = [
        (f"[`{name}`](#{name})", first_sentence(command.help or ""))
        for name, command in commands
    ]
    parts.append(table(("command", "what it does"), rows))
    for name, command in commands:
        parts += _command(f"kedro-journal {name}", f"## {name}", command)
    return parts


def _commands() -> click.Group | None:
    """Find the group of our commands, which hangs in Kedro's as `journal`."""
    try:
        group: object = importlib.import_module("kedro_journal.cli").commands
    except (ImportError, AttributeError):
        return None
    if isinstance(group, click.Group):
        inner = group.get_command(click.Context(group), "journal")
        group = inner or group
    return group if isinstance(group, click.Group) else None


def _metavar(parameter: click.Parameter, command: click.Command) -> str:
    try:
        text = parameter.make_metavar(click.Context(command))
    except TypeError:  # click 8.1
        text = parameter.make_metavar()  # type: ignore[call-arg]
    return text.replace(" RANGE", "")


def _command(path: str, heading: str, command: click.Command) -> Iterator[str]:
    words = [path]
    rows = []
    for parameter in command.params:
        shown = _metavar(parameter, command)
        if isinstance(parameter, click.Argument):
            words.append(shown)
        elif isinstance(parameter, click.Option) and not parameter.hidden:
            names = ", ".join((*parameter.opts, *parameter.secondary_opts))
            value = "" if parameter.is_flag or parameter.count else f" {shown}"
            rows.append((f"`{names}{value}`", parameter.help or ""))
    if rows:
        words.insert(1, "[OPTIONS]")
    yield heading
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    yield f"```text\n{' '.join(words)}\n```"
    yield table(("option", "meaning"), rows)
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _command(f"{path} {name}", f"#{heading} {name}", inner)
