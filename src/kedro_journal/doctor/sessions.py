"""The journals that are there: how many, and in what health. A bounded look."""

from __future__ import annotations

import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory, verify
from kedro_journal.journal.directory import RESERVE_BYTES
from kedro_journal.journal.liveness import host_name
from kedro_journal.journal.names import RESERVE_NAME
from kedro_journal.replaying.folder import replay_folder

from .model import Check, note, ok, problem, reason_of, warning

__all__ = ["look_at_journals"]

_NEWEST: Final = 20
_LARGE_BYTES: Final = 64_000_000
_LOOK_S: Final = 8.0


class _Seen(msgspec.Struct):
    """What was counted."""

    verdicts: Counter[str]
    looked_at: int = 0
    passed_over: int = 0
    damaged: list[str] = []
    unreadable: dict[str, str] = {}
    torn: list[str] = []
    other_hosts: list[str] = []


def look_at_journals(directory: Path) -> Iterator[Check]:
    """Look at the newest journals of a directory. Writes nothing."""
    where = JournalDirectory(directory)
    ids = where.ids()
    if not ids:
        yield ok("journals.sessions", f"No sessions in {directory} yet.", **_count(0))
        return
    seen = _Seen(Counter())
    end = time.monotonic() + _LOOK_S
    for session_id in list(reversed(ids))[:_NEWEST]:
        if time.monotonic() > end:
            break
        try:
            _look(where, session_id, seen)
        except (JournalError, OSError) as error:
            seen.looked_at += 1
            seen.unreadable[session_id] = reason_of(error)
    yield _sessions(directory, len(ids), seen)
    yield _health(seen)
    if seen.torn:
        yield note(
            "journals.torn",
            f"{len(seen.torn)} end in the middle of a line, because their process "
            "died. No acknowledged record is lost.",
            "No action is needed: readers skip it, and the next writer repairs it.",
            sessions=seen.torn,
        )
    yield _reserve(where.own / RESERVE_NAME)
    if seen.other_hosts:
        yield note(
            "journals.hosts",
            "Sessions there were written on other hosts: "
            f"{', '.join(seen.other_hosts)}.",
            "Give each host a directory of its own: the liveness of sessions of "
            "another host is not known.",
            hosts=seen.other_hosts,
        )


def _look(where: JournalDirectory, session_id: str, seen: _Seen) -> None:
    folder, path = where.folder(session_id), where.file(session_id)
    if path.stat().st_size > _LARGE_BYTES:
        seen.passed_over += 1
        return
    found = verify(path)
    state = replay_folder(folder, salvage=True)
    seen.looked_at += 1
    seen.verdicts[state.verdict] += 1
    if not found.ok:
        seen.damaged.append(session_id)
    running = state.liveness == "running"
    if not running and any(one.kind == "torn tail" for one in found.findings):
        seen.torn.append(session_id)
    if state.host not in ("", host_name(), *seen.other_hosts):
        seen.other_hosts.append(state.host)


def _sessions(directory: Path, number: int, seen: _Seen) -> Check:
    said = ", ".join(f"{times} {verdict}" for verdict, times in seen.verdicts.items())
    said = said or "none reads"
    text = f"{number} sessions in {directory}. "
    if not seen.looked_at:
        text += "None was checked within the time limit."
    elif seen.looked_at < number:
        text += f"Of the newest, {seen.looked_at} were checked: {said}."
    else:
        text += f"All were checked: {said}."
    if seen.passed_over:
        text += f" {seen.passed_over} larger than 64 MB were skipped."
    facts = _count(number, seen)
    if seen.verdicts["crashed"]:
        return note(
            "journals.sessions",
            text,
            "`kedro-journal list --verdict crashed` shows where they were.",
            **facts,
        )
    return ok("journals.sessions", text, **facts)


def _count(number: int, seen: _Seen | None = None) -> dict[str, object]:
    return {
        "sessions": number,
        "looked_at": seen.looked_at if seen else 0,
        "passed_over": seen.passed_over if seen else 0,
        "verdicts": dict(seen.verdicts) if seen else {},
    }


def _health(seen: _Seen) -> Check:
    facts = {"damaged": seen.damaged, "unreadable": seen.unreadable}
    if not seen.damaged and not seen.unreadable:
        text = "Every record of the checked journals is intact."
        return ok("journals.health", text, **facts)
    said = []
    if seen.damaged:
        said.append(f"damaged, with records lost: {', '.join(seen.damaged)}")
    for session_id, why in seen.unreadable.items():
        said.append(f"not readable: {session_id} ({why})")
    return problem(
        "journals.health",
        f"Journals are {'; '.join(said)}.",
        "`kedro-journal verify --all` lists every finding; --salvage reads past them. "
        "Look for a failing disk, or for programs that write to journals.",
        **facts,
    )


def _reserve(path: Path) -> Check:
    """Judge the file that keeps room for the endings of sessions."""
    key = "journals.reserve"
    try:
        found = path.lstat()
    except FileNotFoundError:
        return note(
            key,
            "The space reserved for the last records of sessions was used: the disk "
            "was full.",
            "Free some space: the next session reserves it again.",
            kept_bytes=0,
        )
    blocks = getattr(found, "st_blocks", None)
    kept = found.st_size if blocks is None else min(found.st_size, blocks * 512)
    if stat.S_ISREG(found.st_mode) and kept >= RESERVE_BYTES:
        return ok(
            key,
            "64 KiB are reserved for the last records of sessions.",
            kept_bytes=kept,
        )
    return warning(
        key,
        f"{path} is to keep 64 KiB free for the endings of sessions, and keeps {kept} "
        "bytes: on a full disk a session's last records may be lost.",
        f"Remove it, and the next session creates it again: rm {path}",
        kept_bytes=kept,
    )
