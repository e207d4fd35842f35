"""Owners are killed or close in order, and a reader is asked at once how they are.

What a reader says of an owner must be true at any moment: `running` until it is killed,
`crashed` within the promised time after, and never `crashed` of one that closes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from owners import WAITING, Session

from kedro_journal.journal import probe
from kedro_journal.journal.liveness import boot_id, host_name
from kedro_journal.replaying import replay_folder

from .account import Account, Say, Suite

__all__ = ["KINDS", "SUITE", "run"]

PROMISED_S: Final = 0.1  # from the kill to `crashed`
HOPELESS_S: Final = 10.0
Work = Callable[[Session], int]
"""Done by the owner before it is looked at; gives the pid of a survivor, or 0."""


def _idle(_: Session) -> int:
    return 0


def _appending(session: Session) -> int:
    session.append_for_ever()
    return 0


def _with_a_forked_child(_: Session) -> int:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b".")
        _pause()
    os.read(reading, 1)  # it runs, and so has let go of the lock
    return pid


def _with_an_executed_child(_: Session) -> int:
    return os.posix_spawn(sys.executable, [sys.executable, "-c", WAITING], os.environ)


def _stopped(_: Session) -> int:
    return 0  # that is done to it


KINDS: Final[dict[str, Work]] = {
    "idle": _idle,
    "appending": _appending,
    "with a forked child": _with_a_forked_child,
    "with an executed child": _with_an_executed_child,
    "stopped": _stopped,
}


def _pause() -> None:
    while True:
        signal.pause()


def look(folder: Path) -> str:
    """Ask the kernel, as every reader does first."""
    return probe(folder, host_name(), boot_id())


class _Owner:
    """A forked process that owns the session in *folder*."""

    def __init__(self, folder: Path, work: Work) -> None:
        from_child, to_parent = os.pipe()
        from_parent, to_child = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(to_child)
                os.close(from_child)
                session = Session(folder)
                os.write(to_parent, b"%d\n" % work(session))
                os.read(from_parent, 1)
                session.close()
                os.write(to_parent, b"closed\n")
                _pause()
            finally:
                os._exit(1)
        os.close(to_parent)
        os.close(from_parent)
        self._orders = to_child
        with os.fdopen(from_child, "rb") as answers:
            self.survivor = int(answers.readline())

    def close_in_order(self) -> None:
        """Let it begin to close the session; it lives on."""
        os.write(self._orders, b".")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def discard(self) -> None:
        """Leave nothing of it behind."""
        self.kill()
        os.waitpid(self.pid, 0)
        os.close(self._orders)
        if self.survivor:
            os.kill(self.survivor, signal.SIGKILL)


def kill_one(
    folder: Path,
    kind: str,
    account: Account,
    *,
    work: Work | None = None,
    limit_s: float = HOPELESS_S,
) -> float | None:
    """Kill an owner; give how many seconds it took to be seen, None if it was not.

    Args:
        folder: Where its session is to be.
        kind: What it is; see `KINDS`.
        account: Takes what is wrong.
        work: What it does instead of its kind's (sabotage).
        limit_s: When to give up.
    """
    owner = _Owner(folder, work or KINDS[kind])
    try:
        if kind == "stopped":
            os.kill(owner.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, owner.pid, os.WSTOPPED)
        said: str | None = look(folder)
        if said != "running":
            account.violations.append(f"{kind}: {said} while it lives")
        killed = time.perf_counter()
        owner.kill()
        while (said := look(folder)) != "crashed":
            if time.perf_counter() - killed > limit_s:
                account.violations.append(f"{kind}: {said} though it is dead")
                return None
            time.sleep(0.0002)
        waited_s = time.perf_counter() - killed
        if owner.survivor:
            os.kill(owner.survivor, 0)
        if (said := replay_folder(folder).liveness) != "crashed":
            account.violations.append(f"{kind}: replay says {said} though it is dead")
        return waited_s
    finally:
        owner.discard()


def close_one(folder: Path, account: Account, work: Work = _idle) -> None:
    """Have an owner close in order under a reader's eyes: never is it crashed."""
    owner = _Owner(folder, work)
    try:
        owner.close_in_order()
        started = time.perf_counter()
        while (said := replay_folder(folder).liveness) == "running":
            if time.perf_counter() - started > HOPELESS_S:
                break
        if said != "closed":
            account.violations.append(f"{said} while it closed in order")
    finally:
        owner.discard()


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Kill *count* owners, and let as many close. Nothing is drawn: no *seed*."""
    del seed
    account = Account()
    waits: list[float] = []
    said = time.monotonic()
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        waited_s = kill_one(folder / f"killed{number}", kind, account)
        close_one(folder / f"closed{number}", account)
        account.add("closed in order")
        if waited_s is None:
            break
        waits.append(waited_s)
        account.count += 1
        if time.monotonic() - said > 10:
            said = time.monotonic()
            say(f"{account.count:,} killed")
    _judge(account, sorted(waits), PROMISED_S if count >= SUITE.full else HOPELESS_S)
    return account


def _judge(account: Account, waits: list[float], limit_s: float) -> None:
    if not waits:
        return
    places = {"p50": len(waits) // 2, "p99": len(waits) * 99 // 100, "max": -1}
    for name, place in places.items():
        account.figures[f"crashed after {name}"] = f"{waits[place] * 1e3:.3g} ms"
    late = sum(waited_s > PROMISED_S for waited_s in waits)
    account.figures["later than 100 ms"] = late
    if waits[places["p99"]] > limit_s:
        account.violations.append(f"1 of 100 was seen later than {limit_s} s")


SUITE: Final = Suite(
    name="liveness",
    fault="owners killed, stopped or not, with children that survive; others close",
    unit="kills",
    full=1_000,
    small=25,
    run=run,
)
