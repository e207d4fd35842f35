"""Do the journal's locks exclude who they must, and go when their holder dies?

With the journal's own locks, in both backends, between real processes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal.errors import JournalBusy, JournalUnwritable
from kedro_journal.journal import OwnerLock, is_held
from kedro_journal.journal.lock import AppendLock, LockBackend

from .bench import ELSEWHERE, BackendName, Bench, can_fork
from .child import Probe
from .model import Check, ok, problem, reason_of, warning
from .partner import Line, Partner, PartnerFailed

__all__ = ["lock_probes"]

_NAMES: Final[tuple[BackendName, ...]] = ("fcntl", "filelock")
_FREED_S: Final = 2.0  # a lock that a dead process holds for so long is stuck
_NO_EXCLUSION: Final = (
    f"{ELSEWHERE}: two processes would use the same record numbers here, and "
    "journals would be damaged."
)
_NO_LIVENESS: Final = (
    f"{ELSEWHERE}: sessions may be reported as running or crashed wrongly."
)


def lock_probes(bench: Bench) -> list[Probe]:
    """Return the probes of locks, in their order."""
    probes = [
        Probe("locks.backend", "lock backends", lambda: _backend(bench)),
        Probe("locks.descriptors", "locking", lambda: _descriptors(bench)),
    ]
    if can_fork():
        probes += [
            Probe(
                "locks.processes",
                "locking between processes",
                lambda: _processes(bench),
            ),
            Probe("locks.look", "looking at a lock", lambda: _look(bench)),
            Probe("locks.killed", "the lock of a dead process", lambda: _killed(bench)),
            Probe("locks.forked", "locks and forks", lambda: _forked(bench)),
        ]
    return probes


def _usable(bench: Bench) -> tuple[dict[str, LockBackend], dict[str, str]]:
    """Return the backends that there are, and why the others are not."""
    there: dict[str, LockBackend] = {}
    missing: dict[str, str] = {}
    for name in _NAMES:
        try:
            there[name] = bench.choose(name)
        except (ImportError, AttributeError) as error:
            missing[name] = reason_of(error)
    return there, missing


def _backend(bench: Bench) -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:2]))
    try:
        chosen = type(bench.choose(bench.lock_backend)).__name__
    except (ImportError, AttributeError) as error:
        yield problem(
            "locks.backend",
            f"The lock backend {bench.lock_backend!r} cannot be used: "
            f"{reason_of(error)}.",
            "Install kedro-journal again, or set `lock_backend` to another one.",
            setting=bench.lock_backend,
        )
        return
    in_force = chosen.removesuffix("Backend").lower()
    if bench.lock_backend != "auto":
        why = "the setting `lock_backend` says so"
    elif in_force == "fcntl":
        why = "this is the default on Unix"
    else:
        why = "this is the default where Python has no fcntl"
    _, missing = _usable(bench)
    facts = {
        "in_force": in_force,
        "setting": bench.lock_backend,
        "missing": missing,
        "python": python,
    }
    text = f"Lock backend in force: {in_force}; {why}."
    if missing:
        gone = "; ".join(f"{name}: {why}" for name, why in missing.items())
        yield warning(
            "locks.backend",
            f"{text} Another one cannot be used: {gone}.",
            "Install kedro-journal again: its dependencies are not complete.",
            **facts,
        )
    else:
        yield ok("locks.backend", text, **facts)


def _descriptors(bench: Bench) -> Iterator[Check]:
    there, _ = _usable(bench)
    found: dict[str, str] = {}
    for name, backend in there.items():
        path = bench.folder / f"descriptors.{name}"
        try:
            with (
                _appender(bench, path, backend, patience_s=1) as one,
                _appender(bench, path, backend) as two,
            ):
                one.lock.acquire(one.fd)
                found[name] = two.excluded()
                one.lock.release()
                if found[name] == "excluded" and two.excluded() == "excluded":
                    found[name] = "not given back"
        except OSError as error:
            found[name] = f"no lock could be taken: {reason_of(error)}"
    yield _exclusion("locks.descriptors", "two descriptors of one process", found)


class _Appender(NamedTuple):
    """A process that appends to a file used as a journal."""

    lock: AppendLock
    fd: int

    def excluded(self) -> str:
        try:
            self.lock.acquire(self.fd)
        except JournalBusy:
            return "excluded"
        return "both got it"


@contextlib.contextmanager
def _appender(
    bench: Bench, path: Path, backend: LockBackend, patience_s: float = 0
) -> Iterator[_Appender]:
    lock = AppendLock(path, deadline_s=patience_s, backend=backend, port=bench.port)
    fd = bench.port.open_append(path, create=True)
    try:
        yield _Appender(lock, fd)
    finally:
        lock.drop()
        with contextlib.suppress(OSError):
            bench.port.close(fd)


def _processes(bench: Bench) -> Iterator[Check]:
    """Every backend against itself and the other, in different processes."""
    there, _ = _usable(bench)
    own: dict[str, str] = {}
    mixed: dict[str, str] = {}
    for one in there:
        for two in there:
            path = bench.folder / f"processes.{one}.{two}"
            pair = _Pair(bench, path, there[one], there[two])
            try:
                found = pair.exclude()
            except OSError as error:
                found = f"no lock could be taken: {reason_of(error)}"
            except PartnerFailed as error:
                found = f"no lock could be taken: {error}"
            if one == two:
                own[one] = found
            else:
                mixed[f"{one} against {two}"] = found
    yield _exclusion("locks.processes", "two processes", own)
    if mixed:
        yield _exclusion("locks.backends", "the two backends", mixed)


class _Pair(NamedTuple):
    """Two processes that want one lock."""

    bench: Bench
    path: Path
    theirs: LockBackend
    ours: LockBackend

    def exclude(self) -> str:
        """Let the other hold it, ask for it, have it given back, ask again."""
        with Partner(self._hold) as partner:
            partner.line.expect("held")
            with _appender(self.bench, self.path, self.ours) as us:
                found = us.excluded()
                partner.line.say("release")
                partner.line.expect("released")
                if found == "excluded" and us.excluded() == "excluded":
                    found = "not given back"
        return found

    def _hold(self, line: Line) -> None:
        with _appender(self.bench, self.path, self.theirs, patience_s=1) as they:
            they.lock.acquire(they.fd)
            line.say("held")
            line.expect("release")
            they.lock.release()
            line.say("released")
            line.hear()


def _exclusion(key: str, who: str, found: dict[str, str]) -> Check:
    bad = {name: said for name, said in found.items() if said != "excluded"}
    if bad or not found:
        said = "; ".join(f"{name}: {what}" for name, what in bad.items())
        return problem(
            key,
            f"The append lock does not work between {who}: {said or 'no backend'}.",
            _NO_EXCLUSION,
            backends=found,
        )
    names = ", ".join(found)
    return ok(key, f"The append lock works between {who} ({names}).", backends=found)


@contextlib.contextmanager
def _owner(
    bench: Bench, path: Path, more: Callable[[Line], None] = lambda line: None
) -> Iterator[Partner]:
    """A process that owns a session, as far as its lock goes."""
    backend = bench.choose(bench.lock_backend)

    def hold(line: Line) -> None:
        lock = OwnerLock(path, backend)
        try:
            lock.acquire()
        except JournalUnwritable as error:
            line.say(error.reason)
            return
        more(line)
        line.say("held")
        line.hear()
        lock.release()
        line.say("released")
        line.hear()

    with Partner(hold) as partner:
        yield partner


def _look(bench: Bench) -> Iterator[Check]:
    path = bench.folder / "look.lock"
    with _owner(bench, path) as partner:
        partner.line.expect("held")
        held = [is_held(path, bench.port) for _ in range(3)]
        partner.line.say("release")
        partner.line.expect("released")
        free = [is_held(path, bench.port)]
        with _shared(path):
            free.append(is_held(path, bench.port))
    if held == [True] * 3 and free == [False] * 2:
        yield ok(
            "locks.look",
            "A reader sees whether an owner's lock is held, and readers are not "
            "mistaken for the owner.",
            held=held,
            free=free,
        )
        return
    yield problem(
        "locks.look",
        f"A reader sees the state of a lock wrongly: held is seen as {held}, free "
        f"as {free}.",
        _NO_LIVENESS,
        held=held,
        free=free,
    )


@contextlib.contextmanager
def _shared(path: Path) -> Iterator[None]:
    """Look at a lock, as another reader does, for as long as the block takes."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def _killed(bench: Bench) -> Iterator[Check]:
    path = bench.folder / "killed.lock"
    with _owner(bench, path) as partner:
        partner.line.expect("held")
        before = is_held(path, bench.port)
        began = time.perf_counter()
        partner.kill()
        freed = _wait_free(bench, path)
        freed_ms = round((time.perf_counter() - began) * 1000, 3)
    if before and freed:
        yield ok(
            "locks.killed",
            f"The lock of a process that is killed (kill -9) is free {freed_ms:.2g} ms "
            "later: crashes are detected immediately.",
            freed_ms=freed_ms,
        )
        return
    text = (
        f"The lock of a killed process was still held {_FREED_S:g} s later"
        if before
        else "The lock of a live owner is not seen as held"
    )
    yield problem("locks.killed", f"{text}.", _NO_LIVENESS, held=before, freed=freed)


def _forked(bench: Bench) -> Iterator[Check]:
    path = bench.folder / "forked.lock"

    def fork(line: Line) -> None:
        pid = os.fork()
        if pid == 0:
            line.hear()  # until the line is cut, or it is killed with its group
            os._exit(0)
        line.say(str(pid))

    with _owner(bench, path, fork) as partner:
        child = partner.line.number()
        partner.line.expect("held")
        before = is_held(path, bench.port)
        partner.kill()
        freed = _wait_free(bench, path)
        with contextlib.suppress(OSError):
            os.kill(child, 9)
    if before and freed:
        yield ok(
            "locks.forked",
            "A forked child that outlives its parent does not keep the lock.",
        )
        return
    yield problem(
        "locks.forked",
        "A forked child keeps the lock of its dead parent."
        if before
        else "The lock of a live owner is not seen as held.",
        _NO_LIVENESS,
        held=before,
        freed=freed,
    )


def _wait_free(bench: Bench, path: Path) -> bool:
    deadline = time.monotonic() + _FREED_S
    while is_held(path, bench.port) is not False:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0001)
    return True
