"""Places to examine, and means that lie."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kedro_journal.config import Config
from kedro_journal.doctor import Check, Means
from kedro_journal.doctor.bench import Bench
from kedro_journal.doctor.child import Probe
from kedro_journal.doctor.examine import Tried, examine_place

Examine = Callable[..., dict[str, Check]]
Mounted = Callable[[str], Path]


def by_key(checks: list[Check]) -> dict[str, Check]:
    """Give the checks by their keys, which are different."""
    found = {check.key: check for check in checks}
    assert len(found) == len(checks), [check.key for check in checks]
    return found


def try_place(path: Path, config: Config | None = None, **means: object) -> Tried:
    """Examine a place, with means that may be broken."""
    return examine_place(path, config or Config(), Means(**means))  # type: ignore[arg-type]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examine an empty journal directory; nothing may be left of it afterwards.

    With `only`, the key of a probe or several of them, the others are left out.
    """
    place = tmp_path / "sessions"
    place.mkdir(mode=0o700)
    module = sys.modules[examine_place.__module__]
    every: Callable[[Bench], list[Probe]] = module._probes  # type: ignore[attr-defined]

    def run(
        config: Config | None = None, only: str = "", **means: object
    ) -> dict[str, Check]:
        def some(bench: Bench) -> list[Probe]:
            found = [probe for probe in every(bench) if probe.key in only.split()]
            assert len(found) == len(only.split()), only
            return found

        monkeypatch.setattr(module, "_probes", some if only else every)
        checks = try_place(place, config, **means).checks
        assert list(place.iterdir()) == [], "something was left behind"
        return by_key(checks)

    return run


def run(*command: object) -> bool:
    """Run a program of the system; tell whether it did what it was to do."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=False, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mounted]:
    """Mount small file systems in memory; they go with the test."""
    places: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"mounted{len(places)}"
        place.mkdir()
        if not run("mount", "-t", "tmpfs", "-o", options, "doctor-test", place):
            pytest.skip("needs the right to mount")
        places.append(place)
        return place

    yield mount
    for place in places:
        assert run("umount", place)


as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"
)
