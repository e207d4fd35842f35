"""The frame of every page: template, style, script, Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from kedro_journal.views.terminal import Line, escape

__all__ = ["lines_html", "page", "policy", "spans_html", "text", "trusted"]

_TEMPLATES: Final = (
    "base.html",
    "macros.html",
    "session.html",
    "group.html",
)
_ROLES: Final = frozenset({"good", "bad", "warn", "busy", "dim", "strong"})


def text(value: object) -> Markup:
    """Return a text escaped for HTML, its control characters made visible."""
    return Markup(html.escape(escape(str(value)), quote=True))  # noqa: S704 - escaped


def spans_html(spans: Line) -> Markup:
    """Return a line as HTML; roles become classes."""
    parts = [
        f'<span class="{span.role}">{text(span.text)}</span>'
        if span.role in _ROLES
        else str(text(span.text))
        for span in spans
    ]
    return Markup("".join(parts))  # noqa: S704 - every part is escaped


def lines_html(lines: Sequence[Line]) -> Markup:
    """Return lines for a `<pre>`."""
    return Markup("\n").join(spans_html(one) for one in lines)


def trusted(picture: str) -> Markup:
    """Return SVG whose texts were escaped when it was made."""
    return Markup(picture)  # noqa: S704 - by `svg_text`


def page(template: str, context: Mapping[str, Any]) -> str:
    """Return a whole page.

    Args:
        template: Name of the template.
        context: Its variables. Strings are escaped; only `Markup` is not.
    """
    style, script = _file("style.css"), _file("script.js")
    rendered = (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - of this package
            script=Markup(script),  # noqa: S704 - of this package
            policy=policy(style, script),
            **context,
        )
    )
    # A lone surrogate in a journal has been escaped; nothing else fails to encode.
    return rendered.encode("utf-8", "backslashreplace").decode("utf-8")


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy that allows these two and nothing else."""
    return (
        f"default-src 'none'; style-src '{_sha256(style)}'; "
        f"script-src '{_sha256(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _sha256(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _file(name: str) -> str:
    return (files("kedro_journal.report") / "templates" / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=DictLoader({name: _file(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )


def _visible(value: object) -> object:
    """Make control characters visible in whatever the template puts on the page."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape(value)
    return value
