"""VIEW: state -> text. Pure: no file, no clock, no Kedro.

Every view takes a state and a `Screen` and gives a text. Nothing of a journal reaches a
screen but through `terminal.render`, which escapes what a terminal would obey.

A module is imported when the first name of it is used: all of them together are a
quarter of the time in which `kedro-journal list` answers.
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
