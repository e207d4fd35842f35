"""Journal: bytes and files. Knows what a record looks like, not what it means.

What it owns: the line format, the files of a session, and their locks.

Append: writer (lock, catch up, number, seal) -> codec -> file (write, group commit)
Read: reader -> lines (bytes -> lines) -> scan (lines -> records and findings) -> codec

Main modules:
    writer: `JournalWriter`. Takes the append lock for every batch.
    codec: a record <-> a line. plain: the same for simple lines, faster.
    reader, head, follow, watch: a file, its beginning, a file that grows.
    scan, lines, seen, tail: what a reader finds, and what follows the last good record.
    end, repair: cut a torn tail, or adopt it.
    verification: every record of a file -> a report.
    lock, liveness: who may write, and whether the owner's process lives.
    port, file, syncer, memory: the operating system; an open journal; fsync.
    directory, roster, kept, ids: where journals are, their list, caches, session IDs.

Invariants:
    A record that was acknowledged is never changed. Only a torn tail is cut.
    Numbers have no gap, and each record carries the checksum of the one before it.
    Readers need no lock and change no journal.

Who may write: the holder of the append lock, through `JournalWriter`.
"""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .codec import FORMAT_VERSION, LINE_MAX_BYTES, PAYLOAD_MAX_BYTES, decode, seal
    from .directory import JournalDirectory
    from .follow import follow_file
    from .head import read_head
    from .ids import check_session_id, session_timestamp
    from .liveness import Liveness, probe
    from .lock import OwnerLock, choose_backend, is_held
    from .memory import Journal, MemoryJournal
    from .reader import Mode, Run, is_closed, read, read_runs
    from .scan import Finding, Scanner
    from .verification import Verification, verify
    from .writer import Durability, JournalWriter

__all__ = [
    "FORMAT_VERSION",
    "LINE_MAX_BYTES",
    "PAYLOAD_MAX_BYTES",
    "Durability",
    "Finding",
    "Journal",
    "JournalDirectory",
    "JournalWriter",
    "Liveness",
    "MemoryJournal",
    "Mode",
    "OwnerLock",
    "Run",
    "Scanner",
    "Verification",
    "check_session_id",
    "choose_backend",
    "decode",
    "follow_file",
    "is_closed",
    "is_held",
    "probe",
    "read",
    "read_head",
    "read_runs",
    "seal",
    "session_timestamp",
    "verify",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "codec": (
            "FORMAT_VERSION",
            "LINE_MAX_BYTES",
            "PAYLOAD_MAX_BYTES",
            "decode",
            "seal",
        ),
        "directory": ("JournalDirectory",),
        "follow": ("follow_file",),
        "head": ("read_head",),
        "ids": (
            "check_session_id",
            "session_timestamp",
        ),
        "liveness": (
            "Liveness",
            "probe",
        ),
        "lock": (
            "OwnerLock",
            "choose_backend",
            "is_held",
        ),
        "memory": (
            "Journal",
            "MemoryJournal",
        ),
        "reader": (
            "Mode",
            "Run",
            "is_closed",
            "read",
            "read_runs",
        ),
        "scan": (
            "Finding",
            "Scanner",
        ),
        "verification": (
            "Verification",
            "verify",
        ),
        "writer": (
            "Durability",
            "JournalWriter",
        ),
    },
)
