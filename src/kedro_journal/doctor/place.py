"""The place itself: the folder, its file system, the room in it. Nothing is written."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kedro_journal.errors import UnsafeJournal
from kedro_journal.journal import JournalDirectory

from .bench import ELSEWHERE, PREFIX
from .model import Check, note, ok, problem, reason_of, warning
from .mounts import Mount, find_mount, kind_of, remarks

__all__ = ["look_at", "nearest_folder"]

_MEGABYTE: Final = 1_000_000
_FEW_BYTES: Final = 64 * _MEGABYTE
_TOO_FEW_BYTES: Final = 1 * _MEGABYTE
_FEW_FILES: Final = 1000
_TOO_FEW_FILES: Final = 20  # a session takes a folder and three to five files
_LEFT_S: Final = 600.0


def nearest_folder(directory: Path) -> Path:
    """Return the directory, or the nearest folder above it that there is."""
    whole = Path(os.path.abspath(directory))  # noqa: PTH100 - no link is followed
    for candidate in (whole, *whole.parents):
        if os.path.isdir(candidate):  # noqa: PTH112 - answers, whatever it may not see
            return candidate
    return whole


def look_at(
    directory: Path,
    proc: Path = Path("/proc"),
    *,
    chosen: bool = False,
    group_readable: bool = False,
) -> Iterator[Check]:
    """Look at the journal directory, or at where it would be made.

    Args:
        directory: The journal directory.
        proc: Where the system describes mounts.
        chosen: The user named it in the settings; see `JournalDirectory`.
        group_readable: The same.
    """
    probed = nearest_folder(directory)
    yield _there(directory, probed)
    yield _safe(directory, probed, chosen=chosen)
    if group_readable and hasattr(os, "getgroups"):
        yield _readers(directory, probed)
    yield _file_system(find_mount(probed, proc), probed)
    if hasattr(os, "statvfs"):
        yield _space(probed)
    left = _left_behind(probed)
    if left:
        yield note(
            "place.left_behind",
            f"{len(left)} temporary folders of the doctor are left in {probed}: it "
            "was killed.",
            "Remove them: rm -r " + " ".join(str(path) for path in left),
            paths=left,
        )


def _there(directory: Path, probed: Path) -> Check:
    key = "place.directory"
    facts = {"directory": directory, "probed": probed}
    try:
        found = directory.stat()
    except FileNotFoundError:
        if directory.is_symlink():
            return problem(
                key,
                f"{directory} is a symbolic link that leads nowhere.",
                f"Remove it. {ELSEWHERE} if it is supposed to exist.",
                **facts,
                exists=False,
            )
        return note(
            key,
            f"{directory} does not exist yet; {probed} is probed instead.",
            "No action is needed: the first session creates it.",
            **facts,
            exists=False,
        )
    except OSError as error:
        return problem(
            key,
            f"{directory} cannot be inspected: {reason_of(error)}.",
            f"{ELSEWHERE}, or fix the permissions of the folders above it.",
            **facts,
            exists=None,
        )
    if not stat.S_ISDIR(found.st_mode):
        return problem(
            key,
            f"{directory} is not a folder.",
            f"Move it away. {ELSEWHERE} if it is supposed to exist.",
            **facts,
            exists=True,
        )
    return ok(key, f"{directory} exists.", **facts, exists=True)


def _safe(directory: Path, probed: Path, *, chosen: bool) -> Check:
    key = "place.safe"
    if os.path.lexists(directory):
        try:
            where = JournalDirectory(directory, chosen=chosen)
            where.check_safe()
            reason = where.why_open()
        except UnsafeJournal as error:
            return problem(
                key,
                f"{directory} is refused: {error.reason}.",
                "Make it a real folder of yours that others may not write to. "
                f"{ELSEWHERE} if that is not possible.",
                reason=error.reason,
            )
        if reason:
            return warning(
                key,
                f"{directory} is used because the settings name it, although it is "
                f"open to others ({reason}): they may replace or remove journals.",
                "No action is needed if no other user uses this machine or container.",
                reason=reason,
            )
        return ok(key, "It is a real folder, and no other user can put sessions in it.")
    mode = probed.stat().st_mode
    if mode & 0o002 and not mode & 0o1000:
        return warning(
            key,
            f"Every user can write to {probed}: another user could create the "
            "journal directory first, and then it is refused.",
            f"Remove that permission: chmod o-w {probed}",
            reason="every user can write to it",
        )
    return ok(key, f"Other users cannot replace files that you create in {probed}.")


def _readers(directory: Path, probed: Path) -> Check:
    """Return who may read new sessions, as `group_readable` is set."""
    key = "place.readers"
    found = probed.stat()
    inherits = bool(found.st_mode & stat.S_ISGID)
    there = probed == directory
    gid = found.st_gid if there or inherits else os.getegid()
    name = _group_name(gid)
    if gid not in (os.getegid(), *os.getgroups()) and os.geteuid():
        return warning(
            key,
            f"`group_readable` is set, but this user is not in {name}, the group of "
            f"{probed}: new sessions stay private.",
            f"chgrp {probed} to a group of this user. {ELSEWHERE} if that cannot be.",
            gid=gid,
        )
    if there and not found.st_mode & stat.S_IXGRP:
        return warning(
            key,
            f"`group_readable` is set, but {name} may not enter {probed}.",
            f"chmod g+rxs {probed}. A run does so itself if kedro-journal made the "
            "directory.",
            gid=gid,
        )
    return note(
        key,
        f"Everyone in {name} can read new sessions, with parameters, error messages "
        "and paths (`group_readable` is set). Sessions made before stay private.",
        "Unset `group_readable` if only you are to read them.",
        gid=gid,
    )


def _group_name(gid: int) -> str:
    try:
        import grp  # noqa: PLC0415 - not on Windows
    except ImportError:  # Windows
        return f"group {gid}"
    try:
        return f"group {grp.getgrgid(gid).gr_name}"
    except KeyError:  # no entry
        return f"group {gid}"


def _file_system(mount: Mount | None, probed: Path) -> Check:
    key = "place.file_system"
    if mount is None:
        return note(
            key,
            "The type of the file system is not known: this system has no "
            "/proc/self/mountinfo to read.",
            f"Make sure that {probed} is on a local disk.",
            kind="unknown",
            type=None,
            mounted_at=None,
            source=None,
            options=[],
            not_guaranteed=[],
        )
    kind, said = kind_of(mount), remarks(mount)
    facts = {
        "kind": kind,
        "type": mount.type,
        "mounted_at": mount.point,
        "source": mount.source,
        "options": mount.options,
        "not_guaranteed": said,
    }
    text = f"{mount.type}, mounted at {mount.point} from {mount.source}"
    if not said:
        return ok(key, f"{text}: a local file system.", **facts)
    text = f"{text}. Not guaranteed there: {'; '.join(said)}."
    if kind == "memory":
        advice = f"{ELSEWHERE} if journals have to survive a reboot."
    elif kind == "layered":
        advice = "Mount a volume for the journal directory."
    elif kind == "unknown":
        return note(key, text, f"Make sure that {probed} is on a local disk.", **facts)
    elif kind == "local":
        advice = f"{ELSEWHERE}, or mount it without that."
    else:
        advice = f"{ELSEWHERE}, on a local disk."
    return warning(key, text, advice, **facts)


def _space(probed: Path) -> Check:
    key = "place.space"
    found = os.statvfs(probed)
    free_bytes = found.f_bavail * found.f_frsize
    free_files = found.f_favail if found.f_files else None
    facts = {"free_bytes": free_bytes, "free_files": free_files}
    room = f"{free_bytes / _MEGABYTE:,.0f} MB"
    files = "" if free_files is None else f" and {free_files:,} files"
    text = f"{room}{files} are free."
    scarce = free_files is not None and free_files < _FEW_FILES
    out = free_files is not None and free_files < _TOO_FEW_FILES
    if free_bytes < _TOO_FEW_BYTES or out:
        advice = f"Free some. {ELSEWHERE} if that is not possible."
        return problem(key, f"The disk is full: {text}", advice, **facts)
    if free_bytes < _FEW_BYTES or scarce:
        advice = "Free some: a full disk stops journals, not runs."
        return warning(key, f"There is little room: {text}", advice, **facts)
    return ok(key, text, **facts)


def _left_behind(probed: Path) -> list[Path]:
    found: list[Path] = []
    with contextlib.suppress(OSError), os.scandir(probed) as entries:
        for entry in entries:
            if not entry.name.startswith(PREFIX):
                continue
            made = entry.stat(follow_symlinks=False).st_mtime
            if time.time() - made > _LEFT_S:  # others may be at work right now
                found.append(Path(entry.path))
    return sorted(found)
