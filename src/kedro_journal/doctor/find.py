"""Find a value that leaked: which records and fields hold it, in any encoding.

Reads only. The value itself is never part of what is returned.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

__all__ = ["Found", "NotSearched", "VALUE_MIN_CHARS", "find_value", "needles"]

VALUE_MIN_CHARS: Final = 4
"""A shorter value is not searched for: it would be found everywhere."""
FOUND_MAX: Final = 10_000
_CHUNK_BYTES: Final = 1024 * 1024
_LINE_MAX_BYTES: Final = 16 * 1024 * 1024
_NEEDLE_MIN_BYTES: Final = 4
_JOURNAL: Final = "journal.jsonl"


class Found(NamedTuple):
    """One place that holds the value.

    Attributes:
        session: Id of the session; empty for a file of no session.
        file: The file, relative to the journal directory, with slashes.
        seq: Number of the record; 0 if it is in no readable record.
        type: Type of the record.
        field: Where in the record, with dots and [n]; empty if it is in none.
        offset: Byte position: of the line in a journal, else of the value.
        form: The encoding that it was found in.
    """

    session: str
    file: str
    seq: int
    type: str
    field: str
    offset: int
    form: str


class NotSearched(NamedTuple):
    """A file that could not be read.

    Attributes:
        file: Relative to the journal directory, with slashes.
        reason: Why.
    """

    file: str
    reason: str


def needles(value: str) -> dict[str, tuple[bytes, ...]]:
    """Return what a value looks like in each encoding, by the name of the encoding.

    Args:
        value: At least 4 characters long.
    """
    raw = value.encode("utf-8", "surrogateescape")
    wide = {
        "UTF-16": value.encode("utf-16-le", "surrogatepass"),
        "UTF-16 (big-endian)": value.encode("utf-16-be", "surrogatepass"),
    }
    quoted = quote(raw, safe="")
    every = "".join(f"%{byte:02X}" for byte in raw)
    escaped = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    found: dict[str, list[str | bytes]] = {
        "plain": [raw],
        "JSON-escaped": [*escaped, *(json.dumps(one)[1:-1] for one in escaped)],
        "repr": [repr(value)[1:-1], repr(raw)[2:-1], repr(repr(value))[2:-2]],
        "HTML-escaped": [html.escape(value)],
        "URL-quoted": [
            *(quoted, quoted.replace("%2F", "/"), quoted.replace("%20", "+")),
            *(_lower(quoted), every, every.lower(), quote(quoted, safe="")),
        ],
        "hex": [raw.hex(), raw.hex().upper(), raw.hex(" "), raw.hex(":")],
        "base64": list(_base64(raw)),
        "reversed": [value[::-1]],
    }
    for name, data in wide.items():
        found[name] = [data]
        found[f"base64 of {name}"] = list(_base64(data))
        found[f"hex of {name}"] = [data.hex(), data.hex().upper()]
    found["base64 of reversed"] = list(_base64(raw[::-1]))
    ready: dict[str, tuple[bytes, ...]] = {}
    seen: set[bytes] = set()
    for name, forms in found.items():
        some = [
            form.encode("utf-8", "surrogateescape") if isinstance(form, str) else form
            for form in forms
        ]
        new = [f for f in some if len(f) >= _NEEDLE_MIN_BYTES and f not in seen]
        seen.update(new)
        ready[name] = tuple(dict.fromkeys(new))
    return ready


def _lower(quoted: str) -> str:
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _base64(raw: bytes) -> Iterator[str]:
    """Return what base64 has of a value wherever it begins in the encoded bytes."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        # Characters that bytes before or after the value have a part in say nothing.
        start = (0, 2, 3)[before]
        left = (before + len(raw)) % 3
        end = len(encoded.rstrip("=")) - (1 if left else 0)
        core = encoded[start:end]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def find_value(directory: Path, value: str) -> Iterator[Found | NotSearched]:
    """Search every file of a journal directory for a value; stops after 10,000 places.

    Journals are searched record by record and field by field, everything else, such as
    torn tails, `git.diff`, and the index, byte by byte.

    Args:
        directory: The journal directory.
        value: What to search for, at least 4 characters.
    """
    wanted = needles(value)
    count = 0
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(directory).as_posix()
        session = name.partition("/")[0] if "/" in name else ""
        try:
            whole = path.name == _JOURNAL
            places = _in_journal(path, wanted) if whole else _in_file(path, wanted)
            for seq, kind, field, offset, form in places:
                yield Found(session, name, seq, kind, field, offset, form)
                count += 1
                if count >= FOUND_MAX:
                    return
        except OSError as error:
            yield NotSearched(name, error.strerror or type(error).__name__)


_Place = tuple[int, str, str, int, str]


def _in_journal(
    path: Path, wanted: Mapping[str, tuple[bytes, ...]]
) -> Iterator[_Place]:
    offset = 0
    with path.open("rb") as file:
        while line := file.readline(_LINE_MAX_BYTES):
            yield from _in_line(line, offset, wanted)
            offset += len(line)


def _in_line(
    line: bytes, offset: int, wanted: Mapping[str, tuple[bytes, ...]]
) -> Iterator[_Place]:
    seq, kind = 0, ""
    fields: list[tuple[str, str]] = []
    try:
        record = json.loads(line)
        seq, kind = int(record["seq"]), str(record["type"])
        fields = [*_texts(record["data"], ""), ("w", str(record.get("w", "")))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fields = []
    found = False
    for field, text in fields:
        form = _form_in(text.encode("utf-8", "surrogatepass"), wanted)
        if form:
            found = True
            yield seq, kind, field, offset, form
    # What is spread over fields, or in a line that does not decode.
    if not found and (form := _form_in(line, wanted)):
        yield seq, kind, "", offset, form


def _texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Return every text and number in plain data, and every key, with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{name}.{key}" if name else str(key)
            yield f"{name or 'data'} (a key)", str(key)
            yield from _texts(item, inner)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{name}[{number}]")
    elif value is not None and not isinstance(value, bool):
        yield name, str(value)


def _form_in(data: bytes, wanted: Mapping[str, tuple[bytes, ...]]) -> str:
    for form, some in wanted.items():
        if any(one in data for one in some):
            return form
    return ""


def _in_file(path: Path, wanted: Mapping[str, tuple[bytes, ...]]) -> Iterator[_Place]:
    """Search a file in pieces that overlap by the longest form."""
    overlap = max(len(one) for some in wanted.values() for one in some) - 1
    before, at = b"", 0
    told: set[tuple[str, int]] = set()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            data = before + chunk
            for form, some in wanted.items():
                for one in some:
                    where = data.find(one)
                    while where >= 0:
                        place = at - len(before) + where
                        if (form, place) not in told:
                            told.add((form, place))
                            yield 0, "", "", place, form
                        where = data.find(one, where + 1)
            at += len(chunk)
            before = data[-overlap:] if overlap else b""
