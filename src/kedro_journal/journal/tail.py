"""Where a journal ends, from its last bytes. Pure: no file.

A writer asks this before its first append and whenever another process has written
since its last one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from kedro_journal.events import Record

from .codec import FORMAT_VERSION, BadLine, decode, line_version

__all__ = ["Tail", "examine"]


class Tail(NamedTuple):
    """The end of a journal as one look at it shows.

    Attributes:
        record: The last good record in sight, if any.
        version: Line format version of that record.
        bad_lines: Damaged whole lines after it.
        fragment: Bytes after the last newline.
        mend: What a writer must do with the fragment: nothing; cut it; write the
            newline that a whole record lacks; or put the damaged newline right.
    """

    record: Record | None
    version: int
    bad_lines: int
    fragment: bytes
    mend: Literal["nothing", "cut", "adopt", "terminator"]


def examine(data: bytes, *, whole: bool) -> Tail:
    """Look at the last bytes of a journal.

    Args:
        data: The bytes up to the end of the file.
        whole: Whether *data* begins at the start of a line. If not, its first,
            partial line is left out.
    """
    *lines, fragment = data.split(b"\n")
    if not whole and lines:
        lines = lines[1:]
    record, version, bad_lines = None, FORMAT_VERSION, 0
    for line in reversed(lines):
        found = decode(line)
        if not isinstance(found, BadLine):
            record, version = found, line_version(line)
            break
        bad_lines += 1
    return Tail(record, version, bad_lines, fragment, _mend(fragment))


def _mend(fragment: bytes) -> Literal["nothing", "cut", "adopt", "terminator"]:
    if not fragment:
        return "nothing"
    if isinstance(decode(fragment), Record):
        return "adopt"
    if isinstance(decode(fragment[:-1]), Record):
        return "terminator"
    return "cut"
