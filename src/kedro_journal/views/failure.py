"""Errors with their source: the project's own frames first to the eye."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from kedro_journal.events import ErrorInfo, Frame

from .derive import Failure
from .terminal import Line, Span, indent, line, text_lines
from .words import count

__all__ = ["failure_lines", "is_library_frame", "short_path"]

_LIBRARY: Final = re.compile(
    r"(^|[/\\])(site-packages|dist-packages)[/\\]|[/\\]python\d[\d.]*[/\\]|^<frozen"
)
_PACKAGE: Final = re.compile(r"(?:site|dist)-packages[/\\]([^/\\]+)")
_INNERMOST_SHOWN: Final = 4
_CAUSES_MAX: Final = 10


def is_library_frame(frame: Frame, project_path: str = "") -> bool:
    """Tell whether a frame is a library's, not the project's."""
    if _LIBRARY.search(frame.file):
        return True
    absolute = frame.file.startswith(("/", "\\")) or frame.file[1:3] in (":\\", ":/")
    return bool(project_path and absolute and not frame.file.startswith(project_path))


def short_path(file: str, project_path: str) -> str:
    """Give a path as it is called from the project's root, if it is in there."""
    if not project_path:
        return file
    return file.removeprefix(project_path.rstrip("/\\") + "/")


def failure_lines(
    failure: Failure, project_path: str = "", *, whole: bool = False
) -> list[Line]:
    """Give an error, its source, its traceback and its causes.

    Args:
        failure: The error and where it struck.
        project_path: Frames outside it are a library's.
        whole: Show every library frame, not only the innermost ones.
    """
    lines: list[Line] = []
    error: ErrorInfo | None = failure.error
    heading = Span(failure.where, "dim")
    for _ in range(_CAUSES_MAX):
        if error is None:
            return lines
        lines += [*_message(error), line("  ", heading)]
        lines += _details(error, project_path, whole=whole)
        error, heading = error.cause, Span("is what led to it", "dim")
        if error is not None:
            lines.append(())
    return [*lines, line(Span("... and further causes", "dim"))]


def _message(error: ErrorInfo) -> list[Line]:
    lines = text_lines(
        f"{error.type}: {error.message}" if error.message else error.type
    )
    return [tuple(Span(span.text, "bad") for span in one) for one in lines]


def _details(error: ErrorInfo, project_path: str, *, whole: bool) -> Iterator[Line]:
    if error.snippet:
        yield ()
        for text in error.snippet:
            failing = text.lstrip().startswith(">")
            yield from indent(text_lines(text, "strong" if failing else ""))
    if error.frames:
        yield ()
        yield line(Span("  Traceback, innermost call last:", "dim"))
        yield from indent(_frames(error.frames, project_path, whole=whole), 4)
    if error.remote:
        yield ()
        yield line(Span("  In the worker process:", "dim"))
        yield from indent(text_lines(error.remote.rstrip()), 4)


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
            # The innermost frames say what raised, whoever's they are.
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
        found = _PACKAGE.search(frame.file)
        names[found[1].removesuffix(".py") if found else "Python"] = None
    return ", ".join(names)
