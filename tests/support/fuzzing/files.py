"""Families of hostile files: too much of something, or no journal at all."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from .lines import AT
from .stories import chained, genuine

__all__ = [
    "Make", "Piece", "encodings", "every_second_missing", "gzipped", "hole",
    "json_of_others", "long_line", "many", "newlines", "noise", "noise_between",
    "nul_runs", "repeated_record", "unending_line", "wide_run",
]  # fmt: skip

MB: Final = 1024 * 1024
Piece = bytes | int
"""Bytes of a file, or the length of a hole in it."""

Make = Callable[[random.Random, int], Iterator[Piece]]
"""Takes chance and the dose, 1 for the small one and 10 for the full."""


def many(unit: Callable[[int], tuple[str, Any]], per_dose: int) -> Make:
    def make(rng: random.Random, dose: int) -> Iterator[Piece]:
        chain = chained([])
        for number in range(per_dose * dose):
            chain.add(*unit(number))
        yield chain.data

    return make


def wide_run(rng: random.Random, dose: int) -> Iterator[Piece]:
    """Runs of as many nodes as fit into a line."""
    chain = chained([])
    for part in range(1, dose + 1):
        nodes = [{"name": f"{part}.{n}", "inputs": [f"{n}"]} for n in range(3000)]
        chain.add("run.started", {"run_id": "wide", "part": part, "nodes": nodes})
    yield chain.data


def encodings(rng: random.Random, dose: int) -> Iterator[Piece]:
    text = genuine().decode()
    code = rng.choice(
        ("utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-8-sig", "cp037", "utf-7")
    )
    yield text.encode(code)


def gzipped(rng: random.Random, dose: int) -> Iterator[Piece]:
    yield gzip.compress(genuine(9), mtime=0)


def noise(rng: random.Random, dose: int) -> Iterator[Piece]:
    for _ in range(rng.randrange(1, 8 * dose)):
        yield rng.randbytes(rng.randrange(1 << rng.randrange(1, 16)))


def noise_between(rng: random.Random, dose: int) -> Iterator[Piece]:
    for line in genuine(3).splitlines(keepends=True):
        yield line
        if rng.random() < 0.3:
            yield rng.choice(
                (
                    rng.randbytes(50),
                    bytes(512),
                    b"\n" * 9,
                    b"{}\n",
                    b"\xef\xbb\xbf",
                    b"\r",
                )
            )


def nul_runs(rng: random.Random, dose: int) -> Iterator[Piece]:
    yield genuine(2, closed=False)
    yield bytes(rng.choice((1, 511, 4096, 70_000)))
    if rng.random() < 0.5:
        yield b"\n" + genuine(1)


def json_of_others(rng: random.Random, dose: int) -> Iterator[Piece]:
    yield rng.choice(
        (
            b"{}\n" * 99,
            b"[]\n",
            b'{"v":1}\n' * 9,
            b"null\n",
            b'"x"\n',
            b"\xff\xfe\n" * 9,
        )
    )
    yield b"".join(rng.choice((b"{", b"[", b'"', b"\n")) for _ in range(400 * dose))


def repeated_record(rng: random.Random, dose: int) -> Iterator[Piece]:
    chain = chained([])
    yield chain.data
    line = chain.add("note.added", {"text": "again"})
    for _ in range(8 * dose):
        yield line * 1000


def every_second_missing(rng: random.Random, dose: int) -> Iterator[Piece]:
    chain = chained([])
    for _ in range(2000 * dose):
        chain.add("later.event", {}, seq=chain.seq + 2)
    yield chain.data


def newlines(rng: random.Random, dose: int) -> Iterator[Piece]:
    yield genuine(1, closed=False)
    yield b"\n" * (25_000 * dose)


def long_line(rng: random.Random, dose: int) -> Iterator[Piece]:
    """30 MB of empty lists in one line, its checksum right."""
    yield genuine(1, closed=False)
    body = b'{"v":1,"seq":99,"at":"' + AT.encode() + b'","w":"w1","prev":"00000000",'
    yield body + b'"type":"note.added","data":{"text":"","fields":{"a":['
    for _ in range(60):
        yield b"[]," * (MB // 6)
    yield b'[]]}},"crc":"00000000"}\n'
    yield genuine(1)


def unending_line(rng: random.Random, dose: int) -> Iterator[Piece]:
    yield genuine(1, closed=False)
    for _ in range(6 * dose):
        yield b"[" * MB


def hole(rng: random.Random, dose: int) -> Iterator[Piece]:
    """A file that seems to be huge: 100 MB, in the full dose 10 GB."""
    yield genuine(1, closed=False)
    yield 10**8 * dose**2
    yield b"\n" + genuine(1)
