"""Where a journal ends, from its last bytes. Pure: no file.

A writer asks this before its first append and whenever another process has written
since its last one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from kedro_journal.events import Record

from .codec import FORMAT_VERSION, BadLine, decode, line_version

__all__ = ["Tail", "examine", "fits"]


class Tail(NamedTuple):
    """The end of a journal as one look at it shows.

    Attributes:
        record: The last good record in sight, if any.
        version: Line format version of that record.
        bad_lines: Damaged whole lines after it.
        fragment: Bytes after the last newline.
        repair: What a writer must do with the fragment: nothing; cut it; write the
            newline that a whole record lacks; or put the damaged newline right.
    """

    record: Record | None
    version: int
    bad_lines: int
    fragment: bytes
    repair: Literal["nothing", "cut", "adopt", "terminator"]


def examine(data: bytes, *, whole: bool, after: int = 0) -> Tail:
    """Look at the last bytes of a journal.

    Args:
        data: The bytes up to the end of the file.
        whole: Whether *data* begins at the start of a line. If not, its first,
            partial line is left out.
        after: A record numbered up to this one is a repetition: it is passed over.
    """
    end = data.rfind(b"\n")
    fragment = data[end + 1 :]
    record, version, bad_lines = None, FORMAT_VERSION, 0
    while end >= 0:  # backwards, line by line: most often the first look suffices
        start = data.rfind(b"\n", 0, end) + 1
        if start == 0 and not whole:
            break
        line = data[start:end]
        found = decode(line)
        if isinstance(found, BadLine):
            bad_lines += 1
        elif found.seq > after:
            record, version = found, line_version(line)
            break
        end = start - 1
    return Tail(record, version, bad_lines, fragment, _repair(fragment))


def fits(line: bytes, seq: int, crc: str) -> bool:
    """Return whether a whole line may follow the record *seq* with checksum *crc*.

    Numbers may be missing in between: then records before it were damaged.
    """
    found = decode(line)
    if isinstance(found, BadLine):
        return False
    return found.seq > seq + 1 or (found.seq == seq + 1 and found.prev == crc)


def _repair(fragment: bytes) -> Literal["nothing", "cut", "adopt", "terminator"]:
    if not fragment:
        return "nothing"
    if isinstance(decode(fragment), Record):
        return "adopt"
    if isinstance(decode(fragment[:-1]), Record):
        return "terminator"
    return "cut"
