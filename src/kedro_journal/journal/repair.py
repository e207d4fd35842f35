"""Mend the end of a journal. Bytes before the last newline are never touched.

Only for the holder of the append lock: nobody else can know that no process is in the
middle of an append. The rules are those of docs/concepts/format.md. As etcd's
`wal.Repair` does, it keeps a copy of what it cuts, and cuts only what is no record.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._clock import wall_ns
from kedro_journal.errors import NewerJournal
from kedro_journal.events import Cursor, JournalRepaired, closes

from .codec import FORMAT_VERSION, line_version
from .file import JournalFile
from .port import Os
from .tail import Tail, examine, fits

__all__ = ["TORN_NAME", "Mended", "mend"]

TORN_NAME: Final = "torn"


class Mended(NamedTuple):
    """What mending came to.

    Attributes:
        last: Place after the last record: where the next one goes.
        closed: The last record is a `session.closed` that was adopted.
        repairs: What was done, to be put on record.
    """

    last: Cursor
    closed: bool
    repairs: tuple[JournalRepaired, ...]


def mend(file: JournalFile, tail: Tail, last: Cursor, port: Os) -> Mended:
    """Make the file end with a whole line.

    A damaged whole line keeps one sequence number, so that the loss stays visible.

    Args:
        file: The journal, under the append lock.
        tail: How it ends.
        last: The last good record and, as its offset, the size of the file.
        port: The operating system.

    Raises:
        NewerJournal: The unfinished line is of a newer line format.
        UnsafeJournal: `torn` is a link or no folder.
        OSError: The system refused; the next append tries again.
    """
    # 1. Judge the bytes behind the last newline, before anything is changed.
    start = last.offset - len(tail.fragment)
    action = _judge(file.path, tail, last)
    repairs: list[JournalRepaired] = []
    # 2. Whole lines that are damaged stay. They use up a number each.
    if tail.bad_lines:
        last = last._replace(seq=last.seq + tail.bad_lines)
        repairs.append(_repaired(start, b"", "skipped", lost=tail.bad_lines))
    if action == "nothing":
        return Mended(last, False, tuple(repairs))
    # 3. A fragment that cannot be a record: keep a copy on the disk first, then cut it.
    if action == "cut":
        kept_as = _set_aside(file.path.parent, tail.fragment, start, port)
        file.cut(start)
        repairs.append(_repaired(start, tail.fragment, action, kept_as))
        return Mended(last._replace(offset=start), False, tuple(repairs))
    # 4. A whole record whose newline is missing or wrong: complete and adopt it. Its
    #    writer may have died before it was told, but the record is true.
    line = tail.fragment
    if action == "terminator":
        line = line[:-1]
        port.write_at(file.path, b"\n", start + len(line))
        file.sync()  # or a power loss could fuse this record with the next
    else:
        file.append(b"\n", start + len(line))
    repairs.append(_repaired(start, tail.fragment, action))
    record = examine(line + b"\n", whole=True).record
    assert record is not None, "what fits decodes"  # noqa: S101
    last = Cursor(record.seq, start + len(line) + 1, record.crc)
    closed = closes(record.event)
    return Mended(last, closed, () if closed else tuple(repairs))


def _judge(path: Path, tail: Tail, last: Cursor) -> str:
    """Say what is to be done with the unfinished line, as `JournalRepaired.action`."""
    if tail.mend not in ("adopt", "terminator"):
        return tail.mend
    sound = tail.fragment if tail.mend == "adopt" else tail.fragment[:-1]
    if (version := line_version(sound)) > FORMAT_VERSION:
        raise NewerJournal(path, version)
    if not fits(sound, last.seq, last.crc):
        return "cut"  # whole, but no continuation of this journal
    return "adopted" if tail.mend == "adopt" else "terminator"


def _repaired(
    offset: int, fragment: bytes, action: str, kept_as: str = "", lost: int = 0
) -> JournalRepaired:
    digest = hashlib.sha256(fragment).hexdigest() if fragment else ""
    return JournalRepaired(
        offset=offset,
        length=len(fragment),
        sha256=digest,
        kept_as=kept_as,
        action=action,
        lost=lost,
    )


def _set_aside(folder: Path, fragment: bytes, offset: int, port: Os) -> str:
    torn = folder / TORN_NAME
    port.ensure_folder(torn)
    name = f"{offset}-{wall_ns()}.bin"
    port.write_new(torn / name, fragment)
    port.sync_folder(torn)
    port.sync_folder(folder)
    return name
