"""Load what Kedro finds by entry points, and the project's settings; say how it went.

A script for a process of its own: `python -P _loads.py FD SECONDS [PROJECT]` writes
JSON Lines to that descriptor, and ends after so many seconds at most. The standard
library is all it imports: anything else, our own package first, may be what is broken.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

NAME = "kedro-journal"
GROUPS = ("hooks", "cli_hooks", "global_commands", "starters")
# What the hooks import when a run begins: where it is broken, they still load.
LATE = ("hooks.command", "hooks.session_hooks", "hooks.links", "session.session")


def main() -> None:
    """Do it, one thing after the other, and tell each at once."""
    fd, seconds, *project = sys.argv[1:]
    signal.setitimer(
        signal.ITIMER_REAL, float(seconds)
    )  # the waiting process may be dead
    keep_logging_off_the_disk()

    def tell(step: str, **facts: object) -> None:
        data = memoryview(json.dumps({"step": step, **facts}).encode() + b"\n")
        while data:
            data = data[os.write(int(fd), data) :]

    for group in GROUPS:
        tell(group, **load(f"kedro.{group}"))
    tell("journaling", error=late_imports())
    if project:
        tell("project", **project_settings(project[0]))
    tell("end")


def keep_logging_off_the_disk() -> None:
    """Have Kedro take its own logging configuration: a project's may open files."""
    try:
        spec = importlib.util.find_spec("kedro")
        if spec is None or spec.origin is None:
            return
        folder = Path(spec.origin).parent / "framework" / "project"
        path = folder / "default_logging.yml"
        if importlib.util.find_spec("rich") and (folder / "rich_logging.yml").is_file():
            path = folder / "rich_logging.yml"  # where there is rich, Kedro needs it
        if path.is_file():
            os.environ["KEDRO_LOGGING_CONFIG"] = str(path)
    except Exception:  # no Kedro: the entry points will say so
        return


def load(group: str) -> dict[str, object]:
    """Load our entry points of a group."""
    began = time.perf_counter()
    names: list[str] = []
    error = ""
    try:
        for entry in importlib.metadata.entry_points(group=group, name=NAME):
            names.append(entry.value)
            entry.load()
    except BaseException as failure:
        error = told(failure)
    seconds = round(time.perf_counter() - began, 3)
    return {"registered": names, "error": error, "seconds": seconds}


def late_imports() -> str:
    """Import what journals a run; say what went wrong, if anything."""
    try:
        for name in LATE:
            importlib.import_module(f"kedro_journal.{name}")
    except BaseException as failure:
        return told(failure)
    return ""


def project_settings(path: str) -> dict[str, object]:
    """Configure Kedro for the project, as every command does, and read its settings."""
    try:
        importlib.import_module("kedro.framework.startup").bootstrap_project(path)
        project = importlib.import_module("kedro.framework.project")
        project.validate_settings()
        session_class = project.settings.SESSION_CLASS
        disabled = project.settings.DISABLE_HOOKS_FOR_PLUGINS or ()
        homes = [one.__module__.partition(".")[0] for one in session_class.__mro__]
        return {
            "error": "",
            "session_class": f"{session_class.__module__}.{session_class.__qualname__}",
            "ours": "kedro_journal" in homes,
            "hooks_disabled": NAME in list(disabled),
        }
    except BaseException as failure:
        return {"error": told(failure)}


def told(error: BaseException) -> str:
    """Return what happened and where, in one line."""
    text = " ".join(str(error).split())
    where = ""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen")
    ]
    if frames:
        where = f" ({frames[-1].filename}:{frames[-1].lineno})"
    return f"{type(error).__name__}: {text}{where}"


if __name__ == "__main__":
    main()
