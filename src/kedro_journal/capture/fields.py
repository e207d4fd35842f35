"""Kedro objects and this process -> plain fields of events.

The only place that looks inside them. Nothing here writes; whatever cannot be found out
is left empty, for a journal with a hole is better than a run that failed for it.
"""

from __future__ import annotations

import fnmatch
import getpass
import importlib.metadata
import linecache
import os
import platform
import sys
import sysconfig
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from kedro_journal._outside import let_through, suppress
from kedro_journal._version import __version__
from kedro_journal.active import SESSION_VARIABLE
from kedro_journal.events import (
    CommandLine,
    ErrorInfo,
    Frame,
    Versions,
    WriterOpened,
)
from kedro_journal.journal.liveness import (
    boot_id,
    host_name,
    pid_namespace,
    start_ticks,
)
from kedro_journal.redaction.blocks import (
    LINES_MAX as KEY_LINES_MAX,
)
from kedro_journal.redaction.blocks import (
    masked_lines,
    masked_text,
    may_hold_key,
)

from . import compat
from .installed import distributions, fingerprint
from .sources import Sources, package_sources
from .without_data import Chain, remote_out

__all__ = [
    "command_line",
    "environment",
    "error_info",
    "run_filters",
    "user_name",
    "versions",
    "writer_opened",
]

FRAMES_MAX: Final = 60
CAUSES_MAX: Final = 4
NOTES_MAX: Final = 20
REMOTE_MAX_CHARS: Final = 16 * 1024
SNIPPET_LINES: Final = 3
_TRACEBACK: Final[Any] = BaseException.__dict__["__traceback__"]
FILTERS: Final = (
    "tags",
    "from_nodes",
    "to_nodes",
    "node_names",
    "from_inputs",
    "to_outputs",
    "namespaces",
    "only_missing_outputs",
)


def working_directory() -> str:
    """Return the working directory, empty if it was deleted."""
    try:
        return str(Path.cwd())
    except OSError as error:
        let_through(error)
        return ""


def user_name() -> str | None:
    """Return the login name, None if the system has none for this user."""
    try:
        return getpass.getuser()
    except Exception as error:  # a container's user need not have a name
        let_through(error)
        return None


def writer_opened(role: str) -> WriterOpened:
    """Describe this process."""
    return WriterOpened(
        pid=os.getpid(),
        parent_pid=os.getppid(),
        host=host_name(),
        boot_id=boot_id(),
        started_at_ticks=start_ticks(os.getpid()),
        pid_namespace=pid_namespace(),
        user=user_name(),
        python=platform.python_version(),
        role=role,
    )


def versions(package: str | None, packages: str) -> Versions:
    """Return the versions in force.

    Args:
        package: The project's package.
        packages: off, hash or list: what to tell of the other distributions.
    """
    project = None
    if package:
        module = sys.modules.get(package)
        found = getattr(module, "__version__", None)
        project = str(found) if found else None
    installed = () if packages == "off" else distributions()
    sources = Sources()
    with suppress(Exception):  # a foreign module finder
        sources = package_sources(package)
    return Versions(
        project_sha256=sources.sha256,
        project_files=tuple(sources.files),
        project_files_sha256=tuple(sources.files.values()),
        packages_sha256=fingerprint(installed) if installed else "",
        packages=installed if packages == "list" else (),
        python=platform.python_version(),
        kedro=importlib.metadata.version("kedro"),
        kedro_journal=__version__,
        project=project,
    )


def environment(patterns: Iterable[str]) -> dict[str, str]:
    """Return the environment variables that the allow-list names."""
    wanted = list(patterns)
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name != SESSION_VARIABLE
        and any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted)
    }


def command_line() -> CommandLine | None:
    """Return the command that is running, None outside one."""
    click = sys.modules.get("click")
    context = click.get_current_context(silent=True) if click else None
    if context is None:
        return None
    program = (_program(sys.argv[0]), *sys.argv[1:])
    if not _is_kedros(context):
        # Options of the same names mean something else there.
        return CommandLine(argv=program, name=context.command.name or "")
    given, from_config = [], []
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "DEFAULT_MAP":
            from_config.append(name)
        elif source is not None and source.name != "DEFAULT":
            given.append(name)
    config_file = _config_file(sys.argv[1:]) if "config" in given else None
    return CommandLine(
        argv=program,
        name=context.command.name or "",
        flags=dict(context.params),
        given=tuple(given),
        args=tuple(str(arg) for arg in context.args),
        config_file=config_file,
        from_config=tuple(from_config),
    )


def _is_kedros(context: Any) -> bool:
    """Return whether the options of a click command are those of Kedro or this package.

    A session may run within a command of another program. The project's own `run`
    command, in its module `cli`, has Kedro's options.
    """
    root = type(context.find_root().command).__module__
    home = str(getattr(context.command.callback, "__module__", None))
    packages = ("kedro.framework.cli", "kedro_journal.cli")
    return (
        root.startswith(packages)
        or home.startswith(packages)
        or home == f"{compat.package_name()}.cli"
    )


def _config_file(arguments: Sequence[str]) -> str | None:
    """Find the file of flags; Kedro's own value of the flag is another by now."""
    for number, argument in enumerate(arguments):
        if argument in ("-c", "--config"):
            return arguments[number + 1] if number + 1 < len(arguments) else None
        for prefix in ("--config=", "-c"):
            if argument.startswith(prefix):
                return argument.removeprefix(prefix)
    return None


def _program(argv0: str) -> str:
    """Name the program as a user types it; Kedro calls itself `python -m kedro`."""
    path = Path(argv0)
    if path.name == "python -m kedro":
        return "kedro"
    if path.name != "__main__.py":
        return path.name
    package = path.parent.name
    known = {"kedro": "kedro", "kedro_journal": "kedro-journal"}
    return known.get(package, f"python -m {package}")


def run_filters(run_params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a run that were given."""
    found: dict[str, Any] = {}
    for name in FILTERS:
        value = run_params.get(name)
        if value:
            listed = not isinstance(value, (str, bool))
            found[name] = list(value) if listed else value
    return found


def error_info(error: BaseException, project_path: Path | None) -> ErrorInfo:
    """Return an exception as plain data, with the source around where it struck.

    Never raises: an exception of the user's may be made to, and what it says is what
    matters most.
    """
    try:
        return _error_info(error, project_path, CAUSES_MAX, Chain(error))
    except Exception as caught:  # anything unforeseen
        let_through(caught)
        return ErrorInfo(type="(unknown)", message="(it could not be described)")


def error_type(error: BaseException) -> str:
    """Name the class of an exception; builtins without their module."""
    cls = type(error)
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def _error_info(
    error: BaseException, project_path: Path | None, causes: int, chain: Chain
) -> ErrorInfo:
    cause, remote = _cause(error)
    frames = _frames(_traceback_of(error))
    snippet, snippet_at = _snippet_of(error, frames, project_path)
    inner = None
    if cause is not None and causes > 0:
        inner = _error_info(cause, project_path, causes - 1, chain)
    said = chain.said(error)
    return ErrorInfo(
        type=error_type(error),
        message=_message(error, chain),
        data=None if said is None else said.data,
        frames=tuple(frames),
        snippet=snippet,
        snippet_at=snippet_at,
        remote=chain.text(remote_out(remote)) if remote else "",
        cause=inner,
        handling=inner is not None and error.__cause__ is None,
    )


def _traceback_of(error: object) -> TracebackType | None:
    """Return the traceback that Python keeps, whatever the class says it is."""
    if not issubclass(type(error), BaseException):
        return None
    kept: TracebackType | None = _TRACEBACK.__get__(error)
    return kept


def _cause(error: BaseException) -> tuple[BaseException | None, str]:
    """Return what an exception came from; of another process, the traceback's text."""
    try:
        cause = error.__cause__
        if cause is None and not error.__suppress_context__:
            cause = error.__context__
        if type(cause).__name__ not in ("_RemoteTraceback", "RemoteError"):
            return (cause if isinstance(cause, BaseException) else None), ""
        text = str(cause)
        if len(text) > REMOTE_MAX_CHARS:  # whole lines of its end
            # A key that the cut goes through is known by what stands before it.
            text = masked_text(text[-4 * REMOTE_MAX_CHARS :])
            text = text[-REMOTE_MAX_CHARS:].partition("\n")[2]
    except Exception as caught:  # properties of foreign classes
        let_through(caught)
        return None, ""
    return None, text


def _message(error: BaseException, chain: Chain) -> str:
    """Return the message with its notes (PEP 678) and, of a group, what is in it.

    Of exceptions that are known to carry data values the values are left out.
    """
    lines = [_said_of(error, chain)]
    try:
        notes = getattr(error, "__notes__", ())
        lines += [chain.text(_text_of(n)) for n in islice(notes, NOTES_MAX)]
        if isinstance(error, BaseExceptionGroup):
            some = error.exceptions[:NOTES_MAX]
            lines += [f"- {error_type(e)}: {_said_of(e, chain)}" for e in some]
    except Exception as caught:
        let_through(caught)
        # A property of the user's raised: the message itself is enough.
        lines.append("(more could not be told)")
    return "\n".join(lines)


def _said_of(error: BaseException, chain: Chain) -> str:
    said = chain.said(error)
    return chain.text(_text_of(error)) if said is None else said.message


def _text_of(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # __str__ of a foreign class
        let_through(error)
        return "(its message could not be made)"


def _frames(traceback: TracebackType | None) -> list[Frame]:
    """Return the outermost and the innermost frames; a recursion may have very many."""
    head: list[Frame] = []
    tail: deque[TracebackType] = deque(maxlen=FRAMES_MAX // 2)
    left_out = 0
    while isinstance(traceback, TracebackType):
        if len(head) < FRAMES_MAX // 2:
            head.append(_frame(traceback))
        else:
            left_out += len(tail) == tail.maxlen
            tail.append(traceback)
        traceback = traceback.tb_next
    if left_out:
        head[-1] = Frame("...", 0, f"({left_out + 1} frames left out)")
    return [*head, *map(_frame, tail)]


def _frame(traceback: TracebackType) -> Frame:
    code, line, source = traceback.tb_frame.f_code, traceback.tb_lineno or 0, ""
    with suppress(Exception):  # a foreign loader, an odd file name
        linecache.checkcache(code.co_filename)
        lines = linecache.getlines(code.co_filename, traceback.tb_frame.f_globals)
        source = _short("".join(_excerpt(lines, line, line)).strip(), 400)
    return Frame(code.co_filename, line, code.co_qualname, source)


def _short(line: str, length: int) -> str:
    """Cut a line between words: half of a secret would not be known as one."""
    if len(line) <= length:
        return line
    return line[:length].rpartition(" ")[0] + " ..."


def _snippet_of(
    error: BaseException, frames: Sequence[Frame], project_path: Path | None
) -> tuple[tuple[str, ...], str]:
    """Return the lines around where an error struck in the project, and `file:line`.

    That is the line that does not parse, or else the innermost frame of the project.
    """
    found: tuple[str, ...] = ()
    if isinstance(error, SyntaxError):
        with suppress(Exception):  # attributes that other code set
            file, number = str(error.filename), int(error.lineno or 0)
            if number and _is_project(file, project_path):
                found = _snippet(file, number, int(error.offset or 0))
            if found:
                return found, f"{file}:{number}"
    ours = [frame for frame in frames if _is_project(frame.file, project_path)]
    if ours:
        found = _snippet(ours[-1].file, ours[-1].line)
    return found, f"{ours[-1].file}:{ours[-1].line}" if found else ""


def _snippet(file: str, failing: int, column: int = 0) -> tuple[str, ...]:
    """Return the lines around one; `^` under its column, from 1, if that is given."""
    try:
        linecache.checkcache(file)
        lines = linecache.getlines(file)
    except Exception as error:  # as for the frames
        let_through(error)
        return ()
    first = max(1, failing - SNIPPET_LINES)
    last = min(len(lines), failing + SNIPPET_LINES)
    found: list[str] = []
    for number, line in enumerate(_excerpt(lines, first, last), first):
        text = _short(line.rstrip(), 200)
        mark = ">" if number == failing else " "
        found.append(f"{mark} {number:4d} | {text}")
        if number == failing and 0 < column <= len(text) + 1:
            found.append(f"       | {' ' * (column - 1)}^")
    return tuple(found)


def _excerpt(lines: Sequence[str], first: int, last: int) -> list[str]:
    """Return lines of a source file, private keys masked.

    Whether a line belongs to a key is seen from the lines around it alone, so those
    are looked at that a key can be long.

    Args:
        lines: The whole file.
        first, last: Numbers of the lines wanted, from 1.
    """
    wanted = list(lines[max(0, first - 1) : max(0, last)])
    start = max(0, first - 1 - KEY_LINES_MAX)
    around = [line.rstrip("\r\n") for line in lines[start : last + KEY_LINES_MAX]]
    if not any(map(may_hold_key, around)) and len(wanted) == 1:
        return wanted
    return masked_lines(around)[first - 1 - start : last - start]


def _is_project(file: str, project_path: Path | None) -> bool:
    if project_path is None or not file.startswith(str(project_path) + os.sep):
        return False
    libraries = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return "site-packages" not in file and not file.startswith(libraries)
