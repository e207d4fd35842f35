"""Kedro objects and this process -> plain fields of events.

The only place that looks inside them. Nothing here writes; whatever cannot be found out
is left empty, for a journal with a hole is better than a run that failed for it.
"""

from __future__ import annotations

import fnmatch
import getpass
import hashlib
import importlib.metadata
import json
import linecache
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from kedro_journal._version import __version__
from kedro_journal.events import (
    CatalogEntry,
    CommandLine,
    ContextLoaded,
    ErrorInfo,
    Frame,
    Git,
    Versions,
    WriterOpened,
)
from kedro_journal.journal.liveness import boot_id, host_name, start_ticks
from kedro_journal.replay.active import SESSION_VARIABLE

from . import compat

__all__ = [
    "command_line",
    "config_files",
    "context_loaded",
    "environment",
    "error_info",
    "git_state",
    "run_filters",
    "user_name",
    "versions",
    "writer_opened",
]

FRAMES_MAX: Final = 60
CAUSES_MAX: Final = 4
MESSAGE_MAX_CHARS: Final = 8 * 1024
SNIPPET_LINES: Final = 3
CATALOG_MAX: Final = 1000
CONFIG_FILES_MAX: Final = 500
_CONFIG_MAX_BYTES: Final = 1024 * 1024
_GIT_TIMEOUT_S: Final = 5.0
_FILTERS: Final = (
    "tags",
    "from_nodes",
    "to_nodes",
    "node_names",
    "from_inputs",
    "to_outputs",
    "namespaces",
    "only_missing_outputs",
)
_OC_ENV: Final = re.compile(r"\$\{\s*oc\.env\s*:\s*['\"]?(\w+)")
_CONFIG_SUFFIXES: Final = (".yml", ".yaml", ".json")


def working_directory() -> str:
    """Give the working directory, empty if it was deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def user_name() -> str | None:
    """Give the login name, None if the system has none for this user."""
    try:
        return getpass.getuser()
    except Exception:  # a container's user need not have a name
        return None


def writer_opened(role: str) -> WriterOpened:
    """Describe this process."""
    return WriterOpened(
        pid=os.getpid(),
        parent_pid=os.getppid(),
        host=host_name(),
        boot_id=boot_id(),
        started_at_ticks=start_ticks(os.getpid()),
        user=user_name(),
        python=platform.python_version(),
        role=role,
    )


def versions(package: str | None) -> Versions:
    """Give the versions in force."""
    project = None
    if package:
        module = sys.modules.get(package)
        found = getattr(module, "__version__", None)
        project = str(found) if found else None
    return Versions(
        python=platform.python_version(),
        kedro=importlib.metadata.version("kedro"),
        kedro_journal=__version__,
        project=project,
    )


def git_state(path: Path) -> Git | None:
    """Ask git for the commit, the branch and whether anything is uncommitted.

    One command, see git-status(1) `--porcelain=v2 --branch`. None without git, outside
    a repository, or if git takes longer than five seconds.
    """
    command = ["git", "status", "--porcelain=v2", "--branch"]
    try:
        done = subprocess.run(
            command,
            cwd=path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_TIMEOUT_S,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    sha, branch, dirty = "", None, False
    for line in done.stdout.splitlines():
        if line.startswith("# branch.oid "):
            sha = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            name = line.removeprefix("# branch.head ")
            branch = None if name == "(detached)" else name
        elif not line.startswith("#"):
            dirty = True
    return Git(sha="" if sha == "(initial)" else sha, branch=branch, dirty=dirty)


def environment(patterns: Iterable[str]) -> dict[str, str]:
    """Give the environment variables that the allow-list names."""
    wanted = list(patterns)
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name != SESSION_VARIABLE
        and any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)
    }


def command_line() -> CommandLine | None:
    """Give the command that is running, None outside one."""
    click = sys.modules.get("click")
    context = click.get_current_context(silent=True) if click else None
    if context is None:
        return None
    given = []
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP"):
            given.append(name)
    return CommandLine(
        argv=(_program(sys.argv[0]), *sys.argv[1:]),
        name=context.command.name or "",
        flags=dict(context.params),
        given=tuple(given),
        args=tuple(str(arg) for arg in context.args),
    )


def _program(argv0: str) -> str:
    """Name the program as a user types it; Kedro calls itself `python -m kedro`."""
    path = Path(argv0)
    if path.name == "python -m kedro":
        return "kedro"
    if path.name != "__main__.py":
        return path.name
    return "kedro" if path.parent.name == "kedro" else f"python -m {path.parent.name}"


def run_filters(run_params: Mapping[str, Any]) -> dict[str, Any]:
    """Give the filters of a run that were given."""
    found: dict[str, Any] = {}
    for name in _FILTERS:
        value = run_params.get(name)
        if value:
            listed = not isinstance(value, (str, bool))
            found[name] = list(value) if listed else value
    return found


def config_files(context: Any) -> tuple[Path, ...]:
    """Give the configuration files that exist for a context."""
    source = compat.conf_source(context)
    if source is None:
        return ()
    found: list[Path] = []
    for environment_name in compat.config_environments(context):
        folder = source / environment_name
        for path in sorted(folder.rglob("*")):
            if path.suffix in _CONFIG_SUFFIXES and path.is_file():
                found.append(path)
            if len(found) >= CONFIG_FILES_MAX:
                return tuple(found)
    return tuple(found)


def config_variables(files: Sequence[Path]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find the environment variables that configuration refers to by `oc.env`.

    Returns:
        Those of ordinary files with their values, and the names of those that only
        credentials refer to.
    """
    ordinary: set[str] = set()
    secret: set[str] = set()
    for path in files:
        try:
            if path.stat().st_size > _CONFIG_MAX_BYTES:
                continue  # data that lies among the configuration
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        names = set(_OC_ENV.findall(text))
        if "credential" in path.name.lower() or "credential" in str(path.parent.name):
            secret |= names
        else:
            ordinary |= names
    values = {
        name: os.environ[name]
        for name in sorted(ordinary - secret)
        if name in os.environ
    }
    return values, tuple(sorted(secret))


def context_loaded(
    context: Any,
    parameters: Mapping[str, Any] | None,
    conf_catalog: Mapping[str, Any] | None,
    redact: Any,
) -> ContextLoaded:
    """Describe a context.

    Args:
        context: Kedro's context.
        parameters: The parameters in force, if they are known yet.
        conf_catalog: The catalog's configuration, if it is known yet.
        redact: Makes the parameters safe; their hash is that of what is written.
    """
    files = config_files(context)
    variables, secret_names = config_variables(files)
    root = Path(str(context.project_path))
    safe = redact(dict(parameters)) if parameters else {}
    digest = ""
    if parameters is not None:
        canonical = json.dumps(safe, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
    return ContextLoaded(
        env=context.env or compat.config_environments(context)[-1],
        parameters=safe if isinstance(safe, dict) else {},
        parameters_sha256=digest,
        catalog=_catalog_entries(conf_catalog or {}, root),
        config_sources=tuple(_relative(path, root) for path in files),
        environment=variables,
        credential_environment=secret_names,
    )


def _catalog_entries(
    conf_catalog: Mapping[str, Any], root: Path
) -> tuple[CatalogEntry, ...]:
    entries = []
    for name, config in list(conf_catalog.items())[:CATALOG_MAX]:
        if not isinstance(config, Mapping):
            continue
        path = config.get("filepath") or config.get("path")
        kind = config.get("type", "")
        if not isinstance(kind, str):
            kind = f"{kind.__module__}.{kind.__qualname__}"
        entries.append(
            CatalogEntry(
                name=str(name),
                type=kind,
                path=None if path is None else _relative(str(path), root),
                versioned=bool(config.get("versioned")),
            )
        )
    return tuple(entries)


def _relative(path: str | Path, root: Path) -> str:
    text = str(path)
    prefix = str(root) + os.sep
    return text.removeprefix(prefix).replace(os.sep, "/")


def error_info(error: BaseException, project_path: Path | None) -> ErrorInfo:
    """Give an exception as plain data, with the source around where it struck."""
    return _error_info(error, project_path, CAUSES_MAX)


def error_type(error: BaseException) -> str:
    """Name the class of an exception; builtins without their module."""
    cls = type(error)
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def _error_info(
    error: BaseException, project_path: Path | None, causes: int
) -> ErrorInfo:
    remote = ""
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if type(cause).__name__ in ("_RemoteTraceback", "RemoteError"):
        remote, cause = str(cause)[-MESSAGE_MAX_CHARS * 2 :], None
    message = _message(error)
    frames = _frames(error.__traceback__)
    inner = None
    if cause is not None and causes > 0:
        inner = _error_info(cause, project_path, causes - 1)
    return ErrorInfo(
        type=error_type(error),
        message=message[:MESSAGE_MAX_CHARS],
        frames=tuple(frames),
        snippet=_snippet(frames, project_path),
        remote=remote,
        cause=inner,
    )


def _message(error: BaseException) -> str:
    """Give the message with its notes (PEP 678) and, of a group, what is in it."""
    try:
        lines = [str(error), *map(str, getattr(error, "__notes__", ()))]
        if isinstance(error, BaseExceptionGroup):
            lines += [f"- {error_type(e)}: {e}" for e in error.exceptions[:20]]
    except Exception:  # somebody else's __str__
        return "(its message could not be made)"
    return "\n".join(lines)


def _frames(traceback: TracebackType | None) -> list[Frame]:
    frames: list[Frame] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        line = traceback.tb_lineno or 0
        linecache.checkcache(code.co_filename)
        source = linecache.getline(
            code.co_filename, line, traceback.tb_frame.f_globals
        ).strip()
        frames.append(Frame(code.co_filename, line, code.co_qualname, source[:400]))
        traceback = traceback.tb_next
    if len(frames) > FRAMES_MAX:
        half = FRAMES_MAX // 2
        left_out = Frame("...", 0, f"({len(frames) - FRAMES_MAX} frames left out)")
        frames = [*frames[: half - 1], left_out, *frames[-half:]]
    return frames


def _snippet(frames: Sequence[Frame], project_path: Path | None) -> tuple[str, ...]:
    """Give the lines around the innermost frame of the project, if it is in one."""
    ours = [frame for frame in frames if _is_project(frame.file, project_path)]
    if not ours:
        return ()
    frame = ours[-1]
    lines = linecache.getlines(frame.file)
    first = max(1, frame.line - SNIPPET_LINES)
    last = min(len(lines), frame.line + SNIPPET_LINES)
    return tuple(
        f"{'>' if number == frame.line else ' '} {number:4d} | "
        f"{lines[number - 1].rstrip()[:200]}"
        for number in range(first, last + 1)
    )


def _is_project(file: str, project_path: Path | None) -> bool:
    if project_path is None or not file.startswith(str(project_path) + os.sep):
        return False
    libraries = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return "site-packages" not in file and not file.startswith(libraries)
