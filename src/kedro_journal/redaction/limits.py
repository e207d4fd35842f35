"""Bounds of what is written, and the words for what is not."""

from __future__ import annotations

from typing import Final

REDACTED: Final = "[redacted]"
FAILED: Final = "[redaction failed]"
STRING_MAX_CHARS: Final = 16 * 1024
DEPTH_MAX: Final = 32
ITEMS_MAX: Final = 1000
NODES_MAX: Final = 20_000  # values in one field of an event, whatever their depth
TEXTS_MAX_CHARS: Final = 1024 * 1024  # in one field; a record holds a quarter of it
NAME_MAX_CHARS: Final = 500  # of a key: so much of both ends is looked at
SECRET_MAX_CHARS: Final = 64 * 1024  # of a secret: so much is searched for elsewhere
SECRET_PART_CHARS: Final = 3 * 1365  # in one piece; base64 of pieces is that of all
SECRETS_MAX: Final = 5000
