"""What is not as it was, and the project that is compared. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kedro_journal.events import Git, PlannedNode, Versions

from .stored import Stored

__all__ = ["Drift", "DriftKind", "Now"]

DriftKind = Literal[
    "env", "code", "pipeline", "parameter", "configuration", "input", "output", "git",
    "packages", "project",
]  # fmt: skip


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it was when the session ran.

    Attributes:
        kind: What sort of thing.
        subject: Which one.
        detail: How it differs, in words.
        nodes: Nodes whose outcome depends on it directly; none where that is
            not known, as for git.
    """

    kind: DriftKind
    subject: str
    detail: str
    nodes: tuple[str, ...] = ()


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The project as it is now.

    Attributes:
        nodes: The pipeline, filtered as the run was.
        parameters: The parameters in force, redacted.
        parameters_cut: Hashes of those that are cut there, as in `context.loaded`.
        config_sha256: Hashes of the configuration files, by path.
        stored: What is known of each dataset.
        env: The configuration environment in force; empty if it is not known.
        entries: The place that the catalog has for each dataset, redacted, from the
            root of the project.
        entries_before: The same of each session of the chain.
        masked: Keyed digests of the parameters that are masked, by name.
        masked_key: The key of those digests; empty without one.
        git: The commit.
        versions: The versions.
    """

    nodes: tuple[PlannedNode, ...]
    parameters: dict[str, Any]
    config_sha256: dict[str, str]
    stored: Mapping[str, Stored]
    git: Git | None
    versions: Versions
    env: str = ""
    parameters_cut: Mapping[str, str] = {}
    masked: Mapping[str, str] = {}
    masked_key: str = ""
    entries: Mapping[str, str] = {}
    entries_before: tuple[Mapping[str, str], ...] = ()
