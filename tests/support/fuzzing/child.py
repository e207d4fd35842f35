"""The process that is fuzzed. It tells its parent, line by line, what it finds."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

_EVERY_S: Final = 10.0
_ROOM_BYTES: Final = 2 * 1024**3


class _Teller:
    """Writes messages as lines of JSON; where it is goes to a file, for a post-mortem."""

    def __init__(self, at: Path) -> None:
        self._at = at.open("w", encoding="utf-8")
        # What anybody prints goes to stderr from now on, and not between the messages.
        self._parent = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._next = time.monotonic() + _EVERY_S

    def __call__(self, kind: str, content: Any) -> None:
        if kind == "at":
            self._at.seek(0)
            self._at.write(f"{content}\n")
            self._at.flush()
            return
        if kind == "say":
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + _EVERY_S
        print(json.dumps({kind: content}), file=self._parent, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--cpu-s", type=float, required=True)
    parser.add_argument("--dose", type=int, required=True)
    parser.add_argument("--sabotage", default="")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--guided", action="store_true", help="by atheris")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Far above what is allowed: a reader that would take all memory is stopped here.
    resource.setrlimit(resource.RLIMIT_AS, (_ROOM_BYTES, _ROOM_BYTES))
    tell = _Teller(given.work / "at")
    if given.guided:
        from fuzzing.guided import drive

        drive(given.work, given.seed, given.cpu_s, tell)
        return
    from fuzzing import sabotage
    from fuzzing.engine import Engine

    if given.sabotage:
        sabotage.SABOTAGES[given.sabotage]()
    engine = Engine(given.work / "fuzz", given.seed, given.dose, tell)
    engine.run(given.cpu_s, frozenset(given.only))
    tell("done", engine.account())


if __name__ == "__main__":
    main()
