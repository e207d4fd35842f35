"""strace as a fault injector: what it is told, and what it saw."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = [
    "CALLS",
    "Seen",
    "Shot",
    "fast",
    "names",
    "read_log",
    "shots",
    "wait",
    "why_not",
]

RUN_S: Final = 120.0
"""Longest time for one run: a child that hangs breaks a promise."""
_ERRORS: Final = ("EIO", "ENOSPC", "EDQUOT", "EINTR")
# One call has several names: which of them there is depends on the machine.
CALLS: Final = {
    "openat": ("open", "openat"),
    "write": ("write", "pwrite64"),  # appends are the latter
    "fdatasync": ("fdatasync",),
    "fsync": ("fsync",),
    "flock": ("flock",),
    "lseek": ("lseek", "_llseek"),
    "fstat": ("fstat", "newfstatat", "statx"),
    "pread64": ("pread64",),
    "ftruncate": ("ftruncate",),
    "mkdir": ("mkdir", "mkdirat"),
    "unlink": ("unlink", "unlinkat"),
}
_MORE: Final = {"flock": ("ENOLCK", "ENOSYS"), "openat": ("EMFILE", "EACCES")}


@dataclass(frozen=True)
class Shot:
    """A fault at the n-th call of a kind.

    Attributes:
        call: The kind of call.
        fault: Name of an error; or KILL.
        at: Its number in each process, from 1.
        lasting: Every later one fails as well.
        full: Before that, the write of this number finds the disk full; 0 for none.
    """

    call: str
    fault: str
    at: int
    lasting: bool = False
    full: int = 0

    def __str__(self) -> str:
        before = f"ENOSPC at write {self.full}, then " if self.full else ""
        lasting = " and on" if self.lasting else ""
        return f"{before}{self.fault} at {self.call} {self.at}{lasting}"

    @property
    def options(self) -> list[str]:
        """What strace is told."""
        which = names(self.call)
        what = "signal=KILL" if self.fault == "KILL" else f"error={self.fault}"
        when = f"{self.at}{'+' if self.lasting else ''}"
        injected = ["-e", f"inject={which}:{what}:when={when}"]
        traced = names(self.call, "write") if self.full else which
        return ["-e", f"trace={traced}", *injected, *full(self.full)]


def full(write: int) -> list[str]:
    """Let a write find the disk full."""
    inject = f"inject={names('write')}:error=ENOSPC:when={write}"
    return ["-e", inject] if write else []


def names(*calls: str) -> str:
    return ",".join(f"?{name}" for call in calls for name in CALLS[call])


@functools.cache
def why_not() -> str:
    """Say why there can be no such storm here; empty if there can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    command = ["strace", "-f", "-o", os.devnull, *Shot("openat", "EIO", 99).options]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    if tried.returncode:
        words = tried.stderr.decode(errors="replace").strip().splitlines()
        return f"strace does not work: {words[0] if words else tried.returncode}"
    return ""


@functools.cache
def fast() -> tuple[str, ...]:
    """Stop the traced process only where it matters, if this strace can."""
    command = ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "-e", "trace=write"]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return ("--seccomp-bpf",) if not tried.returncode and not tried.stderr else ()


@dataclass
class Seen:
    """What strace saw of one case.

    Attributes:
        calls: How often each process made each call.
        hits: How often it was struck.
    """

    calls: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    hits: Counter[str] = field(default_factory=Counter)

    def struck(self, call: str) -> int:
        """Give how often a call was struck."""
        return sum(self.hits[name] for name in CALLS[call])

    def most(self, call: str) -> int:
        """Give how often a process made a call, the one that made the most."""
        known = CALLS[call]
        return max((sum(c[n] for n in known) for c in self.calls.values()), default=0)


def wait(command: Sequence[str]) -> bool:
    """Run a command to its end; False if it had to be stopped."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        process.wait(RUN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False
    return True


_CALL: Final = re.compile(r"(\d+) +(\w+)\(")
_NAME: Final = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")


def read_log(log: Path, base: Path, count: int) -> list[Seen]:
    """Give what strace saw of each case: a process plays one only."""
    seen = [Seen() for _ in range(count)]
    where = re.compile(re.escape(f"{base}/") + r"(\d+)[/\">]")
    owner: dict[str, int] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        pid = line.partition(" ")[0]
        if place := where.search(line):
            owner[pid] = int(place[1])
        if pid not in owner:
            continue
        if call := _CALL.match(line):
            seen[owner[pid]].calls[pid][call[2]] += 1
        if "(INJECTED)" in line:
            seen[owner[pid]].hits[_NAME.findall(line)[0]] += 1
    return seen


def shots(most: Mapping[str, int], full: int = 0) -> Iterator[Shot]:
    """Give every shot that strikes anything.

    Args:
        most: How often a process makes each call.
        full: The write that finds the disk full before; 0 for none.
    """
    for call, times in most.items():
        for at in range(1, times + 1):
            for name in (*_ERRORS, *_MORE.get(call, ())):
                yield Shot(call, name, at, full=full)
                # Python calls again after EINTR, so for ever if it lasts.
                if name != "EINTR":
                    yield Shot(call, name, at, lasting=True, full=full)
            yield Shot(call, "KILL", at, full=full)
