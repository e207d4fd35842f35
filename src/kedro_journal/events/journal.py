"""Events about the journal itself: its header, its writers, its wounds."""

# ruff: noqa: RUF012 - msgspec gives every instance a fresh {}

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import NAME, PLAIN, Attempt, Event

__all__ = [
    "JournalGap",
    "JournalHeader",
    "JournalRepaired",
    "NoteAdded",
    "WriterOpened",
]


class JournalHeader(Event, frozen=True, kw_only=True):
    """The first record of every journal: what this file is."""

    TYPE: ClassVar[str] = "journal.header"

    session_id: Annotated[
        str, Meta(extra=NAME, description="Id of the session, also its folder.")
    ]
    uid: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="UUID version 7 (RFC 9562) of the session: unique anywhere.",
        ),
    ]
    salt: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="128 random bits in hex: two journals never share a header.",
        ),
    ]
    package_version: Annotated[
        str,
        Meta(
            extra=PLAIN, description="Version of kedro-journal that wrote the header."
        ),
    ]


class WriterOpened(Event, frozen=True, kw_only=True):
    """The first record of every process that appends to this journal.

    Its sequence number, with `w` before it, is the writer's name in the envelope.
    The creator of the journal is `w1`.
    """

    TYPE: ClassVar[str] = "writer.opened"

    pid: Annotated[int, Meta(description="Process id.")]
    parent_pid: Annotated[int, Meta(description="Process id of its parent.")] = 0
    host: Annotated[str, Meta(extra=NAME, description="Host name.")] = ""
    boot_id: Annotated[
        str | None,
        Meta(
            extra=PLAIN,
            description="Id of this boot of the kernel, null where there is none.",
        ),
    ] = None
    started_at_ticks: Annotated[
        int | None,
        Meta(
            description="Start time of the process in clock ticks since boot, "
            "which tells a reused pid; null where the system does not say."
        ),
    ] = None
    pid_namespace: Annotated[
        str | None,
        Meta(
            extra=PLAIN,
            description="Id of the namespace that the pid is of, as in "
            "/proc/self/ns/pid; null where there is none.",
        ),
    ] = None
    user: Annotated[str | None, Meta(extra=NAME, description="Login name.")] = None
    python: Annotated[str, Meta(extra=PLAIN, description="Version of Python.")] = ""
    role: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="owner: holds the owner lock; a later one took it over. "
            "worker: runs nodes for it.",
        ),
    ] = "owner"


class JournalRepaired(Event, frozen=True, kw_only=True):
    """A writer found a torn tail and cut it; the bytes were kept aside."""

    TYPE: ClassVar[str] = "journal.repaired"

    offset: Annotated[int, Meta(description="Byte position where the tail began.")]
    length: Annotated[int, Meta(description="How many bytes were cut.")]
    sha256: Annotated[str, Meta(extra=PLAIN, description="Hash of the cut bytes.")] = ""
    kept_as: Annotated[
        str,
        Meta(extra=PLAIN, description="Name of the file in torn/ that has the bytes."),
    ] = ""
    action: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="cut: torn tail cut. adopted: a whole record lacked only its "
            "newline and was completed. terminator: the newline itself was damaged "
            "and was put right. skipped: damaged whole lines were left where they are.",
        ),
    ] = "cut"
    lost: Annotated[
        int,
        Meta(description="Whole damaged lines left in place, each counted as one seq."),
    ] = 0


class JournalGap(Event, frozen=True, kw_only=True):
    """The journal could not be written for a while; some events are missing."""

    TYPE: ClassVar[str] = "journal.gap"

    dropped: Annotated[int, Meta(description="Events that were given up.")]
    kept: Annotated[
        int, Meta(description="Events that were held in memory and follow this one.")
    ] = 0
    reason: Annotated[str, Meta(description="Why writing failed, first seen.")] = ""


class NoteAdded(Event, frozen=True, kw_only=True):
    """Something that a user or their code wanted to be recorded."""

    TYPE: ClassVar[str] = "note.added"

    text: Annotated[str, Meta(description="The note.")]
    fields: Annotated[
        dict[str, object], Meta(description="Named values that go with it.")
    ] = {}
    run_id: Annotated[
        str | None, Meta(extra=NAME, description="Run it belongs to, if any.")
    ] = None
    attempt: Attempt = 1
    node: Annotated[
        str | None, Meta(extra=NAME, description="Node it was made in, if any.")
    ] = None
    level: Annotated[
        str,
        Meta(
            extra=NAME,
            description="WARNING, ERROR... of a log record; empty for a note.",
        ),
    ] = ""
    logger: Annotated[
        str, Meta(extra=NAME, description="Name of the logger, if it is a log record.")
    ] = ""
