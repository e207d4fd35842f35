"""Errors with their source: the project's own frames first to the eye."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from msgspec.structs import replace

from kedro_journal.events import ErrorInfo, Frame, LogLine

from .derive import Failure
from .terminal import Line, Screen, Span, indent, line, text_lines
from .words import clock, count

__all__ = ["failure_lines", "is_library_frame", "log_lines", "short_path"]

_LIBRARY: Final = re.compile(
    r"(^|[/\\])(site-packages|dist-packages)[/\\]|[/\\]python\d[\d.]*[/\\]|^<frozen"
)
_PACKAGE: Final = re.compile(r"(?:site|dist)-packages[/\\]([^/\\]+)")
_COMPILED: Final = re.compile(r"(?:([^/\\]+)[/\\])?[^:]*\.(?:pyx|pxi|pxd)\Z")
_REMOTE_FRAME: Final = re.compile(r'  File "(.+)", line (\d{1,9})(?:, in (.*))?\Z')
_REMOTE_HEAD: Final = "Traceback (most recent call last):"
_INNERMOST_SHOWN: Final = 4
_ROLES: Final = {"WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}
_CAUSES_MAX: Final = 10


def is_library_frame(frame: Frame, project_path: str = "") -> bool:
    """Return whether a frame is a library's, not the project's.

    Cython names its files relative to the folder where the library was compiled. No
    source is found for them here.
    """
    if _LIBRARY.search(frame.file):
        return True
    if _COMPILED.match(frame.file) and not frame.source:
        return True
    absolute = frame.file.startswith(("/", "\\")) or frame.file[1:3] in (":\\", ":/")
    return bool(project_path and absolute and not frame.file.startswith(project_path))


def short_path(file: str, project_path: str) -> str:
    """Return a path as it is called from the project's root, if it is in there."""
    if not project_path:
        return file
    return file.removeprefix(project_path.rstrip("/\\") + "/")


def failure_lines(
    failure: Failure, project_path: str = "", *, whole: bool = False
) -> list[Line]:
    """Return an error with its causes, in the order in which they were raised.

    The root cause comes first, with its source and its traceback. Each error that it
    led to follows.

    Args:
        failure: The error and where it was raised.
        project_path: Frames outside it are a library's.
        whole: Show every library frame, not only the innermost ones.
    """
    chain: list[ErrorInfo] = []
    error: ErrorInfo | None = failure.error
    while error is not None and len(chain) < _CAUSES_MAX:
        chain.append(error)
        error = error.cause
    lines: list[Line] = []
    if error is not None:
        lines += [line(Span("(earlier causes are not shown)", "dim")), ()]
    heading = failure.where
    for cause, one in zip((None, *chain[:0:-1]), chain[::-1], strict=True):
        if cause is not None:
            lines.append(())
            how = "raised while handling" if one.handling else "caused by"
            heading = f"{how} the {cause.type.rpartition('.')[2]} above"
        lines += [*_message(one), line("  ", Span(heading, "dim"))]
        lines += _details(one, project_path, whole=whole)
    return lines


def log_lines(failure: Failure, screen: Screen) -> list[Line]:
    """Return the last log records of the node that failed; none if there are none."""
    if not failure.log:
        return []
    lines: list[Line] = [(), line(Span("  Its last log records:", "dim"))]
    for one in failure.log:
        head = (
            Span(_clock(one, screen), "dim"),
            " ",
            Span(one.level, _ROLES.get(one.level, "")),
        )
        first, *others = text_lines(one.text) or [()]
        logger = Span(f" {one.logger}: ", "dim")
        lines.append(line("    ", *head, logger, first))
        lines += indent(others, 8)
    return lines


def _clock(one: LogLine, screen: Screen) -> str:
    try:
        return clock(datetime.fromtimestamp(one.at_us / 1e6, UTC), screen)
    except (OverflowError, ValueError, OSError):
        return "?"  # of a damaged or hostile journal


def _message(error: ErrorInfo) -> list[Line]:
    lines = text_lines(
        f"{error.type}: {error.message}" if error.message else error.type
    )
    return [tuple(Span(span.text, "bad") for span in one) for one in lines]


def _details(error: ErrorInfo, project_path: str, *, whole: bool) -> Iterator[Line]:
    if error.snippet:
        yield ()
        at = error.snippet_at or _snippet_at(error, project_path)
        if at:
            yield line("  ", Span(short_path(at, project_path), "strong"))
        for text in error.snippet:
            failing = text.lstrip().startswith(">")
            yield from indent(text_lines(text, "strong" if failing else ""))
    if error.remote:
        yield ()
        yield line(Span("  In the worker process, innermost call last:", "dim"))
        yield from indent(_remote(error.remote, project_path, whole=whole), 4)
    # Those of this process only waited for the worker.
    waited = any(map(_REMOTE_FRAME.match, error.remote.splitlines()))
    if error.frames and (whole or not waited):
        yield ()
        yield line(Span("  Traceback, innermost call last:", "dim"))
        yield from indent(_frames(error.frames, project_path, whole=whole), 4)


def _snippet_at(error: ErrorInfo, project_path: str) -> str:
    """Find `file:line` of a snippet that was recorded without it; empty for unknown."""
    for frame in reversed(error.frames):
        if is_library_frame(frame, project_path):
            continue
        marked = any(
            text.lstrip().startswith(f"> {frame.line:4d} |") for text in error.snippet
        )
        return f"{frame.file}:{frame.line}" if marked else ""
    return ""


def _remote(text: str, project_path: str, *, whole: bool) -> Iterator[Line]:
    """Return the traceback text of a worker process with a library's frames folded."""
    frames: list[Frame] = []
    for each in text.strip().strip('"').strip("\n").splitlines():
        found = _REMOTE_FRAME.match(each)
        if found is not None:
            frames.append(Frame(found[1], int(found[2]), found[3] or ""))
        elif frames and each.startswith("    "):
            source = each.strip()
            if not frames[-1].source and source.strip("^~ "):
                frames[-1] = replace(frames[-1], source=source)
        elif each != _REMOTE_HEAD:
            yield from _frames(tuple(frames), project_path, whole=whole)
            frames.clear()
            yield from text_lines(each)
    yield from _frames(tuple(frames), project_path, whole=whole)


def _frames(
    frames: tuple[Frame, ...], project_path: str, *, whole: bool
) -> Iterator[Line]:
    last = len(frames)
    number = 0
    grouped = groupby(frames, lambda frame: is_library_frame(frame, project_path))
    for library, group in grouped:
        members = list(group)
        number += len(members)
        kept = members
        if library and not whole:
            # The innermost frames show what raised, in whatever package.
            shown = _INNERMOST_SHOWN if number == last else 0
            kept = members[len(members) - min(shown, len(members)) :]
            hidden = members[: len(members) - len(kept)]
            if hidden:
                frames_of = f"... {count(len(hidden), 'frame')} of {_owners(hidden)}"
                yield line(Span(frames_of, "dim"))
        for frame in kept:
            role = "dim" if library else ""
            where = f"{short_path(frame.file, project_path)}:{frame.line}"
            mark = Span("  " if library else "> ", "strong")
            yield line(mark, Span(where, role), Span(f" in {frame.function}", role))
            if frame.source:
                yield line(Span(f"      {frame.source}", role))


def _owners(frames: list[Frame]) -> str:
    names: dict[str, None] = {}
    for frame in frames:
        found = _PACKAGE.search(frame.file) or _COMPILED.match(frame.file)
        name = found[1] if found is not None else None
        names[name.removesuffix(".py") if name else "Python"] = None
    return ", ".join(names)
