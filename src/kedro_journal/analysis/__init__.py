"""ANALYSIS: what sessions, compared with one another, say. Pure: no file, no clock."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .answer import Change, Cited, Good, Why
    from .why import Outside, Past, why

__all__ = ["Change", "Cited", "Good", "Outside", "Past", "Why", "why"]

lazily(
    __name__,
    {
        "answer": ("Change", "Cited", "Good", "Why"),
        "why": ("Outside", "Past", "why"),
    },
)
