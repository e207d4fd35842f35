"""Notebook: a state as HTML, as of now."""

from datetime import UTC, datetime

from kedro_journal.views import Screen, html_view

__all__ = ["html_now"]


def html_now(value: object) -> str:
    """Return the HTML of a state; the view itself reads no clock."""
    return html_view(value, Screen(datetime.now(UTC)))
