"""Bounds of what is written, and the words for what is not."""

from __future__ import annotations

from typing import Final

REDACTED: Final = "[redacted]"
FAILED: Final = "[redaction failed]"
STRING_MAX_CHARS: Final = 16 * 1024
DEPTH_MAX: Final = 32
ITEMS_MAX: Final = 1000
NODES_MAX: Final = 20_000  # values in one event, whatever their depth
SECRETS_MAX: Final = 5000
