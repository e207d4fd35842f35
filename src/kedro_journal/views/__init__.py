"""VIEW: state -> text. Pure: no file, no clock, no Kedro.

Every view takes a state and a `Screen` and gives a text. Nothing of a journal reaches a
screen but through `terminal.render`, which escapes what a terminal would obey.
"""

from .changes import changes
from .data import json_line, json_text, record_data, state_data, summary_data
from .derive import Place, where_it_is
from .health import finding_lines, verification_view
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
    "escape",
    "finding_lines",
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
