"""Every kind of hostile file: what chance alone would hardly write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import files, records
from .stories import RUN

__all__ = ["FAMILIES", "Family"]


@dataclass(frozen=True)
class Family:
    """One kind of hostile file.

    Attributes:
        name: What is hostile about it.
        make: Gives the file piece by piece, so that no large one is held in memory.
        large: The records of it, if any, fill megabytes: it goes to those readers
            alone that promise bounded memory whatever the file holds.
        seed: It is small and well formed: mutations begin with it.
    """

    name: str
    make: files.Make
    large: bool = False
    seed: bool = False


def _dataset(number: int) -> tuple[str, Any]:
    return "dataset.loading", {"run_id": RUN, "node": "n0", "dataset": f"d{number}"}


FAMILIES: Final = (
    Family("healthy", records.healthy, seed=True),
    Family("a hostile field in every event", records.each_field, seed=True),
    Family("hostile envelopes", records.envelopes, seed=True),
    Family("times at the ends of the calendar", records.times, seed=True),
    Family("numbers of any size", records.numbers, seed=True),
    Family("numbers in disorder", records.sequence, seed=True),
    Family("control characters and names", records.texts, seed=True),
    Family("names of code", records.code, seed=True),
    Family("cycles", records.cycles, seed=True),
    Family("noise between lines", files.noise_between, seed=True),
    Family("other JSON", files.json_of_others, seed=True),
    Family("NUL runs", files.nul_runs),
    Family("nesting", records.nesting),
    Family("bombs of one line", records.bombs),
    Family("texts of a megabyte", records.long_texts),
    Family("other encodings", files.encodings),
    Family("gzip", files.gzipped),
    Family("noise", files.noise),
    Family("a run of many nodes", files.wide_run),
    Family("many runs", files.many(lambda n: ("run.started", {"run_id": f"{n}"}), 300)),
    Family("many datasets of a node", files.many(_dataset, 300)),
    Family("many notes", files.many(lambda n: ("note.added", {"text": f"{n}"}), 300)),
    Family(
        "many unknown events", files.many(lambda n: (f"x.{n}", {}), 2000), large=True
    ),
    Family("a record again and again", files.repeated_record, large=True),
    Family("every second record missing", files.every_second_missing, large=True),
    Family("newlines", files.newlines, large=True),
    Family("a line of 30 MB", files.long_line, large=True),
    Family("a line without an end", files.unending_line, large=True),
    Family("a hole", files.hole, large=True),
)
