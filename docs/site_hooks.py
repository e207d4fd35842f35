"""Hooks of the site's build; see `mkdocs.yml`."""

from __future__ import annotations

import re
from typing import Any

_FENCE = re.compile(r"^```(\w+) no-run$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Drop `no-run`, which tells the tests that an example only shows syntax.

    Python-Markdown accepts one word after a fence, and would take the rest of the page
    for code.
    """
    return _FENCE.sub(r"```\1", markdown)
