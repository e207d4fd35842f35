"""Where each parameter comes from: file and line, flag, or call.

Kedro merges the files of the base environment, those of the run's environment over
them, and the runtime parameters over both, and forgets which was which. Here the same
files are read again for the places alone: the values are those that Kedro gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kedro_journal._outside import let_through
from kedro_journal.events import CommandLine, ParameterSource
from kedro_journal.redaction.look import key_text, look_inside, type_name

from . import compat

if TYPE_CHECKING:
    from .configuration import ConfigFile

CONFIG_FILES_MAX: Final = 500
"""Configuration files that are looked at."""

__all__ = [
    "CONFIG_FILES_MAX",
    "fits",
    "parameter_sources",
    "unmatched_params",
    "yaml_places",
]

SOURCES_MAX: Final = 2000
"""Parameters told one by one; where there are more, only whole top-level ones."""
_DEPTH_MAX: Final = 32
_PLACES_MAX: Final = 20_000
_NAME_MAX_CHARS: Final = 1000
_EXPRESSION_MAX_CHARS: Final = 500

_TYPED_KEYS: Final = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null")
)

_UNMATCHED_MAX: Final = 50
_REFERENCE: Final = re.compile(r"runtime_params\s*:\s*['\"]?([\w.-]+)")

Key = tuple[str, ...]


class Place(NamedTuple):
    """Where a parameter stands.

    Attributes:
        source: File, flag or call.
        line: Line in the file, from 1.
        expression: The text there, if it is an interpolation.
    """

    source: str
    line: int | None = None
    expression: str = ""

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


def parameter_sources(
    context: Any,
    parameters: Mapping[str, Any],
    files: Sequence[ConfigFile],
    command: CommandLine | None,
) -> tuple[ParameterSource, ...]:
    """Return where each of the parameters in force comes from.

    Args:
        context: Kedro's context.
        parameters: The parameters in force.
        files: The configuration files, base first.
        command: The command line, if the session came from one.
    """
    names = list(islice(_leaves(parameters), SOURCES_MAX + 1))
    if len(names) > SOURCES_MAX:
        names = [(_name(key),) for key in islice(parameters, SOURCES_MAX)]
    layers: list[Mapping[Key, Place] | None]
    layers = [_runtime_places(compat.context_runtime_params(context), command)]
    if len(files) >= CONFIG_FILES_MAX:
        layers.append(None)  # files of the last environment may not be among them
    patterns = compat.config_patterns(context, "parameters")
    for file in reversed(files):
        if not any(fits(file.within, pattern) for pattern in patterns):
            continue
        places = None if file.text is None else yaml_places(file.text, file.name)
        layers.append(places)
        if places is not None and len(places) >= _PLACES_MAX:
            layers.append(None)
    return tuple(sorted((_source(name, layers) for name in names), key=_by_name))


def unmatched_params(
    context: Any, sources: Sequence[ParameterSource], files: Sequence[ConfigFile]
) -> tuple[str, ...]:
    """Name the runtime parameters that match nothing in the configuration.

    Args:
        context: Kedro's context.
        sources: Where each of the parameters in force comes from.
        files: The configuration files.

    Returns:
        Those that override no configured parameter and that no configuration file
        refers to; none where a file was not read, or there are too many.
    """
    asked = {
        ".".join(key)
        for key in _runtime_places(compat.context_runtime_params(context), None)
    }
    texts = [file.text for file in files]
    if not asked or len(files) >= CONFIG_FILES_MAX or None in texts:
        return ()
    referred = set(_REFERENCE.findall("\n".join(text or "" for text in texts)))
    new = [one.name for one in sources if one.name in asked and not one.overrides]
    return tuple(
        name
        for name in new[:_UNMATCHED_MAX]
        if not any(name == one or name.startswith(f"{one}.") for one in referred)
    )


def _by_name(source: ParameterSource) -> str:
    return source.name


def _source(name: Key, layers: Sequence[Mapping[Key, Place] | None]) -> ParameterSource:
    """Describe where a parameter comes from.

    Args:
        name: The parameter.
        layers: Places, the one in force first. None stands for a file that was not
            read. Any parameter may be in it, so what is below it is not known.
    """
    found: list[Place] = []
    for layer in layers:
        place = None if layer is None else _lookup(layer, name)
        if place is not None:
            found.append(place)
        elif layer is None:
            break
    text = ".".join(name)[:_NAME_MAX_CHARS]
    if not found:
        return ParameterSource(text)
    first, *others = found
    return ParameterSource(
        text,
        source=first.source,
        line=first.line,
        expression=first.expression,
        overrides=tuple(map(str, others)),
    )


def _lookup(layer: Mapping[Key, Place], name: Key) -> Place | None:
    """Find a parameter, or what it is a part of: an interpolation may be a mapping."""
    for length in range(len(name), 0, -1):
        place = layer.get(name[:length])
        if place is not None:
            return place
    return None


def _leaves(value: Any, name: Key = ()) -> Iterator[Key]:
    inside = look_inside(value) if len(name) < _DEPTH_MAX else None
    # Kedro makes a data class or a pydantic model of the parameters of a typed node.
    nested = inside is not None and inside.kind in ("mapping", "fields")
    if inside is not None and nested and (inside.total or not name):
        for key, inner in inside.items:
            yield from _leaves(inner, (*name, _name(key)))
    else:
        yield name


def _name(key: object) -> str:
    return key_text(key) or type_name(type(key))


def _runtime_places(
    params: Mapping[str, Any], command: CommandLine | None
) -> dict[Key, Place]:
    """Return the places of runtime parameters: the command line, or else the call.

    A command of the project's own may make a session with other parameters than those
    that were given to it.
    """
    if not params:
        return {}
    names = islice(_leaves(params), _PLACES_MAX)
    places = dict.fromkeys(names, Place("runtime_params"))
    place = None
    if command is not None and "params" in command.given:
        place = Place("--params")
    elif command is not None and "params" in command.from_config:
        place = Place(f"--config {command.config_file}")
    if command is None or place is None:
        return places
    given = command.flags.get("params")
    if not isinstance(given, Mapping):
        return dict.fromkeys(places, place)
    asked = set(islice(_leaves(given), _PLACES_MAX))
    return {name: place if name in asked else old for name, old in places.items()}


def yaml_places(text: str, source: str) -> dict[Key, Place]:
    """Find every key of a YAML or JSON file, with its line; empty if it is invalid.

    Args:
        text: What stands in the file.
        source: Its name.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        let_through(error)
        return {}
    places: dict[Key, Place] = {}
    if isinstance(root, yaml.MappingNode):
        _walk(root, (), source, places)
    return places


def _walk(node: Any, name: Key, source: str, places: dict[Key, Place]) -> None:
    """Note a place for each leaf; what a merge key (`<<`) brings stands where it is."""
    for key, value in node.value:
        if len(places) >= _PLACES_MAX or len(name) >= _DEPTH_MAX:
            return
        if key.tag == "tag:yaml.org,2002:merge":
            parts = value.value if value.id == "sequence" else [value]
            for part in parts:
                if part.id == "mapping":
                    merged: dict[Key, Place] = {}
                    _walk(part, name, source, merged)
                    places.update({k: p for k, p in merged.items() if k not in places})
            continue
        inner = (*name, _key_name(key))
        if value.id == "mapping" and value.value:
            _walk(value, inner, source, places)
            continue
        scalar = value.value if value.id == "scalar" else ""
        expression = scalar[:_EXPRESSION_MAX_CHARS] if "${" in scalar else ""
        places[inner] = Place(source, key.start_mark.line + 1, expression)


def _key_name(key: Any) -> str:
    """Return the name of a key as the loaded parameters have it: `yes` is True."""
    import yaml

    if key.id != "scalar" or key.tag not in _TYPED_KEYS:
        return str(key.value)
    try:
        value = yaml.constructor.SafeConstructor().construct_object(key)
    except (yaml.YAMLError, ValueError) as error:
        let_through(error)
        return str(key.value)
    return _name(value)


def fits(within: str, pattern: str) -> bool:
    """Return whether a file is meant by a pattern of Kedro's configuration loader."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return bool(
        re.fullmatch("".join(wild.get(p) or re.escape(p) for p in parts), within)
    )
