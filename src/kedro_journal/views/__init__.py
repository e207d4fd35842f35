"""Views: states made into text, HTML fragments and JSON. Pure: no file, no clock.

What it owns: every word and every picture that a user sees of a state.

    state or answer -> lines of spans -> terminal.render(Screen) -> text

Main modules:
    session, sessions, group, chain, nodes, verdict, failure: what `show` says.
    timeline, change, progressing, watching: records and sessions while they run.
    chart, folding, paths, gantt, gantt_svg: where the time of a run went.
    resume, compare, side_by_side, trace, origin, descent, why, stats, expected: answers
        of `analysis`.
    data, output_schema: `--json`, and the schemas that it promises to keep.
    html, viz, cloud_event: the same for notebooks, Kedro-Viz and CloudEvents.
    doctor, health, prune, later: what those commands found or did.
    terminal, table, words: spans, columns, numbers and times.

Invariants:
    Text of a journal reaches a screen through `terminal.render` alone, which escapes
    what a terminal would obey.
    A view computes no fact: what follows from a state is in `state` or `analysis`.

Writes nothing. A module is imported when its first name is used: all of them together
take a quarter of the time in which `kedro-journal list` answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .change import changes
    from .data import (
        group_data,
        json_line,
        json_text,
        record_data,
        state_data,
        summary_data,
    )
    from .derive import Place, where_it_is
    from .doctor import doctor_data, doctor_view
    from .group import group_view
    from .health import finding_lines, verification_view
    from .html import html_view
    from .session import Detail, session_lines, session_view
    from .sessions import Listed, sessions_view
    from .terminal import Line, Paint, Screen, Span, escape, line, render
    from .timeline import Timeline, describe

__all__ = [
    "Detail",
    "Line",
    "Listed",
    "Paint",
    "Place",
    "Screen",
    "Span",
    "Timeline",
    "changes",
    "describe",
    "doctor_data",
    "doctor_view",
    "escape",
    "finding_lines",
    "group_data",
    "group_view",
    "html_view",
    "json_line",
    "json_text",
    "line",
    "record_data",
    "render",
    "session_lines",
    "session_view",
    "sessions_view",
    "state_data",
    "summary_data",
    "verification_view",
    "where_it_is",
]

_MODULES: Final = {
    "change": ("changes",),
    "data": (
        *("group_data", "json_line", "json_text"),
        *("record_data", "state_data", "summary_data"),
    ),
    "derive": ("Place", "where_it_is"),
    "doctor": ("doctor_data", "doctor_view"),
    "group": ("group_view",),
    "html": ("html_view",),
    "health": ("finding_lines", "verification_view"),
    "session": ("Detail", "session_lines", "session_view"),
    "sessions": ("Listed", "sessions_view"),
    "terminal": ("Line", "Paint", "Screen", "Span", "escape", "line", "render"),
    "timeline": ("Timeline", "describe"),
}


__getattr__, __dir__ = lazily(__name__, _MODULES)
