"""Does the file system do what the writer of a journal relies on? Tried, not asked."""

from __future__ import annotations

import errno
import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from kedro_journal.journal.directory import RESERVE_BYTES

from .bench import ELSEWHERE, Bench, can_fork
from .child import Probe
from .model import Check, note, ok, problem, warning
from .partner import Gate, Line, Partner

__all__ = ["operation_probes"]

_RACES: Final = 64
_ROUNDS: Final = 10
_LINES: Final = 50  # of each process in each round
_SYNCS: Final = 7
_SYNC_S: Final = 1.0  # per kind of sync
_FAST_MS: Final = 0.05  # no disk that keeps data without power is known to be faster
_SLOW_MS: Final = 50.0
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})
_ROOM_BYTES: Final = 65536
_LOST: Final = f"{ELSEWHERE}: records would overwrite each other here."


def operation_probes(bench: Bench) -> list[Probe]:
    """Return the probes of single operations, in their order."""
    return [
        Probe("operations.write", "writing", lambda: _write(bench)),
        Probe("operations.modes", "modes and owners", lambda: _modes(bench)),
        Probe("operations.create", "exclusive creation", lambda: _create(bench)),
        Probe("operations.append", "appending", lambda: _append(bench)),
        Probe("operations.truncate", "cutting a file", lambda: _truncate(bench)),
        Probe("operations.rename", "renaming", lambda: _rename(bench)),
        Probe("operations.sync", "syncing", lambda: _sync(bench)),
        Probe("operations.clock", "the clock", lambda: _clock(bench)),
    ]


def _write(bench: Bench) -> Iterator[Check]:
    """Free space is what a quota leaves, so some of it is used."""
    path = bench.folder / "room"
    bench.port.write_new(path, b"\n" * _ROOM_BYTES)
    size = path.stat().st_size
    bench.port.remove(path)
    if size != _ROOM_BYTES:
        yield problem(
            "operations.write",
            f"A file of {_ROOM_BYTES} bytes was written, and {size} are in it.",
            f"{ELSEWHERE}: written data does not arrive here.",
            size_bytes=size,
        )
        return
    yield ok("operations.write", "A file of 64 KiB was written.", size_bytes=size)
    bench.port.reserve(path, RESERVE_BYTES)
    found = path.stat()
    kept = getattr(found, "st_blocks", RESERVE_BYTES // 512) * 512
    bench.port.remove(path)
    if min(kept, found.st_size) >= RESERVE_BYTES:
        yield ok(
            "operations.reserve",
            "64 KiB can be reserved, so that a session's last records fit "
            "on a full disk.",
            kept_bytes=kept,
        )
        return
    yield note(
        "operations.reserve",
        f"A file that is to keep 64 KiB free takes up {kept} bytes: on a full disk a "
        "session's last records may be lost.",
        "No action is needed unless the disk fills up.",
        kept_bytes=kept,
    )


def _modes(bench: Bench) -> Iterator[Check]:
    os.umask(0)  # this is a process of our own
    folder, file = bench.folder / "mode", bench.folder / "mode/file"
    bench.port.make_folder(folder)
    bench.port.close(bench.port.open_append(file, create=True))
    made = folder.stat(), file.stat()
    modes = [found.st_mode & 0o777 for found in made]
    facts = {"folder": f"{modes[0]:04o}", "file": f"{modes[1]:04o}"}
    if hasattr(os, "geteuid") and {one.st_uid for one in made} != {os.geteuid()}:
        yield problem(
            "operations.modes",
            f"What user {os.geteuid()} makes here belongs to user {made[1].st_uid}, "
            "so they would be refused.",
            f"{ELSEWHERE}, or run as a user that the server knows.",
            **facts,
            owner=made[1].st_uid,
        )
    elif modes == [0o700, 0o600]:
        yield ok(
            "operations.modes",
            "Folders keep mode 0700 and files 0600: only this user reads journals.",
            **facts,
        )
    else:
        yield warning(
            "operations.modes",
            f"A folder made with mode 0700 has {modes[0]:04o}, a file made with 0600 "
            f"has {modes[1]:04o}: others may be able to read journals.",
            f"{ELSEWHERE}, or mount it so that only you can read it.",
            **facts,
        )


def _create(bench: Bench) -> Iterator[Check]:
    folder = bench.folder / "exclusive"
    bench.port.make_folder(folder)
    won = _win(bench, folder, "first")
    again = _win(bench, folder, "first")
    both = [won, again]
    wanted = [_RACES, 0]
    if can_fork():
        gate = Gate()

        def rival(line: Line) -> None:
            gate.meet(1)
            line.say(str(_win(bench, folder, "race")))

        with Partner(rival) as partner:
            gate.meet(0)
            ours = _win(bench, folder, "race")
            both.append(ours + partner.line.number())
            wanted.append(_RACES)
    if both == wanted:
        yield ok(
            "operations.create",
            "A folder is created only once: if two processes try, exactly "
            "one succeeds.",
            folders=_RACES,
        )
        return
    yield problem(
        "operations.create",
        f"Folders that exist were made again ({sum(both)} made, not {sum(wanted)}): "
        "two sessions could get the same folder.",
        f"{ELSEWHERE}.",
        folders=_RACES,
        made=both,
    )


def _win(bench: Bench, folder: Path, name: str) -> int:
    won = 0
    for number in range(_RACES):
        try:
            bench.port.make_folder(folder / f"{name}{number}")
        except FileExistsError:
            continue
        won += 1
    return won


def _append(bench: Bench) -> Iterator[Check]:
    path = bench.folder / "append"
    one = bench.port.open_append(path, create=True)
    two = bench.port.open_append(path)
    for fd, data in ((one, b"1\n"), (two, b"2\n"), (one, b"3\n")):
        _write_whole(bench, fd, data)
    found = bench.port.read_at(one, 100, 0)
    for fd in (one, two):
        bench.port.close(fd)
    if found != b"1\n2\n3\n":
        yield problem(
            "operations.append",
            "Appends through two descriptors did not land one behind the other: "
            f"{found.decode('ascii', 'replace')!r} is what is in the file.",
            _LOST,
            lines=3,
        )
        return
    if not can_fork():
        yield note(
            "operations.append",
            "Appends go to the end of the file. Two processes could not be tested.",
            "No action is possible: this system cannot fork.",
            lines=3,
        )
        return
    yield _interleaved(bench, bench.folder / "appends")


def _interleaved(bench: Bench, path: Path) -> Check:
    """Two processes append as fast as they can, and without a lock."""
    gate = Gate()
    bench.port.close(bench.port.open_append(path, create=True))

    def rival(line: Line) -> None:
        _append_lines(bench, path, "b", gate, 1)
        line.say("done")

    with Partner(rival) as partner:
        _append_lines(bench, path, "a", gate, 0)
        partner.line.expect("done")
    lines = path.read_bytes().split(b"\n")[:-1]
    turns = sum(one[:1] != two[:1] for one, two in pairwise(lines))
    wanted = 2 * _ROUNDS * _LINES
    facts = {"lines": wanted, "found": len(lines), "turns": turns}
    for who in "ab":
        if [one for one in lines if one[:1] == who.encode()] != _lines(who):
            return problem(
                "operations.append",
                f"Two processes appended {wanted} lines, and not all of them are whole "
                "and in their order.",
                _LOST,
                **facts,
            )
    return ok(
        "operations.append",
        f"Appends go to the end of the file: {wanted} lines of two "
        "processes at once, without a "
        "lock, are whole and in their order.",
        **facts,
    )


def _lines(who: str) -> list[bytes]:
    return [
        f"{who}{number:04d}{'.' * (number * 37 % 300)}".encode()
        for number in range(_ROUNDS * _LINES)
    ]


def _append_lines(bench: Bench, path: Path, who: str, gate: Gate, me: int) -> None:
    fd = bench.port.open_append(path)
    for number, line in enumerate(_lines(who)):
        if number % _LINES == 0:
            gate.meet(me)
        _write_whole(bench, fd, line + b"\n")
    bench.port.close(fd)


def _write_whole(bench: Bench, fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[bench.port.write(fd, view, bench.port.end(fd)) :]


def _truncate(bench: Bench) -> Iterator[Check]:
    path = bench.folder / "truncate"
    fd = bench.port.open_append(path, create=True)
    _write_whole(bench, fd, b"whole\ntorn")
    bench.port.truncate(fd, 6)
    size = bench.port.stat(fd).size
    _write_whole(bench, fd, b"next\n")
    found = bench.port.read_at(fd, 100, 0)
    bench.port.close(fd)
    if size == 6 and found == b"whole\nnext\n":
        yield ok(
            "operations.truncate",
            "A file can be truncated, as a repair does, and the next append follows.",
        )
        return
    yield problem(
        "operations.truncate",
        f"A file was cut to 6 bytes and has {size}; after one more line it holds "
        f"{found!r}: a torn tail could not be repaired.",
        f"{ELSEWHERE}.",
        size_bytes=size,
    )


def _rename(bench: Bench) -> Iterator[Check]:
    old, new = bench.folder / "rename", bench.folder / "rename.new"
    bench.port.write_new(old, b"old")
    bench.port.write_new(new, b"new")
    fd = bench.port.open_read(old)
    try:
        new.replace(old)
        kept, now = bench.port.read_at(fd, 10, 0), old.read_bytes()
    finally:
        bench.port.close(fd)
    if (kept, now, new.exists()) == (b"old", b"new", False):
        yield ok(
            "operations.rename",
            "A file can be replaced atomically; processes that have the old one open "
            "keep it.",
        )
        return
    yield warning(
        "operations.rename",
        f"A file that took another's place reads as {now!r}, the old one as {kept!r}.",
        f"{ELSEWHERE}. Journals are never renamed; only tools that replace "
        "files are affected.",
    )


def _sync(bench: Bench) -> Iterator[Check]:
    path = bench.folder / "sync"
    fd = bench.port.open_append(path, create=True)
    number = 0

    def change() -> None:
        nonlocal number
        number += 1
        name = bench.folder / f"sync{number}"
        bench.port.close(bench.port.open_append(name, create=True))

    def line() -> None:
        _write_whole(bench, fd, b"." * 299 + b"\n")

    try:
        data_ms = _median_ms(line, lambda: bench.port.sync(fd))
        file_ms = _median_ms(line, lambda: os.fsync(fd))
        folder_ms = _median_ms(change, lambda: bench.port.sync_folder(bench.folder))
    except OSError as error:
        yield _no_sync(error)
        return
    finally:
        bench.port.close(fd)
    facts = {"fdatasync_ms": data_ms, "fsync_ms": file_ms, "folder_fsync_ms": folder_ms}
    words = (
        f"Syncing works: data in {data_ms:.2g} ms, a file in {file_ms:.2g} ms, a "
        f"folder in {folder_ms:.2g} ms (medians)."
    )
    if bench.kind == "memory":
        yield ok("operations.sync", f"{words} In memory that proves nothing.", **facts)
    elif data_ms < _FAST_MS:
        yield note(
            "operations.sync",
            f"{words} That is faster than most disks write: a cache may answer for "
            "the disk, and whether data survives a power loss cannot be "
            "checked from here.",
            "If power loss matters, ask the administrator of the disk "
            "whether a sync reaches it.",
            **facts,
        )
    elif data_ms > _SLOW_MS:
        yield note(
            "operations.sync",
            f"{words} That is slow: durability `sync` would cost it for every event.",
            "Keep durability `flush` or `group`, or use a faster disk.",
            **facts,
        )
    else:
        yield ok(
            "operations.sync",
            f"{words} Whether the disk really honors a sync cannot be "
            "checked from here.",
            **facts,
        )


def _no_sync(error: OSError) -> Check:
    reason = error.strerror or str(error)
    if error.errno in _NO_SYNC:
        return warning(
            "operations.sync",
            f"This file system does not support syncing: {reason}.",
            f"{ELSEWHERE} if records have to survive a power loss.",
            errno=error.errno,
        )
    return problem(
        "operations.sync",
        f"Syncing fails: {reason}. A journal's writer stops after a failed sync.",
        f"{ELSEWHERE}, and check this disk: it may be failing or full.",
        errno=error.errno,
    )


def _median_ms(prepare: Callable[[], None], call: Callable[[], None]) -> float:
    took: list[float] = []
    end = time.monotonic() + _SYNC_S
    while len(took) < _SYNCS and (len(took) < 1 or time.monotonic() < end):
        prepare()
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1000, 4)


def _clock(bench: Bench) -> Iterator[Check]:
    first, begun = bench.port.now(), time.monotonic()
    time.sleep(0.002)
    second, ended = bench.port.now(), time.monotonic()
    forward_ms = round((second - first).total_seconds() * 1000, 3)
    if second > first and ended > begun:
        yield ok("operations.clock", "The clock moves forward.", forward_ms=forward_ms)
        return
    yield warning(
        "operations.clock",
        f"The clock stood still or went back (by {forward_ms:g} ms).",
        "Order records by `seq`, never by `at`, and check the clock.",
        forward_ms=forward_ms,
    )
