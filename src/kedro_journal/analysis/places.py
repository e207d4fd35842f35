"""Where a dataset was, and where it is now: places, compared as text. Pure.

A place in the project is relative to its root: a project may be moved or copied.
"""

from __future__ import annotations

import posixpath
import re
from datetime import timedelta
from typing import Final

from kedro_journal._instant import EPOCH
from kedro_journal.state.model import DatasetOperation, SessionState

from .stored import Stored

__all__ = ["is_elsewhere", "placed", "same_place", "saved_at"]

_MASKED: Final = re.compile(r"\[redact[^\]]*\]|\[\.\.\. \d+ characters more\]")
_ABSOLUTE: Final = re.compile(r"/|[A-Za-z]:")


def placed(path: str, *, project: str, cwd: str) -> str:
    """Write a path from the root of the project, if it is in there.

    Args:
        path: The path; one with a protocol is left as it is.
        project: Root of the project; empty if it is not known.
        cwd: What a relative path is relative to; empty if that is not known.

    Returns:
        The path; empty if it is not known what it is relative to.
    """
    if "://" in path:
        return path
    path, project = path.replace("\\", "/"), project.replace("\\", "/")
    if not _ABSOLUTE.match(path):
        if not cwd:
            return ""
        path = posixpath.join(cwd.replace("\\", "/"), path)
    root = project.rstrip("/") + "/"
    path = posixpath.normpath(path)
    return path.removeprefix(root) if project else path


def saved_at(state: SessionState, save: DatasetOperation) -> str:
    """Return the place of a save; empty if there is none that can be compared."""
    if not save.path:
        return ""
    return placed(save.path, project=state.project_path, cwd=state.cwd)


def same_place(was: str, now: str) -> bool:
    """Return whether two places may be the same: what is masked may be anything."""
    if was == now or _fits(was, now) or _fits(now, was):
        return True
    # A masked path is not known as one in the project.
    return _MASKED.search(was) is not None and was.endswith("/" + now)


def _fits(pattern: str, text: str) -> bool:
    first, *parts = _MASKED.split(pattern)
    if not parts or not text.startswith(first):
        return False
    *middle, last = parts
    at = len(first)
    for part in middle:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return text.endswith(last) and at <= len(text) - len(last)


def is_elsewhere(state: SessionState, save: DatasetOperation, now: Stored) -> bool:
    """Return whether a dataset is at another place than where it was saved.

    What was written at the very same microsecond and has the same size is the same
    file, by another way, or a copy of it.
    """
    was = saved_at(state, save)
    if not was or not now.path or same_place(was, now.path):
        return False
    if save.modified_us is None or now.modified_at is None:
        return True
    written = EPOCH + timedelta(microseconds=save.modified_us)
    return (written, save.size_bytes) != (now.modified_at, now.size_bytes)
