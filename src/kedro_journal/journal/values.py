"""Values that are too large for a line, in files beside the journal.

A file has the SHA-256 of its content for its name: it is written before the record
that refers to it, never changed, and verified when it is read.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through

from .port import REAL_OS, Os, read_between

__all__ = ["VALUES_NAME", "VALUE_MAX_BYTES", "read_value", "write_value"]

VALUES_NAME: Final = "values"
VALUE_MAX_BYTES: Final = 16 * 1024 * 1024
"""Longest value file that is written or read."""


def write_value(folder: Path, data: bytes, port: Os = REAL_OS) -> str:
    """Write a value file, sync it, and return its name.

    Args:
        folder: The session folder.
        data: The content, at most `VALUE_MAX_BYTES`.
        port: The system.

    Raises:
        ValueError: The content is too long.
        OSError: As the system says.
    """
    if len(data) > VALUE_MAX_BYTES:
        message = f"a value of {len(data)} bytes is too large"
        raise ValueError(message)
    name = hashlib.sha256(data).hexdigest()
    values = folder / VALUES_NAME
    port.ensure_folder(values, shared=True)
    if read_value(folder, name) is not None:
        return name
    # Another process may write the same value at this moment, or have died at it: the
    # name is taken only once the content is whole.
    part = values / f".{name}.{os.getpid()}"
    part.unlink(missing_ok=True)
    port.write_new(part, data)
    part.replace(values / f"{name}.json")
    port.sync_folder(values)
    return name


def read_value(folder: Path, name: str) -> bytes | None:
    """Return the content of a value file; None if it is missing, damaged or not ours.

    Args:
        folder: The session folder.
        name: Its SHA-256.
    """
    if len(name) != 64 or not name.isalnum():
        return None
    try:
        fd = REAL_OS.open_read(folder / VALUES_NAME / f"{name}.json")
    except Exception as error:  # missing, a link, a device
        let_through(error)
        return None
    try:
        data = read_between(REAL_OS, fd, 0, VALUE_MAX_BYTES + 1)
    except OSError as error:
        let_through(error)
        return None
    finally:
        REAL_OS.close(fd)
    return data if hashlib.sha256(data).hexdigest() == name else None
