"""Every call to the system fails, comes short or is the last: the tests' dose."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from faulty import Faults, FaultyLock, FaultyOs, Strike
from journals import create, file, join, note, salvage, texts
from scenarios import SCENARIOS
from storms import calls
from storms.play import HONEST, Means

from kedro_journal.errors import JournalError, JournalUnwritable
from kedro_journal.journal.port import Os


@pytest.mark.storm
def test_whatever_call_fails_no_promise_is_broken(tmp_path: Path) -> None:
    """Single faults, pairs, deaths and readers: a sample of each."""
    account = calls.SUITE.run(calls.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    assert account.count >= calls.SUITE.small
    for kind in ("single faults", "pairs", "of readers", "deaths"):
        assert int(account.figures[kind]) >= 40


class NoRollBack(FaultyOs):
    """Sabotage: what was written of a refused append is left."""

    def truncate(self, fd: int, size: int) -> None:
        self.faults.meet("truncate", lambda: None)


class SyncsAgain(FaultyOs):
    """Sabotage: a sync that failed is tried again, and goes well."""

    def sync(self, fd: int) -> None:
        try:
            super().sync(fd)
        except OSError:
            super().sync(fd)


class SyncsNever(FaultyOs):
    """Sabotage: nothing is brought to the disk."""

    def sync(self, fd: int) -> None:
        pass


class KeepsNothing(FaultyOs):
    """Sabotage: what a repair cuts off is not kept."""

    def write_new(self, path: Path, data: bytes) -> None:
        self.faults.meet("write_new", lambda: None)


class CutsTooMuch(FaultyOs):
    """Sabotage: a repair reaches into committed records."""

    def truncate(self, fd: int, size: int) -> None:
        super().truncate(fd, max(0, size - 40))


class NoLock(FaultyLock):
    """Sabotage: nobody takes turns."""

    def try_lock(self, fd: int) -> bool:
        return self.faults.meet("try_lock", lambda: True)


WRITE = Strike(2, errno.EIO, call="write")
SHORT = Strike(2, "short", call="write")
SYNC = Strike(1, errno.EIO, call="sync")


@pytest.mark.storm
@pytest.mark.parametrize(
    ("means", "scenario", "strike", "seen"),
    [
        (Means(early=True), "create and append", WRITE, "acknowledged and lost"),
        (Means(NoRollBack), "another writer comes between", SHORT, "refused and there"),
        (Means(SyncsAgain), "failures are synced", SYNC, "a sync had failed"),
        (Means(SyncsNever), "failures are synced", WRITE, "before it was on the disk"),
        (Means(KeepsNothing), "cut a torn tail", WRITE, "not kept"),
        (Means(CutsTooMuch), "cut a torn tail", WRITE, "committed records changed"),
        (Means(lock=NoLock), "another has the lock", WRITE, "another had the lock"),
    ],
    ids=["early", "no roll-back", "sync again", "sync never", "keep", "cut", "lock"],
)
def test_the_storm_sees_a_broken_protocol(
    tmp_path: Path, means: Means, scenario: str, strike: Strike, seen: str
) -> None:
    """Teeth: with one step of the protocol left out, the same storm goes red."""
    chosen = [known for known in SCENARIOS if known.name == scenario]

    def broken(means: Means) -> list[str]:
        folder = tmp_path / str(means is HONEST)
        folder.mkdir()
        return calls.storm(
            3, folder, 1, print, means=means, scenarios=chosen, strikes=[strike]
        ).violations

    assert any(seen in violation for violation in broken(means))
    assert broken(HONEST) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_sync_that_fails_in_the_background_is_final_as_well(
    tmp_path: Path, number: int
) -> None:
    """At level group nobody waits for it, but the next append hears of it."""
    faults = Faults()
    faults.background = number
    writer = create(tmp_path / "s", port=FaultyOs(faults), durability="group")
    writer.append(note("before"))
    assert faults.synced_behind.wait(30)
    for _ in range(2):
        with pytest.raises(JournalUnwritable, match="sync failed, which is final"):
            writer.append(note("after"))
        faults.mend()
    writer.close()
    assert texts(salvage(tmp_path / "s")[0]) == ["before"]


class FullAndStuck(Os):
    """Writes a part of one write; then the disk is full, and cutting fails once."""

    def __init__(self) -> None:
        self.part = -1
        self.full = self.stuck = False

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        if self.full:
            self.full = False
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.part >= 0:
            data, self.part, self.full, self.stuck = data[: self.part], -1, True, True
        return super().write(fd, data, end)

    def truncate(self, fd: int, size: int) -> None:
        if self.stuck:
            self.stuck = False
            raise OSError(errno.EIO, "Input/output error")
        super().truncate(fd, size)


def test_a_roll_back_that_was_put_off_takes_nothing_from_another_writer(
    tmp_path: Path,
) -> None:
    """Also where the other one's records are just as long as what was torn."""
    part, pad = 5_000, 4_000
    for number in range(4):
        folder, port = tmp_path / str(number), FullAndStuck()
        one = create(folder, port=port)
        one.append(note("a1"))
        size = file(folder).stat().st_size
        port.part = part
        with pytest.raises(JournalError):
            one.append(note("a2", 60_000))
        join(folder).append(note("b1", pad))
        grown = file(folder).stat().st_size - size
        one.append(note("a3"))
        assert texts(salvage(folder)[0]) == ["a1", "b1", "a3"]
        pad += part - grown
    assert grown == part


def test_a_refused_append_does_not_stop_the_syncs_of_those_before(
    tmp_path: Path,
) -> None:
    """Level group: what was acknowledged is on the disk at the latest at close."""
    faults = Faults(Strike(2, errno.ENOSPC, call="write"))
    writer = create(tmp_path / "s", port=FaultyOs(faults), durability="group")
    writer.append(note("acknowledged"))
    with pytest.raises(JournalUnwritable):
        writer.append(note("refused"))
    writer.close()
    assert faults.syncs
