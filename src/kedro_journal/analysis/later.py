"""Notes and tags that were given to a session after it was recorded. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from kedro_journal._instant import Instant

__all__ = ["NOTHING_LATER", "Later", "LaterEntry", "later_of"]


class LaterEntry(msgspec.Struct, frozen=True):
    """One note, or one change of a tag.

    Attributes:
        session_id: The session that it is about.
        uid: The UUID of that session; ids of the user's own may be taken again.
        kind: note: a note. tag: a tag was set. untag: a tag was removed.
        text: The note, or the name of the tag.
        at: When it was made.
        by: The login name of the user who made it; empty if it is not known.
    """

    session_id: str
    uid: str
    kind: Literal["note", "tag", "untag"]
    text: str
    at: Instant
    by: str = ""


class Later(NamedTuple):
    """What was said of a session after it was recorded.

    Attributes:
        notes: The notes, oldest first.
        tags: The tags that are set, in the order in which they were set.
    """

    notes: tuple[LaterEntry, ...] = ()
    tags: tuple[str, ...] = ()


NOTHING_LATER = Later()


def later_of(entries: Iterable[LaterEntry], session_id: str, uid: str) -> Later:
    """Return what entries say of one session.

    Args:
        entries: All entries, oldest first.
        session_id: The session.
        uid: Its UUID; empty if it cannot be read, which accepts any.
    """
    notes: list[LaterEntry] = []
    tags: dict[str, None] = {}
    for one in entries:
        if one.session_id != session_id or (uid and one.uid and one.uid != uid):
            continue
        if one.kind == "note":
            notes.append(one)
        elif one.kind == "tag":
            tags[one.text] = None
        else:
            tags.pop(one.text, None)
    return Later(tuple(notes), tuple(tags))
