"""The same strikes, led by libFuzzer, where `atheris` is installed.

It sees which branches an input takes, and what strings and numbers it is compared with;
half of its mutations are ours, which give lines valid checksums again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["kedro_journal"]):
    from fuzzing.engine import Engine, memory_mb

from fuzzing.mutate import MUTANT_MAX_BYTES, mutant

__all__ = ["drive"]


def drive(
    work: Path, seed: int, cpu_s: float, tell: Callable[[str, Any], None]
) -> None:
    """Strike for that many CPU-seconds of this process, and end it."""
    engine = Engine(work / "fuzz", seed, 1, tell)
    engine.strike_families()
    seeds = work / "seeds"
    seeds.mkdir()
    for number, data in enumerate(engine.corpus):
        (seeds / str(number)).write_bytes(data)
    engine.corpus.clear()  # libFuzzer has its own

    before_mb = 0.0

    def one_input(data: bytes) -> None:
        nonlocal before_mb
        if before_mb:  # libFuzzer's own tables, for which no reader can be blamed
            engine.allow(max(memory_mb() - before_mb, 0.0))
            before_mb = 0.0
        engine.strike_bytes(data)
        if time.process_time() < cpu_s:
            return
        kept = sum(1 for _ in seeds.iterdir())
        tell("done", {**engine.account(), "inputs that reached new code": kept})
        os._exit(0)  # it would go on for ever

    def mutate(data: bytes, max_size: int, chance: int) -> bytes:
        rng = random.Random(chance)
        if rng.random() < 0.5:
            return mutant(rng, [data])[:max_size]
        return bytes(atheris.Mutate(data, max_size))

    options = [f"-seed={seed}", f"-max_len={MUTANT_MAX_BYTES}", "-rss_limit_mb=0"]
    options += ["-timeout=0", "-verbosity=0", "-print_final_stats=0", str(seeds)]
    before_mb = memory_mb()
    atheris.Setup(["fuzz", *options], one_input, custom_mutator=mutate)
    atheris.Fuzz()
