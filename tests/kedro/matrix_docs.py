"""The matrix as the docs show it: `python -m tests.kedro.matrix_docs` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from .matrix_model import Ending, Told
from .matrix_table import ENDINGS, EXCEPTIONS, IMPOSSIBLE

PAGE: Final = Path(__file__).parents[2] / "docs/concepts/endings.md"
_BLOCK: Final = re.compile(
    r"(<!-- matrix: (?P<name>[a-z]+) -->\n).*?(<!-- end matrix -->)", re.DOTALL
)
_WORDS: Final = {
    "completed": "The run comes to its end.",
    "node raises": "A node raises an exception.",
    "load fails": "A dataset does not load.",
    "save fails": "A dataset cannot be saved.",
    "unknown pipeline": "There is no such pipeline.",
    "broken configuration": "`parameters.yml` does not parse.",
    "broken catalog": "A dataset's class does not exist.",
    "missing input": "A dataset is neither in the catalog nor made by a node.",
    "ctrl-c": "Ctrl-C, while a node runs.",
    "keyboard interrupt": "A node raises `KeyboardInterrupt`.",
    "sys.exit": "A node calls `sys.exit(3)`.",
    "sigterm": "SIGTERM, while a node runs.",
    "sigkill": "SIGKILL of the process, while a node runs.",
    "memory error": "A node runs out of memory: `MemoryError`.",
    "oom kill": "The process that runs the node is killed, as for memory.",
    "worker killed": "A worker of ParallelRunner is killed.",
    "plugin before": "A hook of another plugin raises before the first node.",
    "plugin in": "A hook of another plugin raises when a node's function returned.",
    "plugin after": "A hook of another plugin raises after the run.",
    "goes on": "A node raises while another one runs, which is let end.",
}


def endings() -> str:
    """Give the table of endings."""
    rows = [(ending.id, _WORDS[ending.id], *_told(ending)) for ending in ENDINGS]
    return _table(("ending", "what happens", "verdict", "run", "its node"), rows)


def differs() -> str:
    """Give the table of exceptions."""
    rows = [
        (each.ways, ", ".join(each.endings), _changes(dict(each.changes)), each.reason)
        for each in EXCEPTIONS
    ]
    return _table(("ways", "endings", "told instead", "why"), rows)


def cannot() -> str:
    """Give the table of what cannot be."""
    every = {ending.id for ending in ENDINGS}
    rows = [
        (
            each.ways,
            "all" if set(each.endings) == every else ", ".join(each.endings),
            each.reason,
        )
        for each in IMPOSSIBLE
    ]
    return _table(("ways", "endings", "why not"), rows)


def page(text: str) -> str:
    """Fill the blocks of the page."""
    tables = {"endings": endings, "differs": differs, "cannot": cannot}

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}{tables[match['name']]()}{match[3]}"

    return _BLOCK.sub(fill, text)


def _told(ending: Ending) -> tuple[str, str, str]:
    told = ending.told
    run = told.run or "none"
    about = told.reason or told.error.rpartition(".")[2]
    if told.code is not None:
        about += f", code {told.code}"
    if told.signal is not None:
        about += f", signal {int(told.signal)}"
    if told.at == "after the run":
        return f"{told.verdict}, {about}", run, _node(told)
    return told.verdict, f"{run}, {about}" if about else run, _node(told)


def _node(told: Told) -> str:
    if not told.run:
        return "-"
    where = f" while {told.phase}" if told.phase else ""
    return f"{told.node}{where}" + (f" `{told.dataset}`" if told.dataset else "")


def _changes(changes: dict[str, object]) -> str:
    if changes.get("journaled") is False:
        return "nothing"
    parts = [
        f"{name.replace('_', ' ')} {str(changes[name]).rpartition('.')[2]}"
        for name in ("verdict", "run", "node", "reason", "error", "at", "exit_code")
        if changes.get(name)
    ]
    return ", ".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
