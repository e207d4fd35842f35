"""Names of the files in a journal directory.

Readers need these and nothing else of `writer`, which takes long to import.
"""

from __future__ import annotations

from typing import Final

__all__ = ["IGNORE_NAME", "JOURNAL_NAME", "OWN_NAME", "RESERVE_NAME"]

JOURNAL_NAME: Final = "journal.jsonl"
"""In a session folder: the journal."""
IGNORE_NAME: Final = ".gitignore"
"""In the journal directory: keeps the journals out of git."""
OWN_NAME: Final = ".kedro-journal"
"""Folder for the reserve and the index in a journal directory of the user's own."""
RESERVE_NAME: Final = ".reserve"
"""In the journal directory: room that endings get when the disk is full."""
