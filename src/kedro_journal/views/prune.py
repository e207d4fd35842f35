"""What `prune` removed, and what it kept although the policy names it."""

from __future__ import annotations

from typing import Any, Final

from kedro_journal.analysis.retention import ResumeChain
from kedro_journal.replaying.pruning import Pruned

from .table import Column, table
from .terminal import Line, Screen, Span, line, render
from .words import bytes_size, count, short_date

__all__ = ["prune_data", "prune_view"]

_COLUMNS: Final = (
    Column("session", widest=40),
    Column("verdict"),
    Column("ended"),
    Column("size", right=True),
    Column("reason"),
)
_REASONS: Final = {
    "older": "--older",
    "max-size": "--max-size",
    "keep": "beyond --keep",
}


def prune_view(done: Pruned, screen: Screen, path: str, *, dry_run: bool) -> str:
    """Return what was removed as text; it ends with what is left."""
    lines: list[Line] = []
    rows = [
        row
        for chain, reason in done.removed
        for row in _rows(chain, _REASONS.get(reason, reason), screen)
    ]
    number = sum(len(chain.session_ids) for chain, _ in done.removed)
    freed = sum(chain.size_bytes for chain, _ in done.removed)
    if rows:
        lines += [*table(_COLUMNS, rows, screen.width), ()]
    if done.kept:
        kept = [row for chain, why in done.kept for row in _rows(chain, why, screen)]
        lines += [line("Kept although the policy names them:")]
        lines += [*table(_COLUMNS, kept, screen.width), ()]
    for word, names in (
        ("put back", done.recovered.restored),
        ("finished the deletion of", done.recovered.deleted),
        ("could not clear", done.recovered.stuck),
    ):
        if names:
            text = f"Of an earlier prune: {word} {', '.join(names)}."
            lines.append(line(Span(text, "warn")))
    verb = "Would remove" if dry_run else "Removed"
    left = f"{count(done.left, 'session')}, {bytes_size(done.left_bytes)}, left"
    what = f"{verb} {count(number, 'session')}, {bytes_size(freed)}. "
    lines.append(line(f"{what}{left} in {path}."))
    return render(lines, screen.paint)


def _rows(chain: ResumeChain, why: str, screen: Screen) -> list[tuple[Line, ...]]:
    first, *others = chain.session_ids
    rows: list[tuple[Line, ...]] = [
        (
            line(first),
            line(chain.verdict),
            line(short_date(chain.ended_at, screen)),
            line(bytes_size(chain.size_bytes)),
            line(why),
        )
    ]
    rows += [(line(f"+ {one}"), (), (), (), ()) for one in others]
    return rows


def prune_data(done: Pruned, *, dry_run: bool) -> dict[str, Any]:
    """Return what `prune --json` prints."""
    return {
        "dry_run": dry_run,
        "removed": [_chain(chain, reason) for chain, reason in done.removed],
        "kept": [_chain(chain, reason) for chain, reason in done.kept],
        "freed_bytes": sum(chain.size_bytes for chain, _ in done.removed),
        "left": done.left,
        "left_bytes": done.left_bytes,
        "restored": list(done.recovered.restored),
        "deleted": list(done.recovered.deleted),
    }


def _chain(chain: ResumeChain, reason: str) -> dict[str, Any]:
    return {
        "session_ids": list(chain.session_ids),
        "verdict": chain.verdict,
        "ended_at": chain.ended_at,
        "size_bytes": chain.size_bytes,
        "reason": reason,
    }
