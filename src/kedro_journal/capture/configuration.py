"""The project's configuration -> `context.loaded`: files, parameters, catalog.

Files are read here a second time, after Kedro read them. What cannot be read is left
empty: its trouble is Kedro's to report. Nothing of credentials is kept but the names of
the environment variables that they refer to.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kedro_journal._outside import let_through, suppress
from kedro_journal.events import CatalogEntry, ContextLoaded, ParameterSource
from kedro_journal.redaction.limits import REDACTED
from kedro_journal.redaction.look import key_text, look_inside

from . import compat
from . import fields as capture
from .parts import in_parts
from .provenance import CONFIG_FILES_MAX, parameter_sources, unmatched_params

if TYPE_CHECKING:
    from kedro_journal.redaction import Redactor

    from .user_key import Fingerprints

__all__ = [
    "ConfigFile",
    "catalog_entries",
    "config_files",
    "config_variables",
    "context_loaded",
    "parameters_of",
    "sha256",
]

_CONFIG_MAX_BYTES: Final = 1024 * 1024
_OC_ENV: Final = re.compile(r"\$\{\s*oc\.env\s*:\s*['\"]?(\w+)")
_CONFIG_SUFFIXES: Final = (".yml", ".yaml", ".json")


class ConfigFile(NamedTuple):
    """One configuration file, as it is now.

    Attributes:
        name: Its path, relative to the project, with slashes.
        within: The same relative to the folder of its environment.
        environment: The configuration environment it belongs to.
        text: What stands in it; None if it cannot be read or is over 1 MiB.
        secret: It is about credentials.
    """

    name: str
    within: str
    environment: str
    text: str | None
    secret: bool


def config_files(context: Any) -> tuple[ConfigFile, ...]:
    """Read the configuration files that exist for a context, base first."""
    source = compat.conf_source(context)
    if source is None:
        return ()
    root = Path(str(context.project_path))
    found: list[ConfigFile] = []
    for environment in compat.config_environments(context):
        folder = source / environment
        for path in sorted(folder.rglob("*")):
            if path.suffix not in _CONFIG_SUFFIXES or not path.is_file():
                continue
            within = path.relative_to(folder).as_posix()
            if _is_hidden(within):
                continue
            secret = "credential" in within.lower()
            name = relative_name(path, root)
            found.append(ConfigFile(name, within, environment, _text(path), secret))
            if len(found) >= CONFIG_FILES_MAX:
                return tuple(found)
    return tuple(found)


def _is_hidden(within: str) -> bool:
    """Return whether Kedro passes over a file: of editors, or in .ipynb_checkpoints."""
    return any(part.startswith(".") for part in within.split("/"))


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > _CONFIG_MAX_BYTES:
            return None  # data that lies among the configuration
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        let_through(error)
        return None


def sha256(file: ConfigFile) -> str:
    """Hash a configuration file; empty for credentials and what was not read."""
    if file.secret or file.text is None:
        return ""
    return hashlib.sha256(file.text.encode("utf-8", "surrogateescape")).hexdigest()


def config_variables(
    files: Sequence[ConfigFile],
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find the environment variables that configuration refers to by `oc.env`.

    Returns:
        Those of ordinary files with their values, and the names of those that
        credentials refer to.
    """
    ordinary: set[str] = set()
    secret: set[str] = set()
    for file in files:
        names = set(_OC_ENV.findall(file.text or ""))
        (secret if file.secret else ordinary).update(names)
    values = {
        name: os.environ[name]
        for name in sorted(ordinary - secret)
        if name in os.environ
    }
    return values, tuple(sorted(secret))


def parameters_of(values: object) -> dict[str, Any]:
    """Return parameters as a mapping with names for keys; empty if they are none."""
    inside = look_inside(values)
    if inside is None or inside.kind != "mapping":
        return {}
    return {key_text(key) or "(a key without a name)": v for key, v in inside.items}


def context_loaded(
    context: Any,
    parameters: Mapping[str, Any] | None,
    conf_catalog: Mapping[str, Any] | None,
    redactor: Redactor,
) -> list[ContextLoaded]:
    """Describe a context, in several records if it is too large for one.

    Args:
        context: Kedro's context.
        parameters: The parameters in force, if they are known yet.
        conf_catalog: The catalog's configuration, if it is known yet.
        redactor: Makes the parameters safe; their hash is that of what is written.
    """
    files = config_files(context)
    variables, secret_names = config_variables(files)
    shown, cut = redactor.parameters(parameters_of(parameters or {}))
    digest, sources = "", tuple[ParameterSource, ...]()
    unmatched: tuple[str, ...] = ()
    masked: Fingerprints = ("", (), ())
    if parameters is not None:
        canonical = json.dumps(
            [shown, cut] if cut else shown, sort_keys=True, separators=(",", ":")
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        if REDACTED in canonical:
            masked = masked_now(parameters, shown)
        with suppress(Exception):  # places are worth less than values
            command = capture.command_line()
            sources = parameter_sources(context, parameters, files, command)
            unmatched = unmatched_params(context, sources, files)
    event = ContextLoaded(
        env=context.env or compat.config_environments(context)[-1],
        parameters=shown,
        parameters_sha256=digest,
        parameters_cut=cut,
        parameter_sources=sources,
        unmatched_params=unmatched,
        masked_key=masked[0],
        masked=masked[1],
        masked_hmac=masked[2],
        catalog=catalog_entries(conf_catalog or {}, Path(str(context.project_path))),
        config_sources=tuple(file.name for file in files),
        config_sha256=tuple(sha256(file) for file in files),
        environment=variables,
        credential_environment=secret_names,
    )
    names = ("parameters", "parameters_cut", "catalog", "parameter_sources")
    return in_parts(event, names, ContextLoaded())


def masked_now(parameters: Mapping[str, Any], safe: Any) -> Fingerprints:
    """Return what tells whether masked parameters were changed. Never raises.

    Args:
        parameters: The parameters in force.
        safe: The same as they are written.
    """
    try:
        # Imported here: most projects have no secret among their parameters.
        from .user_key import masked_values

        return masked_values(parameters, safe)
    except (
        Exception
    ) as error:  # foreign objects may raise anything; then it is not known
        let_through(error)
        return "", (), ()


def catalog_entries(
    conf_catalog: Mapping[str, Any], root: Path, redactor: Redactor | None = None
) -> tuple[CatalogEntry, ...]:
    """Describe the entries of a catalog.

    Args:
        conf_catalog: The catalog's configuration.
        root: Root of the project.
        redactor: Makes the paths safe; None if who takes them does so.
    """
    entries = []
    for name, config in conf_catalog.items():
        if not isinstance(config, Mapping):
            continue
        path = config.get("filepath") or config.get("path")
        kind = config.get("type", "")
        if not isinstance(kind, str):
            kind = f"{kind.__module__}.{kind.__qualname__}"
        where = None if path is None else relative_name(str(path), root)
        if where is not None and redactor is not None:
            where = redactor.text(where)
        entries.append(
            CatalogEntry(
                name=str(name),
                type=kind,
                path=where,
                versioned=bool(config.get("versioned")),
            )
        )
    return tuple(entries)


def relative_name(path: str | Path, root: Path) -> str:
    """Write a path relative to the project, with slashes, if it is in there."""
    text = str(path)
    prefix = str(root) + os.sep
    return text.removeprefix(prefix).replace(os.sep, "/")
