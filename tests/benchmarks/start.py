"""Start: what importing costs a run, and what a short command takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import Dose, Group, Subject, Target, output_of
from samples import begin, end, journal_of, node, started, write

from kedro_journal.journal import session_timestamp

_IMPORT = """
import time
import kedro.framework.cli, kedro.framework.session
began = time.perf_counter()
import kedro_journal.hooks.plugin
told = time.perf_counter() - began
import kedro_journal.hooks.links, kedro_journal.hooks.session_hooks
print(told * 1e3, (time.perf_counter() - began) * 1e3)
"""


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Give the groups of this module, one after the other."""
    del dose
    directory = folder / "sessions"
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(20):
        session_id = session_timestamp(began + timedelta(minutes=number))
        events = [*begin(session_id), *started(session_id, ["a"])]
        events += [*node(session_id, "a"), *end(session_id)]
        write(journal_of(directory / session_id), iter(events))
    yield _imports()
    yield _command(directory)


def _imported() -> dict[str, float]:
    told = output_of([sys.executable, "-c", _IMPORT])
    plugin, everything = map(float, told.splitlines()[-1].split())
    return {"the hook module": plugin, "all that a run imports": everything}


def _imports() -> Group:
    name = "import, Kedro being there"
    return Group(
        "import in kedro run",
        "ms",
        (Subject(name, _imported),),
        (
            Target(
                "import of the hook module <= 60 ms",
                f"{name}: the hook module",
                60,
                unit="ms",
            ),
            Target(
                "import of all that a run needs <= 60 ms",
                f"{name}: all that a run imports",
                60,
                unit="ms",
            ),
        ),
    )


def _wall(*command: str) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return (time.perf_counter() - began) * 1e3

    return measure


def _command(directory: Path) -> Group:
    script = Path(sys.executable).with_name("kedro-journal")
    found = str(script) if script.exists() else shutil.which("kedro-journal")
    name = "kedro-journal list, 20 sessions"
    ours = Subject(name, missing="not installed")
    if found:
        ours = Subject(name, _wall(found, "list", "--directory", str(directory)))
    modules = "python, import click and msgspec"
    return Group(
        "start to exit",
        "ms",
        (
            ours,
            Subject("python alone", _wall(sys.executable, "-c", "pass")),
            Subject(modules, _wall(sys.executable, "-c", "import click, msgspec")),
        ),
        (Target("kedro-journal list <= 250 ms", name, 250, unit="ms"),),
    )
