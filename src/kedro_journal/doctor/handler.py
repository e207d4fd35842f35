"""Whether a project's logging configuration and our log handler fit together."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .model import Check, ok, problem

__all__ = ["look_at_logging"]

KEY: Final = "settings.logging"
ALLOW_LIST: Final = "KEDRO_LOGGING_MODULE_ALLOWLIST"
HANDLER: Final = "kedro_journal.logging.JournalHandler"
_OURS: Final = re.compile(r"""^[^#\n]*\bclass:\s*["']?(kedro_journal[\w.]*)""", re.M)
_MAX_BYTES: Final = 1024 * 1024


def look_at_logging(project: Path | None, environ: Mapping[str, str]) -> Check:
    """Check that Kedro takes the handler that a project's logging configuration names.

    Args:
        project: Root of the project; None for none.
        environ: The environment that `kedro` runs in.
    """
    path = None if project is None else _configuration(project, environ)
    text = "" if path is None else _text(path)
    named = sorted(set(_OURS.findall(text)))
    allowed = [one.strip() for one in environ.get(ALLOW_LIST, "").split(",")]
    facts = {"path": path, "named": named, "allowed": [one for one in allowed if one]}
    if not named:
        where = "no logging configuration" if path is None else str(path)
        return ok(KEY, f"Our log handler is not in use ({where}).", **facts)
    wrong = [name for name in named if name != HANDLER]
    if wrong:
        return problem(
            KEY,
            f"{path} names {wrong[0]}, which is not a log handler: no Kedro "
            "command works.",
            f"The handler is {HANDLER}.",
            **facts,
        )
    prefixes = ("kedro_journal", "kedro_journal.logging")
    if _kedro_asks() and not any(one in prefixes for one in allowed):
        return problem(
            KEY,
            f"{path} names {HANDLER}, but {ALLOW_LIST} does not name kedro_journal: no "
            "Kedro command works.",
            f"Set {ALLOW_LIST}=kedro_journal where Kedro runs, or remove the handler "
            "and use the setting log_level instead.",
            **facts,
        )
    return ok(KEY, f"{path} names our log handler, and Kedro accepts it.", **facts)


def _configuration(project: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the file that Kedro reads, None if it takes its own."""
    given = environ.get("KEDRO_LOGGING_CONFIG")
    if given:
        return project / given
    found = (project / f"conf/logging.{kind}" for kind in ("yml", "yaml"))
    return next((path for path in found if path.is_file()), None)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _kedro_asks() -> bool:
    """Return whether the installed Kedro has an allow-list: its source says so."""
    spec = importlib.util.find_spec("kedro")
    if spec is None or spec.origin is None:
        return False
    source = Path(spec.origin).parent / "framework" / "project" / "__init__.py"
    return ALLOW_LIST in _text(source)
