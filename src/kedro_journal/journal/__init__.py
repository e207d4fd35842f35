"""LINE: bytes and files. Knows what a record looks like, not what it means."""

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
