"""Real disks that are full: tmpfs, ext4 on a loop device, and a limit on file sizes.

What was acknowledged stays, what was refused never shows, and a session on a full disk
still tells how it ended.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from journals import create, note, salvage, texts

from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import (
    ErrorInfo,
    NodeStarted,
    PlannedNode,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
)
from kedro_journal.journal import JournalDirectory, JournalWriter
from kedro_journal.journal.port import Os
from kedro_journal.recording.recorder import Recorder
from kedro_journal.redaction import Redactor

from .account import Account, Say, Suite

__all__ = ["SUITE", "Make", "disks", "strike"]

Make = Callable[..., JournalWriter]
SIZES = (0, 100, 700, 3_000, 9_000, 20_000)


class CountingOs(Os):
    """The real kernel; counts the writes that took only a part."""

    def __init__(self) -> None:
        self.partial = 0

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        taken = super().write(fd, data, end)
        self.partial += taken < len(data)
        return taken


@dataclass
class Disk:
    """A small disk, and what fills it.

    Attributes:
        name: The file system.
        path: Where it is.
        fill: Leaves about as many bytes of room.
        empty: Makes room for everything.
    """

    name: str
    path: Path
    fill: Callable[[int], None]
    empty: Callable[[], None]


def disks(folder: Path, account: Account) -> Iterator[Disk]:
    """Give every kind of small disk that can be had here, one after the other."""
    yield _limited(folder / "limited")
    if os.geteuid() != 0:
        account.skipped.append("tmpfs and ext4: only root may mount")
        return
    for kind in ("tmpfs", "ext4"):
        path = folder / kind
        path.mkdir()
        with contextlib.ExitStack() as stack:
            try:
                _mount(kind, path, folder / "image")
            except (OSError, subprocess.CalledProcessError) as error:
                account.skipped.append(f"{kind}: {error}")
                continue
            stack.callback(subprocess.run, ["umount", "-l", str(path)], check=True)
            balloon = path / "balloon"
            yield Disk(
                kind,
                path,
                lambda room, balloon=balloon: _inflate(balloon, room),  # type: ignore[misc]
                lambda balloon=balloon: balloon.unlink(missing_ok=True),  # type: ignore[misc]
            )


def _mount(kind: str, path: Path, image: Path) -> None:
    if kind == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
        _call(command)
        return
    with image.open("wb") as out:
        out.truncate(8 << 20)
    # No room kept for root: it would never meet the end of the disk.
    make = ["mkfs.ext4", "-q", "-m", "0", "-F", str(image)]
    _call(make)
    command = ["mount", "-o", "loop", str(image), str(path)]
    _call(command)


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _inflate(balloon: Path, room: int) -> None:
    """Fill the disk, then give back about *room* bytes."""
    with balloon.open("ab") as out:
        size = out.tell()
        chunk = 1 << 20
        while chunk:
            try:
                taken = os.write(out.fileno(), bytes(chunk))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                taken = 0
            size += taken
            if taken < chunk:
                chunk //= 4
        os.ftruncate(out.fileno(), max(0, size - room))
        os.fsync(out.fileno())


def _limited(path: Path) -> Disk:
    """No disk of its own: the kernel refuses to let the journal grow (EFBIG)."""
    path.mkdir()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(room: int) -> None:
        largest = max((f.stat().st_size for f in path.rglob("*.jsonl")), default=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, hard))

    def empty() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    return Disk("a limit on file sizes", path, fill, empty)


def strike(disk: Disk, count: int, seed: int, account: Account, make: Make) -> None:
    """Append to a disk with hardly any room until it was full *count* times."""
    rng = random.Random(seed)
    folder = disk.path / "s"
    folder.mkdir()
    port = CountingOs()
    writer = make(folder, port=port)
    acknowledged: list[str] = []
    refused: set[str] = set()
    number = 0
    try:
        while len(refused) < count:
            disk.fill(rng.choice((0, 0, 200, 4096, 5000, 12_000, 40_000)))
            for _ in range(6):
                name = f"{number}"
                number += 1
                before = writer.path.stat().st_size if writer.path.exists() else 0
                try:
                    writer.append(note(name, rng.choice(SIZES)))
                except JournalUnwritable as error:
                    refused.add(name)
                    if error.errno not in (errno.ENOSPC, errno.EFBIG):
                        account.violations.append(f"{disk.name}: {error}")
                    after = writer.path.stat().st_size if writer.path.exists() else 0
                    if after != before:
                        account.violations.append(
                            f"{disk.name}: {after - before} bytes of a refused append"
                        )
                else:
                    acknowledged.append(name)
            if writer.path.exists() and writer.path.stat().st_size > 1 << 20:
                break  # a new journal, or there is no room for the balloon
    finally:
        disk.empty()
        writer.close()
    account.count += len(refused)
    account.add("acknowledged", len(acknowledged))
    account.add("partial writes", port.partial)
    _compare(folder, acknowledged, refused, account, disk.name)
    shutil.rmtree(folder)


def _compare(
    folder: Path,
    acknowledged: list[str],
    refused: set[str],
    account: Account,
    where: str,
) -> None:
    found, findings = (
        salvage(folder) if (folder / "journal.jsonl").exists() else ([], [])
    )
    names = texts(found)
    lost = len(set(acknowledged) - set(names))
    phantoms = len(refused & set(names))
    account.add("acknowledged lost", lost)
    account.add("phantoms", phantoms)
    if lost:
        account.violations.append(f"{where}: {lost} acknowledged lost")
    if phantoms:
        account.violations.append(f"{where}: {phantoms} refused appends show")
    if names != acknowledged:
        account.violations.append(f"{where}: out of order, or doubled")
    account.violations += [f"{where}: {f.kind}: {f.detail}" for f in findings]


def end_a_session(disk: Disk, account: Account, *, late: bool) -> None:
    """A session whose disk is full from the first event on, or from the run on."""
    directory = JournalDirectory(disk.path / "sessions")
    session_id, folder = directory.claim("s")
    recorder = Recorder(
        create(folder), session_id=session_id, folder=folder, redactor=Redactor()
    )
    plan = tuple(PlannedNode(name=f"n{number}") for number in range(200))
    if not late:
        disk.fill(0)
    recorder.record(SessionCreated(session_id="s"))
    recorder.record(RunStarted(run_id="r", nodes=plan))
    if late:
        disk.fill(0)
    for number in range(200):
        recorder.record(NodeStarted(run_id="r", node=f"n{number}"))
    error = ErrorInfo(type="builtins.OSError", message="No space left on device")
    recorder.record(RunFailed(run_id="r", error=error))
    recorder.record(SessionClosed())
    state = recorder.state()
    recorder.close()
    disk.empty()
    account.add("sessions ended on a full disk")
    told = (state.status, state.outcome, len(state.runs), len(state.anomalies))
    if told != ("closed", "failed", 1, 0) or not state.dropped_events:
        account.violations.append(f"{disk.name}: the session's end reads {told}")
    shutil.rmtree(directory.path)


def run(count: int, folder: Path, seed: int, say: Say, make: Make = create) -> Account:
    """Strike *count* times, evenly on every kind of disk."""
    account = Account()
    kinds = 3 if os.geteuid() == 0 else 1
    share = -(-count // kinds)
    account.figures |= {
        "acknowledged": 0,
        "partial writes": 0,
        "acknowledged lost": 0,
        "phantoms": 0,
    }
    for disk in disks(folder, account):
        aim = account.count + share
        rounds = 0
        while account.count < aim:
            rounds += 1
            left = min(150, aim - account.count)
            strike(disk, left, seed * 1000 + rounds, account, make)
            if disk.name != "a limit on file sizes":  # there, room cannot be made
                end_a_session(disk, account, late=bool(rounds % 2))
            if account.violations:
                return account
        say(f"{disk.name}: {account.count} times full so far")
    return account


SUITE = Suite(
    name="full_disk",
    fault="a disk that is really full (tmpfs, ext4, a limit on file sizes)",
    unit="refused appends",
    full=2_400,
    small=120,
    run=run,
)
