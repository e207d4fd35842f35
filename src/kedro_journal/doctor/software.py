"""What is installed: versions, entry points, and what the project makes of them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kedro_journal import _version

from .child import end_process
from .model import Check, note, ok, problem, reason_of, warning

__all__ = ["entry_point_checks", "load_all", "look_at_versions", "project_checks"]

_SCRIPT: Final = Path(__file__).with_name("_loads.py")
_NEEDED: Final = ("kedro", "msgspec", "filelock", "click")
_PURPOSE: Final[Mapping[str, str]] = {
    "hooks": "runs are not journaled without it",
    "cli_hooks": "exit codes and early failures are not journaled without it",
    "global_commands": "there is no `kedro journal` without it",
    "starters": "there is no starter journal-demo without it",
}
_HEEDS_SESSION_CLASS: Final = (1, 3)

Told = Mapping[str, Mapping[str, Any]]
"""What the loading process told, by step."""


def look_at_versions() -> Check:
    """Return which versions there are."""
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "kedro-journal": _version.__version__,
    }
    for name in _NEEDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    found["system"] = platform.system()
    found["kernel"] = platform.release()
    found["machine"] = platform.machine()
    found["executable"] = sys.executable
    missing = [name for name in _NEEDED if found[name] is None]
    named = ", ".join(f"{name} {found[name]}" for name in _NEEDED if found[name])
    text = (
        f"kedro-journal {found['kedro-journal']}, {found['implementation']} "
        f"{found['python']}, {named}, on {found['system']} {found['kernel']} "
        f"({found['machine']})."
    )
    if missing:
        return problem(
            "software.versions",
            f"{text} Not installed: {', '.join(missing)}.",
            _advice(f"{' '.join(missing)}"),
            versions=found,
            missing=missing,
        )
    return ok("software.versions", text, versions=found, missing=[])


def _advice(what: str) -> str:
    return f"Install it in this environment: {sys.executable} -m pip install {what}"


def load_all(project: Path | None, limit_s: float) -> Told:
    """Load entry points and the project's settings in a process of its own.

    Returns:
        What it told until it ended or *limit_s* passed; the step `end` is in it if it
        came to its end, else the step `failed` says why it did not.
    """
    reading, writing = os.pipe()
    arguments = [sys.executable, "-P", str(_SCRIPT), str(writing), str(limit_s + 1)]
    arguments += [] if project is None else [str(project)]
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",  # the doctor changes nothing
        "DO_NOT_TRACK": "1",
    }
    process: subprocess.Popen[bytes] | None = None
    try:
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(writing,),
                process_group=0,
                env=environment,
                cwd=project,
            )
        except (OSError, ValueError) as error:
            return {"failed": {"reason": reason_of(error)}}
        finally:
            os.close(writing)
        return _listen(reading, limit_s)
    finally:
        os.close(reading)
        if process is not None:
            end_process(process.pid)
            process.poll()


def _listen(fd: int, limit_s: float) -> Told:
    told: dict[str, Mapping[str, Any]] = {}
    data = b""
    deadline = time.monotonic() + limit_s
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while "end" not in told:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
            told["failed"] = {"reason": f"it did not end within {limit_s:g} s"}
            break
        part = os.read(fd, 65536)
        if not part:
            told["failed"] = {"reason": "its process died"}
            break
        *lines, data = (data + part).split(b"\n")
        for line in lines:
            entry = json.loads(line)
            told[entry.pop("step")] = entry
    return told


def entry_point_checks(told: Told) -> Iterator[Check]:
    """Judge the entry points by what the loading process told."""
    for name, purpose in _PURPOSE.items():
        key, group = f"software.{name}", f"kedro.{name}"
        found = told.get(name)
        if found is None:
            reason = told.get("failed", {}).get(
                "reason", "its process did not report it"
            )
            yield problem(
                key,
                f"Whether the entry point {group} loads is not known: {reason}.",
                f"Try it: {sys.executable} -m kedro info",
                registered=None,
                error=reason,
                seconds=None,
            )
            continue
        registered = found["registered"]
        if not registered:
            yield problem(
                key,
                f"The entry point {group} is not registered: {purpose}.",
                _advice("--force-reinstall kedro-journal"),
                **found,
            )
        elif found["error"]:
            stops = "; every `kedro run` stops at that" if name == "hooks" else ""
            yield problem(
                key,
                f"The entry point {group} cannot be imported: {found['error']}{stops}.",
                "Fix that import; where a package is missing or broken, install it "
                f"again: {sys.executable} -m pip install --force-reinstall",
                **found,
            )
        elif len(set(registered)) > 1:
            yield warning(
                key,
                f"The entry point {group} is registered more than once: "
                f"{', '.join(registered)}.",
                "Uninstall kedro-journal until pip finds none, and install it once.",
                **found,
            )
        else:
            yield ok(key, f"{group} is registered and loads.", **found)
    yield _late(told)


def _late(told: Told) -> Check:
    """Judge what the hooks import when a run begins."""
    key, late = "software.journaling", told.get("journaling")
    if late is None:
        reason = told.get("failed", {}).get("reason", "its process did not report it")
        return problem(
            key,
            f"Whether what the hooks need loads is not known: {reason}.",
            f"Try it: {sys.executable} -m kedro info",
            error=reason,
        )
    if late["error"]:
        return problem(
            key,
            "Nothing is journaled: what the hooks need cannot be imported: "
            f"{late['error']}."
            " Runs go on without a journal, unless `strict` is set.",
            "Fix that import; where a package is missing or broken, install it "
            f"again: {sys.executable} -m pip install --force-reinstall",
            **late,
        )
    return ok(key, "What the hooks need loads.", **late)


def project_checks(told: Told, kedro_version: str | None) -> Iterator[Check]:
    """Judge the project's settings.py by what the loading process told."""
    found = told.get("project")
    if found is None or found["error"]:
        failed = told.get("failed", {}).get("reason", "it was not tried")
        error = found["error"] if found is not None else failed
        yield problem(
            "settings.settings_py",
            f"The project's settings do not load: {error}.",
            "Fix that first: no Kedro command works in this project.",
            error=error,
        )
        return
    yield ok("settings.settings_py", "The project's settings load.", error="")
    if found["hooks_disabled"]:
        yield warning(
            "settings.hooks",
            "Nothing is journaled: DISABLE_HOOKS_FOR_PLUGINS in settings.py names "
            "kedro-journal.",
            "Remove it from that list to journal runs.",
            disabled=True,
        )
    else:
        yield ok(
            "settings.hooks",
            "The hooks are enabled in settings.py.",
            disabled=False,
        )
    yield _session_class(found, kedro_version)


def _session_class(found: Mapping[str, Any], kedro_version: str | None) -> Check:
    key, name, ours = "settings.session_class", found["session_class"], found["ours"]
    facts = {"session_class": name, "ours": ours}
    if not ours:
        return note(
            key,
            f"SESSION_CLASS is {name}: hooks journal runs (level 0). What fails before "
            "a run, and Ctrl-C in scripts and notebooks, is not recorded.",
            "`kedro journal init` sets our session class, which records these too.",
            **facts,
            level=0,
        )
    numbers = [
        int(part) for part in (kedro_version or "").split(".")[:2] if part.isdigit()
    ]
    if numbers and tuple(numbers) < _HEEDS_SESSION_CLASS:
        return note(
            key,
            f"SESSION_CLASS is {name}, but `kedro run` heeds it from Kedro 1.3 on: "
            f"with {kedro_version} its runs are journaled by hooks (level 0).",
            "Upgrade Kedro, or leave it so.",
            **facts,
            level=0,
        )
    return ok(
        key,
        f"SESSION_CLASS is {name}: sessions journal themselves (level 1).",
        **facts,
        level=1,
    )
