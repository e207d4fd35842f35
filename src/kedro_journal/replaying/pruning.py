"""Remove the sessions that a retention policy names, never one that lives."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._outside import let_through, suppress
from kedro_journal.analysis.retention import (
    Policy,
    Removal,
    ResumeChain,
    chains_of,
    to_remove,
)
from kedro_journal.errors import JournalError, UnsafeJournal
from kedro_journal.events import RunStarted, SessionResumed, UnknownEvent
from kedro_journal.journal import Finding, JournalDirectory, OwnerLock, read
from kedro_journal.journal.liveness import OWNER_LOCK_NAME, RESUME_LOCK_NAME
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.removal import (
    PRUNE_LOCK_NAME,
    Recovered,
    recover,
    remove_folders,
)
from kedro_journal.journal.roster import Roster, Session, read_roster

from .folder import replay_folder
from .index import Found, listed
from .kin import live_workers

__all__ = ["Pruned", "prune"]

_HEAD_RECORDS: Final = 200  # among which `session.resumed` is searched
_BATCH: Final = 100  # sessions that are locked and renamed together


class Pruned(NamedTuple):
    """What `prune` removed, or would remove.

    Attributes:
        removed: The chains that are gone, or would be.
        kept: Chains that the policy names and that were not removed, with the reason.
        left: How many sessions are left.
        left_bytes: Bytes that they take.
        recovered: What was done about an earlier prune that did not end.
    """

    removed: tuple[Removal, ...]
    kept: tuple[tuple[ResumeChain, str], ...]
    left: int
    left_bytes: int
    recovered: Recovered = Recovered()


def prune(
    where: JournalDirectory,
    policy: Policy,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Remove the sessions that a policy names.

    A resume chain is removed as a whole or kept as a whole. A chain is kept if a
    process or a worker process of it lives, if that is not known, if a session that
    resumes it is being made, or if it may not be read.

    Args:
        where: The journal directory.
        policy: What to remove.
        now: The present; None reads the clock.
        dry_run: Change nothing, and return what would be removed.

    Raises:
        UnsafeJournal: The directory belongs to another user.
        JournalError: Another process prunes the directory, or it may not be written.
    """
    clock = now or datetime.now(UTC)
    if not where.path.is_dir():
        return Pruned((), (), 0, 0)
    if dry_run:
        return _prune(where, policy, clock, Recovered(), dry_run=True)
    try:
        JournalDirectory(where.path, chosen=True).check_safe()
        lock = OwnerLock(where.ensure_own() / PRUNE_LOCK_NAME)
    except OSError as error:
        let_through(error, system=True)
        message = f"{where.path}: it may not be written: {error.strerror or error}."
        raise JournalError(message) from error
    try:
        lock.acquire(timeout_s=0)
    except JournalError as error:
        let_through(error)
        if isinstance(error, UnsafeJournal) or getattr(error, "errno", None):
            raise
        message = f"{where.path}: another process prunes it at this moment."
        raise JournalError(message) from error
    try:
        return _prune(where, policy, clock, recover(where), dry_run=False)
    finally:
        lock.release()


def _prune(
    where: JournalDirectory,
    policy: Policy,
    now: datetime,
    recovered: Recovered,
    *,
    dry_run: bool,
) -> Pruned:
    ids, chains = _gather(where)
    named = to_remove(chains, ids, policy, now)
    kept = [(one.chain, one.chain.held) for one in named if one.chain.held]
    removed: list[Removal] = []
    for batch in _batches([one for one in named if not one.chain.held]):
        if not dry_run:
            _remove(where, batch, removed, kept)
            continue
        for one in batch:
            why = _why_alive(where, one.chain)
            if why:
                kept.append((one.chain, why))
            else:
                removed.append(one)
    gone = {name for one in removed for name in one.chain.session_ids}
    return Pruned(
        tuple(removed),
        tuple(kept),
        sum(1 for one in ids if one not in gone),
        sum(one.size_bytes for one in chains if one.session_ids[0] not in gone),
        recovered,
    )


def _batches(removals: Sequence[Removal]) -> Iterator[list[Removal]]:
    batch: list[Removal] = []
    count = 0
    for one in removals:
        if batch and count + len(one.chain.session_ids) > _BATCH:
            yield batch
            batch, count = [], 0
        batch.append(one)
        count += len(one.chain.session_ids)
    if batch:
        yield batch


def _gather(where: JournalDirectory) -> tuple[list[str], list[ResumeChain]]:
    """Return the ids of all sessions, oldest first, and their resume chains."""
    roster = read_roster(where)
    by_id = {one.session_id: one for one in roster.sessions}
    found = {one.state.session_id: one for one in listed(where, roster.ids())}
    chains = []
    for names in chains_of(_parents(where, roster)):
        members = [found.get(name) for name in names]
        ends = [_ended(by_id[n], m) for n, m in zip(names, members, strict=True)]
        last = members[-1]
        chains.append(
            ResumeChain(
                session_ids=tuple(names),
                verdict="unknown" if last is None else last.state.verdict,
                ended_at=max(ends),
                size_bytes=sum(_size(where.path / name) for name in names),
                held=next(filter(None, map(_why_held, members)), ""),
            )
        )
    return roster.ids(), chains


def _parents(where: JournalDirectory, roster: Roster) -> dict[str, str | None]:
    """Return the session that each session resumes, oldest first."""
    return {one.session_id: _resumes(where, one) for one in roster.sessions}


def _resumes(where: JournalDirectory, one: Session) -> str | None:
    """Return the session that a session resumes.

    Where the record of that may be lost, it is the parent that the session names.
    """
    if one.parent is None and one.is_complete:
        return None
    findings: list[Finding] = []
    unread = False
    try:
        path = where.file(one.session_id)
        for record in read(path, mode="salvage", on_finding=findings.append):
            if isinstance(record.event, SessionResumed):
                return record.event.parent_session_id
            unread = unread or isinstance(record.event, UnknownEvent)
            if isinstance(record.event, RunStarted) or record.seq >= _HEAD_RECORDS:
                break
    except (JournalError, OSError) as error:
        let_through(error)
        return one.parent
    whole = not unread and all(found.severity == "info" for found in findings)
    return None if whole else one.parent


def _ended(one: Session, found: Found | None) -> datetime:
    at = None if found is None else found.state.updated_at
    return max(one.created_at, at) if at is not None else one.created_at


def _why_held(found: Found | None) -> str:
    if found is None or found.unreadable:
        return "its journal may not be read"
    verdict = found.state.verdict
    if verdict == "running":
        return "it runs"
    if verdict == "unknown" or found.state.liveness in ("running", "unknown"):
        return "it is not known whether it runs"
    return ""


def _size(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(f"{path}/{name}").st_size
    return total


def _why_alive(
    where: JournalDirectory, chain: ResumeChain, *, owned: bool = False
) -> str:
    """Replay the sessions of a chain, and return why it may not be removed.

    Args:
        where: The journal directory.
        chain: The chain.
        owned: This process has their owner locks, so that no other process does.
    """
    for session_id in chain.session_ids:
        try:
            state = replay_folder(where.folder(session_id), salvage=True)
        except (JournalError, OSError) as error:
            let_through(error)
            return "its journal may not be read"
        if live_workers(state):
            return "a worker process of it lives"
        held = "" if owned else _why_held(Found(state))
        if held:
            return held
    return ""


def _remove(
    where: JournalDirectory,
    batch: list[Removal],
    removed: list[Removal],
    kept: list[tuple[ResumeChain, str]],
) -> None:
    """Lock the chains of a batch, look again, and remove what is still to be removed.

    A process that resumes a session claims it, and looks for it again once it has the
    claim. The locks that are held here keep it from the claim. A resumption that was
    made since the chains were gathered is found by looking again under the locks.
    """
    with contextlib.ExitStack() as locks:
        locked: list[Removal] = []
        for one in batch:
            try:
                _lock(where, one.chain, locks)
                locked.append(one)
            except (JournalError, OSError) as error:
                let_through(error)
                kept.append((one.chain, _why_locked(error)))
        again = chains_of(_parents(where, read_roster(where))) if locked else ()
        chains = set(map(tuple, again))
        ready: list[Removal] = []
        for one in locked:
            grown = one.chain.session_ids not in chains
            why = "it was resumed just now" if grown else ""
            why = why or _why_alive(where, one.chain, owned=True)
            if why:
                kept.append((one.chain, why))
            else:
                ready.append(one)
        ids = [name for one in ready for name in one.chain.session_ids]
        if ids:
            remove_folders(where, ids, renamed=locks.close)
            removed += ready


def _why_locked(error: Exception) -> str:
    if getattr(error, "errno", None) is None:
        return "another process holds it"
    return f"it cannot be locked: {error}"


def _lock(
    where: JournalDirectory, chain: ResumeChain, locks: contextlib.ExitStack
) -> None:
    """Take the owner lock and the resume lock of every session of a chain."""
    with contextlib.ExitStack() as mine:
        for session_id in chain.session_ids:
            folder = where.folder(session_id)
            if not (folder / JOURNAL_NAME).exists():
                raise FileNotFoundError(folder / JOURNAL_NAME)
            for name in (OWNER_LOCK_NAME, RESUME_LOCK_NAME):
                lock = OwnerLock(folder / name)
                lock.acquire(timeout_s=0.01)
                mine.callback(lock.release)
        locks.push(mine.pop_all())
