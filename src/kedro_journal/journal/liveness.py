"""Is the owner of a session alive? Derived by readers, never written by them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Final, Literal

from kedro_journal._outside import let_through, suppress

from .lock import is_held

__all__ = [
    "OWNER_LOCK_NAME",
    "RESUME_LOCK_NAME",
    "Liveness",
    "boot_id",
    "host_name",
    "is_anywhere",
    "is_running",
    "pid_namespace",
    "probe",
    "start_ticks",
]

Liveness = Literal["running", "crashed", "unknown", "closed"]
_FIRST_NAMESPACE: Final = "pid:[4026531836]"
"""The namespace that a kernel begins with: processes of all others are seen from it."""
OWNER_LOCK_NAME: Final = "owner.lock"
RESUME_LOCK_NAME: Final = "resume.lock"
"""The lock file in the folder of a session, held by the session that resumes it."""


@functools.cache
def boot_id() -> str | None:
    """Return the id of this boot of the kernel, None where there is none."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_bytes().decode("ascii")
    except OSError as error:
        let_through(error, system=True)
        return None
    return text.strip() or None


def pid_namespace() -> str | None:
    """Return the id of the namespace that this process has its pid in, if any."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except (OSError, ValueError) as error:
        let_through(error, system=True)
        return None


def host_name() -> str:
    """Return this host's name, empty if it has none."""
    try:
        import socket  # noqa: PLC0415 - most commands need none

        return socket.gethostname()
    except OSError as error:
        let_through(error, system=True)
        return ""


def _stat_of(pid: int) -> list[str]:
    """Return the fields of proc(5) stat from the third on; none if unreadable."""
    try:
        # Not `read_text`, which may import a codec: see `writer` on forked children.
        text = Path(f"/proc/{pid}/stat").read_bytes().decode("ascii", "replace")
    except OSError as error:
        let_through(error, system=True)
        return []
    return text.rpartition(")")[2].split()


def start_ticks(pid: int) -> int | None:
    """Return a process's start time in clock ticks since boot, None if not to be told.

    Field 22 of proc(5) stat; with the pid it tells one process from a later one.
    """
    try:
        return int(_stat_of(pid)[19])
    except (ValueError, IndexError) as error:
        let_through(error)
        return None


def is_running(pid: int, ticks: int | None) -> bool:
    """Return whether the process that started at that tick runs; a zombie does not.

    Not known where its start is not known (None), or it is no process (0).
    """
    if not pid or ticks is None:
        return False
    fields = _stat_of(pid)
    return fields[19:20] == [str(ticks)] and fields[0] not in ("Z", "X")


def is_anywhere(pid: int, ticks: int | None) -> bool | None:
    """Return whether a process of another pid namespace of this kernel runs.

    Args:
        pid: Its id in its own namespace.
        ticks: When it started, in clock ticks since boot.

    Returns:
        None if it is not found and this process does not see all others.
    """
    with suppress(OSError):
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or not is_running(int(folder.name), ticks):
                continue
            with suppress(OSError):
                status = (folder / "status").read_text(errors="replace")
                ids = next((o for o in status.splitlines() if o[:6] == "NSpid:"), "")
                if ids.split()[-1:] == [str(pid)]:
                    return True
        return False if pid_namespace() == _FIRST_NAMESPACE else None
    return None


def parent_pid(pid: int) -> int:
    """Return the parent of a process, 0 if it has none or that is not known."""
    if pid == os.getpid():
        return os.getppid()
    try:
        return int(_stat_of(pid)[1])
    except (ValueError, IndexError) as error:
        let_through(error)
        return 0


def probe(
    folder: Path,
    host: str,
    boot: str | None,
    pid: int = 0,
    ticks: int | None = None,
) -> Liveness:
    """Return whether the owner of an unclosed session lives.

    The caller looks at the end of the journal once more after `crashed`: the owner may
    have closed the session in between.

    Args:
        folder: The session folder.
        host: Host name that the owner wrote.
        boot: Boot id that it wrote.
        pid: Process id that it wrote, 0 if none.
        ticks: When that process started, in clock ticks since boot.

    Returns:
        running: it holds its lock, stopped or not. crashed: the kernel freed the lock,
        so it is gone; another boot of a host of this name is an earlier one. unknown:
        it ran on another host, whose locks may not be seen from here; or it lives and
        is at its journal, but its lock file was taken away, or is not the one that is
        seen from here, as through an overlay.
    """
    same_kernel = boot is not None and boot == boot_id()
    if not same_kernel and host != host_name():
        return "unknown"
    held = is_held(folder / OWNER_LOCK_NAME)
    if held:
        return "running"
    if held is None and not _is_missing(folder / OWNER_LOCK_NAME):
        return "unknown"  # it may not be looked at
    return "unknown" if same_kernel and _is_at(folder, pid, ticks) else "crashed"


def _is_missing(path: Path) -> bool:
    try:
        path.lstat()
    except OSError as error:
        let_through(error, system=True)
        return isinstance(error, FileNotFoundError)
    return False


def _is_at(folder: Path, pid: int, ticks: int | None) -> bool:
    """Return whether that process lives and has a file of the folder open."""
    if not is_running(pid, ticks):
        return False
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError as error:
        let_through(error, system=True)
        return True  # another user's: it is not known
    within, name = folder.resolve(), folder.name
    for descriptor in descriptors:
        with suppress(OSError):  # closed meanwhile
            file = descriptor.readlink()
            # Through an overlay or another mount it has another path.
            if file.is_relative_to(within) or file.parent.name == name:
                return True
    return False
