"""Lines with valid checksums, whatever they say."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Final

__all__ = ["AT", "Chain", "Raw", "bad", "parts_of", "reseal", "sealed", "write"]

AT: Final = "2026-01-02T03:04:05.678901Z"
_HEAD: Final = re.compile(rb'\A\{"v":1,"seq":-?[0-9]+')
_PREV: Final = re.compile(rb'"prev":"[^"]*"')
_SEAL: Final = re.compile(rb',"crc":"[^"]{8}"\}\Z')


class Raw(str):
    """JSON text that stands for itself in a value that is written by `write`."""

    __slots__ = ()


def write(value: Any) -> str:
    """Write a value as JSON, with every `Raw` in it as it is."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        inner = ",".join(
            f"{key if isinstance(key, Raw) else json.dumps(key)}:{write(one)}"
            for key, one in value.items()
        )
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(write(one) for one in value)}]"
    return json.dumps(value)


def sealed(body: bytes) -> bytes:
    """Give a body the checksum that it deserves, and its newline."""
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


class Chain:
    """A journal whose checksums and numbers are right; what it says need not be.

    Attributes:
        lines: Its lines, newlines included.
        seq, prev: Of the last line.
    """

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.seq = 0
        self.prev = "00000000"

    def add(self, type_: str, data: Any, /, **over: Any) -> bytes:
        """Add a record; *over* replaces or adds fields of the envelope.

        An `order` in it names the fields that are written, in their order.
        """
        order = over.pop("order", None)
        envelope: dict[str, Any] = {
            "v": 1,
            "seq": self.seq + 1,
            "at": AT,
            "w": "w1",
            "prev": self.prev,
            "type": type_,
            "data": data,
        }
        envelope |= over
        if order is not None:
            envelope = {name: envelope[name] for name in order}
        line = sealed(write(envelope)[:-1].encode("utf-8", "surrogatepass"))
        self.lines.append(line)
        self.seq = envelope["seq"] if isinstance(envelope.get("seq"), int) else 0
        self.prev = line[-11:-3].decode()
        return line

    @property
    def data(self) -> bytes:
        """The whole journal."""
        return b"".join(self.lines)


def bad(line: bytes) -> bool:
    """Tell whether a whole line, without its newline, has no matching checksum."""
    return line[-18:] != b',"crc":"%08x"}' % zlib.crc32(line[:-18])


def reseal(data: bytes, *, chain: bool, first: int = 1) -> bytes:
    """Give every line that ends like a record the checksum that it deserves.

    Args:
        data: A journal.
        chain: Number the lines anew as well, and let each name the one before.
        first: Number of the first line then.
    """
    pieces = data.split(b"\n")
    seq, prev = first, b"00000000"
    for number, piece in enumerate(pieces[:-1]):
        if not _SEAL.search(piece):
            continue
        body = piece[:-18]
        if chain:
            body = _HEAD.sub(b'{"v":1,"seq":%d' % seq, body, count=1)
            body = _PREV.sub(b'"prev":"%b"' % prev, body, count=1)
        pieces[number] = sealed(body)[:-1]
        seq, prev = seq + 1, pieces[number][-10:-2]
    return b"\n".join(pieces)


def parts_of(line: bytes) -> dict[str, Any] | None:
    """Parse a line that is JSON, without its checksum; None if it is none."""
    try:
        found = json.loads(line[:-18] + b"}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
