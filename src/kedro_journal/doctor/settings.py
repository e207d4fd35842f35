"""The settings in force, where each comes from, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from kedro_journal.config import Explained, find_project

from .model import Check, ok, problem, warning

__all__ = ["look_at_project", "look_at_settings"]


def look_at_project(project: Path | None, directory: Path | None) -> Check:
    """Return whether there is a project, or what would be needed."""
    key = "settings.project"
    facts = {"project": project, "directory_given": directory is not None}
    if project is None:
        text = (
            "No Kedro project: no pyproject.toml with [tool.kedro] in this folder or "
        )
        text += "above it."
        if directory is not None:
            return ok(key, f"{text} The given directory is probed.", **facts)
        return warning(
            key,
            f"{text} So the journal directory is not known.",
            "Run it inside a project, or give --project or --directory.",
            **facts,
        )
    if find_project(project) != project.resolve():
        return warning(
            key,
            f"{project} is no Kedro project: it has no pyproject.toml with "
            "[tool.kedro]. The defaults are used.",
            "Give the root of a project with --project.",
            **facts,
        )
    return ok(key, f"Kedro project: {project}.", **facts)


def look_at_settings(explained: Explained) -> Iterator[Check]:
    """Return what the settings are, and which of them are invalid."""
    config, sources, mistakes = explained
    values = {
        name: {"value": value, "source": sources.get(name, "default")}
        for name, value in msgspec.structs.asdict(config).items()
    }
    said = [
        f"{name} = {_literal(one['value'])} ({one['source']})"
        for name, one in values.items()
        if one["source"] != "default"
    ]
    yield ok(
        "settings.in_force",
        f"{'; '.join(said)}; all others are the defaults."
        if said
        else f"All settings are the defaults: directory {config.directory}, durability "
        f"{config.durability}.",
        settings=values,
    )
    if mistakes:
        yield problem(
            "settings.mistakes",
            " ".join(f"{one.source}: {one.reason}." for one in mistakes),
            "Correct it: runs, and reading commands, ignore the setting. "
            "docs/reference/configuration.md has all settings.",
            mistakes=[{"source": one.source, "reason": one.reason} for one in mistakes],
        )
    else:
        yield ok("settings.mistakes", "All settings are valid.", mistakes=[])
    if config.disable:
        yield warning(
            "settings.disable",
            f"Nothing is journaled: `disable` is set by {sources.get('disable')}.",
            "Remove it to journal runs.",
            disabled=True,
        )
    else:
        yield ok("settings.disable", "Journaling is enabled.", disabled=False)


def _literal(value: object) -> str:
    return msgspec.json.encode(value).decode()
