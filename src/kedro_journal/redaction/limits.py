"""Bounds of what is written, and the words for what is not."""

from __future__ import annotations

import re
from typing import Final

REDACTED: Final = "[redacted]"
CUT: Final = re.compile(r"\[\.\.\. \d+ characters more\]\Z")  # ends a text that is cut
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
EXACT_VALUES_MAX: Final = 200_000  # values in one field that a later run needs
EXACT_TEXTS_MAX_CHARS: Final = 8 * 1024 * 1024  # in such a field, bytes included
EXACT_TEXT_MAX_CHARS: Final = 1024 * 1024  # of one text in such a field
EXACT_DEPTH_MAX: Final = 100  # containers within each other in such a field
PARAMETER_MAX_BYTES: Final = 32 * 1024  # of one parameter, as it is displayed
PARAMETERS_MAX_BYTES: Final = 4 * 1024 * 1024  # of all parameters, as displayed
